/* sys/classify_errno: each row of FAILURES.md that names an errno. */
#include "check.h"

#include "sys/classify_errno.h"

#include <errno.h>
#include <string.h>

struct row {
	int error;
	enum failure_code code;
};

static void
check_rows(const struct row *rows, size_t count, enum failure_code (*classify)(int error))
{
	for (size_t i = 0; i < count; i++) {
		if (classify(rows[i].error) != rows[i].code)
			fail_msg("%s is %s", strerrorname_np(rows[i].error),
				 failure_name(classify(rows[i].error)));
	}
}

#define CHECK_ROWS(rows, classify) check_rows(rows, COUNT_OF(rows), classify)

static void
opening(void **state)
{
	static const struct row rows[] = {
		{ EMFILE, FAILURE_SOCKET_DESCRIPTOR_LIMIT },
		{ ENFILE, FAILURE_SOCKET_DESCRIPTOR_LIMIT },
		{ EAFNOSUPPORT, FAILURE_SOCKET_NO_FAMILY },
		{ EPROTONOSUPPORT, FAILURE_SOCKET_NO_FAMILY },
		{ ENOBUFS, FAILURE_SOCKET_NO_BUFFERS },
		{ ENOMEM, FAILURE_SOCKET_NO_BUFFERS },
		{ EACCES, FAILURE_SOCKET_SETUP },
		{ EPERM, FAILURE_SOCKET_SETUP },
	};

	(void)state;
	CHECK_ROWS(rows, classify_open);
}

static void
setting_up(void **state)
{
	static const struct row rows[] = {
		{ EPERM, FAILURE_SOCKET_SETUP },	{ ENOPROTOOPT, FAILURE_SOCKET_SETUP },
		{ EINVAL, FAILURE_SOCKET_SETUP },	{ ENOMEM, FAILURE_SOCKET_NO_BUFFERS },
		{ ENOBUFS, FAILURE_SOCKET_NO_BUFFERS },
	};

	(void)state;
	CHECK_ROWS(rows, classify_setup);
}

static void
binding(void **state)
{
	static const struct row rows[] = {
		{ EADDRNOTAVAIL, FAILURE_SOCKET_BIND }, { EADDRINUSE, FAILURE_SOCKET_BIND },
		{ EACCES, FAILURE_SOCKET_BIND },	{ ENODEV, FAILURE_SOCKET_BIND },
		{ EAFNOSUPPORT, FAILURE_SOCKET_BIND },	{ EPERM, FAILURE_SOCKET_SETUP },
		{ EINVAL, FAILURE_SOCKET_SETUP },	{ ENOMEM, FAILURE_SOCKET_NO_BUFFERS },
	};

	(void)state;
	CHECK_ROWS(rows, classify_bind);
}

static const struct address ipv4 = { .length = sizeof(ipv4.in), .in.sin_family = AF_INET };
static const struct address ipv6 = { .length = sizeof(ipv6.in6), .in6.sin6_family = AF_INET6 };
static const struct address local = { .length = sizeof(local.un), .un.sun_family = AF_UNIX };

static enum failure_code
classify_connect_ipv4(int error)
{
	return classify_connect(error, &ipv4, true);
}

static enum failure_code
classify_connect_unix(int error)
{
	return classify_connect(error, &local, true);
}

static void
connecting(void **state)
{
	static const struct row rows[] = {
		{ ECONNREFUSED, FAILURE_CONNECTION_REFUSED },
		{ ECONNRESET, FAILURE_CONNECTION_RESET_EARLY },
		{ ENETUNREACH, FAILURE_CONNECTION_NETWORK_UNREACHABLE },
		{ ENETDOWN, FAILURE_CONNECTION_NETWORK_UNREACHABLE },
		{ ENONET, FAILURE_CONNECTION_NETWORK_UNREACHABLE },
		{ EHOSTUNREACH, FAILURE_CONNECTION_HOST_UNREACHABLE },
		{ EHOSTDOWN, FAILURE_CONNECTION_HOST_UNREACHABLE },
		{ EACCES, FAILURE_CONNECTION_PROHIBITED },
		{ EPERM, FAILURE_CONNECTION_PROHIBITED },
		{ EINVAL, FAILURE_CONNECTION_PROHIBITED },
		{ ETIMEDOUT, FAILURE_TIMEOUT_CONNECT },
		{ EMFILE, FAILURE_SOCKET_DESCRIPTOR_LIMIT },
		{ EAFNOSUPPORT, FAILURE_SOCKET_NO_FAMILY },
		{ EADDRNOTAVAIL, FAILURE_SOCKET_NO_PORTS },
		{ ENOBUFS, FAILURE_SOCKET_NO_BUFFERS },
		{ ENOMEM, FAILURE_SOCKET_NO_BUFFERS },
		{ ENOENT, FAILURE_CONNECTION_OTHER },
		{ EPROTO, FAILURE_CONNECTION_OTHER },
		{ ENOTCONN, FAILURE_CONNECTION_OTHER },
	};
	static const struct row unix_rows[] = {
		{ ENOENT, FAILURE_ADDRESS_UNIX_MISSING },
		{ ENOTDIR, FAILURE_ADDRESS_UNIX_MISSING },
		{ ECONNREFUSED, FAILURE_CONNECTION_REFUSED },
		{ EACCES, FAILURE_CONNECTION_PROHIBITED },
		{ EPROTOTYPE, FAILURE_CONNECTION_OTHER },
		{ ELOOP, FAILURE_CONNECTION_OTHER },
	};

	(void)state;
	CHECK_ROWS(rows, classify_connect_ipv4);
	CHECK_ROWS(unix_rows, classify_connect_unix);
	/* Ruling 6. */
	assert_int_equal(classify_connect(EADDRNOTAVAIL, &ipv6, false), FAILURE_SOCKET_NO_FAMILY);
	assert_int_equal(classify_connect(EADDRNOTAVAIL, &ipv6, true), FAILURE_SOCKET_NO_PORTS);
}

static enum failure_code
classify_io_of_the_living(int error)
{
	return classify_io(error, true);
}

static void
reading_and_writing(void **state)
{
	static const struct row rows[] = {
		{ ECONNRESET, FAILURE_CONNECTION_RESET },
		{ EPIPE, FAILURE_CONNECTION_RESET },
		{ ECONNABORTED, FAILURE_CONNECTION_RESET },
		{ ETIMEDOUT, FAILURE_TIMEOUT_WRITE },
		{ ENETUNREACH, FAILURE_CONNECTION_NETWORK_UNREACHABLE },
		{ ENETDOWN, FAILURE_CONNECTION_NETWORK_UNREACHABLE },
		{ EHOSTUNREACH, FAILURE_CONNECTION_HOST_UNREACHABLE },
		{ EACCES, FAILURE_CONNECTION_PROHIBITED },
		{ ECONNREFUSED, FAILURE_CONNECTION_REFUSED },
		{ ENOBUFS, FAILURE_SOCKET_NO_BUFFERS },
		{ ENOMEM, FAILURE_SOCKET_NO_BUFFERS },
		{ EIO, FAILURE_SOCKET_IO },
		{ EBADF, FAILURE_SOCKET_IO },
		{ EINVAL, FAILURE_SOCKET_IO },
	};

	(void)state;
	CHECK_ROWS(rows, classify_io_of_the_living);
	/* Ruling 5. */
	assert_int_equal(classify_io(ETIMEDOUT, false), FAILURE_TIMEOUT_DEAD_PEER);
}

static void
no_route_is_not_a_rule(void **state)
{
	(void)state;
	assert_true(classify_is_routeless(ENETUNREACH));
	assert_true(classify_is_routeless(EADDRNOTAVAIL));
	assert_false(classify_is_routeless(EACCES));
	assert_false(classify_is_routeless(EINVAL));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(opening),
		cmocka_unit_test(setting_up),
		cmocka_unit_test(binding),
		cmocka_unit_test(connecting),
		cmocka_unit_test(reading_and_writing),
		cmocka_unit_test(no_route_is_not_a_rule),
	};

	RUN_TESTS(tests);
}

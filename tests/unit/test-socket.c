/* sys/socket: every way a connect can end, provoked in a network namespace of our own. */
#include "check.h"
#include "namespace.h"

#include "sys/fd.h"
#include "sys/socket.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NOBODY 65534
#define PORT   4000

static bool entered, is_root;
static char directory[] = "/tmp/holdfast-socket-XXXXXX";

static int
enter(void **state)
{
	(void)state;
	if (!mkdtemp(directory) || chmod(directory, 0755) < 0)
		return -1;
	is_root = geteuid() == 0;
	entered = namespace_enter();
	if (!entered)
		return namespace_excuse ? 0 : -1;
	namespace_loopback_up();
	run("ip address add 192.0.2.1/32 dev lo && ip -6 address add 2001:db8::1/128 dev lo nodad && "
	    "ip route add unreachable 198.51.100.1 && ip route add throw 198.51.100.2 && "
	    "ip route add prohibit 198.51.100.3 && ip route add blackhole 198.51.100.4 && "
	    "ip -6 route add unreachable 2001:db8:1::1 && ip -6 route add prohibit 2001:db8:1::3 && "
	    "ip -6 route add blackhole 2001:db8:1::4");
	return 0;
}

static int
leave(void **state)
{
	(void)state;
	return rmdir(directory);
}

static void
need_namespace(void)
{
	if (!entered)
		skip_because(namespace_excuse);
}

static struct transport_policy
transport(void)
{
	return (struct transport_policy){
		.keepalive = { .idle = 30 * USEC_PER_SEC,
			       .interval = 10 * USEC_PER_SEC,
			       .count = 3,
			       .user_timeout = 60 * USEC_PER_SEC },
	};
}

static struct address
address(const char *text, uint16_t port)
{
	struct address address = { 0 };
	unsigned char ip[16];

	if (inet_pton(AF_INET, text, ip) == 1) {
		address_from_ip(AF_INET, ip, port, &address);
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, ip), 1);
		address_from_ip(AF_INET6, ip, port, &address);
	}
	return address;
}

static struct address
unix_address(const char *name)
{
	struct address address = { .length = sizeof(address.un) };

	address.un.sun_family = AF_UNIX;
	snprintf(address.un.sun_path, sizeof(address.un.sun_path), "%s/%s", directory, name);
	return address;
}

static int
listen_at(const struct address *here, int backlog)
{
	int fd = socket(here->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, &here->sa, here->length), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static void
wait_for(int fd, short events)
{
	struct pollfd pollfd = { .fd = fd, .events = events };

	assert_int_equal(poll(&pollfd, 1, -1), 1);
}

/* Connects to the end; returns 0 with *ret_fd open, or the negative errno with `failure` filled. */
static int
connect_to(const struct address *peer, const struct transport_policy *policy, int *ret_fd,
	   struct failure *failure)
{
	int fd = -1, r;

	failure_init(failure, FAILURE_NONE, STAGE_CONNECT);
	r = socket_connect(peer, policy, &fd, failure);
	if (r < 0) {
		assert_int_equal(fd, -1);
		return r;
	}
	wait_for(fd, POLLOUT);
	r = socket_connected(fd, peer, failure);
	if (r < 0)
		fd = fd_close(fd);
	*ret_fd = fd;
	return r;
}

static void
expect_with(const struct address *peer, const struct transport_policy *policy,
	    enum failure_code code, int error)
{
	struct failure failure;
	int fd = -1;

	assert_int_equal(connect_to(peer, policy, &fd, &failure), -error);
	assert_string_equal(failure_name(failure.code), failure_name(code));
	assert_int_equal(failure.error, error);
	assert_string_equal(failure.error_name, strerrorname_np(error));
}

static void
expect(const struct address *peer, enum failure_code code, int error)
{
	struct transport_policy policy = transport();

	expect_with(peer, &policy, code, error);
}

static void
expect_ip(const char *ip, enum failure_code code, int error)
{
	struct address peer = address(ip, PORT);

	expect(&peer, code, error);
}

static int
number_of(int fd, int level, int option)
{
	int value = -1;
	socklen_t length = sizeof(value);

	assert_int_equal(getsockopt(fd, level, option, &value, &length), 0);
	return value;
}

/* ---- connects that succeed ------------------------------------------------------------------------ */

static void
a_connection_is_set_up_as_configured(void **state)
{
	struct address here = address("127.0.0.1", PORT), source;
	struct transport_policy policy = transport();
	struct socket_state known;
	struct failure failure;
	int listener, fd = -1;
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	need_namespace();
	listener = listen_at(&here, 8);
	policy.source = address("192.0.2.1", 0);
	policy.mark = 7;
	strcpy(policy.interface, "lo");
	assert_int_equal(connect_to(&here, &policy, &fd, &failure), 0);
	assert_int_equal(number_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(number_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), 30);
	assert_int_equal(number_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), 10);
	assert_int_equal(number_of(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
	assert_int_equal(number_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 60000);
	assert_int_equal(number_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(number_of(fd, SOL_SOCKET, SO_MARK), 7);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(socket_source(fd, &source), 0);
	source.in.sin_port = 0;
	assert_string_equal(address_format(&source, text, sizeof(text)), "192.0.2.1:0");
	assert_int_equal(socket_state(fd, &known), 0);
	assert_true(known.rtt > 0 && known.unacked == 0);
	policy.keepalive.idle = 20 * USEC_PER_SEC;
	policy.keepalive.interval = 1000000 * USEC_PER_SEC; /* more than the kernel takes */
	policy.keepalive.count = 1000;
	assert_int_equal(socket_change_keepalive(fd, &policy.keepalive), 0);
	assert_int_equal(number_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), 20);
	assert_int_equal(number_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), 32767);
	assert_int_equal(number_of(fd, IPPROTO_TCP, TCP_KEEPCNT), 127);
	fd_close(fd);
	fd_close(listener);
}

static void
a_unix_socket_is_connected_at_once(void **state)
{
	struct address here = unix_address("listener");
	struct transport_policy policy = transport();
	struct socket_state known;
	struct failure failure;
	int listener = listen_at(&here, 8), fd = -1;

	(void)state;
	policy.mark = 7; /* takes none of it */
	assert_int_equal(connect_to(&here, &policy, &fd, &failure), 0);
	assert_int_equal(socket_state(fd, &known), -EOPNOTSUPP);
	fd_close(fd);
	fd_close(listener);
	unlink(here.un.sun_path);
}

/* The kernel makes the route to an address a moment after the address itself. */
static void
wait_for_route(const struct address *peer)
{
	struct failure failure;
	int fd = -1;

	for (int i = 0; i < 1000; i++) {
		if (connect_to(peer, &(struct transport_policy){ 0 }, &fd, &failure) != -ENETUNREACH)
			return;
		usleep(10000);
	}
}

static void
a_zone_is_looked_up_by_name_or_number(void **state)
{
	struct address peer = address("fe80::1", PORT);

	(void)state;
	need_namespace();
	strcpy(peer.zone, "nowhere0");
	expect(&peer, FAILURE_ADDRESS_INVALID, ENODEV);
	strcpy(peer.zone, "4711");
	expect(&peer, FAILURE_ADDRESS_INVALID, ENODEV);
	/* lo has no link-local address and nobody listens there; that is known only after the zone is. */
	run("ip -6 address add fe80::1/64 dev lo nodad");
	strcpy(peer.zone, "lo");
	wait_for_route(&peer);
	expect(&peer, FAILURE_CONNECTION_REFUSED, ECONNREFUSED);
	strcpy(peer.zone, "1");
	expect(&peer, FAILURE_CONNECTION_REFUSED, ECONNREFUSED);
	run("ip -6 address del fe80::1/64 dev lo");
}

/* ---- connects that fail --------------------------------------------------------------------------- */

static void
routes_decide_what_a_connect_says(void **state)
{
	(void)state;
	need_namespace();
	expect_ip("198.51.100.1", FAILURE_CONNECTION_HOST_UNREACHABLE, EHOSTUNREACH);
	expect_ip("198.51.100.2", FAILURE_CONNECTION_NETWORK_UNREACHABLE, ENETUNREACH);
	expect_ip("198.51.100.3", FAILURE_CONNECTION_PROHIBITED, EACCES);
	expect_ip("198.51.100.4", FAILURE_CONNECTION_PROHIBITED, EINVAL);
	expect_ip("203.0.113.1", FAILURE_CONNECTION_NETWORK_UNREACHABLE, ENETUNREACH);
	expect_ip("2001:db8:1::1", FAILURE_CONNECTION_HOST_UNREACHABLE, EHOSTUNREACH);
	expect_ip("2001:db8:1::3", FAILURE_CONNECTION_PROHIBITED, EACCES);
	expect_ip("2001:db8:1::4", FAILURE_CONNECTION_PROHIBITED, EINVAL);
	expect_ip("2001:db8:2::1", FAILURE_CONNECTION_NETWORK_UNREACHABLE, ENETUNREACH);
}

static void
nobody_listens(void **state)
{
	(void)state;
	need_namespace();
	expect_ip("127.0.0.1", FAILURE_CONNECTION_REFUSED, ECONNREFUSED);
	expect_ip("2001:db8::1", FAILURE_CONNECTION_REFUSED, ECONNREFUSED);
	expect_ip("::ffff:127.0.0.1", FAILURE_CONNECTION_REFUSED, ECONNREFUSED);
}

static void
a_connection_reset_before_we_looked_is_reset_early(void **state)
{
	struct address here = address("127.0.0.1", PORT);
	struct transport_policy policy = transport();
	struct linger linger = { .l_onoff = 1 };
	struct failure failure;
	int listener, fd = -1, peer;

	(void)state;
	need_namespace();
	listener = listen_at(&here, 8);
	failure_init(&failure, FAILURE_NONE, STAGE_CONNECT);
	assert_int_equal(socket_connect(&here, &policy, &fd, &failure), 0);
	peer = accept(listener, NULL, NULL);
	setsockopt(peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	fd_close(peer);
	wait_for(fd, POLLIN);
	assert_int_equal(socket_connected(fd, &here, &failure), -ECONNRESET);
	assert_int_equal(failure.code, FAILURE_CONNECTION_RESET_EARLY);
	fd_close(fd);
	fd_close(listener);
}

static void
an_unanswered_connect_times_out(void **state)
{
	struct address here = address("127.0.0.1", PORT);
	struct transport_policy policy = transport();
	struct failure failure;
	int listener, queued = -1, fd = -1;

	(void)state;
	need_namespace();
	/* A listener whose queue is full drops further SYNs. */
	listener = listen_at(&here, 0);
	assert_int_equal(connect_to(&here, &policy, &queued, &failure), 0);
	policy.keepalive.user_timeout = 300 * USEC_PER_MSEC;
	failure_init(&failure, FAILURE_NONE, STAGE_CONNECT);
	assert_int_equal(socket_connect(&here, &policy, &fd, &failure), 0);
	assert_int_equal(socket_connected(fd, &here, &failure), -EINPROGRESS);
	assert_int_equal(failure.code, FAILURE_NONE);
	wait_for(fd, POLLOUT);
	assert_int_equal(socket_connected(fd, &here, &failure), -ETIMEDOUT);
	assert_int_equal(failure.code, FAILURE_TIMEOUT_CONNECT);
	fd_close(fd);
	fd_close(queued);
	fd_close(listener);
}

static void
a_source_must_be_there(void **state)
{
	struct address here = address("127.0.0.1", PORT);
	struct transport_policy policy = transport();

	(void)state;
	need_namespace();
	policy.source = address("192.0.2.99", 0);
	expect_with(&here, &policy, FAILURE_SOCKET_BIND, EADDRNOTAVAIL);
	policy.source = address("2001:db8::1", 0);
	expect_with(&here, &policy, FAILURE_SOCKET_BIND, EAFNOSUPPORT);
	policy = transport();
	strcpy(policy.interface, "nowhere0");
	expect_with(&here, &policy, FAILURE_SOCKET_BIND, ENODEV);
}

/* Runs `body` in a child that has become nobody; root is above what it is to run into. */
static void
as_nobody(void (*body)(void))
{
	int status;
	pid_t child;

	if (!is_root)
		skip_because("only root can become somebody else");
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
			_exit(2);
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
fail_to(const struct address *peer, const struct transport_policy *policy, enum failure_code code,
	int error)
{
	struct failure failure;
	int fd = -1;

	if (connect_to(peer, policy, &fd, &failure) != -error || failure.code != code)
		_exit(1);
}

static void
set_a_mark(void)
{
	struct address here = address("127.0.0.1", PORT);
	struct transport_policy policy = transport();

	policy.mark = 7;
	fail_to(&here, &policy, FAILURE_SOCKET_SETUP, EPERM);
}

static void
connect_to_a_closed_file(void)
{
	struct address here = unix_address("closed");
	struct transport_policy policy = transport();

	fail_to(&here, &policy, FAILURE_CONNECTION_PROHIBITED, EACCES);
}

static void
an_option_may_not_be_permitted(void **state)
{
	(void)state;
	need_namespace();
	as_nobody(set_a_mark);
}

static void
descriptors_may_run_out(void **state)
{
	struct address here = address("127.0.0.1", PORT);
	struct rlimit limit, none;
	struct transport_policy policy = transport();
	struct failure failure;
	int fd = -1, r;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	failure_init(&failure, FAILURE_NONE, STAGE_CONNECT);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = socket_connect(&here, &policy, &fd, &failure);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(r, -EMFILE);
	assert_int_equal(failure.code, FAILURE_SOCKET_DESCRIPTOR_LIMIT);
	assert_string_equal(failure.error_name, "EMFILE");
}

static void
set_ports(const char *range)
{
	assert_true(file_write("/proc/sys/net/ipv4/ip_local_port_range", range));
}

static void
ports_may_run_out(void **state)
{
	struct address here = address("127.0.0.1", PORT);
	struct transport_policy policy = transport();
	struct failure failure;
	int listener, fd = -1;

	(void)state;
	need_namespace();
	set_ports("40000 40000");
	listener = listen_at(&here, 8);
	assert_int_equal(connect_to(&here, &policy, &fd, &failure), 0);
	expect(&here, FAILURE_SOCKET_NO_PORTS, EADDRNOTAVAIL);
	policy.source = address("192.0.2.1", 0);
	fd_close(fd);
	assert_int_equal(connect_to(&here, &policy, &fd, &failure), 0);
	expect_with(&here, &policy, FAILURE_SOCKET_NO_PORTS, EADDRNOTAVAIL);
	fd_close(fd);
	fd_close(listener);
	set_ports("32768 60999");
}

static void
one_source_port_serves_several_peers(void **state)
{
	struct address here = address("127.0.0.1", PORT), there = address("127.0.0.1", PORT + 1);
	struct transport_policy policy = transport();
	struct failure failure;
	int listener, other, fd = -1, second = -1;

	(void)state;
	need_namespace();
	set_ports("40001 40001");
	listener = listen_at(&here, 8);
	other = listen_at(&there, 8);
	policy.source = address("192.0.2.1", 0);
	assert_int_equal(connect_to(&here, &policy, &fd, &failure), 0);
	assert_int_equal(connect_to(&there, &policy, &second, &failure), 0);
	fd_close(fd);
	fd_close(second);
	fd_close(listener);
	fd_close(other);
	set_ports("32768 60999");
}

static void
a_connection_to_itself_is_refused(void **state)
{
	struct address here = address("127.0.0.1", 40002);

	(void)state;
	need_namespace();
	set_ports("40002 40002");
	expect(&here, FAILURE_CONNECTION_REFUSED, ECONNREFUSED);
	set_ports("32768 60999");
}

static void
a_host_without_ipv6_is_said(void **state)
{
	(void)state;
	need_namespace();
	assert_true(file_write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1"));
	expect_ip("::1", FAILURE_SOCKET_NO_FAMILY, EADDRNOTAVAIL);
	assert_true(file_write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "0"));
	run("ip -6 address replace 2001:db8::1/128 dev lo nodad");
}

/* ---- unix sockets --------------------------------------------------------------------------------- */

static void
a_unix_socket_that_is_not_there(void **state)
{
	struct address here = unix_address("absent"), below = unix_address("file/below");
	struct address file = unix_address("file"), stale = unix_address("stale");

	(void)state;
	expect(&here, FAILURE_ADDRESS_UNIX_MISSING, ENOENT);
	assert_true(file_write(file.un.sun_path, ""));
	expect(&below, FAILURE_ADDRESS_UNIX_MISSING, ENOTDIR);
	expect(&file, FAILURE_CONNECTION_REFUSED, ECONNREFUSED);
	fd_close(listen_at(&stale, 1));
	expect(&stale, FAILURE_CONNECTION_REFUSED, ECONNREFUSED);
	unlink(file.un.sun_path);
	unlink(stale.un.sun_path);
}

static void
a_unix_socket_we_may_not_open(void **state)
{
	struct address here = unix_address("closed");
	int listener = listen_at(&here, 8);

	(void)state;
	assert_int_equal(chmod(here.un.sun_path, 0600), 0);
	if (is_root)
		as_nobody(connect_to_a_closed_file);
	fd_close(listener);
	unlink(here.un.sun_path);
	if (!is_root)
		skip_because("only root can become somebody else");
}

static void
a_full_unix_queue_is_no_failure(void **state)
{
	struct address here = unix_address("full");
	struct transport_policy policy = transport();
	struct failure failure;
	int listener = listen_at(&here, 0), queued = -1, fd = -1, before, after;

	(void)state;
	assert_int_equal(connect_to(&here, &policy, &queued, &failure), 0);
	before = dup(0);
	failure_init(&failure, FAILURE_NONE, STAGE_CONNECT);
	assert_int_equal(socket_connect(&here, &policy, &fd, &failure), -EAGAIN);
	assert_int_equal(failure.code, FAILURE_NONE);
	assert_int_equal(fd, -1);
	fd_close(before);
	after = dup(0);
	assert_int_equal(after, before); /* no descriptor was left open */
	fd_close(after);
	fd_close(queued);
	fd_close(listener);
	unlink(here.un.sun_path);
}

/* ---- established connections ---------------------------------------------------------------------- */

static void
fill(int fd)
{
	static const char bytes[65536];

	while (write(fd, bytes, sizeof(bytes)) > 0)
		continue;
	assert_int_equal(errno, EAGAIN);
}

/* Waits for the connection's end and says what it is called. */
static enum failure_code
end_of(int fd, const struct transport_policy *policy)
{
	struct failure failure;
	int error = 0;
	socklen_t length = sizeof(error);

	wait_for(fd, 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length), 0);
	assert_int_equal(error, ETIMEDOUT);
	failure_init(&failure, FAILURE_NONE, STAGE_READY);
	socket_io_failed(fd, error, policy, &failure);
	assert_string_equal(failure.error_name, "ETIMEDOUT");
	return failure.code;
}

static void
a_peer_that_does_not_read_is_not_dead(void **state)
{
	struct address here = address("127.0.0.1", PORT);
	struct transport_policy policy = transport();
	struct failure failure;
	int listener, fd = -1, bytes = 4096;

	(void)state;
	need_namespace();
	policy.keepalive.user_timeout = 3 * USEC_PER_SEC;
	listener = listen_at(&here, 8);
	setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	assert_int_equal(connect_to(&here, &policy, &fd, &failure), 0);
	fill(fd);
	assert_int_equal(end_of(fd, &policy), FAILURE_TIMEOUT_WRITE);
	fd_close(fd);
	fd_close(listener);
}

static void
a_peer_that_vanished_is_dead(void **state)
{
	struct address here = address("127.0.0.1", PORT);
	struct transport_policy policy = transport();
	struct failure failure;
	int listener, writing = -1, idle = -1;

	(void)state;
	need_namespace();
	policy.keepalive.user_timeout = 2 * USEC_PER_SEC;
	policy.keepalive.idle = policy.keepalive.interval = USEC_PER_SEC;
	listener = listen_at(&here, 8);
	assert_int_equal(connect_to(&here, &policy, &writing, &failure), 0);
	assert_int_equal(connect_to(&here, &policy, &idle, &failure), 0);
	run("ip link set lo down");
	assert_int_equal(write(writing, "x", 1), 1);
	assert_int_equal(end_of(writing, &policy), FAILURE_TIMEOUT_DEAD_PEER);
	assert_int_equal(end_of(idle, &policy), FAILURE_TIMEOUT_DEAD_PEER);
	fd_close(writing);
	fd_close(idle);
	fd_close(listener);
	namespace_loopback_up();
}

static void
errors_of_reading_and_writing_have_codes(void **state)
{
	static const struct {
		int error;
		enum failure_code code;
	} expected[] = {
		{ ECONNRESET, FAILURE_CONNECTION_RESET },
		{ EPIPE, FAILURE_CONNECTION_RESET },
		{ EHOSTUNREACH, FAILURE_CONNECTION_HOST_UNREACHABLE },
		{ ENETUNREACH, FAILURE_CONNECTION_NETWORK_UNREACHABLE },
		{ ENOBUFS, FAILURE_SOCKET_NO_BUFFERS },
		{ EIO, FAILURE_SOCKET_IO },
	};
	struct transport_policy policy = transport();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		struct failure failure;

		failure_init(&failure, FAILURE_NONE, STAGE_READY);
		socket_io_failed(-1, expected[i].error, &policy, &failure);
		assert_int_equal(failure.code, expected[i].code);
		assert_int_equal(failure.error, expected[i].error);
		assert_string_equal(failure.error_name, strerrorname_np(expected[i].error));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_is_set_up_as_configured),
		cmocka_unit_test(a_unix_socket_is_connected_at_once),
		cmocka_unit_test(a_zone_is_looked_up_by_name_or_number),
		cmocka_unit_test(routes_decide_what_a_connect_says),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(a_connection_reset_before_we_looked_is_reset_early),
		cmocka_unit_test(an_unanswered_connect_times_out),
		cmocka_unit_test(a_source_must_be_there),
		cmocka_unit_test(an_option_may_not_be_permitted),
		cmocka_unit_test(descriptors_may_run_out),
		cmocka_unit_test(ports_may_run_out),
		cmocka_unit_test(one_source_port_serves_several_peers),
		cmocka_unit_test(a_connection_to_itself_is_refused),
		cmocka_unit_test(a_unix_socket_that_is_not_there),
		cmocka_unit_test(a_unix_socket_we_may_not_open),
		cmocka_unit_test(a_full_unix_queue_is_no_failure),
		cmocka_unit_test(a_peer_that_does_not_read_is_not_dead),
		cmocka_unit_test(a_peer_that_vanished_is_dead),
		cmocka_unit_test(errors_of_reading_and_writing_have_codes),
		cmocka_unit_test(a_host_without_ipv6_is_said),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}

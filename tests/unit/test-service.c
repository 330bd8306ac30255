/* main/service: what a service manager is told, and what it passes. */
#include "check.h"

#include "main/service.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager_fd = -1;

/* A service manager of our own, which listens at an abstract address. */
static void
be_notified(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "@holdfast-test-%d", (int)getpid());
	setenv("NOTIFY_SOCKET", name, 1);
	memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
	/* Well above the descriptors of passed sockets. */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	manager_fd = fcntl(fd, F_DUPFD_CLOEXEC, 16);
	close(fd);
	assert_true(manager_fd >= 0);
	assert_int_equal(bind(manager_fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			 0);
}

/* The next message, or "" where there is none. */
static const char *
message(void)
{
	static char buffer[1024];
	ssize_t got = recv(manager_fd, buffer, sizeof(buffer) - 1, 0);

	buffer[got > 0 ? got : 0] = '\0';
	return buffer;
}

static void
the_manager_is_told(void **state)
{
	(void)state;
	service_ready();
	assert_string_equal(message(), "READY=1");
	service_reloading(4711);
	assert_string_equal(message(), "RELOADING=1\nMONOTONIC_USEC=4711");
	service_watchdog();
	assert_string_equal(message(), "WATCHDOG=1");
	service_stopping();
	assert_int_equal(strncmp(message(), "STOPPING=1", 10), 0);
}

/* Upstreams have used up all descriptors: the watchdog is fed all the same. */
static void
the_manager_is_told_without_a_descriptor_left(void **state)
{
	struct rlimit limit, none;

	(void)state;
	service_ready(); /* there was one at the start */
	assert_string_equal(message(), "READY=1");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
	for (unsigned int i = 0; i < 3; i++) {
		int taken[64], count = 0;

		none.rlim_cur = 64;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		while (count < 64 && (taken[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
			count++;
		service_watchdog();
		while (count > 0)
			close(taken[--count]);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		assert_string_equal(message(), "WATCHDOG=1");
	}
}

static void
the_watchdog_is_fed_four_times(void **state)
{
	char pid[16];

	(void)state;
	unsetenv("WATCHDOG_USEC");
	assert_true(service_watchdog_interval() == USEC_INFINITY);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_USEC", "30000000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(service_watchdog_interval(), 7500 * USEC_PER_MSEC);
	/* Somebody else's watchdog is none of our business. */
	setenv("WATCHDOG_PID", "1", 1);
	assert_true(service_watchdog_interval() == USEC_INFINITY);
}

/* ---- the sentence --------------------------------------------------------------------------------- */

static struct model *model;
static upstream_id last_id;

static struct model_upstream *
add(const char *name)
{
	struct upstream *upstream = upstream_new(name, 1);
	struct model_setup setup = { .id = ++last_id, .upstream = upstream };
	struct model_upstream *known;

	upstream->policy.enabled = true;
	upstream->policy.connections = 1;
	assert_int_equal(model_add(model, &setup, &known), 0);
	upstream_unref(upstream);
	return known;
}

static void
bring_down(struct model_upstream *known, enum failure_code code)
{
	struct event event = { .kind = EVENT_FAILURE, .id = known->id, .link = 1 };

	failure_init(&event.failure, code, STAGE_CONNECT);
	model_event(model, &event, 0);
}

static const char *
sentence(void)
{
	static char buffer[512];
	struct text text = TEXT_INIT(buffer);

	service_status_text(model, &text);
	return buffer;
}

static void
the_sentence_names_who_is_down(void **state)
{
	struct notices notices;
	struct model_upstream *ldap;

	(void)state;
	notices_init(&notices);
	assert_int_equal(model_new(&notices, &model), 0);
	assert_string_equal(sentence(), "No upstreams are configured");
	ldap = add("ldap");
	assert_string_equal(sentence(), "1 upstream: 1 starting");
	add("web");
	bring_down(ldap, FAILURE_CONNECTION_REFUSED);
	assert_string_equal(sentence(), "2 upstreams: 1 starting, 1 down (ldap: connection.refused)");
	service_status(model);
	assert_string_equal(message(),
			    "STATUS=2 upstreams: 1 starting, 1 down (ldap: connection.refused)");
	/* What has not changed is not told again. */
	service_status(model);
	assert_string_equal(message(), "");
	bring_down(add("a"), FAILURE_TIMEOUT_CONNECT);
	bring_down(add("b"), FAILURE_TIMEOUT_CONNECT);
	bring_down(add("c"), FAILURE_TIMEOUT_CONNECT);
	assert_string_equal(sentence(), "5 upstreams: 1 starting, 4 down (a: timeout.connect, b: "
					"timeout.connect, c: timeout.connect, ...)");
	model_free(model);
}

/* ---- passed sockets ------------------------------------------------------------------------------- */

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Descriptors 3 to 5 are ours by agreement: whatever the test driver left there is put aside. */
static void
sockets_are_passed_by_name(void **state)
{
	char pid[16];

	(void)state;
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "3", 1);
	setenv("LISTEN_FDNAMES", "lend:control:other", 1);
	for (int fd = 3; fd <= 5; fd++) {
		int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);

		assert_true(socket_fd >= 0);
		if (socket_fd != fd) {
			assert_int_equal(dup2(socket_fd, fd), fd);
			fd_close(socket_fd);
		}
	}
	assert_int_equal(service_listener("nobody"), -1);
	assert_int_equal(service_listener("control"), 4);
	assert_true(fcntl(4, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(4, F_GETFL) & O_NONBLOCK);
	/* It is taken out of the list, which our children do not see. */
	assert_int_equal(service_listener("control"), -1);
	assert_null(getenv("LISTEN_FDS"));
	service_close_passed();
	assert_false(is_open(3));
	assert_true(is_open(4));
	assert_false(is_open(5));
	assert_int_equal(service_listener("lend"), -1);
	service_close_passed();
	fd_close(4);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets_are_passed_by_name),
		cmocka_unit_test(the_manager_is_told),
		cmocka_unit_test(the_manager_is_told_without_a_descriptor_left),
		cmocka_unit_test(the_watchdog_is_fed_four_times),
		cmocka_unit_test(the_sentence_names_who_is_down),
	};
	int result;

	be_notified();
	result = cmocka_run_group_tests(tests, NULL, NULL);
	close(manager_fd);
	return result;
}

/* worker: real links to real servers on loopback, in plain text; commands, events, and what holds between them. */
#include "worker-harness.h"

#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/loop.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Long enough to be stopped in the middle of it on any machine. */
#define HANDSHAKE_WHILE_STOPPED (2500 * USEC_PER_MSEC)

#define STAGE_OF(host, id, number) (host_link(host, id, number)->status.stage)

static void
a_link_becomes_ready_and_says_where(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, NULL);
	struct host host;
	struct host_link *link;
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_upstream("db", server->address, 1), false);
	link = host_link(&host, 1, 1);
	host_until(&host, link->status.stage == STAGE_READY);
	assert_string_equal(address_format(&link->status.address, text, sizeof(text)), server->address);
	assert_true(address_is_set(&link->status.source));
	assert_int_equal(link->status.attempt, 1);
	assert_true(link->status.retry_at == USEC_INFINITY);
	assert_true(link->status.timing[STAGE_CONNECT] != USEC_INFINITY);
	assert_true(link->status.timing[STAGE_HANDSHAKE] == USEC_INFINITY);
	assert_false(link->status.has_tls);
	assert_int_equal(host.failures, 0);
	host_stop(&host, usec_add(clock_now(), PATIENCE));
	assert_int_equal(host.closes, 1);
	assert_int_equal(link->reason, CLOSE_SHUTDOWN);
	host_end(&host);
	server_end(server);
}

static void
a_refusal_is_reported_and_tried_again(void **state)
{
	struct server *server;
	struct host host;
	struct host_link *link;
	char address[64];

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_upstream("db", free_address(address, sizeof(address)), 1), false);
	link = host_link(&host, 1, 1);
	host_until(&host, link->failures >= 3);
	assert_int_equal(link->failure.code, FAILURE_CONNECTION_REFUSED);
	assert_int_equal(link->failure.stage, STAGE_CONNECT);
	assert_string_equal(link->failure.error_name, "ECONNREFUSED");
	assert_true(link->failure.attempt >= 3);
	assert_true(link->failure.retry_delay <= 100 * USEC_PER_MSEC);
	assert_true(address_is_set(&link->failure.peer));
	server = server_start_on(address, CONDUCT_HOLD);
	host_until(&host, link->status.stage == STAGE_READY);
	host_end(&host);
	server_end(server);
}

static void
the_next_address_is_tried_at_once(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, NULL);
	struct host host;
	struct host_link *link;
	char address[64], both[128], other[64];

	(void)state;
	free_address(address, sizeof(address));
	snprintf(both, sizeof(both), "%s %s", address, server->address);
	host_start(&host);
	host_set(&host, 1, make_upstream("db", both, 1), false);
	link = host_link(&host, 1, 1);
	host_until(&host, link->status.stage == STAGE_READY);
	assert_int_equal(link->failures, 0);
	assert_int_equal(link->lost_addresses, 1);
	/* Where both fail there is one failure that names the other. */
	snprintf(both, sizeof(both), "%s %s", address, free_address(other, sizeof(other)));
	host_set(&host, 2, make_upstream("web", both, 1), false);
	link = host_link(&host, 2, 1);
	host_until(&host, link->failures > 0);
	assert_int_equal(link->failure.code, FAILURE_CONNECTION_REFUSED);
	assert_int_equal(link->others, 1);
	host_end(&host);
	server_end(server);
}

static void
a_dead_connection_has_a_name_and_a_successor(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, NULL);
	struct host host;
	struct host_link *link;

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_upstream("db", server->address, 1), false);
	link = host_link(&host, 1, 1);
	host_until(&host, link->status.stage == STAGE_READY && atomic_load(&server->accepted) == 1);
	server_reset_all(server);
	host_until(&host, link->failures == 1 && link->status.stage == STAGE_READY &&
				  atomic_load(&server->accepted) == 2);
	assert_int_equal(link->failure.code, FAILURE_CONNECTION_RESET_EARLY);
	assert_int_equal(link->failure.stage, STAGE_READY);
	server_close_all(server);
	host_until(&host, link->failures == 2 && link->status.stage == STAGE_READY);
	assert_int_equal(link->failure.code, FAILURE_CONNECTION_CLOSED_EARLY);
	host_until(&host, atomic_load(&server->accepted) == 3);
	host_end(&host);
	server_end(server);
}

static void
nothing_is_attempted_while_paused(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, NULL);
	struct upstream *upstream = make_upstream("db", server->address, 2);
	struct host host;
	struct host_link *link;

	(void)state;
	host_start(&host);
	upstream->policy.timeout[STAGE_CLOSING] = USEC_PER_HOUR; /* the server ends its side at once */
	host_set(&host, 1, upstream, false);
	link = host_link(&host, 1, 2);
	host_until(&host, host.ready[0] == 2 && atomic_load(&server->accepted) == 2);
	host_command(&host, 1, COMMAND_PAUSE);
	host_until(&host,
		   STAGE_OF(&host, 1, 1) == STAGE_PAUSED && STAGE_OF(&host, 1, 2) == STAGE_PAUSED);
	assert_int_equal(host.closes, 2);
	assert_int_equal(link->reason, CLOSE_ADMIN);
	host_until(&host, atomic_load(&server->open) == 0);
	host_command(&host, 1, COMMAND_RETRY);
	host_command(&host, 1, COMMAND_RECONNECT);
	host_for(&host, 100 * USEC_PER_MSEC);
	assert_int_equal(atomic_load(&server->accepted), 2);
	host_command(&host, 1, COMMAND_RESUME);
	host_until(&host, host.ready[0] == 2);
	assert_int_equal(host.failures, 0);
	host_end(&host);
	server_end(server);
}

static void
one_that_is_not_enabled_waits(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, NULL);
	struct upstream *upstream = make_upstream("db", server->address, 1);
	struct host host;

	(void)state;
	upstream->policy.enabled = false;
	host_start(&host);
	host_set(&host, 1, upstream, false);
	host_until(&host, STAGE_OF(&host, 1, 1) == STAGE_PAUSED);
	host_set(&host, 1, make_upstream("db", server->address, 1), true);
	host_until(&host, host.ready[0] == 1);
	host_end(&host);
	server_end(server);
}

static void
one_that_is_resumed_at_once_starts(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, NULL);
	struct upstream *upstream = make_upstream("db", server->address, 2);
	struct host host;

	(void)state;
	upstream->policy.enabled = false;
	host_start(&host);
	host_set(&host, 1, upstream, false);
	host_command(&host, 1, COMMAND_RESUME); /* before the pacer has let its links begin */
	host_until(&host, host.ready[0] == 2);
	host_end(&host);
	server_end(server);
}

static void
reconnecting_all_at_once(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, NULL);
	struct host host;

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_upstream("db", server->address, 5), false);
	host_until(&host, host.ready[0] == 5);
	host_command(&host, 1, COMMAND_RECONNECT);
	host_until(&host, host.closes == 5 && host.ready[0] == 5);
	assert_int_equal(host_link(&host, 1, 3)->reason, CLOSE_ADMIN);
	host_until(&host, atomic_load(&server->accepted) == 10);
	assert_int_equal(host.failures, 0);
	host_end(&host);
	server_end(server);
}

static void
rolling_never_has_fewer_ready(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, NULL);
	struct command command = { .kind = COMMAND_RECONNECT, .id = 1, .rolling = true };
	struct address before[5];
	struct host host;

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_upstream("db", server->address, 5), false);
	host_until(&host, host.ready[0] == 5);
	for (unsigned int i = 0; i < 5; i++)
		before[i] = host_link(&host, 1, i + 1)->status.source;
	host_watch_ready(&host);
	host_send(&host, &command);
	host_until(&host, host.closes == 5);
	for (unsigned int i = 0; i < 5; i++) {
		struct host_link *link = host_link(&host, 1, i + 1);

		assert_int_equal(link->unready, 0);
		assert_int_equal(link->closes, 1);
		assert_int_equal(link->reason, CLOSE_ADMIN);
		assert_false(address_equal(&before[i], &link->status.source));
	}
	assert_int_equal(host.least_ready[0], 5);
	assert_int_equal(host.failures, 0);
	host_end(&host);
	server_end(server);
}

static void
rolling_waits_for_a_server_that_refuses(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, NULL);
	struct command command = { .kind = COMMAND_RECONNECT, .id = 1, .rolling = true };
	struct host host;
	char address[64];

	(void)state;
	snprintf(address, sizeof(address), "%s", server->address);
	host_start(&host);
	host_set(&host, 1, make_upstream("db", address, 3), false);
	host_until(&host, host.ready[0] == 3 && atomic_load(&server->accepted) == 3);
	/* The listener goes, the connections stay: successors fail, and are reported. */
	assert_int_equal(shutdown(server->listener, SHUT_RDWR), 0);
	host_send(&host, &command);
	host_until(&host, host.failures >= 3);
	assert_int_equal(host.ready[0], 3);
	assert_int_equal(host.closes, 0);
	assert_int_equal(host_link(&host, 1, 1)->unready, 0);
	assert_int_equal(host_link(&host, 1, 2)->failures, 0); /* one at a time */
	/* The present connection dies: what was its successor carries on as the link. */
	server_close_all(server);
	host_until(&host, host_link(&host, 1, 1)->status.stage != STAGE_READY &&
				  host_link(&host, 1, 2)->failures > 0);
	host_end(&host);
	server_end(server);
}

/* The keepalive idle time of this process's socket that is bound to `source`, in seconds. */
static int
keepalive_of(const struct address *source)
{
	struct address bound = { 0 };
	socklen_t length;
	int idle = -1;

	for (int fd = 3; fd < 1024; fd++) {
		bound.length = sizeof(bound.in);
		if (getsockname(fd, &bound.sa, &bound.length) < 0 || !address_equal(&bound, source))
			continue;
		length = sizeof(idle);
		getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, &length);
	}
	return idle;
}

static void
a_change_in_place_touches_nothing(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, NULL);
	struct upstream *upstream;
	struct address before;
	struct host host;

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_upstream("db", server->address, 2), false);
	host_until(&host, host.ready[0] == 2);
	before = host_link(&host, 1, 1)->status.source;
	upstream = make_upstream("db", server->address, 4);
	upstream->policy.transport.keepalive.idle = 7 * USEC_PER_SEC;
	host_set(&host, 1, upstream, true);
	host_until(&host, host.ready[0] == 4);
	assert_true(address_equal(&before, &host_link(&host, 1, 1)->status.source));
	assert_int_equal(host_link(&host, 1, 1)->unready, 0);
	assert_int_equal(keepalive_of(&before), 7);
	host_set(&host, 1, make_upstream("db", server->address, 1), true);
	host_until(&host, host_link(&host, 1, 2)->gone && host_link(&host, 1, 3)->gone &&
				  host_link(&host, 1, 4)->gone);
	assert_int_equal(host_link(&host, 1, 4)->reason, CLOSE_SURPLUS);
	assert_int_equal(host.closes, 3);
	assert_int_equal(host.ready[0], 1);
	assert_int_equal(host.failures, 0);
	host_end(&host);
	server_end(server);
}

/* Down and up again, while the server takes its time to close: the number that comes back is not taken for gone. */
static void
a_number_that_comes_back_is_not_gone(void **state)
{
	struct server *server = server_start(CONDUCT_DEAF, NULL);
	struct upstream *upstream;
	struct host host;

	(void)state;
	host_start(&host);
	for (unsigned int i = 0; i < 3; i++) {
		upstream = make_upstream("db", server->address, i == 1 ? 1 : 3);
		upstream->policy.timeout[STAGE_CLOSING] = 300 * USEC_PER_MSEC;
		host_set(&host, 1, upstream, true);
		host_until(&host, host.ready[0] == (i == 1 ? 1 : 3));
	}
	assert_int_equal(host.closes, 2);
	host_for(&host, 500 * USEC_PER_MSEC);
	assert_false(host_link(&host, 1, 2)->gone || host_link(&host, 1, 3)->gone);
	assert_int_equal(host.ready[0], 3);
	assert_int_equal(host_link(&host, 1, 1)->unready, 0);
	host_end(&host);
	server_end(server);
}

static void
a_replaced_one_is_made_before_the_old_breaks(void **state)
{
	struct server *old = server_start(CONDUCT_HOLD, NULL), *new = server_start(CONDUCT_HOLD, NULL);
	struct host host;
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_upstream("db", old->address, 4), false);
	host_until(&host, host.ready[0] == 4);
	host_watch_ready(&host);
	host_set(&host, 1, make_upstream("db", new->address, 4), false);
	host_until(&host, host.closes == 4);
	assert_int_equal(host.least_ready[0], 4);
	for (unsigned int number = 1; number <= 4; number++) {
		struct host_link *link = host_link(&host, 1, number);

		assert_int_equal(link->reason, CLOSE_RELOAD);
		assert_string_equal(address_format(&link->status.address, text, sizeof(text)),
				    new->address);
	}
	host_until(&host, atomic_load(&old->open) == 0);
	assert_int_equal(host.failures, 0);
	host_end(&host);
	server_end(old);
	server_end(new);
}

static void
a_replaced_one_that_was_not_ready_begins_anew(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, NULL);
	struct upstream *upstream;
	struct host host;
	char address[64];

	(void)state;
	host_start(&host);
	upstream = make_upstream("db", free_address(address, sizeof(address)), 2);
	upstream->policy.retry.initial = upstream->policy.retry.max = USEC_PER_HOUR;
	host_set(&host, 1, upstream, false);
	host_until(&host,
		   STAGE_OF(&host, 1, 1) == STAGE_BACKOFF && STAGE_OF(&host, 1, 2) == STAGE_BACKOFF);
	host_set(&host, 1, make_upstream("db", server->address, 2), false);
	host_until(&host, host.ready[0] == 2);
	assert_int_equal(host.closes, 0);
	host_end(&host);
	server_end(server);
}

/* Settings that do not work shall not be hidden for ever by a connection made under the old ones. */
static void
a_replaced_one_does_not_wait_for_ever(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, NULL);
	struct upstream *upstream;
	struct host host;
	char address[64];

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_upstream("db", server->address, 1), false);
	host_until(&host, host.ready[0] == 1);
	/* With plenty of time it is kept. */
	upstream = make_upstream("db", free_address(address, sizeof(address)), 1);
	upstream->policy.attempt_timeout = USEC_PER_HOUR;
	host_set(&host, 1, upstream, false);
	host_until(&host, host.failures >= 1);
	host_for(&host, 2200 * USEC_PER_MSEC); /* two ticks */
	assert_int_equal(host.closes, 0);
	assert_int_equal(host.ready[0], 1);
	/* The time is that of the newest settings. */
	upstream = make_upstream("db", address, 1);
	upstream->policy.attempt_timeout = 100 * USEC_PER_MSEC;
	upstream->policy.retry.initial = upstream->policy.retry.max = USEC_PER_HOUR;
	host_set(&host, 1, upstream, false);
	host_until(&host, host.closes == 1);
	assert_int_equal(host_link(&host, 1, 1)->reason, CLOSE_RELOAD);
	host_until(&host, STAGE_OF(&host, 1, 1) == STAGE_BACKOFF);
	host_until(&host, atomic_load(&server->open) == 0);
	/* A later one that works brings it back. */
	host_set(&host, 1, make_upstream("db", server->address, 1), false);
	host_until(&host, host.ready[0] == 1);
	host_end(&host);
	server_end(server);
}

static void
a_paused_one_that_is_replaced_stays_paused(void **state)
{
	struct server *old = server_start(CONDUCT_HOLD, NULL), *new = server_start(CONDUCT_HOLD, NULL);
	struct host host;

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_upstream("db", old->address, 1), false);
	host_until(&host, host.ready[0] == 1);
	host_command(&host, 1, COMMAND_PAUSE);
	host_set(&host, 1, make_upstream("db", new->address, 1), false);
	host_until(&host, STAGE_OF(&host, 1, 1) == STAGE_PAUSED);
	host_for(&host, 50 * USEC_PER_MSEC);
	assert_int_equal(atomic_load(&new->accepted), 0);
	host_command(&host, 1, COMMAND_RESUME);
	host_until(&host, host.ready[0] == 1);
	host_until(&host, atomic_load(&new->accepted) == 1);
	host_end(&host);
	server_end(old);
	server_end(new);
}

static void
a_dropped_one_says_so_last(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, NULL);
	struct host host;
	unsigned int events;

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_upstream("db", server->address, 3), false);
	host_set(&host, 2, make_upstream("web", server->address, 1), false);
	host_until(&host, host.ready[0] == 3 && host.ready[1] == 1);
	host_command(&host, 1, COMMAND_DROP);
	host_until(&host, host.dropped[0]);
	for (unsigned int number = 1; number <= 3; number++) {
		assert_true(host_link(&host, 1, number)->gone);
		assert_int_equal(host_link(&host, 1, number)->reason, CLOSE_RELOAD);
	}
	events = host.events;
	host_command(&host, 1, COMMAND_RETRY); /* nobody is there to hear it */
	host_for(&host, 50 * USEC_PER_MSEC);
	assert_int_equal(host.events, events);
	assert_int_equal(host_link(&host, 2, 1)->unready, 0);
	host_end(&host);
	server_end(server);
}

static void
a_lifetime_is_renewed_without_a_gap(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, NULL);
	struct upstream *upstream = make_upstream("db", server->address, 2);
	struct host host;

	(void)state;
	upstream->policy.lifetime = 100 * USEC_PER_MSEC;
	host_start(&host);
	host_set(&host, 1, upstream, false);
	host_until(&host, host.ready[0] == 2);
	host_until(&host, host.closes >= 6);
	assert_int_equal(host_link(&host, 1, 1)->unready, 0);
	assert_int_equal(host_link(&host, 1, 2)->unready, 0);
	assert_int_equal(host_link(&host, 1, 1)->reason, CLOSE_LIFETIME);
	assert_int_equal(host.failures, 0);
	host_end(&host);
	server_end(server);
}

static void
a_few_words_are_fine_and_a_flood_is_not(void **state)
{
	struct server *server = server_start(CONDUCT_GREET, NULL);
	struct host host;
	struct host_link *link;

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_upstream("db", server->address, 1), false);
	link = host_link(&host, 1, 1);
	/* The figures are told again once the connection has gone quiet. */
	host_until(&host, link->status.stage == STAGE_READY && link->status.bytes_received == 25);
	assert_int_equal(link->failures, 0);
	atomic_store(&server->conduct, CONDUCT_FLOOD);
	server_close_all(server);
	host_until(&host,
		   link->failures >= 1 && link->failure.code == FAILURE_PROTOCOL_UNSOLICITED_DATA);
	assert_int_equal(link->failure.stage, STAGE_READY);
	assert_true(link->failure.evidence_length > 0);
	assert_int_equal(link->failure.evidence[0], 'x');
	host_end(&host);
	server_end(server);
}

/* A Unix socket whose queue is full is no failure until timeout.connect. */
static void
a_full_queue_is_waited_out(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int filler = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char address[ADDRESS_TEXT_MAX];
	struct host host;
	int first, second;

	(void)state;
	snprintf(un.sun_path, sizeof(un.sun_path), "/tmp/test-worker-%d.sock", (int)getpid());
	snprintf(address, sizeof(address), "unix:%s", un.sun_path);
	assert_int_equal(bind(listener, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(listener, 0), 0); /* one place is all there is */
	assert_int_equal(connect(filler, (struct sockaddr *)&un, sizeof(un)), 0);
	host_start(&host);
	host_set(&host, 1, make_upstream("db", address, 1), false);
	host_until(&host, STAGE_OF(&host, 1, 1) == STAGE_CONNECT);
	host_for(&host, 200 * USEC_PER_MSEC);
	assert_int_equal(STAGE_OF(&host, 1, 1), STAGE_CONNECT);
	first = accept(listener, NULL, NULL);
	host_until(&host, host.ready[0] == 1);
	assert_int_equal(host.failures, 0);
	second = accept(listener, NULL, NULL);
	fd_close(second);
	host_until(&host, host.failures == 1);
	host_end(&host);
	fd_close(first);
	fd_close(filler);
	fd_close(listener);
	unlink(un.sun_path);
}

static void
a_name_is_looked_up(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, NULL);
	struct host host;
	struct host_link *link;
	char name[64], text[ADDRESS_TEXT_MAX];
	struct upstream *upstream;

	(void)state;
	snprintf(name, sizeof(name), "localhost%s", strchr(server->address, ':'));
	host_start(&host);
	upstream = make_upstream("db", name, 1);
	upstream->policy.family = FAMILY_IPV4; /* c-ares 1.18 leaks when it invents ::1 for localhost */
	host_set(&host, 1, upstream, false);
	link = host_link(&host, 1, 1);
	host_until(&host, link->status.stage == STAGE_READY);
	assert_string_equal(address_format(&link->status.address, text, sizeof(text)), server->address);
	assert_true(link->status.timing[STAGE_RESOLVE] != USEC_INFINITY);
	host_end(&host);
	server_end(server);
}

/* In a child process without a network. */
static int
be_offline(void)
{
	struct upstream *upstream = make_upstream("away", "192.0.2.9:9", 1);
	struct host host;
	struct host_link *away, *near;
	bool good;

	if (unshare(CLONE_NEWNET) < 0)
		return 77;
	/* No backoff ends in time: what brings the next attempt is the network alone. */
	upstream->policy.retry.initial = upstream->policy.retry.max = USEC_PER_HOUR;
	upstream->policy.retry.jitter = JITTER_NONE;
	host_start(&host);
	host_set(&host, 1, upstream, false);
	host_set(&host, 2, make_upstream("near", "127.0.0.1:9", 1), false);
	away = host_link(&host, 1, 1);
	near = host_link(&host, 2, 1);
	host_until(&host, away->status.held && near->failures > 3);
	good = away->failures == 1 && away->failure.code == FAILURE_LOCAL_OFFLINE &&
	       near->failure.code == FAILURE_CONNECTION_NETWORK_UNREACHABLE && !near->status.held;
	if (system("ip link add net0 type veth peer name net1 && ip address add 192.0.2.9/24 dev net0 && "
		   "ip link set lo up && ip link set net1 up && ip link set net0 up") != 0)
		return 77;
	host_until(&host, away->failures > 1);
	good = good && away->failure.code == FAILURE_CONNECTION_REFUSED;
	host_end(&host);
	return good ? 0 : 1;
}

static void
without_a_network_attempts_are_held(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(be_offline());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip_because("no network namespace of our own to be had");
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
a_missing_unix_socket_has_its_own_name(void **state)
{
	struct host host;

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_upstream("db", "unix:/nonexistent/socket", 1), false);
	host_until(&host, host.failures > 1);
	assert_int_equal(host_link(&host, 1, 1)->failure.code, FAILURE_ADDRESS_UNIX_MISSING);
	host_end(&host);
}

/* However fast the machine: a hundred links take four pauses. */
static void
mass_starts_are_paced(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, NULL);
	struct host host;
	usec_t began;

	(void)state;
	host_start(&host);
	began = clock_now();
	host_set(&host, 1, make_upstream("db", server->address, 100), false);
	host_until(&host, host.ready[0] == 100);
	assert_true(clock_now() >= began + 4 * 20 * USEC_PER_MSEC);
	assert_int_equal(host.failures, 0);
	host_end(&host);
	server_end(server);
}

static void
a_ping_is_answered(void **state)
{
	struct host host;

	(void)state;
	host_start(&host);
	host_send(&host, &(struct command){ .kind = COMMAND_PING, .ping = 4711 });
	host_until(&host, host.pong == 4711);
	host_end(&host);
}

/* A server that never ends its side cannot hold up the end. */
static void
the_end_has_a_deadline(void **state)
{
	struct server *server = server_start(CONDUCT_DEAF, NULL);
	struct upstream *upstream = make_upstream("db", server->address, 3);
	struct host host;
	usec_t began;

	(void)state;
	upstream->policy.timeout[STAGE_CLOSING] = USEC_PER_HOUR;
	host_start(&host);
	host_set(&host, 1, upstream, false);
	host_until(&host, host.ready[0] == 3);
	began = clock_now();
	host_stop(&host, began + 200 * USEC_PER_MSEC);
	assert_true(clock_now() >= began + 200 * USEC_PER_MSEC);
	host_end(&host);
	server_end(server);
}

static void
a_deaf_server_is_left_after_the_timeout(void **state)
{
	struct server *server = server_start(CONDUCT_DEAF, NULL);
	struct upstream *upstream = make_upstream("db", server->address, 1);
	struct host host;

	(void)state;
	upstream->policy.timeout[STAGE_CLOSING] = 50 * USEC_PER_MSEC;
	host_start(&host);
	host_set(&host, 1, upstream, false);
	host_until(&host, host.ready[0] == 1);
	host_command(&host, 1, COMMAND_DROP);
	host_until(&host, host.dropped[0]);
	assert_int_equal(host.closes, 1);
	host_end(&host);
	server_end(server);
}

/* Ends in whatever stage it is in: the leak checker of the sanitized build looks at what is left. */
static void
an_end_in_the_middle_leaves_nothing(void **state)
{
	struct server *server = server_start(CONDUCT_RESET, NULL);
	struct host host;
	char address[64], both[128];

	(void)state;
	snprintf(both, sizeof(both), "%s %s", free_address(address, sizeof(address)), server->address);
	for (unsigned int round = 0; round < 10; round++) {
		host_start(&host);
		host_set(&host, 1, make_upstream("db", both, 20), false);
		host_set(&host, 2, make_upstream("web", server->address, 20), false);
		host_for(&host, round * 3 * USEC_PER_MSEC);
		host_command(&host, 2, COMMAND_DROP);
		host_end(&host);
	}
	server_end(server);
}

/*
 * Two thousand links die while main does not listen.  The worker is not held up, and in the end main knows how every link is,
 * and how many events it has not seen.
 */
static void
a_slow_main_learns_how_it_is_in_the_end(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, NULL);
	struct host host;
	unsigned int failures = 0;

	(void)state;
	host_start(&host);
	for (upstream_id id = 1; id <= 2; id++)
		host_set(&host, id, make_upstream("db", server->address, 1000), false);
	host_until(&host, atomic_load(&server->open) == 2000);
	host.deaf = true;
	for (unsigned int round = 0; round < 3; round++) {
		server_reset_all(server);
		/* All come back, also while nobody listens. */
		host_until(&host, atomic_load(&server->open) == 2000);
	}
	host.deaf = false;
	wakeup_send(host.notify);
	host_until(&host, host.failures + host.warning_number[WARNING_LOST] == 6000);
	host_until(&host, host.ready[0] == 1000 && host.ready[1] == 1000);
	for (unsigned int i = 0; i < 2000; i++)
		failures += host_link(&host, 1 + i / 1000, 1 + i % 1000)->failures;
	assert_int_equal(failures, host.failures);
	assert_true(host.warnings[WARNING_LOST] > 0);
	assert_true(failures >= 2000);
	host_end(&host);
	server_end(server);
}

/*
 * In a child process that is stopped for a while: it was held up, and blames nobody; neither the server that has had more than its time
 * for a handshake meanwhile.
 */
static int
be_stopped(int ready_pipe)
{
	struct server *server = server_start(CONDUCT_HOLD, NULL),
		      *deaf = server_start(CONDUCT_DEAF, NULL);
	struct upstream *slow = make_upstream("ldap", deaf->address, 1);
	struct host host;
	bool good;

	slow->policy.tls.enabled = true;
	slow->policy.tls.verify = VERIFY_NONE;
	slow->policy.timeout[STAGE_HANDSHAKE] = HANDSHAKE_WHILE_STOPPED;
	host_start(&host);
	host_set(&host, 1, make_upstream("db", server->address, 3), false);
	host_until(&host, host.ready[0] == 3);
	host_set(&host, 2, slow, false);
	host_until(&host, STAGE_OF(&host, 2, 1) == STAGE_HANDSHAKE);
	if (write(ready_pipe, "r", 1) != 1)
		return 2;
	host_until(&host, host.warnings[WARNING_STALL] > 0);
	host_for(&host, 100 * USEC_PER_MSEC);
	good = host.failures == 0 && host.ready[0] == 3 &&
	       host.warning_number[WARNING_STALL] >= WORKER_STALL_LIMIT;
	/* It has its time again, not for ever. */
	host_until(&host, host.failures == 1);
	good = good && host_link(&host, 2, 1)->failure.code == FAILURE_TIMEOUT_HANDSHAKE;
	host_end(&host);
	server_end(server);
	server_end(deaf);
	return good ? 0 : 1;
}

static void
whoever_was_stopped_blames_nobody(void **state)
{
	int pipes[2], status;
	char byte;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(be_stopped(pipes[1]));
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	kill(child, SIGSTOP);
	usleep(HANDSHAKE_WHILE_STOPPED + 500 * USEC_PER_MSEC);
	kill(child, SIGCONT);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	fd_close(pipes[0]);
	fd_close(pipes[1]);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_was_stopped_blames_nobody), /* first: they fork */
		cmocka_unit_test(without_a_network_attempts_are_held),
		cmocka_unit_test(a_link_becomes_ready_and_says_where),
		cmocka_unit_test(a_refusal_is_reported_and_tried_again),
		cmocka_unit_test(the_next_address_is_tried_at_once),
		cmocka_unit_test(a_dead_connection_has_a_name_and_a_successor),
		cmocka_unit_test(nothing_is_attempted_while_paused),
		cmocka_unit_test(one_that_is_not_enabled_waits),
		cmocka_unit_test(one_that_is_resumed_at_once_starts),
		cmocka_unit_test(reconnecting_all_at_once),
		cmocka_unit_test(rolling_never_has_fewer_ready),
		cmocka_unit_test(rolling_waits_for_a_server_that_refuses),
		cmocka_unit_test(a_change_in_place_touches_nothing),
		cmocka_unit_test(a_number_that_comes_back_is_not_gone),
		cmocka_unit_test(a_replaced_one_is_made_before_the_old_breaks),
		cmocka_unit_test(a_replaced_one_that_was_not_ready_begins_anew),
		cmocka_unit_test(a_replaced_one_does_not_wait_for_ever),
		cmocka_unit_test(a_paused_one_that_is_replaced_stays_paused),
		cmocka_unit_test(a_dropped_one_says_so_last),
		cmocka_unit_test(a_lifetime_is_renewed_without_a_gap),
		cmocka_unit_test(a_few_words_are_fine_and_a_flood_is_not),
		cmocka_unit_test(a_full_queue_is_waited_out),
		cmocka_unit_test(a_name_is_looked_up),
		cmocka_unit_test(a_missing_unix_socket_has_its_own_name),
		cmocka_unit_test(mass_starts_are_paced),
		cmocka_unit_test(a_ping_is_answered),
		cmocka_unit_test(the_end_has_a_deadline),
		cmocka_unit_test(a_deaf_server_is_left_after_the_timeout),
		cmocka_unit_test(an_end_in_the_middle_leaves_nothing),
		cmocka_unit_test(a_slow_main_learns_how_it_is_in_the_end),
	};

	RUN_TESTS(tests);
}

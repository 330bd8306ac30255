/* main/manager: commands to real workers, reloads, and the end. */
#include "check.h"

#include "main/manager.h"
#include "sys/clock.h"
#include "sys/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE  (20 * USEC_PER_SEC) /* far more than any machine needs */
#define LISTENERS 3

struct world {
	struct loop *loop;
	struct notices notices;
	struct subscriber subscriber;
	struct manager *manager;
	struct config *config;
	char path[64];
	int listeners[LISTENERS]; /* servers of ours: their queue accepts, nobody answers */
	unsigned int ports[LISTENERS];
	unsigned int alive, configured, stopped;
	char told[64 * 1024]; /* one line for each notice */
	size_t told_length;
};

static struct world world;

static void
on_notice(void *arg, const struct notice *notice)
{
	int length;

	(void)arg;
	length = snprintf(world.told + world.told_length, sizeof(world.told) - world.told_length,
			  "%s %s %s: %s\n", notice_kind_name(notice->kind),
			  notice->upstream ? notice->upstream : "-",
			  notice->reason ? notice->reason : "-", notice->message);
	world.told_length += (size_t)length;
	assert_true(world.told_length < sizeof(world.told));
}

static bool
told(const char *part)
{
	return strstr(world.told, part) != NULL;
}

static void
tell_nothing(void)
{
	world.told_length = 0;
	world.told[0] = '\0';
}

static void
on_alive(void *arg, usec_t now)
{
	(void)arg;
	(void)now;
	world.alive++;
}

static void
on_stopped(void *arg, usec_t now)
{
	(void)arg;
	(void)now;
	world.stopped++;
}

static void
on_config(void *arg, const struct config *config)
{
	(void)arg;
	assert_int_equal(config->generation, 2 + world.configured);
	world.configured++;
}

static void
on_tick(void *arg, usec_t now)
{
	timer_arm(*(struct timer **)arg, usec_add(now, 10 * USEC_PER_MSEC));
}

typedef bool (*condition_fn)(void);

/* Turn the loop until `holds`; a condition that never holds fails the test. */
static void
turn_until(condition_fn holds)
{
	usec_t deadline = usec_add(clock_now(), PATIENCE);
	struct timer *tick;

	assert_int_equal(timer_new(world.loop, on_tick, &tick, &tick), 0);
	timer_arm(tick, clock_now());
	while (!holds()) {
		assert_true(clock_now() < deadline);
		loop_turn(world.loop, true);
	}
	timer_free(tick);
}

static struct model_upstream *
known(const char *name)
{
	return model_find(manager_model(world.manager), name);
}

static void
write_config(const char *upstreams)
{
	FILE *out = fopen(world.path, "w");

	assert_non_null(out);
	fprintf(out, "workers = 2;\n%s\n", upstreams);
	assert_int_equal(fclose(out), 0);
}

static int
listen_here(unsigned int *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

/* Three upstreams a, b and c at our listeners; `extra` are further keys of b. */
static void
write_three(const char *extra)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "defaults = { timeouts = { close = \"50ms\"; }; };"
		 " upstreams = ( { name = \"a\"; address = \"127.0.0.1:%u\"; connections = 2; },"
		 " { name = \"b\"; address = \"127.0.0.1:%u\"; %s },"
		 " { name = \"c\"; address = \"127.0.0.1:%u\"; } );",
		 world.ports[0], world.ports[1], extra, world.ports[2]);
	write_config(text);
}

static int
set_up(void **state)
{
	struct problems problems = { 0 };
	struct manager_setup setup = {
		.notices = &world.notices,
		.on_stopped = on_stopped,
		.on_config = on_config,
		.on_alive = on_alive,
	};
	int fd;

	(void)state;
	memset(&world, 0, sizeof(world));
	for (unsigned int i = 0; i < LISTENERS; i++)
		world.listeners[i] = listen_here(&world.ports[i]);
	strcpy(world.path, "/tmp/holdfast-test-XXXXXX");
	fd = mkstemp(world.path);
	assert_true(fd >= 0);
	close(fd);
	write_three("");
	notices_init(&world.notices);
	world.subscriber = (struct subscriber){ .fn = on_notice };
	notices_subscribe(&world.notices, &world.subscriber);
	assert_int_equal(loop_new(&world.loop), 0);
	assert_int_equal(config_load(world.path, tls_check_policy, &problems, &world.config), 0);
	setup.loop = world.loop;
	setup.config = world.config;
	assert_int_equal(manager_new(&setup, &world.manager), 0);
	assert_int_equal(manager_start(world.manager), 0);
	return 0;
}

static bool
has_stopped(void)
{
	return world.stopped == 1;
}

static int
tear_down(void **state)
{
	(void)state;
	manager_stop(world.manager, usec_add(clock_now(), 100 * USEC_PER_MSEC));
	turn_until(has_stopped);
	assert_int_equal(manager_given_up(world.manager), 0);
	world.manager = manager_free(world.manager);
	config_unref(world.config);
	loop_free(world.loop);
	for (unsigned int i = 0; i < LISTENERS; i++)
		close(world.listeners[i]);
	unlink(world.path);
	return 0;
}

static bool
all_up(void)
{
	struct model_totals totals;

	model_totals(manager_model(world.manager), &totals);
	return totals.by_health[HEALTH_UP] == totals.upstreams;
}

/* ---- tests ---------------------------------------------------------------------------------------- */

static void
work_is_shared(void **state)
{
	(void)state;
	turn_until(all_up);
	assert_int_equal(manager_config(world.manager)->generation, 1);
	/* a has two links, so b and c share the other worker. */
	assert_int_not_equal(known("a")->worker, known("b")->worker);
	assert_int_equal(known("b")->worker, known("c")->worker);
}

static bool
a_is_paused(void)
{
	return known("a")->links[0].status.stage == STAGE_PAUSED &&
	       known("a")->links[1].status.stage == STAGE_PAUSED;
}

static void
commands_by_name(void **state)
{
	unsigned int links = 99;

	(void)state;
	turn_until(all_up);
	assert_int_equal(manager_pause(world.manager, "nobody"), -ENOENT);
	assert_int_equal(manager_resume(world.manager, "nobody"), -ENOENT);
	assert_int_equal(manager_retry(world.manager, "nobody", &links), -ENOENT);
	assert_int_equal(manager_reconnect(world.manager, "nobody", true, &links), -ENOENT);
	assert_int_equal(links, 99);
	assert_int_equal(manager_retry(world.manager, "a", &links), 0);
	assert_int_equal(links, 0);
	assert_int_equal(manager_reconnect(world.manager, "a", false, &links), 0);
	assert_int_equal(links, 2);
	assert_int_equal(manager_pause(world.manager, "a"), 0);
	turn_until(a_is_paused);
	assert_int_equal(known("a")->health, HEALTH_PAUSED);
	assert_int_equal(manager_resume(world.manager, "a"), 0);
	turn_until(all_up);
}

static bool
was_alive(void)
{
	return world.alive == 1;
}

static bool
was_alive_when_asked_again(void)
{
	bool was = was_alive();

	manager_ping(world.manager);
	return was;
}

static void
a_ping_needs_every_worker(void **state)
{
	(void)state;
	manager_ping(world.manager);
	turn_until(was_alive);
	/* A round that is open is left as it is: to be asked all the time is no reason never to be alive. */
	world.alive = 0;
	turn_until(was_alive_when_asked_again);
}

static void
reload(struct reload *ret_reload)
{
	struct problems problems = { 0 };

	tell_nothing();
	assert_int_equal(manager_reload(world.manager, false, &problems, ret_reload), 0);
	assert_int_equal(problems.count, 0);
	problems_done(&problems);
}

static void
a_reload_leaves_alone_what_has_not_changed(void **state)
{
	struct address source;
	struct upstream *before;
	struct reload done;

	(void)state;
	turn_until(all_up);
	source = known("a")->links[0].status.source;
	before = known("a")->upstream;
	write_three("timeouts = { connect = \"7s\"; };");
	reload(&done);
	reload_done(&done);
	assert_true(told("config b changed: changed in place: timeouts.connect\n"));
	assert_true(told("0 upstreams added, 1 changed, 0 reconnected, 0 removed, 2 kept"));
	assert_false(told("config a"));
	assert_int_equal(world.configured, 1);
	assert_int_equal(manager_config(world.manager)->generation, 2);
	assert_ptr_equal(known("a")->upstream, before);
	assert_ptr_equal(config_find(manager_config(world.manager), "a"), before);
	assert_int_equal(known("b")->upstream->policy.timeout[STAGE_CONNECT], 7 * USEC_PER_SEC);
	/* Whoever sees a's links now sees the same connection. */
	manager_ping(world.manager);
	turn_until(was_alive);
	assert_true(address_equal(&known("a")->links[0].status.source, &source));
	assert_true(all_up());
	assert_false(told("close"));
}

#define DESCRIPTORS 200 /* more than the test has open itself */

static void
a_reload_needs_no_free_descriptor(void **state)
{
	struct rlimit before, few;
	struct reload done;
	int taken[DESCRIPTORS], count = 0, fd;

	(void)state;
	turn_until(all_up);
	write_three("timeouts = { connect = \"7s\"; };");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = DESCRIPTORS;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		taken[count++] = fd;
	assert_int_equal(errno, EMFILE);
	/* More than once: what was lent to one is there for the next. */
	for (int i = 0; i < 3; i++) {
		reload(&done);
		reload_done(&done);
	}
	assert_int_equal(open("/dev/null", O_RDONLY | O_CLOEXEC), -1);
	while (count > 0)
		close(taken[--count]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(known("b")->upstream->policy.timeout[STAGE_CONNECT], 7 * USEC_PER_SEC);
}

static bool
b_is_disabled(void)
{
	return known("b")->health == HEALTH_PAUSED;
}

static void
enabled_follows_the_file(void **state)
{
	struct reload done;

	(void)state;
	turn_until(all_up);
	write_three("enabled = false;");
	reload(&done);
	reload_done(&done);
	turn_until(b_is_disabled);
	write_three("");
	reload(&done);
	reload_done(&done);
	turn_until(all_up);
}

static bool
c_is_gone(void)
{
	return model_by_id(manager_model(world.manager), 3) == NULL;
}

static void
upstreams_come_and_go(void **state)
{
	struct reload done;
	char text[256];

	(void)state;
	turn_until(all_up);
	snprintf(text, sizeof(text),
		 "upstreams = ( { name = \"d\"; address = \"127.0.0.1:%u\"; },"
		 " { name = \"b\"; address = \"127.0.0.1:%u\"; } );",
		 world.ports[2], world.ports[2]);
	write_config(text);
	reload(&done);
	assert_int_equal(done.diff.count, 4);
	reload_done(&done);
	assert_null(known("c"));
	assert_true(told("config d added: "));
	assert_true(told("config c removed: "));
	assert_true(told("config b reconnected: "));
	turn_until(c_is_gone);
	turn_until(all_up);
	assert_true(told("close c reload: "));
	assert_false(told("health c"));
}

static void
a_broken_file_changes_nothing(void **state)
{
	const struct config *before;
	struct problems problems = { 0 };
	struct reload done;

	(void)state;
	turn_until(all_up);
	before = manager_config(world.manager);
	write_three("timeouts = { connect = \"5 apples\"; }; colour = \"blue\";");
	tell_nothing();
	assert_int_equal(manager_reload(world.manager, false, &problems, &done), -EINVAL);
	assert_int_equal(problems.count, 2);
	assert_ptr_equal(manager_config(world.manager), before);
	assert_true(told("5 apples"));
	assert_true(told("colour"));
	assert_true(told("config - refused: "));
	assert_true(all_up());
	problems_done(&problems);
	/* A dry run tells the caller alone. */
	tell_nothing();
	assert_int_equal(manager_reload(world.manager, true, &problems, &done), -EINVAL);
	assert_int_equal(world.told_length, 0);
	problems_done(&problems);
	assert_int_equal(world.configured, 0);
}

static void
a_dry_run_changes_nothing(void **state)
{
	struct problems problems = { 0 };
	struct reload done;

	(void)state;
	write_three("connections = 5;");
	tell_nothing();
	assert_int_equal(manager_reload(world.manager, true, &problems, &done), 0);
	assert_int_equal(done.diff.count, 3);
	assert_int_equal(done.diff.changes[1].kind, CHANGE_CHANGED);
	reload_done(&done);
	assert_int_equal(world.told_length, 0);
	assert_int_equal(known("b")->upstream->policy.connections, 1);
	assert_int_equal(world.configured, 0);
}

static bool
b_is_paused(void)
{
	return known("b")->links[0].status.stage == STAGE_PAUSED;
}

/* More commands than a mailbox holds: they wait, become one of a kind, and all arrive. */
static void
commands_wait_for_room(void **state)
{
	unsigned int links;

	(void)state;
	turn_until(all_up);
	for (unsigned int i = 0; i < 3 * 1024; i++) {
		assert_int_equal(manager_reconnect(world.manager, "a", true, &links), 0);
		assert_int_equal(manager_pause(world.manager, "b"), 0);
		assert_int_equal(manager_resume(world.manager, "b"), 0);
	}
	/* Of what waits, the last word counts. */
	assert_int_equal(manager_pause(world.manager, "b"), 0);
	assert_int_equal(manager_pause(world.manager, "a"), 0);
	turn_until(a_is_paused);
	turn_until(b_is_paused);
	manager_ping(world.manager);
	turn_until(was_alive);
	assert_int_equal(known("b")->links[0].status.stage, STAGE_PAUSED);
	assert_int_equal(manager_resume(world.manager, "a"), 0);
	assert_int_equal(manager_resume(world.manager, "b"), 0);
	turn_until(all_up);
}

static void
many_upstreams_arrive(void **state)
{
	char *text = NULL;
	size_t length;
	struct reload done;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	fprintf(out, "defaults = { enabled = false; };\nupstreams = (");
	for (unsigned int i = 0; i < 5000; i++)
		fprintf(out, "%s{ name = \"u%u\"; address = \"127.0.0.1:%u\"; }", i ? "," : "", i,
			world.ports[0]);
	fprintf(out, ");");
	assert_int_equal(fclose(out), 0);
	write_config(text);
	free(text);
	world.subscriber.fn = on_notice;
	notices_unsubscribe(&world.subscriber);
	reload(&done);
	assert_int_equal(done.diff.count, 5003);
	reload_done(&done);
	turn_until(c_is_gone);
	manager_ping(world.manager);
	turn_until(was_alive);
	/* And away again, some of them before their worker has heard of them. */
	write_three("");
	reload(&done);
	reload_done(&done);
	turn_until(all_up);
}

/* Once the end has begun, what cannot be done any more is not said to be done. */
static void
nothing_is_commanded_after_the_end(void **state)
{
	struct problems problems = { 0 };
	unsigned int links = 99;
	struct reload reload;

	(void)state;
	turn_until(all_up);
	manager_stop(world.manager, usec_add(clock_now(), 100 * USEC_PER_MSEC));
	tell_nothing();
	assert_int_equal(manager_retry(world.manager, "a", &links), -ESHUTDOWN);
	assert_int_equal(manager_reconnect(world.manager, "a", false, &links), -ESHUTDOWN);
	assert_int_equal(manager_pause(world.manager, "a"), -ESHUTDOWN);
	assert_int_equal(manager_resume(world.manager, "a"), -ESHUTDOWN);
	assert_int_equal(links, 99);
	write_three("connections = 3;");
	assert_int_equal(manager_reload(world.manager, false, &problems, &reload), -ESHUTDOWN);
	assert_int_equal(world.configured, 0);
	assert_string_equal(world.told, "");
}

int
main(void)
{
#define WORLD_TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		WORLD_TEST(work_is_shared),
		WORLD_TEST(commands_by_name),
		WORLD_TEST(a_ping_needs_every_worker),
		WORLD_TEST(a_reload_leaves_alone_what_has_not_changed),
		WORLD_TEST(a_reload_needs_no_free_descriptor),
		WORLD_TEST(enabled_follows_the_file),
		WORLD_TEST(upstreams_come_and_go),
		WORLD_TEST(a_broken_file_changes_nothing),
		WORLD_TEST(a_dry_run_changes_nothing),
		WORLD_TEST(commands_wait_for_room),
		WORLD_TEST(many_upstreams_arrive),
		WORLD_TEST(nothing_is_commanded_after_the_end),
	};

	RUN_TESTS(tests);
}

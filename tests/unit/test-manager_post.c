/* main/manager_post: what waits for a worker, with workers that are as full, slow or missing as the test wants. */
#include "check.h"

#include "main/manager.h"
#include "sys/clock.h"
#include "worker/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAIL_MAX 64

struct worker {
	struct command got[MAIL_MAX]; /* in the order of arrival */
	unsigned int got_count, room;
	struct event events[MAIL_MAX];
	unsigned int event_first, event_count;
	bool joined;
};

static struct worker workers[2];
static unsigned int worker_count, startable;
static struct wakeup *notify;

/* ---- the workers' side, as the manager links it --------------------------------------------------- */

int
worker_start(const struct worker_setup *setup, struct worker **ret_worker)
{
	if (worker_count == startable)
		return -EAGAIN;
	notify = setup->notify;
	*ret_worker = &workers[worker_count++];
	return 0;
}

int
worker_send(struct worker *worker, const struct command *command)
{
	if (worker->room == 0)
		return -EAGAIN;
	worker->room--;
	assert_true(worker->got_count < MAIL_MAX);
	worker->got[worker->got_count++] = *command;
	return 0;
}

bool
worker_receive(struct worker *worker, struct event *ret_event)
{
	if (worker->event_first == worker->event_count)
		return false;
	*ret_event = worker->events[worker->event_first++];
	return true;
}

struct worker *
worker_join(struct worker *worker)
{
	worker->joined = true;
	return NULL;
}

/* ---- the world ------------------------------------------------------------------------------------ */

struct world {
	struct loop *loop;
	struct notices notices;
	struct manager *manager;
	unsigned int alive, stopped;
};

static struct world world;

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
say(struct worker *worker, struct event event)
{
	worker->events[worker->event_count++] = event;
	wakeup_send(notify);
	for (unsigned int i = 0; i < 3; i++)
		loop_turn(world.loop, false);
}

/* The kinds of the commands that `worker` got since the last look, as a word: S set, P pause, … */
static const char *
got(struct worker *worker)
{
	static const char letters[COMMAND_COUNT] = { 'S', 'D', 'T', 'C', 'P', 'R', 'F', 'i', 'E' };
	static char word[MAIL_MAX + 1];
	unsigned int i;

	for (i = 0; i < worker->got_count; i++) {
		word[i] = letters[worker->got[i].kind];
		command_done(&worker->got[i]);
	}
	word[i] = '\0';
	worker->got_count = 0;
	return word;
}

static void
make_room(struct worker *worker, unsigned int room)
{
	worker->room = room;
	wakeup_send(notify);
	for (unsigned int i = 0; i < 3; i++)
		loop_turn(world.loop, false);
}

static void
start(const char *text)
{
	struct problems problems = { 0 };
	struct manager_setup setup = {
		.loop = world.loop,
		.notices = &world.notices,
		.on_stopped = on_stopped,
		.on_alive = on_alive,
	};

	assert_int_equal(config_load_text(text, "test", NULL, &problems, &setup.config), 0);
	assert_int_equal(manager_new(&setup, &world.manager), 0);
	config_unref(setup.config);
}

static int
set_up(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	memset(workers, 0, sizeof(workers));
	worker_count = 0;
	startable = 2;
	workers[0].room = workers[1].room = 1000;
	notices_init(&world.notices);
	assert_int_equal(loop_new(&world.loop), 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		workers[i].room = 1000;
		got(&workers[i]);
	}
	manager_stop(world.manager, clock_now());
	for (unsigned int i = 0; i < worker_count; i++) {
		assert_string_equal(got(&workers[i]), "E");
		say(&workers[i], (struct event){ .kind = EVENT_STOPPED });
		assert_true(workers[i].joined);
	}
	assert_int_equal(world.stopped, 1);
	world.manager = manager_free(world.manager);
	loop_free(world.loop);
	return 0;
}

#define ONE "workers = 1; upstreams = ({ name = \"a\"; address = \"127.0.0.1:1\"; });"
#define TWO \
	"workers = 2; upstreams = ({ name = \"a\"; address = \"127.0.0.1:1\"; }," \
	"{ name = \"b\"; address = \"127.0.0.1:1\"; });"

/* ---- tests ---------------------------------------------------------------------------------------- */

static void
what_waits_becomes_one_of_a_kind(void **state)
{
	unsigned int links;

	(void)state;
	start(ONE);
	assert_int_equal(manager_start(world.manager), 0);
	assert_string_equal(got(&workers[0]), "S");
	workers[0].room = 0;
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(manager_reconnect(world.manager, "a", i > 0, &links), 0);
		assert_int_equal(manager_retry(world.manager, "a", &links), 0);
		assert_int_equal(manager_pause(world.manager, "a"), 0);
		assert_int_equal(manager_resume(world.manager, "a"), 0);
	}
	assert_string_equal(got(&workers[0]), "");
	make_room(&workers[0], 1);
	assert_int_equal(workers[0].got_count, 1);
	make_room(&workers[0], 1000);
	/* Once somebody wanted fresh connections at once: that is more than one after the other. */
	assert_false(workers[0].got[2].rolling);
	assert_string_equal(got(&workers[0]), "RTC");
	assert_int_equal(manager_pause(world.manager, "a"), 0);
	assert_string_equal(got(&workers[0]), "P");
}

static void
first_come_first_served(void **state)
{
	unsigned int links;

	(void)state;
	start("workers = 1; upstreams = ({ name = \"a\"; address = \"127.0.0.1:1\"; },"
	      "{ name = \"b\"; address = \"127.0.0.1:1\"; });");
	workers[0].room = 0;
	assert_int_equal(manager_start(world.manager), 0);
	assert_int_equal(manager_retry(world.manager, "b", &links), 0);
	make_room(&workers[0], 1000);
	assert_int_equal(workers[0].got_count, 3);
	assert_int_equal(workers[0].got[0].id, 1);
	assert_int_equal(workers[0].got[1].id, 2);
	assert_string_equal(got(&workers[0]), "SST");
}

static void
a_ping_goes_round(void **state)
{
	struct event pong = { .kind = EVENT_PONG };

	(void)state;
	start(TWO);
	assert_int_equal(manager_start(world.manager), 0);
	got(&workers[0]);
	manager_ping(world.manager);
	pong.ping = workers[0].got[0].ping;
	say(&workers[0], pong);
	assert_int_equal(world.alive, 0);
	/* The second worker is slow: to ask again and again does not begin anew. */
	manager_ping(world.manager);
	manager_ping(world.manager);
	say(&workers[1], pong);
	assert_int_equal(world.alive, 1);
	/* An answer to an old round is none. */
	manager_ping(world.manager);
	say(&workers[0], pong);
	say(&workers[1], pong);
	assert_int_equal(world.alive, 1);
}

static void
fewer_workers_are_better_than_none(void **state)
{
	(void)state;
	startable = 1;
	start(TWO);
	assert_int_equal(manager_start(world.manager), 0);
	assert_string_equal(got(&workers[0]), "SS");
}

static void
without_workers_there_is_no_start(void **state)
{
	(void)state;
	startable = 0;
	start(ONE);
	assert_int_equal(manager_start(world.manager), -EAGAIN);
	manager_stop(world.manager, clock_now());
	for (unsigned int i = 0; i < 3; i++)
		loop_turn(world.loop, false);
	assert_int_equal(world.stopped, 1);
}

/* A worker that never answers: the daemon ends all the same, a second after the deadline. */
static void
a_dead_worker_is_given_up(void **state)
{
	(void)state;
	start(ONE);
	assert_int_equal(manager_start(world.manager), 0);
	got(&workers[0]);
	manager_stop(world.manager, clock_now());
	while (world.stopped == 0)
		loop_turn(world.loop, true);
	assert_int_equal(manager_given_up(world.manager), 1);
	/* So that the manager can be freed after all. */
	say(&workers[0], (struct event){ .kind = EVENT_STOPPED });
	assert_int_equal(manager_given_up(world.manager), 0);
	assert_int_equal(world.stopped, 1);
	startable = worker_count = 0;
	assert_string_equal(got(&workers[0]), "E");
}

int
main(void)
{
#define WORLD_TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		WORLD_TEST(what_waits_becomes_one_of_a_kind),
		WORLD_TEST(first_come_first_served),
		WORLD_TEST(a_ping_goes_round),
		WORLD_TEST(fewer_workers_are_better_than_none),
		WORLD_TEST(without_workers_there_is_no_start),
		WORLD_TEST(a_dead_worker_is_given_up),
	};

	RUN_TESTS(tests);
}

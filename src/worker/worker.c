#include "worker/worker.h"

#include "base/must.h"
#include "worker/runner_files.h"
#include "worker/state.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#define TICK_INTERVAL USEC_PER_SEC
/* Commands handled in one turn: links shall not wait for 10,000 upstreams to be read. */
#define COMMANDS_PER_TURN 256
/* Upstreams that are looked at in one tick: a stat(2) of each of their files may take its time. */
#define LOOKS_PER_TICK 2000
/* Upstreams whose names are asked again in one tick: those who wait for an answer to connect shall not wait for these. */
#define REFRESHES_PER_TICK 200
#define THREAD_NAME_MAX	   16 /* pthread_setname_np(3) */

/* ---- the end -------------------------------------------------------------------------------------- */

/* Once nothing is left: the last word, when there is room for it. */
static void
end_if_done(struct worker *worker, usec_t now)
{
	const struct event stopped = { .kind = EVENT_STOPPED, .at = now };

	if (!worker->stopping || worker->stopped || !list_is_empty(&worker->slots))
		return;
	if (!outbox_flush(&worker->outbox, now) || mailbox_send(worker->events, &stopped) < 0)
		return;
	worker->stopped = true;
	loop_stop(worker->loop);
}

static void
free_runners(struct worker *worker)
{
	while (worker->runner_count > 0)
		runner_free(worker->runners[worker->runner_count - 1]);
	list_for_each(node, &worker->leaving)
		runner_free(container_of(node, struct runner, leaves));
}

/* Whoever has not ended by now is not waited for. */
static void
on_end(void *arg, usec_t now)
{
	struct worker *worker = arg;

	outbox_flush(&worker->outbox, now);
	free_runners(worker);
	end_if_done(worker, now);
}

static void
stop(struct worker *worker, usec_t deadline, usec_t now)
{
	if (worker->stopping)
		return;
	worker->stopping = true;
	timer_arm(worker->end, deadline);
	while (worker->runner_count > 0)
		runner_drop(worker->runners[worker->runner_count - 1], CLOSE_SHUTDOWN, now);
	end_if_done(worker, now);
}

/* ---- commands ------------------------------------------------------------------------------------- */

static void
on_upstream_command(struct worker *worker, const struct command *command, usec_t now)
{
	struct runner *runner = runner_find(worker, command->id);

	if (!runner)
		return; /* it has been dropped, or the worker ends */
	switch (command->kind) {
	case COMMAND_DROP: runner_drop(runner, CLOSE_RELOAD, now); break;
	case COMMAND_RETRY: runner_retry(runner); break;
	case COMMAND_RECONNECT: runner_reconnect(runner, command->rolling, now); break;
	case COMMAND_PAUSE: runner_pause(runner, now); break;
	case COMMAND_RESUME: runner_resume(runner); break;
	default: must_not_reach();
	}
}

/* A reload: whoever had no context tries again, and a file that has gone bad is told now, not when it is needed. */
static void
reload_files(struct worker *worker, usec_t now)
{
	tls_pool_look_again(worker->tls_pool);
	for (size_t i = 0; i < worker->runner_count; i++) {
		runner_retry_load(worker->runners[i]);
		runner_judge_files(worker->runners[i], now);
	}
}

static void
on_command(struct worker *worker, const struct command *command, usec_t now)
{
	struct runner_change change;

	switch (command->kind) {
	case COMMAND_SET:
		change.upstream = command->set.upstream;
		change.in_place = command->set.in_place;
		if (!worker->stopping)
			runner_set(worker, command->id, &change, now);
		break;
	case COMMAND_RELOAD_FILES: reload_files(worker, now); break;
	case COMMAND_PING: outbox_pong(&worker->outbox, command->ping, now); break;
	case COMMAND_STOP: stop(worker, command->deadline, now); break;
	default: on_upstream_command(worker, command, now);
	}
}

static void
take_commands(void *arg, usec_t now)
{
	struct worker *worker = arg;
	struct command command;
	unsigned int count = 0;

	while (!worker->stopped && mailbox_receive(worker->commands, &command)) {
		on_command(worker, &command, now);
		command_done(&command);
		if (++count == COMMANDS_PER_TURN) {
			post_call(worker->more);
			return;
		}
	}
}

/* Main has sent commands, or has made room for events. */
static void
on_wakeup(void *arg, usec_t now)
{
	struct worker *worker = arg;

	if (worker->stopped)
		return;
	outbox_flush(&worker->outbox, now);
	take_commands(worker, now);
	end_if_done(worker, now);
}

/* ---- the turn ------------------------------------------------------------------------------------- */

/* Those that are touched meanwhile have their turn in the next one. */
static void
tell_loaded(struct worker *worker, usec_t now)
{
	while (!list_is_empty(&worker->loaded)) {
		struct driver *driver = list_first(&worker->loaded, struct driver, loaded);

		list_remove(&driver->loaded);
		driver_feed(driver, &(struct input){ .kind = INPUT_LOADED }, now);
	}
}

static void
on_chores(void *arg, usec_t now)
{
	struct worker *worker = arg;
	struct list present = LIST_INIT(present);

	tell_loaded(worker, now);
	list_for_each(node, &worker->dirty) {
		list_remove(node);
		list_append(&present, node);
	}
	while (!list_is_empty(&present)) {
		struct slot *slot = list_first(&present, struct slot, look);

		list_remove(&slot->look);
		slot_look(slot, now);
	}
	end_if_done(worker, now);
}

static void
rest_connections(struct worker *worker, usec_t now)
{
	list_for_each(node, &worker->busy) {
		struct driver *driver = container_of(node, struct driver, busy);

		if (connection_rest(driver, now))
			list_remove(&driver->busy);
	}
}

/* In turn: of very many, each is seen every few seconds. */
static void
look_at_runners(struct worker *worker, usec_t now)
{
	if (worker->stopping)
		return;
	worker->refreshes_left = REFRESHES_PER_TICK;
	for (size_t i = 0; i < worker->runner_count && i < LOOKS_PER_TICK; i++) {
		worker->look_next %= worker->runner_count;
		runner_look(worker->runners[worker->look_next++], now);
	}
}

static void
on_tick(void *arg, usec_t now)
{
	struct worker *worker = arg;

	timer_arm(worker->tick, usec_add(now, TICK_INTERVAL));
	rest_connections(worker, now);
	look_at_runners(worker, now);
	list_for_each(node, &worker->replacing)
		slot_check_replacement(container_of(node, struct slot, replacing), now);
	list_for_each(node, &worker->starved)
		slot_touch(container_of(node, struct slot, look));
	if (!worker->short_of_memory)
		return;
	worker->short_of_memory = false;
	for (size_t i = 0; i < worker->runner_count; i++)
		runner_fill(worker->runners[i], now);
}

/* We were held up; what our deadlines say about peers is void (STYLE.md, habit 15). */
static void
on_late(void *arg, usec_t late, usec_t now)
{
	struct worker *worker = arg;

	if (worker->stopping)
		return;
	resolver_restart(worker->resolver);
	list_for_each(node, &worker->drivers) {
		struct driver *driver = container_of(node, struct driver, all);

		if (!driver->ended)
			driver_feed(driver, &(struct input){ .kind = INPUT_STALLED }, now);
	}
	list_for_each(node, &worker->replacing)
		slot_grant_replacement(container_of(node, struct slot, replacing), now);
	outbox_stall(&worker->outbox, late, now);
}

static void
on_network(void *arg, usec_t now)
{
	static const struct address anywhere;
	struct worker *worker = arg;

	(void)now;
	if (network_is_offline(&anywhere))
		return;
	list_for_each(node, &worker->drivers) {
		struct driver *driver = container_of(node, struct driver, all);

		if (driver->link->held)
			pacer_request(&worker->pacer, driver, INPUT_ONLINE);
	}
}

static void *
run(void *arg)
{
	struct worker *worker = arg;
	char name[THREAD_NAME_MAX];

	snprintf(name, sizeof(name), "worker-%u", worker->number % 10000);
	pthread_setname_np(pthread_self(), name);
	loop_run(worker->loop);
	free_runners(worker); /* SSL objects end on the thread they lived on */
	return NULL;
}

/* ---- start and end, on the creator's thread ------------------------------------------------------- */

static struct worker *
worker_free(struct worker *worker)
{
	struct command command;
	struct event event;

	worker->network = network_free(worker->network);
	worker->resolver = resolver_free(worker->resolver);
	worker->tls_pool = tls_pool_free(worker->tls_pool);
	worker->tick = timer_free(worker->tick);
	worker->end = timer_free(worker->end);
	worker->chores = post_free(worker->chores);
	worker->more = post_free(worker->more);
	worker->wakeup = wakeup_free(worker->wakeup);
	pacer_done(&worker->pacer);
	worker->loop = loop_free(worker->loop);
	while (worker->commands && mailbox_receive(worker->commands, &command))
		command_done(&command);
	while (worker->events && mailbox_receive(worker->events, &event))
		event_done(&event);
	worker->commands = mailbox_free(worker->commands);
	worker->events = mailbox_free(worker->events);
	free(worker->runners);
	free(worker);
	return NULL;
}

static int
open_mailboxes(struct worker *worker, struct wakeup *notify)
{
	int r = mailbox_new(sizeof(struct command), &worker->commands);

	if (r >= 0)
		r = mailbox_new(sizeof(struct event), &worker->events);
	if (r < 0)
		return r;
	mailbox_set_sender(worker->commands, notify);
	mailbox_set_receiver(worker->commands, worker->wakeup);
	mailbox_set_sender(worker->events, worker->wakeup);
	mailbox_set_receiver(worker->events, notify);
	outbox_init(&worker->outbox, worker->events);
	return 0;
}

static int
open_loop(struct worker *worker)
{
	int r = loop_new(&worker->loop);

	if (r >= 0)
		r = wakeup_new(worker->loop, on_wakeup, worker, &worker->wakeup);
	if (r >= 0)
		r = post_new(worker->loop, take_commands, worker, &worker->more);
	if (r >= 0)
		r = post_new(worker->loop, on_chores, worker, &worker->chores);
	if (r >= 0)
		r = timer_new(worker->loop, on_tick, worker, &worker->tick);
	if (r >= 0)
		r = timer_new(worker->loop, on_end, worker, &worker->end);
	if (r >= 0)
		r = pacer_init(&worker->pacer, worker->loop);
	return r;
}

static int
open_services(struct worker *worker)
{
	int r = resolver_new(worker->loop, &worker->resolver);

	if (r >= 0)
		r = tls_pool_new(&worker->tls_pool);
	if (r < 0)
		return r;
	/* Without rtnetlink nobody tells of a new network: held links wait for their backoff. */
	if (network_new(worker->loop, on_network, worker, &worker->network) < 0)
		worker->network = NULL;
	loop_on_late(worker->loop, WORKER_STALL_LIMIT, on_late, worker);
	timer_arm(worker->tick, usec_add(loop_now(worker->loop), TICK_INTERVAL));
	return 0;
}

/* The new thread inherits the mask: signals are main's. */
static int
start_thread(struct worker *worker)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = -pthread_create(&worker->thread, NULL, run, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

int
worker_start(const struct worker_setup *setup, struct worker **ret_worker)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int r;

	if (!worker)
		return -ENOMEM;
	worker->number = setup->number;
	prng_init(&worker->prng, setup->seed);
	list_init(&worker->drivers);
	list_init(&worker->slots);
	list_init(&worker->leaving);
	list_init(&worker->dirty);
	list_init(&worker->replacing);
	list_init(&worker->starved);
	list_init(&worker->busy);
	list_init(&worker->loaded);
	r = open_loop(worker);
	if (r >= 0)
		r = open_mailboxes(worker, setup->notify);
	if (r >= 0)
		r = open_services(worker);
	if (r >= 0)
		r = start_thread(worker);
	if (r < 0) {
		worker_free(worker);
		return r;
	}
	*ret_worker = worker;
	return 0;
}

int
worker_send(struct worker *worker, const struct command *command)
{
	return mailbox_send(worker->commands, command);
}

bool
worker_receive(struct worker *worker, struct event *ret_event)
{
	return mailbox_receive(worker->events, ret_event);
}

struct worker *
worker_join(struct worker *worker)
{
	if (!worker)
		return NULL;
	pthread_join(worker->thread, NULL);
	return worker_free(worker);
}

#include "main/manager.h"

#include "base/must.h"
#include "main/manager_internal.h"
#include "sys/entropy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define GIVE_UP_DELAY (1 * USEC_PER_SEC) /* beyond the deadline of manager_stop() */

/* ---- what the workers say ------------------------------------------------------------------------- */

static void
on_pong(struct manager *manager, struct station *station, uint64_t round, usec_t now)
{
	if (!manager->ping_open || round != manager->ping_round)
		return;
	station->answered = true;
	for (unsigned int i = 0; i < manager->station_count; i++)
		if (manager->stations[i].worker && !manager->stations[i].answered)
			return;
	manager->ping_open = false;
	if (manager->setup.on_alive)
		manager->setup.on_alive(manager->setup.arg, now);
}

static void
on_dropped(struct manager *manager, upstream_id id)
{
	struct model_upstream *known = model_by_id(manager->model, id);

	if (!known || !known->dropped)
		return;
	managed_free(known->managed);
	model_remove(manager->model, known);
}

static void
on_event(struct manager *manager, struct station *station, struct event *event, usec_t now)
{
	switch (event->kind) {
	case EVENT_PONG: on_pong(manager, station, event->ping, now); return;
	case EVENT_DROPPED: on_dropped(manager, event->id); return;
	case EVENT_STOPPED: station->worker = worker_join(station->worker); return;
	default: model_event(manager->model, event, now); return;
	}
}

/* Take in a bounded number of events.  Returns whether there may be more. */
static bool
station_drain(struct manager *manager, struct station *station, usec_t now)
{
	struct event event;

	for (unsigned int i = 0; i < EVENTS_PER_TURN; i++) {
		if (!station->worker || !worker_receive(station->worker, &event))
			return false;
		on_event(manager, station, &event, now);
	}
	return true;
}

static void
end_if_stopped(struct manager *manager, usec_t now)
{
	if (!manager->stopping || manager->stopped)
		return;
	for (unsigned int i = 0; i < manager->station_count; i++)
		if (manager->stations[i].worker)
			return;
	manager->stopped = true;
	timer_arm(manager->give_up, USEC_INFINITY);
	manager->setup.on_stopped(manager->setup.arg, now);
}

/* Some worker has events, or room for commands, or both. */
static void
on_notify(void *arg, usec_t now)
{
	struct manager *manager = arg;
	bool more = false;

	for (unsigned int i = 0; i < manager->station_count; i++) {
		more = station_drain(manager, &manager->stations[i], now) || more;
		station_flush(manager, &manager->stations[i]);
	}
	/* A worker may have snatched some while a reload read its files; what ends gives them back. */
	(void)reserve_refill(&manager->reserve);
	if (more)
		post_call(manager->again);
	timer_arm(manager->tick, model_tick(manager->model, now));
	end_if_stopped(manager, now);
}

static void
on_tick(void *arg, usec_t now)
{
	struct manager *manager = arg;

	timer_arm(manager->tick, model_tick(manager->model, now));
}

static void
on_give_up(void *arg, usec_t now)
{
	struct manager *manager = arg;

	if (manager->stopped)
		return;
	manager->stopped = true;
	manager->setup.on_stopped(manager->setup.arg, now);
}

/* ---- beginning and end ---------------------------------------------------------------------------- */

static int
manager_init(struct manager *manager)
{
	struct loop *loop = manager->setup.loop;
	int r;

	list_init(&manager->managed);
	r = reserve_open(&manager->reserve);
	if (r >= 0)
		r = model_new(manager->setup.notices, &manager->model);
	if (r >= 0)
		r = wakeup_new(loop, on_notify, manager, &manager->notify);
	if (r >= 0)
		r = post_new(loop, on_notify, manager, &manager->again);
	if (r >= 0)
		r = timer_new(loop, on_give_up, manager, &manager->give_up);
	if (r >= 0)
		r = timer_new(loop, on_tick, manager, &manager->tick);
	return r;
}

int
manager_new(const struct manager_setup *setup, struct manager **ret_manager)
{
	struct manager *manager = calloc(1, sizeof(*manager));
	int r;

	if (!manager)
		return -ENOMEM;
	manager->setup = *setup;
	manager->config = config_ref(setup->config);
	manager->config->generation = ++manager->generation;
	r = manager_init(manager);
	if (r < 0) {
		manager_free(manager);
		return r;
	}
	*ret_manager = manager;
	return 0;
}

struct manager *
manager_free(struct manager *manager)
{
	if (!manager)
		return NULL;
	if (manager_given_up(manager) > 0)
		return NULL; /* their threads may still poke us */
	timer_free(manager->give_up);
	timer_free(manager->tick);
	post_free(manager->again);
	wakeup_free(manager->notify);
	list_for_each(node, &manager->managed)
		managed_free(container_of(node, struct managed, all));
	model_free(manager->model);
	reserve_close(&manager->reserve);
	config_unref(manager->config);
	free(manager);
	return NULL;
}

static int
start_workers(struct manager *manager)
{
	for (unsigned int i = 0; i < manager->config->workers; i++) {
		struct station *station = &manager->stations[i];
		struct worker_setup setup = {
			.number = i + 1,
			.seed = entropy_seed(),
			.notify = manager->notify,
		};
		int r;

		list_init(&station->waiting);
		r = worker_start(&setup, &station->worker);
		if (r < 0)
			return r;
		manager->station_count++;
	}
	return 0;
}

int
manager_start(struct manager *manager)
{
	int r = start_workers(manager);

	if (manager->station_count == 0)
		return r;
	if (r < 0) {
		char message[96];

		snprintf(message, sizeof(message), "only %u of %u workers could be started: %s",
			 manager->station_count, manager->config->workers, strerrordesc_np(-r));
		manager_say(manager, LEVEL_WARNING, NULL, NULL, message);
	}
	for (size_t i = 0; i < manager->config->upstream_count; i++) {
		r = managed_new(manager, manager->config->upstreams[i], loop_now(manager->setup.loop));
		if (r < 0)
			return r;
	}
	return 0;
}

void
manager_stop(struct manager *manager, usec_t deadline)
{
	if (manager->stopping)
		return;
	manager->stopping = true;
	manager->stop_deadline = deadline;
	model_stop(manager->model);
	for (unsigned int i = 0; i < manager->station_count; i++) {
		station_forget(&manager->stations[i]);
		manager->stations[i].stop = true;
		station_flush(manager, &manager->stations[i]);
	}
	timer_arm(manager->give_up, usec_add(deadline, GIVE_UP_DELAY));
	post_call(manager->again);
}

unsigned int
manager_given_up(const struct manager *manager)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < manager->station_count; i++)
		count += manager->stations[i].worker != NULL;
	return count;
}

void
manager_ping(struct manager *manager)
{
	if (manager->ping_open || manager->stopping)
		return;
	manager->ping_open = true;
	manager->ping_round++;
	for (unsigned int i = 0; i < manager->station_count; i++) {
		manager->stations[i].answered = false;
		manager->stations[i].ping = true;
		station_flush(manager, &manager->stations[i]);
	}
}

/* ---- asked for by the control socket -------------------------------------------------------------- */

struct model *
manager_model(struct manager *manager)
{
	return manager->model;
}

const struct config *
manager_config(const struct manager *manager)
{
	return manager->config;
}

static unsigned int
links_in(const struct model_upstream *known, enum stage stage)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < known->link_count; i++)
		count += known->links[i].known && known->links[i].status.stage == stage;
	return count;
}

/* What a command is about.  Once the end has begun, none is carried out any more: nobody shall believe that it was. */
static int
find_commanded(struct manager *manager, const char *name, struct model_upstream **ret_known)
{
	if (manager->stopping)
		return -ESHUTDOWN;
	*ret_known = model_find(manager->model, name);
	return *ret_known ? 0 : -ENOENT;
}

int
manager_retry(struct manager *manager, const char *name, unsigned int *ret_links)
{
	struct model_upstream *known;
	int r = find_commanded(manager, name, &known);

	if (r < 0)
		return r;
	managed_post(manager, known->managed, PENDING_RETRY);
	*ret_links = links_in(known, STAGE_BACKOFF);
	return 0;
}

int
manager_reconnect(struct manager *manager, const char *name, bool rolling, unsigned int *ret_links)
{
	struct model_upstream *known;
	int r = find_commanded(manager, name, &known);

	if (r < 0)
		return r;
	known->managed->rolling = rolling && (known->managed->rolling ||
					      !(known->managed->pending & PENDING_RECONNECT));
	managed_post(manager, known->managed, PENDING_RECONNECT);
	*ret_links = links_in(known, STAGE_READY);
	return 0;
}

static int
set_paused(struct manager *manager, const char *name, bool paused)
{
	struct model_upstream *known;
	int r = find_commanded(manager, name, &known);

	if (r < 0)
		return r;
	if (known->paused == paused)
		return 0;
	model_set_paused(manager->model, known, paused, loop_now(manager->setup.loop));
	managed_post(manager, known->managed, paused ? PENDING_PAUSE : PENDING_RESUME);
	return 0;
}

int
manager_pause(struct manager *manager, const char *name)
{
	return set_paused(manager, name, true);
}

int
manager_resume(struct manager *manager, const char *name)
{
	return set_paused(manager, name, false);
}

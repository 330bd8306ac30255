/* Commands to the workers: sent at once, or waiting for room, in order, one of a kind for each upstream. */
#include "base/must.h"
#include "main/manager_internal.h"

#include <errno.h>
#include <stdlib.h>

/* In the order of enum pending. */
static const struct {
	enum pending pending;
	enum command_kind kind;
} order[] = {
	{ PENDING_SET, COMMAND_SET },
	{ PENDING_PAUSE, COMMAND_PAUSE },
	{ PENDING_RESUME, COMMAND_RESUME },
	{ PENDING_RETRY, COMMAND_RETRY },
	{ PENDING_RECONNECT, COMMAND_RECONNECT },
	{ PENDING_DROP, COMMAND_DROP },
};

/* Send one command about an upstream.  Returns false where there is no room. */
static bool
send_command(struct managed *managed, enum command_kind kind)
{
	struct command command = { .kind = kind, .id = managed->known->id };

	if (kind == COMMAND_SET) {
		command.set.upstream = managed->set;
		command.set.in_place = managed->in_place;
	} else if (kind == COMMAND_RECONNECT) {
		command.rolling = managed->rolling;
	}
	if (worker_send(managed->station->worker, &command) < 0)
		return false;
	if (kind == COMMAND_SET) {
		managed->set = NULL; /* the reference travels with the message */
		managed->sent = true;
	}
	return true;
}

/* Send all that waits for one upstream.  Returns false where there is no room. */
static bool
flush_managed(struct managed *managed)
{
	for (size_t i = 0; i < COUNT_OF(order); i++) {
		if (!(managed->pending & order[i].pending))
			continue;
		if (!send_command(managed, order[i].kind))
			return false;
		managed->pending &= ~(unsigned int)order[i].pending;
	}
	list_remove(&managed->waiting);
	return true;
}

/* Send a command that concerns no upstream, if it waits.  Returns false where there is no room. */
static bool
flush_own(struct station *station, bool *waits, const struct command *command)
{
	if (!*waits)
		return true;
	if (worker_send(station->worker, command) < 0)
		return false;
	*waits = false;
	return true;
}

void
station_flush(struct manager *manager, struct station *station)
{
	const struct command stop = { .kind = COMMAND_STOP, .deadline = manager->stop_deadline };
	const struct command ping = { .kind = COMMAND_PING, .ping = manager->ping_round };
	const struct command files = { .kind = COMMAND_RELOAD_FILES };

	if (!station->worker || !flush_own(station, &station->stop, &stop) || manager->stopping)
		return;
	if (!flush_own(station, &station->ping, &ping) ||
	    !flush_own(station, &station->reload_files, &files))
		return;
	list_for_each(node, &station->waiting)
		if (!flush_managed(container_of(node, struct managed, waiting)))
			return;
}

void
station_forget(struct station *station)
{
	station->reload_files = station->ping = false;
	list_for_each(node, &station->waiting) {
		struct managed *managed = container_of(node, struct managed, waiting);

		managed->set = upstream_unref(managed->set);
		managed->pending = 0;
		list_remove(node);
	}
}

static void
wait_for_room(struct managed *managed)
{
	if (list_is_empty(&managed->waiting))
		list_append(&managed->station->waiting, &managed->waiting);
}

void
managed_post(struct manager *manager, struct managed *managed, enum pending pending)
{
	must(pending != PENDING_SET);
	if (manager->stopping)
		return;
	/* Of pause and resume the later one counts; nothing counts any more for what is dropped. */
	if (pending == PENDING_PAUSE || pending == PENDING_RESUME)
		managed->pending &= ~(unsigned int)(PENDING_PAUSE | PENDING_RESUME);
	if (pending == PENDING_DROP) {
		managed->set = upstream_unref(managed->set);
		managed->pending = 0;
	}
	managed->pending |= pending;
	wait_for_room(managed);
	station_flush(manager, managed->station);
}

void
managed_post_set(struct manager *manager, struct managed *managed, struct upstream *upstream,
		 bool in_place)
{
	if (manager->stopping)
		return;
	/* What has been overtaken before it was sent may have asked for new connections. */
	managed->in_place = in_place && (managed->in_place || !(managed->pending & PENDING_SET));
	upstream_unref(managed->set);
	managed->set = upstream_ref(upstream);
	managed->pending |= PENDING_SET;
	wait_for_room(managed);
	station_flush(manager, managed->station);
}

/* ---- upstreams and who owns them ------------------------------------------------------------------ */

static struct station *
least_loaded(struct manager *manager)
{
	struct station *best = NULL;

	for (unsigned int i = 0; i < manager->station_count; i++) {
		struct station *station = &manager->stations[i];

		if (station->worker && (!best || station->links < best->links))
			best = station;
	}
	must(best);
	return best;
}

static void
count_links(struct managed *managed, unsigned int links)
{
	managed->station->links += links - managed->links;
	managed->links = links;
}

int
managed_new(struct manager *manager, struct upstream *upstream, usec_t now)
{
	struct managed *managed = calloc(1, sizeof(*managed));
	struct model_setup setup = { .upstream = upstream, .now = now };

	if (!managed)
		return -ENOMEM;
	managed->station = least_loaded(manager);
	setup.id = ++manager->last_id;
	setup.worker = (unsigned int)(managed->station - manager->stations);
	if (model_add(manager->model, &setup, &managed->known) < 0) {
		free(managed);
		return -ENOMEM;
	}
	managed->known->managed = managed;
	list_init(&managed->waiting);
	list_append(&manager->managed, &managed->all);
	count_links(managed, upstream->policy.connections);
	managed_post_set(manager, managed, upstream, false);
	return 0;
}

void
managed_free(struct managed *managed)
{
	count_links(managed, 0);
	list_remove(&managed->waiting);
	list_remove(&managed->all);
	upstream_unref(managed->set);
	free(managed);
}

void
managed_drop(struct manager *manager, struct managed *managed)
{
	struct model_upstream *known = managed->known;

	model_drop(manager->model, known);
	if (managed->sent) {
		managed_post(manager, managed, PENDING_DROP);
		return;
	}
	managed_free(managed);
	model_remove(manager->model, known);
}

int
managed_change(struct manager *manager, struct managed *managed, const struct change *change, usec_t now)
{
	bool enabled = change->after->policy.enabled;
	int r = model_change(manager->model, managed->known, change->after, now);

	count_links(managed, change->after->policy.connections);
	managed_post_set(manager, managed, change->after, change->kind == CHANGE_CHANGED);
	/* An administrator's Pause outlives a reload, unless the file itself has changed its mind. */
	if (enabled != change->before->policy.enabled) {
		model_set_paused(manager->model, managed->known, !enabled, now);
		managed_post(manager, managed, enabled ? PENDING_RESUME : PENDING_PAUSE);
	}
	return r;
}

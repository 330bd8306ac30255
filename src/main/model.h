/*
 * What main knows of the upstreams: only what the workers' events have told, never a look into a worker.
 *
 * The model turns events into knowledge and notices.  It decides nothing; main/manager does.
 */
#pragma once

#include "core/availability.h"
#include "core/history.h"
#include "mailbox/message.h"
#include "main/noise.h"
#include "main/notice.h"

/* An upstream flaps when so many of its ready connections have ended by failure within this time … */
#define FLAPS_MIN    5
#define FLAPS_WINDOW (10 * USEC_PER_MINUTE)
/* … until none has for as long. */

struct model_link {
	unsigned int number;
	bool known;		   /* a status has come */
	struct link_status status; /* times are monotonic; the chain's reference is the model's */
	usec_t ready_since;	   /* of the last READY that was counted; USEC_INFINITY: none yet */
	usec_t failing_since; /* when it began to fail since it was last ready; USEC_INFINITY: it does not */
	struct noise noise; /* of its failures since it was well */
};

struct model_counters {
	uint64_t attempts, established, failed, closed, lent, lend_failed;
};

struct managed; /* what the manager keeps for each */

struct model_upstream {
	upstream_id id;
	struct upstream *upstream; /* a reference: what is configured */
	unsigned int worker;	   /* index of the worker that owns it */
	struct managed *managed;   /* the manager's; NULL in tests of the model alone */
	bool paused;		   /* by an administrator, or enabled = false */
	bool dropped;		   /* removed from the configuration; its links are closing */
	struct model_link *links; /* in the order of their numbers; the wanted ones are there from the start, surplus ones until gone */
	unsigned int link_count;
	struct link_census census; /* of `links`, kept current */
	enum health health;
	uint64_t health_since; /* realtime, microseconds */
	uint8_t reach; /* the last eight attempts, newest in bit 0, 1: established (as chrony prints it, in octal) */
	struct history *history;
	struct model_counters counters;
	uint64_t failures[FAILURE_COUNT]; /* by code, also the ones of ready connections */
	uint64_t closes[CLOSE_REASON_COUNT];
	uint32_t warnings; /* bit n: enum warning_kind n is in force (verification-disabled, stale-files, …) */
	struct list flapping; /* in model->flapping while WARNING_FLAPPING is in force */
	usec_t flaps[FLAPS_MIN]; /* when ready connections last ended by failure: a ring; USEC_INFINITY: not yet */
	unsigned int flaps_next; /* the oldest of them */
	struct availability availability;
};

struct model;

/*
 * model_new(notices, ret_model), model_free(model):
 * An empty model that tells through `notices` (borrowed).  Returns 0 or -ENOMEM.  model_free() takes NULL and returns NULL.
 */
int model_new(struct notices *notices, struct model **ret_model);
struct model *model_free(struct model *model);

/*
 * model_add(model, id, upstream, worker, now, ret_upstream):
 * Know a new upstream (takes a reference of its own).  Returns 0 or -ENOMEM.
 */
struct model_setup {
	upstream_id id;
	struct upstream *upstream;
	unsigned int worker;
	usec_t now;
};
int model_add(struct model *model, const struct model_setup *setup,
	      struct model_upstream **ret_upstream);

/*
 * model_change(model, known, upstream, now):
 * A reload changed it: from now on it is configured as `upstream` (takes a reference).  Returns 0 or -ENOMEM.
 */
int model_change(struct model *model, struct model_upstream *known, struct upstream *upstream,
		 usec_t now);

/*
 * model_drop(model, known):
 * It is configured no more: it is found by its id only, and counts nowhere.  Its events are still told.
 */
void model_drop(struct model *model, struct model_upstream *known);

/*
 * model_remove(model, known):
 * Forget it (after EVENT_DROPPED); a dropped one only.
 */
void model_remove(struct model *model, struct model_upstream *known);

/*
 * model_stop(model):
 * The daemon ends: that links close now is no change of anybody's health.
 */
void model_stop(struct model *model);

/*
 * model_set_paused(model, known, paused, now):
 * An administrator paused or resumed it.
 */
void model_set_paused(struct model *model, struct model_upstream *known, bool paused, usec_t now);

/*
 * model_event(model, event, now):
 * Take in one event of a worker, with its references: update, count, keep in history, and tell the notices that follow from it
 * (stage, failure, recovery, close, warning, health).  PONG, DROPPED and STOPPED are not for the model.  Events of unknown
 * upstreams are dropped.
 */
void model_event(struct model *model, struct event *event, usec_t now);

/*
 * model_tick(model, now):
 * End the warnings of the model's own (WARNING_FLAPPING) whose time has come.  Returns when to call this again, after
 * model_event() too; USEC_INFINITY where there is nothing to wait for.
 */
usec_t model_tick(struct model *model, usec_t now);

/*
 * model_find(model, name), model_by_id(model, id):
 * The upstream of that name (a dropped one is not found) or id, borrowed, or NULL.  O(log n) or better.
 */
struct model_upstream *model_find(const struct model *model, const char *name);
struct model_upstream *model_by_id(const struct model *model, upstream_id id);

/*
 * model_next(model, name):
 * The first upstream whose name is greater than `name` ("": the first of all), or NULL: a walk in name order that survives changes between
 * its steps (replies of many upstreams are streamed over several turns).
 */
struct model_upstream *model_next(const struct model *model, const char *name);

/*
 * model_census(known, ret_census):
 * How many of its links are in which condition; those that are not ready count as paused as soon as it is.
 */
void model_census(const struct model_upstream *known, struct link_census *ret_census);

struct model_totals {
	unsigned int upstreams, by_health[HEALTH_COUNT];
	enum health health; /* of the whole: down if all that are not paused are down, up if all are up, … */
};

/*
 * model_totals(model, ret_totals):
 * Add up; kept current, so that asking is cheap.
 */
void model_totals(const struct model *model, struct model_totals *ret_totals);

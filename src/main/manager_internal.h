/*
 * What main/manager, main/manager_post and main/manager_reload share; nobody else includes it.
 */
#pragma once

#include "base/list.h"
#include "main/manager.h"
#include "main/reserve.h"
#include "worker/worker.h"

#define EVENTS_PER_TURN \
	256 /* of one worker; the rest waits for the next turn, so that the control socket gets its share */

/* Commands that wait for an upstream: one bit each, in the order in which they are sent. */
enum pending {
	PENDING_SET = 1 << 0,
	PENDING_PAUSE = 1 << 1,
	PENDING_RESUME = 1 << 2,
	PENDING_RETRY = 1 << 3,
	PENDING_RECONNECT = 1 << 4,
	PENDING_DROP = 1 << 5,
};

/*
 * What the manager keeps for each upstream: who owns it, and which commands wait for room in that worker's
 * mailbox.  Commands of one kind that wait become one.
 */
struct managed {
	struct list all;     /* in manager->managed */
	struct list waiting; /* in its station's `waiting`, while `pending` is not 0 */
	struct model_upstream *known;
	struct station *station;
	unsigned int links;	/* counted in station->links */
	unsigned int pending;	/* enum pending, or'ed */
	struct upstream *set;	/* for PENDING_SET: a reference; NULL otherwise */
	bool in_place, rolling; /* for PENDING_SET, PENDING_RECONNECT */
	bool sent;		/* the worker knows it */
};

/* A worker, and what waits for it. */
struct station {
	struct worker *worker;	       /* NULL once it has stopped */
	struct list waiting;	       /* of struct managed, first come first served */
	unsigned int links;	       /* wanted links of its upstreams */
	bool reload_files, ping, stop; /* these commands wait */
	bool answered;		       /* the ping of this round */
};

struct manager {
	struct manager_setup setup;
	struct config *config;
	struct model *model;
	struct reserve reserve; /* for the files of a reload */
	struct wakeup *notify;
	struct post *again; /* events were left over in this turn */
	struct timer *give_up;
	struct timer *tick; /* the model's */
	struct list managed;
	struct station stations[WORKERS_MAX];
	unsigned int station_count;
	upstream_id last_id;
	uint32_t generation;
	uint64_t ping_round;
	bool ping_open, stopping, stopped;
	usec_t stop_deadline;
};

/*
 * station_flush(manager, station):
 * Send what waits for `station`, as far as there is room.
 */
void station_flush(struct manager *manager, struct station *station);

/*
 * station_forget(station):
 * Throw away what waits for it: it is about to stop.
 */
void station_forget(struct station *station);

/*
 * managed_post(manager, managed, pending):
 * Let `pending` be sent, now or when there is room.
 */
void managed_post(struct manager *manager, struct managed *managed, enum pending pending);

/*
 * managed_post_set(manager, managed, upstream, in_place):
 * Likewise the configuration `upstream` (a reference is taken).
 */
void managed_post_set(struct manager *manager, struct managed *managed, struct upstream *upstream,
		      bool in_place);

/*
 * managed_new(manager, upstream, now):
 * Know a newly configured upstream, choose the least loaded worker for it, and let it have it.  Returns 0 or -ENOMEM.
 */
int managed_new(struct manager *manager, struct upstream *upstream, usec_t now);

/*
 * managed_drop(manager, managed):
 * It is configured no more.
 */
void managed_drop(struct manager *manager, struct managed *managed);

/*
 * managed_free(managed):
 * Forget it, with what waits for it.
 */
void managed_free(struct managed *managed);

/*
 * managed_change(manager, managed, change, now):
 * A reload changed it as `change` says.  Returns 0 or -ENOMEM.
 */
int managed_change(struct manager *manager, struct managed *managed, const struct change *change,
		   usec_t now);

/*
 * manager_say(manager, level, upstream, reason, message):
 * Tell one NOTICE_CONFIG; `upstream` and `reason` may be NULL.
 */
void manager_say(struct manager *manager, enum log_level level, const char *upstream,
		 const char *reason, const char *message);

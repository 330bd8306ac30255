/*
 * A runner keeps one upstream's connections: as many slots as are wanted.
 */
#pragma once

#include "worker/slot.h"
#include "worker/state.h"

struct runner {
	struct worker *worker;
	struct list leaves; /* in worker->leaving */
	upstream_id id;
	struct upstream *upstream;     /* a reference: what is configured */
	struct tls_sessions *sessions; /* made when they are first needed */
	struct slot **slots;	       /* number 1 first */
	size_t slot_count, slot_size;
	struct list leaving;  /* slots not wanted any more, until they are gone */
	bool rolls;	      /* a rolling reconnect goes on */
	struct slot *rolling; /* whose turn it is in it, or NULL */
	bool paused;
	bool dropped;
	unsigned int left_out; /* addresses, as told last */
	uint64_t stale;	       /* digest of the warning about stale files told last; 0: none */
	struct mail mail;
};

/*
 * runner_find(worker, id):
 * The runner of that upstream (not a dropped one), or NULL.
 */
struct runner *runner_find(const struct worker *worker, upstream_id id);

/* COMMAND_SET */
struct runner_change {
	struct upstream *upstream; /* borrowed */
	bool in_place;
};

/*
 * runner_set(worker, id, change, now):
 * Take on an upstream, or change the one with that id.
 */
void runner_set(struct worker *worker, upstream_id id, const struct runner_change *change, usec_t now);

/*
 * runner_fill(runner, now):
 * As many slots as are wanted: the highest numbers leave, missing ones come.
 */
void runner_fill(struct runner *runner, usec_t now);

/*
 * runner_drop(runner, reason, now):
 * Close all its slots; EVENT_DROPPED follows, unless the worker ends.
 */
void runner_drop(struct runner *runner, enum close_reason reason, usec_t now);

/*
 * runner_free(runner):
 * Drop all it has without a word.  Takes NULL, returns NULL.
 */
struct runner *runner_free(struct runner *runner);

/*
 * runner_judge_files(runner, now):
 * Look at the files of its TLS settings, and tell of one that has changed and cannot be used.
 */
void runner_judge_files(struct runner *runner, usec_t now);

/*
 * runner_watch_files(runner):
 * If a link waits because a file could not be used, look whether a file has changed, and let it try again at once if so.
 * Returns whether there is such a link.  A stat(2) of each file, for such a link alone; nothing else changes.
 */
bool runner_watch_files(struct runner *runner);

/*
 * runner_pause(runner, now), runner_resume(runner), runner_retry(runner), runner_reconnect(runner, rolling, now),
 * runner_retry_load(runner):
 * The commands, to all its slots.
 */
void runner_pause(struct runner *runner, usec_t now);
void runner_resume(struct runner *runner);
void runner_retry(struct runner *runner);
void runner_reconnect(struct runner *runner, bool rolling, usec_t now);
void runner_retry_load(struct runner *runner);

/*
 * runner_roll(runner):
 * If the slot whose turn it is has been renewed, go on with the next.
 */
void runner_roll(struct runner *runner);

/*
 * runner_slot_gone(runner, slot, now):
 * A leaving slot has been closed and told: free it, and the runner with the last of a dropped one.
 */
void runner_slot_gone(struct runner *runner, struct slot *slot, usec_t now);

/*
 * runner_prepare_tls(runner, upstream, now, failure):
 * The load stage for a link that goes by `upstream`.  A warning about stale files is told once, and so is its end.  Returns 0,
 * or a negative errno with `failure` filled.
 */
int runner_prepare_tls(struct runner *runner, const struct upstream *upstream, usec_t now,
		       struct failure *failure);

/*
 * runner_note_left_out(runner, count, now):
 * An attempt had no room for `count` addresses: tell it, unless that is known; 0 after others is the warning's end.
 */
void runner_note_left_out(struct runner *runner, unsigned int count, usec_t now);

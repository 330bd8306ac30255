/*
 * Old snapshot x new snapshot to changes: what a reload does, and to whom.
 */
#pragma once

#include "config/config.h"

enum change_kind {
	CHANGE_KEPT, /* nothing changed; connections stay untouched */
	CHANGE_ADDED,
	CHANGE_CHANGED,	    /* applied in place (timeouts, retry, …) */
	CHANGE_RECONNECTED, /* needs new connections (address, tls, transport, …) */
	CHANGE_REMOVED,
	CHANGE_KIND_COUNT
};

#define CHANGE_KEYS_MAX 96 /* more than an upstream has keys; a test counts them */

struct change {
	enum change_kind kind;
	struct upstream *before;	   /* borrowed from the old snapshot; NULL where added */
	struct upstream *after;		   /* borrowed from the new one; NULL where removed */
	const char *keys[CHANGE_KEYS_MAX]; /* schema paths that differ, e.g. "timeouts.connect"; static */
	unsigned int key_count;
};

struct diff {
	struct change *changes; /* sorted by name */
	size_t count;
	const char *restart_keys[16]; /* changed keys that need a restart, e.g. "workers"; static */
	unsigned int restart_key_count;
	const char *daemon_keys[16]; /* changed keys of the daemon applied in place, e.g. "log.level" */
	unsigned int daemon_key_count;
};

/*
 * config_diff(before, after, ret_diff):
 * Compare.  `before` may be NULL: then everything is added.  The result borrows from both and is ended
 * with diff_done().  A change only of `connections` is CHANGED: links are added or retired.  Returns 0 or -ENOMEM.
 */
int config_diff(const struct config *before, const struct config *after, struct diff *ret_diff);

/*
 * config_share(after, before):
 * Let the fresh snapshot `after`, which nobody else has seen yet, use `before`'s objects for upstreams that are
 * equal, so that a reload of 10,000 upstreams that changes one keeps the memory of one.
 */
void config_share(struct config *after, const struct config *before);

/*
 * config_keep_restart(after, before):
 * Let the fresh snapshot `after`, which nobody else has seen yet, carry on with `before`'s values of the keys that need a restart, so that it
 * says what is in force.  Whoever wants to know that they differ calls config_diff() first.  Returns 0 or -ENOMEM.
 */
int config_keep_restart(struct config *after, const struct config *before);

/*
 * diff_done(diff):
 * Free what it holds.
 */
void diff_done(struct diff *diff);

/*
 * change_kind_name(kind):
 * The wire name: "added", "changed", "reconnected", "removed", "kept".
 */
const char *change_kind_name(enum change_kind kind);

/*
 * The last failures of one upstream, oldest first; a bounded ring that grows only as far as it is used.
 */
#pragma once

#include "core/failure.h"

#define HISTORY_MAX 64 /* failures kept per upstream; the oldest leaves, and is counted */

/* A failure and when it was, as people tell time. */
struct history_entry {
	uint64_t realtime; /* microseconds since 1970, UTC */
	unsigned int link; /* 0: none was concerned */
	struct failure failure;
};

struct history; /* owns the references of its entries */

/*
 * history_new(), history_free(history):
 * An empty history, or NULL for want of memory; history_free() takes NULL and returns NULL.
 */
struct history *history_new(void);
struct history *history_free(struct history *history);

/*
 * history_add(history, realtime, link, failure):
 * Keep a copy of `failure` (with references of its own).  Returns 0, or -ENOMEM (then it is counted as dropped).
 */
int history_add(struct history *history, uint64_t realtime, unsigned int link,
		const struct failure *failure);

/*
 * history_count(history), history_at(history, index), history_dropped(history):
 * How many there are; the one at `index`, 0 being the oldest, borrowed until the next history_add(); how
 * many have left.
 */
unsigned int history_count(const struct history *history);
const struct history_entry *history_at(const struct history *history, unsigned int index);
uint64_t history_dropped(const struct history *history);

/*
 * What main knows, as the types of io.holdfast.Control: each function makes one JSON value, a new reference for
 * the caller, or NULL for want of memory.  What is not known is absent.  Only main's thread.
 */
#pragma once

#include "config/diff.h"
#include "main/model.h"

#include <jansson.h>

/* How instants are told: `epoch` is the realtime, in microseconds since 1970 UTC, of the monotonic clock's zero (it may wrap). */
struct moment {
	usec_t now;
	uint64_t epoch;
};

/*
 * reply_time(realtime):
 * Microseconds since 1970, UTC, as RFC 3339 tells them: "2026-11-22T20:48:01.123456Z".
 */
json_t *reply_time(uint64_t realtime);

/*
 * reply_word(string):
 * Any string (NULL counts as "") as a string of JSON; one that is not UTF-8 comes escaped.
 */
json_t *reply_word(const char *string);

/*
 * reply_upstream(known, moment):
 * The type Upstream, links and all.
 */
json_t *reply_upstream(struct model_upstream *known, const struct moment *moment);

/*
 * reply_failure(name, entry):
 * The type Failure; `name` is the upstream's.
 */
json_t *reply_failure(const char *name, const struct history_entry *entry);

/*
 * reply_event(notice):
 * The type Event.
 */
json_t *reply_event(const struct notice *notice);

/*
 * reply_changes(diff), reply_problems(problems):
 * Lists of the types Change and Problem.
 */
json_t *reply_changes(const struct diff *diff);
json_t *reply_problems(const struct problems *problems);

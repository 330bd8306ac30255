/*
 * The types of io.holdfast.Control as C sees them: every member's type is checked here, once; a member that is missing or of
 * another type makes the whole value unreadable, and members a newer daemon adds are passed over.
 *
 * All pointers are borrowed from the JSON value that was read.  Strings and lists that may be absent are NULL then, numbers -1.
 */
#pragma once

#include "core/upstream.h"

#include <jansson.h>
#include <stdbool.h>

struct view_daemon {
	const char *version, *started, *configured, *health;
	json_int_t pid, upstreams, up, degraded, down, paused, log_lost;
};

struct view_certificate {
	const char *subject, *issuer, *not_before, *not_after, *sha256, *spki_sha256;
	json_t *names;
};

struct view_failure {
	const char *time, *upstream, *code, *class, *stage, *life, *blame, *message, *hint;
	const char *address, *error, *alert, *verify, *evidence; /* may be absent; so may all that follow */
	json_int_t link, attempt, elapsed, retry_in;
	json_t *others, *chain;
};

struct view_tls {
	const char *version, *cipher;
	const char *group, *alpn; /* may be absent */
	bool resumed;
	json_t *chain;
};

struct view_link {
	const char *stage, *since;
	const char *address, *source; /* may be absent */
	json_int_t number, attempt, received, sent;
	json_int_t retry_in, rtt; /* may be absent */
	json_t *timings;
	json_t *tls; /* may be absent */
};

struct view_upstream {
	const char *name, *health, *since;
	json_int_t wanted, ready, lent, reach;
	json_int_t attempts, established, failed, closed;
	json_t *addresses, *links, *warnings, *failures, *closes, *availability;
	json_t *last_failure; /* may be absent */
};

struct view_event {
	const char *time, *kind, *message;
	const char *upstream, *stage, *health, *reason; /* may be absent; so may what follows */
	json_int_t link;
	json_t *failure;
};

#define VIEW_ERROR_MAX JSON_ERROR_TEXT_LENGTH

/*
 * view_daemon(value, ret_view, ret_error), view_certificate(…), view_failure(…), view_tls(…), view_link(…), view_upstream(…), view_event(…):
 * Read a value.  Returns false with the reason in `ret_error` (VIEW_ERROR_MAX bytes; static where it is one) where it is not of
 * that type.
 */
bool view_daemon(json_t *value, struct view_daemon *ret_view, char *ret_error);
bool view_certificate(json_t *value, struct view_certificate *ret_view, char *ret_error);
bool view_failure(json_t *value, struct view_failure *ret_view, char *ret_error);
bool view_tls(json_t *value, struct view_tls *ret_view, char *ret_error);
bool view_link(json_t *value, struct view_link *ret_view, char *ret_error);
bool view_upstream(json_t *value, struct view_upstream *ret_view, char *ret_error);
bool view_event(json_t *value, struct view_event *ret_view, char *ret_error);

/*
 * view_telling(failure):
 * The most telling of a failure's foreign signs: what verification found, the alert, or the error; NULL where there is none.
 */
const char *view_telling(const struct view_failure *failure);

/*
 * view_health(word):
 * The health called `word`, or HEALTH_COUNT.
 */
enum health view_health(const char *word);

/*
 * view_down_status(last_failure):
 * The exit status for an upstream that is down with that last failure (a Failure, or NULL): 11 to 17 by its class; 17 where there
 * is none or its class is unknown.
 */
int view_down_status(json_t *last_failure);

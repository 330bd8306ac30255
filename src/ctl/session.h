/*
 * Talking to the daemon on behalf of a command: whatever goes wrong is said to the user, once, and becomes an exit status.
 */
#pragma once

#include "ctl/client.h"
#include "ctl/verb.h"

/* Long enough for a reload of thousands of upstreams on a busy host. */
#define SESSION_REPLY_TIMEOUT (30 * USEC_PER_SEC)

/*
 * session_open(ctl, ret_client):
 * Connect to the daemon.  Returns 0, or STATUS_NO_DAEMON having said why.
 */
int session_open(const struct ctl *ctl, struct client **ret_client);

/*
 * session_complain(client, error, parameters):
 * Say what an error of the daemon means.  Returns the exit status.  `client` (may be NULL) is asked for the names of upstreams
 * where one was misspelled.
 */
int session_complain(struct client *client, const char *error, const json_t *parameters);

/* What becomes of one reply of a stream: 0 goes on, a positive exit status ends it. */
typedef int (*session_fn)(void *arg, json_t *parameters);

/* Called instead of session_complain() where set: returns the exit status, or -1 to have it said all the same. */
typedef int (*session_error_fn)(void *arg, const char *error);

struct session_call {
	const char *method;
	json_t *parameters; /* consumed; may be NULL */
	bool more;
	usec_t timeout; /* 0: SESSION_REPLY_TIMEOUT */
	session_fn fn;	/* for each reply; its parameters are borrowed */
	session_error_fn on_error;
	void *arg;
};

/*
 * session_call(client, call):
 * Make a call and hand each reply on.  Returns 0, or a positive exit status having said why.
 */
int session_call(struct client *client, const struct session_call *call);

/*
 * session_misread(why):
 * Say that the daemon's answer is not what it should be, which `why` details.  Returns STATUS_ERROR.
 */
int session_misread(const char *why);

/*
 * session_names(arguments):
 * {"names": […]}, or NULL where none was given.  The caller owns it.
 */
json_t *session_names(const struct arguments *arguments);

/*
 * session_print_json(ctl, value, pretty):
 * Print a value and a line's end: indented, or in one line.
 */
void session_print_json(const struct ctl *ctl, const json_t *value, bool pretty);

/*
 * One call of a client, from its first byte understood to its last reply: what a method works with.
 *
 * A method answers at once (call_reply(), call_fail()), or streams (it sets `step`, which is called while there is room), or waits for
 * something to happen.  It never learns of sockets: replies go into the client's output, and the one who runs the call sends them.
 */
#pragma once

#include "main/manager.h"
#include "main/reply_json.h"
#include "main/report.h"
#include "main/varlink.h"

/* What methods act upon; all borrowed. */
struct services {
	struct loop *loop;
	struct manager *manager;
	struct notices *notices;
	struct report *report;
	uint64_t started;    /* realtime of the daemon's start, microseconds */
	uint64_t configured; /* when the configuration in force was put there */
};

enum call_state {
	CALL_STREAMING, /* call_step() wants to be called, while the output has room */
	CALL_WAITING, /* for an event: the host is poked when the state changes or something was said */
	CALL_ENDED,  /* all is said */
	CALL_BROKEN, /* for want of memory an answer is missing: nothing but to hang up is honest */
};

/* Told to whoever runs the call. */
struct call_host {
	/* Whether the caller may change things. */
	bool (*is_admin)(void *arg);
	/* Outside of call_start() and call_step() something was said, or the state has changed. */
	void (*poke)(void *arg);
	void *arg;
};

struct call {
	const struct services *services;
	const struct call_host *host;
	struct varlink_output *output;	/* the client's */
	struct varlink_request request; /* owned */
	enum call_state state;
	bool hang_up; /* once all is sent: the caller is beyond help */
	bool in_text; /* call_text() has begun the reply */
	uint64_t epoch; /* realtime of the monotonic clock's zero, as of the call's start (wraps around) */

	/* Of a stream: the reply that is ready, kept back until it is known whether another follows. */
	json_t *held;
	/* Says or finds the next piece of a stream, or finds that there is none.  A bounded amount of work. */
	void (*step)(struct call *call);
	/* Ends what the method has running and frees `own`; may be NULL. */
	void (*abandon)(struct call *call);
	void *own;
};

/*
 * call_init(call, services, host, output, request):
 * Take over `request`, for output into `output`; everything else is borrowed.  See methods.h: method_start() comes next.
 */
void call_init(struct call *call, const struct services *services, const struct call_host *host,
	       struct varlink_output *output, struct varlink_request *request);

/*
 * call_done(call):
 * End it wherever it is, and free what it holds.  Nothing more is said.
 */
void call_done(struct call *call);

/*
 * call_step(call):
 * Let a call in CALL_STREAMING go on by one piece.
 */
void call_step(struct call *call);

/*
 * call_reply(call, parameters), call_fail(call, error, parameters):
 * The call's only reply; or its error, by full name.  `parameters` is consumed; NULL stands for want of memory and breaks the call.  A one-way
 * call stays silent.  The call has ended.
 */
void call_reply(struct call *call, json_t *parameters);
void call_fail(struct call *call, const char *error, json_t *parameters);

/*
 * call_fail_name(call, error, member, name):
 * call_fail() with one parameter, a string of the caller's or of ours.
 */
void call_fail_name(struct call *call, const char *error, const char *member, const char *name);

/*
 * call_invalid(call, parameter):
 * Fail with InvalidParameter.
 */
void call_invalid(struct call *call, const char *parameter);

/*
 * call_stream(call, step):
 * Go over to CALL_STREAMING.
 */
void call_stream(struct call *call, void (*step)(struct call *call));

/*
 * call_next(call, parameters), call_last(call):
 * One more reply of a stream whose end is not known yet; the stream's end: the reply held goes out as the last one.  There must
 * have been one.
 */
void call_next(struct call *call, json_t *parameters);
void call_last(struct call *call);

/*
 * call_text(call, piece), call_text_end(call):
 * A stream's only reply, with the parameter "text", said piece by piece: a string of JSON, which is consumed (NULL stands for want of memory
 * and breaks the call); then its end, with which the call ends.
 */
void call_text(struct call *call, json_t *piece);
void call_text_end(struct call *call);

/*
 * call_event(call, parameters):
 * One reply of a stream without end.
 */
void call_event(struct call *call, json_t *parameters);

/*
 * call_string(call, name), call_array(call, name):
 * The parameter `name`, whose type has been checked; NULL where it is absent or null.  Borrowed from the request.
 */
const char *call_string(const struct call *call, const char *name);
const json_t *call_array(const struct call *call, const char *name);

/*
 * call_integer(call, name, otherwise), call_flag(call, name):
 * Likewise; `otherwise`, or false, where it is absent or null.
 */
json_int_t call_integer(const struct call *call, const char *name, json_int_t otherwise);
bool call_flag(const struct call *call, const char *name);

/*
 * call_has(call, name):
 * Whether the parameter `name` was given, and is not null.
 */
bool call_has(const struct call *call, const char *name);

/*
 * call_moment(call):
 * This turn's instant, and what tells people the time of another.
 */
struct moment call_moment(const struct call *call);

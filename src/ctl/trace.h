/*
 * One traced attempt over every address of an upstream, without the daemon: names are asked for here, and then each address is
 * tried by itself, all at once, in a worker.
 */
#pragma once

#include "core/input.h"
#include "core/upstream.h"
#include "mailbox/message.h"

/* One question for the addresses of one family. */
struct trace_query {
	const struct target *target; /* what is asked for: a target of the upstream or its proxy; borrowed from the upstream */
	enum family family;
	struct trace *trace;
	struct query *query; /* NULL: it has ended */
	usec_t elapsed;
	unsigned int count; /* 0: failure is set */
	bool partial;	    /* there are, or may be, more */
	struct address addresses[ANSWER_ADDRESSES_MAX];
	char *hosts[ANSWER_ADDRESSES_MAX]; /* of a service: what its records name; owned */
	struct failure failure;
};

/* What became of one address. */
struct trace_attempt {
	const struct target *target; /* borrowed from the upstream */
	const char *host; /* of a service: the host whose address it is; borrowed from the query; or NULL */
	struct address address; /* the target's or, through a proxy, the proxy's */
	bool ended, worked;
	usec_t held_until; /* it is ready, and works if nothing happens until then; 0: it is not */
	usec_t elapsed;	   /* from the beginning to the end of the attempt */
	usec_t timing[STAGE_COUNT]; /* USEC_INFINITY: the stage did not run */
	struct link_status status;  /* of the ready connection, where it worked; owns its chain */
	struct failure failure;	    /* where it did not */
};

struct trace;

/* Who is told how a trace goes on, while it does. */
struct trace_watcher {
	void (*resolved)(void *arg, const struct trace *trace); /* all questions have ended */
	void (*ended)(void *arg, const struct trace *trace, unsigned int attempt); /* in order */
	void *arg;
};

struct trace {
	const struct upstream *upstream;     /* borrowed */
	const struct trace_watcher *watcher; /* borrowed; or NULL */
	unsigned int told;		     /* attempts the watcher has been told of */
	struct trace_query *queries;
	unsigned int query_count;
	struct trace_attempt *attempts;
	unsigned int attempt_count;
	struct loop *loop; /* while it runs; so all that follows */
	struct resolver *resolver;
	struct wakeup *wakeup;
	struct timer *timer; /* of all together */
	struct timer *hold;  /* of the first held_until */
	struct worker *worker;
	usec_t since;
	usec_t due, patience; /* of `timer`: when it fires, and after how long */
	uint64_t seed;	      /* of the order among records of a service */
	bool expired, stopped;
};

/*
 * trace_run(upstream, watcher, ret_trace):
 * Do it; this takes as long as the upstream's timeouts allow.  `watcher`, which may be NULL, is told on the way.  `upstream` must outlive the trace, which the caller ends with
 * trace_done().  Returns 0, or a negative errno where this process could not even begin.
 */
int trace_run(const struct upstream *upstream, const struct trace_watcher *watcher,
	      struct trace *ret_trace);

/*
 * trace_done(trace):
 * Free what it holds.
 */
void trace_done(struct trace *trace);

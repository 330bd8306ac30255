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
	const struct target *target; /* borrowed from the upstream */
	enum family family;
	struct trace *trace;
	struct query *query; /* NULL: it has ended */
	usec_t elapsed;
	unsigned int count; /* 0: failure is set */
	struct address addresses[ANSWER_ADDRESSES_MAX];
	struct failure failure;
};

/* What became of one address. */
struct trace_attempt {
	const struct target *target; /* borrowed from the upstream */
	struct address address;
	bool ended, worked;
	usec_t elapsed;		    /* from the beginning to the end of the attempt */
	usec_t timing[STAGE_COUNT]; /* USEC_INFINITY: the stage did not run */
	struct link_status status;  /* of the ready connection, where it worked; owns its chain */
	struct failure failure;	    /* where it did not */
};

struct trace {
	const struct upstream *upstream; /* borrowed */
	struct trace_query *queries;
	unsigned int query_count;
	struct trace_attempt *attempts;
	unsigned int attempt_count;
	struct loop *loop; /* while it runs; so all that follows */
	struct resolver *resolver;
	struct wakeup *wakeup;
	struct timer *timer;
	struct worker *worker;
	usec_t since;
	bool expired, stopped;
};

/*
 * trace_run(upstream, ret_trace):
 * Do it; this takes as long as the upstream's timeouts allow.  `upstream` must outlive the trace, which the caller ends with
 * trace_done().  Returns 0, or a negative errno where this process could not even begin.
 */
int trace_run(const struct upstream *upstream, struct trace *ret_trace);

/*
 * trace_done(trace):
 * Free what it holds.
 */
void trace_done(struct trace *trace);

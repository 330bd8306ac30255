/*
 * A worker: one thread with a loop, a resolver, TLS contexts, and the links of its upstreams.
 */
#pragma once

#include "mailbox/message.h"

struct worker;

/* Deadlines found this late say that we were held up, not the peers (STYLE.md, habit 15). */
#define WORKER_STALL_LIMIT (500 * USEC_PER_MSEC)

struct worker_setup {
	unsigned int number; /* from 1; names the thread */
	uint64_t seed;	     /* of its generator (sys/entropy in service) */
	struct wakeup *notify; /* poked when there are events, or room for commands again; borrowed; the creator's loop */
};

/*
 * worker_start(setup, ret_worker):
 * Start the thread.  Returns 0 or a negative errno.
 */
int worker_start(const struct worker_setup *setup, struct worker **ret_worker);

/*
 * worker_send(worker, command):
 * Hand over one command and its references.  Returns 0, or -EAGAIN where the queue is full: the caller keeps
 * the command and tries again when notified.  The creator's thread.
 */
int worker_send(struct worker *worker, const struct command *command);

/*
 * worker_receive(worker, ret_event):
 * Take the oldest event, with its references.  Returns false where there is none.  The creator's thread.
 */
bool worker_receive(struct worker *worker, struct event *ret_event);

/*
 * worker_join(worker):
 * After EVENT_STOPPED: wait for the thread's end (at once) and free the worker, with what its queues still
 * hold.  Takes NULL, returns NULL.  The creator's thread.
 */
struct worker *worker_join(struct worker *worker);

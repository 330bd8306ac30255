/*
 * What one worker's thread holds.  For src/worker alone: others see worker.h.
 *
 * A runner keeps one upstream; it has a slot for each connection wanted.  A slot is filled by a driver: a link (the pure
 * machine), and what performs its effects.  All of it belongs to the worker's thread.
 */
#pragma once

#include "base/list.h"
#include "base/prng.h"
#include "sys/network.h"
#include "sys/resolve.h"
#include "worker/outbox.h"
#include "worker/pacer.h"
#include "worker/worker.h"

#include <pthread.h>

struct runner;

/* What comes on an idle connection is read into one buffer for all; also the most that may come unasked. */
#define UNSOLICITED_BYTES_MAX ((size_t)16 * 1024)

struct worker {
	unsigned int number;
	pthread_t thread;
	struct mailbox *commands, *events;
	struct loop *loop;
	struct wakeup *wakeup; /* commands have come, or there is room for events */
	struct post *more;     /* commands are left for the next turn */
	struct timer *tick;
	struct timer *end;   /* once COMMAND_STOP has come: its deadline */
	struct post *chores; /* `dirty` or `loaded` is not empty */
	struct resolver *resolver;
	struct network *network; /* or NULL: this kernel does not tell */
	struct tls_pool *tls_pool;
	struct prng prng;
	struct outbox outbox;
	struct pacer pacer;
	struct runner **runners; /* sorted by id; dropped ones have left it */
	size_t runner_count, runner_size;
	size_t look_next;	     /* the runner that is looked at first at the next tick */
	unsigned int refreshes_left; /* upstreams whose names may still be asked again in this tick */
	struct list drivers;	     /* all of them */
	struct list slots;	     /* all of them */
	struct list leaving;	     /* runners that have been dropped and are not gone yet */
	struct list dirty; /* slots that need a look once the link that was told something has returned */
	struct list replacing; /* slots whose ready connection waits for a successor since a reload */
	struct list starved;   /* slots that lacked memory: looked at again at the next tick */
	struct list loaded; /* drivers whose TLS context is ready: their links are told in the next turn */
	struct list busy;     /* drivers whose connection has carried something lately */
	bool short_of_memory; /* a runner has fewer slots than wanted: seen to at the next tick */
	bool stopping;	      /* COMMAND_STOP has come */
	bool stopped;	      /* nothing is left but to say so */
	unsigned char scratch[UNSOLICITED_BYTES_MAX];
};

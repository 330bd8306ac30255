/*
 * One maintained connection of an upstream, attempt after attempt: a pure state machine.
 *
 * It opens nothing, logs nothing, reads no clock and draws no entropy: inputs and the time come in,
 * effects come out.  Its stages are described in core/stage.h.
 */
#pragma once

#include "base/prng.h"
#include "core/effect.h"
#include "core/input.h"
#include "core/race.h"
#include "core/upstream.h"

struct link {
	const struct upstream *upstream; /* borrowed */
	unsigned int number;		 /* from 1; the log's link= */
	enum stage stage;		 /* written by link_enter() alone */
	usec_t stage_since;
	usec_t stage_deadline; /* of the stage; USEC_INFINITY: none, or of its addresses and queries */
	usec_t attempt_deadline; /* of the whole attempt; USEC_INFINITY outside one */
	usec_t armed;		 /* what EFFECT_ARM_TIMER asked for last; USEC_INFINITY: nothing */
	usec_t attempt_since;
	usec_t asked_since; /* in RESOLVE and CONNECT: when the queries went out last */
	usec_t forgiven_at; /* the last INPUT_STALLED: no deadline counts from an earlier instant */
	uint32_t attempt;   /* counts from 1 after each time the link was ready */
	uint32_t round; /* as attempt, but begun anew only by a stable connection: feeds the backoff */
	usec_t retry_at; /* in BACKOFF: when it ends */
	usec_t rtt;	 /* of the connection, as measured before SETTLE; 0: unknown */
	usec_t ready_since, active_since; /* in READY: since when; when data last came, or as ready_since */
	unsigned int spread; /* thousandths taken off the lifetime and the probes' interval, drawn for each connection */
	bool received;	      /* the application has spoken on this connection */
	bool verdict_pending; /* the server asked for our certificate: SETTLE applies */
	bool probing;	      /* in READY: a probe is out */
	bool probe_late; /* it has been counted as a failure already, for its answer has not come in time */
	usec_t probe_since; /* in READY: when it was sent, or last found to be unanswered; else when the last one ended */
	unsigned int probe_failures; /* in READY: probes failed in a row, as told */
	enum family broken;	     /* the family told last to be broken; FAMILY_ANY: none */
	uint64_t resolve_seed;	     /* of this attempt: the order among records of one priority */
	bool renewing;		     /* EFFECT_RENEW has been given */
	bool held;		     /* the last attempt ended as local.offline; already told */
	bool fresh;		     /* the next attempt asks names afresh */
	bool next_paused, next_stop; /* where CLOSING leads */
	enum close_reason reason;    /* of CLOSING */
	struct address peer;	    /* of the connection, while there is one; else the last one's */
	unsigned int target;	    /* whose address `peer` is */
	int winner;		    /* candidate of the connection; -1: none */
	usec_t timing[STAGE_COUNT]; /* durations in the last attempt; USEC_INFINITY: did not run */
	struct race race;
	struct failure failure; /* of the address that got furthest so far in this attempt; what EFFECT_REPORT shows */
	struct failure lost; /* the latest; what EFFECT_LOST_ADDRESS shows */
	struct prng prng;
};

/*
 * link_new(upstream, number, seed):
 * Create the link that fills slot `number` (from 1) of `upstream`, in STAGE_IDLE.  `upstream` is borrowed
 * and must outlive the link, or be replaced by INPUT_POLICY.  `seed` starts its jitter and order.  The
 * caller owns the result and ends it with link_free(); NULL means no memory.
 */
struct link *link_new(const struct upstream *upstream, unsigned int number, uint64_t seed);

/*
 * link_free(link):
 * Free the link; takes NULL, returns NULL.  It has no effects: what is open must have been discarded
 * (after EFFECT_ENDED, or in IDLE, BACKOFF or PAUSED there is nothing).
 */
struct link *link_free(struct link *link);

/*
 * link_step(link, input, now, ret_effects):
 * Tell the link one thing at the instant `now` (monotonic, never earlier than in the step before) and
 * get what is to be done, in order.  `ret_effects` is emptied first.  An input that makes no sense in the
 * present stage (a completion that crossed with a cancellation cannot occur: cancelling is synchronous)
 * is a defect and aborts; commands are legal in every stage.
 */
void link_step(struct link *link, const struct input *input, usec_t now, struct effects *ret_effects);

/*
 * link_retry_delay(link, now):
 * Time until the next attempt, or USEC_INFINITY where none is planned.
 */
usec_t link_retry_delay(const struct link *link, usec_t now);

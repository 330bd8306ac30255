/*
 * All a link can ask for.  The worker's driver performs them in order; none may call back into the link
 * before link_step() has returned (completions are posted).
 */
#pragma once

#include "base/usec.h"
#include "core/address.h"
#include "core/close_reason.h"
#include "core/failure.h"
#include "core/stage.h"

enum effect_kind {
	EFFECT_LOAD, /* prepare the TLS context; answer with LOADED or FAILED */
	EFFECT_RESOLVE, /* .resolve: ask for one family of one target; answer with ANSWERED, once each */
	EFFECT_CONNECT,	  /* .connect: open a socket towards an address in a slot of the race */
	EFFECT_ABANDON,	  /* .slot: close that socket of the race at once */
	EFFECT_ADOPT,	  /* .slot: that socket has won; it is the link's connection now */
	EFFECT_HANDSHAKE, /* begin TLS on the connection; answer with SECURED or FAILED */
	EFFECT_SETTLE,	/* read for the verdict on our certificate; answer with SETTLED or FAILED */
	EFFECT_HOLD,	/* keep the connection read-armed; answer with RECEIVED or FAILED */
	EFFECT_CLOSE,	/* close the connection in order (close_notify); answer with CLOSED */
	EFFECT_DISCARD, /* drop all there is at once: queries, race, connection; no answer */
	EFFECT_CANCEL_QUERIES, /* forget what is still with the resolver */
	EFFECT_STAGE,	       /* the link has entered link->stage: tell main */
	EFFECT_REPORT,	       /* .failure: tell main, once for each ended attempt or connection */
	EFFECT_LOST_ADDRESS, /* .failure: an address failed in an attempt that goes on; debug and counters only */
	EFFECT_REPORT_CLOSE, /* .reason: a ready connection has ended for a reason that is no failure */
	EFFECT_RENEW, /* .reason: lifetime or idle_limit is due: make a successor, then STOP this one */
	EFFECT_ARM_TIMER, /* .deadline: (re)arm the link's one timer; USEC_INFINITY: disarm */
	EFFECT_ENDED,	  /* after INPUT_STOP: nothing is open any more, the link may be freed */
	EFFECT_COUNT
};

struct effect {
	enum effect_kind kind;
	union {
		struct {
			unsigned int target;
			enum family family;
			bool fresh; /* do not answer from a cache */
		} resolve;
		struct {
			unsigned int slot;
			struct address address;
			unsigned int target; /* whose address it is (for the name to verify) */
		} connect;
		unsigned int slot;
		const struct failure *failure; /* the link's; valid until its next step */
		enum close_reason reason;
		usec_t deadline;
	};
};

/* Enough for the fullest step: all queries of all targets, or a whole race abandoned, and the report. */
#define EFFECTS_MAX 64

struct effects {
	unsigned int count;
	struct effect at[EFFECTS_MAX];
};

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
	EFFECT_CONNECT, /* .connect: open a socket towards an address in a slot of the race */
	EFFECT_ABANDON, /* .slot: close that socket of the race at once */
	EFFECT_ADOPT,	/* .slot: that socket has won; it is the link's connection now */
	EFFECT_PROXY, /* hold the proxy's dialogue (core/proxy) over the connection; answer with PASSED or FAILED */
	EFFECT_STARTTLS,  /* likewise core/starttls */
	EFFECT_PROBE,	  /* likewise core/probe; while READY also with PROBE_FAILED */
	EFFECT_HANDSHAKE, /* begin TLS on the connection; answer with SECURED or FAILED */
	EFFECT_SETTLE, /* read for the verdict on our certificate; answer with SETTLED or FAILED */
	EFFECT_HOLD,   /* keep the connection read-armed; answer with RECEIVED or FAILED */
	EFFECT_CLOSE, /* close the connection in order (close_notify), a probe that is out being dropped; answer with CLOSED */
	EFFECT_DISCARD,	       /* drop all there is at once: queries, race, connection; no answer */
	EFFECT_CANCEL_QUERIES, /* forget what is still with the resolver */
	EFFECT_STAGE,	       /* the link has entered link->stage: tell main */
	EFFECT_REPORT,	       /* .failure: tell main, once for each ended attempt or connection */
	EFFECT_LOST_ADDRESS, /* .failure: an address failed in an attempt that goes on; debug and counters only */
	EFFECT_FAMILY, /* .broken: what the race that has been won says of the families; told each time there were both */
	EFFECT_PROBING, /* .probing: a probe of the ready connection has failed; or that is over; a warning */
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
			uint64_t seed; /* of the order among SRV records of one priority; the same for both families */
		} resolve;
		struct {
			unsigned int slot;
			struct address address;
			unsigned int target; /* whose address it is (for the name to verify) */
		} connect;
		unsigned int slot;
		const struct failure *failure; /* the link's; valid until its next step */
		struct {
			enum family family; /* that is broken, while the other one works; FAMILY_ANY: none was seen to be */
			enum family over; /* where family is FAMILY_ANY: whose warning is over, if there was one: it has
					   * won, or has no address any more.  Of the other one nothing is said */
			const struct failure *failure; /* of its last address; NULL: it did not answer */
		} broken;
		struct {
			unsigned int count; /* probes failed in a row; 0: one has passed again, or the connection has ended */
			const struct failure *failure; /* the last one's; NULL where count is 0 */
		} probing;
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

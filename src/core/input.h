/*
 * All a link can be told.  The worker turns completions, timers and commands into these.
 */
#pragma once

#include "base/usec.h"
#include "core/address.h"
#include "core/close_reason.h"
#include "core/failure.h"

#include <stdbool.h>

#define ANSWER_ADDRESSES_MAX 16 /* addresses used of one answer; more are left out */

enum input_kind {
	INPUT_START,	   /* make the first attempt, now */
	INPUT_LOADED,	   /* EFFECT_LOAD succeeded */
	INPUT_ANSWERED,	   /* .answer: one query of EFFECT_RESOLVE has ended, well or badly */
	INPUT_CONNECTED,   /* .slot: that socket of the race is connected */
	INPUT_UNCONNECTED, /* .slot, .failure: that socket of the race has failed */
	INPUT_PASSED, /* the dialogue of PROXY, STARTTLS or PROBE, or of a probe in READY, has ended well */
	INPUT_PROBE_FAILED, /* .failure: a probe in READY was answered, but not as it should be; the connection is whole */
	INPUT_SECURED, /* .secured: the handshake is done and the peer verified */
	INPUT_SETTLED, /* the server has accepted our certificate: a ticket or data came */
	INPUT_FAILED,  /* .failure: loading, or the one connection (PROXY to READY) has ended */
	INPUT_RECEIVED, /* .bytes: data came on a ready connection (feeds idle_limit and reset-early) */
	INPUT_DEADLINE, /* .failure: the armed timer has fired; what that means for a dialogue that is going on; NULL: none is */
	INPUT_STALLED,	/* this process was held up: deadlines that passed prove nothing */
	INPUT_ONLINE,	/* this host has a network again */
	INPUT_RETRY,	/* an administrator: end the backoff now, ask names afresh */
	INPUT_RECONNECT, /* an administrator: replace the connection by a fresh one */
	INPUT_PAUSE,	 /* close, and make no attempts */
	INPUT_RESUME,	 /* end the pause with an attempt */
	/* .upstream: the policy was changed in place; nothing needs a new connection.  Where it wants no probe any more (PROBE_NONE)
	 * the driver drops the probe's dialogue before it tells, in PROBE as in READY: the link waits for none. */
	INPUT_POLICY,
	INPUT_STOP,   /* .reason: close for good; the link ends in IDLE with EFFECT_ENDED */
	INPUT_CLOSED, /* what EFFECT_CLOSE began is done, or the transport has ended anyhow */
	INPUT_COUNT
};

/* What one query brought: all addresses of one family of one target. */
struct answer {
	unsigned int target;				/* index in upstream->targets */
	enum family family;				/* FAMILY_IPV4 or FAMILY_IPV6 */
	unsigned int count;				/* 0: .failure says why */
	struct address addresses[ANSWER_ADDRESSES_MAX]; /* with the target's port, or the SRV record's */
	unsigned int rank[ANSWER_ADDRESSES_MAX]; /* of a service: place of its record among all, 0 the first; else 0 */
	unsigned int left_out;	       /* further addresses, for which `addresses` has no room */
	const struct failure *failure; /* borrowed during the step; NULL where count > 0 */
};

struct secured {
	usec_t rtt;	      /* the handshake's own measurement or TCP_INFO's; 0: unknown */
	bool verdict_pending; /* TLS 1.3 and the server asked for a certificate: settle first */
};

struct input {
	enum input_kind kind;
	union {
		const struct answer *answer; /* borrowed during the step */
		unsigned int slot;	     /* of the race, 0 to RACE_MAX - 1 (CONNECTED) */
		struct {
			unsigned int slot;
			const struct failure *failure;
		} unconnected;
		struct secured secured;
		const struct failure *failure; /* borrowed during the step; the link copies it */
		size_t bytes;
		const struct upstream *upstream; /* the new one; the link's owner keeps it referenced, and
						  * the one before until this step has returned */
		enum close_reason reason;
	};
};

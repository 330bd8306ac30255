/*
 * Happy Eyeballs (RFC 8305), pure: which address is tried next, and when.
 *
 * Candidates come in as queries are answered; the best-ranked untried one goes next: targets in their
 * order, within a service its records in theirs (RFC 2782), families interleaved within a target and record
 * (IPv6 first, section 4), the addresses of one family as they came or shuffled, a lately bad address last.
 */
#pragma once

#include "base/prng.h"
#include "base/usec.h"
#include "core/address.h"
#include "core/failure.h"
#include "core/input.h"
#include "core/policy.h"

#include <stdbool.h>

#define RACE_MAX	    8 /* sockets at once; when all are taken the pacing waits for one to end */
#define RACE_CANDIDATES_MAX 16 /* addresses of one attempt; more are left out and counted */

enum candidate_state {
	CANDIDATE_UNTRIED,
	CANDIDATE_CONNECTING, /* has a slot */
	CANDIDATE_CONNECTED,  /* has won the race: its connection is the link's */
	CANDIDATE_FAILED,     /* .code and .error say why */
};

struct candidate {
	struct address address;
	unsigned int target;
	unsigned int rank; /* of a service: its record's place; else 0 */
	uint64_t lot; /* with ORDER_RANDOM: its place among those that nothing else tells apart; else 0 */
	enum candidate_state state;
	unsigned int slot;	/* while CONNECTING */
	usec_t started_at;	/* once it was started: since when it connects */
	enum failure_code code; /* once FAILED, as all below: what, where, when, and how long it took */
	enum stage reached;
	usec_t failed_at, elapsed;
	int error;
	char error_name[FAILURE_ERROR_MAX];
};

struct race_setup {
	unsigned int target_count;
	enum order order;
	bool proxied; /* all targets are reached at the same addresses: each is a candidate once for each target */
};

struct race {
	struct candidate candidates[RACE_CANDIDATES_MAX];
	unsigned int candidate_count;
	unsigned int left_out;		/* addresses there was no room for, here or in an answer */
	int slot[RACE_MAX];		/* candidate in each slot, or -1 */
	unsigned int rank[TARGETS_MAX]; /* place of each target in this attempt's order */
	uint32_t pending;		/* queries not answered yet: bit 2 * target, + 1 for IPv6 */
	uint32_t unasked;	/* likewise, those cancelled because the race was won meanwhile */
	usec_t first_answer_at; /* when the first address came; USEC_INFINITY: none yet */
	usec_t pacing_deadline; /* not before it does the next one join; 0: at once */
	int last_family;	/* of the last one started: the other family is next */
	bool proxied;
	enum order order;
	struct prng lots;	     /* with ORDER_RANDOM */
	struct address shunned;	     /* failed lately: tried last */
	unsigned int shunned_target; /* which one it led to */
};

/* What a race says of the families at the instant it is won. */
struct race_families {
	enum family winner; /* FAMILY_ANY: a Unix socket, which is of none */
	bool both;	    /* there are candidates of the other one */
	bool broken;	    /* the other one is: see race_families() */
	const struct candidate *last; /* where broken: that one's last candidate; FAILED, or else it did not answer */
};

/*
 * race_init(race, setup, prng):
 * Begin an attempt: no candidates, no queries; targets ranked as listed, or shuffled for ORDER_RANDOM.
 * Keeps race->shunned and race->shunned_target.
 */
void race_init(struct race *race, const struct race_setup *setup, struct prng *prng);

/*
 * race_expect(race, target, family):
 * Note that a query is out, so that a worse-ranked address waits RESOLUTION_DELAY for its answer.
 */
void race_expect(struct race *race, unsigned int target, enum family family);

/*
 * race_add(race, target, rank, address, now):
 * Add one candidate, unless it is there already (the better rank counts) or there is no room (then it is counted).
 */
void race_add(struct race *race, unsigned int target, unsigned int rank,
	      const struct address *address, usec_t now);

/*
 * race_leave_out(race, count):
 * Note that an answer had `count` more addresses than it could bring.
 */
void race_leave_out(struct race *race, unsigned int count);

/*
 * race_answered(race, target, family):
 * Note that a query has ended (its addresses having been added before).
 */
void race_answered(struct race *race, unsigned int target, enum family family);

/*
 * race_next(race, now, ret_slot):
 * If a candidate may start at `now`, take the best one, give it a free slot, set the pacing deadline and
 * return its index; otherwise -1 (*ret_slot untouched).
 */
int race_next(struct race *race, usec_t now, unsigned int *ret_slot);

/*
 * race_deadline(race):
 * When race_next() should be asked again, or USEC_INFINITY where only an event can change anything.
 */
usec_t race_deadline(const struct race *race);

/*
 * race_lost(race, slot, failure):
 * The socket in `slot` has failed: free the slot, mark the candidate FAILED, and let the next one start at once.
 * Of `failure` the code, stage, at, elapsed and the foreign number are copied.
 */
void race_lost(struct race *race, unsigned int slot, const struct failure *failure);

/*
 * race_families(race, slot, now, ret_families):
 * What the race says of the families, the socket in `slot` having connected at `now`; to be asked before race_won() is told.  The
 * other family is broken where it was tried, and each of its candidates that was has failed, or has been waiting for
 * RACE_PACING_DELAY and for four times as long as the winner needed.  No sign is what failed for this host's own reasons or for want of
 * a route (a host without IPv6 is as it should be), nor what failed at a target and record where the winner's family has failed too:
 * that host is down.  Behind a proxy's verdict it is no matter of families any more.
 */
void race_families(const struct race *race, unsigned int slot, usec_t now,
		   struct race_families *ret_families);

/*
 * race_won(race, slot):
 * The socket in `slot` has connected: free all slots; the other ones still connecting are UNTRIED again,
 * and the queries still out are noted as unasked.  Returns the winner's candidate index.  The caller abandons
 * the other sockets and cancels the queries.
 */
unsigned int race_won(struct race *race, unsigned int slot);

/*
 * race_fail(race, candidate, failure):
 * A winner has failed later on (proxy to probe): mark it FAILED, as race_lost() does.
 */
void race_fail(struct race *race, unsigned int candidate, const struct failure *failure);

/*
 * race_shun(race, address, target):
 * `address`, on the way to `target`, is tried last from now on; an unset one: none is.
 */
void race_shun(struct race *race, const struct address *address, unsigned int target);

/*
 * race_ask_again(race, ret_target, ret_family):
 * Take one of the queries that were cancelled when the race was won, and expect its answer again: the
 * winner has failed later on.  Returns false where there is none.
 */
bool race_ask_again(struct race *race, unsigned int *ret_target, enum family *ret_family);

/*
 * race_is_over(race):
 * Whether nothing is connecting, nothing is untried, and no query is out.
 */
bool race_is_over(const struct race *race);

/*
 * race_has_untried(race):
 * Whether an address is left to try, or a query is still out or can be asked again.
 */
bool race_has_untried(const struct race *race);

/*
 * race_others(race, except, ret_list, max):
 * Write the FAILED candidates other than `except` (unset: none) into `ret_list`; returns how many.  Through a proxy, where targets
 * have their addresses in common, only the one at `except` that got furthest (the last, where equal) is left out.
 */
unsigned int race_others(const struct race *race, const struct address *except,
			 struct address_failure *ret_list, unsigned int max);

/*
 * Happy Eyeballs (RFC 8305), pure: which address is tried next, and when.
 *
 * Candidates come in as queries are answered; the best-ranked untried one goes next: targets in their
 * order, families interleaved within a target (IPv6 first, section 4), a lately bad address last.
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
	enum candidate_state state;
	unsigned int slot;	/* while CONNECTING */
	usec_t started_at;	/* once it was started: since when it connects */
	enum failure_code code; /* once FAILED */
	char error[FAILURE_ERROR_MAX];
};

struct race {
	struct candidate candidates[RACE_CANDIDATES_MAX];
	unsigned int candidate_count;
	unsigned int left_out;		/* candidates there was no room for */
	int slot[RACE_MAX];		/* candidate in each slot, or -1 */
	unsigned int rank[TARGETS_MAX]; /* place of each target in this attempt's order */
	uint32_t pending;		/* queries not answered yet: bit 2 * target, + 1 for IPv6 */
	uint32_t unasked;	/* likewise, those cancelled because the race was won meanwhile */
	usec_t first_answer_at; /* when the first address came; USEC_INFINITY: none yet */
	usec_t pacing_deadline; /* not before it does the next one join; 0: at once */
	int last_family;	/* of the last one started: the other family is next */
	struct address shunned; /* failed lately: tried last */
};

/*
 * race_init(race, target_count, order, prng):
 * Begin an attempt: no candidates, no queries; targets ranked as listed, or shuffled for ORDER_RANDOM.
 * Keeps race->shunned.
 */
void race_init(struct race *race, unsigned int target_count, enum order order, struct prng *prng);

/*
 * race_expect(race, target, family):
 * Note that a query is out, so that a worse-ranked address waits RESOLUTION_DELAY for its answer.
 */
void race_expect(struct race *race, unsigned int target, enum family family);

/*
 * race_add(race, target, address, now):
 * Add one candidate, unless it is there already or there is no room (then it is counted).
 */
void race_add(struct race *race, unsigned int target, const struct address *address, usec_t now);

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
 * race_lost(race, slot, code, error):
 * The socket in `slot` has failed: free the slot, mark the candidate FAILED, and let the next one start at once.
 */
void race_lost(struct race *race, unsigned int slot, enum failure_code code, const char *error);

/*
 * race_won(race, slot):
 * The socket in `slot` has connected: free all slots; the other ones still connecting are UNTRIED again,
 * and the queries still out are noted as unasked.  Returns the winner's candidate index.  The caller abandons
 * the other sockets and cancels the queries.
 */
unsigned int race_won(struct race *race, unsigned int slot);

/*
 * race_fail(race, candidate, code, error):
 * A winner has failed later on (handshake, settle): mark it FAILED.
 */
void race_fail(struct race *race, unsigned int candidate, enum failure_code code, const char *error);

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
 * Write the FAILED candidates other than `except` (unset: none) into `ret_list`; returns how many.
 */
unsigned int race_others(const struct race *race, const struct address *except,
			 struct address_failure *ret_list, unsigned int max);

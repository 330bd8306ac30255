#include "core/race.h"

#include "base/must.h"
#include "base/text.h"

#include <assert.h>
#include <string.h>

/* Whoever has been silent for so many times what another one needed for an answer is not merely slower. */
#define SILENCE_FACTOR 4

static_assert(2 * TARGETS_MAX <= 32, "a query of each family of each target has a bit");

static uint32_t
query_bit(unsigned int target, enum family family)
{
	must(target < TARGETS_MAX && family != FAMILY_ANY);
	return UINT32_C(1) << (2 * target + (family == FAMILY_IPV6));
}

/* Fisher and Yates. */
static void
shuffle(unsigned int *rank, unsigned int count, struct prng *prng)
{
	for (unsigned int i = count; i > 1; i--) {
		unsigned int j = (unsigned int)prng_below(prng, i), kept = rank[i - 1];

		rank[i - 1] = rank[j];
		rank[j] = kept;
	}
}

void
race_init(struct race *race, const struct race_setup *setup, struct prng *prng)
{
	must(setup->target_count <= TARGETS_MAX);
	race->candidate_count = race->left_out = 0;
	race->pending = race->unasked = 0;
	race->first_answer_at = USEC_INFINITY;
	race->pacing_deadline = 0;
	race->last_family = AF_UNSPEC;
	race->proxied = setup->proxied;
	race->order = setup->order;
	for (unsigned int i = 0; i < RACE_MAX; i++)
		race->slot[i] = -1;
	for (unsigned int i = 0; i < TARGETS_MAX; i++)
		race->rank[i] = i;
	if (setup->order == ORDER_RANDOM) {
		shuffle(race->rank, setup->target_count, prng);
		prng_init(&race->lots, prng_next(prng));
	}
}

void
race_expect(struct race *race, unsigned int target, enum family family)
{
	race->pending |= query_bit(target, family);
}

/* Whether `candidate` is what `address` on the way to `target` would be. */
static bool
is_same(const struct race *race, const struct candidate *candidate, const struct address *address,
	unsigned int target)
{
	return address_equal(&candidate->address, address) &&
	       (!race->proxied || candidate->target == target);
}

static struct candidate *
find_known(struct race *race, const struct address *address, unsigned int target)
{
	for (unsigned int i = 0; i < race->candidate_count; i++) {
		if (is_same(race, &race->candidates[i], address, target))
			return &race->candidates[i];
	}
	return NULL;
}

void
race_add(struct race *race, unsigned int target, unsigned int rank, const struct address *address,
	 usec_t now)
{
	struct candidate *candidate = find_known(race, address, target);

	must(target < TARGETS_MAX);
	race->first_answer_at = usec_min(race->first_answer_at, now);
	if (candidate) {
		if (candidate->target == target && rank < candidate->rank)
			candidate->rank = rank;
		return;
	}
	if (race->candidate_count == RACE_CANDIDATES_MAX) {
		race->left_out++;
		return;
	}
	candidate = &race->candidates[race->candidate_count++];
	*candidate = (struct candidate){ .address = *address, .target = target, .rank = rank };
	if (race->order == ORDER_RANDOM)
		candidate->lot = prng_next(&race->lots);
}

void
race_leave_out(struct race *race, unsigned int count)
{
	race->left_out += count;
}

void
race_answered(struct race *race, unsigned int target, enum family family)
{
	race->pending &= ~query_bit(target, family);
}

static bool
is_shunned(const struct race *race, const struct candidate *candidate)
{
	return is_same(race, candidate, &race->shunned, race->shunned_target);
}

/* Whether `a` goes before `b`, which was added earlier. */
static bool
goes_first(const struct race *race, const struct candidate *a, const struct candidate *b)
{
	bool a_shunned = is_shunned(race, a), b_shunned = is_shunned(race, b);
	bool a_ipv6 = address_is_ipv6(&a->address), b_ipv6 = address_is_ipv6(&b->address);

	if (a_shunned != b_shunned)
		return b_shunned;
	if (race->rank[a->target] != race->rank[b->target])
		return race->rank[a->target] < race->rank[b->target];
	if (a->rank != b->rank)
		return a->rank < b->rank;
	if (a_ipv6 != b_ipv6)
		return a_ipv6 == (race->last_family != AF_INET6);
	return a->lot < b->lot;
}

static int
best_untried(const struct race *race)
{
	int best = -1;

	for (unsigned int i = 0; i < race->candidate_count; i++) {
		const struct candidate *candidate = &race->candidates[i];

		if (candidate->state == CANDIDATE_UNTRIED &&
		    (best < 0 || goes_first(race, candidate, &race->candidates[best])))
			best = (int)i;
	}
	return best;
}

static int
free_slot(const struct race *race)
{
	for (unsigned int i = 0; i < RACE_MAX; i++) {
		if (race->slot[i] < 0)
			return (int)i;
	}
	return -1;
}

/*
 * The queries whose answers `candidate` waits for: of better targets, and AAAA of its own; both of its own where a better record
 * may have addresses of either family.
 */
static uint32_t
awaited(const struct race *race, const struct candidate *candidate)
{
	uint32_t queries = 0;

	for (unsigned int i = 0; i < TARGETS_MAX; i++) {
		if (race->rank[i] < race->rank[candidate->target])
			queries |= query_bit(i, FAMILY_IPV4) | query_bit(i, FAMILY_IPV6);
	}
	if (!address_is_ipv6(&candidate->address) || candidate->rank > 0)
		queries |= query_bit(candidate->target, FAMILY_IPV6);
	if (candidate->rank > 0)
		queries |= query_bit(candidate->target, FAMILY_IPV4);
	return queries & race->pending;
}

/* When the best untried candidate may start, as far as time decides it; USEC_INFINITY where nothing can. */
static usec_t
start_at(const struct race *race, int best)
{
	if (best < 0 || free_slot(race) < 0)
		return USEC_INFINITY;
	if (awaited(race, &race->candidates[best]) == 0)
		return race->pacing_deadline;
	return usec_max(race->pacing_deadline, usec_add(race->first_answer_at, RESOLUTION_DELAY));
}

int
race_next(struct race *race, usec_t now, unsigned int *ret_slot)
{
	int best = best_untried(race), slot = free_slot(race);
	struct candidate *candidate;

	if (start_at(race, best) > now)
		return -1;
	must(best >= 0 && slot >= 0);
	candidate = &race->candidates[best];
	candidate->state = CANDIDATE_CONNECTING;
	candidate->slot = (unsigned int)slot;
	candidate->started_at = now;
	race->slot[slot] = best;
	race->last_family = candidate->address.sa.sa_family;
	race->pacing_deadline = usec_add(now, RACE_PACING_DELAY);
	*ret_slot = (unsigned int)slot;
	return best;
}

usec_t
race_deadline(const struct race *race)
{
	return start_at(race, best_untried(race));
}

void
race_lost(struct race *race, unsigned int slot, const struct failure *failure)
{
	int index;

	must(slot < RACE_MAX && race->slot[slot] >= 0);
	index = race->slot[slot];
	race->slot[slot] = -1;
	race_fail(race, (unsigned int)index, failure);
}

unsigned int
race_won(struct race *race, unsigned int slot)
{
	int winner;

	must(slot < RACE_MAX && race->slot[slot] >= 0);
	winner = race->slot[slot];
	for (unsigned int i = 0; i < RACE_MAX; i++) {
		if (race->slot[i] >= 0)
			race->candidates[race->slot[i]].state = CANDIDATE_UNTRIED;
		race->slot[i] = -1;
	}
	race->candidates[winner].state = CANDIDATE_CONNECTED;
	race->unasked = race->pending;
	race->pending = 0;
	race->pacing_deadline = 0;
	return (unsigned int)winner;
}

void
race_fail(struct race *race, unsigned int candidate, const struct failure *failure)
{
	struct candidate *failed = &race->candidates[candidate];

	must(candidate < race->candidate_count);
	failed->state = CANDIDATE_FAILED;
	failed->code = failure->code;
	failed->reached = failure->stage;
	failed->failed_at = failure->at;
	failed->elapsed = failure->elapsed;
	failed->error = failure->error;
	text_copy(failed->error_name, sizeof(failed->error_name), failure->error_name);
	race->pacing_deadline = 0;
}

void
race_shun(struct race *race, const struct address *address, unsigned int target)
{
	race->shunned = *address;
	race->shunned_target = target;
}

bool
race_ask_again(struct race *race, unsigned int *ret_target, enum family *ret_family)
{
	unsigned int bit;

	if (race->unasked == 0)
		return false;
	bit = (unsigned int)__builtin_ctz(race->unasked);
	race->unasked &= race->unasked - 1;
	*ret_target = bit / 2;
	*ret_family = bit % 2 ? FAMILY_IPV6 : FAMILY_IPV4;
	race_expect(race, *ret_target, *ret_family);
	return true;
}

static bool
is_connecting(const struct race *race)
{
	for (unsigned int i = 0; i < RACE_MAX; i++) {
		if (race->slot[i] >= 0)
			return true;
	}
	return false;
}

bool
race_is_over(const struct race *race)
{
	return !is_connecting(race) && best_untried(race) < 0 && race->pending == 0;
}

bool
race_has_untried(const struct race *race)
{
	return best_untried(race) >= 0 || race->pending != 0 || race->unasked != 0;
}

/* Whether the failure of `a` told more than that of `b`, or as much but later. */
static bool
got_further(const struct candidate *a, const struct candidate *b)
{
	return a->reached != b->reached ? a->reached > b->reached : a->failed_at >= b->failed_at;
}

/* Of the candidates that failed at `address`: whether `candidate` is the one that got furthest. */
static bool
is_furthest(const struct race *race, const struct candidate *candidate, const struct address *address)
{
	const struct candidate *furthest = NULL;

	for (unsigned int i = 0; i < race->candidate_count; i++) {
		const struct candidate *other = &race->candidates[i];

		if (other->state == CANDIDATE_FAILED && address_equal(&other->address, address) &&
		    (!furthest || got_further(other, furthest)))
			furthest = other;
	}
	return candidate == furthest;
}

static bool
is_except(const struct race *race, const struct candidate *candidate, const struct address *except)
{
	if (race->proxied)
		return is_furthest(race, candidate, except);
	return address_equal(&candidate->address, except);
}

unsigned int
race_others(const struct race *race, const struct address *except, struct address_failure *ret_list,
	    unsigned int max)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < race->candidate_count && count < max; i++) {
		const struct candidate *candidate = &race->candidates[i];

		if (candidate->state != CANDIDATE_FAILED || is_except(race, candidate, except))
			continue;
		ret_list[count] = (struct address_failure){ .address = candidate->address,
							    .code = candidate->code };
		text_copy(ret_list[count].error, sizeof(ret_list[count].error), candidate->error_name);
		count++;
	}
	return count;
}

/* ---- families --------------------------------------------------------------------------------------- */

enum sign {
	SIGN_NONE,   /* says nothing of its family */
	SIGN_OPEN,   /* may yet connect */
	SIGN_BROKEN, /* has failed, or does not answer */
};

static enum family
family_of(const struct candidate *candidate)
{
	switch (candidate->address.sa.sa_family) {
	case AF_INET: return FAMILY_IPV4;
	case AF_INET6: return FAMILY_IPV6;
	default: return FAMILY_ANY;
	}
}

/* The winner has needed `took`. */
static enum sign
sign_of(const struct race *race, const struct candidate *candidate, usec_t took, usec_t now)
{
	usec_t waits = usec_sub(now, candidate->started_at);

	switch (candidate->state) {
	case CANDIDATE_CONNECTING:
		return waits >= usec_max(RACE_PACING_DELAY, SILENCE_FACTOR * took) ? SIGN_BROKEN :
										     SIGN_OPEN;
	case CANDIDATE_FAILED:
		if (address_is_local(&candidate->address))
			return SIGN_NONE; /* "localhost", and nobody listens at ::1: the family is well */
		if (failure_blame(candidate->code) == BLAME_LOCAL ||
		    candidate->code == FAILURE_CONNECTION_NETWORK_UNREACHABLE ||
		    (race->proxied && candidate->reached > STAGE_CONNECT))
			return SIGN_NONE;
		return SIGN_BROKEN;
	default: return SIGN_NONE;
	}
}

static bool
is_same_host(const struct candidate *a, const struct candidate *b)
{
	return a->target == b->target && a->rank == b->rank;
}

/* Whether the winner's family has failed, too, where `candidate` leads to. */
static bool
is_down(const struct race *race, const struct candidate *candidate, const struct candidate *winner,
	usec_t now)
{
	usec_t took = usec_sub(now, winner->started_at);

	if (is_same_host(candidate, winner))
		return false;
	for (unsigned int i = 0; i < race->candidate_count; i++) {
		const struct candidate *other = &race->candidates[i];

		if (is_same_host(candidate, other) && family_of(other) == family_of(winner) &&
		    sign_of(race, other, took, now) == SIGN_BROKEN)
			return true;
	}
	return false;
}

void
race_families(const struct race *race, unsigned int slot, usec_t now, struct race_families *ret_families)
{
	struct race_families families = { 0 };
	const struct candidate *winner;
	bool open = false;

	must(slot < RACE_MAX && race->slot[slot] >= 0);
	winner = &race->candidates[race->slot[slot]];
	families.winner = family_of(winner);
	for (unsigned int i = 0; i < race->candidate_count; i++) {
		const struct candidate *candidate = &race->candidates[i];
		enum sign sign = sign_of(race, candidate, usec_sub(now, winner->started_at), now);

		if (families.winner == FAMILY_ANY || family_of(candidate) == FAMILY_ANY ||
		    family_of(candidate) == families.winner)
			continue;
		families.both = true;
		open |= sign == SIGN_OPEN;
		if (sign != SIGN_BROKEN || is_down(race, candidate, winner, now))
			continue;
		if (!families.last || candidate->started_at >= families.last->started_at)
			families.last = candidate;
	}
	families.broken = families.last && !open;
	*ret_families = families;
}

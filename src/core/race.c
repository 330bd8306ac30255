#include "core/race.h"

#include "base/must.h"
#include "base/text.h"

#include <assert.h>
#include <string.h>

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
race_init(struct race *race, unsigned int target_count, enum order order, struct prng *prng)
{
	must(target_count <= TARGETS_MAX);
	race->candidate_count = race->left_out = 0;
	race->pending = race->unasked = 0;
	race->first_answer_at = USEC_INFINITY;
	race->pacing_deadline = 0;
	race->last_family = AF_UNSPEC;
	for (unsigned int i = 0; i < RACE_MAX; i++)
		race->slot[i] = -1;
	for (unsigned int i = 0; i < TARGETS_MAX; i++)
		race->rank[i] = i;
	if (order == ORDER_RANDOM)
		shuffle(race->rank, target_count, prng);
}

void
race_expect(struct race *race, unsigned int target, enum family family)
{
	race->pending |= query_bit(target, family);
}

static bool
is_known(const struct race *race, const struct address *address)
{
	for (unsigned int i = 0; i < race->candidate_count; i++) {
		if (address_equal(&race->candidates[i].address, address))
			return true;
	}
	return false;
}

void
race_add(struct race *race, unsigned int target, const struct address *address, usec_t now)
{
	struct candidate *candidate;

	must(target < TARGETS_MAX);
	race->first_answer_at = usec_min(race->first_answer_at, now);
	if (is_known(race, address))
		return;
	if (race->candidate_count == RACE_CANDIDATES_MAX) {
		race->left_out++;
		return;
	}
	candidate = &race->candidates[race->candidate_count++];
	*candidate = (struct candidate){ .address = *address, .target = target };
}

void
race_answered(struct race *race, unsigned int target, enum family family)
{
	race->pending &= ~query_bit(target, family);
}

/* Whether `a` goes before `b`, which was added earlier. */
static bool
goes_first(const struct race *race, const struct candidate *a, const struct candidate *b)
{
	bool a_shunned = address_equal(&a->address, &race->shunned);
	bool b_shunned = address_equal(&b->address, &race->shunned);
	bool a_ipv6 = address_is_ipv6(&a->address), b_ipv6 = address_is_ipv6(&b->address);

	if (a_shunned != b_shunned)
		return b_shunned;
	if (race->rank[a->target] != race->rank[b->target])
		return race->rank[a->target] < race->rank[b->target];
	if (a_ipv6 != b_ipv6)
		return a_ipv6 == (race->last_family != AF_INET6);
	return false;
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

/* The queries whose answers `candidate` waits for: of better targets, and AAAA of its own. */
static uint32_t
awaited(const struct race *race, const struct candidate *candidate)
{
	uint32_t queries = 0;

	for (unsigned int i = 0; i < TARGETS_MAX; i++) {
		if (race->rank[i] < race->rank[candidate->target])
			queries |= query_bit(i, FAMILY_IPV4) | query_bit(i, FAMILY_IPV6);
	}
	if (!address_is_ipv6(&candidate->address))
		queries |= query_bit(candidate->target, FAMILY_IPV6);
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
race_lost(struct race *race, unsigned int slot, enum failure_code code, const char *error)
{
	int index;

	must(slot < RACE_MAX && race->slot[slot] >= 0);
	index = race->slot[slot];
	race->slot[slot] = -1;
	race_fail(race, (unsigned int)index, code, error);
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
race_fail(struct race *race, unsigned int candidate, enum failure_code code, const char *error)
{
	struct candidate *failed = &race->candidates[candidate];

	must(candidate < race->candidate_count);
	failed->state = CANDIDATE_FAILED;
	failed->code = code;
	text_copy(failed->error, sizeof(failed->error), error);
	race->pacing_deadline = 0;
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

unsigned int
race_others(const struct race *race, const struct address *except, struct address_failure *ret_list,
	    unsigned int max)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < race->candidate_count && count < max; i++) {
		const struct candidate *candidate = &race->candidates[i];

		if (candidate->state != CANDIDATE_FAILED || address_equal(&candidate->address, except))
			continue;
		ret_list[count] = (struct address_failure){ .address = candidate->address,
							    .code = candidate->code };
		text_copy(ret_list[count].error, sizeof(ret_list[count].error), candidate->error);
		count++;
	}
	return count;
}

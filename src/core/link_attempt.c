/* An attempt: names and the race of sockets, up to the one that wins. */
#include "base/must.h"
#include "core/link_internal.h"

static const enum family families[] = { FAMILY_IPV4, FAMILY_IPV6 };

/* Whether the resolver is asked for `family` on the way to `target`. */
static bool
is_asked(const struct link *link, unsigned int target, enum family family)
{
	enum family allowed = link->upstream->policy.family;

	return target_is_asked(upstream_reach(link->upstream, target)) &&
	       (allowed == FAMILY_ANY || allowed == family);
}

static void
ask(struct link *link, unsigned int target, enum family family, struct effects *out)
{
	struct effect *effect = link_emit(out, EFFECT_RESOLVE);

	effect->resolve.target = target;
	effect->resolve.family = family;
	effect->resolve.fresh = link->fresh;
	effect->resolve.seed = link->resolve_seed;
}

static void
ask_all(struct link *link, usec_t now, struct effects *out)
{
	link->asked_since = now;
	for (unsigned int target = 0; target < link->upstream->target_count; target++) {
		for (unsigned int i = 0; i < COUNT_OF(families); i++) {
			if (is_asked(link, target, families[i]))
				ask(link, target, families[i], out);
		}
	}
	link->fresh = false;
}

void
attempt_end(struct link *link, usec_t now, struct effects *out)
{
	link_emit(out, EFFECT_DISCARD);
	link->winner = -1;
	backoff_begin(link, now, out);
}

/* Start whoever may start, and see whether anybody is left. */
static void
go_on(struct link *link, usec_t now, struct effects *out)
{
	unsigned int slot;
	int index;

	while ((index = race_next(&link->race, now, &slot)) >= 0) {
		struct candidate *candidate = &link->race.candidates[index];
		struct effect *effect;

		if (link->stage == STAGE_RESOLVE)
			link_enter(link, STAGE_CONNECT, now, out);
		effect = link_emit(out, EFFECT_CONNECT);
		effect->connect.slot = slot;
		effect->connect.address = candidate->address;
		effect->connect.target = candidate->target;
	}
	if (race_is_over(&link->race))
		attempt_end(link, now, out);
}

/* Names are asked; what needs no asking is a candidate at once. */
static void
open_targets(struct link *link, usec_t now, struct effects *out)
{
	for (unsigned int target = 0; target < link->upstream->target_count; target++) {
		const struct target *reach = upstream_reach(link->upstream, target);

		for (unsigned int i = 0; i < COUNT_OF(families); i++) {
			if (is_asked(link, target, families[i]))
				race_expect(&link->race, target, families[i]);
		}
		if (!target_is_asked(reach))
			race_add(&link->race, target, 0, &reach->address, now);
	}
	link_enter(link, race_deadline(&link->race) <= now ? STAGE_CONNECT : STAGE_RESOLVE, now, out);
	ask_all(link, now, out);
	go_on(link, now, out);
}

void
attempt_begin(struct link *link, usec_t now, struct effects *out)
{
	const struct policy *policy = &link->upstream->policy;
	struct race_setup setup = {
		.target_count = link->upstream->target_count,
		.order = policy->order,
		.proxied = policy->proxy.kind != PROXY_NONE,
	};

	link_forget_failures(link);
	link->attempt++;
	link->attempt_since = now;
	link->winner = -1;
	link->rtt = 0;
	link->resolve_seed = prng_next(&link->prng);
	race_init(&link->race, &setup, &link->prng);
	if (policy->tls.enabled || policy->proxy.password_file) {
		link_enter(link, STAGE_LOAD, now, out);
		link_emit(out, EFFECT_LOAD);
	} else {
		open_targets(link, now, out);
	}
	/* After the move, which has accounted the stage of an attempt that was cut short. */
	for (enum stage i = 0; i < STAGE_COUNT; i++)
		link->timing[i] = USEC_INFINITY;
}

static usec_t
query_deadline(const struct link *link)
{
	if (link->race.pending == 0)
		return USEC_INFINITY;
	return usec_add(link_clock(link, link->asked_since),
			link->upstream->policy.timeout[STAGE_RESOLVE]);
}

static usec_t
candidate_deadline(const struct link *link, const struct candidate *candidate)
{
	if (candidate->state != CANDIDATE_CONNECTING)
		return USEC_INFINITY;
	return usec_add(link_clock(link, candidate->started_at),
			link->upstream->policy.timeout[STAGE_CONNECT]);
}

usec_t
attempt_wakeup(const struct link *link)
{
	usec_t deadline = usec_min(race_deadline(&link->race), query_deadline(link));

	for (unsigned int i = 0; i < link->race.candidate_count; i++)
		deadline = usec_min(deadline, candidate_deadline(link, &link->race.candidates[i]));
	return deadline;
}

/* Whom an attempt that takes too long is waiting for, or NULL. */
static const struct address *
awaited_peer(const struct link *link)
{
	if (link->stage >= STAGE_PROXY && link->stage <= STAGE_PROBE)
		return &link->peer;
	for (unsigned int i = 0; i < link->race.candidate_count; i++) {
		if (link->race.candidates[i].state == CANDIDATE_CONNECTING)
			return &link->race.candidates[i].address;
	}
	return NULL;
}

void
attempt_expired(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	struct failure failure;
	struct sighting sighting = { &failure, link->stage, link->stage_since, awaited_peer(link) };

	if (now < link->attempt_deadline)
		return;
	failure_init(&failure, FAILURE_TIMEOUT_ATTEMPT, link->stage);
	if (input->failure) /* of a dialogue: what had been said in it */
		failure_set_evidence(&failure, input->failure->evidence,
				     input->failure->evidence_length);
	link_note(link, &sighting, now);
	for (unsigned int slot = 0; slot < RACE_MAX; slot++) {
		if (link->race.slot[slot] >= 0)
			race_lost(&link->race, slot, &link->lost);
	}
	attempt_end(link, now, out);
}

void
load_done(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input;
	open_targets(link, now, out);
}

void
load_failed(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	struct sighting sighting = { input->failure, STAGE_LOAD, link->stage_since, NULL };

	link_note(link, &sighting, now);
	attempt_end(link, now, out);
}

/* A query ended without an address that can be used: `failure` says why. */
static void
note_query(struct link *link, const struct failure *failure, usec_t now)
{
	struct sighting sighting = { failure, STAGE_RESOLVE, link->asked_since, NULL };

	link_note(link, &sighting, now);
}

void
race_answer(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	const struct answer *answer = input->answer;
	unsigned int usable = 0;
	struct failure excluded;

	must(answer->count <= ANSWER_ADDRESSES_MAX);
	for (unsigned int i = 0; i < answer->count; i++) {
		if (address_is_excluded(&answer->addresses[i]))
			continue;
		race_add(&link->race, answer->target, answer->rank[i], &answer->addresses[i], now);
		usable++;
	}
	if (answer->count == 0) {
		note_query(link, answer->failure, now);
	} else if (usable == 0) {
		failure_init(&excluded, FAILURE_ADDRESS_EXCLUDED, STAGE_RESOLVE);
		excluded.peer = answer->addresses[0];
		note_query(link, &excluded, now);
	}
	race_leave_out(&link->race, answer->left_out);
	race_answered(&link->race, answer->target, answer->family);
	go_on(link, now, out);
}

/* What became of a candidate, as a record; NULL where it did not answer. */
static const struct failure *
failure_of(struct link *link, const struct candidate *candidate)
{
	struct failure failure;
	struct sighting sighting = { &failure, candidate->reached, candidate->started_at,
				     &candidate->address };

	if (candidate->state != CANDIDATE_FAILED)
		return NULL;
	failure_init(&failure, candidate->code, candidate->reached);
	failure_set_error(&failure, candidate->error, candidate->error_name);
	link_fill(link, &link->lost, &sighting, candidate->failed_at);
	link->lost.elapsed = candidate->elapsed;
	return &link->lost;
}

/* Tell what the race says of the families; of one that has no address any more there is nothing left to warn of. */
static void
tell_families(struct link *link, const struct race_families *said, struct effects *out)
{
	enum family other = said->winner == FAMILY_IPV4 ? FAMILY_IPV6 : FAMILY_IPV4;
	bool gone = !said->both && link->race.unasked == 0 && link->broken == other;
	struct effect *effect;

	if (said->winner == FAMILY_ANY || (!said->both && !gone))
		return;
	effect = link_emit(out, EFFECT_FAMILY);
	if (said->broken) {
		effect->broken.family = link->broken = other;
		effect->broken.failure = failure_of(link, said->last);
		return;
	}
	effect->broken.over = gone ? other : said->winner;
	if (link->broken == effect->broken.over)
		link->broken = FAMILY_ANY;
}

void
race_connected(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	struct race *race = &link->race;
	struct race_families said;
	struct candidate *winner;

	for (unsigned int slot = 0; slot < RACE_MAX; slot++) {
		if (slot != input->slot && race->slot[slot] >= 0)
			link_emit(out, EFFECT_ABANDON)->slot = slot;
	}
	link_emit(out, EFFECT_ADOPT)->slot = input->slot;
	if (race->pending != 0)
		link_emit(out, EFFECT_CANCEL_QUERIES);
	race_families(race, input->slot, now, &said);
	if (said.broken && link->forgiven_at >= said.last->started_at)
		said.broken = false; /* this process was held up: silence proves nothing */
	link->winner = (int)race_won(race, input->slot);
	winner = &race->candidates[link->winner];
	link->peer = winner->address;
	link->target = winner->target;
	tell_families(link, &said, out);
	connection_begin(link, now, out);
}

/* The socket in `slot`, which is closed by now, has failed. */
static void
lose_candidate(struct link *link, unsigned int slot, const struct failure *failure, usec_t now,
	       struct effects *out)
{
	struct race *race = &link->race;
	const struct candidate *candidate;
	struct sighting sighting = { .failure = failure, .stage = STAGE_CONNECT };

	must(slot < RACE_MAX && race->slot[slot] >= 0);
	candidate = &race->candidates[race->slot[slot]];
	sighting.since = candidate->started_at;
	sighting.peer = &candidate->address;
	link_note(link, &sighting, now);
	race_lost(race, slot, &link->lost);
	if (!race_is_over(race))
		link_emit(out, EFFECT_LOST_ADDRESS)->failure = &link->lost;
	go_on(link, now, out);
}

void
race_unconnected(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	lose_candidate(link, input->unconnected.slot, input->unconnected.failure, now, out);
}

static void
expire_queries(struct link *link, usec_t now, struct effects *out)
{
	struct failure failure;

	failure_init(&failure, FAILURE_TIMEOUT_RESOLVE, STAGE_RESOLVE);
	note_query(link, &failure, now);
	link_emit(out, EFFECT_CANCEL_QUERIES);
	link->race.pending = 0;
}

/* A slot whose candidate has had its time, or -1. */
static int
overdue_slot(const struct link *link, usec_t now)
{
	for (unsigned int i = 0; i < link->race.candidate_count; i++) {
		if (candidate_deadline(link, &link->race.candidates[i]) <= now)
			return (int)link->race.candidates[i].slot;
	}
	return -1;
}

/* One address a turn, since there is one record to tell of it; the timer is armed for the next at once. */
void
race_expired(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	struct failure failure;
	int slot;

	if (now >= link->attempt_deadline) {
		attempt_expired(link, input, now, out);
		return;
	}
	if (query_deadline(link) <= now)
		expire_queries(link, now, out);
	slot = overdue_slot(link, now);
	if (slot < 0) {
		go_on(link, now, out);
		return;
	}
	link_emit(out, EFFECT_ABANDON)->slot = (unsigned int)slot;
	failure_init(&failure, FAILURE_TIMEOUT_CONNECT, STAGE_CONNECT);
	lose_candidate(link, (unsigned int)slot, &failure, now, out);
}

void
attempt_try_others(struct link *link, usec_t now, struct effects *out)
{
	unsigned int target;
	enum family family;

	link_emit(out, EFFECT_LOST_ADDRESS)->failure = &link->lost;
	link_enter(link, STAGE_CONNECT, now, out);
	if (link->race.unasked != 0)
		link->asked_since = now;
	while (race_ask_again(&link->race, &target, &family))
		ask(link, target, family, out);
	go_on(link, now, out);
}

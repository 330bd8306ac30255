/* An attempt: from the first query to a verified connection. */
#include "base/must.h"
#include "core/link_internal.h"

static const enum family families[] = { FAMILY_IPV4, FAMILY_IPV6 };

/* Whether the names of `target` are asked for `family`. */
static bool
is_asked(const struct link *link, unsigned int target, enum family family)
{
	enum family allowed = link->upstream->policy.family;

	return link->upstream->targets[target].kind == TARGET_NAME &&
	       (allowed == FAMILY_ANY || allowed == family);
}

static void
ask(struct link *link, unsigned int target, enum family family, struct effects *out)
{
	struct effect *effect = link_emit(out, EFFECT_RESOLVE);

	effect->resolve.target = target;
	effect->resolve.family = family;
	effect->resolve.fresh = link->fresh;
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

/* The attempt is over: link->failure says why. */
static void
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
	const struct target *targets = link->upstream->targets;

	for (unsigned int target = 0; target < link->upstream->target_count; target++) {
		for (unsigned int i = 0; i < COUNT_OF(families); i++) {
			if (is_asked(link, target, families[i]))
				race_expect(&link->race, target, families[i]);
		}
		if (targets[target].kind != TARGET_NAME)
			race_add(&link->race, target, &targets[target].address, now);
	}
	link_enter(link, race_deadline(&link->race) <= now ? STAGE_CONNECT : STAGE_RESOLVE, now, out);
	ask_all(link, now, out);
	go_on(link, now, out);
}

void
attempt_begin(struct link *link, usec_t now, struct effects *out)
{
	const struct policy *policy = &link->upstream->policy;

	link_forget_failures(link);
	link->attempt++;
	link->attempt_since = now;
	link->winner = -1;
	link->rtt = 0;
	race_init(&link->race, link->upstream->target_count, policy->order, &link->prng);
	if (policy->tls.enabled) {
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
	if (link->stage == STAGE_HANDSHAKE || link->stage == STAGE_SETTLE)
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

	(void)input;
	if (now < link->attempt_deadline)
		return;
	failure_init(&failure, FAILURE_TIMEOUT_ATTEMPT, link->stage);
	link_note(link, &sighting, now);
	for (unsigned int slot = 0; slot < RACE_MAX; slot++) {
		if (link->race.slot[slot] >= 0)
			race_lost(&link->race, slot, failure.code, "");
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
		race_add(&link->race, answer->target, &answer->addresses[i], now);
		usable++;
	}
	if (answer->count == 0) {
		note_query(link, answer->failure, now);
	} else if (usable == 0) {
		failure_init(&excluded, FAILURE_ADDRESS_EXCLUDED, STAGE_RESOLVE);
		excluded.peer = answer->addresses[0];
		note_query(link, &excluded, now);
	}
	race_answered(&link->race, answer->target, answer->family);
	go_on(link, now, out);
}

void
race_connected(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	struct race *race = &link->race;
	struct candidate *winner;

	for (unsigned int slot = 0; slot < RACE_MAX; slot++) {
		if (slot != input->slot && race->slot[slot] >= 0)
			link_emit(out, EFFECT_ABANDON)->slot = slot;
	}
	link_emit(out, EFFECT_ADOPT)->slot = input->slot;
	if (race->pending != 0)
		link_emit(out, EFFECT_CANCEL_QUERIES);
	link->winner = (int)race_won(race, input->slot);
	winner = &race->candidates[link->winner];
	link->peer = winner->address;
	link->target = winner->target;
	if (!link->upstream->policy.tls.enabled) {
		hold_begin(link, now, out);
		return;
	}
	link_enter(link, STAGE_HANDSHAKE, now, out);
	link_emit(out, EFFECT_HANDSHAKE);
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
	race_lost(race, slot, failure->code, failure->error_name);
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

/* Back to the other addresses, and to the names whose answers the winner had made needless. */
static void
try_others(struct link *link, usec_t now, struct effects *out)
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

/* The one connection has failed before it was ready. */
static void
lose_connection(struct link *link, const struct failure *failure, usec_t now, struct effects *out)
{
	struct sighting sighting = { failure, link->stage, link->stage_since, &link->peer };

	link_note(link, &sighting, now);
	race_fail(&link->race, (unsigned int)link->winner, failure->code, failure->error_name);
	if (failure_blame(failure->code) != BLAME_ADDRESS || !race_has_untried(&link->race)) {
		attempt_end(link, now, out);
		return;
	}
	link_emit(out, EFFECT_DISCARD);
	link->winner = -1;
	try_others(link, now, out);
}

void
handshake_done(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	link->rtt = input->secured.rtt;
	if (!input->secured.verdict_pending) {
		hold_begin(link, now, out);
		return;
	}
	link_enter(link, STAGE_SETTLE, now, out);
	link_emit(out, EFFECT_SETTLE);
}

void
handshake_expired(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	struct failure failure;

	if (now < link->stage_deadline) {
		attempt_expired(link, input, now, out);
		return;
	}
	failure_init(&failure, FAILURE_TIMEOUT_HANDSHAKE, STAGE_HANDSHAKE);
	lose_connection(link, &failure, now, out);
}

void
settle_done(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input;
	hold_begin(link, now, out);
}

/* Silence is consent: nothing obliges a server to say that it likes our certificate. */
void
settle_expired(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	if (now < link->stage_deadline)
		attempt_expired(link, input, now, out);
	else
		hold_begin(link, now, out);
}

void
connection_failed(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	struct failure failure = *input->failure; /* borrows the references */

	if (link->stage == STAGE_SETTLE && failure.code == FAILURE_CONNECTION_CLOSED)
		failure.code = FAILURE_CONNECTION_CLOSED_EARLY;
	lose_connection(link, &failure, now, out);
}

/* What must hold after every effect, every step and every turn, whatever the world does. */
#include "world.h"

#include "core/backoff.h"

#include <stdio.h>
#include <stdlib.h>

void
invariant_failed(const struct world *world, const struct client *client, const char *what)
{
	printf("# seed %llu, at %.6f s", (unsigned long long)world->seed,
	       (double)world->now / USEC_PER_SEC);
	if (client)
		printf(", link %d, from %s to %s", (int)(client - world->clients) + 1,
		       stage_name(client->stage), stage_name(client->link->stage));
	printf(": this does not hold: %s\n", what);
	printf("# replay it: simulate --seed %llu --verbose\n", (unsigned long long)world->seed);
	printf("Bail out! an invariant is hurt\n");
	fflush(stdout);
	exit(1);
}

static bool
is_running(enum stage stage)
{
	return stage >= STAGE_LOAD && stage <= STAGE_PROBE;
}

static bool
holds_connection(enum stage stage)
{
	return (stage >= STAGE_PROXY && stage <= STAGE_READY) || stage == STAGE_CLOSING;
}

static bool
holds_dialogue(const struct link *link)
{
	return link->stage == STAGE_PROXY || link->stage == STAGE_STARTTLS ||
	       link->stage == STAGE_PROBE || (link->stage == STAGE_READY && link->probing);
}

/* The stages a connection of this upstream has to pass before it is ready. */
static uint32_t
needed_stages(const struct policy *policy)
{
	uint32_t mask = 0;

	if (policy->proxy.kind != PROXY_NONE || policy->proxy.header != PROXY_HEADER_NONE)
		mask |= 1U << STAGE_PROXY;
	if (policy->starttls != STARTTLS_NONE)
		mask |= 1U << STAGE_STARTTLS;
	if (policy->tls.enabled)
		mask |= 1U << STAGE_HANDSHAKE;
	if (policy->probe.kind != PROBE_NONE)
		mask |= 1U << STAGE_PROBE;
	return mask;
}

static unsigned int
open_slots(const struct client *client)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < RACE_MAX; i++)
		count += client->slot[i] != 0;
	return count;
}

static uint32_t
open_queries(const struct client *client)
{
	uint32_t mask = 0;

	for (unsigned int i = 0; i < TARGETS_MAX; i++) {
		mask |= (client->query[i][FAMILY_IPV4] ? 1U : 0U) << (2 * i);
		mask |= (client->query[i][FAMILY_IPV6] ? 1U : 0U) << (2 * i + 1);
	}
	return mask;
}

static bool
is_completion(enum input_kind kind)
{
	return kind == INPUT_FAILED || kind == INPUT_ANSWERED || kind == INPUT_UNCONNECTED ||
	       kind == INPUT_DEADLINE || kind == INPUT_PROBE_FAILED;
}

/* Whoever is said to have been too slow has had all the time there was, stalls of ours not counted. */
static void
check_timeout(const struct world *world, const struct client *client, const struct failure *failure)
{
	const struct policy *policy = &client->link->upstream->policy;
	usec_t least = 0;

	switch (failure->code) {
	case FAILURE_TIMEOUT_RESOLVE:
	case FAILURE_TIMEOUT_CONNECT:
	case FAILURE_TIMEOUT_PROXY:
	case FAILURE_TIMEOUT_STARTTLS:
	case FAILURE_TIMEOUT_HANDSHAKE:
	case FAILURE_TIMEOUT_PROBE: least = policy->timeout[failure->stage]; break;
	case FAILURE_TIMEOUT_HEARTBEAT: least = policy->timeout[STAGE_PROBE]; break;
	default: break;
	}
	if (failure->at != world->now || least == 0)
		return;
	INVARIANT(world, client, failure->elapsed >= least);
	INVARIANT(world, client, world->now - client->forgiven_at >= least);
}

static void
check_report(const struct world *world, const struct client *client, const struct input *input,
	     const struct failure *failure)
{
	const struct retry_policy *retry = &client->link->upstream->policy.retry;

	INVARIANT(world, client, failure->code != FAILURE_NONE);
	INVARIANT(world, client, client->link->stage == STAGE_BACKOFF);
	INVARIANT(world, client, is_running(client->stage) || client->stage == STAGE_READY);
	INVARIANT(world, client, is_completion(input->kind));
	INVARIANT(world, client, open_slots(client) == 0 && open_queries(client) == 0);
	INVARIANT(world, client, client->connection == 0);
	check_timeout(world, client, failure);
	INVARIANT(world, client, failure->attempt >= 1);
	INVARIANT(world, client, failure->at <= world->now);
	INVARIANT(world, client, failure->elapsed <= world->now - client->born_at);
	INVARIANT(world, client, failure->stage < STAGE_CONNECT || address_is_set(&failure->peer));
	INVARIANT(world, client,
		  client->link->upstream->policy.proxy.kind == PROXY_NONE ||
			  failure->stage < STAGE_RESOLVE || failure->stage > STAGE_PROXY ||
			  failure->evidence_length > 0);
	INVARIANT(world, client, failure->retry_delay >= BACKOFF_DELAY_MIN);
	INVARIANT(world, client, failure->retry_delay <= usec_max(retry->max, BACKOFF_DELAY_MIN));
	INVARIANT(world, client, client->stage != STAGE_READY || failure->stage == STAGE_READY);
	if (client->stage == STAGE_READY && input->kind != INPUT_FAILED) /* its probes gave it up */
		INVARIANT(world, client,
			  client->probe_failures + 1 >= client->link->upstream->policy.probe.failures);
	if (client->stage == STAGE_READY && input->kind == INPUT_DEADLINE)
		INVARIANT(world, client, failure->code != FAILURE_TIMEOUT_PROBE);
}

static void
check_dialogue_effect(const struct world *world, const struct client *client, const struct effect *effect)
{
	enum stage stage = client->link->stage;
	bool allowed = (effect->kind == EFFECT_PROXY && stage == STAGE_PROXY) ||
		       (effect->kind == EFFECT_STARTTLS && stage == STAGE_STARTTLS) ||
		       (effect->kind == EFFECT_PROBE && (stage == STAGE_PROBE || stage == STAGE_READY));

	INVARIANT(world, client, allowed);
	INVARIANT(world, client, client->connection != 0);
	INVARIANT(world, client, client->dialogue == 0); /* one at a time */
	INVARIANT(world, client,
		  stage == STAGE_READY ||
			  (needed_stages(&client->link->upstream->policy) & 1U << stage));
	if (stage == STAGE_READY)
		INVARIANT(world, client,
			  world->now - client->probe_since >=
				  client->link->upstream->policy.probe.interval / 10 * 9);
	INVARIANT(world, client, !(client->asked & 1U << stage) || stage == STAGE_READY);
}

static void
check_probing(const struct world *world, const struct client *client, const struct effect *effect)
{
	unsigned int count = effect->probing.count;

	if (count == 0) {
		INVARIANT(world, client, client->probe_failures > 0);
		return;
	}
	INVARIANT(world, client, client->link->stage == STAGE_READY);
	INVARIANT(world, client, count == client->probe_failures + 1);
	INVARIANT(world, client, count < client->link->upstream->policy.probe.failures);
	INVARIANT(world, client, effect->probing.failure->stage == STAGE_READY);
	check_timeout(world, client, effect->probing.failure);
}

static void
check_family(const struct world *world, const struct client *client, const struct effect *effect)
{
	int family = effect->broken.family == FAMILY_IPV4 ? AF_INET : AF_INET6;
	const struct failure *failure = effect->broken.failure;

	INVARIANT(world, client,
		  (effect->broken.family == FAMILY_ANY) != (effect->broken.over == FAMILY_ANY));
	if (effect->broken.family == FAMILY_ANY) {
		INVARIANT(world, client, !failure);
		return;
	}
	INVARIANT(world, client, client->link->peer.sa.sa_family != family);
	INVARIANT(world, client, !failure || failure->peer.sa.sa_family == family);
	INVARIANT(world, client, !failure || failure_blame(failure->code) != BLAME_LOCAL);
}

/* What starts is the best that is left: of a service no record is passed over. */
static void
check_order(const struct world *world, const struct client *client, const struct effect *effect)
{
	const struct race *race = &client->link->race;
	const struct candidate *chosen = &race->candidates[race->slot[effect->connect.slot]];

	for (unsigned int i = 0; i < race->candidate_count; i++) {
		const struct candidate *other = &race->candidates[i];

		if (other->state != CANDIDATE_UNTRIED || other->target != chosen->target)
			continue;
		INVARIANT(world, client,
			  other->rank >= chosen->rank || address_equal(&other->address, &race->shunned));
	}
	for (unsigned int i = 0; i < race->candidate_count; i++) {
		const struct candidate *other = &race->candidates[i];

		INVARIANT(world, client,
			  other == chosen || !address_equal(&other->address, &chosen->address) ||
				  (race->proxied && other->target != chosen->target));
	}
}

static void
check_socket_effect(const struct world *world, const struct client *client, const struct effect *effect)
{
	switch (effect->kind) {
	case EFFECT_CONNECT:
		INVARIANT(world, client, client->link->stage == STAGE_CONNECT);
		INVARIANT(world, client, effect->connect.slot < RACE_MAX);
		INVARIANT(world, client, client->slot[effect->connect.slot] == 0);
		INVARIANT(world, client, !address_is_excluded(&effect->connect.address));
		check_order(world, client, effect);
		break;
	case EFFECT_ABANDON: INVARIANT(world, client, client->slot[effect->slot] != 0); break;
	case EFFECT_ADOPT:
		INVARIANT(world, client, client->slot[effect->slot] != 0);
		INVARIANT(world, client, open_slots(client) == 1); /* losers are closed first */
		INVARIANT(world, client, client->connection == 0);
		break;
	default:
		INVARIANT(world, client, client->connection != 0);
		INVARIANT(world, client, open_slots(client) == 0);
		INVARIANT(world, client, open_queries(client) == 0);
		break;
	}
}

void
invariants_of_effect(const struct world *world, const struct client *client,
		     const struct input *input, const struct effect *effect)
{
	enum stage stage = client->link->stage;

	INVARIANT(world, client, !client->ended);
	switch (effect->kind) {
	case EFFECT_LOAD: INVARIANT(world, client, stage == STAGE_LOAD && !client->loading); break;
	case EFFECT_RESOLVE:
		INVARIANT(world, client, stage == STAGE_RESOLVE || stage == STAGE_CONNECT);
		INVARIANT(world, client, !client->query[effect->resolve.target][effect->resolve.family]);
		break;
	case EFFECT_REPORT: check_report(world, client, input, effect->failure); break;
	case EFFECT_LOST_ADDRESS:
		INVARIANT(world, client, stage == STAGE_CONNECT);
		INVARIANT(world, client, address_is_set(&effect->failure->peer));
		check_timeout(world, client, effect->failure);
		break;
	case EFFECT_REPORT_CLOSE:
		INVARIANT(world, client, client->stage == STAGE_READY && stage == STAGE_CLOSING);
		break;
	case EFFECT_RENEW:
		INVARIANT(world, client, stage == STAGE_READY && !client->renewed);
		break;
	case EFFECT_PROXY:
	case EFFECT_STARTTLS:
	case EFFECT_PROBE: check_dialogue_effect(world, client, effect); break;
	case EFFECT_PROBING: check_probing(world, client, effect); break;
	case EFFECT_FAMILY: check_family(world, client, effect); break;
	case EFFECT_STAGE: INVARIANT(world, client, stage_may_follow(client->stage, stage)); break;
	case EFFECT_ENDED: INVARIANT(world, client, stage == STAGE_IDLE); break;
	case EFFECT_DISCARD:
	case EFFECT_CANCEL_QUERIES:
	case EFFECT_ARM_TIMER: break;
	default: check_socket_effect(world, client, effect); break;
	}
}

static unsigned int
count_of(const struct effects *effects, enum effect_kind kind)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < effects->count; i++)
		count += effects->at[i].kind == kind;
	return count;
}

/* What is open is what the link believes to be open. */
static void
check_open(const struct world *world, const struct client *client)
{
	const struct link *link = client->link;
	enum stage stage = link->stage;
	bool races = stage == STAGE_RESOLVE || stage == STAGE_CONNECT;

	for (unsigned int i = 0; i < RACE_MAX; i++)
		INVARIANT(world, client,
			  (client->slot[i] != 0) == (stage == STAGE_CONNECT && link->race.slot[i] >= 0));
	INVARIANT(world, client, open_queries(client) == (races ? link->race.pending : 0));
	INVARIANT(world, client, (client->connection != 0) == holds_connection(stage));
	INVARIANT(world, client, (client->dialogue != 0) == holds_dialogue(link));
	INVARIANT(world, client, (client->loading != 0) == (stage == STAGE_LOAD));
	INVARIANT(world, client, client->timer_at == link->armed);
	INVARIANT(world, client,
		  (stage != STAGE_IDLE && stage != STAGE_PAUSED) || client->timer_at == USEC_INFINITY);
	INVARIANT(world, client,
		  !(is_running(stage) || stage == STAGE_BACKOFF || stage == STAGE_CLOSING) ||
			  client->timer_at != USEC_INFINITY);
}

/* Every ended attempt and every ended connection is told of once; what is cut short is not. */
static void
check_told(const struct world *world, const struct client *client, const struct effects *effects)
{
	bool was_up = is_running(client->stage) || client->stage == STAGE_READY;
	bool failed = was_up && client->link->stage == STAGE_BACKOFF;
	bool told_before = client->held && client->link->held;
	bool closed = client->stage == STAGE_READY && client->link->stage == STAGE_CLOSING;

	INVARIANT(world, client, count_of(effects, EFFECT_REPORT) == (failed && !told_before ? 1 : 0));
	INVARIANT(world, client, count_of(effects, EFFECT_REPORT_CLOSE) == (closed ? 1 : 0));
	INVARIANT(world, client,
		  (client->stage == client->link->stage) || count_of(effects, EFFECT_STAGE) > 0);
	INVARIANT(world, client,
		  count_of(effects, EFFECT_ENDED) ==
			  (client->link->stage == STAGE_IDLE && client->stopping ? 1 : 0));
}

void
invariants_of_step(const struct world *world, const struct client *client,
		   const struct input *input, const struct effects *effects)
{
	const struct link *link = client->link;

	check_open(world, client);
	check_told(world, client, effects);
	INVARIANT(world, client, link->attempt >= 1 || !is_running(link->stage));
	if (client->stage == STAGE_BACKOFF && is_running(link->stage) &&
	    input->kind == INPUT_DEADLINE && !client->hurried) {
		INVARIANT(world, client, world->now - client->backoff_since >= client->retry_delay);
	}
	INVARIANT(world, client, !client->paused || !is_running(link->stage));
	INVARIANT(world, client,
		  client->probe_failures == (link->stage == STAGE_READY ? link->probe_failures : 0));
	INVARIANT(world, client,
		  input->kind != INPUT_PASSED || client->probe_failures == 0 || client->probe_late);
	if (link->stage == STAGE_READY && client->stage != STAGE_READY)
		INVARIANT(world, client, (needed_stages(&link->upstream->policy) & ~client->asked) == 0);
}

static usec_t
age(const struct world *world, const struct client *client, usec_t since)
{
	return world->now - usec_max(since, client->forgiven_at);
}

static void
check_race_ages(const struct world *world, const struct client *client)
{
	const struct policy *policy = &client->link->upstream->policy;

	for (unsigned int i = 0; i < RACE_MAX; i++)
		INVARIANT(world, client,
			  client->slot[i] == 0 || age(world, client, client->slot_since[i]) <
							  policy->timeout[STAGE_CONNECT]);
	INVARIANT(world, client,
		  open_queries(client) == 0 ||
			  age(world, client, client->query_since) < policy->timeout[STAGE_RESOLVE]);
}

/* A ready connection is not renewed too late, and the application is asked in time. */
static void
check_held(const struct world *world, const struct client *client)
{
	const struct policy *policy = &client->link->upstream->policy;

	INVARIANT(world, client,
		  client->renewed || policy->lifetime == 0 ||
			  world->now - client->stage_since < policy->lifetime);
	if (client->dialogue != 0)
		INVARIANT(world, client,
			  age(world, client, client->probe_since) < policy->timeout[STAGE_PROBE]);
	else if (policy->probe.kind != PROBE_NONE && policy->probe.interval > 0)
		INVARIANT(world, client, world->now - client->probe_since < policy->probe.interval);
}

static void
check_ages(const struct world *world, const struct client *client)
{
	const struct policy *policy = &client->link->upstream->policy;
	usec_t in_stage = age(world, client, client->stage_since);

	if (is_running(client->stage))
		INVARIANT(world, client,
			  age(world, client, client->attempt_since) < policy->attempt_timeout);
	switch (client->stage) {
	case STAGE_RESOLVE:
	case STAGE_CONNECT: check_race_ages(world, client); break;
	case STAGE_PROXY:
	case STAGE_STARTTLS:
	case STAGE_HANDSHAKE:
	case STAGE_PROBE:
	case STAGE_CLOSING:
		INVARIANT(world, client, in_stage < policy->timeout[client->stage]);
		break;
	case STAGE_SETTLE:
		INVARIANT(world, client,
			  in_stage < usec_max(policy->timeout[STAGE_SETTLE], 2 * client->link->rtt));
		break;
	case STAGE_BACKOFF:
		INVARIANT(world, client, world->now - client->backoff_since < client->retry_delay);
		break;
	case STAGE_READY: check_held(world, client); break;
	default: break;
	}
}

void
invariants_of_turn(const struct world *world)
{
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		const struct client *client = &world->clients[i];

		if (!client->link)
			continue;
		INVARIANT(world, client, client->timer_at > world->now);
		check_ages(world, client);
	}
}

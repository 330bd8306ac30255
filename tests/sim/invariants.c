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
	return stage == STAGE_HANDSHAKE || stage == STAGE_SETTLE || stage == STAGE_READY ||
	       stage == STAGE_CLOSING;
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
	       kind == INPUT_DEADLINE;
}

/* Whoever is said to have been too slow has had all the time there was, stalls of ours not counted. */
static void
check_timeout(const struct world *world, const struct client *client, const struct failure *failure)
{
	const struct policy *policy = &client->link->upstream->policy;
	usec_t least = 0;

	if (failure->code == FAILURE_TIMEOUT_RESOLVE || failure->code == FAILURE_TIMEOUT_CONNECT ||
	    failure->code == FAILURE_TIMEOUT_HANDSHAKE)
		least = policy->timeout[failure->stage];
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
	INVARIANT(world, client, failure->retry_delay >= BACKOFF_DELAY_MIN);
	INVARIANT(world, client, failure->retry_delay <= usec_max(retry->max, BACKOFF_DELAY_MIN));
	INVARIANT(world, client, client->stage != STAGE_READY || failure->stage == STAGE_READY);
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
	case STAGE_HANDSHAKE:
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
	case STAGE_READY:
		INVARIANT(world, client,
			  client->renewed || policy->lifetime == 0 ||
				  world->now - client->stage_since < policy->lifetime);
		break;
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

/* A model of the worker: does what links ask for, and tells them what has come of it. */
#include "world.h"

#include "base/must.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

int
worker_add(struct world *world, unsigned int upstream)
{
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		struct client *client = &world->clients[i];

		if (client->link)
			continue;
		*client = (struct client){ .upstream = upstream, .successor = -1 };
		client->timer_at = USEC_INFINITY;
		client->born_at = world->now;
		client->link = link_new(world->upstreams[upstream], i + 1,
					world_random(world, UINT64_MAX));
		must(client->link);
		return (int)i;
	}
	return -1;
}

static uint64_t
new_token(struct world *world)
{
	return ++world->token;
}

static void
forget_queries(struct client *client)
{
	memset(client->query, 0, sizeof(client->query));
}

static void
discard(struct client *client)
{
	forget_queries(client);
	memset(client->slot, 0, sizeof(client->slot));
	client->connection = client->dialogue = 0;
	client->loading = 0;
}

static void
open_socket(struct world *world, unsigned int index, const struct effect *effect)
{
	struct client *client = &world->clients[index];
	unsigned int slot = effect->connect.slot;

	client->slot[slot] = new_token(world);
	client->slot_since[slot] = world->now;
	client->slot_host[slot] = peer_host_of(&effect->connect.address);
	peer_connect(world, index, effect, client->slot[slot]);
}

static void
open_query(struct world *world, unsigned int index, const struct effect *effect)
{
	struct client *client = &world->clients[index];
	uint64_t token = new_token(world);

	client->query[effect->resolve.target][effect->resolve.family] = token;
	client->query_since = world->now;
	client->seed = effect->resolve.seed;
	peer_resolve(world, index, effect, token);
}

static void
arm_timer(struct world *world, unsigned int index, usec_t deadline)
{
	struct client *client = &world->clients[index];
	struct happening happening = { .kind = HAPPENS_TIMER, .link = index };

	client->timer_at = deadline;
	client->timer = happening.token = new_token(world);
	if (deadline != USEC_INFINITY)
		world_plan(world, happening, usec_sub(deadline, world->now));
}

static void
enter_stage(struct world *world, unsigned int index)
{
	struct client *client = &world->clients[index];
	enum stage stage = client->link->stage;
	bool was_running = client->stage >= STAGE_LOAD && client->stage <= STAGE_PROBE;
	bool runs = stage >= STAGE_LOAD && stage <= STAGE_PROBE;

	if (runs && (!was_running || client->link->attempt_since == world->now))
		client->attempt_since = world->now;
	client->stage_since = world->now;
	world->stages[stage]++;
	if (stage == STAGE_BACKOFF) {
		client->backoff_since = world->now;
		client->retry_delay = link_retry_delay(client->link, world->now);
		client->hurried = false;
	}
	if (stage == STAGE_READY) {
		client->renewed = false;
		client->probe_since = world->now;
	}
}

static void
open_dialogue(struct world *world, unsigned int index)
{
	struct client *client = &world->clients[index];

	client->asked |= 1U << client->link->stage;
	client->probe_since = world->now;
	client->probe_late = false;
	client->dialogue = new_token(world);
	peer_talk(world, index, client->dialogue);
}

static void
note_probing(struct world *world, struct client *client, unsigned int count)
{
	client->probe_failures = count;
	if (count == 0)
		return;
	client->probe_since = world->now;
	client->probe_late = client->dialogue != 0; /* it goes on */
	world->probings++;
}

/* A successor makes the connection that is to be renewed superfluous once it is ready itself. */
static void
renew(struct world *world, unsigned int index, enum close_reason reason)
{
	struct client *client = &world->clients[index];

	client->renewed = true;
	client->successor_reason = reason;
	client->successor = worker_add(world, client->upstream);
	if (client->successor >= 0)
		worker_tell(world, (unsigned int)client->successor,
			    &(struct input){ .kind = INPUT_START });
}

static void
perform(struct world *world, unsigned int index, const struct effect *effect)
{
	struct client *client = &world->clients[index];

	switch (effect->kind) {
	case EFFECT_LOAD: peer_load(world, index, client->loading = new_token(world)); break;
	case EFFECT_RESOLVE: open_query(world, index, effect); break;
	case EFFECT_CONNECT: open_socket(world, index, effect); break;
	case EFFECT_ABANDON: client->slot[effect->slot] = 0; break;
	case EFFECT_ADOPT:
		client->connection = client->slot[effect->slot];
		client->host = client->slot_host[effect->slot];
		client->slot[effect->slot] = 0;
		client->asked = 0;
		break;
	case EFFECT_PROXY:
	case EFFECT_STARTTLS:
	case EFFECT_PROBE: open_dialogue(world, index); break;
	case EFFECT_HANDSHAKE:
		client->asked |= 1U << STAGE_HANDSHAKE;
		peer_handshake(world, index, client->connection);
		break;
	case EFFECT_SETTLE: peer_settle(world, index, client->connection); break;
	case EFFECT_HOLD: peer_hold(world, index, client->connection); break;
	case EFFECT_CLOSE:
		client->connection = new_token(world); /* nothing but its end can come now */
		client->dialogue = 0;
		peer_close(world, index, client->connection);
		break;
	case EFFECT_DISCARD: discard(client); break;
	case EFFECT_CANCEL_QUERIES: forget_queries(client); break;
	case EFFECT_STAGE: enter_stage(world, index); break;
	case EFFECT_FAMILY: world->broken += effect->broken.family != FAMILY_ANY; break;
	case EFFECT_PROBING: note_probing(world, client, effect->probing.count); break;
	case EFFECT_REPORT: world->reports++, client->reports++; break;
	case EFFECT_REPORT_CLOSE: world->closes++, client->closes++; break;
	case EFFECT_ARM_TIMER: arm_timer(world, index, effect->deadline); break;
	case EFFECT_ENDED: client->ended = true; break;
	case EFFECT_RENEW:
	case EFFECT_LOST_ADDRESS:
	case EFFECT_COUNT: break;
	}
}

static void
digest(struct world *world, uint64_t value)
{
	world->digest = (world->digest ^ value) * 0x100000001b3;
}

static void
trace(const struct world *world, unsigned int index, const struct input *input,
      const struct effects *effects)
{
	const struct client *client = &world->clients[index];

	printf("%12.6f link %u input %d: %s ->", (double)world->now / USEC_PER_SEC, index + 1,
	       (int)input->kind, stage_name(client->stage));
	printf(" %s, effects", stage_name(client->link->stage));
	for (unsigned int i = 0; i < effects->count; i++) {
		const struct effect *effect = &effects->at[i];

		printf(" %d", (int)effect->kind);
		if (effect->kind == EFFECT_REPORT || effect->kind == EFFECT_LOST_ADDRESS)
			printf("=%s", failure_name(effect->failure->code));
		if (effect->kind == EFFECT_ARM_TIMER && effect->deadline != USEC_INFINITY)
			printf("=%.6f", (double)effect->deadline / USEC_PER_SEC);
	}
	printf("\n");
}

static void
bury(struct world *world, unsigned int index)
{
	world->clients[index].link = link_free(world->clients[index].link);
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		if (world->clients[i].successor == (int)index)
			world->clients[i].successor = -1;
	}
}

/* Successors are started, and what they make superfluous is stopped, after the step that led to it. */
static void
follow_up(struct world *world, unsigned int index, const struct effects *effects)
{
	struct client *client = &world->clients[index];

	for (unsigned int i = 0; i < effects->count; i++) {
		if (effects->at[i].kind == EFFECT_RENEW)
			renew(world, index, effects->at[i].reason);
	}
	if (client->ended) {
		bury(world, index);
		return;
	}
	for (unsigned int i = 0; client->stage == STAGE_READY && i < LINKS_MAX; i++) {
		struct client *old = &world->clients[i];

		if (!old->link || old->successor != (int)index)
			continue;
		old->successor = -1;
		old->stopping = true;
		worker_tell(world, i,
			    &(struct input){ .kind = INPUT_STOP, .reason = old->successor_reason });
	}
}

/* What was ordered last counts: by an administrator, or by a policy that has changed its mind. */
static void
note_order(struct client *client, const struct input *input)
{
	const struct upstream *upstream = client->link->upstream;

	if (input->kind == INPUT_PAUSE)
		client->paused = true;
	else if (input->kind == INPUT_RESUME)
		client->paused = false;
	else if (input->kind == INPUT_START && client->stage == STAGE_IDLE)
		client->paused = !upstream->policy.enabled;
	else if (input->kind == INPUT_POLICY && client->stage != STAGE_IDLE &&
		 input->upstream->policy.enabled != upstream->policy.enabled)
		client->paused = !input->upstream->policy.enabled;
}

void
worker_tell(struct world *world, unsigned int index, const struct input *input)
{
	struct client *client = &world->clients[index];
	struct effects effects;

	world->steps++;
	note_order(client, input);
	if (input->kind == INPUT_POLICY && input->upstream->policy.probe.kind == PROBE_NONE &&
	    (client->stage == STAGE_PROBE || client->stage == STAGE_READY))
		client->dialogue = 0;
	link_step(client->link, input, world->now, &effects);
	digest(world, world->now);
	digest(world, (uint64_t)client->link->stage << 8 | input->kind);
	if (world->verbose)
		trace(world, index, input, &effects);
	for (unsigned int i = 0; i < effects.count; i++) {
		invariants_of_effect(world, client, input, &effects.at[i]);
		perform(world, index, &effects.at[i]);
		digest(world, effects.at[i].kind);
	}
	invariants_of_step(world, client, input, &effects);
	client->stage = client->link->stage;
	client->held = client->link->held;
	if (input->kind == INPUT_ONLINE)
		client->hurried = true;
	follow_up(world, index, &effects);
}

static void
tell_answer(struct world *world, unsigned int index, const struct happening *happening)
{
	const struct upstream *upstream = world->clients[index].link->upstream;
	struct answer answer = { .target = happening->target, .family = happening->family };
	struct failure failure;

	failure_init(&failure, FAILURE_ADDRESS_NO_DATA, STAGE_RESOLVE);
	if (happening->code != FAILURE_NONE)
		failure.code = happening->code;
	else
		peer_fill_answer(world, upstream_reach(upstream, happening->target),
				 world->clients[index].seed, &answer);
	if (answer.count == 0)
		answer.failure = &failure;
	worker_tell(world, index, &(struct input){ .kind = INPUT_ANSWERED, .answer = &answer });
}

static void
tell_end(struct world *world, unsigned int index, const struct happening *happening,
	 const struct input *good)
{
	struct failure failure;

	if (happening->code == FAILURE_NONE) {
		worker_tell(world, index, good);
		return;
	}
	failure_init(&failure, happening->code, world->clients[index].link->stage);
	worker_tell(world, index, &(struct input){ .kind = INPUT_FAILED, .failure = &failure });
}

/* A probe in READY that went wrong leaves the connection whole, unless that has ended with it. */
static void
tell_dialogue(struct world *world, unsigned int index, const struct happening *happening)
{
	static const struct input passed = { .kind = INPUT_PASSED };
	struct client *client = &world->clients[index];
	struct failure failure;

	if (client->stage == STAGE_READY)
		client->probe_since = world->now;
	if (client->stage != STAGE_READY || happening->code == FAILURE_NONE ||
	    happening->code == FAILURE_PROTOCOL_PROBE_CLOSED ||
	    happening->code == FAILURE_TIMEOUT_WRITE) {
		tell_end(world, index, happening, &passed);
		return;
	}
	failure_init(&failure, happening->code, STAGE_READY);
	worker_tell(world, index, &(struct input){ .kind = INPUT_PROBE_FAILED, .failure = &failure });
}

static void
tell_deadline(struct world *world, unsigned int index)
{
	struct client *client = &world->clients[index];
	struct input input = { .kind = INPUT_DEADLINE };
	struct failure failure;

	client->timer_at = USEC_INFINITY;
	input.failure = peer_overdue(world, client, &failure);
	worker_tell(world, index, &input);
}

static void
tell_socket(struct world *world, unsigned int index, const struct happening *happening)
{
	struct input input = { .kind = INPUT_CONNECTED, .slot = happening->slot };
	struct failure failure;

	if (happening->code != FAILURE_NONE) {
		/* A socket that has failed is closed by whoever sees it. */
		world->clients[index].slot[happening->slot] = 0;
		failure_init(&failure, happening->code, STAGE_CONNECT);
		failure_set_error(&failure, 111, "ECONNREFUSED");
		input = (struct input){ .kind = INPUT_UNCONNECTED,
					.unconnected = { happening->slot, &failure } };
	}
	worker_tell(world, index, &input);
}

/* The token of what `happening` is about, 0 where it is no more. */
static uint64_t *
token_of(struct client *client, const struct happening *happening)
{
	switch (happening->kind) {
	case HAPPENS_TIMER: return &client->timer;
	case HAPPENS_LOAD: return &client->loading;
	case HAPPENS_ANSWER: return &client->query[happening->target][happening->family];
	case HAPPENS_SOCKET: return &client->slot[happening->slot];
	case HAPPENS_DIALOGUE: return &client->dialogue;
	default: return &client->connection;
	}
}

static bool
is_due_in(const struct client *client, const struct happening *happening)
{
	switch (happening->kind) {
	case HAPPENS_HANDSHAKE: return client->stage == STAGE_HANDSHAKE;
	case HAPPENS_VERDICT: return client->stage == STAGE_SETTLE;
	case HAPPENS_DATA:
	case HAPPENS_END: return client->stage == STAGE_READY;
	default: return true;
	}
}

void
worker_dispatch(struct world *world, const struct happening *happening)
{
	unsigned int index = happening->link;
	struct client *client = &world->clients[index];
	uint64_t *token;
	struct input input = { 0 };

	if (!client->link || *(token = token_of(client, happening)) != happening->token ||
	    !is_due_in(client, happening))
		return;
	switch (happening->kind) {
	case HAPPENS_TIMER:
		*token = 0;
		tell_deadline(world, index);
		break;
	case HAPPENS_LOAD:
		*token = 0;
		input.kind = INPUT_LOADED;
		tell_end(world, index, happening, &input);
		break;
	case HAPPENS_ANSWER:
		*token = 0;
		tell_answer(world, index, happening);
		break;
	case HAPPENS_SOCKET: tell_socket(world, index, happening); break;
	case HAPPENS_DIALOGUE:
		*token = 0;
		tell_dialogue(world, index, happening);
		break;
	case HAPPENS_HANDSHAKE:
		input.kind = INPUT_SECURED;
		input.secured.rtt = world->hosts[client->host].delay;
		input.secured.verdict_pending = world_chance(world, 40);
		tell_end(world, index, happening, &input);
		break;
	case HAPPENS_VERDICT:
		input.kind = INPUT_SETTLED;
		tell_end(world, index, happening, &input);
		break;
	case HAPPENS_DATA:
		input.kind = INPUT_RECEIVED;
		input.bytes = 1;
		worker_tell(world, index, &input);
		break;
	case HAPPENS_END:
		if (!world->well) /* what was in store for a bad day does not happen on a good one */
			tell_end(world, index, happening, NULL);
		break;
	case HAPPENS_CLOSED:
		input.kind = INPUT_CLOSED;
		worker_tell(world, index, &input);
		break;
	case HAPPENS_WEATHER: break;
	}
}

void
worker_stalled(struct world *world)
{
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		if (!world->clients[i].link)
			continue;
		world->clients[i].forgiven_at = world->now;
		worker_tell(world, i, &(struct input){ .kind = INPUT_STALLED });
	}
}

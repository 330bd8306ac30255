/* Time, and the weather. */
#include "world.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

#define TURN_STEPS_MAX 20000 /* more in one turn of the loop, and it spins */

uint64_t
world_random(struct world *world, uint64_t below)
{
	return prng_below(&world->prng, below);
}

bool
world_chance(struct world *world, unsigned int percent)
{
	return world_random(world, 100) < percent;
}

usec_t
world_span(struct world *world, usec_t least, usec_t most)
{
	return least + world_random(world, most - least + 1);
}

static bool
comes_first(const struct happening *a, const struct happening *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void
swap(struct happening *a, struct happening *b)
{
	struct happening kept = *a;

	*a = *b;
	*b = kept;
}

void
world_plan(struct world *world, struct happening happening, usec_t delay)
{
	size_t i = world->heap_count++;

	if (world->heap_count > world->heap_size) {
		world->heap_size = 2 * world->heap_size + 64;
		world->heap = realloc(world->heap, world->heap_size * sizeof(*world->heap));
		must(world->heap);
	}
	happening.at = usec_add(world->now, delay);
	happening.order = world->order++;
	world->heap[i] = happening;
	for (; i > 0 && comes_first(&world->heap[i], &world->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&world->heap[i], &world->heap[(i - 1) / 2]);
}

static struct happening
take_first(struct world *world)
{
	struct happening first = world->heap[0];
	size_t i = 0;

	world->heap[0] = world->heap[--world->heap_count];
	for (;;) {
		size_t least = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++) {
			if (child < world->heap_count &&
			    comes_first(&world->heap[child], &world->heap[least]))
				least = child;
		}
		if (least == i)
			return first;
		swap(&world->heap[i], &world->heap[least]);
		i = least;
	}
}

static void
tell_all(struct world *world, enum input_kind kind)
{
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		if (world->clients[i].link)
			worker_tell(world, i, &(struct input){ .kind = kind });
	}
}

static void
set_host(struct world *world, unsigned int host)
{
	bool good = world->well || world_chance(world, 30);

	world->hosts[host].mood = good ? HOST_GOOD : (enum host_mood)world_random(world, HOST_MOODS);
	world->hosts[host].delay = world_span(
		world, 100, world->well ? 200 * USEC_PER_MSEC : 800 * USEC_PER_MSEC);
}

static void
set_name(struct world *world, unsigned int name)
{
	bool good = world->well || world_chance(world, 50);

	world->names[name].mood = good ? NAME_GOOD : (enum name_mood)world_random(world, NAME_MOODS);
	world->names[name].delay = world_span(world, 0, 700 * USEC_PER_MSEC);
	world->names[name].hosts = 1 + (uint32_t)world_random(world, (1U << HOSTS_MAX) - 1);
	if (world_chance(world, 60)) /* most names have few addresses */
		world->names[name].hosts &= 0x7;
	if (world->well && world->names[name].hosts == 0)
		world->names[name].hosts = 1;
}

static void
set_offline(struct world *world, bool offline)
{
	bool returns = world->offline && !offline;

	world->offline = offline;
	if (returns)
		tell_all(world, INPUT_ONLINE);
}

/* A reload that needs no new connection. */
static void
change_policy(struct world *world, unsigned int index)
{
	struct upstream *old = world->upstreams[index];
	struct upstream *new = upstream_new(old->name, old->target_count);
	struct input input = { .kind = INPUT_POLICY, .upstream = new };

	must(new);
	memcpy(new->targets, old->targets, old->target_count * sizeof(*old->targets));
	new->policy = old->policy;
	peer_policy(world, &new->policy);
	new->policy.enabled |= world->well;
	world->upstreams[index] = new;
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		if (world->clients[i].link && world->clients[i].upstream == index)
			worker_tell(world, i, &input);
	}
	upstream_unref(old);
}

static void
stop_client(struct world *world, unsigned int index, enum close_reason reason)
{
	world->clients[index].stopping = true;
	worker_tell(world, index, &(struct input){ .kind = INPUT_STOP, .reason = reason });
}

static void
start_client(struct world *world, unsigned int upstream)
{
	int index = worker_add(world, upstream);

	if (index >= 0)
		worker_tell(world, (unsigned int)index, &(struct input){ .kind = INPUT_START });
}

static void
give_order(struct world *world)
{
	static const enum input_kind orders[] = { INPUT_RETRY,	INPUT_RECONNECT, INPUT_PAUSE,
						  INPUT_RESUME, INPUT_RESUME,	 INPUT_START,
						  INPUT_ONLINE };
	unsigned int index = (unsigned int)world_random(world, LINKS_MAX);
	struct input input = { .kind = orders[world_random(world, COUNT_OF(orders))] };

	if (!world->clients[index].link)
		return;
	if (world_chance(world, 10)) {
		stop_client(world, index, CLOSE_RELOAD);
		start_client(world, (unsigned int)world_random(world, world->upstream_count));
		return;
	}
	worker_tell(world, index, &input);
}

static void
change_weather(struct world *world)
{
	switch (world_random(world, 10)) {
	case 0:
	case 1:
	case 2: set_host(world, (unsigned int)world_random(world, HOSTS_MAX)); break;
	case 3:
		for (unsigned int i = 0; i < HOSTS_MAX; i++)
			set_host(world, i);
		break;
	case 4: set_name(world, (unsigned int)world_random(world, NAMES_MAX)); break;
	case 5: set_offline(world, world_chance(world, 30)); break;
	case 6:
		change_policy(world, (unsigned int)world_random(world, world->upstream_count));
		break;
	case 7: world->late_max = world_chance(world, 80) ? 1000 : 200 * USEC_PER_MSEC; break;
	default: give_order(world); break;
	}
	world_plan(world, (struct happening){ .kind = HAPPENS_WEATHER },
		   world_chance(world, 50) ? world_span(world, 0, 5 * USEC_PER_SEC) :
					     world_span(world, 0, 60 * USEC_PER_SEC));
}

/* One turn of the loop: late by a little, or by very much. */
static void
turn(struct world *world)
{
	uint64_t steps = world->steps;

	world->now = usec_max(world->now, world->heap[0].at) + world_random(world, world->late_max);
	if (!world->well && world_random(world, 1000) == 0) {
		world->now += world_span(world, USEC_PER_SEC, 120 * USEC_PER_SEC);
		worker_stalled(world);
	}
	while (world->heap_count > 0 && world->heap[0].at <= world->now) {
		struct happening happening = take_first(world);

		if (happening.kind != HAPPENS_WEATHER)
			worker_dispatch(world, &happening);
		else if (!world->well)
			change_weather(world);
		if (world->steps - steps > TURN_STEPS_MAX)
			invariant_failed(world, NULL, "a turn of the loop ends");
	}
	invariants_of_turn(world);
}

static void
live_until(struct world *world, usec_t until)
{
	while (world->heap_count > 0 && world->heap[0].at < until)
		turn(world);
	world->now = usec_max(world->now, until);
}

static void
begin(struct world *world)
{
	world->upstream_count = 1 + (unsigned int)world_random(world, UPSTREAMS_MAX);
	world->late_max = 1000;
	world->now = USEC_PER_SEC;
	for (unsigned int i = 0; i < HOSTS_MAX; i++)
		set_host(world, i);
	for (unsigned int i = 0; i < NAMES_MAX; i++)
		set_name(world, i);
	for (unsigned int i = 0; i < world->upstream_count; i++) {
		world->upstreams[i] = peer_upstream(world, "simulated");
		for (uint64_t n = 1 + world_random(world, 3); n > 0; n--)
			start_client(world, i);
	}
	world_plan(world, (struct happening){ .kind = HAPPENS_WEATHER }, 0);
}

/* How long a host that has fallen silent may go unnoticed. */
static usec_t
patience(const struct policy *policy)
{
	if (policy->probe.kind == PROBE_NONE)
		return 0;
	return policy->probe.failures * (policy->probe.interval + policy->timeout[STAGE_PROBE]);
}

/* From now on nothing is wrong: every link must be ready after one attempt's time and the longest delay. */
static void
heal(struct world *world)
{
	usec_t bound = 0;

	world->well = true;
	world->late_max = 1000;
	for (unsigned int i = 0; i < HOSTS_MAX; i++)
		set_host(world, i);
	for (unsigned int i = 0; i < NAMES_MAX; i++)
		set_name(world, i);
	set_offline(world, false);
	for (unsigned int i = 0; i < world->upstream_count; i++) {
		const struct policy *policy;

		change_policy(world, i);
		policy = &world->upstreams[i]->policy;
		bound = usec_max(bound, policy->timeout[STAGE_CLOSING] + 2 * policy->attempt_timeout +
						DEFAULT_RETRY_MAX + patience(policy));
	}
	tell_all(world, INPUT_RESUME);
	live_until(world, world->now + bound);
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		const struct client *client = &world->clients[i];

		INVARIANT(world, client,
			  !client->link || client->stage == STAGE_READY || client->stopping ||
				  world->now - client->born_at < 10 * USEC_PER_SEC);
	}
}

static void
finish(struct world *world)
{
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		world->clients[i].successor = -1;
		if (world->clients[i].link)
			stop_client(world, i, CLOSE_SHUTDOWN);
	}
	live_until(world, world->now + 10 * USEC_PER_SEC);
	for (unsigned int i = 0; i < LINKS_MAX; i++)
		INVARIANT(world, &world->clients[i], !world->clients[i].link);
	for (unsigned int i = 0; i < world->upstream_count; i++)
		upstream_unref(world->upstreams[i]);
	free(world->heap);
}

uint64_t
world_run(struct world *world, uint64_t seed)
{
	bool verbose = world->verbose;

	*world = (struct world){ .seed = seed, .verbose = verbose, .digest = 0xcbf29ce484222325 };
	prng_init(&world->prng, seed);
	begin(world);
	live_until(world, world_span(world, 10 * USEC_PER_MINUTE, 2 * USEC_PER_HOUR));
	heal(world);
	finish(world);
	return world->digest;
}

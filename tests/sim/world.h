/*
 * A world for links to live in: hosts that refuse, reset, drop, delay, lie and die; names that change; a host
 * that goes offline and a process that is stopped.  One seed makes one world, always the same.
 *
 * world.c keeps time and makes the weather; peer.c is what answers; worker.c stands for the worker around the
 * links; invariants.c looks at everything after every step.
 */
#pragma once

#include "base/prng.h"
#include "core/link.h"

#include <stdbool.h>
#include <stdint.h>

#define HOSTS_MAX     10
#define NAMES_MAX     5
#define UPSTREAMS_MAX 3
#define LINKS_MAX     16

enum host_mood {
	HOST_GOOD,
	HOST_REFUSES,
	HOST_RESETS,
	HOST_DROPS,
	HOST_SLOW,
	HOST_UNREACHABLE,
	HOST_NO_FAMILY,
	HOST_NO_DESCRIPTOR,
	HOST_BAD_CERTIFICATE,
	HOST_HANGS_UP,
	HOST_WRONG_VERSION,
	HOST_STALLS_TLS,
	HOST_REJECTS_US,
	HOST_CLOSES_EARLY,
	HOST_DROPS_IPV4, /* its other family works */
	HOST_DROPS_IPV6,
	HOST_MUTE,  /* connects, and says nothing in any dialogue */
	HOST_TARDY, /* answers in dialogues, but may take too long for it */
	HOST_DENIES_PROXYING,
	HOST_DENIES_STARTTLS,
	HOST_INJECTS,
	HOST_FAILS_PROBES,
	HOST_MOODS
};

struct host {
	enum host_mood mood;
	usec_t delay; /* one way and back */
};

enum name_mood {
	NAME_GOOD,
	NAME_MISSING,
	NAME_EMPTY,
	NAME_BROKEN,
	NAME_SILENT,
	NAME_BLOCKED,
	NAME_MOODS
};

struct name {
	enum name_mood mood;
	usec_t delay;
	uint32_t hosts; /* bit k: host k is among the answers */
};

enum happening_kind {
	HAPPENS_TIMER,
	HAPPENS_LOAD,
	HAPPENS_ANSWER,
	HAPPENS_SOCKET,
	HAPPENS_DIALOGUE, /* what is said in PROXY, STARTTLS, PROBE or READY has come to an end */
	HAPPENS_HANDSHAKE,
	HAPPENS_VERDICT,
	HAPPENS_DATA,
	HAPPENS_END,
	HAPPENS_CLOSED,
	HAPPENS_WEATHER,
};

/* Something that is to come. */
struct happening {
	usec_t at;
	uint64_t order; /* of two at once the one planned earlier comes first */
	enum happening_kind kind;
	unsigned int link;
	uint64_t token; /* what was cancelled meanwhile has another one */
	unsigned int slot, target;
	enum family family;
	enum failure_code code; /* FAILURE_NONE: it ends well */
};

/* One link and all that is open on its behalf, each with its token (0: not open) and since when. */
struct client {
	struct link *link; /* NULL: a free place */
	unsigned int upstream;
	uint64_t timer, loading, connection, dialogue;
	uint64_t slot[RACE_MAX];
	usec_t slot_since[RACE_MAX];
	unsigned int slot_host[RACE_MAX];
	uint64_t query[TARGETS_MAX][3];
	usec_t query_since;
	uint64_t seed;		     /* of the queries asked last */
	uint32_t asked;		     /* bit k: stage k's effect was seen on this connection */
	usec_t probe_since;	     /* in READY: as the link has it */
	unsigned int probe_failures; /* as told last */
	bool probe_late;	     /* the one that is out, or was last, has missed its deadline */
	unsigned int host;	     /* of the connection */
	usec_t born_at, timer_at;
	enum stage stage; /* as it was after the latest step */
	usec_t stage_since, attempt_since, forgiven_at;
	usec_t backoff_since, retry_delay;
	bool hurried; /* an order or the network ended the backoff */
	bool renewed; /* this connection's EFFECT_RENEW was seen */
	bool stopping, ended;
	bool held;
	bool paused;   /* the last word on whether attempts may be made was no */
	int successor; /* index of the client that is to replace this one, or -1 */
	enum close_reason successor_reason;
	uint64_t reports, closes;
};

struct world {
	uint64_t seed;
	bool verbose;
	struct prng prng;
	usec_t now, late_max; /* lateness of one turn of the loop */
	bool offline, well;
	struct host hosts[HOSTS_MAX];
	struct name names[NAMES_MAX];
	struct upstream *upstreams[UPSTREAMS_MAX];
	unsigned int upstream_count;
	struct client clients[LINKS_MAX];
	struct happening *heap;
	size_t heap_count, heap_size;
	uint64_t order, token, steps, digest;
	uint64_t reports, closes, stages[STAGE_COUNT];
	uint64_t broken, probings; /* EFFECT_FAMILY and EFFECT_PROBING with something wrong */
};

/* ---- world.c ---- */

/*
 * world_run(world, seed):
 * Live through the world of `seed`: bad times, then good ones, then the end.  Returns the digest of all that was
 * done in it.  Ends the program where an invariant is hurt.
 */
uint64_t world_run(struct world *world, uint64_t seed);

/*
 * world_random(world, below), world_chance(world, percent), world_span(world, least, most):
 * An even random number; true in so many of a hundred cases; a duration in between.
 */
uint64_t world_random(struct world *world, uint64_t below);
bool world_chance(struct world *world, unsigned int percent);
usec_t world_span(struct world *world, usec_t least, usec_t most);

/*
 * world_plan(world, happening, delay):
 * Let it happen `delay` from now.
 */
void world_plan(struct world *world, struct happening happening, usec_t delay);

/* ---- peer.c ---- */

/*
 * peer_load(world, client, token), peer_resolve(…), peer_connect(…), peer_talk(…), peer_handshake(…), peer_settle(…),
 * peer_hold(…), peer_close(…):
 * Plan what becomes of what the link has asked for.
 */
void peer_load(struct world *world, unsigned int client, uint64_t token);
void peer_resolve(struct world *world, unsigned int client, const struct effect *effect, uint64_t token);
void peer_connect(struct world *world, unsigned int client, const struct effect *effect, uint64_t token);
void peer_talk(struct world *world, unsigned int client, uint64_t token);
void peer_handshake(struct world *world, unsigned int client, uint64_t token);
void peer_settle(struct world *world, unsigned int client, uint64_t token);
void peer_hold(struct world *world, unsigned int client, uint64_t token);
void peer_close(struct world *world, unsigned int client, uint64_t token);

/*
 * peer_fill_answer(world, target, seed, answer):
 * What the name of `target` holds now, of answer->family; a service's records in the order that `seed` draws.
 */
void peer_fill_answer(struct world *world, const struct target *target, uint64_t seed,
		      struct answer *answer);

/*
 * peer_overdue(world, client, failure):
 * What the dialogue that is going on says of its deadline: fills `failure` and returns it, or NULL for nothing.
 */
const struct failure *peer_overdue(struct world *world, const struct client *client,
				   struct failure *failure);

/*
 * peer_host_of(address):
 * The index of the host that has `address`.
 */
unsigned int peer_host_of(const struct address *address);

/*
 * peer_upstream(world, name):
 * An upstream with targets and a policy drawn at random.
 */
struct upstream *peer_upstream(struct world *world, const char *name);

/*
 * peer_policy(world, policy):
 * Draw what may be changed in place.
 */
void peer_policy(struct world *world, struct policy *policy);

/* ---- worker.c ---- */

/*
 * worker_add(world, upstream):
 * A new link; returns its client's index, or -1 where all places are taken.
 */
int worker_add(struct world *world, unsigned int upstream);

/*
 * worker_tell(world, client, input):
 * One step of one link: tell it, do what it asks for, look at the invariants.
 */
void worker_tell(struct world *world, unsigned int client, const struct input *input);

/*
 * worker_dispatch(world, happening):
 * Turn what has happened into an input, unless it was cancelled meanwhile.
 */
void worker_dispatch(struct world *world, const struct happening *happening);

/*
 * worker_stalled(world):
 * The process was held up: forgive all deadlines.
 */
void worker_stalled(struct world *world);

/* ---- invariants.c ---- */

/*
 * invariant_failed(world, client, what):
 * Say which seed hurts which invariant and how to replay it, and end the program.
 */
_Noreturn void invariant_failed(const struct world *world, const struct client *client,
				const char *what);

#define INVARIANT(world, client, condition) \
	((condition) ? (void)0 : invariant_failed(world, client, #condition))

/*
 * invariants_of_effect(world, client, input, effect):
 * Whether `effect` may be asked for now, before it is done.
 */
void invariants_of_effect(const struct world *world, const struct client *client,
			  const struct input *input, const struct effect *effect);

/*
 * invariants_of_step(world, client, input, effects):
 * After a step: what is open is what the link believes to be open, and what ended was told of once.
 */
void invariants_of_step(const struct world *world, const struct client *client,
			const struct input *input, const struct effects *effects);

/*
 * invariants_of_turn(world):
 * After a turn of the loop: nobody waits longer than the policy says.
 */
void invariants_of_turn(const struct world *world);

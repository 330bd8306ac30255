/* The grid of stages and inputs, the one door between stages, deadlines, and orders. */
#include "core/link.h"

#include "base/must.h"
#include "base/text.h"
#include "core/link_internal.h"
#include "core/proxy.h"

#include <string.h>

typedef void (*transition_fn)(struct link *link, const struct input *input, usec_t now,
			      struct effects *out);

static void stay(struct link *link, const struct input *input, usec_t now, struct effects *out);
static void forgive(struct link *link, const struct input *input, usec_t now, struct effects *out);
static void change_policy(struct link *link, const struct input *input, usec_t now, struct effects *out);
static void idle_start(struct link *link, const struct input *input, usec_t now, struct effects *out);
static void idle_stop(struct link *link, const struct input *input, usec_t now, struct effects *out);
static void rest_pause(struct link *link, const struct input *input, usec_t now, struct effects *out);
static void rest_stop(struct link *link, const struct input *input, usec_t now, struct effects *out);
static void paused_resume(struct link *link, const struct input *input, usec_t now, struct effects *out);
static void run_again(struct link *link, const struct input *input, usec_t now, struct effects *out);
static void run_pause(struct link *link, const struct input *input, usec_t now, struct effects *out);
static void run_stop(struct link *link, const struct input *input, usec_t now, struct effects *out);

/* Orders while an attempt runs: what is cut short is neither a failure nor a close. */
#define ORDERS_WHILE_RUNNING \
	[INPUT_START] = stay, [INPUT_STALLED] = forgive, [INPUT_ONLINE] = stay, \
	[INPUT_RETRY] = stay, [INPUT_RECONNECT] = run_again, [INPUT_PAUSE] = run_pause, \
	[INPUT_RESUME] = stay, [INPUT_POLICY] = change_policy, [INPUT_STOP] = run_stop

/* An empty cell cannot happen: link_step() aborts. */
static const transition_fn grid[STAGE_COUNT][INPUT_COUNT] = {
	[STAGE_IDLE] = {
		[INPUT_START] = idle_start,	[INPUT_STALLED] = forgive,
		[INPUT_ONLINE] = stay,		[INPUT_RETRY] = stay,
		[INPUT_RECONNECT] = stay,	[INPUT_PAUSE] = rest_pause,
		[INPUT_RESUME] = paused_resume,	[INPUT_POLICY] = change_policy,
		[INPUT_STOP] = idle_stop,
	},
	[STAGE_LOAD] = {
		[INPUT_LOADED] = load_done,	[INPUT_FAILED] = load_failed,
		[INPUT_DEADLINE] = attempt_expired,
		ORDERS_WHILE_RUNNING,
	},
	[STAGE_RESOLVE] = {
		[INPUT_ANSWERED] = race_answer,	[INPUT_DEADLINE] = race_expired,
		ORDERS_WHILE_RUNNING,
	},
	[STAGE_CONNECT] = {
		[INPUT_ANSWERED] = race_answer,	[INPUT_DEADLINE] = race_expired,
		[INPUT_CONNECTED] = race_connected,
		[INPUT_UNCONNECTED] = race_unconnected,
		ORDERS_WHILE_RUNNING,
	},
	[STAGE_PROXY] = {
		[INPUT_PASSED] = connection_passed, [INPUT_FAILED] = connection_failed,
		[INPUT_DEADLINE] = connection_expired,
		ORDERS_WHILE_RUNNING,
	},
	[STAGE_STARTTLS] = {
		[INPUT_PASSED] = connection_passed, [INPUT_FAILED] = connection_failed,
		[INPUT_DEADLINE] = connection_expired,
		ORDERS_WHILE_RUNNING,
	},
	[STAGE_HANDSHAKE] = {
		[INPUT_SECURED] = connection_secured, [INPUT_FAILED] = connection_failed,
		[INPUT_DEADLINE] = connection_expired,
		ORDERS_WHILE_RUNNING,
	},
	[STAGE_SETTLE] = {
		[INPUT_SETTLED] = connection_passed, [INPUT_FAILED] = connection_failed,
		[INPUT_DEADLINE] = connection_expired,
		ORDERS_WHILE_RUNNING,
	},
	[STAGE_PROBE] = {
		[INPUT_PASSED] = connection_passed, [INPUT_FAILED] = connection_failed,
		[INPUT_DEADLINE] = connection_expired,
		ORDERS_WHILE_RUNNING,
	},
	[STAGE_READY] = {
		[INPUT_RECEIVED] = hold_received, [INPUT_FAILED] = hold_failed,
		[INPUT_PASSED] = link_probe_passed,	[INPUT_PROBE_FAILED] = link_probe_failed,
		[INPUT_DEADLINE] = hold_expired,
		[INPUT_START] = stay,		[INPUT_STALLED] = forgive,
		[INPUT_ONLINE] = stay,		[INPUT_RETRY] = stay,
		[INPUT_RECONNECT] = hold_reconnect, [INPUT_PAUSE] = hold_pause,
		[INPUT_RESUME] = stay,		[INPUT_POLICY] = change_policy,
		[INPUT_STOP] = hold_stop,
	},
	[STAGE_BACKOFF] = {
		[INPUT_DEADLINE] = backoff_expired,
		[INPUT_START] = stay,		[INPUT_STALLED] = forgive,
		[INPUT_ONLINE] = backoff_online, [INPUT_RETRY] = backoff_retry,
		[INPUT_RECONNECT] = backoff_retry, [INPUT_PAUSE] = rest_pause,
		[INPUT_RESUME] = stay,		[INPUT_POLICY] = change_policy,
		[INPUT_STOP] = rest_stop,
	},
	[STAGE_PAUSED] = {
		[INPUT_START] = stay,		[INPUT_STALLED] = forgive,
		[INPUT_ONLINE] = stay,		[INPUT_RETRY] = stay,
		[INPUT_RECONNECT] = stay,	[INPUT_PAUSE] = stay,
		[INPUT_RESUME] = paused_resume,	[INPUT_POLICY] = change_policy,
		[INPUT_STOP] = rest_stop,
	},
	[STAGE_CLOSING] = {
		[INPUT_CLOSED] = closing_done,	[INPUT_DEADLINE] = closing_expired,
		[INPUT_START] = stay,		[INPUT_STALLED] = forgive,
		[INPUT_ONLINE] = stay,		[INPUT_RETRY] = stay,
		[INPUT_RECONNECT] = stay,	[INPUT_PAUSE] = closing_pause,
		[INPUT_RESUME] = closing_resume, [INPUT_POLICY] = change_policy,
		[INPUT_STOP] = closing_stop,
	},
};

struct link *
link_new(const struct upstream *upstream, unsigned int number, uint64_t seed)
{
	struct link *link = calloc(1, sizeof(*link));

	if (!link)
		return NULL;
	link->upstream = upstream;
	link->number = number;
	link->stage_deadline = link->attempt_deadline = link->armed = USEC_INFINITY;
	link->winner = -1;
	for (enum stage i = 0; i < STAGE_COUNT; i++)
		link->timing[i] = USEC_INFINITY;
	prng_init(&link->prng, seed);
	link_forget_failures(link);
	return link;
}

struct link *
link_free(struct link *link)
{
	if (!link)
		return NULL;
	failure_done(&link->failure);
	failure_done(&link->lost);
	free(link);
	return NULL;
}

struct effect *
link_emit(struct effects *out, enum effect_kind kind)
{
	struct effect *effect;

	must(out->count < EFFECTS_MAX);
	effect = &out->at[out->count++];
	*effect = (struct effect){ .kind = kind };
	return effect;
}

static bool
is_running(enum stage stage)
{
	return stage >= STAGE_LOAD && stage <= STAGE_PROBE;
}

void
link_enter(struct link *link, enum stage next, usec_t now, struct effects *out)
{
	must(stage_may_follow(link->stage, next));
	if (is_running(link->stage)) {
		usec_t *timing = &link->timing[link->stage];

		/* Several addresses may have led through the same stage. */
		*timing = usec_add(*timing == USEC_INFINITY ? 0 : *timing, now - link->stage_since);
	}
	link->stage = next;
	link->stage_since = now;
	if (next == STAGE_READY || next == STAGE_PAUSED || next == STAGE_IDLE)
		link->held = false;
	link_emit(out, EFFECT_STAGE);
}

usec_t
link_clock(const struct link *link, usec_t since)
{
	return usec_max(since, link->forgiven_at);
}

static usec_t
deadline_of_stage(const struct link *link)
{
	const usec_t *timeout = link->upstream->policy.timeout;
	usec_t since = link_clock(link, link->stage_since);

	switch (link->stage) {
	case STAGE_PROXY:
	case STAGE_STARTTLS:
	case STAGE_HANDSHAKE:
	case STAGE_PROBE:
	case STAGE_CLOSING: return usec_add(since, timeout[link->stage]);
	case STAGE_SETTLE:
		return usec_add(since, usec_max(timeout[STAGE_SETTLE], usec_add(link->rtt, link->rtt)));
	case STAGE_READY: return hold_deadline(link);
	case STAGE_BACKOFF: return link->retry_at;
	default: return USEC_INFINITY;
	}
}

static usec_t
deadline_of_attempt(const struct link *link)
{
	if (!is_running(link->stage))
		return USEC_INFINITY;
	return usec_add(link_clock(link, link->attempt_since), link->upstream->policy.attempt_timeout);
}

/* All deadlines follow from instants and the policy, so that a changed policy or a stall moves them all. */
static void
arm_timer(struct link *link, struct effects *out)
{
	usec_t deadline;

	link->stage_deadline = deadline_of_stage(link);
	link->attempt_deadline = deadline_of_attempt(link);
	deadline = usec_min(link->stage_deadline, link->attempt_deadline);
	if (link->stage == STAGE_RESOLVE || link->stage == STAGE_CONNECT)
		deadline = usec_min(deadline, attempt_wakeup(link));
	if (deadline == link->armed)
		return;
	link->armed = deadline;
	link_emit(out, EFFECT_ARM_TIMER)->deadline = deadline;
}

void
link_step(struct link *link, const struct input *input, usec_t now, struct effects *ret_effects)
{
	transition_fn transition;

	must(link->stage < STAGE_COUNT && input->kind < INPUT_COUNT);
	ret_effects->count = 0;
	transition = grid[link->stage][input->kind];
	must(transition);
	if (input->kind == INPUT_DEADLINE)
		link->armed = USEC_INFINITY; /* it has fired */
	transition(link, input, now, ret_effects);
	arm_timer(link, ret_effects);
	if (link->stage == STAGE_IDLE && link->next_stop) {
		link->next_stop = false;
		link_emit(ret_effects, EFFECT_ENDED); /* last: the link may be freed on it */
	}
}

usec_t
link_retry_delay(const struct link *link, usec_t now)
{
	return link->stage == STAGE_BACKOFF ? usec_sub(link->retry_at, now) : USEC_INFINITY;
}

void
link_forget_failures(struct link *link)
{
	failure_done(&link->failure);
	failure_done(&link->lost);
	failure_init(&link->failure, FAILURE_NONE, link->stage);
	failure_init(&link->lost, FAILURE_NONE, link->stage);
}

/* Of two failures in the same stage, how much each tells about the upstream. */
static int
weight(enum failure_code code)
{
	if (code == FAILURE_ADDRESS_NO_DATA || code == FAILURE_TIMEOUT_RESOLVE)
		return 0; /* of one family; what was said about the other one matters more */
	if (failure_blame(code) == BLAME_LOCAL || code == FAILURE_CONNECTION_NETWORK_UNREACHABLE)
		return 1; /* what never left this host yields to what a peer said */
	return 2;
}

static bool
tells_more(const struct failure *seen, const struct failure *kept)
{
	if (kept->code == FAILURE_NONE)
		return true;
	if (seen->stage != kept->stage)
		return seen->stage > kept->stage;
	return weight(seen->code) >= weight(kept->code);
}

/* On the way to the proxy and in its dialogue the upstream has not been met: say whom this is about (ruling 14). */
static void
name_proxy(const struct link *link, struct failure *failure)
{
	const struct proxy_policy *proxy = &link->upstream->policy.proxy;
	char name[TARGET_HOST_MAX + 32], evidence[sizeof(name) + 8];
	struct text text = TEXT_INIT(evidence);

	if (proxy->kind == PROXY_NONE || failure->evidence_length > 0)
		return;
	if (failure->stage < STAGE_RESOLVE || failure->stage > STAGE_PROXY)
		return;
	text_addf(&text, "proxy %s", proxy_format(proxy, name, sizeof(name)));
	failure_set_evidence(failure, evidence, strlen(evidence));
}

void
link_fill(struct link *link, struct failure *record, const struct sighting *sighting, usec_t now)
{
	struct failure seen = *sighting->failure; /* borrows the references */

	seen.stage = sighting->stage;
	seen.at = now;
	seen.elapsed = usec_sub(now, sighting->since);
	seen.attempt = link->attempt;
	if (sighting->peer)
		seen.peer = *sighting->peer;
	name_proxy(link, &seen);
	failure_done(record);
	failure_copy(record, &seen);
}

void
link_note(struct link *link, const struct sighting *sighting, usec_t now)
{
	struct failure *lost = &link->lost;

	link_fill(link, lost, sighting, now);
	if (!tells_more(lost, &link->failure))
		return;
	failure_done(&link->failure);
	failure_copy(&link->failure, lost);
}

static void
stay(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)link, (void)input, (void)now, (void)out;
}

static void
forgive(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input, (void)out;
	link->forgiven_at = now;
}

static void
change_policy(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	bool was_enabled = link->upstream->policy.enabled;
	bool enabled = input->upstream->policy.enabled;

	link->upstream = input->upstream;
	if (link->stage != STAGE_IDLE && enabled != was_enabled)
		grid[link->stage][enabled ? INPUT_RESUME : INPUT_PAUSE](link, input, now, out);
	link_probe_change_policy(link, now, out);
}

static void
idle_start(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input;
	if (link->upstream->policy.enabled)
		attempt_begin(link, now, out);
	else
		link_enter(link, STAGE_PAUSED, now, out);
}

static void
idle_stop(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input, (void)now, (void)out;
	link->next_stop = true;
}

/* In IDLE and BACKOFF: nothing is open. */
static void
rest_pause(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input;
	link_enter(link, STAGE_PAUSED, now, out);
}

static void
rest_stop(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input;
	link->next_stop = true;
	link_enter(link, STAGE_IDLE, now, out);
}

static void
paused_resume(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input;
	attempt_begin(link, now, out);
}

static void
run_again(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input;
	link_emit(out, EFFECT_DISCARD);
	link->attempt--; /* what was cut short does not count */
	attempt_begin(link, now, out);
}

static void
run_pause(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	link_emit(out, EFFECT_DISCARD);
	rest_pause(link, input, now, out);
}

static void
run_stop(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	link_emit(out, EFFECT_DISCARD);
	rest_stop(link, input, now, out);
}

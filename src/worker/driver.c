#include "worker/driver.h"

#include "base/must.h"
#include "worker/driver_race.h"
#include "worker/refresh.h"
#include "worker/runner_certificate.h"
#include "worker/runner_files.h"
#include "worker/speech.h"

#include <errno.h>

/* What was known at once while effects were performed: at most one socket a slot, and one more thing. */
#define COMPLETIONS_MAX (RACE_MAX + 1)

struct completion {
	enum input_kind kind;	/* UNCONNECTED, PASSED, PROBE_FAILED, FAILED or CLOSED */
	unsigned int slot;	/* of UNCONNECTED */
	struct failure failure; /* of UNCONNECTED, PROBE_FAILED and FAILED */
};

struct completions {
	unsigned int count;
	struct completion at[COMPLETIONS_MAX];
};

typedef void (*perform_fn)(struct driver *driver, const struct effect *effect, usec_t now);

/* ---- completions ---------------------------------------------------------------------------------- */

/* `failure`'s references are taken over; NULL: none. */
static void
complete(struct driver *driver, enum input_kind kind, unsigned int slot, const struct failure *failure)
{
	struct completions *done = driver->completions;
	struct completion *completion;

	must(done && done->count < COMPLETIONS_MAX);
	completion = &done->at[done->count++];
	completion->kind = kind;
	completion->slot = slot;
	if (failure)
		completion->failure = *failure;
	else
		failure_init(&completion->failure, FAILURE_NONE, STAGE_IDLE);
}

static void
completion_remove(struct completions *done, unsigned int index)
{
	done->count--;
	for (unsigned int i = index; i < done->count; i++)
		done->at[i] = done->at[i + 1];
}

/* The link has given up a socket: what became of it is not for it any more. */
static void
forget_completions(struct driver *driver, bool all, unsigned int slot)
{
	struct completions *done = driver->completions;

	for (unsigned int i = done->count; i-- > 0;) {
		struct completion *completion = &done->at[i];

		if (!all && (completion->kind != INPUT_UNCONNECTED || completion->slot != slot))
			continue;
		failure_done(&completion->failure);
		completion_remove(done, i);
	}
}

/* ---- effects -------------------------------------------------------------------------------------- */

/* Reading files takes its time: what comes next begins in a turn, and so at an instant, of its own. */
static void
driver_loaded(struct driver *driver)
{
	list_append(&driver->worker->loaded, &driver->loaded);
	post_call(driver->worker->chores);
}

static void
perform_load(struct driver *driver, const struct effect *effect, usec_t now)
{
	struct failure failure;

	(void)effect;
	failure_init(&failure, FAILURE_NONE, STAGE_LOAD);
	if (runner_load(driver->slot->runner, driver->upstream, now, &failure) < 0)
		complete(driver, INPUT_FAILED, 0, &failure);
	else
		driver_loaded(driver);
}

static void
perform_resolve(struct driver *driver, const struct effect *effect, usec_t now)
{
	(void)now;
	driver_resolve(driver, effect);
}

static void
perform_connect(struct driver *driver, const struct effect *effect, usec_t now)
{
	struct failure failure;

	failure_init(&failure, FAILURE_NONE, STAGE_CONNECT);
	if (driver_connect(driver, effect, now, &failure) < 0)
		complete(driver, INPUT_UNCONNECTED, effect->connect.slot, &failure);
}

static void
perform_abandon(struct driver *driver, const struct effect *effect, usec_t now)
{
	(void)now;
	driver_abandon(driver, effect->slot);
	forget_completions(driver, false, effect->slot);
}

static void
perform_adopt(struct driver *driver, const struct effect *effect, usec_t now)
{
	driver_adopt(driver, effect->slot);
	runner_note_left_out(driver->slot->runner, driver->link->race.left_out, now);
}

typedef int (*connection_fn)(struct driver *driver, usec_t now, struct failure *failure);

static void
perform_on_connection(struct driver *driver, connection_fn fn, usec_t now)
{
	struct failure failure;
	int r;

	failure_init(&failure, FAILURE_NONE, driver->link->stage);
	r = fn(driver, now, &failure);
	if (r < 0)
		complete(driver, INPUT_FAILED, 0, &failure);
	else if (r > 0)
		complete(driver, INPUT_PASSED, 0, NULL);
}

static void
perform_proxy(struct driver *driver, const struct effect *effect, usec_t now)
{
	(void)effect;
	perform_on_connection(driver, speech_proxy, now);
}

static void
perform_starttls(struct driver *driver, const struct effect *effect, usec_t now)
{
	(void)effect;
	perform_on_connection(driver, speech_starttls, now);
}

/* That a ready connection cannot be probed is no reason to end it. */
static void
perform_probe(struct driver *driver, const struct effect *effect, usec_t now)
{
	bool ready = driver->link->stage == STAGE_READY;
	struct failure failure;
	int r;

	(void)effect;
	failure_init(&failure, FAILURE_NONE, driver->link->stage);
	r = speech_probe(driver, now, &failure);
	if (r < 0)
		complete(driver, ready ? INPUT_PROBE_FAILED : INPUT_FAILED, 0, &failure);
	else if (r > 0)
		complete(driver, INPUT_PASSED, 0, NULL);
}

static void
perform_handshake(struct driver *driver, const struct effect *effect, usec_t now)
{
	(void)effect;
	perform_on_connection(driver, connection_handshake, now);
}

static void
perform_settle(struct driver *driver, const struct effect *effect, usec_t now)
{
	(void)effect;
	perform_on_connection(driver, connection_settle, now);
}

static void
perform_hold(struct driver *driver, const struct effect *effect, usec_t now)
{
	(void)effect;
	driver_forget_hosts(driver);
	perform_on_connection(driver, connection_hold, now);
	runner_note_ready(driver, now);
}

static void
perform_close(struct driver *driver, const struct effect *effect, usec_t now)
{
	(void)effect, (void)now;
	if (connection_close(driver))
		complete(driver, INPUT_CLOSED, 0, NULL);
}

static void
perform_discard(struct driver *driver, const struct effect *effect, usec_t now)
{
	(void)effect, (void)now;
	driver_cancel_queries(driver);
	for (unsigned int slot = 0; slot < RACE_MAX; slot++)
		driver_abandon(driver, slot);
	connection_discard(driver);
	list_remove(&driver->loaded);
	forget_completions(driver, true, 0);
}

static void
perform_cancel_queries(struct driver *driver, const struct effect *effect, usec_t now)
{
	(void)effect, (void)now;
	driver_cancel_queries(driver);
}

static void
perform_stage(struct driver *driver, const struct effect *effect, usec_t now)
{
	(void)effect;
	if (driver == driver->slot->current)
		slot_publish(driver->slot, now);
}

static void
tell_failure(struct driver *driver, enum event_kind kind, const struct failure *failure, usec_t now)
{
	struct address_failure others[RACE_CANDIDATES_MAX];
	struct failure told;
	unsigned int count;

	failure_copy(&told, failure);
	if (kind == EVENT_FAILURE && !told.others) {
		count = race_others(&driver->link->race, &told.peer, others, COUNT_OF(others));
		told.others = others_new(others, count);
	}
	outbox_failure(&driver->worker->outbox, &driver->slot->mail, kind, &told, now);
}

static void
perform_report(struct driver *driver, const struct effect *effect, usec_t now)
{
	tell_failure(driver, EVENT_FAILURE, effect->failure, now);
	runner_note_left_out(driver->slot->runner, driver->link->race.left_out, now);
}

static void
perform_lost_address(struct driver *driver, const struct effect *effect, usec_t now)
{
	tell_failure(driver, EVENT_LOST_ADDRESS, effect->failure, now);
}

static void
perform_family(struct driver *driver, const struct effect *effect, usec_t now)
{
	runner_note_family(driver->slot->runner, effect, now);
}

static void
perform_probing(struct driver *driver, const struct effect *effect, usec_t now)
{
	runner_note_probing(driver, effect, now);
}

static void
perform_report_close(struct driver *driver, const struct effect *effect, usec_t now)
{
	outbox_close(&driver->worker->outbox, &driver->slot->mail, effect->reason, now);
}

static void
perform_renew(struct driver *driver, const struct effect *effect, usec_t now)
{
	(void)now;
	slot_renew(driver->slot, effect->reason);
}

static void
perform_arm_timer(struct driver *driver, const struct effect *effect, usec_t now)
{
	(void)now;
	timer_arm(driver->timer, effect->deadline);
}

static void
perform_ended(struct driver *driver, const struct effect *effect, usec_t now)
{
	(void)effect, (void)now;
	driver->ended = true;
}

static const perform_fn performers[EFFECT_COUNT] = {
	[EFFECT_LOAD] = perform_load,
	[EFFECT_RESOLVE] = perform_resolve,
	[EFFECT_CONNECT] = perform_connect,
	[EFFECT_ABANDON] = perform_abandon,
	[EFFECT_ADOPT] = perform_adopt,
	[EFFECT_PROXY] = perform_proxy,
	[EFFECT_STARTTLS] = perform_starttls,
	[EFFECT_PROBE] = perform_probe,
	[EFFECT_HANDSHAKE] = perform_handshake,
	[EFFECT_SETTLE] = perform_settle,
	[EFFECT_HOLD] = perform_hold,
	[EFFECT_CLOSE] = perform_close,
	[EFFECT_DISCARD] = perform_discard,
	[EFFECT_CANCEL_QUERIES] = perform_cancel_queries,
	[EFFECT_STAGE] = perform_stage,
	[EFFECT_REPORT] = perform_report,
	[EFFECT_LOST_ADDRESS] = perform_lost_address,
	[EFFECT_FAMILY] = perform_family,
	[EFFECT_PROBING] = perform_probing,
	[EFFECT_REPORT_CLOSE] = perform_report_close,
	[EFFECT_RENEW] = perform_renew,
	[EFFECT_ARM_TIMER] = perform_arm_timer,
	[EFFECT_ENDED] = perform_ended,
};

/* ---- feeding -------------------------------------------------------------------------------------- */

static void
step(struct driver *driver, const struct input *input, usec_t now)
{
	struct effects effects;

	link_step(driver->link, input, now, &effects);
	for (unsigned int i = 0; i < effects.count; i++)
		performers[effects.at[i].kind](driver, &effects.at[i], now);
}

static void
step_unasked(struct driver *driver, usec_t now)
{
	unsigned int bit = (unsigned int)__builtin_ctz(driver->unasked);
	struct failure failure;
	struct answer answer = {
		.target = bit / 2,
		.family = bit % 2 ? FAMILY_IPV6 : FAMILY_IPV4,
		.failure = &failure,
	};

	driver->unasked &= ~(1u << bit);
	failure_init(&failure, FAILURE_LOCAL_NO_MEMORY, STAGE_RESOLVE);
	step(driver, &(struct input){ .kind = INPUT_ANSWERED, .answer = &answer }, now);
}

static void
step_completion(struct driver *driver, usec_t now)
{
	struct completion completion = driver->completions->at[0];
	struct input input = { .kind = completion.kind };

	completion_remove(driver->completions, 0);
	if (completion.kind == INPUT_UNCONNECTED) {
		input.unconnected.slot = completion.slot;
		input.unconnected.failure = &completion.failure;
	} else if (completion.kind == INPUT_FAILED || completion.kind == INPUT_PROBE_FAILED) {
		input.failure = &completion.failure;
	}
	step(driver, &input, now);
	failure_done(&completion.failure);
}

/* Whether the slot has to follow what has become of this driver. */
static bool
needs_look(const struct driver *driver)
{
	const struct slot *slot = driver->slot;

	return driver->ended || slot->successor || slot->renew || slot->leaving;
}

void
driver_feed(struct driver *driver, const struct input *input, usec_t now)
{
	struct completions done;

	must(!driver->completions && !driver->ended);
	done.count = 0;
	driver->completions = &done;
	step(driver, input, now);
	while (done.count > 0 || driver->unasked != 0) {
		if (done.count > 0)
			step_completion(driver, now);
		else
			step_unasked(driver, now);
	}
	driver->completions = NULL;
	if (needs_look(driver))
		slot_touch(driver->slot);
}

/* After a mass death the backoffs end in a mass, too; handshakes are dear enough to be made in order. */
static void
on_timer(void *arg, usec_t now)
{
	struct driver *driver = arg;
	struct input input = { .kind = INPUT_DEADLINE };
	struct failure failure;

	if (driver->link->stage == STAGE_BACKOFF && driver->upstream->policy.tls.enabled) {
		pacer_request(&driver->worker->pacer, driver, INPUT_DEADLINE);
		return;
	}
	failure_init(&failure, FAILURE_NONE, driver->link->stage);
	if (connection_late(driver, &failure)) {
		connection_fail(driver, &failure, now);
		return;
	}
	input.failure = speech_overdue(driver, &failure) ? &failure : NULL;
	driver_feed(driver, &input, now);
	failure_done(&failure);
}

/* ---- life ----------------------------------------------------------------------------------------- */

int
driver_new(struct slot *slot, struct driver **ret_driver)
{
	struct worker *worker = slot->runner->worker;
	struct upstream *upstream = slot->runner->upstream;
	struct driver *driver = calloc(1, sizeof(*driver) + 2 * upstream->target_count *
								    sizeof(driver->asked[0]));

	if (!driver)
		return -ENOMEM;
	list_init(&driver->all);
	list_init(&driver->busy);
	list_init(&driver->loaded);
	list_init(&driver->paced);
	list_init(&driver->retired);
	driver->worker = worker;
	driver->slot = slot;
	driver->upstream = upstream_ref(upstream);
	connection_init(&driver->connection);
	driver_race_init(driver);
	driver->link = link_new(upstream, slot->number, prng_next(&worker->prng));
	if (!driver->link || timer_new(worker->loop, on_timer, driver, &driver->timer) < 0) {
		driver_free(driver);
		return -ENOMEM;
	}
	list_append(&worker->drivers, &driver->all);
	*ret_driver = driver;
	return 0;
}

struct driver *
driver_free(struct driver *driver)
{
	if (!driver)
		return NULL;
	must(!driver->completions);
	driver->timer = timer_free(driver->timer);
	driver_race_done(driver);
	connection_discard(driver);
	list_remove(&driver->all);
	list_remove(&driver->paced);
	list_remove(&driver->loaded);
	list_remove(&driver->retired);
	driver->link = link_free(driver->link);
	driver->upstream = upstream_unref(driver->upstream);
	free(driver);
	return NULL;
}

void
driver_stop(struct driver *driver, enum close_reason reason, usec_t now)
{
	pacer_withdraw(driver);
	if (!driver->ended)
		driver_feed(driver, &(struct input){ .kind = INPUT_STOP, .reason = reason }, now);
}

static bool
keepalive_equal(const struct keepalive_policy *a, const struct keepalive_policy *b)
{
	return a->idle == b->idle && a->interval == b->interval && a->count == b->count &&
	       a->user_timeout == b->user_timeout;
}

static void
driver_change_keepalive(struct driver *driver, const struct keepalive_policy *keepalive)
{
	if (keepalive_equal(keepalive, &driver->upstream->policy.transport.keepalive))
		return;
	connection_change_keepalive(driver, keepalive);
	driver_race_change_keepalive(driver, keepalive);
}

void
driver_change_policy(struct driver *driver, struct upstream *upstream, usec_t now)
{
	struct upstream *before = driver->upstream;

	if (driver->ended)
		return;
	driver_change_keepalive(driver, &upstream->policy.transport.keepalive);
	if (upstream->policy.probe.kind == PROBE_NONE)
		speech_stop_probe(driver);
	driver->upstream = upstream_ref(upstream);
	driver_feed(driver, &(struct input){ .kind = INPUT_POLICY, .upstream = upstream }, now);
	upstream_unref(before); /* the link has let go of it */
}

bool
driver_is_ready(const struct driver *driver)
{
	return driver->link->stage == STAGE_READY || driver->link->stage == STAGE_LENT;
}

void
driver_status(struct driver *driver, usec_t now, struct link_status *ret_status)
{
	const struct link *link = driver->link;
	usec_t delay = link_retry_delay(link, now);

	*ret_status = (struct link_status){
		.stage = link->stage,
		.since = link->stage_since,
		.address = link->peer,
		.attempt = link->attempt,
		.retry_at = delay == USEC_INFINITY ? USEC_INFINITY : usec_add(now, delay),
		.held = link->held,
	};
	for (enum stage stage = 0; stage < STAGE_COUNT; stage++)
		ret_status->timing[stage] = link->timing[stage];
	connection_status(driver, ret_status);
}

#include "worker/runner.h"

#include "base/must.h"
#include "worker/refresh.h"
#include "worker/runner_certificate.h"
#include "worker/runner_files.h"

#include <errno.h>
#include <string.h>

/* ---- by id ---------------------------------------------------------------------------------------- */

/* The place of `id` among the sorted, or where it would stand. */
static size_t
find_place(const struct worker *worker, upstream_id id)
{
	size_t low = 0, high = worker->runner_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (worker->runners[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct runner *
runner_find(const struct worker *worker, upstream_id id)
{
	size_t place = find_place(worker, id);

	if (place == worker->runner_count || worker->runners[place]->id != id)
		return NULL;
	return worker->runners[place];
}

static int
reserve(void **array, size_t count, size_t *size, size_t item_bytes)
{
	size_t wanted = *size ? 2 * *size : 16;
	void *grown;

	if (count < *size)
		return 0;
	grown = reallocarray(*array, wanted, item_bytes);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*size = wanted;
	return 0;
}

static int
enlist(struct worker *worker, struct runner *runner)
{
	size_t place = find_place(worker, runner->id);
	void *runners = worker->runners;
	int r = reserve(&runners, worker->runner_count, &worker->runner_size,
			sizeof(worker->runners[0]));

	worker->runners = runners;
	if (r < 0)
		return r;
	memmove(&worker->runners[place + 1], &worker->runners[place],
		(worker->runner_count - place) * sizeof(worker->runners[0]));
	worker->runners[place] = runner;
	worker->runner_count++;
	return 0;
}

static void
unlist(struct worker *worker, struct runner *runner)
{
	size_t place = find_place(worker, runner->id);

	if (place == worker->runner_count || worker->runners[place] != runner)
		return;
	worker->runner_count--;
	memmove(&worker->runners[place], &worker->runners[place + 1],
		(worker->runner_count - place) * sizeof(worker->runners[0]));
}

/* ---- slots ---------------------------------------------------------------------------------------- */

/* What leaves has its number no more: main shall not take its going for that of the new one. */
static void
silence(struct runner *runner, unsigned int number)
{
	list_for_each(node, &runner->leaving) {
		struct slot *slot = container_of(node, struct slot, leaves);

		if (slot->number == number)
			slot->silent = true;
	}
}

static int
add_slot(struct runner *runner)
{
	void *slots = runner->slots;
	struct slot *slot;
	int r = reserve(&slots, runner->slot_count, &runner->slot_size, sizeof(runner->slots[0]));

	runner->slots = slots;
	if (r >= 0)
		r = slot_new(runner, (unsigned int)runner->slot_count + 1, &slot);
	if (r < 0)
		return r;
	silence(runner, slot->number);
	runner->slots[runner->slot_count++] = slot;
	return 0;
}

static void
remove_slot(struct runner *runner, enum close_reason reason, usec_t now)
{
	struct slot *slot = runner->slots[--runner->slot_count];

	if (runner->rolling == slot)
		runner->rolling = NULL;
	list_append(&runner->leaving, &slot->leaves);
	slot->silent = runner->worker->stopping;
	slot_leave(slot, reason, now);
}

void
runner_fill(struct runner *runner, usec_t now)
{
	size_t wanted = runner->upstream->policy.connections;

	while (runner->slot_count > wanted)
		remove_slot(runner, CLOSE_SURPLUS, now);
	while (runner->slot_count < wanted) {
		if (add_slot(runner) < 0) {
			runner->worker->short_of_memory = true;
			return;
		}
	}
}

/* ---- life ----------------------------------------------------------------------------------------- */

static void
mail_last(struct mail *mail)
{
	runner_free(container_of(mail, struct runner, mail));
}

static int
runner_new(struct worker *worker, upstream_id id, struct upstream *upstream, struct runner **ret_runner)
{
	struct runner *runner = calloc(1, sizeof(*runner));

	if (!runner)
		return -ENOMEM;
	runner->worker = worker;
	runner->id = id;
	list_init(&runner->leaves);
	list_init(&runner->leaving);
	runner->refresh_at = USEC_INFINITY;
	mail_init(&runner->mail, id, 0);
	runner->mail.last = mail_last;
	if (enlist(worker, runner) < 0) {
		free(runner);
		return -ENOMEM;
	}
	runner->upstream = upstream_ref(upstream);
	runner->paused = !upstream->policy.enabled;
	*ret_runner = runner;
	return 0;
}

struct runner *
runner_free(struct runner *runner)
{
	if (!runner)
		return NULL;
	unlist(runner->worker, runner);
	list_remove(&runner->leaves);
	refresh_cancel(runner);
	while (runner->slot_count > 0)
		slot_free(runner->slots[--runner->slot_count]);
	list_for_each(node, &runner->leaving)
		slot_free(container_of(node, struct slot, leaves));
	free(runner->slots);
	mail_done(&runner->mail);
	tls_sessions_free(runner->sessions);
	proxy_secret_free(runner->secret);
	upstream_unref(runner->upstream);
	free(runner);
	return NULL;
}

static void
look_dropped(struct runner *runner, usec_t now)
{
	struct worker *worker = runner->worker;

	if (!runner->dropped || !list_is_empty(&runner->leaving))
		return;
	if (worker->stopping || outbox_last(&worker->outbox, &runner->mail, EVENT_DROPPED, now))
		runner_free(runner);
}

void
runner_slot_gone(struct runner *runner, struct slot *slot, usec_t now)
{
	slot_free(slot);
	look_dropped(runner, now);
}

void
runner_drop(struct runner *runner, enum close_reason reason, usec_t now)
{
	runner->dropped = true;
	refresh_cancel(runner);
	unlist(runner->worker, runner);
	list_append(&runner->worker->leaving, &runner->leaves);
	while (runner->slot_count > 0)
		remove_slot(runner, reason, now);
	look_dropped(runner, now);
}

/* ---- COMMAND_SET ---------------------------------------------------------------------------------- */

static bool
is_unverified(const struct upstream *upstream)
{
	return upstream->policy.tls.enabled && upstream->policy.tls.verify == VERIFY_NONE;
}

void
runner_warn(struct runner *runner, const struct warning *warning, usec_t now)
{
	outbox_warning(&runner->worker->outbox, &runner->mail, warning, now);
}

static void
warn(struct runner *runner, enum warning_kind kind, uint64_t number, usec_t now)
{
	runner_warn(runner, &(struct warning){ .kind = kind, .number = number }, now);
}

static void
add_runner(struct worker *worker, upstream_id id, struct upstream *upstream, usec_t now)
{
	struct runner *runner;

	if (runner_new(worker, id, upstream, &runner) < 0) {
		outbox_no_memory(&worker->outbox, id, now);
		return;
	}
	if (is_unverified(upstream))
		warn(runner, WARNING_VERIFICATION_DISABLED, 0, now);
	runner_fill(runner, now);
}

static void
change_runner(struct runner *runner, struct upstream *upstream, bool in_place, usec_t now)
{
	struct upstream *before = runner->upstream;

	runner->upstream = upstream_ref(upstream);
	if (upstream->policy.enabled != before->policy.enabled)
		runner->paused = !upstream->policy.enabled;
	if (is_unverified(upstream) && !is_unverified(before))
		warn(runner, WARNING_VERIFICATION_DISABLED, 0, now);
	runner->look_again = true; /* when to warn of a certificate's end may be another matter */
	in_place = in_place && upstream->target_count == before->target_count;
	if (!in_place) {
		refresh_cancel(runner);
		runner_judge_reload(runner, now);
	}
	for (size_t i = 0; i < runner->slot_count; i++) {
		if (in_place)
			slot_change_policy(runner->slots[i], before, now);
		else
			slot_replace(runner->slots[i], now);
	}
	runner_fill(runner, now);
	upstream_unref(before);
}

void
runner_set(struct worker *worker, upstream_id id, const struct runner_change *change, usec_t now)
{
	struct runner *runner = runner_find(worker, id);

	if (runner)
		change_runner(runner, change->upstream, change->in_place, now);
	else
		add_runner(worker, id, change->upstream, now);
}

/* ---- the other commands --------------------------------------------------------------------------- */

void
runner_pause(struct runner *runner, usec_t now)
{
	runner->paused = true;
	runner->rolls = false;
	for (size_t i = 0; i < runner->slot_count; i++)
		slot_pause(runner->slots[i], now);
}

void
runner_resume(struct runner *runner)
{
	runner->paused = false;
	for (size_t i = 0; i < runner->slot_count; i++)
		slot_resume(runner->slots[i]);
}

void
runner_retry(struct runner *runner)
{
	for (size_t i = 0; i < runner->slot_count; i++)
		slot_retry(runner->slots[i]);
}

void
runner_retry_load(struct runner *runner)
{
	for (size_t i = 0; i < runner->slot_count; i++)
		slot_retry_load(runner->slots[i]);
}

void
runner_reconnect(struct runner *runner, bool rolling, usec_t now)
{
	runner->rolls = rolling;
	runner->roll_reason = CLOSE_ADMIN;
	for (size_t i = 0; i < runner->slot_count; i++) {
		if (rolling)
			runner->slots[i]->roll = true;
		else
			slot_reconnect(runner->slots[i], now);
	}
	runner_roll(runner);
}

/* Returns whether the rest has to wait for this one. */
static bool
roll_slot(struct slot *slot)
{
	slot->roll = false;
	if (!slot->current || !driver_is_ready(slot->current)) {
		slot_retry(slot);
		return false;
	}
	slot_renew(slot, slot->runner->roll_reason);
	return slot->renew;
}

void
runner_roll(struct runner *runner)
{
	if (!runner->rolls || (runner->rolling && runner->rolling->renew))
		return;
	runner->rolling = NULL;
	for (size_t i = 0; i < runner->slot_count; i++) {
		if (runner->slots[i]->roll && roll_slot(runner->slots[i])) {
			runner->rolling = runner->slots[i];
			return;
		}
	}
	runner->rolls = false;
}

/* ---- for drivers ---------------------------------------------------------------------------------- */

void
runner_note_left_out(struct runner *runner, unsigned int count, usec_t now)
{
	if (count == runner->left_out)
		return;
	runner->left_out = count;
	warn(runner, WARNING_LEFT_OUT, count, now);
}

static void
warn_broken(struct runner *runner, const struct effect *effect, usec_t now)
{
	struct failure failure;
	struct warning warning = { .kind = WARNING_FAMILY_BROKEN };

	warning.number = effect->broken.family == FAMILY_IPV4 ? 4 : 6;
	if (effect->broken.failure) {
		failure_copy(&failure, effect->broken.failure);
		warning.failure = &failure;
	}
	runner_warn(runner, &warning, now);
}

void
runner_note_family(struct runner *runner, const struct effect *effect, usec_t now)
{
	enum family family = effect->broken.family;

	if (family == runner->broken)
		return;
	if (family != FAMILY_ANY)
		warn_broken(runner, effect, now);
	else if (effect->broken.over == runner->broken)
		warn(runner, WARNING_FAMILY_BROKEN, 0, now);
	else
		return;
	runner->broken = family;
}

void
runner_note_probing(struct driver *driver, const struct effect *effect, usec_t now)
{
	struct runner *runner = driver->slot->runner;
	struct failure failure;
	struct warning warning = { WARNING_PROBE_FAILING, effect->probing.count, &failure };
	bool failing = effect->probing.count > 0;

	runner->probes_failing += failing && !driver->probe_fails;
	runner->probes_failing -= !failing && driver->probe_fails;
	if (failing) {
		failure_copy(&failure, effect->probing.failure);
		runner_warn(runner, &warning, now);
	} else if (driver->probe_fails && runner->probes_failing == 0) {
		warn(runner, WARNING_PROBE_FAILING, 0, now);
	}
	driver->probe_fails = failing;
}

/* ---- from time to time ---------------------------------------------------------------------------- */

void
runner_look(struct runner *runner, usec_t now)
{
	if (runner_watch_files(runner))
		return; /* its links will look at them themselves */
	runner_judge_files(runner, now);
	runner_judge_certificates(runner, now);
	if (now >= runner->refresh_at)
		refresh_start(runner, now);
}

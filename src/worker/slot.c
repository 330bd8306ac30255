#include "worker/slot.h"

#include "base/must.h"
#include "worker/refresh.h"
#include "worker/runner.h"
#include "worker/runner_files.h"

#include <errno.h>

static void
mail_status(struct mail *mail, struct link_status *ret_status)
{
	struct slot *slot = container_of(mail, struct slot, mail);
	usec_t now = loop_now(slot->runner->worker->loop);

	if (slot->current)
		driver_status(slot->current, now, ret_status);
	else
		*ret_status = (struct link_status){ .since = now, .retry_at = USEC_INFINITY };
}

static void
mail_last(struct mail *mail)
{
	struct slot *slot = container_of(mail, struct slot, mail);

	runner_slot_gone(slot->runner, slot, loop_now(slot->runner->worker->loop));
}

int
slot_new(struct runner *runner, unsigned int number, struct slot **ret_slot)
{
	struct slot *slot = calloc(1, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	slot->runner = runner;
	slot->number = number;
	list_init(&slot->look);
	list_init(&slot->leaves);
	list_init(&slot->retired);
	list_init(&slot->replacing);
	mail_init(&slot->mail, runner->id, number);
	slot->mail.status = mail_status;
	slot->mail.last = mail_last;
	list_append(&runner->worker->slots, &slot->all);
	slot_touch(slot);
	*ret_slot = slot;
	return 0;
}

struct slot *
slot_free(struct slot *slot)
{
	if (!slot)
		return NULL;
	slot->current = driver_free(slot->current);
	slot->successor = driver_free(slot->successor);
	list_for_each(node, &slot->retired)
		driver_free(container_of(node, struct driver, retired));
	mail_done(&slot->mail);
	list_remove(&slot->all);
	list_remove(&slot->look);
	list_remove(&slot->leaves);
	list_remove(&slot->replacing);
	free(slot);
	return NULL;
}

void
slot_touch(struct slot *slot)
{
	struct worker *worker = slot->runner->worker;

	list_remove(&slot->look);
	list_append(&worker->dirty, &slot->look);
	post_call(worker->chores);
}

/* There was no memory: the next tick tries again. */
static void
starve(struct slot *slot)
{
	list_remove(&slot->look);
	list_append(&slot->runner->worker->starved, &slot->look);
}

void
slot_publish(struct slot *slot, usec_t now)
{
	if (!slot->silent)
		outbox_status(&slot->runner->worker->outbox, &slot->mail, now);
}

/* ---- drivers come and go -------------------------------------------------------------------------- */

static void
retire(struct slot *slot, struct driver *driver, enum close_reason reason, usec_t now)
{
	if (!driver)
		return;
	list_append(&slot->retired, &driver->retired);
	driver_stop(driver, reason, now);
	slot_touch(slot);
}

static void
end_renewal(struct slot *slot)
{
	slot->renew = slot->peer_ended = false;
	list_remove(&slot->replacing);
}

static void
drop_successor(struct slot *slot, enum close_reason reason, usec_t now)
{
	end_renewal(slot);
	retire(slot, steal(slot->successor), reason, now);
}

/* An administrator who has resumed what is not enabled outweighs the file. */
static void
request_begin(struct driver *driver)
{
	enum input_kind kind = driver->upstream->policy.enabled ? INPUT_START : INPUT_RESUME;

	pacer_request(&driver->worker->pacer, driver, kind);
}

static void
make_current(struct slot *slot, usec_t now)
{
	struct runner *runner = slot->runner;

	if (driver_new(slot, &slot->current) < 0) {
		starve(slot);
		return;
	}
	if (runner->paused)
		driver_feed(slot->current, &(struct input){ .kind = INPUT_PAUSE }, now);
	else
		request_begin(slot->current);
}

static void
make_successor(struct slot *slot)
{
	if (driver_new(slot, &slot->successor) < 0) {
		starve(slot);
		return;
	}
	request_begin(slot->successor);
}

/* Whether the present driver is to be replaced by one that goes by the upstream as it is now. */
static bool
is_outdated(const struct slot *slot)
{
	return slot->current->upstream != slot->runner->upstream;
}

/* The successor is ready, or nothing is left that it would have to wait for. */
static bool
takeover_is_due(const struct slot *slot)
{
	return slot->successor && (driver_is_ready(slot->successor) || !slot->current ||
				   !driver_is_ready(slot->current));
}

static void
take_over(struct slot *slot, usec_t now)
{
	struct driver *before = slot->current;

	slot->current = steal(slot->successor);
	end_renewal(slot);
	slot_publish(slot, now);
	retire(slot, before, slot->renew_reason, now);
}

static void
free_ended(struct slot *slot)
{
	list_for_each(node, &slot->retired) {
		struct driver *driver = container_of(node, struct driver, retired);

		if (driver->ended)
			driver_free(driver);
	}
	if (slot->current && slot->current->ended)
		slot->current = driver_free(slot->current);
}

static void
look_leaving(struct slot *slot, usec_t now)
{
	struct runner *runner = slot->runner;

	if (slot->current || !list_is_empty(&slot->retired))
		return;
	if (slot->silent || outbox_last(&runner->worker->outbox, &slot->mail, EVENT_LINK_GONE, now))
		runner_slot_gone(runner, slot, now);
}

void
slot_look(struct slot *slot, usec_t now)
{
	if (slot->mail.has_last)
		return; /* all that is left is to tell it */
	free_ended(slot);
	if (slot->leaving) {
		look_leaving(slot, now);
		return;
	}
	if (takeover_is_due(slot))
		take_over(slot, now);
	if (!slot->current)
		make_current(slot, now);
	else if (slot->renew && !slot->successor)
		slot_renew(slot, slot->renew_reason);
	runner_roll(slot->runner);
	refresh_drain(slot->runner);
}

void
slot_leave(struct slot *slot, enum close_reason reason, usec_t now)
{
	slot->leaving = true;
	slot->roll = false;
	drop_successor(slot, reason, now);
	if (slot->current)
		driver_stop(slot->current, reason, now);
	slot_touch(slot);
}

/* ---- commands ------------------------------------------------------------------------------------- */

void
slot_renew(struct slot *slot, enum close_reason reason)
{
	if (slot->leaving || slot->successor || !slot->current)
		return;
	slot->renew_reason = reason;
	slot->renew = driver_is_ready(slot->current) || is_outdated(slot);
	if (slot->renew)
		make_successor(slot);
}

/* Nothing of the present driver is worth keeping. */
static void
begin_anew(struct slot *slot, enum close_reason reason, usec_t now)
{
	retire(slot, steal(slot->current), reason, now);
	make_current(slot, now);
}

void
slot_grant_replacement(struct slot *slot, usec_t now)
{
	slot->replace_until = usec_add(now, slot->runner->upstream->policy.attempt_timeout);
}

/* Whether the successor has learnt that the peer has no other certificate than the one that has ended. */
static bool
is_peer_unchanged(const struct slot *slot)
{
	const struct driver *successor = slot->successor;

	return successor && successor->link->stage == STAGE_BACKOFF &&
	       successor->link->failure.code == FAILURE_TLS_CERTIFICATE_EXPIRED;
}

/* Where it is trusted nonetheless (the clock was set back), the successor has all the time it wants. */
static void
judge_ended(struct slot *slot, usec_t now)
{
	slot->peer_ended = false;
	list_remove(&slot->replacing);
	runner_judge_slot(slot, now);
}

void
slot_check_replacement(struct slot *slot, usec_t now)
{
	/* Among many that a reload has changed its turn may come late: its time begins with its first attempt. */
	if (slot->successor && slot->successor->link->stage == STAGE_IDLE)
		slot_grant_replacement(slot, now);
	else if (slot->peer_ended && (is_peer_unchanged(slot) || now >= slot->replace_until))
		judge_ended(slot, now);
	else if (now >= slot->replace_until)
		take_over(slot, now);
}

/* Renew it, but not for ever. */
static void
renew_bounded(struct slot *slot, enum close_reason reason, usec_t now)
{
	slot_renew(slot, reason);
	if (!slot->renew || !list_is_empty(&slot->replacing))
		return;
	list_append(&slot->runner->worker->replacing, &slot->replacing);
	slot_grant_replacement(slot, now);
}

void
slot_peer_ended(struct slot *slot, usec_t now)
{
	bool bounded = !list_is_empty(&slot->replacing);

	renew_bounded(slot, CLOSE_CERTIFICATE_ROTATED, now);
	slot->peer_ended = slot->peer_ended || (slot->renew && !bounded);
}

void
slot_replace(struct slot *slot, usec_t now)
{
	drop_successor(slot, CLOSE_RELOAD, now);
	slot->roll = false;
	if (!slot->current)
		return; /* the one that is made will be of the new kind */
	if (driver_is_ready(slot->current) && !slot->runner->paused)
		renew_bounded(slot, CLOSE_RELOAD, now);
	else
		begin_anew(slot, CLOSE_RELOAD, now);
}

void
slot_pause(struct slot *slot, usec_t now)
{
	drop_successor(slot, CLOSE_ADMIN, now);
	slot->roll = false;
	if (!slot->current)
		return;
	if (is_outdated(slot)) {
		begin_anew(slot, CLOSE_ADMIN, now);
		return;
	}
	pacer_withdraw(slot->current);
	driver_feed(slot->current, &(struct input){ .kind = INPUT_PAUSE }, now);
}

void
slot_resume(struct slot *slot)
{
	if (slot->current)
		pacer_request(&slot->runner->worker->pacer, slot->current, INPUT_RESUME);
}

static void
retry(struct driver *driver)
{
	if (driver && driver->link->stage == STAGE_BACKOFF)
		pacer_request(&driver->worker->pacer, driver, INPUT_RETRY);
}

void
slot_retry(struct slot *slot)
{
	retry(slot->current);
	retry(slot->successor);
}

void
slot_reconnect(struct slot *slot, usec_t now)
{
	drop_successor(slot, CLOSE_ADMIN, now);
	slot->roll = false;
	if (!slot->current)
		return;
	if (is_outdated(slot))
		begin_anew(slot, CLOSE_ADMIN, now);
	else
		pacer_request(&slot->runner->worker->pacer, slot->current, INPUT_RECONNECT);
}

static void
change_policy(struct driver *driver, const struct upstream *before, usec_t now)
{
	if (driver && driver->upstream == before)
		driver_change_policy(driver, driver->slot->runner->upstream, now);
}

void
slot_change_policy(struct slot *slot, const struct upstream *before, usec_t now)
{
	change_policy(slot->current, before, now);
	change_policy(slot->successor, before, now);
	if (slot->runner->paused)
		slot_pause(slot, now); /* what it was about to do it shall not do any more */
	slot_touch(slot);
}

static bool
waits_for_load(const struct driver *driver)
{
	return driver && driver->link->stage == STAGE_BACKOFF &&
	       driver->link->failure.stage == STAGE_LOAD;
}

static bool
lacks_file(const struct driver *driver)
{
	return waits_for_load(driver) && driver->upstream == driver->slot->runner->upstream;
}

bool
slot_lacks_file(const struct slot *slot)
{
	return lacks_file(slot->current) || lacks_file(slot->successor);
}

static void
retry_load(struct driver *driver)
{
	if (waits_for_load(driver))
		pacer_request(&driver->worker->pacer, driver, INPUT_RETRY);
}

void
slot_retry_load(struct slot *slot)
{
	retry_load(slot->current);
	retry_load(slot->successor);
}

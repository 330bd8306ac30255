/* A ready connection, its end, and the wait for the next attempt. */
#include "base/must.h"
#include "core/backoff.h"
#include "core/link_internal.h"

/* Links made ready in the same instant are renewed over a tenth of their lifetime: thousandths. */
#define LIFETIME_SPREAD_MAX 100
/* When the network comes back, not everybody calls in the same instant. */
#define ONLINE_SPREAD (100 * USEC_PER_MSEC)

void
hold_begin(struct link *link, usec_t now, struct effects *out)
{
	link_enter(link, STAGE_READY, now, out);
	link->ready_since = link->active_since = now;
	link->renewing = false;
	link->spread = (unsigned int)prng_below(&link->prng, LIFETIME_SPREAD_MAX + 1);
	link_probe_begin(link, now);
	link_emit(out, EFFECT_HOLD);
}

static usec_t
lifetime_deadline(const struct link *link)
{
	usec_t lifetime = link->upstream->policy.lifetime;

	if (lifetime == 0)
		return USEC_INFINITY;
	return usec_add(link->ready_since, lifetime - lifetime / 1000 * link->spread);
}

static usec_t
idle_deadline(const struct link *link)
{
	usec_t idle_limit = link->upstream->policy.idle_limit;

	return idle_limit == 0 ? USEC_INFINITY : usec_add(link->active_since, idle_limit);
}

static usec_t
renewal_deadline(const struct link *link)
{
	if (link->renewing)
		return USEC_INFINITY;
	return usec_min(lifetime_deadline(link), idle_deadline(link));
}

usec_t
hold_deadline(const struct link *link)
{
	return usec_min(renewal_deadline(link), link_probe_deadline(link));
}

void
hold_received(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input, (void)out;
	link->received = true;
	link->active_since = now;
}

/* The owner makes a successor, and stops this link once that one is ready. */
static void
renew(struct link *link, usec_t now, struct effects *out)
{
	link->renewing = true;
	link_emit(out, EFFECT_RENEW)->reason = now >= lifetime_deadline(link) ? CLOSE_LIFETIME :
										CLOSE_IDLE_RECYCLED;
}

void
hold_expired(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	if (now >= link_probe_deadline(link))
		link_probe_expired(link, input, now, out);
	if (link->stage == STAGE_READY && now >= renewal_deadline(link))
		renew(link, now, out);
}

static bool
is_stable(const struct link *link, usec_t now)
{
	return usec_sub(now, link->ready_since) >= link->upstream->policy.retry.stable_after;
}

/* The connection ends at `now`: what it means for the attempts to come. */
static void
judge_connection(struct link *link, usec_t now)
{
	if (!is_stable(link, now))
		return;
	link->round = 0;
	race_shun(&link->race, &(struct address){ 0 }, 0);
}

/* What an end means depends on how long the connection had lived, and on what had come over it. */
static enum failure_code
refined_code(const struct link *link, enum failure_code code, usec_t now)
{
	if (is_stable(link, now))
		return code;
	if (code == FAILURE_CONNECTION_CLOSED)
		return FAILURE_CONNECTION_CLOSED_EARLY;
	if (code == FAILURE_CONNECTION_RESET && !link->upstream->policy.tls.enabled && !link->received)
		return FAILURE_CONNECTION_RESET_EARLY;
	return code;
}

void
hold_lose(struct link *link, const struct failure *failure, usec_t now, struct effects *out)
{
	struct sighting sighting = { failure, STAGE_READY, link->ready_since, &link->peer };

	link_forget_failures(link);
	link_note(link, &sighting, now);
	link->race.candidate_count = 0; /* addresses lost in an attempt that was won are told of by now */
	link->winner = -1;
	if (!is_stable(link, now))
		race_shun(&link->race, &link->peer, link->target);
	judge_connection(link, now);
	link_emit(out, EFFECT_DISCARD);
	backoff_begin(link, now, out);
	link_probe_cancel(link, out);
	link->attempt = 0;
}

void
hold_failed(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	struct failure failure = *input->failure; /* borrows the references */

	failure.code = refined_code(link, failure.code, now);
	hold_lose(link, &failure, now, out);
}

static void
close_connection(struct link *link, enum close_reason reason, usec_t now, struct effects *out)
{
	judge_connection(link, now);
	link->attempt = 0;
	link->reason = reason;
	link_enter(link, STAGE_CLOSING, now, out);
	link_emit(out, EFFECT_CLOSE);
	link_emit(out, EFFECT_REPORT_CLOSE)->reason = reason;
	link_probe_cancel(link, out);
}

void
hold_reconnect(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input;
	link->next_paused = false;
	close_connection(link, CLOSE_ADMIN, now, out);
}

void
hold_pause(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	link->next_paused = true;
	close_connection(link, input->kind == INPUT_POLICY ? CLOSE_RELOAD : CLOSE_ADMIN, now, out);
}

void
hold_stop(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	link->next_stop = true;
	close_connection(link, input->reason, now, out);
}

void
closing_done(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input;
	link_emit(out, EFFECT_DISCARD);
	link->winner = -1;
	if (link->next_stop)
		link_enter(link, STAGE_IDLE, now, out);
	else if (link->next_paused)
		link_enter(link, STAGE_PAUSED, now, out);
	else
		attempt_begin(link, now, out);
}

void
closing_expired(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	if (now >= link->stage_deadline)
		closing_done(link, input, now, out);
}

void
closing_pause(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input, (void)now, (void)out;
	link->next_paused = true;
}

void
closing_resume(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input, (void)now, (void)out;
	link->next_paused = false;
}

void
closing_stop(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input, (void)now, (void)out;
	link->next_stop = true;
}

void
backoff_begin(struct link *link, usec_t now, struct effects *out)
{
	const struct retry_policy *retry = &link->upstream->policy.retry;
	struct failure *failure = &link->failure;
	bool offline = failure->code == FAILURE_LOCAL_OFFLINE;
	bool told = offline && link->held;
	usec_t ceiling;

	must(failure->code != FAILURE_NONE);
	link->round++;
	ceiling = backoff_ceiling(retry, failure->stage, failure_life(failure->code), link->round);
	failure->retry_delay = backoff_delay(retry, ceiling, &link->prng);
	link->retry_at = usec_add(now, failure->retry_delay);
	link->held = offline;
	if (!told)
		link_emit(out, EFFECT_REPORT)->failure = failure;
	link_enter(link, STAGE_BACKOFF, now, out);
}

void
backoff_expired(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input;
	if (now >= link->retry_at)
		attempt_begin(link, now, out);
}

void
backoff_online(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input, (void)out;
	if (link->held)
		link->retry_at = usec_min(link->retry_at,
					  usec_add(now, prng_below(&link->prng, ONLINE_SPREAD)));
}

void
backoff_retry(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input;
	link->fresh = true;
	attempt_begin(link, now, out);
}

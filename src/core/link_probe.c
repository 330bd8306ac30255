/* Probes of a ready connection: when the next one is due, and how many failures are too many. */
#include "core/link_internal.h"

static bool
is_repeated(const struct link *link)
{
	const struct probe_policy *probe = &link->upstream->policy.probe;

	return probe->kind != PROBE_NONE && probe->interval > 0;
}

void
link_probe_begin(struct link *link, usec_t now)
{
	link->probing = false;
	link->probe_since = now;
	link->probe_failures = 0;
}

/* Nothing has gone wrong any more, as far as anybody was told. */
static void
forget_failures(struct link *link, struct effects *out)
{
	if (link->probe_failures > 0)
		link_emit(out, EFFECT_PROBING); /* with a count of 0 */
	link->probe_failures = 0;
}

void
link_probe_cancel(struct link *link, struct effects *out)
{
	link->probing = false;
	forget_failures(link, out);
}

/* Links that became ready in the same instant shall not ask in step for ever: some wait a little less than others. */
static usec_t
wait_of(const struct link *link)
{
	usec_t interval = link->upstream->policy.probe.interval;

	return interval - interval / 1000 * link->spread;
}

usec_t
link_probe_deadline(const struct link *link)
{
	const struct policy *policy = &link->upstream->policy;

	if (link->probing)
		return usec_add(link_clock(link, link->probe_since), policy->timeout[STAGE_PROBE]);
	return is_repeated(link) ? usec_add(link->probe_since, wait_of(link)) : USEC_INFINITY;
}

/* One more in a row. */
static void
count_failure(struct link *link, const struct failure *failure, usec_t now, struct effects *out)
{
	struct sighting sighting = { failure, STAGE_READY, link->ready_since, &link->peer };
	struct effect *effect;

	link->probe_since = now;
	if (link->probe_failures + 1 >= link->upstream->policy.probe.failures) {
		hold_lose(link, failure, now, out);
		return;
	}
	link_forget_failures(link);
	link_note(link, &sighting, now);
	effect = link_emit(out, EFFECT_PROBING);
	effect->probing.count = ++link->probe_failures;
	effect->probing.failure = &link->lost;
}

/* No answer within the time for one.  The dialogue goes on: a late answer is not to be taken for the next one's. */
static void
miss_answer(struct link *link, const struct failure *overdue, usec_t now, struct effects *out)
{
	struct failure failure;

	if (overdue)
		failure = *overdue; /* borrows the references */
	else
		failure_init(&failure, FAILURE_TIMEOUT_HEARTBEAT, STAGE_READY);
	if (failure.code == FAILURE_TIMEOUT_PROBE)
		failure.code = FAILURE_TIMEOUT_HEARTBEAT; /* it had answered before */
	link->probe_late = true;
	count_failure(link, &failure, now, out);
}

void
link_probe_expired(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	if (link->probing) {
		miss_answer(link, input->failure, now, out);
		return;
	}
	link->probing = true;
	link->probe_late = false;
	link->probe_since = now;
	link_emit(out, EFFECT_PROBE);
}

void
link_probe_passed(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input;
	if (!link->probing)
		return; /* the policy wants it no more */
	link->probing = false;
	link->probe_since = now;
	link->received = true;
	/* Too late is not well: only an answer in time ends a row of failures, or one after which nothing is asked any more. */
	if (!link->probe_late || !is_repeated(link))
		forget_failures(link, out);
}

void
link_probe_failed(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	if (!link->probing)
		return;
	link->probing = false;
	link->probe_since = now;
	if (!link->probe_late)
		count_failure(link, input->failure, now, out);
	if (!is_repeated(link))
		forget_failures(link, out); /* no other one will tell that it is well again */
}

void
link_probe_change_policy(struct link *link, usec_t now, struct effects *out)
{
	bool wanted = link->upstream->policy.probe.kind != PROBE_NONE;

	if (link->stage == STAGE_PROBE && !wanted)
		connection_go_on(link, now, out);
	if (link->stage != STAGE_READY)
		return;
	if (!wanted)
		link_probe_cancel(link, out);
	else if (!link->probing && !is_repeated(link))
		forget_failures(link, out);
}

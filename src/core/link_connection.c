/* The one connection of an attempt: from the race that was won to READY, stage after stage. */
#include "core/link_internal.h"

/* What each stage asks for, and what its deadline means where no dialogue can say it better. */
static const struct {
	enum effect_kind effect;
	enum failure_code overdue;
} stages[STAGE_COUNT] = {
	[STAGE_PROXY] = { EFFECT_PROXY, FAILURE_TIMEOUT_PROXY },
	[STAGE_STARTTLS] = { EFFECT_STARTTLS, FAILURE_TIMEOUT_STARTTLS },
	[STAGE_HANDSHAKE] = { EFFECT_HANDSHAKE, FAILURE_TIMEOUT_HANDSHAKE },
	[STAGE_SETTLE] = { EFFECT_SETTLE, FAILURE_NONE }, /* silence is consent */
	[STAGE_PROBE] = { EFFECT_PROBE, FAILURE_TIMEOUT_PROBE },
};

static bool
applies(const struct link *link, enum stage stage)
{
	const struct policy *policy = &link->upstream->policy;

	switch (stage) {
	case STAGE_PROXY:
		return policy->proxy.kind != PROXY_NONE || policy->proxy.header != PROXY_HEADER_NONE;
	case STAGE_STARTTLS: return policy->starttls != STARTTLS_NONE;
	case STAGE_HANDSHAKE: return policy->tls.enabled;
	case STAGE_SETTLE: return link->verdict_pending;
	case STAGE_PROBE: return policy->probe.kind != PROBE_NONE;
	default: return true;
	}
}

void
connection_go_on(struct link *link, usec_t now, struct effects *out)
{
	enum stage next = link->stage + 1;

	while (!applies(link, next))
		next++;
	if (next == STAGE_READY) {
		hold_begin(link, now, out);
		return;
	}
	link_enter(link, next, now, out);
	link_emit(out, stages[next].effect);
}

void
connection_begin(struct link *link, usec_t now, struct effects *out)
{
	link->verdict_pending = link->received = false;
	connection_go_on(link, now, out);
}

void
connection_passed(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	(void)input;
	if (link->stage == STAGE_PROBE)
		link->received = true; /* the application has spoken */
	connection_go_on(link, now, out);
}

void
connection_secured(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	link->rtt = input->secured.rtt;
	link->verdict_pending = input->secured.verdict_pending;
	connection_go_on(link, now, out);
}

/* It has failed in `stage` before it was ready. */
static void
lose(struct link *link, const struct failure *failure, enum stage stage, usec_t now, struct effects *out)
{
	struct sighting sighting = { failure, stage, link->stage_since, &link->peer };

	link_note(link, &sighting, now);
	race_fail(&link->race, (unsigned int)link->winner, &link->lost);
	if (failure_blame(failure->code) != BLAME_ADDRESS || !race_has_untried(&link->race)) {
		attempt_end(link, now, out);
		return;
	}
	link_emit(out, EFFECT_DISCARD);
	link->winner = -1;
	attempt_try_others(link, now, out);
}

void
connection_expired(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	struct failure failure;

	if (now < link->stage_deadline) {
		attempt_expired(link, input, now, out);
	} else if (link->stage == STAGE_SETTLE) {
		/* Nothing obliges a server to say that it likes our certificate. */
		connection_go_on(link, now, out);
	} else if (input->failure) {
		lose(link, input->failure, link->stage, now, out);
	} else {
		failure_init(&failure, stages[link->stage].overdue, link->stage);
		lose(link, &failure, link->stage, now, out);
	}
}

void
connection_failed(struct link *link, const struct input *input, usec_t now, struct effects *out)
{
	struct failure failure = *input->failure; /* borrows the references */
	enum stage stage = link->stage;

	if (stage == STAGE_SETTLE && failure.code == FAILURE_CONNECTION_CLOSED)
		failure.code = FAILURE_CONNECTION_CLOSED_EARLY;
	if (failure.code == FAILURE_PROTOCOL_STARTTLS_INJECTION)
		stage = STAGE_STARTTLS; /* it followed the go-ahead, and was only seen where TLS should have been */
	lose(link, &failure, stage, now, out);
}

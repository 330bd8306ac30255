#include "worker/runner_certificate.h"

#include "sys/clock.h"

#include <string.h>

/* Whoever sets the clock, or whose warning is due by the day, need not wait longer. */
#define LOOK_INTERVAL_SECONDS 3600

/* ---- another leaf --------------------------------------------------------------------------------- */

/* Take `leaf` to the front.  Returns whether it had been seen lately. */
static bool
remember_leaf(struct runner *runner, const struct certificate *leaf)
{
	struct known_leaf *known = runner->known;
	unsigned int at = 0;
	bool seen;

	while (at < LEAVES_KNOWN_MAX - 1 && strcmp(known[at].sha256, leaf->sha256) != 0)
		at++;
	seen = strcmp(known[at].sha256, leaf->sha256) == 0;
	memmove(&known[1], &known[0], at * sizeof(known[0]));
	memcpy(known[0].sha256, leaf->sha256, sizeof(known[0].sha256));
	memcpy(known[0].spki_sha256, leaf->spki_sha256, sizeof(known[0].spki_sha256));
	return seen;
}

static void
note_leaf(struct runner *runner, struct chain *chain, usec_t now)
{
	const struct certificate *leaf = chain_certificate(chain, 0);
	struct failure failure;
	const struct warning warning = { WARNING_CERTIFICATE_CHANGED, 0, &failure };
	struct known_leaf before = runner->known[0];

	if (remember_leaf(runner, leaf) || before.sha256[0] == '\0')
		return;
	failure_init(&failure, FAILURE_NONE, STAGE_READY);
	failure.at = now;
	failure.chain = chain_ref(chain);
	failure_add_detail(&failure, "old", before.spki_sha256);
	failure_add_detail(&failure, "new", leaf->spki_sha256);
	runner_warn(runner, &warning, now);
}

void
runner_note_ready(struct driver *driver, usec_t now)
{
	struct runner *runner = driver->slot->runner;
	const struct connection *conn = &driver->connection;
	struct tls_info info;

	if (!conn->tls)
		return;
	tls_info(conn->tls, &info);
	if (chain_count(info.chain) > 0)
		note_leaf(runner, info.chain, now);
	chain_unref(info.chain);
	runner->look_again = true;
	if (conn->made_with.trust != runner->state.trust ||
	    conn->made_with.identity != runner->state.identity)
		runner->judge_again = true;
}

/* ---- the end of certificates ---------------------------------------------------------------------- */

/* What the ready links of a runner have to say about ends. */
struct ends {
	int64_t now;	       /* seconds since 1970 */
	int64_t soonest;       /* 0: no link relies on a certificate */
	int64_t next;	       /* the soonest that is to come; 0: none */
	struct driver *driver; /* whose is the soonest */
};

static void
see_end(struct slot *slot, struct ends *ends, usec_t now)
{
	struct driver *driver = slot->current;
	int64_t end;

	if (!driver || driver->ended || !driver_is_ready(driver) || !driver->connection.tls)
		return;
	end = tls_expiry(driver->connection.tls);
	if (end == 0)
		return;
	if (ends->soonest == 0 || end < ends->soonest) {
		ends->soonest = end;
		ends->driver = driver;
	}
	if (end <= ends->now)
		slot_peer_ended(slot, now);
	else if (ends->next == 0 || end < ends->next)
		ends->next = end;
}

/* Tell that something ends at `end` (0: nothing does soon), unless that is known. */
static void
tell_end(struct runner *runner, struct warning *warning, int64_t *told, usec_t now)
{
	int64_t end = (int64_t)warning->number;

	if (end == *told) {
		if (warning->failure)
			failure_done(warning->failure);
		return;
	}
	*told = end;
	runner_warn(runner, warning, now);
}

static bool
is_soon(const struct runner *runner, int64_t end, int64_t now)
{
	int64_t limit = (int64_t)(runner->upstream->policy.tls.expiry_warning / USEC_PER_SEC);

	return limit > 0 && end != 0 && end - now < limit;
}

static void
judge_peers_end(struct runner *runner, const struct ends *ends, usec_t now)
{
	struct warning warning = { .kind = WARNING_CERTIFICATE_EXPIRES };
	struct failure failure;
	struct tls_info info;

	if (ends->soonest == 0 && runner->upstream->policy.tls.enabled)
		return; /* nobody is ready: nothing is known to be better */
	if (is_soon(runner, ends->soonest, ends->now)) {
		tls_info(ends->driver->connection.tls, &info);
		failure_init(&failure, FAILURE_NONE, STAGE_READY);
		failure.at = now;
		failure.peer = ends->driver->link->peer;
		failure.chain = info.chain; /* with its reference */
		warning.number = (uint64_t)ends->soonest;
		warning.failure = &failure;
	}
	tell_end(runner, &warning, &runner->told_expiry, now);
}

static void
judge_own_end(struct runner *runner, int64_t wall, usec_t now)
{
	const struct tls_policy *policy = &runner->upstream->policy.tls;
	struct warning warning = { .kind = WARNING_OWN_CERTIFICATE };
	struct tls_state state = { 0 };
	struct failure failure;

	if (policy->enabled && runner->sessions)
		tls_state(runner->sessions, &state);
	if (policy->certificate && is_soon(runner, state.own_expiry, wall)) {
		failure_init(&failure, FAILURE_NONE, STAGE_LOAD);
		failure.at = now;
		failure_add_detail(&failure, "file", policy->certificate);
		warning.number = (uint64_t)state.own_expiry;
		warning.failure = &failure;
	}
	tell_end(runner, &warning, &runner->told_own_expiry, now);
}

/* A new list should be there before the last tenth of the present one's time; without a current one nothing can be verified. */
static void
judge_crl(struct runner *runner, struct ends *ends, usec_t now)
{
	const struct tls_policy *policy = &runner->upstream->policy.tls;
	struct warning warning = { .kind = WARNING_CRL };
	struct tls_state state = { 0 };
	struct failure failure;

	if (policy->enabled && policy->crl_file && runner->sessions)
		tls_state(runner->sessions, &state);
	if (state.crl_expiry != 0 && ends->now >= state.crl_due) {
		failure_init(&failure, FAILURE_NONE, STAGE_LOAD);
		failure_add_detail(&failure, "file", policy->crl_file);
		warning.number = (uint64_t)state.crl_expiry;
		warning.failure = &failure;
	} else if (state.crl_expiry != 0 && (ends->next == 0 || state.crl_due < ends->next)) {
		ends->next = state.crl_due;
	}
	tell_end(runner, &warning, &runner->told_crl_expiry, now);
}

/* Also where the clock was set back. */
static bool
is_due(const struct runner *runner, int64_t wall)
{
	return runner->look_again || wall >= runner->look_at ||
	       runner->look_at - wall > LOOK_INTERVAL_SECONDS;
}

void
runner_judge_certificates(struct runner *runner, usec_t now)
{
	struct ends ends = { .now = (int64_t)(clock_realtime() / USEC_PER_SEC) };

	if (!is_due(runner, ends.now))
		return;
	runner->look_again = false;
	for (size_t i = 0; i < runner->slot_count; i++)
		see_end(runner->slots[i], &ends, now);
	judge_crl(runner, &ends, now);
	runner->look_at = ends.now + LOOK_INTERVAL_SECONDS;
	if (ends.next != 0 && ends.next < runner->look_at)
		runner->look_at = ends.next;
	judge_peers_end(runner, &ends, now);
	judge_own_end(runner, ends.now, now);
}

#include "worker/runner_files.h"

#include "base/hash.h"
#include "core/proxy.h"
#include "sys/secret.h"
#include "sys/stamp.h"

#include <errno.h>
#include <string.h>

struct proxy_secret {
	char password[PROXY_PASSWORD_MAX + 1];
	uint64_t path;	    /* digest of the path it came from; 0: nothing has been loaded */
	struct stamp stamp; /* of the file, before it was read last */
	bool stale;	    /* the file cannot be used any more; `password` is an older one */
};

/* ---- warnings ------------------------------------------------------------------------------------- */

static void
warn_stale(struct runner *runner, struct failure *failure, usec_t now)
{
	const struct warning warning = { .kind = WARNING_STALE_FILES, .failure = failure };
	uint64_t told = hash_bytes(HASH_SEED, &failure->code, sizeof(failure->code));

	told = hash_bytes(told, failure->details, failure->details_length);
	if (told == runner->stale) {
		failure_done(failure);
		return;
	}
	runner->stale = told;
	failure->at = now;
	runner_warn(runner, &warning, now);
}

/* No file is stale any more; that is told by the same warning without a code. */
static void
end_stale(struct runner *runner, usec_t now)
{
	struct failure none;
	const struct warning warning = { .kind = WARNING_STALE_FILES, .failure = &none };

	if (runner->stale == 0)
		return;
	runner->stale = 0;
	failure_init(&none, FAILURE_NONE, STAGE_LOAD);
	runner_warn(runner, &warning, now);
}

/* ---- the proxy's password ------------------------------------------------------------------------- */

void
proxy_secret_free(struct proxy_secret *secret)
{
	if (secret)
		explicit_bzero(secret, sizeof(*secret));
	free(secret);
}

const char *
runner_password(const struct runner *runner)
{
	bool wanted = runner->upstream->policy.proxy.password_file != NULL;

	return wanted && runner->secret ? runner->secret->password : NULL;
}

static bool
password_is_stale(const struct runner *runner)
{
	return runner->secret && runner->secret->stale;
}

/* Whether the file is another one, or in another state, than when it was read last. */
static bool
password_changed(const struct runner *runner)
{
	const char *path = runner->upstream->policy.proxy.password_file;
	struct stamp present;

	if (!path || !runner->secret)
		return false;
	stamp_read(path, &present);
	return !stamp_equal(&present, &runner->secret->stamp);
}

/* Whether this host, not the file, is why it could not be read: the same file may be read later. */
static bool
is_shortage(int error)
{
	switch (-error) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EIO: return true;
	default: return false;
	}
}

/* As tls_prepare(): 1 where the file is unusable and what was read from it before stays in use. */
static int
read_password(struct proxy_secret *secret, const char *path, struct failure *failure)
{
	char password[sizeof(secret->password)] = "";
	uint64_t from = hash_text(HASH_SEED, path);
	int r;

	stamp_read(path, &secret->stamp);
	r = secret_load(path, password, sizeof(password), failure);
	secret->stale = r < 0 && secret->path == from;
	if (is_shortage(r))
		secret->stamp = (struct stamp){ 0 }; /* the next look reads it again */
	if (r >= 0) {
		memcpy(secret->password, password, sizeof(password));
		secret->path = from;
	}
	explicit_bzero(password, sizeof(password));
	if (r >= 0)
		return 0;
	return secret->stale ? 1 : r;
}

static int
load_password(struct runner *runner, const char *path, usec_t now, struct failure *failure)
{
	int r;

	if (!runner->secret)
		runner->secret = calloc(1, sizeof(*runner->secret));
	if (!runner->secret) {
		failure->code = FAILURE_LOCAL_NO_MEMORY;
		return -ENOMEM;
	}
	r = read_password(runner->secret, path, failure);
	if (r <= 0)
		return r;
	warn_stale(runner, failure, now);
	failure_init(failure, FAILURE_NONE, STAGE_LOAD);
	return 0;
}

/* ---- load ----------------------------------------------------------------------------------------- */

static int
prepare_tls(struct runner *runner, const struct tls_policy *policy, usec_t now, struct failure *failure)
{
	int r = 0;

	if (!policy->enabled)
		return 0;
	if (!runner->sessions)
		r = tls_sessions_new(runner->worker->tls_pool, &runner->sessions);
	if (r < 0) {
		failure->code = FAILURE_LOCAL_NO_MEMORY;
		return r;
	}
	return tls_prepare(runner->sessions, policy, now, failure);
}

int
runner_load(struct runner *runner, const struct upstream *upstream, usec_t now, struct failure *failure)
{
	const char *password_file = upstream->policy.proxy.password_file;
	int r = 0;

	if (password_file)
		r = load_password(runner, password_file, now, failure);
	if (r >= 0)
		r = prepare_tls(runner, &upstream->policy.tls, now, failure);
	if (r < 0)
		return r;
	if (r > 0 && !password_is_stale(runner))
		warn_stale(runner, failure, now);
	else if (r > 0)
		failure_done(failure); /* one stale file is told at a time */
	else if (!password_is_stale(runner))
		end_stale(runner, now);
	return 0;
}

bool
runner_watch_files(struct runner *runner)
{
	const struct tls_policy *tls = &runner->upstream->policy.tls;
	bool changed;
	size_t i = 0;

	while (i < runner->slot_count && !slot_lacks_file(runner->slots[i]))
		i++;
	if (i == runner->slot_count)
		return false;
	changed = tls->enabled && runner->sessions && tls_files_changed(runner->sessions, tls);
	if (changed || password_changed(runner))
		runner_retry_load(runner);
	return true;
}

/* ---- ready links ---------------------------------------------------------------------------------- */

static bool
is_secured(const struct driver *driver)
{
	return driver && !driver->ended && driver_is_ready(driver) && driver->connection.tls;
}

/* Returns -EACCES where its peer is not trusted: the link has failed by then. */
static int
judge_peer(struct driver *driver, usec_t now)
{
	struct runner *runner = driver->slot->runner;
	struct failure failure;
	int r;

	failure_init(&failure, FAILURE_NONE, driver->link->stage);
	r = tls_judge(driver->connection.tls, runner->sessions, &runner->upstream->policy.tls, &failure);
	/* That this host has no current CRL says nothing about the peer: what was trusted is kept, and a warning tells. */
	if (r == -EACCES && failure_blame(failure.code) == BLAME_LOCAL)
		r = 0;
	if (r == -EACCES)
		connection_fail(driver, &failure, now);
	else
		failure_done(&failure);
	return r;
}

/* A connection of the slot was made with another certificate of ours than the present one. */
static void
roll(struct slot *slot)
{
	struct runner *runner = slot->runner;

	if (slot->renew) {
		slot_retry(slot); /* what its successor lacked may be there */
		return;
	}
	slot->roll = runner->rolls = true;
	runner->roll_reason = CLOSE_CERTIFICATE_ROTATED;
}

/* Returns false where that has to be tried again; `driver` may be NULL. */
static bool
follow_state(struct driver *driver, const struct tls_state *state, usec_t now)
{
	struct connection *conn;
	int r = 0;

	if (!is_secured(driver))
		return true;
	conn = &driver->connection;
	if (conn->made_with.trust != state->trust)
		r = judge_peer(driver, now);
	if (r < 0)
		return r == -EACCES;
	conn->made_with.trust = state->trust;
	if (conn->made_with.identity != state->identity) {
		conn->made_with.identity = state->identity;
		roll(driver->slot);
	}
	return true;
}

static void
follow_files(struct runner *runner, usec_t now)
{
	struct tls_state state;
	bool all = true;

	tls_state(runner->sessions, &state);
	if (!runner->judge_again && state.trust == runner->state.trust &&
	    state.identity == runner->state.identity)
		return;
	/* A successor that is ready has its turn once it has taken the slot. */
	for (size_t i = 0; i < runner->slot_count; i++) {
		all = !is_secured(runner->slots[i]->successor) && all;
		all = follow_state(runner->slots[i]->current, &state, now) && all;
	}
	runner->state = state;
	runner->judge_again = !all;
	runner->look_again = true; /* our certificate may end at another time, also where no link is ready */
	runner_roll(runner);
}

/* The failure of the successor whose turn it is in a round because of our certificate; NULL while there is none. */
static const struct failure *
rotation_failure(const struct runner *runner)
{
	const struct slot *slot = runner->rolling;
	const struct driver *successor = slot ? slot->successor : NULL;

	if (!successor || slot->renew_reason != CLOSE_CERTIFICATE_ROTATED ||
	    successor->link->stage != STAGE_BACKOFF)
		return NULL;
	return &successor->link->failure;
}

/* Told once, however many links are still to come; over with the end of the round. */
static void
judge_rotation(struct runner *runner, usec_t now)
{
	bool rolls = runner->rolls && runner->roll_reason == CLOSE_CERTIFICATE_ROTATED;
	const struct failure *last = rolls ? rotation_failure(runner) : NULL;
	struct failure failure;
	const struct warning warning = { .kind = WARNING_ROTATION_STOPPED, .failure = &failure };

	if (runner->rotation_stopped ? rolls : !last)
		return;
	if (last)
		failure_copy(&failure, last);
	else
		failure_init(&failure, FAILURE_NONE, STAGE_READY);
	runner->rotation_stopped = last != NULL;
	runner_warn(runner, &warning, now);
}

void
runner_judge_files(struct runner *runner, usec_t now)
{
	const struct policy *policy = &runner->upstream->policy;
	struct failure failure;
	int r = 0;

	failure_init(&failure, FAILURE_NONE, STAGE_LOAD);
	if (password_changed(runner))
		r = load_password(runner, policy->proxy.password_file, now, &failure);
	failure_done(&failure); /* no password at all: the links' own attempts say so */
	if (!policy->proxy.password_file && runner->secret)
		runner->secret->stale = false;
	if (policy->tls.enabled && runner->sessions) {
		failure_init(&failure, FAILURE_NONE, STAGE_LOAD);
		r = prepare_tls(runner, &policy->tls, now, &failure);
		if (r > 0 && !password_is_stale(runner))
			warn_stale(runner, &failure, now);
		else
			failure_done(&failure);
		if (r >= 0)
			follow_files(runner, now);
	}
	if (r == 0 && !password_is_stale(runner))
		end_stale(runner, now);
	judge_rotation(runner, now);
}

void
runner_judge_slot(struct slot *slot, usec_t now)
{
	if (is_secured(slot->current) && slot->runner->sessions)
		(void)judge_peer(slot->current, now);
}

void
runner_judge_reload(struct runner *runner, usec_t now)
{
	struct failure failure;
	int r;

	if (!runner->sessions || !runner->upstream->policy.tls.enabled)
		return;
	failure_init(&failure, FAILURE_NONE, STAGE_LOAD);
	r = prepare_tls(runner, &runner->upstream->policy.tls, now, &failure);
	failure_done(&failure);
	if (r < 0)
		return; /* nothing to judge by: the successor's own attempt says so */
	for (size_t i = 0; i < runner->slot_count; i++)
		runner_judge_slot(runner->slots[i], now);
}

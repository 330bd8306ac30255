#include "worker/refresh.h"

#include "worker/driver.h"

/* After answers that prove nothing. */
#define RETRY_DELAY USEC_PER_MINUTE

struct refresh_query {
	struct refresh *refresh;
	struct query *query;
	unsigned int index; /* of what it asks for: see index_of() */
	bool incomplete;    /* its answer is lacking, or did not hold all there is */
};

struct refresh {
	struct runner *runner;
	unsigned int pending; /* queries that are out */
	unsigned int found;   /* addresses */
	usec_t ttl;	      /* the shortest */
	unsigned int query_count;
	struct refresh_query queries[];
};

/* ---- when ----------------------------------------------------------------------------------------- */

static usec_t
refresh_delay(usec_t ttl)
{
	return usec_min(ttl > ADDRESS_REFRESH_MIN ? ttl : ADDRESS_REFRESH_MIN, ADDRESS_REFRESH_MAX);
}

/* Through a proxy it is the proxy that goes by the names. */
static bool
is_wanted(const struct upstream *upstream)
{
	return upstream->policy.proxy.kind == PROXY_NONE;
}

void
refresh_note(struct runner *runner, usec_t ttl, usec_t now)
{
	if (!runner->refresh && is_wanted(runner->upstream))
		runner->refresh_at = usec_min(runner->refresh_at, usec_add(now, refresh_delay(ttl)));
}

/* Of the addresses of one family of one target among all: they are judged by their own answer alone. */
static unsigned int
index_of(unsigned int target, enum family family)
{
	return 2 * target + (family == FAMILY_IPV6);
}

/* ---- whose addresses ------------------------------------------------------------------------------ */

/* The slot's connection, if it is a ready one to an address that came from a name. */
static struct connection *
connection_of(const struct slot *slot)
{
	struct driver *driver = slot->current;

	if (!driver || driver->ended || !driver_is_ready(driver) ||
	    driver->upstream->target_count != slot->runner->upstream->target_count ||
	    !target_is_asked(&driver->upstream->targets[driver->connection.target]))
		return NULL;
	return &driver->connection;
}

static bool
begin_looking(struct runner *runner)
{
	bool any = false;

	for (size_t i = 0; i < runner->slot_count; i++) {
		struct connection *conn = connection_of(runner->slots[i]);

		if (!conn)
			continue;
		conn->looked_up = any = true;
		conn->listed = false;
	}
	return any;
}

static void
note_listed(struct runner *runner, const struct address *address)
{
	for (size_t i = 0; i < runner->slot_count; i++) {
		struct connection *conn = connection_of(runner->slots[i]);

		if (conn && address_equal(&runner->slots[i]->current->link->peer, address))
			conn->listed = true;
	}
}

static void
hear(struct runner *runner, unsigned int index, const struct address *address)
{
	rotation_hear(&runner->rotations[index], address);
	note_listed(runner, address);
}

static unsigned int
index_of_peer(const struct slot *slot)
{
	const struct address *peer = &slot->current->link->peer;

	return index_of(slot->current->connection.target,
			address_is_ipv6(peer) ? FAMILY_IPV6 : FAMILY_IPV4);
}

/* Those whose addresses come from the answer `index`, which was whole. */
static void
judge_listed(struct runner *runner, unsigned int index)
{
	for (size_t i = 0; i < runner->slot_count; i++) {
		struct connection *conn = connection_of(runner->slots[i]);

		if (!conn || !conn->looked_up || index_of_peer(runner->slots[i]) != index)
			continue;
		conn->lacking = conn->listed ? 0 : conn->lacking + 1;
		conn->gone = rotation_is_gone(&runner->rotations[index], conn->lacking);
		runner->drains |= conn->gone;
	}
}

void
refresh_drain(struct runner *runner)
{
	struct slot *next = NULL;

	for (size_t i = 0; runner->drains && i < runner->slot_count; i++) {
		struct slot *slot = runner->slots[i];
		const struct connection *conn = connection_of(slot);

		if (slot->renew && slot->renew_reason == CLOSE_ADDRESS_GONE)
			return;
		if (conn && conn->gone && !slot->renew && !next)
			next = slot;
	}
	runner->drains = next != NULL;
	if (next)
		slot_renew(next, CLOSE_ADDRESS_GONE);
}

/* ---- queries -------------------------------------------------------------------------------------- */

static void
drop(struct refresh *refresh)
{
	for (unsigned int i = 0; i < refresh->query_count; i++)
		query_cancel(refresh->queries[i].query);
	refresh->runner->refresh = NULL;
	free(refresh);
}

void
refresh_cancel(struct runner *runner)
{
	runner->refresh_at = USEC_INFINITY;
	if (runner->refresh)
		drop(runner->refresh);
	free(runner->rotations);
	runner->rotations = NULL;
	runner->drains = false;
}

/* What is not whole proves nothing about who is gone; nor do answers that have no address at all. */
static void
finish(struct refresh *refresh, usec_t now)
{
	struct runner *runner = refresh->runner;
	bool any = false;

	for (unsigned int i = 0; i < refresh->query_count; i++) {
		const struct refresh_query *query = &refresh->queries[i];
		bool whole = !query->incomplete && refresh->found > 0;

		rotation_end(&runner->rotations[query->index], whole);
		if (whole)
			judge_listed(runner, query->index);
		any = any || whole;
	}
	refresh_drain(runner);
	runner->refresh_at = usec_add(now, any ? refresh_delay(refresh->ttl) : RETRY_DELAY);
	drop(refresh);
}

static void
on_answer(void *arg, const struct resolve_answer *answer, usec_t now)
{
	struct refresh_query *query = arg;
	struct refresh *refresh = query->refresh;

	query->query = NULL;
	refresh->pending--;
	refresh->found += answer->count;
	for (unsigned int i = 0; i < answer->count; i++)
		hear(refresh->runner, query->index, &answer->addresses[i]);
	for (unsigned int i = 0; i < answer->rest_count; i++)
		hear(refresh->runner, query->index, &answer->rest[i]);
	if (answer->count > 0)
		refresh->ttl = usec_min(refresh->ttl, answer->ttl);
	/* That a name has none of one family is an answer, too.  A partial one may have left out the very address. */
	if (answer->partial || (answer->count == 0 && answer->failure.code != FAILURE_ADDRESS_NO_DATA))
		query->incomplete = true;
	if (refresh->pending == 0)
		finish(refresh, now);
}

static void
ask(struct refresh *refresh, unsigned int target, enum family family)
{
	struct runner *runner = refresh->runner;
	const struct target *asked = &runner->upstream->targets[target];
	struct refresh_query *query = &refresh->queries[refresh->query_count++];
	const struct question question = {
		.host = asked->host,
		.absolute = asked->absolute,
		.port = asked->port,
		.family = family,
		.service = asked->kind == TARGET_SERVICE,
		.timeout = runner->upstream->policy.timeout[STAGE_RESOLVE],
	};

	query->refresh = refresh;
	query->index = index_of(target, family);
	if (query_start(runner->worker->resolver, &question, on_answer, query, &query->query) < 0)
		query->incomplete = true;
	else
		refresh->pending++;
}

static void
ask_all(struct refresh *refresh)
{
	const struct upstream *upstream = refresh->runner->upstream;
	enum family allowed = upstream->policy.family;

	for (unsigned int target = 0; target < upstream->target_count; target++) {
		if (!target_is_asked(&upstream->targets[target]))
			continue;
		if (allowed != FAMILY_IPV6)
			ask(refresh, target, FAMILY_IPV4);
		if (allowed != FAMILY_IPV4)
			ask(refresh, target, FAMILY_IPV6);
	}
}

/* Returns whether there is memory for them. */
static bool
have_rotations(struct runner *runner)
{
	unsigned int count = 2 * runner->upstream->target_count;

	if (runner->rotations)
		return true;
	runner->rotations = calloc(count, sizeof(runner->rotations[0]));
	for (unsigned int i = 0; runner->rotations && i < count; i++)
		rotation_init(&runner->rotations[i]);
	return runner->rotations != NULL;
}

void
refresh_start(struct runner *runner, usec_t now)
{
	struct refresh *refresh;

	if (runner->refresh || runner->worker->refreshes_left == 0)
		return;
	runner->refresh_at = USEC_INFINITY; /* the next attempt's answers set it, where nobody is ready */
	if (runner->paused || !is_wanted(runner->upstream) || !begin_looking(runner))
		return;
	runner->refresh_at = usec_add(now, RETRY_DELAY);
	refresh = calloc(1, sizeof(*refresh) + 2 * runner->upstream->target_count *
						       sizeof(refresh->queries[0]));
	if (!refresh || !have_rotations(runner)) {
		free(refresh);
		return;
	}
	runner->worker->refreshes_left--;
	refresh->runner = runner;
	refresh->ttl = USEC_INFINITY;
	runner->refresh = refresh;
	ask_all(refresh);
	if (refresh->pending == 0)
		finish(refresh, now);
}

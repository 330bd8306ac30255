/*
 * The tickets of one upstream.  A session stands for the verification made in a full handshake: it is offered only
 * where the present policy would come to the same judgement, and not for ever.
 */
#include "base/must.h"
#include "sys/clock.h"
#include "sys/tls_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
tls_origin_done(struct tls_origin *origin)
{
	origin->chain = chain_unref(origin->chain);
}

CLEANUP_DEFINE(SSL_SESSION *, SSL_SESSION_free)

static void
ticket_done(struct tls_ticket *ticket)
{
	SSL_SESSION_free(ticket->session);
	free(ticket->name);
	free(ticket->sni);
	tls_origin_done(&ticket->origin);
	*ticket = (struct tls_ticket){ 0 };
}

static void
drop_all(struct tls_sessions *sessions)
{
	for (unsigned int i = 0; i < TLS_SESSIONS_MAX; i++)
		ticket_done(&sessions->tickets[i]);
}

int
tls_sessions_new(struct tls_pool *pool, struct tls_sessions **ret_sessions)
{
	struct tls_sessions *sessions = calloc(1, sizeof(*sessions));

	if (!sessions)
		return -ENOMEM;
	sessions->pool = pool;
	sessions->references = 1;
	*ret_sessions = sessions;
	return 0;
}

struct tls_sessions *
tls_sessions_ref(struct tls_sessions *sessions)
{
	if (sessions)
		sessions->references++;
	return sessions;
}

struct tls_sessions *
tls_sessions_unref(struct tls_sessions *sessions)
{
	if (!sessions || --sessions->references > 0)
		return NULL;
	drop_all(sessions);
	tls_context_unref(sessions->context);
	chain_unref(sessions->chain);
	free(sessions->failed);
	free(sessions);
	return NULL;
}

struct tls_sessions *
tls_sessions_free(struct tls_sessions *sessions)
{
	if (!sessions)
		return NULL;
	sessions->closed = true;
	drop_all(sessions);
	return tls_sessions_unref(sessions);
}

void
tls_sessions_use(struct tls_sessions *sessions, struct tls_context *context)
{
	if (sessions->context != context)
		drop_all(sessions);
	tls_context_unref(sessions->context);
	sessions->context = context;
}

/* Without memory for it the next attempt is due when the backoff ends, no sooner. */
static void
note_failed(struct tls_sessions *sessions)
{
	if (!sessions->failed)
		sessions->failed = malloc(sizeof(*sessions->failed));
	if (sessions->failed)
		*sessions->failed = sessions->pool->read;
}

bool
tls_files_changed(const struct tls_sessions *sessions, const struct tls_policy *policy)
{
	struct tls_stamps present;

	if (!sessions->failed)
		return false;
	tls_stamps_read(policy, &present);
	return !tls_stamps_equal(&present, sessions->failed);
}

int
tls_prepare(struct tls_sessions *sessions, const struct tls_policy *policy, usec_t now,
	    struct failure *failure)
{
	struct tls_context *context;
	int r = tls_context_get(sessions->pool, policy, now, &context, failure);

	if (r >= 0)
		tls_sessions_use(sessions, context);
	else
		note_failed(sessions);
	return r;
}

/* Whether nobody may use `ticket` any more: its origin is too long ago, or its chain has expired since. */
static bool
is_stale(const struct tls_ticket *ticket, usec_t now)
{
	return usec_sub(now, ticket->origin.full_at) >= TLS_FULL_HANDSHAKE_INTERVAL ||
	       ticket->origin.trusted_until <= (int64_t)(clock_realtime() / USEC_PER_SEC);
}

static bool
is_for(const struct tls_ticket *ticket, const struct tls *tls)
{
	const struct chain *chain = ticket->origin.chain;

	return ticket->verify == tls->policy->verify && strcmp(ticket->name, tls->name) == 0 &&
	       strcmp(ticket->sni, tls->sni) == 0 && chain_count(chain) > 0 &&
	       tls_pinned(tls->policy, chain_certificate(chain, 0)->spki_sha256);
}

static void
offer(struct tls *tls, struct tls_ticket *ticket)
{
	_cleanup_(SSL_SESSION_freep) SSL_SESSION *copy = SSL_SESSION_dup(ticket->session);

	if (!copy || !SSL_set_session(tls->ssl, copy)) {
		ticket_done(ticket);
		return;
	}
	SSL_SESSION_up_ref(ticket->session);
	tls->offered = ticket->session;
	tls_origin_done(&tls->origin);
	tls->origin = ticket->origin;
	tls->origin.chain = chain_ref(ticket->origin.chain);
	/* RFC 8446, appendix C.4: a TLS 1.3 ticket used twice lets an observer connect the two. */
	if (SSL_SESSION_get_protocol_version(ticket->session) >= TLS1_3_VERSION)
		ticket_done(ticket);
}

void
tls_sessions_offer(struct tls *tls, usec_t now)
{
	struct tls_sessions *sessions = tls->sessions;

	for (unsigned int i = 0; i < TLS_SESSIONS_MAX; i++) {
		struct tls_ticket *ticket = &sessions->tickets[i];

		if (!ticket->session)
			continue;
		if (is_stale(ticket, now)) {
			ticket_done(ticket);
			continue;
		}
		if (is_for(ticket, tls)) {
			offer(tls, ticket);
			return;
		}
	}
}

/* The place for a ticket of `origin`: a free one, or that of the oldest, unless all others are younger. */
static struct tls_ticket *
place_for(struct tls_sessions *sessions, const struct tls_origin *origin)
{
	struct tls_ticket *oldest = NULL;

	for (unsigned int i = 0; i < TLS_SESSIONS_MAX; i++) {
		struct tls_ticket *ticket = &sessions->tickets[i];

		if (!ticket->session)
			return ticket;
		if (!oldest || ticket->origin.full_at < oldest->origin.full_at)
			oldest = ticket;
	}
	return oldest->origin.full_at <= origin->full_at ? oldest : NULL;
}

/*
 * Copies are kept and offered: OpenSSL makes a session unusable when the connection it came from, or that uses it, ends
 * without close_notify, and that is when it is wanted most (RFC 5246, section 7.2.1, allows it).
 */
void
tls_sessions_keep(struct tls *tls, const SSL_SESSION *session)
{
	struct tls_sessions *sessions = tls->sessions;
	struct tls_ticket *place = place_for(sessions, &tls->origin);
	struct tls_ticket ticket = {
		.verify = tls->policy->verify,
		.origin = tls->origin,
	};

	if (sessions->closed || !tls->policy->resumption || tls->context != sessions->context ||
	    !place || !tls->origin.chain || !SSL_SESSION_is_resumable(session))
		return;
	chain_ref(ticket.origin.chain);
	ticket.session = SSL_SESSION_dup(session);
	ticket.name = strdup(tls->name);
	ticket.sni = strdup(tls->sni);
	if (!ticket.session || !ticket.name || !ticket.sni) {
		ticket_done(&ticket);
		return;
	}
	ticket_done(place);
	*place = ticket;
}

void
tls_sessions_distrust(struct tls *tls)
{
	drop_all(tls->sessions);
}

void
tls_sessions_reject(struct tls *tls)
{
	for (unsigned int i = 0; i < TLS_SESSIONS_MAX; i++) {
		struct tls_ticket *ticket = &tls->sessions->tickets[i];

		if (ticket->session && ticket->session == tls->offered)
			ticket_done(ticket);
	}
}

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
	free(ticket->peer);
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
	tls_context_release(sessions->context);
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
	tls_context_hold(context);
	tls_context_release(sessions->context);
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

void
tls_state(const struct tls_sessions *sessions, struct tls_state *ret_state)
{
	const struct tls_context *context = sessions->context;

	*ret_state = (struct tls_state){ 0 };
	if (!context)
		return;
	ret_state->trust = context->trust;
	ret_state->identity = context->identity;
	ret_state->own_expiry = context->has_certificate ? context->own_not_after : 0;
	if (context->crls) {
		ret_state->crl_expiry = context->crls->expiry;
		ret_state->crl_due = context->crls->due;
	}
}

/* Whether nobody may use `ticket` any more: its origin is too long ago, or its chain or OCSP response has expired since. */
static bool
is_stale(const struct tls_ticket *ticket, usec_t now)
{
	return usec_sub(now, ticket->origin.full_at) >= TLS_FULL_HANDSHAKE_INTERVAL ||
	       ticket->origin.trusted_until <= (int64_t)(clock_realtime() / USEC_PER_SEC);
}

/* A ticket shown to another peer is of no use there, and tells who else we have been talking to. */
static bool
is_for(const struct tls_ticket *ticket, const struct tls *tls)
{
	const struct chain *chain = ticket->origin.chain;

	return ticket->verify == tls->policy->verify && ticket->ocsp >= tls->policy->ocsp &&
	       strcmp(ticket->peer, tls->peer) == 0 && strcmp(ticket->name, tls->name) == 0 &&
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

static bool
is_older(const struct tls_ticket *ticket, const struct tls_ticket *other)
{
	return !other || ticket->origin.full_at < other->origin.full_at;
}

/*
 * The place for a ticket of `origin` from `peer`: that of the peer's oldest where it has its share, a free one, or that of the
 * oldest of all; NULL where that is younger.
 */
static struct tls_ticket *
place_for(struct tls_sessions *sessions, const char *peer, const struct tls_origin *origin)
{
	struct tls_ticket *vacant = NULL, *oldest = NULL, *peers_oldest = NULL, *place;
	unsigned int peers = 0;

	for (unsigned int i = 0; i < TLS_SESSIONS_MAX; i++) {
		struct tls_ticket *ticket = &sessions->tickets[i];

		if (!ticket->session) {
			vacant = ticket;
			continue;
		}
		if (is_older(ticket, oldest))
			oldest = ticket;
		if (strcmp(ticket->peer, peer) != 0)
			continue;
		peers++;
		if (is_older(ticket, peers_oldest))
			peers_oldest = ticket;
	}
	if (peers < TLS_SESSIONS_PEER_MAX && vacant)
		return vacant;
	place = peers < TLS_SESSIONS_PEER_MAX ? oldest : peers_oldest;
	return place->origin.full_at <= origin->full_at ? place : NULL;
}

/*
 * Copies are kept and offered: OpenSSL makes a session unusable when the connection it came from, or that uses it, ends
 * without close_notify, and that is when it is wanted most (RFC 5246, section 7.2.1, allows it).
 */
void
tls_sessions_keep(struct tls *tls, const SSL_SESSION *session)
{
	struct tls_sessions *sessions = tls->sessions;
	struct tls_ticket *place = place_for(sessions, tls->peer, &tls->origin);
	struct tls_ticket ticket = {
		.verify = tls->policy->verify,
		.ocsp = tls->policy->ocsp,
		.origin = tls->origin,
	};

	if (sessions->closed || !tls->policy->resumption || tls->context != sessions->context ||
	    !place || !tls->origin.chain || !SSL_SESSION_is_resumable(session))
		return;
	chain_ref(ticket.origin.chain);
	ticket.session = SSL_SESSION_dup(session);
	ticket.name = strdup(tls->name);
	ticket.sni = strdup(tls->sni);
	ticket.peer = strdup(tls->peer);
	if (!ticket.session || !ticket.name || !ticket.sni || !ticket.peer) {
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

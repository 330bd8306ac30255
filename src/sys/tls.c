/* One TLS connection: handshake, reading, closing. */
#include "base/must.h"
#include "sys/classify_tls.h"
#include "sys/tls_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

/* A close waits for the peer's close_notify behind what it still sends: so much of that is read in one call. */
#define SHUTDOWN_READS_MAX  16
#define SHUTDOWN_READ_BYTES 4096

/* ---- what goes by ----------------------------------------------------------------------------------------------- */

#define ALERT_LEVEL_FATAL   2
#define ALERT_CLOSE_NOTIFY  0
#define ALERT_USER_CANCELED 90

/* Before the ServerHello SSL_version() is but the highest that we offer. */
static bool
is_tls13(const SSL *ssl)
{
	return SSL_version(ssl) >= TLS1_3_VERSION && SSL_get_state(ssl) != TLS_ST_CW_CLNT_HELLO;
}

/* In TLS 1.3 every alert but these two ends the connection, whatever its level says (RFC 8446, section 6). */
static bool
is_fatal(const SSL *ssl, int level, int alert)
{
	if (alert == ALERT_CLOSE_NOTIFY || alert == ALERT_USER_CANCELED)
		return false;
	return level == ALERT_LEVEL_FATAL || is_tls13(ssl);
}

/* SSL_set_info_callback(3): notes the alerts. */
static void
see_alert(const SSL *ssl, int where, int value)
{
	struct tls *tls = SSL_get_app_data(ssl);
	int level = value >> 8, alert = value & 0xff;

	if (!(where & SSL_CB_ALERT) || !is_fatal(ssl, level, alert))
		return;
	if (where & SSL_CB_WRITE)
		tls->alert_sent = alert;
	else
		tls->alert_received = alert;
}

/* SSL_set_cert_cb(3): the server has asked for a certificate, and now it is to be sent. */
static int
see_certificate_request(SSL *ssl, void *arg)
{
	struct tls *tls = arg;

	(void)ssl;
	tls->certificate_requested = true;
	tls->certificate_sent = true; /* unless tls_see_no_certificate() is asked next */
	return 1;
}

int
tls_see_no_certificate(SSL *ssl, X509 **ret_x509, EVP_PKEY **ret_key)
{
	struct tls *tls = SSL_get_app_data(ssl);

	(void)ret_x509;
	(void)ret_key;
	tls->certificate_sent = false;
	return 0;
}

int
tls_see_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls *tls = SSL_get_app_data(ssl);

	if (tls->handshake_done)
		tls->ticket_seen = true;
	tls_sessions_keep(tls, session);
	return 0;
}

/* ---- making one ------------------------------------------------------------------------------------------------- */

/* Copies a host name without a trailing dot, or an address without its zone. */
static void
copy_host(char *to, size_t size, const char *host)
{
	size_t length;

	text_copy(to, size, host);
	length = strlen(to);
	if (length > 1 && to[length - 1] == '.')
		to[length - 1] = '\0';
	if (strchr(to, ':'))
		to[strcspn(to, "%")] = '\0';
}

/* Whom we mean to talk to; "@target" is whatever plain DNS has made of a service. */
static const char *
name_of_peer(const struct tls_policy *policy, const struct tls_setup *setup)
{
	bool is_target = policy->verify_name &&
			 strcmp(policy->verify_name, VERIFY_NAME_SRV_TARGET) == 0;

	return is_target && setup->srv_host ? setup->srv_host : target_domain(setup->target);
}

/* The policy's own name comes first. */
static const char *
name_to_verify(const struct tls_policy *policy, const struct tls_setup *setup)
{
	if (policy->verify_name && strcmp(policy->verify_name, VERIFY_NAME_SRV_TARGET) != 0)
		return policy->verify_name;
	return name_of_peer(policy, setup);
}

static bool
is_address(const char *name)
{
	unsigned char octets[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, name, octets) == 1 || inet_pton(AF_INET6, name, octets) == 1;
}

static void
choose_names(struct tls *tls, const struct tls_setup *setup)
{
	const struct tls_policy *policy = tls->policy;
	const char *peer = name_of_peer(policy, setup);

	copy_host(tls->name, sizeof(tls->name), name_to_verify(policy, setup));
	if (policy->sni)
		copy_host(tls->sni, sizeof(tls->sni), policy->sni);
	else if (!is_address(peer))
		copy_host(tls->sni, sizeof(tls->sni), peer);
	if (setup->srv_host)
		text_copy(tls->peer, sizeof(tls->peer), setup->srv_host);
	else
		target_format(setup->target, tls->peer, sizeof(tls->peer));
}

static int
setup_ssl(struct tls *tls)
{
	const struct tls_policy *policy = tls->policy;

	SSL_set_app_data(tls->ssl, tls);
	SSL_set_connect_state(tls->ssl);
	SSL_set_info_callback(tls->ssl, see_alert);
	SSL_set_cert_cb(tls->ssl, see_certificate_request, tls);
	if (tls->sni[0] != '\0' && !SSL_set_tlsext_host_name(tls->ssl, tls->sni))
		return -ENOMEM;
	if (policy->alpn && SSL_set_alpn_protos(tls->ssl, policy->alpn, policy->alpn_length) != 0)
		return -ENOMEM;
	if (tls_ocsp_wanted(policy) && !SSL_set_tlsext_status_type(tls->ssl, TLSEXT_STATUSTYPE_ocsp))
		return -ENOMEM;
	if (tls_verify_param(SSL_get0_param(tls->ssl), policy, tls->context, tls->name) < 0)
		return -ENOMEM;
	return tls_wire_attach(&tls->wire, tls->sessions->pool->wire, tls->ssl);
}

static void
hold_context(struct tls *tls)
{
	tls_context_hold(tls->context);
	tls->holds_context = true;
}

static void
release_context(struct tls *tls)
{
	if (tls->holds_context)
		tls_context_release(tls->context);
	tls->holds_context = false;
}

struct tls *
tls_free(struct tls *tls)
{
	if (!tls)
		return NULL;
	SSL_free(tls->ssl);
	release_context(tls);
	SSL_SESSION_free(tls->offered);
	tls_origin_done(&tls->origin);
	tls_context_unref(tls->context);
	tls_sessions_unref(tls->sessions);
	free(tls);
	return NULL;
}

CLEANUP_DEFINE(struct tls *, tls_free)

int
tls_new(struct tls_sessions *sessions, const struct tls_setup *setup, usec_t now, struct tls **ret_tls)
{
	_cleanup_(tls_freep) struct tls *tls = calloc(1, sizeof(*tls));

	must(sessions->context);
	if (!tls)
		return -ENOMEM;
	tls->sessions = tls_sessions_ref(sessions);
	tls->context = tls_context_ref(sessions->context);
	hold_context(tls);
	tls->policy = setup->policy;
	tls->transport = setup->transport;
	tls->wire.fd = setup->fd;
	tls->started_at = now;
	tls->alert_received = tls->alert_sent = -1;
	choose_names(tls, setup);
	ERR_clear_error();
	tls->ssl = SSL_new(tls->context->ssl_ctx);
	if (!tls->ssl || setup_ssl(tls) < 0) {
		ERR_clear_error();
		return -ENOMEM;
	}
	if (tls->policy->resumption)
		tls_sessions_offer(tls, now);
	*ret_tls = steal(tls);
	return 0;
}

/* ---- handshake -------------------------------------------------------------------------------------------------- */

static enum tls_result
fail(struct tls *tls, int ssl_error, struct failure *failure)
{
	tls_failure_fill(tls, ssl_error, failure);
	if (tls->alert_received >= 0)
		tls_sessions_distrust(tls);
	ERR_clear_error();
	return TLS_FAILED;
}

/* OpenSSL has no quarrel, but we have. */
static enum tls_result
refuse(struct tls *tls, enum failure_code code, const char *text, struct failure *failure)
{
	tls->refused = true;
	failure->code = code;
	if (text)
		failure_add_detail(failure, "text", text);
	return fail(tls, SSL_ERROR_NONE, failure);
}

static bool
must_be_judged(const struct tls_policy *policy)
{
	return policy->verify != VERIFY_NONE || policy->pin_count > 0;
}

/* The peer was gone while we were still writing: what it said before is more than the bare reset. */
static enum tls_result
read_last_words(struct tls *tls, struct failure *failure)
{
	char byte;
	size_t length;
	int r = SSL_peek_ex(tls->ssl, &byte, 1, &length);

	return fail(tls, SSL_get_error(tls->ssl, r), failure);
}

static enum tls_result
finish_handshake(struct tls *tls, struct failure *failure)
{
	const unsigned char *alpn;
	unsigned int alpn_length;

	if (tls->wire.write_error != 0)
		return read_last_words(tls, failure);
	/* SSL_get_verify_result() would say X509_V_OK where no certificate was shown at all. */
	if (must_be_judged(tls->policy) && !SSL_session_reused(tls->ssl) && !tls->certificate_judged)
		return refuse(tls, FAILURE_TLS_CERTIFICATE_OTHER,
			      "the server showed no certificate", failure);
	if (tls_ocsp_wanted(tls->policy) && !SSL_session_reused(tls->ssl) && !tls->ocsp_judged)
		return refuse(tls, FAILURE_TLS_OCSP_MISSING, NULL, failure);
	SSL_get0_alpn_selected(tls->ssl, &alpn, &alpn_length);
	if (tls->policy->alpn_required && alpn_length == 0)
		return refuse(tls, FAILURE_TLS_ALPN, NULL, failure);
	SSL_SESSION_free(tls->offered);
	tls->offered = NULL;
	tls->handshake_done = true;
	release_context(tls);
	return TLS_DONE;
}

static enum tls_result
handshake_failed(struct tls *tls, int ssl_error, struct failure *failure)
{
	if (tls->offered)
		tls_sessions_reject(tls);
	return fail(tls, ssl_error, failure);
}

/*
 * A name is wanted and there is none, as for a Unix socket without `verify_name`; or one that OpenSSL would take for all names
 * that end so.
 */
static bool
lacks_name(const struct tls *tls)
{
	return tls->policy->verify == VERIFY_FULL && (tls->name[0] == '\0' || tls->name[0] == '.');
}

static enum tls_result
refuse_nameless(struct tls *tls, struct failure *failure)
{
	failure_add_detail(failure, "option", "verify_name");
	failure_add_detail(failure, "why", "there is no name to verify");
	return refuse(tls, FAILURE_LOCAL_TLS_CONFIG, NULL, failure);
}

/* The peer speaks something else.  OpenSSL has no more to do with it; what it had to say is kept for the failure. */
static bool
is_plain(struct tls *tls)
{
	if (classify_is_tls(tls->wire.first, tls->wire.first_length))
		return false;
	if (!tls->plain)
		tls->plain_error = ERR_peek_last_error();
	tls->plain = true;
	return true;
}

static enum tls_result
refuse_plain(struct tls *tls, struct failure *failure)
{
	ERR_clear_error();
	if (tls->plain_error != 0)
		ERR_raise(ERR_GET_LIB(tls->plain_error), ERR_GET_REASON(tls->plain_error));
	return handshake_failed(tls, tls->plain_error != 0 ? SSL_ERROR_SSL : SSL_ERROR_WANT_READ,
				failure);
}

/* Hears as much of it as its name takes. */
static enum tls_result
hear_plain(struct tls *tls, struct failure *failure)
{
	const struct tls_wire *wire = &tls->wire;

	tls_wire_collect(&tls->wire);
	if (wire->ended || wire->read_error != 0 || wire->first_length == sizeof(wire->first) ||
	    classify_plain_settled(wire->first, wire->first_length))
		return refuse_plain(tls, failure);
	return TLS_WANT_READ;
}

bool
tls_late(struct tls *tls, struct failure *failure)
{
	if (!tls->plain)
		return false;
	refuse_plain(tls, failure);
	return true;
}

enum tls_result
tls_handshake(struct tls *tls, struct failure *failure)
{
	int r, ssl_error;

	if (lacks_name(tls))
		return refuse_nameless(tls, failure);
	if (tls->plain)
		return hear_plain(tls, failure);
	ERR_clear_error();
	tls->wire.allowance = TLS_WIRE_ALLOWANCE;
	tls->failure = failure;
	r = SSL_do_handshake(tls->ssl);
	tls->failure = NULL;
	if (r == 1)
		return finish_handshake(tls, failure);
	ssl_error = SSL_get_error(tls->ssl, r);
	if (tls->alert_received < 0 && is_plain(tls)) /* perhaps by too few octets for OpenSSL to notice */
		return hear_plain(tls, failure);
	switch (ssl_error) {
	case SSL_ERROR_WANT_WRITE: return TLS_WANT_WRITE;
	case SSL_ERROR_WANT_READ: return TLS_WANT_READ;
	default: return handshake_failed(tls, ssl_error, failure);
	}
}

bool
tls_verdict_pending(const struct tls *tls)
{
	return tls->handshake_done && tls->certificate_requested &&
	       SSL_version(tls->ssl) >= TLS1_3_VERSION && !tls_verdict_seen(tls);
}

bool
tls_verdict_seen(const struct tls *tls)
{
	return tls->ticket_seen || tls->data_seen;
}

/* ---- afterwards ------------------------------------------------------------------------------------------------- */

enum tls_result
tls_read(struct tls *tls, void *buffer, size_t size, size_t *ret_length, struct failure *failure)
{
	int r, ssl_error;

	ERR_clear_error();
	tls->wire.allowance = TLS_WIRE_ALLOWANCE;
	r = SSL_read_ex(tls->ssl, buffer, size, ret_length);
	if (r == 1) {
		tls->data_seen = true;
		return TLS_DONE;
	}
	ssl_error = SSL_get_error(tls->ssl, r);
	switch (ssl_error) {
	case SSL_ERROR_WANT_READ:
		if (tls->wire.allowance > 0)
			return TLS_WANT_READ;
		/* So many octets in one piece, and no data among them. */
		return refuse(tls, FAILURE_PROTOCOL_UNSOLICITED_DATA, NULL, failure);
	case SSL_ERROR_WANT_WRITE: return TLS_WANT_WRITE;
	default: return fail(tls, ssl_error, failure);
	}
}

/*
 * A peer that has gone is noticed by whoever reads next (tls_wire.c pretends that writing has worked): what it said before is
 * more than that it has gone.
 */
enum tls_result
tls_write(struct tls *tls, const void *buffer, size_t length, size_t *ret_length, struct failure *failure)
{
	int r, ssl_error;

	must(length > 0);
	ERR_clear_error();
	tls->wire.allowance = TLS_WIRE_ALLOWANCE;
	r = SSL_write_ex(tls->ssl, buffer, length, ret_length);
	if (r == 1)
		return TLS_DONE;
	ssl_error = SSL_get_error(tls->ssl, r);
	switch (ssl_error) {
	case SSL_ERROR_WANT_READ: return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE: return TLS_WANT_WRITE;
	default: return fail(tls, ssl_error, failure);
	}
}

static enum tls_result
shutdown_result(struct tls *tls, int r)
{
	int ssl_error = SSL_get_error(tls->ssl, r);

	ERR_clear_error();
	switch (ssl_error) {
	case SSL_ERROR_ZERO_RETURN: return TLS_DONE;
	case SSL_ERROR_WANT_READ: return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE: return TLS_WANT_WRITE;
	default: return TLS_FAILED;
	}
}

enum tls_result
tls_shutdown(struct tls *tls)
{
	char scratch[SHUTDOWN_READ_BYTES];
	size_t length;

	ERR_clear_error();
	tls->wire.allowance = TLS_WIRE_ALLOWANCE;
	if (!(SSL_get_shutdown(tls->ssl) & SSL_SENT_SHUTDOWN)) {
		int r = SSL_shutdown(tls->ssl);

		if (r < 0)
			return shutdown_result(tls, r);
	}
	for (unsigned int i = 0; i < SHUTDOWN_READS_MAX; i++) {
		int r = SSL_read_ex(tls->ssl, scratch, sizeof(scratch), &length);

		if (r != 1)
			return shutdown_result(tls, r);
	}
	return TLS_WANT_READ;
}

void
tls_quiet(struct tls *tls)
{
	SSL_free_buffers(tls->ssl); /* refuses where something is still in them */
}

void
tls_bytes(const struct tls *tls, uint64_t *ret_received, uint64_t *ret_sent)
{
	*ret_received = tls->wire.received;
	*ret_sent = tls->wire.sent;
}

void
tls_info(const struct tls *tls, struct tls_info *ret_info)
{
	int group = (int)SSL_get_negotiated_group(tls->ssl);
	const unsigned char *alpn;
	unsigned int alpn_length;
	struct text text = TEXT_INIT(ret_info->alpn);

	text_copy(ret_info->version, sizeof(ret_info->version), SSL_get_version(tls->ssl));
	text_copy(ret_info->cipher, sizeof(ret_info->cipher), SSL_get_cipher_name(tls->ssl));
	text_copy(ret_info->group, sizeof(ret_info->group),
		  group != NID_undef ? SSL_group_to_name(tls->ssl, group) : NULL);
	SSL_get0_alpn_selected(tls->ssl, &alpn, &alpn_length);
	text_add_escaped(&text, alpn, alpn_length, NULL);
	ret_info->resumed = SSL_session_reused(tls->ssl);
	ret_info->chain = chain_ref(tls->origin.chain);
}

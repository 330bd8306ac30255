/* What a failed call into OpenSSL left behind, gathered and made a failure. */
#include "sys/classify_tls.h"
#include "sys/clock.h"
#include "sys/socket.h"
#include "sys/tls_internal.h"

#include <openssl/err.h>
#include <string.h>

static bool
is_no_memory(unsigned long error)
{
	return ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
}

/* SSL_R_RECORD_LAYER_FAILURE, which only OpenSSL >= 3.2 knows: it follows the entry that says what failed. */
#define RECORD_LAYER_FAILURE 313

/* Empties the error queue: the last entry of libssl that says anything outranks the first of all. */
static void
read_errors(struct tls_signs *signs)
{
	unsigned long error;

	while ((error = ERR_get_error()) != 0) {
		if (is_no_memory(error))
			signs->no_memory = true;
		if (ERR_GET_LIB(error) == ERR_LIB_ASN1 || ERR_GET_REASON(error) == ERR_R_ASN1_LIB)
			signs->malformed = true;
		if (signs->error == 0 || (ERR_GET_LIB(error) == ERR_LIB_SSL &&
					  ERR_GET_REASON(error) != RECORD_LAYER_FAILURE))
			signs->error = error;
	}
}

static bool
own_certificate_expired(const struct tls_context *context)
{
	return context->has_certificate &&
	       context->own_not_after < (int64_t)(clock_realtime() / USEC_PER_SEC);
}

/* An errno that was met while writing counts where reading then found nothing but the end. */
static int
io_error_of(const struct tls_wire *wire)
{
	return wire->read_error ? wire->read_error : wire->write_error;
}

static void
look(struct tls *tls, int ssl_error, const struct failure *failure, struct tls_signs *ret_signs)
{
	*ret_signs = (struct tls_signs){
		.stage = failure->stage,
		.handshake_done = tls->handshake_done,
		.alert = tls->alert_received,
		.certificate_requested = tls->certificate_requested,
		.certificate_sent = tls->certificate_sent,
		.certificate_expired = own_certificate_expired(tls->context),
		.verdict_pending = tls_verdict_pending(tls),
		.first = tls->wire.first,
		.first_length = tls->wire.first_length,
		.closed = ssl_error == SSL_ERROR_ZERO_RETURN,
		.ended = tls->wire.ended,
		.io_error = io_error_of(&tls->wire),
	};
	read_errors(ret_signs);
}

static void
fill_alert(const struct tls *tls, struct failure *failure)
{
	int alert = tls->alert_received >= 0 ? tls->alert_received : tls->alert_sent;

	/* What OpenSSL sends after the peer's end (decode_error) reaches nobody and says nothing. */
	if (alert < 0 || (tls->alert_received < 0 && tls->wire.ended))
		return;
	failure->alert_direction = tls->alert_received >= 0 ? ALERT_RECEIVED : ALERT_SENT;
	failure->alert = (uint8_t)alert;
}

static void
fill_error(const struct tls_signs *signs, struct failure *failure)
{
	char name[FAILURE_ERROR_MAX];
	struct text text = TEXT_INIT(name);

	if (signs->error != 0) {
		classify_tls_error_name(signs->error, &text);
		failure_set_error(failure, ERR_GET_REASON(signs->error), name);
	} else if (signs->io_error != 0 && !signs->closed) {
		failure_set_error(failure, signs->io_error, strerrorname_np(signs->io_error));
	}
}

/* A peer that speaks something else: its first words are the evidence. */
static void
fill_plain(struct tls *tls, struct failure *failure)
{
	const struct tls_wire *wire = &tls->wire;

	tls_wire_collect(&tls->wire);
	failure_set_evidence(failure, wire->first, wire->first_length);
	failure_add_detail(failure, "protocol",
			   classify_plain_protocol(wire->first, wire->first_length));
}

static void
fill_details(struct tls *tls, struct failure *failure)
{
	char buffer[64];
	struct text text = TEXT_INIT(buffer);

	switch (failure->code) {
	case FAILURE_TLS_NOT_TLS: fill_plain(tls, failure); break;
	case FAILURE_TLS_NAME_REFUSED:
		if (tls->sni[0] != '\0')
			failure_add_detail(failure, "sni", tls->sni);
		break;
	case FAILURE_TLS_WEAK_PARAMETERS:
		if (failure->error == SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED)
			failure_add_detail(failure, "why",
					   "it knows no secure renegotiation (RFC 5746)");
		break;
	case FAILURE_LOCAL_TLS_CONFIG:
		if (!failure_detail(failure, "why"))
			failure_add_detail(failure, "why", failure->error_name);
		break;
	case FAILURE_LOCAL_CERTIFICATE_EXPIRED:
		tls_seconds_text(tls->context->own_not_after, &text);
		failure_add_detail(failure, "date", buffer);
		break;
	default: break;
	}
}

void
tls_failure_fill(struct tls *tls, int ssl_error, struct failure *failure)
{
	static const struct transport_policy no_transport;
	struct tls_signs signs;

	look(tls, ssl_error, failure, &signs);
	fill_alert(tls, failure);
	fill_error(&signs, failure);
	if (!tls->refused) /* else tls_verify() has said why */
		failure->code = classify_tls(&signs);
	if (failure->code == FAILURE_NONE)
		socket_io_failed(tls->wire.fd, signs.io_error,
				 tls->transport ? tls->transport : &no_transport, failure);
	fill_details(tls, failure);
	if (!failure->chain)
		failure->chain = chain_ref(tls->origin.chain);
}

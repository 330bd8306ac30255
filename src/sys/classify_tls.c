#include "sys/classify_tls.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>
#include <string.h>

/* Alerts (RFC 8446, section 6; the IANA registry), by what they are used for here; core/alert has all the names. */
enum {
	ALERT_BAD_RECORD_MAC = 20,
	ALERT_DECRYPTION_FAILED = 21,
	ALERT_HANDSHAKE_FAILURE = 40,
	ALERT_NO_CERTIFICATE = 41,
	ALERT_BAD_CERTIFICATE = 42,
	ALERT_UNSUPPORTED_CERTIFICATE = 43,
	ALERT_CERTIFICATE_REVOKED = 44,
	ALERT_CERTIFICATE_EXPIRED = 45,
	ALERT_CERTIFICATE_UNKNOWN = 46,
	ALERT_UNKNOWN_CA = 48,
	ALERT_ACCESS_DENIED = 49,
	ALERT_DECODE_ERROR = 50,
	ALERT_DECRYPT_ERROR = 51,
	ALERT_PROTOCOL_VERSION = 70,
	ALERT_INSUFFICIENT_SECURITY = 71,
	ALERT_INTERNAL_ERROR = 80,
	ALERT_UNRECOGNIZED_NAME = 112,
	ALERT_UNKNOWN_PSK_IDENTITY = 115,
	ALERT_CERTIFICATE_REQUIRED = 116,
	ALERT_NO_APPLICATION_PROTOCOL = 120,
};

/* ---- alerts ----------------------------------------------------------------------------------------------------- */

/* After a CertificateRequest that was answered with nothing.  GnuTLS, with TLS 1.2, cannot decode what holds no certificate. */
static enum failure_code
alert_without_certificate(int alert)
{
	switch (alert) {
	case ALERT_HANDSHAKE_FAILURE:
	case ALERT_NO_CERTIFICATE:
	case ALERT_BAD_CERTIFICATE:
	case ALERT_UNKNOWN_CA:
	case ALERT_DECODE_ERROR:
	case ALERT_CERTIFICATE_REQUIRED: return FAILURE_TLS_CLIENT_CERTIFICATE_REQUIRED;
	default: return FAILURE_NONE;
	}
}

/* After we have sent a certificate. */
static enum failure_code
alert_to_certificate(int alert)
{
	switch (alert) {
	case ALERT_NO_CERTIFICATE:
	case ALERT_CERTIFICATE_REQUIRED: return FAILURE_TLS_CLIENT_CERTIFICATE_REQUIRED;
	case ALERT_UNKNOWN_CA: return FAILURE_TLS_CLIENT_CERTIFICATE_UNKNOWN_ISSUER;
	case ALERT_CERTIFICATE_EXPIRED: return FAILURE_TLS_CLIENT_CERTIFICATE_EXPIRED;
	case ALERT_HANDSHAKE_FAILURE:
	case ALERT_BAD_CERTIFICATE:
	case ALERT_UNSUPPORTED_CERTIFICATE:
	case ALERT_CERTIFICATE_REVOKED:
	case ALERT_CERTIFICATE_UNKNOWN:
	case ALERT_DECRYPT_ERROR: return FAILURE_TLS_CLIENT_CERTIFICATE_REJECTED;
	case ALERT_ACCESS_DENIED: return FAILURE_TLS_CLIENT_ACCESS_DENIED;
	default: return FAILURE_NONE;
	}
}

/*
 * Whether an alert may be the server's verdict on our certificate.  With TLS 1.3 that comes when the server has made up its mind,
 * which may take longer than the time to settle: its first word after the handshake is the verdict, however late it is.
 */
static bool
may_be_verdict(const struct tls_signs *signs)
{
	if (!signs->certificate_requested)
		return false;
	switch (signs->stage) {
	case STAGE_HANDSHAKE:
	case STAGE_SETTLE: return true;
	case STAGE_PROBE:
	case STAGE_READY: return signs->verdict_pending;
	default: return false;
	}
}

static enum failure_code
alert_about_our_certificate(const struct tls_signs *signs)
{
	enum failure_code code;

	if (!may_be_verdict(signs))
		return FAILURE_NONE;
	if (!signs->certificate_sent)
		return alert_without_certificate(signs->alert);
	code = alert_to_certificate(signs->alert);
	if (code != FAILURE_NONE && signs->certificate_expired && signs->alert != ALERT_CERTIFICATE_EXPIRED)
		return FAILURE_LOCAL_CERTIFICATE_EXPIRED;
	return code;
}

/* Rows that hold in the handshake alone. */
static enum failure_code
alert_in_handshake(int alert)
{
	switch (alert) {
	case ALERT_PROTOCOL_VERSION: return FAILURE_TLS_VERSION;
	case ALERT_HANDSHAKE_FAILURE:
	case ALERT_INSUFFICIENT_SECURITY: return FAILURE_TLS_NO_OVERLAP;
	case ALERT_NO_APPLICATION_PROTOCOL: return FAILURE_TLS_ALPN;
	case ALERT_UNRECOGNIZED_NAME: return FAILURE_TLS_NAME_REFUSED;
	case ALERT_UNKNOWN_PSK_IDENTITY: return FAILURE_TLS_PSK_REJECTED;
	default: return FAILURE_TLS_PEER_ALERT;
	}
}

static enum failure_code
classify_alert(const struct tls_signs *signs)
{
	enum failure_code code = alert_about_our_certificate(signs);

	if (code != FAILURE_NONE)
		return code;
	switch (signs->alert) {
	case ALERT_BAD_RECORD_MAC:
	case ALERT_DECRYPTION_FAILED:
	case ALERT_DECRYPT_ERROR: return FAILURE_TLS_CORRUPT;
	case ALERT_INTERNAL_ERROR:
		return signs->stage == STAGE_LENT ? FAILURE_TLS_PEER_ALERT : FAILURE_TLS_PEER_INTERNAL;
	default:
		return signs->stage == STAGE_HANDSHAKE ? alert_in_handshake(signs->alert) :
							 FAILURE_TLS_PEER_ALERT;
	}
}

/* ---- OpenSSL's reasons ------------------------------------------------------------------------------------------ */

/* Reasons that mean the same in every stage. */
static enum failure_code
classify_reason(int reason)
{
	switch (reason) {
	case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
	case SSL_R_DECRYPTION_FAILED:
	case SSL_R_BAD_SIGNATURE:
	case SSL_R_DIGEST_CHECK_FAILED: return FAILURE_TLS_CORRUPT;
	default: return FAILURE_TLS_PROTOCOL;
	}
}

static enum failure_code
classify_handshake_reason(int reason)
{
	switch (reason) {
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_UNSUPPORTED_SSL_VERSION:
	case SSL_R_UNKNOWN_PROTOCOL:
	case SSL_R_UNKNOWN_SSL_VERSION:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_VERSION_TOO_HIGH:
	case SSL_R_WRONG_SSL_VERSION:
	case SSL_R_WRONG_VERSION_NUMBER: return FAILURE_TLS_VERSION;
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_SHARED_GROUPS:
	case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
	case SSL_R_NO_SUITABLE_GROUPS:
	case SSL_R_NO_SUITABLE_KEY_SHARE:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
	case SSL_R_UNSUPPORTED_ELLIPTIC_CURVE:
	case SSL_R_WRONG_CURVE: return FAILURE_TLS_NO_OVERLAP;
	case SSL_R_DH_KEY_TOO_SMALL:
	case SSL_R_BAD_DH_VALUE:
	case SSL_R_EE_KEY_TOO_SMALL:
	case SSL_R_LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED:
	case SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED:
	case SSL_R_WRONG_SIGNATURE_TYPE: return FAILURE_TLS_WEAK_PARAMETERS;
	case SSL_R_UNABLE_TO_FIND_PUBLIC_KEY_PARAMETERS:
	case SSL_R_UNKNOWN_CERTIFICATE_TYPE: return FAILURE_TLS_CERTIFICATE_MALFORMED;
	case SSL_R_NO_CIPHERS_AVAILABLE:
	case SSL_R_NO_PROTOCOLS_AVAILABLE: return FAILURE_LOCAL_TLS_CONFIG;
	default: return classify_reason(reason);
	}
}

static enum failure_code
classify_error(const struct tls_signs *signs)
{
	if (ERR_GET_LIB(signs->error) != ERR_LIB_SSL)
		return FAILURE_TLS_PROTOCOL;
	if (signs->handshake_done)
		return classify_reason(ERR_GET_REASON(signs->error));
	if (signs->malformed && ERR_COMMON_ERROR(signs->error)) /* libssl says no more than "asn1 lib" */
		return FAILURE_TLS_CERTIFICATE_MALFORMED;
	return classify_handshake_reason(ERR_GET_REASON(signs->error));
}

/* ---- the transport ---------------------------------------------------------------------------------------------- */

static bool
is_reset(int error)
{
	return error == ECONNRESET || error == EPIPE || error == ECONNABORTED;
}

static bool
is_end(const struct tls_signs *signs)
{
	return signs->error == 0 ||
	       (ERR_GET_LIB(signs->error) == ERR_LIB_SSL &&
		ERR_GET_REASON(signs->error) == SSL_R_UNEXPECTED_EOF_WHILE_READING);
}

static enum failure_code
classify_transport(const struct tls_signs *signs)
{
	if (signs->closed)
		return signs->handshake_done ? FAILURE_CONNECTION_CLOSED : FAILURE_TLS_CLOSED;
	if (signs->handshake_done)
		return signs->io_error ? FAILURE_NONE : FAILURE_CONNECTION_TRUNCATED;
	if (signs->io_error == 0)
		return FAILURE_TLS_CLOSED;
	if (is_reset(signs->io_error))
		return FAILURE_TLS_RESET;
	return signs->io_error == ETIMEDOUT ? FAILURE_TIMEOUT_HANDSHAKE : FAILURE_NONE;
}

enum failure_code
classify_tls(const struct tls_signs *signs)
{
	if (signs->no_memory)
		return FAILURE_LOCAL_NO_MEMORY;
	if (signs->alert >= 0)
		return classify_alert(signs);
	if (!signs->handshake_done && !classify_is_tls(signs->first, signs->first_length))
		return FAILURE_TLS_NOT_TLS;
	if (is_end(signs) && (signs->closed || signs->ended || signs->io_error != 0))
		return classify_transport(signs);
	return classify_error(signs);
}

/* ---- the server's certificate ----------------------------------------------------------------------------------- */

static bool
is_chain_building(int error)
{
	switch (error) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED: return true;
	default: return false;
	}
}

static bool
is_name(int error)
{
	return error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_EMAIL_MISMATCH ||
	       error == X509_V_ERR_IP_ADDRESS_MISMATCH;
}

bool
classify_verify_outranks(int error, int depth, int best_error, int best_depth)
{
	if (is_chain_building(best_error))
		return false;
	if (is_chain_building(error))
		return true;
	if (is_name(error) != is_name(best_error))
		return is_name(best_error);
	return depth < best_depth;
}

/* Rows that are single numbers. */
static enum failure_code
verify_number(int error, int depth)
{
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED: return FAILURE_TLS_CERTIFICATE_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID: return FAILURE_TLS_CERTIFICATE_NOT_YET_VALID;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return FAILURE_TLS_CERTIFICATE_SELF_SIGNED;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: return FAILURE_TLS_CERTIFICATE_UNTRUSTED_ROOT;
	case X509_V_ERR_CERT_REVOKED: return FAILURE_TLS_CERTIFICATE_REVOKED;
	case X509_V_ERR_OUT_OF_MEM: return FAILURE_LOCAL_NO_MEMORY;
	case X509_V_ERR_INVALID_PURPOSE:
		return depth == 0 ? FAILURE_TLS_CERTIFICATE_PURPOSE :
				    FAILURE_TLS_CERTIFICATE_CHAIN_INVALID;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_CERT_REJECTED: return FAILURE_TLS_CERTIFICATE_UNKNOWN_ISSUER;
	default: return FAILURE_TLS_CERTIFICATE_OTHER;
	}
}

/* Rows that name groups of numbers, by FAILURES.md's own numbers. */
enum failure_code
classify_verify(int error, int depth)
{
	switch (error) {
	case 22:
	case 24:
	case 25:
	case 32:
	case 34:
	case 41 ... 43:
	case 47 ... 53:
	case 79 ... 94: return FAILURE_TLS_CERTIFICATE_CHAIN_INVALID;
	case 62 ... 64: return FAILURE_TLS_CERTIFICATE_NAME;
	case 56 ... 61:
	case 66 ... 68: return FAILURE_TLS_CERTIFICATE_WEAK;
	case 4:
	case 6:
	case 7:
	case 13:
	case 14:
	case 76 ... 78: return FAILURE_TLS_CERTIFICATE_MALFORMED;
	case 3:
	case 33:
	case 44:
	case 54: return FAILURE_TLS_CRL_MISSING;
	case 5:
	case 8:
	case 11:
	case 12:
	case 15:
	case 16:
	case 35:
	case 36: return FAILURE_TLS_CRL_UNUSABLE;
	default: return verify_number(error, depth);
	}
}

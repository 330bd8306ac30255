/* The tls tables of FAILURES.md, row by row. */
#include "check.h"

#include "sys/classify_tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>
#include <string.h>

#define assert_code(got, expected) assert_string_equal(failure_name(got), failure_name(expected))

static const unsigned char record[] = { 22, 3, 3, 0, 1 };

/* Signs of a handshake in which nothing has happened but a record from the server. */
static struct tls_signs
in_handshake(void)
{
	return (struct tls_signs){
		.stage = STAGE_HANDSHAKE, .alert = -1, .first = record, .first_length = sizeof(record)
	};
}

static struct tls_signs
in_stage(enum stage stage)
{
	struct tls_signs signs = in_handshake();

	signs.stage = stage;
	signs.handshake_done = true;
	return signs;
}

/* ---- the server's certificate ----------------------------------------------------------------------------------- */

struct range {
	int first, last;
	enum failure_code code;
};

/* The column "detected by", for the leaf. */
static const struct range rows[] = {
	{ 10, 10, FAILURE_TLS_CERTIFICATE_EXPIRED },
	{ 9, 9, FAILURE_TLS_CERTIFICATE_NOT_YET_VALID },
	{ 62, 64, FAILURE_TLS_CERTIFICATE_NAME },
	{ 18, 18, FAILURE_TLS_CERTIFICATE_SELF_SIGNED },
	{ 2, 2, FAILURE_TLS_CERTIFICATE_UNKNOWN_ISSUER },
	{ 20, 21, FAILURE_TLS_CERTIFICATE_UNKNOWN_ISSUER },
	{ 27, 28, FAILURE_TLS_CERTIFICATE_UNKNOWN_ISSUER },
	{ 19, 19, FAILURE_TLS_CERTIFICATE_UNTRUSTED_ROOT },
	{ 22, 22, FAILURE_TLS_CERTIFICATE_CHAIN_INVALID },
	{ 24, 25, FAILURE_TLS_CERTIFICATE_CHAIN_INVALID },
	{ 32, 32, FAILURE_TLS_CERTIFICATE_CHAIN_INVALID },
	{ 34, 34, FAILURE_TLS_CERTIFICATE_CHAIN_INVALID },
	{ 41, 43, FAILURE_TLS_CERTIFICATE_CHAIN_INVALID },
	{ 47, 53, FAILURE_TLS_CERTIFICATE_CHAIN_INVALID },
	{ 79, 94, FAILURE_TLS_CERTIFICATE_CHAIN_INVALID },
	{ 23, 23, FAILURE_TLS_CERTIFICATE_REVOKED },
	{ 26, 26, FAILURE_TLS_CERTIFICATE_PURPOSE },
	{ 56, 61, FAILURE_TLS_CERTIFICATE_WEAK },
	{ 66, 68, FAILURE_TLS_CERTIFICATE_WEAK },
	{ 4, 4, FAILURE_TLS_CERTIFICATE_MALFORMED },
	{ 6, 7, FAILURE_TLS_CERTIFICATE_MALFORMED },
	{ 13, 14, FAILURE_TLS_CERTIFICATE_MALFORMED },
	{ 76, 78, FAILURE_TLS_CERTIFICATE_MALFORMED },
	{ 3, 3, FAILURE_TLS_CRL_MISSING },
	{ 33, 33, FAILURE_TLS_CRL_MISSING },
	{ 44, 44, FAILURE_TLS_CRL_MISSING },
	{ 54, 54, FAILURE_TLS_CRL_MISSING },
	{ 5, 5, FAILURE_TLS_CRL_UNUSABLE },
	{ 8, 8, FAILURE_TLS_CRL_UNUSABLE },
	{ 11, 12, FAILURE_TLS_CRL_UNUSABLE },
	{ 15, 16, FAILURE_TLS_CRL_UNUSABLE },
	{ 35, 36, FAILURE_TLS_CRL_UNUSABLE },
	{ 17, 17, FAILURE_LOCAL_NO_MEMORY },
};

static enum failure_code
row_of(int error)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (error >= rows[i].first && error <= rows[i].last)
			return rows[i].code;
	}
	return FAILURE_TLS_CERTIFICATE_OTHER;
}

static void
test_verify(void **state)
{
	(void)state;
	for (int error = 1; error <= 120; error++)
		assert_code(classify_verify(error, 0), row_of(error));
	assert_code(classify_verify(26, 1), FAILURE_TLS_CERTIFICATE_CHAIN_INVALID);
	assert_code(classify_verify(10, 2), FAILURE_TLS_CERTIFICATE_EXPIRED);
}

static void
test_verify_names(void **state)
{
	(void)state;
	assert_string_equal(classify_verify_name(X509_V_ERR_CERT_HAS_EXPIRED),
			    "X509_V_ERR_CERT_HAS_EXPIRED");
	assert_string_equal(classify_verify_name(62), "X509_V_ERR_HOSTNAME_MISMATCH");
	assert_string_equal(classify_verify_name(94), "X509_V_ERR_EC_KEY_EXPLICIT_PARAMS");
	for (int error = 1; error <= 94; error++)
		assert_non_null(classify_verify_name(error));
	assert_null(classify_verify_name(0));
	assert_null(classify_verify_name(-1));
	assert_null(classify_verify_name(1000));
}

static void
test_ranking(void **state)
{
	(void)state;
	assert_true(classify_verify_outranks(10, 0, 10, 1)); /* closer to the leaf */
	assert_false(classify_verify_outranks(10, 1, 10, 0));
	assert_false(classify_verify_outranks(9, 0, 10, 0)); /* the first at one depth */
	assert_true(classify_verify_outranks(10, 3, 62, 0)); /* the name last */
	assert_false(classify_verify_outranks(62, 0, 10, 3));
	assert_true(classify_verify_outranks(20, 2, 66, 0)); /* chain building ends the judgement */
	assert_false(classify_verify_outranks(10, 0, 20, 2));
	assert_false(classify_verify_outranks(21, 0, 20, 0));
}

/* ---- alerts ----------------------------------------------------------------------------------------------------- */

static enum failure_code
alert(enum stage stage, int number, bool requested, bool sent)
{
	struct tls_signs signs = stage == STAGE_HANDSHAKE ? in_handshake() : in_stage(stage);

	signs.alert = number;
	signs.certificate_requested = requested;
	signs.certificate_sent = sent;
	signs.io_error = ECONNRESET; /* outranked */
	signs.ended = true;
	return classify_tls(&signs);
}

struct alert_row {
	int alert;
	enum failure_code plain, without, with; /* no CertificateRequest; one, unanswered; one, answered */
};

static const struct alert_row alert_rows[] = {
	{ 20, FAILURE_TLS_CORRUPT, FAILURE_TLS_CORRUPT, FAILURE_TLS_CORRUPT },
	{ 21, FAILURE_TLS_CORRUPT, FAILURE_TLS_CORRUPT, FAILURE_TLS_CORRUPT },
	{ 40, FAILURE_TLS_NO_OVERLAP, FAILURE_TLS_CLIENT_CERTIFICATE_REQUIRED,
	  FAILURE_TLS_CLIENT_CERTIFICATE_REJECTED },
	{ 41, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_CLIENT_CERTIFICATE_REQUIRED,
	  FAILURE_TLS_CLIENT_CERTIFICATE_REQUIRED },
	{ 42, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_CLIENT_CERTIFICATE_REQUIRED,
	  FAILURE_TLS_CLIENT_CERTIFICATE_REJECTED },
	{ 43, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_CLIENT_CERTIFICATE_REJECTED },
	{ 44, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_CLIENT_CERTIFICATE_REJECTED },
	{ 45, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_CLIENT_CERTIFICATE_EXPIRED },
	{ 46, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_CLIENT_CERTIFICATE_REJECTED },
	{ 47, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_PEER_ALERT },
	{ 48, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_CLIENT_CERTIFICATE_REQUIRED,
	  FAILURE_TLS_CLIENT_CERTIFICATE_UNKNOWN_ISSUER },
	{ 49, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_CLIENT_ACCESS_DENIED },
	{ 50, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_CLIENT_CERTIFICATE_REQUIRED, FAILURE_TLS_PEER_ALERT },
	{ 51, FAILURE_TLS_CORRUPT, FAILURE_TLS_CORRUPT, FAILURE_TLS_CLIENT_CERTIFICATE_REJECTED },
	{ 70, FAILURE_TLS_VERSION, FAILURE_TLS_VERSION, FAILURE_TLS_VERSION },
	{ 71, FAILURE_TLS_NO_OVERLAP, FAILURE_TLS_NO_OVERLAP, FAILURE_TLS_NO_OVERLAP },
	{ 80, FAILURE_TLS_PEER_INTERNAL, FAILURE_TLS_PEER_INTERNAL, FAILURE_TLS_PEER_INTERNAL },
	{ 112, FAILURE_TLS_NAME_REFUSED, FAILURE_TLS_NAME_REFUSED, FAILURE_TLS_NAME_REFUSED },
	{ 115, FAILURE_TLS_PSK_REJECTED, FAILURE_TLS_PSK_REJECTED, FAILURE_TLS_PSK_REJECTED },
	{ 116, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_CLIENT_CERTIFICATE_REQUIRED,
	  FAILURE_TLS_CLIENT_CERTIFICATE_REQUIRED },
	{ 120, FAILURE_TLS_ALPN, FAILURE_TLS_ALPN, FAILURE_TLS_ALPN },
	{ 255, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_PEER_ALERT, FAILURE_TLS_PEER_ALERT },
};

static void
test_alerts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(alert_rows); i++) {
		const struct alert_row *row = &alert_rows[i];

		assert_code(alert(STAGE_HANDSHAKE, row->alert, false, false), row->plain);
		assert_code(alert(STAGE_HANDSHAKE, row->alert, true, false), row->without);
		assert_code(alert(STAGE_HANDSHAKE, row->alert, true, true), row->with);
	}
}

/* As alert(), of a server that has said nothing since the handshake. */
static enum failure_code
first_word(enum stage stage, int number, bool requested, bool sent)
{
	struct tls_signs signs = in_stage(stage);

	signs.alert = number;
	signs.certificate_requested = requested;
	signs.certificate_sent = sent;
	signs.verdict_pending = requested;
	return classify_tls(&signs);
}

/* A verdict that comes when the time to settle is over is still one: all alerts mean what they would have meant in time. */
static void
test_late_verdict(void **state)
{
	static const enum stage late[] = { STAGE_PROBE, STAGE_READY };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(late) * 256; i++) {
		enum stage stage = late[i / 256];
		int number = (int)(i % 256);

		assert_code(first_word(stage, number, true, true),
			    alert(STAGE_SETTLE, number, true, true));
		assert_code(first_word(stage, number, true, false),
			    alert(STAGE_SETTLE, number, true, false));
		assert_code(first_word(stage, number, false, false), alert(stage, number, false, false));
	}
	assert_code(first_word(STAGE_READY, 48, true, true),
		    FAILURE_TLS_CLIENT_CERTIFICATE_UNKNOWN_ISSUER);
	assert_code(first_word(STAGE_PROBE, 116, true, false), FAILURE_TLS_CLIENT_CERTIFICATE_REQUIRED);
	assert_code(first_word(STAGE_LENT, 48, true, true), FAILURE_TLS_PEER_ALERT);
}

/* Outside the stages of its row, and once the verdict has been seen, an alert is tls.peer-alert (ruling 8). */
static void
test_alert_stages(void **state)
{
	(void)state;
	assert_code(alert(STAGE_SETTLE, 48, true, true), FAILURE_TLS_CLIENT_CERTIFICATE_UNKNOWN_ISSUER);
	assert_code(alert(STAGE_SETTLE, 116, true, false), FAILURE_TLS_CLIENT_CERTIFICATE_REQUIRED);
	assert_code(alert(STAGE_SETTLE, 70, true, true), FAILURE_TLS_PEER_ALERT);
	assert_code(alert(STAGE_READY, 48, true, true), FAILURE_TLS_PEER_ALERT);
	assert_code(alert(STAGE_PROBE, 48, true, true), FAILURE_TLS_PEER_ALERT);
	assert_code(alert(STAGE_READY, 40, false, false), FAILURE_TLS_PEER_ALERT);
	assert_code(alert(STAGE_READY, 51, true, true), FAILURE_TLS_CORRUPT);
	assert_code(alert(STAGE_READY, 80, false, false), FAILURE_TLS_PEER_INTERNAL);
	assert_code(alert(STAGE_LENT, 80, false, false), FAILURE_TLS_PEER_ALERT);
}

static void
test_own_expired(void **state)
{
	struct tls_signs signs = in_handshake();

	(void)state;
	signs.certificate_requested = signs.certificate_sent = signs.certificate_expired = true;
	for (int number = 40; number <= 49; number++) {
		enum failure_code code;

		signs.alert = number;
		code = classify_tls(&signs);
		if (number == 45)
			assert_code(code, FAILURE_TLS_CLIENT_CERTIFICATE_EXPIRED);
		else if (number == 47)
			assert_code(code, FAILURE_TLS_PEER_ALERT); /* not about the certificate */
		else
			assert_code(code, FAILURE_LOCAL_CERTIFICATE_EXPIRED);
	}
}

/* ---- OpenSSL's reasons ------------------------------------------------------------------------------------------ */

static enum failure_code
reason(int number, bool done)
{
	struct tls_signs signs = done ? in_stage(STAGE_READY) : in_handshake();

	signs.error = ERR_PACK(ERR_LIB_SSL, 0, number);
	return classify_tls(&signs);
}

static void
test_reasons(void **state)
{
	(void)state;
	assert_code(reason(SSL_R_UNSUPPORTED_PROTOCOL, false), FAILURE_TLS_VERSION);
	assert_code(reason(SSL_R_WRONG_VERSION_NUMBER, false), FAILURE_TLS_VERSION);
	assert_code(reason(SSL_R_WRONG_SSL_VERSION, false), FAILURE_TLS_VERSION);
	assert_code(reason(SSL_R_NO_SHARED_CIPHER, false), FAILURE_TLS_NO_OVERLAP);
	assert_code(reason(SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, false), FAILURE_TLS_NO_OVERLAP);
	assert_code(reason(SSL_R_WRONG_CURVE, false), FAILURE_TLS_NO_OVERLAP);
	assert_code(reason(SSL_R_DH_KEY_TOO_SMALL, false), FAILURE_TLS_WEAK_PARAMETERS);
	assert_code(reason(SSL_R_BAD_DH_VALUE, false), FAILURE_TLS_WEAK_PARAMETERS);
	assert_code(reason(SSL_R_LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED, false),
		    FAILURE_TLS_WEAK_PARAMETERS);
	assert_code(reason(SSL_R_EE_KEY_TOO_SMALL, false), FAILURE_TLS_WEAK_PARAMETERS);
	assert_code(reason(SSL_R_BAD_SIGNATURE, false), FAILURE_TLS_CORRUPT);
	assert_code(reason(SSL_R_NO_CIPHERS_AVAILABLE, false), FAILURE_LOCAL_TLS_CONFIG);
	assert_code(reason(SSL_R_UNEXPECTED_MESSAGE, false), FAILURE_TLS_PROTOCOL);
	assert_code(reason(SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, true), FAILURE_TLS_CORRUPT);
	assert_code(reason(SSL_R_WRONG_VERSION_NUMBER, true), FAILURE_TLS_PROTOCOL); /* note 3 */
	assert_code(reason(SSL_R_NO_SHARED_CIPHER, true), FAILURE_TLS_PROTOCOL);
}

static void
test_queue(void **state)
{
	struct tls_signs signs = in_handshake();

	(void)state;
	signs.error = ERR_PACK(ERR_LIB_SSL, 0, ERR_R_ASN1_LIB);
	signs.malformed = true;
	assert_code(classify_tls(&signs), FAILURE_TLS_CERTIFICATE_MALFORMED);
	signs.no_memory = true;
	assert_code(classify_tls(&signs), FAILURE_LOCAL_NO_MEMORY);
	signs = in_handshake();
	signs.error = ERR_PACK(ERR_LIB_EVP, 0, 100);
	assert_code(classify_tls(&signs), FAILURE_TLS_PROTOCOL);
}

static void
expect_error_name(unsigned long error, const char *name)
{
	char buffer[FAILURE_ERROR_MAX];
	struct text text = TEXT_INIT(buffer);

	classify_tls_error_name(error, &text);
	assert_string_equal(buffer, name);
}

static void
test_error_names(void **state)
{
	(void)state;
	assert_true(OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, NULL));
	expect_error_name(0, "");
	expect_error_name(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_WRONG_VERSION_NUMBER),
			  "SSL_R_WRONG_VERSION_NUMBER");
	expect_error_name(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE),
			  "SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE");
	expect_error_name(ERR_PACK(ERR_LIB_SSL, 0, ERR_R_ASN1_LIB), "ERR_R_ASN1_LIB");
	expect_error_name(ERR_PACK(ERR_LIB_SSL, 0, 3999), "SSL_R_3999");
}

/* ---- the transport ---------------------------------------------------------------------------------------------- */

static void
test_transport_in_handshake(void **state)
{
	struct tls_signs signs = in_handshake();

	(void)state;
	signs.ended = true;
	assert_code(classify_tls(&signs), FAILURE_TLS_CLOSED);
	signs.error = ERR_PACK(ERR_LIB_SSL, 0, SSL_R_UNEXPECTED_EOF_WHILE_READING);
	assert_code(classify_tls(&signs), FAILURE_TLS_CLOSED);
	signs.io_error = EPIPE; /* a write had failed before */
	assert_code(classify_tls(&signs), FAILURE_TLS_RESET);
	signs = in_handshake();
	signs.closed = true;
	assert_code(classify_tls(&signs), FAILURE_TLS_CLOSED);
	signs = in_handshake();
	signs.io_error = ECONNRESET;
	assert_code(classify_tls(&signs), FAILURE_TLS_RESET);
	signs.io_error = ETIMEDOUT;
	assert_code(classify_tls(&signs), FAILURE_TIMEOUT_HANDSHAKE);
	signs.io_error = EHOSTUNREACH; /* ruling 11: sys/socket's */
	assert_int_equal(classify_tls(&signs), FAILURE_NONE);
}

static void
test_transport_afterwards(void **state)
{
	struct tls_signs signs = in_stage(STAGE_READY);

	(void)state;
	signs.closed = true;
	assert_code(classify_tls(&signs), FAILURE_CONNECTION_CLOSED);
	signs = in_stage(STAGE_READY);
	signs.ended = true;
	signs.error = ERR_PACK(ERR_LIB_SSL, 0, SSL_R_UNEXPECTED_EOF_WHILE_READING);
	assert_code(classify_tls(&signs), FAILURE_CONNECTION_TRUNCATED);
	signs.io_error = ECONNRESET;
	assert_int_equal(classify_tls(&signs), FAILURE_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_verify_names),
		cmocka_unit_test(test_ranking),
		cmocka_unit_test(test_alerts),
		cmocka_unit_test(test_late_verdict),
		cmocka_unit_test(test_alert_stages),
		cmocka_unit_test(test_own_expired),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_error_names),
		cmocka_unit_test(test_transport_in_handshake),
		cmocka_unit_test(test_transport_afterwards),
	};

	RUN_TESTS(tests);
}

/* Our own certificate in the eyes of a server: TLS 1.2 tells in the handshake, TLS 1.3 after it. */
#include "tls-lab.h"

#include "sys/tls_internal.h"

#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>

#define DAY 86400L

/* How the server judges: an X509_V_ERR_ that OpenSSL turns into the alert. */
static int verdict;

static int
judge(X509_STORE_CTX *ctx, void *arg)
{
	(void)arg;
	X509_STORE_CTX_set_error(ctx, verdict);
	return verdict == X509_V_OK;
}

static void
demand(SSL_CTX *ctx)
{
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, judge, NULL);
}

static void
ask(SSL_CTX *ctx)
{
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, judge, NULL);
}

static void
set_client(struct lab *lab, const struct lab_cert *cert)
{
	if (!cert)
		return;
	lab->policy.certificate = lab_write("client.pem", (X509 *[]){ cert->x509, NULL }, NULL);
	lab->policy.key = lab_write("client.key", NULL, cert->key);
}

/* The stage in which a verdict comes that TLS 1.3 gives after the handshake: the server may take longer than the time to settle. */
static enum stage verdict_stage = STAGE_SETTLE;

/* A whole attempt with `cert` (or NULL): the handshake and, with TLS 1.3, the verdict after it. */
static enum failure_code
attempt(struct lab *lab, const struct lab_cert *cert, int version)
{
	char buffer[64];
	enum failure_code code;

	set_client(lab, cert);
	lab->policy.max_version = version;
	code = lab_code(lab, &(struct lab_server){ .configure = demand });
	if (version == TLS_POLICY_VERSION_1_2 || code != FAILURE_NONE)
		return code;
	assert_true(tls_verdict_pending(lab->tls));
	lab->failure.stage = verdict_stage;
	if (lab_read(lab, buffer, sizeof(buffer)) == TLS_FAILED)
		return lab->failure.code;
	assert_true(tls_verdict_seen(lab->tls));
	assert_false(tls_verdict_pending(lab->tls));
	return FAILURE_NONE;
}

static void
expect(const struct lab_cert *cert, int error, enum failure_code code, int alert)
{
	for (int version = TLS_POLICY_VERSION_1_2; version <= TLS_POLICY_VERSION_1_3; version++) {
		struct lab lab;

		verdict = error;
		lab_begin(&lab);
		assert_code(attempt(&lab, cert, version), code);
		if (code != FAILURE_NONE)
			assert_int_equal(lab.failure.alert_direction, ALERT_RECEIVED);
		if (alert != 0)
			assert_int_equal(lab.failure.alert, alert);
		if (code == FAILURE_LOCAL_CERTIFICATE_EXPIRED)
			assert_non_null(strstr(failure_detail(&lab.failure, "date"), "UTC"));
		lab_end(&lab);
	}
}

static struct lab_cert good, expired;

static void
test_accepted(void **state)
{
	(void)state;
	expect(&good, X509_V_OK, FAILURE_NONE, 0);
	expect(&expired, X509_V_OK, FAILURE_NONE, 0); /* ruling 4: as long as the server does not mind */
}

/* Alert 40 from TLS 1.2, 116 from TLS 1.3. */
static void
test_required(void **state)
{
	(void)state;
	expect(NULL, X509_V_OK, FAILURE_TLS_CLIENT_CERTIFICATE_REQUIRED, 0);
}

static void
test_refused(void **state)
{
	(void)state;
	expect(&good, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
	       FAILURE_TLS_CLIENT_CERTIFICATE_UNKNOWN_ISSUER, 48);
	expect(&good, X509_V_ERR_CERT_HAS_EXPIRED, FAILURE_TLS_CLIENT_CERTIFICATE_EXPIRED, 45);
	expect(&good, X509_V_ERR_CERT_REVOKED, FAILURE_TLS_CLIENT_CERTIFICATE_REJECTED, 44);
	expect(&good, X509_V_ERR_CERT_REJECTED, FAILURE_TLS_CLIENT_CERTIFICATE_REJECTED, 42);
	expect(&good, X509_V_ERR_INVALID_PURPOSE, FAILURE_TLS_CLIENT_CERTIFICATE_REJECTED, 43);
}

/* Ours has expired, and the server refuses it with whatever words but "expired". */
static void
test_expired(void **state)
{
	(void)state;
	expect(&expired, X509_V_ERR_CERT_REJECTED, FAILURE_LOCAL_CERTIFICATE_EXPIRED, 42);
	expect(&expired, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
	       FAILURE_LOCAL_CERTIFICATE_EXPIRED, 48);
	expect(&expired, X509_V_ERR_CERT_HAS_EXPIRED, FAILURE_TLS_CLIENT_CERTIFICATE_EXPIRED, 45);
}

static void
test_late(void **state)
{
	static const enum stage late[] = { STAGE_PROBE, STAGE_READY };

	for (size_t i = 0; i < COUNT_OF(late); i++) {
		verdict_stage = late[i];
		test_accepted(state);
		test_required(state);
		test_refused(state);
		test_expired(state);
	}
	verdict_stage = STAGE_SETTLE;
}

/* An alert behind the verdict is about something else, whatever it says; a server that OpenSSL plays never sends one. */
static void
test_after_verdict(void **state)
{
	struct lab lab;

	(void)state;
	verdict = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
	lab_begin(&lab);
	set_client(&lab, &good);
	lab.policy.max_version = TLS_POLICY_VERSION_1_3;
	assert_code(lab_code(&lab, &(struct lab_server){ .configure = demand }), FAILURE_NONE);
	lab.tls->ticket_seen = true;
	lab.failure.stage = STAGE_READY;
	assert_code(lab_read_code(&lab), FAILURE_TLS_PEER_ALERT);
	assert_int_equal(lab.failure.alert, 48);
	lab_end(&lab);
}

/* TLS 1.2: the test speaks for the server when our certificate has come, in plain text still. */
static enum failure_code
injected(const struct lab_cert *cert, unsigned char alert)
{
	unsigned char record[] = { 21, 3, 3, 0, 2, 2, alert };
	struct lab lab;
	enum failure_code code;

	lab_begin(&lab);
	set_client(&lab, cert);
	lab.policy.max_version = TLS_POLICY_VERSION_1_2;
	lab.policy.resumption = false;
	verdict = X509_V_OK;
	lab_handshake(&lab, &(struct lab_server){ .configure = demand }); /* makes the server's context */
	lab_disconnect(&lab);
	lab_connect(&lab);
	lab_client(&lab);
	lab.server = SSL_new(lab.server_ctx);
	SSL_set_fd(lab.server, lab.fds[1]);
	SSL_set_accept_state(lab.server);
	assert_int_equal(tls_handshake(lab.tls, &lab.failure), TLS_WANT_READ);
	lab_wait(lab.fds[1]);
	lab_serve(&lab);
	SSL_free(lab.server); /* nobody else speaks now */
	lab.server = NULL;
	assert_int_equal(send(lab.fds[1], record, sizeof(record), 0), sizeof(record));
	assert_int_equal(lab_shake(&lab), TLS_FAILED);
	assert_int_equal(lab.failure.alert, alert);
	code = lab.failure.code;
	lab_end(&lab);
	return code;
}

static void
test_alerts(void **state)
{
	(void)state;
	assert_code(injected(&good, 49), FAILURE_TLS_CLIENT_ACCESS_DENIED);
	assert_code(injected(&good, 40), FAILURE_TLS_CLIENT_CERTIFICATE_REJECTED);
	assert_code(injected(&good, 46), FAILURE_TLS_CLIENT_CERTIFICATE_REJECTED);
	assert_code(injected(&good, 51), FAILURE_TLS_CLIENT_CERTIFICATE_REJECTED); /* ruling 10 */
	assert_code(injected(&good, 80), FAILURE_TLS_PEER_INTERNAL);
	assert_code(injected(&expired, 49), FAILURE_LOCAL_CERTIFICATE_EXPIRED);
	assert_code(injected(NULL, 40), FAILURE_TLS_CLIENT_CERTIFICATE_REQUIRED);
	assert_code(injected(NULL, 41), FAILURE_TLS_CLIENT_CERTIFICATE_REQUIRED);
	assert_code(injected(NULL, 42), FAILURE_TLS_CLIENT_CERTIFICATE_REQUIRED);
	assert_code(injected(NULL, 48), FAILURE_TLS_CLIENT_CERTIFICATE_REQUIRED);
	assert_code(injected(NULL, 49), FAILURE_TLS_PEER_ALERT); /* ruling 8: we sent none */
	assert_code(injected(NULL, 51), FAILURE_TLS_CORRUPT);
}

/* Asked but not obliged: TLS 1.3 settles all the same. */
static void
test_optional(void **state)
{
	struct lab lab;
	char buffer[64];

	(void)state;
	verdict = X509_V_OK;
	lab_begin(&lab);
	assert_code(lab_code(&lab, &(struct lab_server){ .configure = ask }), FAILURE_NONE);
	assert_true(tls_verdict_pending(lab.tls));
	assert_int_equal(lab_read(&lab, buffer, sizeof(buffer)), TLS_WANT_READ);
	assert_true(tls_verdict_seen(lab.tls)); /* a ticket came */
	assert_false(tls_verdict_pending(lab.tls));
	lab_end(&lab);
	lab_begin(&lab);
	assert_code(lab_code(&lab, NULL), FAILURE_NONE); /* no question, no verdict */
	assert_false(tls_verdict_pending(lab.tls));
	lab_end(&lab);
}

/* A resumed session is not asked for a certificate again: there is no verdict to wait for, with no ticket and with one. */
static void
test_resumed(void **state)
{
	struct lab lab;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		enum failure_code code;
		char buffer[64];

		if (i == 0)
			lab_begin(&lab);
		verdict = X509_V_OK;
		set_client(&lab, i == 0 ? &good : NULL);
		code = lab_code(&lab, &(struct lab_server){ .configure = demand });
		assert_code(code, FAILURE_NONE);
		assert_int_equal(tls_verdict_pending(lab.tls), i == 0);
		assert_int_equal(lab_read(&lab, buffer, sizeof(buffer)), TLS_WANT_READ);
		assert_true(tls_verdict_seen(lab.tls));
	}
	lab_end(&lab);
}

/*
 * TLS 1.3: the server refuses our certificate and hangs up, and we have begun to speak meanwhile: our words meet a reset, but
 * its own are read.
 */
static void
test_write_into_reset(void **state)
{
	(void)state;
	for (unsigned int when = 0; when < 3; when++) {
		struct lab lab;
		size_t written = 0;

		verdict = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
		lab_begin(&lab);
		set_client(&lab, &good);
		lab.policy.max_version = TLS_POLICY_VERSION_1_3;
		assert_code(lab_code(&lab, &(struct lab_server){ .configure = demand }), FAILURE_NONE);
		lab.failure.stage = STAGE_SETTLE;
		if (when == 0)
			assert_int_equal(tls_write(lab.tls, "hello", 5, &written, &lab.failure),
					 TLS_DONE);
		lab_serve(&lab);
		lab_wait(lab.fds[0]);
		lab_hang_up(&lab, true);
		for (unsigned int i = 0; i < when; i++) {
			assert_int_equal(tls_write(lab.tls, "hello", 5, &written, &lab.failure),
					 TLS_DONE);
			assert_int_equal(written, 5);
		}
		assert_code(lab_read_code(&lab), FAILURE_TLS_CLIENT_CERTIFICATE_UNKNOWN_ISSUER);
		assert_int_equal(lab.failure.alert, 48);
		lab_end(&lab);
	}
}

static int
setup(void **state)
{
	int r = lab_setup(state);

	lab_make(&good, &(struct lab_spec){ .name = "client", .issuer = &lab_mid });
	lab_make(&expired,
		 &(struct lab_spec){ .name = "client", .issuer = &lab_mid, .from = -9 * DAY, .to = -DAY });
	return r;
}

static int
teardown(void **state)
{
	lab_done(&good);
	lab_done(&expired);
	return lab_teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted), cmocka_unit_test(test_required),
		cmocka_unit_test(test_refused),	 cmocka_unit_test(test_expired),
		cmocka_unit_test(test_late),	 cmocka_unit_test(test_after_verdict),
		cmocka_unit_test(test_alerts),	 cmocka_unit_test(test_optional),
		cmocka_unit_test(test_resumed),	 cmocka_unit_test(test_write_into_reset),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

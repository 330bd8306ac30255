/* Judging a connection again after the handshake: other files, other pins, another time. */
#include "tls-lab.h"

#include "sys/tls_internal.h"

#include <errno.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400L

/* Prepare afresh and judge; FAILURE_NONE: trusted. */
static enum failure_code
judged(struct lab *lab)
{
	int r;

	failure_done(&lab->failure);
	failure_init(&lab->failure, FAILURE_NONE, STAGE_READY);
	lab->now += 2 * USEC_PER_SEC;
	r = tls_prepare(lab->sessions, &lab->policy, lab->now, &lab->failure);
	assert_int_equal(r, 0);
	r = tls_judge(lab->tls, lab->sessions, &lab->policy, &lab->failure);
	assert_true(r == 0 || r == -EACCES);
	assert_int_equal(r == 0, lab->failure.code == FAILURE_NONE);
	if (r < 0) {
		assert_int_equal(lab->failure.stage, STAGE_READY);
		assert_true(chain_count(lab->failure.chain) >= 1);
		assert_string_equal(chain_certificate(lab->failure.chain, 0)->subject, "CN=Lab Leaf");
	}
	return lab->failure.code;
}

/* A full handshake, or as many resumed ones as wanted after it. */
static void
connect_again(struct lab *lab, unsigned int resumed)
{
	char buffer[64];

	for (unsigned int i = 0; i <= resumed; i++) {
		assert_code(lab_code(lab, NULL), FAILURE_NONE);
		assert_int_equal(lab_read(lab, buffer, sizeof(buffer)), TLS_WANT_READ);
		assert_int_equal(SSL_session_reused(lab->tls->ssl), i > 0);
	}
}

static void
expect_judgements(struct lab *lab)
{
	unsigned char bad[1][32] = { { 1 } }, good[1][32];
	struct lab_cert other;
	char *usual = (char *)lab->policy.ca_file;

	lab_pin(lab_leaf.x509, good[0]);
	lab_make(&other, &(struct lab_spec){ .name = "Other Root",
					     .ext = { { NID_basic_constraints, "critical,CA:TRUE" } } });
	assert_code(judged(lab), FAILURE_NONE);
	lab->policy.crl_file = lab_write_crl("crl.pem", &lab_mid, lab_leaf.x509, DAY, false);
	lab_write_crl("crl.pem", &lab_root, NULL, DAY, true);
	assert_code(judged(lab), FAILURE_TLS_CERTIFICATE_REVOKED);
	assert_string_equal(failure_detail(&lab->failure, "reason"), "Key Compromise");
	lab->policy.crl_file = lab_write_crl("crl.pem", &lab_mid, NULL, DAY, false);
	lab_write_crl("crl.pem", &lab_root, NULL, DAY, true);
	assert_code(judged(lab), FAILURE_NONE);
	lab->policy.crl_file = NULL;
	lab->policy.ca_file = lab_write("other.pem", (X509 *[]){ other.x509, NULL }, NULL);
	assert_code(judged(lab), FAILURE_TLS_CERTIFICATE_UNKNOWN_ISSUER);
	assert_int_equal(lab->failure.verify, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	assert_string_equal(failure_detail(&lab->failure, "dn"), "CN=Lab Root");
	lab->policy.ca_file = usual;
	lab->policy.pins = bad;
	lab->policy.pin_count = 1;
	assert_code(judged(lab), FAILURE_TLS_CERTIFICATE_PIN);
	assert_string_equal(failure_detail(&lab->failure, "sha256"),
			    chain_certificate(lab->failure.chain, 0)->spki_sha256);
	lab->policy.pins = good;
	assert_code(judged(lab), FAILURE_NONE);
	lab->policy.pins = NULL;
	lab->policy.pin_count = 0;
	lab->policy.security_level = 5;
	assert_code(judged(lab), FAILURE_TLS_CERTIFICATE_WEAK);
	lab->policy.security_level = -1;
	assert_code(judged(lab), FAILURE_NONE);
	lab_done(&other);
}

static void
test_judge(void **state)
{
	(void)state;
	for (int version = TLS_POLICY_VERSION_1_2; version <= TLS_POLICY_VERSION_1_3; version++) {
		for (unsigned int resumed = 0; resumed <= 2; resumed++) {
			struct lab lab;

			lab_begin(&lab);
			lab.policy.max_version = version;
			connect_again(&lab, resumed);
			expect_judgements(&lab);
			lab_end(&lab);
		}
	}
}

/* The name of the handshake is asked for again, and the connection works on after a judgement. */
static void
test_name_and_use(void **state)
{
	struct lab lab;
	char buffer[64];

	(void)state;
	lab_begin(&lab);
	connect_again(&lab, 1);
	strcpy(lab.tls->name, "wrong.example");
	assert_code(judged(&lab), FAILURE_TLS_CERTIFICATE_NAME);
	lab.policy.verify = VERIFY_CHAIN;
	assert_code(judged(&lab), FAILURE_NONE);
	assert_int_equal(SSL_write(lab.server, "hello", 5), 5);
	assert_int_equal(lab_read(&lab, buffer, sizeof(buffer)), TLS_DONE);
	assert_string_equal(buffer, "hello");
	lab_end(&lab);
}

static void
test_unverified(void **state)
{
	unsigned char bad[1][32] = { { 1 } };
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	lab.policy.verify = VERIFY_NONE;
	connect_again(&lab, 1);
	assert_code(judged(&lab), FAILURE_NONE);
	assert_int_equal(tls_expiry(lab.tls), 0);
	lab.policy.verify = VERIFY_PIN;
	lab.policy.pins = bad;
	lab.policy.pin_count = 1;
	assert_code(judged(&lab), FAILURE_TLS_CERTIFICATE_PIN);
	lab.policy.verify = VERIFY_FULL; /* what was not asked for then may be asked for now */
	lab.policy.pin_count = 0;
	assert_code(judged(&lab), FAILURE_NONE);
	lab_end(&lab);
}

/* A certificate for clients was good enough as long as nobody asked. */
static void
test_purpose(void **state)
{
	struct lab_server server;
	struct lab_cert leaf;
	struct lab lab;

	(void)state;
	lab_make(&leaf, &(struct lab_spec){ .name = "Lab Leaf",
					    .issuer = &lab_mid,
					    .ext = { { NID_subject_alt_name, "DNS:" LAB_HOST },
						     { NID_ext_key_usage, "clientAuth" } } });
	server = (struct lab_server){ .chain = { leaf.x509, lab_mid.x509 }, .key = leaf.key };
	lab_begin(&lab);
	lab.policy.verify = VERIFY_NONE;
	assert_code(lab_code(&lab, &server), FAILURE_NONE);
	lab.policy.verify = VERIFY_FULL;
	assert_code(judged(&lab), FAILURE_TLS_CERTIFICATE_PURPOSE);
	lab_end(&lab);
	lab_done(&leaf);
}

/* ---- when it ends ----------------------------------------------------------------------------------------------- */

static int64_t
end_of(const struct lab_cert *cert)
{
	return tls_time_seconds(X509_get0_notAfter(cert->x509));
}

static void
expect_expiry(const struct lab_cert *leaf, X509 *mid, const char *ca_file, int64_t expiry)
{
	struct lab_server server = { .chain = { leaf->x509, mid }, .key = leaf->key };
	struct lab lab;
	char buffer[64];

	lab_begin(&lab);
	free((char *)lab.policy.ca_file);
	lab.policy.ca_file = strdup(ca_file);
	for (unsigned int i = 0; i < 2; i++) {
		assert_code(lab_code(&lab, &server), FAILURE_NONE);
		assert_int_equal(lab_read(&lab, buffer, sizeof(buffer)), TLS_WANT_READ);
		assert_int_equal(SSL_session_reused(lab.tls->ssl), i);
		assert_int_equal(tls_expiry(lab.tls), expiry);
	}
	failure_init(&lab.failure, FAILURE_NONE, STAGE_READY);
	assert_int_equal(tls_judge(lab.tls, lab.sessions, &lab.policy, &lab.failure), 0);
	assert_int_equal(tls_expiry(lab.tls), expiry);
	lab_end(&lab);
}

static void
test_expiry(void **state)
{
	struct lab_ext ca = { NID_basic_constraints, "critical,CA:TRUE" };
	struct lab_ext name = { NID_subject_alt_name, "DNS:" LAB_HOST };
	struct lab_cert root, mid, leaf, self;

	(void)state;
	lab_make(&root,
		 &(struct lab_spec){ .name = "Root", .from = -DAY, .to = 2 * DAY, .ext = { ca } });
	lab_make(&mid,
		 &(struct lab_spec){
			 .name = "Mid", .issuer = &root, .from = -DAY, .to = 5 * DAY, .ext = { ca } });
	lab_make(&leaf,
		 &(struct lab_spec){
			 .name = "leaf", .issuer = &mid, .from = -DAY, .to = 9 * DAY, .ext = { name } });
	lab_write("ends.pem", (X509 *[]){ root.x509, NULL }, NULL);
	expect_expiry(&leaf, mid.x509, lab_path("ends.pem"), end_of(&mid)); /* the anchor ends even earlier */
	expect_expiry(&lab_leaf, lab_mid.x509, lab_path("root.pem"), end_of(&lab_leaf));
	lab_make(&self,
		 &(struct lab_spec){ .name = "self", .from = -DAY, .to = 3 * DAY, .ext = { name } });
	lab_write("self.pem", (X509 *[]){ self.x509, NULL }, NULL);
	expect_expiry(&self, NULL, lab_path("self.pem"), end_of(&self));
	lab_done(&root);
	lab_done(&mid);
	lab_done(&leaf);
	lab_done(&self);
}

/* A certificate that ends while the connection is up. */
static void
test_expired_since(void **state)
{
	struct lab_server server;
	struct lab_cert leaf;
	struct lab lab;

	(void)state;
	lab_make(&leaf, &(struct lab_spec){ .name = "Lab Leaf",
					    .issuer = &lab_mid,
					    .from = -60,
					    .to = 2,
					    .ext = { { NID_subject_alt_name, "DNS:" LAB_HOST } } });
	server = (struct lab_server){ .chain = { leaf.x509, lab_mid.x509 }, .key = leaf.key };
	lab_begin(&lab);
	assert_code(lab_code(&lab, &server), FAILURE_NONE);
	while (judged(&lab) == FAILURE_NONE)
		lab_pause();
	assert_code(lab.failure.code, FAILURE_TLS_CERTIFICATE_EXPIRED);
	assert_string_equal(failure_detail(&lab.failure, "which"), "leaf");
	lab_end(&lab);
	lab_done(&leaf);
}

/* ---- what a context is made from -------------------------------------------------------------------------------- */

static struct tls_state
prepared(struct lab *lab)
{
	struct tls_state state;

	lab->now += 2 * USEC_PER_SEC;
	failure_init(&lab->failure, FAILURE_NONE, STAGE_LOAD);
	assert_int_equal(tls_prepare(lab->sessions, &lab->policy, lab->now, &lab->failure), 0);
	tls_state(lab->sessions, &state);
	return state;
}

static void
test_state(void **arg)
{
	struct tls_state state, last;
	struct lab_cert own, renewed;
	struct lab lab;

	(void)arg;
	lab_make(&own, &(struct lab_spec){ .name = "us" });
	lab_make(&renewed, &(struct lab_spec){ .name = "us", .from = -DAY, .to = 90 * DAY });
	lab_begin(&lab);
	tls_state(lab.sessions, &state);
	assert_true(state.trust == 0 && state.identity == 0 && state.own_expiry == 0);
	last = prepared(&lab);
	assert_true(last.trust != 0 && last.identity == 0 && last.own_expiry == 0);
	lab_write("root.pem", (X509 *[]){ lab_root.x509, NULL }, NULL); /* another file of the same content */
	state = prepared(&lab);
	assert_true(state.trust == last.trust);
	lab.policy.certificate = lab_write("us.pem", (X509 *[]){ own.x509, NULL }, own.key);
	state = prepared(&lab);
	assert_true(state.trust == last.trust && state.identity != 0);
	assert_int_equal(state.own_expiry, end_of(&own));
	last = state;
	lab_write("us.pem", (X509 *[]){ renewed.x509, NULL }, renewed.key);
	state = prepared(&lab);
	assert_true(state.trust == last.trust && state.identity != last.identity);
	assert_int_equal(state.own_expiry, end_of(&renewed));
	last = state;
	lab_write("us.pem", (X509 *[]){ renewed.x509, lab_mid.x509, NULL }, renewed.key);
	state = prepared(&lab);
	assert_true(state.identity != last.identity);
	last = state;
	lab.policy.crl_file = lab_write_crl("crl.pem", &lab_mid, NULL, DAY, false);
	state = prepared(&lab);
	assert_true(state.trust != last.trust && state.identity == last.identity);
	last = state;
	lab_write_crl("crl.pem", &lab_mid, lab_leaf.x509, DAY, false);
	state = prepared(&lab);
	assert_true(state.trust != last.trust);
	last = state;
	lab_write("root.pem", (X509 *[]){ lab_root.x509, lab_mid.x509, NULL }, NULL);
	state = prepared(&lab);
	assert_true(state.trust != last.trust);
	lab_write("root.pem", (X509 *[]){ lab_root.x509, NULL }, NULL);
	lab_end(&lab);
	lab_done(&own);
	lab_done(&renewed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge),	   cmocka_unit_test(test_name_and_use),
		cmocka_unit_test(test_unverified), cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_purpose),	   cmocka_unit_test(test_expired_since),
		cmocka_unit_test(test_state),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}

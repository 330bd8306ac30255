/* Stapled OCSP responses: real ones by a real server in both versions of TLS, and what may be wrong with them. */
#include "tls-lab.h"

#include "sys/clock.h"
#include "sys/tls_internal.h"

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define HOUR 3600L
#define DAY  86400L

static struct lab_cert responder, demanding;

/* ---- making responses ------------------------------------------------------------------------------------------- */

/* A response; zero is a good one of lab_leaf, signed by its issuer, for a day. */
struct spec {
	const struct lab_cert *about, *signer;
	const struct lab_cert *issuer; /* as the answer names it */
	int error;		       /* the responder's, in place of an answer */
	int status, reason;
	long from, to; /* seconds from now; both 0: from an hour ago to tomorrow */
	bool endless;  /* no nextUpdate */
	bool others;   /* the wanted answer is the last of three */
	bool twice;    /* and the wanted one comes again, with `again` */
	int again;
	const EVP_MD *digest;
	bool spoilt; /* an octet of the signature is another */
	unsigned long flags;
};

static struct {
	unsigned char *der;
	int length; /* -1: the server staples nothing */
	unsigned int asked;
} staple = { NULL, -1, 0 };

static void
add_answer(OCSP_BASICRESP *basic, const struct spec *spec, const X509 *about, int status)
{
	const struct lab_cert *issuer = spec->issuer ? spec->issuer : &lab_mid;
	OCSP_CERTID *id = OCSP_cert_to_id(spec->digest ? spec->digest : EVP_sha1(), about, issuer->x509);
	bool usual = spec->from == 0 && spec->to == 0;
	ASN1_TIME *from = X509_gmtime_adj(NULL, usual ? -HOUR : spec->from);
	ASN1_TIME *to = X509_gmtime_adj(NULL, usual ? DAY : spec->to);
	ASN1_TIME *revoked = X509_gmtime_adj(NULL, -HOUR);

	assert_non_null(OCSP_basic_add1_status(basic, id, status, spec->reason,
					       status == V_OCSP_CERTSTATUS_REVOKED ? revoked : NULL,
					       from, spec->endless ? NULL : to));
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	ASN1_TIME_free(revoked);
	OCSP_CERTID_free(id);
}

static OCSP_BASICRESP *
make_basic(const struct spec *spec)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	const struct lab_cert *signer = spec->signer ? spec->signer : &lab_mid;
	const X509 *about = (spec->about ? spec->about : &lab_leaf)->x509;

	if (spec->others) {
		add_answer(basic, spec, demanding.x509, V_OCSP_CERTSTATUS_REVOKED);
		add_answer(basic, spec, responder.x509, V_OCSP_CERTSTATUS_UNKNOWN);
	}
	add_answer(basic, spec, about, spec->status);
	if (spec->twice)
		add_answer(basic, spec, about, spec->again);
	assert_true(OCSP_basic_sign(basic, signer->x509, signer->key, EVP_sha256(), NULL, spec->flags));
	if (spec->spoilt) {
		const ASN1_OCTET_STRING *signature = OCSP_resp_get0_signature(basic);

		((unsigned char *)ASN1_STRING_get0_data(signature))[9] ^= 1;
	}
	return basic;
}

static void
make(const struct spec *spec)
{
	OCSP_BASICRESP *basic = spec->error ? NULL : make_basic(spec);
	OCSP_RESPONSE *response = OCSP_response_create(spec->error, basic);

	OPENSSL_free(staple.der);
	staple.der = NULL;
	staple.length = i2d_OCSP_RESPONSE(response, &staple.der);
	assert_true(staple.length > 0);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
}

static int
give(SSL *ssl, void *arg)
{
	(void)arg;
	staple.asked++;
	if (staple.length < 0)
		return SSL_TLSEXT_ERR_NOACK;
	assert_true(SSL_set_tlsext_status_ocsp_resp(
		ssl, OPENSSL_memdup(staple.der, (size_t)staple.length), staple.length));
	return SSL_TLSEXT_ERR_OK;
}

static void
use_staple(SSL_CTX *ctx)
{
	SSL_CTX_set_tlsext_status_cb(ctx, give);
}

static const struct lab_server stapling = { .configure = use_staple };

/* ---- judging ---------------------------------------------------------------------------------------------------- */

static void
begin(struct lab *lab, int version, enum ocsp ocsp)
{
	lab_begin(lab);
	lab->policy.max_version = version;
	lab->policy.ocsp = ocsp;
}

/* What stands in `staple` is judged in either version of TLS, to the same end. */
static void
expect_staple(enum ocsp ocsp, enum failure_code code, const char *why)
{
	for (int version = TLS_POLICY_VERSION_1_2; version <= TLS_POLICY_VERSION_1_3; version++) {
		struct lab lab;

		begin(&lab, version, ocsp);
		assert_code(lab_code(&lab, &stapling), code);
		if (code != FAILURE_NONE) {
			assert_int_equal(lab.failure.alert_direction, ALERT_SENT);
			assert_int_equal(lab.failure.alert, 113);
			assert_string_equal(lab.failure.error_name, "SSL_R_INVALID_STATUS_RESPONSE");
			assert_int_equal(chain_count(lab.failure.chain), 2);
		}
		if (why)
			assert_string_equal(failure_detail(&lab.failure, "why"), why);
		lab_end(&lab);
	}
}

static void
expect(const struct spec *spec, enum failure_code code, const char *why)
{
	make(spec);
	expect_staple(OCSP_REQUIRE, code, why);
	expect_staple(OCSP_CHECK, code, why);
	expect_staple(OCSP_OFF, FAILURE_NONE, NULL);
}

static void
test_good(void **state)
{
	(void)state;
	expect(&(struct spec){ 0 }, FAILURE_NONE, NULL);
	expect(&(struct spec){ .digest = EVP_sha256() }, FAILURE_NONE, NULL);
	expect(&(struct spec){ .others = true }, FAILURE_NONE, NULL);
	expect(&(struct spec){ .signer = &responder }, FAILURE_NONE, NULL);
	expect(&(struct spec){ .signer = &responder, .flags = OCSP_RESPID_KEY }, FAILURE_NONE, NULL);
	expect(&(struct spec){ .endless = true }, FAILURE_NONE, NULL);
	expect(&(struct spec){ .from = -DAY, .to = -60 }, FAILURE_NONE, NULL); /* clocks differ a little */
	expect(&(struct spec){ .from = 60, .to = DAY }, FAILURE_NONE, NULL);
}

static void
test_invalid(void **state)
{
	const enum failure_code invalid = FAILURE_TLS_OCSP_INVALID;
	const char *unsigned_why = "its signature cannot be verified";

	(void)state;
	expect(&(struct spec){ .from = -2 * DAY, .to = -DAY }, invalid, "it is stale");
	expect(&(struct spec){ .from = -2 * DAY, .endless = true }, invalid, "it is stale");
	expect(&(struct spec){ .from = HOUR, .to = DAY }, invalid, "it is of the future");
	expect(&(struct spec){ .from = -HOUR, .to = -DAY }, invalid, "it is stale");
	expect(&(struct spec){ .status = V_OCSP_CERTSTATUS_UNKNOWN }, invalid,
	       "the responder does not know the certificate");
	expect(&(struct spec){ .about = &demanding }, invalid, "it is about another certificate");
	expect(&(struct spec){ .issuer = &lab_root }, invalid, "it is about another certificate");
	expect(&(struct spec){ .spoilt = true }, invalid, unsigned_why);
	expect(&(struct spec){ .signer = &lab_leaf }, invalid, unsigned_why); /* not made a responder */
	expect(&(struct spec){ .signer = &lab_root }, invalid, unsigned_why); /* the issuer's issuer */
	expect(&(struct spec){ .signer = &responder, .flags = OCSP_NOCERTS }, invalid, unsigned_why);
	expect(&(struct spec){ .error = OCSP_RESPONSE_STATUS_TRYLATER }, invalid,
	       "the responder had an error to report instead of an answer");
}

/* A responder that the root has made answers for the root's certificates, not for the intermediate's. */
static void
test_foreign_responder(void **state)
{
	struct lab_cert foreign, self;

	(void)state;
	lab_make(&foreign, &(struct lab_spec){ .name = "Root Responder",
					       .issuer = &lab_root,
					       .ext = { { NID_ext_key_usage, "OCSPSigning" } } });
	expect(&(struct spec){ .signer = &foreign }, FAILURE_TLS_OCSP_INVALID,
	       "its signature cannot be verified");
	lab_make(&self, &(struct lab_spec){ .name = "Lab Intermediate",
					    .ext = { { NID_basic_constraints, "critical,CA:TRUE" } } });
	expect(&(struct spec){ .signer = &self }, FAILURE_TLS_OCSP_INVALID,
	       "its signature cannot be verified");
	lab_done(&foreign);
	lab_make(&foreign, &(struct lab_spec){ .name = "Retired Responder",
					       .issuer = &lab_mid,
					       .from = -9 * DAY,
					       .to = -DAY,
					       .ext = { { NID_ext_key_usage, "OCSPSigning" } } });
	expect(&(struct spec){ .signer = &foreign }, FAILURE_TLS_OCSP_INVALID,
	       "its signature cannot be verified");
	lab_done(&foreign);
	lab_done(&self);
}

static void
test_rubbish(void **state)
{
	static unsigned char rubbish[] = "no response";
	unsigned char *good;

	(void)state;
	make(&(struct spec){ 0 });
	good = OPENSSL_malloc((size_t)staple.length + 1);
	memcpy(good, staple.der, (size_t)staple.length);
	good[staple.length] = 0;
	OPENSSL_free(staple.der);
	staple.der = good;
	staple.length += 1;
	expect_staple(OCSP_CHECK, FAILURE_TLS_OCSP_INVALID, "it cannot be parsed");
	staple.length -= 2;
	expect_staple(OCSP_CHECK, FAILURE_TLS_OCSP_INVALID, "it cannot be parsed");
	OPENSSL_free(staple.der);
	staple.der = OPENSSL_memdup(rubbish, sizeof(rubbish));
	staple.length = sizeof(rubbish);
	expect_staple(OCSP_CHECK, FAILURE_TLS_OCSP_INVALID, "it cannot be parsed");
}

static void
test_too_long(void **state)
{
	struct tls_ocsp_case ocsp_case = { .verified = sk_X509_new_null(), .store = X509_STORE_new() };
	struct failure failure;
	int64_t until;
	unsigned char *octets = calloc(1, TLS_OCSP_BYTES_MAX + 1);

	(void)state;
	failure_init(&failure, FAILURE_NONE, STAGE_HANDSHAKE);
	sk_X509_push(ocsp_case.verified, lab_leaf.x509);
	assert_false(tls_ocsp_judge(&ocsp_case, octets, TLS_OCSP_BYTES_MAX + 1, &until, &failure));
	assert_code(failure.code, FAILURE_TLS_OCSP_INVALID);
	assert_string_equal(failure_detail(&failure, "why"), "it is too long");
	free(octets);
	sk_X509_free(ocsp_case.verified);
	X509_STORE_free(ocsp_case.store);
}

static void
expect_revoked(const struct spec *spec, const char *reason)
{
	for (int version = TLS_POLICY_VERSION_1_2; version <= TLS_POLICY_VERSION_1_3; version++) {
		struct lab lab;

		make(spec);
		begin(&lab, version, OCSP_CHECK);
		assert_code(lab_code(&lab, &stapling), FAILURE_TLS_CERTIFICATE_REVOKED);
		assert_non_null(strstr(failure_detail(&lab.failure, "date"), " UTC"));
		if (reason)
			assert_string_equal(failure_detail(&lab.failure, "reason"), reason);
		else
			assert_null(failure_detail(&lab.failure, "reason"));
		assert_int_equal(chain_count(lab.failure.chain), 2);
		lab_end(&lab);
	}
}

static void
test_revoked(void **state)
{
	(void)state;
	expect_revoked(&(struct spec){ .status = V_OCSP_CERTSTATUS_REVOKED,
				       .reason = OCSP_REVOKED_STATUS_KEYCOMPROMISE },
		       "Key Compromise");
	expect_revoked(&(struct spec){ .status = V_OCSP_CERTSTATUS_REVOKED,
				       .reason = OCSP_REVOKED_STATUS_NOSTATUS },
		       NULL);
	/* That it is old makes it no less true; and where two things are said, this one counts. */
	expect_revoked(&(struct spec){ .status = V_OCSP_CERTSTATUS_REVOKED, .from = -9 * DAY, .to = -DAY },
		       "Unspecified");
	expect_revoked(&(struct spec){ .twice = true, .again = V_OCSP_CERTSTATUS_REVOKED },
		       "Unspecified");
	/* But a stranger's word is none. */
	expect(&(struct spec){ .status = V_OCSP_CERTSTATUS_REVOKED, .spoilt = true },
	       FAILURE_TLS_OCSP_INVALID, "its signature cannot be verified");
}

static void
test_missing(void **state)
{
	const char *why = "its certificate demands one (must-staple)";
	struct lab_server server = { .chain = { demanding.x509, lab_mid.x509 },
				     .key = demanding.key,
				     .configure = use_staple };
	char buffer[128];

	(void)state;
	staple.length = -1;
	expect_staple(OCSP_REQUIRE, FAILURE_TLS_OCSP_MISSING, NULL);
	expect_staple(OCSP_CHECK, FAILURE_NONE, NULL);
	expect_staple(OCSP_OFF, FAILURE_NONE, NULL);
	assert_true(tls_ocsp_demanded(demanding.x509));
	assert_false(tls_ocsp_demanded(lab_leaf.x509));
	for (int version = TLS_POLICY_VERSION_1_2; version <= TLS_POLICY_VERSION_1_3; version++) {
		struct text text = TEXT_INIT(buffer);
		struct lab lab;

		begin(&lab, version, OCSP_CHECK);
		assert_code(lab_code(&lab, &server), FAILURE_TLS_OCSP_MISSING);
		assert_string_equal(failure_detail(&lab.failure, "why"), why);
		failure_hint(&lab.failure, &text);
		assert_string_equal(buffer, "The server staples no OCSP response, and its certificate "
					    "demands one (must-staple).");
		make(&(struct spec){ .about = &demanding });
		assert_code(lab_code(&lab, &server), FAILURE_NONE);
		staple.length = -1;
		lab.policy.resumption = false;
		lab.policy.ocsp = OCSP_OFF;
		assert_code(lab_code(&lab, &server), FAILURE_NONE);
		lab_end(&lab);
	}
}

/* Only a bad chain is told of, whatever is stapled; and without a verified chain nobody is asked. */
static void
test_chain_first(void **state)
{
	struct lab lab;

	(void)state;
	make(&(struct spec){ .status = V_OCSP_CERTSTATUS_REVOKED });
	for (int version = TLS_POLICY_VERSION_1_2; version <= TLS_POLICY_VERSION_1_3; version++) {
		begin(&lab, version, OCSP_REQUIRE);
		lab.policy.verify_name = "wrong.example";
		assert_code(lab_code(&lab, &stapling), FAILURE_TLS_CERTIFICATE_NAME);
		staple.asked = 0;
		lab.policy.verify = VERIFY_NONE;
		assert_code(lab_code(&lab, &stapling), FAILURE_NONE);
		assert_int_equal(staple.asked, 0);
		lab_end(&lab);
	}
}

/* A server certificate that is trusted by itself is its own issuer. */
static void
test_self_signed(void **state)
{
	struct lab_cert self;
	struct lab_server server;
	struct lab lab;

	(void)state;
	lab_make(&self, &(struct lab_spec){ .name = "self",
					    .ext = { { NID_subject_alt_name, "DNS:" LAB_HOST } } });
	lab_write("self.pem", (X509 *[]){ self.x509, NULL }, NULL);
	server = (struct lab_server){ .chain = { self.x509 }, .key = self.key, .configure = use_staple };
	make(&(struct spec){ .about = &self, .issuer = &self, .signer = &self });
	begin(&lab, 0, OCSP_REQUIRE);
	free((char *)lab.policy.ca_file);
	lab.policy.ca_file = strdup(lab_path("self.pem"));
	assert_code(lab_code(&lab, &server), FAILURE_NONE);
	make(&(struct spec){
		.about = &self, .issuer = &self, .status = V_OCSP_CERTSTATUS_REVOKED, .signer = &self });
	lab.policy.resumption = false;
	assert_code(lab_code(&lab, &server), FAILURE_TLS_CERTIFICATE_REVOKED);
	lab_end(&lab);
	lab_done(&self);
}

/* ---- resumption ------------------------------------------------------------------------------------------------- */

static bool
resumed(struct lab *lab)
{
	struct tls_info info;
	char buffer[64];

	assert_code(lab_code(lab, &stapling), FAILURE_NONE);
	assert_int_equal(lab_read(lab, buffer, sizeof(buffer)), TLS_WANT_READ);
	tls_info(lab->tls, &info);
	chain_unref(info.chain);
	return info.resumed;
}

static void
let_responses_end(struct lab *lab)
{
	int64_t now = (int64_t)(clock_realtime() / USEC_PER_SEC);

	for (unsigned int i = 0; i < TLS_SESSIONS_MAX; i++) {
		struct tls_origin *origin = &lab->sessions->tickets[i].origin;

		if (!lab->sessions->tickets[i].session)
			continue;
		assert_in_range(origin->trusted_until, now + HOUR + TLS_OCSP_SKEW - 60,
				now + HOUR + TLS_OCSP_SKEW + 60);
		origin->trusted_until = now;
	}
}

/* The response of the full handshake stands for the sessions that descend from it, until it ends. */
static void
test_resumption(void **state)
{
	(void)state;
	for (int version = TLS_POLICY_VERSION_1_2; version <= TLS_POLICY_VERSION_1_3; version++) {
		struct lab lab;

		make(&(struct spec){ .from = -HOUR, .to = HOUR });
		begin(&lab, version, OCSP_REQUIRE);
		assert_false(resumed(&lab));
		assert_true(resumed(&lab));
		assert_true(resumed(&lab));
		make(&(struct spec){ .status = V_OCSP_CERTSTATUS_REVOKED });
		assert_true(resumed(&lab));
		let_responses_end(&lab);
		assert_code(lab_code(&lab, &stapling), FAILURE_TLS_CERTIFICATE_REVOKED);
		lab_end(&lab);
	}
}

/* A session that was made when less was asked does not answer for more. */
static void
test_stricter(void **state)
{
	struct lab lab;

	(void)state;
	staple.length = -1;
	begin(&lab, 0, OCSP_CHECK);
	assert_false(resumed(&lab));
	lab.policy.ocsp = OCSP_OFF;
	assert_true(resumed(&lab));
	lab.policy.ocsp = OCSP_REQUIRE;
	assert_code(lab_code(&lab, &stapling), FAILURE_TLS_OCSP_MISSING);
	lab_end(&lab);
}

static int
setup(void **state)
{
	lab_setup(state);
	lab_make(&responder, &(struct lab_spec){ .name = "Lab Responder",
						 .issuer = &lab_mid,
						 .ext = { { NID_ext_key_usage, "OCSPSigning" } } });
	lab_make(&demanding, &(struct lab_spec){ .name = "demanding",
						 .issuer = &lab_mid,
						 .ext = { { NID_subject_alt_name, "DNS:" LAB_HOST },
							  { NID_tlsfeature, "status_request" } } });
	return 0;
}

static int
teardown(void **state)
{
	OPENSSL_free(staple.der);
	lab_done(&responder);
	lab_done(&demanding);
	return lab_teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_foreign_responder),
		cmocka_unit_test(test_rubbish),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_revoked),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_chain_first),
		cmocka_unit_test(test_self_signed),
		cmocka_unit_test(test_resumption),
		cmocka_unit_test(test_stricter),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

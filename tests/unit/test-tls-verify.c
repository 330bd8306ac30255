/* The judgement over the server's certificate: one bad chain for each row of FAILURES.md. */
#include "tls-lab.h"

#include <openssl/x509v3.h>
#include <string.h>

#define DAY 86400L

/* Shake hands with a server that shows `cert` and then `others`; nothing but that is unusual. */
static enum failure_code
code_of(struct lab *lab, const struct lab_cert *cert, X509 *const *others)
{
	struct lab_server server = { .chain = { cert->x509 }, .key = cert->key };

	for (unsigned int i = 0; others && others[i]; i++)
		server.chain[i + 1] = others[i];
	return lab_code(lab, &server);
}

/* Make a certificate by `spec`, show it above the usual intermediate, and expect `code`. */
static void
expect(const struct lab_spec *spec, enum failure_code code)
{
	struct lab lab;
	struct lab_cert cert;

	lab_make(&cert, spec);
	lab_begin(&lab);
	assert_code(code_of(&lab, &cert, (X509 *[]){ lab_mid.x509, NULL }), code);
	if (code != FAILURE_NONE) {
		assert_true(chain_count(lab.failure.chain) >= 1);
		assert_int_equal(lab.failure.alert_direction, ALERT_SENT);
		assert_string_equal(lab.failure.error_name, "SSL_R_CERTIFICATE_VERIFY_FAILED");
	}
	lab_end(&lab);
	lab_done(&cert);
}

#define LEAF_EXT \
	{ \
		{ \
			NID_subject_alt_name, "DNS:" LAB_HOST \
		} \
	}

static void
test_good(void **state)
{
	struct lab lab;
	struct tls_info info;

	(void)state;
	lab_begin(&lab);
	assert_code(lab_code(&lab, NULL), FAILURE_NONE);
	tls_info(lab.tls, &info);
	assert_string_equal(info.version, "TLSv1.3");
	assert_false(info.resumed);
	assert_true(strlen(info.cipher) > 5 && strlen(info.group) > 3);
	assert_int_equal(chain_count(info.chain), 2);
	assert_string_equal(chain_certificate(info.chain, 0)->subject, "CN=Lab Leaf");
	assert_string_equal(chain_certificate(info.chain, 0)->issuer, "CN=Lab Intermediate");
	assert_string_equal(chain_certificate(info.chain, 0)->names[2], "192.0.2.7");
	chain_unref(info.chain);
	lab_end(&lab);
}

static void
test_dates(void **state)
{
	(void)state;
	expect(
		&(struct lab_spec){
			.name = "old", .issuer = &lab_mid, .from = -9 * DAY, .to = -DAY, .ext = LEAF_EXT },
		FAILURE_TLS_CERTIFICATE_EXPIRED);
	expect(&(struct lab_spec){ .name = "new", .issuer = &lab_mid, .from = DAY, .to = 9 * DAY, .ext = LEAF_EXT },
	       FAILURE_TLS_CERTIFICATE_NOT_YET_VALID);
}

static void
test_expired_details(void **state)
{
	struct lab lab;
	struct lab_cert mid, leaf;

	(void)state;
	lab_make(&mid, &(struct lab_spec){ .name = "Old Intermediate",
					   .issuer = &lab_root,
					   .from = -9 * DAY,
					   .to = -DAY,
					   .ext = { { NID_basic_constraints, "critical,CA:TRUE" } } });
	lab_make(&leaf, &(struct lab_spec){ .name = "leaf", .issuer = &mid, .ext = LEAF_EXT });
	lab_begin(&lab);
	assert_code(code_of(&lab, &leaf, (X509 *[]){ mid.x509, NULL }), FAILURE_TLS_CERTIFICATE_EXPIRED);
	assert_int_equal(lab.failure.verify, X509_V_ERR_CERT_HAS_EXPIRED);
	assert_int_equal(lab.failure.verify_depth, 1);
	assert_string_equal(lab.failure.verify_name, "X509_V_ERR_CERT_HAS_EXPIRED");
	assert_string_equal(failure_detail(&lab.failure, "which"), "intermediate CN=Old Intermediate");
	assert_non_null(strstr(failure_detail(&lab.failure, "date"), " UTC"));
	assert_int_equal(chain_count(lab.failure.chain), 2);
	lab_end(&lab);
	lab_done(&mid);
	lab_done(&leaf);
}

/* Ruling 3: the name last, although OpenSSL reports it first; the error closest to the leaf. */
static void
test_order(void **state)
{
	struct lab lab;
	struct lab_cert mid, leaf;

	(void)state;
	expect(&(struct lab_spec){ .name = "x",
				   .issuer = &lab_mid,
				   .from = -9 * DAY,
				   .to = -DAY,
				   .ext = { { NID_subject_alt_name, "DNS:other.example" } } },
	       FAILURE_TLS_CERTIFICATE_EXPIRED);
	lab_make(&mid, &(struct lab_spec){ .name = "Old",
					   .issuer = &lab_root,
					   .from = -9 * DAY,
					   .to = -DAY,
					   .ext = { { NID_basic_constraints, "critical,CA:TRUE" } } });
	lab_make(&leaf,
		 &(struct lab_spec){
			 .name = "young", .issuer = &mid, .from = DAY, .to = 9 * DAY, .ext = LEAF_EXT });
	lab_begin(&lab);
	assert_code(code_of(&lab, &leaf, (X509 *[]){ mid.x509, NULL }),
		    FAILURE_TLS_CERTIFICATE_NOT_YET_VALID);
	lab_end(&lab);
	lab_done(&mid);
	lab_done(&leaf);
	/* Chain building ends the judgement: that a stranger's certificate has expired too is no evidence. */
	expect(&(struct lab_spec){ .name = "x", .from = -9 * DAY, .to = -DAY, .ext = LEAF_EXT },
	       FAILURE_TLS_CERTIFICATE_SELF_SIGNED);
}

static void
expect_name(const char *host, const char *sans, enum failure_code code)
{
	struct lab lab;
	struct lab_cert cert;

	lab_make(&cert, &(struct lab_spec){ .name = LAB_HOST,
					    .issuer = &lab_mid,
					    .ext = { { NID_subject_alt_name, sans } } });
	lab_begin(&lab);
	lab.policy.verify_name = host;
	assert_code(code_of(&lab, &cert, (X509 *[]){ lab_mid.x509, NULL }), code);
	if (code != FAILURE_NONE)
		assert_non_null(failure_detail(&lab.failure, "names"));
	lab_end(&lab);
	lab_done(&cert);
}

static void
test_names(void **state)
{
	enum failure_code no = FAILURE_TLS_CERTIFICATE_NAME, yes = FAILURE_NONE;

	(void)state;
	expect_name("up.example", "DNS:other.example", no);
	expect_name("up.example", "DNS:UP.example", yes);
	expect_name("up.example.", "DNS:up.example", yes);
	expect_name("a.wild.example", "DNS:*.wild.example", yes);
	expect_name("a.b.wild.example", "DNS:*.wild.example", no);
	expect_name("abc.wild.example", "DNS:a*.wild.example", no);
	expect_name(LAB_HOST, NULL, no); /* the subject's CN is never looked at */
	expect_name("192.0.2.7", "IP:192.0.2.7", yes);
	expect_name("192.0.2.7", "DNS:192.0.2.7", no);
	expect_name("192.0.2.7", "IP:192.0.2.8", no);
	expect_name("fe80::1%eth0", "IP:fe80::1", yes);
}

static void
test_name_details(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	lab.policy.verify_name = "wrong.example";
	assert_code(lab_code(&lab, NULL), FAILURE_TLS_CERTIFICATE_NAME);
	assert_string_equal(failure_detail(&lab.failure, "name"), "wrong.example");
	assert_string_equal(failure_detail(&lab.failure, "names"),
			    LAB_HOST ", *.wild.example, 192.0.2.7");
	assert_int_equal(lab.failure.verify, X509_V_ERR_HOSTNAME_MISMATCH);
	lab.policy.verify = VERIFY_CHAIN;
	assert_code(lab_code(&lab, NULL), FAILURE_NONE);
	lab_end(&lab);
}

/* A Unix socket has no name: without verify_name nothing can be verified, and nothing is sent. */
static void
test_no_name(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	lab.target = (struct target){ .kind = TARGET_UNIX };
	assert_code(lab_code(&lab, NULL), FAILURE_LOCAL_TLS_CONFIG);
	assert_string_equal(failure_detail(&lab.failure, "option"), "verify_name");
	lab.policy.verify_name = LAB_HOST;
	assert_code(lab_code(&lab, NULL), FAILURE_NONE);
	lab_end(&lab);
}

static void
test_issuers(void **state)
{
	struct lab lab;
	struct lab_cert root, leaf, lone;

	(void)state;
	expect(&(struct lab_spec){ .name = "self", .ext = LEAF_EXT },
	       FAILURE_TLS_CERTIFICATE_SELF_SIGNED);
	lab_make(&root, &(struct lab_spec){ .name = "Other Root",
					    .ext = { { NID_basic_constraints, "critical,CA:TRUE" } } });
	lab_make(&leaf, &(struct lab_spec){ .name = "leaf", .issuer = &root, .ext = LEAF_EXT });
	lab_make(&lone, &(struct lab_spec){ .name = "lone", .issuer = &lab_mid, .ext = LEAF_EXT });
	lab_begin(&lab);
	assert_code(code_of(&lab, &leaf, (X509 *[]){ root.x509, NULL }),
		    FAILURE_TLS_CERTIFICATE_UNTRUSTED_ROOT);
	lab_end(&lab);
	lab_begin(&lab);
	assert_code(code_of(&lab, &leaf, NULL), FAILURE_TLS_CERTIFICATE_UNKNOWN_ISSUER);
	assert_string_equal(failure_detail(&lab.failure, "dn"), "CN=Other Root");
	lab_end(&lab);
	/* The same without its intermediate; only one that tells where that could be had is "incomplete". */
	lab_begin(&lab);
	assert_code(code_of(&lab, &lone, NULL), FAILURE_TLS_CERTIFICATE_UNKNOWN_ISSUER);
	lab_end(&lab);
	lab_begin(&lab);
	assert_code(code_of(&lab, &lab_leaf, NULL), FAILURE_TLS_CERTIFICATE_CHAIN_INCOMPLETE);
	assert_string_equal(failure_detail(&lab.failure, "aia"), "http://pki.example/mid.der");
	lab_end(&lab);
	lab_done(&root);
	lab_done(&leaf);
	lab_done(&lone);
}

/* Show a leaf under an intermediate (under the usual root) made by `spec`. */
static void
expect_mid(struct lab_spec spec, const struct lab_spec *leaf_spec, enum failure_code code)
{
	struct lab lab;
	struct lab_cert mid, leaf;
	struct lab_spec of_leaf = *leaf_spec;

	spec.name = "Odd Intermediate";
	if (!spec.issuer)
		spec.issuer = &lab_root;
	lab_make(&mid, &spec);
	of_leaf.name = "leaf";
	of_leaf.issuer = &mid;
	lab_make(&leaf, &of_leaf);
	lab_begin(&lab);
	assert_code(code_of(&lab, &leaf, (X509 *[]){ mid.x509, lab_mid.x509, NULL }), code);
	if (code == FAILURE_TLS_CERTIFICATE_CHAIN_INVALID)
		assert_true(strlen(failure_detail(&lab.failure, "text")) > 5);
	lab_end(&lab);
	lab_done(&mid);
	lab_done(&leaf);
}

static void
test_chain_invalid(void **state)
{
	const struct lab_spec leaf = { .ext = LEAF_EXT };
	struct lab lab;
	struct lab_cert narrow, mid, end;

	(void)state;
	expect_mid((struct lab_spec){ .ext = { { NID_basic_constraints, "critical,CA:FALSE" } } },
		   &leaf, FAILURE_TLS_CERTIFICATE_CHAIN_INVALID);
	expect_mid((struct lab_spec){ .ext = { { NID_basic_constraints, "critical,CA:TRUE" },
					       { NID_name_constraints,
						 "critical,permitted;DNS:elsewhere.example" } } },
		   &leaf, FAILURE_TLS_CERTIFICATE_CHAIN_INVALID);
	expect_mid((struct lab_spec){ .ext = { { NID_basic_constraints, "critical,CA:TRUE" },
					       { NID_ext_key_usage, "clientAuth" } } },
		   &leaf, FAILURE_TLS_CERTIFICATE_CHAIN_INVALID);
	expect_mid((struct lab_spec){ .ext = { { NID_basic_constraints, "critical,CA:TRUE" } },
				      .garbage_ext = "1.3.6.1.4.1.32473.1",
				      .garbage_critical = true },
		   &leaf, FAILURE_TLS_CERTIFICATE_CHAIN_INVALID);
	lab_make(&narrow, &(struct lab_spec){ .name = "Narrow",
					      .issuer = &lab_root,
					      .ext = { { NID_basic_constraints,
							 "critical,CA:TRUE,pathlen:0" } } });
	lab_make(&mid, &(struct lab_spec){ .name = "Too Deep",
					   .issuer = &narrow,
					   .ext = { { NID_basic_constraints, "critical,CA:TRUE" } } });
	lab_make(&end, &(struct lab_spec){ .name = "leaf", .issuer = &mid, .ext = LEAF_EXT });
	lab_begin(&lab);
	assert_code(code_of(&lab, &end, (X509 *[]){ mid.x509, narrow.x509, NULL }),
		    FAILURE_TLS_CERTIFICATE_CHAIN_INVALID);
	assert_int_equal(lab.failure.verify, X509_V_ERR_PATH_LENGTH_EXCEEDED);
	lab_end(&lab);
	lab_done(&narrow);
	lab_done(&mid);
	lab_done(&end);
	/* A critical extension nobody knows, in the leaf itself. */
	expect(&(struct lab_spec){ .name = "x",
				   .issuer = &lab_mid,
				   .ext = LEAF_EXT,
				   .garbage_ext = "1.3.6.1.4.1.32473.1",
				   .garbage_critical = true },
	       FAILURE_TLS_CERTIFICATE_CHAIN_INVALID);
}

static void
test_purpose(void **state)
{
	(void)state;
	expect(&(struct lab_spec){ .name = "x",
				   .issuer = &lab_mid,
				   .ext = { { NID_subject_alt_name, "DNS:" LAB_HOST },
					    { NID_ext_key_usage, "clientAuth" } } },
	       FAILURE_TLS_CERTIFICATE_PURPOSE);
}

static void
test_weak(void **state)
{
	struct lab lab;
	struct lab_cert mid, leaf;

	(void)state;
	expect(&(struct lab_spec){ .name = "x", .issuer = &lab_mid, .rsa_bits = 1024, .ext = LEAF_EXT },
	       FAILURE_TLS_CERTIFICATE_WEAK);
	lab_make(&mid, &(struct lab_spec){ .name = "Sloppy",
					   .issuer = &lab_root,
					   .digest = EVP_sha1(),
					   .ext = { { NID_basic_constraints, "critical,CA:TRUE" } } });
	lab_make(&leaf, &(struct lab_spec){ .name = "leaf", .issuer = &mid, .ext = LEAF_EXT });
	lab_begin(&lab);
	lab.policy.security_level = 2;
	assert_code(code_of(&lab, &leaf, (X509 *[]){ mid.x509, NULL }), FAILURE_TLS_CERTIFICATE_WEAK);
	assert_int_equal(lab.failure.verify, X509_V_ERR_CA_MD_TOO_WEAK);
	lab_end(&lab);
	lab_done(&mid);
	lab_done(&leaf);
}

/* Note 4: OpenSSL says "unable to get local issuer" of these. */
static void
test_malformed(void **state)
{
	(void)state;
	expect(&(struct lab_spec){ .name = "x", .issuer = &lab_mid, .ext = LEAF_EXT, .garbage_ext = "2.5.29.14" },
	       FAILURE_TLS_CERTIFICATE_MALFORMED);
	expect_mid((struct lab_spec){ .ext = { { NID_basic_constraints, "critical,CA:TRUE" } },
				      .garbage_ext = "2.5.29.15" },
		   &(struct lab_spec){ .ext = LEAF_EXT }, FAILURE_TLS_CERTIFICATE_MALFORMED);
}

/* A broken certificate that has nothing to do with the chain is not what is wrong with it. */
static void
test_malformed_bystander(void **state)
{
	struct lab lab;
	struct lab_cert root, leaf, broken;

	(void)state;
	lab_make(&root, &(struct lab_spec){ .name = "Other Root",
					    .ext = { { NID_basic_constraints, "critical,CA:TRUE" } } });
	lab_make(&leaf, &(struct lab_spec){ .name = "leaf", .issuer = &root, .ext = LEAF_EXT });
	lab_make(&broken, &(struct lab_spec){
				  .name = "Bystander", .issuer = &root, .garbage_ext = "2.5.29.15" });
	lab_begin(&lab);
	assert_code(code_of(&lab, &leaf, (X509 *[]){ broken.x509, NULL }),
		    FAILURE_TLS_CERTIFICATE_UNKNOWN_ISSUER);
	assert_string_equal(failure_detail(&lab.failure, "dn"), "CN=Other Root");
	lab_end(&lab);
	lab_done(&root);
	lab_done(&leaf);
	lab_done(&broken);
}

/* A leaf that claims an issuer who has not signed it. */
static void
test_bad_signature(void **state)
{
	struct lab lab;
	struct lab_cert impostor = { .x509 = lab_mid.x509 }, leaf;

	(void)state;
	impostor.key = EVP_EC_gen("P-256");
	lab_make(&leaf, &(struct lab_spec){ .name = "forged", .issuer = &impostor, .ext = LEAF_EXT });
	lab_begin(&lab);
	assert_code(code_of(&lab, &leaf, (X509 *[]){ lab_mid.x509, NULL }),
		    FAILURE_TLS_CERTIFICATE_MALFORMED);
	assert_int_equal(lab.failure.verify, X509_V_ERR_CERT_SIGNATURE_FAILURE);
	lab_end(&lab);
	lab_done(&leaf);
	EVP_PKEY_free(impostor.key);
}

static void
expect_crl(const X509 *revoked, long to, bool with_root, enum failure_code code)
{
	struct lab lab;

	lab_begin(&lab);
	lab.policy.crl_file = lab_write_crl("crl.pem", &lab_mid, revoked, to, false);
	if (with_root)
		lab_write_crl("crl.pem", &lab_root, NULL, DAY, true);
	assert_code(lab_code(&lab, NULL), code);
	if (code == FAILURE_TLS_CERTIFICATE_REVOKED) {
		assert_string_equal(failure_detail(&lab.failure, "reason"), "Key Compromise");
		assert_non_null(strstr(failure_detail(&lab.failure, "date"), "UTC"));
	}
	if (code == FAILURE_TLS_CRL_UNUSABLE) {
		assert_string_equal(failure_detail(&lab.failure, "issuer"), "CN=Lab Intermediate");
		assert_non_null(strstr(failure_detail(&lab.failure, "date"), "UTC"));
	}
	if (code == FAILURE_TLS_CRL_MISSING)
		assert_string_equal(failure_detail(&lab.failure, "issuer"), "CN=Lab Root");
	lab_end(&lab);
}

static void
test_crl(void **state)
{
	(void)state;
	expect_crl(NULL, DAY, true, FAILURE_NONE);
	expect_crl(lab_leaf.x509, DAY, true, FAILURE_TLS_CERTIFICATE_REVOKED);
	expect_crl(NULL, -60, true, FAILURE_TLS_CRL_UNUSABLE);
	expect_crl(NULL, DAY, false, FAILURE_TLS_CRL_MISSING); /* the whole chain is checked */
}

static void
test_pins(void **state)
{
	struct lab lab;
	unsigned char good[2][32] = { { 1, 2, 3 } }, bad[1][32] = { { 4, 5, 6 } };

	(void)state;
	lab_pin(lab_leaf.x509, good[1]);
	lab_begin(&lab);
	lab.policy.pins = good;
	lab.policy.pin_count = 2;
	for (enum verify verify = VERIFY_FULL; verify <= VERIFY_NONE; verify++) {
		lab.policy.verify = verify;
		assert_code(lab_code(&lab, NULL), FAILURE_NONE);
	}
	lab.policy.pins = bad;
	lab.policy.pin_count = 1;
	for (enum verify verify = VERIFY_FULL; verify <= VERIFY_NONE; verify++) {
		lab.policy.verify = verify;
		assert_code(lab_code(&lab, NULL), FAILURE_TLS_CERTIFICATE_PIN);
		assert_string_equal(failure_detail(&lab.failure, "sha256"),
				    chain_certificate(lab.failure.chain, 0)->spki_sha256);
	}
	lab.policy.pin_count = 0; /* trust by pins alone, and there are none */
	lab.policy.verify = VERIFY_PIN;
	assert_code(lab_code(&lab, NULL), FAILURE_TLS_CERTIFICATE_PIN);
	lab_end(&lab);
}

/* Without verification nothing is asked of the chain, nor of a CA file. */
static void
test_none(void **state)
{
	struct lab lab;
	struct lab_cert cert;

	(void)state;
	lab_make(&cert, &(struct lab_spec){ .name = "self", .from = -9 * DAY, .to = -DAY });
	lab_begin(&lab);
	lab.policy.verify = VERIFY_NONE;
	assert_code(code_of(&lab, &cert, NULL), FAILURE_NONE);
	lab_end(&lab);
	lab_done(&cert);
}

static void
use_anonymous(SSL_CTX *ctx)
{
	SSL_CTX_set_cipher_list(ctx, "aNULL:@SECLEVEL=0");
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
}

/* SSL_get_verify_result() is X509_V_OK here. */
static void
test_no_certificate(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	lab.policy.ciphers = "aNULL:@SECLEVEL=0";
	lab.policy.max_version = TLS_POLICY_VERSION_1_2;
	assert_code(lab_code(&lab, &(struct lab_server){ .configure = use_anonymous }),
		    FAILURE_TLS_CERTIFICATE_OTHER);
	assert_string_equal(failure_detail(&lab.failure, "text"), "the server showed no certificate");
	lab_end(&lab);
}

/* Ruling 10: 512 KiB of certificates, and no more. */
static void
test_size(void **state)
{
	struct lab_spec spec = { .name = "fat",
				 .issuer = &lab_mid,
				 .ext = LEAF_EXT,
				 .garbage_ext = "1.3.6.1.4.1.32473.1",
				 .garbage_bytes = 500 * 1024 };
	struct lab lab;
	struct lab_cert cert;

	(void)state;
	expect(&spec, FAILURE_NONE);
	spec.garbage_bytes = 600 * 1024;
	lab_make(&cert, &spec);
	lab_begin(&lab);
	assert_code(code_of(&lab, &cert, NULL), FAILURE_TLS_PROTOCOL);
	assert_string_equal(lab.failure.error_name, "SSL_R_EXCESSIVE_MESSAGE_SIZE");
	lab_end(&lab);
	lab_done(&cert);
}

/* A chain that has been seen before is kept once. */
static void
test_shared_chain(void **state)
{
	struct lab lab;
	struct tls_info first, second;

	(void)state;
	lab_begin(&lab);
	lab.policy.resumption = false;
	assert_code(lab_code(&lab, NULL), FAILURE_NONE);
	tls_info(lab.tls, &first);
	assert_code(lab_code(&lab, NULL), FAILURE_NONE);
	tls_info(lab.tls, &second);
	assert_ptr_equal(first.chain, second.chain);
	chain_unref(first.chain);
	chain_unref(second.chain);
	lab_end(&lab);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_expired_details),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_name_details),
		cmocka_unit_test(test_no_name),
		cmocka_unit_test(test_issuers),
		cmocka_unit_test(test_chain_invalid),
		cmocka_unit_test(test_purpose),
		cmocka_unit_test(test_weak),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_malformed_bystander),
		cmocka_unit_test(test_bad_signature),
		cmocka_unit_test(test_crl),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_no_certificate),
		cmocka_unit_test(test_shared_chain),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}

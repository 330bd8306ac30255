/* Certificates as text: a stranger's bytes, shown safely. */
#include "tls-lab.h"

#include "sys/tls_internal.h"

#include <openssl/x509v3.h>
#include <string.h>

static void
assert_printable(const char *text, size_t max)
{
	assert_true(strlen(text) <= max);
	for (; *text; text++)
		assert_true(*text >= 0x20 && *text < 0x7f);
}

/* A certificate whose subject and DNS name hold the given octets. */
static X509 *
odd_certificate(const char *octets, size_t length)
{
	X509 *x509 = X509_new();
	X509_NAME *name = X509_NAME_new();
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *general = GENERAL_NAME_new();
	ASN1_IA5STRING *dns = ASN1_IA5STRING_new();

	assert_true(X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_T61STRING,
					       (const unsigned char *)octets, (int)length, -1, 0));
	X509_set_subject_name(x509, name);
	X509_set_issuer_name(x509, name);
	assert_true(ASN1_STRING_set(dns, octets, (int)length));
	GENERAL_NAME_set0_value(general, GEN_DNS, dns);
	sk_GENERAL_NAME_push(names, general);
	assert_int_equal(X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0), 1);
	X509_set_pubkey(x509, lab_leaf.key);
	GENERAL_NAMES_free(names);
	X509_NAME_free(name);
	return x509;
}

static void
expect_shown(const char *octets, size_t length, const char *subject, const char *name)
{
	struct certificate certificate;
	X509 *x509 = odd_certificate(octets, length);

	assert_int_equal(tls_certificate_text(x509, &certificate), 0);
	assert_string_equal(certificate.subject, subject);
	assert_string_equal(certificate.names[0], name);
	assert_null(certificate.names[1]);
	certificate_done(&certificate);
	X509_free(x509);
}

static void
test_odd_names(void **state)
{
	(void)state;
	expect_shown("plain", 5, "CN=plain", "plain");
	expect_shown("a\0b", 3, "CN=a\\00b", "a\\x00b");
	expect_shown("a\x1b[31m\n", 7, "CN=a\\1B[31m\\0A", "a\\x1b[31m\\x0a");
	expect_shown("a, b", 4, "CN=a\\, b", "a\\x2c\\x20b");
	expect_shown("b\xfc"
		     "cher",
		     6, "CN=b\\C3\\BCcher", "b\\xfccher");
}

static void
test_long_name(void **state)
{
	struct certificate certificate;
	char octets[6000];
	X509 *x509;

	(void)state;
	memset(octets, '\1', sizeof(octets));
	x509 = odd_certificate(octets, sizeof(octets));
	assert_int_equal(tls_certificate_text(x509, &certificate), 0);
	assert_printable(certificate.subject, TLS_NAME_TEXT_MAX);
	assert_printable(certificate.names[0], 255);
	assert_true(strlen(certificate.subject) > 400);
	certificate_done(&certificate);
	X509_free(x509);
}

static void
test_kinds_of_names(void **state)
{
	struct certificate certificate;
	struct lab_cert cert;

	(void)state;
	lab_make(&cert,
		 &(struct lab_spec){
			 .name = "kinds",
			 .issuer = &lab_mid,
			 .from = 0,
			 .to = 0,
			 .ext = { { NID_subject_alt_name,
				    "DNS:a.example,email:x@a.example,URI:ldap://a/,IP:2001:db8::1,RID:1.2.3" } } });
	assert_int_equal(tls_certificate_text(cert.x509, &certificate), 0);
	assert_string_equal(certificate.names[0], "a.example");
	assert_string_equal(certificate.names[1], "email:x@a.example");
	assert_string_equal(certificate.names[2], "URI:ldap://a/");
	assert_string_equal(certificate.names[3], "2001:db8::1");
	assert_string_equal(certificate.names[4], "(other kind of name)");
	assert_null(certificate.names[5]);
	assert_int_equal(strlen(certificate.sha256), 64);
	assert_int_equal(strlen(certificate.spki_sha256), 64);
	assert_true(certificate.not_after > certificate.not_before);
	certificate_done(&certificate);
	lab_done(&cert);
}

static void
test_chain(void **state)
{
	STACK_OF(X509) *presented = sk_X509_new_null();
	struct chain *first, *second, *other;

	(void)state;
	sk_X509_push(presented, lab_leaf.x509);
	sk_X509_push(presented, lab_mid.x509);
	assert_int_equal(tls_chain_new(presented, NULL, &first), 0);
	assert_int_equal(tls_chain_new(presented, first, &second), 0);
	assert_ptr_equal(first, second);
	for (unsigned int i = 0; i < 30; i++)
		sk_X509_push(presented, lab_root.x509);
	assert_int_equal(tls_chain_new(presented, first, &other), 0);
	assert_ptr_not_equal(first, other);
	assert_int_equal(chain_count(other), CHAIN_CERTIFICATES_MAX);
	chain_unref(first);
	chain_unref(second);
	chain_unref(other);
	sk_X509_free(presented);
}

static void
expect_time(const char *asn1, int64_t seconds, const char *shown)
{
	ASN1_TIME *time = ASN1_TIME_new();
	char buffer[64];
	struct text text = TEXT_INIT(buffer);

	ASN1_STRING_set(time, asn1, -1);
	time->type = strlen(asn1) == 15 ? V_ASN1_GENERALIZEDTIME : V_ASN1_UTCTIME;
	assert_int_equal(tls_time_seconds(time), seconds);
	tls_time_text(time, &text);
	assert_string_equal(buffer, shown);
	ASN1_TIME_free(time);
}

static void
test_times(void **state)
{
	(void)state;
	expect_time("260102030405Z", 1767323045, "2026-01-02 03:04:05 UTC");
	expect_time("99991231235959Z", 253402300799, "9999-12-31 23:59:59 UTC");
	expect_time("rubbish", 0, "an unreadable date");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_odd_names),      cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_kinds_of_names), cmocka_unit_test(test_chain),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}

/* The load stage: files that are missing, broken, half-renewed or changed. */
#include "tls-lab.h"

#include "sys/tls_internal.h"

#include <errno.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct lab_cert client;

static int
prepare(struct lab *lab)
{
	failure_done(&lab->failure);
	failure_init(&lab->failure, FAILURE_NONE, STAGE_LOAD);
	lab->now += 2 * USEC_PER_SEC;
	return tls_prepare(lab->sessions, &lab->policy, lab->now, &lab->failure);
}

/* Loading must fail by `code` and name `file`; `why` is part of the reason. */
static void
expect_broken(struct lab *lab, enum failure_code code, const char *file, const char *why)
{
	assert_true(prepare(lab) < 0);
	assert_code(lab->failure.code, code);
	assert_int_equal(lab->failure.stage, STAGE_LOAD);
	if (file)
		assert_string_equal(failure_detail(&lab->failure, "file"), file);
	assert_non_null(failure_detail(&lab->failure, "why"));
	if (!strstr(failure_detail(&lab->failure, "why"), why))
		fail_msg("why: %s", failure_detail(&lab->failure, "why"));
}

static void
set_client(struct lab *lab)
{
	lab->policy.certificate = lab_write("client.pem", (X509 *[]){ client.x509, NULL }, NULL);
	lab->policy.key = lab_write("client.key", NULL, client.key);
}

static void
test_certificate(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	set_client(&lab);
	lab.policy.certificate = lab_path("nowhere.pem");
	expect_broken(&lab, FAILURE_LOCAL_CERTIFICATE_LOAD, lab.policy.certificate,
		      "No such file or directory");
	assert_string_equal(lab.failure.error_name, "ENOENT");
	lab.policy.certificate = lab_write_text("bad.pem", "no certificate\n");
	expect_broken(&lab, FAILURE_LOCAL_CERTIFICATE_LOAD, lab.policy.certificate, "no start line");
	lab.policy.certificate = lab_path("");
	expect_broken(&lab, FAILURE_LOCAL_CERTIFICATE_LOAD, NULL, "");
	lab_end(&lab);
}

static void
test_key(void **state)
{
	struct lab lab;
	const char *certificate;

	(void)state;
	lab_begin(&lab);
	set_client(&lab);
	certificate = lab.policy.certificate;
	lab.policy.key = lab_path("nowhere.key");
	expect_broken(&lab, FAILURE_LOCAL_KEY_LOAD, lab.policy.key, "No such file or directory");
	lab.policy.key = lab_write_text("bad.key", "no key\n");
	expect_broken(&lab, FAILURE_LOCAL_KEY_LOAD, lab.policy.key, "");
	lab.policy.key = lab_write("other.key", NULL, lab_leaf.key);
	expect_broken(&lab, FAILURE_LOCAL_KEY_MISMATCH, lab.policy.key, "");
	lab.policy.key = lab_path("client.key");
	lab.policy.certificate = certificate;
	assert_int_equal(prepare(&lab), 0);
	lab_end(&lab);
}

/* A key of another kind than the certificate's is a mismatch as well. */
static void
test_key_kind(void **state)
{
	struct lab lab;
	EVP_PKEY *rsa = EVP_RSA_gen(2048);

	(void)state;
	lab_begin(&lab);
	set_client(&lab);
	lab.policy.key = lab_write("rsa.key", NULL, rsa);
	expect_broken(&lab, FAILURE_LOCAL_KEY_MISMATCH, lab.policy.key, "");
	lab_end(&lab);
	EVP_PKEY_free(rsa);
}

static void
write_encrypted(const char *path, EVP_PKEY *key, const char *password)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(PEM_write_PKCS8PrivateKey(file, key, EVP_aes_128_cbc(), password,
					      (int)strlen(password), NULL, NULL));
	fclose(file);
}

static void
test_password(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	set_client(&lab);
	write_encrypted(lab.policy.key, client.key, "open sesame");
	expect_broken(&lab, FAILURE_LOCAL_KEY_LOAD, lab.policy.key, "key_password_file is not set");
	lab.policy.key_password_file = lab_path("nowhere");
	expect_broken(&lab, FAILURE_LOCAL_KEY_LOAD, lab.policy.key_password_file, "No such file");
	lab.policy.key_password_file = lab_write_text("password", "");
	expect_broken(&lab, FAILURE_LOCAL_KEY_LOAD, lab.policy.key_password_file, "empty");
	lab.policy.key_password_file = lab_write_text("password", "wrong\n");
	expect_broken(&lab, FAILURE_LOCAL_KEY_LOAD, lab.policy.key, "password");
	lab.policy.key_password_file = lab_write_text("password", "open sesame\r\nmore\n");
	assert_int_equal(prepare(&lab), 0);
	lab_end(&lab);
}

static void
test_ca(void **state)
{
	struct lab lab;
	char *good;

	(void)state;
	lab_begin(&lab);
	good = (char *)lab.policy.ca_file;
	lab.policy.ca_file = lab_path("nowhere.pem");
	expect_broken(&lab, FAILURE_LOCAL_CA_LOAD, lab.policy.ca_file, "No such file or directory");
	lab.policy.ca_file = lab_write_text("empty.pem", "");
	expect_broken(&lab, FAILURE_LOCAL_CA_LOAD, lab.policy.ca_file, "");
	lab.policy.ca_file = lab_write_text("bad.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
	expect_broken(&lab, FAILURE_LOCAL_CA_LOAD, lab.policy.ca_file, "");
	lab.policy.verify = VERIFY_PIN; /* needs no CA */
	assert_int_equal(prepare(&lab), 0);
	lab.policy.ca_file = good;
	lab_end(&lab);
}

static void
test_ca_directory(void **state)
{
	struct lab lab;
	char *good, name[64];

	(void)state;
	lab_begin(&lab);
	good = (char *)lab.policy.ca_file;
	lab.policy.ca_file = NULL;
	lab.policy.ca_dir = lab_path("nowhere");
	expect_broken(&lab, FAILURE_LOCAL_CA_LOAD, lab.policy.ca_dir, "No such file or directory");
	lab.policy.ca_dir = lab_path("cas");
	assert_int_equal(mkdir(lab.policy.ca_dir, 0755), 0);
	expect_broken(&lab, FAILURE_LOCAL_CA_LOAD, lab.policy.ca_dir, "rehash");
	snprintf(name, sizeof(name), "cas/%08lx.0", X509_subject_name_hash(lab_root.x509));
	lab_write(name, (X509 *[]){ lab_root.x509, NULL }, NULL);
	assert_code(lab_code(&lab, NULL), FAILURE_NONE);
	lab.policy.ca_dir = NULL;
	lab.policy.ca_file = good;
	lab_end(&lab);
}

static void
test_system_ca(void **state)
{
	struct lab lab;
	char *good;

	(void)state;
	lab_begin(&lab);
	good = (char *)lab.policy.ca_file;
	lab.policy.ca_file = NULL;
	setenv("SSL_CERT_DIR", "/nonexistent", 1);
	setenv("SSL_CERT_FILE", "/nonexistent.pem", 1);
	expect_broken(&lab, FAILURE_LOCAL_CA_LOAD, "/nonexistent.pem", "No such file");
	unsetenv("SSL_CERT_DIR");
	setenv("SSL_CERT_FILE", good, 1);
	assert_code(lab_code(&lab, NULL), FAILURE_NONE);
	unsetenv("SSL_CERT_FILE");
	lab.policy.ca_file = good;
	lab_end(&lab);
}

/* A file of 4097 CRLs, one more than are taken: to use only some of them would be to trust what has been revoked. */
static const char *
write_many_crls(void)
{
	const char *path = lab_write_crl("one.crl", &lab_root, NULL, 3600, false);
	char one[4096];
	FILE *file = fopen(path, "r");
	size_t length = fread(one, 1, sizeof(one), file);

	fclose(file);
	path = lab_path("many.crl");
	file = fopen(path, "w");
	for (unsigned int i = 0; i < 4097; i++)
		assert_int_equal(fwrite(one, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
	return path;
}

static void
test_crl_file(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	lab.policy.crl_file = lab_path("nowhere.crl");
	expect_broken(&lab, FAILURE_LOCAL_CA_LOAD, lab.policy.crl_file, "No such file or directory");
	lab.policy.crl_file = lab_write_text("empty.crl", "nothing\n");
	expect_broken(&lab, FAILURE_LOCAL_CA_LOAD, lab.policy.crl_file, "no CRL in it");
	lab.policy.crl_file = write_many_crls();
	expect_broken(&lab, FAILURE_LOCAL_CA_LOAD, lab.policy.crl_file, "too many CRLs in it");
	lab_end(&lab);
}

/* A file of a certificate once more than are taken. */
static const char *
write_many_certificates(void)
{
	const char *path = lab_path("many.pem");
	FILE *file = fopen(path, "we");

	for (unsigned int i = 0; i < 4097; i++)
		assert_true(PEM_write_X509(file, lab_root.x509));
	assert_int_equal(fclose(file), 0);
	return path;
}

/* What is no file of certificates by its mere size is not read: that would hold up all links of the worker. */
static void
test_too_large(void **state)
{
	static const char why[] = "it is larger than 32 MiB";
	const char *large = lab_write_text("large.pem", "");
	struct lab lab;
	char *good;

	(void)state;
	assert_int_equal(truncate(large, 32 * 1024 * 1024 + 1), 0);
	lab_begin(&lab);
	good = (char *)lab.policy.ca_file;
	lab.policy.ca_file = large;
	expect_broken(&lab, FAILURE_LOCAL_CA_LOAD, large, why);
	lab.policy.ca_file = write_many_certificates();
	expect_broken(&lab, FAILURE_LOCAL_CA_LOAD, lab.policy.ca_file, "too many certificates in it");
	lab.policy.ca_file = good;
	lab.policy.crl_file = large;
	expect_broken(&lab, FAILURE_LOCAL_CA_LOAD, large, why);
	lab.policy.crl_file = NULL;
	set_client(&lab);
	lab.policy.key = large;
	expect_broken(&lab, FAILURE_LOCAL_KEY_LOAD, large, why);
	lab.policy.certificate = large;
	expect_broken(&lab, FAILURE_LOCAL_CERTIFICATE_LOAD, large, why);
	lab_end(&lab);
}

static void
expect_option(struct lab *lab, const char *option)
{
	const char *found = NULL;
	char why[128];

	expect_broken(lab, FAILURE_LOCAL_TLS_CONFIG, NULL, "");
	assert_string_equal(failure_detail(&lab->failure, "option"), option);
	if (strcmp(option, "keylog_file") == 0)
		return;
	assert_int_equal(tls_check_policy(&lab->policy, &found, why, sizeof(why)), -EINVAL);
	assert_string_equal(found, option);
	assert_true(strlen(why) > 5);
}

static void
test_settings(void **state)
{
	struct lab lab;
	const char *option;
	char why[128];

	(void)state;
	lab_begin(&lab);
	lab.policy.ciphers = "NO-SUCH-CIPHER";
	expect_option(&lab, "ciphers");
	lab.policy.ciphers = NULL;
	lab.policy.ciphersuites = "TLS_NO_SUCH";
	expect_option(&lab, "ciphersuites");
	lab.policy.ciphersuites = NULL;
	lab.policy.groups = "P-999";
	expect_option(&lab, "groups");
	lab.policy.groups = NULL;
	lab.policy.signature_algorithms = "ROT13";
	expect_option(&lab, "signature_algorithms");
	lab.policy.signature_algorithms = NULL;
	lab.policy.min_version = TLS_POLICY_VERSION_1_3;
	lab.policy.max_version = TLS_POLICY_VERSION_1_2;
	expect_option(&lab, "max_version");
	lab.policy.max_version = 0;
	lab.policy.keylog_file = lab_path("nowhere/keys");
	expect_option(&lab, "keylog_file");
	lab.policy.keylog_file = NULL;
	lab.policy.groups = "X25519:P-256";
	lab.policy.ciphersuites = "TLS_AES_128_GCM_SHA256";
	lab.policy.security_level = 2;
	assert_int_equal(tls_check_policy(&lab.policy, &option, why, sizeof(why)), 0);
	assert_code(lab_code(&lab, NULL), FAILURE_NONE);
	lab_end(&lab);
}

/* Whatever setting leads to a FIFO that nobody ever writes or reads: it is refused, and not waited for. */
static void
test_fifos(void **state)
{
	const char *why = "it is no regular file";
	const char *fifo = lab_path("fifo"), *folder = lab_path("folder");
	struct lab lab;
	char *good;

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(mkfifo(lab_path("folder/5ed36f99.0"), 0600), 0);
	lab_begin(&lab);
	good = (char *)lab.policy.ca_file;
	lab.policy.ca_file = fifo;
	expect_broken(&lab, FAILURE_LOCAL_CA_LOAD, fifo, why);
	lab.policy.ca_file = NULL;
	lab.policy.ca_dir = folder;
	expect_broken(&lab, FAILURE_LOCAL_CA_LOAD, folder, "something in it is no regular file");
	lab.policy.ca_dir = fifo;
	expect_broken(&lab, FAILURE_LOCAL_CA_LOAD, fifo, "Not a directory");
	lab.policy.ca_dir = NULL;
	lab.policy.ca_file = good;
	lab.policy.crl_file = fifo;
	expect_broken(&lab, FAILURE_LOCAL_CA_LOAD, fifo, why);
	lab.policy.crl_file = NULL;
	lab.policy.keylog_file = fifo;
	expect_broken(&lab, FAILURE_LOCAL_TLS_CONFIG, fifo, why);
	assert_string_equal(failure_detail(&lab.failure, "option"), "keylog_file");
	lab.policy.keylog_file = NULL;
	set_client(&lab);
	write_encrypted(lab.policy.key, client.key, "open sesame");
	lab.policy.key_password_file = fifo;
	expect_broken(&lab, FAILURE_LOCAL_KEY_LOAD, fifo, why);
	lab.policy.key = fifo;
	expect_broken(&lab, FAILURE_LOCAL_KEY_LOAD, fifo, why);
	lab.policy.certificate = fifo;
	expect_broken(&lab, FAILURE_LOCAL_CERTIFICATE_LOAD, fifo, why);
	lab.policy.certificate = "/dev/tty";
	expect_broken(&lab, FAILURE_LOCAL_CERTIFICATE_LOAD, "/dev/tty", "");
	lab_end(&lab);
}

/* Intermediates behind our own certificate are sent along; one that is broken is told of. */
static void
test_own_chain(void **state)
{
	STACK_OF(X509) *others = NULL;
	struct lab lab;
	FILE *file;

	(void)state;
	lab_begin(&lab);
	set_client(&lab);
	lab.policy.certificate = lab_write("chain.pem",
					   (X509 *[]){ client.x509, lab_mid.x509, NULL }, NULL);
	assert_int_equal(prepare(&lab), 0);
	SSL_CTX_get0_chain_certs(lab.sessions->context->ssl_ctx, &others);
	assert_int_equal(sk_X509_num(others), 1);
	file = fopen(lab.policy.certificate, "ae");
	fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", file);
	fclose(file);
	lab_end(&lab);
	lab_begin(&lab);
	set_client(&lab);
	lab.policy.certificate = lab_path("chain.pem");
	expect_broken(&lab, FAILURE_LOCAL_CERTIFICATE_LOAD, lab.policy.certificate, "");
	/* A certificate that is encrypted, as only a mistake can make it: nobody is asked for a password. */
	lab.policy.certificate = lab_write_text(
		"odd.pem", "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
			   "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAA\n"
			   "-----END CERTIFICATE-----\n");
	expect_broken(&lab, FAILURE_LOCAL_CERTIFICATE_LOAD, lab.policy.certificate, "");
	lab_end(&lab);
}

static void
test_keylog(void **state)
{
	struct lab lab;
	struct stat status;
	char line[256] = "";
	FILE *file;

	(void)state;
	lab_begin(&lab);
	lab.policy.keylog_file = lab_path("keys.log");
	assert_code(lab_code(&lab, NULL), FAILURE_NONE);
	assert_int_equal(stat(lab.policy.keylog_file, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	file = fopen(lab.policy.keylog_file, "re");
	assert_non_null(fgets(line, sizeof(line), file));
	assert_non_null(strstr(line, "_SECRET "));
	assert_non_null(strchr(line, '\n'));
	fclose(file);
	lab_end(&lab);
}

/* A bad new file leaves the old context in use and says so, once its badness is known without reading it again. */
static void
test_changes(void **state)
{
	struct lab lab;
	struct tls_context *first;

	(void)state;
	lab_begin(&lab);
	set_client(&lab);
	assert_int_equal(prepare(&lab), 0);
	first = lab.sessions->context;
	assert_int_equal(prepare(&lab), 0);
	assert_ptr_equal(lab.sessions->context, first);
	lab_write("client.key", NULL, lab_leaf.key);
	lab.now -= 2 * USEC_PER_SEC; /* prepare() adds them again: no second has passed */
	assert_int_equal(prepare(&lab), 0);
	assert_int_equal(prepare(&lab), 1);
	assert_code(lab.failure.code, FAILURE_LOCAL_KEY_MISMATCH);
	assert_ptr_equal(lab.sessions->context, first);
	assert_int_equal(prepare(&lab), 1);
	assert_code(lab.failure.code, FAILURE_LOCAL_KEY_MISMATCH);
	unlink(lab.policy.key);
	assert_int_equal(prepare(&lab), 1);
	assert_code(lab.failure.code, FAILURE_LOCAL_KEY_LOAD);
	lab_write("client.key", NULL, client.key);
	assert_int_equal(prepare(&lab), 0);
	assert_ptr_not_equal(lab.sessions->context, first);
	assert_null(lab.sessions->context->broken);
	lab_end(&lab);
}

/* Have no descriptor left for a while. */
static void
starve(bool starving)
{
	static struct rlimit usual;
	struct rlimit none;

	if (!starving) {
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
		return;
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
	none = usual;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

/* A good new file that could not be read for want of descriptors is read once there are some, though it has not changed since. */
static void
test_shortage(void **state)
{
	struct lab lab;
	uint64_t first;

	(void)state;
	lab_begin(&lab);
	set_client(&lab);
	assert_int_equal(prepare(&lab), 0);
	first = lab.sessions->context->identity;
	lab_write("client.pem", (X509 *[]){ client.x509, lab_mid.x509, NULL }, NULL);
	starve(true);
	assert_int_equal(prepare(&lab), 1);
	starve(false);
	assert_code(lab.failure.code, FAILURE_LOCAL_CERTIFICATE_LOAD);
	assert_string_equal(lab.failure.error_name, "EMFILE");
	assert_int_equal(prepare(&lab), 1); /* not tried at once */
	assert_code(lab.failure.code, FAILURE_LOCAL_CERTIFICATE_LOAD);
	starve(true);
	lab.now += 10 * USEC_PER_SEC;
	assert_int_equal(prepare(&lab), 1); /* the shortage lasts */
	starve(false);
	lab.now += 10 * USEC_PER_SEC;
	assert_int_equal(prepare(&lab), 0);
	assert_true(lab.sessions->context->identity != first);
	assert_null(lab.sessions->context->broken);
	lab_end(&lab);
}

static int
setup(void **state)
{
	int r = lab_setup(state);

	lab_make(&client, &(struct lab_spec){ .name = "client", .issuer = &lab_mid });
	return r;
}

static int
teardown(void **state)
{
	lab_done(&client);
	return lab_teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificate), cmocka_unit_test(test_key),
		cmocka_unit_test(test_key_kind),    cmocka_unit_test(test_password),
		cmocka_unit_test(test_ca),	    cmocka_unit_test(test_ca_directory),
		cmocka_unit_test(test_system_ca),   cmocka_unit_test(test_crl_file),
		cmocka_unit_test(test_settings),    cmocka_unit_test(test_keylog),
		cmocka_unit_test(test_fifos),	    cmocka_unit_test(test_own_chain),
		cmocka_unit_test(test_changes),	    cmocka_unit_test(test_shortage),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

/* One connection: what can go wrong in the handshake and after it, against real servers and fake ones. */
#include "tls-lab.h"

#include "sys/fd.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- peers that speak no TLS ------------------------------------------------------------------------------------ */

static void
expect_plain(const void *bytes, size_t length, enum lab_then then, const char *protocol)
{
	struct lab lab;

	lab_begin(&lab);
	assert_int_equal(lab_speak(&lab, bytes, length, then), TLS_FAILED);
	assert_code(lab.failure.code, FAILURE_TLS_NOT_TLS);
	assert_string_equal(failure_detail(&lab.failure, "protocol"), protocol);
	assert_int_equal(lab.failure.evidence_length, length < 128 ? length : 128);
	assert_memory_equal(lab.failure.evidence, bytes, lab.failure.evidence_length);
	assert_null(lab.failure.chain);
	lab_end(&lab);
}

static void
test_plain(void **state)
{
	static const char http[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
	static const char smtp[] = "220 mail.example ESMTP ready\r\n";
	static const char mysql[] = "J\0\0\0\n8.0.36\0aaaa";
	char much[4000];

	(void)state;
	expect_plain(http, sizeof(http) - 1, LAB_THEN_CLOSE, "HTTP");
	expect_plain(smtp, sizeof(smtp) - 1, LAB_THEN_WAIT, "SMTP");
	expect_plain(smtp, sizeof(smtp) - 1, LAB_THEN_RESET, "SMTP");
	expect_plain("SSH-2.0-OpenSSH_9.2\r\n", 21, LAB_THEN_WAIT, "SSH");
	expect_plain(mysql, sizeof(mysql) - 1, LAB_THEN_WAIT, "MySQL");
	expect_plain("OK", 2, LAB_THEN_WAIT, "something else"); /* fewer octets than a record's header */
	expect_plain("\x16\x02zz", 4, LAB_THEN_CLOSE, "TLS record of a wrong version");
	memset(much, 'x', sizeof(much));
	expect_plain(much, sizeof(much), LAB_THEN_WAIT, "something else");
}

static enum failure_code
spoken(const void *bytes, size_t length, enum lab_then then)
{
	struct lab lab;
	enum failure_code code;

	lab_begin(&lab);
	assert_int_equal(lab_speak(&lab, bytes, length, then), TLS_FAILED);
	code = lab.failure.code;
	assert_int_equal(lab.failure.evidence_length, 0);
	lab_end(&lab);
	return code;
}

static void
test_end_of_transport(void **state)
{
	(void)state;
	assert_code(spoken(NULL, 0, LAB_THEN_CLOSE), FAILURE_TLS_CLOSED);
	assert_code(spoken(NULL, 0, LAB_THEN_RESET), FAILURE_TLS_RESET);
	assert_code(spoken("\x16\x03\x03", 3, LAB_THEN_CLOSE), FAILURE_TLS_CLOSED);
	assert_code(spoken("\x15\x03\x03\0\2\1\0", 7, LAB_THEN_CLOSE), FAILURE_TLS_CLOSED); /* close_notify */
}

static void
test_violation(void **state)
{
	(void)state;
	assert_code(spoken("\x17\x03\x03\0\1x", 6, LAB_THEN_WAIT), FAILURE_TLS_PROTOCOL);
	assert_code(spoken("\x16\x03\x03\0\6\2\0\0\2zz", 11, LAB_THEN_WAIT), FAILURE_TLS_PROTOCOL);
}

/* ---- alerts ----------------------------------------------------------------------------------------------------- */

static void
expect_alert(unsigned char level, unsigned char alert, enum failure_code code)
{
	struct lab lab;
	unsigned char record[] = { 21, 3, 3, 0, 2, level, alert };

	lab_begin(&lab);
	assert_int_equal(lab_speak(&lab, record, sizeof(record), LAB_THEN_CLOSE), TLS_FAILED);
	assert_code(lab.failure.code, code);
	assert_int_equal(lab.failure.alert_direction, level == 2 ? ALERT_RECEIVED : ALERT_NONE);
	if (level == 2)
		assert_int_equal(lab.failure.alert, alert);
	if (code == FAILURE_TLS_NAME_REFUSED)
		assert_string_equal(failure_detail(&lab.failure, "sni"), LAB_HOST);
	lab_end(&lab);
}

static void
test_alerts(void **state)
{
	(void)state;
	expect_alert(2, 40, FAILURE_TLS_NO_OVERLAP);
	expect_alert(2, 71, FAILURE_TLS_NO_OVERLAP);
	expect_alert(2, 70, FAILURE_TLS_VERSION);
	expect_alert(2, 120, FAILURE_TLS_ALPN);
	expect_alert(2, 112, FAILURE_TLS_NAME_REFUSED);
	expect_alert(2, 115, FAILURE_TLS_PSK_REJECTED);
	expect_alert(2, 80, FAILURE_TLS_PEER_INTERNAL);
	expect_alert(2, 20, FAILURE_TLS_CORRUPT);
	expect_alert(2, 51, FAILURE_TLS_CORRUPT);
	expect_alert(2, 50, FAILURE_TLS_PEER_ALERT);
	expect_alert(2, 48, FAILURE_TLS_PEER_ALERT); /* no certificate was asked for */
	expect_alert(2, 116, FAILURE_TLS_PEER_ALERT);
	expect_alert(2, 86, FAILURE_TLS_PEER_ALERT);
	expect_alert(1, 112, FAILURE_TLS_CLOSED); /* a warning, and then the end */
}

/* The server says why, and resets: the reason is read although writing has failed before. */
static void
test_alert_behind_reset(void **state)
{
	struct lab lab;
	unsigned char record[] = { 21, 3, 3, 0, 2, 2, 80 };

	(void)state;
	lab_begin(&lab);
	lab.policy.max_version = TLS_POLICY_VERSION_1_2;
	lab_handshake(&lab, NULL); /* makes the server's context */
	lab_disconnect(&lab);
	lab.policy.resumption = false;
	lab_connect(&lab);
	lab_client(&lab);
	lab.server = SSL_new(lab.server_ctx);
	SSL_set_fd(lab.server, lab.fds[1]);
	SSL_set_accept_state(lab.server);
	assert_int_equal(tls_handshake(lab.tls, &lab.failure), TLS_WANT_READ);
	lab_wait(lab.fds[1]);
	lab_serve(&lab);
	assert_int_equal(send(lab.fds[1], record, sizeof(record), 0), sizeof(record));
	lab_wait(lab.fds[0]);
	lab_hang_up(&lab, true);
	assert_int_equal(lab_shake(&lab), TLS_FAILED);
	assert_code(lab.failure.code, FAILURE_TLS_PEER_INTERNAL);
	lab_end(&lab);
}

/* ---- versions and algorithms ------------------------------------------------------------------------------------ */

static void
use_old_version(SSL_CTX *ctx)
{
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
	SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
}

static void
use_new_version(SSL_CTX *ctx)
{
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
}

static void
use_one_cipher(SSL_CTX *ctx)
{
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES128-GCM-SHA256");
}

static void
use_one_group(SSL_CTX *ctx)
{
	SSL_CTX_set1_groups_list(ctx, "P-384");
}

static void
test_versions(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	assert_code(lab_code(&lab, &(struct lab_server){ .configure = use_old_version }),
		    FAILURE_TLS_VERSION);
	lab_end(&lab);
	lab_begin(&lab);
	lab.policy.max_version = TLS_POLICY_VERSION_1_2;
	assert_code(lab_code(&lab, &(struct lab_server){ .configure = use_new_version }),
		    FAILURE_TLS_VERSION);
	assert_int_equal(lab.failure.alert, 70);
	assert_string_equal(lab.failure.error_name, "SSL_R_TLSV1_ALERT_PROTOCOL_VERSION");
	lab_end(&lab);
}

static void
test_no_overlap(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	lab.policy.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305";
	assert_code(lab_code(&lab, &(struct lab_server){ .configure = use_one_cipher }),
		    FAILURE_TLS_NO_OVERLAP);
	lab_end(&lab);
	lab_begin(&lab);
	lab.policy.groups = "X25519";
	assert_code(lab_code(&lab, &(struct lab_server){ .configure = use_one_group }),
		    FAILURE_TLS_NO_OVERLAP);
	lab_end(&lab);
}

/* Accepted setting by setting, together they leave nothing to offer. */
static void
test_nothing_to_offer(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	lab.policy.min_version = TLS_POLICY_VERSION_1_3;
	lab.policy.ciphersuites = "";
	assert_code(lab_code(&lab, NULL), FAILURE_LOCAL_TLS_CONFIG);
	assert_string_equal(failure_detail(&lab.failure, "why"), "SSL_R_NO_CIPHERS_AVAILABLE");
	lab_end(&lab);
}

/* The 1024-bit group of RFC 2409, section 6.2. */
static void
use_small_dh(SSL_CTX *ctx)
{
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *prime = BN_get_rfc2409_prime_1024(NULL), *generator = BN_new();
	EVP_PKEY *group = NULL;
	OSSL_PARAM *parameters;

	assert_true(BN_set_word(generator, 2));
	assert_true(OSSL_PARAM_BLD_push_BN(builder, "p", prime));
	assert_true(OSSL_PARAM_BLD_push_BN(builder, "g", generator));
	parameters = OSSL_PARAM_BLD_to_param(builder);
	assert_true(EVP_PKEY_fromdata_init(maker) > 0);
	assert_true(EVP_PKEY_fromdata(maker, &group, EVP_PKEY_KEY_PARAMETERS, parameters) > 0);
	assert_true(SSL_CTX_set0_tmp_dh_pkey(ctx, group));
	OSSL_PARAM_free(parameters);
	OSSL_PARAM_BLD_free(builder);
	BN_free(prime);
	BN_free(generator);
	EVP_PKEY_CTX_free(maker);
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(ctx, "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0");
}

static void
test_weak_parameters(void **state)
{
	struct lab lab;
	struct lab_cert cert;

	(void)state;
	lab_make(&cert, &(struct lab_spec){ .name = "rsa", .issuer = &lab_mid, .rsa_bits = 2048 });
	lab_begin(&lab);
	lab.policy.verify = VERIFY_CHAIN;
	lab.policy.ciphers = "DHE-RSA-AES128-GCM-SHA256";
	lab.policy.security_level = 2;
	assert_code(lab_code(&lab, &(struct lab_server){ .chain = { cert.x509, lab_mid.x509 },
							 .key = cert.key,
							 .configure = use_small_dh }),
		    FAILURE_TLS_WEAK_PARAMETERS);
	assert_string_equal(lab.failure.error_name, "SSL_R_DH_KEY_TOO_SMALL");
	assert_int_equal(lab.failure.alert_direction, ALERT_SENT);
	assert_int_equal(chain_count(lab.failure.chain), 2);
	lab_end(&lab);
	lab_done(&cert);
}

/* ---- ALPN and SNI ----------------------------------------------------------------------------------------------- */

static int
select_imap(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_length,
	    const unsigned char *offered, unsigned int length, void *arg)
{
	(void)ssl;
	for (unsigned int i = 0; i < length; i += offered[i] + 1u) {
		if (offered[i] == 4 && memcmp(offered + i + 1, "imap", 4) == 0) {
			*ret_name = offered + i + 1;
			*ret_length = 4;
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return arg ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
}

static void
use_alpn(SSL_CTX *ctx)
{
	SSL_CTX_set_alpn_select_cb(ctx, select_imap, NULL);
}

static void
use_strict_alpn(SSL_CTX *ctx)
{
	static char strict;

	SSL_CTX_set_alpn_select_cb(ctx, select_imap, &strict);
}

static void
test_alpn(void **state)
{
	struct lab lab;
	struct tls_info info;

	(void)state;
	lab_begin(&lab);
	lab.policy.alpn = (const unsigned char *)"\x02h2\x04imap";
	lab.policy.alpn_length = 8;
	lab.policy.alpn_required = true;
	assert_code(lab_code(&lab, &(struct lab_server){ .configure = use_alpn }), FAILURE_NONE);
	tls_info(lab.tls, &info);
	assert_string_equal(info.alpn, "imap");
	chain_unref(info.chain);
	lab.policy.alpn_length = 3;
	assert_code(lab_code(&lab, NULL), FAILURE_TLS_ALPN);
	lab.policy.alpn_required = false;
	assert_code(lab_code(&lab, NULL), FAILURE_NONE);
	lab_end(&lab);
	lab_begin(&lab);
	lab.policy.alpn = (const unsigned char *)"\x02h2";
	lab.policy.alpn_length = 3;
	assert_code(lab_code(&lab, &(struct lab_server){ .configure = use_strict_alpn }),
		    FAILURE_TLS_ALPN);
	assert_int_equal(lab.failure.alert, 120);
	lab_end(&lab);
}

static char seen_sni[64];

static int
refuse_name(SSL *ssl, int *ret_alert, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)arg;
	strncpy(seen_sni, name ? name : "(none)", sizeof(seen_sni) - 1);
	*ret_alert = SSL_AD_UNRECOGNIZED_NAME;
	return name && strcmp(name, "refused.example") == 0 ? SSL_TLSEXT_ERR_ALERT_FATAL :
							      SSL_TLSEXT_ERR_OK;
}

static void
use_sni(SSL_CTX *ctx)
{
	SSL_CTX_set_tlsext_servername_callback(ctx, refuse_name);
}

static void
test_sni(void **state)
{
	struct lab_server server = { .configure = use_sni };
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	assert_code(lab_code(&lab, &server), FAILURE_NONE);
	assert_string_equal(seen_sni, LAB_HOST);
	lab.policy.sni = "";
	assert_code(lab_code(&lab, &server), FAILURE_NONE);
	assert_string_equal(seen_sni, "(none)");
	lab.policy.sni = "refused.example.";
	assert_code(lab_code(&lab, &server), FAILURE_TLS_NAME_REFUSED);
	assert_string_equal(failure_detail(&lab.failure, "sni"), "refused.example");
	lab.policy.sni = NULL;
	lab.policy.verify_name = LAB_HOST;
	lab.target = (struct target){ .kind = TARGET_NAME, .host = "front.example" };
	assert_code(lab_code(&lab, &server), FAILURE_NONE);
	assert_string_equal(seen_sni, "front.example"); /* the host, whatever name is verified */
	lab.target = (struct target){ .kind = TARGET_ADDRESS, .host = "192.0.2.7" };
	assert_code(lab_code(&lab, &server), FAILURE_NONE);
	assert_string_equal(seen_sni, "(none)");
	lab_end(&lab);
}

/* Of a service the configured domain is verified, unless the file trusts plain DNS with the host's name. */
static void
test_service(void **state)
{
	struct lab_server server = { .configure = use_sni };
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	lab.target = (struct target){ .kind = TARGET_SERVICE, .host = "_imaps._tcp." LAB_HOST };
	lab.srv_host = "mail.elsewhere.example";
	assert_code(lab_code(&lab, &server), FAILURE_NONE);
	assert_string_equal(seen_sni, LAB_HOST);
	lab.policy.verify_name = VERIFY_NAME_SRV_TARGET;
	assert_code(lab_code(&lab, &server), FAILURE_TLS_CERTIFICATE_NAME);
	assert_string_equal(seen_sni, "mail.elsewhere.example");
	assert_string_equal(failure_detail(&lab.failure, "name"), "mail.elsewhere.example");
	lab.srv_host = "a.wild.example.";
	assert_code(lab_code(&lab, &server), FAILURE_NONE);
	assert_string_equal(seen_sni, "a.wild.example");
	lab.target = (struct target){ .kind = TARGET_NAME, .host = LAB_HOST }; /* no service: its own host */
	lab.srv_host = NULL;
	assert_code(lab_code(&lab, &server), FAILURE_NONE);
	assert_string_equal(seen_sni, LAB_HOST);
	lab_end(&lab);
}

/* ---- after the handshake ---------------------------------------------------------------------------------------- */

static void
begin_ready(struct lab *lab, int max_version)
{
	lab_begin(lab);
	lab->policy.max_version = max_version;
	assert_code(lab_code(lab, NULL), FAILURE_NONE);
	for (unsigned int i = 0; i < 3; i++)
		lab_serve(lab);
	lab->failure.stage = STAGE_READY;
}

static void
test_data(void **state)
{
	struct lab lab;
	char buffer[64];
	uint64_t received, sent;

	(void)state;
	begin_ready(&lab, 0);
	assert_int_equal(SSL_write(lab.server, "hello", 5), 5);
	assert_int_equal(lab_read(&lab, buffer, sizeof(buffer)), TLS_DONE);
	assert_string_equal(buffer, "hello");
	tls_bytes(lab.tls, &received, &sent);
	assert_true(received > 1000 && sent > 200);
	tls_quiet(lab.tls);
	assert_int_equal(SSL_write(lab.server, "again", 5), 5);
	assert_int_equal(lab_read(&lab, buffer, sizeof(buffer)), TLS_DONE);
	assert_string_equal(buffer, "again");
	assert_int_equal(lab_read(&lab, buffer, sizeof(buffer)), TLS_WANT_READ);
	lab_end(&lab);
}

/* The server asks for fresh keys; the idle client answers and stays connected. */
static void
test_key_update(void **state)
{
	struct lab lab;
	char buffer[64];

	(void)state;
	begin_ready(&lab, 0);
	assert_true(SSL_key_update(lab.server, SSL_KEY_UPDATE_REQUESTED));
	assert_int_equal(SSL_do_handshake(lab.server), 1);
	assert_int_equal(lab_read(&lab, buffer, sizeof(buffer)), TLS_WANT_READ);
	assert_int_equal(SSL_write(lab.server, "fresh", 5), 5);
	assert_int_equal(lab_read(&lab, buffer, sizeof(buffer)), TLS_DONE);
	assert_string_equal(buffer, "fresh");
	lab_end(&lab);
}

/* A server that sends nothing but key updates, more of them than one call reads: the call ends, and so does the connection. */
static void
test_key_updates_without_end(void **state)
{
	struct lab lab;
	unsigned int count = 0;

	(void)state;
	begin_ready(&lab, 0);
	do {
		assert_true(SSL_key_update(lab.server, SSL_KEY_UPDATE_NOT_REQUESTED));
		count++;
	} while (count < 10000 && SSL_do_handshake(lab.server) == 1);
	assert_true(count > 3000);
	assert_code(lab_read_code(&lab), FAILURE_PROTOCOL_UNSOLICITED_DATA);
	lab_end(&lab);
}

static void
test_close_notify(void **state)
{
	struct lab lab;

	(void)state;
	for (int version = TLS_POLICY_VERSION_1_2; version <= TLS_POLICY_VERSION_1_3; version++) {
		begin_ready(&lab, version);
		SSL_shutdown(lab.server);
		assert_code(lab_read_code(&lab), FAILURE_CONNECTION_CLOSED);
		assert_int_equal(lab.failure.alert_direction, ALERT_NONE);
		assert_int_equal(chain_count(lab.failure.chain), 2);
		lab_end(&lab);
	}
}

static void
test_truncated_and_reset(void **state)
{
	struct lab lab;

	(void)state;
	for (int version = TLS_POLICY_VERSION_1_2; version <= TLS_POLICY_VERSION_1_3; version++) {
		begin_ready(&lab, version);
		lab_hang_up(&lab, false);
		assert_code(lab_read_code(&lab), FAILURE_CONNECTION_TRUNCATED);
		assert_string_equal(lab.failure.error_name, "SSL_R_UNEXPECTED_EOF_WHILE_READING");
		lab_end(&lab);
		begin_ready(&lab, version);
		lab_hang_up(&lab, true);
		assert_code(lab_read_code(&lab), FAILURE_CONNECTION_RESET);
		assert_string_equal(lab.failure.error_name, "ECONNRESET");
		lab_end(&lab);
	}
}

/* A record nobody can decrypt, and one of a type nobody knows. */
static void
test_corrupt(void **state)
{
	static const unsigned char bad_mac[5 + 40] = { 23, 3, 3, 0, 40 };
	static const unsigned char bad_type[] = { 99, 3, 3, 0, 1, 0 };
	struct lab lab;

	(void)state;
	begin_ready(&lab, 0);
	assert_int_equal(send(lab.fds[1], bad_mac, sizeof(bad_mac), 0), sizeof(bad_mac));
	assert_code(lab_read_code(&lab), FAILURE_TLS_CORRUPT);
	assert_int_equal(lab.failure.alert_direction, ALERT_SENT);
	lab_end(&lab);
	begin_ready(&lab, 0);
	assert_int_equal(send(lab.fds[1], bad_type, sizeof(bad_type), 0), sizeof(bad_type));
	assert_code(lab_read_code(&lab), FAILURE_TLS_PROTOCOL);
	lab_end(&lab);
}

/* A HelloRequest is declined, and the connection goes on. */
static void
test_renegotiation(void **state)
{
	struct lab lab;
	char buffer[64];
	size_t length;

	(void)state;
	begin_ready(&lab, TLS_POLICY_VERSION_1_2);
	SSL_renegotiate(lab.server);
	assert_int_equal(SSL_do_handshake(lab.server), 1);
	lab_wait(lab.fds[0]);
	assert_int_equal(tls_read(lab.tls, buffer, sizeof(buffer), &length, &lab.failure),
			 TLS_WANT_READ);
	lab_wait(lab.fds[1]);
	ERR_clear_error();
	assert_int_equal(SSL_read(lab.server, buffer, sizeof(buffer)), -1);
	assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
	lab_end(&lab);
}

static void
test_shutdown(void **state)
{
	struct lab lab;
	enum tls_result result = TLS_WANT_READ;

	(void)state;
	begin_ready(&lab, 0);
	assert_int_equal(SSL_write(lab.server, "late", 4), 4); /* stands before its close_notify */
	assert_int_equal(tls_shutdown(lab.tls), TLS_WANT_READ);
	lab_wait(lab.fds[1]);
	lab_serve(&lab);
	assert_int_equal(SSL_shutdown(lab.server), 1);
	while (result == TLS_WANT_READ) {
		lab_wait(lab.fds[0]);
		result = tls_shutdown(lab.tls);
	}
	assert_int_equal(result, TLS_DONE);
	lab_end(&lab);
	begin_ready(&lab, 0);
	lab_hang_up(&lab, true);
	lab_wait(lab.fds[0]);
	assert_int_equal(tls_shutdown(lab.tls), TLS_FAILED); /* and no SIGPIPE */
	lab_end(&lab);
}

/* A dead descriptor is our own affair, not TLS's. */
static void
test_other_errno(void **state)
{
	struct lab lab;

	(void)state;
	begin_ready(&lab, 0);
	assert_int_equal(dup2(STDERR_FILENO, lab.fds[0]), lab.fds[0]);
	assert_code(lab_read_code(&lab), FAILURE_SOCKET_IO);
	assert_string_equal(lab.failure.error_name, "ENOTSOCK");
	lab_end(&lab);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_end_of_transport),
		cmocka_unit_test(test_violation),
		cmocka_unit_test(test_alerts),
		cmocka_unit_test(test_alert_behind_reset),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_no_overlap),
		cmocka_unit_test(test_nothing_to_offer),
		cmocka_unit_test(test_weak_parameters),
		cmocka_unit_test(test_alpn),
		cmocka_unit_test(test_sni),
		cmocka_unit_test(test_service),
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_key_update),
		cmocka_unit_test(test_key_updates_without_end),
		cmocka_unit_test(test_close_notify),
		cmocka_unit_test(test_truncated_and_reset),
		cmocka_unit_test(test_corrupt),
		cmocka_unit_test(test_renegotiation),
		cmocka_unit_test(test_shutdown),
		cmocka_unit_test(test_other_errno),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}

/* Peers that speak no TLS, or one that nobody should: how long they are listened to, and what is made of it. */
#include "tls-lab.h"

#include "sys/fd.h"

#include <string.h>
#include <sys/socket.h>

/* The client has sent its ClientHello; the test speaks for the peer. */
static void
begin(struct lab *lab)
{
	lab_begin(lab);
	lab_connect(lab);
	lab_client(lab);
	assert_int_equal(tls_handshake(lab->tls, &lab->failure), TLS_WANT_READ);
}

static void
say(struct lab *lab, const void *bytes, size_t length)
{
	assert_int_equal(send(lab->fds[1], bytes, length, MSG_NOSIGNAL), (ssize_t)length);
	lab_wait(lab->fds[0]);
}

static void
expect_named(struct lab *lab, const char *protocol, const char *evidence, size_t length)
{
	assert_code(lab->failure.code, FAILURE_TLS_NOT_TLS);
	assert_string_equal(failure_detail(&lab->failure, "protocol"), protocol);
	assert_int_equal(lab->failure.evidence_length, length);
	assert_memory_equal(lab->failure.evidence, evidence, length);
}

/* One octet after the other: the name is waited for, and the first octets are all there. */
static void
test_split_banner(void **state)
{
	static const char banner[] = "SSH-2.0-OpenSSH_9.2p1\r\n";
	struct lab lab;

	(void)state;
	begin(&lab);
	for (unsigned int i = 0; i < 3; i++) {
		say(&lab, &banner[i], 1);
		assert_int_equal(tls_handshake(lab.tls, &lab.failure), TLS_WANT_READ);
	}
	say(&lab, banner + 3, sizeof(banner) - 4);
	assert_int_equal(tls_handshake(lab.tls, &lab.failure), TLS_FAILED);
	expect_named(&lab, "SSH", banner, sizeof(banner) - 1);
	lab_end(&lab);
}

/* OpenSSL has seen enough of it long before we have; what it said is still told. */
static void
test_split_greeting(void **state)
{
	static const char banner[] = "220 mail.example ESMTP\r\n";
	struct lab lab;

	(void)state;
	begin(&lab);
	say(&lab, banner, 12);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(tls_handshake(lab.tls, &lab.failure), TLS_WANT_READ);
	say(&lab, banner + 12, sizeof(banner) - 13);
	assert_int_equal(tls_handshake(lab.tls, &lab.failure), TLS_FAILED);
	expect_named(&lab, "SMTP", banner, sizeof(banner) - 1);
	assert_string_equal(lab.failure.error_name, "SSL_R_WRONG_VERSION_NUMBER");
	lab_end(&lab);
}

/* It begins, and then stalls: at the deadline it is known for what it is. */
static void
test_stall(void **state)
{
	struct lab lab;

	(void)state;
	begin(&lab);
	assert_false(tls_late(lab.tls, &lab.failure));
	say(&lab, "2", 1);
	assert_int_equal(tls_handshake(lab.tls, &lab.failure), TLS_WANT_READ);
	assert_true(tls_late(lab.tls, &lab.failure));
	expect_named(&lab, "something else", "2", 1);
	lab_end(&lab);
	begin(&lab);
	say(&lab, "220 mail.example ", 17);
	assert_int_equal(tls_handshake(lab.tls, &lab.failure), TLS_WANT_READ);
	assert_true(tls_late(lab.tls, &lab.failure));
	expect_named(&lab, "SMTP or FTP", "220 mail.example ", 17);
	lab_end(&lab);
	begin(&lab);
	say(&lab, "\x16\3", 2); /* a record that has begun is nothing to wonder at */
	assert_int_equal(tls_handshake(lab.tls, &lab.failure), TLS_WANT_READ);
	assert_false(tls_late(lab.tls, &lab.failure));
	lab_end(&lab);
}

static void
test_end(void **state)
{
	struct lab lab;

	(void)state;
	for (unsigned int reset = 0; reset < 2; reset++) {
		begin(&lab);
		say(&lab, "2", 1);
		assert_int_equal(tls_handshake(lab.tls, &lab.failure), TLS_WANT_READ);
		lab_hang_up(&lab, reset);
		lab_wait(lab.fds[0]);
		assert_int_equal(tls_handshake(lab.tls, &lab.failure), TLS_FAILED);
		expect_named(&lab, "something else", "2", 1);
		lab_end(&lab);
	}
	begin(&lab);
	assert_int_equal(send(lab.fds[1], "x", 1, 0), 1);
	lab_wait(lab.fds[0]);
	assert_int_equal(tls_handshake(lab.tls, &lab.failure), TLS_FAILED); /* no word that we know begins so */
	expect_named(&lab, "something else", "x", 1);
	lab_end(&lab);
}

/* A line that never ends is listened to for as long as there is room for it. */
static void
test_endless_line(void **state)
{
	struct lab lab;
	char line[FAILURE_EVIDENCE_MAX * 2] = "220 ";

	(void)state;
	memset(line + 4, 'a', sizeof(line) - 4);
	begin(&lab);
	say(&lab, line, FAILURE_EVIDENCE_MAX - 1);
	assert_int_equal(tls_handshake(lab.tls, &lab.failure), TLS_WANT_READ);
	say(&lab, line + FAILURE_EVIDENCE_MAX - 1, 2);
	assert_int_equal(tls_handshake(lab.tls, &lab.failure), TLS_FAILED);
	expect_named(&lab, "SMTP or FTP", line, FAILURE_EVIDENCE_MAX);
	lab_end(&lab);
}

/* ---- TLS that nobody should speak ------------------------------------------------------------------------------- */

/* TLS 1.2 without extensions, as before RFC 5746. */
static void
test_no_secure_renegotiation(void **state)
{
	unsigned char hello[] = {
		22,   3,    3, 0, 42, 2, 0, 0, 38, 3, 3,		/* ServerHello, TLS 1.2 */
		1,    2,    3, 4, 5,  6, 7, 8, 1,  2, 3, 4, 5, 6, 7, 8, /* random */
		1,    2,    3, 4, 5,  6, 7, 8, 1,  2, 3, 4, 5, 6, 7, 8, 0, /* no session */
		0xc0, 0x2f, 0, /* ECDHE-RSA-AES128-GCM-SHA256 */
	};
	char buffer[128];
	struct text text = TEXT_INIT(buffer);
	struct lab lab;

	(void)state;
	begin(&lab);
	say(&lab, hello, sizeof(hello));
	assert_int_equal(tls_handshake(lab.tls, &lab.failure), TLS_FAILED);
	assert_code(lab.failure.code, FAILURE_TLS_WEAK_PARAMETERS);
	assert_string_equal(lab.failure.error_name, "SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED");
	assert_int_equal(lab.failure.alert_direction, ALERT_SENT);
	failure_hint(&lab.failure, &text);
	assert_string_equal(buffer,
			    "The server is too weak: it knows no secure renegotiation (RFC 5746).");
	lab_end(&lab);
}

static void
test_sslv2(void **state)
{
	static const unsigned char hello[] = { 0x80, 11, 4, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0 };
	struct lab lab;

	(void)state;
	begin(&lab);
	say(&lab, hello, sizeof(hello));
	assert_int_equal(tls_handshake(lab.tls, &lab.failure), TLS_FAILED);
	expect_named(&lab, "TLS record of a wrong version", (const char *)hello, sizeof(hello));
	lab_end(&lab);
}

/* A name that begins with a dot would be all names that end so: OpenSSL takes it for a pattern, and we for a mistake. */
static void
test_pattern(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	lab.policy.verify_name = ".example";
	lab.policy.sni = LAB_HOST;
	assert_code(lab_code(&lab, NULL), FAILURE_LOCAL_TLS_CONFIG);
	assert_string_equal(failure_detail(&lab.failure, "option"), "verify_name");
	lab_end(&lab);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split_banner), cmocka_unit_test(test_split_greeting),
		cmocka_unit_test(test_stall),	     cmocka_unit_test(test_end),
		cmocka_unit_test(test_endless_line), cmocka_unit_test(test_no_secure_renegotiation),
		cmocka_unit_test(test_sslv2),	     cmocka_unit_test(test_pattern),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}

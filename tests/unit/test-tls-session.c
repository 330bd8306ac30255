/* Resumption: it must save a handshake, and never a judgement. */
#include "tls-lab.h"

#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/tls_internal.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Connect, take the tickets that come, and say whether the handshake was a resumed one. */
static bool
resumed(struct lab *lab, const struct lab_server *server)
{
	struct tls_info info;
	char buffer[64];

	assert_code(lab_code(lab, server), FAILURE_NONE);
	assert_int_equal(lab_read(lab, buffer, sizeof(buffer)), TLS_WANT_READ);
	tls_info(lab->tls, &info);
	assert_true(chain_count(info.chain) >= 1); /* of the full handshake, if this was none */
	chain_unref(info.chain);
	return info.resumed;
}

static void
test_resumed(void **state)
{
	struct lab lab;
	struct tls_info info;

	(void)state;
	for (int version = TLS_POLICY_VERSION_1_2; version <= TLS_POLICY_VERSION_1_3; version++) {
		lab_begin(&lab);
		lab.policy.max_version = version;
		assert_false(resumed(&lab, NULL));
		for (unsigned int i = 0; i < 4; i++)
			assert_true(resumed(&lab, NULL));
		tls_info(lab.tls, &info);
		assert_string_equal(info.version,
				    version == TLS_POLICY_VERSION_1_2 ? "TLSv1.2" : "TLSv1.3");
		chain_unref(info.chain);
		lab_end(&lab);
	}
}

static void
test_off(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	lab.policy.resumption = false;
	assert_false(resumed(&lab, NULL));
	assert_false(resumed(&lab, NULL));
	lab_end(&lab);
}

static void
send_one_ticket(SSL_CTX *ctx)
{
	SSL_CTX_set_num_tickets(ctx, 1);
}

/* One TLS 1.3 ticket serves one connection; two connections begun at once do not share it. */
static void
test_single_use(void **state)
{
	struct lab_server server = { .configure = send_one_ticket };
	struct lab lab;
	struct tls *other;
	int fd;

	(void)state;
	lab_begin(&lab);
	assert_false(resumed(&lab, &server));
	lab_disconnect(&lab);
	lab_connect(&lab);
	lab_client(&lab); /* takes the ticket */
	other = lab.tls;
	lab.tls = NULL;
	fd = dup(lab.fds[0]);
	assert_false(resumed(&lab, &server));
	tls_free(other);
	fd_close(fd);
	lab_end(&lab);
}

/* At least once an hour there is a full handshake, counted from the last full one, however often it was resumed. */
static void
test_hourly(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	assert_false(resumed(&lab, NULL));
	for (unsigned int i = 0; i < 5; i++) {
		lab.now += 11 * USEC_PER_MINUTE;
		assert_true(resumed(&lab, NULL));
	}
	lab.now += 5 * USEC_PER_MINUTE;
	assert_false(resumed(&lab, NULL));
	lab.now += 59 * USEC_PER_MINUTE;
	assert_true(resumed(&lab, NULL));
	lab_end(&lab);
}

/* Another name, another kind of verification, other pins: the full judgement is due. */
static void
test_judgement(void **state)
{
	struct lab lab;
	unsigned char bad[1][32] = { { 1 } }, good[1][32];

	(void)state;
	lab_pin(lab_leaf.x509, good[0]);
	lab_begin(&lab);
	assert_false(resumed(&lab, NULL));
	lab.policy.verify_name = "wrong.example";
	assert_code(lab_code(&lab, NULL), FAILURE_TLS_CERTIFICATE_NAME);
	lab.policy.verify_name = "a.wild.example";
	assert_false(resumed(&lab, NULL));
	lab.policy.sni = "other.example";
	assert_false(resumed(&lab, NULL));
	assert_true(resumed(&lab, NULL));
	lab.policy.pins = bad;
	lab.policy.pin_count = 1;
	assert_code(lab_code(&lab, NULL), FAILURE_TLS_CERTIFICATE_PIN);
	lab.policy.pins = good;
	assert_true(resumed(&lab, NULL));
	lab.policy.verify = VERIFY_CHAIN;
	assert_false(resumed(&lab, NULL));
	lab_end(&lab);
}

/* A crash of the server is when resumption is wanted most. */
static void
test_after_truncation(void **state)
{
	struct lab lab;

	(void)state;
	for (int version = TLS_POLICY_VERSION_1_2; version <= TLS_POLICY_VERSION_1_3; version++) {
		lab_begin(&lab);
		lab.policy.max_version = version;
		assert_false(resumed(&lab, &(struct lab_server){ .configure = send_one_ticket }));
		lab.failure.stage = STAGE_READY;
		lab_hang_up(&lab, false);
		assert_code(lab_read_code(&lab), FAILURE_CONNECTION_TRUNCATED);
		assert_true(resumed(&lab, NULL));
		lab_end(&lab);
	}
}

/* After a fatal alert the tickets are forgotten. */
static void
test_after_alert(void **state)
{
	struct lab lab;
	unsigned char record[] = { 21, 3, 3, 0, 2, 2, 80 };

	(void)state;
	lab_begin(&lab);
	assert_false(resumed(&lab, NULL));
	assert_int_equal(lab_speak(&lab, record, sizeof(record), LAB_THEN_CLOSE), TLS_FAILED);
	assert_code(lab.failure.code, FAILURE_TLS_PEER_INTERNAL);
	assert_false(resumed(&lab, NULL));
	lab_end(&lab);
}

/* What was made without verification is worth nothing once there is some. */
static void
test_stricter(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	lab.policy.verify = VERIFY_NONE;
	lab.policy.verify_name = "wrong.example";
	assert_false(resumed(&lab, NULL));
	assert_true(resumed(&lab, NULL));
	lab.policy.verify = VERIFY_FULL;
	assert_code(lab_code(&lab, NULL), FAILURE_TLS_CERTIFICATE_NAME);
	lab_end(&lab);
}

/* Until the verified chain's first certificate ends, here the leaf, and no longer. */
static void
test_chain_expires(void **state)
{
	struct lab lab;
	struct lab_cert leaf;
	struct lab_server server;

	(void)state;
	lab_make(&leaf, &(struct lab_spec){ .name = "short",
					    .issuer = &lab_mid,
					    .from = -60,
					    .to = 3600,
					    .ext = { { NID_subject_alt_name, "DNS:" LAB_HOST } } });
	server = (struct lab_server){ .chain = { leaf.x509, lab_mid.x509 }, .key = leaf.key };
	lab_begin(&lab);
	assert_false(resumed(&lab, &server));
	assert_true(resumed(&lab, &server));
	for (unsigned int i = 0; i < TLS_SESSIONS_MAX; i++) {
		struct tls_ticket *ticket = &lab.sessions->tickets[i];

		if (!ticket->session)
			continue;
		assert_int_equal(ticket->origin.trusted_until,
				 tls_time_seconds(X509_get0_notAfter(leaf.x509)));
		ticket->origin.trusted_until = (int64_t)(clock_realtime() / USEC_PER_SEC);
	}
	assert_false(resumed(&lab, &server));
	lab_end(&lab);
	lab_done(&leaf);
}

/* A change of a file makes a fresh context, and the old one's tickets are gone. */
static void
test_context_changes(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	free((char *)lab.policy.ca_file);
	lab.policy.ca_file = strdup(lab_write("own.pem", (X509 *[]){ lab_root.x509, NULL }, NULL));
	assert_false(resumed(&lab, NULL));
	assert_true(resumed(&lab, NULL));
	lab_write("own.pem", (X509 *[]){ lab_root.x509, lab_mid.x509, NULL }, NULL);
	lab.now += 2 * USEC_PER_SEC;
	assert_false(resumed(&lab, NULL));
	assert_true(resumed(&lab, NULL));
	lab_end(&lab);
}

/* A server that has forgotten its keys gets a full handshake, verified afresh. */
static void
test_server_forgets(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	assert_false(resumed(&lab, NULL));
	lab_disconnect(&lab);
	SSL_CTX_free(lab.server_ctx);
	lab.server_ctx = NULL;
	lab.now += 50 * USEC_PER_MINUTE;
	assert_false(resumed(&lab, NULL));
	lab.now += 50 * USEC_PER_MINUTE; /* the hour is counted from that one */
	assert_true(resumed(&lab, NULL));
	lab_end(&lab);
}

static bool
resumed_at(struct lab *lab, const char *host, uint16_t port)
{
	lab->target = (struct target){ .kind = TARGET_NAME, .port = port };
	text_copy(lab->target.host, sizeof(lab->target.host), host);
	return resumed(lab, NULL);
}

/* An upstream of several targets under one name: a ticket goes back to where it came from, and to nobody else. */
static void
test_peers(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab);
	lab.policy.verify_name = LAB_HOST;
	assert_false(resumed_at(&lab, "one.example", 443));
	assert_false(resumed_at(&lab, "two.example", 443));
	assert_false(resumed_at(&lab, "two.example", 8443));
	assert_true(resumed_at(&lab, "one.example", 443));
	assert_true(resumed_at(&lab, "two.example", 443));
	assert_true(resumed_at(&lab, "two.example", 8443));
	lab.srv_host = "three.example";
	assert_false(resumed_at(&lab, "two.example", 8443));
	assert_true(resumed_at(&lab, "two.example", 8443));
	lab.srv_host = "four.example";
	assert_false(resumed_at(&lab, "two.example", 8443));
	lab_end(&lab);
}

static void
send_many_tickets(SSL_CTX *ctx)
{
	SSL_CTX_set_num_tickets(ctx, 5);
}

/* Many peers: there is room for so many, of which none takes the room of others. */
static void
test_many_peers(void **state)
{
	struct lab lab;
	char host[32];
	unsigned int count = 0;

	(void)state;
	lab_begin(&lab);
	lab.policy.verify_name = LAB_HOST;
	assert_false(resumed(&lab, &(struct lab_server){ .configure = send_many_tickets }));
	for (unsigned int i = 0; i < TLS_SESSIONS_MAX; i++)
		count += lab.sessions->tickets[i].session != NULL;
	assert_int_equal(count, TLS_SESSIONS_PEER_MAX);
	count = 0;
	for (unsigned int i = 0; i < TLS_SESSIONS_MAX; i++) {
		snprintf(host, sizeof(host), "peer%u.example", i);
		lab.now += USEC_PER_SEC;
		assert_false(resumed_at(&lab, host, 443));
	}
	for (unsigned int i = 0; i < TLS_SESSIONS_MAX; i++) {
		unsigned int same = 0;

		for (unsigned int j = 0; j < TLS_SESSIONS_MAX; j++)
			same += strcmp(lab.sessions->tickets[i].peer, lab.sessions->tickets[j].peer) == 0;
		assert_true(same <= TLS_SESSIONS_PEER_MAX);
	}
	for (unsigned int i = TLS_SESSIONS_MAX - TLS_SESSIONS_MAX / TLS_SESSIONS_PEER_MAX;
	     i < TLS_SESSIONS_MAX; i++) {
		snprintf(host, sizeof(host), "peer%u.example", i);
		count += resumed_at(&lab, host, 443);
	}
	assert_int_equal(count, TLS_SESSIONS_MAX / TLS_SESSIONS_PEER_MAX);
	lab_end(&lab);
}

/* The upstream may be gone before its last connection is. */
static void
test_outlived(void **state)
{
	struct lab lab;
	char buffer[64];

	(void)state;
	lab_begin(&lab);
	assert_code(lab_code(&lab, NULL), FAILURE_NONE);
	lab.sessions = tls_sessions_free(lab.sessions);
	assert_int_equal(lab_read(&lab, buffer, sizeof(buffer)), TLS_WANT_READ); /* tickets nobody keeps */
	lab_end(&lab);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resumed),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_single_use),
		cmocka_unit_test(test_hourly),
		cmocka_unit_test(test_judgement),
		cmocka_unit_test(test_stricter),
		cmocka_unit_test(test_chain_expires),
		cmocka_unit_test(test_context_changes),
		cmocka_unit_test(test_server_forgets),
		cmocka_unit_test(test_outlived),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_many_peers),
		cmocka_unit_test(test_after_truncation),
		cmocka_unit_test(test_after_alert),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}

/* worker: links with TLS to a real server on loopback. */
#include "worker-harness.h"

#include "sys/clock.h"
#include "sys/fd.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MANY 200u

static struct authority authority;

static int
set_up(void **state)
{
	(void)state;
	authority_make(&authority);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	authority_done(&authority);
	return 0;
}

static void
a_verified_link_tells_what_was_negotiated(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, authority_server(&authority, 86400));
	struct host host;
	struct host_link *link;

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_tls_upstream("ldap", server->address, 1, &authority), false);
	link = host_link(&host, 1, 1);
	host_until(&host, link->status.stage == STAGE_READY);
	assert_true(link->status.has_tls);
	assert_string_equal(link->status.tls.version, "TLSv1.3");
	assert_false(link->status.tls.resumed);
	assert_int_equal(link->chain_length, 1);
	assert_true(link->status.timing[STAGE_HANDSHAKE] != USEC_INFINITY);
	/* The ticket comes a moment after; the next connection uses it. */
	host_for(&host, 50 * USEC_PER_MSEC);
	host_command(&host, 1, COMMAND_RECONNECT);
	host_until(&host, host.closes == 1 && link->status.stage == STAGE_READY);
	assert_true(link->status.tls.resumed);
	assert_int_equal(link->chain_length, 1);
	assert_int_equal(host.failures, 0);
	host_end(&host);
	server_end(server);
}

static void
the_end_of_a_tls_connection_has_a_name(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, authority_server(&authority, 86400));
	struct host host;
	struct host_link *link;

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_tls_upstream("ldap", server->address, 1, &authority), false);
	link = host_link(&host, 1, 1);
	host_until(&host, host.ready[0] == 1);
	host_for(&host, 50 * USEC_PER_MSEC); /* what is unread would turn an end into a reset */
	server_close_all(server);
	host_until(&host, host.failures == 1 && host.ready[0] == 1);
	assert_int_equal(link->failure.code, FAILURE_CONNECTION_CLOSED_EARLY);
	host_for(&host, 50 * USEC_PER_MSEC);
	server_reset_all(server);
	host_until(&host, host.failures == 2 && host.ready[0] == 1);
	assert_int_equal(link->failure.code, FAILURE_CONNECTION_RESET);
	host_end(&host);
	server_end(server);
}

static void
a_certificate_that_has_ended_is_refused(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, authority_server(&authority, -3600));
	struct host host;
	struct host_link *link;

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_tls_upstream("ldap", server->address, 1, &authority), false);
	link = host_link(&host, 1, 1);
	host_until(&host, link->failures > 1);
	assert_int_equal(link->failure.code, FAILURE_TLS_CERTIFICATE_EXPIRED);
	assert_int_equal(link->failure.stage, STAGE_HANDSHAKE);
	assert_non_null(link->failure.chain); /* it had one; its reference is gone by now */
	host_end(&host);
	server_end(server);
}

static void
plain_text_on_a_tls_port_is_seen(void **state)
{
	struct server *server = server_start(CONDUCT_GREET, NULL);
	struct host host;
	struct host_link *link;

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_tls_upstream("ldap", server->address, 1, &authority), false);
	link = host_link(&host, 1, 1);
	host_until(&host, link->failures > 0);
	assert_int_equal(link->failure.code, FAILURE_TLS_NOT_TLS);
	assert_memory_equal(link->failure.evidence, "hello", 5);
	host_end(&host);
	server_end(server);
}

static void
verification_switched_off_is_a_warning(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, authority_server(&authority, -3600));
	struct upstream *upstream;
	struct host host;

	(void)state;
	host_start(&host);
	upstream = make_tls_upstream("ldap", server->address, 2, &authority);
	upstream->policy.tls.verify = VERIFY_NONE;
	host_set(&host, 1, upstream, false);
	host_until(&host, host.ready[0] == 2);
	assert_int_equal(host.warnings[WARNING_VERIFICATION_DISABLED], 1);
	host_end(&host);
	server_end(server);
}

static void
without_a_client_certificate_the_verdict_is_awaited(void **state)
{
	SSL_CTX *tls = authority_server(&authority, 86400);
	struct upstream *upstream;
	struct server *server;
	struct host host;
	struct host_link *link;
	char certificate[128], key[128];

	(void)state;
	authority_demand_client(tls, &authority);
	server = server_start(CONDUCT_HOLD, tls);
	host_start(&host);
	upstream = make_tls_upstream("ldap", server->address, 1, &authority);
	upstream->policy.timeout[STAGE_SETTLE] = 10 * USEC_PER_SEC; /* the server's verdict shall be seen */
	host_set(&host, 1, upstream, false);
	link = host_link(&host, 1, 1);
	host_until(&host, link->failures > 0);
	assert_int_equal(link->failure.code, FAILURE_TLS_CLIENT_CERTIFICATE_REQUIRED);
	assert_false(link->was_ready);
	authority_client(&authority, certificate, key);
	upstream = make_tls_upstream("ldap", server->address, 1, &authority);
	upstream->policy.timeout[STAGE_SETTLE] = 10 * USEC_PER_SEC;
	upstream->policy.tls.certificate = upstream_keep(upstream, certificate, strlen(certificate) + 1);
	upstream->policy.tls.key = upstream_keep(upstream, key, strlen(key) + 1);
	host_set(&host, 1, upstream, false);
	host_until(&host, host.ready[0] == 1);
	/* The ticket told that we were accepted: nobody waited for the ten seconds. */
	assert_true(link->status.timing[STAGE_SETTLE] < 10 * USEC_PER_SEC);
	host_end(&host);
	server_end(server);
}

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
copy_file(const char *from, const char *to)
{
	char text[8192];
	FILE *file = fopen(from, "r");
	size_t length;

	assert_non_null(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	fclose(file);
	write_file(to, text);
}

static void
a_missing_file_holds_its_upstream_until_it_comes(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, authority_server(&authority, 86400));
	struct upstream *upstream;
	struct host host;
	struct host_link *link;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/late.pem", authority.directory);
	host_start(&host);
	upstream = make_tls_upstream("ldap", server->address, 1, &authority);
	upstream->policy.tls.ca_file = upstream_keep(upstream, path, strlen(path) + 1);
	upstream->policy.retry.initial = upstream->policy.retry.max = USEC_PER_HOUR;
	upstream->policy.retry.jitter = JITTER_NONE;
	host_set(&host, 1, upstream, false);
	link = host_link(&host, 1, 1);
	host_until(&host, link->status.stage == STAGE_BACKOFF);
	assert_int_equal(link->failure.code, FAILURE_LOCAL_CA_LOAD);
	assert_int_equal(link->failure.stage, STAGE_LOAD);
	copy_file(authority.ca_file, path);
	host_for(&host, 1100 * USEC_PER_MSEC); /* files are looked at once a second at most */
	host_command(&host, 0, COMMAND_RELOAD_FILES);
	host_until(&host, host.ready[0] == 1);
	/* Broken afterwards: the older one stays in use, and that is said, once. */
	write_file(path, "this is no certificate at all\n");
	host_for(&host, 1100 * USEC_PER_MSEC);
	for (unsigned int round = 1; round <= 2; round++) {
		host_command(&host, 1, COMMAND_RECONNECT);
		host_until(&host, host.closes == round && host.ready[0] == 1);
	}
	assert_int_equal(host.warnings[WARNING_STALE_FILES], 1);
	assert_int_equal(host.warning_failure.code, FAILURE_LOCAL_CA_LOAD);
	assert_int_equal(host.failures, 1);
	/* Mended: that the warning is over is said, once. */
	copy_file(authority.ca_file, path);
	host_for(&host, 1100 * USEC_PER_MSEC);
	host_command(&host, 0, COMMAND_RELOAD_FILES);
	host_until(&host, host.warnings[WARNING_STALE_FILES] == 2);
	assert_int_equal(host.warning_failure.code, FAILURE_NONE);
	host_command(&host, 1, COMMAND_RECONNECT);
	host_until(&host, host.closes == 3 && host.ready[0] == 1);
	assert_int_equal(host.warnings[WARNING_STALE_FILES], 2);
	host_end(&host);
	server_end(server);
	unlink(path);
}

/* Nobody says that the file has come, neither a reload nor the end of the backoff. */
static void
a_file_that_comes_is_seen(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, authority_server(&authority, 86400));
	struct upstream *upstream = make_tls_upstream("ldap", server->address, 2, &authority);
	struct host host;
	char path[128], aside[160];

	(void)state;
	snprintf(path, sizeof(path), "%s/coming.pem", authority.directory);
	snprintf(aside, sizeof(aside), "%s.new", path);
	upstream->policy.tls.ca_file = upstream_keep(upstream, path, strlen(path) + 1);
	upstream->policy.retry.initial = upstream->policy.retry.max = USEC_PER_HOUR;
	host_start(&host);
	host_set(&host, 1, upstream, false);
	host_until(&host, host.failures == 2);
	host_for(&host, 2200 * USEC_PER_MSEC); /* two ticks */
	assert_int_equal(host.failures, 2);    /* nothing has changed, nothing was tried */
	write_file(path, "this is no certificate at all\n");
	host_until(&host, host.failures == 4);
	host_for(&host, 2200 * USEC_PER_MSEC);
	assert_int_equal(host.failures, 4);
	copy_file(authority.ca_file, aside);
	assert_int_equal(rename(aside, path), 0);
	host_until(&host, host.ready[0] == 2);
	assert_int_equal(host.failures, 4);
	host_end(&host);
	server_end(server);
	unlink(path);
}

static void
a_silent_server_has_its_time(void **state)
{
	struct server *server = server_start(CONDUCT_DEAF, NULL);
	struct upstream *upstream = make_tls_upstream("ldap", server->address, 1, &authority);
	struct host host;

	(void)state;
	upstream->policy.timeout[STAGE_HANDSHAKE] = 100 * USEC_PER_MSEC;
	host_start(&host);
	host_set(&host, 1, upstream, false);
	host_until(&host, host.failures > 1);
	assert_int_equal(host_link(&host, 1, 1)->failure.code, FAILURE_TIMEOUT_HANDSHAKE);
	host_end(&host);
	server_end(server);
}

static void
a_change_in_place_keeps_the_session(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, authority_server(&authority, 86400));
	struct host host;

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_tls_upstream("ldap", server->address, 2, &authority), false);
	host_until(&host, host.ready[0] == 2);
	/* The connection goes on with the upstream it was made with: the sanitizers watch. */
	for (unsigned int round = 0; round < 5; round++)
		host_set(&host, 1, make_tls_upstream("ldap", server->address, 2, &authority), true);
	host_for(&host, 1500 * USEC_PER_MSEC); /* it goes quiet meanwhile */
	server_close_all(server);
	host_until(&host, host.failures == 2 && host.ready[0] == 2);
	host_set(&host, 1, make_tls_upstream("ldap", server->address, 2, &authority), false);
	host_until(&host, host.closes == 2);
	assert_int_equal(host_link(&host, 1, 1)->reason, CLOSE_RELOAD);
	host_end(&host);
	server_end(server);
}

static void
a_flood_through_tls_is_ended(void **state)
{
	struct server *server = server_start(CONDUCT_FLOOD, authority_server(&authority, 86400));
	struct host host;

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_tls_upstream("ldap", server->address, 1, &authority), false);
	host_until(&host, host.failures > 2);
	assert_int_equal(host_link(&host, 1, 1)->failure.code, FAILURE_PROTOCOL_UNSOLICITED_DATA);
	host_end(&host);
	server_end(server);
}

static void
many_come_up_and_come_back(void **state)
{
	struct server *server = server_start(CONDUCT_HOLD, authority_server(&authority, 86400));
	struct host host;

	(void)state;
	host_start(&host);
	host_set(&host, 1, make_tls_upstream("ldap", server->address, MANY, &authority), false);
	host_until(&host, host.ready[0] == MANY);
	assert_int_equal(host.failures, 0);
	host_for(&host, 100 * USEC_PER_MSEC);
	server_reset_all(server);
	host_until(&host, host.failures == MANY && host.ready[0] == MANY);
	for (unsigned int number = 1; number <= MANY; number++)
		assert_int_equal(host_link(&host, 1, number)->failure.code, FAILURE_CONNECTION_RESET);
	host_end(&host);
	server_end(server);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_verified_link_tells_what_was_negotiated),
		cmocka_unit_test(the_end_of_a_tls_connection_has_a_name),
		cmocka_unit_test(a_certificate_that_has_ended_is_refused),
		cmocka_unit_test(plain_text_on_a_tls_port_is_seen),
		cmocka_unit_test(verification_switched_off_is_a_warning),
		cmocka_unit_test(without_a_client_certificate_the_verdict_is_awaited),
		cmocka_unit_test(a_missing_file_holds_its_upstream_until_it_comes),
		cmocka_unit_test(a_file_that_comes_is_seen),
		cmocka_unit_test(a_silent_server_has_its_time),
		cmocka_unit_test(a_change_in_place_keeps_the_session),
		cmocka_unit_test(a_flood_through_tls_is_ended),
		cmocka_unit_test(many_come_up_and_come_back),
	};

	/* Servers write to whoever has gone; a client that is not the worker's thread must survive that. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

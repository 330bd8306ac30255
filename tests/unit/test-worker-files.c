/* worker: certificates, keys and authorities that change while links are ready, and those that end. */
#include "worker-talk.h"

#include "sys/clock.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct authority authority, stranger;
static char ca_path[128];

#define assert_code(got, expected) assert_string_equal(failure_name(got), failure_name(expected))

static int
set_up(void **state)
{
	(void)state;
	authority_make(&authority);
	authority_make(&stranger);
	snprintf(ca_path, sizeof(ca_path), "%s/in-use.pem", authority.directory);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(ca_path);
	authority_done(&authority);
	authority_done(&stranger);
	return 0;
}

static void
secure(struct talk *talk)
{
	if (atomic_load(&talk->talker->mood) || !talk_secure(talk))
		return;
	atomic_fetch_add(&talk->talker->heard, 1);
	talk_wait_end(talk);
}

/* By an atomic rename, as whoever renews certificates does it; all in `from`, one after the other. */
static void
install(const char *const *from, unsigned int count, const char *to)
{
	char aside[160], text[8192];
	FILE *file, *source;
	size_t length;

	snprintf(aside, sizeof(aside), "%s.new", to);
	file = fopen(aside, "w");
	assert_non_null(file);
	for (unsigned int i = 0; i < count; i++) {
		source = fopen(from[i], "r");
		assert_non_null(source);
		length = fread(text, 1, sizeof(text), source);
		assert_int_equal(fwrite(text, 1, length, file), length);
		fclose(source);
	}
	fclose(file);
	assert_int_equal(rename(aside, to), 0);
}

static void
install_ca(const struct authority *a, const struct authority *b)
{
	const char *from[2] = { a->ca_file, b ? b->ca_file : NULL };

	install(from, b ? 2 : 1, ca_path);
}

static void
keep(struct upstream *upstream, const char **ret, const char *text)
{
	*ret = upstream_keep(upstream, text, strlen(text) + 1);
}

static struct upstream *
make_watched(const struct talker *talker, unsigned int connections)
{
	struct upstream *upstream = make_tls_upstream("watched", talker->address, connections,
						      &authority);

	keep(upstream, &upstream->policy.tls.ca_file, ca_path);
	upstream->policy.attempt_timeout = 2 * USEC_PER_SEC;
	return upstream;
}

/* ---- trust ---------------------------------------------------------------------------------------- */

static void
a_live_link_is_judged_when_the_authorities_change(void **state)
{
	struct talker *talker = talker_start(secure);
	SSL_CTX *tls = authority_server(&authority, 86400);
	struct host host;

	(void)state;
	talker->tls = tls;
	install_ca(&authority, NULL);
	host_start(&host);
	host_set(&host, 1, make_watched(talker, 2), false);
	host_until(&host, host.ready[0] == 2);
	/* One more authority: what is trusted stays as it is. */
	install_ca(&authority, &stranger);
	host_for(&host, 2500 * USEC_PER_MSEC);
	assert_int_equal(host.failures + host.closes, 0);
	assert_int_equal(atomic_load(&talker->accepted), 2);
	/* Rubbish: the old ones stay in use, and that is said; and when it is over. */
	install((const char *const[]){ "/proc/self/status" }, 1, ca_path);
	host_until(&host, host.warnings[WARNING_STALE_FILES] == 1);
	assert_int_equal(host.failures + host.closes, 0);
	install_ca(&authority, NULL);
	host_until(&host, host.warnings[WARNING_STALE_FILES] == 2);
	assert_int_equal(host.last_warning[WARNING_STALE_FILES].code, FAILURE_NONE);
	/* Another one alone: both fail, while ready, without anybody's word. */
	install_ca(&stranger, NULL);
	host_until(&host, host_link(&host, 1, 1)->failures > 0 && host_link(&host, 1, 2)->failures > 0);
	install_ca(&authority, NULL);
	host_until(&host, host.ready[0] == 2);
	host_end(&host);
	talker_end(talker);
	SSL_CTX_free(tls);
}

static void
a_live_link_fails_by_what_is_not_trusted_any_more(void **state)
{
	struct talker *talker = talker_start(secure);
	SSL_CTX *tls = authority_server(&authority, 86400);
	struct upstream *upstream;
	struct host_link *link;
	struct host host;

	(void)state;
	talker->tls = tls;
	install_ca(&authority, NULL);
	host_start(&host);
	upstream = make_watched(talker, 1);
	upstream->policy.retry.initial = upstream->policy.retry.max = USEC_PER_HOUR;
	host_set(&host, 1, upstream, false);
	host_until(&host, host.ready[0] == 1);
	install_ca(&stranger, NULL);
	host_command(&host, 0, COMMAND_RELOAD_FILES);
	link = host_link(&host, 1, 1);
	host_until(&host, link->failures == 1);
	assert_int_equal(link->failure.stage, STAGE_READY);
	assert_int_equal(failure_class(link->failure.code), CLASS_TLS);
	assert_int_equal(host.closes, 0);
	host_end(&host);
	talker_end(talker);
	SSL_CTX_free(tls);
}

/* The old connection would work on; but it is not what the file trusts any more. */
static void
a_reload_that_trusts_no_more_ends_the_link_at_once(void **state)
{
	struct talker *talker = talker_start(secure);
	SSL_CTX *tls = authority_server(&authority, 86400);
	struct upstream *upstream;
	struct host_link *link;
	struct host host;

	(void)state;
	talker->tls = tls;
	install_ca(&authority, NULL);
	host_start(&host);
	host_set(&host, 1, make_watched(talker, 1), false);
	host_until(&host, host.ready[0] == 1);
	upstream = make_watched(talker, 1);
	upstream->policy.attempt_timeout = 30 * USEC_PER_SEC; /* what a successor would be given */
	upstream->policy.retry.initial = upstream->policy.retry.max = USEC_PER_HOUR;
	upstream->policy.tls.pins = upstream_keep(upstream, (unsigned char[32]){ 1 }, 32);
	upstream->policy.tls.pin_count = 1;
	host_set(&host, 1, upstream, false);
	link = host_link(&host, 1, 1);
	host_until(&host, link->failures == 2); /* the connection's end, and the attempt that followed */
	assert_code(link->failure.code, FAILURE_TLS_CERTIFICATE_PIN);
	assert_int_equal(link->failure.stage, STAGE_HANDSHAKE);
	assert_int_equal(host.closes, 0);
	host_end(&host);
	talker_end(talker);
	SSL_CTX_free(tls);
}

/* ---- our certificate ------------------------------------------------------------------------------ */

static void
another_client_certificate_renews_one_after_the_other(void **state)
{
	struct talker *talker = talker_start(secure);
	SSL_CTX *tls = authority_server(&authority, 86400);
	struct upstream *upstream;
	char certificate[128], key[128];
	struct host host;

	(void)state;
	authority_demand_client(tls, &authority);
	talker->tls = tls;
	authority_client(&authority, certificate, key);
	install_ca(&authority, NULL);
	host_start(&host);
	upstream = make_watched(talker, 3);
	keep(upstream, &upstream->policy.tls.certificate, certificate);
	keep(upstream, &upstream->policy.tls.key, key);
	host_set(&host, 1, upstream, false);
	host_until(&host, host.ready[0] == 3);
	host_watch_ready(&host);
	authority_client(&authority, certificate, key);
	host_until(&host, host.closes == 3 && host.ready[0] == 3);
	assert_int_equal(host_link(&host, 1, 2)->reason, CLOSE_CERTIFICATE_ROTATED);
	assert_int_equal(host.least_ready[0], 3);
	assert_int_equal(host.failures, 0);
	host_for(&host, 2500 * USEC_PER_MSEC);
	assert_int_equal(host.closes, 3); /* once */
	host_end(&host);
	talker_end(talker);
	SSL_CTX_free(tls);
}

/* The renewed one is not of the server's authority, though of that name: no healthy connection is given up for it. */
static void
a_refused_client_certificate_costs_no_connection(void **state)
{
	struct talker *talker = talker_start(secure);
	SSL_CTX *tls = authority_server(&authority, 86400);
	struct upstream *upstream;
	char certificate[128], key[128], other[2][128];
	struct host host;

	(void)state;
	authority_demand_client(tls, &authority);
	talker->tls = tls;
	authority_client(&authority, certificate, key);
	authority_client(&stranger, other[0], other[1]);
	install_ca(&authority, NULL);
	host_start(&host);
	upstream = make_watched(talker, 3);
	upstream->policy.attempt_timeout = USEC_PER_SEC;
	upstream->policy.retry.initial = upstream->policy.retry.max = USEC_PER_HOUR;
	keep(upstream, &upstream->policy.tls.certificate, certificate);
	keep(upstream, &upstream->policy.tls.key, key);
	host_set(&host, 1, upstream, false);
	host_until(&host, host.ready[0] == 3);
	host_watch_ready(&host);
	install((const char *const[]){ other[0] }, 1, certificate);
	install((const char *const[]){ other[1] }, 1, key);
	host_until(&host, host.warnings[WARNING_ROTATION_STOPPED] == 1);
	assert_code(host.last_warning[WARNING_ROTATION_STOPPED].code,
		    FAILURE_TLS_CLIENT_CERTIFICATE_REJECTED);
	host_for(&host, 4 * USEC_PER_SEC);
	assert_int_equal(host.least_ready[0], 3);
	assert_int_equal(host.closes, 0);
	/* The others were not even tried, and it is said once. */
	assert_int_equal(host_link(&host, 1, 1)->failures, 1);
	assert_int_equal(host_link(&host, 1, 2)->failures + host_link(&host, 1, 3)->failures, 0);
	assert_int_equal(host.warnings[WARNING_ROTATION_STOPPED], 1);
	/* The right one makes the round, once, however long the refused would have waited. */
	authority_client(&authority, certificate, key);
	host_until(&host, host.closes == 3 && host.ready[0] == 3);
	host_until(&host, host.warnings[WARNING_ROTATION_STOPPED] == 2);
	assert_int_equal(host.last_warning[WARNING_ROTATION_STOPPED].code, FAILURE_NONE);
	host_for(&host, 2500 * USEC_PER_MSEC);
	assert_int_equal(host.closes, 3);
	assert_int_equal(host.least_ready[0], 3);
	host_end(&host);
	talker_end(talker);
	SSL_CTX_free(tls);
}

/* ---- the end of certificates ---------------------------------------------------------------------- */

static void
an_ended_certificate_is_renewed_once(void **state)
{
	struct talker *talker = talker_start(secure);
	SSL_CTX *brief = authority_server(&authority, 4), *good = authority_server(&authority, 86400);
	struct upstream *upstream;
	struct host_link *link;
	struct host host;

	(void)state;
	talker->tls = brief;
	install_ca(&authority, NULL);
	host_start(&host);
	upstream = make_watched(talker, 1);
	upstream->policy.tls.expiry_warning = USEC_PER_HOUR;
	host_set(&host, 1, upstream, false);
	host_until(&host, host.ready[0] == 1);
	/* Soon: a warning with its date. */
	host_until(&host, host.warnings[WARNING_CERTIFICATE_EXPIRES] == 1);
	assert_true(host.last_number[WARNING_CERTIFICATE_EXPIRES] >= clock_realtime() / USEC_PER_SEC);
	host_watch_ready(&host);
	talker->tls = good;
	link = host_link(&host, 1, 1);
	host_until(&host, link->closes == 1 && host.ready[0] == 1);
	assert_int_equal(link->reason, CLOSE_CERTIFICATE_ROTATED);
	assert_int_equal(host.least_ready[0], 1);
	assert_int_equal(host.failures, 0);
	assert_int_equal(host.warnings[WARNING_CERTIFICATE_CHANGED], 1);
	assert_non_null(failure_detail(&host.last_warning[WARNING_CERTIFICATE_CHANGED], "old"));
	assert_non_null(failure_detail(&host.last_warning[WARNING_CERTIFICATE_CHANGED], "new"));
	/* The day is far off again, seen from that one. */
	host_until(&host, host.overs[WARNING_CERTIFICATE_EXPIRES] == 1);
	host_end(&host);
	talker_end(talker);
	SSL_CTX_free(brief);
	SSL_CTX_free(good);
}

/* The peer has no other: the successor shows it, and the connection fails by what it was made with. */
static void
without_another_certificate_the_live_link_fails(void **state)
{
	struct talker *talker = talker_start(secure);
	SSL_CTX *brief = authority_server(&authority, 3);
	struct upstream *upstream;
	struct host_link *link;
	struct host host;

	(void)state;
	talker->tls = brief;
	install_ca(&authority, NULL);
	host_start(&host);
	upstream = make_watched(talker, 1);
	upstream->policy.retry.initial = upstream->policy.retry.max = USEC_PER_HOUR;
	host_set(&host, 1, upstream, false);
	host_until(&host, host.ready[0] == 1);
	link = host_link(&host, 1, 1);
	host_until(&host, link->failures == 1);
	assert_code(link->failure.code, FAILURE_TLS_CERTIFICATE_EXPIRED);
	assert_int_equal(link->failure.stage, STAGE_HANDSHAKE);
	host_until(&host, link->failures == 2);
	assert_code(link->failure.code, FAILURE_TLS_CERTIFICATE_EXPIRED);
	assert_int_equal(link->failure.stage, STAGE_READY);
	host_for(&host, 2500 * USEC_PER_MSEC);
	assert_int_equal(host.failures, 2); /* no storm */
	assert_int_equal(host.closes, 0);
	host_end(&host);
	talker_end(talker);
	SSL_CTX_free(brief);
}

/* Nobody can tell whether the peer has another: an attempt's time is waited for that. */
static void
out_of_reach_the_live_link_fails_in_the_end(void **state)
{
	struct talker *talker = talker_start(secure);
	SSL_CTX *brief = authority_server(&authority, 3);
	struct upstream *upstream;
	struct host_link *link;
	struct host host;

	(void)state;
	talker->tls = brief;
	install_ca(&authority, NULL);
	host_start(&host);
	upstream = make_watched(talker, 1);
	upstream->policy.retry.initial = upstream->policy.retry.max = USEC_PER_HOUR;
	host_set(&host, 1, upstream, false);
	host_until(&host, host.ready[0] == 1);
	talker->mood = 1; /* from now on it hangs up */
	link = host_link(&host, 1, 1);
	host_until(&host, link->failures == 2);
	assert_code(link->failure.code, FAILURE_TLS_CERTIFICATE_EXPIRED);
	assert_int_equal(link->failure.stage, STAGE_READY);
	assert_int_equal(host.closes, 0);
	host_end(&host);
	talker_end(talker);
	SSL_CTX_free(brief);
}

static void
our_own_certificates_end_is_a_warning(void **state)
{
	struct talker *talker = talker_start(secure);
	SSL_CTX *tls = authority_server(&authority, 86400);
	struct upstream *upstream;
	char certificate[128], key[128];
	struct host host;

	(void)state;
	talker->tls = tls;
	install_ca(&authority, NULL);
	authority_client(&authority, certificate, key); /* for a day */
	host_start(&host);
	upstream = make_watched(talker, 1);
	keep(upstream, &upstream->policy.tls.certificate, certificate);
	keep(upstream, &upstream->policy.tls.key, key);
	upstream->policy.tls.expiry_warning = 2 * USEC_PER_DAY;
	host_set(&host, 1, upstream, false);
	host_until(&host, host.warnings[WARNING_OWN_CERTIFICATE] == 1);
	assert_true(host.last_number[WARNING_OWN_CERTIFICATE] > 0);
	assert_string_equal(failure_detail(&host.last_warning[WARNING_OWN_CERTIFICATE], "file"),
			    certificate);
	assert_int_equal(host.warnings[WARNING_CERTIFICATE_EXPIRES], 1); /* the server's ends as soon */
	host_end(&host);
	talker_end(talker);
	SSL_CTX_free(tls);
}

/* Nobody is ready, since nobody listens; our certificate ends all the same, and then another one comes. */
static void
our_own_certificates_end_needs_no_ready_link(void **state)
{
	struct upstream *upstream;
	char certificate[128], key[128], address[64];
	struct host host;

	(void)state;
	install_ca(&authority, NULL);
	authority_client(&authority, certificate, key);
	host_start(&host);
	upstream = make_tls_upstream("nobody", free_address(address, sizeof(address)), 1, &authority);
	keep(upstream, &upstream->policy.tls.certificate, certificate);
	keep(upstream, &upstream->policy.tls.key, key);
	upstream->policy.tls.expiry_warning = 2 * USEC_PER_DAY;
	host_set(&host, 1, upstream, false);
	host_until(&host, host.warnings[WARNING_OWN_CERTIFICATE] == 1);
	assert_false(host_link(&host, 1, 1)->was_ready);
	host_end(&host);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_live_link_is_judged_when_the_authorities_change),
		cmocka_unit_test(a_live_link_fails_by_what_is_not_trusted_any_more),
		cmocka_unit_test(a_reload_that_trusts_no_more_ends_the_link_at_once),
		cmocka_unit_test(another_client_certificate_renews_one_after_the_other),
		cmocka_unit_test(a_refused_client_certificate_costs_no_connection),
		cmocka_unit_test(an_ended_certificate_is_renewed_once),
		cmocka_unit_test(without_another_certificate_the_live_link_fails),
		cmocka_unit_test(out_of_reach_the_live_link_fails_in_the_end),
		cmocka_unit_test(our_own_certificates_end_is_a_warning),
		cmocka_unit_test(our_own_certificates_end_needs_no_ready_link),
	};

	/* Servers write to whoever has gone. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

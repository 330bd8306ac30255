/* core/link_attempt: names, the race, handshake and settling; who is blamed, and what is reported. */
#include "link-fixture.h"

#define SEC  USEC_PER_SEC
#define MSEC USEC_PER_MSEC

static void
check_report(const struct fixture *f, enum failure_code code, enum stage stage, usec_t elapsed)
{
	const struct failure *failure = effect_of(f, EFFECT_REPORT)->failure;

	assert_string_equal(failure_name(failure->code), failure_name(code));
	assert_string_equal(stage_name(failure->stage), stage_name(stage));
	assert_int_equal(failure->elapsed, elapsed);
	assert_int_equal(failure->attempt, f->link->attempt);
	assert_int_equal(failure->retry_delay, link_retry_delay(f->link, f->now));
}

static void
check_peer(const struct failure *failure, const char *ip)
{
	struct address expected = place(ip);

	assert_true(address_equal(&failure->peer, &expected));
}

/* In HANDSHAKE with 2001:db8::1; 192.0.2.1 is untried. */
static void
open_in_handshake(struct fixture *f)
{
	fixture_open(f, "a.example:443", true);
	tell_kind(f, INPUT_START);
	tell_kind(f, INPUT_LOADED);
	tell_answer(f, 0, FAMILY_IPV6, "2001:db8::1");
	tell_answer(f, 0, FAMILY_IPV4, "192.0.2.1");
	f->now += 20 * MSEC;
	tell_connected(f, 0);
	CHECK(f, STAGE_HANDSHAKE, "adopt family stage handshake timer");
}

static void
numbers_need_no_resolver(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "192.0.2.1:443", false);
	tell_kind(&f, INPUT_START);
	CHECK(&f, STAGE_CONNECT, "stage connect timer");
	assert_string_equal(sent_to(&f), "192.0.2.1:443");
	assert_int_equal(f.link->armed, NOON + DEFAULT_CONNECT_TIMEOUT);
	f.now += 30 * MSEC;
	tell_connected(&f, 0);
	CHECK(&f, STAGE_READY, "adopt stage hold timer");
	assert_int_equal(f.link->armed, USEC_INFINITY);
	assert_int_equal(f.link->timing[STAGE_CONNECT], 30 * MSEC);
	assert_true(f.link->timing[STAGE_RESOLVE] == USEC_INFINITY);
	assert_true(f.link->timing[STAGE_LOAD] == USEC_INFINITY);
	fixture_close(&f);
}

static void
each_family_is_asked_by_itself(void **state)
{
	static const struct {
		enum family family;
		const char *effects;
	} rows[] = {
		{ FAMILY_ANY, "stage resolve resolve timer" },
		{ FAMILY_IPV4, "stage resolve timer" },
		{ FAMILY_IPV6, "stage resolve timer" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct fixture f;

		fixture_open(&f, "a.example:443", false);
		f.upstream->policy.family = rows[i].family;
		tell_kind(&f, INPUT_START);
		CHECK(&f, STAGE_RESOLVE, rows[i].effects);
		assert_int_equal(f.link->armed, NOON + DEFAULT_RESOLVE_TIMEOUT);
		assert_false(effect_of(&f, EFFECT_RESOLVE)->resolve.fresh);
		if (rows[i].family != FAMILY_ANY)
			assert_int_equal(effect_of(&f, EFFECT_RESOLVE)->resolve.family, rows[i].family);
		fixture_close(&f);
	}
}

static void
ipv4_waits_a_little_for_ipv6(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "a.example:443", false);
	tell_kind(&f, INPUT_START);
	f.now += 10 * MSEC;
	tell_answer(&f, 0, FAMILY_IPV4, "192.0.2.1");
	CHECK(&f, STAGE_RESOLVE, "timer");
	assert_int_equal(f.link->armed, f.now + RESOLUTION_DELAY);
	tell_deadline(&f);
	CHECK(&f, STAGE_CONNECT, "stage connect timer");
	assert_string_equal(sent_to(&f), "192.0.2.1:443");
	assert_int_equal(f.link->timing[STAGE_RESOLVE], 60 * MSEC);
	f.now += 300 * MSEC;
	tell_answer(&f, 0, FAMILY_IPV6, "2001:db8::1"); /* late, and welcome all the same */
	CHECK(&f, STAGE_CONNECT, "connect timer");
	assert_string_equal(sent_to(&f), "[2001:db8::1]:443");
	fixture_close(&f);
}

static void
losers_are_closed_before_the_handshake(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "a.example:443", true);
	tell_kind(&f, INPUT_START);
	tell_kind(&f, INPUT_LOADED);
	tell_answer(&f, 0, FAMILY_IPV6, "2001:db8::1 2001:db8::2");
	CHECK(&f, STAGE_CONNECT, "stage connect timer");
	tell_deadline(&f);
	CHECK(&f, STAGE_CONNECT, "connect timer");
	assert_int_equal(f.now, NOON + RACE_PACING_DELAY);
	tell_connected(&f, 1);
	CHECK(&f, STAGE_HANDSHAKE, "abandon adopt cancel stage handshake timer");
	assert_int_equal(effect_of(&f, EFFECT_ABANDON)->slot, 0);
	assert_int_equal(effect_of(&f, EFFECT_ADOPT)->slot, 1);
	assert_int_equal(f.link->winner, 1);
	check_peer(&(struct failure){ .peer = f.link->peer }, "2001:db8::2");
	fixture_close(&f);
}

static void
a_refusal_lets_the_next_one_start_at_once(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "192.0.2.1:443 192.0.2.2:443", false);
	tell_kind(&f, INPUT_START);
	f.now += 5 * MSEC;
	tell_unconnected(&f, 0, FAILURE_CONNECTION_REFUSED);
	CHECK(&f, STAGE_CONNECT, "lost connect timer");
	check_peer(effect_of(&f, EFFECT_LOST_ADDRESS)->failure, "192.0.2.1");
	assert_int_equal(effect_of(&f, EFFECT_LOST_ADDRESS)->failure->elapsed, 5 * MSEC);
	assert_string_equal(sent_to(&f), "192.0.2.2:443");
	f.now += 7 * MSEC;
	tell_unconnected(&f, 0, FAILURE_CONNECTION_HOST_UNREACHABLE);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	check_report(&f, FAILURE_CONNECTION_HOST_UNREACHABLE, STAGE_CONNECT, 7 * MSEC);
	check_peer(&f.link->failure, "192.0.2.2");
	assert_int_equal(f.link->armed, f.now + DEFAULT_RETRY_INITIAL);
	fixture_close(&f);
}

static void
each_address_has_its_own_time_to_connect(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "192.0.2.1:443 192.0.2.2:443", false);
	tell_kind(&f, INPUT_START);
	tell_deadline(&f);
	CHECK(&f, STAGE_CONNECT, "connect timer");
	tell_deadline(&f);
	CHECK(&f, STAGE_CONNECT, "abandon lost timer");
	assert_int_equal(f.now, NOON + 5 * SEC);
	assert_int_equal(effect_of(&f, EFFECT_ABANDON)->slot, 0);
	tell_deadline(&f);
	CHECK(&f, STAGE_BACKOFF, "abandon discard report stage timer");
	assert_int_equal(f.now, NOON + 5 * SEC + RACE_PACING_DELAY);
	check_report(&f, FAILURE_TIMEOUT_CONNECT, STAGE_CONNECT, 5 * SEC);
	check_peer(&f.link->failure, "192.0.2.2");
	fixture_close(&f);
}

static void
what_a_peer_said_outranks_what_never_left_this_host(void **state)
{
	static const enum failure_code local[] = { FAILURE_SOCKET_NO_FAMILY,
						   FAILURE_CONNECTION_NETWORK_UNREACHABLE };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(local); i++) {
		struct fixture f;

		fixture_open(&f, "192.0.2.1:443 [2001:db8::1]:443", false);
		tell_kind(&f, INPUT_START);
		tell_unconnected(&f, 0, FAILURE_CONNECTION_REFUSED);
		tell_unconnected(&f, 0, local[i]);
		check_report(&f, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT, 0);
		check_peer(&f.link->failure, "192.0.2.1");
		fixture_close(&f);
		fixture_open(&f, "192.0.2.1:443 [2001:db8::1]:443", false);
		tell_kind(&f, INPUT_START);
		tell_unconnected(&f, 0, local[i]);
		tell_unconnected(&f, 0, FAILURE_CONNECTION_REFUSED);
		check_report(&f, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT, 0);
		fixture_close(&f);
	}
}

static void
a_missing_family_is_no_news_beside_another_failure(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "a.example:443", false);
	tell_kind(&f, INPUT_START);
	tell_no_answer(&f, 0, FAMILY_IPV4, FAILURE_ADDRESS_SERVFAIL);
	CHECK(&f, STAGE_RESOLVE, "");
	f.now += 40 * MSEC;
	tell_no_answer(&f, 0, FAMILY_IPV6, FAILURE_ADDRESS_NO_DATA);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	check_report(&f, FAILURE_ADDRESS_SERVFAIL, STAGE_RESOLVE, 0);
	fixture_close(&f);
}

static void
silence_about_one_family_is_no_news_either(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "a.example:443", false);
	tell_kind(&f, INPUT_START);
	tell_no_answer(&f, 0, FAMILY_IPV4, FAILURE_ADDRESS_NO_SERVER);
	tell_deadline(&f);
	CHECK(&f, STAGE_BACKOFF, "cancel discard report stage timer");
	check_report(&f, FAILURE_ADDRESS_NO_SERVER, STAGE_RESOLVE, 0);
	fixture_close(&f);
}

static void
addresses_nobody_answers_at_are_left_out(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "a.example:443", false);
	tell_kind(&f, INPUT_START);
	tell_answer(&f, 0, FAMILY_IPV6, "::");
	CHECK(&f, STAGE_RESOLVE, "");
	tell_answer(&f, 0, FAMILY_IPV4, "0.0.0.0 255.255.255.255");
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	check_report(&f, FAILURE_ADDRESS_EXCLUDED, STAGE_RESOLVE, 0);
	check_peer(&f.link->failure, "0.0.0.0");
	fixture_close(&f);
}

static void
names_that_are_not_resolved_in_time(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "a.example:443", false);
	tell_kind(&f, INPUT_START);
	tell_deadline(&f);
	CHECK(&f, STAGE_BACKOFF, "cancel discard report stage timer");
	check_report(&f, FAILURE_TIMEOUT_RESOLVE, STAGE_RESOLVE, 5 * SEC);
	fixture_close(&f);
	/* A query that hangs does not fail an address that connects. */
	fixture_open(&f, "a.example:443", false);
	tell_kind(&f, INPUT_START);
	f.now += 4900 * MSEC;
	tell_answer(&f, 0, FAMILY_IPV4, "192.0.2.1");
	tell_deadline(&f);
	CHECK(&f, STAGE_CONNECT, "stage connect timer");
	tell_deadline(&f);
	CHECK(&f, STAGE_CONNECT, "cancel timer");
	assert_int_equal(f.now, NOON + 5 * SEC);
	tell_connected(&f, 0);
	CHECK(&f, STAGE_READY, "adopt stage hold timer");
	fixture_close(&f);
}

static void
a_connect_failure_outranks_a_query_failure(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "a.example:443", false);
	tell_kind(&f, INPUT_START);
	tell_answer(&f, 0, FAMILY_IPV6, "2001:db8::1");
	tell_unconnected(&f, 0, FAILURE_CONNECTION_REFUSED);
	CHECK(&f, STAGE_CONNECT, "lost"); /* one answer is still to come */
	tell_no_answer(&f, 0, FAMILY_IPV4, FAILURE_ADDRESS_BAD_REPLY);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	check_report(&f, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT, 0);
	fixture_close(&f);
}

static void
a_bad_address_is_left_for_the_next(void **state)
{
	struct fixture f;

	(void)state;
	open_in_handshake(&f);
	f.now += 30 * MSEC;
	tell_failed(&f, FAILURE_TLS_CERTIFICATE_EXPIRED);
	CHECK(&f, STAGE_CONNECT, "discard lost stage connect timer");
	assert_string_equal(sent_to(&f), "192.0.2.1:443");
	check_peer(effect_of(&f, EFFECT_LOST_ADDRESS)->failure, "2001:db8::1");
	assert_int_equal(f.link->timing[STAGE_HANDSHAKE], 30 * MSEC);
	f.now += 40 * MSEC;
	tell_unconnected(&f, 0, FAILURE_CONNECTION_REFUSED);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	check_report(&f, FAILURE_TLS_CERTIFICATE_EXPIRED, STAGE_HANDSHAKE, 30 * MSEC);
	fixture_close(&f);
}

static void
the_furthest_failure_keeps_its_own_instant(void **state)
{
	struct address_failure others[RACE_CANDIDATES_MAX];
	struct fixture f;
	usec_t seen_at;

	(void)state;
	open_in_handshake(&f);
	f.now += 30 * MSEC;
	seen_at = f.now;
	tell_failed(&f, FAILURE_TLS_CERTIFICATE_EXPIRED);
	f.now += 40 * MSEC;
	tell_unconnected(&f, 0, FAILURE_CONNECTION_REFUSED);
	assert_int_equal(f.link->failure.at, seen_at);
	check_peer(&f.link->failure, "2001:db8::1");
	assert_int_equal(
		race_others(&f.link->race, &f.link->failure.peer, others, RACE_CANDIDATES_MAX), 1);
	assert_int_equal(others[0].code, FAILURE_CONNECTION_REFUSED);
	fixture_close(&f);
}

static void
a_bad_upstream_ends_the_attempt(void **state)
{
	struct fixture f;

	(void)state;
	open_in_handshake(&f);
	tell_failed(&f, FAILURE_TLS_VERSION);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	check_report(&f, FAILURE_TLS_VERSION, STAGE_HANDSHAKE, 0);
	assert_int_equal(f.link->failure.retry_delay, DEFAULT_RETRY_MAX); /* persistent */
	fixture_close(&f);
}

static void
abandoned_addresses_are_tried_again(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "192.0.2.1:443 192.0.2.2:443", true);
	tell_kind(&f, INPUT_START);
	tell_kind(&f, INPUT_LOADED);
	tell_deadline(&f);
	tell_connected(&f, 1);
	CHECK(&f, STAGE_HANDSHAKE, "abandon adopt stage handshake timer");
	tell_failed(&f, FAILURE_TLS_RESET);
	CHECK(&f, STAGE_CONNECT, "discard lost stage connect timer");
	assert_string_equal(sent_to(&f), "192.0.2.1:443");
	tell_connected(&f, 0);
	tell_failed(&f, FAILURE_TLS_CLOSED);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	check_report(&f, FAILURE_TLS_CLOSED, STAGE_HANDSHAKE, 0);
	assert_int_equal(f.link->failure.retry_delay, 2 * SEC); /* it had been met */
	fixture_close(&f);
}

static void
cancelled_questions_are_asked_again(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "a.example:443", true);
	tell_kind(&f, INPUT_START);
	tell_kind(&f, INPUT_LOADED);
	tell_answer(&f, 0, FAMILY_IPV6, "2001:db8::1");
	tell_connected(&f, 0);
	f.now += 8 * SEC; /* longer than a query may take */
	tell_failed(&f, FAILURE_TLS_RESET);
	CHECK(&f, STAGE_CONNECT, "discard lost stage resolve timer");
	assert_int_equal(effect_of(&f, EFFECT_RESOLVE)->resolve.family, FAMILY_IPV4);
	assert_int_equal(f.link->armed, f.now + DEFAULT_RESOLVE_TIMEOUT);
	tell_answer(&f, 0, FAMILY_IPV4, "192.0.2.1");
	CHECK(&f, STAGE_CONNECT, "connect");
	tell_connected(&f, 0);
	tell_secured(&f, 0, false);
	CHECK(&f, STAGE_READY, "stage hold timer");
	fixture_close(&f);
}

static void
a_handshake_takes_too_long(void **state)
{
	struct fixture f;

	(void)state;
	open_in_handshake(&f);
	assert_int_equal(f.link->armed, f.now + DEFAULT_HANDSHAKE_TIMEOUT);
	tell_deadline(&f);
	CHECK(&f, STAGE_CONNECT, "discard lost stage connect timer");
	assert_int_equal(effect_of(&f, EFFECT_LOST_ADDRESS)->failure->code, FAILURE_TIMEOUT_HANDSHAKE);
	assert_int_equal(effect_of(&f, EFFECT_LOST_ADDRESS)->failure->elapsed, 10 * SEC);
	tell_connected(&f, 0);
	tell_deadline(&f);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	check_report(&f, FAILURE_TIMEOUT_HANDSHAKE, STAGE_HANDSHAKE, 10 * SEC);
	check_peer(&f.link->failure, "192.0.2.1");
	fixture_close(&f);
}

static void
an_attempt_takes_too_long(void **state)
{
	struct fixture f;

	(void)state;
	open_in_handshake(&f);
	f.upstream->policy.attempt_timeout = 7 * SEC;
	tell_policy(&f, f.upstream);
	tell_deadline(&f);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	assert_int_equal(f.now, NOON + 7 * SEC);
	check_report(&f, FAILURE_TIMEOUT_ATTEMPT, STAGE_HANDSHAKE, 7 * SEC - 20 * MSEC);
	check_peer(&f.link->failure, "2001:db8::1");
	fixture_close(&f);
	fixture_open(&f, "192.0.2.1:443", false);
	f.upstream->policy.attempt_timeout = 1 * SEC;
	tell_kind(&f, INPUT_START);
	tell_deadline(&f);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	check_report(&f, FAILURE_TIMEOUT_ATTEMPT, STAGE_CONNECT, 1 * SEC);
	check_peer(&f.link->failure, "192.0.2.1");
	fixture_close(&f);
}

static void
settling_waits_for_two_round_trips_at_least(void **state)
{
	static const struct {
		usec_t rtt, waited;
	} rows[] = {
		{ 0, 250 * MSEC },
		{ 100 * MSEC, 250 * MSEC },
		{ 200 * MSEC, 400 * MSEC },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct fixture f;

		open_in_handshake(&f);
		tell_secured(&f, rows[i].rtt, true);
		CHECK(&f, STAGE_SETTLE, "stage settle timer");
		assert_int_equal(f.link->armed, f.now + rows[i].waited);
		tell_kind(&f, INPUT_DEADLINE); /* too early: that is no consent */
		CHECK(&f, STAGE_SETTLE, "timer");
		tell_deadline(&f);
		CHECK(&f, STAGE_READY, "stage hold");
		assert_int_equal(f.link->timing[STAGE_SETTLE], rows[i].waited);
		fixture_close(&f);
	}
}

static void
an_end_while_settling_is_early(void **state)
{
	struct fixture f;

	(void)state;
	open_in_handshake(&f);
	tell_secured(&f, 0, true);
	tell_failed(&f, FAILURE_CONNECTION_CLOSED);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer"); /* the upstream's doing */
	check_report(&f, FAILURE_CONNECTION_CLOSED_EARLY, STAGE_SETTLE, 0);
	fixture_close(&f);
	open_in_handshake(&f);
	tell_secured(&f, 0, true);
	tell_failed(&f, FAILURE_TLS_CLIENT_CERTIFICATE_REJECTED);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	check_report(&f, FAILURE_TLS_CLIENT_CERTIFICATE_REJECTED, STAGE_SETTLE, 0);
	fixture_close(&f);
}

static void
the_fullest_step_fits(void **state)
{
	char list[16 * 24] = "";
	struct text text = TEXT_INIT(list);
	struct fixture f;

	(void)state;
	for (unsigned int i = 0; i < TARGETS_MAX; i++)
		text_addf(&text, "%sname%u.example:443", i ? " " : "", i);
	fixture_open(&f, list, false);
	tell_kind(&f, INPUT_START);
	assert_int_equal(f.out.count, 2 * TARGETS_MAX + 2);
	tell_answer(&f, 0, FAMILY_IPV6,
		    "2001:db8::1 2001:db8::2 2001:db8::3 2001:db8::4 2001:db8::5 2001:db8::6 "
		    "2001:db8::7 2001:db8::8 2001:db8::9");
	for (unsigned int i = 1; i < RACE_MAX; i++) {
		tell_deadline(&f);
		CHECK(&f, STAGE_CONNECT, "connect timer");
	}
	tell_connected(&f, 3);
	CHECK(&f, STAGE_READY,
	      "abandon abandon abandon abandon abandon abandon abandon adopt cancel stage hold timer");
	fixture_close(&f);
}

/* ---- services --------------------------------------------------------------------------------------- */

/* The answer of a service: the records' places stand beside the addresses. */
static void
tell_service(struct fixture *f, enum family family, const char *first, const char *second)
{
	struct answer answer = { .family = family, .count = 2, .rank = { 0, 1 } };

	answer.addresses[0] = place(first);
	answer.addresses[1] = place(second);
	tell(f, &(struct input){ .kind = INPUT_ANSWERED, .answer = &answer });
}

static void
a_service_is_asked_for_with_one_seed_an_attempt(void **state)
{
	uint64_t seeds[2];
	struct fixture f;

	(void)state;
	fixture_open(&f, "srv:_x._tcp.example.org", false);
	for (size_t i = 0; i < COUNT_OF(seeds); i++) {
		tell_kind(&f, i ? INPUT_RETRY : INPUT_START);
		CHECK(&f, STAGE_RESOLVE, "stage resolve resolve timer");
		assert_int_equal(f.out.at[1].resolve.family, FAMILY_IPV4);
		assert_int_equal(f.out.at[2].resolve.family, FAMILY_IPV6);
		assert_int_equal(f.out.at[1].resolve.seed, f.out.at[2].resolve.seed);
		seeds[i] = f.out.at[1].resolve.seed;
		tell_no_answer(&f, 0, FAMILY_IPV4, FAILURE_ADDRESS_NO_DATA);
		tell_no_answer(&f, 0, FAMILY_IPV6, FAILURE_ADDRESS_NO_DATA);
		assert_int_equal(f.link->stage, STAGE_BACKOFF);
	}
	assert_int_not_equal(seeds[0], seeds[1]);
	fixture_close(&f);
}

static void
records_are_tried_in_their_order(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "srv:_x._tcp.example.org", false);
	tell_kind(&f, INPUT_START);
	tell_service(&f, FAMILY_IPV6, "2001:db8::1", "2001:db8::2");
	assert_string_equal(sent_to(&f), "[2001:db8::1]:443");
	tell_service(&f, FAMILY_IPV4, "192.0.2.1", "192.0.2.2");
	tell_deadline(&f);
	assert_string_equal(sent_to(&f), "192.0.2.1:443");
	tell_deadline(&f);
	assert_string_equal(sent_to(&f), "[2001:db8::2]:443");
	tell_deadline(&f);
	assert_string_equal(sent_to(&f), "192.0.2.2:443");
	fixture_close(&f);
}

/* ---- through a proxy -------------------------------------------------------------------------------- */

static void
open_proxied(struct fixture *f, const char *proxy)
{
	const char *problem;

	fixture_open(f, "a.example:443 b.example:443", false);
	f->upstream->policy.proxy.kind = PROXY_HTTP;
	assert_int_equal(target_parse(proxy, FAMILY_ANY, &f->upstream->policy.proxy.target, &problem),
			 0);
	tell_kind(f, INPUT_START);
}

static void
check_evidence(const struct failure *failure, const char *evidence)
{
	assert_int_equal(failure->evidence_length, strlen(evidence));
	assert_memory_equal(failure->evidence, evidence, strlen(evidence));
}

static void
sockets_go_to_the_proxy(void **state)
{
	struct fixture f;

	(void)state;
	open_proxied(&f, "192.0.2.9:3128");
	CHECK(&f, STAGE_CONNECT, "stage connect timer"); /* the names are the proxy's business */
	assert_string_equal(sent_to(&f), "192.0.2.9:3128");
	assert_int_equal(effect_of(&f, EFFECT_CONNECT)->connect.target, 0);
	tell_unconnected(&f, 0, FAILURE_CONNECTION_REFUSED);
	CHECK(&f, STAGE_CONNECT, "lost connect timer"); /* and once more for the other one */
	check_evidence(effect_of(&f, EFFECT_LOST_ADDRESS)->failure, "proxy http://192.0.2.9:3128");
	assert_int_equal(effect_of(&f, EFFECT_CONNECT)->connect.target, 1);
	tell_connected(&f, 0);
	CHECK(&f, STAGE_PROXY, "adopt stage proxy");
	assert_int_equal(f.link->target, 1);
	fixture_close(&f);
}

static void
the_name_of_the_proxy_is_asked(void **state)
{
	struct fixture f;

	(void)state;
	open_proxied(&f, "proxy.example:3128");
	CHECK(&f, STAGE_RESOLVE, "stage resolve resolve resolve resolve timer");
	tell_answer(&f, 0, FAMILY_IPV6, "2001:db8::9");
	tell_answer(&f, 0, FAMILY_IPV4, "192.0.2.9");
	tell_answer(&f, 1, FAMILY_IPV6, "2001:db8::9");
	tell_answer(&f, 1, FAMILY_IPV4, "192.0.2.9");
	assert_int_equal(f.link->race.candidate_count, 4);
	fixture_close(&f);
}

/* FAILURES.md, ruling 14: nothing is known of the upstream yet. */
static void
what_fails_on_the_way_to_the_proxy_names_it(void **state)
{
	struct failure failure;
	struct fixture f;

	(void)state;
	open_proxied(&f, "proxy.example:3128");
	tell_deadline(&f);
	assert_int_equal(f.link->stage, STAGE_BACKOFF);
	check_evidence(effect_of(&f, EFFECT_REPORT)->failure, "proxy http://proxy.example:3128");
	fixture_close(&f);

	open_proxied(&f, "192.0.2.9:3128");
	tell_unconnected(&f, 0, FAILURE_CONNECTION_REFUSED);
	check_evidence(effect_of(&f, EFFECT_LOST_ADDRESS)->failure, "proxy http://192.0.2.9:3128");
	tell_connected(&f, 0);
	failure_init(&failure, FAILURE_PROTOCOL_PROXY_DENIED, STAGE_PROXY);
	failure_set_evidence(&failure, "HTTP/1.1 403", 12);
	tell(&f, &(struct input){ .kind = INPUT_FAILED, .failure = &failure });
	check_evidence(effect_of(&f, EFFECT_REPORT)->failure, "HTTP/1.1 403"); /* it spoke for itself */
	tell_deadline(&f);
	tell_connected(&f, 0);
	tell_kind(&f, INPUT_PASSED);
	tell_failed(&f, FAILURE_CONNECTION_RESET); /* that was the upstream */
	check_evidence(effect_of(&f, EFFECT_REPORT)->failure, "");
	fixture_close(&f);
}

static void
a_password_is_loaded_first(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "192.0.2.1:443", false);
	f.upstream->policy.proxy.kind = PROXY_SOCKS5;
	f.upstream->policy.proxy.target = f.upstream->targets[0];
	f.upstream->policy.proxy.password_file = "/etc/password";
	tell_kind(&f, INPUT_START);
	CHECK(&f, STAGE_LOAD, "stage load timer");
	tell_kind(&f, INPUT_LOADED);
	CHECK(&f, STAGE_CONNECT, "stage connect timer");
	fixture_close(&f);
}

/* ---- families --------------------------------------------------------------------------------------- */

/* IPv6 does not answer, and IPv4 wins. */
static void
win_with_ipv4(struct fixture *f)
{
	tell_answer(f, 0, FAMILY_IPV6, "2001:db8::1");
	tell_answer(f, 0, FAMILY_IPV4, "192.0.2.1");
	tell_deadline(f);
	assert_string_equal(sent_to(f), "192.0.2.1:443");
	f->now += 20 * MSEC;
	tell_connected(f, effect_of(f, EFFECT_CONNECT)->connect.slot);
}

static void
a_dead_family_is_told_of_and_when_that_is_over(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "a.example:443", false);
	tell_kind(&f, INPUT_START);
	win_with_ipv4(&f);
	CHECK(&f, STAGE_READY, "abandon adopt family stage hold timer");
	assert_int_equal(effect_of(&f, EFFECT_FAMILY)->broken.family, FAMILY_IPV6);
	assert_null(effect_of(&f, EFFECT_FAMILY)->broken.failure); /* it did not answer */
	tell_failed(&f, FAILURE_CONNECTION_RESET);
	tell_deadline(&f);
	tell_answer(&f, 0, FAMILY_IPV6, "2001:db8::1");
	tell_answer(&f, 0, FAMILY_IPV4, "192.0.2.1");
	tell_connected(&f, 0);
	CHECK(&f, STAGE_READY, "adopt family stage hold timer");
	assert_int_equal(effect_of(&f, EFFECT_FAMILY)->broken.family, FAMILY_ANY);
	assert_int_equal(effect_of(&f, EFFECT_FAMILY)->broken.over, FAMILY_IPV6);
	assert_null(effect_of(&f, EFFECT_FAMILY)->broken.failure);
	fixture_close(&f);
}

static void
a_family_that_refuses_is_told_of_with_its_failure(void **state)
{
	const struct failure *failure;
	struct fixture f;

	(void)state;
	fixture_open(&f, "a.example:443", false);
	tell_kind(&f, INPUT_START);
	tell_answer(&f, 0, FAMILY_IPV6, "2001:db8::1");
	tell_answer(&f, 0, FAMILY_IPV4, "192.0.2.1");
	f.now += 7 * MSEC;
	tell_unconnected(&f, 0, FAILURE_CONNECTION_REFUSED);
	f.now += MSEC;
	tell_connected(&f, 0);
	failure = effect_of(&f, EFFECT_FAMILY)->broken.failure;
	assert_int_equal(failure->code, FAILURE_CONNECTION_REFUSED);
	assert_int_equal(failure->stage, STAGE_CONNECT);
	assert_int_equal(failure->elapsed, 7 * MSEC);
	assert_int_equal(failure->at, NOON + 7 * MSEC);
	check_peer(failure, "2001:db8::1");
	fixture_close(&f);
}

static void
a_stall_makes_no_family_broken(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "a.example:443", false);
	tell_kind(&f, INPUT_START);
	tell_answer(&f, 0, FAMILY_IPV6, "2001:db8::1");
	tell_answer(&f, 0, FAMILY_IPV4, "192.0.2.1");
	f.now += 100 * SEC;
	tell_kind(&f, INPUT_STALLED);
	tell_kind(&f, INPUT_DEADLINE);
	assert_string_equal(sent_to(&f), "192.0.2.1:443");
	f.now += MSEC;
	tell_connected(&f, effect_of(&f, EFFECT_CONNECT)->connect.slot);
	assert_int_equal(effect_of(&f, EFFECT_FAMILY)->broken.family, FAMILY_ANY);
	fixture_close(&f);
}

static void
a_family_without_addresses_is_no_longer_broken(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "a.example:443", false);
	tell_kind(&f, INPUT_START);
	win_with_ipv4(&f);
	for (int i = 0; i < 2; i++) {
		tell_failed(&f, FAILURE_CONNECTION_RESET);
		tell_deadline(&f);
		tell_no_answer(&f, 0, FAMILY_IPV6, FAILURE_ADDRESS_NO_DATA);
		tell_answer(&f, 0, FAMILY_IPV4, "192.0.2.1");
		tell_connected(&f, 0);
		CHECK(&f, STAGE_READY,
		      i == 0 ? "adopt family stage hold timer" : "adopt stage hold timer");
		if (i > 0)
			continue; /* it was told: one family alone is no news */
		assert_int_equal(effect_of(&f, EFFECT_FAMILY)->broken.family, FAMILY_ANY);
		assert_int_equal(effect_of(&f, EFFECT_FAMILY)->broken.over, FAMILY_IPV6);
	}
	fixture_close(&f);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_need_no_resolver),
		cmocka_unit_test(each_family_is_asked_by_itself),
		cmocka_unit_test(ipv4_waits_a_little_for_ipv6),
		cmocka_unit_test(losers_are_closed_before_the_handshake),
		cmocka_unit_test(a_refusal_lets_the_next_one_start_at_once),
		cmocka_unit_test(each_address_has_its_own_time_to_connect),
		cmocka_unit_test(what_a_peer_said_outranks_what_never_left_this_host),
		cmocka_unit_test(a_missing_family_is_no_news_beside_another_failure),
		cmocka_unit_test(silence_about_one_family_is_no_news_either),
		cmocka_unit_test(addresses_nobody_answers_at_are_left_out),
		cmocka_unit_test(names_that_are_not_resolved_in_time),
		cmocka_unit_test(a_connect_failure_outranks_a_query_failure),
		cmocka_unit_test(a_bad_address_is_left_for_the_next),
		cmocka_unit_test(the_furthest_failure_keeps_its_own_instant),
		cmocka_unit_test(a_bad_upstream_ends_the_attempt),
		cmocka_unit_test(abandoned_addresses_are_tried_again),
		cmocka_unit_test(cancelled_questions_are_asked_again),
		cmocka_unit_test(a_handshake_takes_too_long),
		cmocka_unit_test(an_attempt_takes_too_long),
		cmocka_unit_test(settling_waits_for_two_round_trips_at_least),
		cmocka_unit_test(an_end_while_settling_is_early),
		cmocka_unit_test(the_fullest_step_fits),
		cmocka_unit_test(a_service_is_asked_for_with_one_seed_an_attempt),
		cmocka_unit_test(records_are_tried_in_their_order),
		cmocka_unit_test(sockets_go_to_the_proxy),
		cmocka_unit_test(the_name_of_the_proxy_is_asked),
		cmocka_unit_test(what_fails_on_the_way_to_the_proxy_names_it),
		cmocka_unit_test(a_password_is_loaded_first),
		cmocka_unit_test(a_dead_family_is_told_of_and_when_that_is_over),
		cmocka_unit_test(a_family_that_refuses_is_told_of_with_its_failure),
		cmocka_unit_test(a_stall_makes_no_family_broken),
		cmocka_unit_test(a_family_without_addresses_is_no_longer_broken),
	};

	RUN_TESTS(tests);
}

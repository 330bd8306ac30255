/* core/link_hold: the ready connection, how its end is judged, and the wait afterwards. */
#include "link-fixture.h"

#include "core/backoff.h"

#define SEC  USEC_PER_SEC
#define MSEC USEC_PER_MSEC

static void
open_ready(struct fixture *f, bool tls)
{
	fixture_open(f, "192.0.2.1:443 192.0.2.2:443", tls);
	tell_kind(f, INPUT_START);
	if (tls)
		tell_kind(f, INPUT_LOADED);
	tell_connected(f, 0);
	if (tls)
		tell_secured(f, 0, false);
	assert_int_equal(f->link->stage, STAGE_READY);
}

static enum failure_code
code_at_end(bool tls, bool received, usec_t lived, enum failure_code code)
{
	enum failure_code judged;
	struct fixture f;

	open_ready(&f, tls);
	if (received)
		tell(&f, &(struct input){ .kind = INPUT_RECEIVED, .bytes = 1 });
	f.now += lived;
	tell_failed(&f, code);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	assert_int_equal(effect_of(&f, EFFECT_REPORT)->failure->stage, STAGE_READY);
	assert_int_equal(effect_of(&f, EFFECT_REPORT)->failure->elapsed, lived);
	assert_int_equal(effect_of(&f, EFFECT_REPORT)->failure->attempt, 1);
	judged = effect_of(&f, EFFECT_REPORT)->failure->code;
	fixture_close(&f);
	return judged;
}

static void
an_end_is_early_before_it_was_stable(void **state)
{
	const usec_t stable = DEFAULT_STABLE_AFTER, early = stable - 1;
	static const enum failure_code closed = FAILURE_CONNECTION_CLOSED,
				       reset = FAILURE_CONNECTION_RESET;

	(void)state;
	assert_int_equal(code_at_end(true, true, early, closed), FAILURE_CONNECTION_CLOSED_EARLY);
	assert_int_equal(code_at_end(false, true, early, closed), FAILURE_CONNECTION_CLOSED_EARLY);
	assert_int_equal(code_at_end(true, false, stable, closed), closed);
	assert_int_equal(code_at_end(false, false, early, reset), FAILURE_CONNECTION_RESET_EARLY);
	assert_int_equal(code_at_end(false, true, early, reset), reset);
	assert_int_equal(code_at_end(true, false, early, reset), reset);
	assert_int_equal(code_at_end(false, false, stable, reset), reset);
}

/* The link comes up, lives for `lived`, and falls; returns the delay that follows. */
static usec_t
live_and_fall(struct fixture *f, usec_t lived)
{
	if (f->link->stage == STAGE_BACKOFF)
		tell_deadline(f);
	else
		tell_kind(f, INPUT_START);
	tell_connected(f, 0);
	assert_int_equal(f->link->stage, STAGE_READY);
	f->now += lived;
	tell_failed(f, FAILURE_CONNECTION_RESET);
	assert_int_equal(f->link->stage, STAGE_BACKOFF);
	return link_retry_delay(f->link, f->now);
}

static void
only_a_stable_connection_begins_the_backoff_anew(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "192.0.2.1:443", false);
	assert_int_equal(live_and_fall(&f, 1 * SEC), 1 * SEC);
	assert_int_equal(live_and_fall(&f, 1 * SEC), 2 * SEC);
	assert_int_equal(live_and_fall(&f, 29 * SEC), 4 * SEC);
	assert_int_equal(live_and_fall(&f, 30 * SEC), 1 * SEC);
	assert_int_equal(live_and_fall(&f, 1 * SEC), 2 * SEC);
	for (int i = 0; i < 100; i++)
		assert_true(live_and_fall(&f, 1 * SEC) <= DEFAULT_RETRY_MAX);
	assert_int_equal(live_and_fall(&f, 1 * SEC), DEFAULT_RETRY_MAX);
	fixture_close(&f);
}

static void
attempts_are_counted_since_it_was_ready(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "192.0.2.1:443", false);
	tell_kind(&f, INPUT_START);
	for (unsigned int i = 1; i <= 3; i++) {
		tell_unconnected(&f, 0, FAILURE_CONNECTION_REFUSED);
		assert_int_equal(effect_of(&f, EFFECT_REPORT)->failure->attempt, i);
		tell_deadline(&f);
	}
	tell_connected(&f, 0);
	tell_failed(&f, FAILURE_CONNECTION_RESET);
	tell_deadline(&f);
	tell_unconnected(&f, 0, FAILURE_CONNECTION_REFUSED);
	assert_int_equal(effect_of(&f, EFFECT_REPORT)->failure->attempt, 1);
	assert_int_equal(link_retry_delay(f.link, f.now), 16 * SEC); /* the fifth round */
	fixture_close(&f);
}

static void
what_fell_early_is_tried_last(void **state)
{
	struct fixture f;

	(void)state;
	open_ready(&f, false);
	tell_failed(&f, FAILURE_CONNECTION_RESET);
	tell_deadline(&f);
	assert_string_equal(sent_to(&f), "192.0.2.2:443");
	tell_unconnected(&f, 0, FAILURE_CONNECTION_REFUSED);
	assert_string_equal(sent_to(&f), "192.0.2.1:443");
	tell_connected(&f, 0);
	f.now += 30 * SEC;
	tell_failed(&f, FAILURE_CONNECTION_RESET); /* it was stable: all is forgotten */
	tell_deadline(&f);
	assert_string_equal(sent_to(&f), "192.0.2.1:443");
	fixture_close(&f);
}

static void
a_lifetime_is_spread(void **state)
{
	usec_t shortest = USEC_INFINITY, longest = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct fixture f;
		usec_t life;

		fixture_open(&f, "192.0.2.1:443", false);
		f.upstream->policy.lifetime = 1000 * SEC;
		link_free(f.link);
		f.link = link_new(f.upstream, 1, seed);
		tell_kind(&f, INPUT_START);
		tell_connected(&f, 0);
		life = f.link->armed - f.now;
		assert_true(life >= 900 * SEC && life <= 1000 * SEC);
		shortest = usec_min(shortest, life);
		longest = usec_max(longest, life);
		fixture_close(&f);
	}
	assert_true(longest - shortest > 80 * SEC);
}

static void
a_connection_is_renewed_once(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "192.0.2.1:443", false);
	f.upstream->policy.lifetime = 1000 * SEC;
	tell_kind(&f, INPUT_START);
	tell_connected(&f, 0);
	tell_deadline(&f);
	CHECK(&f, STAGE_READY, "renew");
	assert_int_equal(effect_of(&f, EFFECT_RENEW)->reason, CLOSE_LIFETIME);
	assert_true(f.link->armed == USEC_INFINITY);
	tell_kind(&f, INPUT_RECEIVED);
	CHECK(&f, STAGE_READY, "");
	tell_stop(&f, CLOSE_LIFETIME);
	CHECK(&f, STAGE_CLOSING, "stage close report-close timer");
	assert_int_equal(effect_of(&f, EFFECT_REPORT_CLOSE)->reason, CLOSE_LIFETIME);
	tell_kind(&f, INPUT_CLOSED);
	CHECK(&f, STAGE_IDLE, "discard stage timer ended");
	fixture_close(&f);
}

static void
data_keeps_a_connection_from_being_idle(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "192.0.2.1:443", false);
	f.upstream->policy.idle_limit = 60 * SEC;
	tell_kind(&f, INPUT_START);
	tell_connected(&f, 0);
	assert_int_equal(f.link->armed, NOON + 60 * SEC);
	f.now += 50 * SEC;
	tell_kind(&f, INPUT_RECEIVED);
	CHECK(&f, STAGE_READY, "timer");
	assert_int_equal(f.link->armed, NOON + 110 * SEC);
	tell_deadline(&f);
	CHECK(&f, STAGE_READY, "renew");
	assert_int_equal(effect_of(&f, EFFECT_RENEW)->reason, CLOSE_IDLE_RECYCLED);
	fixture_close(&f);
}

static void
a_new_policy_applies_to_a_ready_connection(void **state)
{
	struct upstream *brief = fixture_upstream("192.0.2.1:443", false);
	struct fixture f;

	(void)state;
	brief->policy.idle_limit = 10 * SEC;
	fixture_open(&f, "192.0.2.1:443", false);
	tell_kind(&f, INPUT_START);
	tell_connected(&f, 0);
	assert_true(f.link->armed == USEC_INFINITY);
	f.now += 3 * SEC;
	tell_policy(&f, brief);
	CHECK(&f, STAGE_READY, "timer");
	assert_int_equal(f.link->armed, NOON + 10 * SEC);
	fixture_close(&f);
	upstream_unref(brief);
}

static void
closing_tells_the_reason_once(void **state)
{
	struct fixture f;

	(void)state;
	open_ready(&f, true);
	tell_kind(&f, INPUT_RECONNECT);
	CHECK(&f, STAGE_CLOSING, "stage close report-close timer");
	assert_int_equal(effect_of(&f, EFFECT_REPORT_CLOSE)->reason, CLOSE_ADMIN);
	tell_stop(&f, CLOSE_SHUTDOWN);
	CHECK(&f, STAGE_CLOSING, "");
	tell_kind(&f, INPUT_CLOSED);
	CHECK(&f, STAGE_IDLE, "discard stage timer ended");
	fixture_close(&f);
}

static void
go_offline(struct fixture *f)
{
	tell_unconnected(f, 0, FAILURE_LOCAL_OFFLINE);
	assert_int_equal(f->link->stage, STAGE_BACKOFF);
}

static void
being_offline_is_told_once(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "192.0.2.1:443", false);
	tell_kind(&f, INPUT_START);
	go_offline(&f);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	assert_true(f.link->held);
	tell_deadline(&f);
	go_offline(&f);
	CHECK(&f, STAGE_BACKOFF, "discard stage timer");
	tell_deadline(&f);
	tell_unconnected(&f, 0, FAILURE_CONNECTION_REFUSED);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	assert_false(f.link->held);
	tell_deadline(&f);
	go_offline(&f);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	tell_deadline(&f);
	tell_connected(&f, 0);
	assert_false(f.link->held);
	fixture_close(&f);
}

static void
a_network_ends_the_hold(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "192.0.2.1:443", false);
	f.upstream->policy.retry.initial = 100 * SEC;
	tell_kind(&f, INPUT_START);
	go_offline(&f);
	tell_kind(&f, INPUT_ONLINE);
	CHECK(&f, STAGE_BACKOFF, "timer");
	assert_true(f.link->armed <= f.now + 100 * MSEC);
	tell_deadline(&f);
	CHECK(&f, STAGE_CONNECT, "stage connect timer");
	tell_unconnected(&f, 0, FAILURE_CONNECTION_REFUSED);
	tell_kind(&f, INPUT_ONLINE); /* that was not for want of a network */
	CHECK(&f, STAGE_BACKOFF, "");
	fixture_close(&f);
}

static void
a_pause_ends_the_hold(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "192.0.2.1:443", false);
	tell_kind(&f, INPUT_START);
	go_offline(&f);
	tell_kind(&f, INPUT_PAUSE);
	assert_false(f.link->held);
	fixture_close(&f);
}

static void
a_retry_does_not_wait_and_asks_afresh(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "a.example:443", false);
	tell_kind(&f, INPUT_START);
	tell_deadline(&f);
	assert_int_equal(f.link->stage, STAGE_BACKOFF);
	tell_kind(&f, INPUT_RETRY);
	CHECK(&f, STAGE_RESOLVE, "stage resolve resolve timer");
	assert_true(effect_of(&f, EFFECT_RESOLVE)->resolve.fresh);
	tell_deadline(&f);
	tell_deadline(&f);
	assert_false(effect_of(&f, EFFECT_RESOLVE)->resolve.fresh);
	assert_int_equal(f.link->attempt, 3);
	fixture_close(&f);
}

static void
a_timer_that_fires_early_starts_nothing(void **state)
{
	struct fixture f;
	usec_t due;

	(void)state;
	fixture_open(&f, "192.0.2.1:443", false);
	tell_kind(&f, INPUT_START);
	tell_unconnected(&f, 0, FAILURE_CONNECTION_REFUSED);
	due = f.link->armed;
	f.now = due - 1;
	tell_kind(&f, INPUT_DEADLINE);
	CHECK(&f, STAGE_BACKOFF, "timer");
	assert_int_equal(f.link->armed, due);
	fixture_close(&f);
}

static void
details_and_chains_are_kept_with_the_failure(void **state)
{
	struct certificate leaf = { .subject = strdup("CN=a"), .issuer = strdup("CN=b") };
	_cleanup_(chain_unrefp) struct chain *chain = chain_new(&leaf, 1);
	struct failure failure;
	struct fixture f;

	(void)state;
	open_ready(&f, true);
	failure_init(&failure, FAILURE_TLS_PEER_ALERT, STAGE_READY);
	failure_add_detail(&failure, "alert", "internal_error");
	failure.chain = chain;
	tell(&f, &(struct input){ .kind = INPUT_FAILED, .failure = &failure });
	assert_string_equal(failure_detail(effect_of(&f, EFFECT_REPORT)->failure, "alert"),
			    "internal_error");
	assert_true(effect_of(&f, EFFECT_REPORT)->failure->chain == chain);
	fixture_close(&f);
	assert_string_equal(chain_certificate(chain, 0)->subject, "CN=a");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_is_early_before_it_was_stable),
		cmocka_unit_test(only_a_stable_connection_begins_the_backoff_anew),
		cmocka_unit_test(attempts_are_counted_since_it_was_ready),
		cmocka_unit_test(what_fell_early_is_tried_last),
		cmocka_unit_test(a_lifetime_is_spread),
		cmocka_unit_test(a_connection_is_renewed_once),
		cmocka_unit_test(data_keeps_a_connection_from_being_idle),
		cmocka_unit_test(a_new_policy_applies_to_a_ready_connection),
		cmocka_unit_test(closing_tells_the_reason_once),
		cmocka_unit_test(being_offline_is_told_once),
		cmocka_unit_test(a_network_ends_the_hold),
		cmocka_unit_test(a_pause_ends_the_hold),
		cmocka_unit_test(a_retry_does_not_wait_and_asks_afresh),
		cmocka_unit_test(a_timer_that_fires_early_starts_nothing),
		cmocka_unit_test(details_and_chains_are_kept_with_the_failure),
	};

	RUN_TESTS(tests);
}

/* core/link_probe: probes of a ready connection. */
#include "link-fixture.h"

#define SEC  USEC_PER_SEC
#define MSEC USEC_PER_MSEC

#define INTERVAL (30 * SEC)
#define ANSWER	 (5 * SEC) /* the time for one */

static void
policy_probe(struct policy *policy)
{
	policy->probe.kind = PROBE_REDIS;
	policy->probe.interval = INTERVAL;
	policy->probe.failures = 3;
	policy->timeout[STAGE_PROBE] = ANSWER;
}

/* The interval, less what this connection waits less than others. */
static usec_t
wait_of(const struct fixture *f)
{
	return INTERVAL - INTERVAL / 1000 * f->link->spread;
}

/* Ready since f->now; the probe of the stage PROBE has just passed. */
static void
open_ready(struct fixture *f)
{
	fixture_open(f, "192.0.2.1:443", false);
	policy_probe(&f->upstream->policy);
	tell_kind(f, INPUT_START);
	tell_connected(f, 0);
	CHECK(f, STAGE_PROBE, "adopt stage probe");
	f->now += SEC;
	tell_kind(f, INPUT_PASSED);
	CHECK(f, STAGE_READY, "stage hold timer");
	assert_int_equal(f->link->armed, f->now + wait_of(f));
}

static void
open_probing(struct fixture *f)
{
	open_ready(f);
	tell_deadline(f);
	CHECK(f, STAGE_READY, "probe timer");
	assert_int_equal(f->link->armed, f->now + ANSWER);
}

static void
check_probing(const struct fixture *f, unsigned int count, enum failure_code code)
{
	const struct effect *effect = effect_of(f, EFFECT_PROBING);

	assert_int_equal(effect->probing.count, count);
	if (count == 0) {
		assert_null(effect->probing.failure);
		return;
	}
	assert_string_equal(failure_name(effect->probing.failure->code), failure_name(code));
	assert_int_equal(effect->probing.failure->stage, STAGE_READY);
	assert_true(address_equal(&effect->probing.failure->peer, &f->link->peer));
}

static void
a_ready_connection_is_probed_from_time_to_time(void **state)
{
	struct fixture f;

	(void)state;
	open_ready(&f);
	for (int i = 0; i < 3; i++) {
		tell_deadline(&f);
		CHECK(&f, STAGE_READY, "probe timer");
		f.now += 20 * MSEC;
		tell_kind(&f, INPUT_PASSED);
		CHECK(&f, STAGE_READY, "timer");
		assert_int_equal(f.link->armed, f.now + wait_of(&f)); /* since the last one's end */
	}
	fixture_close(&f);
}

static void
without_an_interval_only_the_new_connection_is_probed(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "192.0.2.1:443", false);
	policy_probe(&f.upstream->policy);
	f.upstream->policy.probe.interval = 0;
	tell_kind(&f, INPUT_START);
	tell_connected(&f, 0);
	tell_kind(&f, INPUT_PASSED);
	CHECK(&f, STAGE_READY, "stage hold timer");
	assert_true(f.link->armed == USEC_INFINITY);
	fixture_close(&f);
}

static void
wrong_answers_are_counted_until_one_is_right(void **state)
{
	struct fixture f;

	(void)state;
	open_probing(&f);
	tell_probe_failed(&f, FAILURE_PROTOCOL_PROBE_STATUS);
	CHECK(&f, STAGE_READY, "probing timer");
	check_probing(&f, 1, FAILURE_PROTOCOL_PROBE_STATUS);
	assert_int_equal(f.link->armed, f.now + wait_of(&f));
	tell_deadline(&f);
	tell_probe_failed(&f, FAILURE_PROTOCOL_PROBE_MISMATCH);
	check_probing(&f, 2, FAILURE_PROTOCOL_PROBE_MISMATCH);
	tell_deadline(&f);
	tell_kind(&f, INPUT_PASSED);
	CHECK(&f, STAGE_READY, "probing timer");
	check_probing(&f, 0, FAILURE_NONE);
	tell_deadline(&f);
	tell_probe_failed(&f, FAILURE_PROTOCOL_PROBE_STATUS);
	check_probing(&f, 1, FAILURE_PROTOCOL_PROBE_STATUS);
	fixture_close(&f);
}

static void
too_many_wrong_answers_end_it_with_the_last_ones_code(void **state)
{
	const struct failure *failure;
	struct fixture f;

	(void)state;
	open_probing(&f);
	tell_probe_failed(&f, FAILURE_PROTOCOL_PROBE_STATUS);
	tell_deadline(&f);
	tell_probe_failed(&f, FAILURE_PROTOCOL_PROBE_STATUS);
	tell_deadline(&f);
	tell_probe_failed(&f, FAILURE_PROTOCOL_PROBE_MISMATCH);
	CHECK(&f, STAGE_BACKOFF, "discard report stage probing timer");
	check_probing(&f, 0, FAILURE_NONE); /* what was warned of is over: it has failed */
	failure = effect_of(&f, EFFECT_REPORT)->failure;
	assert_int_equal(failure->code, FAILURE_PROTOCOL_PROBE_MISMATCH);
	assert_int_equal(failure->stage, STAGE_READY);
	assert_int_equal(failure->elapsed, f.now - f.link->ready_since);
	assert_int_equal(failure->attempt, 1);
	assert_int_equal(link_retry_delay(f.link, f.now), 1 * SEC); /* it had been stable */
	fixture_close(&f);
}

static void
a_login_that_is_wanted_is_asked_for_at_the_slow_end(void **state)
{
	struct fixture f;

	(void)state;
	open_ready(&f);
	f.upstream->policy.probe.failures = 1;
	tell_deadline(&f);
	tell_probe_failed(&f, FAILURE_PROTOCOL_PROBE_AUTH);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	assert_int_equal(link_retry_delay(f.link, f.now), DEFAULT_RETRY_MAX);
	fixture_close(&f);
}

/* The dialogue goes on waiting, since its answer may come late: there is one probe all the time. */
static void
silence_is_counted_and_ends_it(void **state)
{
	struct fixture f;
	usec_t sent;

	(void)state;
	open_probing(&f);
	sent = f.now;
	tell_overdue(&f, FAILURE_TIMEOUT_PROBE, "");
	CHECK(&f, STAGE_READY, "probing timer");
	check_probing(&f, 1, FAILURE_TIMEOUT_HEARTBEAT);
	tell_deadline(&f); /* also where the dialogue has nothing to say */
	check_probing(&f, 2, FAILURE_TIMEOUT_HEARTBEAT);
	assert_int_equal(f.now, sent + 2 * ANSWER);
	tell_overdue(&f, FAILURE_TIMEOUT_PROBE, "");
	CHECK(&f, STAGE_BACKOFF, "discard report stage probing timer");
	assert_int_equal(effect_of(&f, EFFECT_REPORT)->failure->code, FAILURE_TIMEOUT_HEARTBEAT);
	assert_int_equal(f.now, sent + 3 * ANSWER);
	fixture_close(&f);
}

static void
half_an_answer_is_no_silence(void **state)
{
	struct fixture f;

	(void)state;
	open_probing(&f);
	tell_overdue(&f, FAILURE_PROTOCOL_PROBE_MISMATCH, "+PO");
	check_probing(&f, 1, FAILURE_PROTOCOL_PROBE_MISMATCH);
	assert_int_equal(effect_of(&f, EFFECT_PROBING)->probing.failure->evidence_length, 3);
	fixture_close(&f);
}

/* It ends the probe, whatever it says, but only one in time ends the row. */
static void
a_late_answer_counts_once_and_mends_nothing(void **state)
{
	struct fixture f;

	(void)state;
	open_probing(&f);
	tell_deadline(&f);
	check_probing(&f, 1, FAILURE_TIMEOUT_HEARTBEAT);
	f.now += 4 * SEC;
	tell_kind(&f, INPUT_PASSED);
	CHECK(&f, STAGE_READY, "timer");
	assert_int_equal(f.link->armed, f.now + wait_of(&f));
	tell_deadline(&f);
	tell_deadline(&f);
	check_probing(&f, 2, FAILURE_TIMEOUT_HEARTBEAT);
	tell_probe_failed(&f, FAILURE_PROTOCOL_PROBE_STATUS);
	CHECK(&f, STAGE_READY, "timer");
	assert_int_equal(f.link->probe_failures, 2);
	tell_deadline(&f);
	tell_kind(&f, INPUT_PASSED);
	check_probing(&f, 0, FAILURE_NONE);
	fixture_close(&f);
}

/* One that is always too late is given up as one that is silent. */
static void
always_too_late_is_too_much(void **state)
{
	struct fixture f;

	(void)state;
	open_probing(&f);
	for (int i = 0; i < 2; i++) {
		tell_deadline(&f);
		f.now += SEC;
		tell_kind(&f, INPUT_PASSED);
		tell_deadline(&f);
		CHECK(&f, STAGE_READY, "probe timer");
	}
	tell_deadline(&f);
	CHECK(&f, STAGE_BACKOFF, "discard report stage probing timer");
	assert_int_equal(effect_of(&f, EFFECT_REPORT)->failure->code, FAILURE_TIMEOUT_HEARTBEAT);
	fixture_close(&f);
}

static void
a_stall_gives_a_probe_its_time_again(void **state)
{
	struct fixture f;

	(void)state;
	open_probing(&f);
	f.now += 100 * SEC;
	tell_kind(&f, INPUT_STALLED);
	CHECK(&f, STAGE_READY, "timer");
	assert_int_equal(f.link->armed, f.now + ANSWER);
	tell_kind(&f, INPUT_DEADLINE); /* it fired while we were held up */
	CHECK(&f, STAGE_READY, "timer");
	tell_kind(&f, INPUT_PASSED);
	CHECK(&f, STAGE_READY, "timer");
	fixture_close(&f);
}

static void
a_connection_that_falls_falls_as_ever(void **state)
{
	struct fixture f;

	(void)state;
	open_probing(&f);
	tell_failed(&f, FAILURE_PROTOCOL_PROBE_CLOSED);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	assert_int_equal(effect_of(&f, EFFECT_REPORT)->failure->code, FAILURE_PROTOCOL_PROBE_CLOSED);
	fixture_close(&f);
	open_probing(&f);
	tell_probe_failed(&f, FAILURE_PROTOCOL_PROBE_STATUS);
	tell_failed(&f, FAILURE_CONNECTION_RESET);
	CHECK(&f, STAGE_BACKOFF, "discard report stage probing timer");
	check_probing(&f, 0, FAILURE_NONE);
	fixture_close(&f);
}

static void
closing_ends_the_probe_and_its_warning(void **state)
{
	struct fixture f;

	(void)state;
	open_probing(&f);
	tell_deadline(&f);
	tell_kind(&f, INPUT_RECONNECT);
	CHECK(&f, STAGE_CLOSING, "stage close report-close probing timer");
	check_probing(&f, 0, FAILURE_NONE);
	assert_int_equal(f.link->armed, f.now + DEFAULT_CLOSE_TIMEOUT);
	fixture_close(&f);
}

static void
probes_go_on_while_a_successor_is_made(void **state)
{
	struct fixture f;

	(void)state;
	open_ready(&f);
	f.upstream->policy.idle_limit = INTERVAL;
	tell_policy(&f, f.upstream);
	f.now += INTERVAL;
	tell_kind(&f, INPUT_DEADLINE); /* both are due */
	CHECK(&f, STAGE_READY, "probe renew timer");
	tell_deadline(&f);
	check_probing(&f, 1, FAILURE_TIMEOUT_HEARTBEAT);
	tell_kind(&f, INPUT_PASSED);
	tell_deadline(&f);
	CHECK(&f, STAGE_READY, "probe timer");
	fixture_close(&f);
}

/* A probe that is due together with its last failure: there is nothing left to renew. */
static void
what_is_given_up_is_not_renewed(void **state)
{
	struct fixture f;

	(void)state;
	open_probing(&f);
	f.upstream->policy.probe.failures = 1;
	f.upstream->policy.idle_limit = INTERVAL + ANSWER;
	tell_policy(&f, f.upstream);
	tell_deadline(&f);
	CHECK(&f, STAGE_BACKOFF, "discard report stage timer");
	fixture_close(&f);
}

/* A policy with other values for a link that is READY. */
static struct upstream *
other_policy(void)
{
	struct upstream *other = fixture_upstream("192.0.2.1:443", false);

	policy_probe(&other->policy);
	return other;
}

static void
a_new_policy_changes_pace_and_patience(void **state)
{
	struct upstream *hasty = other_policy();
	struct fixture f;

	(void)state;
	hasty->policy.probe.interval = 10 * SEC;
	hasty->policy.probe.failures = 2;
	open_ready(&f);
	f.now += 4 * SEC;
	tell_policy(&f, hasty);
	CHECK(&f, STAGE_READY, "timer");
	assert_int_equal(f.link->armed, f.link->ready_since + wait_of(&f) / 3);
	tell_deadline(&f);
	tell_probe_failed(&f, FAILURE_PROTOCOL_PROBE_STATUS);
	CHECK(&f, STAGE_READY, "probing timer");
	tell_deadline(&f);
	tell_probe_failed(&f, FAILURE_PROTOCOL_PROBE_STATUS);
	CHECK(&f, STAGE_BACKOFF, "discard report stage probing timer");
	fixture_close(&f);
	upstream_unref(hasty);
}

static void
a_probe_nobody_wants_is_not_waited_for(void **state)
{
	struct upstream *without = other_policy();
	struct fixture f;

	(void)state;
	without->policy.probe.kind = PROBE_NONE;
	open_probing(&f);
	tell_deadline(&f);
	tell_policy(&f, without);
	CHECK(&f, STAGE_READY, "probing timer");
	check_probing(&f, 0, FAILURE_NONE);
	assert_true(f.link->armed == USEC_INFINITY);
	fixture_close(&f);
	upstream_unref(without);
}

/* It still has to be answered, but what it says is the last word. */
static void
without_an_interval_the_last_probe_is_waited_for(void **state)
{
	struct upstream *once = other_policy();
	struct fixture f;

	(void)state;
	once->policy.probe.interval = 0;
	open_probing(&f);
	tell_policy(&f, once);
	CHECK(&f, STAGE_READY, "");
	tell_probe_failed(&f, FAILURE_PROTOCOL_PROBE_STATUS);
	CHECK(&f, STAGE_READY, "probing probing timer");
	check_probing(&f, 1, FAILURE_PROTOCOL_PROBE_STATUS);
	assert_int_equal(f.link->probe_failures, 0);
	assert_true(f.link->armed == USEC_INFINITY);
	fixture_close(&f);

	open_probing(&f);
	tell_probe_failed(&f, FAILURE_PROTOCOL_PROBE_STATUS);
	tell_policy(&f, once);
	CHECK(&f, STAGE_READY, "probing timer");
	check_probing(&f, 0, FAILURE_NONE);
	fixture_close(&f);
	upstream_unref(once);
}

static void
answers_keep_a_connection_from_being_idle(void **state)
{
	struct fixture f;

	(void)state;
	open_probing(&f);
	f.upstream->policy.idle_limit = INTERVAL + SEC;
	tell_kind(&f, INPUT_RECEIVED); /* the octets of the answer */
	tell_kind(&f, INPUT_PASSED);
	assert_int_equal(f.link->armed, f.now + wait_of(&f));
	tell_deadline(&f);
	CHECK(&f, STAGE_READY, "probe timer");
	assert_int_equal(f.link->armed, f.now + INTERVAL + SEC - wait_of(&f)); /* then it would be idle */
	fixture_close(&f);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ready_connection_is_probed_from_time_to_time),
		cmocka_unit_test(without_an_interval_only_the_new_connection_is_probed),
		cmocka_unit_test(wrong_answers_are_counted_until_one_is_right),
		cmocka_unit_test(too_many_wrong_answers_end_it_with_the_last_ones_code),
		cmocka_unit_test(a_login_that_is_wanted_is_asked_for_at_the_slow_end),
		cmocka_unit_test(silence_is_counted_and_ends_it),
		cmocka_unit_test(half_an_answer_is_no_silence),
		cmocka_unit_test(a_late_answer_counts_once_and_mends_nothing),
		cmocka_unit_test(always_too_late_is_too_much),
		cmocka_unit_test(a_stall_gives_a_probe_its_time_again),
		cmocka_unit_test(a_connection_that_falls_falls_as_ever),
		cmocka_unit_test(closing_ends_the_probe_and_its_warning),
		cmocka_unit_test(probes_go_on_while_a_successor_is_made),
		cmocka_unit_test(what_is_given_up_is_not_renewed),
		cmocka_unit_test(a_new_policy_changes_pace_and_patience),
		cmocka_unit_test(a_probe_nobody_wants_is_not_waited_for),
		cmocka_unit_test(without_an_interval_the_last_probe_is_waited_for),
		cmocka_unit_test(answers_keep_a_connection_from_being_idle),
	};

	RUN_TESTS(tests);
}

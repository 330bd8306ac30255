/* core/link: every cell of the grid, and the orders. */
#include "link-fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A link in `stage`, in the shortest way. */
static void
open_in(struct fixture *f, enum stage stage)
{
	fixture_open(f, "a.example:443", true);
	if (stage == STAGE_PROXY)
		f->upstream->policy.proxy.header = PROXY_HEADER_V1;
	if (stage == STAGE_STARTTLS)
		f->upstream->policy.starttls = STARTTLS_SMTP;
	if (stage == STAGE_PROBE)
		f->upstream->policy.probe.kind = PROBE_SMTP;
	if (stage == STAGE_IDLE)
		return;
	if (stage == STAGE_PAUSED) {
		tell_kind(f, INPUT_PAUSE);
		return;
	}
	tell_kind(f, INPUT_START);
	if (stage == STAGE_LOAD)
		return;
	if (stage == STAGE_BACKOFF) {
		tell_failed(f, FAILURE_LOCAL_CA_LOAD);
		return;
	}
	tell_kind(f, INPUT_LOADED);
	if (stage == STAGE_RESOLVE)
		return;
	tell_answer(f, 0, FAMILY_IPV6, "2001:db8::1");
	if (stage == STAGE_CONNECT)
		return;
	tell_connected(f, 0);
	if (stage == STAGE_PROXY || stage == STAGE_STARTTLS || stage == STAGE_HANDSHAKE)
		return;
	tell_secured(f, 0, true);
	if (stage == STAGE_SETTLE)
		return;
	tell_kind(f, INPUT_SETTLED); /* leads to PROBE, or else to READY */
	if (stage == STAGE_CLOSING)
		tell_kind(f, INPUT_RECONNECT);
}

/* Tell the link the plainest thing of a kind. */
static void
tell_plain(struct fixture *f, enum input_kind kind)
{
	switch (kind) {
	case INPUT_ANSWERED: tell_answer(f, 0, FAMILY_IPV4, "192.0.2.1"); break;
	case INPUT_CONNECTED: tell_connected(f, 0); break;
	case INPUT_UNCONNECTED: tell_unconnected(f, 0, FAILURE_CONNECTION_REFUSED); break;
	case INPUT_SECURED: tell_secured(f, 0, false); break;
	case INPUT_FAILED: tell_failed(f, FAILURE_TLS_CLOSED); break;
	case INPUT_STOP: tell_stop(f, CLOSE_SHUTDOWN); break;
	case INPUT_POLICY: tell_policy(f, f->upstream); break;
	case INPUT_DEADLINE:
		f->now = f->link->armed == USEC_INFINITY ? f->now : f->link->armed;
		tell_kind(f, kind);
		break;
	default: tell_kind(f, kind); break;
	}
}

/* All that can happen: everything else is a defect, and aborts. */
static const struct cell {
	enum stage stage;
	enum input_kind input;
	enum stage next;
	const char *effects;
} cells[] = {
	{ STAGE_IDLE, INPUT_START, STAGE_LOAD, "stage load timer" },
	{ STAGE_IDLE, INPUT_STALLED, STAGE_IDLE, "" },
	{ STAGE_IDLE, INPUT_ONLINE, STAGE_IDLE, "" },
	{ STAGE_IDLE, INPUT_RETRY, STAGE_IDLE, "" },
	{ STAGE_IDLE, INPUT_RECONNECT, STAGE_IDLE, "" },
	{ STAGE_IDLE, INPUT_PAUSE, STAGE_PAUSED, "stage" },
	{ STAGE_IDLE, INPUT_RESUME, STAGE_LOAD, "stage load timer" },
	{ STAGE_IDLE, INPUT_POLICY, STAGE_IDLE, "" },
	{ STAGE_IDLE, INPUT_STOP, STAGE_IDLE, "ended" },
	{ STAGE_LOAD, INPUT_START, STAGE_LOAD, "" },
	{ STAGE_LOAD, INPUT_LOADED, STAGE_RESOLVE, "stage resolve resolve timer" },
	{ STAGE_LOAD, INPUT_FAILED, STAGE_BACKOFF, "discard report stage timer" },
	{ STAGE_LOAD, INPUT_DEADLINE, STAGE_BACKOFF, "discard report stage timer" },
	{ STAGE_LOAD, INPUT_STALLED, STAGE_LOAD, "" },
	{ STAGE_LOAD, INPUT_ONLINE, STAGE_LOAD, "" },
	{ STAGE_LOAD, INPUT_RETRY, STAGE_LOAD, "" },
	{ STAGE_LOAD, INPUT_RECONNECT, STAGE_LOAD, "discard stage load" },
	{ STAGE_LOAD, INPUT_PAUSE, STAGE_PAUSED, "discard stage timer" },
	{ STAGE_LOAD, INPUT_RESUME, STAGE_LOAD, "" },
	{ STAGE_LOAD, INPUT_POLICY, STAGE_LOAD, "" },
	{ STAGE_LOAD, INPUT_STOP, STAGE_IDLE, "discard stage timer ended" },
	{ STAGE_RESOLVE, INPUT_START, STAGE_RESOLVE, "" },
	{ STAGE_RESOLVE, INPUT_ANSWERED, STAGE_RESOLVE, "timer" },
	{ STAGE_RESOLVE, INPUT_DEADLINE, STAGE_BACKOFF, "cancel discard report stage timer" },
	{ STAGE_RESOLVE, INPUT_STALLED, STAGE_RESOLVE, "" },
	{ STAGE_RESOLVE, INPUT_ONLINE, STAGE_RESOLVE, "" },
	{ STAGE_RESOLVE, INPUT_RETRY, STAGE_RESOLVE, "" },
	{ STAGE_RESOLVE, INPUT_RECONNECT, STAGE_LOAD, "discard stage load timer" },
	{ STAGE_RESOLVE, INPUT_PAUSE, STAGE_PAUSED, "discard stage timer" },
	{ STAGE_RESOLVE, INPUT_RESUME, STAGE_RESOLVE, "" },
	{ STAGE_RESOLVE, INPUT_POLICY, STAGE_RESOLVE, "" },
	{ STAGE_RESOLVE, INPUT_STOP, STAGE_IDLE, "discard stage timer ended" },
	{ STAGE_CONNECT, INPUT_START, STAGE_CONNECT, "" },
	{ STAGE_CONNECT, INPUT_ANSWERED, STAGE_CONNECT, "timer" },
	{ STAGE_CONNECT, INPUT_CONNECTED, STAGE_HANDSHAKE, "adopt cancel stage handshake timer" },
	{ STAGE_CONNECT, INPUT_UNCONNECTED, STAGE_CONNECT, "lost" },
	{ STAGE_CONNECT, INPUT_DEADLINE, STAGE_BACKOFF, "cancel abandon discard report stage timer" },
	{ STAGE_CONNECT, INPUT_STALLED, STAGE_CONNECT, "" },
	{ STAGE_CONNECT, INPUT_ONLINE, STAGE_CONNECT, "" },
	{ STAGE_CONNECT, INPUT_RETRY, STAGE_CONNECT, "" },
	{ STAGE_CONNECT, INPUT_RECONNECT, STAGE_LOAD, "discard stage load timer" },
	{ STAGE_CONNECT, INPUT_PAUSE, STAGE_PAUSED, "discard stage timer" },
	{ STAGE_CONNECT, INPUT_RESUME, STAGE_CONNECT, "" },
	{ STAGE_CONNECT, INPUT_POLICY, STAGE_CONNECT, "" },
	{ STAGE_CONNECT, INPUT_STOP, STAGE_IDLE, "discard stage timer ended" },
	{ STAGE_PROXY, INPUT_START, STAGE_PROXY, "" },
	{ STAGE_PROXY, INPUT_PASSED, STAGE_HANDSHAKE, "stage handshake timer" },
	{ STAGE_PROXY, INPUT_FAILED, STAGE_CONNECT, "discard lost stage resolve" },
	{ STAGE_PROXY, INPUT_DEADLINE, STAGE_BACKOFF, "discard report stage timer" },
	{ STAGE_PROXY, INPUT_STALLED, STAGE_PROXY, "" },
	{ STAGE_PROXY, INPUT_ONLINE, STAGE_PROXY, "" },
	{ STAGE_PROXY, INPUT_RETRY, STAGE_PROXY, "" },
	{ STAGE_PROXY, INPUT_RECONNECT, STAGE_LOAD, "discard stage load timer" },
	{ STAGE_PROXY, INPUT_PAUSE, STAGE_PAUSED, "discard stage timer" },
	{ STAGE_PROXY, INPUT_RESUME, STAGE_PROXY, "" },
	{ STAGE_PROXY, INPUT_POLICY, STAGE_PROXY, "" },
	{ STAGE_PROXY, INPUT_STOP, STAGE_IDLE, "discard stage timer ended" },
	{ STAGE_STARTTLS, INPUT_START, STAGE_STARTTLS, "" },
	{ STAGE_STARTTLS, INPUT_PASSED, STAGE_HANDSHAKE, "stage handshake" },
	{ STAGE_STARTTLS, INPUT_FAILED, STAGE_CONNECT, "discard lost stage resolve timer" },
	{ STAGE_STARTTLS, INPUT_DEADLINE, STAGE_CONNECT, "discard lost stage resolve timer" },
	{ STAGE_STARTTLS, INPUT_STALLED, STAGE_STARTTLS, "" },
	{ STAGE_STARTTLS, INPUT_ONLINE, STAGE_STARTTLS, "" },
	{ STAGE_STARTTLS, INPUT_RETRY, STAGE_STARTTLS, "" },
	{ STAGE_STARTTLS, INPUT_RECONNECT, STAGE_LOAD, "discard stage load timer" },
	{ STAGE_STARTTLS, INPUT_PAUSE, STAGE_PAUSED, "discard stage timer" },
	{ STAGE_STARTTLS, INPUT_RESUME, STAGE_STARTTLS, "" },
	{ STAGE_STARTTLS, INPUT_POLICY, STAGE_STARTTLS, "" },
	{ STAGE_STARTTLS, INPUT_STOP, STAGE_IDLE, "discard stage timer ended" },
	{ STAGE_HANDSHAKE, INPUT_START, STAGE_HANDSHAKE, "" },
	{ STAGE_HANDSHAKE, INPUT_SECURED, STAGE_READY, "stage hold timer" },
	{ STAGE_HANDSHAKE, INPUT_FAILED, STAGE_CONNECT, "discard lost stage resolve timer" },
	{ STAGE_HANDSHAKE, INPUT_DEADLINE, STAGE_CONNECT, "discard lost stage resolve timer" },
	{ STAGE_HANDSHAKE, INPUT_STALLED, STAGE_HANDSHAKE, "" },
	{ STAGE_HANDSHAKE, INPUT_ONLINE, STAGE_HANDSHAKE, "" },
	{ STAGE_HANDSHAKE, INPUT_RETRY, STAGE_HANDSHAKE, "" },
	{ STAGE_HANDSHAKE, INPUT_RECONNECT, STAGE_LOAD, "discard stage load timer" },
	{ STAGE_HANDSHAKE, INPUT_PAUSE, STAGE_PAUSED, "discard stage timer" },
	{ STAGE_HANDSHAKE, INPUT_RESUME, STAGE_HANDSHAKE, "" },
	{ STAGE_HANDSHAKE, INPUT_POLICY, STAGE_HANDSHAKE, "" },
	{ STAGE_HANDSHAKE, INPUT_STOP, STAGE_IDLE, "discard stage timer ended" },
	{ STAGE_SETTLE, INPUT_START, STAGE_SETTLE, "" },
	{ STAGE_SETTLE, INPUT_SETTLED, STAGE_READY, "stage hold timer" },
	{ STAGE_SETTLE, INPUT_FAILED, STAGE_CONNECT, "discard lost stage resolve timer" },
	{ STAGE_SETTLE, INPUT_DEADLINE, STAGE_READY, "stage hold" },
	{ STAGE_SETTLE, INPUT_STALLED, STAGE_SETTLE, "" },
	{ STAGE_SETTLE, INPUT_ONLINE, STAGE_SETTLE, "" },
	{ STAGE_SETTLE, INPUT_RETRY, STAGE_SETTLE, "" },
	{ STAGE_SETTLE, INPUT_RECONNECT, STAGE_LOAD, "discard stage load timer" },
	{ STAGE_SETTLE, INPUT_PAUSE, STAGE_PAUSED, "discard stage timer" },
	{ STAGE_SETTLE, INPUT_RESUME, STAGE_SETTLE, "" },
	{ STAGE_SETTLE, INPUT_POLICY, STAGE_SETTLE, "" },
	{ STAGE_SETTLE, INPUT_STOP, STAGE_IDLE, "discard stage timer ended" },
	{ STAGE_PROBE, INPUT_START, STAGE_PROBE, "" },
	{ STAGE_PROBE, INPUT_PASSED, STAGE_READY, "stage hold timer" },
	{ STAGE_PROBE, INPUT_FAILED, STAGE_CONNECT, "discard lost stage resolve" },
	{ STAGE_PROBE, INPUT_DEADLINE, STAGE_CONNECT, "discard lost stage resolve timer" },
	{ STAGE_PROBE, INPUT_STALLED, STAGE_PROBE, "" },
	{ STAGE_PROBE, INPUT_ONLINE, STAGE_PROBE, "" },
	{ STAGE_PROBE, INPUT_RETRY, STAGE_PROBE, "" },
	{ STAGE_PROBE, INPUT_RECONNECT, STAGE_LOAD, "discard stage load timer" },
	{ STAGE_PROBE, INPUT_PAUSE, STAGE_PAUSED, "discard stage timer" },
	{ STAGE_PROBE, INPUT_RESUME, STAGE_PROBE, "" },
	{ STAGE_PROBE, INPUT_POLICY, STAGE_PROBE, "" },
	{ STAGE_PROBE, INPUT_STOP, STAGE_IDLE, "discard stage timer ended" },
	{ STAGE_READY, INPUT_START, STAGE_READY, "" },
	{ STAGE_READY, INPUT_PASSED, STAGE_READY, "" },
	{ STAGE_READY, INPUT_PROBE_FAILED, STAGE_READY, "" },
	{ STAGE_READY, INPUT_FAILED, STAGE_BACKOFF, "discard report stage timer" },
	{ STAGE_READY, INPUT_RECEIVED, STAGE_READY, "" },
	{ STAGE_READY, INPUT_DEADLINE, STAGE_READY, "" },
	{ STAGE_READY, INPUT_STALLED, STAGE_READY, "" },
	{ STAGE_READY, INPUT_ONLINE, STAGE_READY, "" },
	{ STAGE_READY, INPUT_RETRY, STAGE_READY, "" },
	{ STAGE_READY, INPUT_RECONNECT, STAGE_CLOSING, "stage close report-close timer" },
	{ STAGE_READY, INPUT_PAUSE, STAGE_CLOSING, "stage close report-close timer" },
	{ STAGE_READY, INPUT_RESUME, STAGE_READY, "" },
	{ STAGE_READY, INPUT_POLICY, STAGE_READY, "" },
	{ STAGE_READY, INPUT_STOP, STAGE_CLOSING, "stage close report-close timer" },
	{ STAGE_BACKOFF, INPUT_START, STAGE_BACKOFF, "" },
	{ STAGE_BACKOFF, INPUT_DEADLINE, STAGE_LOAD, "stage load timer" },
	{ STAGE_BACKOFF, INPUT_STALLED, STAGE_BACKOFF, "" },
	{ STAGE_BACKOFF, INPUT_ONLINE, STAGE_BACKOFF, "" },
	{ STAGE_BACKOFF, INPUT_RETRY, STAGE_LOAD, "stage load timer" },
	{ STAGE_BACKOFF, INPUT_RECONNECT, STAGE_LOAD, "stage load timer" },
	{ STAGE_BACKOFF, INPUT_PAUSE, STAGE_PAUSED, "stage timer" },
	{ STAGE_BACKOFF, INPUT_RESUME, STAGE_BACKOFF, "" },
	{ STAGE_BACKOFF, INPUT_POLICY, STAGE_BACKOFF, "" },
	{ STAGE_BACKOFF, INPUT_STOP, STAGE_IDLE, "stage timer ended" },
	{ STAGE_PAUSED, INPUT_START, STAGE_PAUSED, "" },
	{ STAGE_PAUSED, INPUT_STALLED, STAGE_PAUSED, "" },
	{ STAGE_PAUSED, INPUT_ONLINE, STAGE_PAUSED, "" },
	{ STAGE_PAUSED, INPUT_RETRY, STAGE_PAUSED, "" },
	{ STAGE_PAUSED, INPUT_RECONNECT, STAGE_PAUSED, "" },
	{ STAGE_PAUSED, INPUT_PAUSE, STAGE_PAUSED, "" },
	{ STAGE_PAUSED, INPUT_RESUME, STAGE_LOAD, "stage load timer" },
	{ STAGE_PAUSED, INPUT_POLICY, STAGE_PAUSED, "" },
	{ STAGE_PAUSED, INPUT_STOP, STAGE_IDLE, "stage ended" },
	{ STAGE_CLOSING, INPUT_START, STAGE_CLOSING, "" },
	{ STAGE_CLOSING, INPUT_DEADLINE, STAGE_LOAD, "discard stage load timer" },
	{ STAGE_CLOSING, INPUT_STALLED, STAGE_CLOSING, "" },
	{ STAGE_CLOSING, INPUT_ONLINE, STAGE_CLOSING, "" },
	{ STAGE_CLOSING, INPUT_RETRY, STAGE_CLOSING, "" },
	{ STAGE_CLOSING, INPUT_RECONNECT, STAGE_CLOSING, "" },
	{ STAGE_CLOSING, INPUT_PAUSE, STAGE_CLOSING, "" },
	{ STAGE_CLOSING, INPUT_RESUME, STAGE_CLOSING, "" },
	{ STAGE_CLOSING, INPUT_POLICY, STAGE_CLOSING, "" },
	{ STAGE_CLOSING, INPUT_STOP, STAGE_CLOSING, "" },
	{ STAGE_CLOSING, INPUT_CLOSED, STAGE_LOAD, "discard stage load timer" },
};

static const struct cell *
find_cell(enum stage stage, enum input_kind input)
{
	for (size_t i = 0; i < COUNT_OF(cells); i++) {
		if (cells[i].stage == stage && cells[i].input == input)
			return &cells[i];
	}
	return NULL;
}

static void
every_cell_does_what_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cells); i++) {
		struct fixture f;

		open_in(&f, cells[i].stage);
		assert_int_equal(f.link->stage, cells[i].stage);
		tell_plain(&f, cells[i].input);
		print_message("# %s, input %d: %s\n", stage_name(cells[i].stage),
			      (int)cells[i].input, done(&f));
		CHECK(&f, cells[i].next, cells[i].effects);
		fixture_close(&f);
	}
}

static bool
is_reachable(enum stage stage)
{
	return find_cell(stage, INPUT_STOP) != NULL;
}

static bool
aborts(enum stage stage, enum input_kind input)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		struct fixture f;
		enum stage *where;

		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		signal(SIGABRT, SIG_DFL);
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		open_in(&f, is_reachable(stage) ? stage : STAGE_IDLE);
		where = &f.link->stage;
		*where = stage;
		tell_plain(&f, input);
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
every_other_cell_aborts(void **state)
{
	(void)state;
	for (enum stage stage = 0; stage < STAGE_COUNT; stage++) {
		for (enum input_kind input = 0; input < INPUT_COUNT; input++) {
			if (!find_cell(stage, input) && !aborts(stage, input))
				fail_msg("%s takes input %d", stage_name(stage), (int)input);
		}
	}
}

/* An input that is no order comes from what was asked for: orders are legal in every stage there is. */
static void
orders_are_legal_everywhere(void **state)
{
	static const enum input_kind orders[] = {
		INPUT_START, INPUT_STALLED, INPUT_ONLINE, INPUT_RETRY, INPUT_RECONNECT,
		INPUT_PAUSE, INPUT_RESUME,  INPUT_POLICY, INPUT_STOP,
	};

	(void)state;
	for (enum stage stage = 0; stage < STAGE_COUNT; stage++) {
		for (size_t i = 0; is_reachable(stage) && i < COUNT_OF(orders); i++)
			assert_non_null(find_cell(stage, orders[i]));
	}
}

static void
what_is_disabled_starts_paused(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "192.0.2.1:1", false);
	f.upstream->policy.enabled = false;
	tell_kind(&f, INPUT_START);
	CHECK(&f, STAGE_PAUSED, "stage");
	tell_kind(&f, INPUT_RESUME); /* an administrator knows better */
	CHECK(&f, STAGE_CONNECT, "stage connect timer");
	fixture_close(&f);
}

static void
a_policy_that_disables_pauses(void **state)
{
	struct upstream *off = fixture_upstream("a.example:443", true);
	struct fixture f;

	(void)state;
	off->policy.enabled = false;
	open_in(&f, STAGE_READY);
	tell_policy(&f, off);
	CHECK(&f, STAGE_CLOSING, "stage close report-close timer");
	assert_int_equal(effect_of(&f, EFFECT_REPORT_CLOSE)->reason, CLOSE_RELOAD);
	tell_policy(&f, f.upstream); /* on again before it was closed */
	CHECK(&f, STAGE_CLOSING, "");
	tell_policy(&f, off);
	tell_kind(&f, INPUT_CLOSED);
	CHECK(&f, STAGE_PAUSED, "discard stage timer");
	tell_policy(&f, off); /* no change, no effect */
	CHECK(&f, STAGE_PAUSED, "");
	tell_policy(&f, f.upstream);
	CHECK(&f, STAGE_LOAD, "stage load timer");
	tell_policy(&f, off);
	CHECK(&f, STAGE_PAUSED, "discard stage timer");
	fixture_close(&f);
	upstream_unref(off);
}

static void
a_stopped_link_stays_stopped(void **state)
{
	struct upstream *off = fixture_upstream("a.example:443", true);
	struct fixture f;

	(void)state;
	off->policy.enabled = false;
	open_in(&f, STAGE_HANDSHAKE);
	tell_stop(&f, CLOSE_RELOAD);
	CHECK(&f, STAGE_IDLE, "discard stage timer ended");
	tell_policy(&f, off);
	CHECK(&f, STAGE_IDLE, "");
	tell_policy(&f, f.upstream);
	CHECK(&f, STAGE_IDLE, "");
	fixture_close(&f);
	upstream_unref(off);
}

static void
the_last_order_while_closing_counts(void **state)
{
	struct fixture f;

	(void)state;
	open_in(&f, STAGE_CLOSING); /* it was RECONNECT */
	tell_kind(&f, INPUT_PAUSE);
	tell_kind(&f, INPUT_CLOSED);
	CHECK(&f, STAGE_PAUSED, "discard stage timer");
	fixture_close(&f);
	open_in(&f, STAGE_READY);
	tell_kind(&f, INPUT_PAUSE);
	tell_kind(&f, INPUT_RESUME);
	tell_kind(&f, INPUT_CLOSED);
	CHECK(&f, STAGE_LOAD, "discard stage load timer");
	fixture_close(&f);
	open_in(&f, STAGE_CLOSING);
	tell_stop(&f, CLOSE_SHUTDOWN);
	tell_kind(&f, INPUT_RESUME); /* for good is for good */
	tell_kind(&f, INPUT_CLOSED);
	CHECK(&f, STAGE_IDLE, "discard stage timer ended");
	fixture_close(&f);
}

static void
a_reconnect_forgets_an_earlier_pause(void **state)
{
	struct fixture f;

	(void)state;
	open_in(&f, STAGE_READY);
	tell_kind(&f, INPUT_PAUSE);
	tell_kind(&f, INPUT_CLOSED);
	CHECK(&f, STAGE_PAUSED, "discard stage timer");
	tell_kind(&f, INPUT_RESUME);
	tell_kind(&f, INPUT_LOADED);
	tell_answer(&f, 0, FAMILY_IPV6, "2001:db8::1");
	tell_connected(&f, 0);
	tell_secured(&f, 0, false);
	tell_kind(&f, INPUT_RECONNECT);
	tell_kind(&f, INPUT_CLOSED);
	CHECK(&f, STAGE_LOAD, "discard stage load timer");
	fixture_close(&f);
}

static void
closing_ends_by_force(void **state)
{
	struct fixture f;

	(void)state;
	open_in(&f, STAGE_CLOSING);
	assert_int_equal(f.link->armed, f.now + DEFAULT_CLOSE_TIMEOUT);
	tell_kind(&f, INPUT_DEADLINE); /* a timer that fires early changes nothing */
	CHECK(&f, STAGE_CLOSING, "timer");
	tell_deadline(&f);
	CHECK(&f, STAGE_LOAD, "discard stage load timer");
	fixture_close(&f);
}

static void
what_is_cut_short_does_not_count(void **state)
{
	struct fixture f;

	(void)state;
	open_in(&f, STAGE_HANDSHAKE);
	assert_int_equal(f.link->attempt, 1);
	f.now += USEC_PER_SEC;
	tell_kind(&f, INPUT_RECONNECT);
	CHECK(&f, STAGE_LOAD, "discard stage load timer");
	assert_int_equal(f.link->attempt, 1);
	for (enum stage i = 0; i < STAGE_COUNT; i++)
		assert_true(f.link->timing[i] == USEC_INFINITY);
	fixture_close(&f);
}

static void
a_stall_gives_every_stage_its_time_again(void **state)
{
	static const struct {
		enum stage stage;
		usec_t timeout;
	} stages[] = {
		{ STAGE_LOAD, DEFAULT_ATTEMPT_TIMEOUT },
		{ STAGE_RESOLVE, DEFAULT_RESOLVE_TIMEOUT },
		{ STAGE_CONNECT, DEFAULT_CONNECT_TIMEOUT },
		{ STAGE_PROXY, DEFAULT_PROXY_TIMEOUT },
		{ STAGE_STARTTLS, DEFAULT_STARTTLS_TIMEOUT },
		{ STAGE_HANDSHAKE, DEFAULT_HANDSHAKE_TIMEOUT },
		{ STAGE_SETTLE, DEFAULT_SETTLE_TIMEOUT },
		{ STAGE_PROBE, DEFAULT_PROBE_TIMEOUT },
		{ STAGE_CLOSING, DEFAULT_CLOSE_TIMEOUT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(stages); i++) {
		struct fixture f;

		open_in(&f, stages[i].stage);
		f.now += 100 * USEC_PER_SEC;
		tell_kind(&f, INPUT_STALLED);
		CHECK(&f, stages[i].stage, "timer");
		assert_int_equal(f.link->armed, f.now + stages[i].timeout);
		if (stages[i].stage != STAGE_CLOSING)
			assert_int_equal(f.link->attempt_deadline, f.now + DEFAULT_ATTEMPT_TIMEOUT);
		fixture_close(&f);
	}
}

static void
a_stall_fails_nothing_that_waits(void **state)
{
	struct fixture f;
	usec_t due;

	(void)state;
	open_in(&f, STAGE_BACKOFF);
	due = f.link->armed;
	f.now += USEC_PER_SEC / 2;
	tell_kind(&f, INPUT_STALLED);
	CHECK(&f, STAGE_BACKOFF, "");
	assert_int_equal(f.link->armed, due);
	fixture_close(&f);
}

static void
a_new_policy_moves_running_deadlines(void **state)
{
	struct upstream *slow = fixture_upstream("a.example:443", true);
	struct fixture f;
	usec_t since;

	(void)state;
	slow->policy.timeout[STAGE_HANDSHAKE] = 20 * USEC_PER_SEC;
	slow->policy.attempt_timeout = 15 * USEC_PER_SEC;
	open_in(&f, STAGE_HANDSHAKE);
	since = f.now;
	f.now += 3 * USEC_PER_SEC;
	tell_policy(&f, slow);
	CHECK(&f, STAGE_HANDSHAKE, "timer");
	assert_int_equal(f.link->stage_deadline, since + 20 * USEC_PER_SEC);
	assert_int_equal(f.link->armed, since + 15 * USEC_PER_SEC);
	f.now += 9 * USEC_PER_SEC; /* later than the old deadline */
	tell_kind(&f, INPUT_DEADLINE);
	CHECK(&f, STAGE_HANDSHAKE, "timer");
	fixture_close(&f);
	upstream_unref(slow);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_does_what_it_says),
		cmocka_unit_test(every_other_cell_aborts),
		cmocka_unit_test(orders_are_legal_everywhere),
		cmocka_unit_test(what_is_disabled_starts_paused),
		cmocka_unit_test(a_policy_that_disables_pauses),
		cmocka_unit_test(a_stopped_link_stays_stopped),
		cmocka_unit_test(the_last_order_while_closing_counts),
		cmocka_unit_test(a_reconnect_forgets_an_earlier_pause),
		cmocka_unit_test(closing_ends_by_force),
		cmocka_unit_test(what_is_cut_short_does_not_count),
		cmocka_unit_test(a_stall_gives_every_stage_its_time_again),
		cmocka_unit_test(a_stall_fails_nothing_that_waits),
		cmocka_unit_test(a_new_policy_moves_running_deadlines),
	};

	RUN_TESTS(tests);
}

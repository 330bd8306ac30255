/* core/stage: names and legal moves. */
#include "check.h"

#include "core/stage.h"

#include <string.h>

static void
names_are_those_of_the_wire(void **state)
{
	static const char *const names[STAGE_COUNT] = {
		"idle",	 "load",  "resolve", "connect", "proxy",  "starttls", "handshake", "settle",
		"probe", "ready", "lent",    "backoff", "paused", "closing",  "lend",
	};

	(void)state;
	for (enum stage i = 0; i < STAGE_COUNT; i++)
		assert_string_equal(stage_name(i), names[i]);
}

static bool
is_declared_only(enum stage stage)
{
	return stage == STAGE_LENT || stage == STAGE_LEND;
}

static void
what_has_no_machine_is_never_entered(void **state)
{
	(void)state;
	for (enum stage from = 0; from < STAGE_COUNT; from++) {
		for (enum stage next = 0; next < STAGE_COUNT; next++) {
			if (is_declared_only(from) || is_declared_only(next))
				assert_false(stage_may_follow(from, next));
		}
	}
}

/* The stages of a connection that may lead to READY at once, since what would come between need not apply. */
static bool
may_be_last(enum stage stage)
{
	return stage == STAGE_CONNECT || stage == STAGE_PROXY || stage == STAGE_HANDSHAKE ||
	       stage == STAGE_SETTLE || stage == STAGE_PROBE;
}

static void
a_connection_is_never_skipped(void **state)
{
	(void)state;
	for (enum stage from = 0; from < STAGE_COUNT; from++) {
		bool starts = from == STAGE_CONNECT || from == STAGE_PROXY;

		assert_int_equal(stage_may_follow(from, STAGE_PROXY), from == STAGE_CONNECT);
		assert_int_equal(stage_may_follow(from, STAGE_STARTTLS), starts);
		assert_int_equal(stage_may_follow(from, STAGE_HANDSHAKE),
				 starts || from == STAGE_STARTTLS);
		assert_int_equal(stage_may_follow(from, STAGE_SETTLE), from == STAGE_HANDSHAKE);
		assert_int_equal(stage_may_follow(from, STAGE_PROBE),
				 may_be_last(from) && from != STAGE_PROBE);
		assert_int_equal(stage_may_follow(from, STAGE_READY), may_be_last(from));
		assert_int_equal(stage_may_follow(from, STAGE_CLOSING), from == STAGE_READY);
	}
}

static void
a_ready_connection_fails_or_is_closed(void **state)
{
	(void)state;
	for (enum stage next = 0; next < STAGE_COUNT; next++)
		assert_int_equal(stage_may_follow(STAGE_READY, next),
				 next == STAGE_BACKOFF || next == STAGE_CLOSING);
}

static void
only_attempts_and_connections_fail(void **state)
{
	(void)state;
	assert_false(stage_may_follow(STAGE_PAUSED, STAGE_BACKOFF));
	assert_false(stage_may_follow(STAGE_CLOSING, STAGE_BACKOFF));
	assert_false(stage_may_follow(STAGE_BACKOFF, STAGE_BACKOFF));
	assert_false(stage_may_follow(STAGE_IDLE, STAGE_BACKOFF));
	assert_true(stage_may_follow(STAGE_LOAD, STAGE_BACKOFF));
	assert_true(stage_may_follow(STAGE_PROXY, STAGE_BACKOFF));
	assert_true(stage_may_follow(STAGE_STARTTLS, STAGE_BACKOFF));
	assert_true(stage_may_follow(STAGE_SETTLE, STAGE_BACKOFF));
	assert_true(stage_may_follow(STAGE_PROBE, STAGE_BACKOFF));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_those_of_the_wire),
		cmocka_unit_test(what_has_no_machine_is_never_entered),
		cmocka_unit_test(a_connection_is_never_skipped),
		cmocka_unit_test(a_ready_connection_fails_or_is_closed),
		cmocka_unit_test(only_attempts_and_connections_fail),
	};

	RUN_TESTS(tests);
}

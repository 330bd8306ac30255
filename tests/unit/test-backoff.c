/* core/backoff: growth, bounds and spread. */
#include "check.h"

#include "core/backoff.h"

#define SEC USEC_PER_SEC

static struct retry_policy
policy_with(enum jitter jitter, double multiplier)
{
	return (struct retry_policy){ .initial = 1 * SEC,
				      .max = 300 * SEC,
				      .multiplier = multiplier,
				      .jitter = jitter,
				      .stable_after = 30 * SEC };
}

static void
it_grows_to_its_limit(void **state)
{
	static const usec_t expected[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300 };
	struct retry_policy retry = policy_with(JITTER_NONE, 2.0);

	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(expected); i++)
		assert_int_equal(backoff_ceiling(&retry, STAGE_CONNECT, LIFE_TRANSIENT, i + 1),
				 expected[i] * SEC);
	assert_int_equal(backoff_ceiling(&retry, STAGE_CONNECT, LIFE_TRANSIENT, UINT32_MAX), 300 * SEC);
}

static void
a_multiplier_of_one_ends_at_once(void **state)
{
	struct retry_policy retry = policy_with(JITTER_NONE, 1.0);

	(void)state;
	assert_int_equal(backoff_ceiling(&retry, STAGE_CONNECT, LIFE_TRANSIENT, UINT32_MAX), 1 * SEC);
}

static void
a_limit_below_the_beginning_wins(void **state)
{
	struct retry_policy retry = policy_with(JITTER_NONE, 2.0);

	(void)state;
	retry.max = SEC / 2;
	assert_int_equal(backoff_ceiling(&retry, STAGE_CONNECT, LIFE_TRANSIENT, 1), SEC / 2);
	assert_int_equal(backoff_ceiling(&retry, STAGE_HANDSHAKE, LIFE_TRANSIENT, 9), SEC / 2);
}

static void
who_was_met_is_asked_more_seldom(void **state)
{
	static const enum stage met[] = { STAGE_PROXY, STAGE_STARTTLS, STAGE_HANDSHAKE,
					  STAGE_SETTLE, STAGE_PROBE };
	static const enum stage unmet[] = { STAGE_LOAD, STAGE_RESOLVE, STAGE_CONNECT, STAGE_READY };
	struct retry_policy retry = policy_with(JITTER_NONE, 2.0);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(met); i++)
		assert_int_equal(backoff_ceiling(&retry, met[i], LIFE_TRANSIENT, 2), 4 * SEC);
	for (size_t i = 0; i < COUNT_OF(unmet); i++)
		assert_int_equal(backoff_ceiling(&retry, unmet[i], LIFE_TRANSIENT, 2), 2 * SEC);
}

static void
what_lasts_is_asked_at_the_slow_end(void **state)
{
	struct retry_policy retry = policy_with(JITTER_NONE, 2.0);

	(void)state;
	assert_int_equal(backoff_ceiling(&retry, STAGE_RESOLVE, LIFE_PERSISTENT, 1), 300 * SEC);
}

static void
the_spread_is_within_its_bounds(void **state)
{
	static const struct {
		enum jitter jitter;
		usec_t least, most;
	} rows[] = {
		{ JITTER_NONE, 8 * SEC, 8 * SEC },
		{ JITTER_EQUAL, 4 * SEC, 8 * SEC },
		{ JITTER_FULL, BACKOFF_DELAY_MIN, 8 * SEC },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct retry_policy retry = policy_with(rows[i].jitter, 2.0);
		usec_t least = USEC_INFINITY, most = 0, sum = 0, middle;
		struct prng prng;

		prng_init(&prng, 7);
		for (int n = 0; n < 4000; n++) {
			usec_t delay = backoff_delay(&retry, 8 * SEC, &prng);

			least = usec_min(least, delay);
			most = usec_max(most, delay);
			sum += delay;
		}
		middle = (rows[i].least + rows[i].most) / 2;
		assert_in_range(least, rows[i].least, rows[i].least + SEC / 20);
		assert_in_range(most, rows[i].most - SEC / 20, rows[i].most);
		assert_in_range(sum / 4000, middle - SEC / 5, middle + SEC / 5);
	}
}

static void
it_never_spins(void **state)
{
	static const enum jitter jitters[] = { JITTER_NONE, JITTER_EQUAL, JITTER_FULL };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(jitters); i++) {
		struct retry_policy retry = policy_with(jitters[i], 2.0);
		struct prng prng;

		prng_init(&prng, 7);
		assert_int_equal(backoff_delay(&retry, 1, &prng), BACKOFF_DELAY_MIN);
		assert_int_equal(backoff_delay(&retry, BACKOFF_DELAY_MIN, &prng), BACKOFF_DELAY_MIN);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_grows_to_its_limit),
		cmocka_unit_test(a_multiplier_of_one_ends_at_once),
		cmocka_unit_test(a_limit_below_the_beginning_wins),
		cmocka_unit_test(who_was_met_is_asked_more_seldom),
		cmocka_unit_test(what_lasts_is_asked_at_the_slow_end),
		cmocka_unit_test(the_spread_is_within_its_bounds),
		cmocka_unit_test(it_never_spins),
	};

	RUN_TESTS(tests);
}

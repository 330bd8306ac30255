/* main/noise: a year of one failure, and what changes between. */
#include "check.h"

#include "main/noise.h"

#define REFUSED FAILURE_CONNECTION_REFUSED
#define RESET	FAILURE_CONNECTION_RESET

static void
the_first_few_are_loud(void **state)
{
	struct noise noise = { 0 };

	(void)state;
	for (unsigned int i = 1; i <= NOISE_LOUD; i++) {
		assert_true(noise_hear(&noise, REFUSED, i));
		assert_int_equal(noise.repeats, i);
	}
	assert_false(noise_hear(&noise, REFUSED, NOISE_LOUD + 1));
	assert_int_equal(noise.repeats, NOISE_LOUD + 1);
}

static void
another_code_is_loud_and_counts_from_one(void **state)
{
	struct noise noise = { 0 };

	(void)state;
	for (unsigned int i = 0; i < 9; i++)
		noise_hear(&noise, REFUSED, i);
	assert_true(noise_hear(&noise, RESET, 9));
	assert_int_equal(noise.repeats, 1);
	assert_true(noise_hear(&noise, REFUSED, 10));
	assert_int_equal(noise.repeats, 1);
}

static void
tenfold_counts_are_loud(void **state)
{
	struct noise noise = { 0 };
	unsigned int loud = 0;

	(void)state;
	for (unsigned int i = 1; i <= 100000; i++) {
		bool said = noise_hear(&noise, REFUSED, i);

		loud += said;
		if (i == 10 || i == 100 || i == 1000 || i == 10000 || i == 100000)
			assert_true(said);
	}
	assert_int_equal(loud, NOISE_LOUD + 5);
}

/* A year with a failure every 5 minutes: one line an hour is the most. */
static void
one_is_loud_every_hour(void **state)
{
	struct noise noise = { 0 };
	usec_t last = 0;
	unsigned int loud = 0;

	(void)state;
	for (usec_t now = 0; now < 365 * USEC_PER_DAY; now += 5 * USEC_PER_MINUTE) {
		if (noise_hear(&noise, REFUSED, now)) {
			last = now;
			loud++;
		}
		assert_true(now - last < NOISE_INTERVAL);
	}
	assert_in_range(loud, 365 * 24, 365 * 24 + 10);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_few_are_loud),
		cmocka_unit_test(another_code_is_loud_and_counts_from_one),
		cmocka_unit_test(tenfold_counts_are_loud),
		cmocka_unit_test(one_is_loud_every_hour),
	};

	RUN_TESTS(tests);
}

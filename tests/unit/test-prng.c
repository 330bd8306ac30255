/* base/prng: the same seed, the same sequence. */
#include "check.h"

#include "base/prng.h"

/* The first numbers of xoshiro256** after splitmix64 from 42, computed by another program. */
static void
the_sequence_is_the_published_one(void **state)
{
	struct prng prng;

	(void)state;
	prng_init(&prng, 42);
	assert_true(prng_next(&prng) == 0x15780b2e0c2ec716);
	assert_true(prng_next(&prng) == 0x6104d9866d113a7e);
	assert_true(prng_next(&prng) == 0xae17533239e499a1);
	assert_true(prng_next(&prng) == 0xecb8ad4703b360a1);
}

static void
a_bound_holds_and_is_reached(void **state)
{
	unsigned int seen[7] = { 0 };
	struct prng prng;

	(void)state;
	prng_init(&prng, 1);
	for (int i = 0; i < 7000; i++) {
		uint64_t drawn = prng_below(&prng, 7);

		assert_in_range(drawn, 0, 6);
		seen[drawn]++;
	}
	for (size_t i = 0; i < COUNT_OF(seen); i++)
		assert_in_range(seen[i], 800, 1200);
	assert_int_equal(prng_below(&prng, 0), 0);
	assert_int_equal(prng_below(&prng, 1), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sequence_is_the_published_one),
		cmocka_unit_test(a_bound_holds_and_is_reached),
	};

	RUN_TESTS(tests);
}

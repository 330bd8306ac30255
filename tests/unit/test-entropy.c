/* sys/entropy: seeds differ. */
#include "check.h"

#include "sys/entropy.h"

static void
seeds_differ(void **state)
{
	uint64_t seeds[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(seeds); i++) {
		seeds[i] = entropy_seed();
		for (size_t j = 0; j < i; j++)
			assert_true(seeds[i] != seeds[j]);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(seeds_differ),
	};

	RUN_TESTS(tests);
}

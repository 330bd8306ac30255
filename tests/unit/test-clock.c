/* sys/clock: the clocks are the kernel's. */
#include "check.h"

#include "sys/clock.h"

#include <time.h>
#include <unistd.h>

static void
the_monotonic_clock_is_the_kernels(void **state)
{
	struct timespec before, after;
	usec_t now;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &before);
	now = clock_now();
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(now >= (usec_t)before.tv_sec * USEC_PER_SEC + (usec_t)before.tv_nsec / 1000);
	assert_true(now <= (usec_t)after.tv_sec * USEC_PER_SEC + (usec_t)after.tv_nsec / 1000);
}

static void
the_real_clock_counts_from_1970(void **state)
{
	uint64_t before = (uint64_t)time(NULL) * USEC_PER_SEC, now = clock_realtime();

	(void)state;
	assert_true(now + USEC_PER_SEC >= before);
	assert_true(now <= ((uint64_t)time(NULL) + 1) * USEC_PER_SEC);
}

static void
one_instant_has_one_date(void **state)
{
	uint64_t first = clock_epoch();
	uint64_t realtime = clock_realtime();

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_true(clock_epoch() == first);
	assert_true(realtime - (first + clock_now()) + USEC_PER_SEC < 2 * USEC_PER_SEC);
}

static void
sleeping_takes_no_time_of_the_cpu(void **state)
{
	usec_t begin = clock_cpu_thread();

	(void)state;
	while (clock_cpu_thread() == begin)
		continue;
	begin = clock_cpu_thread();
	usleep(200000);
	assert_true(clock_cpu_thread() - begin < 100000);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_monotonic_clock_is_the_kernels),
		cmocka_unit_test(the_real_clock_counts_from_1970),
		cmocka_unit_test(one_instant_has_one_date),
		cmocka_unit_test(sleeping_takes_no_time_of_the_cpu),
	};

	RUN_TESTS(tests);
}

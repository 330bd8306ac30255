/* base/usec: time that saturates. */
#include "check.h"

#include "base/usec.h"

static void
sums_saturate(void **state)
{
	(void)state;
	assert_int_equal(usec_add(1, 2), 3);
	assert_true(usec_add(USEC_INFINITY, 1) == USEC_INFINITY);
	assert_true(usec_add(1, USEC_INFINITY) == USEC_INFINITY);
	assert_true(usec_add(USEC_INFINITY - 1, 1) == USEC_INFINITY);
	assert_true(usec_add(USEC_INFINITY - 5, 10) == USEC_INFINITY);
}

static void
differences_stop_at_zero(void **state)
{
	(void)state;
	assert_int_equal(usec_sub(5, 2), 3);
	assert_int_equal(usec_sub(2, 5), 0);
	assert_int_equal(usec_sub(2, 2), 0);
	assert_true(usec_sub(USEC_INFINITY, 5) == USEC_INFINITY);
	assert_int_equal(usec_sub(5, USEC_INFINITY), 0);
}

static void
products_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(usec_scale(USEC_PER_SEC, 2.0, USEC_PER_MINUTE), 2 * USEC_PER_SEC);
	assert_int_equal(usec_scale(USEC_PER_SEC, 1.5, USEC_PER_MINUTE), 1500 * USEC_PER_MSEC);
	assert_int_equal(usec_scale(USEC_PER_SEC, 0, USEC_PER_MINUTE), 0);
	assert_int_equal(usec_scale(USEC_PER_HOUR, 2.0, USEC_PER_MINUTE), USEC_PER_MINUTE);
	assert_true(usec_scale(USEC_INFINITY, 2.0, USEC_INFINITY) == USEC_INFINITY);
}

static void
earlier_and_later(void **state)
{
	(void)state;
	assert_int_equal(usec_min(1, 2), 1);
	assert_int_equal(usec_min(USEC_INFINITY, 2), 2);
	assert_int_equal(usec_max(1, 2), 2);
	assert_true(usec_max(USEC_INFINITY, 2) == USEC_INFINITY);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_saturate),
		cmocka_unit_test(differences_stop_at_zero),
		cmocka_unit_test(products_are_bounded),
		cmocka_unit_test(earlier_and_later),
	};

	RUN_TESTS(tests);
}

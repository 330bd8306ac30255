/* core/failure_others: what became of the other addresses. */
#include "check.h"

#include "core/failure.h"

#include <string.h>

static void
a_list_is_copied_and_counted(void **state)
{
	struct address_failure list[2] = {
		{ .code = FAILURE_CONNECTION_REFUSED, .error = "ECONNREFUSED" },
		{ .code = FAILURE_TIMEOUT_CONNECT },
	};
	struct others *others = others_new(list, 2), *same;

	(void)state;
	memset(list, 0, sizeof(list));
	assert_int_equal(others_count(others), 2);
	assert_int_equal(others_at(others, 0)->code, FAILURE_CONNECTION_REFUSED);
	assert_string_equal(others_at(others, 0)->error, "ECONNREFUSED");
	assert_int_equal(others_at(others, 1)->code, FAILURE_TIMEOUT_CONNECT);
	same = others_ref(others);
	assert_true(same == others);
	assert_null(others_unref(others));
	assert_int_equal(others_count(same), 2);
	assert_null(others_unref(same));
}

static void
nothing_is_no_list(void **state)
{
	(void)state;
	assert_null(others_new(NULL, 0));
	assert_null(others_ref(NULL));
	assert_null(others_unref(NULL));
	assert_int_equal(others_count(NULL), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_copied_and_counted),
		cmocka_unit_test(nothing_is_no_list),
	};

	RUN_TESTS(tests);
}

#include "check.h"

#include "config/problems.h"

#include <string.h>

static const char *
text_of(const struct problems *problems, size_t i)
{
	static char text[128];

	return problems_format(&problems->at[i], text, sizeof(text));
}

static void
test_format(void **state)
{
	struct problems problems = { 0 };
	char tiny[8];

	(void)state;
	problems_add(&problems, "a.conf", 7, "%s is %d", "x", 3);
	problems_add(&problems, "a.conf", 0, "cannot be read");
	assert_int_equal(problems.count, 2);
	assert_string_equal(text_of(&problems, 0), "a.conf:7: x is 3");
	assert_string_equal(text_of(&problems, 1), "a.conf: cannot be read");
	assert_string_equal(problems_format(&problems.at[0], tiny, sizeof(tiny)), "a.conf:");
	problems_done(&problems);
	assert_int_equal(problems.count, 0);
	assert_null(problems.at);
}

static void
test_order(void **state)
{
	static const char *const sorted[] = { "m: z",	"m:3: d", "m:3: e",
					      "m:9: a", "b:1: c", "n:2: b" };
	struct problems problems = { 0 };

	(void)state;
	problems_add(&problems, "m", 9, "a");
	problems_add(&problems, "n", 2, "b");
	problems_add(&problems, "b", 1, "c");
	problems_add(&problems, "m", 3, "d");
	problems_add(&problems, "m", 3, "e");
	problems_add(&problems, "m", 0, "z");
	problems_sort(&problems, "m");
	for (size_t i = 0; i < COUNT_OF(sorted); i++)
		assert_string_equal(text_of(&problems, i), sorted[i]);
	problems_done(&problems);
}

static void
test_bound(void **state)
{
	struct problems problems = { 0 };

	(void)state;
	for (unsigned int i = 0; i < PROBLEMS_MAX + 5; i++)
		problems_add(&problems, "f", i, "x");
	assert_int_equal(problems.count, PROBLEMS_MAX);
	assert_int_equal(problems.left_out, 5);
	problems_sort(&problems, "f");
	assert_int_equal(problems.at[PROBLEMS_MAX - 1].line, PROBLEMS_MAX - 1);
	problems_done(&problems);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_bound),
	};

	RUN_TESTS(tests);
}

/* core/probe_regex: which patterns are taken. */
#include "check.h"

#include "core/probe.h"

#include <errno.h>
#include <string.h>

static void
patterns_that_are_taken(void **state)
{
	static const char *const patterns[] = {
		"^OK",	      "(a|b)*c+d?", "[]1\\2]x", "[^]()]", "[[:digit:][.-.]]+",
		"[\\1]", /* in a set a backslash is one */
		"[a-z]{512}", "é\xff",
	};
	char problem[256];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(patterns); i++) {
		int r = probe_check_regex(patterns[i], problem, sizeof(problem));

		if (r < 0)
			print_message("%s %s\n", patterns[i], problem);
		assert_int_equal(r, 0);
	}
}

static void
patterns_that_are_refused(void **state)
{
	static const struct {
		const char *pattern, *problem;
	} rows[] = {
		{ "", "is empty" },
		{ "(a)\\1", "has a back-reference, whose matching may take for ever" },
		{ "[a](x)\\9", "has a back-reference, whose matching may take for ever" },
		{ "[]](x)\\\\\\2", "has a back-reference, whose matching may take for ever" },
		{ "[[:alpha:]](x)\\1", "has a back-reference, whose matching may take for ever" },
		{ "(a", "is no POSIX extended regular expression: Unmatched ( or \\(" },
		{ "[a", "is no POSIX extended regular expression: Unmatched [, [^, [:, [., or [=" },
		{ "a{9999}", "is too long with its repetitions written out (at most 512)" },
		{ "((a{100}){100}){100}", "is too long with its repetitions written out (at most 512)" },
		{ "(((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+",
		  "is too long with its repetitions written out (at most 512)" },
		{ "((((((((((((((((((((((((((((((((((", "nests more than 32 parentheses" },
		{ "a{99999999999999999999}",
		  "is too long with its repetitions written out (at most 512)" },
		{ "a\\", "is no POSIX extended regular expression: Trailing backslash" },
	};
	char problem[256];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(probe_check_regex(rows[i].pattern, problem, sizeof(problem)), -EINVAL);
		assert_string_equal(problem, rows[i].problem);
	}
	assert_int_equal(probe_check_regex("", problem, 3), -EINVAL);
	assert_string_equal(problem, "is");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_that_are_taken),
		cmocka_unit_test(patterns_that_are_refused),
	};

	RUN_TESTS(tests);
}

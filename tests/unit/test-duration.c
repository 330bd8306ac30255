#include "check.h"

#include "config/duration.h"

#include <errno.h>
#include <string.h>

static void
test_units(void **state)
{
	static const struct {
		const char *text;
		usec_t duration;
	} good[] = {
		{ "0s", 0 },
		{ "1ms", USEC_PER_MSEC },
		{ "500ms", 500 * USEC_PER_MSEC },
		{ "5s", 5 * USEC_PER_SEC },
		{ "2m", 2 * USEC_PER_MINUTE },
		{ "1h", USEC_PER_HOUR },
		{ "14d", 14 * USEC_PER_DAY },
		{ "1h30m", 90 * USEC_PER_MINUTE },
		{ "1d2h3m4s5ms", USEC_PER_DAY + 2 * USEC_PER_HOUR + 3 * USEC_PER_MINUTE +
					 4 * USEC_PER_SEC + 5 * USEC_PER_MSEC },
		{ "007s", 7 * USEC_PER_SEC },
		{ "90m", 90 * USEC_PER_MINUTE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		usec_t duration = 1;

		assert_int_equal(duration_parse(good[i].text, &duration), 0);
		assert_int_equal(duration, good[i].duration);
	}
}

static void
test_rubbish(void **state)
{
	static const char *const bad[] = {
		"",	"s",   "5",    "5 s",  " 5s",  "5s ",  "5apples", "5 apples",
		"1.5s", "-5s", "+5s",  "5S",   "5sec", "5m1h", "5s5s",	  "5msm",
		"5us",	"5w",  "1h30", "0x5s", "5s\n", "٥s",   "none",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		usec_t duration = 42;

		assert_int_equal(duration_parse(bad[i], &duration), -EINVAL);
		assert_int_equal(duration, 42); /* untouched on failure */
	}
}

static void
test_saturates(void **state)
{
	static const char *const huge[] = {
		"18446744073709552s",	  "99999999999999999999ms",  "213503983d",
		"184467440737095516151d", "213503982d999999999999h",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(huge); i++) {
		usec_t duration = 0;

		assert_int_equal(duration_parse(huge[i], &duration), 0);
		assert_true(duration == USEC_INFINITY);
	}
}

static void
test_format(void **state)
{
	static const struct {
		usec_t duration;
		const char *text;
	} cases[] = {
		{ 0, "0s" },
		{ USEC_PER_MSEC, "1ms" },
		{ 1500 * USEC_PER_MSEC, "1500ms" },
		{ 90 * USEC_PER_SEC, "90s" },
		{ 5 * USEC_PER_MINUTE, "5m" },
		{ 36 * USEC_PER_HOUR, "36h" },
		{ 14 * USEC_PER_DAY, "14d" },
		{ 999, "0ms" },
		{ USEC_INFINITY, "18446744073709551ms" },
	};
	char text[DURATION_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_string_equal(duration_format(cases[i].duration, text, sizeof(text)),
				    cases[i].text);
}

static void
test_round_trip(void **state)
{
	(void)state;
	for (usec_t step = 1; step < 30 * USEC_PER_DAY / USEC_PER_MSEC; step = step * 5 / 4 + 1) {
		char text[DURATION_TEXT_MAX];
		usec_t duration;

		duration_format(step * USEC_PER_MSEC, text, sizeof(text));
		assert_int_equal(duration_parse(text, &duration), 0);
		assert_int_equal(duration, step * USEC_PER_MSEC);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units),	   cmocka_unit_test(test_rubbish),
		cmocka_unit_test(test_saturates),  cmocka_unit_test(test_format),
		cmocka_unit_test(test_round_trip),
	};

	RUN_TESTS(tests);
}

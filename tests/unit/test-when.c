/* Instants and durations for people. */
#include "check.h"

#include "ctl/when.h"

#include <stdlib.h>
#include <time.h>

static void
times_of_the_daemon_are_read(void **state)
{
	uint64_t realtime;

	(void)state;
	assert_true(when_parse("1970-01-01T00:00:01Z", &realtime));
	assert_int_equal(realtime, 1000000);
	assert_true(when_parse("2026-11-22T21:03:07.123456Z", &realtime));
	assert_int_equal(realtime, 1795381387123456);
	assert_true(when_parse("9999-12-31T23:59:59.999999Z", &realtime));
	assert_true(when_parse("1900-01-01T00:00:00Z", &realtime));
	assert_int_equal(realtime, 0);
}

static void
other_words_are_no_times(void **state)
{
	static const char *const words[] = { "",
					     "now",
					     "2026-11-22",
					     "2026-11-22T21:03:07",
					     "2026-11-22T21:03:07+01:00",
					     "2026-11-22T21:03:07.Z",
					     "2026-11-22T21:03:07Zx" };
	uint64_t realtime;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(words); i++)
		assert_false(when_parse(words[i], &realtime));
	assert_int_equal(when_since("now", 5), 0);
	assert_int_equal(when_since("1970-01-01T00:00:01Z", 3000000), 2000000);
	assert_int_equal(when_since("1970-01-01T00:00:09Z", 3000000), 0);
}

static void
assert_told(void (*tell)(usec_t value, struct text *text), usec_t value, const char *expected)
{
	char buffer[WHEN_TEXT_MAX];
	struct text text = TEXT_INIT(buffer);

	tell(value, &text);
	assert_string_equal(buffer, expected);
}

static void
spans_have_one_unit(void **state)
{
	(void)state;
	assert_told(when_span, 0, "0 ms");
	assert_told(when_span, 999999, "999 ms");
	assert_told(when_span, USEC_PER_SEC, "1 s");
	assert_told(when_span, 119 * USEC_PER_SEC, "119 s");
	assert_told(when_span, 120 * USEC_PER_SEC, "2 min");
	assert_told(when_span, 2 * USEC_PER_HOUR, "2 h");
	assert_told(when_span, 400 * USEC_PER_DAY, "400 d");
	assert_told(when_brief, 0, "0s");
	assert_told(when_brief, 90 * USEC_PER_MINUTE, "90m");
	assert_told(when_brief, USEC_INFINITY, "213503982d");
}

static void
timings_have_three_digits(void **state)
{
	(void)state;
	assert_told(when_timing, 0, "0.00 ms");
	assert_told(when_timing, 120, "0.12 ms");
	assert_told(when_timing, 3400, "3.4 ms");
	assert_told(when_timing, 28123, "28 ms");
	assert_told(when_timing, 1250000, "1.2 s");
	assert_told(when_timing, 61 * USEC_PER_SEC, "61.0 s");
}

static void
days_are_in_utc_and_hours_are_not(void **state)
{
	char buffer[WHEN_TEXT_MAX];
	struct text text = TEXT_INIT(buffer);
	uint64_t realtime;

	(void)state;
	setenv("TZ", "XYZ-3", 1);
	tzset();
	assert_true(when_parse("2026-11-22T22:03:07.5Z", &realtime));
	when_day(realtime, &text);
	assert_string_equal(buffer, "2026-11-22");
	text_init(&text, buffer, sizeof(buffer));
	when_local(realtime, &text);
	assert_string_equal(buffer, "2026-11-23 01:03:07");
	text_init(&text, buffer, sizeof(buffer));
	when_clock(realtime, &text);
	assert_string_equal(buffer, "01:03:07.000");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_of_the_daemon_are_read),
		cmocka_unit_test(other_words_are_no_times),
		cmocka_unit_test(spans_have_one_unit),
		cmocka_unit_test(timings_have_three_digits),
		cmocka_unit_test(days_are_in_utc_and_hours_are_not),
	};

	RUN_TESTS(tests);
}

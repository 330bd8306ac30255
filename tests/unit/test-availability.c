/* core/availability: the share of time something was up. */
#include "check.h"

#include "core/availability.h"

#include <math.h>

#define BEGIN (5 * USEC_PER_HOUR + 123456789)

static double
share(struct availability *availability, enum availability_window window, usec_t now)
{
	double value = -1;

	assert_true(availability_share(availability, window, now, &value));
	assert_true(value >= 0 && value <= 1);
	return value;
}

static void
about(double value, double expected, double tolerance)
{
	if (fabs(value - expected) > tolerance)
		fail_msg("%f is not about %f", value, expected);
}

static void
nothing_is_said_too_early(void **state)
{
	struct availability availability;
	double value = 7;

	(void)state;
	availability_init(&availability, BEGIN);
	availability_set(&availability, true, BEGIN);
	assert_false(availability_share(&availability, AVAILABILITY_HOUR, BEGIN + USEC_PER_HOUR - 1,
					&value));
	assert_true(value == 7);
	about(share(&availability, AVAILABILITY_HOUR, BEGIN + USEC_PER_HOUR), 1.0, 0);
	assert_false(availability_share(&availability, AVAILABILITY_DAY, BEGIN + USEC_PER_HOUR, &value));
}

static void
up_and_down_in_turns(void **state)
{
	struct availability availability;
	usec_t now = BEGIN;

	(void)state;
	availability_init(&availability, now);
	for (int i = 0; i < 60 * 24 * 40; i++) { /* 15 s up, 45 s down, for forty days */
		availability_set(&availability, true, now);
		availability_set(&availability, false, now + 15 * USEC_PER_SEC);
		now += USEC_PER_MINUTE;
	}
	about(share(&availability, AVAILABILITY_HOUR, now), 0.25, 0.02);
	about(share(&availability, AVAILABILITY_DAY, now), 0.25, 0.002);
	about(share(&availability, AVAILABILITY_MONTH, now), 0.25, 0.002);
}

static void
the_past_is_forgotten(void **state)
{
	struct availability availability;

	(void)state;
	availability_init(&availability, BEGIN);
	availability_set(&availability, true, BEGIN);
	availability_set(&availability, false, BEGIN + USEC_PER_DAY);
	about(share(&availability, AVAILABILITY_HOUR, BEGIN + USEC_PER_DAY), 1, 0);
	about(share(&availability, AVAILABILITY_HOUR, BEGIN + USEC_PER_DAY + USEC_PER_HOUR / 2),
	      0.5, 0.02);
	about(share(&availability, AVAILABILITY_HOUR, BEGIN + USEC_PER_DAY + USEC_PER_HOUR), 0, 0);
	about(share(&availability, AVAILABILITY_DAY, BEGIN + 36 * USEC_PER_HOUR), 0.5, 0.02);
	about(share(&availability, AVAILABILITY_MONTH, BEGIN + 30 * USEC_PER_DAY), 1.0 / 30, 0.02);
	about(share(&availability, AVAILABILITY_MONTH, BEGIN + 400 * USEC_PER_DAY), 0, 0);
}

static void
what_lasts_needs_no_news(void **state)
{
	struct availability availability;

	(void)state;
	availability_init(&availability, BEGIN);
	availability_set(&availability, true, BEGIN);
	about(share(&availability, AVAILABILITY_MONTH, BEGIN + 300 * USEC_PER_DAY), 1, 0);
	about(share(&availability, AVAILABILITY_DAY, BEGIN + 300 * USEC_PER_DAY), 1, 0);
}

/* Many changes within a millisecond must not be rounded away. */
static void
small_pieces_add_up(void **state)
{
	struct availability availability;
	usec_t now = BEGIN;

	(void)state;
	availability_init(&availability, now);
	while (now < BEGIN + USEC_PER_HOUR) {
		now += 1700;
		availability_set(&availability, true, now);
		availability_set(&availability, true, now + 300);
	}
	about(share(&availability, AVAILABILITY_HOUR, now), 1, 0.001);
}

static void
time_does_not_go_back(void **state)
{
	struct availability availability;

	(void)state;
	availability_init(&availability, BEGIN);
	availability_set(&availability, true, BEGIN + USEC_PER_HOUR);
	availability_set(&availability, false, BEGIN + USEC_PER_HOUR / 2);
	about(share(&availability, AVAILABILITY_HOUR, BEGIN), 0, 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_said_too_early),
		cmocka_unit_test(up_and_down_in_turns),
		cmocka_unit_test(the_past_is_forgotten),
		cmocka_unit_test(what_lasts_needs_no_news),
		cmocka_unit_test(small_pieces_add_up),
		cmocka_unit_test(time_does_not_go_back),
	};

	RUN_TESTS(tests);
}

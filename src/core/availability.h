/*
 * The share of time in which something was up, over the last hour, day and month (30 days), from
 * buckets of fixed number: pure, bounded, and fed with changes only.
 */
#pragma once

#include "base/usec.h"

#include <stdbool.h>
#include <stdint.h>

#define AVAILABILITY_BUCKETS \
	60 /* per window: 1 min, 24 min and 12 h each; the window moves by one bucket */

enum availability_window {
	AVAILABILITY_HOUR,
	AVAILABILITY_DAY,
	AVAILABILITY_MONTH,
	AVAILABILITY_WINDOWS
};

struct availability {
	bool up;
	usec_t since; /* accounted up to here */
	usec_t started;
	uint32_t up_msec[AVAILABILITY_WINDOWS][AVAILABILITY_BUCKETS];
};

/*
 * availability_init(availability, now):
 * Begin at `now`, not up.
 */
void availability_init(struct availability *availability, usec_t now);

/*
 * availability_set(availability, up, now):
 * From `now` on it is `up`.
 */
void availability_set(struct availability *availability, bool up, usec_t now);

/*
 * availability_share(availability, window, now, ret_share):
 * The share, 0 to 1, over the last `window`.  Returns false where `availability` began less than a window ago.
 */
bool availability_share(struct availability *availability, enum availability_window window,
			usec_t now, double *ret_share);

#include "core/availability.h"

#include <string.h>

static const usec_t bucket_width[AVAILABILITY_WINDOWS] = {
	[AVAILABILITY_HOUR] = USEC_PER_HOUR / AVAILABILITY_BUCKETS,
	[AVAILABILITY_DAY] = USEC_PER_DAY / AVAILABILITY_BUCKETS,
	[AVAILABILITY_MONTH] = 30 * USEC_PER_DAY / AVAILABILITY_BUCKETS,
};

static uint32_t *
bucket_at(struct availability *availability, enum availability_window window, usec_t at)
{
	return &availability->up_msec[window][at / bucket_width[window] % AVAILABILITY_BUCKETS];
}

/* Account the time from availability->since to `now` in one window, bucket by bucket. */
static void
account_window(struct availability *availability, enum availability_window window, usec_t now)
{
	usec_t width = bucket_width[window], at = availability->since;

	if (now > at && now / width - at / width >= AVAILABILITY_BUCKETS) { /* all buckets are outdated */
		memset(availability->up_msec[window], 0, sizeof(availability->up_msec[window]));
		at = (now / width - AVAILABILITY_BUCKETS + 1) * width;
	}
	while (at < now) {
		usec_t bucket_end = (at / width + 1) * width, until = usec_min(bucket_end, now);

		/* Differences of whole milliseconds: what one step rounds off the next one adds. */
		if (availability->up)
			*bucket_at(availability, window,
				   at) += (uint32_t)(until / USEC_PER_MSEC - at / USEC_PER_MSEC);
		if (until == bucket_end)
			*bucket_at(availability, window, until) = 0;
		at = until;
	}
}

/* Workers tell of what they have seen a little out of order: time does not go back for it. */
static void
account(struct availability *availability, usec_t now)
{
	for (enum availability_window i = 0; i < AVAILABILITY_WINDOWS; i++)
		account_window(availability, i, now);
	availability->since = usec_max(availability->since, now);
}

void
availability_init(struct availability *availability, usec_t now)
{
	*availability = (struct availability){ .since = now, .started = now };
}

void
availability_set(struct availability *availability, bool up, usec_t now)
{
	account(availability, now);
	availability->up = up;
}

bool
availability_share(struct availability *availability, enum availability_window window, usec_t now,
		   double *ret_share)
{
	usec_t width = bucket_width[window], covered_since;
	uint64_t up = 0, covered;

	account(availability, now);
	now = availability->since;
	if (now - availability->started < AVAILABILITY_BUCKETS * width)
		return false;
	for (unsigned int i = 0; i < AVAILABILITY_BUCKETS; i++)
		up += availability->up_msec[window][i];
	covered_since = (now / width - AVAILABILITY_BUCKETS + 1) * width;
	covered = now / USEC_PER_MSEC - covered_since / USEC_PER_MSEC;
	*ret_share = (double)up / (double)covered;
	return true;
}

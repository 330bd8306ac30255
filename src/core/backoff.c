#include "core/backoff.h"

#include "base/must.h"

/* A peer that spoke TLS and then failed costs both sides more than a refused connect, and mends slower. */
#define REACHED_FACTOR 2.0

static usec_t
grown(const struct retry_policy *retry, usec_t initial, uint32_t round)
{
	usec_t delay = usec_min(initial, retry->max);

	for (uint32_t i = 1; i < round && delay < retry->max; i++) {
		usec_t next = usec_scale(delay, retry->multiplier, retry->max);

		if (next <= delay) /* a multiplier of 1: no round changes anything */
			break;
		delay = next;
	}
	return delay;
}

usec_t
backoff_ceiling(const struct retry_policy *retry, enum stage reached, enum failure_life life,
		uint32_t round)
{
	bool met = reached >= STAGE_PROXY && reached <= STAGE_PROBE;
	usec_t initial = usec_scale(retry->initial, met ? REACHED_FACTOR : 1.0, retry->max);

	must(round >= 1);
	return life == LIFE_PERSISTENT ? retry->max : grown(retry, initial, round);
}

usec_t
backoff_delay(const struct retry_policy *retry, usec_t ceiling, struct prng *prng)
{
	usec_t least = BACKOFF_DELAY_MIN;

	if (retry->jitter == JITTER_NONE)
		least = ceiling;
	else if (retry->jitter == JITTER_EQUAL)
		least = ceiling - ceiling / 2;
	least = usec_max(least, BACKOFF_DELAY_MIN);
	if (least >= ceiling)
		return least;
	return least + prng_below(prng, ceiling - least + 1);
}

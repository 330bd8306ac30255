/*
 * The delay before the next attempt.
 */
#pragma once

#include "base/prng.h"
#include "base/usec.h"
#include "core/failure.h"
#include "core/policy.h"

#define BACKOFF_DELAY_MIN (10 * USEC_PER_MSEC) /* even full jitter never makes a busy loop */

/*
 * backoff_ceiling(retry, reached, life, round):
 * The delay before jitter after the `round`-th (from 1) attempt in a row that ended without a stable
 * connection.  It grows by retry->multiplier up to retry->max; a peer that was met further on its way
 * (`reached`) is asked more seldom; LIFE_PERSISTENT goes to the slow end at once.  Pure.
 */
usec_t backoff_ceiling(const struct retry_policy *retry, enum stage reached, enum failure_life life,
		       uint32_t round);

/*
 * backoff_delay(retry, ceiling, prng):
 * Spread `ceiling` by retry->jitter: none gives it as it is, equal from half of it, full from
 * BACKOFF_DELAY_MIN; never more than `ceiling`, never less than BACKOFF_DELAY_MIN.
 */
usec_t backoff_delay(const struct retry_policy *retry, usec_t ceiling, struct prng *prng);

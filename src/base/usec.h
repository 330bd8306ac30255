/*
 * Time as a value: microseconds, saturating, never read from here (sys/clock does that).
 *
 * A usec_t is an instant of CLOCK_MONOTONIC or a duration; the variable's name says which: an
 * instant is a `deadline`, `now` or `…_since`; a duration is a `_timeout`, `_interval` or `_delay`.
 */
#pragma once

#include <stdint.h>

typedef uint64_t usec_t;

#define USEC_PER_MSEC	((usec_t)1000)
#define USEC_PER_SEC	((usec_t)1000000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR	(60 * USEC_PER_MINUTE)
#define USEC_PER_DAY	(24 * USEC_PER_HOUR)

/* As an instant: never.  As a duration: without end.  Adding to it or multiplying it keeps it. */
#define USEC_INFINITY UINT64_MAX

/*
 * usec_add(a, b):
 * The sum, or USEC_INFINITY where it would overflow.  Any thread.
 */
static inline usec_t
usec_add(usec_t a, usec_t b)
{
	return a > USEC_INFINITY - b ? USEC_INFINITY : a + b;
}

/*
 * usec_sub(a, b):
 * `a` - `b`, or 0 where `b` is later; USEC_INFINITY minus anything stays USEC_INFINITY.  Any thread.
 */
static inline usec_t
usec_sub(usec_t a, usec_t b)
{
	if (a == USEC_INFINITY)
		return USEC_INFINITY;
	return a > b ? a - b : 0;
}

/*
 * usec_scale(a, factor, max):
 * `a` times `factor` (not negative), but at most `max`.  Any thread.
 */
static inline usec_t
usec_scale(usec_t a, double factor, usec_t max)
{
	double product = (double)a * factor;
	return product >= (double)max ? max : (usec_t)product;
}

/*
 * usec_min(a, b):
 * The earlier of two instants, or the shorter of two durations.  Any thread.
 */
static inline usec_t
usec_min(usec_t a, usec_t b)
{
	return a < b ? a : b;
}

/*
 * usec_max(a, b):
 * The later of two instants, or the longer of two durations.  Any thread.
 */
static inline usec_t
usec_max(usec_t a, usec_t b)
{
	return a > b ? a : b;
}

/*
 * The only reads of the clocks.  Everyone else is handed `now` by the loop (one source per turn).
 */
#pragma once

#include "base/usec.h"

/*
 * clock_now():
 * The monotonic clock (CLOCK_MONOTONIC).  Any thread.
 */
usec_t clock_now(void);

/*
 * clock_suspended():
 * How long this machine has been suspended altogether, which clock_now() leaves out (CLOCK_BOOTTIME): never too much, and
 * too little where the thread was held up in the middle.  Any thread.
 */
usec_t clock_suspended(void);

/*
 * clock_realtime():
 * Microseconds since 1970, UTC (CLOCK_REALTIME), for telling people when something was.  Any thread.
 */
uint64_t clock_realtime(void);

/*
 * clock_epoch():
 * The realtime of the monotonic clock's zero, in microseconds since 1970 (it wraps around where that is earlier): added to an instant it
 * gives a date.  The same answer as before as long as it is off by less than CLOCK_EPOCH_TOLERANCE, so that one instant has one
 * date, however often it is told.  Any thread.
 */
#define CLOCK_EPOCH_TOLERANCE (10 * USEC_PER_MSEC)
uint64_t clock_epoch(void);

/*
 * clock_cpu_thread():
 * CPU time of the calling thread so far (CLOCK_THREAD_CPUTIME_ID).
 */
usec_t clock_cpu_thread(void);

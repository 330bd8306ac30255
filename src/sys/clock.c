#include "sys/clock.h"

#include "base/must.h"

#include <stdatomic.h>
#include <time.h>

/* The ids used here cannot fail on Linux (clock_gettime(2)). */
static uint64_t
clock_read(clockid_t id)
{
	struct timespec time;

	must(clock_gettime(id, &time) == 0);
	return (uint64_t)time.tv_sec * USEC_PER_SEC + (uint64_t)time.tv_nsec / 1000;
}

usec_t
clock_now(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

usec_t
clock_suspended(void)
{
	usec_t since_boot = clock_read(CLOCK_BOOTTIME); /* first: it shall not count what passes in between */

	return usec_sub(since_boot, clock_now());
}

uint64_t
clock_realtime(void)
{
	return clock_read(CLOCK_REALTIME);
}

uint64_t
clock_epoch(void)
{
	static _Atomic uint64_t kept;
	uint64_t before = atomic_load_explicit(&kept, memory_order_relaxed);
	uint64_t epoch = clock_realtime() - clock_now();

	if (before != 0 && epoch - before + CLOCK_EPOCH_TOLERANCE < 2 * CLOCK_EPOCH_TOLERANCE)
		return before;
	atomic_store_explicit(&kept, epoch, memory_order_relaxed);
	return epoch;
}

usec_t
clock_cpu_thread(void)
{
	return clock_read(CLOCK_THREAD_CPUTIME_ID);
}

#include "sys/clock.h"

#include "base/must.h"

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

usec_t
clock_cpu_thread(void)
{
	return clock_read(CLOCK_THREAD_CPUTIME_ID);
}

#include "sys/entropy.h"

#include "base/prng.h"
#include "sys/clock.h"

#include <sys/random.h>
#include <unistd.h>

uint64_t
entropy_seed(void)
{
	struct prng prng;
	uint64_t seed;

	/* Not waiting for the kernel's pool at boot: a link's jitter is no secret. */
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == (ssize_t)sizeof(seed))
		return seed;
	prng_init(&prng, clock_now() ^ (clock_realtime() << 20) ^ ((uint64_t)getpid() << 48));
	return prng_next(&prng);
}

#include "main/noise.h"

static bool
is_power_of_ten(uint64_t count)
{
	while (count >= 10 && count % 10 == 0)
		count /= 10;
	return count == 1;
}

bool
noise_hear(struct noise *noise, enum failure_code code, usec_t now)
{
	bool loud;

	if (code != noise->code)
		*noise = (struct noise){ .code = code };
	noise->repeats++;
	loud = noise->repeats <= NOISE_LOUD || is_power_of_ten(noise->repeats) ||
	       usec_sub(now, noise->said_at) >= NOISE_INTERVAL;
	if (loud)
		noise->said_at = now;
	return loud;
}

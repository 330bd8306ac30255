#include "base/prng.h"

static uint64_t
rotate_left(uint64_t value, unsigned int bits)
{
	return (value << bits) | (value >> (64 - bits));
}

void
prng_init(struct prng *prng, uint64_t seed)
{
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t mixed = seed += 0x9e3779b97f4a7c15;

		mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
		mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
		prng->state[i] = mixed ^ (mixed >> 31);
	}
}

uint64_t
prng_next(struct prng *prng)
{
	uint64_t *s = prng->state;
	uint64_t result = rotate_left(s[1] * 5, 7) * 9;
	uint64_t shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate_left(s[3], 45);
	return result;
}

uint64_t
prng_below(struct prng *prng, uint64_t bound)
{
	uint64_t reject_below, drawn;

	if (bound == 0)
		return 0;
	reject_below = -bound % bound; /* numbers below this would favour small results */
	do {
		drawn = prng_next(prng);
	} while (drawn < reject_below);
	return drawn % bound;
}

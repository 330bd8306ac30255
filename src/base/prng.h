/*
 * A seeded pseudo-random generator (xoshiro256**, seeded through splitmix64; Blackman and Vigna,
 * "Scrambled linear pseudorandom number generators").  Good enough for jitter and order, and the
 * same seed always gives the same sequence; never use it for secrets.
 */
#pragma once

#include <stdint.h>

struct prng {
	uint64_t state[4];
};

/*
 * prng_init(prng, seed):
 * Start the sequence that belongs to `seed`.
 */
void prng_init(struct prng *prng, uint64_t seed);

/*
 * prng_next(prng):
 * The next 64 random bits.
 */
uint64_t prng_next(struct prng *prng);

/*
 * prng_below(prng, bound):
 * An even random number from 0 up to, not including, `bound`; 0 where `bound` is 0.
 */
uint64_t prng_below(struct prng *prng, uint64_t bound);

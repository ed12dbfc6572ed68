/*
 * rng.h -- seeded random numbers: xoshiro256** by Blackman and Vigna, seeded
 * through splitmix64.
 *
 * Same seed, same numbers, everywhere.  Not for secrets.
 */
#ifndef ASBI_BASE_RNG_H
#define ASBI_BASE_RNG_H

#include <stdint.h>

struct asbi_rng {
    uint64_t s[4];
};

void asbi_rng_seed(struct asbi_rng *r, uint64_t seed);
uint64_t asbi_rng_u64(struct asbi_rng *r);

/* Uniform in [0, bound); 0 for bound 0. */
uint64_t asbi_rng_below(struct asbi_rng *r, uint64_t bound);

/* Uniform in [0, 1). */
double asbi_rng_unit(struct asbi_rng *r);

/* Normal with mean 0 and deviation 1 (Box-Muller, one of the pair). */
double asbi_rng_normal(struct asbi_rng *r);

#endif

/*
 * minhash.h -- a set in a few numbers, so that the share of equal numbers of
 * two sets estimates their Jaccard similarity (Broder 1997): the least value
 * of each of many hash functions over the set.
 *
 * The functions are a x + b modulo 2^32 with odd a: cheap to do eight at a
 * time.
 */
#ifndef ASBI_CACHE_MINHASH_H
#define ASBI_CACHE_MINHASH_H

#include <stddef.h>
#include <stdint.h>

/* A multiple of 16, for the sake of vectors. */
enum { ASBI_MINHASHES = 128 };

struct asbi_minhash {
    uint32_t a[ASBI_MINHASHES], b[ASBI_MINHASHES];
};

/* Draws the functions. */
void asbi_minhash_init(struct asbi_minhash *m, uint64_t seed);

/* `set` is of well mixed hashes; an empty one gives all UINT32_MAX. */
void asbi_minhash_sign(const struct asbi_minhash *m, const uint64_t *set,
                       size_t count, uint32_t out[ASBI_MINHASHES]);

#endif

/*
 * hash.h -- the door to xxHash.  For tables inside one process and to notice
 * damage; not for keys that an adversary shares: those are digest.h's.
 */
#ifndef ASBI_BASE_HASH_H
#define ASBI_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t asbi_hash64(const void *at, size_t len, uint64_t seed);

/* XXH3 with 128 bits, as 16 bytes that are the same on every machine. */
void asbi_hash128(const void *at, size_t len, uint64_t seed,
                  unsigned char out[16]);

#endif

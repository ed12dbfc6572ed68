/*
 * hash.h -- the door to xxHash.  For tables inside one process; not for keys
 * that an adversary shares.
 */
#ifndef ASBI_BASE_HASH_H
#define ASBI_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t asbi_hash64(const void *at, size_t len, uint64_t seed);

#endif

/*
 * le.h -- numbers as bytes that are the same on every machine: the low one
 * first.
 */
#ifndef ASBI_BASE_LE_H
#define ASBI_BASE_LE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

/* Writes or reads eight bytes. */
static inline void asbi_le64_put(char *at, uint64_t n)
{
    n = htole64(n);
    memcpy(at, &n, sizeof(n));
}

static inline uint64_t asbi_le64_get(const char *at)
{
    uint64_t n;

    memcpy(&n, at, sizeof(n));
    return le64toh(n);
}

#endif

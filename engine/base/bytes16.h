/*
 * bytes16.h -- sixteen bytes at a time, in the vector types that gcc and clang
 * have for every machine: no instruction of one machine is named.
 *
 * A comparison gives marks: 0xff for each byte that it holds for, else 0.
 */
#ifndef ASBI_BASE_BYTES16_H
#define ASBI_BASE_BYTES16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t asbi_bytes16 __attribute__((vector_size(16)));

static inline asbi_bytes16 asbi_bytes16_load(const char *at)
{
    asbi_bytes16 v;

    memcpy(&v, at, sizeof(v));
    return v;
}

/* Sixteen times the same byte. */
static inline asbi_bytes16 asbi_bytes16_all(uint8_t c)
{
    asbi_bytes16 v = { c, c, c, c, c, c, c, c, c, c, c, c, c, c, c, c };

    return v;
}

/* Marks bytes equal to `c`, ... */
static inline asbi_bytes16 asbi_bytes16_is(asbi_bytes16 v, uint8_t c)
{
    return (asbi_bytes16)(v == asbi_bytes16_all(c));
}

/* ... and bytes from `low` on, `count` of them. */
static inline asbi_bytes16 asbi_bytes16_among(asbi_bytes16 v, uint8_t low,
                                              uint8_t count)
{
    return (asbi_bytes16)(v - asbi_bytes16_all(low) < asbi_bytes16_all(count));
}

/* The number of bytes before the first that is marked; 16 for none. */
static inline size_t asbi_bytes16_first(asbi_bytes16 marks)
{
    uint64_t half[2];

    memcpy(half, &marks, sizeof(half));
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
        if (half[0])
            return (size_t)__builtin_ctzll(half[0]) / 8;
        return half[1] ? 8 + (size_t)__builtin_ctzll(half[1]) / 8 : 16;
    }
    for (size_t i = 0; i < 16; i++) {
        if (marks[i])
            return i;
    }
    return 16;
}

/* None of the sixteen bytes from `at` on is over 0x7f. */
static inline bool asbi_bytes16_ascii(const char *at)
{
    uint64_t half[2];

    memcpy(half, at, sizeof(half));
    return ((half[0] | half[1]) & UINT64_C(0x8080808080808080)) == 0;
}

/* The sum of all bytes. */
static inline uint64_t asbi_bytes16_sum(asbi_bytes16 v)
{
    const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
    uint64_t half[2], pairs;

    memcpy(half, &v, sizeof(half));
    pairs = (half[0] & even) + (half[0] >> 8 & even) + (half[1] & even) +
            (half[1] >> 8 & even);
    return pairs * UINT64_C(0x0001000100010001) >> 48;
}

#endif

/*
 * shingle.h -- a text as the set of its short runs of characters, each hashed:
 * what two texts have in common can be counted.
 *
 * Runs of five code points, of three where the text is mostly East Asian.
 * ASCII capitals count as small letters and any white space as one blank.  A
 * text that is too short to be told apart by its runs, or too long to be
 * looked at, has none.
 */
#ifndef ASBI_CACHE_SHINGLE_H
#define ASBI_CACHE_SHINGLE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/str.h"

enum {
    ASBI_SHINGLES_MAX = 2048, /* code points of a text that is looked at */
    ASBI_SHINGLES_TABLE = 2 * ASBI_SHINGLES_MAX,
};

/* The distinct shingles of one text; never 0. */
struct asbi_shingles {
    uint64_t at[ASBI_SHINGLES_MAX];
    size_t count;

    /* -- for finding them again */
    uint64_t table[ASBI_SHINGLES_TABLE];
    uint16_t round[ASBI_SHINGLES_TABLE]; /* of the comparison that met it */
    size_t mask;                         /* of the part that is in use */
    uint16_t compared;
};

/* `seed` keeps outsiders from aiming at collisions. */
void asbi_shingles_of(struct asbi_shingles *s, asbi_str text, uint64_t seed);

/* The Jaccard similarity with another text of which `other_count` is known from
 * its own asbi_shingles_of(): what is in both over what is in either; 0 when
 * either has none.  Same seed; for fewer than 65536 others. */
double asbi_shingles_jaccard(struct asbi_shingles *s, asbi_str other,
                             size_t other_count, uint64_t seed);

#endif

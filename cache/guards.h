/*
 * guards.h -- in what two texts differ, as far as it can change an answer:
 * the guards before an answer to one may stand for an answer to the other.
 *
 * Two texts may be like each other in nearly all their characters and mean
 * opposite things ("marked as played", "marked as unplayed").  So each aspect
 * is looked at by itself, and in doubt they differ.
 */
#ifndef ASBI_CACHE_GUARDS_H
#define ASBI_CACHE_GUARDS_H

#include "engine/base/str.h"

enum {
    ASBI_DIFFERS_NUMBERS = 1 << 0,  /* numbers and figures */
    ASBI_DIFFERS_MARKS = 1 << 1,    /* placeholders, tags, codes, addresses */
    ASBI_DIFFERS_NEGATION = 1 << 2, /* not, never, un-, -less, ... */
    ASBI_DIFFERS_WORDS = 1 << 3,    /* any word, or their order */
    ASBI_DIFFERS_LENGTH = 1 << 4,   /* by more than a tenth */
    ASBI_DIFFERS_TOO_MUCH = 1 << 5, /* too long to be compared, or in more
                                       words than can be looked at */
};

/* A set of the above; 0: in nothing but case, white space and punctuation. */
unsigned asbi_guards_differences(asbi_str a, asbi_str b);

#endif

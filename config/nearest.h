/*
 * nearest.h -- the known name that a mistyped one was meant to be.
 *
 * Distance is the number of insertions, deletions, substitutions and swaps of
 * neighbours (Damerau-Levenshtein, optimal string alignment).  A name is near
 * when at most a third of it is wrong.
 */
#ifndef ASBI_CONFIG_NEAREST_H
#define ASBI_CONFIG_NEAREST_H

#include <stddef.h>

#include "engine/base/str.h"

/* Longer names are near nothing. */
enum { ASBI_NEAREST_MAX = 63 };

struct asbi_nearest {
    asbi_str wanted;
    asbi_str best;   /* empty while none is near; borrowed */
    size_t distance; /* of `best`; at first one more than is still near */
};

void asbi_nearest_init(struct asbi_nearest *n, asbi_str wanted);

/* Of equally near names the first offered stays.  `known` is borrowed. */
void asbi_nearest_offer(struct asbi_nearest *n, asbi_str known);

/* Edits between two names, dashes and underscores being the same. */
size_t asbi_edit_distance(asbi_str a, asbi_str b);

#endif

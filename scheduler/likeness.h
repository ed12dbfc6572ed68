/*
 * likeness.h -- how alike two items are: of alike ones a batch takes about the
 * time it was thought to take, and their answers agree in wording.
 *
 * The score weighs five things: the engine asked for 0.3, resolution 0.25,
 * type of content 0.25, extent 0.1, style 0.1.  Engine, resolution and type
 * must agree or the two never share a call; plain texts have none of them, and
 * so agree.  Extent is the length of a text in characters or the duration of
 * media in seconds; style is a set (parameters of style, or the runs of bytes
 * of a text), compared by eight minima of its hashes (Broder's MinHash).
 *
 * Refuses to say that two items are the same: that is the cache's part.
 */
#ifndef ASBI_SCHEDULER_LIKENESS_H
#define ASBI_SCHEDULER_LIKENESS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/str.h"

enum { ASBI_LIKENESS_MARKS = 8 };

struct asbi_likeness {
    uint32_t engine, resolution, type; /* hashes; 0: none */
    float extent;
    uint32_t marks[ASBI_LIKENESS_MARKS];
};

/* What counts as alike. */
struct asbi_grouping {
    bool on;
    double threshold; /* least score, in [0, 1] */
    double slack;     /* most difference in extent ... */
    double share;     /* ... or this part of the larger, if that is more */
};

/* Nothing known: alike to others of which nothing is known. */
void asbi_likeness_init(struct asbi_likeness *l);

/* Adds one element of the style, by a hash of it. */
void asbi_likeness_mark(struct asbi_likeness *l, uint64_t hash);

/* A text: its length, its runs of four bytes as style. */
void asbi_likeness_of_text(struct asbi_likeness *l, asbi_str text);

/* May the two share a call at all? */
bool asbi_likeness_compatible(const struct asbi_likeness *a,
                              const struct asbi_likeness *b);

/* In [0, 1]; 1 for what is alike in everything. */
double asbi_likeness_score(const struct asbi_grouping *g,
                           const struct asbi_likeness *a,
                           const struct asbi_likeness *b);

/* Compatible, extents within the slack, and the score at the threshold. */
bool asbi_likeness_alike(const struct asbi_grouping *g,
                         const struct asbi_likeness *a,
                         const struct asbi_likeness *b);

#endif

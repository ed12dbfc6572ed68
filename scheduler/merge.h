/*
 * merge.h -- byte pair encoding of one piece of text: its bytes are joined, the
 * pair of the lowest rank first, until no two neighbours make a token.
 *
 * A heap of pairs, so that a piece of n bytes takes n log n steps whatever it
 * holds; the usual loop over all pairs takes n^2, and a long run of one letter
 * is a piece.
 */
#ifndef ASBI_SCHEDULER_MERGE_H
#define ASBI_SCHEDULER_MERGE_H

#include "scheduler/ranks.h"

/* Bytes of the longest piece; what is longer is to be cut, which costs a token
 * or two a cut.  Nobody writes such words. */
enum { ASBI_MERGE_MOST = 1 << 14 };

/* Room to work in. */
struct asbi_merge {
    struct asbi_mem mem;
    struct asbi_merge_run *runs;
    uint64_t *heap; /* rank, then place: of equal ranks the first */
    size_t heap_count;
};

/* ASB_OK or ASB_ENOMEM; to be given to asbi_merge_fini() in either case. */
int asbi_merge_init(struct asbi_merge *m, const struct asbi_mem *mem);
void asbi_merge_fini(struct asbi_merge *m);

/* Tokens of a piece of 1 to ASBI_MERGE_MOST bytes. */
size_t asbi_merge_count(struct asbi_merge *m, const struct asbi_ranks *ranks,
                        asbi_str piece);

#endif

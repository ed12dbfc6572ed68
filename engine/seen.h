/*
 * seen.h -- has this id been there before, and on which line?
 *
 * Exact up to an 88-bit fingerprint, in memory that does not grow with the
 * number of ids: the latest are in a table, earlier ones in sorted runs of a
 * temporary file, opened when the first does not fit any more.  A run of level
 * k holds 2^k tables full, so there are at most log2(ids / table) of them
 * (the logarithmic method of Bentley and Saxe).  Ids that come in rising order
 * (item-9 before item-10) need no look into the file at all, others mostly
 * not, thanks to a Bloom filter, which grows up to 16 MiB: enough for twelve
 * million.
 */
#ifndef ASBI_SEEN_H
#define ASBI_SEEN_H

#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/str.h"

/* Where runs are kept.  Offsets and lengths are multiples of 16 bytes; errors
 * are errnos. */
struct asbi_seen_store {
    int (*open)(void *arg, void **file);
    int (*read)(void *file, uint64_t at, void *to, size_t len);
    int (*write)(void *file, uint64_t at, const void *from, size_t len);
    void (*close)(void *file);
};

struct asbi_seen;

/* `store` and `store_arg` are borrowed; nothing is opened yet.
 * ASB_OK or ASB_ENOMEM. */
int asbi_seen_new(const struct asbi_mem *mem,
                  const struct asbi_seen_store *store, void *store_arg,
                  struct asbi_seen **out);
void asbi_seen_free(struct asbi_seen *s);

/**
 * Looks an id up and, when it is new, remembers it with its line (below 2^40).
 * @param earlier  0 when the id is new, else the line it stood on first
 * @return ASB_OK, ASB_EIO or ASB_ENOMEM
 */
int asbi_seen_check(struct asbi_seen *s, asbi_str id, uint64_t line,
                    uint64_t *earlier);

#endif

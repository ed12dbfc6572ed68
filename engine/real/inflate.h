/*
 * inflate.h -- gzip and deflate unpacked as they come: the door to zlib.
 *
 * Keeps nothing of what it unpacked, so its caller says how much is enough.
 */
#ifndef ASBI_REAL_INFLATE_H
#define ASBI_REAL_INFLATE_H

#include <stdbool.h>

#include "engine/base/mem.h"
#include "engine/base/str.h"

struct asbi_inflate;

enum asbi_inflate_result {
    ASBI_INFLATE_OK,
    ASBI_INFLATE_STOPPED, /* the callback said false */
    ASBI_INFLATE_BROKEN,  /* or out of memory */
};

/* NULL when out of memory. */
struct asbi_inflate *asbi_inflate_new(const struct asbi_mem *mem);
void asbi_inflate_free(struct asbi_inflate *z); /* accepts NULL */

/* Unpacks `packed`; what comes of it is given away in pieces. */
enum asbi_inflate_result
asbi_inflate_feed(struct asbi_inflate *z, asbi_str packed,
                  bool (*on_bytes)(void *arg, asbi_str bytes), void *arg);

/* Nothing came yet, or all that began has ended. */
bool asbi_inflate_may_end(const struct asbi_inflate *z);

#endif

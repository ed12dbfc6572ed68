/*
 * order.h -- rows go out in the order they came in.
 *
 * A ring of places, one for each row between the first that is still awaited
 * and the last that was read.  A row that is ready too early is kept as the
 * bytes it will be written as, or as a slip by which it can be had when its
 * turn comes.
 */
#ifndef ASBI_ORDER_H
#define ASBI_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/mem.h"

struct asbi_order_place {
    char *bytes; /* owned; NULL while awaited */
    size_t len;
    bool is_slip;
};

/* Appends the row that the slip stands for.  Nonzero: it cannot be had. */
typedef int (*asbi_order_fetch_cb)(void *arg, asbi_str slip,
                                   struct asbi_buf *out);

struct asbi_order {
    const struct asbi_mem *mem;
    struct asbi_order_place *ring;
    size_t cap;           /* power of two, or 0 */
    uint64_t first, next; /* awaited first; the next place to be given */
    size_t held_bytes;    /* of rows that are ready too early, ring included */
    asbi_order_fetch_cb fetch;
    void *arg;
    bool stuck; /* a row could not be had: nothing goes out any more */
};

/* `fetch` is for slips; NULL when there are none. */
void asbi_order_init(struct asbi_order *o, const struct asbi_mem *mem,
                     asbi_order_fetch_cb fetch, void *arg);
void asbi_order_fini(struct asbi_order *o);

/* Gives the next place, so that its row cannot be lost for want of one.
 * ASB_OK or ASB_ENOMEM. */
int asbi_order_reserve(struct asbi_order *o, uint64_t *place);

/* Whether this place is the one awaited: its row may go out directly, followed
 * by asbi_order_pass(). */
static inline bool asbi_order_is_next(const struct asbi_order *o,
                                      uint64_t place)
{
    return place == o->first;
}

/* The awaited row went out directly. */
void asbi_order_pass(struct asbi_order *o);

/* Keeps a copy of a row that cannot go out yet.  ASB_OK or ASB_ENOMEM. */
int asbi_order_keep(struct asbi_order *o, uint64_t place, asbi_str row);

/* The same for a slip. */
int asbi_order_keep_slip(struct asbi_order *o, uint64_t place, asbi_str slip);

/* Moves kept rows whose turn it is to `out`, until that holds `most` bytes or
 * more.  Returns how many rows that were. */
size_t asbi_order_take(struct asbi_order *o, struct asbi_buf *out, size_t most);

/* Whether asbi_order_take() has something to move. */
bool asbi_order_is_ready(const struct asbi_order *o);

#endif

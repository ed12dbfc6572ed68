/*
 * former_world.h -- a former, a kind and parcels to put in, for its tests.
 *
 * Ends by proving that nothing is left.
 */
#ifndef ASBI_TESTS_FORMER_WORLD_H
#define ASBI_TESTS_FORMER_WORLD_H

#include "engine/base/units.h"
#include "scheduler/former.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

enum { PARCELS = 6000 };

/* One former, one kind, and parcels to put in. */
struct world {
    struct fault_mem fm;
    struct asbi_former f;
    struct asbi_kind k;
    struct asbi_parcel parcels[PARCELS];
};

/* With its former's memory from `mem`; NULL: from w->fm. */
static inline struct world *world_new_of(const struct asbi_mem *mem)
{
    struct world *w = calloc(1, sizeof(*w));

    CHECK(w != NULL);
    fault_mem_init(&w->fm, 0);
    asbi_former_init(&w->f, mem ? mem : &w->fm.mem);
    asbi_kind_init(&w->k);
    w->k.wait_ns = 500 * ASBI_MS;
    return w;
}

static inline struct world *world_new(void)
{
    return world_new_of(NULL);
}

static inline void batch_drop(struct asbi_former *f, struct asbi_batch *b)
{
    struct asbi_link *link;

    while ((link = asbi_list_first(&b->parcels)))
        asbi_former_remove(f, b, ASBI_OF(link, struct asbi_parcel, link));
    asbi_former_recycle(f, b);
}

static inline struct asbi_batch *next_batch(struct asbi_former *f,
                                            uint64_t now_ns)
{
    struct asbi_batch *b = asbi_former_peek(f, now_ns);

    if (b)
        asbi_former_take(f, b);
    return b;
}

static inline void world_free(struct world *w)
{
    struct asbi_batch *b;

    asbi_former_flush(&w->f, NULL);
    while ((b = next_batch(&w->f, 0)))
        batch_drop(&w->f, b);
    CHECK_INT(w->f.waiting.items, ==, 0);
    CHECK_INT(w->f.waiting.cost, ==, 0);
    asbi_former_fini(&w->f);
    CHECK_INT(w->fm.live, ==, 0);
    free(w);
}

static inline struct asbi_parcel *add(struct world *w, size_t i, uint64_t in,
                                      uint64_t out, uint64_t now_ns)
{
    struct asbi_parcel *p = &w->parcels[i];

    p->load = (struct asbi_load){ 1, in, out, in * 4, (int64_t)(in + out), 0 };
    p->arrived_ns = now_ns;
    CHECK(asbi_former_add(&w->f, &w->k, p, now_ns) == ASB_OK);
    return p;
}

#endif

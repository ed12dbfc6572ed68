#include "scheduler/former.h"

#include <asyncbatch/asyncbatch.h>

#include <assert.h>

#include "engine/base/units.h"

void asbi_former_init(struct asbi_former *f, const struct asbi_mem *mem)
{
    *f = (struct asbi_former){ .mem = mem };
    asbi_heap_init(&f->due, mem);
    asbi_list_init(&f->ready);
    asbi_list_init(&f->spare);
    f->next_seq = f->first_seq = UINT64_MAX / 2;
}

void asbi_kind_init(struct asbi_kind *k)
{
    *k = (struct asbi_kind){ .caps.items = 1 };
    asbi_list_init(&k->open);
    asbi_list_init(&k->closed);
}

static struct asbi_batch *batch_of(struct asbi_link *link)
{
    return link ? ASBI_OF(link, struct asbi_batch, link) : NULL;
}

struct asbi_batch *asbi_parcel_batch(const struct asbi_parcel *p)
{
    return p->link.list ? ASBI_OF(p->link.list, struct asbi_batch, parcels)
                        : NULL;
}

/* ---- batches as objects ---------------------------------------------- */

static struct asbi_batch *batch_new(struct asbi_former *f, struct asbi_kind *k,
                                    uint64_t now_ns)
{
    struct asbi_batch *b = batch_of(asbi_list_pop(&f->spare));

    if (!b)
        b = asbi_alloc(f->mem, sizeof(*b));
    if (!b)
        return NULL;
    *b = (struct asbi_batch){ .kind = k, .opened_ns = now_ns };
    asbi_list_init(&b->parcels);
    return b;
}

void asbi_former_fini(struct asbi_former *f)
{
    struct asbi_batch *b;

    assert(asbi_list_empty(&f->ready) && f->due.count == 0);
    while ((b = batch_of(asbi_list_pop(&f->spare))))
        asbi_free(f->mem, b);
    asbi_heap_fini(&f->due);
}

void asbi_former_recycle(struct asbi_former *f, struct asbi_batch *b)
{
    assert(asbi_list_empty(&b->parcels) && !b->link.list);
    asbi_list_append(&f->spare, &b->link);
}

/* ---- caps ------------------------------------------------------------- */

static bool fits(const struct asbi_batch *b, const struct asbi_load *more)
{
    struct asbi_load sum = b->load;

    asbi_load_add(&sum, more);
    return asbi_caps_hold(&b->kind->caps, &sum);
}

static bool is_full(const struct asbi_batch *b)
{
    return asbi_caps_are_full(&b->kind->caps, &b->load);
}

enum asbi_scale asbi_batch_bound_by(const struct asbi_batch *b)
{
    if (b->why != ASBI_BATCH_FULL && b->why != ASBI_BATCH_EVICTED)
        return ASBI_SCALE_NONE;
    return asbi_caps_fullest(&b->kind->caps, &b->load);
}

/* ---- open and closed --------------------------------------------------- */

/* After every change of a kind's closed list. */
static void note_closed(struct asbi_former *f, struct asbi_kind *k)
{
    if (asbi_list_empty(&k->closed))
        asbi_list_remove(&k->ready);
    else if (!k->ready.list)
        asbi_list_append(&f->ready, &k->ready);
}

static void close_batch(struct asbi_former *f, struct asbi_batch *b,
                        enum asbi_closed_because why)
{
    asbi_heap_remove(&f->due, &b->due);
    asbi_list_remove(&b->link);
    b->why = why;
    b->seq = f->next_seq++;
    asbi_list_append(&b->kind->closed, &b->link);
    note_closed(f, b->kind);
}

static const struct asbi_likeness *likeness_of(const struct asbi_batch *b)
{
    const struct asbi_link *first = asbi_list_first(&b->parcels);

    return &ASBI_OF(first, struct asbi_parcel, link)->likeness;
}

/* ---- company for what closes early -------------------------------------- */

static void move(struct asbi_parcel *p, struct asbi_batch *from,
                 struct asbi_batch *to)
{
    asbi_list_remove(&p->link);
    asbi_load_sub(&from->load, &p->load);
    asbi_list_append(&to->parcels, &p->link);
    asbi_load_add(&to->load, &p->load);
}

static void take_along(struct asbi_former *f, struct asbi_batch *from,
                       struct asbi_batch *to)
{
    struct asbi_link *next = from->parcels.head.next;

    for (size_t n = from->parcels.count; n > 0 && !is_full(to); n--) {
        struct asbi_parcel *p = ASBI_OF(next, struct asbi_parcel, link);

        next = next->next;
        if (fits(to, &p->load))
            move(p, from, to);
    }
    if (!asbi_list_empty(&from->parcels))
        return;
    asbi_heap_remove(&f->due, &from->due);
    asbi_list_remove(&from->link);
    asbi_former_recycle(f, from);
}

/* Groups must not cost a call: what waits in others and fits comes along. */
static void close_early(struct asbi_former *f, struct asbi_batch *b,
                        enum asbi_closed_because why)
{
    struct asbi_list *open = &b->kind->open;
    struct asbi_link *it = open->head.next;

    while (b->kind->grouping.on && it != &open->head && !is_full(b)) {
        struct asbi_batch *other = batch_of(it);

        it = it->next;
        if (other != b)
            take_along(f, other, b);
    }
    close_batch(f, b, why);
}

/* ---- where an item goes -------------------------------------------------- */

/* Closes the fullest of those that were open before `newest`. */
static void evict_for(struct asbi_former *f, struct asbi_kind *k,
                      const struct asbi_batch *newest)
{
    /* The oldest: it is not the newest. */
    struct asbi_batch *fullest =
        ASBI_OF(k->open.head.next, struct asbi_batch, link);
    double most = -1;

    assert(k->open.count > ASBI_FORMER_OPEN_MAX);
    ASBI_LIST_EACH (it, &k->open) {
        struct asbi_batch *b = batch_of(it);
        double now = asbi_caps_fill(&k->caps, &b->load);

        if (b != newest && now > most) {
            most = now;
            fullest = b;
        }
    }
    close_early(f, fullest, ASBI_BATCH_EVICTED);
}

/* Of large items few fit into a call, and which ones decides how well it is
 * filled: only small ones are worth a choice by likeness. */
static bool is_grouped(const struct asbi_kind *k, const struct asbi_parcel *p)
{
    return k->grouping.on && asbi_caps_find_small(&k->caps, &p->load);
}

/* The first open batch with room, with grouping the one that suits best: its
 * first item stands for it.  On the way, what has become full because the caps
 * went down is closed. */
static struct asbi_batch *best_fit(struct asbi_former *f, struct asbi_kind *k,
                                   const struct asbi_parcel *p, bool grouped)
{
    struct asbi_link *it = k->open.head.next;
    struct asbi_batch *best = NULL;
    double most = -1, score = 0;

    while (it != &k->open.head && (grouped || !best)) {
        struct asbi_batch *b = batch_of(it);

        it = it->next;
        if (fits(b, &p->load)) {
            if (grouped)
                score = asbi_likeness_score(&k->grouping, likeness_of(b),
                                            &p->likeness);
            best = score > most ? b : best;
            most = score > most ? score : most;
        } else if (is_full(b)) {
            close_batch(f, b, ASBI_BATCH_FULL);
        }
    }
    return best;
}

/* NULL: it wants a batch of its own to begin with. */
static struct asbi_batch *room_for(struct asbi_former *f, struct asbi_kind *k,
                                   const struct asbi_parcel *p)
{
    bool grouped = is_grouped(k, p);
    struct asbi_batch *b = best_fit(f, k, p, grouped);

    if (!b || !grouped || k->open.count >= ASBI_FORMER_OPEN_MAX ||
        asbi_likeness_alike(&k->grouping, likeness_of(b), &p->likeness))
        return b;
    return NULL;
}

static struct asbi_batch *open_batch(struct asbi_former *f, struct asbi_kind *k,
                                     uint64_t now_ns)
{
    if (asbi_heap_reserve(&f->due, f->due.count + 1))
        return NULL;
    struct asbi_batch *b = batch_new(f, k, now_ns);
    if (!b)
        return NULL;
    (void)asbi_heap_push(&f->due, &b->due, asbi_add_ns(now_ns, k->wait_ns));
    asbi_list_append(&k->open, &b->link);
    return b;
}

static void put(struct asbi_former *f, struct asbi_batch *b,
                struct asbi_parcel *p)
{
    asbi_list_append(&b->parcels, &p->link);
    asbi_load_add(&b->load, &p->load);
    asbi_load_add(&f->waiting, &p->load);
    if (p->close_by_ns && p->close_by_ns < b->due.key)
        asbi_heap_rekey(&f->due, &b->due, p->close_by_ns);
}

int asbi_former_add(struct asbi_former *f, struct asbi_kind *k,
                    struct asbi_parcel *p, uint64_t now_ns)
{
    if (k->caps.items == 0)
        k->caps.items = 1;
    struct asbi_batch *b = room_for(f, k, p);
    if (!b)
        b = open_batch(f, k, now_ns);
    if (!b)
        return ASB_ENOMEM;
    put(f, b, p);
    if (is_full(b))
        close_batch(f, b, ASBI_BATCH_FULL);
    else if (k->open.count > ASBI_FORMER_OPEN_MAX)
        evict_for(f, k, b);
    return ASB_OK;
}

void asbi_former_remove(struct asbi_former *f, struct asbi_batch *b,
                        struct asbi_parcel *p)
{
    assert(asbi_parcel_batch(p) == b);
    asbi_list_remove(&p->link);
    asbi_load_sub(&b->load, &p->load);
    if (!b->link.list)
        return;
    asbi_load_sub(&f->waiting, &p->load);
    if (!asbi_list_empty(&b->parcels))
        return;
    asbi_heap_remove(&f->due, &b->due);
    asbi_list_remove(&b->link);
    note_closed(f, b->kind);
    asbi_former_recycle(f, b);
}

void asbi_former_flush(struct asbi_former *f, struct asbi_kind *k)
{
    struct asbi_heap_node *node;

    if (k) {
        while (!asbi_list_empty(&k->open))
            close_early(f, batch_of(k->open.head.next), ASBI_BATCH_FLUSHED);
        return;
    }
    while ((node = asbi_heap_first(&f->due)))
        close_early(f, ASBI_OF(node, struct asbi_batch, due),
                    ASBI_BATCH_FLUSHED);
}

uint64_t asbi_former_due(const struct asbi_former *f)
{
    const struct asbi_heap_node *node = asbi_heap_first(&f->due);

    return node ? node->key : ASBI_NEVER;
}

/* ---- taking ------------------------------------------------------------ */

struct asbi_kind *asbi_kind_of_ready(struct asbi_link *ready)
{
    return ASBI_OF(ready, struct asbi_kind, ready);
}

struct asbi_batch *asbi_kind_first(const struct asbi_kind *k)
{
    return batch_of(asbi_list_first(&k->closed));
}

static bool goes_before(const struct asbi_batch *a, const struct asbi_batch *b)
{
    if (!b || a->kind->urgency != b->kind->urgency)
        return !b || a->kind->urgency < b->kind->urgency;
    return a->seq < b->seq;
}

void asbi_former_close_due(struct asbi_former *f, uint64_t now_ns)
{
    struct asbi_heap_node *node;

    while ((node = asbi_heap_first(&f->due)) && node->key <= now_ns)
        close_early(f, ASBI_OF(node, struct asbi_batch, due), ASBI_BATCH_OLD);
}

struct asbi_batch *asbi_former_peek(struct asbi_former *f, uint64_t now_ns)
{
    struct asbi_batch *first = NULL;

    asbi_former_close_due(f, now_ns);
    ASBI_LIST_EACH (it, &f->ready) {
        struct asbi_batch *b = asbi_kind_first(asbi_kind_of_ready(it));

        if (goes_before(b, first))
            first = b;
    }
    return first;
}

void asbi_former_take(struct asbi_former *f, struct asbi_batch *b)
{
    assert(b->link.list == &b->kind->closed);
    asbi_list_remove(&b->link);
    note_closed(f, b->kind);
    asbi_load_sub(&f->waiting, &b->load);
}

struct asbi_batch *asbi_former_taken(struct asbi_former *f, uint64_t now_ns)
{
    return batch_new(f, NULL, now_ns);
}

void asbi_batch_join(struct asbi_batch *b, struct asbi_kind *k,
                     struct asbi_parcel *p)
{
    assert(asbi_list_empty(&b->parcels) || b->kind == k);
    b->kind = k;
    asbi_list_append(&b->parcels, &p->link);
    asbi_load_add(&b->load, &p->load);
}

void asbi_former_untake(struct asbi_former *f, struct asbi_batch *b)
{
    assert(b->link.list != &b->kind->open);
    if (b->link.list)
        return;
    b->seq = --f->first_seq;
    asbi_list_prepend(&b->kind->closed, &b->link);
    note_closed(f, b->kind);
    asbi_load_add(&f->waiting, &b->load);
}

int asbi_former_split(struct asbi_former *f, struct asbi_batch *b, size_t n,
                      struct asbi_batch **first)
{
    assert(n > 0 && n < b->parcels.count);
    struct asbi_batch *half = batch_new(f, b->kind, b->opened_ns);

    if (!half)
        return ASB_ENOMEM;
    asbi_former_untake(f, b);
    half->why = b->why;
    half->seq = b->seq;
    for (size_t i = 0; i < n; i++) {
        struct asbi_link *link = asbi_list_pop(&b->parcels);
        struct asbi_parcel *p = ASBI_OF(link, struct asbi_parcel, link);

        asbi_list_append(&half->parcels, link);
        asbi_load_add(&half->load, &p->load);
        asbi_load_sub(&b->load, &p->load);
    }
    asbi_link_between(&half->link, b->link.prev, &b->link);
    *first = half;
    return ASB_OK;
}

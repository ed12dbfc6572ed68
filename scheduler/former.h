/*
 * former.h -- puts items that may share a call into batches: first-fit over at
 * most eight open batches a kind, in order of arrival, never sorted (sorting
 * by size gathers the small ones, which then hit the count cap: 39 % more
 * calls as measured).
 *
 * With grouping, of the open batches with room the most alike takes an item,
 * and another is opened, up to eight, for one that is alike to none.  That
 * costs no call: a batch that closes before it is full takes along what fits
 * of the others.
 *
 * Pure: time comes in as a number, the next time to ask goes out as one.
 * Owns batches; items are the engine's and only linked here.
 *
 * A batch is open or closed (in a list of its kind) or taken (in none, the
 * engine's).  Adding costs at most eight comparisons,
 * closing O(log n) of the open batches, however many items there are.
 */
#ifndef ASBI_SCHEDULER_FORMER_H
#define ASBI_SCHEDULER_FORMER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/heap.h"
#include "engine/base/list.h"
#include "engine/base/mem.h"
#include "scheduler/caps.h"
#include "scheduler/likeness.h"
#include "scheduler/load.h"

enum { ASBI_FORMER_OPEN_MAX = 8 };

/* Where an item hangs while it waits or travels; a member of the item. */
struct asbi_parcel {
    struct asbi_link link;         /* in a batch's `parcels` */
    struct asbi_load load;         /* must stay as it is while linked */
    struct asbi_likeness likeness; /* read only where items are grouped */
    uint64_t arrived_ns;           /* of the first try; a retry keeps it */
    uint64_t close_by_ns; /* its batch closes by then; 0: no such wish */
};

/* Why a batch was closed: told to users by `plan` and the log. */
enum asbi_closed_because {
    ASBI_BATCH_OPEN,
    ASBI_BATCH_FULL,    /* as caps.h says */
    ASBI_BATCH_OLD,     /* waited as long as it may, or as an item wished */
    ASBI_BATCH_FLUSHED, /* input ended, the host said so, or the lane idles */
    ASBI_BATCH_EVICTED, /* a ninth was needed: the fullest went */
};

/* Items of one kind may share a call. */
struct asbi_kind {
    /* -- set by its owner */
    struct asbi_batch_caps caps; /* may change between calls */
    uint64_t wait_ns;            /* longest wait of the first item; a change
                                  * holds for batches opened after it */
    unsigned urgency;            /* 0 first, 2 last; among closed batches */
    struct asbi_grouping grouping;
    void *owner;

    /* -- the former's */
    struct asbi_list open;   /* oldest first */
    struct asbi_list closed; /* in order of closing */
    struct asbi_link ready;  /* in former->ready while something is closed */
};

struct asbi_batch {
    struct asbi_kind *kind;
    struct asbi_list parcels; /* in order of arrival, without grouping */
    struct asbi_load load;
    uint64_t opened_ns;
    enum asbi_closed_because why;
    uint64_t deadline_ns; /* the owner's to remember; 0 when made */

    /* -- the former's */
    struct asbi_link link; /* in kind->open or kind->closed */
    uint64_t seq;          /* order of closing over all kinds */
    struct asbi_heap_node due;
};

struct asbi_former {
    const struct asbi_mem *mem;
    struct asbi_heap due; /* open batches of all kinds, first to close first */
    struct asbi_list ready; /* kinds that have closed batches, in no order */
    uint64_t next_seq, first_seq;
    struct asbi_list spare;   /* batches to reuse */
    struct asbi_load waiting; /* all that is open or closed */
};

void asbi_former_init(struct asbi_former *f, const struct asbi_mem *mem);

/* Parcels must be gone, and taken batches be given back. */
void asbi_former_fini(struct asbi_former *f);

/* Zero, with a cap of one item.  The kind must outlive its batches. */
void asbi_kind_init(struct asbi_kind *k);

/* Puts an unlinked parcel into the first (with grouping the most alike) open
 * batch of its kind that has room under the caps, else into a new one.  ASB_OK
 * or ASB_ENOMEM (nothing changed).  An item over a cap by itself gets a batch
 * of its own. */
int asbi_former_add(struct asbi_former *f, struct asbi_kind *k,
                    struct asbi_parcel *p, uint64_t now_ns);

/* The batch a linked parcel is in; NULL for none. */
struct asbi_batch *asbi_parcel_batch(const struct asbi_parcel *p);

/* Takes an item out of the batch it is in (cancel).  An open or closed batch
 * that is empty then is recycled, and `b` gone; a taken one stays. */
void asbi_former_remove(struct asbi_former *f, struct asbi_batch *b,
                        struct asbi_parcel *p);

/* Closes what has waited long enough; then the next closed batch, most urgent
 * kind first, or NULL.  Costs a look at each kind that has one.  Peek, so that
 * gates may refuse; then take. */
struct asbi_batch *asbi_former_peek(struct asbi_former *f, uint64_t now_ns);

/* Closes what has waited long enough, for who picks among f->ready: of each
 * kind there the first closed batch is next. */
void asbi_former_close_due(struct asbi_former *f, uint64_t now_ns);

/* The kind of a link in f->ready, and its first closed batch. */
struct asbi_kind *asbi_kind_of_ready(struct asbi_link *ready);
struct asbi_batch *asbi_kind_first(const struct asbi_kind *k);

void asbi_former_take(struct asbi_former *f, struct asbi_batch *b);

/* A taken batch with nothing in it; NULL when out of memory.  Parcels that are
 * in none may join it: all of one kind, to which the first sets it. */
struct asbi_batch *asbi_former_taken(struct asbi_former *f, uint64_t now_ns);
void asbi_batch_join(struct asbi_batch *b, struct asbi_kind *k,
                     struct asbi_parcel *p);

/* Puts a taken batch back before all that are closed.  Does nothing to one
 * that is closed already. */
void asbi_former_untake(struct asbi_former *f, struct asbi_batch *b);

/* Bisects a taken or closed batch: a new closed batch with the `n` first
 * parcels of `b` (0 < n < all), right before `b`, which is put back as by
 * untake if it was taken; so both halves wait, in order.  ASB_OK or ASB_ENOMEM
 * (nothing changed). */
int asbi_former_split(struct asbi_former *f, struct asbi_batch *b, size_t n,
                      struct asbi_batch **first);

/* The scale on which a closed or taken batch is fullest, if that is why it was
 * closed. */
enum asbi_scale asbi_batch_bound_by(const struct asbi_batch *b);

/* Closes every open batch (of one kind, or of all for NULL). */
void asbi_former_flush(struct asbi_former *f, struct asbi_kind *k);

/* When the next open batch will have waited enough; ASBI_NEVER for none. */
uint64_t asbi_former_due(const struct asbi_former *f);

/* Gives a taken, empty batch back for reuse. */
void asbi_former_recycle(struct asbi_former *f, struct asbi_batch *b);

#endif

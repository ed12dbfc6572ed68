/*
 * former.h -- puts items that may share a call into batches: first-fit over at
 * most eight open batches a kind, in order of arrival, never sorted (sorting
 * by size gathers the small ones, which then hit the count cap: 39 % more
 * calls, research on packing).
 *
 * Pure: time comes in as a number, the next time to ask goes out as one.
 * Owns batches; items are the engine's and only linked here.
 */
#ifndef ASBI_SCHEDULER_FORMER_H
#define ASBI_SCHEDULER_FORMER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/list.h"
#include "engine/base/mem.h"
#include "scheduler/load.h"

/* Where an item hangs while it waits or travels; a member of the item. */
struct asbi_parcel {
    struct asbi_link link; /* in a batch's `parcels` */
    struct asbi_load load;
    uint64_t arrived_ns; /* of the first try; a retry keeps it */
};

struct asbi_batch;

/* Caps on one batch.  0 means no cap, except items (at least 1). */
struct asbi_batch_caps {
    uint64_t items;
    uint64_t input_tokens;
    uint64_t output_tokens;
    uint64_t bytes;
    int64_t cost;
    /* Most total of a batch's estimated seconds, as
     * fixed + per_input x in + per_output x out; 0 for no cap. */
    double seconds, fixed_seconds, seconds_per_input, seconds_per_output;
};

/* Why a batch was closed: told to users by `plan` and the log. */
enum asbi_closed_because {
    ASBI_BATCH_OPEN,
    ASBI_BATCH_FULL,    /* a cap is reached, or the next item did not fit */
    ASBI_BATCH_OLD,     /* waited as long as it may */
    ASBI_BATCH_FLUSHED, /* input ended, the host said so, or the lane idles */
    ASBI_BATCH_EVICTED, /* a ninth was needed: the fullest went */
};

/* Items of one kind may share a call. */
struct asbi_kind {
    /* -- set by its owner */
    struct asbi_batch_caps caps; /* may change between calls */
    uint64_t wait_ns;            /* longest wait of the first item */
    unsigned urgency;            /* 0 first; among closed batches */
    void *owner;

    /* -- the former's */
    struct asbi_list open; /* oldest first */
    struct asbi_link link;
};

struct asbi_batch {
    struct asbi_kind *kind;
    struct asbi_list parcels; /* in order of arrival */
    struct asbi_load load;
    uint64_t opened_ns;
    enum asbi_closed_because why;
    struct asbi_link link; /* in kind->open, or a list of closed ones */
};

struct asbi_former {
    const struct asbi_mem *mem;
    struct asbi_list kinds;     /* with open batches, in order of first wait */
    struct asbi_list closed[3]; /* by urgency, in order of closing */
    struct asbi_list spare;     /* batches to reuse */
    struct asbi_load waiting;   /* all that is open or closed */
};

void asbi_former_init(struct asbi_former *f, const struct asbi_mem *mem);
void asbi_former_fini(struct asbi_former *f); /* parcels must be gone */

void asbi_kind_init(struct asbi_kind *k);

/* ASB_OK or ASB_ENOMEM (nothing changed).  An item over a cap by itself gets
 * a batch of its own. */
int asbi_former_add(struct asbi_former *f, struct asbi_kind *k,
                    struct asbi_parcel *p, uint64_t now_ns);

/* Takes an item out of the batch it waits in (cancel). */
void asbi_former_remove(struct asbi_former *f, struct asbi_batch *b,
                        struct asbi_parcel *p);

/* Closes what has waited long enough; then the next closed batch, most urgent
 * first, or NULL.  Peek, so that gates may refuse; then take. */
struct asbi_batch *asbi_former_peek(struct asbi_former *f, uint64_t now_ns);
void asbi_former_take(struct asbi_former *f, struct asbi_batch *b);

/* Puts a taken batch back as the first of its urgency. */
void asbi_former_untake(struct asbi_former *f, struct asbi_batch *b);

/* A new closed batch for `n` first parcels of `b`, put before the rest, so that
 * bisected halves keep their order.  ASB_OK or ASB_ENOMEM. */
int asbi_former_split(struct asbi_former *f, struct asbi_batch *b, size_t n,
                      struct asbi_batch **first);

/* Closes every open batch (of one kind, or of all for NULL). */
void asbi_former_flush(struct asbi_former *f, struct asbi_kind *k);

/* When the oldest open batch will have waited enough; ASBI_NEVER for none. */
uint64_t asbi_former_due(const struct asbi_former *f);

/* Gives an empty batch back for reuse. */
void asbi_former_recycle(struct asbi_former *f, struct asbi_batch *b);

#endif

/*
 * recall.h -- is the answer known, or on its way?  Asked for each item before
 * it is queued, and told of each answer when it is there.
 *
 * In this order: the answers in memory; the same item under way, whose answer
 * it will then share; the store.  What is found costs nothing and says what it
 * saved.  Only good answers are kept, and only of requests that settle their
 * answer: no temperature above 0, and see cache/body.h for bodies.
 *
 * Followers of an item share its outcome, good or bad.  Who leads can change:
 * one that is cancelled or too late leaves the lead to the next, and one that
 * is more pressing takes it from a leader that was not sent yet.
 */
#ifndef ASBI_RECALL_H
#define ASBI_RECALL_H

#include <stdbool.h>
#include <stdint.h>

#include "cache/flight.h"
#include "cache/key.h"
#include "cache/memory.h"
#include "cache/near.h"
#include "cache/trial.h"
#include "engine/base/buf.h"
#include "engine/base/list.h"
#include "engine/remote.h"
#include "engine/store.h"

struct asb_engine;
struct asbi_item;

/* How far reuse goes; each level does what those before it do. */
enum asbi_reuse {
    ASBI_REUSE_OFF,
    ASBI_REUSE_EXACT,    /* the same request */
    ASBI_REUSE_HINT,     /* near ones are examples */
    ASBI_REUSE_SKELETON, /* translations: numbers and addresses exchanged */
    ASBI_REUSE_VERIFIED, /* classification: guarded and measured */
};

/* Where answers come from; remotes are asked in this order. */
enum asbi_tier {
    ASBI_TIER_REDIS,
    ASBI_TIER_HTTP,
    ASBI_REMOTES,
    ASBI_TIER_MEMORY = ASBI_REMOTES,
    ASBI_TIER_FILE,
    ASBI_TIERS,
};

struct asbi_recall {
    bool on;
    enum asbi_reuse reuse;
    bool flush; /* close the batches once nothing is looked up any more */
    struct asbi_cache_key scope;
    struct asbi_cache_hasher hasher;
    struct asbi_buf bytes;
    struct asbi_flights flights;
    struct asbi_list following; /* items in state FOLLOWING */
    struct asbi_list asked;     /* items in state ASKED: looked up next turn */
    struct asbi_list looking;   /* and those that a remote is asked for */
    struct asbi_memory *memory; /* NULL: none */
    struct asbi_near *near;     /* NULL: nobody is near anybody */
    struct asbi_trial trial;    /* of answers taken over from near texts */

    struct asbi_store *store; /* owned; NULL: none; set before init */
    struct asbi_remote *remotes[ASBI_REMOTES]; /* likewise */
    struct asb_tier tiers[ASBI_TIERS];
    bool was_busy;
    struct asbi_list unsaved; /* what the store is to be told */
    size_t unsaved_bytes;
    uint64_t save_at_ns; /* ASBI_NEVER: nothing to save */
};

/* Before anything that can fail: lists are lists. */
void asbi_recall_prepare(struct asb_engine *e);

/* Once task, lane and options are there; `task` is its name.  ASB_OK,
 * ASB_ECONFIG or ASB_ENOMEM. */
int asbi_recall_init(struct asb_engine *e, const char *task,
                     struct asb_message *why);

/* Saves what is unsaved; frees all but the items. */
void asbi_recall_fini(struct asb_engine *e);

/* A new item: it is answered, follows another, is looked up, or is queued. */
void asbi_recall_ask(struct asb_engine *e, struct asbi_item *item);

/* An item that was asked for will be settled in a moment: what that touches is
 * on its way. */
void asbi_recall_expect(const struct asb_engine *e,
                        const struct asbi_item *item);

/* An item is about to be done: keeps its answer, tells its followers. */
void asbi_recall_settle(struct asb_engine *e, struct asbi_item *item);

/* An item on the wire is cancelled: if another waits for its answer, that one
 * takes its place in the call. */
void asbi_recall_hand_over(struct asb_engine *e, struct asbi_item *item);

/* Looks up and saves a batch; in each turn.  True when what it was busy with
 * has ended. */
bool asbi_recall_turn(struct asb_engine *e, uint64_t now);

/* Answers are still on their way to where they are kept; bounded. */
bool asbi_recall_busy(const struct asb_engine *e);

/* An item in state ASKED is about to be taken elsewhere: nobody waits for what
 * is looked up for it. */
void asbi_recall_stop_look(struct asbi_item *item);

/* When it wants a turn; ASBI_NEVER for not. */
uint64_t asbi_recall_due(const struct asb_engine *e);

/* The batches are to be closed, with what is being looked up in them. */
void asbi_recall_flush(struct asb_engine *e);

/* Frees the items that follow or are looked up. */
void asbi_recall_free_items(struct asb_engine *e);

#endif

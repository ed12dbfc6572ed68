/*
 * recall_store.h -- the part of recall that deals with where answers outlive
 * the process: the store is looked into, a batch in each turn, then the remotes
 * are asked; answers are written behind.
 *
 * Only recall.c asks for it.  A store that fails is given up with a warning;
 * a remote says so itself when it is unwell.  The run goes on without them.
 */
#ifndef ASBI_RECALL_STORE_H
#define ASBI_RECALL_STORE_H

#include "engine/engine.h"

/* Whether answers are kept anywhere beyond this process. */
bool asbi_recall_outlives(const struct asbi_recall *r);

/* Has the remotes report to the engine; frees them and the store. */
void asbi_recall_listen(struct asb_engine *e);
void asbi_recall_close(struct asb_engine *e);

/* A leader in no place: looked up in the next turn, then answered or queued. */
void asbi_recall_look_up(struct asb_engine *e, struct asbi_item *item);

/* Copies a record for the store, which has it soon.  Without memory, room or
 * a store it is not saved. */
void asbi_recall_save(struct asb_engine *e, const struct asbi_cache_key *key,
                      asbi_str record, uint64_t expires_ms);

/* Saves what there is, now; frees what cannot be saved. */
void asbi_recall_save_all(struct asb_engine *e);

/* An item in no place, which was looked up: what comes of it.  give: a record
 * of a tier answers it; false as asbi_recall_answer(), and nothing was done.
 * lack: its answer is not known. */
bool asbi_recall_give(struct asb_engine *e, struct asbi_item *item,
                      asbi_str record, uint64_t expires_ms,
                      enum asbi_tier tier);
void asbi_recall_lack(struct asb_engine *e, struct asbi_item *item);

/* recall.c: gives an item in no place the answer of a record.  False when the
 * record is damaged or memory is short; the item is as it was. */
bool asbi_recall_answer(struct asb_engine *e, struct asbi_item *item,
                        asbi_str record, const struct asbi_cache_key *key,
                        enum asb_source source);

/* recall.c: the answer of a leader in no place is not known: it is taken from a
 * near text, or asked for. */
void asbi_recall_miss(struct asb_engine *e, struct asbi_item *item);

#endif

/*
 * recall_keep.h -- the part of recall that keeps answers: those that calls
 * gave, refusals for a short while, and what is known without having been
 * asked.
 *
 * Only good answers are kept, and only of requests that settle their answer.
 */
#ifndef ASBI_RECALL_KEEP_H
#define ASBI_RECALL_KEEP_H

#include "cache/record.h"
#include "engine/engine.h"

/* What items fail with whose content the provider refuses. */
extern const char asbi_refused_code[];

/* A leader has its answer from a call: everywhere. */
void asbi_recall_keep(struct asb_engine *e, const struct asbi_item *item);

/* A leader was refused: not asked again for a short while; in memory alone. */
void asbi_recall_keep_refusal(struct asb_engine *e,
                              const struct asbi_item *item);

/* The answer of an item that is not asked; see asbi_submit_known().  The item
 * is in no place and stays so.  False when it is not kept. */
bool asbi_recall_learn(struct asb_engine *e, const struct asbi_item *item,
                       const struct asb_result *result,
                       enum asbi_known_from from);

/* Keeps an answer under a key: in memory, and where answers outlive the
 * process. False when memory is short. */
bool asbi_recall_keep_answer(struct asb_engine *e, const struct asbi_item *item,
                             const struct asbi_cache_key *key,
                             const struct asbi_cache_answer *answer,
                             bool of_this_run);

/* Keeps an answer where answers outlive the process, and nowhere else. */
void asbi_recall_keep_beyond(struct asb_engine *e,
                             const struct asbi_cache_key *key,
                             const struct asbi_cache_answer *answer);

/* Keeps a record in memory.  `lent`: another says how long it holds, and it is
 * not for us to ask anew when that ends. */
void asbi_recall_remember(struct asb_engine *e, const struct asbi_item *item,
                          asbi_str record, const struct asbi_cache_key *key,
                          uint64_t expires_ms, bool of_this_run, bool lent);

/* recall.c: which request an item is.  False when its answer is not reused. */
bool asbi_recall_key_of(struct asb_engine *e, const struct asbi_item *item,
                        struct asbi_cache_key *key);

#endif

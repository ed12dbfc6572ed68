/*
 * leftover.h -- whether a translation still has writing of its source language
 * in it.
 *
 * Judges scripts, not words: Chinese left in Russian is seen, German left in
 * English is not, and Latin is welcome everywhere (brand names).  Placeholders
 * do not count, nor do terms that the glossary wants in that script.
 */
#ifndef ASBI_ADAPTERS_LEFTOVER_H
#define ASBI_ADAPTERS_LEFTOVER_H

#include "adapters/task.h"
#include "engine/base/buf.h"

struct asbi_leftover {
    bool detect;          /* the source language shows in each text */
    uint32_t source;      /* scripts; see scripts.h */
    uint32_t target;      /* 0: unknown, so nothing can be left over */
    struct asbi_buf kept; /* glossary targets, each with a NUL behind */
};

/* Keeps nothing of `material`.  ASB_OK or ASB_ENOMEM. */
int asbi_leftover_init(struct asbi_leftover *l, const struct asbi_mem *mem,
                       const struct asbi_task_material *material);
void asbi_leftover_fini(struct asbi_leftover *l);

/* One script of the source that is left in `output`, or 0. */
uint32_t asbi_leftover_find(const struct asbi_leftover *l, asbi_str text,
                            asbi_str output);

#endif

/*
 * split.h -- the door to PCRE2: cuts a text into the pieces that a tokenizer
 * looks at one by one, mostly words with the space before them.
 *
 * By the expressions that tiktoken publishes.  Their \s is spelt out: that of
 * PCRE2 has a character more.  Characters that PCRE2's edition of Unicode does
 * not know yet are taken for signs.
 *
 * Without PCRE2 split_none.c stands here, and says so.
 */
#ifndef ASBI_SCHEDULER_SPLIT_H
#define ASBI_SCHEDULER_SPLIT_H

#include <asyncbatch/asyncbatch.h>
#include <stddef.h>

#include "engine/base/mem.h"
#include "engine/base/str.h"

enum asbi_split_kind { ASBI_SPLIT_CL100K, ASBI_SPLIT_O200K };

struct asbi_split;

/* `mem` must outlive it.  ASB_OK, ASB_ECONFIG (no PCRE2) or ASB_ENOMEM. */
int asbi_split_new(const struct asbi_mem *mem, enum asbi_split_kind kind,
                   struct asbi_split **out, struct asb_message *why);
void asbi_split_free(struct asbi_split *s);

/* Bytes of the piece that starts at `from` within well-formed UTF-8, at least
 * 1; 0 when it cannot be told: out of memory, or too hard. */
size_t asbi_split_next(struct asbi_split *s, asbi_str text, size_t from);

#endif

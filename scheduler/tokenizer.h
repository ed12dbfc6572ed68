/*
 * tokenizer.h -- counts tokens exactly, by a vocabulary that the user gives.
 *
 * Text is cut into pieces (split.h) and the bytes of each are joined by rank
 * (merge.h), as tiktoken does; special tokens are text as any other.
 *
 * Shared by whoever holds a reference, within one thread: it has one room to
 * work in.
 */
#ifndef ASBI_SCHEDULER_TOKENIZER_H
#define ASBI_SCHEDULER_TOKENIZER_H

#include "scheduler/image.h"
#include "scheduler/split.h"
#include "scheduler/tokens.h"

struct asbi_tokenizer;

/**
 * @param file   a vocabulary as ranks.h reads it; not needed afterwards
 * @param split  "cl100k", "o200k" (and their likes), or "auto": cl100k below
 *               150,000 tokens, o200k above
 * @return ASB_OK, ASB_ECONFIG or ASB_ENOMEM
 */
int asbi_tokenizer_new(const struct asbi_mem *mem, asbi_str file,
                       const char *split, struct asbi_tokenizer **out,
                       struct asb_message *why);

/* One more holder; NULL stays NULL. */
struct asbi_tokenizer *asbi_tokenizer_ref(struct asbi_tokenizer *t);

/* Accepts NULL. */
void asbi_tokenizer_unref(struct asbi_tokenizer *t);

/* Tokens of well-formed UTF-8; < 0 for anything else, and where they cannot be
 * told: then an estimate must do. */
double asbi_tokenizer_count(struct asbi_tokenizer *t, asbi_str text);

/* How a lane counts: exactly, or as near as an estimate comes. */
struct asbi_counter {
    enum asbi_vocabulary vocabulary;
    struct asbi_tokenizer *exact; /* NULL: none was given */
    enum asbi_image_rule images;
};

double asbi_count_tokens(const struct asbi_counter *c, asbi_str text);

#endif

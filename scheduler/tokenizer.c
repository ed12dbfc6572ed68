#include "scheduler/tokenizer.h"

#include <string.h>

#include "engine/base/json.h"
#include "scheduler/merge.h"
#include "scheduler/ranks.h"

/* The vocabularies cut as cl100k_base is have 100 to 129 thousand. */
enum { LARGE = 150000 };

struct asbi_tokenizer {
    struct asbi_mem mem;
    unsigned holders;
    struct asbi_ranks ranks;
    struct asbi_merge merge;
    struct asbi_split *split;
};

static enum asbi_split_kind kind_of(const char *split, size_t tokens)
{
    if (strcmp(split, "auto") == 0)
        return tokens > LARGE ? ASBI_SPLIT_O200K : ASBI_SPLIT_CL100K;
    return strcmp(split, "o200k") == 0 ? ASBI_SPLIT_O200K : ASBI_SPLIT_CL100K;
}

int asbi_tokenizer_new(const struct asbi_mem *mem, asbi_str file,
                       const char *split, struct asbi_tokenizer **out,
                       struct asb_message *why)
{
    struct asbi_tokenizer *t = asbi_calloc(mem, 1, sizeof(*t));

    *out = NULL;
    if (!t)
        return ASB_ENOMEM;
    t->mem = *mem;
    t->holders = 1;
    int rc = asbi_merge_init(&t->merge, mem);
    if (!rc)
        rc = asbi_ranks_read(&t->ranks, mem, file, why);
    if (!rc)
        rc = asbi_split_new(&t->mem, kind_of(split, t->ranks.count), &t->split,
                            why);
    if (rc) {
        asbi_tokenizer_unref(t);
        return rc;
    }
    *out = t;
    return ASB_OK;
}

struct asbi_tokenizer *asbi_tokenizer_ref(struct asbi_tokenizer *t)
{
    if (t)
        t->holders++;
    return t;
}

void asbi_tokenizer_unref(struct asbi_tokenizer *t)
{
    if (!t || --t->holders)
        return;
    struct asbi_mem mem = t->mem;

    asbi_split_free(t->split);
    asbi_merge_fini(&t->merge);
    asbi_ranks_fini(&t->ranks);
    asbi_free(&mem, t);
}

static size_t count_piece(struct asbi_tokenizer *t, asbi_str piece)
{
    size_t tokens = 0;

    while (piece.len > ASBI_MERGE_MOST) {
        tokens += asbi_merge_count(&t->merge, &t->ranks,
                                   asbi_str_of(piece.at, ASBI_MERGE_MOST));
        piece = asbi_str_of(piece.at + ASBI_MERGE_MOST,
                            piece.len - ASBI_MERGE_MOST);
    }
    return tokens + asbi_merge_count(&t->merge, &t->ranks, piece);
}

double asbi_tokenizer_count(struct asbi_tokenizer *t, asbi_str text)
{
    size_t tokens = 0, len;

    if (!asbi_utf8_valid(text.at, text.len))
        return -1;
    for (size_t at = 0; at < text.len; at += len) {
        len = asbi_split_next(t->split, text, at);
        if (len == 0)
            return -1;
        tokens += count_piece(t, asbi_str_of(text.at + at, len));
    }
    return (double)tokens;
}

double asbi_count_tokens(const struct asbi_counter *c, asbi_str text)
{
    double tokens = c->exact ? asbi_tokenizer_count(c->exact, text) : -1;

    return tokens < 0 ? asbi_tokens_estimate(c->vocabulary, text) : tokens;
}

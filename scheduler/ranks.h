/*
 * ranks.h -- a vocabulary of byte pairs: which runs of bytes are tokens, and
 * which of them is joined first.
 *
 * Read from the text that tiktoken keeps vocabularies in: a line a token, its
 * bytes as base64, a space, its rank.
 */
#ifndef ASBI_SCHEDULER_RANKS_H
#define ASBI_SCHEDULER_RANKS_H

#include <asyncbatch/asyncbatch.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/str.h"

enum {
    ASBI_RANKS_MOST = 1 << 22,       /* tokens */
    ASBI_RANKS_TOKEN_MOST = 1 << 10, /* bytes of one */
};

/* Of what is no token. */
#define ASBI_NO_RANK UINT32_MAX

struct asbi_ranks {
    struct asbi_mem mem;
    struct asbi_rank *tokens; /* in the order of the file */
    char *bytes;              /* of all of them */
    uint32_t *slots;          /* open addressing; 0 is free, else token + 1 */
    size_t mask;              /* slots less one */
    size_t count, longest;    /* tokens; bytes of the longest */
};

/* ASB_OK, ASB_ECONFIG, or ASB_ENOMEM; to be given to asbi_ranks_fini() in every
 * case.  `file` is not needed afterwards. */
int asbi_ranks_read(struct asbi_ranks *r, const struct asbi_mem *mem,
                    asbi_str file, struct asb_message *why);
void asbi_ranks_fini(struct asbi_ranks *r);

/* ASBI_NO_RANK for what is no token. */
uint32_t asbi_ranks_find(const struct asbi_ranks *r, const char *at,
                         size_t len);

#endif

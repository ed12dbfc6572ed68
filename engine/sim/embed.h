/*
 * embed.h -- a request to /v1/embeddings, read and answered.
 *
 * The vector of a text is drawn from its hash and has length 1: equal texts
 * have equal vectors, and that is all there is to them.  They are answered in
 * an order of their own, drawn from the request: their `index` alone says whose
 * they are.
 */
#ifndef ASBI_SIM_EMBED_H
#define ASBI_SIM_EMBED_H

#include "engine/base/json.h"
#include "engine/sim/call.h"

enum { ASBI_SIM_MAX_INPUTS = 2048 };

struct asbi_sim_embed {
    /* -- set by init */
    struct asbi_json *json;

    /* -- set by read; views live until the next read */
    char model[128];
    uint64_t dimensions;
    bool base64; /* as little-endian floats, not as numbers */
    uint64_t count, tokens;
    const struct asbi_json_node *inputs[ASBI_SIM_MAX_INPUTS]; /* count */
    uint64_t order_seed;
};

int asbi_sim_embed_init(struct asbi_sim_embed *e, const struct asbi_mem *mem,
                        size_t max_bytes);
void asbi_sim_embed_fini(struct asbi_sim_embed *e);

/* Checks OpenAI's limits: 2,048 inputs of at most 8,192 tokens, 300,000 in
 * all, none empty.  ASB_OK, ASB_EINVAL with the refusal, or ASB_ENOMEM. */
int asbi_sim_embed_read(struct asbi_sim_embed *e, asbi_str body,
                        struct asbi_sim_problem *why);

/* The answer to the request read last. */
void asbi_sim_put_embeddings(const struct asbi_sim_embed *e,
                             struct asbi_buf *out);

#endif

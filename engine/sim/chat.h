/*
 * chat.h -- a request to /v1/chat/completions, read and answered.
 *
 * A packed request (its last user message ends with {"items":[...]}) gets one
 * answer for each item, any other the pseudo-localised last user message.  No
 * time, no quota, no bill here.
 */
#ifndef ASBI_SIM_CHAT_H
#define ASBI_SIM_CHAT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/json.h"
#include "engine/sim/call.h"
#include "engine/sim/labels.h"
#include "engine/sim/options.h"

struct asbi_sim_chat {
    /* -- set by init */
    const struct asbi_mem *mem;
    struct asbi_sim_counting counting;
    const char *refuses;              /* see asbi_sim_options */
    struct asbi_json *json, *payload; /* of the request, of its items */
    struct asbi_buf parts;   /* the last message, when it came in parts */
    struct asbi_buf text;    /* one answer in the making */
    struct asbi_buf content; /* the whole answer */

    /* -- set by read: the request.  Views live until the next read. */
    char model[128];
    bool stream, include_usage;
    uint64_t choices;    /* how many answers ("n") */
    uint64_t max_tokens; /* UINT64_MAX: not said */
    asbi_str system;     /* text of the first message; empty if in parts */
    asbi_str last;       /* text of the last user message */
    const struct asbi_json_node *items; /* in `payload`; NULL: not packed */
    struct asbi_sim_labels labels; /* what packed answers are chosen from */
    uint64_t prompt_tokens, prefix_tokens; /* prefix: all that is constant */
    uint64_t prefix_hash;

    /* -- set by answer */
    const char *finish; /* "stop", "length" */
    uint64_t output_tokens;
    uint64_t item_count, dropped;
};

/* ASB_OK or ASB_ENOMEM.  fini accepts what a failed init left. */
int asbi_sim_chat_init(struct asbi_sim_chat *c, const struct asbi_mem *mem,
                       size_t max_bytes);
void asbi_sim_chat_fini(struct asbi_sim_chat *c);

/* ASB_OK, ASB_EINVAL with the refusal in `why`, or ASB_ENOMEM. */
int asbi_sim_chat_read(struct asbi_sim_chat *c, asbi_str body,
                       struct asbi_sim_problem *why);

/* Makes the content of the request read last, of at most `most_tokens`.
 * ASB_OK or ASB_ENOMEM. */
int asbi_sim_chat_answer(struct asbi_sim_chat *c,
                         const struct asbi_sim_fault *fault,
                         struct asbi_rng *rng, uint64_t most_tokens);

/* content.c: the packed answer and its faults, into c->content. */
void asbi_sim_content_packed(struct asbi_sim_chat *c,
                             const struct asbi_sim_fault *fault,
                             struct asbi_rng *rng);

#endif

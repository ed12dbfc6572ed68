/*
 * chat_body.h -- what a request body says of its own cost.
 */
#ifndef ASBI_BASE_CHAT_BODY_H
#define ASBI_BASE_CHAT_BODY_H

#include "engine/base/json.h"

struct asbi_chat_body {
    asbi_str model;      /* empty when it names none; lives as `json` does */
    uint64_t max_tokens; /* of answer, times n; 0: it does not say */
};

/* `body` is an object of the document read last. */
void asbi_chat_body_read(struct asbi_json *json,
                         const struct asbi_json_node *body,
                         struct asbi_chat_body *out);

#endif

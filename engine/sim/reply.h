/*
 * reply.h -- the body of a successful chat answer, whole or as a stream.
 */
#ifndef ASBI_SIM_REPLY_H
#define ASBI_SIM_REPLY_H

#include "engine/sim/chat.h"

/* What an answer says beside its content. */
struct asbi_sim_stamp {
    const char *id;   /* "chatcmpl-..." */
    uint64_t created; /* seconds since 1970 */
    struct asbi_sim_usage usage;
    struct asbi_sim_delay delay;
};

/* A chat.completion object; a failed buffer tells of an error. */
void asbi_sim_put_completion(const struct asbi_sim_chat *c,
                             const struct asbi_sim_stamp *stamp,
                             struct asbi_buf *out);

/* The answer to the request read last: body, pieces, Content-Type.  The pieces
 * of a stream are spread evenly from the first token to the end.  False when
 * out of memory. */
bool asbi_sim_reply_chat(const struct asbi_sim_chat *c,
                         const struct asbi_sim_stamp *stamp,
                         struct asbi_sim_call *call);

#endif

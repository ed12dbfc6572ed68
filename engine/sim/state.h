/*
 * state.h -- the inside of the provider: for provider.c and the files with its
 * endpoints, nobody else.
 */
#ifndef ASBI_SIM_STATE_H
#define ASBI_SIM_STATE_H

#include "engine/sim/chat.h"
#include "engine/sim/embed.h"
#include "engine/sim/prefix.h"
#include "engine/sim/provider.h"
#include "engine/sim/quota.h"
#include "engine/sim/stats.h"

struct asbi_sim_provider {
    const struct asbi_mem *mem;
    struct asbi_sim_options options;
    struct asbi_sim_chat chat;
    struct asbi_sim_embed embed;
    struct asbi_sim_prefixes prefixes;
    struct asbi_sim_quota requests, tokens;
    struct asbi_sim_stats stats;
    struct asbi_list waiting; /* calls, first come first served */
    size_t waiting_bytes;     /* of their bodies */
    uint64_t taken;           /* requests so far: numbers their draws */

    /* -- files, batches and videos: jobs.c */
    struct asbi_json *json; /* of requests that make them, of lines */
    struct asbi_list files, batches, videos; /* oldest first */
    size_t file_bytes;
    uint64_t batches_made;
};

/* One request on its way through the endpoints. */
struct asbi_sim_turn {
    struct asbi_sim_provider *p;
    const struct asbi_sim_request *request;
    struct asbi_sim_call *call;
    uint64_t now_ns;
    struct asbi_rng rng; /* of this request alone */
    struct asbi_sim_fault fault;
    struct asbi_sim_problem problem;
    struct asbi_sim_delay delay;
    asbi_str rest; /* of the path, behind a route that ends with a slash */
};

/* An endpoint's own part.  ASB_OK with the body in turn->call, ASB_EINVAL with
 * turn->problem, or ASB_ENOMEM. */
typedef int (*asbi_sim_endpoint)(struct asbi_sim_turn *turn);

struct asbi_sim_route {
    const char *method;
    const char *path; /* with a slash at its end: what follows is an id */
    asbi_sim_endpoint serve;
    bool paid; /* limits, faults and statistics apply */
};

/* NULL with the refusal in turn->problem. */
const struct asbi_sim_route *asbi_sim_route_find(struct asbi_sim_turn *turn);

/* jobs.c: what outlives a request.  fini accepts what a failed init left. */
int asbi_sim_jobs_init(struct asbi_sim_provider *p);
void asbi_sim_jobs_fini(struct asbi_sim_provider *p);

/* files.c, batches.c, videos.c: `rest` of the turn is "ID" or "ID/verb". */
int asbi_sim_post_file(struct asbi_sim_turn *turn);
int asbi_sim_list_files(struct asbi_sim_turn *turn);
int asbi_sim_get_file(struct asbi_sim_turn *turn);
int asbi_sim_delete_file(struct asbi_sim_turn *turn);
int asbi_sim_post_batch(struct asbi_sim_turn *turn);
int asbi_sim_list_batches(struct asbi_sim_turn *turn);
int asbi_sim_get_batch(struct asbi_sim_turn *turn);
int asbi_sim_cancel_batch(struct asbi_sim_turn *turn);
int asbi_sim_post_video(struct asbi_sim_turn *turn);
int asbi_sim_list_videos(struct asbi_sim_turn *turn);
int asbi_sim_get_video(struct asbi_sim_turn *turn);
int asbi_sim_delete_video(struct asbi_sim_turn *turn);

/* What follows applies to paid endpoints, once their request is read. */

/* Takes tokens off the limit.  ASB_EINVAL with a 429 in turn->problem. */
int asbi_sim_charge(struct asbi_sim_turn *turn, const char *model,
                    uint64_t tokens);

/* The most tokens that the chat request read last may be answered with. */
uint64_t asbi_sim_most_output(const struct asbi_sim_chat *c,
                              const struct asbi_sim_model *model);

/* A made-up name such as "chatcmpl-0123456789abcdef" from the turn's random
 * numbers; `out` has room for 40 bytes. */
void asbi_sim_make_id(struct asbi_sim_turn *turn, const char *prefix,
                      char out[40]);

#endif

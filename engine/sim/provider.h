/*
 * provider.h -- a provider as a pure model: a request goes in, and out comes
 * what will be answered and when.
 *
 * It reads no clock and no socket: time is an argument, randomness grows from
 * the seed, and a driver (server.c on real sockets, world.c in virtual time)
 * plays the answers back.  Same seed, same requests, same times: same answers.
 *
 * Limits are true token buckets; a refused or failed request counts against
 * them too, and a chat request is charged max(max_tokens, its prompt) at
 * admission, as OpenAI does.
 */
#ifndef ASBI_SIM_PROVIDER_H
#define ASBI_SIM_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/sim/call.h"
#include "engine/sim/options.h"

/* A body of a larger request is answered with 413; a file may have
 * ASBI_SIM_MAX_UPLOAD. */
#define ASBI_SIM_MAX_BODY ((size_t)10 << 20)
#define ASBI_SIM_MAX_UPLOAD ((size_t)64 << 20)

/* Views are borrowed for the call. */
struct asbi_sim_request {
    asbi_str method, path; /* a query after the path is allowed */
    asbi_str content_type; /* may be empty */
    asbi_str range;        /* header Range; may be empty */
    asbi_str once;         /* header Idempotency-Key; may be empty */
    bool has_key;          /* an Authorization header came along */
    asbi_str body;
    uint64_t wall_s; /* seconds since 1970, for time stamps in answers */
};

struct asbi_sim_provider;

/* Copies `options`.  ASB_OK or ASB_ENOMEM. */
int asbi_sim_provider_new(const struct asbi_mem *mem,
                          const struct asbi_sim_options *options,
                          struct asbi_sim_provider **out);

/* Frees what waits, too; calls that have started stay the driver's.  Accepts
 * NULL. */
void asbi_sim_provider_free(struct asbi_sim_provider *p);

/**
 * Takes a request.  A call that has started is the driver's, for finish() and
 * asbi_sim_call_free(); one that waits is named by a later finish().
 * @return ASB_OK and *out, or ASB_ENOMEM
 */
int asbi_sim_provider_take(struct asbi_sim_provider *p,
                           const struct asbi_sim_request *request,
                           uint64_t now_ns, struct asbi_sim_call **out);

/* Brings back a video from a line that options->keep was told, in their order.
 * `now_ns` and `wall_s` are the present.  What is no such line is left out.
 * ASB_OK or ASB_ENOMEM. */
int asbi_sim_provider_restore(struct asbi_sim_provider *p, asbi_str line,
                              uint64_t now_ns, uint64_t wall_s);

/* The last piece of a started call is due: its place is free.  Returns the call
 * that takes it and has started now, or NULL.  Once for each call; the answer
 * may be read on until it is freed. */
struct asbi_sim_call *asbi_sim_provider_finish(struct asbi_sim_provider *p,
                                               struct asbi_sim_call *call,
                                               uint64_t now_ns);

/* Frees a call that waits, unbilled.  One that has started is seen to its end:
 * a provider works on, and bills, when the client has hung up. */
void asbi_sim_provider_abandon(struct asbi_sim_provider *p,
                               struct asbi_sim_call *call);

const struct asbi_sim_stats *
asbi_sim_provider_stats(const struct asbi_sim_provider *p);

#endif

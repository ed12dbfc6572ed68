/*
 * stats.h -- what the simulated provider has done: the truth that a client's
 * own counts are held against.
 */
#ifndef ASBI_SIM_STATS_H
#define ASBI_SIM_STATS_H

#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/sim/options.h"

enum { ASBI_SIM_STATUS_LIMIT = 600 };

struct asbi_sim_stats {
    uint64_t calls; /* requests to paid endpoints, whatever came of them */
    uint64_t items; /* in calls answered with 200 and in lines of batches,
                       dropped or not */
    uint64_t batch_lines; /* of batch files, worked off */
    uint64_t dropped;     /* of these, left out of the answer by a fault */
    uint64_t disconnects; /* answers cut by a fault */
    uint64_t status[ASBI_SIM_STATUS_LIMIT]; /* of calls, once answered */
    uint64_t billed_input, billed_output;   /* tokens */
    uint64_t cached_input;                  /* of billed_input, at less */
    int64_t billed_nano_usd;
    uint64_t in_flight, max_in_flight; /* being served, not waiting */
    uint64_t waiting, max_waiting;
    uint64_t longest_ns; /* of the times a call was served for */
};

/* Tokens of one call, as its `usage` says. */
struct asbi_sim_usage {
    uint64_t input, cached, output; /* cached: of input */
};

/* Adds a call's tokens at the model's prices, of which `percent` is due. */
void asbi_sim_stats_bill(struct asbi_sim_stats *s,
                         const struct asbi_sim_usage *usage,
                         const struct asbi_sim_model *model, unsigned percent);

/* The answer to GET /stats. */
void asbi_sim_stats_put(const struct asbi_sim_stats *s, struct asbi_buf *out);

#endif

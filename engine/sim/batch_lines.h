/*
 * batch_lines.h -- the lines of a batch's input file: checked, and worked off
 * one by one.
 */
#ifndef ASBI_SIM_BATCH_LINES_H
#define ASBI_SIM_BATCH_LINES_H

#include "engine/sim/jobs.h"

/* What is wrong with an input file; code is NULL when nothing is. */
struct asbi_sim_batch_fault {
    const char *code, *message;
    uint64_t line; /* 1-based; 0: the whole file */
};

/**
 * Finds the lines of a file and checks that each is a request to `endpoint`
 * with a custom_id of its own.
 * @param lines  room for ASBI_SIM_MAX_BATCH_LINES
 * @return how many there are; `fault` says whether they will do
 */
size_t asbi_sim_batch_check(struct asbi_sim_provider *p, asbi_str file,
                            asbi_str endpoint, asbi_str *lines,
                            struct asbi_sim_batch_fault *fault);

/* Where one line's answer went, and what it cost. */
struct asbi_sim_batch_outcome {
    bool failed; /* to the error file */
    struct asbi_sim_usage usage;
};

/* Answers one checked line at half price: a line of JSON is added to `output`
 * or, for a failure, to `errors`.  ASB_OK or ASB_ENOMEM. */
int asbi_sim_batch_answer(struct asbi_sim_provider *p, struct asbi_rng *rng,
                          asbi_str line, uint64_t wall_s,
                          struct asbi_buf *output, struct asbi_buf *errors,
                          struct asbi_sim_batch_outcome *outcome);

/* The line of one that was never worked off; `why` is "cancelled" or
 * "expired". */
void asbi_sim_batch_skip(struct asbi_sim_provider *p, struct asbi_rng *rng,
                         asbi_str line, const char *why,
                         struct asbi_buf *errors);

/* Tokens of input in a checked line. */
uint64_t asbi_sim_batch_tokens(struct asbi_sim_provider *p, asbi_str line);

#endif

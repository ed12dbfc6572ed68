/*
 * faults.h -- what goes wrong with one call, drawn once when it arrives.
 */
#ifndef ASBI_SIM_FAULTS_H
#define ASBI_SIM_FAULTS_H

#include <stdbool.h>

#include "engine/base/rng.h"
#include "engine/sim/options.h"

/* The ways in which a packed answer is wrong though the call succeeds. */
enum asbi_sim_garbage {
    ASBI_SIM_SOUND,
    ASBI_SIM_PROSE,        /* words, no JSON */
    ASBI_SIM_PROSE_AROUND, /* right, between two sentences */
    ASBI_SIM_FENCED,       /* right, in a Markdown code fence */
    ASBI_SIM_BROKEN_JSON,  /* ends before its brackets do */
    ASBI_SIM_WRONG_IDS,    /* ids that nobody asked for */
    ASBI_SIM_REPEATED_IDS, /* two answers for one id, and they differ */
    ASBI_SIM_EXTRA_ITEMS,  /* all answers, and some more */
    ASBI_SIM_NO_TEXT,      /* outputs that are no strings */
    ASBI_SIM_GARBAGE_KINDS,
};

struct asbi_sim_fault {
    int error_status; /* 500, 502 or 503; 0: none */
    bool disconnect;
    bool silent;  /* a disconnect before the first byte */
    double where; /* in [0, 1): at which part of it the answer is cut */
    bool truncate;
    enum asbi_sim_garbage garbage;
    double drop_item_rate; /* to be drawn for each item */
};

/* At most one of error, garbage and truncation; a disconnect may join the last
 * two.  The number of draws does not depend on the outcome. */
struct asbi_sim_fault asbi_sim_fault_draw(const struct asbi_sim_options *o,
                                          struct asbi_rng *rng);

/* True with this probability. */
bool asbi_sim_chance(struct asbi_rng *rng, double rate);

#endif

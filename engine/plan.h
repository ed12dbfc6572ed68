/*
 * plan.h -- a plan's own state, seen by plan.c (the virtual run),
 * plan_ways.c (what other ways would cost) and plan_report.c (words).
 */
#ifndef ASBI_PLAN_H
#define ASBI_PLAN_H

#include <asyncbatch/asyncbatch.h>

#include "engine/engine.h"
#include "engine/learned.h"
#include "engine/seen.h"
#include "engine/sim/options.h"
#include "scheduler/benefit.h"

/* Kinds told apart; further ones are counted as one. */
enum { ASBI_PLAN_KINDS = 64 };

/* What the time of the run was spent on: a closed gate, or none. */
enum { ASBI_PLAN_LATENCY = ASBI_GATE_BUDGET + 1, ASBI_PLAN_PACES };

/* One class of one tenant, sharing calls or not. */
struct asbi_plan_kind {
    asbi_str key;    /* owned: class, form, tenant */
    asbi_str tenant; /* within `key` */
    enum asb_class priority;
    bool packed;
    uint64_t items, ok, failed;
    struct asb_usage usage;
    int64_t cost;

    /* -- of its calls */
    uint64_t calls, items_most;
    uint64_t native_calls;     /* of these, in batches at the provider */
    int64_t worst, call_worst; /* of all; the largest of one */
    uint64_t first_ns, last_ns;

    double raw_alone; /* estimated input if each item went alone */
};

struct asb_plan {
    struct asbi_mem mem;
    struct asbi_log log;
    struct asb_options *options;   /* a changed copy */
    struct asbi_recalled recalled; /* of earlier runs */
    struct asbi_sim_options sim;
    struct asbi_media_shape shape; /* of media jobs, as they are simulated */
    struct asb_engine *engine;
    struct asbi_world *world; /* the engine's */
    struct asbi_reader *reader;
    struct asbi_seen *seen;
    struct asbi_map kinds_by_key;
    struct asbi_plan_kind *kinds[ASBI_PLAN_KINDS];
    size_t kind_count;

    uint64_t rows, rows_bad, rows_answered;
    uint64_t bound[ASBI_SCALES];        /* calls, by what kept them small */
    uint64_t paced_ns[ASBI_PLAN_PACES]; /* time, by what held it up */
    uint64_t started_ns, ended_ns;
    bool failed_fast;
    int rc; /* trouble within a callback of the reader */

    struct asbi_buf scratch, table, json;
};

/* The ways to ask for a kind's items: as simulated, one by one (reckoned), and
 * in a batch at the provider (reckoned, unless that is what was simulated). */
struct asbi_plan_ways {
    struct asbi_way packed, single, native;
    bool native_offered;
    struct asbi_benefit benefit; /* of packed over single */
};

/* plan_ways.c */
void asbi_plan_ways(const struct asb_plan *p, const struct asbi_plan_kind *k,
                    struct asbi_plan_ways *out);

/* plan_report.c: fills in both texts.  ASB_OK or ASB_ENOMEM. */
int asbi_plan_report(struct asb_plan *p);

#endif

/*
 * plan.h -- a plan's own state.
 *
 * plan_provider.c says what is thought of the provider, plan_input.c reads the
 * rows, plan_run.c takes them through virtual time, plan_ways.c reckons what
 * other ways would cost, plan_report.c puts it into words.
 *
 * How long a job takes is partly luck: one answer that breaks off late, one
 * item that fails three times.  So the rows go through several virtual runs
 * side by side, each with luck of its own; the one of middling length is the
 * forecast, its time the mean of those about it, and the others tell how far it
 * may be off.
 */
#ifndef ASBI_PLAN_H
#define ASBI_PLAN_H

#include <asyncbatch/asyncbatch.h>

#include "adapters/task.h"
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

/* Where no lane is. */
#define ASBI_PLAN_NOWHERE "http://plan.invalid/v1"

enum {
    /* A further run lies between the shortest and the longest of nine four
     * times in five. */
    ASBI_PLAN_RUNS = 9,
    /* In rows beyond these luck evens out, and time is better spent. */
    ASBI_PLAN_ROWS_FOR_ALL = 20000,
};

/* One way through virtual time. */
struct asbi_plan_run {
    struct asb_plan *plan;
    struct asbi_media_shape shape; /* of media jobs, as they are simulated */
    struct asb_engine *engine;
    struct asbi_world *world; /* the engine's */
    struct asbi_map kinds_by_key;
    struct asbi_plan_kind *kinds[ASBI_PLAN_KINDS];
    size_t kind_count;
    uint64_t bound[ASBI_SCALES];        /* calls, by what kept them small */
    uint64_t paced_ns[ASBI_PLAN_PACES]; /* time, by what held it up */
    uint64_t started_ns, ended_ns;
    bool failed_fast;
};

struct asb_plan {
    struct asbi_mem mem;
    struct asbi_log log;
    struct asb_options *options;   /* a changed copy */
    struct asbi_route first;       /* the lane that is simulated */
    struct asbi_recalled recalled; /* of its earlier runs */
    struct asbi_sim_options sim;   /* the provider, as it is thought to be */
    struct asbi_counter counter;   /* of tokens; holds a reference */
    double token_factor;
    struct asbi_reader *reader;
    struct asbi_seen *seen;
    uint64_t wall_ms; /* when it was made */
    uint64_t rows, rows_bad, rows_answered;
    int rc; /* trouble within a callback of the reader */

    struct asbi_plan_run *runs[ASBI_PLAN_RUNS];
    size_t run_count;
    struct asbi_plan_run *usual; /* the forecast; one of them */
    double seconds, seconds_low, seconds_high;

    struct asbi_buf scratch, table, json;
};

/* The ways to ask for a kind's items: as simulated, one by one (reckoned), and
 * in a batch at the provider (reckoned, unless that is what was simulated). */
struct asbi_plan_ways {
    struct asbi_way packed, single, native;
    bool native_offered;
    struct asbi_benefit benefit; /* of packed over single */
};

/* plan_provider.c: sim, vocabulary and token_factor.  ASB_OK or ASB_ECONFIG. */
int asbi_plan_provider(struct asb_plan *p, struct asb_message *why);

/* plan_run.c */
int asbi_plan_run_new(struct asb_plan *p, uint64_t seed,
                      const struct asbi_task_material *material,
                      struct asbi_plan_run **out, struct asb_message *why);
void asbi_plan_run_free(struct asbi_plan_run *run);
/* ASB_OK, also when the row is refused: then *refused is true. */
int asbi_plan_run_submit(struct asbi_plan_run *run,
                         const struct asb_request *request, bool *refused);
/* An item failed, and options say that this is the end. */
void asbi_plan_run_failed(struct asbi_plan_run *run);
/* Goes on until there is room for another item, or until all is answered. */
int asbi_plan_run_make_room(struct asbi_plan_run *run);
int asbi_plan_run_down(struct asbi_plan_run *run);
double asbi_plan_run_seconds(const struct asbi_plan_run *run);

/* plan_input.c: all rows into all runs. */
int asbi_plan_read(struct asb_plan *p, struct asb_message *why);

/* plan_ways.c */
void asbi_plan_ways(const struct asb_plan *p, const struct asbi_plan_kind *k,
                    struct asbi_plan_ways *out);

/* plan_report.c: fills in both texts.  ASB_OK or ASB_ENOMEM. */
int asbi_plan_report(struct asb_plan *p);

#endif

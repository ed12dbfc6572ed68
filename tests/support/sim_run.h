/*
 * sim_run.h -- a whole run of the engine in the simulated world: items in,
 * answers counted, nothing left at the end.
 */
#ifndef ASBI_TESTS_SIM_RUN_H
#define ASBI_TESTS_SIM_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "engine/sim/options.h"
#include "engine/sim/stats.h"
#include "tests/support/fault_mem.h"

/* What one item got. */
struct sim_answer {
    unsigned callbacks;
    bool ok, retryable;
    char code[48];
    unsigned attempts;
    int64_t cost, saved;
    enum asb_source source;
    char route[48]; /* "" where there is one */
    size_t order;   /* when it came: 0 first */
    uint64_t at_ns; /* virtual time */
    size_t output_len;
    uint64_t output_hash;
};

struct sim_run {
    /* -- set before sim_run_start() */
    uint64_t seed;
    size_t items;
    struct asbi_sim_options provider;
    const char *options[16][2]; /* name, value; NULL ends */
    /* The text of item `i`; NULL: numbered sentences. */
    const char *(*text)(size_t i, char *room, size_t size);
    /* The fields of item `i`, a JSON object; NULL: none. */
    const char *(*fields)(size_t i, char *room, size_t size);
    const char *instructions;     /* for task prompt; NULL: none */
    const char *labels;           /* of task classify */
    struct asbi_store *store;     /* of answers; the run takes it over */
    struct asbi_artefacts *place; /* of artefacts; the run takes it over */
    /* Once its world is there, before the engine begins: gives it what else it
     * wants.  ASB_OK or ASB_ENOMEM; may be NULL. */
    int (*equip)(struct sim_run *r);
    enum asb_class (*priority)(size_t i); /* NULL: all normal */
    const char *(*tenant)(size_t i);      /* NULL: none */
    uint64_t deadline_ms;                 /* of each item; 0: none */
    void (*log)(enum asb_log_level level, const char *line, void *arg);
    void *log_arg;
    size_t fail_at; /* the n-th allocation fails; 0: none does */
    /* After each event; false ends the play there. */
    bool (*on_step)(struct sim_run *r, void *arg);
    void *on_step_arg;

    /* -- what happened */
    int rc; /* of the start */
    struct fault_mem mem;
    struct asb_engine *engine;
    struct asbi_world *world;
    struct sim_answer *answers;
    void *told; /* of each item, for its callback */
    size_t submitted, answered;
    struct asb_stats stats;
    struct asbi_sim_stats served;
    uint64_t trace;
    uint64_t virtual_ns;
    bool finished; /* false: the step limit was reached */
};

/* The defaults: 200 items, a quick provider without faults. */
void sim_run_init(struct sim_run *r, uint64_t seed);

/* Instead of what the option was set to before.  The texts are not copied. */
void sim_run_set(struct sim_run *r, const char *name, const char *value);

/* Makes world and engine; r->rc tells. */
void sim_run_start(struct sim_run *r);

/* Submits the next item; false when it was not taken. */
bool sim_run_submit(struct sim_run *r);

/* Submits while there is room and steps until all is answered. */
void sim_run_play(struct sim_run *r);

/* Frees everything and checks that nothing is left. */
void sim_run_end(struct sim_run *r);

/* Starts and plays, and checks that every item was called back for once. */
void sim_run_all(struct sim_run *r);

/*
 * Plays what `prepare` sets up with the first allocation failing, with the
 * second, and so on, the later the fewer of them: the steps grow by one with
 * each `dense` allocations (SIZE_MAX: none is left out).  Each run must end as
 * any other does, or not begin for want of memory.
 */
void sim_run_starve(void (*prepare)(struct sim_run *r), size_t dense);

/* How many items were answered, and how many of them from that source. */
size_t sim_run_ok(const struct sim_run *r);
size_t sim_run_from(const struct sim_run *r, enum asb_source source);
/* What all items cost, by what each was told. */
int64_t sim_run_cost(const struct sim_run *r);

#endif

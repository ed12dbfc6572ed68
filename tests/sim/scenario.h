/*
 * scenario.h -- all that a seed decides: what the host asks for and when, what
 * the provider is like, and what goes wrong.
 *
 * Plain data.  Nothing here depends on how a run goes, so that an item is the
 * same item in whatever order things happen.
 */
#ifndef ASBI_TESTS_SCENARIO_H
#define ASBI_TESTS_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <asyncbatch/asyncbatch.h>

#include "engine/sim/options.h"

enum {
    SCENARIO_OPTIONS = 24,
    SCENARIO_ITEMS = 400, /* most */
    SCENARIO_TEXT = 1200, /* bytes of an item at most */
};

/* How a job's rows are asked for. */
enum scenario_way {
    SCENARIO_CALLS,
    SCENARIO_VIDEOS,  /* each is a job at the provider */
    SCENARIO_BATCHES, /* in bulk, worked off in their own time */
};

struct scenario_option {
    const char *name;
    char value[40];
};

struct scenario {
    uint64_t seed;
    size_t items;
    size_t texts;   /* different ones: items ask for one of them */
    size_t tenants; /* at least 1, the nameless */
    bool classes, deadlines, lengths, bodies;
    struct scenario_option options[SCENARIO_OPTIONS];
    size_t option_count;
    struct asbi_sim_options provider;

    /* -- what the engine was told, for the judges; 0 for nothing */
    uint64_t workers, rpm, max_attempts;
    int64_t budget;
    bool paced; /* it knows the provider's limit on calls */

    /* -- what goes wrong, as chances at each step */
    double cancel, flush, jump, pause;
    double no_memory;     /* of each allocation */
    size_t no_memory_at;  /* the n-th, from the start on; 0: none */
    bool no_memory_after; /* and every one after it */
    size_t stop_after;    /* answers; 0: never */

    /* -- of a job: rows in, rows out, a journal, and lives that end */
    bool job, by_completion, in_doubt_fails, again;
    enum scenario_way way;
    unsigned lives;    /* that may end by accident, before the last one */
    double die;        /* between two events */
    double die_inside; /* a commit */
    double disk_fails; /* of each commit */
    double interrupt, write_fails;
    double locked; /* of each life but the last: its key is refused */
};

void scenario_draw(struct scenario *s, uint64_t seed);

/* One item.  What it points to lies in `room` and in static storage. */
struct scenario_item {
    struct asb_request request;
    size_t text; /* which of the texts */
    size_t tenant;
    char id[24];
    char room[SCENARIO_TEXT];
};

void scenario_item(const struct scenario *s, size_t i,
                   struct scenario_item *out);

/* What every play sets, then the scenario's own options.  Why not is printed.
 */
int scenario_set_options(const struct scenario *s, struct asb_options *to);

/* One line for people: what this seed is about. */
void scenario_tell(const struct scenario *s, char *out, size_t size);

#endif

#include "scheduler/likeness.h"

#include <math.h>

static const double engine_weight = 0.3, resolution_weight = 0.25,
                    type_weight = 0.25, extent_weight = 0.1, style_weight = 0.1;

/* Sums of the weights are off by some units in the last place. */
static const double rounding = 1e-9;

void asbi_likeness_init(struct asbi_likeness *l)
{
    *l = (struct asbi_likeness){ .extent = 0 };
    for (unsigned i = 0; i < ASBI_LIKENESS_MARKS; i++)
        l->marks[i] = UINT32_MAX;
}

/* One hash, eight views of it: odd multipliers, high halves. */
static void mark(uint32_t marks[ASBI_LIKENESS_MARKS], uint64_t hash)
{
    static const uint64_t views[ASBI_LIKENESS_MARKS] = {
        UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xc2b2ae3d27d4eb4f),
        UINT64_C(0x165667b19e3779f9), UINT64_C(0xd6e8feb86659fd93),
        UINT64_C(0xff51afd7ed558ccd), UINT64_C(0xc4ceb9fe1a85ec53),
        UINT64_C(0x2545f4914f6cdd1d), UINT64_C(0x27d4eb2f165667c5),
    };

    for (unsigned i = 0; i < ASBI_LIKENESS_MARKS; i++) {
        uint32_t seen = (uint32_t)(hash * views[i] >> 32);

        marks[i] = seen < marks[i] ? seen : marks[i];
    }
}

void asbi_likeness_mark(struct asbi_likeness *l, uint64_t hash)
{
    mark(l->marks, hash);
}

/* Of a long text the beginning says enough. */
enum { MOST_RUNS = 512, RUN = 4 };

void asbi_likeness_of_text(struct asbi_likeness *l, asbi_str text)
{
    size_t characters = 0;

    asbi_likeness_init(l);
    for (size_t i = 0; i < text.len; i++)
        characters += ((unsigned char)text.at[i] & 0xc0) != 0x80;
    l->extent = (float)characters;
    for (size_t i = 0; i + RUN <= text.len && i < MOST_RUNS; i++) {
        uint32_t run;

        memcpy(&run, text.at + i, sizeof(run));
        mark(l->marks, run * UINT64_C(0x9e3779b97f4a7c15));
    }
}

bool asbi_likeness_compatible(const struct asbi_likeness *a,
                              const struct asbi_likeness *b)
{
    return a->engine == b->engine && a->resolution == b->resolution &&
           a->type == b->type;
}

/* 1 within what is allowed, falling with every further step of that size. */
static double extent_likeness(const struct asbi_grouping *g,
                              const struct asbi_likeness *a,
                              const struct asbi_likeness *b)
{
    double off = fabs((double)a->extent - (double)b->extent);
    double larger =
        a->extent > b->extent ? (double)a->extent : (double)b->extent;
    double allowed = fmax(g->slack, g->share * larger);

    return off <= allowed ? 1 : allowed / off;
}

static double style_likeness(const struct asbi_likeness *a,
                             const struct asbi_likeness *b)
{
    unsigned same = 0;

    for (unsigned i = 0; i < ASBI_LIKENESS_MARKS; i++)
        same += a->marks[i] == b->marks[i];
    return (double)same / ASBI_LIKENESS_MARKS;
}

double asbi_likeness_score(const struct asbi_grouping *g,
                           const struct asbi_likeness *a,
                           const struct asbi_likeness *b)
{
    return engine_weight * (a->engine == b->engine) +
           resolution_weight * (a->resolution == b->resolution) +
           type_weight * (a->type == b->type) +
           extent_weight * extent_likeness(g, a, b) +
           style_weight * style_likeness(a, b);
}

bool asbi_likeness_alike(const struct asbi_grouping *g,
                         const struct asbi_likeness *a,
                         const struct asbi_likeness *b)
{
    return asbi_likeness_compatible(a, b) && extent_likeness(g, a, b) >= 1 &&
           asbi_likeness_score(g, a, b) + rounding >= g->threshold;
}

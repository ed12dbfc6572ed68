/*
 * benefit.h -- is it worth putting items into shared calls?  The cost, time and
 * risk of each way to ask, and what follows from them.
 *
 * Refuses to invent discounts: every amount comes from prices and token counts
 * that the caller has.
 */
#ifndef ASBI_SCHEDULER_BENEFIT_H
#define ASBI_SCHEDULER_BENEFIT_H

#include <stdbool.h>
#include <stdint.h>

/* One way to ask for all items of a group. */
struct asbi_way {
    uint64_t calls;
    uint64_t items_most; /* in one call */
    int64_t cost;        /* nano-dollars, expected */
    int64_t call_worst;  /* nano-dollars that one failed call may waste */
    double seconds;
};

/* What the gates allow, for a way that is not simulated. */
struct asbi_pace {
    double calls_per_second, tokens_per_second; /* 0: no limit */
    double in_flight_start, in_flight_most;     /* at least 1 */
    double call_seconds;                        /* one call of this way */
};

/* Seconds that so many calls take: as long as the rates demand, and as slow
 * start and the most calls in flight allow, whichever is longer. */
double asbi_pace_seconds(const struct asbi_pace *pace, uint64_t calls,
                         double tokens);

/* "process_as_batch", "consider_batch", "process_individually". */
enum asbi_advice {
    ASBI_PROCESS_AS_BATCH,     /* ratio over 1.5 and something is saved */
    ASBI_CONSIDER_BATCH,       /* ratio over 1.0 */
    ASBI_PROCESS_INDIVIDUALLY, /* else */
    ASBI_ADVICES
};

enum asbi_risk {
    ASBI_RISK_LOW,    /* at most ten items share a call */
    ASBI_RISK_MEDIUM, /* more do */
    ASBI_RISKS
};

struct asbi_benefit {
    double ratio;    /* single over packed: dollars, or else seconds */
    bool by_time;    /* the cost is within 2 % of the same */
    int64_t savings; /* nano-dollars; negative: packed is dearer */
    int64_t blast;   /* nano-dollars that one failed call may waste */
    enum asbi_advice advice;
    enum asbi_risk risk;
};

/* Weighs sharing calls against one call for each item. */
void asbi_benefit_weigh(const struct asbi_way *packed,
                        const struct asbi_way *single,
                        struct asbi_benefit *out);

/* Words as users read them; static. */
const char *asbi_advice_name(enum asbi_advice advice);
const char *asbi_risk_name(enum asbi_risk risk);

#endif

#include "scheduler/benefit.h"

#include <math.h>

enum { LOW_RISK_ITEMS = 10, LEAST_WINDOW = 20 };

static const double clear_benefit = 1.5, some_benefit = 1.0;
static const double no_matter = 0.02; /* of the cost */

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Calls in flight double with each window of answers, as the limiter's do. */
static double flight_seconds(const struct asbi_pace *pace, double calls)
{
    double limit = larger(pace->in_flight_start, 1), seconds = 0;
    double most = larger(pace->in_flight_most, 1);

    while (limit < most && calls > 0) {
        double window = larger(limit, LEAST_WINDOW);

        window = window < calls ? window : calls;
        seconds += larger(window / limit, 1) * pace->call_seconds;
        calls -= window;
        limit *= 2;
    }
    if (calls > 0)
        seconds += larger(calls / most, 1) * pace->call_seconds;
    return seconds;
}

double asbi_pace_seconds(const struct asbi_pace *pace, uint64_t calls,
                         double tokens)
{
    double seconds = calls ? flight_seconds(pace, (double)calls) : 0;

    if (pace->calls_per_second > 0)
        seconds = larger(seconds, (double)calls / pace->calls_per_second);
    if (pace->tokens_per_second > 0)
        seconds = larger(seconds, tokens / pace->tokens_per_second);
    return seconds;
}

static double ratio_of(const struct asbi_way *packed,
                       const struct asbi_way *single, bool by_time)
{
    double ours = by_time ? packed->seconds : (double)packed->cost;
    double theirs = by_time ? single->seconds : (double)single->cost;

    return ours > 0 ? theirs / ours : 1;
}

/* As texts do that go in a list: it has no prompt for them to share. */
static bool cost_the_same(const struct asbi_way *packed,
                          const struct asbi_way *single)
{
    double more = (double)single->cost - (double)packed->cost;

    return fabs(more) <= no_matter * larger((double)packed->cost, 0);
}

void asbi_benefit_weigh(const struct asbi_way *packed,
                        const struct asbi_way *single, struct asbi_benefit *out)
{
    bool by_time = cost_the_same(packed, single);
    bool saves = by_time ? packed->seconds < single->seconds
                         : packed->cost < single->cost;

    *out = (struct asbi_benefit){
        .ratio = ratio_of(packed, single, by_time),
        .by_time = by_time,
        .savings = single->cost - packed->cost,
        .blast = packed->call_worst,
        .advice = ASBI_PROCESS_INDIVIDUALLY,
        .risk = packed->items_most > LOW_RISK_ITEMS ? ASBI_RISK_MEDIUM
                                                    : ASBI_RISK_LOW,
    };
    if (out->ratio > clear_benefit && saves)
        out->advice = ASBI_PROCESS_AS_BATCH;
    else if (out->ratio > some_benefit)
        out->advice = ASBI_CONSIDER_BATCH;
}

const char *asbi_advice_name(enum asbi_advice advice)
{
    static const char *const names[ASBI_ADVICES] = {
        [ASBI_PROCESS_AS_BATCH] = "process_as_batch",
        [ASBI_CONSIDER_BATCH] = "consider_batch",
        [ASBI_PROCESS_INDIVIDUALLY] = "process_individually",
    };

    return names[advice];
}

const char *asbi_risk_name(enum asbi_risk risk)
{
    static const char *const names[ASBI_RISKS] = {
        [ASBI_RISK_LOW] = "low",
        [ASBI_RISK_MEDIUM] = "medium",
    };

    return names[risk];
}

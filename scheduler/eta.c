#include "scheduler/eta.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/units.h"

static const uint64_t spacing = ASBI_SECOND / 2;
static const uint64_t window_min = 15 * ASBI_SECOND;
static const uint64_t window_max = 300 * ASBI_SECOND;

void asbi_eta_init(struct asbi_eta *e, uint64_t now_ns)
{
    e->count = 1;
    e->at = 0;
    e->samples[0].at_ns = e->started_ns = now_ns;
    e->samples[0].work = 0;
}

/* Place in the ring of the sample `back` before the newest. */
static unsigned place(const struct asbi_eta *e, unsigned back)
{
    return (e->at + ASBI_ETA_SAMPLES - back) % ASBI_ETA_SAMPLES;
}

void asbi_eta_note(struct asbi_eta *e, double work, uint64_t now_ns)
{
    uint64_t newest = e->samples[e->at].at_ns;
    double before = e->samples[e->at].work;

    if (!isfinite(work) || now_ns < newest)
        return;
    /* The newest moves along until it is far enough from the one before. */
    if (e->count < 2 || newest - e->samples[place(e, 1)].at_ns >= spacing) {
        e->at = (e->at + 1) % ASBI_ETA_SAMPLES;
        e->count += e->count < ASBI_ETA_SAMPLES;
    }
    e->samples[e->at].at_ns = now_ns;
    e->samples[e->at].work = fmax(work, before);
}

static uint64_t window_start(const struct asbi_eta *e, uint64_t now_ns)
{
    uint64_t elapsed = now_ns - e->started_ns, window = elapsed / 4;

    if (window < window_min)
        window = window_min;
    if (window > window_max)
        window = window_max;
    return window < elapsed ? now_ns - window : e->started_ns;
}

/* Work done at a time of the past, by the line between two samples. */
static double work_at(const struct asbi_eta *e, uint64_t *at_ns)
{
    unsigned low = 0, high = e->count - 1; /* samples back from the newest */

    if (e->samples[place(e, high)].at_ns >= *at_ns) {
        *at_ns = e->samples[place(e, high)].at_ns;
        return e->samples[place(e, high)].work;
    }
    if (e->samples[e->at].at_ns <= *at_ns)
        return e->samples[e->at].work;
    while (high - low > 1) {
        unsigned middle = (low + high) / 2;

        if (e->samples[place(e, middle)].at_ns > *at_ns)
            low = middle;
        else
            high = middle;
    }
    uint64_t a = e->samples[place(e, high)].at_ns;
    uint64_t b = e->samples[place(e, low)].at_ns;
    double from = e->samples[place(e, high)].work;
    double to = e->samples[place(e, low)].work;
    return from + (to - from) * (double)(*at_ns - a) / (double)(b - a);
}

double asbi_eta_rate(const struct asbi_eta *e, uint64_t now_ns)
{
    if (now_ns <= e->started_ns)
        return 0;
    uint64_t start = window_start(e, now_ns);
    double before = work_at(e, &start);

    if (now_ns <= start)
        return 0;
    return (e->samples[e->at].work - before) / ((double)(now_ns - start) / 1e9);
}

double asbi_eta_left(const struct asbi_eta *e, double remaining,
                     double floor_seconds, uint64_t now_ns)
{
    double rate = asbi_eta_rate(e, now_ns);

    if (remaining <= 0)
        return 0;
    if (rate <= 0 && now_ns > e->started_ns)
        rate =
            e->samples[e->at].work / ((double)(now_ns - e->started_ns) / 1e9);
    double seconds = remaining / rate;
    if (!(rate > 0) || !isfinite(seconds))
        return -1;
    return seconds > floor_seconds ? seconds : floor_seconds;
}

enum { PARTS = 10, LAST_PARTS = 3 };

/* Below that share of the fast parts the slow ones are taken to stand still. */
static const double still = 0.1;

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Work a second in each part of the window, least first. */
static void rates_of_parts(const struct asbi_eta *e, uint64_t now_ns,
                           double rates[PARTS])
{
    uint64_t start = window_start(e, now_ns), at = start;
    double before = work_at(e, &at);
    double seconds = (double)(now_ns - start) / 1e9 / PARTS;

    for (uint64_t i = 0; i < PARTS; i++) {
        at = start + (now_ns - start) / PARTS * (i + 1);
        double after = work_at(e, &at);

        rates[i] = (after - before) / seconds;
        before = after;
    }
}

/* Of the last parts over all: above 1 while the number of calls still grows. */
static double growth(const double rates[PARTS])
{
    double all = 0, last = 0;

    for (int i = 0; i < PARTS; i++)
        all += rates[i] / PARTS;
    for (int i = PARTS - LAST_PARTS; i < PARTS; i++)
        last += rates[i] / LAST_PARTS;
    return all > 0 ? last / all : 1;
}

struct asbi_eta_range asbi_eta_range(const struct asbi_eta *e, double remaining,
                                     double floor_seconds, double call_seconds,
                                     double left, uint64_t now_ns)
{
    struct asbi_eta_range r = { .low = left, .high = -1 };
    double rates[PARTS];

    if (left < 0 || now_ns < e->started_ns + PARTS)
        return r;
    if (remaining <= 0) {
        r.high = left;
        return r;
    }
    rates_of_parts(e, now_ns, rates);
    double more = fmax(growth(rates), 1);
    qsort(rates, PARTS, sizeof(rates[0]), ascending);
    double fast = rates[PARTS - 2], slow = rates[1];
    if (fast > 0)
        r.low = fmin(left, fmax(remaining / (more * fast), floor_seconds));
    if (slow > still * fast)
        r.high = fmax(left, remaining / slow) + call_seconds / 2;
    return r;
}

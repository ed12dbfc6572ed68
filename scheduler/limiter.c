#include "scheduler/limiter.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/units.h"

static const double start = 8;
static const double cut = 0.75;         /* on a 429 */
static const double guard_cut = 0.9;    /* on latency */
static const double slower = 1.6;       /* median to base: cut */
static const double slow = 1.3;         /* median to base: do not grow */
static const double busy = 0.8;         /* of the limit, to deserve more */
static const double growth = 0.05;      /* of the limit, a window */
static const double over_ceiling = 1.1; /* no more for a while after a cut */
static const uint64_t ceiling_ns = 60 * ASBI_SECOND;
static const uint64_t cooldown_min_ns = 2 * ASBI_SECOND;
enum { WINDOW_MIN = 20 };

void asbi_limiter_init(struct asbi_limiter *l, unsigned workers, unsigned max)
{
    double top = max > 0 ? max : 1;

    if (workers > 0)
        top = workers;
    *l = (struct asbi_limiter){ .max = top,
                                .limit = workers > 0 ? top : fmin(start, top),
                                .fixed = workers > 0,
                                .slow_start = workers == 0 };
}

unsigned asbi_limiter_limit(const struct asbi_limiter *l)
{
    return l->limit > 1 ? (unsigned)l->limit : 1;
}

bool asbi_limiter_has_room(const struct asbi_limiter *l)
{
    return l->in_flight < asbi_limiter_limit(l);
}

bool asbi_limiter_cooling(const struct asbi_limiter *l, uint64_t now_ns)
{
    return now_ns < l->cooldown_until_ns;
}

void asbi_limiter_started(struct asbi_limiter *l)
{
    l->in_flight++;
    if (l->in_flight > l->in_flight_peak)
        l->in_flight_peak = l->in_flight;
}

/* ---- windows ------------------------------------------------------------ */

static void new_window(struct asbi_limiter *l)
{
    l->sample_count = l->completions = 0;
    l->in_flight_peak = l->in_flight;
    l->troubled = false;
}

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* 0 for no samples. */
static double median(struct asbi_limiter *l)
{
    if (l->sample_count == 0)
        return 0;
    qsort(l->samples, l->sample_count, sizeof(l->samples[0]), ascending);
    return (double)l->samples[l->sample_count / 2];
}

static void remember(struct asbi_limiter *l, double m)
{
    l->bases[l->base_at] = (float)m;
    l->base_at = (l->base_at + 1) % ASBI_LIMITER_BASES;
    l->base_count += l->base_count < ASBI_LIMITER_BASES;
}

static double least_base(const struct asbi_limiter *l)
{
    float least = l->bases[0];

    for (unsigned i = 1; i < l->base_count; i++)
        least = l->bases[i] < least ? l->bases[i] : least;
    return (double)least;
}

static void grow(struct asbi_limiter *l, uint64_t now_ns)
{
    double more = fmax(1, round(growth * l->limit));
    double top = l->max;

    if (now_ns < l->ceiling_until_ns)
        top = fmin(top, fmax(l->ceiling * over_ceiling, l->limit));
    l->limit = fmin(top, l->slow_start ? 2 * l->limit : l->limit + more);
}

/* How much slower than at its best the lane is; 1 when that is not known. */
static double slowness(struct asbi_limiter *l)
{
    double m = median(l);

    if (m <= 0)
        return 1;
    remember(l, m);
    return m / least_base(l);
}

static void end_window(struct asbi_limiter *l, uint64_t now_ns)
{
    double s = slowness(l);

    if (s > slow && !l->fixed) {
        l->slow_start = false;
        if (s > slower)
            l->limit = fmax(1, guard_cut * l->limit);
    } else if (!l->troubled && l->in_flight_peak >= busy * floor(l->limit)) {
        grow(l, now_ns);
    }
    new_window(l);
}

static void throttled(struct asbi_limiter *l, uint64_t cooldown_ns,
                      uint64_t now_ns)
{
    uint64_t wait =
        cooldown_ns > cooldown_min_ns ? cooldown_ns : cooldown_min_ns;
    bool known = asbi_limiter_cooling(l, now_ns);
    uint64_t until = asbi_add_ns(now_ns, wait);

    /* Of a burst of 429s the first is news; the others only say how long. */
    if (cooldown_ns > 0 || !known) {
        if (until > l->cooldown_until_ns)
            l->cooldown_until_ns = until;
    }
    if (known)
        return;
    l->slow_start = false;
    l->ceiling = l->limit;
    l->ceiling_until_ns = asbi_add_ns(now_ns, ceiling_ns);
    l->limit = fmax(1, cut * l->limit);
    new_window(l);
}

static void answered(struct asbi_limiter *l, double latency_ratio,
                     uint64_t now_ns)
{
    if (asbi_limiter_cooling(l, now_ns))
        return;
    l->completions++;
    if (l->sample_count < ASBI_LIMITER_WINDOW_MAX && latency_ratio > 0 &&
        latency_ratio < 1e9)
        l->samples[l->sample_count++] = (float)latency_ratio;
    if (l->completions >= fmax(WINDOW_MIN, floor(l->limit)))
        end_window(l, now_ns);
}

void asbi_limiter_ended(struct asbi_limiter *l,
                        enum asbi_limiter_outcome outcome, double latency_ratio,
                        uint64_t cooldown_ns, uint64_t now_ns)
{
    if (l->in_flight > 0)
        l->in_flight--;
    if (outcome == ASBI_LIMITER_OK)
        answered(l, latency_ratio, now_ns);
    else if (outcome == ASBI_LIMITER_THROTTLED)
        throttled(l, cooldown_ns, now_ns);
    else if (outcome == ASBI_LIMITER_TROUBLE)
        l->troubled = true;
}

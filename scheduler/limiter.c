#include "scheduler/limiter.h"

#include <math.h>

#include "engine/base/units.h"

static const double start = 16;
static const double cut = 0.75;          /* on a 429 */
static const double guard_cut = 0.9;     /* on latency */
static const double slower = 1.6;        /* median to base: cut */
static const double slow = 1.3;          /* median to base: do not grow */
static const double drifted = 1.4;       /* base to best: probe */
static const double made_faster = 0.85;  /* median in the probe to before */
static const double busy = 0.8;          /* of the limit, to deserve more */
static const double growth = 0.05;       /* of the limit, a window */
static const double usual_trouble = 0.1; /* of a window: keeps from nothing */
static const double over_ceiling = 1.1;  /* no more for a while after a cut */
static const uint64_t ceiling_ns = 60 * ASBI_SECOND;
static const uint64_t cooldown_min_ns = 2 * ASBI_SECOND;
enum { WINDOW_MIN = 20 };

static void new_window(struct asbi_limiter *l)
{
    l->window_limit = l->limit;
    l->completions = 0;
    l->in_flight_peak = l->in_flight;
    l->troubles = 0;
}

void asbi_limiter_init(struct asbi_limiter *l, unsigned workers, unsigned max,
                       const struct asbi_latency *law)
{
    double top = max > 0 ? max : 1;

    if (workers > 0)
        top = workers;
    *l = (struct asbi_limiter){ .max = top,
                                .limit = workers > 0 ? top : fmin(start, top),
                                .fixed = workers > 0,
                                .slow_start = workers == 0 };
    asbi_slowness_init(&l->slowness, law);
    new_window(l);
}

void asbi_limiter_recall(struct asbi_limiter *l, double in_flight,
                         bool slow_start)
{
    if (l->fixed || !(in_flight >= 1))
        return;
    l->limit = fmin(l->max, fmax(1, cut * in_flight));
    if (slow_start)
        l->limit = fmin(l->max, fmax(start, l->limit));
    l->slow_start = slow_start;
    new_window(l);
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

static bool was_used(const struct asbi_limiter *l)
{
    return l->in_flight_peak >= busy * floor(l->limit);
}

static bool may_grow(const struct asbi_limiter *l)
{
    return was_used(l) &&
           l->troubles <= fmax(1, usual_trouble * l->completions);
}

static void grow(struct asbi_limiter *l, double more, uint64_t now_ns)
{
    double top = l->max;

    if (now_ns < l->ceiling_until_ns)
        top = fmin(top, fmax(l->ceiling * over_ceiling, l->limit));
    l->limit = fmin(top, l->limit + more);
}

/* In slow start the answers have done so already. */
static void grow_by_window(struct asbi_limiter *l, uint64_t now_ns)
{
    if (may_grow(l) && !l->slow_start)
        grow(l, fmax(1, round(growth * l->limit)), now_ns);
}

/* Half the limit until all that is in flight has been answered, and a window
 * more: does that make answers faster? */
static void probe(struct asbi_limiter *l)
{
    l->probing = true;
    l->skip = l->in_flight;
    l->probed_limit = l->limit;
    l->probed = l->slowness.latest;
    l->limit = fmax(1, l->limit / 2);
}

/* If so, the slowness was of our making, and half it stays; if not, that is
 * how the server is now. */
static void end_probe(struct asbi_limiter *l)
{
    l->probing = false;
    if (asbi_slowness_to(&l->slowness, &l->probed) < made_faster)
        return;
    l->limit = l->probed_limit;
    asbi_slowness_accept(&l->slowness);
}

static void judge(struct asbi_limiter *l, uint64_t now_ns)
{
    double slowness = asbi_slowness_to_least(&l->slowness);

    if (asbi_slowness_drift(&l->slowness) > drifted && was_used(l)) {
        probe(l);
    } else if (slowness > slow) {
        l->slow_start = false;
        if (slowness > slower && was_used(l))
            l->limit = fmax(1, guard_cut * l->limit);
    } else {
        grow_by_window(l, now_ns);
    }
}

static void end_window(struct asbi_limiter *l, uint64_t now_ns)
{
    bool known = asbi_slowness_end_window(&l->slowness);

    if (!known || l->fixed)
        grow_by_window(l, now_ns);
    else if (l->probing)
        end_probe(l);
    else
        judge(l, now_ns);
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
    l->probing = false;
    l->skip = 0;
    l->ceiling = l->limit;
    l->ceiling_until_ns = asbi_add_ns(now_ns, ceiling_ns);
    l->limit = fmax(1, cut * l->limit);
    asbi_slowness_drop(&l->slowness);
    new_window(l);
}

static void answered(struct asbi_limiter *l, const struct asbi_took *took,
                     uint64_t now_ns)
{
    if (asbi_limiter_cooling(l, now_ns))
        return;
    if (l->skip > 0) {
        l->skip--;
        return;
    }
    l->completions++;
    if (l->slow_start && !l->probing && !l->fixed && may_grow(l))
        grow(l, l->limit < 2 * start ? 1 : 0.5, now_ns);
    if (took)
        asbi_slowness_note(&l->slowness, took);
    if (l->completions >= fmax(WINDOW_MIN, floor(l->window_limit)))
        end_window(l, now_ns);
}

void asbi_limiter_ended(struct asbi_limiter *l,
                        enum asbi_limiter_outcome outcome,
                        const struct asbi_took *took, uint64_t cooldown_ns,
                        uint64_t now_ns)
{
    if (l->in_flight > 0)
        l->in_flight--;
    if (outcome == ASBI_LIMITER_OK)
        answered(l, took, now_ns);
    else if (outcome == ASBI_LIMITER_THROTTLED)
        throttled(l, cooldown_ns, now_ns);
    else if (outcome == ASBI_LIMITER_TROUBLE)
        l->troubles++;
}

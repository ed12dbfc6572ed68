#include "scheduler/bucket.h"

#include <math.h>

#include "engine/base/units.h"

static const double pace = 0.98; /* of the published limit */
static const double learned_floor = 0.25;
static const double recovery = 0.01;      /* of the limit, a minute */
static const double longest_ns = 86400e9; /* of any one step of tat_ns */

static const uint64_t minute = 60 * ASBI_SECOND;

static void set_rate(struct asbi_bucket *b)
{
    double old = b->rate;

    b->rate = pace * b->learned * b->published / (double)minute;
    if (old <= 0 || b->rate <= 0 || b->tat_ns <= b->seen_ns)
        return;
    /* What is owed is units, not time. */
    double owed = (double)(b->tat_ns - b->seen_ns) * old / b->rate;
    b->tat_ns = b->seen_ns + (uint64_t)fmin(owed, longest_ns);
}

void asbi_bucket_init(struct asbi_bucket *b, uint64_t per_minute)
{
    *b = (struct asbi_bucket){ .learned = 1,
                               .burst_ns = 5 * ASBI_SECOND,
                               .published = (double)per_minute };
    set_rate(b);
}

void asbi_bucket_limit(struct asbi_bucket *b, uint64_t per_minute)
{
    b->published = (double)per_minute;
    set_rate(b);
}

/* Whole and part of a nanosecond that `units` take, bounded; 0 for what is no
 * positive number. */
static double cost_ns(const struct asbi_bucket *b, double units)
{
    return units > 0 ? fmin(units / b->rate, longest_ns) : 0;
}

uint64_t asbi_bucket_ready_at(const struct asbi_bucket *b, double units,
                              uint64_t now_ns)
{
    if (b->rate <= 0)
        return now_ns;
    double early = (double)b->burst_ns - cost_ns(b, units);

    /* Rounded so that it is never too soon. */
    early = floor(fmax(early, 0) - b->carry);
    if (early < 0)
        return asbi_add_ns(b->tat_ns, 1);
    return b->tat_ns > (uint64_t)early ? b->tat_ns - (uint64_t)early : 0;
}

/* Moves tat_ns by a number of nanoseconds that may be negative. */
static void move(struct asbi_bucket *b, double ns)
{
    double sum = ns + b->carry, whole = floor(sum);

    b->carry = sum - whole;
    if (whole >= 0)
        b->tat_ns = asbi_add_ns(b->tat_ns, (uint64_t)whole);
    else if ((double)b->tat_ns > -whole)
        b->tat_ns -= (uint64_t)-whole;
    else
        b->tat_ns = 0;
}

static void see(struct asbi_bucket *b, uint64_t now_ns)
{
    if (now_ns > b->seen_ns)
        b->seen_ns = now_ns;
}

static void start_from(struct asbi_bucket *b, uint64_t ns)
{
    if (b->tat_ns < ns) {
        b->tat_ns = ns;
        b->carry = 0;
    }
}

/* By whole minutes, so that a bucket in steady use is not touched. */
static void recover(struct asbi_bucket *b, uint64_t now_ns)
{
    if (b->learned >= 1 || now_ns < b->learned_at_ns + minute)
        return;
    uint64_t minutes = (now_ns - b->learned_at_ns) / minute;

    b->learned = fmin(1, b->learned + recovery * (double)minutes);
    b->learned_at_ns += minutes * minute;
    set_rate(b);
}

void asbi_bucket_take(struct asbi_bucket *b, double units, uint64_t now_ns)
{
    see(b, now_ns);
    recover(b, now_ns);
    if (b->rate <= 0)
        return;
    start_from(b, now_ns);
    move(b, cost_ns(b, units));
}

void asbi_bucket_settle(struct asbi_bucket *b, double reserved, double actual)
{
    if (b->rate <= 0 || !isfinite(reserved) || !isfinite(actual))
        return;
    if (actual > reserved) {
        start_from(b, b->seen_ns);
        move(b, cost_ns(b, actual - reserved));
    } else {
        move(b, -cost_ns(b, reserved - actual));
    }
}

void asbi_bucket_remaining(struct asbi_bucket *b, double remaining,
                           double outstanding, uint64_t now_ns)
{
    see(b, now_ns);
    if (b->rate <= 0 || !isfinite(remaining) || !isfinite(outstanding))
        return;
    double left = (remaining - fmax(outstanding, 0)) / b->rate;
    double wait = (double)b->burst_ns - left;

    if (wait > 0)
        start_from(b, now_ns + (uint64_t)fmin(wait, (double)minute));
}

void asbi_bucket_surprised(struct asbi_bucket *b, uint64_t now_ns)
{
    see(b, now_ns);
    recover(b, now_ns);
    if (b->surprised_at_ns && now_ns < b->surprised_at_ns + b->burst_ns)
        return;
    b->surprised_at_ns = now_ns;
    b->learned = fmax(learned_floor, b->learned * 0.95);
    b->learned_at_ns = now_ns;
    set_rate(b);
}

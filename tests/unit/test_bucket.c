#include "tests/support/check.h"

#include "engine/base/rng.h"
#include "engine/base/units.h"
#include "scheduler/bucket.h"

#include <math.h>

/* Paces at exactly ten units a second: 0.98 of 612.24 a minute, set by hand. */
static void ten_a_second(struct asbi_bucket *b)
{
    asbi_bucket_init(b, 600);
    b->rate = 10e-9;
    b->published = 600 / 0.98;
}

static void without_a_limit_all_is_ready(void)
{
    struct asbi_bucket b;

    asbi_bucket_init(&b, 0);
    asbi_bucket_take(&b, 1e18, 5);
    asbi_bucket_settle(&b, 0, 1e18);
    asbi_bucket_remaining(&b, 0, 1e9, 5);
    CHECK_INT(asbi_bucket_ready_at(&b, 1e18, 5), <=, 5);
}

static void the_pace_is_98_percent_after_a_burst_of_five_seconds(void)
{
    struct asbi_bucket b;
    uint64_t now = ASBI_SECOND, taken = 0;

    asbi_bucket_init(&b, 60000); /* 980 a second */
    while (now < 101 * ASBI_SECOND) {
        uint64_t ready = asbi_bucket_ready_at(&b, 1, now);

        now = ready > now ? ready : now;
        asbi_bucket_take(&b, 1, now);
        taken++;
    }
    CHECK_INT(taken, >=, 980 * 105 - 2);
    CHECK_INT(taken, <=, 980 * 105 + 2);
}

static void more_than_a_burst_goes_when_nothing_is_owed(void)
{
    struct asbi_bucket b;

    ten_a_second(&b);
    asbi_bucket_take(&b, 1, 1000); /* .1 s owed */
    uint64_t ready = asbi_bucket_ready_at(&b, 500, 1000);
    CHECK_INT(ready, ==, 1000 + 100 * ASBI_MS);
    asbi_bucket_take(&b, 500, ready);
    /* 50 s of debt, of which the last 5 need not be waited for. */
    CHECK_INT(asbi_bucket_ready_at(&b, 0, ready), ==, ready + 45 * ASBI_SECOND);
    CHECK_INT(asbi_bucket_ready_at(&b, 50, ready), ==,
              ready + 50 * ASBI_SECOND);
}

static void what_was_not_used_comes_back(void)
{
    struct asbi_bucket b;
    uint64_t now = 100 * ASBI_SECOND;

    ten_a_second(&b);
    asbi_bucket_take(&b, 50, now);
    uint64_t before = asbi_bucket_ready_at(&b, 50, now);
    CHECK_INT(before, ==, now + 5 * ASBI_SECOND);
    asbi_bucket_settle(&b, 50, 30);
    CHECK_INT(asbi_bucket_ready_at(&b, 50, now), ==, now + 3 * ASBI_SECOND);
    asbi_bucket_settle(&b, 30, 50);
    CHECK_INT(asbi_bucket_ready_at(&b, 50, now), ==, before);
}

static void what_was_used_beyond_the_reservation_is_owed_from_now(void)
{
    struct asbi_bucket b;

    ten_a_second(&b);
    asbi_bucket_take(&b, 1, 1000);
    /* An hour later, and 10 s more than was taken. */
    asbi_bucket_remaining(&b, 1e9, 0, 3600 * ASBI_SECOND);
    asbi_bucket_settle(&b, 1, 101);
    CHECK_INT(asbi_bucket_ready_at(&b, 0, 3600 * ASBI_SECOND), ==,
              3605 * ASBI_SECOND);
}

static void a_new_limit_keeps_what_is_owed(void)
{
    struct asbi_bucket b;

    asbi_bucket_init(&b, 6000);
    asbi_bucket_take(&b, 980, 1000); /* 10 s at 98 a second */
    CHECK_INT(b.tat_ns, ==, 10 * ASBI_SECOND + 1000);
    asbi_bucket_limit(&b, 3000);
    CHECK_INT((b.tat_ns + 500000) / ASBI_MS, ==, 20000);
    asbi_bucket_limit(&b, 0);
    CHECK_INT(asbi_bucket_ready_at(&b, 1e9, 5), <=, 5);
    asbi_bucket_limit(&b, 6000);
    CHECK_INT(asbi_bucket_ready_at(&b, 1, 1000), >, 1000);
}

static void a_hint_tightens_and_never_loosens(void)
{
    struct asbi_bucket b;
    uint64_t now = 100 * ASBI_SECOND;

    ten_a_second(&b);
    asbi_bucket_remaining(&b, 30, 10, now); /* 20 of 50 are left: 2 s */
    CHECK_INT(asbi_bucket_ready_at(&b, 20, now), ==, now);
    CHECK_INT(asbi_bucket_ready_at(&b, 30, now), ==, now + ASBI_SECOND);
    asbi_bucket_remaining(&b, 1e9, 0, now);
    CHECK_INT(asbi_bucket_ready_at(&b, 30, now), ==, now + ASBI_SECOND);
    asbi_bucket_remaining(&b, 0, 0, now);
    CHECK_INT(asbi_bucket_ready_at(&b, 10, now), ==, now + ASBI_SECOND);
}

static void hostile_numbers_hold_it_up_a_minute_at_most(void)
{
    static const double odd[] = { NAN, INFINITY, -INFINITY, -1e300, 1e300 };
    struct asbi_bucket b;
    uint64_t now = 100 * ASBI_SECOND;

    for (size_t i = 0; i < 5; i++) {
        for (size_t k = 0; k < 5; k++) {
            ten_a_second(&b);
            asbi_bucket_remaining(&b, odd[i], odd[k], now);
            CHECK_INT(asbi_bucket_ready_at(&b, 1, now), <=,
                      now + 60 * ASBI_SECOND);
            asbi_bucket_settle(&b, odd[i], odd[k]);
            asbi_bucket_take(&b, odd[i], now);
            CHECK_INT(asbi_bucket_ready_at(&b, odd[k], now), <=,
                      now + 4 * 86400 * ASBI_SECOND);
        }
    }
}

static void unexplained_429s_slow_it_down_and_are_forgotten(void)
{
    struct asbi_bucket b;
    uint64_t now = ASBI_SECOND;

    asbi_bucket_init(&b, 60000);
    double full = b.rate;
    for (int i = 0; i < 100; i++) /* of one moment: one step */
        asbi_bucket_surprised(&b, now);
    CHECK(fabs(b.rate / full - 0.95) < 1e-9);
    asbi_bucket_take(&b, 1, now + 59 * ASBI_SECOND);
    CHECK(fabs(b.rate / full - 0.95) < 1e-9);
    asbi_bucket_take(&b, 1, now + 121 * ASBI_SECOND);
    CHECK(fabs(b.rate / full - 0.97) < 1e-9);
    asbi_bucket_take(&b, 1, now + 3600 * ASBI_SECOND);
    CHECK(b.rate == full);
    for (int i = 0; i < 100; i++)
        asbi_bucket_surprised(&b, now += 6 * ASBI_SECOND);
    CHECK(fabs(b.rate / full - 0.25) < 0.02);
}

/* ---- against brute force ------------------------------------------------ */

/* A token bucket that counts: `level` of `size` units at `at`. */
struct counted {
    long double rate, size, level;
    uint64_t at;
};

static void advance(struct counted *c, uint64_t now)
{
    c->level = fminl(c->size, c->level + c->rate * (long double)(now - c->at));
    c->at = now;
}

/* First time at which `units`, or all there can be, are there. */
static long double counted_ready(const struct counted *c, double units)
{
    long double need = fminl(units, c->size) - c->level;

    return need > 0 ? (long double)c->at + need / c->rate : c->at;
}

static void compare(uint64_t seed)
{
    struct asbi_rng r;
    struct asbi_bucket b;

    asbi_rng_seed(&r, seed);
    asbi_bucket_init(&b, 1 + asbi_rng_below(&r, 3000000));
    struct counted c = { .rate = b.rate, .at = 10 * ASBI_SECOND };
    c.level = c.size = c.rate * (long double)b.burst_ns;
    double burst = (double)c.size;
    uint64_t now = c.at;
    for (int i = 0; i < 2000; i++) {
        double units =
            asbi_rng_unit(&r) * burst * (asbi_rng_below(&r, 10) ? 0.1 : 3);
        now += asbi_rng_below(&r, 2) * asbi_rng_below(&r, ASBI_SECOND);
        advance(&c, now);
        long double want = counted_ready(&c, units);
        uint64_t ready = asbi_bucket_ready_at(&b, units, now);
        ready = ready > now ? ready : now;
        CHECK((long double)ready - want > -0.001L);
        CHECK((long double)ready - want < 1.001L);
        now = ready;
        advance(&c, now);
        asbi_bucket_take(&b, units, now);
        c.level -= units;
        if (asbi_rng_below(&r, 3) == 0) {
            double back = units * asbi_rng_unit(&r) * 0.5;
            asbi_bucket_settle(&b, units, units - back);
            c.level = c.level + back;
        }
        /* Credit above the burst is nobody's: level with what both hold. */
        c.level = fminl(c.level, c.size);
    }
}

static void it_agrees_with_a_counted_bucket_to_the_nanosecond(void)
{
    for (uint64_t seed = 1; seed <= 200; seed++)
        compare(seed);
}

/* The server's true bucket: a minute deep, full at first, refusing. */
struct server {
    double rate, level, size;
    uint64_t at;
};

static bool serve(struct server *s, double units, uint64_t now)
{
    s->level = fmin(s->size, s->level + s->rate * (double)(now - s->at));
    s->at = now;
    if (s->level < units)
        return false;
    s->level -= units;
    return true;
}

/* Random requests, each sent as soon as both buckets allow; returns the units
 * used as a share of what the server gave out in that time. */
static double saturate(uint64_t seed, double share_used, size_t requests)
{
    struct asbi_rng r;
    struct asbi_bucket count, units;
    uint64_t start = 100 * ASBI_SECOND, now = start;
    struct server s = { 2000000 / 60e9, 2000000, 2000000, now };
    struct server calls = { 5000 / 60e9, 5000, 5000, now };
    double used = 0;

    asbi_rng_seed(&r, seed);
    asbi_bucket_init(&units, 2000000);
    asbi_bucket_init(&count, 5000);
    for (size_t i = 0; i < requests; i++) {
        double n = 200 + exp(6 + asbi_rng_normal(&r));
        uint64_t at = asbi_bucket_ready_at(&units, n, now);
        uint64_t too = asbi_bucket_ready_at(&count, 1, now);

        at = too > at ? too : at;
        now = at > now ? at : now;
        asbi_bucket_take(&units, n, now);
        asbi_bucket_take(&count, 1, now);
        CHECK(serve(&s, n * share_used, now) && serve(&calls, 1, now));
        asbi_bucket_settle(&units, n, n * share_used);
        used += n * share_used;
    }
    double minutes = (double)(now - start) / 60e9;
    return fmax(used / 2000000, (double)requests / 5000) / minutes;
}

static void the_server_never_refuses_and_is_used_to_94_percent(void)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        double share = saturate(seed, 1, 200000);

        CHECK(share >= 0.94 && share <= 1);
    }
}

static void reserving_twice_the_use_costs_no_throughput(void)
{
    double share = saturate(9, 0.5, 200000);

    CHECK(share >= 0.94 && share <= 1);
}

TEST_MAIN(CASE(without_a_limit_all_is_ready),
          CASE(the_pace_is_98_percent_after_a_burst_of_five_seconds),
          CASE(more_than_a_burst_goes_when_nothing_is_owed),
          CASE(what_was_not_used_comes_back),
          CASE(what_was_used_beyond_the_reservation_is_owed_from_now),
          CASE(a_new_limit_keeps_what_is_owed),
          CASE(a_hint_tightens_and_never_loosens),
          CASE(hostile_numbers_hold_it_up_a_minute_at_most),
          CASE(unexplained_429s_slow_it_down_and_are_forgotten),
          CASE(it_agrees_with_a_counted_bucket_to_the_nanosecond),
          CASE(the_server_never_refuses_and_is_used_to_94_percent),
          CASE(reserving_twice_the_use_costs_no_throughput))

#include "tests/support/check.h"

#include "engine/base/rng.h"
#include "engine/base/units.h"
#include "scheduler/bucket.h"
#include "scheduler/limiter.h"

#include <math.h>

static void end(struct asbi_limiter *l, enum asbi_limiter_outcome outcome,
                double ratio, uint64_t now)
{
    struct asbi_took took = { .seconds = ratio };

    asbi_limiter_ended(l, outcome, &took, 0, now);
}

static void fill(struct asbi_limiter *l)
{
    while (asbi_limiter_has_room(l))
        asbi_limiter_started(l);
}

/* A window of good answers, at each of which what has room follows. */
static void window(struct asbi_limiter *l, double ratio, uint64_t now)
{
    unsigned limit = asbi_limiter_limit(l);

    fill(l);
    for (unsigned i = 0; i < (limit > 20 ? limit : 20); i++) {
        end(l, ASBI_LIMITER_OK, ratio, now);
        fill(l);
    }
    while (l->in_flight > 0)
        end(l, ASBI_LIMITER_NEUTRAL, ratio, now);
}

static void it_starts_at_16_and_grows_fast_to_the_most_allowed(void)
{
    static const unsigned want[] = { 34, 51, 76, 100, 100 };
    struct asbi_limiter l;

    asbi_limiter_init(&l, 0, 100, NULL);
    CHECK_INT(asbi_limiter_limit(&l), ==, 16);
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        window(&l, 1, 0);
        CHECK_INT(asbi_limiter_limit(&l), ==, want[i]);
    }
    asbi_limiter_init(&l, 0, 3, NULL);
    CHECK_INT(asbi_limiter_limit(&l), ==, 3);
    asbi_limiter_init(&l, 0, 0, NULL);
    CHECK_INT(asbi_limiter_limit(&l), ==, 1);
}

static void the_first_answers_of_a_slow_server_count_at_once(void)
{
    struct asbi_limiter l;

    asbi_limiter_init(&l, 0, 400, NULL);
    fill(&l);
    for (unsigned want = 17; want <= 20; want++) {
        end(&l, ASBI_LIMITER_OK, 1, 0);
        fill(&l);
        CHECK_INT(asbi_limiter_limit(&l), ==, want);
    }
}

/* The limit after a run that ended with so many in flight. */
static unsigned recalled(unsigned workers, double in_flight, bool slow_start)
{
    struct asbi_limiter l;

    asbi_limiter_init(&l, workers, 100, NULL);
    asbi_limiter_recall(&l, in_flight, slow_start);
    return asbi_limiter_limit(&l);
}

static void the_next_run_begins_a_little_lower(void)
{
    CHECK_INT(recalled(0, 80, false), ==, 60);
    CHECK_INT(recalled(0, 4, false), ==, 3);
    CHECK_INT(recalled(0, 1, false), ==, 1);
    CHECK_INT(recalled(0, 4, true), ==, 16); /* it had met no limit */
    CHECK_INT(recalled(0, 1000, false), ==, 100);
    CHECK_INT(recalled(0, 0, false), ==, 16);
    CHECK_INT(recalled(7, 80, false), ==, 7);
}

static void room_is_what_the_limit_leaves(void)
{
    struct asbi_limiter l;

    asbi_limiter_init(&l, 2, 400, NULL);
    CHECK(asbi_limiter_has_room(&l));
    asbi_limiter_started(&l);
    asbi_limiter_started(&l);
    CHECK(!asbi_limiter_has_room(&l));
    end(&l, ASBI_LIMITER_TROUBLE, 1, 0);
    CHECK(asbi_limiter_has_room(&l));
    end(&l, ASBI_LIMITER_OK, 1, 0);
    end(&l, ASBI_LIMITER_OK, 1, 0); /* one too many does no harm */
    CHECK_INT(l.in_flight, ==, 0);
}

static void a_hundred_429s_at_once_cut_the_limit_once(void)
{
    struct asbi_limiter l;
    uint64_t now = 100 * ASBI_SECOND;

    asbi_limiter_init(&l, 0, 400, NULL);
    for (int i = 0; i < 3; i++)
        window(&l, 1, now);
    l.limit = 128;
    for (int i = 0; i < 100; i++)
        asbi_limiter_started(&l);
    for (int i = 0; i < 100; i++)
        end(&l, ASBI_LIMITER_THROTTLED, 0, now + (uint64_t)i * ASBI_MS);
    CHECK_INT(asbi_limiter_limit(&l), ==, 96);
    CHECK(asbi_limiter_cooling(&l, now + 2 * ASBI_SECOND - 1));
    CHECK(!asbi_limiter_cooling(&l, now + 2 * ASBI_SECOND));
    end(&l, ASBI_LIMITER_THROTTLED, 0, now + 3 * ASBI_SECOND);
    CHECK_INT(asbi_limiter_limit(&l), ==, 72); /* the next episode */
}

static void the_server_s_wait_makes_the_episode_longer(void)
{
    struct asbi_limiter l;

    asbi_limiter_init(&l, 0, 400, NULL);
    asbi_limiter_ended(&l, ASBI_LIMITER_THROTTLED, NULL, 20 * ASBI_SECOND, 0);
    CHECK(asbi_limiter_cooling(&l, 20 * ASBI_SECOND - 1));
    asbi_limiter_ended(&l, ASBI_LIMITER_THROTTLED, NULL, 20 * ASBI_SECOND,
                       10 * ASBI_SECOND);
    CHECK(asbi_limiter_cooling(&l, 30 * ASBI_SECOND - 1));
    CHECK_INT(asbi_limiter_limit(&l), ==, 12);
    window(&l, 1, 15 * ASBI_SECOND); /* what ends in it teaches nothing */
    CHECK_INT(asbi_limiter_limit(&l), ==, 12);
}

static void after_a_429_it_climbs_slowly_to_just_over_what_failed(void)
{
    struct asbi_limiter l;

    asbi_limiter_init(&l, 0, 400, NULL);
    for (int i = 0; i < 2; i++)
        window(&l, 1, 0);
    l.limit = 64;
    end(&l, ASBI_LIMITER_THROTTLED, 0, 0); /* 64 failed */
    CHECK_INT(asbi_limiter_limit(&l), ==, 48);
    window(&l, 1, 3 * ASBI_SECOND);
    CHECK_INT(asbi_limiter_limit(&l), ==, 50);
    for (int i = 0; i < 50; i++)
        window(&l, 1, 59 * ASBI_SECOND);
    CHECK_INT(asbi_limiter_limit(&l), ==, 70);
    window(&l, 1, 60 * ASBI_SECOND);
    CHECK_INT(asbi_limiter_limit(&l), >, 70);
}

static void slow_answers_stop_growth_and_slower_ones_cut(void)
{
    struct asbi_limiter l;

    asbi_limiter_init(&l, 0, 400, NULL);
    window(&l, 1, 0);
    window(&l, 1.4, 0);
    CHECK_INT(asbi_limiter_limit(&l), ==, 51); /* till it was known */
    window(&l, 1.4, 0);
    CHECK_INT(asbi_limiter_limit(&l), ==, 51);
    window(&l, 1.7, 0);
    CHECK_INT(asbi_limiter_limit(&l), ==, 45);
    window(&l, 1.1, 0); /* no slow start any more */
    CHECK_INT(asbi_limiter_limit(&l), ==, 47);
}

/* Few calls that take long for other reasons. */
static void slowness_with_room_to_spare_cuts_nothing(void)
{
    struct asbi_limiter l;

    asbi_limiter_init(&l, 0, 400, NULL);
    for (int i = 0; i < 3000; i++) {
        asbi_limiter_started(&l);
        end(&l, ASBI_LIMITER_OK, i < 100 ? 1 : 3, 0);
    }
    CHECK_INT(asbi_limiter_limit(&l), ==, 16);
    CHECK(!l.probing);
}

/* Twenty windows at twice the time: the old base is forgotten, and half the
 * limit shows whether that was our doing. */
static void slowed_for_long(struct asbi_limiter *l)
{
    asbi_limiter_init(l, 0, 400, NULL);
    for (int i = 0; i < 4; i++)
        window(l, 1, 0);
    for (int i = 0; i < 19; i++)
        window(l, 2, 0);
    CHECK(!l->probing);
    window(l, 2, 0);
    CHECK(l->probing);
}

static void a_slowness_that_half_the_limit_cures_was_ours(void)
{
    struct asbi_limiter l;

    slowed_for_long(&l);
    double half = l.limit;
    CHECK(half <= l.probed_limit / 2);
    for (int i = 0; i < 4 && l.probing; i++)
        window(&l, 1.2, 0);
    CHECK(!l.probing);
    CHECK(l.limit < half + 2);
}

static void a_slowness_that_stays_is_the_server_s(void)
{
    struct asbi_limiter l;

    slowed_for_long(&l);
    double before = l.probed_limit;
    for (int i = 0; i < 4 && l.probing; i++)
        window(&l, 2, 0);
    CHECK(!l.probing);
    CHECK(l.limit >= before);
    for (int i = 0; i < 3; i++)
        window(&l, 2, 0);
    CHECK(l.limit > before && !l.probing);
}

static void much_trouble_stops_growth_for_a_window_but_never_cuts(void)
{
    struct asbi_limiter l;

    asbi_limiter_init(&l, 0, 400, NULL);
    for (int i = 0; i < 3; i++)
        end(&l, ASBI_LIMITER_TROUBLE, 0, 0);
    window(&l, 1, 0);
    CHECK_INT(asbi_limiter_limit(&l), ==, 16);
    end(&l, ASBI_LIMITER_TROUBLE, 0, 0); /* a twentieth is usual */
    window(&l, 1, 0);
    CHECK_INT(asbi_limiter_limit(&l), ==, 34);
    for (int i = 0; i < 1000; i++)
        end(&l, ASBI_LIMITER_TROUBLE, 0, 0);
    CHECK_INT(asbi_limiter_limit(&l), ==, 34);
}

static void what_does_not_use_its_limit_gets_no_more(void)
{
    struct asbi_limiter l;

    asbi_limiter_init(&l, 0, 400, NULL);
    for (int i = 0; i < 500; i++) {
        asbi_limiter_started(&l);
        end(&l, ASBI_LIMITER_OK, 1, 0);
        asbi_limiter_started(&l);
        end(&l, ASBI_LIMITER_NEUTRAL, 1, 0);
    }
    CHECK_INT(asbi_limiter_limit(&l), ==, 16);
}

static void fixed_workers_stay_but_for_429s(void)
{
    struct asbi_limiter l;

    asbi_limiter_init(&l, 40, 10, NULL);
    CHECK_INT(asbi_limiter_limit(&l), ==, 40);
    window(&l, 1, 0);
    window(&l, 5, 0);
    CHECK_INT(asbi_limiter_limit(&l), ==, 40);
    end(&l, ASBI_LIMITER_THROTTLED, 0, 0);
    CHECK_INT(asbi_limiter_limit(&l), ==, 30);
    for (int i = 0; i < 20; i++)
        window(&l, 1, 70 * ASBI_SECOND);
    CHECK_INT(asbi_limiter_limit(&l), ==, 40);
}

static void odd_ratios_are_no_samples(void)
{
    static const double odd[] = { NAN, INFINITY, -1, 0 };
    struct asbi_limiter l;

    asbi_limiter_init(&l, 0, 2000, NULL);
    for (int i = 0; i < 40; i++)
        window(&l, odd[i % 4], 0);
    CHECK_INT(l.slowness.window_count, ==, 0);
    CHECK_INT(asbi_limiter_limit(&l), ==, 2000); /* more than samples fit */
    window(&l, 1, 0);
    CHECK_INT(l.slowness.window_count, ==, 1);
}

/* ---- a lane against a provider, in virtual time ---------------------------
 */

enum { CALLS_MAX = 512, DONE_MAX = 120000 };

/* A minute-deep bucket that refuses; rate 0: none. */
struct quota {
    double per_minute, level;
    uint64_t at;
};

static void refill(struct quota *q, uint64_t now)
{
    q->level = fmin(q->per_minute,
                    q->level + q->per_minute / 60e9 * (double)(now - q->at));
    q->at = now;
}

/* Nanoseconds until `n` are there. */
static uint64_t short_of(const struct quota *q, double n)
{
    double missing = n - q->level;

    return q->per_minute > 0 && missing > 0
               ? (uint64_t)(missing / q->per_minute * 60e9) + 1
               : 0;
}

struct lane {
    struct asbi_rng rng;
    /* -- the provider */
    struct quota calls_quota, tokens_quota;
    double knee; /* calls served at once without slowing down; 0: any */
    double base; /* seconds a call takes below it */
    uint64_t halve_at;
    /* -- ours */
    struct asbi_limiter limiter;
    struct asbi_bucket calls, tokens;
    uint64_t blocked_until, now;
    double next_size;
    /* -- in flight */
    struct {
        uint64_t ends, started, retry_after;
        bool refused;
    } flight[CALLS_MAX];
    unsigned flying;
    /* -- outcome */
    double served_tokens;
    unsigned served, refused;
    double latencies[DONE_MAX];
};

static double draw_size(struct lane *s)
{
    return 100 + exp(5.7 + 0.6 * asbi_rng_normal(&s->rng));
}

static void lane_init(struct lane *s, uint64_t seed, uint64_t rpm, uint64_t tpm)
{
    *s = (struct lane){ .base = 3,
                        .now = 1000 * ASBI_SECOND,
                        .halve_at = ASBI_NEVER };
    s->calls_quota = (struct quota){ (double)rpm, (double)rpm, s->now };
    s->tokens_quota = (struct quota){ (double)tpm, (double)tpm, s->now };
    asbi_rng_seed(&s->rng, seed);
    asbi_limiter_init(&s->limiter, 0, 400, NULL);
    asbi_bucket_init(&s->calls, rpm);
    asbi_bucket_init(&s->tokens, tpm);
    s->next_size = draw_size(s);
}

/* What the provider does with a call: refuse it in a tenth of a second, or
 * answer it, the slower the more there are beyond its knee. */
static void serve(struct lane *s, unsigned i)
{
    uint64_t wait, too;

    refill(&s->calls_quota, s->now);
    refill(&s->tokens_quota, s->now);
    wait = short_of(&s->calls_quota, 1);
    too = short_of(&s->tokens_quota, s->next_size);
    wait = too > wait ? too : wait;
    s->flight[i].refused = wait > 0;
    s->flight[i].retry_after = wait;
    s->flight[i].started = s->now;
    s->flight[i].ends = s->now + 100 * ASBI_MS;
    if (wait > 0)
        return;
    s->calls_quota.level -= 1;
    s->tokens_quota.level -= s->next_size;
    s->served_tokens += s->next_size;
    double crowd = s->knee > 0 ? fmax(1, s->flying / s->knee) : 1;
    double seconds =
        s->base * crowd * exp(0.3 * asbi_rng_normal(&s->rng) - 0.045);
    s->flight[i].ends = s->now + (uint64_t)(seconds * 1e9);
}

static void send(struct lane *s)
{
    asbi_limiter_started(&s->limiter);
    asbi_bucket_take(&s->calls, 1, s->now);
    asbi_bucket_take(&s->tokens, s->next_size, s->now);
    unsigned i = s->flying++;
    serve(s, i);
    s->next_size = draw_size(s);
}

static void refused(struct lane *s, unsigned i)
{
    uint64_t wait = s->flight[i].retry_after;

    s->refused++;
    asbi_limiter_ended(&s->limiter, ASBI_LIMITER_THROTTLED, NULL, wait, s->now);
    asbi_bucket_surprised(&s->calls, s->now);
    asbi_bucket_surprised(&s->tokens, s->now);
    if (s->now + wait > s->blocked_until)
        s->blocked_until = s->now + wait;
}

static void finish(struct lane *s, unsigned i)
{
    double seconds = (double)(s->now - s->flight[i].started) / 1e9;

    if (s->flight[i].refused) {
        refused(s, i);
    } else {
        asbi_limiter_ended(&s->limiter, ASBI_LIMITER_OK,
                           &(struct asbi_took){ .seconds = seconds }, 0,
                           s->now);
        CHECK_INT(s->served, <, DONE_MAX);
        s->latencies[s->served++] = seconds;
    }
    s->flight[i] = s->flight[--s->flying];
}

/* When all gates admit the next call; ASBI_NEVER without room. */
static uint64_t ready_at(const struct lane *s)
{
    uint64_t calls = asbi_bucket_ready_at(&s->calls, 1, s->now);
    uint64_t tokens = asbi_bucket_ready_at(&s->tokens, s->next_size, s->now);
    uint64_t ready = s->blocked_until;

    if (!asbi_limiter_has_room(&s->limiter) || s->flying == CALLS_MAX)
        return ASBI_NEVER;
    ready = calls > ready ? calls : ready;
    return tokens > ready ? tokens : ready;
}

static unsigned first_end(const struct lane *s)
{
    unsigned first = 0;

    for (unsigned i = 1; i < s->flying; i++)
        first = s->flight[i].ends < s->flight[first].ends ? i : first;
    return first;
}

static void run(struct lane *s, unsigned seconds)
{
    uint64_t end_at = s->now + seconds * ASBI_SECOND;

    while (s->now < end_at) {
        uint64_t ready = ready_at(s);
        unsigned i = first_end(s);

        if (s->now >= s->halve_at) {
            s->calls_quota.per_minute /= 2;
            s->tokens_quota.per_minute /= 2;
            s->halve_at = ASBI_NEVER;
        }
        if (s->flying > 0 && s->flight[i].ends <= ready) {
            s->now = s->flight[i].ends;
            finish(s, i);
        } else {
            s->now = ready > s->now ? ready : s->now;
            send(s);
        }
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Of the answers from number `from` on. */
static double p99(struct lane *s, unsigned from)
{
    unsigned n = s->served - from;

    qsort(s->latencies + from, n, sizeof(double), ascending);
    return s->latencies[from + n * 99 / 100];
}

static double refused_share(const struct lane *s)
{
    return (double)s->refused / (double)(s->served + s->refused);
}

static void report(const char *name, const struct lane *s, double used)
{
    if (getenv("ASB_TEST_VERBOSE"))
        (void)fprintf(stderr, "%s: used %.3f, refused %.4f, limit %.0f\n", name,
                      used, refused_share(s), s->limiter.limit);
}

static void both_quotas_are_used_to_94_percent_without_429s(void)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        static struct lane s;

        lane_init(&s, seed, 500, 200000);
        run(&s, 600);
        double used = fmax(s.served / 5000.0, s.served_tokens / 2000000);
        report("A", &s, used);
        CHECK(used >= 0.94);
        CHECK(refused_share(&s) <= 0.01);
    }
}

static void a_quota_of_calls_is_used_to_94_percent_without_429s(void)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        static struct lane s;

        lane_init(&s, seed, 300, 0);
        run(&s, 600);
        report("B", &s, s.served / 3000.0);
        CHECK(s.served / 3000.0 >= 0.94);
        CHECK(refused_share(&s) <= 0.01);
    }
}

/* At low load p99 is exp(2.33 x 0.3) x 3 s. */
static const double calm_p99 = 5.8;

/* Serves ten minutes and judges them: the most there is to have is the knee
 * every 3 s. */
static void check_knee(struct lane *s)
{
    unsigned from = s->served;

    run(s, 600);
    double used = (s->served - from) / (600 * s->knee / 3.0);
    double high = p99(s, from);
    report("C", s, used);
    if (getenv("ASB_TEST_VERBOSE"))
        (void)fprintf(stderr, "   p99 %.1f s\n", high);
    CHECK(used >= 0.95);
    CHECK(high <= 3 * calm_p99);
}

/* A server that never refuses but serves forty at once. */
static void a_server_s_capacity_is_found_without_flooding_it(void)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        static struct lane s;

        lane_init(&s, seed, 0, 0);
        s.knee = 40;
        check_knee(&s);
    }
}

/* What is normal is forgotten after twenty windows; that must not let the
 * limit creep up for ever. */
static void nor_is_it_flooded_in_the_long_run(void)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        static struct lane s;

        lane_init(&s, seed, 0, 0);
        s.knee = 40;
        for (int tens = 0; tens < 12; tens++)
            check_knee(&s);
    }
}

/* Twice as slow at any load: after a while that is how it is, and the limit
 * is not held down for good. */
static void a_server_that_slows_down_by_itself_is_accepted(void)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        static struct lane s;

        lane_init(&s, seed, 0, 0);
        s.limiter.max = 60;
        run(&s, 600);
        CHECK_INT(asbi_limiter_limit(&s.limiter), ==, 60);
        s.base = 6;
        run(&s, 3600);
        report("slower", &s, 0);
        CHECK_INT(asbi_limiter_limit(&s.limiter), >=, 30);
    }
}

/* The provider halves the quota unasked; we pace for the old one. */
static void a_quota_that_halves_costs_few_429s(void)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        static struct lane s;

        lane_init(&s, seed, 500, 200000);
        s.halve_at = s.now + 300 * ASBI_SECOND;
        run(&s, 600);
        double used = s.served_tokens / 1500000;
        report("halved", &s, used);
        CHECK(refused_share(&s) <= 0.05);
        CHECK(used >= 0.90);
    }
}

TEST_MAIN(CASE(it_starts_at_16_and_grows_fast_to_the_most_allowed),
          CASE(the_first_answers_of_a_slow_server_count_at_once),
          CASE(the_next_run_begins_a_little_lower),
          CASE(room_is_what_the_limit_leaves),
          CASE(a_hundred_429s_at_once_cut_the_limit_once),
          CASE(the_server_s_wait_makes_the_episode_longer),
          CASE(after_a_429_it_climbs_slowly_to_just_over_what_failed),
          CASE(slowness_with_room_to_spare_cuts_nothing),
          CASE(slow_answers_stop_growth_and_slower_ones_cut),
          CASE(a_slowness_that_half_the_limit_cures_was_ours),
          CASE(a_slowness_that_stays_is_the_server_s),
          CASE(much_trouble_stops_growth_for_a_window_but_never_cuts),
          CASE(what_does_not_use_its_limit_gets_no_more),
          CASE(fixed_workers_stay_but_for_429s),
          CASE(odd_ratios_are_no_samples),
          CASE(both_quotas_are_used_to_94_percent_without_429s),
          CASE(a_quota_of_calls_is_used_to_94_percent_without_429s),
          CASE(a_server_s_capacity_is_found_without_flooding_it),
          CASE(nor_is_it_flooded_in_the_long_run),
          CASE(a_server_that_slows_down_by_itself_is_accepted),
          CASE(a_quota_that_halves_costs_few_429s))

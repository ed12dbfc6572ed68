#include "tests/support/check.h"

#include "engine/base/rng.h"
#include "scheduler/latency.h"

#include <math.h>

/* A provider whose law is known: seconds = a + b x in + c x out, per 1000
 * tokens, under lognormal noise of mean 1. */
struct provider {
    struct asbi_rng rng;
    double a, b, c, sigma;
};

static double truth(const struct provider *p, double in, double out)
{
    return p->a + p->b * in / 1000 + p->c * out / 1000;
}

static double noise(struct provider *p)
{
    return exp(p->sigma * asbi_rng_normal(&p->rng) - p->sigma * p->sigma / 2);
}

static void next_size(struct provider *p, uint64_t *in, uint64_t *out)
{
    double x = 200 + exp(6.5 + 0.8 * asbi_rng_normal(&p->rng));
    double y = 20 + 1.3 * x * exp(0.3 * asbi_rng_normal(&p->rng));

    *in = (uint64_t)fmin(x, 8000);
    *out = (uint64_t)fmin(y, 4000);
}

/* Learns `n` calls; returns the share of them within the predicted p95. */
static double learn(struct asbi_latency *l, struct provider *p, int n)
{
    int within = 0;

    for (int i = 0; i < n; i++) {
        uint64_t in, out;

        next_size(p, &in, &out);
        double y = truth(p, (double)in, (double)out) * noise(p);
        within += y <= asbi_latency_p95(l, in, out);
        asbi_latency_learn(l, in, out, y);
    }
    return (double)within / n;
}

/* Mean of (predicted / true - 1) over usual sizes, absolute or not. */
static double off_by(const struct asbi_latency *l, const struct provider *p,
                     bool absolute)
{
    double sum = 0;

    for (uint64_t in = 200; in < 2200; in += 40) {
        uint64_t out = in * 13 / 10;
        double e = asbi_latency_expect(l, in, out) /
                       truth(p, (double)in, (double)out) -
                   1;

        sum += absolute ? fabs(e) : e;
    }
    return sum / 50;
}

static const double laws[][3] = {
    { 0.8, 0.1, 20 }, { 0.3, 0.02, 1 }, { 0.5, 0, 60 }, { 2, 0.5, 10 }
};

/* Mean error over seeds after `samples` calls, for the worst of the laws. */
static double worst_error(double sigma, int samples)
{
    double worst = 0;

    for (size_t k = 0; k < 4; k++) {
        double sum = 0;

        for (uint64_t seed = 1; seed <= 25; seed++) {
            struct provider p = { .a = laws[k][0],
                                  .b = laws[k][1],
                                  .c = laws[k][2],
                                  .sigma = sigma };
            struct asbi_latency l;

            asbi_rng_seed(&p.rng, seed);
            asbi_latency_init(&l, 0);
            learn(&l, &p, samples);
            sum += off_by(&l, &p, true);
        }
        worst = fmax(worst, sum / 25);
    }
    return worst;
}

static void a_known_law_is_learned_from_few_calls(void)
{
    CHECK(worst_error(0.2, 30) < 0.06);
    CHECK(worst_error(0.2, 100) < 0.04);
    CHECK(worst_error(0.4, 30) < 0.10);
    CHECK(worst_error(0.4, 100) < 0.08);
    CHECK(worst_error(0.4, 300) < 0.08);
    CHECK(worst_error(0, 100) < 0.01);
}

static void one_call_in_twenty_takes_longer_than_p95(void)
{
    for (size_t k = 0; k < 4; k++) {
        for (int s = 1; s <= 2; s++) {
            struct provider p = { .a = laws[k][0],
                                  .b = laws[k][1],
                                  .c = laws[k][2],
                                  .sigma = 0.2 * s };
            struct asbi_latency l;

            asbi_rng_seed(&p.rng, 77 + k);
            asbi_latency_init(&l, 0.5);
            learn(&l, &p, 300);
            double share = learn(&l, &p, 4000);
            CHECK(share >= 0.93 && share <= 0.97);
        }
    }
}

static void twice_as_slow_is_known_within_150_calls(void)
{
    double sum = 0;

    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct provider p = { .a = 0.8, .b = 0.1, .c = 20, .sigma = 0.4 };
        struct asbi_latency l;

        asbi_rng_seed(&p.rng, seed);
        asbi_latency_init(&l, 0);
        learn(&l, &p, 1000);
        p.a *= 2, p.b *= 2, p.c *= 2;
        learn(&l, &p, 150);
        sum += off_by(&l, &p, false);
    }
    CHECK(fabs(sum / 10) < 0.10);
}

static void the_law_does_not_follow_the_server_s_mood(void)
{
    struct provider p = { .a = 0.8, .b = 0.1, .c = 20, .sigma = 0.2 };
    struct asbi_latency l;

    asbi_rng_seed(&p.rng, 12);
    asbi_latency_init(&l, 0);
    learn(&l, &p, 1000);
    double before = asbi_latency_by_law(&l, 3000, 3000);
    double expected = asbi_latency_expect(&l, 3000, 3000);
    CHECK(fabs(before / asbi_latency_by_law(&l, 1500, 1500) - 1.97) < 0.1);
    p.a *= 3, p.b *= 3, p.c *= 3;
    learn(&l, &p, 100);
    CHECK(asbi_latency_expect(&l, 3000, 3000) > 2.2 * expected);
    CHECK(asbi_latency_by_law(&l, 3000, 3000) < 1.6 * before);
}

/* Batches that are all alike say nothing of the slope; what was known of it
 * must not wander off. */
static void a_long_run_of_equal_sizes_forgets_no_slope(void)
{
    struct provider p = { .a = 0.8, .b = 0.1, .c = 20, .sigma = 0.3 };
    struct asbi_latency l;

    asbi_rng_seed(&p.rng, 5);
    asbi_latency_init(&l, 0);
    learn(&l, &p, 200);
    for (int i = 0; i < 5000; i++)
        asbi_latency_learn(&l, 1000, 1300, truth(&p, 1000, 1300) * noise(&p));
    double at = asbi_latency_expect(&l, 1000, 1300) / truth(&p, 1000, 1300);
    CHECK(at > 0.85 && at < 1.15);
    double far = asbi_latency_expect(&l, 2000, 2600) / truth(&p, 2000, 2600);
    CHECK(far > 0.5 && far < 2);
}

/* A million rows alike: full batches whose sizes hardly differ. */
static void a_very_long_run_of_like_sizes_stays_near_the_truth(void)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct provider p = { .a = 0.043, .b = 0, .c = 0, .sigma = 0.3 };
        struct asbi_latency l;

        asbi_rng_seed(&p.rng, seed);
        asbi_latency_init(&l, 0);
        for (int i = 0; i < 40000; i++) {
            uint64_t in = 4600 + asbi_rng_below(&p.rng, 40);
            uint64_t out = 4000 + asbi_rng_below(&p.rng, 60);

            asbi_latency_learn(&l, in, out, 0.043 * noise(&p));
            if (i < 1000)
                continue;
            double at = asbi_latency_expect(&l, in, out) / 0.043;
            CHECK(at > 0.6 && at < 1.6);
            struct asbi_latency_line line = asbi_latency_p95_line(&l);
            CHECK(line.fixed + 4600 * line.per_input + 4000 * line.per_output <
                  0.15);
        }
    }
}

/* As those of a job mostly are; a whole call says nothing of its parts. */
static void a_stream_of_calls_of_one_size_tells_their_parts_apart(void)
{
    struct provider p = { .a = 3, .b = 0.2, .c = 12, .sigma = 0.2 };
    struct asbi_latency streamed, whole;
    double want = truth(&p, 1000, 100);

    asbi_rng_seed(&p.rng, 4);
    asbi_latency_init(&streamed, 0);
    asbi_latency_init(&whole, 0);
    for (int i = 0; i < 100; i++) {
        double first = truth(&p, 1000, 0) * noise(&p);
        double all = first + p.c * noise(&p);

        asbi_latency_learn_stream(&streamed, 1000, 1000, first, all);
        asbi_latency_learn_stream(&whole, 1000, 1000, 0.95 * all, all);
    }
    CHECK(fabs(asbi_latency_expect(&streamed, 1000, 100) / want - 1) < 0.1);
    CHECK(fabs(asbi_latency_expect(&whole, 1000, 100) / want - 1) > 0.3);
    CHECK(fabs(asbi_latency_expect(&whole, 1000, 1000) /
                   asbi_latency_expect(&streamed, 1000, 1000) -
               1) < 0.1);
}

static void what_is_known_beforehand_is_used(void)
{
    struct asbi_latency l;

    asbi_latency_init(&l, 50);
    CHECK(asbi_latency_expect(&l, 0, 1000) > 50);
    CHECK(asbi_latency_expect(&l, 0, 1000) < 52);
    CHECK(asbi_latency_p95(&l, 0, 1000) > 52);
    asbi_latency_init(&l, NAN);
    CHECK(asbi_latency_expect(&l, 0, 1000) < 10);
}

static void the_line_is_the_p95(void)
{
    struct provider p = { .a = 0.8, .b = 0.1, .c = 20, .sigma = 0.2 };
    struct asbi_latency l;

    asbi_rng_seed(&p.rng, 3);
    asbi_latency_init(&l, 0);
    learn(&l, &p, 500);
    struct asbi_latency_line line = asbi_latency_p95_line(&l);
    CHECK(line.fixed >= 0 && line.per_input >= 0 && line.per_output >= 0);
    double sum = line.fixed + 700 * line.per_input + 900 * line.per_output;
    CHECK(fabs(sum / asbi_latency_p95(&l, 700, 900) - 1) < 1e-9);
}

static void check_sane(const struct asbi_latency *l)
{
    static const uint64_t sizes[] = { 0, 1, 1000, 100000, UINT64_MAX };
    struct asbi_latency_line line = asbi_latency_p95_line(l);

    for (size_t i = 0; i < 5; i++) {
        for (size_t k = 0; k < 5; k++) {
            double e = asbi_latency_expect(l, sizes[i], sizes[k]);
            double q = asbi_latency_p95(l, sizes[i], sizes[k]);

            CHECK(e >= 0.001 && e < 1e6);
            CHECK(q > 0 && q < 1e8);
        }
    }
    CHECK(line.fixed >= 0 && line.per_input >= 0 && line.per_output >= 0);
    CHECK(isfinite(line.fixed + line.per_input + line.per_output));
}

static void hostile_samples_leave_every_answer_sane(void)
{
    static const double times[] = { NAN,    INFINITY, -INFINITY, -1, 0,
                                    1e-300, 1e300,    0.5,       3,  1e5 };
    struct asbi_latency l;
    struct asbi_rng r;

    asbi_rng_seed(&r, 2);
    asbi_latency_init(&l, 0);
    for (int i = 0; i < 20000; i++) {
        uint64_t shift_in = asbi_rng_below(&r, 64);
        uint64_t shift_out = asbi_rng_below(&r, 64);
        uint64_t in = asbi_rng_u64(&r) >> shift_in;
        uint64_t out = asbi_rng_u64(&r) >> shift_out;

        asbi_latency_learn(&l, in, out, times[asbi_rng_below(&r, 10)]);
        if (i % 10 == 0)
            check_sane(&l);
    }
    /* And it still learns, once the law has forgotten that. */
    struct provider p = { .rng = r, .a = 0.8, .b = 0.1, .c = 20, .sigma = 0.2 };
    learn(&l, &p, 20000);
    CHECK(off_by(&l, &p, true) < 0.10);
}

static void nonsense_is_not_learned(void)
{
    struct asbi_latency l;

    asbi_latency_init(&l, 0);
    asbi_latency_learn(&l, 1, 1, 0);
    asbi_latency_learn(&l, 1, 1, NAN);
    asbi_latency_learn(&l, 1, 1, INFINITY);
    CHECK_INT(l.samples, ==, 0);
}

TEST_MAIN(CASE(a_known_law_is_learned_from_few_calls),
          CASE(one_call_in_twenty_takes_longer_than_p95),
          CASE(twice_as_slow_is_known_within_150_calls),
          CASE(the_law_does_not_follow_the_server_s_mood),
          CASE(a_long_run_of_equal_sizes_forgets_no_slope),
          CASE(a_very_long_run_of_like_sizes_stays_near_the_truth),
          CASE(a_stream_of_calls_of_one_size_tells_their_parts_apart),
          CASE(what_is_known_beforehand_is_used), CASE(the_line_is_the_p95),
          CASE(hostile_samples_leave_every_answer_sane),
          CASE(nonsense_is_not_learned))

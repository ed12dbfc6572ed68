/* How long calls took, and how often they failed, over a whole run. */
#include "scheduler/law.h"

#include <math.h>

#include "engine/base/rng.h"
#include "scheduler/tally.h"
#include "tests/support/check.h"

static double noise(struct asbi_rng *rng, double sigma)
{
    double sum = -6;

    for (int i = 0; i < 12; i++)
        sum += asbi_rng_unit(rng);
    return exp(sigma * sum);
}

/* Two seconds and 3 ms a token, sizes from 100 to 2,000. */
static void learn(struct asbi_law *law, struct asbi_rng *rng, double sigma,
                  int calls)
{
    for (int i = 0; i < calls; i++) {
        uint64_t out = 100 + asbi_rng_below(rng, 1900);
        double mean = 2 + 0.003 * (double)out;

        asbi_law_learn(law, out / 2, out, mean * noise(rng, sigma), 1);
    }
}

static double at(const struct asbi_law_line *l, double out)
{
    return l->fixed + l->per_input * out / 2 + l->per_output * out;
}

static void a_line_with_noise_is_found(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct asbi_law law = { { 0 } };
        struct asbi_law_line line;
        struct asbi_rng rng;

        asbi_rng_seed(&rng, seed);
        learn(&law, &rng, 0.3, 300);
        CHECK(asbi_law_line(&law, 0.001, &line));
        /* The noise has a mean of exp(sigma^2 / 2). */
        for (double out = 400; out < 2000; out += 300) {
            double want = (2 + 0.003 * out) * exp(0.045);

            CHECK(fabs(at(&line, out) / want - 1) < 0.12);
        }
        CHECK(line.sigma > 0.24 && line.sigma < 0.36);
        CHECK_INT(line.capacity, ==, 0);
    }
}

/* The order in which they end says nothing: the slowest come last. */
static void the_last_calls_count_no_more_than_the_first(void)
{
    struct asbi_law law = { { 0 } };
    struct asbi_law_line line;

    for (int i = 0; i < 200; i++)
        asbi_law_learn(&law, 500, 1000, 2 + i * 0.02, 1);
    CHECK(asbi_law_line(&law, 0.001, &line));
    CHECK(fabs(at(&line, 1000) - 3.99) < 0.01);
}

static void calls_of_one_size_have_the_slope_that_is_given(void)
{
    struct asbi_law law = { { 0 } };
    struct asbi_law_line line = { .fixed = -1 };

    for (int i = 0; i < 19; i++)
        asbi_law_learn(&law, 0, 1000, 5, 1);
    CHECK(!asbi_law_line(&law, 0.002, &line) && line.fixed < 0);
    asbi_law_learn(&law, 0, 1000, 5, 1);
    CHECK(asbi_law_line(&law, 0.002, &line));
    CHECK(fabs(line.per_output - 0.002) < 1e-9 && fabs(line.fixed - 3) < 1e-6);
    CHECK(asbi_law_line(&law, 9, &line)); /* too steep */
    CHECK(fabs(line.per_output - 0.005) < 1e-9 && line.fixed < 1e-6);
}

/* A server that works on four calls at once: a second and 2 ms a token each.
 * More and larger calls come together. */
static void calls_that_wait_for_each_other_are_told_from_slow_ones(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct asbi_law crowded = { { 0 } }, slow = { { 0 } };
        struct asbi_law_line line;
        struct asbi_rng rng;

        asbi_rng_seed(&rng, seed);
        for (unsigned i = 0; i < 300; i++) {
            unsigned n = 8 + i / 10;
            uint64_t out = 200 + i + asbi_rng_below(&rng, 1200);
            double mean = (1 + 0.002 * (double)out) * noise(&rng, 0.3);

            asbi_law_learn(&crowded, out / 2, out, mean * n / 4, n);
            asbi_law_learn(&slow, out / 2, out, mean, n);
        }
        CHECK(asbi_law_line(&slow, 0.001, &line) && line.capacity == 0);
        CHECK(asbi_law_line(&crowded, 0.001, &line) && line.capacity >= 4);
        CHECK(line.capacity <= 15);
        for (double out = 400; out < 1600; out += 200) {
            double each = at(&line, out) / (double)line.capacity;
            double want = (1 + 0.002 * out) * exp(0.045) / 4;

            CHECK(fabs(each / want - 1) < 0.15);
        }
    }
}

static void nonsense_teaches_nothing(void)
{
    struct asbi_law law = { { 0 } };

    asbi_law_learn(&law, 1, 1, 0, 1);
    asbi_law_learn(&law, 1, 1, -1, 1);
    asbi_law_learn(&law, 1, 1, NAN, 1);
    asbi_law_learn(&law, 1, 1, INFINITY, 1);
    asbi_law_learn(&law, UINT64_MAX, UINT64_MAX, 1, 1);
    for (int i = 0; i < ASBI_LAW_SUMS; i++)
        CHECK(fabs(law.sum[i]) <= 0);
}

static void a_server_that_changed_is_known_by_its_new_speed(void)
{
    struct asbi_law law = { { 0 } };
    struct asbi_law_line line;

    for (int i = 0; i < 20000; i++)
        asbi_law_learn(&law, 0, 1000, 1, 1);
    for (int i = 0; i < 20000; i++)
        asbi_law_learn(&law, 0, 1000, 3, 1);
    CHECK(asbi_law_line(&law, 0.001, &line));
    CHECK(fabs(line.fixed + line.per_output * 1000 - 3) < 0.1);
}

static void what_is_counted_fades(void)
{
    struct asbi_tally t = { 0, 0 };

    CHECK(fabs(asbi_tally_share(&t)) <= 0);
    asbi_tally_add(&t, 100, 2);
    CHECK(fabs(asbi_tally_share(&t) - 0.02) < 1e-12);
    asbi_tally_add(&t, 0, 0);
    asbi_tally_add(&t, 1, 2);
    asbi_tally_add(&t, 1, -1);
    asbi_tally_add(&t, NAN, NAN);
    CHECK(fabs(asbi_tally_share(&t) - 0.02) < 1e-12);
    for (int i = 0; i < 30000; i++)
        asbi_tally_add(&t, 1, 1);
    CHECK(asbi_tally_share(&t) > 0.99 && t.all <= 5000);
    CHECK(asbi_tally_likely(&t) > 0.97);
    t = (struct asbi_tally){ .all = 150, .bad = 6 };
    CHECK(fabs(asbi_tally_likely(&t) - 0.03) < 1e-12);
}

TEST_MAIN(CASE(a_line_with_noise_is_found),
          CASE(the_last_calls_count_no_more_than_the_first),
          CASE(calls_of_one_size_have_the_slope_that_is_given),
          CASE(calls_that_wait_for_each_other_are_told_from_slow_ones),
          CASE(nonsense_teaches_nothing),
          CASE(a_server_that_changed_is_known_by_its_new_speed),
          CASE(what_is_counted_fades))

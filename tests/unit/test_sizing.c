#include "tests/support/check.h"

#include "engine/base/rng.h"
#include "engine/base/units.h"
#include "scheduler/sizing.h"

#include <math.h>

static const struct asbi_sizing_limits limits = {
    .context_tokens = 128000,
    .max_output_tokens = 16000,
    .token_buffer = 500,
    .prompt_tokens = 1000,
    .max_items = 100,
    .max_bytes = 1 << 20,
    .max_cost = 5000000,
    .target_ns = 30 * ASBI_SECOND,
    .headroom = 1.25,
};

static struct asbi_batch_caps caps_of(const struct asbi_sizing *s,
                                      const struct asbi_sizing_limits *l)
{
    struct asbi_latency latency;
    struct asbi_batch_caps caps;

    asbi_latency_init(&latency, 20);
    asbi_sizing_caps(s, l, &latency, &caps);
    return caps;
}

static void learn(struct asbi_sizing *s, int batches, uint64_t items,
                  uint64_t bad)
{
    for (int i = 0; i < batches; i++)
        asbi_sizing_learn(s, &limits, items, bad, false);
}

static void input_and_output_fit_the_context_with_headroom(void)
{
    struct asbi_sizing s;

    asbi_sizing_init(&s);
    struct asbi_batch_caps caps = caps_of(&s, &limits);
    CHECK_INT(caps.output_tokens, ==, 12800); /* 16000 / 1.25 */
    CHECK_INT(caps.input_tokens, ==, 88200);  /* (126250 - 16000) / 1.25 */
    CHECK_INT(caps.bytes, ==, 1 << 20);
    CHECK_INT(caps.cost, ==, 5000000);
    CHECK_INT(caps.items, ==, 25);
}

static void no_choice_of_limits_overfills_the_context(void)
{
    struct asbi_rng r;

    asbi_rng_seed(&r, 1);
    for (int i = 0; i < 20000; i++) {
        struct asbi_sizing s;
        struct asbi_sizing_limits l = {
            .context_tokens = 1 + asbi_rng_below(&r, 300000),
            .max_output_tokens = asbi_rng_below(&r, 100000),
            .token_buffer = asbi_rng_below(&r, 1000),
            .prompt_tokens = asbi_rng_below(&r, 20000),
            .headroom = 1 + asbi_rng_unit(&r),
        };

        asbi_sizing_init(&s);
        struct asbi_batch_caps caps = caps_of(&s, &l);
        CHECK_INT(caps.input_tokens, >=, 1);
        CHECK_INT(caps.output_tokens, >=, 1);
        double most =
            l.headroom * (double)(l.prompt_tokens + caps.input_tokens +
                                  caps.output_tokens) +
            (double)l.token_buffer;
        CHECK(most <= (double)l.context_tokens ||
              (caps.input_tokens == 1 && caps.output_tokens == 1));
        CHECK(l.max_output_tokens == 0 || caps.output_tokens == 1 ||
              l.headroom * (double)caps.output_tokens <=
                  (double)l.max_output_tokens);
    }
}

static void unknown_limits_are_no_caps(void)
{
    struct asbi_sizing s;
    struct asbi_sizing_limits none = { 0 };

    asbi_sizing_init(&s);
    struct asbi_batch_caps caps = caps_of(&s, &none);
    CHECK_INT(caps.input_tokens, ==, 0);
    CHECK_INT(caps.output_tokens, ==, 0);
    CHECK_INT(caps.bytes, ==, 0);
    CHECK_INT(caps.cost, ==, 0);
    CHECK_INT(caps.items, ==, 25);
    CHECK(caps.seconds <= 0);
}

static void a_fixed_number_of_items_leaves_only_hard_caps(void)
{
    struct asbi_sizing s;
    struct asbi_sizing_limits l = limits;

    l.fixed_items = 300;
    asbi_sizing_init(&s);
    learn(&s, 50, 300, 300);
    struct asbi_batch_caps caps = caps_of(&s, &l);
    CHECK_INT(caps.items, ==, 300);
    CHECK(caps.seconds <= 0);
    CHECK_INT(caps.output_tokens, ==, 12800);
    CHECK_INT(caps.input_tokens, ==, 88200);
    CHECK_INT(caps.bytes, ==, 1 << 20);
    CHECK_INT(caps.cost, ==, 5000000);
}

static void a_batch_within_the_caps_takes_the_target_time_at_p95(void)
{
    struct asbi_sizing s;
    struct asbi_latency l;
    struct asbi_batch_caps caps;

    asbi_sizing_init(&s);
    asbi_latency_init(&l, 20);
    asbi_sizing_caps(&s, &limits, &l, &caps);
    CHECK(fabs(caps.seconds - 30) < 1e-9);
    double in = 700, out = 900;
    double sum = caps.fixed_seconds + in * caps.seconds_per_input +
                 out * caps.seconds_per_output;
    CHECK(fabs(sum - asbi_latency_p95(&l, 1700, 900)) < 1e-9);
    asbi_sizing_caps(&s, &limits, NULL, &caps);
    CHECK(caps.seconds <= 0);
}

/* Or calls of one item each would queue where the server is the slow one. */
static void time_that_no_size_saves_makes_no_small_batches(void)
{
    struct asbi_sizing s;
    struct asbi_latency l;
    struct asbi_batch_caps caps;

    asbi_sizing_init(&s);
    asbi_latency_init(&l, 1);
    l.usual_seconds += 40 - l.theta[0];
    l.theta[0] = 40; /* alone past the target of 30 */
    asbi_sizing_caps(&s, &limits, &l, &caps);
    CHECK(fabs(caps.seconds - 2 * caps.fixed_seconds) < 1e-9);
    CHECK((caps.seconds - caps.fixed_seconds) / caps.seconds_per_output > 9000);
}

static void twenty_clean_batches_grow_the_count_by_a_tenth(void)
{
    struct asbi_sizing s;

    asbi_sizing_init(&s);
    learn(&s, 19, 25, 0);
    CHECK_INT(caps_of(&s, &limits).items, ==, 25);
    learn(&s, 1, 25, 0);
    CHECK_INT(caps_of(&s, &limits).items, ==, 27);
    CHECK(fabs(s.count_cap - 27.5) < 1e-9);
    for (int i = 0; i < 100; i++)
        learn(&s, 20, caps_of(&s, &limits).items, 0);
    CHECK_INT(caps_of(&s, &limits).items, ==, 100);
}

static void small_batches_are_no_evidence_for_growth(void)
{
    struct asbi_sizing s;

    asbi_sizing_init(&s);
    learn(&s, 1000, 12, 0);
    CHECK_INT(caps_of(&s, &limits).items, ==, 25);
    learn(&s, 20, 13, 0);
    CHECK_INT(caps_of(&s, &limits).items, ==, 27);
}

static void many_bad_items_put_half_the_count_on_trial(void)
{
    struct asbi_sizing s;

    asbi_sizing_init(&s);
    learn(&s, 1, 25, 10); /* 5 % of 200 */
    learn(&s, 2, 25, 0);
    learn(&s, 2, 25, 2); /* the first have faded */
    CHECK_INT(s.phase, ==, ASBI_SIZING_WATCH);
    learn(&s, 1, 25, 2);
    CHECK_INT(s.phase, ==, ASBI_SIZING_SAMPLE); /* perhaps it was chance */
    learn(&s, 15, 25, 2);
    CHECK_INT(caps_of(&s, &limits).items, ==, 25);
    learn(&s, 1, 25, 2);
    CHECK_INT(caps_of(&s, &limits).items, ==, 12); /* no, it is 8 % */
}

static void bad_items_by_chance_cut_nothing(void)
{
    struct asbi_sizing s;

    asbi_sizing_init(&s);
    learn(&s, 1, 25, 11);
    CHECK_INT(s.phase, ==, ASBI_SIZING_SAMPLE);
    for (int i = 0; i < 20; i++) {
        learn(&s, 1, 25, 1);
        learn(&s, 3, 25, 0);
    }
    CHECK_INT(s.phase, ==, ASBI_SIZING_WATCH);
    CHECK_INT(caps_of(&s, &limits).items, ==, 25);
    learn(&s, 20, 25, 0); /* and what was under suspicion grows again */
    CHECK_INT(caps_of(&s, &limits).items, ==, 27);
}

/* One in five is bad with 25. */
static void into_trial(struct asbi_sizing *s)
{
    asbi_sizing_init(s);
    learn(s, 10, 25, 5);
    CHECK_INT(caps_of(s, &limits).items, ==, 12);
}

static void a_smaller_count_that_mends_the_answers_stays(void)
{
    struct asbi_sizing s;

    into_trial(&s);
    learn(&s, 100, 25, 25); /* closed before the trial: no part of it */
    learn(&s, 167, 12, 0);
    learn(&s, 20, 12, 0);
    CHECK_INT(caps_of(&s, &limits).items, ==, 13);
}

static void a_smaller_count_that_mends_nothing_is_taken_back(void)
{
    struct asbi_sizing s;

    into_trial(&s);
    learn(&s, 11, 12, 3);
    CHECK_INT(caps_of(&s, &limits).items, ==, 25);
    learn(&s, 100, 25, 5); /* as it was when nothing could be done about it */
    CHECK_INT(caps_of(&s, &limits).items, >, 25);
}

/* The mean of the last half of many batches of a model that spoils one item in
 * a hundred of `percent`, or that share for every ten items of a batch. */
static double settles_at(int percent, bool by_size, uint64_t seed)
{
    struct asbi_rng r;
    struct asbi_sizing s;
    double sum = 0;

    asbi_rng_seed(&r, seed);
    asbi_sizing_init(&s);
    for (int i = 0; i < 2000; i++) {
        uint64_t items = caps_of(&s, &limits).items, bad = 0;
        uint64_t share = (uint64_t)percent * (by_size ? items : 10);

        for (uint64_t k = 0; k < items; k++)
            bad += asbi_rng_below(&r, 1000) < share;
        asbi_sizing_learn(&s, &limits, items, bad, false);
        sum += i >= 1000 ? (double)items : 0;
    }
    return sum / 1000;
}

static double median_of_seeds(int percent, bool by_size)
{
    double at[9];

    for (uint64_t seed = 0; seed < 9; seed++) {
        size_t place = seed;
        double mean = settles_at(percent, by_size, seed + 1);

        for (; place > 0 && at[place - 1] > mean; place--)
            at[place] = at[place - 1];
        at[place] = mean;
    }
    return at[4];
}

static void a_model_as_bad_with_few_items_keeps_its_large_batches(void)
{
    CHECK(median_of_seeds(1, false) > 70);
    CHECK(median_of_seeds(2, false) > 70);
    CHECK(median_of_seeds(5, false) > 70);
    CHECK(median_of_seeds(20, false) > 70);
}

static void a_model_that_is_worse_with_many_gets_fewer(void)
{
    CHECK(median_of_seeds(1, true) < 60);
    CHECK(median_of_seeds(2, true) < 35);
    CHECK(median_of_seeds(5, true) < 20);
}

static void a_cut_off_answer_halves_the_output_and_it_comes_back(void)
{
    struct asbi_sizing s;

    asbi_sizing_init(&s);
    asbi_sizing_learn(&s, &limits, 10, 1, true);
    CHECK_INT(caps_of(&s, &limits).output_tokens, ==, 6400);
    learn(&s, 30, 10, 0);
    CHECK(s.output_share < 1);
    learn(&s, 10, 10, 0);
    CHECK_INT(caps_of(&s, &limits).output_tokens, ==, 12800);
    for (int i = 0; i < 100; i++)
        asbi_sizing_learn(&s, &limits, 10, 0, true);
    CHECK_INT(caps_of(&s, &limits).output_tokens, ==, 640);
}

static void absurd_counts_keep_the_caps_in_range(void)
{
    struct asbi_sizing s;
    struct asbi_sizing_limits l = limits;

    asbi_sizing_init(&s);
    learn(&s, 1, UINT64_MAX, UINT64_MAX);
    learn(&s, 1, 1, UINT64_MAX);
    learn(&s, 1, 0, 7);
    CHECK_INT(caps_of(&s, &limits).items, >=, 1);
    l.headroom = NAN;
    l.context_tokens = l.max_output_tokens = UINT64_MAX;
    CHECK_INT(caps_of(&s, &l).input_tokens, >, 1);
    l = (struct asbi_sizing_limits){ .context_tokens = 3, .headroom = 2 };
    CHECK_INT(caps_of(&s, &l).input_tokens, ==, 1); /* 0.75, and 0 is none */
    l.context_tokens = 1;
    l.prompt_tokens = l.token_buffer = UINT64_MAX;
    CHECK_INT(caps_of(&s, &l).input_tokens, ==, 1);
    CHECK_INT(caps_of(&s, &l).output_tokens, ==, 1);
}

TEST_MAIN(CASE(input_and_output_fit_the_context_with_headroom),
          CASE(no_choice_of_limits_overfills_the_context),
          CASE(unknown_limits_are_no_caps),
          CASE(a_fixed_number_of_items_leaves_only_hard_caps),
          CASE(a_batch_within_the_caps_takes_the_target_time_at_p95),
          CASE(time_that_no_size_saves_makes_no_small_batches),
          CASE(twenty_clean_batches_grow_the_count_by_a_tenth),
          CASE(small_batches_are_no_evidence_for_growth),
          CASE(many_bad_items_put_half_the_count_on_trial),
          CASE(bad_items_by_chance_cut_nothing),
          CASE(a_smaller_count_that_mends_the_answers_stays),
          CASE(a_smaller_count_that_mends_nothing_is_taken_back),
          CASE(a_model_as_bad_with_few_items_keeps_its_large_batches),
          CASE(a_model_that_is_worse_with_many_gets_fewer),
          CASE(a_cut_off_answer_halves_the_output_and_it_comes_back),
          CASE(absurd_counts_keep_the_caps_in_range))

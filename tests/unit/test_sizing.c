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

static void more_than_two_percent_bad_items_cut_the_count(void)
{
    struct asbi_sizing s;

    asbi_sizing_init(&s);
    learn(&s, 1, 25, 4); /* 2 % of 200 */
    CHECK_INT(caps_of(&s, &limits).items, ==, 25);
    learn(&s, 2, 25, 0);
    learn(&s, 1, 25, 1);
    CHECK_INT(caps_of(&s, &limits).items, ==, 25); /* the first have faded */
    learn(&s, 1, 25, 1);
    CHECK_INT(caps_of(&s, &limits).items, ==, 17);
    for (int i = 0; i < 100; i++)
        learn(&s, 1, 25, 25);
    CHECK_INT(caps_of(&s, &limits).items, ==, 1);
    learn(&s, 20, 1, 0); /* and even 1 grows again */
    CHECK_INT(caps_of(&s, &limits).items, ==, 2);
}

/* At 1 % of bad items the cap grows in the long run; at 4 % it falls. */
static void the_count_settles_where_quality_allows(void)
{
    for (int percent = 1; percent <= 4; percent += 3) {
        struct asbi_rng r;
        struct asbi_sizing s;

        asbi_rng_seed(&r, 6);
        asbi_sizing_init(&s);
        for (int i = 0; i < 400; i++) {
            uint64_t items = caps_of(&s, &limits).items, bad = 0;

            for (uint64_t k = 0; k < items; k++)
                bad += asbi_rng_below(&r, 100) < (uint64_t)percent;
            asbi_sizing_learn(&s, &limits, items, bad, false);
        }
        if (percent == 1)
            CHECK_INT(caps_of(&s, &limits).items, >, 25);
        else
            CHECK_INT(caps_of(&s, &limits).items, <, 15);
    }
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
          CASE(twenty_clean_batches_grow_the_count_by_a_tenth),
          CASE(small_batches_are_no_evidence_for_growth),
          CASE(more_than_two_percent_bad_items_cut_the_count),
          CASE(the_count_settles_where_quality_allows),
          CASE(a_cut_off_answer_halves_the_output_and_it_comes_back),
          CASE(absurd_counts_keep_the_caps_in_range))

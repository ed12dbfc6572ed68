#include "scheduler/slowness.h"

#include <math.h>

#include "engine/base/rng.h"
#include "tests/support/check.h"

enum { CALLS = 300 };

/* A provider, what is learned of it, and what is thought of it. */
struct rig {
    struct asbi_rng rng;
    double fixed, per_output; /* seconds; per 1000 tokens */
    struct asbi_latency law;
    struct asbi_slowness slowness;
};

static void rig_init(struct rig *r, double fixed, double per_output)
{
    *r = (struct rig){ .fixed = fixed, .per_output = per_output };
    asbi_rng_seed(&r->rng, 21);
    asbi_latency_init(&r->law, 0);
    asbi_slowness_init(&r->slowness, &r->law);
}

static void call(struct rig *r, double items)
{
    double factor = exp(0.3 * asbi_rng_normal(&r->rng) - 0.045);
    struct asbi_took took = {
        .input_tokens = 20 * items,
        .output_tokens = items * (35 + asbi_rng_normal(&r->rng)),
    };

    took.seconds =
        factor * (r->fixed + r->per_output * took.output_tokens / 1000);
    asbi_slowness_note(&r->slowness, &took);
    asbi_latency_learn(&r->law, (uint64_t)took.input_tokens,
                       (uint64_t)took.output_tokens, took.seconds);
}

static void window(struct rig *r, double items)
{
    for (int i = 0; i < CALLS; i++)
        call(r, items);
    CHECK(asbi_slowness_end_window(&r->slowness));
}

/* Of those that are all alike the law can say no more than how long they are;
 * how it divides that must not show. */
static void equal_calls_look_as_slow_as_ever(void)
{
    struct rig r;

    rig_init(&r, 0.3, 1);
    for (int i = 0; i < 100; i++) {
        window(&r, 90);
        CHECK(asbi_slowness_to_least(&r.slowness) < 1.2);
        CHECK(asbi_slowness_drift(&r.slowness) < 1.2);
    }
}

static void calls_that_grow_look_as_slow_as_ever(void)
{
    struct rig r;

    rig_init(&r, 0.3, 1);
    for (int i = 0; i < 200; i++) {
        window(&r, fmin(100, 16 + 12 * i));
        if (i >= 10)
            CHECK(asbi_slowness_to_least(&r.slowness) < 1.3);
    }
}

static void a_server_that_slows_down_is_seen(void)
{
    struct rig r;

    rig_init(&r, 0.3, 1);
    for (int i = 0; i < 30; i++)
        window(&r, 40 + i);
    r.fixed *= 2, r.per_output *= 2;
    for (int i = 0; i < 15; i++) {
        window(&r, 70 + i);
        CHECK(asbi_slowness_to_least(&r.slowness) > 1.6);
    }
}

/* Twenty windows later slow is what it is, but for the best ever seen. */
static void what_it_was_is_forgotten_but_for_the_best(void)
{
    struct asbi_took quick;
    struct rig r;

    rig_init(&r, 0.3, 1);
    window(&r, 50);
    quick = r.slowness.latest;
    r.fixed *= 2, r.per_output *= 2;
    for (int i = 0; i < ASBI_SLOWNESS_WINDOWS; i++)
        window(&r, 50);
    CHECK(asbi_slowness_to_least(&r.slowness) < 1.2);
    CHECK(asbi_slowness_to(&r.slowness, &quick) > 1.6);
    CHECK(asbi_slowness_drift(&r.slowness) > 1.5);
    asbi_slowness_accept(&r.slowness);
    CHECK(asbi_slowness_drift(&r.slowness) <= 1);
}

static void without_a_law_all_are_of_one_size(void)
{
    struct asbi_slowness s;

    asbi_slowness_init(&s, NULL);
    for (int i = 1; i <= 2; i++) {
        asbi_slowness_note(
            &s, &(struct asbi_took){ .seconds = i, .output_tokens = 1000 });
        CHECK(asbi_slowness_end_window(&s));
    }
    CHECK(asbi_slowness_to_least(&s) == 2);
}

static void odd_times_are_no_samples(void)
{
    static const double odd[] = { 0, -1, NAN, INFINITY, -INFINITY };
    struct asbi_slowness s;

    asbi_slowness_init(&s, NULL);
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        asbi_slowness_note(&s, &(struct asbi_took){ .seconds = odd[i] });
    CHECK(!asbi_slowness_end_window(&s));
    for (int i = 0; i < 2 * ASBI_SLOWNESS_SAMPLES; i++)
        asbi_slowness_note(&s, &(struct asbi_took){ .seconds = 1 });
    CHECK(asbi_slowness_end_window(&s));
    asbi_slowness_note(&s, &(struct asbi_took){ .seconds = 9 });
    asbi_slowness_drop(&s);
    CHECK(!asbi_slowness_end_window(&s));
}

TEST_MAIN(CASE(equal_calls_look_as_slow_as_ever),
          CASE(calls_that_grow_look_as_slow_as_ever),
          CASE(a_server_that_slows_down_is_seen),
          CASE(what_it_was_is_forgotten_but_for_the_best),
          CASE(without_a_law_all_are_of_one_size),
          CASE(odd_times_are_no_samples))

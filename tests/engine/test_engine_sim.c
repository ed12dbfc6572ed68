/* The engine in virtual time: every item answered once or explained, whatever
 * the provider does. */
#include <math.h>

#include "engine/sim/world.h"

#include "engine/base/units.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

static void a_good_provider_answers_everything_in_few_calls(void)
{
    struct sim_run r;

    sim_run_init(&r, 1);
    sim_run_all(&r);
    CHECK_INT(sim_run_ok(&r), ==, r.items);
    CHECK_INT(r.stats.items_failed, ==, 0);
    CHECK_INT(r.served.calls, ==, r.stats.calls);
    CHECK_INT(r.stats.calls, <=, 8);
    sim_run_end(&r);
}

static void a_small_job_is_over_after_one_wave_of_calls(void)
{
    struct sim_run r;

    sim_run_init(&r, 1);
    r.provider.latency.base_ns = 200 * ASBI_MS;
    r.provider.latency.sigma = 0;
    sim_run_all(&r);
    CHECK_INT(r.virtual_ns, <=, 230 * ASBI_MS);
    sim_run_end(&r);
}

/* Answers three times as long as was thought before the first came. */
static void limits_of_answers_follow_what_was_learned(void)
{
    struct sim_run r;

    sim_run_init(&r, 4);
    r.items = 2000;
    r.provider.latency.base_ns = 2 * ASBI_SECOND;
    r.provider.counting.answer_ratio = 3;
    r.provider.counting.answer_frame = 14;
    sim_run_all(&r);
    CHECK_INT(r.stats.items_retried, ==, 0);
    sim_run_end(&r);
}

static void a_fixed_batch_size_and_worker_count_are_kept(void)
{
    struct sim_run r;

    sim_run_init(&r, 2);
    sim_run_set(&r, "batch_size", "7");
    sim_run_set(&r, "workers", "3");
    sim_run_all(&r);
    CHECK_INT(r.stats.calls, ==, (200 + 6) / 7);
    CHECK_INT(r.served.max_in_flight, ==, 3);
    CHECK_INT(r.stats.in_flight_max, ==, 3);
    sim_run_end(&r);
}

static void what_was_billed_is_what_the_items_cost(void)
{
    struct sim_run r;

    sim_run_init(&r, 3);
    r.provider.drop_item_rate = 0.05;
    r.provider.truncate_rate = 0.05;
    sim_run_all(&r);
    CHECK_INT(r.stats.input_tokens, ==, r.served.billed_input);
    CHECK_INT(r.stats.output_tokens, ==, r.served.billed_output);
    CHECK_INT(sim_run_cost(&r), ==, r.stats.cost_nano_usd);
    CHECK(r.stats.items_retried > 0);
    sim_run_end(&r);
}

static void every_item_is_answered_once_or_explained(void)
{
    static const char *const sizes[] = { "0", "1", "5", "40" };
    static const char *const workers[] = { "0", "1", "16" };

    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct sim_run r;

        sim_run_init(&r, seed);
        r.provider.error_rate = (double)(seed % 4) * 0.05;
        r.provider.drop_item_rate = (double)(seed % 3) * 0.05;
        r.provider.truncate_rate = (double)(seed % 5) * 0.03;
        r.provider.garbage_rate = (double)(seed % 7) * 0.03;
        r.provider.disconnect_rate = (double)(seed % 2) * 0.1;
        r.provider.network.cut_rate = (double)(seed % 6) * 0.02;
        sim_run_set(&r, "batch_size", sizes[seed % 4]);
        sim_run_set(&r, "workers", workers[seed % 3]);
        sim_run_all(&r);
        for (size_t i = 0; i < r.items; i++)
            CHECK(r.answers[i].ok ? r.answers[i].output_len > 0
                                  : r.answers[i].code[0] != '\0');
        CHECK_INT(sim_run_ok(&r) + r.stats.items_failed, ==, r.items);
        CHECK(sim_run_ok(&r) > r.items / 2);
        sim_run_end(&r);
    }
}

static void the_same_seed_gives_the_same_run(void)
{
    uint64_t trace[2];

    for (int i = 0; i < 2; i++) {
        struct sim_run r;

        sim_run_init(&r, 11);
        r.provider.error_rate = 0.1;
        r.provider.garbage_rate = 0.1;
        sim_run_all(&r);
        trace[i] = r.trace;
        sim_run_end(&r);
    }
    CHECK(trace[0] == trace[1]);
}

static void limits_slow_the_run_down_but_fail_nothing(void)
{
    struct sim_run r;

    sim_run_init(&r, 5);
    r.items = 600;
    r.provider.rpm = 60;
    sim_run_set(&r, "batch_size", "5");
    sim_run_all(&r);
    CHECK_INT(sim_run_ok(&r), ==, r.items);
    CHECK_INT(r.virtual_ns, >=, 55 * ASBI_SECOND);
    CHECK_INT(r.virtual_ns, <=, 150 * ASBI_SECOND);
    sim_run_end(&r);
}

static void the_budget_is_never_exceeded(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_run r;

        sim_run_init(&r, seed);
        r.items = 1000;
        r.provider.error_rate = 0.05;
        r.provider.disconnect_rate = 0.05;
        sim_run_set(&r, "budget", "0.01");
        sim_run_all(&r);
        CHECK_INT(r.served.billed_nano_usd, <=, ASBI_USD / 100);
        CHECK_INT(r.stats.halt, ==, ASB_HALT_BUDGET);
        CHECK(sim_run_ok(&r) > 0 && sim_run_ok(&r) < r.items);
        sim_run_end(&r);
    }
}

static void an_unreachable_provider_ends_the_run(void)
{
    struct sim_run r;

    sim_run_init(&r, 6);
    r.provider.network.refuse_rate = 1;
    sim_run_all(&r);
    CHECK_INT(r.stats.halt, ==, ASB_HALT_PROVIDER);
    CHECK(strcmp(r.answers[0].code, "provider_unusable") == 0 ||
          strcmp(r.answers[0].code, "unreachable") == 0);
    CHECK_INT(r.stats.cost_nano_usd, ==, 0);
    CHECK_INT(r.stats.maybe_paid_twice_nano_usd, ==, 0);
    sim_run_end(&r);
}

static void prepare_thirty(struct sim_run *r)
{
    sim_run_init(r, 7);
    r->items = 30;
    sim_run_set(r, "batch_size", "4");
}

static void every_failed_allocation_is_survived(void)
{
    sim_run_starve(prepare_thirty, 60);
}

/* Calls of one size say nothing of a call of another, but when an answer is
 * streamed its first bytes do. */
static void a_streamed_run_learns_when_answers_begin(void)
{
    static const char *const streams[] = { "on", "off" };
    double short_call[2];

    for (int i = 0; i < 2; i++) {
        struct sim_run r;

        sim_run_init(&r, 3);
        sim_run_set(&r, "stream", streams[i]);
        sim_run_set(&r, "batch_size", "10");
        r.items = 400;
        r.provider.latency.base_ns = 4 * ASBI_SECOND;
        r.provider.latency.per_output_token_ns = 20 * ASBI_MS;
        sim_run_all(&r);
        short_call[i] = asbi_latency_expect(&r.engine->lane->latency, 500, 10);
        sim_run_end(&r);
    }
    CHECK(short_call[0] > 3.5 && short_call[0] < 5);
    CHECK(fabs(short_call[1] - 4.2) > fabs(short_call[0] - 4.2));
}

TEST_MAIN(CASE(a_good_provider_answers_everything_in_few_calls),
          CASE(a_small_job_is_over_after_one_wave_of_calls),
          CASE(limits_of_answers_follow_what_was_learned),
          CASE(a_fixed_batch_size_and_worker_count_are_kept),
          CASE(what_was_billed_is_what_the_items_cost),
          CASE(every_item_is_answered_once_or_explained),
          CASE(the_same_seed_gives_the_same_run),
          CASE(limits_slow_the_run_down_but_fail_nothing),
          CASE(the_budget_is_never_exceeded),
          CASE(an_unreachable_provider_ends_the_run),
          CASE(every_failed_allocation_is_survived),
          CASE(a_streamed_run_learns_when_answers_begin))

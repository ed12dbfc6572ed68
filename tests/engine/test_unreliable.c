/* What an unreliable provider costs beyond what it cannot but cost: a few
 * items left out of each answer, or a few calls that fail, must not turn a
 * packed job into one of single calls.  Virtual time, five seeds. */
#include "engine/base/units.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

enum { ITEMS = 20000, SEEDS = 5 };

static void set_up(struct sim_run *r, uint64_t seed)
{
    sim_run_init(r, seed);
    r->items = ITEMS;
    r->provider.latency.base_ns = ASBI_SECOND;
    r->provider.latency.sigma = 0.3;
}

static void play(struct sim_run *r)
{
    sim_run_all(r);
    /* With four attempts each a few may have bad luck four times. */
    CHECK_INT(r->stats.items_ok, >=, ITEMS - ITEMS / 1000);
    CHECK_INT(r->stats.items_ok + r->stats.items_failed, ==, ITEMS);
}

static void a_faultless_run(struct sim_run *r, uint64_t seed)
{
    set_up(r, seed);
    play(r);
}

static double tokens(const struct sim_run *r)
{
    return (double)(r->served.billed_input + r->served.billed_output);
}

static double calls(const struct sim_run *r)
{
    return (double)r->served.calls;
}

static void items_left_out_cost_a_few_tokens_and_no_single_calls(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_run ideal, r;

        a_faultless_run(&ideal, seed);
        set_up(&r, seed);
        r.provider.drop_item_rate = 0.02;
        play(&r);
        CHECK(tokens(&r) <= 1.05 * tokens(&ideal));
        CHECK(calls(&r) <= 1.2 * calls(&ideal));
        sim_run_end(&r);
        sim_run_end(&ideal);
    }
}

/* On the mean: a batch that fails three times has its items go alone, lest one
 * of them takes the others along, and one run in forty has such a batch. */
static void failed_calls_cost_their_share_and_no_more(void)
{
    double more_calls = 0, more_time = 0;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_run ideal, r;

        a_faultless_run(&ideal, seed);
        set_up(&r, seed);
        r.provider.error_rate = 0.05;
        play(&r);
        more_calls += calls(&r) / calls(&ideal) - 1;
        more_time += (double)r.virtual_ns / (double)ideal.virtual_ns - 1;
        sim_run_end(&r);
        sim_run_end(&ideal);
    }
    CHECK(more_calls / SEEDS <= 0.1);
    CHECK(more_time / SEEDS <= 0.5);
}

/* Both at once, under a limit on calls: where single calls cost the most. */
static void trouble_under_a_rate_limit_leaves_most_of_the_pace(void)
{
    double more = 0;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_run ideal, r;

        set_up(&ideal, seed);
        ideal.provider.rpm = 500;
        play(&ideal);
        set_up(&r, seed);
        r.provider.rpm = 500;
        r.provider.error_rate = 0.05;
        r.provider.drop_item_rate = 0.02;
        play(&r);
        more += (double)r.virtual_ns / (double)ideal.virtual_ns - 1;
        sim_run_end(&r);
        sim_run_end(&ideal);
    }
    CHECK(more / SEEDS <= 0.5);
}

TEST_MAIN(CASE(items_left_out_cost_a_few_tokens_and_no_single_calls),
          CASE(failed_calls_cost_their_share_and_no_more),
          CASE(trouble_under_a_rate_limit_leaves_most_of_the_pace))

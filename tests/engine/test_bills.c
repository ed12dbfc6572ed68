/* What was billed is counted, whatever became of the answer. */
#include "engine/base/units.h"
#include "engine/sim/world.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

/* The first half of a bill says that the answer cost nothing. */
static void a_bill_that_broke_off_counts_at_its_worst(void)
{
    unsigned doubts = 0;

    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct sim_run r;

        sim_run_init(&r, seed);
        r.items = 1;
        r.provider.disconnect_rate = 1;
        sim_run_set(&r, "stream", "off");
        sim_run_set(&r, "max_attempts", "1");
        sim_run_all(&r);
        CHECK_INT(r.served.billed_nano_usd, <=, r.engine->purse.budget.spent);
        /* What it told of its usage is no doubt, but a bill. */
        CHECK_INT(r.stats.maybe_paid_twice_nano_usd, ==,
                  r.stats.cost_nano_usd ? 0 : r.engine->purse.budget.spent);
        doubts += r.stats.cost_nano_usd == 0;
        sim_run_end(&r);
    }
    CHECK_INT(doubts, >, 0);
}

struct pair {
    unsigned answered;
    int64_t cost[2];
    enum asb_source source[2];
};

static void on_first(struct asb_engine *e, const struct asb_result *r,
                     void *arg)
{
    struct pair *p = arg;

    (void)e;
    p->answered++;
    p->cost[0] = r->cost_nano_usd;
    p->source[0] = r->source;
}

static void on_second(struct asb_engine *e, const struct asb_result *r,
                      void *arg)
{
    struct pair *p = arg;

    (void)e;
    p->answered++;
    p->cost[1] = r->cost_nano_usd;
    p->source[1] = r->source;
}

static void ask(struct sim_run *r, enum asb_class priority, asb_done_cb done,
                struct pair *p)
{
    struct asb_request request = { .size = sizeof(request),
                                   .id = ASBI_STR("1"),
                                   .text = ASBI_STR("the same"),
                                   .priority = priority };

    CHECK_INT(asb_submit(r->engine, &request, done, p, NULL), ==, ASB_OK);
}

/* The first is asked for in vain and waits to be asked for again; the second,
 * which is in more of a hurry, goes in its place. */
static bool play_pair(uint64_t seed, struct pair *p)
{
    struct sim_run r;

    *p = (struct pair){ .answered = 0 };
    sim_run_init(&r, seed);
    r.provider.drop_item_rate = 0.5;
    sim_run_set(&r, "batch_wait", "4s");
    sim_run_start(&r);
    CHECK_INT(r.rc, ==, ASB_OK);
    ask(&r, ASB_BACKGROUND, on_first, p);
    while (r.engine->stats.items_retried == 0 && asbi_sim_world_step(r.world))
        ;
    bool again = p->answered == 0;
    if (again)
        ask(&r, ASB_URGENT, on_second, p);
    while (!asbi_engine_idle(r.engine) && asbi_sim_world_step(r.world))
        ;
    CHECK_INT(p->cost[0] + p->cost[1], ==, r.engine->stats.cost_nano_usd);
    sim_run_end(&r);
    return again;
}

static void who_shares_an_answer_pays_nothing(void)
{
    struct pair p;
    unsigned pairs = 0;

    for (uint64_t seed = 1; seed <= 20; seed++) {
        if (!play_pair(seed, &p))
            continue;
        pairs++;
        CHECK_INT(p.answered, ==, 2);
        CHECK(p.source[0] == ASB_API_CALL || p.cost[0] == 0);
        CHECK(p.source[1] == ASB_API_CALL || p.cost[1] == 0);
    }
    CHECK_INT(pairs, >, 3);
}

/* There is no memory to queue who has just taken the lead. */
static void who_overtakes_in_vain_takes_nobody_along_twice(void)
{
    for (size_t n = 1; n <= 12; n++) {
        struct pair p = { .answered = 0 };
        struct sim_run r;
        struct asb_request request = { .size = sizeof(request),
                                       .id = ASBI_STR("1"),
                                       .text = ASBI_STR("the same"),
                                       .priority = ASB_URGENT };

        sim_run_init(&r, n);
        sim_run_start(&r);
        ask(&r, ASB_BACKGROUND, on_first, &p);
        r.mem.fail_at = r.mem.seen + n;
        unsigned taken = 1;
        taken += asb_submit(r.engine, &request, on_second, &p, NULL) == ASB_OK;
        r.mem.fail_at = 0;
        asb_drain(r.engine);
        while (!asbi_engine_idle(r.engine) && asbi_sim_world_step(r.world))
            ;
        CHECK_INT(p.answered, ==, taken);
        sim_run_end(&r);
    }
}

/* A body that names a dearer model than the lane's, cancelled on its way or
 * not: what was counted for it. */
static int64_t cost_of_body(bool cancelled)
{
    struct pair p = { .answered = 0 };
    struct sim_run r;
    struct asb_request request = {
        .size = sizeof(request),
        .payload = ASB_BODY,
        .body = ASBI_STR("{\"model\":\"gpt-4.1\",\"messages\":[{\"role\":"
                         "\"user\",\"content\":\"Good day to you\"}]}")
    };
    uint64_t item;

    sim_run_init(&r, 3);
    sim_run_set(&r, "model", "sim-1");
    sim_run_start(&r);
    CHECK_INT(asb_submit(r.engine, &request, on_first, &p, &item), ==, ASB_OK);
    asb_drain(r.engine);
    while (r.engine->calls.count == 0)
        CHECK(asbi_sim_world_step(r.world));
    if (cancelled)
        CHECK_INT(asb_cancel(r.engine, item), ==, ASB_OK);
    while (r.engine->calls.count)
        CHECK(asbi_sim_world_step(r.world));
    int64_t cost = r.engine->stats.cost_nano_usd;
    CHECK_INT(r.engine->purse.budget.spent, ==, cost);
    sim_run_end(&r);
    return cost;
}

static void a_cancelled_body_costs_what_its_own_model_does(void)
{
    CHECK_INT(cost_of_body(false), >, 0);
    CHECK_INT(cost_of_body(true), ==, cost_of_body(false));
}

TEST_MAIN(CASE(who_overtakes_in_vain_takes_nobody_along_twice),
          CASE(a_cancelled_body_costs_what_its_own_model_does),
          CASE(a_bill_that_broke_off_counts_at_its_worst),
          CASE(who_shares_an_answer_pays_nothing))

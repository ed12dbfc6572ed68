/* Several lanes for one job: shares, limits, losses, and one purse. */
#include "engine/routes.h"

#include "engine/base/units.h"
#include "engine/sim/world.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

#define LANE_A "name=a,base_url=http://a.test/v1"
#define LANE_B "name=b,base_url=http://b.test/v1"

static void set(struct sim_run *r, const char *name, const char *value)
{
    size_t n = 0;

    while (r->options[n][0])
        n++;
    r->options[n][0] = name;
    r->options[n][1] = value;
}

/* A run by these routes, with a provider at a.test and another at b.test. */
static void start(struct sim_run *r, const char *routes,
                  const struct asbi_sim_options *a,
                  const struct asbi_sim_options *b)
{
    set(r, "routes", routes);
    sim_run_start(r);
    CHECK_INT(r->rc, ==, ASB_OK);
    CHECK_INT(asbi_sim_world_add_site(r->world, "a.test", a), ==, ASB_OK);
    CHECK_INT(asbi_sim_world_add_site(r->world, "b.test", b), ==, ASB_OK);
}

static struct asb_route route(const struct sim_run *r, size_t index)
{
    struct asb_route out = { .size = sizeof(out) };

    CHECK(asb_engine_route(r->engine, index, &out));
    return out;
}

/* Each item was answered once, and the lanes' books agree with all others. */
static void check_books(const struct sim_run *r)
{
    struct asb_route lane = { .size = sizeof(lane) };
    uint64_t items = 0, calls = 0;
    int64_t cost = 0, paid = 0;

    CHECK(r->finished);
    for (size_t i = 0; asb_engine_route(r->engine, i, &lane); i++) {
        items += lane.items;
        calls += lane.calls;
        cost += lane.cost_nano_usd;
        CHECK_INT(lane.in_flight, ==, 0);
    }
    for (size_t i = 0; i < r->items; i++) {
        CHECK_INT(r->answers[i].callbacks, ==, 1);
        paid += r->answers[i].cost;
    }
    CHECK_INT(items, ==, r->stats.items_ok);
    CHECK_INT(calls, ==, r->stats.calls);
    CHECK_INT(cost, ==, r->stats.cost_nano_usd);
    CHECK_INT(paid, ==, cost);
    CHECK_INT(r->engine->purse.budget.reserved, ==, 0);
}

static size_t count_by(const struct sim_run *r, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < r->items; i++)
        n += r->answers[i].ok && strcmp(r->answers[i].route, name) == 0;
    return n;
}

static void items_are_shared_out_by_weight(void)
{
    struct sim_run r;

    sim_run_init(&r, 1);
    r.items = 4000;
    set(&r, "batch_size", "10");
    start(&r, LANE_A ",weight=3;" LANE_B, &r.provider, &r.provider);
    sim_run_play(&r);
    check_books(&r);
    CHECK_INT(r.stats.items_ok, ==, 4000);
    CHECK_INT(count_by(&r, "a"), >=, 2940);
    CHECK_INT(count_by(&r, "a"), <=, 3060);
    CHECK_INT(count_by(&r, "a") + count_by(&r, "b"), ==, 4000);
    CHECK_INT(asbi_sim_world_site_stats(r.world, "a.test")->items, ==,
              count_by(&r, "a"));
    sim_run_end(&r);
}

/* Ends the lane of this host when a tenth of the items is answered. */
static bool lose_midway(struct sim_run *r, void *host)
{
    if (r->answered * 10 > r->items)
        asbi_sim_world_site_down(r->world, host, true);
    return true;
}

static void a_lane_that_dies_hands_its_items_over(void)
{
    char host[] = "b.test";
    struct sim_run r;

    sim_run_init(&r, 2);
    r.items = 3000;
    set(&r, "batch_size", "10");
    r.on_step = lose_midway;
    r.on_step_arg = host;
    start(&r, LANE_A ";" LANE_B, &r.provider, &r.provider);
    sim_run_play(&r);
    check_books(&r);
    CHECK_INT(r.stats.items_ok, ==, 3000);
    CHECK_INT(r.stats.halt, ==, ASB_RUNNING);
    CHECK_INT(count_by(&r, "a"), >, 1600);
    CHECK_INT(count_by(&r, "b"), >, 100);
    sim_run_end(&r);
}

static void a_fallback_takes_over_and_only_then(void)
{
    char host[] = "sim.test";
    struct asbi_sim_options options;
    struct sim_run r;

    sim_run_init(&r, 3);
    options = r.provider;
    r.items = 1000;
    set(&r, "batch_size", "10");
    set(&r, "fallback", LANE_B);
    start(&r, "name=a", &options, &options);
    r.on_step = NULL;
    sim_run_play(&r);
    check_books(&r);
    CHECK_INT(count_by(&r, "a"), ==, 1000);
    sim_run_end(&r);

    sim_run_init(&r, 3);
    r.items = 1000;
    set(&r, "batch_size", "10");
    set(&r, "fallback", "name=b,base_url=http://b.test/v1");
    start(&r, "name=a,base_url=http://a.test/v1", &options, &options);
    host[0] = 'a';
    (void)snprintf(host, sizeof(host), "a.test");
    r.on_step = lose_midway;
    r.on_step_arg = host;
    sim_run_play(&r);
    check_books(&r);
    CHECK_INT(r.stats.items_ok, ==, 1000);
    CHECK_INT(count_by(&r, "a"), >, 90);
    CHECK_INT(count_by(&r, "b"), >, 200);
    sim_run_end(&r);
}

static void a_lane_at_its_quota_lends_its_share(void)
{
    struct asbi_sim_options slow;
    struct sim_run r;

    sim_run_init(&r, 4);
    r.items = 3000;
    set(&r, "batch_size", "10");
    slow = r.provider;
    slow.rpm = 60;
    start(&r, LANE_A ",rpm=60,weight=9;" LANE_B, &slow, &r.provider);
    sim_run_play(&r);
    check_books(&r);
    CHECK_INT(r.stats.items_ok, ==, 3000);
    CHECK_INT(r.stats.calls_429, ==, 0);
    CHECK_INT(r.virtual_ns, <, 20 * ASBI_SECOND);
    CHECK_INT(count_by(&r, "b"), >, 2000);
    CHECK_INT(count_by(&r, "a"), >, 0);
    sim_run_end(&r);
}

static void a_refused_key_costs_one_lane_not_the_run(void)
{
    struct asbi_sim_options locked;
    struct sim_run r;

    sim_run_init(&r, 5);
    r.items = 500;
    locked = r.provider;
    locked.require_key = true;
    start(&r, LANE_A ";" LANE_B, &locked, &r.provider);
    sim_run_play(&r);
    check_books(&r);
    CHECK_INT(r.stats.items_ok, ==, 500);
    CHECK_INT(r.stats.halt, ==, ASB_RUNNING);
    CHECK_INT(route(&r, 0).halt, ==, ASB_HALT_PROVIDER);
    CHECK_INT(route(&r, 1).halt, ==, ASB_RUNNING);
    CHECK_INT(count_by(&r, "b"), ==, 500);
    sim_run_end(&r);
}

static void a_failing_lane_is_left_alone_for_a_while(void)
{
    struct asbi_sim_options broken;
    struct sim_run r;

    sim_run_init(&r, 6);
    r.items = 2000;
    set(&r, "batch_size", "10");
    set(&r, "max_attempts", "20");
    broken = r.provider;
    broken.error_rate = 1;
    start(&r, LANE_A ";" LANE_B, &broken, &r.provider);
    sim_run_play(&r);
    check_books(&r);
    CHECK_INT(r.stats.items_ok, ==, 2000);
    CHECK_INT(count_by(&r, "b"), ==, 2000);
    CHECK_INT(route(&r, 0).calls, <, 100);
    sim_run_end(&r);
}

static void the_run_is_over_when_the_last_lane_is_lost(void)
{
    struct asbi_sim_options locked;
    struct sim_run r;

    sim_run_init(&r, 7);
    r.items = 300;
    locked = r.provider;
    locked.require_key = true;
    start(&r, LANE_A ";" LANE_B, &locked, &locked);
    sim_run_play(&r);
    CHECK_INT(r.stats.halt, ==, ASB_HALT_PROVIDER);
    CHECK_INT(r.stats.items_ok, ==, 0);
    CHECK(strlen(r.stats.halt_reason) > 0);
    sim_run_end(&r);
}

static void lanes_spend_from_one_purse_at_their_own_prices(void)
{
    struct sim_run r;

    sim_run_init(&r, 8);
    r.items = 4000;
    set(&r, "batch_size", "10");
    set(&r, "budget", "0.03");
    start(&r,
          LANE_A ",input_price=1,output_price=2;" LANE_B
                 ",input_price=0.1,output_price=0.2",
          &r.provider, &r.provider);
    sim_run_play(&r);
    check_books(&r);
    CHECK_INT(r.stats.halt, ==, ASB_HALT_BUDGET);
    CHECK_INT(r.stats.cost_nano_usd, <=, 30000000);
    CHECK_INT(r.stats.cost_nano_usd, >, 29000000);
    struct asb_route a = route(&r, 0), b = route(&r, 1);
    CHECK(a.items > 0 && b.items > 0);
    double dear = (double)a.cost_nano_usd / (double)a.items;
    double cheap = (double)b.cost_nano_usd / (double)b.items;
    CHECK(dear > 9 * cheap && dear < 11 * cheap);
    sim_run_end(&r);
}

static void workers_count_over_all_lanes(void)
{
    struct sim_run r;

    sim_run_init(&r, 9);
    r.items = 1000;
    set(&r, "batch_size", "5");
    set(&r, "workers", "7");
    start(&r, LANE_A ";" LANE_B, &r.provider, &r.provider);
    sim_run_play(&r);
    check_books(&r);
    CHECK_INT(r.stats.items_ok, ==, 1000);
    CHECK_INT(r.stats.in_flight_max, ==, 7);
    sim_run_end(&r);
}

/* A lane that takes calls and never answers must not hold the others. */
static void a_lane_that_hangs_does_not_hold_the_others(void)
{
    struct asbi_sim_options hangs;
    struct sim_run r;

    sim_run_init(&r, 10);
    r.items = 2000;
    set(&r, "batch_size", "5");
    hangs = r.provider;
    hangs.latency.base_ns = 90 * ASBI_SECOND;
    start(&r, LANE_A ",workers=4;" LANE_B, &hangs, &r.provider);
    sim_run_play(&r);
    check_books(&r);
    CHECK_INT(r.stats.items_ok, ==, 2000);
    CHECK_INT(count_by(&r, "a"), <=, 40);
    CHECK_INT(r.virtual_ns, <, 200 * ASBI_SECOND);
    sim_run_end(&r);
}

static void what_a_fallback_said_is_not_kept(void)
{
    struct asbi_sim_options locked;
    struct asbi_memory_stats kept;
    struct sim_run r;

    for (int lost = 0; lost < 2; lost++) {
        sim_run_init(&r, 11);
        r.items = 100;
        locked = r.provider;
        locked.require_key = lost;
        set(&r, "fallback", LANE_B);
        start(&r, LANE_A, &locked, &r.provider);
        sim_run_play(&r);
        check_books(&r);
        CHECK_INT(r.stats.items_ok, ==, 100);
        CHECK_INT(count_by(&r, lost ? "b" : "a"), ==, 100);
        asbi_memory_stats(r.engine->recall.memory, &kept);
        CHECK_INT(kept.items, ==, lost ? 0 : 100);
        sim_run_end(&r);
    }
}

/* What answers are kept under. */
static void models_of(const char *routes, const char *fallback, char out[256])
{
    struct sim_run r;
    struct asbi_buf text;

    sim_run_init(&r, 12);
    set(&r, "fallback", fallback);
    start(&r, routes, &r.provider, &r.provider);
    asbi_buf_init(&text, &asbi_mem_system, 255);
    asbi_routes_put_models(r.engine, &text);
    (void)snprintf(out, 256, "%.*s", (int)text.len, text.data ? text.data : "");
    asbi_buf_fini(&text);
    sim_run_end(&r);
}

static void answers_are_kept_under_the_models_that_share_the_job(void)
{
    char one[256], two[256], turned[256];

    models_of("model=x", "model=z", one);
    CHECK_STR(asbi_str_c(one), "");
    models_of("model=x;model=x,base_url=http://b.test/v1", "", one);
    CHECK_STR(asbi_str_c(one), "");
    models_of("model=x;model=y", "model=z", two);
    CHECK_STR(asbi_str_c(two), "\nopenai x\nopenai y");
    models_of("model=y;model=x;model=y", "", turned);
    CHECK_STR(asbi_str_c(turned), two);
}

static void lanes_of_one_name_are_told_apart(void)
{
    struct sim_run r;

    sim_run_init(&r, 13);
    start(&r, "model=x;model=x,base_url=http://b.test/v1;model=y", &r.provider,
          &r.provider);
    CHECK_STR(asbi_str_c(route(&r, 0).name), "sim/x");
    CHECK_STR(asbi_str_c(route(&r, 1).name), "sim/x#2");
    CHECK_STR(asbi_str_c(route(&r, 2).name), "sim/y");
    CHECK_STR(asbi_str_c(r.engine->config->model), "x");
    sim_run_end(&r);
}

static void every_failed_allocation_is_survived(void)
{
    for (size_t n = 1; n < 3000; n += 1 + n / 60) {
        struct sim_run r;

        sim_run_init(&r, 14);
        r.items = 20;
        r.fail_at = n;
        set(&r, "routes", LANE_A ";" LANE_B);
        sim_run_start(&r);
        if (!r.rc)
            sim_run_play(&r);
        sim_run_end(&r);
    }
}

TEST_MAIN(CASE(items_are_shared_out_by_weight),
          CASE(a_lane_that_dies_hands_its_items_over),
          CASE(a_fallback_takes_over_and_only_then),
          CASE(a_lane_at_its_quota_lends_its_share),
          CASE(a_refused_key_costs_one_lane_not_the_run),
          CASE(a_failing_lane_is_left_alone_for_a_while),
          CASE(the_run_is_over_when_the_last_lane_is_lost),
          CASE(lanes_spend_from_one_purse_at_their_own_prices),
          CASE(workers_count_over_all_lanes),
          CASE(a_lane_that_hangs_does_not_hold_the_others),
          CASE(what_a_fallback_said_is_not_kept),
          CASE(answers_are_kept_under_the_models_that_share_the_job),
          CASE(lanes_of_one_name_are_told_apart),
          CASE(every_failed_allocation_is_survived))

/*
 * Money under failures and crashes: random runs, each ended once or more by a
 * crash, go on with what the books say is left.  The provider's own bill is
 * the judge.
 */
#include "engine/base/rng.h"
#include "engine/base/units.h"
#include "engine/sim/world.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

struct life {
    struct asbi_rng rng;
    int64_t limit;
    int64_t booked; /* by all runs so far: spent, and reserved at a crash */
    int64_t billed; /* by the provider */
    bool halted;    /* the last run ended for want of money */
};

static bool crash_at(struct sim_run *r, void *arg)
{
    const size_t *steps = arg;

    (void)r;
    return --*(size_t *)(uintptr_t)steps > 0;
}

static void random_provider(struct life *l, struct asbi_sim_options *p)
{
    p->error_rate = 0.2 * asbi_rng_unit(&l->rng);
    p->drop_item_rate = 0.1 * asbi_rng_unit(&l->rng);
    p->truncate_rate = 0.1 * asbi_rng_unit(&l->rng);
    p->garbage_rate = 0.1 * asbi_rng_unit(&l->rng);
    p->disconnect_rate = 0.1 * asbi_rng_unit(&l->rng);
    p->network.cut_rate = 0.05 * asbi_rng_unit(&l->rng);
    p->latency.sigma = 0.5;
}

/* What has been answered when the process dies is in the provider's books, and
 * what is on its way may get there. */
static void run_once(struct life *l, uint64_t seed, bool crashes)
{
    char money[32];
    struct sim_run r;
    size_t steps = 1 + asbi_rng_below(&l->rng, 2000);

    sim_run_init(&r, seed);
    r.items = 1500;
    random_provider(l, &r.provider);
    (void)snprintf(money, sizeof(money), "%.9f",
                   (double)(l->limit - l->booked) / 1e9);
    sim_run_set(&r, "budget", money);
    sim_run_set(&r, "max_attempts", "20");
    r.on_step = crashes ? crash_at : NULL;
    r.on_step_arg = &steps;
    sim_run_start(&r);
    CHECK_INT(r.rc, ==, ASB_OK);
    sim_run_play(&r);
    const struct asbi_budget *b = &r.engine->purse.budget;
    if (b->spent + b->reserved > b->limit)
        check_fail(__FILE__, __LINE__, "seed %zu: %.9f and %.9f of %.9f",
                   (size_t)seed, (double)b->spent / 1e9,
                   (double)b->reserved / 1e9, (double)b->limit / 1e9);
    l->booked += b->spent + b->reserved;
    l->billed += r.served.billed_nano_usd;
    l->halted = r.stats.halt == ASB_HALT_BUDGET;
    sim_run_end(&r);
}

static void check_life(uint64_t seed)
{
    struct life l = { .halted = false };

    asbi_rng_seed(&l.rng, seed);
    l.limit = ASBI_USD / 1000 * (int64_t)(40 + asbi_rng_below(&l.rng, 20));
    for (uint64_t crashes = asbi_rng_below(&l.rng, 4); crashes > 0; crashes--) {
        if (l.limit - l.booked < 1000)
            break;
        run_once(&l, 10 * seed + crashes, true);
        CHECK(l.billed <= l.limit);
    }
    for (uint64_t n = 0; !l.halted && n < 20 && l.limit > l.booked; n++)
        run_once(&l, 10 * seed + 5 + n, false);
    if (getenv("ASB_TEST_VERBOSE"))
        (void)fprintf(stderr, "%.4f of %.4f booked, %.4f billed, halted %d\n",
                      (double)l.booked / 1e9, (double)l.limit / 1e9,
                      (double)l.billed / 1e9, l.halted);
    CHECK(l.billed <= l.limit);
    CHECK(l.booked <= l.limit);
    CHECK(!l.halted || l.booked * 100 >= l.limit * 98);
}

/* More is always asked for than the money allows; one call's worst case is
 * less than a fiftieth of it. */
static void the_budget_is_used_up_and_never_passed(void)
{
    for (uint64_t seed = 1; seed <= check_times(30, 10000); seed++)
        check_life(seed);
}

static enum asb_class first_in_background(size_t i)
{
    return i ? ASB_URGENT : ASB_BACKGROUND;
}

static const char *same_text(size_t i, char *room, size_t size)
{
    (void)i;
    (void)snprintf(room, size, "the same");
    return room;
}

/* The urgent one shares the answer of the other, which was on its way and has
 * to go again when most of the budget is spent. */
static void what_an_urgent_item_waits_for_is_not_held_back(void)
{
    struct sim_run r;

    sim_run_init(&r, 1);
    r.items = 2;
    r.text = same_text;
    r.priority = first_in_background;
    sim_run_set(&r, "model", "sim-1");
    sim_run_set(&r, "budget", "1");
    sim_run_start(&r);
    CHECK(sim_run_submit(&r));
    asb_flush(r.engine);
    while (r.engine->calls.count == 0)
        CHECK(asbi_sim_world_step(r.world));
    CHECK(sim_run_submit(&r));
    CHECK_INT(r.engine->recall.following.count, ==, 1);
    asbi_sim_world_site_down(r.world, "", true);
    while (r.engine->calls.count)
        CHECK(asbi_sim_world_step(r.world));
    asbi_sim_world_site_down(r.world, "", false);
    r.engine->purse.budget.spent = 9 * ASBI_USD / 10;
    sim_run_play(&r);
    CHECK_INT(sim_run_ok(&r), ==, 2);
    sim_run_end(&r);
}

TEST_MAIN(CASE(the_budget_is_used_up_and_never_passed),
          CASE(what_an_urgent_item_waits_for_is_not_held_back))

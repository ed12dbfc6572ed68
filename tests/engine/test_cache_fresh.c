/* Answers near their end and past it. */
#include "cache/fresh.h"

#include <math.h>

#include "engine/base/rng.h"
#include "engine/base/units.h"
#include "engine/recall.h"
#include "engine/sim/world.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

static void the_end_is_told_as_early_as_the_formula_says(void)
{
    struct asbi_rng rng;

    asbi_rng_seed(&rng, 5);
    for (int k = 0; k <= 4; k++) {
        uint64_t left = (uint64_t)k * 1000;
        int early = 0;

        for (int i = 0; i < 20000; i++)
            early +=
                asbi_fresh_ends(50000, 50000 + left, 1000, asbi_rng_unit(&rng));
        CHECK(fabs(early / 20000.0 - exp(-k)) < 0.015);
    }
    CHECK(asbi_fresh_ends(5, 5, 1, 0.99));
    CHECK(!asbi_fresh_ends(5, UINT64_MAX, 1000, 1e-300));
}

/* ---- by hand ---------------------------------------------------------- */

struct hand {
    unsigned callbacks;
    bool ok;
    enum asb_source source;
};

static struct hand hand;

static void on_hand(struct asb_engine *e, const struct asb_result *result,
                    void *arg)
{
    (void)e;
    (void)arg;
    hand.callbacks++;
    hand.ok = result->ok;
    hand.source = result->source;
}

static uint64_t calls(struct sim_run *r)
{
    return asbi_sim_world_stats(r->world)->calls;
}

/* Asks once and waits until nothing is left to do. */
static void ask(struct sim_run *r, const char *text)
{
    struct asb_request request = { .size = sizeof(request),
                                   .text = asbi_str_c(text) };

    hand = (struct hand){ 0 };
    CHECK_INT(asb_submit(r->engine, &request, on_hand, NULL, NULL), ==, ASB_OK);
    asb_flush(r->engine);
    while (!asbi_engine_idle(r->engine))
        CHECK(asbi_sim_world_step(r->world));
    CHECK_INT(hand.callbacks, ==, 1);
}

/* Lets virtual time pass. */
static void on_alarm(void *owner)
{
    *(bool *)owner = true;
}

static void pass(struct sim_run *r, uint64_t ns)
{
    bool rung = false;

    r->engine->on_alarm = on_alarm;
    r->engine->owner = &rung;
    r->engine->alarm_ns = asbi_now(r->world) + ns;
    r->world->ops->wake(r->world);
    while (!rung)
        CHECK(asbi_sim_world_step(r->world));
    r->engine->alarm_ns = ASBI_NEVER;
}

static void begin(struct sim_run *r, const char *ttl, const char *stale)
{
    sim_run_init(r, 5);
    r->items = 1;
    sim_run_set(r, "cache_ttl", ttl);
    sim_run_set(r, "cache_stale", stale);
    sim_run_start(r);
    CHECK_INT(r->rc, ==, ASB_OK);
}

static void a_stale_answer_serves_while_it_is_refreshed(void)
{
    struct sim_run r;

    begin(&r, "10m", "1h");
    ask(&r, "Open the door");
    CHECK_INT(calls(&r), ==, 1);
    pass(&r, 60 * ASBI_SECOND);
    ask(&r, "Open the door");
    CHECK_INT(calls(&r), ==, 1); /* it is fresh */
    pass(&r, 1000 * ASBI_SECOND);
    ask(&r, "Open the door");
    CHECK(hand.ok && hand.source != ASB_API_CALL);
    CHECK_INT(calls(&r), ==, 2); /* and it was asked for anew */
    pass(&r, 60 * ASBI_SECOND);
    ask(&r, "Open the door");
    CHECK_INT(calls(&r), ==, 2); /* fresh again */
    CHECK_INT(r.engine->stats.items_refreshed, ==, 1);
    CHECK_INT(r.engine->stats.items_total, ==, 4);
    CHECK_INT(r.engine->stats.items_ok, ==, 4);
    CHECK_INT(r.engine->held_items, ==, 0);
    sim_run_end(&r);
}

static void what_is_too_old_does_not_serve(void)
{
    struct sim_run r;

    begin(&r, "10m", "0s");
    ask(&r, "Open the door");
    pass(&r, 1000 * ASBI_SECOND);
    ask(&r, "Open the door");
    CHECK_INT(hand.source, ==, ASB_API_CALL);
    CHECK_INT(calls(&r), ==, 2);
    sim_run_end(&r);
}

static void many_at_once_refresh_once(void)
{
    struct asb_request request = { .size = sizeof(request),
                                   .text = ASBI_STR("Open the door") };
    struct sim_run r;

    begin(&r, "10m", "1h");
    ask(&r, "Open the door");
    pass(&r, 1000 * ASBI_SECOND);
    hand.callbacks = 0;
    for (int i = 0; i < 500; i++)
        CHECK_INT(asb_submit(r.engine, &request, on_hand, NULL, NULL), ==,
                  ASB_OK);
    asb_drain(r.engine);
    while (!asbi_engine_idle(r.engine))
        CHECK(asbi_sim_world_step(r.world));
    CHECK_INT(hand.callbacks, ==, 500);
    CHECK_INT(calls(&r), ==, 2);
    sim_run_end(&r);
}

static void every_failed_allocation_is_survived(void)
{
    size_t all = 0;

    for (size_t n = 1; all == 0 || n <= all; n += 1 + n / 30) {
        struct sim_run r;

        sim_run_init(&r, 5);
        r.items = 1;
        r.fail_at = n;
        sim_run_set(&r, "cache_ttl", "1s");
        sim_run_set(&r, "cache_stale", "1h");
        sim_run_start(&r);
        if (!r.rc) {
            struct asb_request request = { .size = sizeof(request),
                                           .text = ASBI_STR("Open") };

            for (int i = 0; i < 3; i++) {
                int rc = asb_submit(r.engine, &request, on_hand, NULL, NULL);

                CHECK(rc == ASB_OK || rc == ASB_ENOMEM);
                asb_flush(r.engine);
                while (!asbi_engine_idle(r.engine))
                    CHECK(asbi_sim_world_step(r.world));
                pass(&r, 5 * ASBI_SECOND);
            }
        }
        if (r.mem.seen < n)
            all = r.mem.seen;
        sim_run_end(&r);
    }
}

TEST_MAIN(CASE(the_end_is_told_as_early_as_the_formula_says),
          CASE(a_stale_answer_serves_while_it_is_refreshed),
          CASE(what_is_too_old_does_not_serve), CASE(many_at_once_refresh_once),
          CASE(every_failed_allocation_is_survived))

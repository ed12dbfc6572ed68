/* No call reaches the provider before it is durable that it will. */
#include "engine/sim/world.h"

#include "engine/base/units.h"
#include "engine/call.h"
#include "tests/support/check.h"
#include "tests/support/mem_journal.h"
#include "tests/support/sim_run.h"

struct rig {
    struct sim_run run;
    struct mem_journal disk;
    struct asbi_journal journal;
    void (*turn)(void *arg);
    unsigned turns;
    bool name_rows;
};

/* After each turn of the engine, whatever it did. */
static void on_turn(void *arg)
{
    struct rig *g = arg;
    const struct asb_engine *e = g->run.engine;

    g->turn(g->run.engine);
    g->turns++;
    size_t on_the_wire = e->calls.count - e->held.count;
    CHECK_INT(asbi_sim_world_stats(g->run.world)->calls, <=, g->disk.intents);
    CHECK_INT(g->disk.ends + on_the_wire, <=, g->disk.intents);
    /* What is neither sent nor known to have ended is bounded by what may be
     * in flight: no more can be paid for twice. */
    CHECK_INT(g->disk.intents - g->disk.ends, <=, e->stats.in_flight_max);
    if (g->journal.failing && !e->stopped)
        asb_stop(g->run.engine);
}

static void rig_init(struct rig *g, uint64_t seed)
{
    *g = (struct rig){ .turns = 0 };
    sim_run_init(&g->run, seed);
    mem_journal_init(&g->disk);
    sim_run_set(&g->run, "batch_size", "5");
    sim_run_set(&g->run, "workers", "6");
}

static void name_rows(void *arg, const struct asbi_call *call)
{
    (void)arg;
    for (size_t i = 0; i < call->count; i++)
        call->entries[i].item->row = call->entries[i].item->number;
}

static void rig_play(struct rig *g)
{
    const struct asbi_journal_state none = { .round = 1 };

    sim_run_start(&g->run);
    CHECK_INT(g->run.rc, ==, ASB_OK);
    asbi_journal_init(&g->journal, &g->run.engine->mem, &g->disk.store, &none);
    g->run.engine->journal = &g->journal;
    g->turn = g->run.world->on_turn;
    g->run.world->on_turn = on_turn;
    g->run.world->arg = g;
    if (g->name_rows)
        g->run.engine->watch.on_send = name_rows;
    sim_run_play(&g->run);
    CHECK(g->turns > 1);
}

static void rig_end(struct rig *g)
{
    asbi_journal_fini(&g->journal);
    g->run.engine->journal = NULL;
    sim_run_end(&g->run);
}

static size_t count_ok(const struct sim_run *r)
{
    size_t ok = 0;

    for (size_t i = 0; i < r->items; i++) {
        CHECK_INT(r->answers[i].callbacks, <=, 1);
        ok += r->answers[i].ok;
    }
    return ok;
}

static void each_call_is_durable_before_it_is_sent(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rig g;

        rig_init(&g, seed);
        g.run.provider.drop_item_rate = 0.05;
        g.run.provider.disconnect_rate = 0.02;
        g.run.provider.error_rate = 0.02;
        rig_play(&g);
        CHECK(g.run.finished);
        CHECK_INT(g.disk.intents, ==, g.run.stats.calls);
        rig_end(&g);
    }
}

static void a_journal_changes_no_answer(void)
{
    struct sim_run plain;
    struct rig g;

    rig_init(&g, 3);
    plain = g.run;
    sim_run_all(&plain);
    rig_play(&g);
    CHECK_INT(count_ok(&g.run), ==, count_ok(&plain));
    CHECK_INT(g.run.stats.cost_nano_usd, ==, plain.stats.cost_nano_usd);
    CHECK_INT(g.journal.state.cost, ==, plain.stats.cost_nano_usd);
    rig_end(&g);
    sim_run_end(&plain);
}

/* From its n-th commit on the disk takes no more. */
static void without_a_durable_intent_nothing_is_sent(void)
{
    for (size_t n = 1; n <= 30; n++) {
        struct rig g;

        rig_init(&g, n);
        g.disk.fail_from = n;
        g.disk.fail_until = SIZE_MAX;
        rig_play(&g);
        CHECK_INT(g.run.served.calls, <=, g.disk.intents);
        CHECK_INT(g.disk.commits, <, n);
        if (n == 1)
            CHECK_INT(g.run.served.calls, ==, 0);
        rig_end(&g);
    }
}

/* What was held up while the disk was full is not sent, but what was under way
 * is taken in, and durable when there is room again. */
static void answers_outlast_a_disk_that_is_full_for_a_while(void)
{
    struct rig g;

    rig_init(&g, 9);
    g.disk.fail_from = 4;
    g.disk.fail_until = 4;
    rig_play(&g);
    CHECK_INT(asbi_journal_commit(&g.journal, ASBI_SECOND * 100), ==, ASB_OK);
    CHECK_INT(g.disk.refused, ==, 1);
    CHECK_INT(g.disk.intents, ==, g.disk.ends);
    CHECK_INT(g.journal.state.cost, ==, g.run.stats.cost_nano_usd);
    CHECK_INT(count_ok(&g.run), >, 0);
    rig_end(&g);
}

/* A reply that takes its time is durable item by item; one that is there at
 * once only by its end. */
static void a_reply_that_streams_is_kept_as_it_comes(void)
{
    for (int slow = 0; slow < 2; slow++) {
        struct rig g;

        rig_init(&g, 4);
        g.run.items = 50;
        sim_run_set(&g.run, "stream", "on");
        g.run.provider.latency.per_output_token_ns = slow ? 20 * ASBI_MS : 0;
        g.name_rows = true;
        rig_play(&g);
        CHECK(g.run.finished);
        CHECK_INT(g.disk.parts, <=, 50);
        if (slow)
            CHECK_INT(g.disk.parts, >=, 30);
        else
            CHECK_INT(g.disk.parts, ==, 0);
        rig_end(&g);
    }
}

static void every_failed_allocation_is_survived(void)
{
    for (size_t n = 1; n < 4000; n += 7) {
        struct rig g;

        rig_init(&g, 1);
        g.run.items = 30;
        g.run.fail_at = n;
        sim_run_start(&g.run);
        if (g.run.rc) {
            CHECK_INT(g.run.rc, ==, ASB_ENOMEM);
            sim_run_end(&g.run);
            continue;
        }
        const struct asbi_journal_state none = { .round = 1 };
        asbi_journal_init(&g.journal, &g.run.engine->mem, &g.disk.store, &none);
        g.run.engine->journal = &g.journal;
        sim_run_play(&g.run);
        CHECK_INT(g.run.served.calls, <=, g.disk.intents);
        rig_end(&g);
    }
}

TEST_MAIN(CASE(each_call_is_durable_before_it_is_sent),
          CASE(a_journal_changes_no_answer),
          CASE(without_a_durable_intent_nothing_is_sent),
          CASE(answers_outlast_a_disk_that_is_full_for_a_while),
          CASE(a_reply_that_streams_is_kept_as_it_comes),
          CASE(every_failed_allocation_is_survived))

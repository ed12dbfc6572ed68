/* What happens to machines in ten minutes: the network is gone, the clocks
 * jump. A job waits for it to pass, pays nothing twice, and loses nothing. */
#include "engine/sim/world_state.h"

#include "engine/base/units.h"
#include "tests/support/check.h"
#include "tests/support/mem_journal.h"
#include "tests/support/sim_run.h"

#define MINUTE (60 * ASBI_SECOND)

struct rig {
    struct sim_run run;
    struct mem_journal disk;
    struct asbi_journal journal;
    void (*turn)(void *arg);
    void (*disturb)(struct rig *g, uint64_t now);
    unsigned times;
};

static void on_turn(void *arg)
{
    struct rig *g = arg;

    g->disturb(g, asbi_now(g->run.world));
    g->turn(g->run.engine);
}

/* Some 70 seconds of work. */
static void rig_play(struct rig *g, void (*disturb)(struct rig *, uint64_t))
{
    const struct asbi_journal_state none = { .round = 1 };

    *g = (struct rig){ .disturb = disturb };
    sim_run_init(&g->run, 5);
    g->run.items = 2000;
    g->run.provider.latency.base_ns = ASBI_SECOND;
    sim_run_set(&g->run, "batch_size", "5");
    sim_run_set(&g->run, "workers", "6");
    sim_run_start(&g->run);
    CHECK_INT(g->run.rc, ==, ASB_OK);
    mem_journal_init(&g->disk);
    asbi_journal_init(&g->journal, &g->run.engine->mem, &g->disk.store, &none);
    g->run.engine->journal = &g->journal;
    g->turn = g->run.world->on_turn;
    g->run.world->on_turn = on_turn;
    g->run.world->arg = g;
    sim_run_play(&g->run);
    CHECK(g->run.finished);
    CHECK_INT(asbi_journal_commit(&g->journal, 0), ==, ASB_OK);
    for (size_t i = 0; i < g->run.items; i++)
        CHECK_INT(g->run.answers[i].callbacks, ==, 1);
}

static void rig_end(struct rig *g)
{
    asbi_journal_fini(&g->journal);
    g->run.engine->journal = NULL;
    sim_run_end(&g->run);
}

static size_t count_ok(const struct rig *g)
{
    size_t ok = 0;

    for (size_t i = 0; i < g->run.items; i++)
        ok += g->run.answers[i].ok;
    return ok;
}

static struct asbi_sim_network *network(struct rig *g)
{
    return &((struct asbi_sim_world *)(void *)g->run.world)->options.network;
}

static void gone_for(struct rig *g, uint64_t now, uint64_t length)
{
    uint64_t from = 20 * ASBI_SECOND;

    network(g)->refuse_rate = now >= from && now < from + length;
}

static void gone_for_ten_minutes(struct rig *g, uint64_t now)
{
    gone_for(g, now, 10 * MINUTE);
}

static void the_network_may_be_gone_for_ten_minutes(void)
{
    struct rig g;

    rig_play(&g, gone_for_ten_minutes);
    CHECK_INT(count_ok(&g), ==, g.run.items);
    CHECK_INT(g.run.virtual_ns, >, 10 * MINUTE);
    CHECK_INT(g.run.virtual_ns, <, 13 * MINUTE);
    CHECK_INT(g.run.stats.maybe_paid_twice_nano_usd, ==, 0);
    CHECK_INT(g.run.served.calls, ==, 400);
    rig_end(&g);
}

static void gone_for_good(struct rig *g, uint64_t now)
{
    gone_for(g, now, 1000 * MINUTE);
}

/* What was answered stays; the rest is told why, and that it can be resumed. */
static void without_a_network_the_job_ends_in_good_order(void)
{
    struct rig g;

    rig_play(&g, gone_for_good);
    size_t ok = count_ok(&g);
    CHECK(ok > 0 && ok < g.run.items);
    CHECK_INT(g.run.virtual_ns, >, 10 * MINUTE);
    CHECK_INT(g.run.virtual_ns, <, 60 * MINUTE);
    CHECK_INT(g.run.stats.halt, ==, ASB_HALT_PROVIDER);
    CHECK(strstr(g.run.stats.halt_reason, "cannot be reached") != NULL);
    CHECK(strstr(g.run.stats.halt_reason, "run the same command again"));
    CHECK_INT(g.disk.intents, ==, g.disk.ends);
    rig_end(&g);
}

/* Set back and forth by a day, at every second. */
static void calendar_jumps(struct rig *g, uint64_t now)
{
    const int64_t day = 86400000;

    if (now / ASBI_SECOND <= g->times)
        return;
    g->times++;
    asbi_sim_world_jump(g->run.world, 0, g->times % 2 ? -day : day);
}

static void the_calendar_may_jump(void)
{
    struct rig g;

    rig_play(&g, calendar_jumps);
    CHECK(g.times > 50);
    CHECK_INT(count_ok(&g), ==, g.run.items);
    CHECK_INT(g.run.served.calls, ==, 400);
    CHECK_INT(g.run.virtual_ns, <, 80 * ASBI_SECOND);
    rig_end(&g);
}

/* As when a notebook is closed for ten minutes, three times. */
static void machine_sleeps(struct rig *g, uint64_t now)
{
    if (g->times == 3 ||
        now < 12 * ASBI_SECOND + g->times * (10 * MINUTE + 12 * ASBI_SECOND))
        return;
    g->times++;
    asbi_sim_world_jump(g->run.world, 10 * MINUTE, (int64_t)(600 * 1000));
}

/* Calls that were under way may be lost with it: they are asked again once and
 * counted. */
static void the_machine_may_sleep(void)
{
    struct rig g;

    rig_play(&g, machine_sleeps);
    CHECK_INT(g.times, ==, 3);
    CHECK_INT(count_ok(&g), ==, g.run.items);
    CHECK_INT(g.run.served.calls, <=, 400 + 3 * 6);
    CHECK_INT(g.disk.intents, ==, g.disk.ends);
    rig_end(&g);
}

TEST_MAIN(CASE(the_network_may_be_gone_for_ten_minutes),
          CASE(without_a_network_the_job_ends_in_good_order),
          CASE(the_calendar_may_jump), CASE(the_machine_may_sleep))

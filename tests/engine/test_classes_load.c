/*
 * Classes under load, in the whole engine and in virtual time: four workers
 * with calls of four fifths of a second, items by chance and in bursts.
 */
#include <math.h>

#include "engine/base/rng.h"
#include "engine/base/units.h"
#include "engine/sim/world.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

enum { MOST_ITEMS = 80000 };

static const double service_s = 0.2; /* of all four together */

static struct {
    uint64_t at_ns[MOST_ITEMS];
    enum asb_class priority[MOST_ITEMS];
} arrivals;

static enum asb_class class_of(size_t i)
{
    return arrivals.priority[i];
}

static double exponential(struct asbi_rng *rng, double mean)
{
    return -mean * log(1 - asbi_rng_unit(rng));
}

/* 20 % urgent, 50 % normal, 30 % background; half as many again for some
 * seconds, then half as many. */
static size_t draw_arrivals(uint64_t seed, double load, double seconds)
{
    struct asbi_rng rng;
    double at = 0, turns = 0;
    bool busy = false;
    size_t n = 0;

    asbi_rng_seed(&rng, seed);
    while (at < seconds) {
        double u = asbi_rng_unit(&rng);

        CHECK(n < MOST_ITEMS);
        arrivals.at_ns[n] = (uint64_t)(at * 1e9);
        arrivals.priority[n++] = u < 0.2   ? ASB_URGENT
                                 : u < 0.7 ? ASB_NORMAL
                                           : ASB_BACKGROUND;
        for (; turns <= at; turns += exponential(&rng, 20))
            busy = !busy;
        at += exponential(&rng, service_s / load / (busy ? 1.5 : 0.5));
    }
    return n;
}

/* Nothing happens between two events, so an item is at most a call late. */
static void play(struct sim_run *r, uint64_t start)
{
    while (r->answered < r->items) {
        uint64_t now = asbi_now(r->world) - start;

        while (r->submitted < r->items && arrivals.at_ns[r->submitted] <= now)
            CHECK(sim_run_submit(r));
        if (asbi_sim_world_step(r->world))
            continue;
        CHECK(r->submitted < r->items);
        asbi_sim_world_jump(r->world, arrivals.at_ns[r->submitted] - now, 0);
    }
}

/* What became of a class until the arrivals end. */
struct service {
    double asked, done, missed, longest_s;
};

static void look_back(const struct sim_run *r, uint64_t start, double until_s,
                      struct service out[ASBI_CLASSES])
{
    static const double target_s[ASBI_CLASSES] = {
        [ASB_URGENT] = 10, [ASB_NORMAL] = 120, [ASB_BACKGROUND] = 1200
    };

    for (size_t i = 0; i < r->items; i++) {
        struct service *s = &out[class_of(i)];
        double answered = (double)(r->answers[i].at_ns - start) / 1e9;
        double waited = answered - (double)arrivals.at_ns[i] / 1e9;

        CHECK(r->answers[i].ok);
        s->asked++;
        if (answered > until_s)
            continue;
        s->done++;
        s->missed += waited > target_s[class_of(i)];
        s->longest_s = fmax(s->longest_s, waited);
    }
}

/* Returns the late answers that the engine counted. */
static uint64_t run(uint64_t seed, double load, double seconds,
                    struct service out[ASBI_CLASSES])
{
    struct asb_stats stats = { .size = sizeof(stats) };
    struct sim_run r;

    memset(out, 0, ASBI_CLASSES * sizeof(*out));
    sim_run_init(&r, seed);
    r.items = draw_arrivals(seed, load, seconds);
    r.priority = class_of;
    r.provider.network.round_trip_ns = 0;
    r.provider.latency =
        (struct asbi_sim_latency){ .uniform_from_ns = 400 * ASBI_MS,
                                   .uniform_to_ns = 1200 * ASBI_MS };
    r.options[0][0] = "workers";
    r.options[0][1] = "4";
    r.options[1][0] = "batch_size";
    r.options[1][1] = "1";
    sim_run_start(&r);
    CHECK_INT(r.rc, ==, ASB_OK);
    uint64_t start = asbi_now(r.world);
    play(&r, start);
    look_back(&r, start, seconds, out);
    asb_engine_stats(r.engine, &stats);
    sim_run_end(&r);
    return stats.sla_misses;
}

static void tell(const char *what, const struct service s[ASBI_CLASSES])
{
    if (!getenv("ASB_TEST_VERBOSE"))
        return;
    (void)fprintf(stderr,
                  "%-9s late: urgent %.2f %%, normal %.2f %%, background %.2f "
                  "%%; background waits %.0f s at most\n",
                  what, 100 * s[ASB_URGENT].missed / s[ASB_URGENT].done,
                  100 * s[ASB_NORMAL].missed / s[ASB_NORMAL].done,
                  100 * s[ASB_BACKGROUND].missed / s[ASB_BACKGROUND].done,
                  s[ASB_BACKGROUND].longest_s);
}

static void under_bursts_hardly_an_urgent_one_is_late(void)
{
    for (uint64_t seed = 1; seed <= check_times(2, 10); seed++) {
        struct service s[ASBI_CLASSES];

        (void)run(seed, 0.95, (double)check_times(2000, 10000), s);
        tell("bursts", s);
        CHECK(s[ASB_URGENT].missed < 0.005 * s[ASB_URGENT].done);
        CHECK(s[ASB_BACKGROUND].longest_s < 2400);
    }
}

/* A tenth of all calls is sure for background, so none waits longer than its
 * target and what is before it takes at that. */
static void in_overload_the_urgent_are_kept_and_none_starves(void)
{
    for (uint64_t seed = 1; seed <= check_times(2, 10); seed++) {
        struct service s[ASBI_CLASSES];
        double seconds = 12000;
        uint64_t counted = run(seed, 1.15, seconds, s);
        const struct service *bg = &s[ASB_BACKGROUND];

        tell("overload", s);
        CHECK(s[ASB_URGENT].missed < 0.01 * s[ASB_URGENT].done);
        CHECK(bg->done * service_s > 0.1 * 0.9 * seconds);
        CHECK(bg->longest_s < 1200 + (bg->asked - bg->done) * service_s / 0.1);
        CHECK(counted > 0 && (double)counted >= s[ASB_NORMAL].missed * 0.9);
    }
}

TEST_MAIN(CASE(under_bursts_hardly_an_urgent_one_is_late),
          CASE(in_overload_the_urgent_are_kept_and_none_starves))

/* How much is asked again: of poisoned batches, and of a provider that
 * fails. */
#include "engine/base/rng.h"
#include "engine/base/units.h"
#include "engine/call.h"
#include "engine/engine.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

enum { BATCH = 64 };

static bool poisoned[BATCH];

static const char *sentence(size_t i, char *room, size_t size)
{
    (void)snprintf(room, size, "Sentence number %zu.%s", i,
                   poisoned[i] ? " Arsenic." : "");
    return room;
}

static void poison(uint64_t seed, size_t count)
{
    struct asbi_rng rng;

    asbi_rng_seed(&rng, seed);
    memset(poisoned, 0, sizeof(poisoned));
    while (count > 0) {
        uint64_t i = asbi_rng_below(&rng, BATCH);

        count -= !poisoned[i];
        poisoned[i] = true;
    }
}

/* All good items answered once, the bad ones refused in the provider's words,
 * and no more calls than halving needs. */
static void check_batch(size_t bad, uint64_t most_calls)
{
    uint64_t worst = 0;

    for (uint64_t seed = 1; seed <= check_times(20, 1000); seed++) {
        struct sim_run r;

        poison(seed, bad);
        sim_run_init(&r, seed);
        r.items = BATCH;
        r.text = sentence;
        r.provider.refuses = "Arsenic";
        sim_run_set(&r, "batch_size", "64");
        sim_run_all(&r);
        for (size_t i = 0; i < BATCH; i++) {
            CHECK_INT(r.answers[i].ok, ==, !poisoned[i]);
            CHECK(r.answers[i].ok ||
                  strcmp(r.answers[i].code, "content_filter") == 0);
        }
        CHECK_INT(r.stats.items_ok, ==, BATCH - bad);
        CHECK_INT(r.served.items, ==, BATCH - bad); /* each answered once */
        CHECK_INT(r.stats.calls, <=, most_calls);
        worst = r.stats.calls > worst ? r.stats.calls : worst;
        sim_run_end(&r);
    }
    if (getenv("ASB_TEST_VERBOSE"))
        (void)fprintf(stderr, "%zu bad of 64: at most %zu calls\n", bad,
                      (size_t)worst);
}

static void one_poison_item_of_64_costs_at_most_13_calls(void)
{
    check_batch(1, 13);
}

static void two_poison_items_of_64_cost_at_most_23_calls(void)
{
    check_batch(2, 23);
}

static void five_poison_items_of_64_cost_at_most_45_calls(void)
{
    check_batch(5, 45);
}

/* ---- a failing provider ------------------------------------------------- */

static void failing(struct sim_run *r, uint64_t seed, double rate)
{
    sim_run_init(r, seed);
    r->items = 1000;
    r->provider.error_rate = rate;
    r->provider.latency.base_ns = ASBI_SECOND;
    sim_run_set(r, "batch_size", "1");
    sim_run_set(r, "max_attempts", "100");
}

/* A retry for every two good answers, ten, and ten a minute; also where the
 * breaker has enough of it before all is answered. */
static void retries_stay_within_their_budget(void)
{
    size_t whole = 0;

    for (uint64_t seed = 1; seed <= check_times(5, 50); seed++) {
        struct sim_run r;

        failing(&r, seed, 0.37);
        sim_run_all(&r);
        uint64_t retries = 0;
        for (size_t i = 0; i < r.items; i++)
            retries +=
                r.answers[i].attempts > 1 ? r.answers[i].attempts - 1 : 0;
        double minutes = (double)r.virtual_ns / 6e10;
        double most = 0.5 * (double)r.stats.items_ok + 11 + 10 * minutes;
        CHECK((double)retries <= most);
        whole += r.stats.items_ok == r.items;
        if (getenv("ASB_TEST_VERBOSE"))
            (void)fprintf(stderr, "%zu answered, %zu retries of %.0f, %.0f s\n",
                          (size_t)r.stats.items_ok, (size_t)retries, most,
                          (double)r.virtual_ns / 1e9);
        sim_run_end(&r);
    }
    CHECK_INT(whole, >=, 3);
}

/* As long as two of three calls are good, no retry waits for more than its
 * back-off. */
static void a_few_failures_do_not_slow_a_run_down(void)
{
    for (uint64_t seed = 1; seed <= check_times(3, 30); seed++) {
        struct sim_run r;

        failing(&r, seed, 0.2);
        sim_run_all(&r);
        CHECK_INT(r.stats.items_ok, ==, 1000);
        CHECK(r.virtual_ns < 120 * ASBI_SECOND);
        sim_run_end(&r);
    }
}

/* Nor where each request is a call of its own. */
static void a_few_failures_do_not_slow_single_requests_down(void)
{
    for (uint64_t seed = 1; seed <= check_times(3, 30); seed++) {
        struct sim_run r;

        failing(&r, seed, 0.2);
        sim_run_set(&r, "task", "raw");
        sim_run_all(&r);
        CHECK_INT(r.stats.items_ok, ==, 1000);
        CHECK(r.virtual_ns < 120 * ASBI_SECOND);
        sim_run_end(&r);
    }
}

/* Nobody answers: the breaker opens, and before long the run ends, with all
 * that was not asked still to be asked. */
static void a_dead_provider_is_not_asked_again_and_again(void)
{
    struct sim_run r;

    failing(&r, 1, 1);
    r.items = 3000;
    r.provider.latency.base_ns = 100 * ASBI_MS;
    sim_run_all(&r);
    CHECK_INT(r.stats.items_ok, ==, 0);
    CHECK(r.stats.halt == ASB_HALT_PROVIDER);
    CHECK_INT(r.stats.calls, <, 100);
    sim_run_end(&r);
}

/* Before it is sent, or when another try would have to wait for longer. */
static void who_would_be_late_fails_and_may_be_asked_for_later(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_run r;

        sim_run_init(&r, seed);
        r.items = 4;
        r.provider.error_rate = 1;
        r.deadline_ms = 600;
        sim_run_set(&r, "batch_size", "1");
        sim_run_set(&r, "max_attempts", "50");
        sim_run_all(&r);
        for (size_t i = 0; i < r.items; i++) {
            CHECK(strcmp(r.answers[i].code, "deadline_exceeded") == 0);
            CHECK(r.answers[i].retryable);
        }
        sim_run_end(&r);
    }
}

/* The most output that a call has asked for, and the least. */
struct rooms {
    uint64_t least, most;
};

static bool note_room(struct sim_run *r, void *arg)
{
    struct rooms *rooms = arg;

    ASBI_LIST_EACH (link, &r->engine->calls) {
        const struct asbi_call *call =
            ASBI_OF(link, const struct asbi_call, link);
        uint64_t room = call->demand.max_output_tokens;

        rooms->least = room < rooms->least ? room : rooms->least;
        rooms->most = room > rooms->most ? room : rooms->most;
    }
    return true;
}

static void who_does_not_fit_alone_gets_more_room_each_time(void)
{
    struct rooms rooms = { .least = UINT64_MAX };
    struct sim_run r;

    sim_run_init(&r, 1);
    r.items = 1;
    r.provider.truncate_rate = 1;
    r.on_step = note_room;
    r.on_step_arg = &rooms;
    sim_run_set(&r, "max_attempts", "4");
    sim_run_all(&r);
    CHECK_INT(sim_run_ok(&r), ==, 0);
    CHECK_INT(r.stats.calls, ==, 4);
    CHECK_INT(rooms.most, >, 4 * rooms.least);
    sim_run_end(&r);
}

TEST_MAIN(CASE(who_would_be_late_fails_and_may_be_asked_for_later),
          CASE(who_does_not_fit_alone_gets_more_room_each_time),
          CASE(one_poison_item_of_64_costs_at_most_13_calls),
          CASE(two_poison_items_of_64_cost_at_most_23_calls),
          CASE(five_poison_items_of_64_cost_at_most_45_calls),
          CASE(retries_stay_within_their_budget),
          CASE(a_few_failures_do_not_slow_a_run_down),
          CASE(a_few_failures_do_not_slow_single_requests_down),
          CASE(a_dead_provider_is_not_asked_again_and_again))

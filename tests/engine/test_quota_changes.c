/*
 * What a provider does not announce: a quota that is suddenly half, and a
 * server without a quota that gets slow when it is asked too much.  The whole
 * engine in virtual time; two seeds, with ASB_TEST_LONG ten.
 */
#include "engine/base/units.h"
#include "engine/call.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

enum { RPM = 500, TPM = 200000, MINUTES = 10, KNEE = 40 };

/* ---- what is seen of the calls ------------------------------------------ */

enum { MOST_CALLS = 40000 };

struct seen {
    struct asb_engine *engine;
    size_t count;
    uint64_t at_ns[MOST_CALLS];
};

static void on_send(void *arg, const struct asbi_call *call)
{
    struct seen *s = arg;

    CHECK(s->count < MOST_CALLS);
    s->at_ns[s->count++] = call->started_ns;
}

static void watch(struct sim_run *r, struct seen *s)
{
    sim_run_start(r);
    CHECK_INT(r->rc, ==, ASB_OK);
    s->count = 0;
    r->engine->watch = (struct asbi_watch){ on_send, s };
}

/* Calls that went between two times. */
static size_t sent_between(const struct seen *s, uint64_t from, uint64_t to)
{
    size_t n = 0;

    for (size_t i = 0; i < s->count; i++)
        n += s->at_ns[i] >= from && s->at_ns[i] < to;
    return n;
}

/* ---- half the quota ----------------------------------------------------- */

/* Some twelve minutes of calls. */
static void limited(struct sim_run *r, uint64_t seed)
{
    sim_run_init(r, seed);
    r->items = 3 * 350 * MINUTES;
    r->provider.rpm = RPM;
    r->provider.tpm = TPM;
    r->provider.latency.base_ns = 2 * ASBI_SECOND;
    r->provider.latency.sigma = 0.3;
    r->provider.halve_at_ns = (1 + 300) * ASBI_SECOND;
    sim_run_set(r, "batch_size", "3");
}

/* A minute after the change as much as allowed is asked again, minute by
 * minute, and hardly any of it is refused. */
static void check_recovery(const struct sim_run *r, const struct seen *s)
{
    uint64_t change = r->provider.halve_at_ns;
    double before = (double)sent_between(s, change - 240 * ASBI_SECOND,
                                         change - 60 * ASBI_SECOND) /
                    3;

    for (unsigned minute = 1; minute <= 4; minute++) {
        uint64_t from = change + minute * 60 * ASBI_SECOND;
        size_t n = sent_between(s, from, from + 60 * ASBI_SECOND);

        if (getenv("ASB_TEST_VERBOSE"))
            (void)fprintf(stderr, "  minute %u: %zu calls, before %.0f\n",
                          minute, n, before);
        CHECK((double)n >= 0.90 * before / 2);
    }
}

static void halve(uint64_t seed)
{
    static struct seen s;
    struct sim_run r;

    limited(&r, seed);
    watch(&r, &s);
    sim_run_play(&r);
    CHECK(r.finished);
    CHECK_INT(r.stats.items_ok, ==, r.items);
    if (getenv("ASB_TEST_VERBOSE"))
        (void)fprintf(stderr, "seed %zu: %zu of %zu calls refused\n",
                      (size_t)seed, (size_t)r.stats.calls_429,
                      (size_t)r.stats.calls);
    CHECK(r.stats.calls_429 * 100 <= 3 * r.stats.calls);
    check_recovery(&r, &s);
    sim_run_end(&r);
}

static void half_the_quota_is_found_within_a_minute(void)
{
    for (uint64_t seed = 1; seed <= check_times(2, 10); seed++)
        halve(seed);
}

/* ---- a knee ------------------------------------------------------------- */

static uint64_t latencies[MOST_CALLS];

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* A call is one item: from its sending to its answer. */
static double p99_seconds(const struct sim_run *r, const struct seen *s)
{
    size_t n = 0;

    for (size_t i = 0; i < r->items; i++)
        latencies[n++] = r->answers[i].at_ns - s->at_ns[i];
    qsort(latencies, n, sizeof(latencies[0]), ascending);
    return (double)latencies[n * 99 / 100] / 1e9;
}

static void one_an_item(struct sim_run *r, uint64_t seed, size_t items)
{
    sim_run_init(r, seed);
    r->items = items;
    r->provider.latency.base_ns = 3 * ASBI_SECOND;
    r->provider.latency.sigma = 0.3;
    sim_run_set(r, "batch_size", "1");
}

static double unloaded_p99(uint64_t seed)
{
    static struct seen s;
    struct sim_run r;

    one_an_item(&r, seed, 1000);
    sim_run_set(&r, "workers", "4");
    watch(&r, &s);
    sim_run_play(&r);
    double p99 = p99_seconds(&r, &s);
    sim_run_end(&r);
    return p99;
}

/* Best is as many as fit, all the time; the mean of the law is 3 s times
 * exp(0.3 x 0.3 / 2). */
static double best_seconds(size_t items)
{
    return (double)items / KNEE * 3 * 1.046;
}

static void knee(uint64_t seed)
{
    static struct seen s;
    struct sim_run r;

    one_an_item(&r, seed, 6000);
    r.provider.capacity = KNEE;
    watch(&r, &s);
    sim_run_play(&r);
    CHECK(r.finished);
    CHECK_INT(r.stats.items_ok, ==, r.items);
    double used = best_seconds(r.items) / ((double)r.virtual_ns / 1e9);
    double slow = p99_seconds(&r, &s) / unloaded_p99(seed);
    if (getenv("ASB_TEST_VERBOSE"))
        (void)fprintf(stderr, "seed %zu: %.3f of the best, p99 %.2f times\n",
                      (size_t)seed, used, slow);
    CHECK(used >= 0.95);
    CHECK(slow <= 3);
    sim_run_end(&r);
}

static void a_knee_is_found_without_flooding_it(void)
{
    for (uint64_t seed = 1; seed <= check_times(2, 10); seed++)
        knee(seed);
}

TEST_MAIN(CASE(half_the_quota_is_found_within_a_minute),
          CASE(a_knee_is_found_without_flooding_it))

#include "engine/sim/quota.h"

#include "engine/base/rng.h"
#include "engine/base/units.h"
#include "tests/support/check.h"

/* A token bucket by brute force: nothing but two sums since it was last full.
 */
struct brute {
    uint64_t per_minute;
    uint64_t full_at_ns; /* it was full at this time */
    uint64_t spent;      /* units since then */
};

/* What was spent may exceed what came since, but not by more than it holds. */
static bool brute_take(struct brute *b, uint64_t units, uint64_t now_ns)
{
    long double came = (long double)(now_ns - b->full_at_ns) *
                       (long double)b->per_minute / 60e9L;

    if (came >= (long double)b->spent) {
        b->full_at_ns = now_ns;
        b->spent = 0;
        came = 0;
    }
    long double level =
        (long double)b->per_minute + came - (long double)b->spent;
    if ((long double)units > level)
        return false;
    b->spent += units;
    return true;
}

static void it_agrees_with_a_brute_force_bucket(void)
{
    static const uint64_t limits[] = { 1, 7, 60, 500, 90000, 250000000 };

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct brute b = { limits[i], 0, 0 };
        struct asbi_sim_quota q;
        struct asbi_rng rng;
        uint64_t now = 0;
        unsigned taken = 0;

        asbi_rng_seed(&rng, i);
        asbi_sim_quota_init(&q, limits[i], 0);
        for (int n = 0; n < 20000; n++) {
            uint64_t units = 1 + asbi_rng_below(&rng, limits[i] / 8 + 1);
            bool want = brute_take(&b, units, now);
            CHECK_INT(asbi_sim_quota_take(&q, units, now), ==, want);
            taken += want;
            now += asbi_rng_below(&rng, 5 * ASBI_SECOND);
        }
        CHECK(taken > 500 && taken < 20000);
    }
}

static void it_starts_full_and_is_sixty_seconds_deep(void)
{
    struct asbi_sim_quota q;

    asbi_sim_quota_init(&q, 60, 5);
    for (int i = 0; i < 60; i++)
        CHECK(asbi_sim_quota_take(&q, 1, 5));
    CHECK(!asbi_sim_quota_take(&q, 1, 5));
    CHECK(!asbi_sim_quota_take(&q, 1, 4 + ASBI_SECOND));
    CHECK(asbi_sim_quota_take(&q, 1, 5 + ASBI_SECOND));
    CHECK(!asbi_sim_quota_take(&q, 61, 1000 * ASBI_SECOND));
    CHECK(asbi_sim_quota_take(&q, 60, 1000 * ASBI_SECOND));
}

static void the_wait_is_exact_to_the_nanosecond(void)
{
    struct asbi_rng rng;

    asbi_rng_seed(&rng, 5);
    for (int n = 0; n < 2000; n++) {
        struct asbi_sim_quota q;
        uint64_t limit = 1 + asbi_rng_below(&rng, 100000);
        uint64_t units = 1 + asbi_rng_below(&rng, limit);

        asbi_sim_quota_init(&q, limit, 0);
        CHECK(asbi_sim_quota_take(&q, limit, 0));
        uint64_t wait = asbi_sim_quota_wait(&q, units);
        CHECK(!asbi_sim_quota_take(&q, units, wait - 1));
        CHECK(asbi_sim_quota_take(&q, units, wait));
    }
}

static void what_can_never_fit_is_said(void)
{
    struct asbi_sim_quota q;

    asbi_sim_quota_init(&q, 100, 0);
    CHECK(asbi_sim_quota_holds(&q, 100));
    CHECK(!asbi_sim_quota_holds(&q, 101));
    CHECK(asbi_sim_quota_wait(&q, 101) == ASBI_NEVER);
}

static void without_a_limit_everything_passes(void)
{
    struct asbi_sim_quota q;

    asbi_sim_quota_init(&q, 0, 0);
    for (int i = 0; i < 100; i++)
        CHECK(asbi_sim_quota_take(&q, UINT64_MAX, 0));
    CHECK(asbi_sim_quota_holds(&q, UINT64_MAX));
    CHECK_INT(asbi_sim_quota_wait(&q, 5), ==, 0);
}

static void time_that_goes_back_gives_nothing(void)
{
    struct asbi_sim_quota q;

    asbi_sim_quota_init(&q, 60, 100 * ASBI_SECOND);
    CHECK(asbi_sim_quota_take(&q, 60, 100 * ASBI_SECOND));
    CHECK(!asbi_sim_quota_take(&q, 1, 0));
    CHECK(!asbi_sim_quota_take(&q, 1, 100 * ASBI_SECOND + 1));
}

static void durations_are_written_as_go_does(void)
{
    static const struct {
        uint64_t ns;
        const char *text;
    } table[] = {
        { 0, "0s" },
        { 1, "1ms" },
        { 12 * ASBI_MS, "12ms" },
        { 999 * ASBI_MS + 1, "1s" },
        { 2500 * ASBI_MS, "2.5s" },
        { 1040 * ASBI_MS, "1.04s" },
        { 1004 * ASBI_MS, "1.004s" },
        { 60 * ASBI_SECOND, "1m0s" },
        { 360 * ASBI_SECOND, "6m0s" },
        { 172800 * ASBI_MS, "2m52.8s" },
        { 3600 * ASBI_SECOND, "1h0m0s" },
        { 3723500 * ASBI_MS, "1h2m3.5s" },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct asbi_buf out;

        asbi_buf_init(&out, &asbi_mem_system, 64);
        asbi_sim_put_go_duration(&out, table[i].ns);
        CHECK_BYTES(out.data, out.len, table[i].text);
        asbi_buf_fini(&out);
    }
}

TEST_MAIN(CASE(it_agrees_with_a_brute_force_bucket),
          CASE(it_starts_full_and_is_sixty_seconds_deep),
          CASE(the_wait_is_exact_to_the_nanosecond),
          CASE(what_can_never_fit_is_said),
          CASE(without_a_limit_everything_passes),
          CASE(time_that_goes_back_gives_nothing),
          CASE(durations_are_written_as_go_does))

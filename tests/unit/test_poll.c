/* When a provider is asked again. */
#include "scheduler/poll.h"

#include "engine/base/units.h"
#include "tests/support/check.h"

static const struct asbi_poll_typical unknown = { 0 };

static uint64_t wait_at(uint64_t age_s, double unit)
{
    return asbi_poll_wait(&asbi_poll_media, &unknown, age_s * ASBI_SECOND, 0,
                          unit);
}

static void waits_grow_with_the_age(void)
{
    CHECK_INT(wait_at(0, 0.5), ==, ASBI_SECOND);
    CHECK_INT(wait_at(100, 0.5), ==, 10 * ASBI_SECOND);
    CHECK_INT(wait_at(100000, 0.5), ==, 20 * ASBI_SECOND);
}

static void batches_of_a_day_are_asked_after_now_and_then(void)
{
    const struct asbi_poll_policy *p = &asbi_poll_batches;

    CHECK_INT(asbi_poll_wait(p, NULL, 0, 0, 0.5), ==, ASBI_SECOND);
    CHECK_INT(asbi_poll_wait(p, NULL, 80 * ASBI_SECOND, 0, 0.5), ==,
              10 * ASBI_SECOND);
    CHECK_INT(asbi_poll_wait(p, NULL, 3600 * ASBI_SECOND, 0, 0.5), ==,
              120 * ASBI_SECOND);
}

static void jitter_is_a_fifth(void)
{
    CHECK_INT(wait_at(100, 0), ==, 8 * ASBI_SECOND);
    CHECK_INT(wait_at(100, 0.999999), <=, 12 * ASBI_SECOND);
}

static void a_long_job_is_asked_after_few_times(void)
{
    uint64_t now = 0, asked = 0;

    while (now < 180 * ASBI_SECOND) {
        now += asbi_poll_wait(&asbi_poll_media, &unknown, now, 0, 0.5);
        asked++;
    }
    CHECK_INT(asked, <, 45);
    CHECK_INT(now, <, 200 * ASBI_SECOND);
}

static void nobody_asks_long_before_the_usual_end(void)
{
    struct asbi_poll_typical usual = { 0 };

    asbi_poll_learn(&usual, 100 * ASBI_SECOND);
    CHECK_INT(asbi_poll_wait(&asbi_poll_media, &usual, 0, 0, 0.5), ==,
              60 * ASBI_SECOND);
    CHECK_INT(
        asbi_poll_wait(&asbi_poll_media, &usual, 90 * ASBI_SECOND, 0, 0.5), ==,
        9 * ASBI_SECOND);
    asbi_poll_learn(&usual, 50 * ASBI_SECOND);
    CHECK(usual.seconds > 89 && usual.seconds < 91);
}

static void a_long_usual_time_hides_no_early_end_for_ever(void)
{
    struct asbi_poll_typical usual = { 1e9 };

    CHECK_INT(asbi_poll_wait(&asbi_poll_media, &usual, 0, 0, 0.5), <=,
              120 * ASBI_SECOND);
}

static void the_provider_may_ask_for_more_patience(void)
{
    CHECK_INT(
        asbi_poll_wait(&asbi_poll_media, &unknown, 0, 30 * ASBI_SECOND, 0.5),
        ==, 30 * ASBI_SECOND);
    CHECK_INT(asbi_poll_wait(&asbi_poll_media, &unknown, 0, 1, 0.5), ==,
              ASBI_SECOND);
}

TEST_MAIN(CASE(waits_grow_with_the_age),
          CASE(batches_of_a_day_are_asked_after_now_and_then),
          CASE(jitter_is_a_fifth), CASE(a_long_job_is_asked_after_few_times),
          CASE(nobody_asks_long_before_the_usual_end),
          CASE(a_long_usual_time_hides_no_early_end_for_ever),
          CASE(the_provider_may_ask_for_more_patience))

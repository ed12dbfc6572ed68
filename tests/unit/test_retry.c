#include "tests/support/check.h"

#include "engine/base/rng.h"
#include "engine/base/units.h"
#include "scheduler/retry.h"

#include <limits.h>
#include <math.h>

static const struct asbi_retry_policy *const policy = &asbi_retry_default;

static void waits_are_uniform_up_to_a_ceiling_that_doubles(void)
{
    static const uint64_t ceilings_ms[] = { 500,  1000,  2000,  4000,
                                            8000, 16000, 30000, 30000 };
    struct asbi_rng r;

    asbi_rng_seed(&r, 1);
    for (unsigned attempt = 1; attempt <= 8; attempt++) {
        double top = (double)(ceilings_ms[attempt - 1] * ASBI_MS);
        double sum = 0, least = top, most = 0;

        for (int i = 0; i < 2000; i++) {
            double wait = (double)asbi_retry_wait(policy, attempt, UINT64_MAX,
                                                  asbi_rng_unit(&r));
            sum += wait;
            least = fmin(least, wait);
            most = fmax(most, wait);
        }
        CHECK(most < top && most > 0.99 * top && least < 0.01 * top);
        CHECK(fabs(sum / 2000 / top - 0.5) < 0.03);
    }
}

static void the_server_s_word_is_kept_up_to_two_minutes(void)
{
    uint64_t wait = asbi_retry_wait(policy, 1, 7 * ASBI_SECOND, 0.9);

    CHECK_INT(wait, ==, 7 * ASBI_SECOND);
    wait = asbi_retry_wait(policy, 4, 10 * ASBI_MS, 0.5);
    CHECK_INT(wait, ==, 2 * ASBI_SECOND); /* the jitter is longer */
    wait = asbi_retry_wait(policy, 1, 120 * ASBI_SECOND, 0);
    CHECK_INT(wait, ==, 120 * ASBI_SECOND);
    CHECK(asbi_retry_wait(policy, 1, 120 * ASBI_SECOND + 1, 0) == ASBI_NEVER);
    CHECK_INT(asbi_retry_wait(policy, 1, 0, 0), ==, 0);
}

static void odd_attempts_and_numbers_stay_within_the_cap(void)
{
    static const double units[] = { NAN, INFINITY, -1, 1, 0.999999 };

    for (size_t i = 0; i < 5; i++) {
        CHECK(asbi_retry_wait(policy, UINT_MAX, UINT64_MAX, units[i]) <=
              30 * ASBI_SECOND);
        CHECK(asbi_retry_wait(policy, 0, UINT64_MAX, units[i]) <=
              ASBI_SECOND / 2);
    }
}

/* ---- breaker ------------------------------------------------------------ */

static bool ready(struct asbi_breaker *b, uint64_t now)
{
    return asbi_breaker_ready_at(b, now) <= now;
}

static void call(struct asbi_breaker *b, bool ok, uint64_t now)
{
    CHECK(ready(b, now));
    asbi_breaker_started(b);
    asbi_breaker_ended(b, ok, now);
}

static void opened(struct asbi_breaker *b, uint64_t now)
{
    asbi_breaker_init(b);
    for (int i = 0; i < 20; i++)
        call(b, false, now);
    CHECK_INT(b->state, ==, ASBI_BREAKER_OPEN);
}

static void it_opens_at_twenty_calls_half_of_them_failed(void)
{
    struct asbi_breaker b;
    uint64_t now = 1000 * ASBI_SECOND;

    asbi_breaker_init(&b);
    for (int i = 0; i < 19; i++) {
        call(&b, i < 9, now);
        CHECK(ready(&b, now));
    }
    call(&b, false, now); /* 9 good, 11 bad */
    CHECK_INT(asbi_breaker_ready_at(&b, now), ==, now + 30 * ASBI_SECOND);
    CHECK_INT(b.times_opened, ==, 1);
    asbi_breaker_init(&b);
    for (int i = 0; i < 1000; i++)
        call(&b, i % 20 < 11, now); /* 45 % fail */
    CHECK_INT(b.state, ==, ASBI_BREAKER_CLOSED);
}

static void only_the_last_minute_counts(void)
{
    struct asbi_breaker b;
    uint64_t now = 1000 * ASBI_SECOND;
    int more = 0;

    asbi_breaker_init(&b);
    for (int i = 0; i < 100; i++) /* 15 a minute */
        call(&b, false, now += 4 * ASBI_SECOND);
    CHECK_INT(b.state, ==, ASBI_BREAKER_CLOSED);
    while (b.state == ASBI_BREAKER_CLOSED) {
        call(&b, false, now);
        more++;
        CHECK_INT(more, <=, 8);
    }
    CHECK_INT(more, >=, 5);

    asbi_breaker_init(&b);
    for (int i = 0; i < 1000; i++)
        call(&b, true, now);
    now += 70 * ASBI_SECOND; /* a good past does not hide a bad present */
    for (int i = 0; i < 20; i++)
        call(&b, false, now);
    CHECK_INT(b.state, ==, ASBI_BREAKER_OPEN);
}

static void three_good_probes_close_it(void)
{
    struct asbi_breaker b;
    uint64_t now = 50 * ASBI_SECOND;

    opened(&b, now);
    CHECK(!ready(&b, now + 30 * ASBI_SECOND - 1));
    now += 30 * ASBI_SECOND;
    for (int i = 0; i < 3; i++) {
        CHECK(ready(&b, now));
        asbi_breaker_started(&b);
    }
    CHECK(!ready(&b, now));
    asbi_breaker_ended(&b, true, now);
    CHECK(!ready(&b, now)); /* a probe that came back makes no room */
    asbi_breaker_ended(&b, true, now);
    asbi_breaker_ended(&b, true, now);
    CHECK_INT(b.state, ==, ASBI_BREAKER_CLOSED);
    CHECK_INT(b.times_opened, ==, 0);
    call(&b, false, now); /* and the past is forgotten */
    CHECK(ready(&b, now));
}

static void one_bad_probe_opens_it_again(void)
{
    struct asbi_breaker b;
    uint64_t now = 50 * ASBI_SECOND;

    opened(&b, now);
    for (unsigned times = 2; times < 5; times++) {
        now += 30 * ASBI_SECOND;
        call(&b, false, now);
        CHECK_INT(b.state, ==, ASBI_BREAKER_OPEN);
        CHECK_INT(b.times_opened, ==, times);
        CHECK_INT(asbi_breaker_ready_at(&b, now), ==, now + 30 * ASBI_SECOND);
    }
}

static void late_ends_of_calls_before_it_opened_say_nothing(void)
{
    struct asbi_breaker b;
    uint64_t now = 50 * ASBI_SECOND;

    opened(&b, now);
    for (int i = 0; i < 10; i++)
        asbi_breaker_ended(&b, i % 2, now + ASBI_SECOND);
    CHECK_INT(asbi_breaker_ready_at(&b, now), ==, now + 30 * ASBI_SECOND);
    CHECK_INT(b.times_opened, ==, 1);
    now += 30 * ASBI_SECOND;
    CHECK(ready(&b, now));
    asbi_breaker_ended(&b, false, now);
    CHECK_INT(b.state, ==, ASBI_BREAKER_HALF);
    CHECK(ready(&b, now));
}

/* Ten minutes of a dead provider, asked as often as is allowed. */
static void a_dead_provider_costs_a_call_each_half_minute(void)
{
    struct asbi_breaker b;
    unsigned calls = 0;
    uint64_t now = 0;

    asbi_breaker_init(&b);
    for (; now < 600 * ASBI_SECOND; now += ASBI_SECOND / 10) {
        while (ready(&b, now)) {
            call(&b, false, now);
            calls++;
        }
    }
    CHECK_INT(calls, <=, 20 + 20);
    CHECK_INT(calls, >=, 20 + 18);
}

/* ---- the budget --------------------------------------------------------- */

static unsigned retries_at(struct asbi_retry_budget *b, uint64_t now)
{
    unsigned n = 0;

    for (; asbi_retry_budget_ready_at(b, now) <= now; n++)
        asbi_retry_budget_spend(b, 1);
    return n;
}

static void ten_retries_are_free_and_ten_a_minute(void)
{
    struct asbi_retry_budget b;

    asbi_retry_budget_init(&b, 0);
    CHECK_INT(retries_at(&b, 0), ==, 10);
    CHECK_INT(asbi_retry_budget_ready_at(&b, 0), >=, 6 * ASBI_SECOND);
    CHECK_INT(asbi_retry_budget_ready_at(&b, 0), <, 6 * ASBI_SECOND + 10);
    CHECK_INT(asbi_retry_budget_ready_at(&b, 3 * ASBI_SECOND), <,
              6 * ASBI_SECOND + 10);
    CHECK_INT(retries_at(&b, 6 * ASBI_SECOND + 10), ==, 1);
    CHECK_INT(retries_at(&b, 3600 * ASBI_SECOND), ==, 10);
}

static void two_good_answers_pay_for_a_retry(void)
{
    struct asbi_retry_budget b;

    asbi_retry_budget_init(&b, 0);
    (void)retries_at(&b, 0);
    for (int i = 0; i < 40; i++)
        asbi_retry_budget_earn(&b, 1);
    CHECK_INT(retries_at(&b, 0), ==, 20);
    for (int i = 0; i < 4000; i++)
        asbi_retry_budget_earn(&b, 1);
    CHECK_INT(retries_at(&b, 0), ==, 100); /* no more is saved up */
}

/* Parts of a call, and a clock that goes back. */
static void parts_of_a_call_count_as_such(void)
{
    struct asbi_retry_budget b;

    asbi_retry_budget_init(&b, 1000);
    for (int i = 0; i < 36; i++) {
        CHECK(asbi_retry_budget_ready_at(&b, 500) <= 500);
        asbi_retry_budget_spend(&b, 0.25);
    }
    CHECK(asbi_retry_budget_ready_at(&b, 500) <= 500);
    asbi_retry_budget_spend(&b, 0.25);
    CHECK(asbi_retry_budget_ready_at(&b, 500) > 500);
}

TEST_MAIN(CASE(waits_are_uniform_up_to_a_ceiling_that_doubles),
          CASE(the_server_s_word_is_kept_up_to_two_minutes),
          CASE(odd_attempts_and_numbers_stay_within_the_cap),
          CASE(it_opens_at_twenty_calls_half_of_them_failed),
          CASE(only_the_last_minute_counts), CASE(three_good_probes_close_it),
          CASE(one_bad_probe_opens_it_again),
          CASE(late_ends_of_calls_before_it_opened_say_nothing),
          CASE(a_dead_provider_costs_a_call_each_half_minute),
          CASE(ten_retries_are_free_and_ten_a_minute),
          CASE(two_good_answers_pay_for_a_retry),
          CASE(parts_of_a_call_count_as_such))

#include "scheduler/benefit.h"

#include "engine/base/units.h"
#include "tests/support/check.h"

#define CENTS(n) (ASBI_USD / 100 * (n))

static struct asbi_benefit weigh(int64_t packed, int64_t single)
{
    struct asbi_way p = { .calls = 1, .items_most = 10, .cost = packed };
    struct asbi_way s = { .calls = 10, .items_most = 1, .cost = single };
    struct asbi_benefit b;

    asbi_benefit_weigh(&p, &s, &b);
    return b;
}

static void a_ratio_over_one_and_a_half_with_savings_is_a_batch(void)
{
    struct asbi_benefit b = weigh(CENTS(100), CENTS(151));

    CHECK_INT(b.advice, ==, ASBI_PROCESS_AS_BATCH);
    CHECK_INT(b.savings, ==, CENTS(51));
    CHECK(b.ratio > 1.5 && b.ratio < 1.52 && !b.by_time);
    CHECK_INT(weigh(CENTS(100), CENTS(150)).advice, ==, ASBI_CONSIDER_BATCH);
}

static void a_ratio_over_one_is_worth_a_thought(void)
{
    CHECK_INT(weigh(CENTS(100), CENTS(103)).advice, ==, ASBI_CONSIDER_BATCH);
    CHECK_INT(weigh(CENTS(100), CENTS(100)).advice, ==,
              ASBI_PROCESS_INDIVIDUALLY);
    CHECK_INT(weigh(CENTS(100), CENTS(40)).advice, ==,
              ASBI_PROCESS_INDIVIDUALLY);
    CHECK(weigh(CENTS(100), CENTS(40)).savings < 0);
}

static void what_costs_nothing_is_judged_by_its_time(void)
{
    struct asbi_way p = { .seconds = 10 }, s = { .seconds = 16 };
    struct asbi_benefit b;

    asbi_benefit_weigh(&p, &s, &b);
    CHECK(b.by_time);
    CHECK_INT(b.advice, ==, ASBI_PROCESS_AS_BATCH);
    p.seconds = 15.9;
    asbi_benefit_weigh(&p, &s, &b);
    CHECK_INT(b.advice, ==, ASBI_CONSIDER_BATCH);
    p.seconds = s.seconds = 0;
    asbi_benefit_weigh(&p, &s, &b);
    CHECK_INT(b.advice, ==, ASBI_PROCESS_INDIVIDUALLY);
}

/* As lists of texts to embed do, which have no prompt to share. */
static void what_costs_about_the_same_is_judged_by_its_time_too(void)
{
    struct asbi_way p = { .cost = CENTS(100), .seconds = 1 };
    struct asbi_way s = { .cost = CENTS(99), .seconds = 60 };
    struct asbi_benefit b;

    asbi_benefit_weigh(&p, &s, &b);
    CHECK(b.by_time);
    CHECK_INT(b.advice, ==, ASBI_PROCESS_AS_BATCH);
    CHECK_INT(b.savings, ==, -CENTS(1));
    s.cost = CENTS(97);
    asbi_benefit_weigh(&p, &s, &b);
    CHECK_INT(b.advice, ==, ASBI_PROCESS_INDIVIDUALLY);
}

static void more_than_ten_items_in_a_call_are_a_medium_risk(void)
{
    struct asbi_way p = { .items_most = 10, .call_worst = CENTS(7) };
    struct asbi_way s = { .items_most = 1 };
    struct asbi_benefit b;

    asbi_benefit_weigh(&p, &s, &b);
    CHECK_INT(b.risk, ==, ASBI_RISK_LOW);
    p.items_most = 11;
    asbi_benefit_weigh(&p, &s, &b);
    CHECK_INT(b.risk, ==, ASBI_RISK_MEDIUM);
    CHECK_INT(b.blast, ==, CENTS(7));
}

static void the_slowest_gate_decides_the_time(void)
{
    struct asbi_pace pace = { .in_flight_start = 10,
                              .in_flight_most = 10,
                              .call_seconds = 2 };

    CHECK(asbi_pace_seconds(&pace, 0, 0) == 0);
    CHECK(asbi_pace_seconds(&pace, 1, 100) == 2);
    CHECK(asbi_pace_seconds(&pace, 100, 100) == 20);
    pace.calls_per_second = 1;
    CHECK(asbi_pace_seconds(&pace, 100, 100) == 100);
    pace.tokens_per_second = 0.5;
    CHECK(asbi_pace_seconds(&pace, 100, 100) == 200);
}

/* 8 in flight for 20 answers, then 16 for 20, then 32 for what is left. */
static void calls_in_flight_grow_as_in_slow_start(void)
{
    struct asbi_pace pace = { .in_flight_start = 8,
                              .in_flight_most = 32,
                              .call_seconds = 1 };

    CHECK(asbi_pace_seconds(&pace, 20, 0) == 2.5);
    CHECK(asbi_pace_seconds(&pace, 40, 0) == 3.75);
    CHECK(asbi_pace_seconds(&pace, 104, 0) == 5.75);
}

static void words_are_those_of_the_reports(void)
{
    CHECK_STR(asbi_str_c(asbi_advice_name(ASBI_PROCESS_AS_BATCH)),
              "process_as_batch");
    CHECK_STR(asbi_str_c(asbi_advice_name(ASBI_CONSIDER_BATCH)),
              "consider_batch");
    CHECK_STR(asbi_str_c(asbi_advice_name(ASBI_PROCESS_INDIVIDUALLY)),
              "process_individually");
    CHECK_STR(asbi_str_c(asbi_risk_name(ASBI_RISK_LOW)), "low");
    CHECK_STR(asbi_str_c(asbi_risk_name(ASBI_RISK_MEDIUM)), "medium");
}

TEST_MAIN(CASE(a_ratio_over_one_and_a_half_with_savings_is_a_batch),
          CASE(a_ratio_over_one_is_worth_a_thought),
          CASE(what_costs_nothing_is_judged_by_its_time),
          CASE(what_costs_about_the_same_is_judged_by_its_time_too),
          CASE(more_than_ten_items_in_a_call_are_a_medium_risk),
          CASE(the_slowest_gate_decides_the_time),
          CASE(calls_in_flight_grow_as_in_slow_start),
          CASE(words_are_those_of_the_reports))

#include "tests/support/check.h"

#include "engine/base/rng.h"
#include "scheduler/budget.h"

static void what_does_not_fit_is_refused_and_changes_nothing(void)
{
    struct asbi_budget b;

    asbi_budget_init(&b, 100);
    CHECK(asbi_budget_reserve(&b, 60));
    CHECK(!asbi_budget_reserve(&b, 41));
    CHECK_INT(b.reserved, ==, 60);
    CHECK_INT(asbi_budget_left(&b), ==, 40);
    CHECK(asbi_budget_reserve(&b, 40));
    CHECK(!asbi_budget_reserve(&b, 1));
    CHECK(asbi_budget_reserve(&b, 0));
}

/* A smaller budget than that of the run which began what goes on. */
static void what_is_owed_is_kept_whether_it_fits_or_not(void)
{
    struct asbi_budget b;

    asbi_budget_init(&b, 100);
    asbi_budget_owe(&b, 60);
    asbi_budget_owe(&b, 60);
    CHECK_INT(b.reserved, ==, 120);
    asbi_budget_settle(&b, 60, 30);
    CHECK_INT(asbi_budget_left(&b), ==, 10);
    CHECK(!asbi_budget_reserve(&b, 11));
    asbi_budget_owe(&b, -5);
    CHECK_INT(b.reserved, ==, 60);
}

static void what_was_reserved_too_much_comes_back(void)
{
    struct asbi_budget b;

    asbi_budget_init(&b, 100);
    CHECK(asbi_budget_reserve(&b, 100));
    asbi_budget_settle(&b, 100, 30);
    CHECK_INT(b.spent, ==, 30);
    CHECK_INT(b.reserved, ==, 0);
    CHECK(asbi_budget_reserve(&b, 70));
    CHECK(!asbi_budget_could(&b, 71));
    CHECK(asbi_budget_could(&b, 70));
}

static void a_bill_over_the_reservation_is_counted_in_full(void)
{
    struct asbi_budget b;

    asbi_budget_init(&b, 100);
    CHECK(asbi_budget_reserve(&b, 90));
    asbi_budget_settle(&b, 90, 130);
    CHECK_INT(b.spent, ==, 130);
    CHECK_INT(asbi_budget_left(&b), ==, 0);
    CHECK(!asbi_budget_reserve(&b, 1));
    CHECK(!asbi_budget_could(&b, 1));
}

static void without_a_limit_everything_fits(void)
{
    struct asbi_budget b;

    asbi_budget_init(&b, INT64_MAX);
    for (int i = 0; i < 4; i++)
        CHECK(asbi_budget_reserve(&b, INT64_MAX / 2));
    CHECK_INT(b.reserved, ==, INT64_MAX);
    asbi_budget_settle(&b, INT64_MAX, INT64_MAX);
    asbi_budget_settle(&b, INT64_MAX, INT64_MAX);
    CHECK_INT(b.spent, ==, INT64_MAX);
    CHECK(asbi_budget_could(&b, INT64_MAX));
}

static void negative_amounts_neither_earn_nor_free(void)
{
    struct asbi_budget b;

    asbi_budget_init(&b, 10);
    CHECK(asbi_budget_reserve(&b, INT64_MIN));
    CHECK(asbi_budget_reserve(&b, 10));
    asbi_budget_settle(&b, -5, -5);
    CHECK_INT(b.reserved, ==, 10);
    CHECK_INT(b.spent, ==, 0);
    asbi_budget_init(&b, -1);
    CHECK(!asbi_budget_reserve(&b, 1));
}

enum { OPEN_MAX = 32 };

/* Calls in flight, each with its worst case; settled at random, at most at
 * what was reserved. */
static void random_run(uint64_t seed)
{
    struct asbi_rng r;
    struct asbi_budget b;
    int64_t open[OPEN_MAX], spent = 0, reserved = 0;
    unsigned n = 0;

    asbi_rng_seed(&r, seed);
    int64_t limit = (int64_t)asbi_rng_below(&r, 1000000);
    asbi_budget_init(&b, limit);
    for (int step = 0; step < 200; step++) {
        int64_t want = (int64_t)asbi_rng_below(&r, 60000);

        if (n < OPEN_MAX && asbi_rng_below(&r, 2)) {
            bool fits = spent + reserved + want <= limit;
            CHECK(asbi_budget_reserve(&b, want) == fits);
            if (fits)
                reserved += open[n++] = want;
        } else if (n > 0) {
            size_t i = (size_t)asbi_rng_below(&r, n);
            int64_t paid = (int64_t)asbi_rng_below(&r, (uint64_t)open[i] + 1);
            asbi_budget_settle(&b, open[i], paid);
            reserved -= open[i];
            spent += paid;
            open[i] = open[--n];
        }
        CHECK_INT(b.spent, ==, spent);
        CHECK_INT(b.reserved, ==, reserved);
        CHECK_INT(b.spent + b.reserved, <=, limit);
        CHECK(asbi_budget_could(&b, want) == (spent + want <= limit));
    }
}

static void ten_thousand_random_runs_never_overspend(void)
{
    for (uint64_t seed = 1; seed <= 10000; seed++)
        random_run(seed);
}

static void shares_are_of_the_limit(void)
{
    struct asbi_budget b;

    asbi_budget_init(&b, 200);
    CHECK(asbi_budget_reserve(&b, 50));
    asbi_budget_settle(&b, 0, 100);
    CHECK(asbi_budget_spent_share(&b) == 0.5);
    CHECK(asbi_budget_used_share(&b) == 0.75);
    asbi_budget_init(&b, INT64_MAX);
    asbi_budget_settle(&b, 0, 100);
    CHECK(asbi_budget_spent_share(&b) == 0);
    asbi_budget_init(&b, 0);
    CHECK(asbi_budget_used_share(&b) == 1);
}

TEST_MAIN(CASE(shares_are_of_the_limit),
          CASE(what_does_not_fit_is_refused_and_changes_nothing),
          CASE(what_is_owed_is_kept_whether_it_fits_or_not),
          CASE(what_was_reserved_too_much_comes_back),
          CASE(a_bill_over_the_reservation_is_counted_in_full),
          CASE(without_a_limit_everything_fits),
          CASE(negative_amounts_neither_earn_nor_free),
          CASE(ten_thousand_random_runs_never_overspend))

#include "tests/support/check.h"

#include "engine/base/rng.h"
#include "engine/base/units.h"
#include "scheduler/price.h"

#include <math.h>

/* 0.15, 0.075 and 0.60 dollars a million. */
static const struct asbi_prices mini = { 150000000, 75000000, 600000000, 0 };

static void a_call_costs_what_its_tokens_cost(void)
{
    struct asb_usage usage = { 1000, 0, 500 };

    CHECK_INT(asbi_price_call(&mini, &usage), ==, 150000 + 300000);
    usage.cached_tokens = 400;
    CHECK_INT(asbi_price_call(&mini, &usage), ==, 90000 + 30000 + 300000);
}

static void a_call_is_rounded_up_once_not_once_a_part(void)
{
    struct asbi_prices thirds = { 400000, 300000, 300000, 0 };
    struct asb_usage one_each = { 2, 1, 1 };
    struct asb_usage none = { 0, 0, 0 };

    CHECK_INT(asbi_price_call(&thirds, &one_each), ==, 1);
    one_each.output_tokens = 2; /* 1.3 */
    CHECK_INT(asbi_price_call(&thirds, &one_each), ==, 2);
    CHECK_INT(asbi_price_call(&thirds, &none), ==, 0);
}

static void without_a_cached_price_cached_input_costs_as_input(void)
{
    struct asbi_prices p = { 1000000, -1, 0, 0 };
    struct asb_usage usage = { 10, 4, 0 };

    CHECK_INT(asbi_price_call(&p, &usage), ==, 10);
    p.cached = 0;
    CHECK_INT(asbi_price_call(&p, &usage), ==, 6);
    usage.cached_tokens = 99; /* more than there is */
    CHECK_INT(asbi_price_call(&p, &usage), ==, 0);
}

static void what_goes_into_the_cache_has_its_own_price(void)
{
    struct asbi_prices p = { 1000000, 100000, 5000000, 1250000 };
    struct asb_usage usage = { 100, 40, 10 };

    /* 60 fresh at 1, 40 cached at 0.1, 10 out at 5, of the fresh 20 at 1.25 */
    CHECK_INT(asbi_price_writing(&p, &usage, 20), ==, 60 + 4 + 50 + 5);
    CHECK_INT(asbi_price_call(&p, &usage), ==, 60 + 4 + 50);
    CHECK_INT(asbi_price_writing(&p, &usage, 999), ==, 60 + 4 + 50 + 15);
    p.cache_write = 0; /* no price of its own */
    CHECK_INT(asbi_price_writing(&p, &usage, 20), ==, 60 + 4 + 50);
}

static void the_worst_case_is_no_less_than_any_bill_within_it(void)
{
    struct asbi_rng r;

    asbi_rng_seed(&r, 7);
    for (int i = 0; i < 20000; i++) {
        struct asbi_prices p = {
            (int64_t)asbi_rng_below(&r, 100000000000),
            (int64_t)asbi_rng_below(&r, 100000000000) - 1,
            (int64_t)asbi_rng_below(&r, 100000000000),
            (int64_t)asbi_rng_below(&r, 100000000000),
        };
        uint64_t in = asbi_rng_below(&r, 2000000);
        uint64_t out = asbi_rng_below(&r, 100000);
        struct asb_usage bill = { .input_tokens = asbi_rng_below(&r, in + 1),
                                  .output_tokens =
                                      asbi_rng_below(&r, out + 1) };

        bill.cached_tokens = asbi_rng_below(&r, bill.input_tokens + 1);
        uint64_t writes = asbi_rng_below(&r, in + 1);
        CHECK_INT(asbi_price_writing(&p, &bill, writes), <=,
                  asbi_price_worst(&p, in, out));
    }
}

static void huge_numbers_stay_at_the_most_and_never_wrap(void)
{
    struct asbi_prices p = { INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX };
    struct asb_usage usage = { UINT64_MAX, UINT64_MAX / 2, UINT64_MAX };

    CHECK_INT(asbi_price_call(&p, &usage), ==, ASBI_PRICE_MAX);
    CHECK_INT(asbi_price_worst(&p, 1, 0), ==, ASBI_PRICE_MAX);
    CHECK_INT(asbi_price_worst(&mini, UINT64_MAX, UINT64_MAX), ==,
              ASBI_PRICE_MAX);
    p = (struct asbi_prices){ INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN };
    CHECK_INT(asbi_price_call(&p, &usage), ==, 0);
    /* Just under the maximum, exact. */
    p = (struct asbi_prices){ ASBI_PRICE_MAX / 1000000, 0, 0, 0 };
    CHECK_INT(asbi_price_worst(&p, 1000000, 0), ==, p.input);
}

static void one_call_agrees_with_the_price_of_its_tokens(void)
{
    struct asbi_rng r;

    asbi_rng_seed(&r, 3);
    for (int i = 0; i < 10000; i++) {
        struct asbi_prices p = { (int64_t)asbi_rng_below(&r, 80000000000), -1,
                                 0, 0 };
        uint64_t in = asbi_rng_below(&r, 10000000);

        CHECK_INT(asbi_price_worst(&p, in, 0), ==, asbi_price_of(in, p.input));
    }
}

/* ---- shares ----------------------------------------------------------- */

enum { ITEMS_MAX = 300 };

struct split {
    struct asb_usage total;
    int64_t cost;
    double in[ITEMS_MAX], out[ITEMS_MAX];
    size_t n;
    struct asb_usage shares[ITEMS_MAX];
    int64_t costs[ITEMS_MAX];
};

static void split(struct split *s)
{
    asbi_price_split_usage(&mini, &s->total, s->cost, s->in, s->out, s->n,
                           s->shares, s->costs);
}

static void check_sums(const struct split *s)
{
    struct asb_usage sum = { 0, 0, 0 };
    int64_t cost = 0;

    for (size_t i = 0; i < s->n; i++) {
        sum.input_tokens += s->shares[i].input_tokens;
        sum.cached_tokens += s->shares[i].cached_tokens;
        sum.output_tokens += s->shares[i].output_tokens;
        CHECK_INT(s->costs[i], >=, 0);
        cost += s->costs[i];
        CHECK(s->shares[i].cached_tokens <= s->shares[i].input_tokens);
    }
    CHECK(sum.input_tokens == s->total.input_tokens);
    CHECK(sum.cached_tokens == s->total.cached_tokens);
    CHECK(sum.output_tokens == s->total.output_tokens);
    CHECK_INT(cost, ==, s->cost);
}

static void units_that_cannot_be_split_go_to_the_earlier_item(void)
{
    struct split s = { .total = { 10, 0, 7 }, .n = 3 };

    memcpy(s.in, (double[]){ 1, 1, 1 }, 3 * sizeof(double));
    memcpy(s.out, (double[]){ 1, 2, 7 }, 3 * sizeof(double)); /* .7 2.1 7 */
    split(&s);
    CHECK_INT(s.shares[0].input_tokens, ==, 4); /* 3.3, 6.7, 10 so far */
    CHECK_INT(s.shares[1].input_tokens, ==, 3);
    CHECK_INT(s.shares[2].input_tokens, ==, 3);
    CHECK_INT(s.shares[0].output_tokens, ==, 1);
    CHECK_INT(s.shares[1].output_tokens, ==, 2);
    CHECK_INT(s.shares[2].output_tokens, ==, 4);
}

static void the_cost_follows_price_not_only_tokens(void)
{
    struct split s = { .total = { 200, 0, 100 }, .n = 2 };

    s.cost = asbi_price_call(&mini, &s.total); /* 30000 in, 60000 out */
    memcpy(s.in, (double[]){ 1, 1 }, 2 * sizeof(double));
    memcpy(s.out, (double[]){ 1, 3 }, 2 * sizeof(double));
    split(&s);
    CHECK_INT(s.costs[0], ==, 15000 + 15000);
    CHECK_INT(s.costs[1], ==, 15000 + 45000);
}

static void a_call_of_one_item_is_all_its_own(void)
{
    struct split s = { .total = { 31, 7, 12 }, .cost = 11400, .n = 1 };

    split(&s);
    CHECK_INT(s.shares[0].input_tokens, ==, 31);
    CHECK_INT(s.shares[0].cached_tokens, ==, 7);
    CHECK_INT(s.shares[0].output_tokens, ==, 12);
    CHECK_INT(s.costs[0], ==, 11400);
}

static void without_weights_the_shares_are_equal(void)
{
    struct asb_usage total = { 9, 3, 6 }, shares[3];
    int64_t costs[3];

    asbi_price_split_usage(&mini, &total, 30, NULL, NULL, 3, shares, costs);
    for (size_t i = 0; i < 3; i++) {
        CHECK_INT(shares[i].input_tokens, ==, 3);
        CHECK_INT(shares[i].cached_tokens, ==, 1);
        CHECK_INT(shares[i].output_tokens, ==, 2);
        CHECK_INT(costs[i], ==, 10);
    }
    asbi_price_split_usage(&mini, &total, 30, NULL, NULL, 0, NULL, NULL);
}

/* Within one unit of the exact quota: what makes the shares fair. */
static void check_fair(const struct split *s)
{
    double in = 0, out = 0;

    for (size_t i = 0; i < s->n; i++) {
        in += s->in[i];
        out += s->out[i];
    }
    for (size_t i = 0; i < s->n; i++) {
        double q = (double)s->total.input_tokens * s->in[i] / in;
        double p = (double)s->total.output_tokens * s->out[i] / out;

        CHECK(fabs(q - (double)s->shares[i].input_tokens) < 1.001);
        CHECK(fabs(p - (double)s->shares[i].output_tokens) < 1.001);
    }
}

static void shares_of_random_calls_sum_to_the_bill(void)
{
    struct asbi_rng r;
    static struct split s;

    asbi_rng_seed(&r, 11);
    for (int run = 0; run < 2000; run++) {
        s.n = 1 + asbi_rng_below(&r, run % 20 ? 60 : ITEMS_MAX);
        s.total.input_tokens = asbi_rng_below(&r, 200000);
        s.total.cached_tokens = asbi_rng_below(&r, s.total.input_tokens + 1);
        s.total.output_tokens = asbi_rng_below(&r, 20000);
        s.cost = asbi_price_call(&mini, &s.total);
        for (size_t i = 0; i < s.n; i++) {
            s.in[i] = exp(3 + asbi_rng_normal(&r));
            s.out[i] = (double)(1 + asbi_rng_below(&r, 5));
        }
        split(&s);
        check_sums(&s);
        check_fair(&s);
    }
}

static void hostile_weights_and_totals_still_sum_to_the_bill(void)
{
    static const double odd[] = {
        NAN, INFINITY, -1, 0, 1e308, 1e308, 5e-324, 1
    };
    static struct split s = { .n = 8 };
    struct asbi_rng r;

    asbi_rng_seed(&r, 5);
    for (int run = 0; run < 2000; run++) {
        s.total.input_tokens = asbi_rng_u64(&r) >> asbi_rng_below(&r, 64);
        s.total.cached_tokens = asbi_rng_below(&r, s.total.input_tokens);
        s.total.output_tokens = asbi_rng_u64(&r) >> asbi_rng_below(&r, 64);
        s.cost = (int64_t)(asbi_rng_u64(&r) >> (1 + asbi_rng_below(&r, 62)));
        for (size_t i = 0; i < s.n; i++) {
            s.in[i] = odd[asbi_rng_below(&r, 8)];
            s.out[i] = odd[asbi_rng_below(&r, 8)];
        }
        split(&s);
        check_sums(&s);
    }
}

static void a_part_of_a_cost_is_rounded_up(void)
{
    CHECK_INT(asbi_price_part(100, 50), ==, 50);
    CHECK_INT(asbi_price_part(101, 50), ==, 51);
    CHECK_INT(asbi_price_part(1, 1), ==, 1);
    CHECK_INT(asbi_price_part(0, 50), ==, 0);
    CHECK_INT(asbi_price_part(ASBI_PRICE_MAX, 100), ==, ASBI_PRICE_MAX);
}

TEST_MAIN(CASE(a_part_of_a_cost_is_rounded_up),
          CASE(a_call_costs_what_its_tokens_cost),
          CASE(a_call_is_rounded_up_once_not_once_a_part),
          CASE(without_a_cached_price_cached_input_costs_as_input),
          CASE(what_goes_into_the_cache_has_its_own_price),
          CASE(the_worst_case_is_no_less_than_any_bill_within_it),
          CASE(huge_numbers_stay_at_the_most_and_never_wrap),
          CASE(one_call_agrees_with_the_price_of_its_tokens),
          CASE(units_that_cannot_be_split_go_to_the_earlier_item),
          CASE(the_cost_follows_price_not_only_tokens),
          CASE(a_call_of_one_item_is_all_its_own),
          CASE(without_weights_the_shares_are_equal),
          CASE(shares_of_random_calls_sum_to_the_bill),
          CASE(hostile_weights_and_totals_still_sum_to_the_bill))

#include "scheduler/price.h"

#include <math.h>

#define MILLION UINT64_C(1000000)

/* tokens x price in whole nano-dollars and millionths of one. */
struct amount {
    uint64_t whole, millionths;
};

/* Adds tokens x price.  Split so that no product overflows before the sum is
 * known to be over the maximum. */
static void add_part(struct amount *sum, uint64_t tokens, int64_t price)
{
    uint64_t p = price > 0 ? (uint64_t)price : 0;
    uint64_t max = (uint64_t)ASBI_PRICE_MAX;
    uint64_t millions = tokens / MILLION, rest = tokens % MILLION;

    if (p > max / MILLION || (p && millions > max / p)) {
        sum->whole = tokens && p ? max : sum->whole;
        return;
    }
    sum->whole += millions * p + p / MILLION * rest;
    sum->millionths += p % MILLION * rest;
    sum->whole += sum->millionths / MILLION;
    sum->millionths %= MILLION;
    if (sum->whole > max)
        sum->whole = max;
}

static int64_t rounded_up(const struct amount *sum)
{
    uint64_t whole = sum->whole + (sum->millionths > 0);

    return whole > (uint64_t)ASBI_PRICE_MAX ? ASBI_PRICE_MAX : (int64_t)whole;
}

static int64_t cached_price(const struct asbi_prices *prices)
{
    return prices->cached < 0 ? prices->input : prices->cached;
}

static uint64_t cached_of(const struct asb_usage *usage)
{
    return usage->cached_tokens < usage->input_tokens ? usage->cached_tokens
                                                      : usage->input_tokens;
}

int64_t asbi_price_writing(const struct asbi_prices *prices,
                           const struct asb_usage *usage, uint64_t cache_writes)
{
    int64_t input = prices->input > 0 ? prices->input : 0;
    struct amount sum = { 0, 0 };
    uint64_t cached = cached_of(usage), fresh = usage->input_tokens - cached;

    add_part(&sum, fresh, prices->input);
    add_part(&sum, cached, cached_price(prices));
    add_part(&sum, usage->output_tokens, prices->output);
    if (prices->cache_write > input)
        add_part(&sum, cache_writes < fresh ? cache_writes : fresh,
                 prices->cache_write - input);
    return rounded_up(&sum);
}

int64_t asbi_price_part(int64_t cost, unsigned percent)
{
    int64_t whole = cost / 100, rest = cost % 100;

    return whole * percent + (rest * percent + 99) / 100;
}

int64_t asbi_price_call(const struct asbi_prices *prices,
                        const struct asb_usage *usage)
{
    return asbi_price_writing(prices, usage, 0);
}

int64_t asbi_price_worst(const struct asbi_prices *prices,
                         uint64_t input_tokens, uint64_t max_output_tokens)
{
    struct amount sum = { 0, 0 };
    int64_t cached = cached_price(prices);

    /* What is cached, or put into the cache, may cost more, not less. */
    int64_t dearest = cached > prices->input ? cached : prices->input;
    if (prices->cache_write > dearest)
        dearest = prices->cache_write;
    add_part(&sum, input_tokens, dearest);
    add_part(&sum, max_output_tokens, prices->output);
    return rounded_up(&sum);
}

/* ---- shares ----------------------------------------------------------- */

/* One total on its way to the items, in turn; item i weighs a x in[i] + b x
 * out[i].  What the items up to one get together is their part of the total,
 * rounded up: no share is a whole unit off, and the sum is the total. */
struct spread {
    const double *in, *out;
    double a, b, sum; /* sum of all weights; 0: equal shares */
    size_t n;

    uint64_t total, given;
    double weight; /* of the items that had their share */
};

static double sane(const double *weights, size_t i)
{
    double w = weights ? weights[i] : 0;

    return isfinite(w) && w > 0 ? w : 0;
}

static double sum_of(const double *weights, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += sane(weights, i);
    return isfinite(sum) ? sum : 0;
}

static double weight_of(const struct spread *s, size_t i)
{
    if (s->sum <= 0)
        return 1;
    return (s->a > 0 ? s->a * sane(s->in, i) : 0) +
           (s->b > 0 ? s->b * sane(s->out, i) : 0);
}

static void begin(struct spread *s, uint64_t total)
{
    s->total = total;
    s->given = 0;
    s->weight = 0;
}

/* The share of item i; to be asked for each in turn.  The last gets what is
 * left, so that the sum is right whatever a double made of the parts. */
static uint64_t next(struct spread *s, size_t i)
{
    double all = s->sum > 0 ? s->sum : (double)s->n;
    uint64_t upto = s->total;

    s->weight += weight_of(s, i);
    double part = ceil((double)s->total * s->weight / all);
    if (i + 1 < s->n && part < (double)s->total)
        upto = (uint64_t)part;
    if (upto < s->given)
        upto = s->given;
    uint64_t units = upto - s->given;
    s->given = upto;
    return units;
}

/* Cached tokens go along with input tokens, so that no item gets more of the
 * one than of the other. */
static void spread_cached(const struct asb_usage *total, size_t n,
                          struct asb_usage *shares)
{
    uint64_t left = cached_of(total), input = total->input_tokens;

    for (size_t i = 0; i < n; i++) {
        double part = ceil((double)left * (double)shares[i].input_tokens /
                           (double)(input ? input : 1));
        uint64_t most = shares[i].input_tokens;
        uint64_t must = left > input - most ? left - (input - most) : 0;

        if (most > left)
            most = left;
        uint64_t units = part < (double)most ? (uint64_t)part : most;
        if (units < must)
            units = must;
        shares[i].cached_tokens = units;
        left -= units;
        input -= shares[i].input_tokens;
    }
}

static double price(int64_t nano_usd)
{
    return nano_usd > 0 ? (double)nano_usd : 0;
}

/* What a unit of estimated input and output came to cost, so that a long
 * answer carries its own cost and not its neighbours'. */
static void weigh_cost(struct spread *s, const struct asbi_prices *prices,
                       const struct asb_usage *total, double in, double out)
{
    uint64_t cached = cached_of(total);
    double paid_in =
        (double)(total->input_tokens - cached) * price(prices->input) +
        (double)cached * price(cached_price(prices));
    double paid_out = (double)total->output_tokens * price(prices->output);

    s->a = in > 0 ? paid_in / in : 0;
    s->b = out > 0 ? paid_out / out : 0;
    s->sum = s->a * in + s->b * out;
}

void asbi_price_split_usage(const struct asbi_prices *prices,
                            const struct asb_usage *total, int64_t cost,
                            const double *weights_in, const double *weights_out,
                            size_t n, struct asb_usage *shares, int64_t *costs)
{
    double in = sum_of(weights_in, n), out = sum_of(weights_out, n);
    struct spread s = { .in = weights_in, .out = weights_out, .n = n };

    s.a = 1, s.b = 0, s.sum = in;
    begin(&s, total->input_tokens);
    for (size_t i = 0; i < n; i++)
        shares[i].input_tokens = next(&s, i);
    spread_cached(total, n, shares);

    s.a = 0, s.b = 1, s.sum = out;
    begin(&s, total->output_tokens);
    for (size_t i = 0; i < n; i++)
        shares[i].output_tokens = next(&s, i);

    weigh_cost(&s, prices, total, in, out);
    begin(&s, cost > 0 ? (uint64_t)cost : 0);
    for (size_t i = 0; i < n; i++)
        costs[i] = (int64_t)next(&s, i);
}

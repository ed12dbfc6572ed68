/*
 * price.h -- what a call costs: before it is sent at worst, after it from the
 * bill, and whose share is whose.
 *
 * Integers of nano-dollars all the way; a call is rounded up once, as a whole.
 * Refuses to know which model costs what: prices are an argument.
 */
#ifndef ASBI_SCHEDULER_PRICE_H
#define ASBI_SCHEDULER_PRICE_H

#include <stddef.h>
#include <stdint.h>

#include <asyncbatch/asyncbatch.h>

/* No price is higher than this; sums that would be stay here, so that a few
 * of them can be added without a look. */
#define ASBI_PRICE_MAX (INT64_MAX / 4)

/* Nano-dollars per million tokens; negative counts as 0, except `cached`:
 * negative when the provider has no price of its own for cached input, which
 * then costs what input does. */
struct asbi_prices {
    int64_t input, cached, output;
    int64_t cache_write; /* of input put into the cache; as input if less */
};

/* The bill for `usage`, rounded up to the nano-dollar.  `cached_tokens` are
 * part of `input_tokens`; more of them than there is input count as all. */
int64_t asbi_price_call(const struct asbi_prices *prices,
                        const struct asb_usage *usage);

/* The same when `cache_writes` of the input were put into the prompt cache. */
int64_t asbi_price_writing(const struct asbi_prices *prices,
                           const struct asb_usage *usage,
                           uint64_t cache_writes);

/* So many percent of a cost, rounded up. */
int64_t asbi_price_part(int64_t cost, unsigned percent);

/* The most a call may cost: nothing served from the prompt cache and all of
 * the output used.  `input_tokens` with the estimate's headroom in it. */
int64_t asbi_price_worst(const struct asbi_prices *prices,
                         uint64_t input_tokens, uint64_t max_output_tokens);

/**
 * Splits the usage and cost of one call over its `n` items, so that the sums
 * are exactly the call's: in turn, so that what the first k items get together
 * is their part rounded up, for each k.  No share is a whole unit off.  Same
 * input, same shares.
 *
 * @param prices  weigh input against output in the split of the cost
 * @param weights_in, weights_out  estimated tokens of each item; NULL or all 0
 *        for equal shares; what is negative or not finite counts as 0
 * @param shares, costs  `n` each, written; cached tokens follow input tokens
 */
void asbi_price_split_usage(const struct asbi_prices *prices,
                            const struct asb_usage *total, int64_t cost,
                            const double *weights_in, const double *weights_out,
                            size_t n, struct asb_usage *shares, int64_t *costs);

#endif

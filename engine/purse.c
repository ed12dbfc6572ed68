#include "engine/purse.h"

/* 0: no pace. */
static uint64_t money_per_minute(const struct asbi_config *c)
{
    double minutes = (double)c->budget_period_ns / 6e10;

    if (minutes <= 0 || c->budget == INT64_MAX)
        return 0;
    return (uint64_t)((double)c->budget / minutes) + 1;
}

void asbi_purse_init(struct asbi_purse *purse, const struct asbi_config *c)
{
    asbi_retry_budget_init(&purse->retries, 0);
    asbi_budget_init(&purse->budget, c->budget);
    asbi_bucket_init(&purse->money, money_per_minute(c));
}

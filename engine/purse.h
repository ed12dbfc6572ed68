/*
 * purse.h -- what all lanes of an engine spend from: the money of the job, its
 * pace over a period, and the retries that are left.
 */
#ifndef ASBI_PURSE_H
#define ASBI_PURSE_H

#include "config/config.h"
#include "scheduler/bucket.h"
#include "scheduler/budget.h"
#include "scheduler/retry.h"

struct asbi_purse {
    struct asbi_budget budget;
    struct asbi_bucket money; /* the budget over its period, nano-dollars */
    struct asbi_retry_budget retries;
};

void asbi_purse_init(struct asbi_purse *purse, const struct asbi_config *c);

#endif

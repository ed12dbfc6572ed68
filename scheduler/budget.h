/*
 * budget.h -- the money gate: reserve the worst case before, settle the truth
 * after.
 *
 * spent + reserved never exceeds the limit, as long as no bill is higher than
 * what was reserved for it.  Refuses to guess: it is told both.  Amounts that
 * are negative count as 0; sums that do not fit stay at the most that does.
 */
#ifndef ASBI_SCHEDULER_BUDGET_H
#define ASBI_SCHEDULER_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct asbi_budget {
    int64_t limit; /* nano-dollars; INT64_MAX: none */
    int64_t spent, reserved;
};

void asbi_budget_init(struct asbi_budget *b, int64_t limit_nano_usd);

/* False, and nothing changed, when the worst case does not fit now. */
bool asbi_budget_reserve(struct asbi_budget *b, int64_t worst_case);

/* The same of what is owed already, such as a job that runs: whether it fits or
 * not. */
void asbi_budget_owe(struct asbi_budget *b, int64_t worst_case);

/* `worst_case` was reserved; `actual` is the bill (never more than reserved by
 * the engine's own arithmetic, but what is billed is counted). */
void asbi_budget_settle(struct asbi_budget *b, int64_t worst_case,
                        int64_t actual);

/* Whether `worst_case` could fit once all that is reserved is settled at 0. */
bool asbi_budget_could(const struct asbi_budget *b, int64_t worst_case);

/* Spent, or spent and reserved, over the limit; 0 without one. */
double asbi_budget_spent_share(const struct asbi_budget *b);
double asbi_budget_used_share(const struct asbi_budget *b);

/* What a reservation could take now; 0 when the limit is passed. */
int64_t asbi_budget_left(const struct asbi_budget *b);

#endif

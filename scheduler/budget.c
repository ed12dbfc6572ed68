#include "scheduler/budget.h"

static int64_t at_least_0(int64_t amount)
{
    return amount > 0 ? amount : 0;
}

/* Of amounts that are not negative. */
static int64_t add(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

static int64_t room(int64_t limit, int64_t used)
{
    return used < limit ? limit - used : 0;
}

void asbi_budget_init(struct asbi_budget *b, int64_t limit_nano_usd)
{
    *b = (struct asbi_budget){ .limit = at_least_0(limit_nano_usd) };
}

bool asbi_budget_reserve(struct asbi_budget *b, int64_t worst_case)
{
    if (b->limit != INT64_MAX && at_least_0(worst_case) > asbi_budget_left(b))
        return false;
    asbi_budget_owe(b, worst_case);
    return true;
}

void asbi_budget_owe(struct asbi_budget *b, int64_t worst_case)
{
    b->reserved = add(b->reserved, at_least_0(worst_case));
}

void asbi_budget_settle(struct asbi_budget *b, int64_t worst_case,
                        int64_t actual)
{
    b->reserved = room(b->reserved, at_least_0(worst_case));
    b->spent = add(b->spent, at_least_0(actual));
}

bool asbi_budget_could(const struct asbi_budget *b, int64_t worst_case)
{
    return b->limit == INT64_MAX ||
           at_least_0(worst_case) <= room(b->limit, b->spent);
}

int64_t asbi_budget_left(const struct asbi_budget *b)
{
    return room(b->limit, add(b->spent, b->reserved));
}

static double share(const struct asbi_budget *b, int64_t used)
{
    if (b->limit == INT64_MAX)
        return 0;
    return b->limit > 0 ? (double)used / (double)b->limit : 1;
}

double asbi_budget_spent_share(const struct asbi_budget *b)
{
    return share(b, b->spent);
}

double asbi_budget_used_share(const struct asbi_budget *b)
{
    return share(b, add(b->spent, b->reserved));
}

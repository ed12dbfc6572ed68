#include "scheduler/tally.h"

static const double most = 5000; /* counted in full; then both are halved */

void asbi_tally_add(struct asbi_tally *t, double all, double bad)
{
    if (!(all > 0) || !(bad >= 0) || bad > all || all > 1e15)
        return;
    t->all += all;
    t->bad += bad;
    while (t->all > most) {
        t->all /= 2;
        t->bad /= 2;
    }
}

double asbi_tally_share(const struct asbi_tally *t)
{
    return t->all > 0 ? t->bad / t->all : 0;
}

double asbi_tally_likely(const struct asbi_tally *t)
{
    static const double well = 50;

    return t->bad / (t->all + well);
}

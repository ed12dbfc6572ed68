#include "cache/trial.h"

#include <math.h>

void asbi_trial_note(struct asbi_trial *t, bool same)
{
    t->checked++;
    t->wrong += !same;
}

double asbi_trial_bound(const struct asbi_trial *t)
{
    const double z = 1.959964; /* 95 %, both sides */
    double n = (double)t->checked;

    if (t->checked == 0)
        return 1;
    double p = (double)t->wrong / n;
    double centre = p + z * z / (2 * n);
    double spread = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    return (centre + spread) / (1 + z * z / n);
}

bool asbi_trial_takes(const struct asbi_trial *t, double draw)
{
    return draw >= ASBI_TRIAL_SHARE && asbi_trial_bound(t) < ASBI_TRIAL_LIMIT;
}

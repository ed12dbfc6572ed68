#include "scheduler/poll.h"

#include "engine/base/units.h"

static const double jitter = 0.1;

const struct asbi_poll_policy asbi_poll_batches = {
    .least_ns = ASBI_SECOND,
    .most_ns = 120 * ASBI_SECOND,
    .share = 0.125,
};

uint64_t asbi_poll_wait(const struct asbi_poll_policy *p, uint64_t passed_ns,
                        uint64_t asked_ns, double unit)
{
    double wait = p->share * (double)passed_ns;

    if (wait < (double)p->least_ns)
        wait = (double)p->least_ns;
    if (wait > (double)p->most_ns)
        wait = (double)p->most_ns;
    wait *= 1 - jitter + 2 * jitter * unit;
    return wait > (double)asked_ns ? (uint64_t)wait : asked_ns;
}

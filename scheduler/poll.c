#include "scheduler/poll.h"

#include "engine/base/units.h"

const struct asbi_poll_policy asbi_poll_media = {
    .share = 0.1,
    .least_ns = ASBI_SECOND,
    .most_ns = 20 * ASBI_SECOND,
};

const struct asbi_poll_policy asbi_poll_batches = {
    .share = 0.125,
    .least_ns = ASBI_SECOND,
    .most_ns = 120 * ASBI_SECOND,
};

/* Weight of the latest; jitter to either side; before this share of the typical
 * time little is ready. */
static const double newest = 0.2, jitter = 0.2, worth_asking = 0.6;

void asbi_poll_learn(struct asbi_poll_typical *t, uint64_t took_ns)
{
    double seconds = (double)took_ns / 1e9;

    t->seconds =
        t->seconds > 0 ? t->seconds + newest * (seconds - t->seconds) : seconds;
}

static uint64_t between(uint64_t ns, uint64_t least, uint64_t most)
{
    if (ns < least)
        return least;
    return ns > most ? most : ns;
}

uint64_t asbi_poll_wait(const struct asbi_poll_policy *p,
                        const struct asbi_poll_typical *typical,
                        uint64_t age_ns, uint64_t hint_ns, double unit)
{
    double age = (double)age_ns;
    double worth = typical ? worth_asking * typical->seconds * 1e9 : 0;
    uint64_t wait =
        between((uint64_t)(p->share * age), p->least_ns, p->most_ns);

    if (worth > age && worth - age > (double)wait)
        wait = between((uint64_t)(worth - age), wait, 6 * p->most_ns);
    wait = (uint64_t)((double)wait * (1 - jitter + 2 * jitter * unit));
    return wait > hint_ns ? wait : hint_ns;
}

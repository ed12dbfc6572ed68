#include "scheduler/retry.h"

#include <math.h>

#include "engine/base/units.h"

const struct asbi_retry_policy asbi_retry_default = {
    .max_attempts = 4,
    .base_ns = 500 * ASBI_MS,
    .cap_ns = 30 * ASBI_SECOND,
    .longest_retry_after_ns = 120 * ASBI_SECOND,
};

/* ---- the budget --------------------------------------------------------- */

static const double earned = 0.5;              /* by a good answer */
static const double per_ns = 10.0 / 60 / 1e9;  /* in any case */
static const double at_once = 10, saved = 100; /* most of the two */

void asbi_retry_budget_init(struct asbi_retry_budget *b, uint64_t now_ns)
{
    *b = (struct asbi_retry_budget){ .credits = at_once, .at_ns = now_ns };
}

static void accrue(struct asbi_retry_budget *b, uint64_t now_ns)
{
    double passed = now_ns > b->at_ns ? (double)(now_ns - b->at_ns) : 0;

    if (b->credits < at_once)
        b->credits = fmin(at_once, b->credits + passed * per_ns);
    b->at_ns = now_ns;
}

void asbi_retry_budget_earn(struct asbi_retry_budget *b, double calls)
{
    b->credits = fmin(saved, b->credits + earned * calls);
}

uint64_t asbi_retry_budget_ready_at(struct asbi_retry_budget *b,
                                    uint64_t now_ns)
{
    accrue(b, now_ns);
    if (b->credits >= 1)
        return now_ns;
    return asbi_add_ns(now_ns, (uint64_t)((1 - b->credits) / per_ns) + 1);
}

void asbi_retry_budget_spend(struct asbi_retry_budget *b, double calls)
{
    b->credits -= calls;
}

/* ---- waits --------------------------------------------------------------- */

/* base x 2^(attempt - 1), at most the cap. */
static uint64_t ceiling(const struct asbi_retry_policy *p, unsigned attempt)
{
    uint64_t most = p->base_ns;

    for (unsigned i = 1; i < attempt && most < p->cap_ns; i++)
        most = asbi_add_ns(most, most);
    return most < p->cap_ns ? most : p->cap_ns;
}

uint64_t asbi_retry_wait(const struct asbi_retry_policy *p, unsigned attempt,
                         uint64_t retry_after_ns, double unit)
{
    if (retry_after_ns == UINT64_MAX)
        retry_after_ns = 0;
    else if (retry_after_ns > p->longest_retry_after_ns)
        return ASBI_NEVER;
    double share = unit >= 0 && unit < 1 ? unit : 0;
    uint64_t wait = (uint64_t)(share * (double)ceiling(p, attempt));

    return wait > retry_after_ns ? wait : retry_after_ns;
}

/* ---- breaker ------------------------------------------------------------ */

static const uint64_t slot_ns = 10 * ASBI_SECOND;
static const uint64_t open_ns = 30 * ASBI_SECOND;
static const uint64_t ask_again_ns = ASBI_SECOND;
enum { CALLS_MIN = 20, PROBES = 3 };

void asbi_breaker_init(struct asbi_breaker *b)
{
    *b = (struct asbi_breaker){ .state = ASBI_BREAKER_CLOSED };
}

uint64_t asbi_breaker_ready_at(struct asbi_breaker *b, uint64_t now_ns)
{
    if (b->state == ASBI_BREAKER_CLOSED)
        return now_ns;
    if (b->state == ASBI_BREAKER_OPEN) {
        if (now_ns < b->open_until_ns)
            return b->open_until_ns;
        b->state = ASBI_BREAKER_HALF;
        b->probes_out = b->probes_ok = 0;
    }
    return b->probes_out + b->probes_ok < PROBES
               ? now_ns
               : asbi_add_ns(now_ns, ask_again_ns);
}

void asbi_breaker_started(struct asbi_breaker *b)
{
    if (b->state == ASBI_BREAKER_HALF)
        b->probes_out++;
}

static void open_breaker(struct asbi_breaker *b, uint64_t now_ns)
{
    b->state = ASBI_BREAKER_OPEN;
    b->open_until_ns = asbi_add_ns(now_ns, open_ns);
    b->times_opened++;
}

static void forget_slot(struct asbi_breaker *b, uint64_t slot)
{
    b->calls[slot % ASBI_BREAKER_SLOTS] = 0;
    b->failures[slot % ASBI_BREAKER_SLOTS] = 0;
}

/* Forgets the slots that have been skipped or have come round again. */
static void turn(struct asbi_breaker *b, uint64_t now_ns)
{
    uint64_t slot = now_ns / slot_ns;

    if (slot > b->slot + ASBI_BREAKER_SLOTS)
        b->slot = slot - ASBI_BREAKER_SLOTS;
    while (b->slot < slot)
        forget_slot(b, ++b->slot);
}

static bool is_bad(const struct asbi_breaker *b)
{
    unsigned calls = 0, failures = 0;

    for (unsigned i = 0; i < ASBI_BREAKER_SLOTS; i++) {
        calls += b->calls[i];
        failures += b->failures[i];
    }
    return calls >= CALLS_MIN && failures * 2 >= calls;
}

static void count(struct asbi_breaker *b, bool ok, uint64_t now_ns)
{
    turn(b, now_ns);
    b->calls[b->slot % ASBI_BREAKER_SLOTS]++;
    b->failures[b->slot % ASBI_BREAKER_SLOTS] += !ok;
    if (!ok && is_bad(b))
        open_breaker(b, now_ns);
}

static void probe_ended(struct asbi_breaker *b, bool ok, uint64_t now_ns)
{
    if (b->probes_out == 0)
        return; /* of before it opened */
    b->probes_out--;
    if (!ok) {
        open_breaker(b, now_ns);
    } else if (++b->probes_ok == PROBES) {
        asbi_breaker_init(b);
        b->slot = now_ns / slot_ns;
    }
}

void asbi_breaker_ended(struct asbi_breaker *b, bool ok, uint64_t now_ns)
{
    if (b->state != ASBI_BREAKER_OPEN && ok)
        b->times_opened = 0;
    if (b->state == ASBI_BREAKER_CLOSED)
        count(b, ok, now_ns);
    else if (b->state == ASBI_BREAKER_HALF)
        probe_ended(b, ok, now_ns);
}

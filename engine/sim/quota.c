#include "engine/sim/quota.h"

#include <assert.h>

#include "engine/base/units.h"

/* One unit in parts: with a limit of r per minute, r parts come each ns. */
#define UNIT (60 * ASBI_SECOND)

void asbi_sim_quota_init(struct asbi_sim_quota *q, uint64_t per_minute,
                         uint64_t now_ns)
{
    assert(per_minute <= ASBI_SIM_MAX_PER_MINUTE);
    *q = (struct asbi_sim_quota){ per_minute, per_minute * UNIT, now_ns };
}

bool asbi_sim_quota_holds(const struct asbi_sim_quota *q, uint64_t units)
{
    return q->per_minute == 0 || units <= q->per_minute;
}

static void refill(struct asbi_sim_quota *q, uint64_t now_ns)
{
    uint64_t full = q->per_minute * UNIT;
    uint64_t passed = now_ns > q->at_ns ? now_ns - q->at_ns : 0;
    uint64_t gained = (passed < UNIT ? passed : UNIT) * q->per_minute;

    q->level =
        q->level < full && gained < full - q->level ? q->level + gained : full;
    q->at_ns = now_ns > q->at_ns ? now_ns : q->at_ns;
}

void asbi_sim_quota_limit(struct asbi_sim_quota *q, uint64_t per_minute,
                          uint64_t now_ns)
{
    assert(per_minute <= ASBI_SIM_MAX_PER_MINUTE);
    refill(q, now_ns);
    q->per_minute = per_minute;
    refill(q, now_ns); /* down to the new depth */
}

bool asbi_sim_quota_take(struct asbi_sim_quota *q, uint64_t units,
                         uint64_t now_ns)
{
    if (q->per_minute == 0)
        return true;
    refill(q, now_ns);
    if (units > q->per_minute || units * UNIT > q->level)
        return false;
    q->level -= units * UNIT;
    return true;
}

uint64_t asbi_sim_quota_left(const struct asbi_sim_quota *q)
{
    return q->level / UNIT;
}

static uint64_t time_for(const struct asbi_sim_quota *q, uint64_t parts)
{
    return parts / q->per_minute + (parts % q->per_minute != 0);
}

uint64_t asbi_sim_quota_wait(const struct asbi_sim_quota *q, uint64_t units)
{
    if (q->per_minute == 0)
        return 0;
    if (units > q->per_minute)
        return ASBI_NEVER;
    return units * UNIT > q->level ? time_for(q, units * UNIT - q->level) : 0;
}

uint64_t asbi_sim_quota_full_in(const struct asbi_sim_quota *q)
{
    return asbi_sim_quota_wait(q, q->per_minute);
}

/* Seconds with up to three decimals, without trailing zeros. */
static void put_seconds(struct asbi_buf *out, uint64_t ms)
{
    unsigned part = (unsigned)(ms % 1000), digits = 3;

    asbi_buf_u64(out, ms / 1000);
    if (part) {
        for (; part % 10 == 0; part /= 10)
            digits--;
        asbi_buf_fmt(out, ".%0*u", (int)digits, part);
    }
    asbi_buf_char(out, 's');
}

void asbi_sim_put_go_duration(struct asbi_buf *out, uint64_t ns)
{
    uint64_t ms = ns / ASBI_MS + (ns % ASBI_MS != 0);

    if (ms > 0 && ms < 1000) {
        asbi_buf_u64(out, ms);
        asbi_buf_c(out, "ms");
        return;
    }
    if (ms >= 3600000)
        asbi_buf_fmt(out, "%juh", (uintmax_t)(ms / 3600000));
    if (ms >= 60000)
        asbi_buf_fmt(out, "%jum", (uintmax_t)(ms / 60000 % 60));
    put_seconds(out, ms % 60000);
}

#include "scheduler/room.h"

#include "engine/base/units.h"

static const uint64_t patience_ns = ASBI_SECOND;

void asbi_room_init(struct asbi_room *r, size_t start, size_t most)
{
    *r = (struct asbi_room){ .bytes = start < most ? start : most,
                             .most = most };
}

void asbi_room_look(struct asbi_room *r, bool is_short, uint64_t now_ns)
{
    uint64_t passed = now_ns - r->looked_ns;

    if (r->was_short)
        r->short_ns += passed;
    else
        r->short_ns -= passed < r->short_ns ? passed : r->short_ns;
    r->looked_ns = now_ns;
    r->was_short = is_short;
    if (r->short_ns < patience_ns)
        return;
    r->short_ns = 0;
    r->bytes = r->bytes > r->most / 2 ? r->most : 2 * r->bytes;
}

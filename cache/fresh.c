#include "cache/fresh.h"

#include <math.h>

bool asbi_fresh_ends(uint64_t now_ms, uint64_t fresh_until_ms,
                     uint64_t delta_ms, double draw)
{
    if (now_ms >= fresh_until_ms)
        return true;
    double ahead = draw > 0 ? -log(draw) * (double)delta_ms : INFINITY;
    return ahead >= (double)(fresh_until_ms - now_ms);
}

#include "config/nearest.h"

#include <stdint.h>

static char folded(char c)
{
    return c == '-' ? '_' : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t asbi_edit_distance(asbi_str a, asbi_str b)
{
    size_t rows[3][ASBI_NEAREST_MAX + 1];

    if (a.len > ASBI_NEAREST_MAX || b.len > ASBI_NEAREST_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *now = rows[i % 3], *last = rows[(i + 2) % 3];
        const size_t *before = rows[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            char x = folded(a.at[i - 1]), y = folded(b.at[j - 1]);

            now[j] =
                least(last[j - 1] + (x != y), least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && x == folded(b.at[j - 2]) &&
                y == folded(a.at[i - 2]))
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

void asbi_nearest_init(struct asbi_nearest *n, asbi_str wanted)
{
    size_t limit = wanted.len < 3 ? 1 : wanted.len / 3;

    *n = (struct asbi_nearest){ .wanted = wanted, .distance = limit + 1 };
}

void asbi_nearest_offer(struct asbi_nearest *n, asbi_str known)
{
    size_t distance = asbi_edit_distance(n->wanted, known);

    if (distance >= n->distance)
        return;
    n->distance = distance;
    n->best = known;
}

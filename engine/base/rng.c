#include "engine/base/rng.h"

#include <math.h>

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = (*x += 0x9e3779b97f4a7c15U);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, unsigned k)
{
    return (x << k) | (x >> (64 - k));
}

void asbi_rng_seed(struct asbi_rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        r->s[i] = splitmix(&seed);
}

uint64_t asbi_rng_u64(struct asbi_rng *r)
{
    uint64_t *s = r->s;
    uint64_t out = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return out;
}

uint64_t asbi_rng_below(struct asbi_rng *r, uint64_t bound)
{
    if (bound == 0)
        return 0;
    /* Numbers under `reject` would make small results likelier. */
    uint64_t reject = (0 - bound) % bound;
    uint64_t x;

    do
        x = asbi_rng_u64(r);
    while (x < reject);
    return x % bound;
}

double asbi_rng_unit(struct asbi_rng *r)
{
    return (double)(asbi_rng_u64(r) >> 11) * 0x1p-53;
}

double asbi_rng_normal(struct asbi_rng *r)
{
    double u = 1.0 - asbi_rng_unit(r); /* never 0 */
    double v = asbi_rng_unit(r);

    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

#include "cache/minhash.h"

#include "engine/base/rng.h"

enum { AT_ONCE = 16 };

/* One build for old processors and one for those of the last ten years, chosen
 * when the program is loaded. */
#if defined(__x86_64__) && defined(__gnu_linux__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(ASB_NO_CLONES)
#define FAST __attribute__((target_clones("avx2", "default")))
#else
#define FAST
#endif

void asbi_minhash_init(struct asbi_minhash *m, uint64_t seed)
{
    struct asbi_rng rng;

    asbi_rng_seed(&rng, seed);
    for (size_t k = 0; k < ASBI_MINHASHES; k++) {
        uint64_t r = asbi_rng_u64(&rng);

        m->a[k] = (uint32_t)r | 1;
        m->b[k] = (uint32_t)(r >> 32);
    }
}

/* Some of the functions over the whole set: their state fits into registers. */
FAST static void sign_some(const uint32_t *restrict a,
                           const uint32_t *restrict b,
                           const uint64_t *restrict set, size_t count,
                           uint32_t *restrict out)
{
    uint32_t least[AT_ONCE];

    for (size_t k = 0; k < AT_ONCE; k++)
        least[k] = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        uint32_t x = (uint32_t)(set[i] >> 32);

        for (size_t k = 0; k < AT_ONCE; k++) {
            uint32_t value = a[k] * x + b[k];

            least[k] = value < least[k] ? value : least[k];
        }
    }
    for (size_t k = 0; k < AT_ONCE; k++)
        out[k] = least[k];
}

void asbi_minhash_sign(const struct asbi_minhash *m, const uint64_t *set,
                       size_t count, uint32_t out[ASBI_MINHASHES])
{
    for (size_t k = 0; k < ASBI_MINHASHES; k += AT_ONCE)
        sign_some(m->a + k, m->b + k, set, count, out + k);
}

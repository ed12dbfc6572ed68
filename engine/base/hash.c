#include "engine/base/hash.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t asbi_hash64(const void *at, size_t len, uint64_t seed)
{
    return XXH3_64bits_withSeed(at, len, seed);
}

void asbi_hash128(const void *at, size_t len, uint64_t seed,
                  unsigned char out[16])
{
    XXH128_canonical_t canonical;

    XXH128_canonicalFromHash(&canonical, XXH3_128bits_withSeed(at, len, seed));
    memcpy(out, canonical.digest, sizeof(canonical.digest));
}

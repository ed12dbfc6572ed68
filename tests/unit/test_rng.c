/* Random numbers: the published ones, and none out of range. */
#include "engine/base/rng.h"

#include <math.h>

#include "tests/support/check.h"

static void the_same_seed_gives_the_published_numbers(void)
{
    static const uint64_t of_zero[] = { 0x99ec5f36cb75f2b4, 0xbf6e1f784956452a,
                                        0x1a5f849d4933e6e0,
                                        0x6aa594f1262d2d2c };
    static const uint64_t of_42[] = { 0x15780b2e0c2ec716, 0x6104d9866d113a7e,
                                      0xae17533239e499a1, 0xecb8ad4703b360a1 };
    struct asbi_rng rng;

    asbi_rng_seed(&rng, 0);
    for (int i = 0; i < 4; i++)
        CHECK(asbi_rng_u64(&rng) == of_zero[i]);
    asbi_rng_seed(&rng, 42);
    for (int i = 0; i < 4; i++)
        CHECK(asbi_rng_u64(&rng) == of_42[i]);
}

static void random_numbers_stay_in_range(void)
{
    struct asbi_rng rng;
    size_t hits[7] = { 0 };
    double sum = 0, square = 0;

    asbi_rng_seed(&rng, 5);
    CHECK_INT(asbi_rng_below(&rng, 0), ==, 0);
    for (int i = 0; i < 70000; i++) {
        hits[asbi_rng_below(&rng, 7)]++;
        double u = asbi_rng_unit(&rng);
        CHECK(u >= 0 && u < 1);
        double z = asbi_rng_normal(&rng);
        CHECK(isfinite(z));
        sum += z;
        square += z * z;
    }
    for (int i = 0; i < 7; i++)
        CHECK(hits[i] > 9600 && hits[i] < 10400);
    CHECK(fabs(sum / 70000) < 0.02);
    CHECK(fabs(square / 70000 - 1) < 0.03);
}

TEST_MAIN(CASE(the_same_seed_gives_the_published_numbers),
          CASE(random_numbers_stay_in_range))

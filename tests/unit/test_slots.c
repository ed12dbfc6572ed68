/* Numbers for objects: never 0, never reused. */
#include "engine/base/slots.h"

#include "engine/base/rng.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

enum { OBJECTS = 1000 };

static void a_number_finds_its_object_and_no_other(void)
{
    struct fault_mem fm;
    struct asbi_slots s;
    struct asbi_rng rng;
    static char objects[OBJECTS];
    uint64_t numbers[OBJECTS] = { 0 }, stale[OBJECTS] = { 0 };

    fault_mem_init(&fm, 0);
    asbi_rng_seed(&rng, 1);
    asbi_slots_init(&s, &fm.mem);
    for (int round = 0; round < 50000; round++) {
        size_t i = (size_t)asbi_rng_below(&rng, OBJECTS);

        if (numbers[i]) {
            CHECK(asbi_slots_get(&s, numbers[i]) == &objects[i]);
            asbi_slots_remove(&s, numbers[i]);
            stale[i] = numbers[i];
            numbers[i] = 0;
        } else {
            numbers[i] = asbi_slots_add(&s, &objects[i]);
            CHECK(numbers[i] != 0 && numbers[i] != stale[i]);
        }
        if (stale[i])
            CHECK(asbi_slots_get(&s, stale[i]) == NULL);
    }
    CHECK(asbi_slots_get(&s, 0) == NULL);
    CHECK(asbi_slots_get(&s, UINT64_MAX) == NULL);
    asbi_slots_fini(&s);
    CHECK_INT(fm.live, ==, 0);
}

static bool is_it(const void *object, const void *arg)
{
    return object == arg;
}

static void an_object_finds_its_number_while_it_is_held(void)
{
    struct fault_mem fm;
    struct asbi_slots s;
    static char objects[OBJECTS];
    uint64_t numbers[OBJECTS];

    fault_mem_init(&fm, 0);
    asbi_slots_init(&s, &fm.mem);
    CHECK(asbi_slots_find(&s, is_it, &objects[0]) == 0);
    for (size_t i = 0; i < OBJECTS; i++)
        numbers[i] = asbi_slots_add(&s, &objects[i]);
    asbi_slots_remove(&s, numbers[3]);
    CHECK(asbi_slots_find(&s, is_it, &objects[3]) == 0);
    numbers[3] = asbi_slots_add(&s, &objects[3]);
    for (size_t i = 0; i < OBJECTS; i++)
        CHECK(asbi_slots_find(&s, is_it, &objects[i]) == numbers[i]);
    asbi_slots_fini(&s);
}

static void out_of_memory_gives_no_number(void)
{
    struct fault_mem fm;
    struct asbi_slots s;
    int object;

    fault_mem_init(&fm, 1);
    asbi_slots_init(&s, &fm.mem);
    CHECK(asbi_slots_add(&s, &object) == 0);
    CHECK(asbi_slots_add(&s, &object) != 0);
    asbi_slots_fini(&s);
    CHECK_INT(fm.live, ==, 0);
}

TEST_MAIN(CASE(a_number_finds_its_object_and_no_other),
          CASE(an_object_finds_its_number_while_it_is_held),
          CASE(out_of_memory_gives_no_number))

/* What stays in memory, what goes, and for how long. */
#include "cache/memory.h"

#include <math.h>

#include "cache/sketch.h"
#include "engine/base/hash.h"
#include "engine/base/rng.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

enum { RECORD = 40, REQUESTS = 200000 };
#define NEVER UINT64_MAX

static struct fault_mem fm;
static struct asbi_memory *memory;

static struct asbi_cache_key key_of(uint64_t n)
{
    struct asbi_cache_key key;

    asbi_hash128(&n, sizeof(n), 1, key.bytes);
    asbi_hash128(&n, sizeof(n), 2, key.bytes + 16);
    return key;
}

/* Room for so many entries of RECORD bytes. */
static void start(size_t entries, bool lru)
{
    struct asbi_memory_options o = {
        .max_bytes = entries * asbi_memory_weight(RECORD),
        .max_items = entries,
        .lru = lru,
    };

    fault_mem_init(&fm, 0);
    CHECK_INT(asbi_memory_new(&fm.mem, &o, &memory), ==, ASB_OK);
}

static void stop(void)
{
    asbi_memory_free(memory);
    CHECK_INT(fm.live, ==, 0);
}

static void put(uint64_t n, int64_t worth, uint64_t expires_ms, uint64_t now)
{
    struct asbi_cache_key key = key_of(n);
    struct asbi_memory_note note = { worth, expires_ms, n % 2, false };
    char record[RECORD];

    memset(record, (int)(n % 251), sizeof(record));
    asbi_memory_put(memory, &key, asbi_str_of(record, RECORD), &note, now);
}

static bool get(uint64_t n, uint64_t now)
{
    struct asbi_cache_key key = key_of(n);
    struct asbi_memory_note note;
    asbi_str record;

    if (!asbi_memory_get(memory, &key, now, &record, &note))
        return false;
    CHECK_INT(record.len, ==, RECORD);
    CHECK_INT((unsigned char)record.at[RECORD - 1], ==, n % 251);
    CHECK_INT(note.mark, ==, n % 2);
    return true;
}

/* As a run does: what is not there is fetched and kept. */
static bool ask(uint64_t n)
{
    if (get(n, 0))
        return true;
    put(n, 1, NEVER, 0);
    return false;
}

static struct asbi_memory_stats stats(void)
{
    struct asbi_memory_stats s;

    asbi_memory_stats(memory, &s);
    return s;
}

static void what_was_put_is_found_until_it_is_dropped(void)
{
    struct asbi_cache_key key = key_of(7);

    start(1000, false);
    CHECK(!get(7, 0));
    put(7, 1, NEVER, 0);
    put(8, 1, NEVER, 0);
    CHECK(get(7, 0) && get(8, 0));
    put(7, 1, NEVER, 0);
    CHECK_INT(stats().items, ==, 2);
    asbi_memory_drop(memory, &key);
    CHECK(!get(7, 0) && get(8, 0));
    CHECK_INT(stats().hits, ==, 3);
    CHECK_INT(stats().misses, ==, 2);
    stop();
}

static void bytes_and_items_are_bounded_whatever_comes(void)
{
    struct asbi_memory_options o = { .max_bytes = 100000, .max_items = 200 };
    static char record[30000];
    struct asbi_rng rng;

    for (int lru = 0; lru < 2; lru++) {
        fault_mem_init(&fm, 0);
        o.lru = lru;
        CHECK_INT(asbi_memory_new(&fm.mem, &o, &memory), ==, ASB_OK);
        asbi_rng_seed(&rng, 4);
        for (int i = 0; i < 20000; i++) {
            struct asbi_cache_key key = key_of(asbi_rng_below(&rng, 3000));
            struct asbi_memory_note note = { 1, NEVER, false, false };
            size_t most = i % 2 ? sizeof(record) : 200;
            size_t len = (size_t)asbi_rng_below(&rng, most);
            asbi_str found;

            if (!asbi_memory_get(memory, &key, 0, &found, &note))
                asbi_memory_put(memory, &key, asbi_str_of(record, len), &note,
                                0);
            CHECK_INT(stats().bytes, <=, o.max_bytes);
            CHECK_INT(stats().items, <=, o.max_items);
        }
        CHECK_INT(stats().items, >, lru ? 20 : 10);
        stop();
    }
}

static void under_lru_the_oldest_goes_first(void)
{
    start(100, true);
    for (uint64_t n = 0; n < 100; n++)
        put(n, 1, NEVER, 0);
    CHECK(get(0, 0));
    put(100, 1, NEVER, 0);
    CHECK(get(0, 0) && get(100, 0) && get(2, 0));
    CHECK(!get(1, 0));
    stop();
}

static void what_has_expired_is_not_found(void)
{
    start(1000, false);
    put(1, 1, 500, 0);
    CHECK(get(1, 499));
    CHECK(!get(1, 500));
    CHECK_INT(stats().items, ==, 0);
    CHECK_INT(stats().expired, ==, 1);
    stop();
}

static void what_has_expired_goes_without_being_asked_for(void)
{
    start(1000, false);
    for (uint64_t n = 0; n < 500; n++)
        put(n, 1, 100, 0);
    for (uint64_t n = 1000; n < 1500; n++)
        put(n, 1, NEVER, 200);
    CHECK_INT(stats().expired, >=, 490);
    CHECK_INT(stats().items, <=, 510);
    stop();
}

/* A host's clock may say anything. */
static void an_empty_memory_has_nothing_to_sweep(void)
{
    start(1000, false);
    put(1, 1, NEVER, UINT64_MAX);
    CHECK(get(1, 0));
    stop();
}

static void a_dear_answer_stays_where_a_cheap_one_goes(void)
{
    int dear = 0, cheap = 0;

    start(1000, false);
    for (int round = 0; round < 3; round++) {
        for (uint64_t n = 0; n < 3000; n++) {
            if (!get(n, 0))
                put(n, n % 3 ? 1 : 100, NEVER, 0);
        }
    }
    for (uint64_t n = 0; n < 3000; n++) {
        bool found = get(n, 0);

        dear += found && n % 3 == 0;
        cheap += found && n % 3 != 0;
    }
    CHECK_INT(dear, >, 900);
    CHECK_INT(cheap, <, 100);
    stop();
}

static int life(const struct asbi_mem *mem, void *arg)
{
    struct asbi_memory_options o = { .max_bytes = 1 << 20 };
    int rc = asbi_memory_new(mem, &o, &memory);

    (void)arg;
    if (rc)
        return rc;
    for (uint64_t i = 0; i < 100; i++)
        put(i, 1, NEVER, 0);
    CHECK_INT(stats().items, >=, 98);
    asbi_memory_free(memory);
    return ASB_OK;
}

static void every_failed_allocation_keeps_nothing_and_breaks_nothing(void)
{
    CHECK_INT(fault_sweep_spared(life, NULL), >, 100);
}

static void counts_are_never_too_low_until_they_are_halved(void)
{
    struct asbi_sketch s;

    fault_mem_init(&fm, 0);
    CHECK_INT(asbi_sketch_init(&s, &fm.mem, 1000), ==, ASB_OK);
    for (uint64_t n = 0; n < 900; n++) {
        for (uint64_t i = 0; i <= n % 5; i++)
            asbi_sketch_count(&s, asbi_hash64(&n, sizeof(n), 0));
    }
    int exact = 0;
    for (uint64_t n = 0; n < 900; n++) {
        unsigned got = asbi_sketch_ask(&s, asbi_hash64(&n, sizeof(n), 0));

        CHECK_INT(got, >=, n % 5 + 1);
        exact += got == n % 5 + 1;
    }
    CHECK_INT(exact, >, 800);
    for (int i = 0; i < 10000; i++)
        asbi_sketch_count(&s, 77);
    CHECK_INT(asbi_sketch_ask(&s, 77), >=, 7);
    CHECK_INT(asbi_sketch_ask(&s, 77), <=, 15);
    asbi_sketch_fini(&s);
    CHECK_INT(fm.live, ==, 0);
}

/* ---- golden counts ---------------------------------------------------- */

enum { KEYS = 100000 };
static double sums[KEYS];

static void zipf_init(double exponent)
{
    double sum = 0;

    for (int i = 0; i < KEYS; i++)
        sums[i] = sum += pow(i + 1, -exponent);
}

static uint64_t zipf(struct asbi_rng *rng)
{
    double x = asbi_rng_unit(rng) * sums[KEYS - 1];
    size_t low = 0, high = KEYS - 1;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (sums[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static double zipf_hits(double exponent, size_t room, bool lru, bool scans)
{
    struct asbi_rng rng;
    uint64_t once = KEYS;
    int hits = 0;

    start(room, lru);
    zipf_init(exponent);
    asbi_rng_seed(&rng, 1);
    for (int i = 0; i < REQUESTS; i++) {
        bool scan = scans && i % 10000 >= 7000; /* each seen once */

        hits += ask(scan ? once++ : zipf(&rng));
    }
    stop();
    return 100.0 * hits / REQUESTS;
}

/* Ten runs of one file; `changed` lines of each run are new. */
static double rerun_hits(size_t room, bool lru, double changed)
{
    enum { LINES = 20000, RUNS = 10 };
    struct asbi_rng rng;
    uint64_t fresh = LINES;
    int hits = 0;

    start(room, lru);
    asbi_rng_seed(&rng, 2);
    for (int run = 0; run < RUNS; run++) {
        for (uint64_t line = 0; line < LINES; line++)
            hits += ask(asbi_rng_unit(&rng) < changed ? fresh++ : line);
    }
    stop();
    return 100.0 * hits / (LINES * RUNS);
}

/* Within a tenth of a point of what is recorded. */
static void golden(const char *what, double got, double want)
{
    if (fabs(got - want) > 0.1)
        check_fail(__FILE__, __LINE__, "%s: %.2f %% hits, not %.2f %%", what,
                   got, want);
}

static void five_workloads_hit_as_often_as_recorded(void)
{
    golden("zipf 0.8", zipf_hits(0.8, 10000, false, false), 49.81);
    golden("zipf 0.8, small", zipf_hits(0.8, 2000, false, false), 35.19);
    golden("zipf 1.0", zipf_hits(1.0, 10000, false, false), 74.31);
    golden("zipf 1.0, small", zipf_hits(1.0, 2000, false, false), 63.49);
    golden("zipf 0.9 and scans", zipf_hits(0.9, 10000, false, true), 41.25);
    golden("the same file", rerun_hits(10000, false, 0), 43.99);
    golden("the same file, edited", rerun_hits(10000, false, 0.1), 37.60);
}

static void under_lru_a_larger_file_never_hits(void)
{
    golden("zipf 0.8", zipf_hits(0.8, 10000, true, false), 45.90);
    golden("zipf 0.9 and scans", zipf_hits(0.9, 10000, true, true), 36.85);
    golden("the same file", rerun_hits(10000, true, 0), 0);
}

TEST_MAIN(CASE(what_was_put_is_found_until_it_is_dropped),
          CASE(bytes_and_items_are_bounded_whatever_comes),
          CASE(under_lru_the_oldest_goes_first),
          CASE(what_has_expired_is_not_found),
          CASE(what_has_expired_goes_without_being_asked_for),
          CASE(an_empty_memory_has_nothing_to_sweep),
          CASE(a_dear_answer_stays_where_a_cheap_one_goes),
          CASE(every_failed_allocation_keeps_nothing_and_breaks_nothing),
          CASE(counts_are_never_too_low_until_they_are_halved),
          CASE(five_workloads_hit_as_often_as_recorded),
          CASE(under_lru_a_larger_file_never_hits))

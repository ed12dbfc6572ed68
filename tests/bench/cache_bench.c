/*
 * cache_bench.c -- how fast the cache is on one core: look-ups in memory,
 * and texts looked for among those that are like them.
 *
 * `cache_bench [memory|near]`, both without an argument.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cache/memory.h"
#include "cache/near.h"
#include "engine/base/hash.h"
#include "engine/base/rng.h"

enum { ENTRIES = 100000, LOOK_UPS = 5000000, TEXTS = 200000, LENGTH = 200 };

static double cpu_seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const char *what, size_t count, double seconds,
                   size_t bytes_each)
{
    (void)printf("%s: %.0f a second of processor time, %.0f ns each, %zu "
                 "bytes an entry\n",
                 what, (double)count / seconds, seconds * 1e9 / (double)count,
                 bytes_each);
}

/* ---- memory ----------------------------------------------------------- */

static void make_keys(struct asbi_cache_key *keys)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        asbi_hash128(&i, sizeof(i), 1, keys[i].bytes);
        asbi_hash128(&i, sizeof(i), 2, keys[i].bytes + 16);
    }
}

static int bench_memory(void)
{
    struct asbi_memory_options o = { .max_bytes = 256 << 20 };
    struct asbi_cache_key *keys = calloc(ENTRIES, sizeof(*keys));
    struct asbi_memory_note note = { 1000, UINT64_MAX, false, false };
    struct asbi_memory_stats stats;
    struct asbi_memory *m = NULL;
    struct asbi_rng rng;
    char record[200] = { 0 };
    asbi_str found;

    if (!keys || asbi_memory_new(&asbi_mem_system, &o, &m))
        return 1;
    make_keys(keys);
    for (size_t i = 0; i < ENTRIES; i++)
        asbi_memory_put(m, &keys[i], asbi_str_of(record, sizeof(record)), &note,
                        0);
    asbi_rng_seed(&rng, 1);
    double start = cpu_seconds();
    for (size_t i = 0; i < LOOK_UPS; i++)
        (void)asbi_memory_get(m, &keys[asbi_rng_below(&rng, ENTRIES)], 0,
                              &found, &note);
    double seconds = cpu_seconds() - start;
    asbi_memory_stats(m, &stats);
    report("memory look-ups", LOOK_UPS, seconds, stats.bytes / stats.items);
    asbi_memory_free(m);
    free(keys);
    return stats.hits == LOOK_UPS ? 0 : 1;
}

/* ---- near texts ------------------------------------------------------- */

/* One in four is an edit of an earlier text. */
static void make_text(struct asbi_rng *rng, char *texts, size_t i)
{
    char *text = texts + i * LENGTH;

    if (i && i % 4 == 0) {
        memcpy(text, texts + asbi_rng_below(rng, i) * LENGTH, LENGTH);
        for (int edits = 0; edits < 4; edits++)
            text[asbi_rng_below(rng, LENGTH)] = 'x';
        return;
    }
    for (size_t k = 0; k < LENGTH; k++)
        text[k] = asbi_rng_below(rng, 6) ? (char)('a' + asbi_rng_below(rng, 26))
                                         : ' ';
}

static bool count_match(void *arg, const struct asbi_near_match *m)
{
    size_t *count = arg;

    (void)m;
    return ++*count > 0;
}

static int bench_near(void)
{
    struct asbi_near_options o = { 256 << 20, 0.8, 7 };
    char *texts = malloc((size_t)TEXTS * LENGTH);
    struct asbi_near *near = NULL;
    struct asbi_rng rng;
    size_t matches = 0, held;

    if (!texts || asbi_near_new(&asbi_mem_system, &o, &near))
        return 1;
    asbi_rng_seed(&rng, 1);
    for (size_t i = 0; i < TEXTS; i++)
        make_text(&rng, texts, i);
    double start = cpu_seconds();
    for (size_t i = 0; i < TEXTS; i++) {
        asbi_str text = asbi_str_of(texts + i * LENGTH, LENGTH);

        (void)asbi_near_look(near, 1, text);
        asbi_near_each(near, count_match, &matches);
        (void)asbi_near_add(near, i);
    }
    double seconds = cpu_seconds() - start;
    size_t bytes = asbi_near_bytes(near, &held);
    report("texts of 200 bytes looked for and taken in", TEXTS, seconds,
           bytes / held);
    (void)printf("%zu pairs found\n", matches);
    asbi_near_free(near);
    free(texts);
    return matches > TEXTS / 5 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "";
    int bad = 0;

    if (!*only || strcmp(only, "memory") == 0)
        bad |= bench_memory();
    if (!*only || strcmp(only, "near") == 0)
        bad |= bench_near();
    return bad;
}

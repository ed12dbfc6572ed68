/*
 * cache_bench.c -- how fast the cache is on one core: look-ups in memory,
 * texts looked for among those that are like them, and look-ups in a warm
 * Redis (a redis-server of its own, on a Unix socket).
 *
 * `cache_bench [memory|near|redis]`, all without an argument.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cache/memory.h"
#include "cache/near.h"
#include "engine/base/hash.h"
#include "engine/base/rng.h"
#include "engine/real/cache_redis.h"
#include "tests/support/caller.h"
#include "tests/support/redis.h"

#include <event2/event.h>

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

/* ---- Redis ------------------------------------------------------------ */

enum { IN_FLIGHT = 1000, ANSWER = 1000 };

static struct asbi_look looks[IN_FLIGHT];
static size_t found, ended, free_looks[IN_FLIGHT], free_count;

static void on_end(void *arg, struct asbi_remote *r, struct asbi_look *look,
                   asbi_str record, uint64_t expires_ms)
{
    (void)arg;
    (void)r;
    (void)expires_ms;
    found += record.len == ANSWER;
    ended++;
    free_looks[free_count++] = (size_t)(look - looks);
}

static void on_health(void *arg, struct asbi_remote *r, bool well,
                      const char *why)
{
    (void)arg;
    (void)r;
    if (!well)
        (void)fprintf(stderr, "redis: %s\n", why);
}

static void on_purge(void *arg, const struct asbi_cache_key *key)
{
    (void)arg;
    (void)key;
}

static void on_rest(void *arg)
{
    (void)arg;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

static void turn(struct asbi_remote *r, struct surroundings *s)
{
    r->ops->turn(r, asbi_now(s->world));
    (void)event_base_loop(s->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void keep_all(struct asbi_remote *r, struct surroundings *s,
                     const struct asbi_cache_key *keys)
{
    static char record[ANSWER];
    uint64_t now_ms = asbi_wall_ms(s->world);

    for (size_t i = 0; i < ENTRIES; i++) {
        struct asbi_store_entry e = { .key = keys[i],
                                      .expires_ms = now_ms + 3600000,
                                      .record = { record, ANSWER } };

        r->ops->keep(r, &e, now_ms, asbi_now(s->world));
        while (i % IN_FLIGHT == 0 && r->ops->busy(r))
            turn(r, s);
    }
    while (r->ops->busy(r))
        turn(r, s);
}

/* As many as may be are under way, each turn's together. */
static void ask_all(struct asbi_remote *r, struct surroundings *s,
                    const struct asbi_cache_key *keys, size_t count)
{
    size_t asked = 0;

    ended = found = free_count = 0;
    while (free_count < IN_FLIGHT)
        free_looks[free_count] = free_count, free_count++;
    while (ended < count) {
        while (asked < count && free_count) {
            struct asbi_look *look = &looks[free_looks[free_count - 1]];

            look->key = &keys[asked];
            if (!r->ops->ask(r, look, asbi_now(s->world)))
                break;
            free_count--;
            asked++;
        }
        turn(r, s);
    }
}

static double wall_seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int bench_redis(void)
{
    struct asbi_cache_redis_options o = { .budget_ns = 10 * ASBI_SECOND };
    struct asbi_real_options real = { .no_http = true };
    struct asbi_cache_key *keys = calloc(ENTRIES, sizeof(*keys));
    struct asbi_redis_room room;
    struct asbi_remote *r;
    struct surroundings s;
    struct redis redis;
    struct asb_message why;
    struct timeval hour = { .tv_sec = 3600 };

    redis_start(&redis, NULL);
    surroundings_init(&s, NULL, &real);
    /* The tier does not keep a loop alive, as the engine does. */
    struct event *tick = event_new(s.base, -1, 0, on_tick, NULL);
    if (!tick || event_add(tick, &hour))
        return 1;
    o.place.patience_ns = 10 * ASBI_SECOND;
    if (!keys || asbi_cache_redis_parse(redis.url, &room, &o.place, &why) ||
        asbi_cache_redis_new(asbi_real_world_parts(s.world), &o, &r, &why))
        return 1;
    r->on_end = on_end;
    r->on_health = on_health;
    r->on_purge = on_purge;
    r->on_rest = on_rest;
    make_keys(keys);
    ask_all(r, &s, keys, 1);
    keep_all(r, &s, keys);
    double wall = wall_seconds(), cpu = cpu_seconds();
    ask_all(r, &s, keys, ENTRIES);
    wall = wall_seconds() - wall;
    report("look-ups in Redis, answers of 1 kB", ENTRIES, cpu_seconds() - cpu,
           ANSWER);
    (void)printf("%zu of %d found, %.0f a second\n", found, ENTRIES,
                 ENTRIES / wall);
    r->ops->free(r);
    event_free(tick);
    surroundings_fini(&s);
    server_fini(&redis.server);
    free(keys);
    return found == ENTRIES ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "";
    int bad = 0;

    if (!*only || strcmp(only, "memory") == 0)
        bad |= bench_memory();
    if (!*only || strcmp(only, "near") == 0)
        bad |= bench_near();
    if (!*only || strcmp(only, "redis") == 0)
        bad |= bench_redis();
    return bad;
}

/* The cache file: what was put is there in the next run, whatever happens in
 * between; what is damaged or not ours is never believed. */
#include "engine/real/cache_sqlite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/record.h"
#include "engine/base/units.h"
#include "engine/recall_store.h"
#include "engine/sim/world.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"
#include "tests/support/sim_run.h"

static char folder[64], path[96];
static struct fault_mem fm;
static bool sim_clock;

static void start(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/asb-test-cache-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof(path), "%s/c.db", folder);
    fault_mem_init(&fm, 0);
}

static void stop(void)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    char name[112];

    for (int i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        (void)unlink(name);
    }
    CHECK_INT(rmdir(folder), ==, 0);
    CHECK_INT(fm.live, ==, 0);
}

static int try_open(struct asbi_cache_file **f, uint64_t max_bytes)
{
    struct asbi_cache_file_options o = { .path = path,
                                         .max_bytes = max_bytes,
                                         .now_ms = sim_clock };
    struct asb_message why = { "" };
    int rc = asbi_cache_file_open(&fm.mem, &o, f, &why);

    CHECK_INT(rc != ASB_OK && rc != ASB_ENOMEM, ==, why.text[0] != '\0');
    return rc;
}

static struct asbi_store *open_store(void)
{
    struct asbi_cache_file *f;

    CHECK_INT(try_open(&f, 0), ==, ASB_OK);
    return asbi_cache_file_store(f);
}

static struct asbi_cache_key key_of(unsigned n)
{
    struct asbi_cache_key key = { { (unsigned char)n,
                                    (unsigned char)(n >> 8) } };

    return key;
}

static int put(struct asbi_store *s, unsigned n, const char *text,
               uint64_t expires_ms)
{
    struct asbi_store_entry e = { key_of(n), expires_ms, asbi_str_c(text) };

    return s->ops->put(s, &e, 1);
}

/* Whether entry `n` is there, with this text. */
static bool has(struct asbi_store *s, unsigned n, const char *text)
{
    struct asbi_cache_key key = key_of(n);
    uint64_t expires = 0;
    struct asbi_buf b;

    asbi_buf_init(&b, &asbi_mem_system, 1 << 20);
    int rc = s->ops->get(s, &key, 1000, &b, &expires);
    if (!rc)
        CHECK_STR(asbi_buf_view(&b), text);
    asbi_buf_fini(&b);
    CHECK(rc == ASB_OK || rc == ASB_ENOENT);
    return rc == ASB_OK;
}

static void what_was_put_is_there_in_the_next_run(void)
{
    struct stat st;

    start();
    struct asbi_store *s = open_store();
    CHECK_INT(put(s, 1, "one", UINT64_MAX), ==, ASB_OK);
    CHECK_INT(put(s, 2, "two", UINT64_MAX), ==, ASB_OK);
    CHECK_INT(put(s, 2, "two again", UINT64_MAX), ==, ASB_OK);
    CHECK(has(s, 1, "one"));
    s->ops->free(s);
    CHECK_INT(stat(path, &st), ==, 0);
    CHECK_INT(st.st_mode & 0777, ==, 0600);
    s = open_store();
    s->ops->begin(s);
    CHECK(has(s, 1, "one") && has(s, 2, "two again") && !has(s, 3, ""));
    s->ops->end(s);
    s->ops->free(s);
    stop();
}

static void what_has_expired_is_not_there(void)
{
    start();
    struct asbi_store *s = open_store();
    CHECK_INT(put(s, 1, "one", 1000), ==, ASB_OK);
    CHECK_INT(put(s, 2, "two", 1001), ==, ASB_OK);
    CHECK(!has(s, 1, ""));
    CHECK(has(s, 2, "two"));
    s->ops->free(s);
    s = open_store(); /* it is long after the second second of 1970 */
    CHECK(!has(s, 2, ""));
    s->ops->free(s);
    stop();
}

static void two_at_a_time_see_each_others_answers(void)
{
    start();
    struct asbi_store *a = open_store(), *b = open_store();
    for (unsigned n = 0; n < 50; n++)
        CHECK_INT(put(n % 2 ? a : b, n, "x", UINT64_MAX), ==, ASB_OK);
    for (unsigned n = 0; n < 50; n++)
        CHECK(has(n % 2 ? b : a, n, "x"));
    a->ops->begin(a); /* a reader holds up no writer */
    CHECK(has(a, 1, "x"));
    CHECK_INT(put(b, 99, "y", UINT64_MAX), ==, ASB_OK);
    a->ops->end(a);
    CHECK(has(a, 99, "y"));
    a->ops->free(a);
    b->ops->free(b);
    stop();
}

static void a_full_file_makes_room_for_what_comes(void)
{
    enum { MAX = 2 << 20, BYTES = 2000 };
    static char text[BYTES + 1];
    struct asbi_cache_file *f;
    struct stat st;

    start();
    CHECK_INT(try_open(&f, MAX), ==, ASB_OK);
    struct asbi_store *s = asbi_cache_file_store(f);
    memset(text, 'x', BYTES);
    for (unsigned n = 0; n < 3000; n++)
        CHECK_INT(put(s, n, text, 1000000 + n), ==, ASB_OK);
    CHECK(has(s, 2999, text));
    CHECK(!has(s, 0, ""));
    s->ops->free(s);
    CHECK_INT(stat(path, &st), ==, 0);
    CHECK_INT(st.st_size, <=, MAX);
    stop();
}

static void write_file(const char *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");

    CHECK(f && fwrite(bytes, 1, len, f) == len && fclose(f) == 0);
}

static void another_file_is_refused_and_left_as_it_is(void)
{
    static const char text[] = "id,text\n1,this is somebody's table of texts "
                               "and nothing that a database could be made of\n";
    struct asbi_cache_file *f;
    char back[sizeof(text)];

    start();
    write_file(text, sizeof(text));
    CHECK_INT(try_open(&f, 0), ==, ASB_ECONFIG);
    FILE *in = fopen(path, "rb");
    CHECK(in && fread(back, 1, sizeof(back), in) == sizeof(back));
    CHECK_INT(fclose(in), ==, 0);
    CHECK(memcmp(back, text, sizeof(text)) == 0);
    stop();
}

static void a_folder_that_is_not_there_is_said(void)
{
    struct asbi_cache_file *f;

    start();
    (void)snprintf(path, sizeof(path), "%s/no/c.db", folder);
    CHECK_INT(try_open(&f, 0), ==, ASB_EIO);
    (void)snprintf(path, sizeof(path), "%s", folder);
    CHECK_INT(try_open(&f, 0), ==, ASB_ECONFIG);
    (void)snprintf(path, sizeof(path), "%s/c.db", folder);
    stop();
}

static int count_one(void *arg, const struct asbi_store_entry *entry)
{
    CHECK_STR(entry->record, "x");
    return ++*(int *)arg == 7;
}

static void entries_are_counted_listed_and_purged(void)
{
    struct asbi_cache_file_stats stats;
    struct asbi_cache_file *f;
    uint64_t deleted = 0;
    int seen = 0;

    start();
    CHECK_INT(try_open(&f, 0), ==, ASB_OK);
    for (unsigned n = 0; n < 10; n++)
        CHECK_INT(
            put(asbi_cache_file_store(f), n, "x", n < 3 ? 1000 : UINT64_MAX),
            ==, ASB_OK);
    CHECK_INT(asbi_cache_file_stats(f, &stats), ==, ASB_OK);
    CHECK_INT(stats.answers, ==, 10);
    CHECK_INT(stats.expired, ==, 3);
    CHECK_INT(stats.file_bytes, >, 0);
    CHECK_INT(asbi_cache_file_each(f, count_one, &seen), ==, ASB_OK);
    CHECK_INT(seen, ==, 7);
    CHECK_INT(asbi_cache_file_purge(f, false, &deleted), ==, ASB_OK);
    CHECK_INT(deleted, ==, 3);
    CHECK_INT(asbi_cache_file_purge(f, true, &deleted), ==, ASB_OK);
    CHECK_INT(deleted, ==, 7);
    CHECK_INT(asbi_cache_file_stats(f, &stats), ==, ASB_OK);
    CHECK_INT(stats.answers, ==, 0);
    asbi_cache_file_store(f)->ops->free(asbi_cache_file_store(f));
    stop();
}

/* ---- under the engine ------------------------------------------------- */

static void open_run(struct sim_run *r)
{
    sim_run_init(r, 3);
    sim_clock = true; /* which is years behind */
    r->store = open_store();
    sim_clock = false;
}

/* A run of the same 200 sentences with the file as its store. */
static void run(struct sim_run *r, const char *name, const char *value)
{
    open_run(r);
    sim_run_set(r, name, value);
    sim_run_all(r);
    CHECK_INT(r->stats.items_ok, ==, 200);
    sim_run_end(r);
}

static void the_second_run_asks_nobody(void)
{
    struct sim_run first, second;

    start();
    run(&first, NULL, NULL);
    CHECK_INT(first.stats.items_cached, ==, 0);
    run(&second, NULL, NULL);
    CHECK_INT(second.served.calls, ==, 0);
    CHECK_INT(second.stats.cost_nano_usd, ==, 0);
    CHECK_INT(second.stats.items_cached, ==, 200);
    CHECK_INT(second.stats.saved_nano_usd, >, 0);
    stop();
}

static const char *each_twice(size_t i, char *room, size_t size)
{
    (void)snprintf(room, size, "Sentence %zu.", i / 2);
    return room;
}

static void who_shares_what_is_looked_up_saves_as_much(void)
{
    struct sim_run r;

    start();
    for (int runs = 0; runs < 2; runs++) {
        open_run(&r);
        r.items = 2000;
        r.text = each_twice;
        sim_run_all(&r);
        for (size_t i = 0; runs && i < r.items; i += 2) {
            CHECK_INT(r.answers[i].saved, >, 0);
            CHECK_INT(r.answers[i + 1].saved, ==, r.answers[i].saved);
        }
        asbi_recall_save_all(r.engine);
        CHECK_INT(r.engine->recall.unsaved_bytes, ==, 0);
        CHECK_INT(sim_run_from(&r, ASB_DUPLICATE), ==, 1000);
        CHECK_INT(sim_run_from(&r, ASB_CACHE), ==, runs ? 1000 : 0);
        sim_run_end(&r);
    }
    stop();
}

static void another_request_is_asked_whatever_is_in_the_file(void)
{
    struct sim_run r;

    start();
    run(&r, NULL, NULL);
    run(&r, "model", "sim-2");
    CHECK_INT(r.stats.items_cached, ==, 0);
    run(&r, "temperature", "0");
    CHECK_INT(r.stats.items_cached, ==, 0);
    run(&r, "temperature", "0.5");
    CHECK_INT(r.stats.items_cached, ==, 0);
    run(&r, "temperature", "0.5");
    CHECK_INT(r.stats.items_cached, ==, 0);
    run(&r, "batch_size", "3");
    CHECK_INT(r.stats.items_cached, ==, 200);
    stop();
}

/* Flips one bit in every record. */
static int collect(void *arg, const struct asbi_store_entry *entry)
{
    struct asbi_store_entry *all = arg;

    while (all->record.at)
        all++;
    *all = *entry;
    char *copy = malloc(entry->record.len);
    CHECK(copy != NULL);
    memcpy(copy, entry->record.at, entry->record.len);
    copy[entry->record.len - 1] ^= 4;
    all->record.at = copy;
    return 0;
}

static void a_flipped_bit_costs_a_call_and_is_no_answer(void)
{
    static struct asbi_store_entry all[201];
    struct asbi_cache_file *f;
    struct sim_run r;

    start();
    run(&r, NULL, NULL);
    sim_clock = true;
    CHECK_INT(try_open(&f, 0), ==, ASB_OK);
    sim_clock = false;
    struct asbi_store *s = asbi_cache_file_store(f);
    CHECK_INT(asbi_cache_file_each(f, collect, all), ==, ASB_OK);
    CHECK_INT(s->ops->put(s, all, 20), ==, ASB_OK);
    s->ops->free(s);
    for (size_t i = 0; i < 200; i++)
        free((void *)(uintptr_t)all[i].record.at);
    run(&r, NULL, NULL);
    CHECK_INT(r.stats.items_cached, ==, 180);
    CHECK_INT(r.served.items, ==, 20);
    run(&r, NULL, NULL);
    CHECK_INT(r.stats.items_cached, ==, 200);
    stop();
}

/* A store that fails every call from the n-th on. */
struct bad_store {
    struct asbi_store store;
    int left, rc;
    bool freed;
};

static int bad_rc(struct asbi_store *s)
{
    struct bad_store *b = (struct bad_store *)(void *)s;

    CHECK(!b->freed);
    return b->left-- > 0 ? ASB_OK : b->rc;
}

static void bad_nothing(struct asbi_store *s)
{
    CHECK(!((struct bad_store *)(void *)s)->freed);
}

static int bad_get(struct asbi_store *s, const struct asbi_cache_key *key,
                   uint64_t now_ms, struct asbi_buf *record,
                   uint64_t *expires_ms)
{
    int rc = bad_rc(s);

    (void)key;
    (void)now_ms;
    (void)record;
    (void)expires_ms;
    return rc ? rc : ASB_ENOENT;
}

static int bad_put(struct asbi_store *s, const struct asbi_store_entry *entries,
                   size_t count)
{
    (void)entries;
    CHECK(count > 0);
    return bad_rc(s);
}

static void bad_free(struct asbi_store *s)
{
    bad_nothing(s);
    ((struct bad_store *)(void *)s)->freed = true;
}

static const struct asbi_store_ops bad_ops = {
    .begin = bad_nothing,
    .end = bad_nothing,
    .get = bad_get,
    .put = bad_put,
    .last = bad_nothing,
    .free = bad_free,
};

static void a_store_that_fails_or_is_busy_fails_no_item(void)
{
    static const int codes[] = { ASB_EIO, ASB_EBUSY };

    for (int left = 0; left < 210; left += 1 + left / 8) {
        for (int k = 0; k < 2; k++) {
            struct bad_store bad = { { &bad_ops }, left, codes[k], false };
            struct sim_run r;

            sim_run_init(&r, 3);
            r.store = &bad.store;
            sim_run_all(&r);
            CHECK_INT(r.stats.items_ok, ==, 200);
            sim_run_end(&r);
            CHECK(bad.freed);
        }
    }
}

TEST_MAIN(CASE(what_was_put_is_there_in_the_next_run),
          CASE(what_has_expired_is_not_there),
          CASE(two_at_a_time_see_each_others_answers),
          CASE(a_full_file_makes_room_for_what_comes),
          CASE(another_file_is_refused_and_left_as_it_is),
          CASE(a_folder_that_is_not_there_is_said),
          CASE(entries_are_counted_listed_and_purged),
          CASE(the_second_run_asks_nobody),
          CASE(who_shares_what_is_looked_up_saves_as_much),
          CASE(another_request_is_asked_whatever_is_in_the_file),
          CASE(a_flipped_bit_costs_a_call_and_is_no_answer),
          CASE(a_store_that_fails_or_is_busy_fails_no_item))

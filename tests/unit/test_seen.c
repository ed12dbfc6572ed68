/* Repeated ids are found in bounded memory. */
#include "engine/seen.h"

#include "engine/base/rng.h"
#include "engine/real/tempfile.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

enum { IDS = 300000 };

/* A store in memory that can fail. */
struct disk {
    char *bytes;
    size_t size, room;
    unsigned opens, reads, writes;
    unsigned fail_read, fail_write; /* the n-th fails; 0: none */
    bool fail_open;
};

static int disk_open(void *arg, void **file)
{
    struct disk *d = arg;

    d->opens++;
    *file = d;
    return d->fail_open;
}

static int disk_read(void *file, uint64_t at, void *to, size_t len)
{
    struct disk *d = file;

    if (++d->reads == d->fail_read)
        return 5;
    CHECK(at + len <= d->size);
    memcpy(to, d->bytes + at, len);
    return 0;
}

static int disk_write(void *file, uint64_t at, const void *from, size_t len)
{
    struct disk *d = file;

    if (++d->writes == d->fail_write)
        return 28;
    if (at + len > d->room) {
        d->room = 2 * (at + len);
        d->bytes = realloc(d->bytes, d->room);
        CHECK(d->bytes != NULL);
    }
    if (at + len > d->size)
        d->size = at + len;
    memcpy(d->bytes + at, from, len);
    return 0;
}

static void disk_close(void *file)
{
    (void)file;
}

static const struct asbi_seen_store disk_store = { disk_open, disk_read,
                                                   disk_write, disk_close };

static uint64_t check(struct asbi_seen *s, const char *id, uint64_t line)
{
    uint64_t earlier;

    CHECK_INT(asbi_seen_check(s, asbi_str_c(id), line, &earlier), ==, ASB_OK);
    return earlier;
}

static void a_repeated_id_names_its_first_line(void)
{
    struct disk disk = { .size = 0 };
    struct asbi_seen *s;

    CHECK(asbi_seen_new(&asbi_mem_system, &disk_store, &disk, &s) == ASB_OK);
    CHECK_INT(check(s, "a", 1), ==, 0);
    CHECK_INT(check(s, "b", 2), ==, 0);
    CHECK_INT(check(s, "a", 3), ==, 1);
    CHECK_INT(check(s, "a", 4), ==, 1);
    CHECK_INT(check(s, "", 5), ==, 0);
    CHECK_INT(check(s, "", 6), ==, 5);
    CHECK_INT(check(s, "A", 7), ==, 0);
    CHECK_INT(disk.opens, ==, 0);
    asbi_seen_free(s);
}

/* Random ids out of a range with repeats, against a plain table. */
static void look_up_random_ids(const struct asbi_seen_store *store, void *arg)
{
    static uint32_t first[IDS];
    struct asbi_rng rng;
    struct asbi_seen *s;
    char id[32];

    memset(first, 0, sizeof(first));
    asbi_rng_seed(&rng, 7);
    CHECK(asbi_seen_new(&asbi_mem_system, store, arg, &s) == ASB_OK);
    for (uint32_t line = 1; line <= IDS; line++) {
        size_t n = (size_t)asbi_rng_below(&rng, IDS);

        (void)snprintf(id, sizeof(id), "%zx-string", n * 2654435761U);
        CHECK_INT(check(s, id, line), ==, first[n]);
        if (!first[n])
            first[n] = line;
    }
    asbi_seen_free(s);
}

static void many_random_ids_are_told_apart_exactly(void)
{
    struct disk disk = { .size = 0 };

    look_up_random_ids(&disk_store, &disk);
    CHECK_INT(disk.opens, ==, 1);
    free(disk.bytes);
}

static void a_temporary_file_serves_as_well(void)
{
    look_up_random_ids(&asbi_tempfile_store, NULL);
}

static void rising_ids_are_never_looked_up_on_disk(void)
{
    struct disk disk = { .size = 0 };
    struct asbi_seen *s;
    char id[32];
    unsigned merges;

    CHECK(asbi_seen_new(&asbi_mem_system, &disk_store, &disk, &s) == ASB_OK);
    for (unsigned i = 1; i <= 60000; i++) {
        (void)snprintf(id, sizeof(id), "item-%u", i);
        CHECK_INT(check(s, id, i), ==, 0);
    }
    CHECK_INT(disk.reads, ==, 0);
    merges = disk.writes;
    /* Back again: each is found, be it in the table or on disk. */
    for (unsigned i = 1; i <= 60000; i += 7) {
        (void)snprintf(id, sizeof(id), "item-%u", i);
        CHECK_INT(check(s, id, 100000 + i), ==, i);
    }
    CHECK_INT(disk.writes, ==, merges);
    CHECK(disk.reads > 0);
    asbi_seen_free(s);
    free(disk.bytes);
}

static void leading_zeros_make_another_id(void)
{
    struct disk disk = { .size = 0 };
    struct asbi_seen *s;

    CHECK(asbi_seen_new(&asbi_mem_system, &disk_store, &disk, &s) == ASB_OK);
    CHECK_INT(check(s, "7", 1), ==, 0);
    CHECK_INT(check(s, "07", 2), ==, 0);
    CHECK_INT(check(s, "007", 3), ==, 0);
    CHECK_INT(check(s, "07", 4), ==, 2);
    asbi_seen_free(s);
}

static void memory_does_not_grow_with_the_ids(void)
{
    struct fault_mem fm;
    struct disk disk = { .size = 0 };
    struct asbi_seen *s;
    char id[32];
    size_t requests = 0;

    fault_mem_init(&fm, 0);
    CHECK(asbi_seen_new(&fm.mem, &disk_store, &disk, &s) == ASB_OK);
    for (uint32_t i = 1; i <= 400000; i++) {
        (void)snprintf(id, sizeof(id), "%08x", i * 2654435761U);
        CHECK_INT(check(s, id, i), ==, 0);
        if (i == 60000)
            requests = fm.live;
    }
    CHECK_INT(fm.live, ==, requests);
    asbi_seen_free(s);
    CHECK_INT(fm.live, ==, 0);
    free(disk.bytes);
}

/* New ids are mostly known to be new without a look into the file, be there
 * ever so many; what was read is what was merged. */
static void the_filter_keeps_up(void)
{
    enum { MANY = 2000000 };
    struct disk disk = { .size = 0 };
    struct asbi_seen *s;
    uint64_t earlier;

    CHECK(asbi_seen_new(&asbi_mem_system, &disk_store, &disk, &s) == ASB_OK);
    for (uint64_t i = 1; i <= MANY; i++) {
        uint64_t id = i * UINT64_C(0x9e3779b97f4a7c15);

        CHECK_INT(asbi_seen_check(s, asbi_str_of((char *)&id, sizeof(id)), i,
                                  &earlier),
                  ==, ASB_OK);
        CHECK_INT(earlier, ==, 0);
    }
    CHECK_INT(disk.reads, <, MANY / 25);
    for (uint64_t i = 1; i <= MANY; i += 997) {
        uint64_t id = i * UINT64_C(0x9e3779b97f4a7c15);

        CHECK_INT(asbi_seen_check(s, asbi_str_of((char *)&id, sizeof(id)),
                                  MANY + i, &earlier),
                  ==, ASB_OK);
        CHECK_INT(earlier, ==, i);
    }
    asbi_seen_free(s);
    free(disk.bytes);
}

/* Fails in one way; every check must say so or be right. */
static int fill(struct disk *disk, const struct asbi_mem *mem)
{
    struct asbi_seen *s;
    char id[32];
    int rc = asbi_seen_new(mem, &disk_store, disk, &s);

    if (rc)
        return rc;
    for (uint32_t i = 1; i <= 160000 && !rc; i++) {
        uint64_t earlier;

        (void)snprintf(id, sizeof(id), "%08x", i * 2654435761U);
        rc = asbi_seen_check(s, asbi_str_c(id), i, &earlier);
        CHECK(rc || earlier == 0);
    }
    asbi_seen_free(s);
    free(disk->bytes);
    return rc;
}

static void a_failing_disk_is_reported(void)
{
    struct disk no_file = { .fail_open = true };
    struct disk no_room = { .fail_write = 300 };
    struct disk bad_sector = { .fail_read = 100 };

    CHECK_INT(fill(&no_file, &asbi_mem_system), ==, ASB_EIO);
    CHECK_INT(fill(&no_room, &asbi_mem_system), ==, ASB_EIO);
    CHECK_INT(fill(&bad_sector, &asbi_mem_system), ==, ASB_EIO);
}

static int life(const struct asbi_mem *mem, void *arg)
{
    struct disk disk = { .size = 0 };

    (void)arg;
    return fill(&disk, mem);
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep(life, NULL), >, 0);
}

TEST_MAIN(CASE(a_repeated_id_names_its_first_line),
          CASE(many_random_ids_are_told_apart_exactly),
          CASE(a_temporary_file_serves_as_well),
          CASE(rising_ids_are_never_looked_up_on_disk),
          CASE(leading_zeros_make_another_id),
          CASE(memory_does_not_grow_with_the_ids), CASE(the_filter_keeps_up),
          CASE(a_failing_disk_is_reported),
          CASE(every_failed_allocation_is_survived))

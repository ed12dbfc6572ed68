#include "engine/base/pool.h"

#include "engine/base/rng.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

static void the_block_freed_last_is_given_first(void)
{
    struct fault_mem fm;
    struct asbi_pool p;

    fault_mem_init(&fm, 0);
    asbi_pool_init(&p, &fm.mem);
    void *a = asbi_alloc(&p.mem, 300), *b = asbi_alloc(&p.mem, 300);
    CHECK(a && b);
    asbi_free(&p.mem, a);
    asbi_free(&p.mem, b);
    CHECK(asbi_alloc(&p.mem, 299) == b);
    CHECK(asbi_alloc(&p.mem, 301) == a);
    CHECK_INT(fm.seen, ==, 2);
    asbi_free(&p.mem, a);
    asbi_free(&p.mem, b);
    asbi_pool_fini(&p);
    CHECK_INT(fm.live, ==, 0);
}

static void what_is_kept_has_a_limit(void)
{
    enum { BLOCKS = 2000, SIZE = 4000 };
    static void *blocks[BLOCKS];
    struct fault_mem fm;
    struct asbi_pool p;

    fault_mem_init(&fm, 0);
    asbi_pool_init(&p, &fm.mem);
    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = asbi_alloc(&p.mem, SIZE);
    for (size_t i = 0; i < BLOCKS; i++)
        asbi_free(&p.mem, blocks[i]);
    CHECK(p.spare_bytes > 0 && p.spare_bytes <= ASBI_POOL_KEEPS);
    CHECK_INT(fm.live, ==, p.spare_bytes / 4032);
    asbi_pool_fini(&p);
    CHECK_INT(fm.live, ==, 0);
}

static void large_blocks_are_not_kept(void)
{
    struct fault_mem fm;
    struct asbi_pool p;

    fault_mem_init(&fm, 0);
    asbi_pool_init(&p, &fm.mem);
    char *big = asbi_alloc(&p.mem, 100000);
    CHECK(big != NULL);
    memset(big, 'x', 100000);
    big = asbi_resize(&p.mem, big, 300000, 1);
    CHECK(big && big[0] == 'x' && big[99999] == 'x');
    asbi_free(&p.mem, big);
    CHECK_INT(fm.live, ==, 0);
    CHECK(asbi_alloc(&p.mem, SIZE_MAX - 3) == NULL);
    CHECK(asbi_alloc(&p.mem, SIZE_MAX) == NULL);
    asbi_pool_fini(&p);
}

struct held {
    unsigned char *at;
    size_t len;
    unsigned char fill;
};

static void fill(struct held *h, size_t from)
{
    if (h->len > from)
        memset(h->at + from, h->fill, h->len - from);
}

static void check(const struct held *h, size_t len)
{
    for (size_t i = 0; i < len; i++)
        CHECK_INT(h->at[i], ==, h->fill);
}

/* Blocks of all sizes come, grow, shrink and go: none loses a byte, none
 * overlaps another, none stays. */
static void blocks_keep_what_is_in_them(void)
{
    enum { HELD = 200 };
    static struct held held[HELD];
    struct fault_mem fm;
    struct asbi_pool p;
    struct asbi_rng r;

    fault_mem_init(&fm, 0);
    asbi_pool_init(&p, &fm.mem);
    asbi_rng_seed(&r, 11);
    for (int run = 0; run < 20000; run++) {
        struct held *h = &held[asbi_rng_below(&r, HELD)];
        size_t len = asbi_rng_below(&r, run % 7 ? 700 : 9000);
        size_t same = h->len < len ? h->len : len;

        check(h, h->len);
        if (len == 0)
            asbi_free(&p.mem, h->at);
        h->at = len ? asbi_resize(&p.mem, h->at, len, 1) : NULL;
        CHECK(h->at || len == 0);
        h->len = len;
        check(h, same);
        h->fill = same ? h->fill : (unsigned char)run;
        fill(h, same);
    }
    for (size_t i = 0; i < HELD; i++)
        asbi_free(&p.mem, held[i].at);
    asbi_pool_fini(&p);
    CHECK_INT(fm.live, ==, 0);
}

static void without_memory_the_old_block_stays(void)
{
    struct fault_mem fm;
    struct asbi_pool p;

    fault_mem_init(&fm, 2);
    asbi_pool_init(&p, &fm.mem);
    char *a = asbi_alloc(&p.mem, 10);
    CHECK(a != NULL);
    a[9] = 'x';
    CHECK(asbi_resize(&p.mem, a, 5000, 1) == NULL);
    CHECK_INT(a[9], ==, 'x');
    asbi_free(&p.mem, a);
    asbi_pool_fini(&p);
    CHECK_INT(fm.live, ==, 0);
}

TEST_MAIN(CASE(the_block_freed_last_is_given_first),
          CASE(what_is_kept_has_a_limit), CASE(large_blocks_are_not_kept),
          CASE(blocks_keep_what_is_in_them),
          CASE(without_memory_the_old_block_stays))

/* Rows go out in the order they came in, whatever order they are ready in. */
#include "engine/order.h"

#include "engine/base/rng.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

enum { ROWS = 5000 };

/* A slip is the number alone. */
static int fetch(void *arg, asbi_str slip, struct asbi_buf *out)
{
    (void)arg;
    asbi_buf_str(out, slip);
    asbi_buf_char(out, '\n');
    return 0;
}

static void put(struct asbi_order *o, uint64_t place, struct asbi_buf *out)
{
    char row[32];
    int len = snprintf(row, sizeof(row), "%d\n", (int)place);

    if (asbi_order_is_next(o, place)) {
        asbi_buf_add(out, row, (size_t)len);
        asbi_order_pass(o);
        while (asbi_order_take(o, out, out->len + 7) > 0)
            ; /* a little at a time */
        return;
    }
    int rc =
        place % 3
            ? asbi_order_keep(o, place, asbi_str_of(row, (size_t)len))
            : asbi_order_keep_slip(o, place, asbi_str_of(row, (size_t)len - 1));
    CHECK_INT(rc, ==, ASB_OK);
}

/* Fills places in an order shuffled by `seed`, in windows of `window`. */
static void run(const struct asbi_mem *mem, uint64_t seed, size_t window,
                struct asbi_buf *out)
{
    struct asbi_order o;
    struct asbi_rng rng;
    uint64_t open[512];
    size_t n = 0, given = 0;

    asbi_rng_seed(&rng, seed);
    asbi_order_init(&o, mem, fetch, NULL);
    while (given < ROWS || n > 0) {
        if (given < ROWS && n < window) {
            CHECK_INT(asbi_order_reserve(&o, &open[n]), ==, ASB_OK);
            CHECK_INT(open[n], ==, given);
            n++;
            given++;
            continue;
        }
        size_t i = (size_t)asbi_rng_below(&rng, n);
        put(&o, open[i], out);
        open[i] = open[--n];
    }
    CHECK_INT(o.first, ==, ROWS);
    CHECK(!asbi_order_is_ready(&o));
    CHECK_INT(o.first, ==, o.next);
    asbi_order_fini(&o);
}

static void rows_leave_in_the_order_they_came(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct fault_mem fm;
        struct asbi_buf out;
        const char *at;

        fault_mem_init(&fm, 0);
        asbi_buf_init(&out, &fm.mem, 1 << 20);
        run(&fm.mem, seed, 1 + (size_t)(seed * 25), &out);
        CHECK((at = asbi_buf_cstr(&out)) != NULL);
        for (long i = 0; i < ROWS; i++) {
            char *end;

            CHECK_INT(strtol(at, &end, 10), ==, i);
            at = end + 1;
        }
        CHECK(*at == '\0');
        asbi_buf_fini(&out);
        CHECK_INT(fm.live, ==, 0);
    }
}

static void rows_that_wait_are_freed_with_it(void)
{
    struct fault_mem fm;
    struct asbi_order o;
    uint64_t place;

    fault_mem_init(&fm, 0);
    asbi_order_init(&o, &fm.mem, NULL, NULL);
    for (int i = 0; i < 10; i++)
        CHECK_INT(asbi_order_reserve(&o, &place), ==, ASB_OK);
    CHECK_INT(asbi_order_keep(&o, 7, ASBI_STR("seven")), ==, ASB_OK);
    CHECK_INT(o.held_bytes, >=, 5);
    asbi_order_fini(&o);
    CHECK_INT(fm.live, ==, 0);
}

static int fail(void *arg, asbi_str slip, struct asbi_buf *out)
{
    (void)slip;
    (void)out;
    ++*(int *)arg;
    return ASB_EIO;
}

static void a_row_that_cannot_be_had_ends_the_way_out(void)
{
    struct asbi_order o;
    struct asbi_buf out;
    uint64_t first, second;
    int tries = 0;

    asbi_buf_init(&out, &asbi_mem_system, 1000);
    asbi_order_init(&o, &asbi_mem_system, fail, &tries);
    CHECK_INT(asbi_order_reserve(&o, &first), ==, ASB_OK);
    CHECK_INT(asbi_order_reserve(&o, &second), ==, ASB_OK);
    CHECK_INT(asbi_order_keep(&o, second, ASBI_STR("b")), ==, ASB_OK);
    CHECK_INT(asbi_order_keep_slip(&o, first, ASBI_STR("a")), ==, ASB_OK);
    CHECK(asbi_order_is_ready(&o));
    for (int i = 0; i < 2; i++) {
        CHECK_INT(asbi_order_take(&o, &out, 100), ==, 0);
        CHECK_INT(out.len, ==, 0);
        CHECK(!asbi_order_is_ready(&o));
    }
    CHECK_INT(tries, ==, 1);
    asbi_order_fini(&o);
    asbi_buf_fini(&out);
}

static void a_failed_allocation_changes_nothing(void)
{
    struct fault_mem fm;
    struct asbi_order o;
    uint64_t place;

    fault_mem_init(&fm, 1);
    asbi_order_init(&o, &fm.mem, NULL, NULL);
    CHECK_INT(asbi_order_reserve(&o, &place), ==, ASB_ENOMEM);
    CHECK_INT(o.next, ==, 0);
    CHECK_INT(asbi_order_reserve(&o, &place), ==, ASB_OK);
    CHECK_INT(asbi_order_reserve(&o, &place), ==, ASB_OK);
    fm.fail_at = fm.seen + 1;
    CHECK_INT(asbi_order_keep(&o, place, ASBI_STR("x")), ==, ASB_ENOMEM);
    CHECK_INT(asbi_order_keep(&o, place, ASBI_STR("x")), ==, ASB_OK);
    asbi_order_fini(&o);
    CHECK_INT(fm.live, ==, 0);
}

TEST_MAIN(CASE(rows_leave_in_the_order_they_came),
          CASE(rows_that_wait_are_freed_with_it),
          CASE(a_row_that_cannot_be_had_ends_the_way_out),
          CASE(a_failed_allocation_changes_nothing))

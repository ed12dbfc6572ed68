/* The containers and small parsers of engine/base. */
#include <locale.h>
#include <math.h>

#include "engine/base/buf.h"
#include "engine/base/decimal.h"
#include "engine/base/error.h"
#include "engine/base/heap.h"
#include "engine/base/list.h"
#include "engine/base/map.h"
#include "engine/base/rng.h"
#include "engine/base/units.h"
#include "engine/base/utf8.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

/* ---- buffers ---------------------------------------------------------- */

static void a_buffer_holds_its_limit_and_no_more(void)
{
    struct asbi_buf b;

    asbi_buf_init(&b, &asbi_mem_system, 5);
    asbi_buf_c(&b, "12345");
    CHECK(!asbi_buf_failed(&b));
    CHECK(strcmp(asbi_buf_cstr(&b), "12345") == 0);
    asbi_buf_char(&b, '6');
    CHECK(asbi_buf_failed(&b));
    CHECK_STR(asbi_buf_view(&b), "12345");
    CHECK(!asbi_buf_cstr(&b));
    asbi_buf_fini(&b);
}

static void a_failed_buffer_refuses_what_would_fit(void)
{
    struct asbi_buf b;

    asbi_buf_init(&b, &asbi_mem_system, 5);
    asbi_buf_c(&b, "123");
    asbi_buf_c(&b, "456");
    asbi_buf_c(&b, "4");
    asbi_buf_add(&b, "", 0);
    CHECK(asbi_buf_failed(&b));
    CHECK_STR(asbi_buf_view(&b), "123");
    asbi_buf_clear(&b);
    CHECK(!asbi_buf_failed(&b));
    asbi_buf_c(&b, "ok");
    CHECK_STR(asbi_buf_view(&b), "ok");
    asbi_buf_fini(&b);
}

static void a_formatted_text_may_fill_a_buffer(void)
{
    struct asbi_buf b;

    asbi_buf_init(&b, &asbi_mem_system, 5);
    asbi_buf_fmt(&b, "%d", 12345);
    CHECK(!asbi_buf_failed(&b));
    CHECK_STR(asbi_buf_view(&b), "12345");
    asbi_buf_clear(&b);
    asbi_buf_fmt(&b, "%d", 123456);
    CHECK(asbi_buf_failed(&b));
    CHECK_INT(b.len, ==, 0);
    asbi_buf_fini(&b);
}

static void a_number_is_added_whole_or_not_at_all(void)
{
    struct asbi_buf b;

    asbi_buf_init(&b, &asbi_mem_system, 20);
    asbi_buf_i64(&b, INT64_MIN);
    CHECK_STR(asbi_buf_view(&b), "-9223372036854775808");
    asbi_buf_clear(&b);
    asbi_buf_u64(&b, UINT64_MAX);
    CHECK_STR(asbi_buf_view(&b), "18446744073709551615");
    asbi_buf_i64(&b, -1);
    CHECK_STR(asbi_buf_view(&b), "18446744073709551615");
    CHECK(asbi_buf_failed(&b));
    asbi_buf_clear(&b);
    asbi_buf_u64(&b, 0);
    CHECK_STR(asbi_buf_view(&b), "0");
    asbi_buf_fini(&b);
}

static void an_unlimited_buffer_grows(void)
{
    struct asbi_buf b;

    asbi_buf_init(&b, &asbi_mem_system, SIZE_MAX);
    for (int i = 0; i < 1000; i++)
        asbi_buf_c(&b, "0123456789");
    CHECK_INT(b.len, ==, 10000);
    CHECK(!asbi_buf_failed(&b));
    CHECK(!asbi_buf_reserve(&b, SIZE_MAX));
    CHECK(asbi_buf_failed(&b));
    asbi_buf_shrink(&b, 100);
    CHECK_INT(b.cap, ==, 0);
    CHECK(strcmp(asbi_buf_cstr(&b), "") == 0);
    asbi_buf_fini(&b);
}

static void consumed_bytes_leave_the_rest(void)
{
    struct asbi_buf b;

    asbi_buf_init(&b, &asbi_mem_system, 100);
    asbi_buf_c(&b, "abcdef");
    asbi_buf_consume(&b, 2);
    CHECK_STR(asbi_buf_view(&b), "cdef");
    asbi_buf_consume(&b, 4);
    CHECK_INT(b.len, ==, 0);
    asbi_buf_fini(&b);
}

static void a_buffer_survives_a_failed_allocation(void)
{
    struct fault_mem fm;
    struct asbi_buf b;

    fault_mem_init(&fm, 2);
    asbi_buf_init(&b, &fm.mem, 100000);
    asbi_buf_c(&b, "kept");
    CHECK(!asbi_buf_reserve(&b, 5000));
    CHECK(asbi_buf_failed(&b));
    CHECK_STR(asbi_buf_view(&b), "kept");
    asbi_buf_fini(&b);
    CHECK_INT(fm.live, ==, 0);
}

/* ---- memory ----------------------------------------------------------- */

static void a_product_that_overflows_is_refused(void)
{
    CHECK(!asbi_calloc(&asbi_mem_system, SIZE_MAX / 2, 3));
    CHECK(!asbi_resize(&asbi_mem_system, NULL, SIZE_MAX / 2, 3));
    CHECK(!asbi_calloc(&asbi_mem_system, 0, 3));
    CHECK(!asbi_alloc(&asbi_mem_system, 0));
    CHECK(!asbi_strndup(&asbi_mem_system, "", SIZE_MAX));
    char *copy = asbi_strndup(&asbi_mem_system, "abc", 2);
    CHECK(copy && strcmp(copy, "ab") == 0);
    asbi_free(&asbi_mem_system, copy);
}

static void a_message_is_cut_to_fit(void)
{
    struct asb_message why;
    char text[2000];

    memset(text, 'x', sizeof(text));
    CHECK_INT(asbi_fail(&why, ASB_EPARSE, "%.*s", (int)sizeof(text), text), ==,
              ASB_EPARSE);
    CHECK_INT(strlen(why.text), ==, sizeof(why.text) - 1);
    CHECK_INT(asbi_fail(NULL, ASB_EIO, "x"), ==, ASB_EIO);
}

/* ---- heap ------------------------------------------------------------- */

struct timer {
    struct asbi_heap_node node;
    uint64_t key, order; /* the model: equal keys come in this order */
    bool in;
};

static void equal_keys_come_out_as_they_came_in(void)
{
    struct asbi_heap h;
    struct asbi_heap_node n[100];

    memset(n, 0, sizeof(n));
    asbi_heap_init(&h, &asbi_mem_system);
    CHECK(!asbi_heap_first(&h));
    CHECK(!asbi_heap_pop(&h));
    for (size_t i = 0; i < 100; i++)
        CHECK_INT(asbi_heap_push(&h, &n[i], i % 3), ==, ASB_OK);
    for (size_t key = 0; key < 3; key++) {
        for (size_t i = key; i < 100; i += 3) {
            struct asbi_heap_node *first = asbi_heap_pop(&h);
            CHECK(first == &n[i]);
            CHECK_INT(first->at, ==, 0);
        }
    }
    asbi_heap_fini(&h);
}

/* The smallest of those in, by key and then order. */
static struct timer *model_first(struct timer *t, size_t count)
{
    struct timer *best = NULL;

    for (size_t i = 0; i < count; i++) {
        if (t[i].in && (!best || t[i].key < best->key ||
                        (t[i].key == best->key && t[i].order < best->order)))
            best = &t[i];
    }
    return best;
}

static void model_step(struct asbi_heap *h, struct timer *t, uint64_t dice,
                       uint64_t key, uint64_t order)
{
    if (t->in && dice == 0) {
        asbi_heap_remove(h, &t->node);
        t->in = false;
        return;
    }
    if (t->in)
        asbi_heap_rekey(h, &t->node, key);
    else
        CHECK_INT(asbi_heap_push(h, &t->node, key), ==, ASB_OK);
    t->in = true;
    t->key = key;
    t->order = order;
}

static void a_heap_agrees_with_a_linear_search(void)
{
    enum { COUNT = 60 };
    struct timer t[COUNT];
    struct asbi_heap h;
    struct asbi_rng rng;

    memset(t, 0, sizeof(t));
    asbi_heap_init(&h, &asbi_mem_system);
    asbi_rng_seed(&rng, 1);
    for (uint64_t step = 0; step < 20000; step++) {
        struct timer *one = &t[asbi_rng_below(&rng, COUNT)];

        model_step(&h, one, asbi_rng_below(&rng, 2), asbi_rng_below(&rng, 20),
                   step);
        struct timer *first = model_first(t, COUNT);
        CHECK(asbi_heap_first(&h) == (first ? &first->node : NULL));
    }
    asbi_heap_remove(&h, &(struct asbi_heap_node){ 0 }); /* in no heap */
    asbi_heap_fini(&h);
}

static void a_reserved_heap_needs_no_memory(void)
{
    struct fault_mem fm;
    struct asbi_heap h;
    struct asbi_heap_node n[101];

    memset(n, 0, sizeof(n));
    fault_mem_init(&fm, 0);
    asbi_heap_init(&h, &fm.mem);
    CHECK_INT(asbi_heap_reserve(&h, 100), ==, ASB_OK);
    fm.fail_at = fm.seen + 1;
    fm.for_ever = true;
    for (size_t i = 0; i < 100; i++)
        CHECK_INT(asbi_heap_push(&h, &n[i], i), ==, ASB_OK);
    while (h.count < h.cap) {
        n[100].at = 0;
        h.nodes[h.count++] = &n[100]; /* only to fill it */
    }
    CHECK_INT(asbi_heap_reserve(&h, h.cap + 1), ==, ASB_ENOMEM);
    asbi_heap_fini(&h);
    CHECK_INT(fm.live, ==, 0);
}

/* ---- list ------------------------------------------------------------- */

struct card {
    int number;
    struct asbi_link link;
};

static void a_list_counts_and_keeps_order(void)
{
    struct asbi_list l, other;
    struct card c[4];
    int sum = 0;

    memset(c, 0, sizeof(c));
    for (int i = 0; i < 4; i++)
        c[i].number = i;
    asbi_list_init(&l);
    asbi_list_init(&other);
    CHECK(asbi_list_empty(&l) && !asbi_list_pop(&l) && !asbi_list_first(&l));
    asbi_list_append(&l, &c[1].link);
    asbi_list_append(&l, &c[2].link);
    asbi_list_prepend(&l, &c[0].link);
    asbi_list_append(&other, &c[3].link);
    CHECK_INT(l.count, ==, 3);
    asbi_list_remove(&c[1].link);
    asbi_list_remove(&c[1].link); /* in no list: nothing happens */
    asbi_list_remove(&c[3].link); /* knows its own list */
    CHECK_INT(l.count, ==, 2);
    CHECK_INT(other.count, ==, 0);
    ASBI_LIST_EACH (it, &l) {
        sum = sum * 10 + ASBI_OF(it, struct card, link)->number + 1;
    }
    CHECK_INT(sum, ==, 13);
    CHECK(asbi_list_pop(&l) == &c[0].link);
    CHECK(asbi_list_pop(&l) == &c[2].link);
    CHECK(asbi_list_empty(&l));
}

/* ---- map -------------------------------------------------------------- */

/* Short keys over a small alphabet collide, repeat and get removed often. */
static void a_map_agrees_with_an_array(void)
{
    enum { COUNT = 500 };
    static char names[COUNT][12];
    static int values[COUNT];
    bool in[COUNT] = { false };
    size_t count = 0;
    struct asbi_map m;
    struct asbi_rng rng;

    asbi_map_init(&m, &asbi_mem_system, 99);
    asbi_rng_seed(&rng, 2);
    for (int i = 0; i < COUNT; i++)
        (void)snprintf(names[i], sizeof(names[i]), "%d", i);
    for (int step = 0; step < 200000; step++) {
        size_t i = asbi_rng_below(&rng, COUNT);
        asbi_str key = asbi_str_c(names[i]);

        CHECK(asbi_map_get(&m, key) == (in[i] ? &values[i] : NULL));
        if (asbi_rng_below(&rng, 2)) {
            CHECK_INT(asbi_map_put(&m, key, &values[i]), ==, ASB_OK);
            count += !in[i];
            in[i] = true;
        } else {
            CHECK(asbi_map_take(&m, key) == (in[i] ? &values[i] : NULL));
            count -= in[i];
            in[i] = false;
        }
        CHECK_INT(m.count, ==, (intmax_t)count);
    }
    for (int i = 0; i < COUNT; i++)
        CHECK(asbi_map_get(&m, asbi_str_c(names[i])) ==
              (in[i] ? &values[i] : NULL));
    asbi_map_fini(&m);
}

static void a_map_takes_any_bytes_as_a_key(void)
{
    struct asbi_map m;
    int a, b;

    asbi_map_init(&m, &asbi_mem_system, 1);
    CHECK(!asbi_map_get(&m, ASBI_STR("")));
    CHECK(!asbi_map_take(&m, ASBI_STR("")));
    CHECK_INT(asbi_map_put(&m, (asbi_str){ NULL, 0 }, &a), ==, ASB_OK);
    CHECK_INT(asbi_map_put(&m, asbi_str_of("a\0b", 3), &b), ==, ASB_OK);
    CHECK(asbi_map_get(&m, ASBI_STR("")) == &a);
    CHECK(asbi_map_get(&m, asbi_str_of("a\0b", 3)) == &b);
    CHECK(!asbi_map_get(&m, ASBI_STR("a")));
    CHECK_INT(asbi_map_put(&m, ASBI_STR(""), &b), ==, ASB_OK);
    CHECK(asbi_map_get(&m, ASBI_STR("")) == &b);
    CHECK_INT(m.count, ==, 2);
    asbi_map_fini(&m);
}

static void a_map_survives_a_failed_allocation(void)
{
    static char names[200][8];
    struct fault_mem fm;
    struct asbi_map m;
    int value;
    size_t put = 0;

    fault_mem_init(&fm, 3);
    asbi_map_init(&m, &fm.mem, 1);
    for (size_t i = 0; i < 200; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "%zu", i);
        if (asbi_map_put(&m, asbi_str_c(names[i]), &value))
            break;
        put++;
    }
    CHECK_INT(put, ==, 96); /* three quarters of 128 */
    CHECK_INT(m.count, ==, 96);
    for (size_t i = 0; i < 200; i++)
        CHECK(!asbi_map_get(&m, asbi_str_c(names[i])) == (i >= put));
    asbi_map_fini(&m);
    CHECK_INT(fm.live, ==, 0);
}

/* ---- units ------------------------------------------------------------ */

#define REFUSED UINT64_MAX

static uint64_t duration(const char *text)
{
    uint64_t ns = REFUSED;

    CHECK(asbi_parse_duration(asbi_str_c(text), ASBI_SECOND, &ns) ==
          (ns != REFUSED));
    return ns;
}

static void durations_are_read_as_people_write_them(void)
{
    CHECK_INT(duration("200ms"), ==, 200000000);
    CHECK_INT(duration("1.5s"), ==, 1500000000);
    CHECK_INT(duration("2h30m"), ==, 9000000000000);
    CHECK_INT(duration(" 1d "), ==, 86400000000000);
    CHECK_INT(duration("1h 5min"), ==, 3900000000000);
    CHECK_INT(duration("7"), ==, 7000000000);
    CHECK_INT(duration("0.25"), ==, 250000000);
    CHECK_INT(duration("0"), ==, 0);
    CHECK_INT(duration("3us5ns"), ==, 3005);
}

static void nonsense_is_no_duration(void)
{
    static const char *const bad[] = {
        "",
        " ",
        "s",
        "-1s",
        "1x",
        "1s5",
        "0s5",
        "0 5",
        "1..5",
        ".",
        "1.5.",
        "1e3",
        "0x10",
        "inf",
        "nan",
        "1S",
        "5 ss",
        "1m-",
        "1,5s",
        "1s\n2",
        "+1",
        "999d9",
        "99999999999999999999d",
        "1 0 s",
        "300000000y",
        "1sms",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (duration(bad[i]) != REFUSED)
            check_fail(__FILE__, __LINE__, "accepted \"%s\"", bad[i]);
    }
    uint64_t ns;
    CHECK(!asbi_parse_duration(asbi_str_of("1s\0", 3), 1, &ns));
    CHECK(!asbi_parse_duration((asbi_str){ NULL, 0 }, 1, &ns));
}

static void sizes_have_decimal_and_binary_units(void)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {
        { "4096", 4096 },     { "64MiB", 67108864 }, { "10kB", 10000 },
        { "10 k", 10000 },    { "1Ki", 1024 },       { "1.5GiB", 1610612736 },
        { "0", 0 },           { "7B", 7 },           { "", REFUSED },
        { "MiB", REFUSED },   { "-1", REFUSED },     { "1mb", REFUSED },
        { "1 M x", REFUSED }, { "9e3", REFUSED },    { "99999999GiB", REFUSED },
        { "1MiBB", REFUSED },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t bytes = REFUSED;

        (void)asbi_parse_size(asbi_str_c(cases[i].text), &bytes);
        CHECK(bytes == cases[i].bytes);
    }
}

static void money_is_exact(void)
{
    static const struct {
        const char *text;
        int64_t nano;
    } cases[] = {
        { "12.50", 12500000000 },
        { "$0.0000114", 11400 },
        { "0", 0 },
        { "1.", 1000000000 },
        { ".5", 500000000 },
        { "0.0000000001", 1 }, /* rounds up */
        { "0.0000000000", 0 },
        { "9223372036", 9223372036000000000 },
        { "9223372037", -1 },
        { "99999999999999999999999", -1 },
        { "", -1 },
        { "$", -1 },
        { ".", -1 },
        { "-1", -1 },
        { "1.2.3", -1 },
        { "1e3", -1 },
        { "1 0", -1 },
        { "$$1", -1 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t nano = -1;

        (void)asbi_parse_usd(asbi_str_c(cases[i].text), &nano);
        CHECK_INT(nano, ==, cases[i].nano);
    }
}

static void whole_numbers_are_whole(void)
{
    uint64_t n = 7;

    CHECK(asbi_parse_u64(ASBI_STR("18446744073709551615"), &n));
    CHECK(n == UINT64_MAX);
    CHECK(!asbi_parse_u64(ASBI_STR("18446744073709551616"), &n));
    CHECK(!asbi_parse_u64(ASBI_STR("99999999999999999999"), &n));
    CHECK(!asbi_parse_u64(ASBI_STR(""), &n));
    CHECK(!asbi_parse_u64(ASBI_STR("-1"), &n));
    CHECK(!asbi_parse_u64(ASBI_STR("+1"), &n));
    CHECK(!asbi_parse_u64(ASBI_STR(" 1"), &n));
    CHECK(!asbi_parse_u64(ASBI_STR("1.0"), &n));
    CHECK(!asbi_parse_u64(asbi_str_of("1\0", 2), &n));
}

static void decimals_are_decimal(void)
{
    static const char *const bad[] = {
        "",    " 1",  "1 ",   "inf", "nan", "0x10", "1,5", "1e400", "e5",
        "--1", "+-1", "1..2", "-",   "+",   ".",    "1e",  "1e5e5", "infinity",
    };
    double x = 7;

    CHECK(asbi_parse_double(ASBI_STR("1.5"), &x) && x == 1.5);
    CHECK(asbi_parse_double(ASBI_STR("-2e3"), &x) && x == -2000);
    CHECK(asbi_parse_double(ASBI_STR("+0.25"), &x) && x == 0.25);
    CHECK(asbi_parse_double(ASBI_STR("1e-400"), &x) && x == 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (asbi_parse_double(asbi_str_c(bad[i]), &x))
            check_fail(__FILE__, __LINE__, "accepted \"%s\"", bad[i]);
    }
    CHECK(!asbi_parse_double(asbi_str_of("1\0", 2), &x));
}

static void every_double_comes_back_from_its_text(void)
{
    struct asbi_rng rng;

    asbi_rng_seed(&rng, 3);
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = asbi_rng_u64(&rng);
        double x, back;
        char text[32];

        memcpy(&x, &bits, sizeof(x));
        if (!isfinite(x))
            continue;
        size_t len = asbi_decimal_write(x, text);
        CHECK(len <= sizeof(text));
        CHECK(asbi_decimal_read(text, len, &back));
        CHECK(memcmp(&x, &back, sizeof(x)) == 0);
    }
}

/* The point is a point, whatever the host has set. */
static void a_locale_changes_nothing(void)
{
    static const char *const locales[] = { "de_DE.UTF-8", "fr_FR.UTF-8",
                                           "ru_RU.UTF-8", "" };
    struct asbi_buf b;
    double x;

    asbi_buf_init(&b, &asbi_mem_system, 100);
    for (size_t i = 0; i < 4; i++) {
        (void)setlocale(LC_ALL, locales[i]); /* perhaps not installed */
        CHECK(asbi_parse_double(ASBI_STR("1.5"), &x) && x == 1.5);
        CHECK(!asbi_parse_double(ASBI_STR("1,5"), &x));
        CHECK_INT(duration("1.5s"), ==, 1500000000);
        asbi_format_duration(&b, 400000000);
        CHECK_STR(asbi_buf_view(&b), "0.4s");
        asbi_buf_clear(&b);
    }
    asbi_buf_fini(&b);
}

static void a_price_is_rounded_up_and_never_overflows(void)
{
    CHECK_INT(asbi_price_of(0, 150000000), ==, 0);
    CHECK_INT(asbi_price_of(1, 1), ==, 1);
    CHECK_INT(asbi_price_of(1000000, 150000000), ==, 150000000);
    CHECK_INT(asbi_price_of(31, 150000000), ==, 4650);
    CHECK_INT(asbi_price_of(12, 600000000), ==, 7200);
    CHECK_INT(asbi_price_of(1, 1500001), ==, 2);
    CHECK_INT(asbi_price_of(5, -3), ==, 0);
    CHECK_INT(asbi_price_of(UINT64_MAX, INT64_MAX), ==, INT64_MAX / 2);
    CHECK_INT(asbi_price_of(UINT64_MAX, 0), ==, 0);
    CHECK_INT(asbi_price_of(1999999, INT64_MAX / 2), >, 0);
    CHECK_INT(asbi_price_of(999999, INT64_MAX), >, 0);
}

static void durations_are_shown_in_two_units_at_most(void)
{
    static const struct {
        uint64_t ns;
        const char *text;
    } cases[] = {
        { 0, "0.0s" },
        { 400 * ASBI_MS, "0.4s" },
        { 1250 * ASBI_MS, "1.3s" },
        { 12 * ASBI_SECOND, "12s" },
        { 250 * ASBI_SECOND, "4m10s" },
        { 11520 * ASBI_SECOND, "3h12m" },
        { 3605 * ASBI_SECOND, "1h00m" },
        { 90000 * ASBI_SECOND, "1d01h" },
    };
    struct asbi_buf b;

    asbi_buf_init(&b, &asbi_mem_system, 100);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        asbi_buf_clear(&b);
        asbi_format_duration(&b, cases[i].ns);
        CHECK_STR(asbi_buf_view(&b), cases[i].text);
    }
    asbi_buf_clear(&b);
    asbi_format_duration(&b, ASBI_NEVER);
    CHECK(!asbi_buf_failed(&b));
    CHECK(asbi_add_ns(ASBI_NEVER, 1) == ASBI_NEVER);
    CHECK(asbi_add_ns(1, 2) == 3);
    asbi_buf_fini(&b);
}

/* ---- random numbers --------------------------------------------------- */

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

/* ---- UTF-8 ------------------------------------------------------------ */

static void code_points_are_decoded(void)
{
    static const char text[] = "a\xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80";
    static const uint32_t points[] = { 'a', 0xe9, 0x4f60, 0x1f600 };
    const char *at = text, *end = text + strlen(text);

    CHECK_INT(asbi_utf8_length(asbi_str_c(text)), ==, 4);
    for (int i = 0; i < 4; i++)
        CHECK_INT(asbi_utf8_next(&at, end), ==, points[i]);
    CHECK(at == end);
}

static void malformed_bytes_move_on_by_one(void)
{
    static const char *const bad[] = { "\x80",     "\xc3",     "\xc3z",
                                       "\xe4\xbd", "\xe4z",    "\xff",
                                       "\xc0\x80", "\xf5\x80", "\xf0\x9f\x98" };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *at = bad[i];

        CHECK_INT(asbi_utf8_next(&at, bad[i] + strlen(bad[i])), ==, 0xfffd);
        CHECK(at == bad[i] + 1);
    }
}

static void texts_are_compared_and_trimmed(void)
{
    CHECK_STR(asbi_str_trim(ASBI_STR(" \t\r\na b \n")), "a b");
    CHECK_INT(asbi_str_trim(ASBI_STR("  ")).len, ==, 0);
    CHECK_INT(asbi_str_trim(asbi_str_of(" \0 ", 3)).len, ==, 1);
    CHECK(asbi_str_eq((asbi_str){ NULL, 0 }, ASBI_STR("")));
    CHECK(!asbi_str_eq(ASBI_STR("a"), ASBI_STR("b")));
    CHECK(asbi_str_eq_nocase(ASBI_STR("CSV"), ASBI_STR("csv")));
    CHECK(asbi_str_starts(ASBI_STR("abc"), ASBI_STR("ab")));
    CHECK(!asbi_str_starts(ASBI_STR("a"), ASBI_STR("ab")));
    CHECK_INT(asbi_str_c(NULL).len, ==, 0);
}

TEST_MAIN(
    CASE(a_buffer_holds_its_limit_and_no_more),
    CASE(a_failed_buffer_refuses_what_would_fit),
    CASE(a_formatted_text_may_fill_a_buffer),
    CASE(a_number_is_added_whole_or_not_at_all),
    CASE(an_unlimited_buffer_grows), CASE(consumed_bytes_leave_the_rest),
    CASE(a_buffer_survives_a_failed_allocation),
    CASE(a_product_that_overflows_is_refused), CASE(a_message_is_cut_to_fit),
    CASE(equal_keys_come_out_as_they_came_in),
    CASE(a_heap_agrees_with_a_linear_search),
    CASE(a_reserved_heap_needs_no_memory), CASE(a_list_counts_and_keeps_order),
    CASE(a_map_agrees_with_an_array), CASE(a_map_takes_any_bytes_as_a_key),
    CASE(a_map_survives_a_failed_allocation),
    CASE(durations_are_read_as_people_write_them),
    CASE(nonsense_is_no_duration), CASE(sizes_have_decimal_and_binary_units),
    CASE(money_is_exact), CASE(whole_numbers_are_whole),
    CASE(decimals_are_decimal), CASE(every_double_comes_back_from_its_text),
    CASE(a_locale_changes_nothing),
    CASE(a_price_is_rounded_up_and_never_overflows),
    CASE(durations_are_shown_in_two_units_at_most),
    CASE(the_same_seed_gives_the_published_numbers),
    CASE(random_numbers_stay_in_range), CASE(code_points_are_decoded),
    CASE(malformed_bytes_move_on_by_one), CASE(texts_are_compared_and_trimmed))

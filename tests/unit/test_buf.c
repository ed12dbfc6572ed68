/* Buffers, and the memory and the messages under them. */
#include "engine/base/buf.h"

#include "engine/base/error.h"
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

TEST_MAIN(CASE(a_buffer_holds_its_limit_and_no_more),
          CASE(a_failed_buffer_refuses_what_would_fit),
          CASE(a_formatted_text_may_fill_a_buffer),
          CASE(a_number_is_added_whole_or_not_at_all),
          CASE(an_unlimited_buffer_grows), CASE(consumed_bytes_leave_the_rest),
          CASE(a_buffer_survives_a_failed_allocation),
          CASE(a_product_that_overflows_is_refused),
          CASE(a_message_is_cut_to_fit))

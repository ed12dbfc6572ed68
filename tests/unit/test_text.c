/* Code points, and texts that are compared, trimmed, copied and cut. */
#include "engine/base/utf8.h"

#include "engine/base/str.h"
#include "tests/support/check.h"

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

static void a_text_is_copied_whole_or_not_at_all(void)
{
    char to[4] = "xyz";

    CHECK(!asbi_str_copy(ASBI_STR("abcd"), to, sizeof(to)));
    CHECK_BYTES(to, strlen(to), "xyz");
    CHECK(asbi_str_copy(ASBI_STR("abc"), to, sizeof(to)));
    CHECK_BYTES(to, strlen(to), "abc");
    CHECK(asbi_str_copy((asbi_str){ NULL, 0 }, to, 1));
    CHECK_BYTES(to, strlen(to), "");
}

static void lines_are_taken_one_by_one(void)
{
    asbi_str rest = ASBI_STR("a\n\nb \r\nc");

    CHECK_STR(asbi_str_take_line(&rest), "a");
    CHECK_STR(asbi_str_take_line(&rest), "");
    CHECK_STR(asbi_str_take_line(&rest), "b \r");
    CHECK_STR(asbi_str_take_line(&rest), "c");
    CHECK_INT(rest.len, ==, 0);
}

TEST_MAIN(CASE(code_points_are_decoded), CASE(malformed_bytes_move_on_by_one),
          CASE(texts_are_compared_and_trimmed),
          CASE(a_text_is_copied_whole_or_not_at_all),
          CASE(lines_are_taken_one_by_one))

#include "engine/base/bytes16.h"

#include "engine/base/json_plain.h"
#include "engine/base/rng.h"
#include "tests/support/check.h"

static void a_byte_is_found_at_every_place(void)
{
    for (size_t at = 0; at <= 16; at++) {
        char text[16];

        memset(text, 'a', sizeof(text));
        if (at < 16)
            text[at] = '\xff';
        asbi_bytes16 v = asbi_bytes16_load(text);
        CHECK_INT(asbi_bytes16_first(asbi_bytes16_is(v, 0xff)), ==, at);
        CHECK_INT(asbi_bytes16_ascii(text), ==, at == 16);
    }
}

static void ranges_hold_their_ends_and_no_more(void)
{
    for (unsigned c = 0; c < 256; c++) {
        asbi_bytes16 v = asbi_bytes16_all((uint8_t)c);
        size_t first = asbi_bytes16_first(asbi_bytes16_among(v, 'a', 26));

        CHECK_INT(first, ==, c >= 'a' && c <= 'z' ? 0 : 16);
        CHECK_INT(asbi_bytes16_sum(v), ==, 16 * c);
    }
}

/* Byte by byte, and in memory of its own, so that a read beyond is seen. */
static void a_plain_run_ends_at_the_first_byte_that_is_not(void)
{
    static const char bytes[] = "az ~\x7f\"\\\x1f\x80\xff\n";
    struct asbi_rng r;

    asbi_rng_seed(&r, 3);
    for (int run = 0; run < 20000; run++) {
        size_t len = asbi_rng_below(&r, 50), want = 0;
        char *text = malloc(len ? len : 1);

        CHECK(text != NULL);
        for (size_t i = 0; i < len; i++)
            text[i] = asbi_rng_below(&r, 20)
                          ? 'x'
                          : bytes[asbi_rng_below(&r, sizeof(bytes) - 1)];
        while (want < len && strchr("xaz ~\x7f", text[want]))
            want++;
        CHECK_INT(asbi_json_plain_run(text, len), ==, want);
        free(text);
    }
}

TEST_MAIN(CASE(a_byte_is_found_at_every_place),
          CASE(ranges_hold_their_ends_and_no_more),
          CASE(a_plain_run_ends_at_the_first_byte_that_is_not))

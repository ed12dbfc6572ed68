/* Durations, sizes, money and numbers, as people and programs write them. */
#include "engine/base/units.h"

#include <locale.h>
#include <math.h>

#include "engine/base/buf.h"
#include "engine/base/decimal.h"
#include "engine/base/rng.h"
#include "tests/support/check.h"

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

static void counts_are_grouped_by_thousands(void)
{
    static const struct {
        uint64_t n;
        const char *want;
    } cases[] = { { 0, "0" },
                  { 999, "999" },
                  { 1000, "1,000" },
                  { 1234567, "1,234,567" },
                  { UINT64_MAX, "18,446,744,073,709,551,615" } };
    struct asbi_buf b;

    asbi_buf_init(&b, &asbi_mem_system, 64);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        asbi_format_count(&b, cases[i].n);
        CHECK_STR(asbi_buf_view(&b), cases[i].want);
        asbi_buf_clear(&b);
    }
    asbi_buf_fini(&b);
}

static void money_is_shown_without_an_exponent(void)
{
    static const struct {
        int64_t nano;
        const char *exact, *short_one;
    } cases[] = { { 0, "0.00", "$0.00" },
                  { 30000, "0.00003", "$0.000030" },
                  { 2500000, "0.0025", "$0.002500" },
                  { 14188800, "0.0141888", "$0.0142" },
                  { 2500000000, "2.50", "$2.50" },
                  { 1234567000000001, "1234567.000000001", "$1234567.00" },
                  { INT64_MIN, "-9223372036.854775808", NULL },
                  { INT64_MAX, "9223372036.854775807", NULL } };
    char text[ASBI_USD_TEXT];
    struct asbi_buf b;

    asbi_buf_init(&b, &asbi_mem_system, 64);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_STR(asbi_str_c(asbi_usd_text(cases[i].nano, text)),
                  cases[i].exact);
        if (!cases[i].short_one)
            continue;
        asbi_format_usd(&b, cases[i].nano);
        CHECK_STR(asbi_buf_view(&b), cases[i].short_one);
        asbi_buf_clear(&b);
    }
    asbi_buf_fini(&b);
}

TEST_MAIN(CASE(durations_are_read_as_people_write_them),
          CASE(nonsense_is_no_duration),
          CASE(sizes_have_decimal_and_binary_units), CASE(money_is_exact),
          CASE(whole_numbers_are_whole), CASE(decimals_are_decimal),
          CASE(every_double_comes_back_from_its_text),
          CASE(a_locale_changes_nothing),
          CASE(a_price_is_rounded_up_and_never_overflows),
          CASE(durations_are_shown_in_two_units_at_most),
          CASE(counts_are_grouped_by_thousands),
          CASE(money_is_shown_without_an_exponent))

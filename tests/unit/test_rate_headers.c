#include "adapters/rate_headers.h"

#include "adapters/http_date.h"
#include "engine/base/units.h"
#include "tests/support/check.h"

/* Sun, 06 Nov 1994 08:49:37 GMT */
#define NOV_1994 UINT64_C(784111777000)
#define MS ASBI_MS
#define SECONDS(n) ((uint64_t)(n)*ASBI_SECOND)

struct header {
    const char *name, *value;
};

static struct asbi_rate_headers read_at(uint64_t wall_ms,
                                        const struct header *h, size_t n)
{
    struct asbi_rate_headers out;

    asbi_rate_headers_begin(&out);
    for (size_t i = 0; i < n; i++)
        asbi_rate_headers_add(&out, asbi_str_c(h[i].name),
                              asbi_str_c(h[i].value), wall_ms);
    asbi_rate_headers_end(&out);
    return out;
}

#define READ(...)                                             \
    read_at(NOV_1994, (const struct header[]){ __VA_ARGS__ }, \
            sizeof((const struct header[]){ __VA_ARGS__ }) /  \
                sizeof(struct header))

static uint64_t retry_after(const char *value)
{
    return READ({ "retry-after", value }).retry_after_ns;
}

static uint64_t reset(const char *value)
{
    return READ({ "x-ratelimit-reset-tokens", value }).rate.reset_tokens_ns;
}

#define CHECK_NS(got, want) CHECK_INT((int64_t)(got), ==, (int64_t)(want))
#define SILENT UINT64_MAX

static void silence_is_told_as_such(void)
{
    struct asbi_rate_headers h = READ({ "content-length", "12" });

    CHECK_NS(h.rate.limit_requests, SILENT);
    CHECK_NS(h.rate.remaining_output, SILENT);
    CHECK_NS(h.rate.reset_tokens_ns, SILENT);
    CHECK_NS(h.retry_after_ns, SILENT);
    CHECK_INT(h.should_retry, ==, -1);
    CHECK_INT(h.request_id_len, ==, 0);
}

static void openai_headers_are_read(void)
{
    struct asbi_rate_headers h =
        READ({ "x-ratelimit-limit-requests", "5000" },
             { "X-RateLimit-Limit-Tokens", "2000000" },
             { "x-ratelimit-remaining-requests", "4999" },
             { "x-ratelimit-remaining-tokens", " 1999981 " },
             { "x-ratelimit-reset-requests", "12ms" },
             { "x-ratelimit-reset-tokens", "6m0s" },
             { "x-request-id", "req_0123abc" });

    CHECK_INT(h.rate.limit_requests, ==, 5000);
    CHECK_INT(h.rate.limit_tokens, ==, 2000000);
    CHECK_INT(h.rate.remaining_requests, ==, 4999);
    CHECK_INT(h.rate.remaining_tokens, ==, 1999981);
    CHECK_NS(h.rate.reset_requests_ns, 12 * MS);
    CHECK_NS(h.rate.reset_tokens_ns, SECONDS(360));
    CHECK_BYTES(h.request_id, h.request_id_len, "req_0123abc");
}

static void resets_come_in_many_shapes(void)
{
    CHECK_NS(reset("0s"), 0);
    CHECK_NS(reset("547ms"), 547 * MS);
    CHECK_NS(reset("2m52.8s"), 172800 * MS);
    CHECK_NS(reset("1h2m3.5s"), 3723500 * MS);
    CHECK_NS(reset("7.66s"), 7660 * MS);
    CHECK_NS(reset("60"), SECONDS(60));
    CHECK_NS(reset("0"), 0);
    CHECK_NS(reset("784111780"), SILENT); /* 24 years */
    CHECK_NS(reset(""), SILENT);
    CHECK_NS(reset("-1"), SILENT);
    CHECK_NS(reset("soon"), SILENT);
    CHECK_NS(reset("1x"), SILENT);
    CHECK_NS(reset("1000000000000000000"), SILENT);
    CHECK_NS(reset("99999999999999h"), SILENT);
    CHECK_NS(reset("nan"), SILENT);
}

static void a_reset_may_be_a_unix_time(void)
{
    struct header seconds = { "x-ratelimit-reset-tokens", "1700000030" };
    struct header ms = { "x-ratelimit-reset-tokens", "1700000030500" };
    uint64_t wall_ms = UINT64_C(1700000000000);

    CHECK_NS(read_at(wall_ms, &seconds, 1).rate.reset_tokens_ns, SECONDS(30));
    CHECK_NS(read_at(wall_ms, &ms, 1).rate.reset_tokens_ns, 30500 * MS);
    CHECK_NS(read_at(wall_ms + 60000, &ms, 1).rate.reset_tokens_ns, 0);
}

static void the_minute_may_be_part_of_the_name(void)
{
    struct asbi_rate_headers h =
        READ({ "x-ratelimit-limit-tokens-minute", "5000000" },
             { "x-ratelimit-remaining-tokens-minute", "4999911" },
             { "x-ratelimit-limit-req-minute", "720" },
             { "x-ratelimit-remaining-req-minute", "717" },
             { "x-ratelimit-limit-requests-day", "14400" },
             { "x-ratelimit-reset-tokens-minute", "11.5" });

    CHECK_NS(h.rate.limit_tokens, 5000000);
    CHECK_NS(h.rate.remaining_tokens, 4999911);
    CHECK_NS(h.rate.limit_requests, 720);
    CHECK_NS(h.rate.remaining_requests, 717);
    CHECK_NS(h.rate.reset_tokens_ns, 11500 * MS);
}

static void a_limit_of_nothing_is_silence(void)
{
    static const char *const none[] = { "0", "-1", "1000000000000000000",
                                        "1e300" };

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        struct asbi_rate_headers h =
            READ({ "x-ratelimit-remaining-tokens", "-1" },
                 { "x-ratelimit-limit-tokens", none[i] },
                 { "x-ratelimit-reset-tokens", "0" },
                 { "x-ratelimit-limit-requests", "60" },
                 { "x-ratelimit-remaining-requests", "-5" });
        CHECK_NS(h.rate.limit_tokens, SILENT);
        CHECK_NS(h.rate.remaining_tokens, SILENT);
        CHECK_NS(h.rate.reset_tokens_ns, SILENT);
        CHECK_NS(h.rate.limit_requests, 60);
        CHECK_NS(h.rate.remaining_requests, 0); /* in debt */
    }
}

static void garbage_counts_as_silence(void)
{
    struct asbi_rate_headers h =
        READ({ "x-ratelimit-limit-requests", "many" },
             { "x-ratelimit-remaining-tokens", "" },
             { "x-ratelimit-remaining-requests", "1e18" },
             { "retry-after", "later" }, { "retry-after-ms", "-7" },
             { "x-should-retry", "maybe" });

    CHECK_NS(h.rate.limit_requests, SILENT);
    CHECK_NS(h.rate.remaining_tokens, SILENT);
    CHECK_NS(h.rate.remaining_requests, SILENT);
    CHECK_NS(h.retry_after_ns, SILENT);
    CHECK_INT(h.should_retry, ==, -1);
}

static void retry_after_is_seconds_or_a_date(void)
{
    CHECK_NS(retry_after("20"), SECONDS(20));
    CHECK_NS(retry_after("0.25"), 250 * MS);
    CHECK_NS(retry_after("0"), 0);
    CHECK_NS(retry_after("-3"), SILENT);
    CHECK_NS(retry_after("1e30"), SILENT);
    CHECK_NS(retry_after("Sun, 06 Nov 1994 08:50:00 GMT"), SECONDS(23));
    CHECK_NS(retry_after("Sun, 06 Nov 1994 08:00:00 GMT"), 0);
    CHECK_NS(retry_after("Sun, 06 Nov 9994 08:00:00 GMT"), SILENT);
}

static void milliseconds_beat_seconds_in_any_order(void)
{
    CHECK_NS(READ({ "retry-after", "2" }, { "retry-after-ms", "1500" })
                 .retry_after_ns,
             1500 * MS);
    CHECK_NS(READ({ "Retry-After-Ms", "1500" }, { "retry-after", "2" })
                 .retry_after_ns,
             1500 * MS);
    CHECK_NS(READ({ "retry-after", "2" }, { "x-ms-retry-after-ms", "700" })
                 .retry_after_ns,
             700 * MS);
    CHECK_NS(READ({ "x-ms-retry-after-ms", "x" }, { "retry-after", "2" })
                 .retry_after_ns,
             SECONDS(2));
}

static void the_server_may_say_whether_to_retry(void)
{
    CHECK_INT(READ({ "x-should-retry", "true" }).should_retry, ==, 1);
    CHECK_INT(READ({ "X-Should-Retry", "False" }).should_retry, ==, 0);
}

static void the_best_request_id_is_kept(void)
{
    char long_id[400];
    struct asbi_rate_headers h = READ({ "x-request-id", "mine" },
                                      { "apim-request-id", "the gateway's" });

    CHECK_BYTES(h.request_id, h.request_id_len, "mine");
    h = READ({ "request-id", "a b\x01\xffz" });
    CHECK_BYTES(h.request_id, h.request_id_len, "abz");
    memset(long_id, 'x', sizeof(long_id));
    long_id[sizeof(long_id) - 1] = '\0';
    h = READ({ "x-request-id", long_id });
    CHECK_INT(h.request_id_len, ==, sizeof(h.request_id));
}

static void dates_have_three_forms(void)
{
    static const char *const same[] = {
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "  Sun, 06 Nov 1994 08:49:37 GMT ",
    };
    uint64_t ms;

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        CHECK(asbi_http_date(asbi_str_c(same[i]), NOV_1994, &ms));
        CHECK_INT(ms, ==, NOV_1994);
    }
    CHECK(asbi_http_date(ASBI_STR("Thu, 29 Feb 2024 00:00:00 GMT"), 0, &ms));
    CHECK_INT(ms, ==, UINT64_C(1709164800000));
    CHECK(asbi_http_date(ASBI_STR("Thu, 01 Jan 1970 00:00:00 GMT"), 0, &ms));
    CHECK_INT(ms, ==, 0);
    /* Two digits are of the century that makes it least far. */
    CHECK(asbi_http_date(ASBI_STR("Sunday, 06-Nov-30 08:49:37 GMT"),
                         UINT64_C(1767225600000), &ms));
    CHECK_INT(ms / 31556952000, ==, 2030 - 1970);
    CHECK(asbi_http_date(ASBI_STR("Sunday, 06-Nov-94 08:49:37 GMT"),
                         UINT64_C(1767225600000), &ms));
    CHECK_INT(ms, ==, NOV_1994);
}

static void what_is_no_date_is_refused(void)
{
    static const char *const bad[] = {
        "",
        "x",
        "Sun",
        "Sun, ",
        "Sun, 06 Nov 1994",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 GMT+1",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nev 1994 08:49:37 GMT",
        "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1969 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994 GMT",
        "1994-11-06T08:49:37Z",
    };
    uint64_t ms;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(!asbi_http_date(asbi_str_c(bad[i]), NOV_1994, &ms));
}

TEST_MAIN(CASE(silence_is_told_as_such), CASE(openai_headers_are_read),
          CASE(resets_come_in_many_shapes), CASE(a_reset_may_be_a_unix_time),
          CASE(the_minute_may_be_part_of_the_name),
          CASE(a_limit_of_nothing_is_silence), CASE(garbage_counts_as_silence),
          CASE(retry_after_is_seconds_or_a_date),
          CASE(milliseconds_beat_seconds_in_any_order),
          CASE(the_server_may_say_whether_to_retry),
          CASE(the_best_request_id_is_kept), CASE(dates_have_three_forms),
          CASE(what_is_no_date_is_refused))

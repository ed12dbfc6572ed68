#include "engine/real/http1.h"

#include "engine/base/mem.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"
#include "tests/support/splits.h"

enum { MOST_LINE = 200 };

/* What was told, as text: each line of the head between brackets, the body as
 * it is. */
struct told {
    char text[2048];
    size_t len;
    unsigned stop_after; /* lines; 0: never */
    unsigned lines;
};

static void add(struct told *t, const char *at, size_t len)
{
    CHECK(t->len + len < sizeof(t->text));
    memcpy(t->text + t->len, at, len);
    t->len += len;
}

static bool on_line(void *arg, asbi_str line)
{
    struct told *t = arg;

    CHECK(line.len > 0 && line.at[line.len - 1] == '\n');
    line = asbi_http1_trim(line);
    add(t, "[", 1);
    add(t, line.at, line.len);
    add(t, "]", 1);
    return ++t->lines != t->stop_after;
}

static bool on_body(void *arg, asbi_str bytes)
{
    CHECK(bytes.len > 0);
    add(arg, bytes.at, bytes.len);
    return true;
}

static const struct asbi_http1_ops ops = { on_line, on_body };

struct outcome {
    enum asbi_http1_result result;
    bool keep, may_end;
    enum asbi_http1_coding coding;
    size_t used;
};

static struct outcome read_pieces(const struct asbi_mem *mem,
                                  struct splits ways, bool no_body,
                                  struct told *t)
{
    struct asbi_http1 a;
    struct outcome out = { .result = ASBI_HTTP1_MORE };
    size_t len, used;
    char *piece;

    asbi_http1_begin(&a, mem, &ops, t, MOST_LINE, no_body);
    while (out.result == ASBI_HTTP1_MORE &&
           (piece = splits_next(&ways, &len))) {
        out.result = asbi_http1_feed(&a, asbi_str_of(piece, len), &used);
        out.used += used;
        free(piece);
    }
    out.keep = a.keep;
    out.coding = a.coding;
    out.may_end = asbi_http1_may_end(&a);
    asbi_http1_fini(&a);
    return out;
}

/* The same however it is cut; `text` is what was told. */
static struct outcome expect(const char *answer, bool no_body,
                             enum asbi_http1_result result, const char *text)
{
    asbi_str bytes = asbi_str_c(answer);
    struct splits ways;
    struct outcome out = { 0 };

    for (size_t n = 0; splits_way(bytes, n, &ways); n++) {
        struct told t = { .len = 0 };

        out = read_pieces(&asbi_mem_system, ways, no_body, &t);
        CHECK_INT(out.result, ==, result);
        if (text)
            CHECK_BYTES(t.text, t.len, text);
    }
    return out;
}

static void a_counted_body_ends_by_its_count(void)
{
    struct outcome out = expect(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\nhello", false,
        ASBI_HTTP1_WHOLE, "[HTTP/1.1 200 OK][Content-Length: 5][A: b][]hello");

    CHECK(out.keep && out.may_end);
    CHECK_INT(out.coding, ==, ASBI_HTTP1_IDENTITY);
    out = expect("HTTP/1.1 200\ncontent-length:0\n\n", false, ASBI_HTTP1_WHOLE,
                 "[HTTP/1.1 200][content-length:0][]");
    CHECK(out.keep);
}

static void chunks_end_by_an_empty_one(void)
{
    struct outcome out =
        expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
               "5\r\nhello\r\n0a ;x=\"y\"\r\n, my world\r\n0\r\nT: railer\r\n"
               "\r\n",
               false, ASBI_HTTP1_WHOLE,
               "[HTTP/1.1 200 OK][Transfer-Encoding: Chunked][]hello, my world"
               "[T: railer][]");
    CHECK(out.keep && out.may_end);
}

static void some_answers_have_no_body(void)
{
    (void)expect("HTTP/1.1 204 No\r\nContent-Length: 7\r\n\r\n", false,
                 ASBI_HTTP1_WHOLE, NULL);
    (void)expect("HTTP/1.1 304 No\r\n\r\n", false, ASBI_HTTP1_WHOLE, NULL);
    struct outcome out = expect("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
                                true, ASBI_HTTP1_WHOLE, NULL);
    CHECK(out.keep);
}

static void interim_answers_come_before(void)
{
    struct outcome out =
        expect("HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\n"
               "HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\n"
               "Content-Length: 2\r\n\r\nok",
               false, ASBI_HTTP1_WHOLE,
               "[HTTP/1.1 100 Continue][Content-Length: 3][]"
               "[HTTP/1.1 103 Hints][][HTTP/1.1 200 OK][Content-Length: 2][]"
               "ok");

    CHECK(out.keep);
    (void)expect("HTTP/1.1 101 Switch\r\n\r\n", false, ASBI_HTTP1_NO_HTTP,
                 NULL);
}

static void without_a_length_the_end_of_the_connection_counts(void)
{
    struct outcome out =
        expect("HTTP/1.1 200 OK\r\n\r\nall there is", false, ASBI_HTTP1_MORE,
               "[HTTP/1.1 200 OK][]all there "
               "is");

    CHECK(!out.keep && out.may_end);
    out = expect("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", false,
                 ASBI_HTTP1_MORE, NULL);
    CHECK(!out.may_end);
    out = expect("HTTP/1.1 200 OK\r\nContent-Le", false, ASBI_HTTP1_MORE, NULL);
    CHECK(!out.may_end);
}

static void who_wants_to_close_is_not_kept(void)
{
    static const char both[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    static const char *const closing[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, Close\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        both,
    };

    for (size_t i = 0; i < sizeof(closing) / sizeof(closing[0]); i++)
        CHECK(!expect(closing[i], false, ASBI_HTTP1_WHOLE, NULL).keep);
    CHECK(expect("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n"
                 "Connection: Keep-Alive\r\n\r\n",
                 false, ASBI_HTTP1_WHOLE, NULL)
              .keep);
}

static void what_follows_is_not_taken(void)
{
    const char *two = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1";
    struct told t = { .len = 0 };
    struct splits whole;

    CHECK(splits_way(asbi_str_c(two), 0, &whole));
    struct outcome out = read_pieces(&asbi_mem_system, whole, false, &t);
    CHECK_INT(out.result, ==, ASBI_HTTP1_WHOLE);
    CHECK_INT(out.used, ==, strlen(two) - strlen("HTTP/1.1"));
}

static void two_meanings_are_none(void)
{
    static const char *const fields[] = {
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length:\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    };
    char answer[256];

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        (void)snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\n%s\r\n",
                       fields[i]);
        (void)expect(answer, false, ASBI_HTTP1_NO_HTTP, NULL);
    }
    (void)expect("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n"
                 "\r\n",
                 false, ASBI_HTTP1_WHOLE, NULL);
}

static void bad_chunks_are_no_answer(void)
{
    static const char *const chunks[] = {
        "g\r\n",       "\r\n", "-1\r\n", "5 5\r\n", "10000000000000000\r\n",
        "1\r\nab\r\n",
    };
    char answer[256];

    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        (void)snprintf(answer, sizeof(answer),
                       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "%s",
                       chunks[i]);
        (void)expect(answer, false, ASBI_HTTP1_NO_HTTP, NULL);
    }
}

static void what_is_no_http_is_told_at_once(void)
{
    static const char *const junk[] = {
        "SSH-2.0",
        "HTTP/2 200 OK\r\n",
        "HTTP/1.1 20 OK\r\n",
        "HTTP/1.1 2000\r\n",
        "HTTP/1.2 200 OK\r\n",
        "\r\nHTTP/1.1 200 OK\r\n",
        "x",
        "HTTP/1.1  200 OK\r\n",
        "HTTP/1.1\r\n",
        "HTTP/1.1 099 A\r\n",
        "http/1.1 200 OK\r\n",
    };

    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
        (void)expect(junk[i], false, ASBI_HTTP1_NO_HTTP, NULL);
}

static void how_it_is_packed_is_known(void)
{
    static const struct {
        const char *value;
        enum asbi_http1_coding coding;
    } known[] = {
        { "gzip", ASBI_HTTP1_GZIP },
        { "X-GZIP", ASBI_HTTP1_GZIP },
        { "deflate", ASBI_HTTP1_GZIP },
        { "identity", ASBI_HTTP1_IDENTITY },
        { "br", ASBI_HTTP1_UNKNOWN },
        { "", ASBI_HTTP1_IDENTITY },
        { "gzip, gzip", ASBI_HTTP1_UNKNOWN },
    };
    char answer[256];

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        (void)snprintf(answer, sizeof(answer),
                       "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\n"
                       "Content-Length: 0\r\n\r\n",
                       known[i].value);
        CHECK_INT(expect(answer, false, ASBI_HTTP1_WHOLE, NULL).coding, ==,
                  known[i].coding);
    }
}

static void a_line_has_its_limit(void)
{
    char answer[2 * MOST_LINE + 64];
    int n = snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nX: ");

    memset(answer + n, 'x', MOST_LINE);
    struct told t = { .len = 0 };
    struct splits bytes = { .text = asbi_str_of(answer, (size_t)n + MOST_LINE),
                            .piece = 1 };
    CHECK_INT(read_pieces(&asbi_mem_system, bytes, false, &t).result, ==,
              ASBI_HTTP1_TOO_LONG);
}

static void its_owner_may_stop_it(void)
{
    struct told t = { .stop_after = 2 };
    struct splits whole;

    CHECK(splits_way(asbi_str_c("HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n"), 0,
                     &whole));
    CHECK_INT(read_pieces(&asbi_mem_system, whole, false, &t).result, ==,
              ASBI_HTTP1_STOPPED);
    CHECK_BYTES(t.text, t.len, "[HTTP/1.1 200 OK][A: b]");
}

static void a_failed_allocation_is_told(void)
{
    struct fault_mem f;
    struct told t = { .len = 0 };
    struct splits bytes = { .text = asbi_str_c("HTTP/1.1 200 OK\r\n"),
                            .piece = 1 };

    fault_mem_init(&f, 1);
    CHECK_INT(read_pieces(&f.mem, bytes, false, &t).result, ==,
              ASBI_HTTP1_NO_MEMORY);
    CHECK_INT(f.live, ==, 0);
}

TEST_MAIN(CASE(a_counted_body_ends_by_its_count),
          CASE(chunks_end_by_an_empty_one), CASE(some_answers_have_no_body),
          CASE(interim_answers_come_before),
          CASE(without_a_length_the_end_of_the_connection_counts),
          CASE(who_wants_to_close_is_not_kept), CASE(what_follows_is_not_taken),
          CASE(two_meanings_are_none), CASE(bad_chunks_are_no_answer),
          CASE(what_is_no_http_is_told_at_once),
          CASE(how_it_is_packed_is_known), CASE(a_line_has_its_limit),
          CASE(its_owner_may_stop_it), CASE(a_failed_allocation_is_told))

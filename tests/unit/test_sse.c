#include "adapters/sse.h"

#include "tests/support/check.h"
#include "tests/support/splits.h"

/* Events as text: "name(data)" each, "!" for the end mark. */
struct record {
    size_t len, event_from;
    char text[4096];
};

static void add(struct record *r, const char *at, size_t len)
{
    CHECK(r->len + len < sizeof(r->text));
    if (len)
        memcpy(r->text + r->len, at, len);
    r->len += len;
}

static void on_data(void *arg, asbi_str piece)
{
    CHECK(piece.len > 0);
    add(arg, piece.at, piece.len);
}

static void on_event(void *arg, asbi_str name)
{
    add(arg, "(", 1);
    add(arg, name.at, name.len);
    add(arg, ")", 1);
}

static void on_done(void *arg)
{
    add(arg, "!", 1);
}

static int read_pieces(struct splits ways, size_t max, bool finish,
                       struct record *r)
{
    struct asbi_sse s;
    struct asbi_sse_sink sink = { on_data, on_event, on_done, r };
    size_t len;
    char *piece;
    int rc = ASB_OK;

    memset(r, 0, sizeof(*r));
    asbi_sse_begin(&s, &sink, max);
    while ((piece = splits_next(&ways, &len))) {
        rc = asbi_sse_feed(&s, piece, len);
        free(piece);
    }
    if (finish)
        asbi_sse_finish(&s);
    return rc;
}

/* The events of a text, the same however it is cut. */
static void expect_events(const char *text, const char *events)
{
    static struct record r;
    struct splits ways;

    for (size_t n = 0; splits_way(asbi_str_c(text), n, &ways); n++) {
        CHECK_INT(read_pieces(ways, 1000, true, &r), ==, ASB_OK);
        CHECK_BYTES(r.text, r.len, events);
    }
}

static void data_lines_make_events(void)
{
    expect_events("data: {\"a\":1}\n\ndata:{}\n\n", "{\"a\":1}(){}()");
    expect_events("data: a\ndata: b\ndata\n\n", "a\nb\n()");
    expect_events("data:  two spaces\n\n", " two spaces()");
    expect_events("data:\n\n", "()");
}

static void each_kind_of_line_end_counts_once(void)
{
    expect_events("data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", "a\nb()c()");
    expect_events("data: a\rdata: b\r\rdata: c\r\r", "a\nb()c()");
    expect_events("data: a\r\n\ndata: b\n\r\n", "a()b()");
}

static void comments_and_other_fields_mean_nothing(void)
{
    expect_events(": OPENROUTER PROCESSING\n\ndata: a\n: x\nid: 7\n"
                  "retry: 100\nda: no\ndatax: no\ndataaaaaaaaaa: no\n\n",
                  "a()");
    expect_events(":\n\n:\n\n\n\n", "");
    expect_events("id: 1\n\n", "");
}

static void an_event_has_a_name(void)
{
    expect_events("event: error\ndata: a\n\ndata: b\n\n", "a(error)b()");
    expect_events("data: a\nevent: one\nevent: two\n\n", "a(two)");
    expect_events("event: abcdefghijklmnopqrstuvwxyz0123456789\ndata: a\n\n",
                  "a(abcdefghijklmnopqrstuvwxyz01234)");
    expect_events("event: lost\n\ndata: a\n\n", "a()");
}

static void the_end_mark_is_no_data(void)
{
    expect_events("data: a\n\ndata: [DONE]\n\n", "a()!");
    expect_events("data:[DONE]\r\n\r\n", "!");
    expect_events("data: [DONE]", "!");
    expect_events("data: [DO\n\n", "[DO()");
    expect_events("data: [DONE]x\n\n", "[DONE]x()");
    expect_events("data: [DONE]\ndata: x\n\n", "[DONE]\nx()");
    expect_events("data: [1]\n\n", "[1]()");
    expect_events("data: x[DONE]\n\n", "x[DONE]()");
}

static void a_byte_order_mark_is_skipped(void)
{
    expect_events("\xef\xbb\xbf"
                  "data: a\n\n",
                  "a()");
    expect_events("\xef\xbb"
                  "data: a\n\ndata: b\n\n",
                  "b()");
}

static void the_last_event_needs_no_empty_line(void)
{
    static struct record r;
    struct splits whole = { ASBI_STR("data: a\n\ndata: b\ndata: c"), 0, 100,
                            0 };

    expect_events("data: a\n\ndata: b\ndata: c", "a()b\nc()");
    CHECK_INT(read_pieces(whole, 1000, false, &r), ==, ASB_OK);
    CHECK_BYTES(r.text, r.len, "a()b\nc");
}

static void an_event_has_a_limit(void)
{
    static struct record r;
    struct splits ways;
    asbi_str fits = ASBI_STR("data: 01234\ndata: 678\n\ndata: 012345678\n\n");
    asbi_str over = ASBI_STR("data: 01234\ndata: 6789\n\ndata: a\n\n");

    for (size_t n = 0; splits_way(fits, n, &ways); n++)
        CHECK_INT(read_pieces(ways, 9, true, &r), ==, ASB_OK);
    for (size_t n = 0; splits_way(over, n, &ways); n++) {
        CHECK_INT(read_pieces(ways, 9, true, &r), ==, ASB_ETOOBIG);
        CHECK(!memchr(r.text, '(', r.len)); /* no event was told */
    }
}

TEST_MAIN(CASE(data_lines_make_events), CASE(each_kind_of_line_end_counts_once),
          CASE(comments_and_other_fields_mean_nothing),
          CASE(an_event_has_a_name), CASE(the_end_mark_is_no_data),
          CASE(a_byte_order_mark_is_skipped),
          CASE(the_last_event_needs_no_empty_line), CASE(an_event_has_a_limit))

/*
 * test_http.c -- exchanges with good and bad servers, one at a time.
 */
#include "tests/support/caller.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"
#include "tests/support/web.h"

static struct surroundings s;
static struct web *web;
static struct asbi_endpoint endpoint;
static struct call call;

static const char *const json_headers[] = { "Content-Type: application/json",
                                            "Authorization: Bearer k", NULL };

static void begin(web_fn *server, void *arg)
{
    surroundings_init(&s, NULL, NULL);
    web = web_new(s.base, server, arg);
    endpoint = (struct asbi_endpoint){ .method = "POST",
                                       .url = web_url(web, "/v1/x"),
                                       .headers = json_headers };
    call_init(&call, &s, &endpoint);
}

static void finish(void)
{
    endpoint_forget(&s, &endpoint);
    call_fini(&call);
    web_free(web);
    surroundings_fini(&s);
}

/* ---- answers --------------------------------------------------------- */

static void echo(struct web_request *r, void *arg)
{
    (void)arg;
    web_answer(r->conn, 200, "X-One: 1\r\nX-Two:   two words  \r\n", r->body,
               r->body_len);
}

static void a_call_is_answered(void)
{
    begin(echo, NULL);
    call_do(&call, "{\"a\":1}");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    CHECK_INT(call.status, ==, 200);
    CHECK_INT(call.end.status, ==, 200);
    CHECK(!call.end.unreachable);
    CHECK_STR(asbi_buf_view(&call.body), "{\"a\":1}");
    CHECK_STR(asbi_buf_view(&call.headers),
              "X-One=1;X-Two=two words;Content-Length=7;");
    CHECK(call.end.started_ns <= call.end.first_byte_ns);
    CHECK(call.end.first_byte_ns <= call.end.ended_ns);
    CHECK(call.end.started_ns > 0);
    finish();
}

static void connections_are_kept(void)
{
    begin(echo, NULL);
    for (int i = 0; i < 20; i++)
        call_do(&call, i % 2 ? "odd" : "even and longer");
    CHECK_INT(web_counts(web).connections, ==, 1);
    CHECK_INT(web_counts(web).requests, ==, 20);
    CHECK_STR(asbi_buf_view(&call.body), "odd");
    finish();
}

static void tell_head(struct web_request *r, void *arg)
{
    (void)arg;
    if (strncmp(r->head, "HEAD ", 5) == 0)
        web_text(r->conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    else
        web_ok(r->conn, r->head);
}

static bool said(const char *words)
{
    return strstr(asbi_buf_cstr(&call.body), words) != NULL;
}

static void headers_go_out_as_given(void)
{
    static const char *const extra[] = { "Idempotency-Key: 77", "X-Own: a",
                                         NULL };

    begin(tell_head, NULL);
    call_do(&call, "{}");
    CHECK(said("POST /v1/x HTTP/1.1\r\n"));
    CHECK(said("\r\nContent-Type: application/json\r\n"));
    CHECK(said("\r\nAuthorization: Bearer k\r\n"));
    CHECK(said("\r\nContent-Length: 2\r\n"));
    CHECK(!said("Idempotency-Key"));
    CHECK(!said("Expect"));
    call.exchange.extra_headers = extra;
    call_do(&call, "{}");
    CHECK(said("\r\nIdempotency-Key: 77\r\n") && said("\r\nX-Own: a\r\n"));
    CHECK(said("\r\nAuthorization: Bearer k\r\n"));
    call.exchange.extra_headers = NULL;
    call_do(&call, "{}");
    CHECK(!said("Idempotency-Key") && said("\r\nAuthorization: Bearer k\r\n"));
    finish();
}

static void who_wants_no_packing_says_so_alone(void)
{
    static const char *const lines[] = { "Accept-Encoding: identity", NULL };

    begin(tell_head, NULL);
    call_do(&call, "{}");
    CHECK(said("\r\nAccept-Encoding: gzip\r\n"));
    struct asbi_endpoint plain = { .method = "GET",
                                   .url = endpoint.url,
                                   .headers = lines };
    call.exchange.endpoint = &plain;
    call_do(&call, NULL);
    CHECK(said("\r\nAccept-Encoding: identity\r\n") && !said("gzip"));
    endpoint_forget(&s, &plain);
    finish();
}

static void methods_take_turns_on_one_handle(void)
{
    static const char *const methods[] = { "GET",  "POST", "DELETE", "GET",
                                           "POST", "PUT",  "HEAD",   "POST" };
    struct asbi_endpoint e[8];

    begin(tell_head, NULL);
    for (int i = 0; i < 8; i++) {
        char line[32];
        bool body = methods[i][0] == 'P';

        e[i] = endpoint;
        e[i].transport_data = NULL;
        e[i].method = methods[i];
        call.exchange.endpoint = &e[i];
        call_do(&call, body ? "body" : NULL);
        CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
        (void)snprintf(line, sizeof(line), "%s /v1/x HTTP/1.1\r\n", methods[i]);
        if (strcmp(methods[i], "HEAD") != 0) {
            CHECK(said(line));
            CHECK(said("Content-Length: 4") == body);
        }
    }
    CHECK_INT(web_counts(web).connections, ==, 1);
    for (int i = 0; i < 8; i++)
        endpoint_forget(&s, &e[i]);
    finish();
}

static void count_body(struct web_request *r, void *arg)
{
    char text[32];

    (void)arg;
    (void)snprintf(text, sizeof(text), "%zu", r->body_len);
    web_ok(r->conn, strstr(r->head, "Expect") ? "asked first" : text);
}

/* libcurl would ask for leave above 1 MiB and wait a second for it. */
static void large_bodies_go_out_unasked(void)
{
    size_t len = 3 * 1024 * 1024;
    char *body = malloc(len + 1);

    memset(body, 'b', len);
    body[len] = '\0';
    begin(count_body, NULL);
    call_do(&call, body);
    CHECK_STR(asbi_buf_view(&call.body), "3145728");
    call_do(&call, "1234567");
    CHECK_STR(asbi_buf_view(&call.body), "7");
    finish();
    free(body);
}

static void empty(struct web_request *r, void *arg)
{
    (void)arg;
    CHECK_INT(r->body_len, ==, 0);
    CHECK(strstr(r->head, "Content-Length: 0\r\n"));
    web_text(r->conn, "HTTP/1.1 204 No Content\r\n\r\n");
}

static void a_post_may_be_empty(void)
{
    begin(empty, NULL);
    call_do(&call, NULL);
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    CHECK_INT(call.status, ==, 204);
    CHECK_INT(call.body_bytes, ==, 0);
    finish();
}

static void say(struct web_request *r, void *arg)
{
    web_text(r->conn, arg);
}

static void say_and_close(struct web_request *r, void *arg)
{
    web_text(r->conn, arg);
    web_close(r->conn);
}

static void chunks_come_together(void)
{
    begin(say, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
               "Trailer: X-Late\r\n\r\n"
               "3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\nX-Late: 9\r\n\r\n");
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    CHECK_STR(asbi_buf_view(&call.body), "abcdefg");
    CHECK_STR(asbi_buf_view(&call.headers),
              "Transfer-Encoding=chunked;Trailer=X-Late;");
    finish();
}

static void interim_answers_are_skipped(void)
{
    begin(say, "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
               "HTTP/1.1 100 Continue\r\n\r\n"
               "HTTP/1.1 201 Created\r\nX-Real: 2\r\nContent-Length: 2\r\n\r\n"
               "ok");
    call_do(&call, "x");
    CHECK_INT(call.status, ==, 201);
    CHECK_STR(asbi_buf_view(&call.headers), "X-Real=2;Content-Length=2;");
    CHECK_STR(asbi_buf_view(&call.body), "ok");
    finish();
}

static void redirects_are_not_followed(void)
{
    begin(say, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
               "Content-Length: 0\r\n\r\n");
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    CHECK_INT(call.status, ==, 302);
    CHECK_INT(web_counts(web).requests, ==, 1);
    finish();
}

static void errors_come_with_their_body(void)
{
    begin(say,
          "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\n"
          "wait");
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    CHECK_INT(call.status, ==, 429);
    CHECK_STR(asbi_buf_view(&call.headers), "Retry-After=7;Content-Length=4;");
    CHECK_STR(asbi_buf_view(&call.body), "wait");
    finish();
}

/* The server refuses as soon as it has seen the head. */
static void refuse_early(struct web_conn *c)
{
    web_text(c, "HTTP/1.1 413 Large\r\nContent-Length: 5\r\n"
                "Connection: close\r\n\r\nlarge");
}

static void an_early_answer_is_heard(void)
{
    size_t len = 200000;
    char *body = malloc(len + 1);

    memset(body, 'b', len);
    body[len] = '\0';
    begin(say, "");
    web_on_accept(web, refuse_early);
    call_do(&call, body);
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    CHECK_INT(call.status, ==, 413);
    CHECK_STR(asbi_buf_view(&call.body), "large");
    finish();
    free(body);
}

/* ---- compression ----------------------------------------------------- */

/* gzip of "hello hello". */
static const unsigned char hello_packed[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff,
    0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x00, 0x91, 0x00,
    0x40, 0xa6, 0x2d, 0x01, 0x0b, 0x00, 0x00, 0x00
};

/* A gzip stream by hand (RFC 1951, fixed codes): one zero byte, then the same
 * again 258 times with each 13 bits. */
static void bits_put(struct asbi_buf *b, unsigned *at, unsigned code,
                     unsigned count)
{
    for (unsigned i = 0; i < count; i++, (*at)++) {
        if (*at % 8 == 0)
            asbi_buf_char(b, 0);
        char bit = (char)((code >> i & 1U) << *at % 8);
        b->data[b->len - 1] = (char)(b->data[b->len - 1] | bit);
    }
}

static void bomb_make(struct asbi_buf *b, size_t unpacked)
{
    static const unsigned char head[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
    unsigned at = 0;

    asbi_buf_add(b, head, sizeof(head));
    bits_put(b, &at, 3, 3);    /* last block, fixed codes */
    bits_put(b, &at, 0x0c, 8); /* literal 0 */
    for (size_t n = 0; n < unpacked; n += 258)
        bits_put(b, &at, 0xa3, 13); /* length 258, distance 1 */
}

static void zipped(struct web_request *r, void *arg)
{
    const struct asbi_buf *b = arg;

    CHECK(strstr(r->head, "Accept-Encoding:") && strstr(r->head, "gzip"));
    web_answer(r->conn, 200, "Content-Encoding: gzip\r\n", b->data, b->len);
}

static void compressed_answers_are_unpacked(void)
{
    struct asbi_buf b;

    asbi_buf_init(&b, &asbi_mem_system, 1 << 20);
    asbi_buf_add(&b, hello_packed, sizeof(hello_packed));
    begin(zipped, &b);
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    CHECK_STR(asbi_buf_view(&call.body), "hello hello");
    finish();
    asbi_buf_fini(&b);
}

static void a_small_answer_cannot_unpack_to_a_huge_one(void)
{
    struct asbi_buf b;

    asbi_buf_init(&b, &asbi_mem_system, 1 << 20);
    bomb_make(&b, 10 * 1024 * 1024);
    CHECK(b.len < 100000);
    begin(zipped, &b);
    call.exchange.limits.max_body_bytes = 200000;
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_TOO_LARGE);
    CHECK_INT(call.status, ==, 200);
    CHECK(call.body_bytes > 100000 && call.body_bytes <= 200000);
    finish();
    asbi_buf_fini(&b);
}

static void bad_compression_is_a_cut(void)
{
    begin(say, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
               "Content-Length: 8\r\n\r\nnot gzip");
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_CUT);
    CHECK_INT(call.end.status, ==, 200);
    finish();
}

/* ---- bad servers ----------------------------------------------------- */

static void a_body_cut_short_is_a_cut(void)
{
    begin(say_and_close,
          "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.");
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_CUT);
    CHECK_INT(call.end.status, ==, 200);
    CHECK_STR(asbi_buf_view(&call.body), "ten bytes.");
    CHECK(call.text[0]);
    finish();
}

static void chunks_cut_short_are_a_cut(void)
{
    begin(say_and_close, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "5\r\nabcde\r\n5\r\nfg");
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_CUT);
    finish();
}

static void a_head_cut_short_is_a_cut(void)
{
    begin(say_and_close, "HTTP/1.1 200 OK\r\nContent-Le");
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_CUT);
    finish();
}

static void garbage_is_no_answer(void)
{
    begin(say_and_close, "SMTP ready when you are\r\n\r\n");
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_CUT);
    CHECK_INT(call.end.status, ==, 0);
    CHECK_BYTES(call.text, strlen(call.text), "the answer is not HTTP");
    finish();
}

static void binary_garbage_is_no_answer(void)
{
    begin(say_and_close, "\x16\x03\x01\x02\xff\x80\xfe\r\n\r\n");
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_CUT);
    CHECK_INT(call.end.status, ==, 0);
    finish();
}

static void more_and_more(struct web_conn *c, const char *unit, size_t times)
{
    for (size_t i = 0; i < times; i++)
        web_text(c, unit);
}

static void many_headers(struct web_request *r, void *arg)
{
    (void)arg;
    web_text(r->conn, "HTTP/1.1 200 OK\r\n");
    more_and_more(r->conn, "X-Filler: 0123456789012345678901234567\r\n", 5000);
}

static void endless_headers_are_too_large(void)
{
    begin(many_headers, NULL);
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_TOO_LARGE);
    CHECK(call.headers.len < 65536);
    finish();
}

static void one_long_header(struct web_request *r, void *arg)
{
    (void)arg;
    web_text(r->conn, "HTTP/1.1 200 OK\r\nX-Long: ");
    more_and_more(r->conn, "01234567890123456789012345678901234567890123456789",
                  10000);
}

static void an_endless_header_line_is_too_large(void)
{
    begin(one_long_header, NULL);
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_TOO_LARGE);
    CHECK(call.text[0]);
    finish();
}

/* Sends for ever, as fast as it is read. */
static void feed(struct web_conn *c)
{
    static const char block[65536];

    web_send(c, block, sizeof(block));
}

static void ten_gigabytes(struct web_request *r, void *arg)
{
    (void)arg;
    web_text(r->conn, "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n");
    for (int i = 0; i < 64; i++)
        feed(r->conn);
}

static void a_huge_answer_is_stopped_at_its_limit(void)
{
    begin(ten_gigabytes, NULL);
    call.exchange.limits.max_body_bytes = 1 << 20;
    call.drop_body = true;
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_TOO_LARGE);
    CHECK(call.body_bytes <= 1 << 20);
    call.exchange.limits.max_body_bytes = 0;
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_TOO_LARGE);
    CHECK_INT(call.body_bytes, ==, 0);
    finish();
}

static void the_owner_may_refuse_a_body(void)
{
    begin(ten_gigabytes, NULL);
    call.refuse_from = 100000;
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_REFUSED);
    CHECK_INT(call.end.status, ==, 200);
    finish();
}

/* ---- unreachable ----------------------------------------------------- */

static void a_closed_port_was_sent_nothing(void)
{
    char url[64];

    begin(echo, NULL);
    struct web *gone = web_new(s.base, echo, NULL);
    (void)snprintf(url, sizeof(url), "%s", web_url(gone, "/"));
    web_free(gone);
    endpoint.url = url;
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_NOT_SENT);
    CHECK(call.end.unreachable);
    CHECK(call.text[0]);
    finish();
}

static void a_bad_url_ends_from_the_loop(void)
{
    static const char *const urls[] = {
        "ftp://127.0.0.1/",   "http://",  "", "http://a b/",
        "file:///etc/passwd", "127.0.0.1"
    };

    begin(echo, NULL);
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        endpoint.url = urls[i];
        call_do(&call, "x");
        CHECK_INT(call.end.outcome, ==, ASBI_NOT_SENT);
        CHECK(call.end.unreachable);
        endpoint_forget(&s, &endpoint);
    }
    CHECK_INT(web_counts(web).connections, ==, 0);
    finish();
}

/* ---- memory ---------------------------------------------------------- */

static int life(const struct asbi_mem *mem, void *arg)
{
    struct asbi_real_options options = { .http = { .proxy = "none",
                                                   .ca_file = "" } };

    (void)arg;
    surroundings_init(&s, mem, &options);
    if (!s.world) {
        surroundings_fini(&s);
        return ASB_ENOMEM;
    }
    web = web_new(s.base, echo, NULL);
    endpoint = (struct asbi_endpoint){ .method = "POST",
                                       .url = web_url(web, "/"),
                                       .headers = json_headers };
    call_init(&call, &s, &endpoint);
    static const char *const extra[] = { "X-A: b", NULL };
    call.exchange.extra_headers = extra;
    int rc = call_survive(&call, "abc");
    finish();
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep_spared(life, NULL), >, 0);
}

TEST_MAIN(CASE(a_call_is_answered), CASE(connections_are_kept),
          CASE(headers_go_out_as_given),
          CASE(who_wants_no_packing_says_so_alone),
          CASE(methods_take_turns_on_one_handle),
          CASE(large_bodies_go_out_unasked), CASE(a_post_may_be_empty),
          CASE(chunks_come_together), CASE(interim_answers_are_skipped),
          CASE(redirects_are_not_followed), CASE(errors_come_with_their_body),
          CASE(an_early_answer_is_heard), CASE(compressed_answers_are_unpacked),
          CASE(a_small_answer_cannot_unpack_to_a_huge_one),
          CASE(bad_compression_is_a_cut), CASE(a_body_cut_short_is_a_cut),
          CASE(chunks_cut_short_are_a_cut), CASE(a_head_cut_short_is_a_cut),
          CASE(garbage_is_no_answer), CASE(binary_garbage_is_no_answer),
          CASE(endless_headers_are_too_large),
          CASE(an_endless_header_line_is_too_large),
          CASE(a_huge_answer_is_stopped_at_its_limit),
          CASE(the_owner_may_refuse_a_body),
          CASE(a_closed_port_was_sent_nothing),
          CASE(a_bad_url_ends_from_the_loop),
          CASE(every_failed_allocation_is_survived))

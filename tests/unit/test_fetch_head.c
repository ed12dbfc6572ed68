#include "engine/fetch_head.h"

#include "engine/base/mem.h"
#include "tests/support/check.h"

static struct asbi_fetch_head head;

static void take(const char *name, const char *value)
{
    asbi_fetch_head_add(&head, asbi_str_c(name), asbi_str_c(value));
}

static void size_and_range_are_read(void)
{
    asbi_fetch_head_begin(&head);
    CHECK(head.length == UINT64_MAX && head.total == UINT64_MAX);
    take("Content-Length", " 100 ");
    take("content-range", "bytes 50-149/150");
    CHECK_INT(head.length, ==, 100);
    CHECK_INT(head.from, ==, 50);
    CHECK_INT(head.total, ==, 150);
    asbi_fetch_head_begin(&head);
    take("Content-Range", "bytes */77");
    CHECK_INT(head.total, ==, 77);
    CHECK_INT(head.from, ==, 0);
}

static void senseless_heads_count_as_absent(void)
{
    static const char *const ranges[] = {
        "", "bytes", "bytes 5", "bytes -/", "items 1-2/3", "bytes 1-2/*"
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        asbi_fetch_head_begin(&head);
        take("Content-Range", ranges[i]);
        CHECK(head.total == UINT64_MAX);
    }
    take("Content-Length", "-5");
    CHECK(head.length == UINT64_MAX);
    take("Content-Type", "video/mp4\x01;x");
    CHECK_INT(head.type[0], ==, 0);
    take("ETag", "W/\"weak\"");
    CHECK_INT(head.etag[0], ==, 0);
}

/* SHA-256 of nothing. */
#define NOTHING "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static void digests_come_in_three_forms(void)
{
    static const char *const names[] = { "Repr-Digest", "Digest",
                                         "x-amz-checksum-sha256" };
    static const char *const values[] = { ("md5=:AAAA:, sha-256=:" NOTHING ":"),
                                          ("SHA-256=" NOTHING), NOTHING };

    for (size_t i = 0; i < 3; i++) {
        asbi_fetch_head_begin(&head);
        take(names[i], values[i]);
        CHECK(head.has_digest);
        CHECK_INT(head.sha256[0], ==, 0xe3);
        CHECK_INT(head.sha256[31], ==, 0x55);
    }
}

static void a_broken_digest_is_none(void)
{
    static const char *const values[] = { "sha-256=",
                                          "sha-256=::",
                                          "sha-256=:AAAA:",
                                          ("sha-256=:" NOTHING "A:"),
                                          ("sha-256=:47DEQpj8HBSa+/TImW+5JCeuQe"
                                           "Rkm5NMpJWZG3hSu!U=:"),
                                          ",,,",
                                          ("sha-512=:" NOTHING ":") };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        asbi_fetch_head_begin(&head);
        take("Repr-Digest", values[i]);
        CHECK(!head.has_digest);
    }
}

static bool leads(const char *from, const char *to, const char *where)
{
    struct asbi_buf out;

    asbi_buf_init(&out, &asbi_mem_system, 1000);
    bool ok = asbi_fetch_redirect(asbi_str_c(from), to, &out);
    if (ok)
        CHECK_STR(asbi_buf_view(&out), where);
    asbi_buf_fini(&out);
    return ok;
}

static void redirects_lead_on_but_not_down(void)
{
    CHECK(leads("https://a/x", "https://b/y?z", "https://b/y?z"));
    CHECK(leads("https://a:1/x?q", "/y", "https://a:1/y"));
    CHECK(leads("http://a/x", "http://b/", "http://b/"));
    CHECK(!leads("https://a/x", "http://b/", ""));
    CHECK(!leads("https://a/x", "//b/", ""));
    CHECK(!leads("https://a/x", "file:///etc/passwd", ""));
    CHECK(!leads("https://a/x", "/a\r\nX: y", ""));
    CHECK(!leads("https://a/x", "", ""));
}

static void ending(const char *type, const char *url, const char *want)
{
    struct asbi_buf out;

    asbi_buf_init(&out, &asbi_mem_system, 100);
    asbi_fetch_put_ending(type, asbi_str_c(url), &out);
    CHECK_STR(asbi_buf_view(&out), want);
    asbi_buf_fini(&out);
}

static void endings_follow_type_and_address(void)
{
    ending("video/mp4", "https://h/x.webm", ".mp4");
    ending("application/octet-stream", "https://h/x.webm?a=b.exe", ".webm");
    ending("", "https://h.example/x", ".bin");
    ending("", "https://h/a.b/c", ".bin");
    ending("", "https://h/x.", ".bin");
    ending("", "https://h/x.toolongone", ".bin");
    ending("", "/videos/1/content", ".bin");
}

TEST_MAIN(CASE(size_and_range_are_read), CASE(senseless_heads_count_as_absent),
          CASE(digests_come_in_three_forms), CASE(a_broken_digest_is_none),
          CASE(redirects_lead_on_but_not_down),
          CASE(endings_follow_type_and_address))

#include "engine/base/json.h"

#include <math.h>

#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

static struct asbi_json *parser(size_t max)
{
    struct asbi_json *json = asbi_json_new(&asbi_mem_system, max);

    CHECK(json);
    return json;
}

static int parse(struct asbi_json *json, const char *text)
{
    return asbi_json_parse(json, text, strlen(text));
}

static const char *const good[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "42",
    "-1.5e+10",
    "1E400",
    "0.1e-2",
    "123456789012345678901234567890",
    "\"\"",
    "\"a\"",
    " \t\r\n1 \n",
    "[]",
    "[ ]",
    "{}",
    "{ }",
    "[1,2]",
    "[[],[]]",
    "[null, 1, \"1\", {}]",
    "{\"a\":1}",
    "{\"\":{\"\":[]}}",
    "{\"a\":1,\"a\":2}",
    "{\"a\\u0000b\":1}",
    "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]",
    "[\"\\u0060\\u012a\\u12AB\"]",
    "[\"\\uD801\\udc37\"]",
    "[\"\\u0000\"]",
    "[\"\xe2\x82\xac \xf0\x9d\x84\x9e \x7f\"]",
    "[\"\\\\u0061\\\\\"]",
    "[0.1, 10e5, -123]",
};

static const char *const bad[] = {
    "",
    " ",
    "nul",
    "nulll",
    "True",
    "tru e",
    "truefalse",
    "NaN",
    "Infinity",
    "-",
    "+1",
    "01",
    "-01",
    "1.",
    ".5",
    "1.e5",
    "1e",
    "1e+",
    "0x10",
    "1 2",
    "1,",
    "--1",
    "1a",
    "1\f",
    "\"",
    "\"a",
    "'a'",
    "\"a\"b",
    "1\"a\"",
    "\"\\x\"",
    "\"\\\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\uD800\"",
    "\"\\uDC00\"",
    "\"\\uD800x\"",
    "\"\\uD800\\n\"",
    "\"\\uD800\\uD800\"",
    "\"\\uDC00\\uDC00\"",
    "\"\\u d800\"",
    "\"a\nb\"",
    "\"a\tb\"",
    "\"\x1f\"",
    "\"\xff\"",
    "\"\xc0\x80\"",
    "\"\xed\xa0\x80\"",
    "\"\xf4\x90\x80\x80\"",
    "\"\xe2\x82\"",
    "\xef\xbb\xbf{}",
    "\xe2\x82\xac",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[,]",
    "[1 2]",
    "[1,,2]",
    "[1:2]",
    "[1}",
    "[]]",
    "[] []",
    "[\"a\" \"b\"]",
    "{",
    "}",
    "{]",
    "{1:2}",
    "{a:1}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{\"a\":1 \"b\":2}",
    "{\"a\" 1}",
    "{\"a\"::1}",
    "{\"a\":1:2}",
    "{,\"a\":1}",
    "{\"a\":1,,\"b\":2}",
    "{\"a\":1]",
    "{\"a\":1}x",
    "{\"\\x\":1}",
    "{\"\\ud800\":1}",
    "[1]//",
    "/**/1",
    "[\"a\":1]",
    "\f1",
    "1\x1a",
    "\"\\",
};

static void good_documents_are_read(void)
{
    struct asbi_json *json = parser(1 << 20);

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (parse(json, good[i]) != ASB_OK)
            check_fail(__FILE__, __LINE__, "refused: %s (%s)", good[i],
                       asbi_json_error(json));
        CHECK(asbi_json_root(json));
    }
    asbi_json_free(json);
}

static void bad_documents_are_refused(void)
{
    struct asbi_json *json = parser(1 << 20);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (parse(json, bad[i]) != ASB_EPARSE)
            check_fail(__FILE__, __LINE__, "accepted: %s", bad[i]);
        CHECK(!asbi_json_root(json));
        CHECK(asbi_json_error(json)[0] != '\0');
        CHECK(asbi_json_error_at(json) <= strlen(bad[i]));
    }
    CHECK_INT(asbi_json_parse(json, "\0", 1), ==, ASB_EPARSE);
    CHECK_INT(asbi_json_parse(json, "1\0", 2), ==, ASB_EPARSE);
    CHECK_INT(asbi_json_parse(json, "[\0]", 3), ==, ASB_EPARSE);
    asbi_json_free(json);
}

static const char sample[] =
    "{\"id\":\"chatcmpl-1\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
    "\"assistant\",\"content\":\"\\u4f60\\ud83d\\ude00 \xe4\xbd\xa0 \\\"q\\\""
    "\\n\"},\"finish\":null}],\"usage\":{\"in\":12,\"out\":-3.5e2,\"ok\":true,"
    "\"no\":false}}";

static void every_truncation_is_refused(void)
{
    struct asbi_json *json = parser(1 << 20);

    for (size_t len = 0; len < strlen(sample); len++)
        CHECK_INT(asbi_json_parse(json, sample, len), ==, ASB_EPARSE);
    CHECK_INT(parse(json, sample), ==, ASB_OK);
    asbi_json_free(json);
}

/* Any damage is survived; what is accepted can be walked. */
static void every_flipped_byte_is_survived(void)
{
    struct asbi_json *json = parser(1 << 20);
    char copy[sizeof(sample)];

    for (size_t at = 0; at < strlen(sample); at++) {
        for (int byte = 0; byte < 256; byte++) {
            memcpy(copy, sample, sizeof(sample));
            copy[at] = (char)byte;
            if (asbi_json_parse(json, copy, strlen(sample)))
                continue;
            const struct asbi_json_node *root = asbi_json_root(json);
            for (uint32_t i = 0; i < root->next; i++) {
                CHECK(root[i].next > i && root[i].next <= root->next);
                (void)asbi_json_text(json, &root[i]);
                (void)asbi_json_key(json, &root[i]);
            }
        }
    }
    asbi_json_free(json);
}

static void values_keep_the_bytes_they_were_written_as(void)
{
    struct asbi_json *json = parser(1 << 20);

    CHECK_INT(
        parse(json, " { \"a\" : [ 1.50 , { } ] , \"b\\n\":\"x\\u0041\" } "), ==,
        ASB_OK);
    const struct asbi_json_node *root = asbi_json_root(json);
    CHECK_STR(root->raw, "{ \"a\" : [ 1.50 , { } ] , \"b\\n\":\"x\\u0041\" }");
    CHECK_INT(root->count, ==, 2);
    CHECK_INT(root->next, ==, 5);
    const struct asbi_json_node *a = asbi_json_child(json, root);
    CHECK_STR(a->key, "a");
    CHECK_STR(a->raw, "[ 1.50 , { } ]");
    CHECK_INT(a->count, ==, 2);
    const struct asbi_json_node *one = asbi_json_child(json, a);
    CHECK_STR(one->raw, "1.50");
    CHECK_INT(one->key.len, ==, 0);
    const struct asbi_json_node *two = asbi_json_after(json, a, one);
    CHECK_STR(two->raw, "{ }");
    CHECK(!asbi_json_after(json, a, two));
    CHECK(!asbi_json_child(json, two));
    const struct asbi_json_node *b = asbi_json_after(json, root, a);
    CHECK_STR(b->key, "b\\n");
    CHECK_STR(asbi_json_key(json, b), "b\n");
    CHECK_STR(asbi_json_text(json, b), "xA");
    CHECK(!asbi_json_after(json, root, b));
    asbi_json_free(json);
}

static void members_are_found_by_their_unescaped_names(void)
{
    struct asbi_json *json = parser(1 << 20);

    CHECK_INT(parse(json, "{\"a\":1,\"\\u0061b\":2,\"a\":3,\"\":4,"
                          "\"q\\\\\":5,\"n\":{\"a\":6}}"),
              ==, ASB_OK);
    const struct asbi_json_node *root = asbi_json_root(json);
    uint64_t n = 0;

    CHECK(asbi_json_u64(asbi_json_get(json, root, ASBI_STR("a")), &n));
    CHECK_INT(n, ==, 3); /* of a repeated name the last */
    CHECK(asbi_json_u64(asbi_json_get(json, root, ASBI_STR("ab")), &n));
    CHECK_INT(n, ==, 2);
    CHECK(asbi_json_u64(asbi_json_get(json, root, ASBI_STR("")), &n));
    CHECK_INT(n, ==, 4);
    CHECK(asbi_json_u64(asbi_json_get(json, root, ASBI_STR("q\\")), &n));
    CHECK_INT(n, ==, 5);
    CHECK(!asbi_json_get(json, root, ASBI_STR("q\\\\")));
    CHECK(!asbi_json_get(json, root, ASBI_STR("\\u0061b")));
    CHECK(!asbi_json_get(json, root, ASBI_STR("b")));
    CHECK(!asbi_json_get(json, NULL, ASBI_STR("a")));
    CHECK(!asbi_json_get(json, root + 1, ASBI_STR("a")));
    asbi_json_free(json);
}

static void a_long_name_is_found_too(void)
{
    struct asbi_json *json = parser(1 << 20);
    char text[1100], name[1000];

    memset(name, 'k', sizeof(name));
    (void)snprintf(text, sizeof(text), "{\"%.999s\":1}", name);
    CHECK_INT(parse(json, text), ==, ASB_OK);
    CHECK(asbi_json_get(json, asbi_json_root(json), asbi_str_of(name, 999)));
    CHECK(!asbi_json_get(json, asbi_json_root(json), asbi_str_of(name, 998)));
    asbi_json_free(json);
}

static void escapes_give_the_text_they_stand_for(void)
{
    static const struct {
        const char *json, *text;
    } cases[] = {
        { "\"\"", "" },
        { "\"plain\"", "plain" },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
        { "\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac" },
        { "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80" },
        { "\"x\\uDBFF\\uDFFFy\"", "x\xf4\x8f\xbf\xbfy" },
        { "\"0123456789abcdef0123456789\\n0123456789abcdefghij\"",
          "0123456789abcdef0123456789\n0123456789abcdefghij" },
    };
    struct asbi_json *json = parser(1 << 20);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_INT(parse(json, cases[i].json), ==, ASB_OK);
        asbi_str text = asbi_json_text(json, asbi_json_root(json));
        CHECK(text.at);
        CHECK_STR(text, cases[i].text);
        /* Asking twice gives the same. */
        CHECK_STR(asbi_json_text(json, asbi_json_root(json)), cases[i].text);
    }
    CHECK_INT(parse(json, "\"a\\u0000b\""), ==, ASB_OK);
    CHECK_INT(asbi_json_text(json, asbi_json_root(json)).len, ==, 3);
    CHECK_INT(parse(json, "5"), ==, ASB_OK);
    CHECK(!asbi_json_text(json, asbi_json_root(json)).at);
    CHECK(!asbi_json_text(json, NULL).at);
    asbi_json_free(json);
}

static void whole_numbers_are_exact(void)
{
    static const struct {
        const char *json;
        bool fits;
        uint64_t value;
    } cases[] = {
        { "0", true, 0 },
        { "18446744073709551615", true, UINT64_MAX },
        { "18446744073709551616", false, 0 },
        { "99999999999999999999999", false, 0 },
        { "12.0", true, 12 },
        { "1e3", true, 1000 },
        { "1.5", false, 0 },
        { "-1", false, 0 },
        { "-0", true, 0 },
        { "1e300", false, 0 },
        { "\"1\"", false, 0 },
        { "true", false, 0 },
    };
    struct asbi_json *json = parser(1 << 20);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t n = 77;

        CHECK_INT(parse(json, cases[i].json), ==, ASB_OK);
        CHECK_INT(asbi_json_u64(asbi_json_root(json), &n), ==, cases[i].fits);
        CHECK(n == (cases[i].fits ? cases[i].value : 77));
    }
    CHECK(!asbi_json_u64(NULL, &(uint64_t){ 0 }));
    asbi_json_free(json);
}

static void fractions_are_read_and_huge_ones_refused(void)
{
    struct asbi_json *json = parser(1 << 20);
    double x = 7;

    CHECK_INT(parse(json, "[1.25,-3e2,0.1,1e400,1e-400,\"1\"]"), ==, ASB_OK);
    const struct asbi_json_node *n = asbi_json_root(json) + 1;
    CHECK(asbi_json_double(n, &x) && x == 1.25);
    CHECK(asbi_json_double(n + 1, &x) && x == -300);
    CHECK(asbi_json_double(n + 2, &x) && x == 0.1);
    CHECK(!asbi_json_double(n + 3, &x) && x == 0.1);
    CHECK(asbi_json_double(n + 4, &x) && x == 0);
    CHECK(!asbi_json_double(n + 5, &x));
    CHECK(!asbi_json_double(NULL, &x));
    asbi_json_free(json);
}

static void nesting_is_read_to_the_limit_and_no_deeper(void)
{
    struct asbi_json *json = parser(1 << 20);
    char text[2 * ASBI_JSON_MAX_DEPTH + 2];
    size_t deep = ASBI_JSON_MAX_DEPTH;

    memset(text, '[', deep);
    memset(text + deep, ']', deep);
    CHECK_INT(asbi_json_parse(json, text, 2 * deep), ==, ASB_OK);
    CHECK_INT(asbi_json_root(json)->next, ==, (intmax_t)deep);
    deep++;
    memset(text, '[', deep);
    memset(text + deep, ']', deep);
    CHECK_INT(asbi_json_parse(json, text, 2 * deep), ==, ASB_ETOOBIG);
    CHECK(!asbi_json_root(json));
    asbi_json_free(json);

    json = parser(1 << 20);
    char *bomb = malloc(100000);
    CHECK(bomb);
    memset(bomb, '[', 100000);
    CHECK_INT(asbi_json_parse(json, bomb, 100000), ==, ASB_ETOOBIG);
    free(bomb);
    asbi_json_free(json);
}

static void a_document_over_the_limit_is_refused(void)
{
    struct asbi_json *json = parser(10);

    CHECK_INT(parse(json, "\"12345678\""), ==, ASB_OK);
    CHECK_INT(parse(json, "\"123456789\""), ==, ASB_ETOOBIG);
    CHECK_INT(parse(json, "1"), ==, ASB_OK);
    asbi_json_free(json);
}

/* [0,1,2, ...]: many nodes, many bytes, and small again after. */
static size_t numbers(char *to, size_t count)
{
    size_t len = 0;

    to[len++] = '[';
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(to + len, 24, "%s%zu", i ? "," : "", i);
    to[len++] = ']';
    return len;
}

static void a_large_document_is_followed_by_a_small_one(void)
{
    struct asbi_json *json = parser(64 << 20);
    char *text = malloc(8 << 20);
    size_t count = 500000;
    uint64_t n = 0;

    CHECK(text);
    size_t len = numbers(text, count);
    for (int round = 0; round < 2; round++) {
        CHECK_INT(asbi_json_parse(json, text, len), ==, ASB_OK);
        CHECK_INT(asbi_json_root(json)->count, ==, (intmax_t)count);
        CHECK(asbi_json_u64(asbi_json_root(json) + count, &n));
        CHECK_INT(n, ==, (intmax_t)count - 1);
        CHECK_INT(parse(json, "[7]"), ==, ASB_OK);
        CHECK_INT(asbi_json_root(json)->count, ==, 1);
    }
    free(text);
    asbi_json_free(json);
}

static int life_of_a_parser(const struct asbi_mem *mem, void *arg)
{
    static char text[20000];
    struct asbi_json *json = asbi_json_new(mem, 1 << 20);
    int rc = ASB_ENOMEM;

    (void)arg;
    if (!json)
        return rc;
    size_t len = numbers(text, 2000);
    rc = parse(json, "{\"a\":\"\\u0041\"}");
    if (!rc && !asbi_json_text(json, asbi_json_root(json) + 1).at)
        rc = ASB_ENOMEM;
    if (!rc)
        rc = asbi_json_parse(json, text, len);
    asbi_json_free(json);
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep(life_of_a_parser, NULL), >, 4);
}

static void a_parser_works_on_after_a_failed_allocation(void)
{
    static char text[20000];
    struct fault_mem fm;

    fault_mem_init(&fm, 0);
    struct asbi_json *json = asbi_json_new(&fm.mem, 1 << 20);
    CHECK(json);
    CHECK_INT(parse(json, "[1]"), ==, ASB_OK);
    size_t len = numbers(text, 2000);
    fm.fail_at = fm.seen + 1;
    CHECK_INT(asbi_json_parse(json, text, len), ==, ASB_ENOMEM);
    CHECK(!asbi_json_root(json));
    CHECK_INT(asbi_json_parse(json, text, len), ==, ASB_OK);
    CHECK_INT(asbi_json_root(json)->count, ==, 2000);
    asbi_json_free(json);
    CHECK_INT(fm.live, ==, 0);
}

/* ---- writing ---------------------------------------------------------- */

static struct asbi_buf out;

static struct asbi_buf *fresh(void)
{
    asbi_buf_fini(&out);
    asbi_buf_init(&out, &asbi_mem_system, 1 << 20);
    return &out;
}

static void only_what_must_be_escaped_is(void)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        { "", "\"\"" },
        { "plain / text \x7f", "\"plain / text \x7f\"" },
        { "\"\\\b\f\n\r\t", "\"\\\"\\\\\\b\\f\\n\\r\\t\"" },
        { "\x01\x1f", "\"\\u0001\\u001f\"" },
        { "\xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80",
          "\"\xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80\"" },
        { "bad \xff\xc0\x80 end", "\"bad \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd "
                                  "end\"" },
        { "cut \xe2\x82", "\"cut \xef\xbf\xbd\xef\xbf\xbd\"" },
        { "12345678901234567\"90", "\"12345678901234567\\\"90\"" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        asbi_json_put_string(fresh(), asbi_str_c(cases[i].text));
        CHECK_STR(asbi_buf_view(&out), cases[i].json);
    }
    asbi_json_put_escaped(fresh(), asbi_str_of("\0a", 2));
    CHECK_STR(asbi_buf_view(&out), "\\u0000a");
    asbi_json_put_string(fresh(), (asbi_str){ NULL, 0 });
    CHECK_STR(asbi_buf_view(&out), "\"\"");
    asbi_buf_fini(&out);
}

/* Each byte at each place of a word: the fast scan misses none. */
static void every_byte_at_every_place_comes_back(void)
{
    struct asbi_json *json = parser(1 << 20);

    for (int byte = 0; byte < 0x80; byte++) {
        for (size_t at = 0; at < 24; at++) {
            char text[24];

            memset(text, at % 2 ? 'a' : '\x1f' + 1, sizeof(text));
            text[at] = (char)byte;
            asbi_str s = { text, sizeof(text) };
            asbi_json_put_string(fresh(), s);
            CHECK_INT(asbi_json_parse(json, out.data, out.len), ==, ASB_OK);
            CHECK(asbi_str_eq(asbi_json_text(json, asbi_json_root(json)), s));
        }
    }
    asbi_buf_fini(&out);
    asbi_json_free(json);
}

static void keys_bring_their_commas(void)
{
    struct asbi_buf *b = fresh();

    asbi_buf_char(b, '{');
    asbi_json_put_key(b, "a");
    asbi_buf_u64(b, 1);
    asbi_json_put_key(b, "b\"");
    asbi_buf_char(b, '{');
    asbi_json_put_key(b, "c");
    asbi_buf_c(b, "null}}");
    CHECK_STR(asbi_buf_view(b), "{\"a\":1,\"b\\\"\":{\"c\":null}}");
    asbi_buf_fini(&out);
}

static void doubles_are_short_and_exact(void)
{
    static const struct {
        double value;
        const char *json;
    } cases[] = {
        { 0, "0" },           { 1, "1" },
        { -2.5, "-2.5" },     { 0.1, "0.1" },
        { 100000, "100000" }, { 0.1 + 0.2, "0.30000000000000004" },
        { 1e300, "1e+300" },  { 5e-324, "4.94065645841247e-324" },
        { INFINITY, "null" }, { NAN, "null" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        asbi_json_put_double(fresh(), cases[i].value);
        CHECK_STR(asbi_buf_view(&out), cases[i].json);
    }
    asbi_buf_fini(&out);
}

static void money_is_written_exactly(void)
{
    static const struct {
        int64_t nano;
        const char *json;
    } cases[] = {
        { 0, "0" },
        { 11400, "0.0000114" },
        { 30000, "0.00003" },
        { 1, "0.000000001" },
        { 1000000000, "1" },
        { 12500000000, "12.5" },
        { 1000000001, "1.000000001" },
        { -11400, "-0.0000114" },
        { -2000000000, "-2" },
        { INT64_MAX, "9223372036.854775807" },
        { INT64_MIN, "-9223372036.854775808" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        asbi_json_put_usd(fresh(), cases[i].nano);
        CHECK_STR(asbi_buf_view(&out), cases[i].json);
    }
    asbi_buf_fini(&out);
}

TEST_MAIN(CASE(good_documents_are_read), CASE(bad_documents_are_refused),
          CASE(every_truncation_is_refused),
          CASE(every_flipped_byte_is_survived),
          CASE(values_keep_the_bytes_they_were_written_as),
          CASE(members_are_found_by_their_unescaped_names),
          CASE(a_long_name_is_found_too),
          CASE(escapes_give_the_text_they_stand_for),
          CASE(whole_numbers_are_exact),
          CASE(fractions_are_read_and_huge_ones_refused),
          CASE(nesting_is_read_to_the_limit_and_no_deeper),
          CASE(a_document_over_the_limit_is_refused),
          CASE(a_large_document_is_followed_by_a_small_one),
          CASE(every_failed_allocation_is_survived),
          CASE(a_parser_works_on_after_a_failed_allocation),
          CASE(only_what_must_be_escaped_is),
          CASE(every_byte_at_every_place_comes_back),
          CASE(keys_bring_their_commas), CASE(doubles_are_short_and_exact),
          CASE(money_is_written_exactly))

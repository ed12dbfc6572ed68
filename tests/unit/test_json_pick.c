#include "adapters/json_pick.h"

#include "engine/base/rng.h"
#include "tests/support/check.h"
#include "tests/support/splits.h"

enum { PATHS_MAX = 12 };

/* What was told of each path, as text that does not depend on where pieces
 * begin. */
struct record {
    size_t len[PATHS_MAX];
    char text[PATHS_MAX][4096];
    struct asbi_pick *pause_on_begin;
};

static void add(struct record *r, unsigned path, const char *at, size_t len)
{
    CHECK(path < PATHS_MAX && r->len[path] + len < sizeof(r->text[path]));
    if (len)
        memcpy(r->text[path] + r->len[path], at, len);
    r->len[path] += len;
}

static const char *const type_names[] = {
    [ASBI_JSON_NULL] = "null",     [ASBI_JSON_FALSE] = "false",
    [ASBI_JSON_TRUE] = "true",     [ASBI_JSON_NUMBER] = "number",
    [ASBI_JSON_STRING] = "string", [ASBI_JSON_ARRAY] = "array",
    [ASBI_JSON_OBJECT] = "object",
};

static void on_value(void *arg, unsigned path, enum asbi_json_type type,
                     asbi_str value)
{
    add(arg, path, type_names[type], strlen(type_names[type]));
    add(arg, path, "=", 1);
    add(arg, path, value.at, value.len);
    add(arg, path, ";", 1);
}

static void on_begin(void *arg, unsigned path, enum asbi_json_type type)
{
    struct record *r = arg;

    add(arg, path, type_names[type], strlen(type_names[type]));
    add(arg, path, "<", 1);
    if (r->pause_on_begin)
        asbi_pick_pause(r->pause_on_begin);
}

static void on_piece(void *arg, unsigned path, asbi_str piece)
{
    CHECK(piece.len > 0);
    add(arg, path, piece.at, piece.len);
}

static void on_end(void *arg, unsigned path)
{
    add(arg, path, ">", 1);
}

struct outcome {
    int rc;
    bool done;
    size_t used; /* in all */
};

static struct outcome read_pieces(const struct asbi_path_trie *trie,
                                  struct splits ways, struct record *r)
{
    struct asbi_pick p;
    struct asbi_pick_sink sink = { on_value, on_begin, on_piece, on_end, r };
    struct outcome out = { 0 };
    size_t len, used;
    char *piece;

    memset(r, 0, sizeof(*r));
    asbi_pick_begin(&p, trie, &sink);
    while ((piece = splits_next(&ways, &len))) {
        out.rc = asbi_pick_feed(&p, piece, len, &used);
        out.used += used;
        free(piece);
        if (used < len)
            break;
    }
    out.done = asbi_pick_finish(&p);
    return out;
}

static struct record first, again; /* large for a stack */

/* Reads a text in every way to cut it; the first outcome, and `first`. */
static struct outcome read_all_ways(const struct asbi_path *paths, size_t count,
                                    const char *text, size_t len)
{
    struct asbi_path_trie trie;
    struct outcome whole = { 0 };
    struct splits ways;

    asbi_path_trie_init(&trie, paths, count);
    for (size_t n = 0; splits_way(asbi_str_of(text, len), n, &ways); n++) {
        struct outcome now = read_pieces(&trie, ways, n ? &again : &first);
        if (n == 0)
            whole = now;
        CHECK_INT(now.rc, ==, whole.rc);
        CHECK_INT(now.done, ==, whole.done);
        CHECK_INT(now.used, ==, whole.used);
        if (n)
            CHECK(memcmp(&first, &again, sizeof(first)) == 0);
    }
    return whole;
}

static struct outcome read_text(const struct asbi_path *paths, size_t count,
                                const char *text)
{
    return read_all_ways(paths, count, text, strlen(text));
}

#define TOLD(path, want) CHECK_BYTES(first.text[path], first.len[path], want)

static void chosen_values_are_found_whatever_the_cut(void)
{
    static const struct asbi_path paths[] = {
        { "choices.0.message.content", ASBI_PICK_STREAM },
        { "choices.0.finish_reason", ASBI_PICK_VALUE },
        { "usage.prompt_tokens", ASBI_PICK_VALUE },
        { "usage", ASBI_PICK_VALUE },
        { "ok", ASBI_PICK_VALUE },
        { "nothing", ASBI_PICK_VALUE },
        { "choices.1.message.content", ASBI_PICK_STREAM },
    };
    struct outcome o = read_text(
        paths, 7,
        " {\"id\":\"x\", \"choices\" : [ {\"index\":0,\"message\":{\"role\":"
        "\"assistant\",\"content\":\"Hello \\\"you\\\"\"},\"finish_reason\":"
        "\"stop\"},{\"message\":{\"content\":\"second\"}}],\n"
        "\"usage\":{\"prompt_tokens\":12,\"x\":[1,2,{\"prompt_tokens\":9}]},"
        "\"ok\":true,\"nothing\":null}");

    CHECK_INT(o.rc, ==, ASB_OK);
    CHECK(o.done);
    TOLD(0, "string<Hello \"you\">");
    TOLD(1, "string=stop;");
    TOLD(2, "number=12;");
    TOLD(3, "object=;");
    TOLD(4, "true=;");
    TOLD(5, "null=;");
    TOLD(6, "string<second>");
}

static void escapes_and_surrogate_pairs_come_out_as_utf8(void)
{
    static const struct asbi_path paths[] = { { "a", ASBI_PICK_STREAM } };
    struct outcome o = read_text(
        paths, 1,
        "{\"a\":\"\\b\\f\\n\\r\\t\\/\\\\\\u0041\\u00e9\\u4f60\\ud83d\\ude00"
        " \xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80\"}");

    CHECK(o.done);
    TOLD(0, "string<\b\f\n\r\t/\\A\xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80"
            " \xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80>");
}

static void long_text_is_checked_to_the_last_byte(void)
{
    static const struct asbi_path paths[] = { { "a", ASBI_PICK_STREAM } };
    static const char *const words[] = { "abc ", "\xd0\xb4", "\xe4\xbd\xa0",
                                         "\xf0\x9f\x98\x80" };
    char text[512];

    for (size_t w = 0; w < 4; w++) {
        size_t n = 6, len = strlen(words[w]);

        memcpy(text, "{\"a\":\"", n);
        for (int i = 0; i < 60; i++, n += len)
            memcpy(text + n, words[w], len);
        memcpy(text + n, "\"}", 2);
        CHECK(read_all_ways(paths, 1, text, n + 2).done);
        CHECK_INT(first.len[0], ==, strlen("string<>") + 60 * len);
        text[n - 1] = '\xc3'; /* in place of the last byte */
        struct outcome o = read_all_ways(paths, 1, text, n + 2);
        CHECK_INT(o.rc, ==, ASB_EPARSE);
        CHECK_INT(o.used, ==, w == 0 ? n : n - 1);
    }
}

static void half_a_surrogate_pair_becomes_the_replacement_character(void)
{
    static const struct asbi_path paths[] = { { "*", ASBI_PICK_STREAM } };
    struct outcome o = read_text(paths, 1,
                                 "[\"\\ud83d\",\"\\ud83dx\",\"\\ud83d\\n\","
                                 "\"\\ude00\",\"\\ud83d\\ud83d\\ude00\","
                                 "\"\\ud83d\\u0041\"]");

    CHECK(o.done);
    TOLD(0, "string<\xef\xbf\xbd>string<\xef\xbf\xbdx>string<\xef\xbf\xbd\n>"
            "string<\xef\xbf\xbd>string<\xef\xbf\xbd\xf0\x9f\x98\x80>"
            "string<\xef\xbf\xbd"
            "A>");
}

static void keys_are_compared_unescaped(void)
{
    static const struct asbi_path paths[] = { { "content", ASBI_PICK_VALUE } };

    CHECK(read_text(paths, 1,
                    "{\"con\\u0074ent\":1,\"conten\":2,"
                    "\"contents\":3,\"\":4}")
              .done);
    TOLD(0, "number=1;");
}

static void an_exact_name_beats_any(void)
{
    static const struct asbi_path paths[] = {
        { "id", ASBI_PICK_VALUE },
        { "*", ASBI_PICK_VALUE },
        { "list.*.x", ASBI_PICK_VALUE },
        { "7", ASBI_PICK_VALUE },
    };

    CHECK(read_text(paths, 4,
                    "{\"z\":1,\"id\":2,\"7\":3,"
                    "\"list\":[{\"x\":4},{\"y\":0},{\"x\":5}]}")
              .done);
    TOLD(0, "number=2;");
    TOLD(1, "number=1;");
    TOLD(2, "number=4;number=5;");
    TOLD(3, "number=3;");
}

static void a_stream_of_a_container_is_its_text(void)
{
    static const struct asbi_path paths[] = {
        { "a", ASBI_PICK_STREAM },
        { "a.b", ASBI_PICK_STREAM },
        { "a.c", ASBI_PICK_STREAM },
        { "n", ASBI_PICK_STREAM },
    };

    CHECK(read_text(paths, 4,
                    "{\"a\": {\"b\":\"x\\u0041\", \"c\":[1,2]} ,\"n\":-1.5e3}")
              .done);
    TOLD(0, "object<{\"b\":\"x\\u0041\", \"c\":[1,2]}>");
    TOLD(1, "string<xA>");
    TOLD(2, ""); /* inside another stream that is no string */
    TOLD(3, "number<-1.5e3>");
}

static void a_member_that_is_there_twice_is_told_twice(void)
{
    static const struct asbi_path paths[] = { { "a", ASBI_PICK_VALUE } };

    CHECK(read_text(paths, 1, "{\"a\":1,\"a\":\"two\"}").done);
    TOLD(0, "number=1;string=two;");
}

static void long_values_are_cut_and_long_numbers_emptied(void)
{
    static const struct asbi_path paths[] = { { "*", ASBI_PICK_VALUE } };
    char text[4 * ASBI_PICK_VALUE_MAX], digits[4 * ASBI_PICK_VALUE_MAX];
    size_t n = 0;

    text[n++] = '[';
    text[n++] = '"';
    text[n++] = 'x';
    for (int i = 0; i < 400; i++) { /* so that the bound cuts one in two */
        memcpy(text + n, "\xc3\xa9", 2);
        n += 2;
    }
    text[n++] = '"';
    text[n++] = ']';
    CHECK(read_all_ways(paths, 1, text, n).done);
    CHECK_INT(first.len[0], ==, strlen("string=x;") + 2 * 255);
    CHECK_INT(first.text[0][first.len[0] - 2], ==, '\xa9');

    memset(digits, '7', sizeof(digits));
    digits[0] = '[';
    digits[sizeof(digits) - 1] = ']';
    CHECK(read_all_ways(paths, 1, digits, sizeof(digits)).done);
    TOLD(0, "number=;");
}

static void a_value_ends_where_it_ends(void)
{
    static const struct asbi_path paths[] = { { "a", ASBI_PICK_VALUE } };

    CHECK_INT(read_text(paths, 1, "{\"a\":1} {\"a\":2}").used, ==, 7);
    TOLD(0, "number=1;");
    CHECK(read_text(paths, 1, "12").done);
    CHECK(!read_text(paths, 1, "12.").done);
    CHECK(!read_text(paths, 1, "{\"a\":1").done);
    CHECK(!read_text(paths, 1, "\"abc").done);
    CHECK(!read_text(paths, 1, "").done);
}

static void malformed_text_is_refused_where_it_is_wrong(void)
{
    static const struct {
        const char *text;
        size_t at;
    } cases[] = {
        { "{\"a\" 1}", 5 },
        { "{a:1}", 1 },
        { "[1,]", 3 },
        { "[1 2]", 3 },
        { "{\"a\":1,}", 7 },
        { "[01]", 2 },
        { "[1.]", 3 },
        { "[.5]", 1 },
        { "[+1]", 1 },
        { "[-]", 2 },
        { "[1e]", 3 },
        { "[1e+]", 4 },
        { "[tru]", 4 },
        { "[nulL]", 4 },
        { "[\"\\x\"]", 3 },
        { "[\"\\u12g4\"]", 6 },
        { "[\"a\nb\"]", 3 },
        { "{\"a\":}", 5 },
        { "[}", 1 },
        { "{]", 1 },
        { "]", 0 },
        { "[\"\x80\"]", 2 },
        { "[\"\xc0\xaf\"]", 2 },
        { "[\"\xed\xa0\x80\"]", 3 },
        { "[\"\xf4\x90\x80\x80\"]", 3 },
        { "[\"\xe4\xbd\"]", 4 },
        { "[\"\xe4\xbd\\n\"]", 4 },
        { "[\"\xe0\x80\x80\"]", 3 },
        { "[\"\xff\"]", 2 },
    };
    static const struct asbi_path paths[] = { { "x", ASBI_PICK_VALUE } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct outcome o = read_text(paths, 1, cases[i].text);

        CHECK_INT(o.rc, ==, ASB_EPARSE);
        CHECK(!o.done);
        CHECK_INT(o.used, ==, cases[i].at);
    }
}

static void what_stands_before_a_fault_is_told_whatever_the_cut(void)
{
    static const struct asbi_path paths[] = { { "a", ASBI_PICK_STREAM } };

    CHECK_INT(read_text(paths, 1, "{\"a\":\"x\\ny\x01\"}").rc, ==, ASB_EPARSE);
    TOLD(0, "string<x\ny");
    CHECK_INT(read_text(paths, 1, "{\"a\":\"x\\ty\xc3(\"}").rc, ==, ASB_EPARSE);
    TOLD(0, "string<x\ty\xc3");
    CHECK_INT(read_text(paths, 1, "{\"a\":[1, x]}").rc, ==, ASB_EPARSE);
    TOLD(0, "array<[1, ");
}

static void nesting_has_a_limit(void)
{
    static const struct asbi_path paths[] = { { "*.*", ASBI_PICK_VALUE } };
    char text[2 * ASBI_PICK_MAX_DEPTH + 2];

    memset(text, '[', sizeof(text));
    memset(text + ASBI_PICK_MAX_DEPTH, ']', ASBI_PICK_MAX_DEPTH);
    CHECK(read_all_ways(paths, 1, text, 2 * ASBI_PICK_MAX_DEPTH).done);
    TOLD(0, "array=;");
    memset(text, '[', sizeof(text));
    struct outcome o = read_all_ways(paths, 1, text, sizeof(text));
    CHECK_INT(o.rc, ==, ASB_ETOOBIG);
    CHECK_INT(o.used, ==, ASBI_PICK_MAX_DEPTH);
}

static void a_fault_is_for_ever(void)
{
    static const struct asbi_path paths[] = { { "x", ASBI_PICK_VALUE } };
    struct asbi_path_trie trie;
    struct asbi_pick p;
    struct asbi_pick_sink sink = { on_value, on_begin, on_piece, on_end,
                                   &first };
    size_t used;

    asbi_path_trie_init(&trie, paths, 1);
    asbi_pick_begin(&p, &trie, &sink);
    CHECK_INT(asbi_pick_feed(&p, "[x", 2, &used), ==, ASB_EPARSE);
    CHECK_INT(asbi_pick_feed(&p, "1]", 2, &used), ==, ASB_EPARSE);
    CHECK_INT(used, ==, 0);
    CHECK(!asbi_pick_finish(&p));
}

static void a_callback_can_pause(void)
{
    static const struct asbi_path paths[] = { { "*.a", ASBI_PICK_STREAM } };
    const char *text = "{\"x\":{\"a\":[1]}}";
    struct asbi_path_trie trie;
    struct asbi_pick p;
    struct asbi_pick_sink sink = { on_value, on_begin, on_piece, on_end,
                                   &first };
    size_t used, more;

    memset(&first, 0, sizeof(first));
    first.pause_on_begin = &p;
    asbi_path_trie_init(&trie, paths, 1);
    asbi_pick_begin(&p, &trie, &sink);
    CHECK_INT(asbi_pick_feed(&p, text, strlen(text), &used), ==, ASB_OK);
    CHECK_INT(used, ==, strlen("{\"x\":{\"a\":["));
    CHECK_INT(asbi_pick_depth(&p), ==, 3);
    CHECK(!asbi_pick_in_string(&p));
    CHECK_INT(asbi_pick_feed(&p, text + used, strlen(text) - used, &more), ==,
              ASB_OK);
    CHECK(asbi_pick_done(&p));
    TOLD(0, "array<[1]>");
}

static void every_cut_of_a_text_is_unfinished_and_tells_a_prefix(void)
{
    static const struct asbi_path paths[] = { { "a", ASBI_PICK_STREAM } };
    const char *text = "{\"a\":\"one \\u4f60 two \\ud83d\\ude00 three\"}";
    struct asbi_path_trie trie;

    asbi_path_trie_init(&trie, paths, 1);
    struct splits all = { { text, strlen(text) }, 0, strlen(text), 0 };
    CHECK(read_pieces(&trie, all, &first).done);
    for (size_t n = 0; n < strlen(text); n++) {
        struct splits cut = { { text, n }, 0, n, 0 };
        struct outcome o = read_pieces(&trie, cut, &again);
        CHECK_INT(o.rc, ==, ASB_OK);
        CHECK(!o.done);
        CHECK(again.len[0] <= first.len[0]);
        CHECK(memcmp(first.text[0], again.text[0], again.len[0]) == 0);
    }
}

struct maker {
    struct asbi_rng rng;
    char text[1024];
    size_t len;
};

static void put(struct maker *m, const char *text)
{
    size_t len = strlen(text);

    if (m->len + len < sizeof(m->text))
        memcpy(m->text + m->len, text, len);
    m->len += m->len + len < sizeof(m->text) ? len : 0;
}

static void put_one_of(struct maker *m, const char *const *words, size_t count)
{
    put(m, words[asbi_rng_below(&m->rng, count)]);
}

#define PUT_ONE_OF(m, words) \
    put_one_of((m), (words), sizeof(words) / sizeof((words)[0]))

static void put_space(struct maker *m)
{
    static const char *const spaces[] = { "", "", "", " ", "\n  ", "\t\r" };

    PUT_ONE_OF(m, spaces);
}

static void put_value(struct maker *m, unsigned depth);

static void put_container(struct maker *m, bool object, unsigned depth)
{
    static const char *const keys[] = { "\"a\"",       "\"b\"",
                                        "\"error\"",   "\"code\"",
                                        "\"*\"",       "\"\"",
                                        "\"\\u0061\"", "\"long name it is\"" };

    put(m, object ? "{" : "[");
    for (size_t n = asbi_rng_below(&m->rng, 4); n > 0; n--) {
        put_space(m);
        if (object) {
            PUT_ONE_OF(m, keys);
            put_space(m);
            put(m, ":");
            put_space(m);
        }
        put_value(m, depth + 1);
        put_space(m);
        put(m, n > 1 ? "," : "");
    }
    put_space(m);
    put(m, object ? "}" : "]");
}

static void put_value(struct maker *m, unsigned depth)
{
    static const char *const scalars[] = {
        "\"\"",
        "\"plain text of more than sixteen bytes\"",
        "\"a\\nb\"",
        "\"\xc3\xa9 \xe4\xb8\xad\"",
        "\"\\ud83d\\ude00 \\ud800\"",
        "0",
        "-12.5e+3",
        "1234567890",
        "true",
        "false",
        "null",
        "\"x\"",
    };

    if (depth < 5 && asbi_rng_below(&m->rng, 3) > depth / 2)
        put_container(m, asbi_rng_below(&m->rng, 3) > 0, depth);
    else
        PUT_ONE_OF(m, scalars);
}

/* What is at hand as a whole is read in a shorter way than what comes in
 * pieces: both must tell and refuse the same, of good and of broken text. */
static void random_documents_read_the_same_whatever_the_cut(void)
{
    static const struct asbi_path paths[] = {
        { "a", ASBI_PICK_STREAM },       { "b", ASBI_PICK_VALUE },
        { "error", ASBI_PICK_VALUE },    { "error.code", ASBI_PICK_VALUE },
        { "a.*.b", ASBI_PICK_STREAM },   { "b.0.a", ASBI_PICK_STREAM },
        { "*.b.code", ASBI_PICK_VALUE }, { "error.*", ASBI_PICK_STREAM },
    };
    struct maker m;

    asbi_rng_seed(&m.rng, 7);
    for (int run = 0; run < 400; run++) {
        m.len = 0;
        put_container(&m, true, 0);
        struct outcome o = read_all_ways(paths, 8, m.text, m.len);
        CHECK_INT(o.rc, ==, ASB_OK);
        CHECK(o.done);
        CHECK_INT(o.used, ==, m.len);
        m.text[asbi_rng_below(&m.rng, m.len)] =
            (char)asbi_rng_below(&m.rng, 256);
        (void)read_all_ways(paths, 8, m.text, m.len);
    }
}

static void endless_strings_and_numbers_need_no_memory(void)
{
    static const struct asbi_path paths[] = { { "0", ASBI_PICK_VALUE },
                                              { "1", ASBI_PICK_VALUE } };
    static char block[65536];
    struct asbi_path_trie trie;
    struct asbi_pick p;
    struct asbi_pick_sink sink = { on_value, on_begin, on_piece, on_end,
                                   &first };
    size_t used;

    memset(&first, 0, sizeof(first));
    memset(block, '9', sizeof(block));
    asbi_path_trie_init(&trie, paths, 2);
    asbi_pick_begin(&p, &trie, &sink);
    CHECK_INT(asbi_pick_feed(&p, "[", 1, &used), ==, ASB_OK);
    for (int i = 0; i < 160; i++) /* 10 MB */
        CHECK_INT(asbi_pick_feed(&p, block, sizeof(block), &used), ==, ASB_OK);
    CHECK_INT(asbi_pick_feed(&p, ",\"", 2, &used), ==, ASB_OK);
    for (int i = 0; i < 160; i++)
        CHECK_INT(asbi_pick_feed(&p, block, sizeof(block), &used), ==, ASB_OK);
    CHECK_INT(asbi_pick_feed(&p, "\"]", 2, &used), ==, ASB_OK);
    CHECK(asbi_pick_done(&p));
    TOLD(0, "number=;");
    CHECK_INT(first.len[1], <=, ASBI_PICK_VALUE_MAX + 8);
}

TEST_MAIN(CASE(chosen_values_are_found_whatever_the_cut),
          CASE(escapes_and_surrogate_pairs_come_out_as_utf8),
          CASE(long_text_is_checked_to_the_last_byte),
          CASE(half_a_surrogate_pair_becomes_the_replacement_character),
          CASE(keys_are_compared_unescaped), CASE(an_exact_name_beats_any),
          CASE(a_stream_of_a_container_is_its_text),
          CASE(a_member_that_is_there_twice_is_told_twice),
          CASE(long_values_are_cut_and_long_numbers_emptied),
          CASE(a_value_ends_where_it_ends),
          CASE(malformed_text_is_refused_where_it_is_wrong),
          CASE(what_stands_before_a_fault_is_told_whatever_the_cut),
          CASE(nesting_has_a_limit), CASE(a_fault_is_for_ever),
          CASE(a_callback_can_pause),
          CASE(every_cut_of_a_text_is_unfinished_and_tells_a_prefix),
          CASE(random_documents_read_the_same_whatever_the_cut),
          CASE(endless_strings_and_numbers_need_no_memory))

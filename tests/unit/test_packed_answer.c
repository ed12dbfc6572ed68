#include "adapters/packed_answer.h"

#include "tests/support/check.h"
#include "tests/support/fault_mem.h"
#include "tests/support/splits.h"

enum { MAX_ELEMENT = 200 };

/* Items as text: "id=output;" each, "id~json;" for what is no string. */
struct record {
    size_t len;
    char text[8192];
};

static void add(struct record *r, asbi_str s)
{
    CHECK(r->len + s.len < sizeof(r->text));
    if (s.len)
        memcpy(r->text + r->len, s.at, s.len);
    r->len += s.len;
}

static void on_item(void *arg, asbi_str id, asbi_str output, bool is_json)
{
    add(arg, id);
    if (!output.at) {
        CHECK_INT(output.len, ==, 0);
        add(arg, ASBI_STR("!;"));
        return;
    }
    add(arg, is_json ? ASBI_STR("~") : ASBI_STR("="));
    add(arg, output);
    add(arg, ASBI_STR(";"));
}

/* Whether an array was found; its items in `r`. */
static bool read_pieces(const struct asbi_mem *mem, struct splits ways,
                        struct record *r)
{
    struct asbi_packed_paths paths;
    struct asbi_packed_answer a;
    size_t len;
    char *piece;

    memset(r, 0, sizeof(*r));
    asbi_packed_paths_init(&paths);
    asbi_packed_init(&a, mem, &paths, MAX_ELEMENT, on_item, r);
    asbi_packed_begin(&a);
    while ((piece = splits_next(&ways, &len))) {
        asbi_packed_feed(&a, asbi_str_of(piece, len));
        free(piece);
    }
    bool found = asbi_packed_found(&a);
    asbi_packed_fini(&a);
    return found;
}

static void expect_all(asbi_str text, bool found, const char *items)
{
    static struct record r;
    struct splits ways;

    for (size_t n = 0; splits_way(text, n, &ways); n++) {
        CHECK_INT(read_pieces(&asbi_mem_system, ways, &r), ==, found);
        CHECK_BYTES(r.text, r.len, items);
    }
}

static void expect_items(const char *text, const char *items)
{
    expect_all(asbi_str_c(text), true, items);
}

static void expect_none(const char *text)
{
    expect_all(asbi_str_c(text), false, "");
}

static void items_are_read(void)
{
    expect_items("{\"items\":[{\"id\":\"a\",\"output\":\"one\"},"
                 "{\"output\":\"t\\\"w\\u00f6\\n\",\"id\":7}]}",
                 "a=one;7=t\"w\xc3\xb6\n;");
    expect_items("\n {\n \"items\" : [\n {\"id\": \"a\", \"output\": \"\" }\n "
                 "]\n}\n",
                 "a=;");
}

static void an_output_may_be_any_json(void)
{
    expect_items("{\"items\":[{\"id\":\"a\",\"output\":{\"x\": [1,\"]}\"]}},"
                 "{\"id\":\"b\",\"output\":null},{\"id\":\"c\",\"output\":-1.5}"
                 ",{\"id\":\"d\",\"output\":true}]}",
                 "a~{\"x\": [1,\"]}\"]};b~null;c~-1.5;d~true;");
}

static void what_is_around_the_array_does_not_matter(void)
{
    expect_items("Here you are:\n```json\n{\"items\":[{\"id\":\"a\",\"output\":"
                 "\"one\"}]}\n```\nDone {\"items\":[{\"id\":\"b\",\"output\":"
                 "\"no\"}]}",
                 "a=one;");
    expect_items("[{\"id\":\"a\",\"output\":\"one\"},{\"id\":\"b\",\"output\":"
                 "\"two\"}]",
                 "a=one;b=two;");
    expect_items("{\"note\":\"x\",\"n\":[1],\"items\":[{\"id\":\"a\",\"output\""
                 ":\"one\"}],\"items\":[{\"id\":\"b\",\"output\":\"no\"}]}",
                 "a=one;");
    expect_items("{\"result\":{\"items\":[{\"id\":\"a\",\"output\":\"one\"}]}}",
                 "a=one;");
    expect_items("Set {x | x > 5\"} [1] - [ ] {\"a\" {\"items\":[{\"id\":\"a\","
                 "\"output\":\"one\"}]}",
                 "a=one;");
    expect_items("{\"items\":\"none\"} {\"items\":[{\"id\":\"a\",\"output\":"
                 "\"one\"}]}",
                 "a=one;");
}

static void thoughts_are_not_the_answer(void)
{
    expect_items("<think>maybe {\"items\":[{\"id\":\"a\",\"output\":\"draft\"}]"
                 "} << </thin <</think>\n{\"items\":[{\"id\":\"a\",\"output\":"
                 "\"final\"}]}",
                 "a=final;");
    expect_none("<think>{\"items\":[{\"id\":\"a\",\"output\":\"draft\"}]}");
}

static void an_array_that_is_no_array_of_items_is_passed_over(void)
{
    expect_items("I answer as {\"items\":[...]}: {\"items\":[{\"id\":\"a\","
                 "\"output\":\"one\"}]}",
                 "a=one;");
    expect_items("[{x}] [{\"y\":1}] {\"items\":[{\"id\":\"a\",\"output\":"
                 "\"one\"}]}",
                 "a=one;");
}

static void an_empty_array_is_an_answer(void)
{
    expect_items("{\"items\":[]}", "");
    expect_items("{\"items\": [ ] } {\"items\":[{\"id\":\"a\",\"output\":"
                 "\"no\"}]}",
                 "");
}

static void no_array_is_no_answer(void)
{
    expect_none("");
    expect_none("I cannot do that.");
    expect_none("{\"error\":\"no\"}");
    expect_none("{\"items\":{}}");
    expect_none("{\"items\":[");
    expect_none("[]");
    expect_none("\"{\\\"items\\\":[{\\\"id\\\":\\\"a\\\",\\\"output\\\":"
                "\\\"x\\\"}]}\"");
}

static void text_in_an_output_is_never_looked_into(void)
{
    expect_items("{\"items\":[{\"id\":\"a\",\"output\":\"{\\\"items\\\":"
                 "[{\\\"id\\\":\\\"b\\\",\\\"output\\\":\\\"evil\\\"}]}\"},"
                 "{\"id\":\"c\",\"output\":{\"items\":[{\"id\":\"b\","
                 "\"output\":\"evil\"}]}}]}",
                 "a={\"items\":[{\"id\":\"b\",\"output\":\"evil\"}]};"
                 "c~{\"items\":[{\"id\":\"b\",\"output\":\"evil\"}]};");
    expect_items("{\"items\":[{\"id\":\"a\",\"x\":[{\"id\":\"b\",\"output\":"
                 "\"evil\"}],\"output\":\"one\"}]}",
                 "a=one;");
}

static void an_element_without_id_or_output_is_skipped(void)
{
    expect_items("{\"items\":[{\"output\":\"x\"},{\"id\":\"a\"},{\"id\":null,"
                 "\"output\":\"x\"},{\"id\":{\"id\":\"q\"},\"output\":\"x\"},7,"
                 "\"str{\",[{\"id\":\"n\",\"output\":\"x\"}],{\"id\":\"b\","
                 "\"output\":\"one\"}]}",
                 "b=one;");
}

static void one_other_string_may_stand_for_the_output(void)
{
    expect_items("{\"items\":[{\"id\":\"a\",\"target_ru\":\"1\"},"
                 "{\"target\":\"2\",\"id\":\"b\"},"
                 "{\"id\":\"c\",\"translation\":\"3\",\"score\":1},"
                 "{\"id\":\"d\",\"text\":\"4\"},{\"id\":\"e\",\"label\":\"5\"}"
                 "]}",
                 "a=1;b=2;c=3;d=4;e=5;");
    /* Two strings, a name nobody agreed on, no string, a better one. */
    expect_items("{\"items\":[{\"id\":\"a\",\"text\":\"1\",\"label\":\"2\"},"
                 "{\"id\":\"b\",\"text\":\"1\",\"why\":\"2\"},"
                 "{\"id\":\"c\",\"answer\":\"1\"},{\"id\":\"d\",\"label\":1},"
                 "{\"id\":\"e\",\"text\":\"1\",\"output\":\"2\"},"
                 "{\"id\":\"f\",\"output\":\"2\",\"text\":\"1\"},"
                 "{\"id\":\"g\",\"text\":\"1\",\"label\":\"2\",\"why\":\"3\"}"
                 "]}",
                 "e=2;f=2;");
}

static void the_last_of_a_repeated_member_counts(void)
{
    expect_items("{\"items\":[{\"id\":\"a\",\"id\":\"b\",\"output\":\"one\","
                 "\"output\":\"two\"}]}",
                 "b=two;");
}

static void repeated_and_unknown_ids_are_passed_on(void)
{
    expect_items("{\"items\":[{\"id\":\"a\",\"output\":\"1\"},{\"id\":\"a\","
                 "\"output\":\"2\"},{\"id\":\"zzz\",\"output\":\"3\"}]}",
                 "a=1;a=2;zzz=3;");
}

static void a_malformed_element_is_skipped_and_the_next_read(void)
{
    static const char *const bad[] = {
        "{\"id\":\"x\",\"output\":oops}",
        "{\"id\":\"x\",\"output\":}",
        "{\"id\":\"x\" \"output\":\"y\"}",
        "{\"id\":\"x\",\"output\":\"he said \"hi\" there\"}",
        "{\"id\":\"x\",\"output\":\"two\nlines, } and {\"}",
        "{\"id\":\"x\",\"output\":\"bad \\' escape\"}",
        "{\"id\":\"x\",\"output\":\"bad \\u12\"}",
        "{\"id\":\"x\",\"output\":\"\xff\"}",
        "{\"id\":\"x\",\"output\":[1,{\"a\":[2}]]}",
        "{\"id\":\"x\",\"output\":\"y\",}",
        "{'id':'x','output':'y'}",
        "{id:\"x\",\"output\":\"y\"}",
        "null",
        "\"a string with ] and , and \\\" in it\"",
        "{\"id\":\"x\",\"output\":\"5\" screen\"\n}",
    };
    char text[512];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        (void)snprintf(text, sizeof(text),
                       "{\"items\":[{\"id\":\"a\",\"output\":\"1\"},%s,"
                       "{\"id\":\"b\",\"output\":\"2\"}]} [{\"id\":\"n\","
                       "\"output\":\"no\"}]",
                       bad[i]);
        expect_items(text, "a=1;b=2;");
        (void)snprintf(text, sizeof(text),
                       "{\"items\":[%s,{\"id\":\"b\",\"output\":\"2\"}]}",
                       bad[i]);
        expect_items(text, "b=2;");
    }
}

static void commas_may_be_too_many_or_too_few(void)
{
    expect_items("{\"items\":[{\"id\":\"a\",\"output\":\"1\"}\n{\"id\":\"b\","
                 "\"output\":\"2\"},,{\"id\":\"c\",\"output\":\"3\"},]}",
                 "a=1;b=2;c=3;");
}

static void each_item_is_told_at_its_closing_brace(void)
{
    static struct record r;
    struct asbi_packed_paths paths;
    struct asbi_packed_answer a;

    memset(&r, 0, sizeof(r));
    asbi_packed_paths_init(&paths);
    asbi_packed_init(&a, &asbi_mem_system, &paths, MAX_ELEMENT, on_item, &r);
    asbi_packed_begin(&a);
    asbi_packed_feed(&a,
                     ASBI_STR("{\"items\":[{\"id\":\"a\",\"output\":\"1\""));
    CHECK_INT(r.len, ==, 0);
    CHECK(!asbi_packed_found(&a));
    asbi_packed_feed(&a, ASBI_STR("}"));
    CHECK_BYTES(r.text, r.len, "a=1;");
    CHECK(asbi_packed_found(&a));
    asbi_packed_fini(&a);
}

static void every_cut_gives_the_first_items(void)
{
    static struct record whole, cut;
    asbi_str text = ASBI_STR(
        "```json\n{\"items\":[{\"id\":\"a\",\"output\":\"o\\u006ee\"},{\"id\":"
        "\"b\",\"output\":oops},{\"id\":\"c\",\"output\":{\"x\":[1,2]}},"
        "{\"id\":\"d\",\"output\":\"}]\"}]}\n``` that is all {}");
    struct splits ways = { text, 0, text.len, 0 };

    CHECK(read_pieces(&asbi_mem_system, ways, &whole));
    CHECK_BYTES(whole.text, whole.len, "a=one;c~{\"x\":[1,2]};d=}];");
    for (size_t n = 0; n < text.len; n++) {
        ways = (struct splits){ { text.at, n }, 0, n, 0 };
        bool found = read_pieces(&asbi_mem_system, ways, &cut);
        CHECK_INT(found, ==, cut.len > 0);
        CHECK(cut.len <= whole.len);
        CHECK(memcmp(cut.text, whole.text, cut.len) == 0);
        CHECK(cut.len == 0 || cut.text[cut.len - 1] == ';');
    }
}

static void an_element_has_a_limit(void)
{
    char text[4 * MAX_ELEMENT], long_text[MAX_ELEMENT + 1];

    memset(long_text, 'x', sizeof(long_text));
    long_text[MAX_ELEMENT] = '\0';
    (void)snprintf(text, sizeof(text),
                   "{\"items\":[{\"id\":\"a\",\"output\":\"1\"},{\"id\":\"l\","
                   "\"output\":\"%s\"},{\"id\":\"b\",\"output\":\"2\"}]}",
                   long_text);
    expect_items(text, "a=1;l!;b=2;");
    /* What is not kept counts as well. */
    (void)snprintf(text, sizeof(text),
                   "{\"items\":[{\"id\":\"l\",\"output\":\"1\",\"x\":\"%s\"},"
                   "{\"id\":\"b\",\"output\":\"2\"}]}",
                   long_text);
    expect_items(text, "l!;b=2;");
}

static void deep_nesting_is_an_element_that_is_skipped(void)
{
    char text[1024], open[201], close[201];

    memset(open, '[', 200);
    memset(close, ']', 200);
    open[200] = close[200] = '\0';
    (void)snprintf(text, sizeof(text),
                   "{\"items\":[{\"id\":\"a\",\"output\":%s%s},{\"id\":\"b\","
                   "\"output\":\"2\"}]}",
                   open, close);
    expect_items(text, "b=2;");
}

static void the_next_text_begins_anew(void)
{
    static struct record r;
    struct asbi_packed_paths paths;
    struct asbi_packed_answer a;
    asbi_str text = ASBI_STR("{\"items\":[{\"id\":\"a\",\"output\":\"1\"}]}");

    memset(&r, 0, sizeof(r));
    asbi_packed_paths_init(&paths);
    asbi_packed_init(&a, &asbi_mem_system, &paths, MAX_ELEMENT, on_item, &r);
    for (size_t n = 0; n <= text.len; n++) {
        asbi_packed_begin(&a);
        CHECK(!asbi_packed_found(&a));
        asbi_packed_feed(&a, asbi_str_of(text.at, n));
    }
    r.len = 0;
    asbi_packed_begin(&a);
    asbi_packed_feed(&a, text);
    CHECK_BYTES(r.text, r.len, "a=1;");
    asbi_packed_fini(&a);
}

static void what_there_is_no_memory_for_is_skipped(void)
{
    static struct record r;
    asbi_str text = ASBI_STR("{\"items\":[{\"id\":\"a\",\"output\":\"1\"},"
                             "{\"id\":\"b\",\"output\":\"2\"}]}");
    struct splits ways = { text, 0, text.len, 0 };
    struct fault_mem fm;

    fault_mem_init(&fm, 1);
    CHECK(read_pieces(&fm.mem, ways, &r));
    CHECK_BYTES(r.text, r.len, "a!;b=2;");
    CHECK_INT(fm.live, ==, 0);
    fault_mem_init(&fm, 1);
    fm.for_ever = true;
    (void)read_pieces(&fm.mem, ways, &r);
    CHECK_BYTES(r.text, r.len, "a!;b!;");
    CHECK_INT(fm.live, ==, 0);
}

TEST_MAIN(CASE(items_are_read), CASE(an_output_may_be_any_json),
          CASE(what_is_around_the_array_does_not_matter),
          CASE(thoughts_are_not_the_answer),
          CASE(an_array_that_is_no_array_of_items_is_passed_over),
          CASE(an_empty_array_is_an_answer), CASE(no_array_is_no_answer),
          CASE(text_in_an_output_is_never_looked_into),
          CASE(an_element_without_id_or_output_is_skipped),
          CASE(one_other_string_may_stand_for_the_output),
          CASE(the_last_of_a_repeated_member_counts),
          CASE(repeated_and_unknown_ids_are_passed_on),
          CASE(a_malformed_element_is_skipped_and_the_next_read),
          CASE(commas_may_be_too_many_or_too_few),
          CASE(each_item_is_told_at_its_closing_brace),
          CASE(every_cut_gives_the_first_items), CASE(an_element_has_a_limit),
          CASE(deep_nesting_is_an_element_that_is_skipped),
          CASE(the_next_text_begins_anew),
          CASE(what_there_is_no_memory_for_is_skipped))

#include "config/yaml.h"

#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

static int parse(struct asbi_yaml *y, const char *text, size_t len,
                 struct asb_message *why)
{
    return asbi_yaml_parse(y, &asbi_mem_system, &asbi_yaml_config_limits, text,
                           len, "f.yaml", why);
}

static void refuses_bytes(const char *text, size_t len, const char *message)
{
    struct asbi_yaml y;
    struct asb_message why = { "" };

    CHECK_INT(parse(&y, text, len, &why), ==, ASB_ECONFIG);
    CHECK_BYTES(why.text, strlen(why.text), message);
    asbi_yaml_fini(&y);
}

static void refuses(const char *text, const char *message)
{
    refuses_bytes(text, strlen(text), message);
}

static void a_document_is_nodes_with_their_places(void)
{
    const char *text = "# a comment\n"
                       "a: 1\n"
                       "list:\n"
                       "  - x\n"
                       "  - 'y z'\n"
                       "map: {k: \"v\\u00e9\", l: }\n";
    struct asbi_yaml y;

    CHECK_INT(parse(&y, text, strlen(text), NULL), ==, ASB_OK);
    const struct asbi_yaml_node *root = asbi_yaml_root(&y);
    CHECK_INT(root->type, ==, ASBI_YAML_MAPPING);
    CHECK_INT(root->count, ==, 3);

    const struct asbi_yaml_node *list = asbi_yaml_get(&y, root, "list");
    CHECK_INT(list->type, ==, ASBI_YAML_SEQUENCE);
    CHECK_INT(list->count, ==, 2);
    const struct asbi_yaml_node *x = asbi_yaml_first(&y, list);
    CHECK_STR(x->text, "x");
    CHECK_INT(x->line, ==, 4);
    CHECK_INT(x->column, ==, 5);
    CHECK(x->plain);
    const struct asbi_yaml_node *yz = asbi_yaml_after(&y, list, x);
    CHECK_STR(yz->text, "y z");
    CHECK(!yz->plain);
    CHECK(!asbi_yaml_after(&y, list, yz));

    const struct asbi_yaml_node *map = asbi_yaml_get(&y, root, "map");
    CHECK_STR(asbi_yaml_get(&y, map, "k")->text, "v\xc3\xa9");
    CHECK(asbi_yaml_is_null(asbi_yaml_get(&y, map, "l")));
    CHECK(!asbi_yaml_get(&y, map, "v\xc3\xa9"));
    CHECK(!asbi_yaml_get(&y, root, "k"));
    asbi_yaml_fini(&y);
}

static void nothing_is_a_document_without_a_root(void)
{
    static const char *const empty[] = { "", "\n\n", "# only a comment\n",
                                         "\xef\xbb\xbf" };
    struct asbi_yaml y;

    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        CHECK_INT(parse(&y, empty[i], strlen(empty[i]), NULL), ==, ASB_OK);
        CHECK(!asbi_yaml_root(&y));
        asbi_yaml_fini(&y);
    }
    CHECK_INT(parse(&y, NULL, 0, NULL), ==, ASB_OK);
    asbi_yaml_fini(&y);
}

static void a_byte_order_mark_moves_nothing(void)
{
    struct asbi_yaml y;
    const char *text = "\xef\xbb\xbf"
                       "a: b\n";

    CHECK_INT(parse(&y, text, strlen(text), NULL), ==, ASB_OK);
    const struct asbi_yaml_node *key = asbi_yaml_first(&y, asbi_yaml_root(&y));
    CHECK_STR(key->text, "a");
    CHECK_INT(key->line, ==, 1);
    asbi_yaml_fini(&y);
}

static void only_a_bare_nothing_is_null(void)
{
    const char *text = "[~, null, '', 'null', nil]";
    static const bool want[] = { true, true, false, false, false };
    struct asbi_yaml y;

    CHECK_INT(parse(&y, text, strlen(text), NULL), ==, ASB_OK);
    const struct asbi_yaml_node *root = asbi_yaml_root(&y);
    const struct asbi_yaml_node *at = asbi_yaml_first(&y, root);
    for (size_t i = 0; i < 5; i++) {
        CHECK_INT(asbi_yaml_is_null(at), ==, want[i]);
        at = asbi_yaml_after(&y, root, at);
    }
    CHECK(!at);
    asbi_yaml_fini(&y);
}

static void malformed_yaml_is_refused_with_its_place(void)
{
    refuses("a: 1\n\tb: 2\n",
            "f.yaml:2:1: found a tab character that violates indentation");
    refuses("a: [1, 2\nb: 3\n", "f.yaml:2:2: did not find expected ',' or ']'");
    refuses("a: 1\n b: 2\n",
            "f.yaml:2:3: mapping values are not allowed in this context");
    refuses("a: 'x\n", "f.yaml:2:1: found unexpected end of stream");
    refuses("a: 1\n--- \nb: 2\n",
            "f.yaml:2:1: a second document starts here; only one is read");
    refuses("? [a]\n: 1\n", "f.yaml:1:3: a key must be a single word or text");
}

static void a_repeated_key_names_both_lines(void)
{
    refuses("a: 1\nb: 2\n\"a\": 3\n",
            "f.yaml:3:1: key \"a\" is already set in line 1; remove one of "
            "them");
    refuses("x:\n  - {a: 1, b: 2,\n     a: 3}\n",
            "f.yaml:3:6: key \"a\" is already set in line 2; remove one of "
            "them");
}

static void aliases_anchors_and_tags_are_refused(void)
{
    refuses("a: &x 1\n",
            "f.yaml:1:4: anchors (&name) are not supported; write the value "
            "out");
    refuses("a: &x [1]\n",
            "f.yaml:1:4: anchors (&name) are not supported; write the value "
            "out");
    refuses("a: *x\n", "f.yaml:1:4: aliases (*name) are not supported; write "
                       "the value out");
    refuses("a: !!python/object 1\n",
            "f.yaml:1:4: tags (!name) are not supported; remove it");
    refuses("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n",
            "f.yaml:1:4: anchors (&name) are not supported; write the value "
            "out");
}

static void bytes_that_are_no_text_are_refused_with_their_place(void)
{
    refuses_bytes("a: 1\nb: \0 2\n", 12,
                  "f.yaml:2:4: a NUL byte; is this a text file?");
    refuses("a: 1\nb: \xff\n", "f.yaml:2:4: invalid leading UTF-8 octet");
    refuses("a: \xc3\xa9 \xc3(\n", "f.yaml:1:7: invalid trailing UTF-8 octet");
    refuses("a: \xed\xa0\x80\n", "f.yaml:1:4: invalid Unicode character");
    refuses("a: \x01\n", "f.yaml:1:4: control characters are not allowed");
    refuses("a: \"x\\0y\"\n",
            "f.yaml:1:4: a text must not hold a NUL character");
}

static void nesting_is_bounded(void)
{
    char text[4096];

    memset(text, '[', sizeof(text));
    refuses_bytes(text, sizeof(text), "f.yaml:1:17: nested too deeply");
    memset(text, ']', 32);
    memset(text, '[', 16);
    struct asbi_yaml y;
    CHECK_INT(parse(&y, text, 32, NULL), ==, ASB_OK);
    asbi_yaml_fini(&y);
}

static void size_and_number_of_entries_are_bounded(void)
{
    const size_t keys = 100000, room = 1200000;
    char *text = malloc(room);
    size_t len = 0;

    CHECK(text != NULL);
    for (size_t i = 0; i < keys; i++)
        len += (size_t)snprintf(text + len, room - len, "k%zu: 1\n", i);
    refuses_bytes(text, len, "f.yaml:32768:9: too many entries in one file");
    memset(text, ' ', room);
    refuses_bytes(text, room,
                  "f.yaml: has 1200000 bytes; at most 1048576 are read");
    free(text);
}

static void many_keys_of_one_mapping_are_compared(void)
{
    char text[400000];
    size_t len = 0;

    for (unsigned i = 0; i < 30000; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "k%u: 1\n", i);
    len += (size_t)snprintf(text + len, sizeof(text) - len, "k7: 1\n");
    refuses_bytes(text, len,
                  "f.yaml:30001:1: key \"k7\" is already set in line "
                  "8; remove one of them");
}

static void characters_that_grow_have_room(void)
{
    char text[2000] = "\"";
    struct asbi_yaml y;

    for (size_t i = 0; i < 900; i++)
        memcpy(text + 1 + 2 * i, "\\L", 2);
    text[1801] = '"';
    CHECK_INT(parse(&y, text, 1802, NULL), ==, ASB_OK);
    CHECK_INT(asbi_yaml_root(&y)->text.len, ==, 2700);
    asbi_yaml_fini(&y);
}

static void any_cut_of_a_document_is_read_or_refused(void)
{
    const char *text = "a: {b: [1, 'two', \"th\\x41ree\"], c: |\n    x\n    y\n"
                       "  }\nd:\n  - >-\n    folded\n  - \xe2\x82\xac\n";
    struct asbi_yaml y;
    struct asb_message why;

    for (size_t len = 0; len <= strlen(text); len++) {
        why.text[0] = '\0';
        int rc = parse(&y, text, len, &why);
        CHECK(rc == ASB_OK || rc == ASB_ECONFIG);
        CHECK_INT(rc == ASB_OK, ==, why.text[0] == '\0');
        asbi_yaml_fini(&y);
    }
}

static int life(const struct asbi_mem *mem, void *arg)
{
    const char *text = "a: {b: [1, 2], c: 3}\nd: 4\n";
    struct asbi_yaml y;
    struct asb_message why;
    int rc = asbi_yaml_parse(&y, mem, &asbi_yaml_config_limits, text,
                             strlen(text), "f.yaml", &why);

    (void)arg;
    asbi_yaml_fini(&y);
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep(life, NULL), >, 2);
}

TEST_MAIN(CASE(a_document_is_nodes_with_their_places),
          CASE(nothing_is_a_document_without_a_root),
          CASE(a_byte_order_mark_moves_nothing),
          CASE(only_a_bare_nothing_is_null),
          CASE(malformed_yaml_is_refused_with_its_place),
          CASE(a_repeated_key_names_both_lines),
          CASE(aliases_anchors_and_tags_are_refused),
          CASE(bytes_that_are_no_text_are_refused_with_their_place),
          CASE(nesting_is_bounded),
          CASE(size_and_number_of_entries_are_bounded),
          CASE(many_keys_of_one_mapping_are_compared),
          CASE(characters_that_grow_have_room),
          CASE(any_cut_of_a_document_is_read_or_refused),
          CASE(every_failed_allocation_is_survived))

#include "config/glossary.h"

#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

static int parse(struct asbi_glossary *g, const char *text, const char *file,
                 const char *from, const char *to, struct asb_message *why)
{
    return asbi_glossary_parse(g, &asbi_mem_system, text, strlen(text), file,
                               from, to, why);
}

static struct asbi_glossary parsed(const char *text, const char *file,
                                   const char *from, const char *to)
{
    struct asbi_glossary g;
    struct asb_message why = { "" };

    int rc = parse(&g, text, file, from, to, &why);
    CHECK_BYTES(why.text, strlen(why.text), "");
    CHECK_INT(rc, ==, ASB_OK);
    return g;
}

static void refuses(const char *text, const char *file, const char *from,
                    const char *to, const char *message)
{
    struct asbi_glossary g;
    struct asb_message why = { "" };

    CHECK_INT(parse(&g, text, file, from, to, &why), ==, ASB_ECONFIG);
    CHECK_BYTES(why.text, strlen(why.text), message);
    asbi_glossary_fini(&g);
}

static void is_term(const struct asbi_glossary *g, size_t index,
                    const char *source, const char *target, const char *notes)
{
    CHECK_INT(index, <, g->count);
    CHECK_STR(g->terms[index].source, source);
    CHECK_STR(g->terms[index].target, target);
    CHECK_STR(g->terms[index].notes, notes);
}

/* ---- YAML ------------------------------------------------------------- */

static const char game[] = "meta: {version: 3}\n"
                           "entries:\n"
                           "  - term_zh: \"剑\"\n"
                           "    term_ru: \"меч\"\n"
                           "    status: approved\n"
                           "    notes: weapon\n"
                           "  - {term_zh: 盾, term_ru: щит, status: proposed}\n"
                           "  - {term_zh: 弓, term_ru: лук}\n"
                           "  - {term_zh: 矛, term_ru: , status: rejected}\n";

static void only_approved_entries_count(void)
{
    struct asbi_glossary g = parsed(game, "g.yaml", "zh-CN", "ru");

    CHECK_INT(g.count, ==, 2);
    is_term(&g, 0, "剑", "меч", "weapon");
    CHECK_INT(g.terms[0].line, ==, 3);
    is_term(&g, 1, "弓", "лук", "");
    asbi_glossary_fini(&g);
}

static void the_other_direction_works_too(void)
{
    struct asbi_glossary g = parsed(game, "g.yml", "ru", "zh");

    is_term(&g, 0, "меч", "剑", "weapon");
    asbi_glossary_fini(&g);
}

static void without_a_source_language_the_other_term_is_taken(void)
{
    struct asbi_glossary g = parsed(game, "g.yaml", "", "ru-RU");

    CHECK_INT(g.count, ==, 2);
    is_term(&g, 0, "剑", "меч", "weapon");
    asbi_glossary_fini(&g);
    refuses("entries: [{term_a: x, term_b: y, term_ru: z}]\n", "g.yaml", "",
            "ru",
            "g.yaml:1:11: the entry has no \"source\"; if it has term_ keys, "
            "say the languages with --source-lang and --target-lang");
}

static void a_full_language_beats_its_base(void)
{
    const char *text =
        "[{term_zh: a, term_zh-TW: b, term_pt: c, term_pt_br: d}]\n";
    struct asbi_glossary g = parsed(text, "g", "zh-TW", "pt-BR");

    is_term(&g, 0, "b", "d", "");
    asbi_glossary_fini(&g);
    g = parsed(text, "g", "zh", "pt-PT");
    is_term(&g, 0, "a", "c", "");
    asbi_glossary_fini(&g);
    g = parsed("[{term_zh_tw: b, term_zh: a, target: d, term_ru: e}]\n", "g",
               "zh-TW", "ru");
    is_term(&g, 0, "b", "d", "");
    asbi_glossary_fini(&g);
}

static void a_key_of_any_length_is_only_looked_at(void)
{
    char text[400];
    char key[200];

    memset(key, 'k', sizeof(key));
    memcpy(key, "term_", 5);
    (void)snprintf(text, sizeof(text), "[{%.199s: x, source: a, target: b}]\n",
                   key);
    struct asbi_glossary g = parsed(text, "g", "zh", "ru");
    is_term(&g, 0, "a", "b", "");
    asbi_glossary_fini(&g);
}

static void an_entry_has_at_most_64_keys(void)
{
    char text[2000] = "- {source: a, target: b";
    size_t len = strlen(text);

    for (unsigned i = 0; i < 62; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, ", k%u: x", i);
    memcpy(text + len, "}", 2);
    struct asbi_glossary g = parsed(text, "g", "zh", "ru");
    CHECK_INT(g.count, ==, 1);
    asbi_glossary_fini(&g);
    memcpy(text + len, ", more: x}", 11);
    refuses(text, "g", "zh", "ru", "g:1:512: more than 64 keys");
}

static void a_term_is_bounded(void)
{
    char text[1100];

    memset(text, 'a', sizeof(text));
    memcpy(text + 1024, ",b", 3);
    struct asbi_glossary g = parsed(text, "g.csv", "zh", "ru");
    CHECK_INT(g.terms[0].source.len, ==, 1024);
    asbi_glossary_fini(&g);
    memcpy(text + 1024, "a,b", 4);
    refuses(text, "g.csv", "zh", "ru",
            "g.csv:1:1: a term and its translation are one line of text each, "
            "of at most 1024 bytes");
}

static void source_and_target_need_no_language(void)
{
    struct asbi_glossary g =
        parsed("entries:\n  - {source: ' a ', target: b, status: Approved}\n",
               "g.yaml", "", "");

    is_term(&g, 0, "a", "b", "");
    asbi_glossary_fini(&g);
}

static void an_empty_glossary_has_no_terms(void)
{
    static const char *const empty[] = { "", "entries:\n", "entries: []\n",
                                         "[]\n" };

    for (size_t i = 0; i < 4; i++) {
        struct asbi_glossary g = parsed(empty[i], "g.yaml", "zh", "ru");
        CHECK_INT(g.count, ==, 0);
        asbi_glossary_fini(&g);
    }
    struct asbi_glossary g = parsed("", "g.csv", "zh", "ru");
    CHECK_INT(g.count, ==, 0);
    asbi_glossary_fini(&g);
}

static void a_wrong_entry_is_told_with_its_place(void)
{
    refuses("entries:\n  - {term_zh: a, status: approved}\n", "g.yaml", "zh",
            "ru", "g.yaml:2:5: the entry has no \"term_ru\" or \"target\"");
    refuses("entries:\n  - {term_ru: a}\n", "g.yaml", "zh", "ru",
            "g.yaml:2:5: the entry has no \"term_zh\" or \"source\"");
    refuses("entries:\n  - {term_zh: a, term_ru: }\n", "g.yaml", "zh", "ru",
            "g.yaml:2:5: a term and its translation are one line of text each, "
            "of at most 1024 bytes");
    refuses("entries:\n  - {term_zh: [a], term_ru: b}\n", "g.yaml", "zh", "ru",
            "g.yaml:2:5: a term and its translation are one line of text each, "
            "of at most 1024 bytes");
    refuses("entries:\n  - x\n", "g.yaml", "zh", "ru",
            "g.yaml:2:5: an entry is a mapping such as {term_en: ..., term_de: "
            "...}");
    refuses("entries: 5\n", "g.yaml", "zh", "ru",
            "g.yaml:1:10: a glossary has a list under the key \"entries\"");
    refuses("terms: []\n", "g.yaml", "zh", "ru",
            "g.yaml:1:1: a glossary has a list under the key \"entries\"");
    refuses("x", "g.yaml", "zh", "ru",
            "g.yaml:1:1: a glossary has a list under the key \"entries\"");
    refuses("entries: [\n", "g.yaml", "zh", "ru",
            "g.yaml:2:1: did not find expected node content");
}

static void a_term_translated_in_two_ways_names_both_lines(void)
{
    struct asbi_glossary g =
        parsed("a,b\nc,d\na,b,note\n", "g.csv", "zh", "ru");

    CHECK_INT(g.count, ==, 2);
    asbi_glossary_fini(&g);
    refuses("a,b\nc,d\na,x\n", "g.csv", "zh", "ru",
            "g.csv:3:1: the same term is translated otherwise in line 1; "
            "remove one of them");
    refuses("- {source: a, target: b}\n- {source: a, target: c}\n", "g.yaml",
            "", "",
            "g.yaml:2:3: the same term is translated otherwise in line 1; "
            "remove one of them");
}

/* ---- tables ----------------------------------------------------------- */

static void a_table_without_names_is_source_target_notes(void)
{
    struct asbi_glossary g = parsed("\xef\xbb\xbf"
                                    "剑,меч\r\n"
                                    "\r\n"
                                    "\"a \"\"b\"\", c\",\"d\",\"two\nlines\"\n"
                                    "x,y,z,more\n"
                                    "u,v",
                                    "g.csv", "zh", "ru");

    CHECK_INT(g.count, ==, 4);
    is_term(&g, 3, "u", "v", "");
    is_term(&g, 0, "剑", "меч", "");
    is_term(&g, 1, "a \"b\", c", "d", "two\nlines");
    CHECK_INT(g.terms[1].line, ==, 3);
    is_term(&g, 2, "x", "y", "z");
    CHECK_INT(g.terms[2].line, ==, 5);
    asbi_glossary_fini(&g);
}

static void a_first_row_may_name_the_columns(void)
{
    struct asbi_glossary g = parsed("id\tterm_ru\tstatus\tTerm_ZH\tnotes\n"
                                    "1\tмеч\tapproved\t剑\tn\n"
                                    "2\tщит\tdraft\t盾\n"
                                    "3\tлук\t\t弓\n",
                                    "G.TSV", "zh", "ru");

    CHECK_INT(g.count, ==, 2);
    is_term(&g, 0, "剑", "меч", "n");
    is_term(&g, 1, "弓", "лук", "");
    asbi_glossary_fini(&g);
}

static void a_wrong_row_is_told_with_its_place(void)
{
    refuses("a,b\nc\n", "g.csv", "zh", "ru",
            "g.csv:2:1: a row has a term, its translation and perhaps notes");
    refuses("a,b\n,c\n", "g.csv", "zh", "ru",
            "g.csv:2:1: a term and its translation are one line of text each, "
            "of at most 1024 bytes");
    refuses("a,b\nc,\"d\n", "g.csv", "zh", "ru",
            "g.csv:2:3: a quoted cell begins here and never ends");
    refuses("a,\"b\"c\n", "g.csv", "zh", "ru",
            "g.csv:1:3: text after the closing quote; write a quote within as "
            "\"\"");
    refuses("source,target\na,b,c\n", "g.csv", "zh", "ru",
            "g.csv:2:5: more cells than the first row has names");
    refuses("source,other\na,b\n", "g.csv", "zh", "ru",
            "g.csv:2:1: the entry has no \"term_ru\" or \"target\"");
    refuses("a,\xff\n", "g.csv", "zh", "ru",
            "g.csv:1:1: the glossary is not valid UTF-8");
}

static void a_quote_that_never_ends_is_refused_at_the_very_end_too(void)
{
    refuses("a,\"", "g.csv", "zh", "ru",
            "g.csv:1:3: a quoted cell begins here and never ends");
    refuses("a,\"b\"\"", "g.csv", "zh", "ru",
            "g.csv:1:3: a quoted cell begins here and never ends");
    struct asbi_glossary g = parsed("a,\"b\"", "g.csv", "zh", "ru");
    is_term(&g, 0, "a", "b", "");
    asbi_glossary_fini(&g);
}

static void too_many_columns_are_refused(void)
{
    char text[200];

    memset(text, ',', sizeof(text));
    text[199] = '\0';
    refuses(text, "g.csv", "zh", "ru", "g.csv:1:65: more than 64 columns");
}

static void the_number_of_terms_is_bounded(void)
{
    const size_t room = 1000000;
    char *text = malloc(room);
    size_t len = 0;
    struct asbi_glossary g;
    struct asb_message why;

    CHECK(text != NULL);
    for (unsigned i = 0; i <= ASBI_GLOSSARY_MAX_TERMS; i++)
        len += (size_t)snprintf(text + len, room - len, "s%u,t%u\n", i, i);
    CHECK_INT(parse(&g, text, "g.csv", "zh", "ru", &why), ==, ASB_ECONFIG);
    CHECK_BYTES(why.text, strlen(why.text),
                "g.csv:40001:1: too many terms in one glossary");
    asbi_glossary_fini(&g);
    free(text);
}

static void any_cut_of_a_table_is_read_or_refused(void)
{
    const char *text = "source,target\n\"a\"\"\n\",b\r\nc,\"d\",\r\n";
    struct asbi_glossary g;

    for (size_t len = 0; len <= strlen(text); len++) {
        struct asb_message why = { "" };
        char *copy = malloc(len ? len : 1);
        CHECK(copy != NULL);
        memcpy(copy, text, len);
        int rc = asbi_glossary_parse(&g, &asbi_mem_system, copy, len, "g.csv",
                                     "", "", &why);
        CHECK_INT(rc == ASB_OK, ==, why.text[0] == '\0');
        CHECK(rc == ASB_OK || rc == ASB_ECONFIG);
        asbi_glossary_fini(&g);
        free(copy);
    }
}

struct source {
    const char *text, *file;
};

static int life(const struct asbi_mem *mem, void *arg)
{
    const struct source *s = arg;
    struct asbi_glossary g;
    int rc = asbi_glossary_parse(&g, mem, s->text, strlen(s->text), s->file,
                                 "zh", "ru", NULL);

    asbi_glossary_fini(&g);
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    struct source yaml = { game, "g.yaml" };
    struct source csv = { "source,target\na,b\nc,d\n", "g.csv" };

    CHECK_INT(fault_sweep(life, &yaml), >, 0);
    CHECK_INT(fault_sweep(life, &csv), >, 0);
}

TEST_MAIN(CASE(only_approved_entries_count),
          CASE(the_other_direction_works_too),
          CASE(without_a_source_language_the_other_term_is_taken),
          CASE(a_full_language_beats_its_base),
          CASE(a_key_of_any_length_is_only_looked_at),
          CASE(an_entry_has_at_most_64_keys), CASE(a_term_is_bounded),
          CASE(source_and_target_need_no_language),
          CASE(an_empty_glossary_has_no_terms),
          CASE(a_wrong_entry_is_told_with_its_place),
          CASE(a_term_translated_in_two_ways_names_both_lines),
          CASE(a_table_without_names_is_source_target_notes),
          CASE(a_first_row_may_name_the_columns),
          CASE(a_wrong_row_is_told_with_its_place),
          CASE(a_quote_that_never_ends_is_refused_at_the_very_end_too),
          CASE(too_many_columns_are_refused),
          CASE(the_number_of_terms_is_bounded),
          CASE(any_cut_of_a_table_is_read_or_refused),
          CASE(every_failed_allocation_is_survived))

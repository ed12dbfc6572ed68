/*
 * Exact counts by a vocabulary, against tiktoken's: tests/data/small.tiktoken
 * and small_counts.jsonl, which tests/data/count_exactly.py writes; others by
 * ASB_TEST_VOCABULARY and ASB_TEST_COUNTS.
 */
#include "scheduler/tokenizer.h"

#include "engine/base/base64.h"
#include "engine/base/buf.h"
#include "engine/base/json.h"
#include "engine/base/rng.h"
#include "scheduler/merge.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

enum { FILE_MOST = 1 << 23, SKIPPED = 77 };

static void read_file(const char *path, struct asbi_buf *out)
{
    FILE *f = fopen(path, "r");
    char piece[4096];
    size_t n;

    asbi_buf_init(out, &asbi_mem_system, FILE_MOST);
    CHECK(f != NULL);
    while ((n = fread(piece, 1, sizeof(piece), f)))
        asbi_buf_add(out, piece, n);
    CHECK(fclose(f) == 0 && !asbi_buf_failed(out));
}

static const char *or_else(const char *variable, const char *path)
{
    const char *value = getenv(variable);

    return value ? value : path;
}

static const char *vocabulary_path(void)
{
    return or_else("ASB_TEST_VOCABULARY", ASB_TEST_DATA "/small.tiktoken");
}

/* Built without PCRE2 there is nothing to test. */
static struct asbi_tokenizer *load(const char *split)
{
    struct asbi_tokenizer *t = NULL;
    struct asb_message why = { "" };
    struct asbi_buf file;

    read_file(vocabulary_path(), &file);
    int rc = asbi_tokenizer_new(&asbi_mem_system, asbi_buf_view(&file), split,
                                &t, &why);
    asbi_buf_fini(&file);
    if (rc && strstr(why.text, "without PCRE2"))
        exit(SKIPPED);
    if (rc)
        check_fail(__FILE__, __LINE__, "%s", why.text);
    return t;
}

static void check_line(struct asbi_json *json, const char *line, asbi_str split,
                       struct asbi_tokenizer *t)
{
    double want = 0;

    CHECK_INT(asbi_json_parse(json, line, strlen(line)), ==, ASB_OK);
    const struct asbi_json_node *o = asbi_json_root(json);
    const struct asbi_json_node *told = asbi_json_get(json, o, split);
    asbi_str text =
        asbi_json_text(json, asbi_json_get(json, o, ASBI_STR("text")));
    if (!told)
        return; /* not counted by this one */
    CHECK(asbi_json_double(told, &want));
    double counted = asbi_tokenizer_count(t, text);
    if (counted < want || counted > want)
        check_fail(__FILE__, __LINE__, "%.0f tokens, not %.0f: %s", want,
                   counted, line);
}

static void check_split(const char *split)
{
    struct asbi_tokenizer *t = load(split);
    struct asbi_json *json = asbi_json_new(&asbi_mem_system, 65536);
    FILE *f = fopen(
        or_else("ASB_TEST_COUNTS", ASB_TEST_DATA "/small_counts.jsonl"), "r");
    char line[16384];
    int lines = 0;

    CHECK(f != NULL && json != NULL);
    for (; fgets(line, sizeof(line), f); lines++)
        check_line(json, line, asbi_str_c(split), t);
    CHECK(fclose(f) == 0);
    CHECK_INT(lines, >=, 300);
    asbi_json_free(json);
    asbi_tokenizer_unref(t);
}

static void tokens_are_those_of_tiktoken_split_as_cl100k(void)
{
    check_split("cl100k");
}

static void tokens_are_those_of_tiktoken_split_as_o200k(void)
{
    check_split("o200k");
}

/* A megabyte without a break, of each sort, in no time: pair by pair this would
 * take hours. */
static void runs_without_end_are_counted_in_parts(void)
{
    static const char *const sorts[] = { "a",  "A",      " ",   "\n",
                                         "!",  "\u4e2d", "7",   "'",
                                         "ab", "\u0301", " \n", "aA" };
    enum { LONG = 1 << 20 };
    struct asbi_tokenizer *t = load("o200k");
    char *text = malloc(LONG);

    CHECK(text != NULL);
    for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
        size_t n = strlen(sorts[i]), len = LONG / n * n;

        for (size_t at = 0; at < len; at += n)
            memcpy(text + at, sorts[i], n);
        double whole = asbi_tokenizer_count(t, asbi_str_of(text, len));
        double part =
            asbi_tokenizer_count(t, asbi_str_of(text, len / 64 / n * n));
        CHECK(whole > 60 * part && whole < 68 * part);
    }
    free(text);
    asbi_tokenizer_unref(t);
}

static void what_is_no_utf8_is_estimated(void)
{
    struct asbi_counter c = { .vocabulary = ASBI_CL100K,
                              .exact = load("cl100k") };
    asbi_str good = ASBI_STR("Save"), bad = ASBI_STR("Save\xff");

    CHECK(asbi_tokenizer_count(c.exact, bad) < 0);
    CHECK(asbi_count_tokens(&c, bad) == asbi_tokens_estimate(ASBI_CL100K, bad));
    CHECK(asbi_count_tokens(&c, good) == asbi_tokenizer_count(c.exact, good));
    CHECK(asbi_tokenizer_count(c.exact, ASBI_STR("")) == 0);
    asbi_tokenizer_unref(c.exact);
    c.exact = NULL;
    CHECK(asbi_count_tokens(&c, good) ==
          asbi_tokens_estimate(ASBI_CL100K, good));
}

static void it_lives_as_long_as_somebody_holds_it(void)
{
    struct asbi_tokenizer *t = load("auto");

    CHECK(asbi_tokenizer_ref(t) == t && asbi_tokenizer_ref(NULL) == NULL);
    asbi_tokenizer_unref(t);
    CHECK(asbi_tokenizer_count(t, ASBI_STR("a")) == 1);
    asbi_tokenizer_unref(t);
    asbi_tokenizer_unref(NULL);
}

/* ---- vocabularies ------------------------------------------------------- */

static int read_ranks(const char *text, struct asb_message *why)
{
    struct asbi_ranks r;
    int rc = asbi_ranks_read(&r, &asbi_mem_system, asbi_str_c(text), why);

    asbi_ranks_fini(&r);
    return rc;
}

static void a_wrong_vocabulary_is_refused_with_its_line(void)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        { "", "empty" },
        { "\n\r\n", "empty" },
        { "YQ== 0\nYg==\n", "line 2" },
        { "YQ== 0\nYg== x\n", "line 2: this rank" },
        { "YQ== 0\nYg== 99999999999\n", "this rank" },
        { "YQ== 0\nYg== \n", "this rank" },
        { "YQ== 0\nYQ== 1\n", "line 2: this token was there" },
        { "Y!== 0\n", "line 1: this is no base64" },
        { "= 0\n", "no base64" },
        { " 0\n", "no base64" },
        { "{\"version\": \"1.0\"}", "line 1" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct asb_message why = { "" };

        CHECK_INT(read_ranks(rows[i].text, &why), ==, ASB_ECONFIG);
        if (!strstr(why.text, rows[i].says))
            check_fail(__FILE__, __LINE__, "%s: %s", rows[i].text, why.text);
    }
    CHECK_INT(read_ranks("YQ== 0\r\nYg== 1", NULL), ==, ASB_OK);
}

/* a, b, c; "ab" before "bc", and "abc" out of either. */
static void the_lowest_rank_is_joined_first(void)
{
    static const char file[] = "YQ== 0\nYg== 1\nYw== 2\nYWI= 3\nYmM= 4\n"
                               "YmNi 5\n";
    struct asbi_ranks r;
    struct asbi_merge m;

    CHECK_INT(asbi_ranks_read(&r, &asbi_mem_system, asbi_str_c(file), NULL), ==,
              ASB_OK);
    CHECK_INT(asbi_merge_init(&m, &asbi_mem_system), ==, ASB_OK);
    CHECK_INT(asbi_merge_count(&m, &r, ASBI_STR("abc")), ==, 2);   /* ab c */
    CHECK_INT(asbi_merge_count(&m, &r, ASBI_STR("bcb")), ==, 1);   /* known */
    CHECK_INT(asbi_merge_count(&m, &r, ASBI_STR("cbcba")), ==, 3); /* c bcb a */
    CHECK_INT(asbi_merge_count(&m, &r, ASBI_STR("xyz")), ==, 3);   /* unknown */
    asbi_merge_fini(&m);
    asbi_ranks_fini(&r);
}

/* As it is usually written: all pairs are looked at for each join. */
static size_t count_plainly(const struct asbi_ranks *r, asbi_str piece)
{
    size_t ends[64], n = piece.len;

    for (size_t i = 0; i <= n; i++)
        ends[i] = i;
    for (;;) {
        uint32_t least = ASBI_NO_RANK;
        size_t at = 0;

        for (size_t i = 0; i + 2 <= n; i++) {
            uint32_t rank =
                asbi_ranks_find(r, piece.at + ends[i], ends[i + 2] - ends[i]);
            if (rank < least) {
                least = rank;
                at = i;
            }
        }
        if (least == ASBI_NO_RANK)
            return n;
        memmove(&ends[at + 1], &ends[at + 2], (n - at - 1) * sizeof(ends[0]));
        n--;
    }
}

static void joining_by_heap_is_joining_pair_by_pair(void)
{
    struct asbi_buf file;
    struct asbi_ranks r;
    struct asbi_merge m;
    struct asbi_rng rng;
    char text[40];

    read_file(ASB_TEST_DATA "/small.tiktoken", &file);
    CHECK_INT(asbi_ranks_read(&r, &asbi_mem_system, asbi_buf_view(&file), NULL),
              ==, ASB_OK);
    CHECK_INT(asbi_merge_init(&m, &asbi_mem_system), ==, ASB_OK);
    asbi_rng_seed(&rng, 3);
    for (int run = 0; run < 20000; run++) {
        size_t len = 1 + asbi_rng_below(&rng, sizeof(text));

        for (size_t i = 0; i < len; i++)
            text[i] = "etaoinsr the"[asbi_rng_below(&rng, 12)];
        CHECK_INT(asbi_merge_count(&m, &r, asbi_str_of(text, len)), ==,
                  asbi_ranks_find(&r, text, len) != ASBI_NO_RANK
                      ? 1
                      : count_plainly(&r, asbi_str_of(text, len)));
    }
    asbi_merge_fini(&m);
    asbi_ranks_fini(&r);
    asbi_buf_fini(&file);
}

static int life(const struct asbi_mem *mem, void *arg)
{
    const struct asbi_buf *file = arg;
    struct asbi_tokenizer *t = NULL;
    int rc = asbi_tokenizer_new(mem, asbi_buf_view(file), "o200k", &t, NULL);

    CHECK(rc == ASB_OK || rc == ASB_ENOMEM);
    if (!rc) { /* or it is left to the estimate */
        double tokens = asbi_tokenizer_count(t, ASBI_STR("the end"));

        CHECK(tokens < 0 || (tokens >= 2 && tokens <= 7));
    }
    asbi_tokenizer_unref(t);
    return rc;
}

static void every_allocation_may_fail(void)
{
    struct asbi_buf file;

    asbi_tokenizer_unref(load("auto")); /* or skips */
    read_file(ASB_TEST_DATA "/small.tiktoken", &file);
    CHECK_INT(fault_sweep_spared(life, &file), >=, 6);
    asbi_buf_fini(&file);
}

static void base64_is_read_with_and_without_its_end(void)
{
    static const struct {
        const char *text, *bytes;
        bool good;
    } rows[] = {
        { "", "", true },
        { "YQ==", "a", true },
        { "YQ", "a", true },
        { "YWI=", "ab", true },
        { "YWJj", "abc", true },
        { "YWJjZA==", "abcd", true },
        { "Y", "", false },
        { "YQ===", "", false },
        { "Y W=", "", false },
        { "YW~j", "", false },
        { "_-_-", "\xff\xef\xfe", true },
        { "/+/+", "\xff\xef\xfe", true },
    };
    char out[8];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = 0;

        CHECK(asbi_base64_decode(asbi_str_c(rows[i].text), out, sizeof(out),
                                 &len) == rows[i].good);
        if (rows[i].good)
            CHECK_BYTES(out, len, rows[i].bytes);
    }
    size_t len = 0;
    CHECK(asbi_base64_decode(ASBI_STR("YWJjZA=="), out, 2, &len) && len == 2);
}

TEST_MAIN(CASE(tokens_are_those_of_tiktoken_split_as_cl100k),
          CASE(tokens_are_those_of_tiktoken_split_as_o200k),
          CASE(runs_without_end_are_counted_in_parts),
          CASE(what_is_no_utf8_is_estimated),
          CASE(it_lives_as_long_as_somebody_holds_it),
          CASE(a_wrong_vocabulary_is_refused_with_its_line),
          CASE(the_lowest_rank_is_joined_first),
          CASE(joining_by_heap_is_joining_pair_by_pair),
          CASE(every_allocation_may_fail),
          CASE(base64_is_read_with_and_without_its_end))

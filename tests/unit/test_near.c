/* Texts that are like each other find each other, and no others. */
#include "cache/near.h"

#include <malloc.h>
#include <math.h>
#include <stdlib.h>

#include "cache/minhash.h"
#include "cache/shingle.h"
#include "engine/base/rng.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

enum { TEXTS = 1200, LENGTH = 200 };

static struct fault_mem fm;
static struct asbi_near *near;
static struct asbi_shingles shingles;

static void start(size_t max_bytes)
{
    struct asbi_near_options o = { max_bytes, 0.8, 7 };

    fault_mem_init(&fm, 0);
    CHECK_INT(asbi_near_new(&fm.mem, &o, &near), ==, ASB_OK);
}

static void stop(void)
{
    asbi_near_free(near);
    near = NULL;
    CHECK_INT(fm.live, ==, 0);
}

/* ---- similarity, reckoned the slow way -------------------------------- */

static int by_run(const void *a, const void *b)
{
    return memcmp(a, b, 5);
}

/* Keeps what is distinct of them, sorted.  Of texts of small ASCII letters and
 * single blanks. */
static size_t runs_of(const char *text, char runs[][5])
{
    size_t n = 0, kept = 0;

    for (; text[n + 4]; n++)
        memcpy(runs[n], text + n, 5);
    qsort(runs, n, 5, by_run);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || memcmp(runs[kept - 1], runs[i], 5) != 0)
            memmove(runs[kept++], runs[i], 5);
    }
    return kept;
}

static char texts[TEXTS][LENGTH + 64];
static char runs[TEXTS][LENGTH + 64][5];
static size_t run_counts[TEXTS];

/* Of two of `texts`. */
static double slow_jaccard(size_t a, size_t b)
{
    size_t n = run_counts[a], m = run_counts[b], both = 0;

    for (size_t i = 0, k = 0; i < n && k < m;) {
        int order = memcmp(runs[a][i], runs[b][k], 5);

        both += order == 0;
        i += order <= 0;
        k += order >= 0;
    }
    return (double)both / (double)(n + m - both);
}

static void put_word(struct asbi_rng *rng, char *text)
{
    static const char *const parts[] = { "la", "ri", "on", "te", "mu", "sk",
                                         "ab", "er", "no", "pi", "ad", "ve" };
    size_t syllables = 1 + (size_t)asbi_rng_below(rng, 4);

    size_t len = strlen(text);

    if (len)
        text[len++] = ' ';
    for (; syllables > 0; syllables--, len += 2)
        memcpy(text + len, parts[asbi_rng_below(rng, 12)], 2);
    text[len] = '\0';
}

/* Families of four: a text and three edits of it, from light to heavy. */
static void make_texts(void)
{
    struct asbi_rng rng;

    asbi_rng_seed(&rng, 11);
    for (size_t i = 0; i < TEXTS; i++) {
        texts[i][0] = '\0';
        if (i % 4) {
            memcpy(texts[i], texts[i - i % 4], sizeof(texts[i]));
            for (size_t edits = asbi_rng_below(&rng, 4 * (i % 4)) + 1; edits;
                 edits--) {
                size_t at = asbi_rng_below(&rng, strlen(texts[i]));

                if (texts[i][at] != ' ')
                    texts[i][at] = (char)('a' + asbi_rng_below(&rng, 26));
            }
        }
        while (i % 4 == 0 && strlen(texts[i]) < LENGTH)
            put_word(&rng, texts[i]);
        run_counts[i] = runs_of(texts[i], runs[i]);
    }
}

/* ---- finding ---------------------------------------------------------- */

struct found {
    size_t count, wrong;
    uint64_t owners[64];
    double similarity;
    char output[32];
};

static bool on_match(void *arg, const struct asbi_near_match *m)
{
    struct found *f = arg;

    f->similarity = m->similarity;
    f->owners[f->count++] = m->owner;
    (void)snprintf(f->output, sizeof(f->output), "%.*s", (int)m->output.len,
                   m->output.at ? m->output.at : "");
    return f->count < 64;
}

static struct found find(uint64_t space, const char *text)
{
    struct found f = { 0 };

    if (asbi_near_look(near, space, asbi_str_c(text)))
        asbi_near_each(near, on_match, &f);
    return f;
}

static uint64_t add(uint64_t space, const char *text, uint64_t owner)
{
    (void)asbi_near_look(near, space, asbi_str_c(text));
    return asbi_near_add(near, owner);
}

static void ninety_nine_pairs_of_a_hundred_are_found_and_no_others(void)
{
    size_t pairs = 0, found = 0;

    make_texts();
    start(8 << 20);
    for (size_t i = 0; i < TEXTS; i++) {
        struct found f = find(1, texts[i]);

        found += f.count;
        for (size_t k = 0; k < f.count; k++)
            CHECK(slow_jaccard(i, f.owners[k]) >= 0.8);
        for (size_t k = 0; k < i; k++)
            pairs += slow_jaccard(i, k) >= 0.8;
        CHECK_INT(add(1, texts[i], i), !=, 0);
    }
    stop();
    CHECK_INT(pairs, >, 500);
    CHECK_INT(found * 100, >=, pairs * 99);
}

/* A text and an edit of it that is just near enough; false when an edit was
 * one too many. */
static bool make_pair(struct asbi_rng *rng)
{
    double similarity = 1;

    texts[0][0] = '\0';
    while (strlen(texts[0]) < LENGTH)
        put_word(rng, texts[0]);
    memcpy(texts[1], texts[0], sizeof(texts[1]));
    run_counts[0] = runs_of(texts[0], runs[0]);
    while (similarity >= 0.84) {
        texts[1][asbi_rng_below(rng, strlen(texts[1]))] =
            (char)('a' + asbi_rng_below(rng, 26));
        run_counts[1] = runs_of(texts[1], runs[1]);
        similarity = slow_jaccard(0, 1);
    }
    return similarity >= 0.8;
}

/* Where it is hardest: with 9 of the 21 bands one pair in thirty is missed. */
static void pairs_just_above_the_threshold_are_found(void)
{
    struct asbi_rng rng;
    size_t pairs = 0, found = 0;

    asbi_rng_seed(&rng, 12);
    start(8 << 20);
    for (uint64_t space = 1; pairs < 1000; space++) {
        if (!make_pair(&rng))
            continue;
        pairs++;
        CHECK_INT(add(space, texts[0], 1), !=, 0);
        found += find(space, texts[1]).count;
    }
    stop();
    CHECK_INT(found, >=, 995);
}

static void similarity_is_what_the_slow_way_says(void)
{
    make_texts();
    for (size_t i = 1; i < 200; i++) {
        asbi_shingles_of(&shingles, asbi_str_c(texts[i - 1]), 3);
        size_t count = shingles.count;
        asbi_shingles_of(&shingles, asbi_str_c(texts[i]), 3);
        double got = asbi_shingles_jaccard(&shingles, asbi_str_c(texts[i - 1]),
                                           count, 3);
        CHECK(fabs(got - slow_jaccard(i, i - 1)) < 1e-9);
    }
}

static void equal_numbers_estimate_the_similarity(void)
{
    struct asbi_minhash m;
    uint32_t one[ASBI_MINHASHES], two[ASBI_MINHASHES];
    double error = 0, bias = 0;

    make_texts();
    asbi_minhash_init(&m, 5);
    for (size_t i = 1; i < 400; i++) {
        size_t equal = 0;

        asbi_shingles_of(&shingles, asbi_str_c(texts[i - 1]), 3);
        asbi_minhash_sign(&m, shingles.at, shingles.count, one);
        asbi_shingles_of(&shingles, asbi_str_c(texts[i]), 3);
        asbi_minhash_sign(&m, shingles.at, shingles.count, two);
        for (size_t k = 0; k < ASBI_MINHASHES; k++)
            equal += one[k] == two[k];
        double off = (double)equal / ASBI_MINHASHES - slow_jaccard(i, i - 1);
        error += off * off / 399;
        bias += off / 399;
    }
    CHECK(sqrt(error) < 0.045);
    CHECK(fabs(bias) < 0.01);
}

/* Counts what the allocator really takes. */
static void *counting(void *block, size_t size, void *arg)
{
    size_t *bytes = arg;

    *bytes -= block ? malloc_usable_size(block) : 0;
    if (size == 0) {
        free(block);
        return NULL;
    }
    block = realloc(block, size);
    *bytes += malloc_usable_size(block);
    return block;
}

static void a_text_of_two_hundred_bytes_takes_less_than_a_kilobyte(void)
{
    enum { ROOM = 1 << 20 };
    static const char output[LENGTH + 1] = "an answer of the same length";
    struct asbi_near_options o = { ROOM, 0.8, 7 };
    size_t bytes = 0, held;
    struct asbi_mem mem = { counting, &bytes };

    make_texts();
    CHECK_INT(asbi_near_new(&mem, &o, &near), ==, ASB_OK);
    for (size_t round = 0; round < 5; round++) {
        for (size_t i = 0; i < TEXTS; i++)
            asbi_near_answer(near, add(round, texts[i], i),
                             asbi_str_of(output, LENGTH));
    }
    CHECK_INT(asbi_near_bytes(near, &held), <=, ROOM);
    CHECK_INT(held, >, TEXTS);
    CHECK_INT(bytes, <, held * 1000 + sizeof(struct asbi_shingles));
    asbi_near_free(near);
    CHECK_INT(bytes, ==, 0);
}

static void its_room_is_never_passed(void)
{
    size_t held;

    make_texts();
    start(200000);
    for (size_t i = 0; i < TEXTS; i++) {
        asbi_near_answer(near, add(1, texts[i], i), ASBI_STR("answer"));
        CHECK_INT(asbi_near_bytes(near, &held), <=, 200000);
    }
    CHECK_INT(held, >, 200);
    CHECK_INT(find(1, texts[0]).count, ==, 0);
    CHECK_INT(find(1, texts[TEXTS - 1]).count, >=, 1);
    stop();
}

static const char played[] =
    "Are you sure you want to mark all selected items as played?";

static void what_was_answered_is_told_with_its_answer(void)
{
    start(1 << 20);
    uint64_t number = add(1, played, 42);
    struct found f = find(1, "Are you sure you want to MARK all selected "
                             "items as  played?");
    CHECK_INT(f.count, ==, 1);
    CHECK_INT(f.owners[0], ==, 42);
    CHECK(f.similarity > 0.999);
    CHECK_STR(asbi_str_c(f.output), "");
    asbi_near_answer(near, number, ASBI_STR("yes"));
    asbi_near_answer(near, number, ASBI_STR("another"));
    CHECK_STR(asbi_str_c(find(1, played).output), "yes");
    asbi_near_drop(near, number);
    asbi_near_drop(near, number);
    CHECK_INT(find(1, played).count, ==, 0);
    stop();
}

static void spaces_do_not_see_each_other(void)
{
    start(1 << 20);
    (void)add(1, played, 1);
    CHECK_INT(find(2, played).count, ==, 0);
    CHECK_INT(find(1, played).count, ==, 1);
    stop();
}

/* Of so many, some have a band in common by chance, as two hashes of 32 bits
 * are equal now and then. */
static void tenants_do_not_meet_by_chance(void)
{
    enum { SPACES = 30000 };

    start(64 << 20);
    for (uint64_t space = 1; space <= SPACES; space++) {
        CHECK_INT(find(space, played).count, ==, 0);
        CHECK_INT(asbi_near_add(near, space), !=, 0);
    }
    stop();
}

static void short_and_endless_texts_are_near_nothing(void)
{
    static char endless[5000];

    memset(endless, 'x', sizeof(endless) - 1);
    start(1 << 20);
    CHECK_INT(add(1, "Cancel", 1), ==, 0);
    CHECK_INT(add(1, "", 1), ==, 0);
    CHECK_INT(add(1, endless, 1), ==, 0);
    CHECK_INT(find(1, "Cancel").count, ==, 0);
    /* Nine characters are few in Latin, and a sentence in Chinese. */
    CHECK_INT(add(1, "点击此处打开下一扇大门", 1), !=, 0);
    CHECK_INT(find(1, "点击此处打开下一扇大门。").count, ==, 1);
    stop();
}

static void bytes_that_are_no_text_are_survived(void)
{
    struct asbi_rng rng;
    char bytes[300];

    start(100000);
    asbi_rng_seed(&rng, 5);
    for (int i = 0; i < 2000; i++) {
        size_t len = asbi_rng_below(&rng, sizeof(bytes));

        for (size_t k = 0; k < len; k++)
            bytes[k] = (char)asbi_rng_below(&rng, 256);
        struct found f = { 0 };
        if (asbi_near_look(near, 1, asbi_str_of(bytes, len)))
            asbi_near_each(near, on_match, &f);
        (void)asbi_near_add(near, 1);
    }
    stop();
}

static int life(const struct asbi_mem *mem, void *arg)
{
    struct asbi_near_options o = { 30000, 0.8, 7 };
    int rc = asbi_near_new(mem, &o, &near);

    (void)arg;
    if (rc)
        return rc;
    asbi_near_answer(near, add(1, played, 1), ASBI_STR("yes"));
    (void)add(1, texts[0], 2);
    asbi_near_free(near);
    return ASB_OK;
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep_spared(life, NULL), >, 0);
}

TEST_MAIN(CASE(ninety_nine_pairs_of_a_hundred_are_found_and_no_others),
          CASE(pairs_just_above_the_threshold_are_found),
          CASE(similarity_is_what_the_slow_way_says),
          CASE(equal_numbers_estimate_the_similarity),
          CASE(a_text_of_two_hundred_bytes_takes_less_than_a_kilobyte),
          CASE(its_room_is_never_passed),
          CASE(what_was_answered_is_told_with_its_answer),
          CASE(spaces_do_not_see_each_other),
          CASE(tenants_do_not_meet_by_chance),
          CASE(short_and_endless_texts_are_near_nothing),
          CASE(bytes_that_are_no_text_are_survived),
          CASE(every_failed_allocation_is_survived))

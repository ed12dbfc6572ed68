/*
 * How near the estimate of tokens is to what public tokenizers count, on twenty
 * languages, code and emoji: tests/data/token_counts.jsonl, which
 * tests/data/count_tokens.mjs writes.
 */
#include <math.h>

#include "engine/base/json.h"
#include "engine/base/rng.h"
#include "scheduler/tokens.h"
#include "tests/support/check.h"

enum { TEXTS = 4000, SETS = 40, BATCH = 20, LEARNED = 3, ROUNDS = 1000 };

struct sample {
    size_t set;
    double exact[2], raw[2]; /* by vocabulary */
};

static struct sample samples[TEXTS];
static size_t sample_count, set_count;
static char set_names[SETS][16];

static size_t set_of(asbi_str name)
{
    size_t i = 0;

    while (i < set_count && !asbi_str_eq(asbi_str_c(set_names[i]), name))
        i++;
    if (i == set_count) {
        CHECK(set_count < SETS && name.len < sizeof(set_names[0]));
        memcpy(set_names[set_count++], name.at, name.len);
    }
    return i;
}

static void take(struct asbi_json *json, const char *line)
{
    struct sample *s = &samples[sample_count++];
    const struct asbi_json_node *o;

    CHECK(sample_count < TEXTS);
    CHECK_INT(asbi_json_parse(json, line, strlen(line)), ==, ASB_OK);
    o = asbi_json_root(json);
    s->set =
        set_of(asbi_json_text(json, asbi_json_get(json, o, ASBI_STR("set"))));
    CHECK(asbi_json_double(asbi_json_get(json, o, ASBI_STR("o200k")),
                           &s->exact[ASBI_O200K]));
    CHECK(asbi_json_double(asbi_json_get(json, o, ASBI_STR("cl100k")),
                           &s->exact[ASBI_CL100K]));
    asbi_str text =
        asbi_json_text(json, asbi_json_get(json, o, ASBI_STR("text")));
    for (int v = 0; v < 2; v++)
        s->raw[v] = asbi_tokens_estimate((enum asbi_vocabulary)v, text);
}

static void read_samples(void)
{
    struct asbi_json *json = asbi_json_new(&asbi_mem_system, 65536);
    FILE *f = fopen(ASB_TEST_DATA "/token_counts.jsonl", "r");
    char line[8192];

    CHECK(f != NULL && json != NULL);
    sample_count = set_count = 0;
    memset(set_names, 0, sizeof(set_names));
    while (fgets(line, sizeof(line), f))
        take(json, line);
    CHECK(fclose(f) == 0);
    asbi_json_free(json);
    CHECK_INT(set_count, ==, 24); /* 22 languages, code, emoji */
}

static void shuffle(size_t *order, size_t n, struct asbi_rng *rng)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = asbi_rng_below(rng, i), x = order[i - 1];

        order[i - 1] = order[k];
        order[k] = x;
    }
}

struct score {
    double sum, batches, under, worst;
};

static void add_batch(const size_t *at, enum asbi_vocabulary v,
                      struct asbi_calibration *c, bool counts,
                      struct score *score)
{
    double raw = 0, exact = 0;

    for (size_t i = 0; i < BATCH; i++) {
        raw += samples[at[i]].raw[v];
        exact += samples[at[i]].exact[v];
    }
    double off = (double)asbi_calibrated(c, raw) / exact - 1;
    if (counts) {
        score->sum += fabs(off);
        score->batches++;
        score->under += off < -0.12;
        score->worst = fmin(score->worst, off);
    }
    asbi_calibration_learn(c, raw, exact);
}

/* Twenty times: three batches of twenty texts are learned from, the others
 * guessed. */
static struct score score_of(size_t set, enum asbi_vocabulary v)
{
    struct score score = { 0, 0, 0, 0 };
    size_t order[TEXTS], n = 0;
    struct asbi_rng rng;

    asbi_rng_seed(&rng, 1 + set);
    for (size_t i = 0; i < sample_count; i++) {
        if (samples[i].set == set)
            order[n++] = i;
    }
    CHECK(n >= (LEARNED + 1) * BATCH);
    for (int round = 0; round < ROUNDS; round++) {
        struct asbi_calibration c;

        asbi_calibration_init(&c, 1);
        shuffle(order, n, &rng);
        for (size_t b = 0; b + 1 <= n / BATCH; b++)
            add_batch(order + b * BATCH, v, &c, b >= LEARNED, &score);
    }
    return score;
}

static void check_vocabulary(enum asbi_vocabulary v)
{
    double sum = 0, batches = 0, under = 0;

    read_samples();
    for (size_t set = 0; set < set_count; set++) {
        struct score s = score_of(set, v);

        sum += s.sum / s.batches;
        batches += s.batches;
        under += s.under;
        if (getenv("ASB_TEST_VERBOSE"))
            (void)fprintf(stderr, "%-6s %.1f %%, worst %.1f %%\n",
                          set_names[set], 100 * s.sum / s.batches,
                          100 * s.worst);
    }
    if (getenv("ASB_TEST_VERBOSE"))
        (void)fprintf(stderr, "mean %.2f %%, more than 12 %% under: %.2f %%\n",
                      100 * sum / (double)set_count, 100 * under / batches);
    CHECK(sum / (double)set_count <= 0.04);
    CHECK(under <= 0.01 * batches);
}

static void batches_of_twenty_are_within_4_percent_by_o200k(void)
{
    check_vocabulary(ASBI_O200K);
}

static void batches_of_twenty_are_within_4_percent_by_cl100k(void)
{
    check_vocabulary(ASBI_CL100K);
}

/* Before anything was learned. */
static void single_texts_are_within_a_fifth_on_average(void)
{
    for (int v = 0; v < 2; v++) {
        double sum = 0;

        read_samples();
        for (size_t i = 0; i < sample_count; i++)
            sum += fabs(samples[i].raw[v] / samples[i].exact[v] - 1);
        if (getenv("ASB_TEST_VERBOSE"))
            (void)fprintf(stderr, "one text: %.1f %%\n",
                          100 * sum / (double)sample_count);
        CHECK(sum / (double)sample_count <= 0.20);
    }
}

TEST_MAIN(CASE(batches_of_twenty_are_within_4_percent_by_o200k),
          CASE(batches_of_twenty_are_within_4_percent_by_cl100k),
          CASE(single_texts_are_within_a_fifth_on_average))

/* Items that go as a list: as many in a call as the API takes, each answered
 * once, whatever the provider does. */
#include "engine/sim/world.h"

#include "adapters/remote.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/sim/embed.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

enum { LIST_MAX = 2048, LIST_TOKENS = 300000 };

static void embed(struct sim_run *r, uint64_t seed, size_t items)
{
    sim_run_init(r, seed);
    r->items = items;
    sim_run_set(r, "task", "embed");
    sim_run_set(r, "model", "sim-embed");
}

static size_t count_ok(const struct sim_run *r)
{
    size_t ok = 0;

    for (size_t i = 0; i < r->items; i++) {
        CHECK_INT(r->answers[i].callbacks, ==, 1);
        ok += r->answers[i].ok && r->answers[i].output_len > 8;
    }
    return ok;
}

static const char *numbered(size_t i, char *room, size_t size)
{
    (void)snprintf(room, size, "text number %zu", i);
    return room;
}

/* Hash of the vector of a text that was asked alone. */
static uint64_t vector_hash(struct asbi_sim_embed *alone, const char *text)
{
    struct asbi_sim_problem problem;
    struct asbi_buf body;

    asbi_buf_init(&body, &asbi_mem_system, 4096);
    asbi_buf_fmt(&body, "{\"model\":\"m\",\"input\":\"%s\"}", text);
    CHECK_INT(asbi_sim_embed_read(alone, asbi_buf_view(&body), &problem), ==,
              ASB_OK);
    asbi_buf_clear(&body);
    asbi_sim_put_embeddings(alone, &body);
    CHECK_INT(asbi_json_parse(alone->json, body.data, body.len), ==, ASB_OK);
    static const char *const path[] = { "data", NULL };
    const struct asbi_json_node *data = asbi_json_child(
        alone->json,
        asbi_remote_find(alone->json, asbi_json_root(alone->json), path));
    asbi_str vector =
        asbi_json_get(alone->json, data, ASBI_STR("embedding"))->raw;
    uint64_t hash = asbi_hash64(vector.at, vector.len, 0);
    asbi_buf_fini(&body);
    return hash;
}

/* The simulator answers a list in an order of its own. */
static void check_each_has_its_own_vector(const struct sim_run *r)
{
    struct asbi_sim_embed alone;
    char room[64];

    CHECK_INT(asbi_sim_embed_init(&alone, &asbi_mem_system, 1 << 16), ==,
              ASB_OK);
    for (size_t i = 0; i < r->items; i++)
        CHECK_INT(r->answers[i].output_hash, ==,
                  vector_hash(&alone, numbered(i, room, sizeof(room))));
    asbi_sim_embed_fini(&alone);
}

static void every_list_but_the_last_is_full(void)
{
    struct sim_run r;

    embed(&r, 1, 100000);
    r.text = numbered;
    sim_run_all(&r);
    CHECK_INT(count_ok(&r), ==, r.items);
    check_each_has_its_own_vector(&r);
    CHECK_INT(r.stats.calls, ==, (100000 + LIST_MAX - 1) / LIST_MAX);
    CHECK_INT(r.stats.batch_items, ==, r.items);
    CHECK_INT(r.stats.input_tokens, ==, r.served.billed_input);
    CHECK_INT(r.stats.output_tokens, ==, 0);
    sim_run_end(&r);
}

/* About 700 tokens, so that tokens are what limits a list. */
static const char *long_text(size_t i, char *room, size_t size)
{
    size_t n = (size_t)snprintf(room, size, "%zu", i);

    while (n + 8 < size && n < 3500)
        n += (size_t)snprintf(room + n, size - n, " word%zu", n % 10);
    return room;
}

static void lists_of_long_texts_are_full_of_tokens(void)
{
    struct sim_run r;

    embed(&r, 2, 4000);
    r.text = long_text;
    sim_run_all(&r);
    CHECK_INT(count_ok(&r), ==, r.items);
    CHECK_INT(r.stats.calls_failed, ==, 0); /* none was over the limit */
    uint64_t least = r.served.billed_input / LIST_TOKENS + 1;
    CHECK_INT(r.stats.calls * 9, <=, least * 10 + 20);
    sim_run_end(&r);
}

static void a_list_never_outgrows_the_largest_answer(void)
{
    struct sim_run r;

    embed(&r, 3, 800);
    sim_run_set(&r, "dimensions", "1536");
    sim_run_set(&r, "max_answer_bytes", "4MiB");
    sim_run_all(&r);
    CHECK_INT(count_ok(&r), ==, r.items);
    CHECK_INT(r.stats.calls_failed, ==, 0);
    CHECK_INT(r.stats.calls, >=, 800 * 1536 * 20 / (4 << 20));
    sim_run_end(&r);
}

/* The answers have more numbers than the catalogue says. */
static void a_list_that_outgrew_it_keeps_what_fitted(void)
{
    struct sim_run r;

    embed(&r, 4, 1000);
    sim_run_set(&r, "max_answer_bytes", "64KiB");
    sim_run_start(&r);
    CHECK_INT(r.rc, ==, ASB_OK);
    r.engine->lane->model.dimensions = 1;
    asbi_lane_expect_vectors(r.engine->lane);
    sim_run_play(&r);
    CHECK_INT(count_ok(&r), ==, r.items);
    CHECK(r.stats.calls_failed > 0);
    CHECK_INT(r.stats.calls_failed, <, 4);
    CHECK_INT(r.stats.calls, <, 12);
    CHECK(r.stats.input_tokens >= r.served.billed_input);
    sim_run_end(&r);
}

static void every_item_is_answered_once_or_explained(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_run r;

        embed(&r, seed, 500);
        r.provider.error_rate = (double)(seed % 4) * 0.05;
        r.provider.garbage_rate = (double)(seed % 3) * 0.05;
        r.provider.disconnect_rate = (double)(seed % 2) * 0.1;
        r.provider.network.cut_rate = (double)(seed % 6) * 0.02;
        sim_run_set(&r, "batch_size", "20");
        sim_run_all(&r);
        CHECK_INT(count_ok(&r) + r.stats.items_failed, ==, r.items);
        CHECK(count_ok(&r) > r.items / 2);
        sim_run_end(&r);
    }
}

/* Over 8,192 tokens: the provider refuses the whole list for it. */
static const char *one_too_long(size_t i, char *room, size_t size)
{
    if (i != 123) {
        (void)snprintf(room, size, "text %zu", i);
        return room;
    }
    static char much[60000];
    size_t n = 0;

    while (n + 16 < sizeof(much))
        n += (size_t)snprintf(much + n, sizeof(much) - n, "%zu ", n % 89);
    return much;
}

static void one_text_that_is_too_long_stops_no_other(void)
{
    struct sim_run r;

    embed(&r, 5, 1000);
    r.text = one_too_long;
    sim_run_all(&r);
    CHECK_INT(count_ok(&r), ==, r.items - 1);
    CHECK(!r.answers[123].ok);
    CHECK_BYTES(r.answers[123].code, strlen(r.answers[123].code),
                "context_length_exceeded");
    CHECK_INT(r.stats.calls, <, 25); /* it was found by halving */
    sim_run_end(&r);
}

static void prepare_sixty(struct sim_run *r)
{
    embed(r, 6, 60);
}

static void failed_allocations_are_survived(void)
{
    sim_run_starve(prepare_sixty, 200);
}

static void a_provider_that_cannot_is_told_at_once(void)
{
    struct asb_options *options = asb_options_new();
    struct asb_engine *engine;
    struct asb_message why = { "" };

    CHECK(options != NULL);
    CHECK_INT(
        asb_options_set(options, "provider", "anthropic", ASB_FROM_HOST, &why),
        ==, ASB_OK);
    CHECK_INT(asb_options_set(options, "base_url", "http://127.0.0.1:9",
                              ASB_FROM_HOST, &why),
              ==, ASB_OK);
    CHECK_INT(asb_options_set(options, "model", "m", ASB_FROM_HOST, &why), ==,
              ASB_OK);
    CHECK_INT(asb_options_set(options, "task", "embed", ASB_FROM_HOST, &why),
              ==, ASB_OK);
    CHECK_INT(asb_engine_new(options, NULL, &engine, &why), ==, ASB_ECONFIG);
    CHECK(strstr(why.text, "anthropic cannot do task embed") != NULL);
    asb_options_free(options);
}

TEST_MAIN(CASE(every_list_but_the_last_is_full),
          CASE(lists_of_long_texts_are_full_of_tokens),
          CASE(a_list_never_outgrows_the_largest_answer),
          CASE(a_list_that_outgrew_it_keeps_what_fitted),
          CASE(every_item_is_answered_once_or_explained),
          CASE(one_text_that_is_too_long_stops_no_other),
          CASE(failed_allocations_are_survived),
          CASE(a_provider_that_cannot_is_told_at_once))

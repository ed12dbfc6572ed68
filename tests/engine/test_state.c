/* What is learned outlives the run: a second one starts well, and the file it
 * is kept in is whole whatever happens. */
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/units.h"
#include "engine/learned.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

/* ---- in virtual time ---------------------------------------------------- */

static const char *sentence(size_t i, char *room, size_t size)
{
    (void)snprintf(room, size,
                   "The changes number %zu could not be saved because the "
                   "disk is full; free some space and try again.",
                   i);
    return room;
}

/* Plays a run that begins with what `text` knows, and puts there what it
 * learned. */
static void play(struct sim_run *r, struct asbi_buf *text)
{
    struct asbi_recalled recalled;
    struct asbi_buf fresh;

    sim_run_start(r);
    CHECK_INT(r->rc, ==, ASB_OK);
    asbi_learned_recall(r->engine->options, &asbi_mem_system,
                        asbi_buf_view(text), &recalled);
    CHECK_INT(recalled.has_lane, ==, text->len > 0);
    CHECK_INT(recalled.has_kind, ==, text->len > 0);
    asbi_learned_start(r->engine->lane, &recalled);
    sim_run_play(r);
    CHECK(r->finished);
    CHECK_INT(r->stats.items_ok, ==, r->items);
    asbi_buf_init(&fresh, &asbi_mem_system, ASBI_LEARNED_MAX_BYTES);
    asbi_learned_collect(r->engine, asbi_buf_view(text), &fresh);
    asbi_buf_clear(text);
    asbi_buf_str(text, asbi_buf_view(&fresh));
    CHECK(!asbi_buf_failed(text));
    asbi_buf_fini(&fresh);
}

static void slow_provider(struct sim_run *r, uint64_t seed)
{
    sim_run_init(r, seed);
    r->items = 4000;
    r->text = sentence;
    r->provider.latency.base_ns = ASBI_SECOND;
    r->provider.latency.per_output_token_ns = ASBI_MS;
    r->provider.latency.sigma = 0.3;
}

/* Fewer calls, as sizes are known; less time, as concurrency is, too. */
static void a_second_run_starts_well(void)
{
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct sim_run first, second;
        struct asbi_buf text;

        asbi_buf_init(&text, &asbi_mem_system, ASBI_LEARNED_MAX_BYTES);
        slow_provider(&first, seed);
        play(&first, &text);
        slow_provider(&second, seed);
        play(&second, &text);
        if (getenv("ASB_TEST_VERBOSE"))
            (void)fprintf(stderr, "calls %zu, then %zu; %.1f s, then %.1f s\n",
                          (size_t)first.stats.calls, (size_t)second.stats.calls,
                          (double)first.virtual_ns / 1e9,
                          (double)second.virtual_ns / 1e9);
        CHECK_INT(second.stats.calls * 10, <=, first.stats.calls * 8);
        CHECK_INT(second.virtual_ns * 10, <=, first.virtual_ns * 8);
        sim_run_end(&first);
        sim_run_end(&second);
        asbi_buf_fini(&text);
    }
}

/* The count that quality allows is not found out again. */
static void the_size_of_batches_is_remembered(void)
{
    struct sim_run r;
    struct asbi_buf text;
    uint64_t mean[2];

    asbi_buf_init(&text, &asbi_mem_system, ASBI_LEARNED_MAX_BYTES);
    for (int run = 0; run < 2; run++) {
        slow_provider(&r, 3);
        play(&r, &text);
        mean[run] = r.stats.batch_items / r.stats.batches;
        CHECK(r.engine->lane->sizing.count_cap > 25);
        sim_run_end(&r);
    }
    CHECK_INT(mean[1], >, mean[0]);
    asbi_buf_fini(&text);
}

static void another_task_or_model_is_not_taken_for_this(void)
{
    struct sim_run r;
    struct asbi_buf text;
    struct asbi_recalled recalled;
    static const char *const changed[][2] = { { "model", "another" },
                                              { "provider", "openai" },
                                              { "base_url", "http://b/v1" } };

    asbi_buf_init(&text, &asbi_mem_system, ASBI_LEARNED_MAX_BYTES);
    sim_run_init(&r, 1);
    play(&r, &text);
    struct asb_options *o = r.engine->options;
    CHECK_INT(asb_options_set(o, "target_lang", "de", ASB_FROM_HOST, NULL), ==,
              ASB_OK);
    asbi_learned_recall(o, &asbi_mem_system, asbi_buf_view(&text), &recalled);
    CHECK(recalled.has_lane && !recalled.has_kind);
    for (size_t i = 0; i < 3; i++) {
        struct asb_options *copy = asbi_options_copy(o, &asbi_mem_system);

        CHECK_INT(asb_options_set(copy, changed[i][0], changed[i][1],
                                  ASB_FROM_HOST, NULL),
                  ==, ASB_OK);
        asbi_learned_recall(copy, &asbi_mem_system, asbi_buf_view(&text),
                            &recalled);
        CHECK(!recalled.has_lane && !recalled.has_kind);
        asb_options_free(copy);
    }
    sim_run_end(&r);
    asbi_buf_fini(&text);
}

/* ---- the file ----------------------------------------------------------- */

static char folder[64], path[96];
static unsigned warnings;

static void on_log(enum asb_log_level level, const char *line, void *arg)
{
    (void)arg;
    warnings += level == ASB_LOG_WARN && strstr(line, "state: ") != NULL;
}

static void run_with_file(uint64_t seed)
{
    struct asbi_recalled recalled;
    struct sim_run r;

    sim_run_init(&r, seed);
    r.log = on_log;
    sim_run_set(&r, "state", path);
    sim_run_start(&r);
    asbi_learned_load(r.engine->options, &asbi_mem_system, &r.engine->log,
                      &recalled);
    asbi_learned_start(r.engine->lane, &recalled);
    sim_run_play(&r);
    CHECK(r.finished);
    sim_run_end(&r); /* frees the engine, which saves */
}

static void begin(void)
{
    warnings = 0;
    (void)snprintf(folder, sizeof(folder), "/tmp/asb-test-state-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof(path), "%s/state", folder);
}

static void put(asbi_str bytes)
{
    FILE *f = fopen(path, "w");

    CHECK(f && fwrite(bytes.at, 1, bytes.len, f) == bytes.len);
    CHECK(fclose(f) == 0);
}

static bool is_sound(void)
{
    char room[ASBI_LEARNED_MAX_BYTES];
    FILE *f = fopen(path, "r");

    CHECK(f != NULL);
    size_t len = fread(room, 1, sizeof(room), f);
    CHECK(fclose(f) == 0);
    return asbi_learned_is_sound(asbi_str_of(room, len));
}

/* Nothing but the file is left in the folder. */
static void finish(void)
{
    CHECK_INT(unlink(path), ==, 0);
    CHECK_INT(rmdir(folder), ==, 0);
}

static void the_file_is_private_and_whole(void)
{
    struct stat st;

    begin();
    run_with_file(1);
    CHECK_INT(stat(path, &st), ==, 0);
    CHECK_INT(st.st_mode & 0777, ==, 0600);
    CHECK(is_sound());
    run_with_file(2);
    CHECK(is_sound());
    CHECK_INT(warnings, ==, 0);
    finish();
}

static void a_damaged_file_is_left_out_with_one_warning(void)
{
    begin();
    put(ASBI_STR("{\"asyncbatch_learned\":1,\"check\":\"0\"}\nhello\n"));
    run_with_file(1);
    CHECK_INT(warnings, ==, 1);
    CHECK(is_sound()); /* and replaced by a good one */
    finish();
}

/* A name was misspelt: what is there may be all its owner has. */
static void a_file_of_something_else_is_left_as_it_is(void)
{
    static char room[ASBI_LEARNED_MAX_BYTES + 1];
    asbi_str texts[] = { ASBI_STR("id,text\n1,Open the door\n"),
                         { room, sizeof(room) } };

    memset(room, ' ', sizeof(room));
    for (int i = 0; i < 2; i++) {
        struct stat st;

        begin();
        put(texts[i]);
        run_with_file(1);
        CHECK_INT(warnings, ==, 1);
        CHECK_INT(stat(path, &st), ==, 0);
        CHECK_INT((size_t)st.st_size, ==, texts[i].len);
        CHECK(!is_sound());
        finish();
    }
}

static void an_empty_file_is_begun(void)
{
    begin();
    put(ASBI_STR(""));
    run_with_file(1);
    CHECK_INT(warnings, ==, 0);
    CHECK(is_sound());
    finish();
}

static void a_place_that_cannot_be_written_costs_a_warning_only(void)
{
    begin();
    (void)snprintf(path, sizeof(path), "%s/no/such/folder", folder);
    run_with_file(1);
    CHECK_INT(warnings, ==, 1);
    CHECK_INT(rmdir(folder), ==, 0);
}

TEST_MAIN(CASE(a_second_run_starts_well),
          CASE(the_size_of_batches_is_remembered),
          CASE(another_task_or_model_is_not_taken_for_this),
          CASE(the_file_is_private_and_whole),
          CASE(a_damaged_file_is_left_out_with_one_warning),
          CASE(a_file_of_something_else_is_left_as_it_is),
          CASE(an_empty_file_is_begun),
          CASE(a_place_that_cannot_be_written_costs_a_warning_only))

#include "config/load.h"

#include "config/options.h"
#include "engine/base/units.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"
#include "tests/support/option_checks.h"

/* A block as it is found in the pipelines that this replaces, unchanged. */
static const char full_block[] =
    "batch_processing:\n"
    "  # Dynamic batch sizing\n"
    "  dynamic_sizing: true\n"
    "  target_batch_time_ms: 30000  # 30 seconds target\n"
    "  max_workers: 4               # Parallel workers\n"
    "  token_buffer: 500            # Safety buffer\n"
    "  \n"
    "  # Model context windows (for dynamic sizing)\n"
    "  model_context_windows:\n"
    "    claude-haiku-4-5-20251001: 200000\n"
    "    claude-sonnet-4-5-20250929: 200000\n"
    "    gpt-4.1: 128000\n"
    "    gpt-4.1-mini: 128000\n"
    "    default: 128000\n"
    "  \n"
    "  # Historical latency tracking (ms per token)\n"
    "  latency_model:\n"
    "    claude-haiku-4-5-20251001: 0.5\n"
    "    claude-sonnet-4-5-20250929: 0.8\n"
    "    gpt-4.1: 0.6\n"
    "    gpt-4.1-mini: 0.4\n"
    "    gpt-4.1-nano: 0.3\n"
    "  \n"
    "  # Token grouping strategy\n"
    "  grouping:\n"
    "    enabled: true\n"
    "    similarity_threshold: 0.8\n"
    "    max_length_variance: 100\n"
    "  \n"
    "  # Parallel processing\n"
    "  parallel:\n"
    "    enabled: true\n"
    "    max_workers: 4\n"
    "    preserve_order: true\n"
    "    fail_fast: false\n"
    "  \n"
    "  # Metrics export\n"
    "  metrics:\n"
    "    enabled: true\n"
    "    export_path: \"reports/batch_metrics.jsonl\"\n"
    "    realtime_interval_ms: 1000\n";

static void load(struct asb_options *o, const char *text)
{
    struct asb_message why = { "" };

    int rc = asbi_options_load_text(o, text, strlen(text), "p.yaml", &why);
    CHECK_BYTES(why.text, strlen(why.text), "");
    CHECK_INT(rc, ==, ASB_OK);
}

static struct asb_options *loaded(const char *text)
{
    struct asb_options *o = fresh_options();

    load(o, text);
    return o;
}

static void refuses(const char *text, const char *message)
{
    struct asb_options *o = fresh_options();
    struct asb_message why = { "" };

    CHECK_INT(asbi_options_load_text(o, text, strlen(text), "p.yaml", &why), ==,
              ASB_ECONFIG);
    CHECK_BYTES(why.text, strlen(why.text), message);
    asb_options_free(o);
}

/* ---- the batch_processing block --------------------------------------- */

static void the_full_block_loads_unchanged(void)
{
    struct asb_options *o = loaded(full_block);
    const struct asbi_config *c = &o->values;

    CHECK(c->dynamic_sizing);
    CHECK_INT(c->batch_target_ns, ==, 30 * ASBI_SECOND);
    holds(o, "batch_target", "30000ms", ASB_FROM_FILE);
    CHECK_INT(c->workers, ==, 4);
    CHECK_INT(c->token_buffer, ==, 500);
    holds(o, "token_buffer", "500", ASB_FROM_FILE);
    CHECK(c->grouping);
    CHECK(c->similarity_threshold > 0.79 && c->similarity_threshold < 0.81);
    holds(o, "similarity_threshold", "0.8", ASB_FROM_FILE);
    CHECK_INT(c->max_length_variance, ==, 100);
    holds(o, "max_length_variance", "100", ASB_FROM_FILE);
    CHECK(!c->order_by_completion);
    holds(o, "order", "input", ASB_FROM_FILE);
    CHECK(!c->fail_fast);
    holds(o, "fail_fast", "false", ASB_FROM_FILE);
    CHECK_BYTES(c->metrics, strlen(c->metrics), "reports/batch_metrics.jsonl");
    CHECK_INT(c->metrics_interval_ns, ==, ASBI_SECOND);
    holds(o, "metrics_interval", "1000ms", ASB_FROM_FILE);
    CHECK_INT(asb_options_check(o, NULL), ==, ASB_OK);
    asb_options_free(o);
}

static void windows_and_latencies_of_the_block_reach_the_catalogue(void)
{
    static const struct {
        const char *name;
        uint64_t context;
        double latency;
    } want[] = {
        { "claude-haiku-4-5-20251001", 200000, 0.5 },
        { "claude-sonnet-4-5-20250929", 200000, 0.8 },
        { "gpt-4.1", 128000, 0.6 },
        { "gpt-4.1-mini", 128000, 0.4 },
        { "gpt-4.1-nano", 1047576, 0.3 },
        { "somebody-elses", 128000, 0 },
    };
    struct asb_options *o = loaded(full_block);
    struct asbi_model m;

    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        asbi_catalogue_model(o, want[i].name, &m);
        CHECK_INT(m.context_tokens, ==, want[i].context);
        CHECK(m.latency_ms_per_token > want[i].latency - 1e-9 &&
              m.latency_ms_per_token < want[i].latency + 1e-9);
    }
    load(o, "batch_processing:\n  model_context_windows: {default: 9000}\n"
            "  latency_model: {default: 2}\n");
    asbi_catalogue_model(o, "somebody-elses", &m);
    CHECK_INT(m.context_tokens, ==, 9000);
    CHECK(m.latency_ms_per_token > 1.99 && m.assumed);
    asbi_catalogue_model(o, "claude-haiku-4-5-20251001", &m);
    CHECK_INT(m.context_tokens, ==, 200000);
    asb_options_free(o);
}

/* Loads one line of the block at its place. */
static struct asb_options *with(const char *inner)
{
    char text[512];

    (void)snprintf(text, sizeof(text), "batch_processing:\n%s\n", inner);
    return loaded(text);
}

static void each_key_of_the_block_has_its_effect(void)
{
    struct asb_options *o = with("  dynamic_sizing: false");
    CHECK(!o->values.dynamic_sizing);
    CHECK_INT(o->values.batch_size, ==, 25);
    asb_options_free(o);

    o = with("  target_batch_time_ms: 1500");
    CHECK_INT(o->values.batch_target_ns, ==, 1500 * ASBI_MS);
    asb_options_free(o);

    o = with("  target_batch_time_ms: 2s");
    CHECK_INT(o->values.batch_target_ns, ==, 2 * ASBI_SECOND);
    asb_options_free(o);

    o = with("  max_workers: 6");
    CHECK_INT(o->values.workers, ==, 6);
    asb_options_free(o);

    o = with("  token_buffer: 7");
    CHECK_INT(o->values.token_buffer, ==, 7);
    asb_options_free(o);

    o = with("  grouping: {enabled: true, similarity_threshold: 0.25,"
             " max_length_variance: 33}");
    CHECK(o->values.grouping);
    CHECK(o->values.similarity_threshold > 0.24 &&
          o->values.similarity_threshold < 0.26);
    CHECK_INT(o->values.max_length_variance, ==, 33);
    asb_options_free(o);

    o = with("  parallel: {preserve_order: false, fail_fast: true}");
    CHECK(o->values.order_by_completion);
    CHECK(o->values.fail_fast);
    asb_options_free(o);

    o = with("  metrics: {export_path: m.jsonl, realtime_interval_ms: 250}");
    CHECK_BYTES(o->values.metrics, strlen(o->values.metrics), "m.jsonl");
    CHECK_INT(o->values.metrics_interval_ns, ==, 250 * ASBI_MS);
    asb_options_free(o);
}

static void the_inner_key_wins_wherever_it_stands(void)
{
    struct asb_options *o =
        with("  max_workers: 6\n  parallel: {max_workers: 3}");
    CHECK_INT(o->values.workers, ==, 3);
    asb_options_free(o);

    o = with("  parallel: {max_workers: 3}\n  max_workers: 6");
    CHECK_INT(o->values.workers, ==, 3);
    asb_options_free(o);

    o = loaded("workers: 9\nbatch_processing: {parallel: {max_workers: 3}}\n");
    CHECK_INT(o->values.workers, ==, 9);
    asb_options_free(o);
}

static void switched_off_is_off_wherever_it_stands(void)
{
    struct asb_options *o =
        with("  parallel: {max_workers: 3, enabled: false}\n  max_workers: 6");
    CHECK_INT(o->values.workers, ==, 1);
    asb_options_free(o);

    o = with("  parallel: {enabled: false, max_workers: 3}");
    CHECK_INT(o->values.workers, ==, 1);
    asb_options_free(o);

    o = with("  parallel: {enabled: true}");
    holds(o, "workers", "auto", ASB_FROM_DEFAULT);
    asb_options_free(o);

    o = with("  metrics: {enabled: false, export_path: m.jsonl}");
    CHECK_BYTES(o->values.metrics, strlen(o->values.metrics), "");
    asb_options_free(o);

    o = with("  metrics: {export_path: m.jsonl, enabled: false}");
    CHECK_BYTES(o->values.metrics, strlen(o->values.metrics), "");
    asb_options_free(o);
}

static void a_weaker_key_is_checked_all_the_same(void)
{
    refuses("batch_processing:\n  parallel: {max_workers: 3}\n"
            "  max_workers: lots\n",
            "p.yaml:3:16: batch_processing.max_workers: \"lots\" is not "
            "allowed; use a whole number from 0 to 65536, or auto");
}

/* ---- the other keys --------------------------------------------------- */

static void every_option_is_a_key(void)
{
    for (size_t i = 0; i < asbi_option_count; i++) {
        const struct asbi_option *row = &asbi_option_table[i];
        char text[256];

        if (row->command_only)
            continue;
        (void)snprintf(text, sizeof(text), "%s: \"%s\"\n", row->info.name,
                       row->info.fallback);
        struct asb_options *o = loaded(text);
        enum asb_origin origin;
        (void)asb_options_get(o, row->info.name, &origin);
        CHECK_INT(origin, ==, ASB_FROM_FILE);
        for (char *c = text; *c != ':'; c++) {
            if (*c == '_')
                *c = '-';
        }
        asb_options_free(o);
        asb_options_free(loaded(text));
    }
}

static void top_level_keys_are_options(void)
{
    struct asb_options *o = loaded("provider: openai\n"
                                   "model: gpt-4.1-mini\n"
                                   "target-lang: ru\n"
                                   "budget: 12.50\n"
                                   "deadline: 2h\n"
                                   "rpm: 500\n"
                                   "strict: yes\n"
                                   "api_key: env:MY_KEY\n"
                                   "labels: \"good,bad\"\n");
    const struct asbi_config *c = &o->values;

    CHECK_BYTES(c->provider, strlen(c->provider), "openai");
    CHECK_BYTES(c->target_lang, strlen(c->target_lang), "ru");
    CHECK_INT(c->budget, ==, 12500000000);
    CHECK_INT(c->deadline_ns, ==, 7200 * ASBI_SECOND);
    CHECK_INT(c->requests_per_minute, ==, 500);
    CHECK(c->strict);
    holds(o, "api_key", "env:MY_KEY", ASB_FROM_FILE);
    asb_options_free(o);
}

static void the_simulator_has_a_group(void)
{
    struct asb_options *o = loaded("simulator:\n"
                                   "  latency: base=1ms\n"
                                   "  rpm: 60\n"
                                   "  drop-item-rate: 0.5\n"
                                   "  seed: 9\n");

    holds(o, "sim_latency", "base=1ms", ASB_FROM_FILE);
    CHECK_INT(o->values.sim_rpm, ==, 60);
    CHECK(o->values.sim_drop_item_rate > 0.49);
    CHECK_INT(o->values.sim_seed, ==, 9);
    CHECK_INT(o->values.requests_per_minute, ==, 0);
    asb_options_free(o);
}

static void every_simulator_option_is_in_its_group(void)
{
    for (size_t i = 0; i < asbi_option_count; i++) {
        const struct asbi_option *row = &asbi_option_table[i];
        char want[64];

        if (strncmp(row->info.name, "sim_", 4) != 0)
            continue;
        (void)snprintf(want, sizeof(want), "simulator.%s", row->info.name + 4);
        CHECK_INT(row->key_count, ==, 1);
        CHECK_BYTES(row->keys[0].path, strlen(row->keys[0].path), want);
    }
}

static void users_extend_the_catalogue(void)
{
    struct asb_options *o =
        loaded("models:\n"
               "  gpt-4.1-mini: {input: 0.20}\n"
               "  my-model: {context: 9000, input: 1, output: 2}\n"
               "providers:\n"
               "  mine: {base_url: 'https://x/v1', key_variable: MINE}\n");
    struct asbi_model m;
    struct asbi_provider p;

    asbi_catalogue_model(o, "gpt-4.1-mini", &m);
    CHECK_INT(m.input_price, ==, 200000000);
    CHECK_INT(m.output_price, ==, 1600000000);
    asbi_catalogue_model(o, "my-model", &m);
    CHECK_INT(m.context_tokens, ==, 9000);
    CHECK(m.priced && !m.assumed);
    CHECK_INT(asbi_catalogue_provider(o, "mine", &p, NULL), ==, ASB_OK);
    CHECK_BYTES(p.key_variable, strlen(p.key_variable), "MINE");
    asb_options_free(o);
}

static void the_command_line_and_environment_beat_a_file(void)
{
    struct asb_options *o = fresh_options();

    CHECK_INT(
        asbi_options_set_name(o, "workers", "8", ASB_FROM_COMMAND_LINE, NULL),
        ==, ASB_OK);
    CHECK_INT(asbi_options_set_name(o, "token_buffer", "9",
                                    ASB_FROM_ENVIRONMENT, NULL),
              ==, ASB_OK);
    load(o, full_block);
    holds(o, "workers", "8", ASB_FROM_COMMAND_LINE);
    holds(o, "token_buffer", "9", ASB_FROM_ENVIRONMENT);
    holds(o, "fail_fast", "false", ASB_FROM_FILE);
    asb_options_free(o);
}

static void a_second_file_lies_over_the_first(void)
{
    struct asb_options *o = loaded("workers: 3\ntoken_buffer: 1\n");

    load(o, "batch_processing: {max_workers: 5}\n");
    CHECK_INT(o->values.workers, ==, 5);
    CHECK_INT(o->values.token_buffer, ==, 1);
    asb_options_free(o);
}

static void an_empty_file_changes_nothing(void)
{
    asb_options_free(loaded(""));
    asb_options_free(loaded("# nothing\n"));
    asb_options_free(loaded("~\n"));
    asb_options_free(loaded("{}\n"));
    asb_options_free(loaded("batch_processing: {}\n"));
}

/* ---- refusals --------------------------------------------------------- */

static void an_unknown_key_is_told_with_place_and_nearest(void)
{
    refuses("wokrers: 4\n",
            "p.yaml:1:1: wokrers: no such key; did you mean workers?");
    refuses("a: 1\n", "p.yaml:1:1: a: no such key");
    refuses("batch_processing:\n  max_worker: 4\n",
            "p.yaml:2:3: batch_processing.max_worker: no such key; did you "
            "mean max_workers?");
    refuses("batch_processing:\n  paralel: {enabled: true}\n",
            "p.yaml:2:3: batch_processing.paralel: no such key; did you mean "
            "parallel?");
    refuses("batch_procesing: {}\n",
            "p.yaml:1:1: batch_procesing: no such key; did you mean "
            "batch_processing?");
    refuses("batch_processing:\n  metrics:\n    enabled: true\n"
            "    export_paht: x\n",
            "p.yaml:4:5: batch_processing.metrics.export_paht: no such key; "
            "did you mean export_path?");
    refuses("simulator: {latencie: x}\n",
            "p.yaml:1:13: simulator.latencie: no such key; did you mean "
            "latency?");
    refuses("<<: {workers: 1}\n", "p.yaml:1:1: <<: no such key");
}

static void a_key_in_the_wrong_place_is_told_with_the_right_one(void)
{
    refuses("target_batch_time_ms: 5\n",
            "p.yaml:1:1: target_batch_time_ms: no such key here; did you mean "
            "batch_processing.target_batch_time_ms?");
    refuses("batch_processing: {budget: 5}\n",
            "p.yaml:1:20: batch_processing.budget: no such key here; did you "
            "mean budget?");
}

static void a_wrong_value_is_told_with_its_place(void)
{
    refuses("# x\nworkers:   many\n",
            "p.yaml:2:12: workers: \"many\" is not allowed; use a whole number "
            "from 0 to 65536, or auto");
    refuses("batch_processing:\n  grouping:\n    similarity_threshold: 1.5\n",
            "p.yaml:3:27: batch_processing.grouping.similarity_threshold: "
            "\"1.5\" is not allowed; use a number from 0 to 1");
    refuses("batch_processing:\n  target_batch_time_ms: 0\n",
            "p.yaml:2:25: batch_processing.target_batch_time_ms: \"0ms\" is "
            "not allowed; use a duration such as 500ms, 30s or 2h, from 1ms to "
            "1d");
    refuses("batch_processing: {parallel: {enabled: maybe}}\n",
            "p.yaml:1:40: batch_processing.parallel.enabled: takes true or "
            "false");
    refuses("batch_processing: {parallel: {preserve_order: 3}}\n",
            "p.yaml:1:47: batch_processing.parallel.preserve_order: takes true "
            "or false");
    refuses("model: \"a\\nb\"\n",
            "p.yaml:1:8: model: has a control character (byte 2); remove it");
}

static void a_value_of_the_wrong_kind_is_refused(void)
{
    refuses("workers: [1, 2]\n",
            "p.yaml:1:10: workers: takes one value, not a list");
    refuses("workers:\n  max: 2\n",
            "p.yaml:2:3: workers: takes one value, not a mapping");
    refuses("workers:\n",
            "p.yaml:1:9: workers: has no value; give one or remove the key");
    refuses("workers: ~\n",
            "p.yaml:1:10: workers: has no value; give one or remove the key");
    refuses("batch_processing: 4\n",
            "p.yaml:1:19: batch_processing: takes a mapping of further keys");
    refuses("batch_processing:\n  model_context_windows: 4\n",
            "p.yaml:2:26: a mapping of models to numbers is wanted here");
    refuses("batch_processing:\n  model_context_windows: {gpt-4.1: big}\n",
            "p.yaml:2:36: context takes a whole number from 256 to 1000000000");
    refuses("batch_processing:\n  latency_model: {gpt-4.1: 0}\n",
            "p.yaml:2:28: latency_ms_per_token takes a number from 0.0001 to "
            "100000");
    refuses("models: [a]\n", "p.yaml:1:9: a mapping of models is wanted here");
    refuses("- workers\n", "p.yaml:1:1: a configuration is a mapping, such as "
                           "\"workers: 8\"");
    refuses("workers\n", "p.yaml:1:1: a configuration is a mapping, such as "
                         "\"workers: 8\"");
}

static void one_option_twice_is_an_error_naming_both_lines(void)
{
    refuses("workers: 1\nmodel: x\nworkers: 1\n",
            "p.yaml:3:1: key \"workers\" is already set in line 1; remove one "
            "of them");
    refuses("batch-size: 5\nbatch_size: 6\n",
            "p.yaml:2:1: batch_size: is already set in line 1; remove one of "
            "them");
    refuses("requests_per_minute: 5\nrpm: 5\n",
            "p.yaml:2:1: rpm: is already set in line 1; remove one of them");
}

static void a_secret_in_a_file_is_refused_and_not_repeated(void)
{
    struct asb_options *o = fresh_options();
    struct asb_message why;
    const char *text = "model: x\napi_key: sk-Secret123\n";

    CHECK_INT(asbi_options_load_text(o, text, strlen(text), "p.yaml", &why), ==,
              ASB_ECONFIG);
    CHECK(strncmp(why.text, "p.yaml:2:10: api_key: takes env:NAME", 36) == 0);
    CHECK(!strstr(why.text, "Secret"));
    holds(o, "model", "x", ASB_FROM_FILE);
    asb_options_free(o);
}

static void what_belongs_to_the_command_is_no_key(void)
{
    refuses("config: other.yaml\n",
            "p.yaml:1:1: config: is given on the command line, not in a file");
}

static void a_strange_key_is_not_repeated(void)
{
    char text[300];

    refuses("\"a\\eb\": 1\n", "p.yaml:1:1: no option has a key like this one");
    memset(text, 'k', 200);
    memcpy(text + 200, ": 1\n", 5);
    refuses(text, "p.yaml:1:1: no option has a key like this one");
}

static void a_long_file_name_leaves_room_for_the_message(void)
{
    struct asb_options *o = fresh_options();
    struct asb_message why;
    char name[3000];

    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    CHECK_INT(asbi_options_load_text(o, "workers: x", 10, name, &why), ==,
              ASB_ECONFIG);
    CHECK(strstr(why.text, ":1:10: workers: \"x\" is not allowed") != NULL);
    asb_options_free(o);
}

static void any_cut_of_the_block_is_read_or_refused(void)
{
    struct asb_options *o = fresh_options();
    struct asb_message why;

    for (size_t len = 0; len < sizeof(full_block); len += 3) {
        why.text[0] = '\0';
        int rc = asbi_options_load_text(o, full_block, len, "p.yaml", &why);
        CHECK(rc == ASB_OK || rc == ASB_ECONFIG);
        CHECK_INT(rc == ASB_OK, ==, why.text[0] == '\0');
    }
    asb_options_free(o);
}

static void every_failed_allocation_is_survived(void)
{
    struct fault_mem fm;

    fault_mem_init(&fm, 0);
    struct asb_options *o = asbi_options_new(&fm.mem);
    CHECK(o != NULL);
    size_t n = 0;
    int rc;
    do {
        struct asb_message why;

        fm.seen = 0;
        fm.fail_at = ++n;
        rc = asbi_options_load_text(o, full_block, strlen(full_block), "p.yaml",
                                    &why);
        CHECK(rc == ASB_ENOMEM || rc == ASB_OK);
        CHECK_INT(rc == ASB_OK, ==, fm.seen < n);
    } while (rc);
    CHECK_INT(n, >, 20);
    CHECK_INT(o->values.workers, ==, 4);
    asb_options_free(o);
    CHECK_INT(fm.live, ==, 0);
}

TEST_MAIN(CASE(the_full_block_loads_unchanged),
          CASE(windows_and_latencies_of_the_block_reach_the_catalogue),
          CASE(each_key_of_the_block_has_its_effect),
          CASE(the_inner_key_wins_wherever_it_stands),
          CASE(switched_off_is_off_wherever_it_stands),
          CASE(a_weaker_key_is_checked_all_the_same),
          CASE(every_option_is_a_key), CASE(top_level_keys_are_options),
          CASE(the_simulator_has_a_group),
          CASE(every_simulator_option_is_in_its_group),
          CASE(users_extend_the_catalogue),
          CASE(the_command_line_and_environment_beat_a_file),
          CASE(a_second_file_lies_over_the_first),
          CASE(an_empty_file_changes_nothing),
          CASE(an_unknown_key_is_told_with_place_and_nearest),
          CASE(a_key_in_the_wrong_place_is_told_with_the_right_one),
          CASE(a_wrong_value_is_told_with_its_place),
          CASE(a_value_of_the_wrong_kind_is_refused),
          CASE(one_option_twice_is_an_error_naming_both_lines),
          CASE(a_secret_in_a_file_is_refused_and_not_repeated),
          CASE(what_belongs_to_the_command_is_no_key),
          CASE(a_strange_key_is_not_repeated),
          CASE(a_long_file_name_leaves_room_for_the_message),
          CASE(any_cut_of_the_block_is_read_or_refused),
          CASE(every_failed_allocation_is_survived))

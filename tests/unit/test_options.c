#include "config/options.h"

#include <ctype.h>

#include "config/catalogue.h"
#include "engine/base/units.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"
#include "tests/support/option_checks.h"

static void set(struct asb_options *o, const char *name, const char *value,
                enum asb_origin origin)
{
    struct asb_message why = { "" };

    CHECK_INT(asbi_options_set_name(o, name, value, origin, &why), ==, ASB_OK);
    CHECK_BYTES(why.text, strlen(why.text), "");
}

static void refuses(const char *name, const char *value, enum asb_origin origin,
                    int rc, const char *message)
{
    struct asb_options *o = fresh_options();
    struct asb_message why = { "" };

    CHECK_INT(asbi_options_set_name(o, name, value, origin, &why), ==, rc);
    CHECK_BYTES(why.text, strlen(why.text), message);
    asb_options_free(o);
}

/* ---- the table -------------------------------------------------------- */

static void every_default_parses_and_comes_back(void)
{
    struct asb_options *o = fresh_options();
    union asbi_value value;
    struct asb_message why = { "" };

    for (size_t i = 0; i < asbi_option_count; i++) {
        const struct asbi_option *row = &asbi_option_table[i];
        enum asb_origin origin;

        int rc = asbi_option_parse(row, row->info.fallback, row->info.name,
                                   &value, &why);
        CHECK_BYTES(why.text, strlen(why.text), "");
        CHECK_INT(rc, ==, ASB_OK);
        const char *text = asb_options_get(o, row->info.name, &origin);
        CHECK_INT(origin, ==, ASB_FROM_DEFAULT);
        if (strcmp(row->info.name, "model") != 0)
            CHECK_BYTES(text, strlen(text), row->info.fallback);
        /* What is read out can be set again. */
        set(o, row->info.name, text, ASB_FROM_HOST);
        const char *again = asb_options_get(o, row->info.name, &origin);
        CHECK_INT(origin, ==, ASB_FROM_HOST);
        CHECK_BYTES(again, strlen(again), text);
    }
    asb_options_free(o);
}

static void every_row_is_well_formed(void)
{
    for (size_t i = 0; i < asbi_option_count; i++) {
        const struct asbi_option *row = &asbi_option_table[i];
        size_t help = strlen(row->info.help);

        CHECK(row->info.name && row->info.group && row->info.fallback);
        CHECK(help > 10 && row->info.help[help - 1] == '.');
        CHECK_INT(row->info.argument == NULL, ==,
                  row->type == ASBI_OPTION_SWITCH);
        CHECK(strlen(row->info.name) < 32);
        CHECK(!row->info.short_name || strlen(row->info.short_name) == 1);
        for (const char *c = row->info.name; *c; c++)
            CHECK(islower((unsigned char)*c) || isdigit((unsigned char)*c) ||
                  *c == '_');
        CHECK(row->at < sizeof(struct asbi_config));
        CHECK(row->min <= row->max && row->real_min <= row->real_max);
    }
}

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static void no_two_rows_share_a_name_or_a_member(void)
{
    for (size_t i = 0; i < asbi_option_count; i++) {
        const struct asbi_option *a = &asbi_option_table[i];

        CHECK(asbi_option_row(asbi_str_c(a->info.name)) == a);
        for (size_t j = i + 1; j < asbi_option_count; j++) {
            const struct asbi_option *b = &asbi_option_table[j];

            CHECK(a->at != b->at);
            CHECK(!same(a->info.name, b->info.name));
            CHECK(!same(a->info.short_name, b->info.short_name));
            CHECK(!same(a->alias, b->info.name));
            CHECK(!same(a->info.name, b->alias));
            CHECK(!same(a->alias, b->alias));
            CHECK(!same(a->variable, b->variable));
        }
    }
}

static void rows_are_found_by_index_name_and_alias(void)
{
    size_t n = 0;

    while (asb_option_at(n))
        n++;
    CHECK_INT(n, ==, asbi_option_count);
    CHECK(asb_option_find("batch-size") == asb_option_find("batch_size"));
    CHECK(asb_option_find("batch-size") != NULL);
    CHECK(asb_option_find("rpm") == asb_option_find("requests-per-minute"));
    CHECK(asb_option_find("tpm") == asb_option_find("tokens_per_minute"));
    CHECK(!asb_option_find("rmp") && !asb_option_find("") &&
          !asb_option_find(NULL));
    const struct asb_option_info *in = asb_option_find("input");
    CHECK_BYTES(in->short_name, 1, "i");
    CHECK_BYTES(in->argument, strlen(in->argument), "PATH");
    CHECK_BYTES(in->fallback, strlen(in->fallback), "-");
}

static void the_defaults_are_those_of_the_manual(void)
{
    struct asb_options *o = fresh_options();
    const struct asbi_config *c = &o->values;

    CHECK_BYTES(c->provider, strlen(c->provider), "sim");
    CHECK_BYTES(c->model, strlen(c->model), "sim-1");
    CHECK_INT(c->workers, ==, 0);
    CHECK_INT(c->batch_size, ==, 0);
    CHECK(c->dynamic_sizing);
    CHECK_INT(c->batch_items_max, ==, 100);
    CHECK_INT(c->batch_cost_max, ==, 0);
    CHECK_INT(c->batch_target_ns, ==, 30 * ASBI_SECOND);
    CHECK_INT(c->token_buffer, ==, 500);
    CHECK(c->budget == INT64_MAX);
    CHECK_INT(c->deadline_ns, ==, 0);
    CHECK_INT(c->priority, ==, ASB_NORMAL);
    CHECK_INT(c->max_attempts, ==, 4);
    CHECK(c->retry_unknown);
    CHECK_INT(c->max_item_bytes, ==, 1 << 20);
    CHECK_INT(c->max_memory_bytes, ==, 24 << 20);
    CHECK_INT(c->connect_timeout_ns, ==, 10 * ASBI_SECOND);
    CHECK_INT(c->first_byte_timeout_ns, ==, 120 * ASBI_SECOND);
    CHECK_INT(c->stall_timeout_ns, ==, 60 * ASBI_SECOND);
    CHECK_INT(c->call_timeout_ns, ==, 600 * ASBI_SECOND);
    CHECK_INT(c->max_answer_bytes, ==, 16 << 20);
    CHECK_INT(c->max_header_bytes, ==, 64 << 10);
    CHECK_INT(c->metrics_interval_ns, ==, ASBI_SECOND);
    CHECK(c->temperature < 0);
    CHECK(!c->strict && !c->fail_fast && !c->order_by_completion && !c->http2);
    CHECK_INT(asb_options_check(o, NULL), ==, ASB_OK);
    asb_options_free(o);
}

/* ---- setting ---------------------------------------------------------- */

static void values_of_every_type_are_stored(void)
{
    struct asb_options *o = fresh_options();
    const struct asbi_config *c = &o->values;

    set(o, "input", "in file.csv", ASB_FROM_HOST);
    CHECK_BYTES(c->input, strlen(c->input), "in file.csv");
    set(o, "order", "completion", ASB_FROM_HOST);
    CHECK(c->order_by_completion);
    set(o, "priority", "background", ASB_FROM_HOST);
    CHECK_INT(c->priority, ==, ASB_BACKGROUND);
    set(o, "priority", "urgent", ASB_FROM_HOST);
    CHECK_INT(c->priority, ==, ASB_URGENT);
    set(o, "progress", "json", ASB_FROM_HOST);
    CHECK_BYTES(c->progress, strlen(c->progress), "json");
    set(o, "strict", "Yes", ASB_FROM_HOST);
    CHECK(c->strict);
    set(o, "strict", "off", ASB_FROM_HOST);
    CHECK(!c->strict);
    set(o, "workers", "8", ASB_FROM_HOST);
    CHECK_INT(c->workers, ==, 8);
    set(o, "workers", "auto", ASB_FROM_HOST);
    CHECK_INT(c->workers, ==, 0);
    set(o, "deadline", "2h30m", ASB_FROM_HOST);
    CHECK_INT(c->deadline_ns, ==, 9000 * ASBI_SECOND);
    set(o, "deadline", "90", ASB_FROM_HOST);
    CHECK_INT(c->deadline_ns, ==, 90 * ASBI_SECOND);
    set(o, "max-memory", "2MiB", ASB_FROM_HOST);
    CHECK_INT(c->max_memory_bytes, ==, 2 << 20);
    set(o, "budget", "$0.0000114", ASB_FROM_HOST);
    CHECK_INT(c->budget, ==, 11400);
    set(o, "budget", "none", ASB_FROM_HOST);
    CHECK(c->budget == INT64_MAX);
    set(o, "temperature", "0.7", ASB_FROM_HOST);
    CHECK(c->temperature > 0.69 && c->temperature < 0.71);
    set(o, "temperature", "none", ASB_FROM_HOST);
    CHECK(c->temperature < 0);
    set(o, "api_key", "env:MY_KEY", ASB_FROM_HOST);
    CHECK_BYTES(c->api_key, strlen(c->api_key), "env:MY_KEY");
    set(o, "seed", "18446744073709551615", ASB_FROM_HOST);
    CHECK(c->seed == UINT64_MAX);
    asb_options_free(o);
}

static void a_value_is_copied_and_comes_back_as_it_was_given(void)
{
    struct asb_options *o = fresh_options();
    char value[] = "64kB";

    set(o, "max-item-bytes", value, ASB_FROM_COMMAND_LINE);
    memset(value, 'x', 4);
    holds(o, "max_item_bytes", "64kB", ASB_FROM_COMMAND_LINE);
    CHECK_INT(o->values.max_item_bytes, ==, 64000);
    CHECK(!asb_options_get(o, "no_such", NULL));
    asb_options_free(o);
}

static void a_weaker_origin_is_checked_and_ignored(void)
{
    struct asb_options *o = fresh_options();
    struct asb_message why;

    set(o, "workers", "8", ASB_FROM_COMMAND_LINE);
    set(o, "workers", "4", ASB_FROM_FILE);
    set(o, "workers", "5", ASB_FROM_ENVIRONMENT);
    holds(o, "workers", "8", ASB_FROM_COMMAND_LINE);
    CHECK_INT(o->values.workers, ==, 8);
    CHECK_INT(asbi_options_set_name(o, "workers", "x", ASB_FROM_FILE, &why), ==,
              ASB_ECONFIG);
    set(o, "workers", "9", ASB_FROM_COMMAND_LINE);
    holds(o, "workers", "9", ASB_FROM_COMMAND_LINE);
    set(o, "workers", "10", ASB_FROM_HOST);
    holds(o, "workers", "10", ASB_FROM_HOST);
    asb_options_free(o);
}

static void a_refused_value_changes_nothing(void)
{
    struct asb_options *o = fresh_options();
    struct asb_message why;

    set(o, "workers", "8", ASB_FROM_FILE);
    CHECK_INT(asbi_options_set_name(o, "workers", "-1", ASB_FROM_HOST, &why),
              ==, ASB_ECONFIG);
    holds(o, "workers", "8", ASB_FROM_FILE);
    CHECK_INT(o->values.workers, ==, 8);
    asb_options_free(o);
}

static void a_fixed_size_turns_dynamic_sizing_off(void)
{
    struct asb_options *o = fresh_options();
    const struct asbi_config *c = &o->values;

    set(o, "batch_size", "50", ASB_FROM_COMMAND_LINE);
    CHECK(!c->dynamic_sizing);
    CHECK_INT(c->batch_size, ==, 50);
    set(o, "dynamic_sizing", "true", ASB_FROM_HOST);
    CHECK(!c->dynamic_sizing);
    set(o, "batch_size", "auto", ASB_FROM_COMMAND_LINE);
    CHECK(c->dynamic_sizing);
    CHECK_INT(c->batch_size, ==, 0);
    set(o, "dynamic_sizing", "false", ASB_FROM_HOST);
    CHECK(!c->dynamic_sizing);
    CHECK_INT(c->batch_size, ==, 25);
    set(o, "batch_items_max", "10", ASB_FROM_HOST);
    CHECK_INT(c->batch_size, ==, 10);
    holds(o, "batch_size", "auto", ASB_FROM_COMMAND_LINE);
    asb_options_free(o);
}

static void only_the_simulator_has_a_model_of_its_own(void)
{
    struct asb_options *o = fresh_options();

    holds(o, "model", "sim-1", ASB_FROM_DEFAULT);
    set(o, "provider", "openai", ASB_FROM_HOST);
    holds(o, "model", "", ASB_FROM_DEFAULT);
    set(o, "model", "gpt-4.1", ASB_FROM_HOST);
    set(o, "provider", "sim", ASB_FROM_HOST);
    holds(o, "model", "gpt-4.1", ASB_FROM_HOST);
    asb_options_free(o);
}

/* ---- refusals --------------------------------------------------------- */

static void a_wrong_value_says_what_is_allowed(void)
{
    refuses("workers", "many", ASB_FROM_COMMAND_LINE, ASB_ECONFIG,
            "--workers: \"many\" is not allowed; use a whole number from 0 to "
            "65536, or auto");
    refuses("batch-size", "-5", ASB_FROM_COMMAND_LINE, ASB_ECONFIG,
            "--batch-size: \"-5\" is not allowed; use a whole number from 0 to "
            "10000, or auto");
    refuses("max_attempts", "0", ASB_FROM_HOST, ASB_ECONFIG,
            "max_attempts: \"0\" is not allowed; use a whole number from 1 to "
            "100");
    refuses("max_attempts", "101", ASB_FROM_HOST, ASB_ECONFIG,
            "max_attempts: \"101\" is not allowed; use a whole number from 1 "
            "to 100");
    refuses("max_attempts", "18446744073709551617", ASB_FROM_HOST, ASB_ECONFIG,
            "max_attempts: \"18446744073709551617\" is not allowed; use a "
            "whole number from 1 to 100");
    refuses("deadline", "soon", ASB_FROM_HOST, ASB_ECONFIG,
            "deadline: \"soon\" is not allowed; use a duration such as 500ms, "
            "30s or 2h, from 1ms to 366d, or none");
    refuses("connect_timeout", "2d", ASB_FROM_HOST, ASB_ECONFIG,
            "connect_timeout: \"2d\" is not allowed; use a duration such as "
            "500ms, 30s or 2h, from 1ms to 1d");
    refuses("max_header_bytes", "1GiB", ASB_FROM_HOST, ASB_ECONFIG,
            "max_header_bytes: \"1GiB\" is not allowed; use a size such as "
            "64KiB or 2MB, from 1KiB to 16MiB");
    refuses("budget", "0", ASB_FROM_HOST, ASB_ECONFIG,
            "budget: \"0\" is not allowed; use US dollars such as 12.50, above "
            "0, at most 1000000000, or none");
    refuses("budget", "-1", ASB_FROM_HOST, ASB_ECONFIG,
            "budget: \"-1\" is not allowed; use US dollars such as 12.50, "
            "above 0, at most 1000000000, or none");
    refuses("temperature", "2.5", ASB_FROM_HOST, ASB_ECONFIG,
            "temperature: \"2.5\" is not allowed; use a number from 0 to 2, or "
            "none");
    refuses("sim_error_rate", "nan", ASB_FROM_HOST, ASB_ECONFIG,
            "sim_error_rate: \"nan\" is not allowed; use a number from 0 to 1");
    refuses("progress", "fancy", ASB_FROM_HOST, ASB_ECONFIG,
            "progress: \"fancy\" is not allowed; use auto, bar, plain, json or "
            "none");
    refuses("progress", "auto|bar", ASB_FROM_HOST, ASB_ECONFIG,
            "progress: \"auto|bar\" is not allowed; use auto, bar, plain, json "
            "or none");
    refuses("progress", "", ASB_FROM_HOST, ASB_ECONFIG,
            "progress: \"\" is not allowed; use auto, bar, plain, json or "
            "none");
    refuses("order", "random", ASB_FROM_HOST, ASB_ECONFIG,
            "order: \"random\" is not allowed; use input or completion");
    refuses("priority", "high", ASB_FROM_HOST, ASB_ECONFIG,
            "priority: \"high\" is not allowed; use normal, urgent or "
            "background");
    refuses("strict", "maybe", ASB_FROM_HOST, ASB_ECONFIG,
            "strict: \"maybe\" is not allowed; use true or false");
    refuses("provider", "", ASB_FROM_HOST, ASB_ECONFIG,
            "provider: is empty; leave it out for the default, sim");
}

static void a_message_shows_little_and_nothing_that_moves_a_cursor(void)
{
    refuses("workers", "a\033[2Jb\n", ASB_FROM_HOST, ASB_ECONFIG,
            "workers: \"a?[2Jb?\" is not allowed; use a whole number from 0 to "
            "65536, or auto");
    refuses("max_attempts",
            "123456789012345678901234567890123456789\xc3\xa9"
            "123",
            ASB_FROM_HOST, ASB_ECONFIG,
            "max_attempts: \"123456789012345678901234567890123456789...\" is "
            "not allowed; use a whole number from 1 to 100");
}

static void texts_have_no_control_characters_and_are_utf8(void)
{
    refuses("model", "gpt\r\nX-Evil: 1", ASB_FROM_COMMAND_LINE, ASB_ECONFIG,
            "--model: has a control character (byte 4); remove it");
    refuses("input", "a\tb", ASB_FROM_HOST, ASB_ECONFIG,
            "input: has a control character (byte 2); remove it");
    refuses("model", "g\xff", ASB_FROM_HOST, ASB_ECONFIG,
            "model: is not valid UTF-8");
    struct asb_options *o = fresh_options();
    set(o, "input", "name-in-latin-1-\xe9", ASB_FROM_HOST);
    asb_options_free(o);
}

static void a_text_is_bounded(void)
{
    char *text = calloc(1, ASBI_OPTION_TEXT_MAX + 2);

    CHECK(text != NULL);
    memset(text, 'a', ASBI_OPTION_TEXT_MAX + 1);
    refuses("labels", text, ASB_FROM_HOST, ASB_ECONFIG,
            "labels: has 65536 bytes; at most 65535 are allowed");
    text[ASBI_OPTION_TEXT_MAX] = '\0';
    struct asb_options *o = fresh_options();
    set(o, "labels", text, ASB_FROM_HOST);
    asb_options_free(o);
    free(text);
}

static void a_key_is_refused_without_showing_it(void)
{
    struct asb_options *o = fresh_options();
    struct asb_message why;

    CHECK_INT(asbi_options_set_name(o, "api-key", "sk-Secret123",
                                    ASB_FROM_COMMAND_LINE, &why),
              ==, ASB_ECONFIG);
    CHECK(strncmp(why.text, "--api-key: takes env:NAME or file:PATH", 38) == 0);
    CHECK(!strstr(why.text, "Secret"));
    holds(o, "api_key", "", ASB_FROM_DEFAULT);
    asb_options_free(o);
}

static void an_unknown_name_is_told_with_the_nearest(void)
{
    refuses("worker", "1", ASB_FROM_COMMAND_LINE, ASB_ENOENT,
            "--worker: no such option; did you mean --workers?");
    refuses("bugdet", "1", ASB_FROM_HOST, ASB_ENOENT,
            "bugdet: no such option; did you mean budget?");
    refuses("xyzzy", "1", ASB_FROM_HOST, ASB_ENOENT, "xyzzy: no such option");
    refuses("", "1", ASB_FROM_HOST, ASB_ENOENT, ": no such option");
}

static void missing_arguments_are_refused(void)
{
    struct asb_options *o = fresh_options();

    CHECK_INT(asbi_options_set_name(NULL, "workers", "1", ASB_FROM_HOST, NULL),
              ==, ASB_EINVAL);
    CHECK_INT(asbi_options_set_name(o, NULL, "1", ASB_FROM_HOST, NULL), ==,
              ASB_EINVAL);
    CHECK_INT(asbi_options_set_name(o, "workers", NULL, ASB_FROM_HOST, NULL),
              ==, ASB_EINVAL);
    CHECK(!asb_options_get(NULL, "workers", NULL));
    asb_options_free(o);
    asb_options_free(NULL);
}

static void variables_are_named_after_the_option(void)
{
    char name[64];
    const struct asbi_option *row = asbi_option_row(ASBI_STR("workers"));

    CHECK(asbi_option_variable(row, 0, name));
    CHECK_BYTES(name, strlen(name), "ASYNCBATCH_WORKERS");
    CHECK(!asbi_option_variable(row, 1, name));
    row = asbi_option_row(ASBI_STR("batch_items_max"));
    CHECK(asbi_option_variable(row, 0, name));
    CHECK_BYTES(name, strlen(name), "ASYNCBATCH_BATCH_ITEMS_MAX");
    CHECK(asbi_option_variable(row, 1, name));
    CHECK_BYTES(name, strlen(name), "SMART_BATCHER_MAX_SIZE");
    CHECK(!asbi_option_variable(row, 2, name));
    row = asbi_option_row(ASBI_STR("batch_cost_max"));
    CHECK(asbi_option_variable(row, 1, name));
    CHECK_BYTES(name, strlen(name), "SMART_BATCHER_MAX_COST");
}

/* ---- copies ----------------------------------------------------------- */

static void a_copy_has_a_life_of_its_own(void)
{
    struct asb_options *o = fresh_options();

    set(o, "model", "my-model", ASB_FROM_FILE);
    set(o, "provider", "openai", ASB_FROM_FILE);
    set(o, "batch_size", "7", ASB_FROM_COMMAND_LINE);
    set(o, "budget", "3", ASB_FROM_COMMAND_LINE);
    set(o, "summary", "s.json", ASB_FROM_COMMAND_LINE);
    struct asb_options *copy = asbi_options_copy(o, &asbi_mem_system);
    CHECK(copy != NULL);
    CHECK(copy->values.summary != o->values.summary);
    asb_options_free(o);
    holds(copy, "model", "my-model", ASB_FROM_FILE);
    holds(copy, "batch_size", "7", ASB_FROM_COMMAND_LINE);
    holds(copy, "workers", "auto", ASB_FROM_DEFAULT);
    CHECK_BYTES(copy->values.model, strlen(copy->values.model), "my-model");
    CHECK_INT(copy->values.batch_size, ==, 7);
    CHECK(!copy->values.dynamic_sizing);
    CHECK_INT(copy->values.budget, ==, 3000000000);
    CHECK_BYTES(copy->values.summary, strlen(copy->values.summary), "s.json");
    CHECK_INT(copy->values.max_attempts, ==, 4);
    struct asbi_model m;
    asbi_catalogue_model(copy, "gpt-4.1", &m);
    CHECK(!m.assumed);
    asb_options_free(copy);
}

static int life(const struct asbi_mem *mem, void *arg)
{
    struct asb_options *o = asbi_options_new(mem), *copy = NULL;
    struct asb_message why;
    int rc = ASB_ENOMEM;

    (void)arg;
    if (!o)
        goto out;
    rc = asbi_options_set_name(o, "model", "x", ASB_FROM_HOST, &why);
    if (rc)
        goto out;
    rc = ASB_ENOMEM;
    copy = asbi_options_copy(o, mem);
    if (copy)
        rc = ASB_OK;
out:
    asb_options_free(copy);
    asb_options_free(o);
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep(life, NULL), >, 100);
}

TEST_MAIN(CASE(every_default_parses_and_comes_back),
          CASE(every_row_is_well_formed),
          CASE(no_two_rows_share_a_name_or_a_member),
          CASE(rows_are_found_by_index_name_and_alias),
          CASE(the_defaults_are_those_of_the_manual),
          CASE(values_of_every_type_are_stored),
          CASE(a_value_is_copied_and_comes_back_as_it_was_given),
          CASE(a_weaker_origin_is_checked_and_ignored),
          CASE(a_refused_value_changes_nothing),
          CASE(a_fixed_size_turns_dynamic_sizing_off),
          CASE(only_the_simulator_has_a_model_of_its_own),
          CASE(a_wrong_value_says_what_is_allowed),
          CASE(a_message_shows_little_and_nothing_that_moves_a_cursor),
          CASE(texts_have_no_control_characters_and_are_utf8),
          CASE(a_text_is_bounded), CASE(a_key_is_refused_without_showing_it),
          CASE(an_unknown_name_is_told_with_the_nearest),
          CASE(missing_arguments_are_refused),
          CASE(variables_are_named_after_the_option),
          CASE(a_copy_has_a_life_of_its_own),
          CASE(every_failed_allocation_is_survived))

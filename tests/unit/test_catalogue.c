#include "config/catalogue.h"

#include "adapters/dialect.h"
#include "config/options.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

static struct asb_options *with_provider(const char *provider)
{
    struct asb_options *o = asbi_options_new(&asbi_mem_system);

    CHECK(o != NULL);
    CHECK_INT(
        asbi_options_set_name(o, "provider", provider, ASB_FROM_HOST, NULL), ==,
        ASB_OK);
    return o;
}

static void load(struct asb_options *o, const char *text)
{
    struct asb_message why = { "" };

    int rc =
        asbi_catalogue_load(o->catalogue, text, strlen(text), "c.yaml", &why);
    CHECK_BYTES(why.text, strlen(why.text), "");
    CHECK_INT(rc, ==, ASB_OK);
}

static void refuses(const char *text, const char *message)
{
    struct asb_options *o = with_provider("openai");
    struct asb_message why = { "" };

    CHECK_INT(
        asbi_catalogue_load(o->catalogue, text, strlen(text), "c.yaml", &why),
        ==, ASB_ECONFIG);
    CHECK_BYTES(why.text, strlen(why.text), message);
    asb_options_free(o);
}

static void is_model(const struct asb_options *o, const char *name,
                     const char *want)
{
    struct asbi_model m;

    asbi_catalogue_model(o, name, &m);
    CHECK_BYTES(m.name, strlen(m.name), want);
    CHECK(!m.assumed);
}

static void a_host_s_price_is_no_other_host_s(void)
{
    static const struct {
        const char *provider, *model;
        bool priced;
    } cases[] = { { "groq", "openai/gpt-oss-120b", true },
                  { "cerebras", "gpt-oss-120b", true },
                  { "openrouter", "openai/gpt-oss-120b", false },
                  { "together", "gpt-oss-120b", false },
                  { "ollama", "gpt-oss-120b", true },
                  { "azure", "gpt-4.1-mini", true } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct asb_options *o = with_provider(cases[i].provider);
        struct asbi_model m;

        asbi_catalogue_model(o, cases[i].model, &m);
        CHECK(m.priced == cases[i].priced);
        CHECK((m.input_price > 0) == (cases[i].priced && i != 4));
        CHECK(!m.assumed); /* how large it is holds everywhere */
        asb_options_free(o);
    }
}

static void built_in_models_have_their_facts(void)
{
    struct asb_options *o = with_provider("openai");
    struct asbi_model m;

    asbi_catalogue_model(o, "gpt-4.1-mini", &m);
    CHECK_BYTES(m.provider, strlen(m.provider), "openai");
    CHECK_INT(m.context_tokens, ==, 1047576);
    CHECK_INT(m.max_output_tokens, ==, 32768);
    CHECK_INT(m.input_price, ==, 400000000);
    CHECK_INT(m.cached_price, ==, 100000000);
    CHECK_INT(m.output_price, ==, 1600000000);
    CHECK_BYTES(m.tokenizer, strlen(m.tokenizer), "o200k");
    CHECK(m.priced && !m.assumed);
    CHECK(m.token_factor > 0.99 && m.token_factor < 1.01);
    asbi_catalogue_model(o, "gpt-5-nano", &m);
    CHECK_INT(m.cached_price, ==, 5000000);
    asbi_catalogue_model(o, "sim-1", &m);
    CHECK_INT(m.context_tokens, ==, 128000);
    CHECK_INT(m.max_output_tokens, ==, 16384);
    CHECK_INT(m.input_price, ==, 400000000);
    CHECK_INT(m.output_price, ==, 1600000000);
    asb_options_free(o);
}

static void every_built_in_entry_is_whole(void)
{
    struct asb_options *o = with_provider("openai");
    const struct asbi_records *models = &o->catalogue->models[0];
    const struct asbi_records *providers = &o->catalogue->providers[0];
    struct asbi_provider p;
    struct asbi_model m;

    CHECK_INT(models->count, >, 15);
    for (size_t i = 0; i < models->count; i++) {
        asbi_catalogue_entry(o->catalogue, models->at[i].name, &m);
        CHECK(m.priced && !m.assumed);
        CHECK(m.cached_price <= m.input_price);
        CHECK(m.input_price <= m.output_price || m.output_price == 0);
        CHECK(m.cache_write_price == 0 || m.cache_write_price > m.input_price);
        CHECK(m.max_output_tokens < m.context_tokens);
        CHECK_INT(strlen(m.dated), ==, 10);
        CHECK(strlen(m.source) > 0);
        CHECK_INT(asbi_catalogue_provider(o, m.provider, &p, NULL), ==, ASB_OK);
    }
    CHECK_INT(providers->count, >, 10);
    for (size_t i = 0; i < providers->count; i++) {
        CHECK_INT(asbi_catalogue_provider(o, providers->at[i].name, &p, NULL),
                  ==, ASB_OK);
        CHECK(asbi_dialect_find(p.dialect) != NULL);
        size_t len = strlen(p.base_url);
        CHECK(len == 0 || (strncmp(p.base_url, "http", 4) == 0 &&
                           p.base_url[len - 1] != '/'));
    }
    asb_options_free(o);
}

static void dates_and_makers_are_looked_through(void)
{
    struct asb_options *o = with_provider("openrouter");

    is_model(o, "gpt-4.1-mini-2025-04-14", "gpt-4.1-mini");
    is_model(o, "gpt-4.1-mini-20250414", "gpt-4.1-mini");
    is_model(o, "gpt-4o-latest", "gpt-4o");
    is_model(o, "openai/gpt-4.1-mini", "gpt-4.1-mini");
    is_model(o, "a/b/gpt-4.1-mini-2025-04-14", "gpt-4.1-mini");
    is_model(o, "gpt-4o-2024-05-13", "gpt-4o-2024-05-13");
    is_model(o, "gpt-4o-2024-08-06", "gpt-4o");
    asb_options_free(o);
}

static void a_name_that_only_begins_like_a_known_one_is_unknown(void)
{
    static const char *const names[] = {
        "gpt-4.1-mini-x",
        "gpt-4.1-mini-2025",
        "gpt-4.1-mini-2025-04-1x",
        "gpt-4",
        "-2025-04-14",
        "gpt-4.1/other",
        "GPT-4.1",
        "",
    };
    struct asb_options *o = with_provider("openai");
    struct asbi_model m;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        asbi_catalogue_model(o, names[i], &m);
        CHECK(m.assumed && !m.priced);
        CHECK_BYTES(m.name, strlen(m.name), names[i]);
        CHECK_INT(m.context_tokens, ==, 128000);
        CHECK_INT(m.max_output_tokens, ==, 8192);
        CHECK_INT(m.input_price + m.cached_price + m.output_price, ==, 0);
    }
    asb_options_free(o);
}

static void the_simulator_bills_every_model(void)
{
    struct asb_options *o = with_provider("sim");
    struct asbi_model m;

    asbi_catalogue_model(o, "whatever", &m);
    CHECK(m.priced && m.assumed);
    CHECK_INT(m.input_price, ==, 400000000);
    CHECK_INT(m.cached_price, ==, 100000000);
    CHECK_INT(m.output_price, ==, 1600000000);
    asbi_catalogue_model(o, "gpt-4o", &m);
    CHECK_INT(m.input_price, ==, 2500000000);
    asb_options_free(o);
}

static void the_users_own_machines_cost_nothing(void)
{
    struct asb_options *o = with_provider("ollama");
    struct asbi_model m;

    asbi_catalogue_model(o, "llama3", &m);
    CHECK(m.priced && m.assumed);
    CHECK_INT(m.output_price, ==, 0);
    asbi_catalogue_model(o, "gpt-4o", &m);
    CHECK(m.priced);
    CHECK_INT(m.output_price, ==, 0);
    asb_options_free(o);
}

static void a_layer_changes_only_what_it_names(void)
{
    struct asb_options *o = with_provider("openai");
    struct asbi_model m;

    load(o, "models: {gpt-4o: {input: 3, tokenizer: cl100k}}\n"
            "providers: {openai: {base_url: 'https://proxy/v1'}}\n");
    asbi_catalogue_model(o, "gpt-4o", &m);
    CHECK_INT(m.input_price, ==, 3000000000);
    CHECK_INT(m.output_price, ==, 10000000000);
    CHECK_BYTES(m.tokenizer, strlen(m.tokenizer), "cl100k");
    struct asbi_provider p;
    CHECK_INT(asbi_catalogue_provider(o, "openai", &p, NULL), ==, ASB_OK);
    CHECK_BYTES(p.base_url, strlen(p.base_url), "https://proxy/v1");
    CHECK_BYTES(p.key_variable, strlen(p.key_variable), "OPENAI_API_KEY");
    CHECK(p.structured);
    asb_options_free(o);
}

static void a_new_catalogue_file_replaces_the_last(void)
{
    struct asb_options *o = with_provider("openai");
    struct asbi_model m;

    struct asbi_provider p;

    load(o, "models: {gpt-4o: {input: 3}, mine: {context: 1000}}\n"
            "providers: {mine: {free: true}}\n");
    CHECK_INT(asbi_catalogue_provider(o, "mine", &p, NULL), ==, ASB_OK);
    CHECK(p.free);
    load(o, "models: {mine: {max_output: 300}}\n");
    asbi_catalogue_model(o, "gpt-4o", &m);
    CHECK_INT(m.input_price, ==, 2500000000);
    asbi_catalogue_model(o, "mine", &m);
    CHECK_INT(m.context_tokens, ==, 128000);
    CHECK_INT(m.max_output_tokens, ==, 300);
    CHECK_INT(asbi_catalogue_provider(o, "mine", &p, NULL), ==, ASB_ENOENT);
    load(o, "");
    asbi_catalogue_model(o, "mine", &m);
    CHECK(m.assumed);
    asb_options_free(o);
}

static void half_a_price_is_no_price(void)
{
    struct asb_options *o = with_provider("openai");
    struct asbi_model m;

    load(o, "models:\n  a: {input: 1}\n  b: {input: 1, output: 2}\n"
            "  c: {input: 0, output: 0}\n");
    asbi_catalogue_model(o, "a", &m);
    CHECK(!m.priced);
    CHECK_INT(m.input_price, ==, 0);
    asbi_catalogue_model(o, "b", &m);
    CHECK(m.priced);
    CHECK_INT(m.cached_price, ==, 1000000000);
    asbi_catalogue_model(o, "c", &m);
    CHECK(m.priced);
    asb_options_free(o);
}

static void an_answer_is_never_longer_than_the_context(void)
{
    struct asb_options *o = with_provider("openai");
    struct asbi_model m;

    load(o, "models:\n  small: {context: 1000}\n"
            "  odd: {context: 1000, max_output: 5000}\n");
    asbi_catalogue_model(o, "small", &m);
    CHECK_INT(m.max_output_tokens, ==, 500);
    asbi_catalogue_model(o, "odd", &m);
    CHECK_INT(m.max_output_tokens, ==, 1000);
    asb_options_free(o);
}

static void models_of_a_provider_are_listed_once(void)
{
    struct asb_options *o = with_provider("openai");
    const struct asbi_records *built_in = &o->catalogue->models[0];
    size_t n = 0, mine = 0, known = 0;
    const char *name;

    load(o, "models:\n  gpt-4o: {input: 3}\n"
            "  mine: {provider: openai}\n  other: {provider: groq}\n");
    while ((name = asbi_catalogue_model_of(o->catalogue, "openai", n))) {
        mine += strcmp(name, "mine") == 0 || strcmp(name, "gpt-4o") == 0;
        CHECK(strcmp(name, "other") != 0 && strcmp(name, "sim-1") != 0);
        n++;
    }
    CHECK_INT(mine, ==, 2);
    for (size_t i = 0; i < built_in->count; i++)
        known += !strcmp(built_in->at[i].value.model.provider, "openai");
    CHECK_INT(known, >, 10);
    CHECK_INT(n, ==, known + 1);
    asb_options_free(o);
}

static void an_unknown_provider_is_told_with_the_known(void)
{
    struct asb_options *o = with_provider("sim");
    struct asbi_provider p;
    struct asb_message why;

    CHECK_INT(asbi_catalogue_provider(o, "opnai", &p, &why), ==, ASB_ENOENT);
    const char *want = "provider \"opnai\" is not known; did you mean "
                       "\"openai\"? Known are: sim, openai, openai_";
    CHECK_BYTES(why.text, strlen(want), want);
    CHECK_INT(asbi_catalogue_provider(o, "zzzzz", &p, &why), ==, ASB_ENOENT);
    CHECK(strstr(why.text, "known are: sim, openai") != NULL);
    asb_options_free(o);
}

static void a_wrong_entry_is_told_with_its_place(void)
{
    refuses("models:\n  a: {contxt: 5}\n",
            "c.yaml:2:7: a model has no \"contxt\"; did you mean \"context\"?");
    refuses("models:\n  a: {xyzzy: 5}\n",
            "c.yaml:2:7: a model has no \"xyzzy\"");
    refuses("models:\n  a: {input: -1}\n",
            "c.yaml:2:14: input takes US dollars per million tokens, such as "
            "0.40, at most 1000000");
    refuses("models:\n  a: {context: 1.5}\n",
            "c.yaml:2:16: context takes a whole number from 256 to 1000000000");
    refuses("models:\n  a: {context: }\n",
            "c.yaml:2:16: context takes a whole number from 256 to 1000000000");
    refuses("models:\n  a: {token_factor: inf}\n",
            "c.yaml:2:21: token_factor takes a number from 0.1 to 10");
    refuses("models:\n  a: {tokenizer: gpt}\n",
            "c.yaml:2:18: tokenizer takes one of o200k|cl100k");
    refuses("models:\n  a: {source: \"x\\ny\"}\n",
            "c.yaml:2:15: source takes one line of text of at most 1024 bytes");
    refuses("models:\n  a: 5\n",
            "c.yaml:2:6: a model is a mapping, such as {provider: ...}");
    refuses("models:\n  '': {context: 500}\n",
            "c.yaml:2:3: this cannot be the name of a model");
    refuses("providers:\n  a: {free: maybe}\n",
            "c.yaml:2:13: free takes true or false");
    refuses("providers:\n  a: {key_varable: X}\n",
            "c.yaml:2:7: a provider has no \"key_varable\"; did you mean "
            "\"key_variable\"?");
    refuses("workers: 3\n",
            "c.yaml:1:1: a catalogue has no \"workers\", only \"models\" and "
            "\"providers\"");
    refuses("[]\n", "c.yaml:1:1: a catalogue is a mapping");
}

static void the_ends_of_a_range_are_in_it(void)
{
    struct asb_options *o = with_provider("openai");
    struct asbi_model m;

    load(o, "models:\n"
            "  a: {context: 256, token_factor: 0.1, input: 0, output: 0}\n"
            "  b: {context: 1000000000, token_factor: 10, input: 1000000,"
            " output: 1000000}\n");
    asbi_catalogue_model(o, "a", &m);
    CHECK_INT(m.context_tokens, ==, 256);
    asbi_catalogue_model(o, "b", &m);
    CHECK_INT(m.context_tokens, ==, 1000000000);
    CHECK_INT(m.input_price, ==, 1000000000000000);
    asb_options_free(o);
}

static void the_number_of_entries_is_bounded(void)
{
    char *text = malloc(200000);
    struct asb_options *o = with_provider("openai");
    struct asb_message why;
    size_t len;

    CHECK(text != NULL);
    len = (size_t)snprintf(text, 200000, "models:\n");
    for (unsigned i = 0; i <= ASBI_RECORDS_MAX; i++)
        len += (size_t)snprintf(text + len, 200000 - len,
                                " m%u: {context: 500}\n", i);
    CHECK_INT(asbi_catalogue_load(o->catalogue, text, len, "c.yaml", &why), ==,
              ASB_ECONFIG);
    CHECK_BYTES(why.text, strlen(why.text),
                "c.yaml:4098:2: more than 4096 models");
    asb_options_free(o);
    free(text);
}

static void a_fault_leaves_the_file_unread_for_another_try(void)
{
    struct asb_options *o = with_provider("openai");

    load(o, "models: {}\n");
    CHECK(o->catalogue->file != NULL);
    CHECK_INT(asbi_catalogue_load(o->catalogue, "x: 1", 4, "c.yaml", NULL), ==,
              ASB_ECONFIG);
    CHECK(o->catalogue->file == NULL);
    asb_options_free(o);
}

static int life(const struct asbi_mem *mem, void *arg)
{
    const char *text = "models: {a: {source: x, input: 1}, b: {dated: y}}\n"
                       "providers: {p: {base_url: 'http://x'}}\n";
    struct asbi_catalogue *c = asbi_catalogue_new(mem), *copy = NULL;
    int rc = ASB_ENOMEM;

    (void)arg;
    if (c)
        rc = asbi_catalogue_load(c, text, strlen(text), "c.yaml", NULL);
    copy = rc ? NULL : asbi_catalogue_copy(c, mem);
    if (!copy)
        rc = ASB_ENOMEM;
    asbi_catalogue_free(copy);
    asbi_catalogue_free(c);
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep(life, NULL), >, 0);
}

TEST_MAIN(CASE(a_host_s_price_is_no_other_host_s),
          CASE(built_in_models_have_their_facts),
          CASE(every_built_in_entry_is_whole),
          CASE(dates_and_makers_are_looked_through),
          CASE(a_name_that_only_begins_like_a_known_one_is_unknown),
          CASE(the_simulator_bills_every_model),
          CASE(the_users_own_machines_cost_nothing),
          CASE(a_layer_changes_only_what_it_names),
          CASE(a_new_catalogue_file_replaces_the_last),
          CASE(half_a_price_is_no_price),
          CASE(an_answer_is_never_longer_than_the_context),
          CASE(models_of_a_provider_are_listed_once),
          CASE(an_unknown_provider_is_told_with_the_known),
          CASE(a_wrong_entry_is_told_with_its_place),
          CASE(the_ends_of_a_range_are_in_it),
          CASE(the_number_of_entries_is_bounded),
          CASE(a_fault_leaves_the_file_unread_for_another_try),
          CASE(every_failed_allocation_is_survived))

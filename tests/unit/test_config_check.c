#include "config/options.h"

#include "config/load.h"
#include "tests/support/check.h"

struct setting {
    const char *name, *value;
};

static struct asb_options *with(const struct setting *settings, size_t count)
{
    struct asb_options *o = asbi_options_new(&asbi_mem_system);

    CHECK(o != NULL);
    for (size_t i = 0; i < count; i++)
        CHECK_INT(asbi_options_set_name(o, settings[i].name, settings[i].value,
                                        ASB_FROM_HOST, NULL),
                  ==, ASB_OK);
    return o;
}

static void judge(const struct setting *settings, size_t count,
                  const char *message)
{
    struct asb_options *o = with(settings, count);
    struct asb_message why = { "stale" };

    int rc = asb_options_check(o, &why);
    CHECK_BYTES(why.text, strlen(why.text), message);
    CHECK_INT(rc, ==, message[0] ? ASB_ECONFIG : ASB_OK);
    asb_options_free(o);
}

#define JUDGE(message, ...)                                                   \
    judge((const struct setting[]){ __VA_ARGS__ },                            \
          sizeof((struct setting[]){ __VA_ARGS__ }) / sizeof(struct setting), \
          (message))

#define OPENAI                  \
    { "provider", "openai" },   \
    {                           \
        "model", "gpt-4.1-mini" \
    }

static void good_options_pass(void)
{
    JUDGE("", { "provider", "sim" });
    JUDGE("", OPENAI, { "budget", "5" }, { "task", "translate" },
          { "target_lang", "ru" });
    JUDGE("", { "provider", "ollama" }, { "model", "llama3" },
          { "budget", "5" });
    JUDGE("", { "provider", "sim" }, { "model", "any" }, { "budget", "5" });
    JUDGE("", OPENAI, { "base_url", "http://127.0.0.1:8080/v1" });
    JUDGE("", OPENAI, { "base_url", "https://host/a@b" });
    CHECK_INT(asb_options_check(NULL, NULL), ==, ASB_EINVAL);
}

static void an_unknown_provider_is_refused(void)
{
    struct asb_options *o =
        with((const struct setting[]){ { "provider", "opnai" } }, 1);
    struct asb_message why;

    CHECK_INT(asb_options_check(o, &why), ==, ASB_ECONFIG);
    CHECK(strstr(why.text, "did you mean \"openai\"?") != NULL);
    asb_options_free(o);
}

static void a_provider_other_than_the_simulator_needs_a_model(void)
{
    struct asb_options *o =
        with((const struct setting[]){ { "provider", "openai" } }, 1);
    struct asb_message why;

    CHECK_INT(asb_options_check(o, &why), ==, ASB_ECONFIG);
    CHECK(strstr(why.text,
                 "model: provider openai needs one; give --model "
                 "NAME or the key model; known are: gpt-4.1, ") == why.text);
    asb_options_free(o);
    JUDGE("model: provider fireworks needs one; give --model NAME or the key "
          "model",
          { "provider", "fireworks" });
}

static void an_address_must_be_one_and_hold_no_password(void)
{
    const char *form = "base_url: begins with http:// or https:// and a host, "
                       "such as https://api.example.com/v1";

    JUDGE(form, OPENAI, { "base_url", "api.openai.com/v1" });
    JUDGE(form, OPENAI, { "base_url", "ftp://x" });
    JUDGE(form, OPENAI, { "base_url", "http://" });
    JUDGE(form, OPENAI, { "base_url", "http://a b" });
    JUDGE("base_url: must not hold a user or a password; give the key by "
          "api_key: env:NAME",
          OPENAI, { "base_url", "https://me:pw@host/v1" });
    JUDGE("base_url: provider azure has none of its own; give the address "
          "where its API begins",
          { "provider", "azure" }, { "model", "gpt-4o" });
}

static void a_proxy_holds_no_password(void)
{
    const char *refusal = "proxy: must not hold a user or a password; leave it "
                          "out and set the variable https_proxy or http_proxy";

    JUDGE(refusal, { "proxy", "http://me:pw@proxy:3128" });
    JUDGE(refusal, { "proxy", "me:pw@proxy:3128" });
    JUDGE("", { "proxy", "http://proxy:3128" });
    JUDGE("", { "proxy", "none" });
}

static void the_address_for_alerts_is_one_and_holds_no_password(void)
{
    const char *form = "budget_webhook: write an http:// or https:// address";

    JUDGE(form, { "budget_webhook", "ftp://x" });
    JUDGE(form, { "budget_webhook", "https://" });
    JUDGE("budget_webhook: must not hold a user or a password; take an address "
          "whose path only the two of you know, from the variable "
          "ASYNCBATCH_BUDGET_WEBHOOK or a file",
          { "budget_webhook", "https://me:pw@there/alerts" });
    JUDGE("", { "budget_webhook", "https://there/alerts?to=a@b" });
}

static void texts_are_read_as_by_their_users(void)
{
    JUDGE("class_shares: \"urgent=0\" is no known name and value; see the "
          "default for the form",
          { "class_shares", "urgent=0" });
    JUDGE("cache_url: write an http:// or https:// address without user, query "
          "or fragment; a token by cache_url_token",
          { "cache_url", "edge.example" });
    JUDGE("", { "cache_url", "edge.example" }, { "no_cache", "true" });
    JUDGE("sim_job_time: \"soon\" is no time such as 2s, nor two such as "
          "20s..3m",
          { "sim_job_time", "soon" });
    JUDGE("", OPENAI, { "sim_job_time", "soon" });
}

static void a_limit_in_money_needs_a_price(void)
{
    JUDGE("budget: cannot be kept, since the price of model new-one is not "
          "known; give it in the configuration, in US dollars per million "
          "tokens: models: {\"new-one\": {input: 0.40, output: 1.60}}",
          { "provider", "openai" }, { "model", "new-one" }, { "budget", "5" });
    JUDGE("batch_cost_max: cannot be kept, since the price of model new-one is "
          "not known; give it in the configuration, in US dollars per million "
          "tokens: models: {\"new-one\": {input: 0.40, output: 1.60}}",
          { "provider", "openai" }, { "model", "new-one" },
          { "batch_cost_max", "5" });
    JUDGE("", { "provider", "openai" }, { "model", "new-one" });
}

static void the_remedy_for_a_missing_price_works(void)
{
    struct asb_options *o =
        with((const struct setting[]){ { "provider", "openai" },
                                       { "model", "new-one" },
                                       { "budget", "5" } },
             3);
    const char *text = "models: {\"new-one\": {input: 0.40, output: 1.60}}";

    CHECK_INT(asb_options_check(o, NULL), ==, ASB_ECONFIG);
    CHECK_INT(asbi_options_load_text(o, text, strlen(text), "f", NULL), ==,
              ASB_OK);
    CHECK_INT(asb_options_check(o, NULL), ==, ASB_OK);
    asb_options_free(o);
}

static void tasks_need_their_material(void)
{
    JUDGE("target_lang: task translate needs it; give --target-lang LANG",
          OPENAI, { "task", "translate" });
    JUDGE("", { "task", "translate" });
    JUDGE("labels: task classify needs them; give --labels A,B,C",
          { "task", "classify" });
    JUDGE("", { "task", "classify" }, { "labels", "a,b" });
}

static void a_fixed_size_over_a_cap_that_was_set_is_refused(void)
{
    JUDGE("batch_size: 50 is over batch_items_max, 25; lower the one or raise "
          "the other",
          { "batch_size", "50" }, { "batch_items_max", "25" });
    JUDGE("", { "batch_size", "500" });
    JUDGE("", { "batch_size", "25" }, { "batch_items_max", "25" });
    struct asb_options *o = with(NULL, 0);
    CHECK_INT(asbi_options_set_name(o, "batch_items_max", "25",
                                    ASB_FROM_ENVIRONMENT, NULL),
              ==, ASB_OK);
    CHECK_INT(asbi_options_set_name(o, "batch_size", "50",
                                    ASB_FROM_COMMAND_LINE, NULL),
              ==, ASB_OK);
    CHECK_INT(asb_options_check(o, NULL), ==, ASB_OK);
    asb_options_free(o);
}

static void sizes_must_fit_each_other(void)
{
    JUDGE("max_item_bytes: 1048576 is over max_memory, 65536; lower the one or "
          "raise the other",
          { "max_memory", "64KiB" });
    JUDGE("token_buffer: 128000 leaves nothing of the context of model sim-1, "
          "128000 tokens",
          { "token_buffer", "128000" });
}

static void no_file_has_two_uses(void)
{
    JUDGE("output: is the same file as input, \"a.csv\"; give another",
          { "input", "a.csv" }, { "output", "a.csv" });
    JUDGE("output: is the same file as metrics, \"a\"; give another",
          { "metrics", "a" }, { "output", "a" });
    JUDGE("metrics: is the same file as summary, \"a\"; give another",
          { "metrics", "a" }, { "summary", "a" });
    JUDGE("summary: is the same file as glossary, \"g\"; give another",
          { "summary", "g" }, { "glossary", "g" });
    JUDGE("", { "style", "g" }, { "instructions", "g" });
    JUDGE("", { "input", "-" }, { "output", "-" });
}

static void standard_output_is_for_answers_only(void)
{
    JUDGE("metrics: takes a file; standard output is for answers only",
          { "metrics", "-" });
    JUDGE("summary: takes a file; standard output is for answers only",
          { "summary", "-" });
}

static void warns(const struct setting *settings, size_t count, size_t index,
                  const char *message)
{
    struct asb_options *o = with(settings, count);
    struct asb_message why = { "stale" };

    CHECK_INT(asbi_options_warning(o, index, &why), ==, message[0] != '\0');
    CHECK_BYTES(why.text, strlen(why.text), message);
    asb_options_free(o);
}

static void oddities_are_warned_of_one_by_one(void)
{
    const struct setting odd[] = { { "provider", "openai" },
                                   { "model", "new-one" },
                                   { "base_url", "http://example.com/v1" } };
    const struct setting local[] = { { "provider", "ollama" },
                                     { "model", "gpt-4o" } };

    warns(odd, 3, 0,
          "model new-one is not in the catalogue; assumed are a context of "
          "128000 tokens, answers of at most 8192 and the tokenizer o200k; say "
          "better under models: in the configuration");
    warns(odd, 3, 1,
          "the price of model new-one is not known; costs are shown as 0 "
          "although the provider may bill");
    warns(odd, 3, 2,
          "base_url is not encrypted: key and texts can be read on the way; "
          "use https:// if the server has it");
    warns(odd, 3, 3, "");
    warns(local, 2, 0, "");
    warns(NULL, 0, 0, "");
}

static void another_server_has_not_the_prices_of_the_simulator(void)
{
    static const char said[] =
        "model new-one is not in the catalogue; assumed are a context of "
        "128000 tokens, answers of at most 8192, the tokenizer o200k and the "
        "prices of the simulator, as no other provider is named by "
        "--provider; say better under models: in the configuration";
    const struct setting model = { "model", "new-one" };
    struct asb_options *o = with(&model, 1);
    struct asb_message why = { "" };

    CHECK(!asbi_options_warning(o, 0, &why));
    CHECK_INT(asb_options_set(o, "base_url", "http://localhost/v1",
                              ASB_FROM_COMMAND_LINE, &why),
              ==, ASB_OK);
    CHECK(asbi_options_warning(o, 0, &why));
    CHECK_BYTES(why.text, strlen(why.text), said);
    CHECK(!asbi_options_warning(o, 1, &why));
    /* A simulator that the host has started itself. */
    CHECK_INT(asb_options_set(o, "base_url", "http://localhost/v1",
                              ASB_FROM_HOST, &why),
              ==, ASB_OK);
    CHECK(!asbi_options_warning(o, 0, &why));
    asb_options_free(o);
}

static void only_this_machine_may_be_asked_in_clear_text(void)
{
    static const char *const here[] = { "http://localhost/v1",
                                        "http://LocalHost:8080",
                                        "http://127.0.0.2:80/v1",
                                        "http://[::1]:8080/v1" };
    static const char *const there[] = { "http://localhost.example.com/v1",
                                         "http://127.example.com",
                                         "http://[::11]/v1", "http://[::1" };

    for (size_t i = 0; i < 4; i++) {
        const struct setting safe[] = { { "base_url", here[i] } };
        const struct setting odd[] = { { "base_url", there[i] } };

        warns(safe, 1, 0, "");
        warns(odd, 1, 0,
              "base_url is not encrypted: key and texts can be read on the "
              "way; use https:// if the server has it");
    }
}

TEST_MAIN(CASE(good_options_pass), CASE(an_unknown_provider_is_refused),
          CASE(a_provider_other_than_the_simulator_needs_a_model),
          CASE(an_address_must_be_one_and_hold_no_password),
          CASE(a_proxy_holds_no_password),
          CASE(the_address_for_alerts_is_one_and_holds_no_password),
          CASE(texts_are_read_as_by_their_users),
          CASE(a_limit_in_money_needs_a_price),
          CASE(the_remedy_for_a_missing_price_works),
          CASE(tasks_need_their_material),
          CASE(a_fixed_size_over_a_cap_that_was_set_is_refused),
          CASE(sizes_must_fit_each_other), CASE(no_file_has_two_uses),
          CASE(standard_output_is_for_answers_only),
          CASE(oddities_are_warned_of_one_by_one),
          CASE(another_server_has_not_the_prices_of_the_simulator),
          CASE(only_this_machine_may_be_asked_in_clear_text))

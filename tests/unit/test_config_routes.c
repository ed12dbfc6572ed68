/* The lanes of a job as text and as YAML. */
#include "config/routes.h"

#include "config/load.h"
#include "config/options.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

static struct asb_options *fresh(void)
{
    struct asb_options *o = asbi_options_new(&asbi_mem_system);

    CHECK(o != NULL);
    return o;
}

static void set(struct asb_options *o, const char *name, const char *value)
{
    struct asb_message why;

    if (asbi_options_set_name(o, name, value, ASB_FROM_COMMAND_LINE, &why))
        check_fail(__FILE__, __LINE__, "%s", why.text);
}

static struct asbi_route lane(const struct asb_options *o, size_t index)
{
    struct asbi_route route;

    CHECK_INT(asbi_route_read(o, index, &asbi_mem_system, &route, NULL), ==,
              ASB_OK);
    return route;
}

#define SAYS(text, want) CHECK_BYTES((text), strlen(text), want)

static void without_them_a_job_has_one_lane(void)
{
    struct asb_options *o = fresh();

    set(o, "provider", "groq");
    set(o, "model", "some-model");
    CHECK_INT(asbi_route_count(o), ==, 1);
    struct asbi_route only = lane(o, 0);
    CHECK_INT(only.weight, ==, 1);
    SAYS(only.name, "groq/some-model");
    asbi_route_fini(&only);
    asb_options_free(o);
}

static void a_lane_says_its_own_and_takes_the_rest_from_the_job(void)
{
    struct asb_options *o = fresh();

    set(o, "provider", "openai");
    set(o, "model", "gpt-4.1-mini");
    set(o, "base_url", "https://own.example/v1");
    set(o, "api_key", "env:OWN_KEY");
    set(o, "rpm", "500");
    set(o, "routes",
        "weight=3 ; groq/llama-3.3-70b-versatile, rpm=30,tpm=6000;"
        "api_key=env:SECOND,provider=openai,name=second account");
    CHECK_INT(asbi_route_count(o), ==, 3);
    struct asbi_route a = lane(o, 0), b = lane(o, 1), c = lane(o, 2);
    CHECK_INT(a.weight, ==, 3);
    SAYS(a.name, "openai/gpt-4.1-mini");
    SAYS(a.options->values.base_url, "https://own.example/v1");
    CHECK_INT(b.weight, ==, 1);
    SAYS(b.name, "groq/llama-3.3-70b-versatile");
    SAYS(b.options->values.base_url, "");
    SAYS(b.options->values.api_key, "");
    CHECK_INT(b.options->values.requests_per_minute, ==, 30);
    CHECK_INT(b.options->values.tokens_per_minute, ==, 6000);
    SAYS(c.name, "second account");
    SAYS(c.options->values.api_key, "env:SECOND");
    SAYS(c.options->values.base_url, "https://own.example/v1");
    CHECK_INT(c.options->values.requests_per_minute, ==, 500);
    asbi_route_fini(&a);
    asbi_route_fini(&b);
    asbi_route_fini(&c);
    asb_options_free(o);
}

static void fallbacks_come_after_and_have_no_weight(void)
{
    struct asb_options *o = fresh();

    set(o, "provider", "openai");
    set(o, "model", "gpt-4.1-mini");
    set(o, "fallback", "groq/x;provider=mistral");
    CHECK_INT(asbi_route_count(o), ==, 3);
    struct asbi_route a = lane(o, 0), b = lane(o, 1), c = lane(o, 2);
    CHECK_INT(a.weight, ==, 1);
    CHECK_INT(b.weight, ==, 0);
    CHECK_INT(c.weight, ==, 0);
    SAYS(b.name, "groq/x");
    SAYS(c.name, "mistral/gpt-4.1-mini");
    asbi_route_fini(&a);
    asbi_route_fini(&b);
    asbi_route_fini(&c);
    asb_options_free(o);
}

static void the_first_lane_leads(void)
{
    struct asb_options *o = fresh();
    struct asbi_route first;

    set(o, "routes", "groq/x,weight=2;openai/y");
    CHECK_INT(asbi_route_lead(o, &first, NULL), ==, ASB_OK);
    SAYS(o->values.provider, "groq");
    SAYS(o->values.model, "x");
    CHECK_INT(first.weight, ==, 2);
    SAYS(first.name, "groq/x");
    asb_options_free(o);
}

static void own_prices_beat_the_catalogue(void)
{
    struct asb_options *o = fresh();
    struct asbi_model model;

    set(o, "routes",
        "openai/gpt-4.1-mini,input_price=1.5,output_price=6;openai/gpt-4.1-"
        "mini");
    struct asbi_route a = lane(o, 0), b = lane(o, 1);
    asbi_catalogue_model(a.options, "gpt-4.1-mini", &model);
    CHECK_INT(model.input_price, ==, 1500000000);
    CHECK_INT(model.cached_price, ==, 1500000000);
    CHECK_INT(model.output_price, ==, 6000000000);
    asbi_catalogue_model(b.options, "gpt-4.1-mini", &model);
    CHECK_INT(model.input_price, ==, 400000000);
    asbi_route_fini(&a);
    asbi_route_fini(&b);
    asb_options_free(o);
}

static void refuse(const char *name, const char *value, const char *message)
{
    struct asb_options *o = fresh();
    struct asb_message why = { "" };

    CHECK_INT(asbi_options_set_name(o, name, value, ASB_FROM_HOST, &why), ==,
              ASB_ECONFIG);
    SAYS(why.text, message);
    asb_options_free(o);
}

static void what_cannot_be_a_lane_is_refused(void)
{
    refuse("routes", "openai/x,wieght=3",
           "routes, lane 1: wieght: a lane has no such key; did you mean "
           "weight?");
    refuse("routes", "openai/x;groq/y,weight=1001",
           "routes, lane 2: weight: use a whole number from 0, for a fallback, "
           "to 1000");
    refuse("routes", "openai/x;;groq/y", "routes, lane 2: is empty");
    refuse("routes", "openai/x,,rpm=3",
           "routes, lane 1: an empty field; use KEY=VALUE");
    refuse("routes", "openai/x,rpm=many",
           "routes, lane 1: requests_per_minute: \"many\" is not allowed; use "
           "a whole number from 0 to 4294967295, or auto");
    refuse("routes", "openai/x,input_price=-1",
           "routes, lane 1: input_price: use US dollars per million tokens");
    refuse("fallback", "openai/x,weight=1",
           "fallback, lane 1: weight: a fallback has none; they go in their "
           "order");
}

static void a_key_is_never_shown(void)
{
    struct asb_options *o = fresh();
    struct asb_message why = { "" };

    CHECK_INT(asbi_options_set_name(o, "routes",
                                    "openai/x,api_key=sk-verysecret123",
                                    ASB_FROM_HOST, &why),
              ==, ASB_ECONFIG);
    CHECK(strlen(why.text) > 0 && strstr(why.text, "verysecret") == NULL);
    asb_options_free(o);
}

static void a_yaml_list_says_the_same(void)
{
    static const char text[] = "routes:\n"
                               "  - provider: openai\n"
                               "    model: gpt-4.1-mini\n"
                               "    weight: 3\n"
                               "  - {provider: groq, model: x, rpm: 30}\n"
                               "fallback:\n"
                               "  - {model: z, provider: mistral}\n";
    struct asb_options *o = fresh();
    struct asb_message why = { "" };

    int rc = asbi_options_load_text(o, text, sizeof(text) - 1, "f.yaml", &why);
    SAYS(why.text, "");
    CHECK_INT(rc, ==, ASB_OK);
    CHECK_INT(asbi_route_count(o), ==, 3);
    SAYS(o->values.routes, "provider=openai,model=gpt-4.1-mini,weight=3;"
                           "provider=groq,model=x,rpm=30");
    struct asbi_route c = lane(o, 2);
    SAYS(c.name, "mistral/z");
    asbi_route_fini(&c);
    asb_options_free(o);
}

static void wrong(const char *text, const char *message)
{
    struct asb_options *o = fresh();
    struct asb_message why = { "" };

    CHECK_INT(asbi_options_load_text(o, text, strlen(text), "f.yaml", &why), ==,
              ASB_ECONFIG);
    SAYS(why.text, message);
    asb_options_free(o);
}

static void what_is_wrong_in_yaml_has_a_place(void)
{
    wrong("routes:\n  - {model: x, wait: 3}\n",
          "f.yaml:2:16: wait: a lane has no such key");
    wrong("routes:\n  - {model: x, weight: lots}\n",
          "f.yaml:2:5: weight: use a whole number from 0, for a fallback, to "
          "1000");
    wrong("routes:\n  - just text\n",
          "f.yaml:2:5: a lane is a mapping, such as {provider: groq, model: "
          "NAME}");
    wrong("routes:\n  - {model: [x]}\n", "f.yaml:2:13: model: takes one value");
    wrong("routes:\n  - {model: \"x,y\"}\n",
          "f.yaml:2:13: model: cannot hold a comma or a semicolon");
    wrong("provider: [openai]\n",
          "f.yaml:1:11: provider: takes one value, not a list");
}

static void each_lane_is_checked(void)
{
    struct asb_options *o = fresh();
    struct asb_message why = { "" };

    set(o, "target_lang", "fr");
    set(o, "routes", "openai/gpt-4.1-mini;nobody/x");
    CHECK_INT(asb_options_check(o, &why), ==, ASB_ECONFIG);
    CHECK(strstr(why.text, "lane nobody/x: ") == why.text);
    set(o, "routes", "openai/gpt-4.1-mini;groq/new-model");
    CHECK_INT(asb_options_check(o, &why), ==, ASB_OK);
    set(o, "budget", "5");
    CHECK_INT(asb_options_check(o, &why), ==, ASB_ECONFIG);
    set(o, "routes",
        "openai/gpt-4.1-mini;groq/new-model,input_price=1,"
        "output_price=2");
    CHECK_INT(asb_options_check(o, &why), ==, ASB_OK);
    asb_options_free(o);
}

static void there_is_a_most_of_lanes(void)
{
    struct asb_options *o = fresh();
    struct asb_message why = { "" };
    char text[600];
    size_t len = 0;

    for (int i = 0; i < ASBI_ROUTE_MOST; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%sopenai/x",
                                i ? ";" : "");
    set(o, "routes", text);
    CHECK_INT(asb_options_check(o, &why), ==, ASB_OK);
    set(o, "fallback", "groq/x");
    CHECK_INT(asb_options_check(o, &why), ==, ASB_ECONFIG);
    (void)snprintf(text + len, sizeof(text) - len, ";groq/x");
    CHECK_INT(asbi_options_set_name(o, "routes", text, ASB_FROM_HOST, &why), ==,
              ASB_ECONFIG);
    asb_options_free(o);
}

static void every_failed_allocation_is_survived(void)
{
    static const char text[] = "routes:\n  - {provider: openai, model: x}\n"
                               "  - {provider: groq, model: y, rpm: 3}\n";
    bool done = false;

    for (size_t n = 1; !done; n++) {
        struct fault_mem fm;
        struct asbi_route route = { .options = NULL };

        fault_mem_init(&fm, n);
        struct asb_options *o = asbi_options_new(&fm.mem);
        int rc =
            o ? asbi_options_load_text(o, text, sizeof(text) - 1, "f", NULL)
              : ASB_ENOMEM;
        if (!rc)
            rc = asbi_route_read(o, 1, &fm.mem, &route, NULL);
        done = rc == ASB_OK;
        CHECK(done || rc == ASB_ENOMEM);
        asbi_route_fini(&route);
        asb_options_free(o);
        CHECK_INT(fm.live, ==, 0);
    }
}

TEST_MAIN(CASE(without_them_a_job_has_one_lane),
          CASE(a_lane_says_its_own_and_takes_the_rest_from_the_job),
          CASE(fallbacks_come_after_and_have_no_weight),
          CASE(the_first_lane_leads), CASE(own_prices_beat_the_catalogue),
          CASE(what_cannot_be_a_lane_is_refused), CASE(a_key_is_never_shown),
          CASE(a_yaml_list_says_the_same),
          CASE(what_is_wrong_in_yaml_has_a_place), CASE(each_lane_is_checked),
          CASE(there_is_a_most_of_lanes),
          CASE(every_failed_allocation_is_survived))

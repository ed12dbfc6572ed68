#include "adapters/json_api.h"

#include "tests/support/reply_rig.h"

static const struct asbi_json_api_spec libre = {
    .path = "/translate",
    .body =
        "{\"q\": [], \"source\": \"{source_lang}\", \"target\": "
        "\"{target_lang}\", \"more\": {\"q\": 1.50, \"l\": [null, \"{}\"]}}",
    .texts = "/q",
    .answers = "/translatedText/*",
    .error = "/error",
    .source_lang = "en",
    .target_lang = "es \"x\"",
    .model = "",
};

static const struct asbi_json_api_spec deepl = {
    .path = "/v2/translate",
    .body = "{\"text\": [], \"target_lang\": \"{target_lang}\"}",
    .texts = "/text",
    .answers = "/translations/*/text",
    .message = "/message",
    .usage = "/translations/*/billed_characters",
    .key_header = "Authorization: DeepL-Auth-Key",
    .source_lang = "",
    .target_lang = "DE",
    .model = "",
};

static const struct asbi_json_api_spec apertium = {
    .path = "/translate",
    .encoding = "form",
    .body = "{\"q\": \"\", \"langpair\": \"{source_lang}|{target_lang}\", "
            "\"n\": 7}",
    .texts = "/q",
    .one_text = true,
    .answers = "/responseData/translatedText",
    .message = "/explanation",
    .source_lang = "eng",
    .target_lang = "spa",
    .model = "",
};

static struct asbi_buf out;

static struct asbi_buf *fresh(void)
{
    asbi_buf_fini(&out);
    asbi_buf_init(&out, &asbi_mem_system, 1 << 20);
    return &out;
}

static struct asbi_json_api *open_api(const struct asbi_json_api_spec *spec)
{
    struct asb_message why = { "" };
    struct asbi_json_api *api;

    CHECK_INT(asbi_json_api_new(&asbi_mem_system, spec, &api, &why), ==,
              ASB_OK);
    return api;
}

static void encode(const struct asbi_json_api_spec *spec, const asbi_str *texts,
                   size_t count)
{
    struct asbi_json_api *api = open_api(spec);
    struct asbi_call_style style = { .model = "", .api = api };
    struct asbi_array_request request = { texts, count };

    asbi_dialect_find("json")->encode_array(&request, &style, fresh());
    asbi_json_api_free(api);
}

static const asbi_str two[] = { { "a \"b\"", 5 }, { "&=\xc3\xa4", 4 } };

static void texts_go_where_the_template_says(void)
{
    encode(&libre, two, 2);
    CHECK_STR(asbi_buf_view(&out),
              "{\"q\":[\"a \\\"b\\\"\",\"&=\xc3\xa4\"],\"source\":\"en\","
              "\"target\":\"es \\\"x\\\"\",\"more\":{\"q\":1.50,\"l\":[null,"
              "\"{}\"]}}");
    encode(&deepl, two, 1);
    CHECK_STR(asbi_buf_view(&out),
              "{\"text\":[\"a \\\"b\\\"\"],\"target_lang\":\"DE\"}");
    asbi_buf_fini(&out);
}

static void a_form_escapes_what_would_break_it(void)
{
    encode(&apertium, two, 1);
    CHECK_STR(asbi_buf_view(&out), "langpair=eng%7Cspa&n=7&q=a%20%22b%22");
    encode(&apertium, two + 1, 1);
    CHECK_STR(asbi_buf_view(&out), "langpair=eng%7Cspa&n=7&q=%26%3D%C3%A4");
    asbi_buf_fini(&out);
}

static void the_texts_may_stand_deeper(void)
{
    struct asbi_json_api_spec spec = libre;
    static const asbi_str one = { "x", 1 };

    spec.body = "{\"a\": {\"bc\": 1, \"b\": {\"t\": 0}, \"z\": [2]}, \"b\": 3}";
    spec.texts = "/a/b/t";
    spec.one_text = true;
    encode(&spec, &one, 1);
    CHECK_STR(asbi_buf_view(&out), "{\"a\":{\"bc\":1,\"b\":{\"t\":\"x\"},"
                                   "\"z\":[2]},\"b\":3}");
    asbi_buf_fini(&out);
}

static void headers_and_path_are_the_apis(void)
{
    const struct asbi_dialect *d = asbi_dialect_find("json");
    struct asbi_json_api *api = open_api(&deepl);
    struct asbi_call_style style = { .model = "", .api = api };

    d->headers(ASBI_STR("k:fx"), &style, fresh());
    CHECK(asbi_str_eq(asbi_buf_view(&out),
                      ASBI_STR("Content-Type: application/json\0"
                               "Authorization: DeepL-Auth-Key k:fx\0")));
    d->path(ASBI_ARRAY, &style, fresh());
    CHECK_STR(asbi_buf_view(&out), "/v2/translate");
    asbi_json_api_free(api);
    api = open_api(&apertium);
    style.api = api;
    d->headers(ASBI_STR(""), &style, fresh());
    CHECK(asbi_str_eq(asbi_buf_view(&out),
                      ASBI_STR("Content-Type: "
                               "application/x-www-form-urlencoded\0")));
    asbi_json_api_free(api);
    asbi_buf_fini(&out);
}

static const struct told *read_reply(const struct asbi_json_api_spec *spec,
                                     int status, const char *body)
{
    struct asbi_json_api *api = open_api(spec);
    struct asbi_call_style style = { .model = "", .api = api };
    struct exchange x = { "json", ASBI_ARRAY, status,
                          false,  { NULL },   asbi_str_c(body) };
    const struct told *t = rig_read_reply_as(&x, &style);

    asbi_json_api_free(api);
    return t;
}

static void libretranslates_answers_are_read(void)
{
    const struct told *t =
        read_reply(&libre, 200, "{\"translatedText\":[\"uno\",\"dos\"]}");

    TOLD(t, "0=uno;1=dos;");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK(t->reply.by_place);
    CHECK_INT(t->reply.elements, ==, 2);
    t = read_reply(&libre, 400, "{\"error\":\"xx is not supported\"}");
    CHECK_INT(t->reply.verdict, ==, ASBI_BAD_REQUEST);
    SAYS(t->message, "xx is not supported");
    t = read_reply(&libre, 429, "{\"error\":\"Slowdown: 20 per 1 minute\"}");
    CHECK_INT(t->reply.verdict, ==, ASBI_RATE_LIMITED);
    t = read_reply(&libre, 200, "{\"error\":\"Cannot translate text\"}");
    CHECK(t->reply.verdict != ASBI_ACCEPTED);
}

static void deepls_answers_and_bill_are_read(void)
{
    const struct told *t = read_reply(
        &deepl, 200,
        "{\"translations\":[{\"detected_source_language\":\"EN\",\"text\":"
        "\"eins\",\"billed_characters\":3},{\"billed_characters\":4},"
        "{\"text\":\"drei\",\"billed_characters\":5}]}");

    TOLD(t, "0=eins;2=drei;");
    CHECK_INT(t->reply.elements, ==, 3);
    CHECK_INT(t->reply.usage.input_tokens, ==, 12);
    t = read_reply(&deepl, 456, "{\"message\":\"Quota Exceeded\"}");
    CHECK_INT(t->reply.verdict, ==, ASBI_SPENDING_CAP);
    t = read_reply(&deepl, 403, "{\"message\":\"Forbidden\"}");
    CHECK_INT(t->reply.verdict, ==, ASBI_NO_CREDENTIALS);
}

static void apertiums_answers_are_read(void)
{
    const struct told *t =
        read_reply(&apertium, 200,
                   "{\"responseData\": {\"translatedText\": \"Hola\"}, "
                   "\"responseDetails\": null, \"responseStatus\": 200}");

    TOLD(t, "0=Hola;");
    CHECK_INT(t->reply.elements, ==, 1);
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    t = read_reply(&apertium, 400,
                   "{\"status\": \"error\", \"code\": 400, \"message\": \"Bad "
                   "Request\", \"explanation\": \"That pair is not "
                   "installed\"}");
    CHECK_INT(t->reply.verdict, ==, ASBI_BAD_REQUEST);
    SAYS(t->message, "That pair is not installed");
}

static bool same_scope(const struct asbi_json_api_spec *a,
                       const struct asbi_json_api_spec *b)
{
    struct asbi_json_api *first = open_api(a), *second = open_api(b);
    struct asbi_buf other;

    asbi_buf_init(&other, &asbi_mem_system, 1 << 20);
    asbi_json_api_put_scope(first, fresh());
    asbi_json_api_put_scope(second, &other);
    bool same = asbi_str_eq(asbi_buf_view(&out), asbi_buf_view(&other));
    asbi_buf_fini(&other);
    asbi_buf_fini(&out);
    asbi_json_api_free(first);
    asbi_json_api_free(second);
    return same;
}

static void what_decides_on_an_answer_is_its_scope(void)
{
    struct asbi_json_api_spec other = deepl;

    other.key_header = "Authorization: Bearer";
    other.usage = NULL;
    CHECK(same_scope(&deepl, &other));
    other = deepl;
    other.answers = "/translations/*/alternative";
    CHECK(!same_scope(&deepl, &other));
    other = deepl;
    other.target_lang = "FR";
    CHECK(!same_scope(&deepl, &other));
    other = deepl;
    other.path = "/v3/translate";
    CHECK(!same_scope(&deepl, &other));
}

static void a_wrong_description_is_refused_with_a_reason(void)
{
    static const char *const bodies[] = { "", "[]", "{", "{\"q\":1}x", "7" };
    static const char *const pointers[] = {
        "",
        "q",
        "/",
        "/a//b",
        "/a.b",
        "/~1",
        "a/b",
        "/1/2/3/4/5/6/7/8/9/10/11/12/13",
        "/a_name_that_is_longer_than_any_that_a_table_of_paths_takes",
    };
    struct asbi_json_api *api;
    struct asb_message why;

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct asbi_json_api_spec spec = libre;

        spec.body = bodies[i];
        CHECK_INT(asbi_json_api_new(&asbi_mem_system, &spec, &api, &why), ==,
                  ASB_ECONFIG);
        CHECK(strncmp(why.text, "body: ", 6) == 0);
        CHECK(api == NULL);
    }
    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        struct asbi_json_api_spec spec = libre;

        spec.answers = pointers[i];
        CHECK_INT(asbi_json_api_new(&asbi_mem_system, &spec, &api, &why), ==,
                  ASB_ECONFIG);
        CHECK(strncmp(why.text, "answers: ", 9) == 0);
        spec = libre;
        spec.texts = pointers[i];
        CHECK_INT(asbi_json_api_new(&asbi_mem_system, &spec, &api, &why), ==,
                  ASB_ECONFIG);
        CHECK(strncmp(why.text, "texts: ", 7) == 0);
    }
}

static int life(const struct asbi_mem *mem, void *arg)
{
    const struct asbi_json_api_spec *const *spec = arg;
    struct asbi_json_api *api;
    struct asb_message why;
    int rc = asbi_json_api_new(mem, *spec, &api, &why);

    CHECK((rc == ASB_OK) == (api != NULL));
    asbi_json_api_free(api);
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    const struct asbi_json_api_spec *specs[] = { &libre, &deepl, &apertium };

    for (size_t i = 0; i < 3; i++)
        CHECK_INT(fault_sweep(life, &specs[i]), >, 0);
}

TEST_MAIN(CASE(texts_go_where_the_template_says),
          CASE(a_form_escapes_what_would_break_it),
          CASE(the_texts_may_stand_deeper), CASE(headers_and_path_are_the_apis),
          CASE(libretranslates_answers_are_read),
          CASE(deepls_answers_and_bill_are_read),
          CASE(apertiums_answers_are_read),
          CASE(what_decides_on_an_answer_is_its_scope),
          CASE(a_wrong_description_is_refused_with_a_reason),
          CASE(every_failed_allocation_is_survived))

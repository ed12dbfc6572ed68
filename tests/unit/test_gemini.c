#include "adapters/dialect.h"

#include "engine/base/units.h"
#include "tests/support/reply_rig.h"

/* ---- requests ---------------------------------------------------------- */

static const struct asbi_prompt_item items[] = {
    { .wire_id = { "7", 1 }, .text = { "say \"hi\"", 8 } },
};

static const struct asbi_call_style plain = {
    .model = "gemini-x",
    .temperature = -1,
    .max_output_tokens = 50,
    .structured = true,
};

static struct asbi_buf out;

static const struct asbi_dialect *gemini(void)
{
    return asbi_dialect_find("gemini");
}

static struct asbi_buf *fresh(void)
{
    asbi_buf_fini(&out);
    asbi_buf_init(&out, &asbi_mem_system, 1 << 20);
    return &out;
}

static void a_packed_request_has_a_schema(void)
{
    static const asbi_str labels[] = { { "a", 1 }, { "b", 1 } };
    struct asbi_packed_request request = { .system = { "Rules", 5 },
                                           .items = items,
                                           .count = 1,
                                           .choices = labels,
                                           .choice_count = 2 };

    gemini()->encode_packed(&request, &plain, fresh());
    CHECK_STR(
        asbi_buf_view(&out),
        "{\"systemInstruction\":{\"parts\":[{\"text\":\"Rules\"}]},"
        "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":"
        "\"{\\\"items\\\":[{\\\"id\\\":\\\"7\\\",\\\"text\\\":\\\"say "
        "\\\\\\\"hi\\\\\\\"\\\"}]}\"}]}],\"generationConfig\":{"
        "\"candidateCount\":1,\"responseMimeType\":\"application/json\","
        "\"responseSchema\":{\"type\":\"OBJECT\",\"properties\":{\"items\":{"
        "\"type\":\"ARRAY\",\"items\":{\"type\":\"OBJECT\",\"properties\":{"
        "\"id\":{\"type\":\"STRING\"},\"output\":{\"type\":\"STRING\","
        "\"enum\":[\"a\",\"b\"]}},\"required\":[\"id\",\"output\"]}}},"
        "\"required\":[\"items\"]},\"maxOutputTokens\":50}}");
    asbi_buf_fini(&out);
}

static void check_single(const struct asbi_single_request *request,
                         const char *body)
{
    struct asbi_call_style style = plain;

    style.max_output_tokens = 0;
    gemini()->encode_single(request, &style, fresh());
    CHECK_STR(asbi_buf_view(&out), body);
    asbi_buf_fini(&out);
}

static void messages_become_contents(void)
{
    struct asbi_single_request request = {
        .messages = ASBI_STR(
            "[{\"role\":\"system\",\"content\":\"Be brief\"},{\"role\":"
            "\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\\n\"},"
            "{\"text\":\"b\"}]},{\"role\":\"assistant\",\"content\":\"Yes\"}"
            "]")
    };

    check_single(&request,
                 "{\"systemInstruction\":{\"parts\":[{\"text\":\"Be brief\"}"
                 "]},\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":"
                 "\"a\\n\"},{\"text\":\"b\"}]},{\"role\":\"model\",\"parts\":["
                 "{\"text\":\"Yes\"}]}],\"generationConfig\":{"
                 "\"candidateCount\":1}}");
    request.body = ASBI_STR("{ }");
    check_single(&request, "{ }");
}

static void pictures_in_messages_are_not_left_out(void)
{
    struct asbi_single_request request = {
        .messages = ASBI_STR(
            "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
            "\"What is it?\"},{\"type\":\"image_url\",\"image_url\":{\"url\":"
            "\"data:image\\/png;base64,AAAA\"}},{\"type\":\"image_url\","
            "\"image_url\":\"https://h/i.png\"},{\"type\":\"input_audio\","
            "\"input_audio\":{\"data\":\"B\"}}]},{\"role\":\"user\","
            "\"content\":null}]")
    };

    check_single(&request,
                 "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":"
                 "\"What is it?\"},{\"inlineData\":{\"mimeType\":"
                 "\"image/png\",\"data\":\"AAAA\"}},{\"fileData\":{"
                 "\"fileUri\":\"https://h/i.png\"}},{\"type\":"
                 "\"input_audio\",\"input_audio\":{\"data\":\"B\"}}]},{"
                 "\"role\":\"user\",\"parts\":[]}],\"generationConfig\":{"
                 "\"candidateCount\":1}}");
}

static void texts_to_embed_go_as_one_batch(void)
{
    static const asbi_str texts[] = { { "a\"b", 3 }, { "c", 1 } };
    struct asbi_array_request request = { texts, 2 };
    struct asbi_call_style style = plain;

    style.dimensions = 256;
    gemini()->encode_array(&request, &style, fresh());
    CHECK_STR(asbi_buf_view(&out),
              "{\"requests\":[{\"model\":\"models/gemini-x\",\"content\":{"
              "\"parts\":[{\"text\":\"a\\\"b\"}]},\"outputDimensionality\":256}"
              ",{\"model\":\"models/gemini-x\",\"content\":{\"parts\":[{"
              "\"text\":\"c\"}]},\"outputDimensionality\":256}]}");
    CHECK_INT(gemini()->array_items[ASBI_EMBED], ==, 100);
    asbi_buf_fini(&out);
}

static void the_model_is_in_the_path_and_the_key_is_not(void)
{
    struct asbi_call_style style = plain;

    gemini()->path(ASBI_PACKED, &style, fresh());
    CHECK_STR(asbi_buf_view(&out), "/models/gemini-x:generateContent");
    gemini()->path(ASBI_ARRAY, &style, fresh());
    CHECK_STR(asbi_buf_view(&out), "/models/gemini-x:batchEmbedContents");
    style.stream = true;
    gemini()->path(ASBI_SINGLE, &style, fresh());
    CHECK_STR(asbi_buf_view(&out),
              "/models/gemini-x:streamGenerateContent?alt=sse");
    gemini()->headers(ASBI_STR("AIza1"), &style, fresh());
    CHECK(asbi_str_eq(asbi_buf_view(&out),
                      ASBI_STR("Content-Type: application/json\0"
                               "x-goog-api-key: AIza1\0")));
    asbi_buf_fini(&out);
}

/* ---- replies ----------------------------------------------------------- */

static const char reply[] =
    "{\n  \"candidates\": [\n    {\n      \"content\": {\n        \"parts\": "
    "[\n          {\n            \"text\": \"{\\\"items\\\":[{\\\"id\\\":"
    "\\\"7\\\",\\\"output\\\":\\\"\\u00e4 1\\\"}\"\n          },\n          {"
    "\"text\":\",{\\\"id\\\":\\\"8\\\",\\\"output\\\":\\\"b\\\"}]}\"}\n"
    "        ],\n        \"role\": \"model\"\n      },\n      \"finishReason\":"
    " \"STOP\",\n      \"avgLogprobs\": -0.01\n    }\n  ],\n"
    "  \"usageMetadata\": {\n    \"promptTokenCount\": 40,\n"
    "    \"candidatesTokenCount\": 12,\n    \"totalTokenCount\": 60,\n"
    "    \"cachedContentTokenCount\": 30,\n    \"thoughtsTokenCount\": 8\n  },"
    "\n  \"modelVersion\": \"gemini-2.5-flash\",\n  \"responseId\": \"r\"\n}";

static const char stream[] =
    "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"Bon\"}],"
    "\"role\": \"model\"},\"index\": 0}],\"usageMetadata\": {"
    "\"promptTokenCount\": 4,\"candidatesTokenCount\": 1}}\r\n\r\n"
    "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"jour\"}],"
    "\"role\": \"model\"},\"finishReason\": \"STOP\",\"index\": 0}],"
    "\"usageMetadata\": {\"promptTokenCount\": 4,\"candidatesTokenCount\": 2}}"
    "\r\n\r\n";

static const char embeddings[] =
    "{\n  \"embeddings\": [\n    {\n      \"values\": [\n        0.01,\n"
    "        -2e-05\n      ]\n    },\n    {\n      \"values\": [1]\n    }\n"
    "  ]\n}\n";

static void a_reply_is_read(void)
{
    struct exchange x = rig_body("gemini", ASBI_PACKED, asbi_str_c(reply));
    const struct told *t = rig_read_reply(&x);

    TOLD(t, "7=\xc3\xa4 1;8=b;");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.usage.input_tokens, ==, 40);
    CHECK_INT(t->reply.usage.cached_tokens, ==, 30);
    CHECK_INT(t->reply.usage.output_tokens, ==, 20);
    rig_cut_everywhere(x);
    rig_starve(&x);
}

static void a_stream_is_read(void)
{
    struct exchange x = rig_events("gemini", ASBI_SINGLE, asbi_str_c(stream));
    const struct told *t = rig_read_reply(&x);

    TOLD(t, "Bonjour");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.usage.output_tokens, ==, 2);
    rig_cut_everywhere(x);
}

static void embeddings_belong_to_their_places(void)
{
    struct exchange x = rig_body("gemini", ASBI_ARRAY, asbi_str_c(embeddings));
    const struct told *t = rig_read_reply(&x);

    TOLD(t, "0~[\n        0.01,\n        -2e-05\n      ];1~[1];");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK(t->reply.by_place);
    CHECK_INT(t->reply.elements, ==, 2);
    CHECK(!t->reply.has_usage);
    rig_cut_everywhere(x);
    rig_starve(&x);
}

static void every_reason_to_stop_is_understood(void)
{
    static const struct {
        const char *reason;
        enum asbi_verdict verdict;
    } reasons[] = {
        { "STOP", ASBI_ACCEPTED },
        { "MAX_TOKENS", ASBI_TRUNCATED },
        { "SAFETY", ASBI_FILTERED },
        { "RECITATION", ASBI_FILTERED },
        { "BLOCKLIST", ASBI_FILTERED },
        { "SPII", ASBI_FILTERED },
        { "PROHIBITED_CONTENT", ASBI_FILTERED },
        { "LANGUAGE", ASBI_FILTERED },
        { "OTHER", ASBI_OVERLOADED },
        { "MALFORMED_FUNCTION_CALL", ASBI_GARBLED },
    };
    static char body[400];

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        struct exchange x = rig_body("gemini", ASBI_PACKED, ASBI_STR(""));

        (void)snprintf(body, sizeof(body),
                       "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":"
                       "\"[{\\\"id\\\":1,\\\"output\\\":\\\"a\\\"}]\"}]},"
                       "\"finishReason\":\"%s\"}]}",
                       reasons[i].reason);
        x.body = asbi_str_c(body);
        CHECK_INT(rig_read_reply(&x)->reply.verdict, ==, reasons[i].verdict);
    }
}

static void a_blocked_prompt_is_a_refusal_of_its_content(void)
{
    static const char body[] =
        "{\"promptFeedback\":{\"blockReason\":\"PROHIBITED_CONTENT\"},"
        "\"usageMetadata\":{\"promptTokenCount\":9,\"totalTokenCount\":9}}";
    struct exchange x = rig_body("gemini", ASBI_PACKED, asbi_str_c(body));
    const struct told *t = rig_read_reply(&x);

    CHECK_INT(t->reply.verdict, ==, ASBI_FILTERED);
    SAYS(t->message, "PROHIBITED_CONTENT");
    CHECK_INT(t->reply.usage.input_tokens, ==, 9);
}

static const char minute_quota[] =
    "{\n  \"error\": {\n    \"code\": 429,\n    \"message\": \"You exceeded "
    "your current quota, please check your plan and billing details.\",\n"
    "    \"status\": \"RESOURCE_EXHAUSTED\",\n    \"details\": [\n      {\n"
    "        \"@type\": \"type.googleapis.com/google.rpc.QuotaFailure\",\n"
    "        \"violations\": [{\"quotaMetric\": \"x\", \"quotaId\": "
    "\"GenerateRequestsPerMinutePerProjectPerModel-FreeTier\"}]\n      },\n"
    "      {\"@type\": \"type.googleapis.com/google.rpc.Help\"},\n      {\n"
    "        \"@type\": \"type.googleapis.com/google.rpc.RetryInfo\",\n"
    "        \"retryDelay\": \"34.5s\"\n      }\n    ]\n  }\n}\n";

static const char day_quota[] =
    "{\"error\":{\"code\":429,\"message\":\"You exceeded your current quota\","
    "\"status\":\"RESOURCE_EXHAUSTED\",\"details\":[{\"violations\":[{"
    "\"quotaId\":\"GenerateRequestsPerDayPerProjectPerModel-FreeTier\"}]},{"
    "\"retryDelay\":\"3s\"}]}}";

static void a_quota_says_how_long_to_wait(void)
{
    struct exchange x = { "gemini", ASBI_PACKED, 429,
                          false,    { NULL },    RIG_BODY(minute_quota) };
    const struct told *t = rig_read_reply(&x);

    CHECK_INT(t->reply.verdict, ==, ASBI_RATE_LIMITED);
    CHECK_INT(t->reply.retry_after_ns, ==, 34500 * ASBI_MS);
    SAYS(t->code, "RESOURCE_EXHAUSTED");
    rig_cut_everywhere(x);
}

static void the_quota_of_a_day_is_not_waited_for(void)
{
    struct exchange x = { "gemini", ASBI_PACKED, 429,
                          false,    { NULL },    RIG_BODY(day_quota) };

    CHECK_INT(rig_read_reply(&x)->reply.verdict, ==, ASBI_SPENDING_CAP);
}

struct error {
    int status;
    enum asbi_verdict verdict;
    const char *word, *message, *details;
};

static void check_error(const char *dialect, const struct error *error,
                        const char *before, const char *after)
{
    static char body[600];
    struct exchange x = { dialect, ASBI_PACKED, error->status,
                          false,   { NULL },    { NULL, 0 } };

    (void)snprintf(body, sizeof(body),
                   "%s{\"error\":{\"code\":%d,\"message\":\"%s\",\"status\":"
                   "\"%s\",\"details\":%s}}%s",
                   before, error->status, error->message, error->word,
                   error->details, after);
    x.body = asbi_str_c(body);
    const struct told *t = rig_read_reply(&x);
    CHECK_INT(t->reply.verdict, ==, error->verdict);
    SAYS(t->message, error->message);
}

/* A stream that fails sends it in an array, and so does the API that is
 * compatible with OpenAI's. */
static void each_error_means_what_it_says(void)
{
    static const struct error errors[] = {
        { 400, ASBI_NO_CREDENTIALS, "INVALID_ARGUMENT",
          "API key not valid. Please pass a valid API key.",
          "[{\"reason\":\"API_KEY_INVALID\",\"domain\":\"googleapis.com\"}]" },
        { 400, ASBI_NO_CREDENTIALS, "FAILED_PRECONDITION",
          "User location is not supported for the API use.", "[]" },
        { 400, ASBI_BAD_REQUEST, "INVALID_ARGUMENT",
          "The input token count (1200000) exceeds the maximum number of "
          "tokens allowed (1048576).",
          "[]" },
        { 400, ASBI_UNSUPPORTED, "INVALID_ARGUMENT",
          "JSON mode is not enabled for models/gemma-3-27b-it", "[]" },
        { 403, ASBI_NO_CREDENTIALS, "PERMISSION_DENIED", "No", "[]" },
        { 404, ASBI_NO_SUCH_MODEL, "NOT_FOUND",
          "models/gemini-9 is not found for API version v1beta", "[]" },
        { 500, ASBI_OVERLOADED, "INTERNAL", "An internal error", "[]" },
        { 503, ASBI_OVERLOADED, "UNAVAILABLE", "The model is overloaded.",
          "[]" },
        { 504, ASBI_OVERLOADED, "DEADLINE_EXCEEDED", "Too slow", "[]" },
    };

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        check_error("gemini", &errors[i], "", "");
        check_error("gemini", &errors[i], "[", "\n]\n");
        check_error("openai", &errors[i], "", "");
        check_error("openai", &errors[i], "[", "\n]\n");
    }
}

static void hostile_replies_tell_nothing(void)
{
    static const char *const bodies[] = {
        "",
        "{\"candidates\":{}}",
        "{\"candidates\":[]}",
        "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":null}]}}]}",
        "{\"candidates\":[{\"content\":{\"parts\":\"text\"}}]}",
        "{\"usageMetadata\":{\"promptTokenCount\":1.5}}",
        "{\"embeddings\":[]}",
        "{\"embeddings\":7}",
        "nonsense",
    };

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct exchange x = { "gemini", i % 2 ? ASBI_PACKED : ASBI_ARRAY,
                              200,      false,
                              { NULL }, asbi_str_c(bodies[i]) };
        const struct told *t = rig_read_reply(&x);

        TOLD(t, "");
        CHECK(t->reply.verdict != ASBI_ACCEPTED);
        x.way = i % 2 ? ASBI_ARRAY : ASBI_PACKED;
        TOLD(rig_read_reply(&x), "");
    }
}

TEST_MAIN(CASE(a_packed_request_has_a_schema), CASE(messages_become_contents),
          CASE(pictures_in_messages_are_not_left_out),
          CASE(texts_to_embed_go_as_one_batch),
          CASE(the_model_is_in_the_path_and_the_key_is_not),
          CASE(a_reply_is_read), CASE(a_stream_is_read),
          CASE(embeddings_belong_to_their_places),
          CASE(every_reason_to_stop_is_understood),
          CASE(a_blocked_prompt_is_a_refusal_of_its_content),
          CASE(a_quota_says_how_long_to_wait),
          CASE(the_quota_of_a_day_is_not_waited_for),
          CASE(each_error_means_what_it_says),
          CASE(hostile_replies_tell_nothing))

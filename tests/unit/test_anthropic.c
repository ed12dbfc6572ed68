#include "adapters/dialect.h"

#include "engine/base/json.h"
#include "engine/base/units.h"
#include "tests/support/reply_rig.h"

/* ---- requests ---------------------------------------------------------- */

static const struct asbi_prompt_item items[] = {
    { .wire_id = { "7", 1 }, .text = { "say \"hi\"", 8 }, .max_length = 9 },
    { .wire_id = { "8", 1 }, .text = { "a\nb", 3 } },
};

static const struct asbi_call_style plain = {
    .model = "claude-x",
    .temperature = -1,
    .max_output_tokens = 50,
    .structured = true,
};

static const struct asbi_dialect *anthropic(void)
{
    return asbi_dialect_find("anthropic");
}

static struct asbi_buf out;

static asbi_str packed(const char *system, const struct asbi_call_style *style)
{
    struct asbi_packed_request request = { .system = asbi_str_c(system),
                                           .items = items,
                                           .count = 2 };

    asbi_buf_fini(&out);
    asbi_buf_init(&out, &asbi_mem_system, 1 << 20);
    anthropic()->encode_packed(&request, style, &out);
    return asbi_buf_view(&out);
}

static asbi_str single(const struct asbi_single_request *request,
                       const struct asbi_call_style *style)
{
    asbi_buf_fini(&out);
    asbi_buf_init(&out, &asbi_mem_system, 1 << 20);
    anthropic()->encode_single(request, style, &out);
    return asbi_buf_view(&out);
}

#define SCHEMA                                                            \
    "{\"type\":\"object\",\"properties\":{\"items\":{\"type\":\"array\"," \
    "\"items\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":"    \
    "\"string\"},\"output\":{\"type\":\"string\"}},\"required\":[\"id\"," \
    "\"output\"],\"additionalProperties\":false}}},\"required\":["        \
    "\"items\"],\"additionalProperties\":false}"

static void a_packed_request_forces_the_tool_that_answers(void)
{
    CHECK_STR(
        packed("Rules", &plain),
        "{\"model\":\"claude-x\",\"max_tokens\":50,\"tools\":[{\"name\":"
        "\"answer\",\"description\":\"Gives the answer to every item.\","
        "\"input_schema\":" SCHEMA "}],\"tool_choice\":{\"type\":\"tool\","
        "\"name\":\"answer\"},\"system\":[{\"type\":\"text\",\"text\":"
        "\"Rules\"}],\"messages\":[{\"role\":\"user\",\"content\":"
        "\"{\\\"items\\\":[{\\\"id\\\":\\\"7\\\",\\\"text\\\":\\\"say "
        "\\\\\\\"hi\\\\\\\"\\\",\\\"max_length\\\":9},{\\\"id\\\":\\\"8\\\","
        "\\\"text\\\":\\\"a\\\\nb\\\"}]}\"}]}");
    asbi_buf_fini(&out);
}

static void without_a_schema_the_prompt_alone_asks(void)
{
    struct asbi_call_style style = plain;

    style.structured = false;
    style.stream = true;
    style.temperature = 1.5; /* more than this API takes */
    asbi_str text = packed("Rules", &style);
    CHECK(!rig_has(text, "tool"));
    CHECK(rig_has(text, "\"stream\":true"));
    CHECK(rig_has(text, "\"temperature\":1,"));
    asbi_buf_fini(&out);
}

static void a_long_system_text_is_marked_for_the_cache(void)
{
    static char system[5000];

    memset(system, 'x', 4000);
    CHECK(rig_has(packed(system, &plain),
                  "\"cache_control\":{\"type\":\"ephemeral\"}"));
    struct asbi_call_style once = plain;
    once.once = true;
    CHECK(!rig_has(packed(system, &once), "cache_control"));
    memset(system, 0, sizeof(system));
    memset(system, 'x', 1000);
    CHECK(!rig_has(packed(system, &plain), "cache_control"));
    asbi_buf_fini(&out);
}

static void some_limit_is_always_sent(void)
{
    struct asbi_call_style style = plain;
    struct asbi_single_request request = { .text = { "Hi", 2 } };

    style.max_output_tokens = 0;
    style.model_max_output = 8000;
    CHECK_STR(single(&request, &style),
              "{\"model\":\"claude-x\",\"max_tokens\":8000,\"messages\":[{"
              "\"role\":\"user\",\"content\":\"Hi\"}]}");
    asbi_buf_fini(&out);
}

static void system_messages_stand_apart(void)
{
    static const char given[] =
        "[{\"role\":\"system\",\"content\":\"Be \\\"brief\\\"\"},"
        "{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"developer\","
        "\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"text\":\"b\"}]},"
        "{\"role\":\"assistant\",\"content\":\"Yes?\"}]";
    struct asbi_single_request request = { .messages = asbi_str_c(given) };

    CHECK_STR(single(&request, &plain),
              "{\"model\":\"claude-x\",\"max_tokens\":50,\"system\":[{\"type\":"
              "\"text\",\"text\":\"Be \\\"brief\\\"\"},{\"type\":\"text\","
              "\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}],"
              "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":"
              "\"assistant\",\"content\":\"Yes?\"}]}");
    request.messages = ASBI_STR("[{\"role\":\"user\",\"content\":[ {} ]}]");
    CHECK(rig_has(single(&request, &plain),
                  "\"messages\":[{\"role\":\"user\",\"content\":[ {} ]}]}"));
    request.messages = ASBI_STR("[1,[");
    CHECK(rig_has(single(&request, &plain), "\"messages\":[1,[}"));
    request.body = ASBI_STR("{\"a\": 1}");
    CHECK_STR(single(&request, &plain), "{\"a\": 1}");
    asbi_buf_fini(&out);
}

static void the_key_and_the_version_are_headers(void)
{
    struct asbi_buf path;

    asbi_buf_init(&path, &asbi_mem_system, 1000);
    anthropic()->headers(ASBI_STR("sk-ant"), &plain, &path);
    CHECK(asbi_str_eq(asbi_buf_view(&path),
                      ASBI_STR("Content-Type: application/json\0"
                               "x-api-key: sk-ant\0"
                               "anthropic-version: 2023-06-01\0")));
    asbi_buf_clear(&path);
    anthropic()->headers(ASBI_STR("a\r\nb: c"), &plain, &path);
    CHECK(!rig_has(asbi_buf_view(&path), "b: c"));
    asbi_buf_clear(&path);
    anthropic()->path(ASBI_PACKED, &plain, &path);
    CHECK_STR(asbi_buf_view(&path), "/messages");
    asbi_buf_fini(&path);
}

/* ---- replies ----------------------------------------------------------- */

static const char tool_reply[] =
    "{\"id\":\"msg_01\",\"type\":\"message\",\"role\":\"assistant\",\"model\":"
    "\"claude-haiku-4-5\",\"content\":[{\"type\":\"thinking\",\"thinking\":"
    "\"{\\\"items\\\":[{\\\"id\\\":\\\"7\\\",\\\"output\\\":\\\"no\\\"}]}\","
    "\"signature\":\"x\"},{\"type\":\"text\",\"text\":\"Here you are.\"},"
    "{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"answer\",\"input\":{"
    "\"items\":[{\"id\":\"7\",\"output\":\"sag \\\"\\u00e4\\\"\"},"
    "{\"id\":\"8\",\"output\":\"b\"}]}}],\"stop_reason\":\"tool_use\","
    "\"stop_sequence\":null,\"usage\":{\"input_tokens\":21,"
    "\"cache_creation_input_tokens\":1000,\"cache_read_input_tokens\":2000,"
    "\"cache_creation\":{\"ephemeral_5m_input_tokens\":1000},"
    "\"output_tokens\":393,\"service_tier\":\"standard\"}}";

static const char tool_stream[] =
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{"
    "\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":"
    "[],\"model\":\"claude\",\"stop_reason\":null,\"usage\":{\"input_tokens\":"
    "472,\"cache_read_input_tokens\":100,\"output_tokens\":2}}}\n\n"
    "event: content_block_start\ndata: {\"type\":\"content_block_start\","
    "\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\","
    "\"name\":\"answer\",\"input\":{}}}\n\n"
    "event: ping\ndata: {\"type\": \"ping\"}\n\n"
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\","
    "\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":"
    "\"\"}}\n\n"
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\","
    "\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":"
    "\"{\\\"items\\\": [{\\\"id\\\":\\\"7\\\",\\\"outp\"}}\n\n"
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\","
    "\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":"
    "\"ut\\\":\\\"\\u00e4\\\"}]}\"}}\n\n"
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\","
    "\"index\":0}\n\n"
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{"
    "\"stop_reason\":\"tool_use\",\"stop_sequence\":null},\"usage\":{"
    "\"output_tokens\":89}}\n\n"
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

static const char text_stream[] =
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{"
    "\"usage\":{\"input_tokens\":5,\"output_tokens\":1}}}\n\n"
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\","
    "\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"hm\"}}"
    "\n\n"
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\","
    "\"index\":1,\"delta\":{\"type\":\"text_delta\",\"text\":\"Bon\"}}\n\n"
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\","
    "\"index\":1,\"delta\":{\"type\":\"text_delta\",\"text\":\"jour\"}}\n\n";

#define OVERLOADED_EVENT                                               \
    "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":"     \
    "\"overloaded_error\",\"message\":\"Overloaded\"},\"request_id\":" \
    "\"req_9\"}\n\n"

static void a_tool_call_is_the_answer(void)
{
    struct exchange x =
        rig_body("anthropic", ASBI_PACKED, asbi_str_c(tool_reply));
    const struct told *t = rig_read_reply(&x);

    TOLD(t, "7=sag \"\xc3\xa4\";8=b;");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.usage.input_tokens, ==, 3021);
    CHECK_INT(t->reply.usage.cached_tokens, ==, 2000);
    CHECK_INT(t->reply.usage.output_tokens, ==, 393);
    CHECK_INT(t->reply.cache_writes, ==, 1000);
    CHECK(t->reply.code == NULL);
    rig_cut_everywhere(x);
    rig_starve(&x);
}

static void a_stream_of_a_tool_call_is_the_answer(void)
{
    struct exchange x =
        rig_events("anthropic", ASBI_PACKED, asbi_str_c(tool_stream));
    const struct told *t = rig_read_reply(&x);

    TOLD(t, "7=\xc3\xa4;");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.usage.input_tokens, ==, 572);
    CHECK_INT(t->reply.usage.cached_tokens, ==, 100);
    CHECK_INT(t->reply.usage.output_tokens, ==, 89);
    rig_cut_everywhere(x);
    rig_starve(&x);
}

static void text_alone_is_the_answer_to_a_single_request(void)
{
    struct exchange x =
        rig_body("anthropic", ASBI_SINGLE, asbi_str_c(tool_reply));

    TOLD(rig_read_reply(&x), "Here you are.");
    x.headers[0] = "content-type", x.headers[1] = "text/event-stream";
    x.body = asbi_str_c(text_stream);
    x.cut = true;
    const struct told *t = rig_read_reply(&x);
    TOLD(t, "Bonjour");
    CHECK_INT(t->reply.verdict, ==, ASBI_OVERLOADED); /* without its end */
}

static void an_error_within_a_stream_is_one(void)
{
    static char body[4000];
    struct exchange x = rig_events("anthropic", ASBI_SINGLE, ASBI_STR(""));

    (void)snprintf(body, sizeof(body), "%s%s", text_stream, OVERLOADED_EVENT);
    x.body = asbi_str_c(body);
    const struct told *t = rig_read_reply(&x);
    CHECK_INT(t->reply.verdict, ==, ASBI_OVERLOADED);
    SAYS(t->code, "overloaded_error");
    SAYS(t->message, "Overloaded");
}

static void every_reason_to_stop_is_understood(void)
{
    static const struct {
        const char *reason;
        enum asbi_verdict verdict;
    } reasons[] = {
        { "end_turn", ASBI_ACCEPTED },
        { "stop_sequence", ASBI_ACCEPTED },
        { "tool_use", ASBI_ACCEPTED },
        { "max_tokens", ASBI_TRUNCATED },
        { "model_context_window_exceeded", ASBI_TRUNCATED },
        { "refusal", ASBI_FILTERED },
    };
    static char body[400];

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        struct exchange x = rig_body("anthropic", ASBI_PACKED, ASBI_STR(""));

        (void)snprintf(body, sizeof(body),
                       "{\"content\":[{\"type\":\"tool_use\",\"input\":{"
                       "\"items\":[]}}],\"stop_reason\":\"%s\"}",
                       reasons[i].reason);
        x.body = asbi_str_c(body);
        CHECK_INT(rig_read_reply(&x)->reply.verdict, ==, reasons[i].verdict);
    }
}

static void each_error_means_what_it_says(void)
{
    static const struct {
        int status;
        enum asbi_verdict verdict;
        const char *type, *message;
    } errors[] = {
        { 400, ASBI_BAD_REQUEST, "invalid_request_error",
          "prompt is too long: 201000 tokens > 200000 maximum" },
        { 400, ASBI_BAD_REQUEST, "invalid_request_error",
          "input length and `max_tokens` exceed context limit: 190000 + 20000 "
          "> 200000, decrease input length or `max_tokens` and try again" },
        { 400, ASBI_SPENDING_CAP, "invalid_request_error",
          "Your credit balance is too low to access the Anthropic API." },
        { 400, ASBI_SPENDING_CAP, "invalid_request_error",
          "You have reached your specified API usage limits. You will regain "
          "access on 2026-12-01 at 00:00 UTC." },
        { 400, ASBI_FILTERED, "invalid_request_error",
          "Output blocked by content filtering policy" },
        { 400, ASBI_UNSUPPORTED, "invalid_request_error",
          "tool_choice: forced tools are not supported with this model" },
        { 401, ASBI_NO_CREDENTIALS, "authentication_error",
          "invalid x-api-key" },
        { 402, ASBI_SPENDING_CAP, "billing_error", "Pay up" },
        { 403, ASBI_NO_CREDENTIALS, "permission_error", "No" },
        { 404, ASBI_NO_SUCH_MODEL, "not_found_error", "model: claude-9" },
        { 413, ASBI_BAD_REQUEST, "request_too_large", "Too large" },
        { 429, ASBI_RATE_LIMITED, "rate_limit_error", "Slow down" },
        { 500, ASBI_OVERLOADED, "api_error", "Internal server error" },
        { 504, ASBI_OVERLOADED, "timeout_error", "Too slow" },
        { 529, ASBI_OVERLOADED, "overloaded_error", "Overloaded" },
    };
    static char body[600];

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        struct exchange x = { "anthropic",
                              ASBI_PACKED,
                              errors[i].status,
                              false,
                              { "request-id", "req_7" },
                              { NULL, 0 } };

        (void)snprintf(body, sizeof(body),
                       "{\"type\":\"error\",\"error\":{\"type\":\"%s\","
                       "\"message\":\"%s\"},\"request_id\":\"req_7\"}",
                       errors[i].type, errors[i].message);
        x.body = asbi_str_c(body);
        const struct told *t = rig_read_reply(&x);
        CHECK_INT(t->reply.verdict, ==, errors[i].verdict);
        SAYS(t->message, errors[i].message);
        SAYS(t->code, errors[i].type);
        SAYS(t->request_id, "req_7");
    }
}

static void a_spending_cap_is_no_reason_to_wait(void)
{
    static const char body[] =
        "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\","
        "\"message\":\"This workspace has reached its limit\",\"details\":{"
        "\"error_code\":\"enforced_spend_limit_reached\"}}}";
    struct exchange x = { "anthropic", ASBI_PACKED, 429,
                          false,       { NULL },    RIG_BODY(body) };

    CHECK_INT(rig_read_reply(&x)->reply.verdict, ==, ASBI_SPENDING_CAP);
}

static void its_rate_headers_are_read(void)
{
    struct exchange x = { "anthropic",
                          ASBI_PACKED,
                          200,
                          false,
                          { "anthropic-ratelimit-requests-limit",
                            "1000",
                            "anthropic-ratelimit-requests-remaining",
                            "999",
                            "anthropic-ratelimit-requests-reset",
                            "1994-11-06T08:50:37Z",
                            "anthropic-ratelimit-tokens-limit",
                            "480000",
                            "anthropic-ratelimit-tokens-remaining",
                            "470000",
                            "anthropic-ratelimit-tokens-reset",
                            "1994-11-06T09:49:38.5+01:00",
                            "anthropic-ratelimit-input-tokens-limit",
                            "400000",
                            "anthropic-ratelimit-input-tokens-remaining",
                            "399000",
                            "anthropic-ratelimit-output-tokens-limit",
                            "80000",
                            "anthropic-ratelimit-output-tokens-remaining",
                            "0",
                            "retry-after",
                            "12" },
                          RIG_BODY(tool_reply) };
    const struct asbi_rate_hint *rate = &rig_read_reply(&x)->reply.rate;

    CHECK_INT(rate->limit_requests, ==, 1000);
    CHECK_INT(rate->remaining_requests, ==, 999);
    CHECK_INT(rate->reset_requests_ns, ==, 60 * ASBI_SECOND);
    CHECK_INT(rate->limit_tokens, ==, 480000);
    CHECK_INT(rate->remaining_tokens, ==, 470000);
    CHECK_INT(rate->reset_tokens_ns, ==, 1500 * ASBI_MS);
    CHECK_INT(rate->limit_input, ==, 400000);
    CHECK_INT(rate->remaining_input, ==, 399000);
    CHECK_INT(rate->limit_output, ==, 80000);
    CHECK_INT(rate->remaining_output, ==, 0);
    CHECK_INT(rig_read_reply(&x)->reply.retry_after_ns, ==, 12 * ASBI_SECOND);
}

static void hostile_replies_tell_nothing(void)
{
    static const char *const bodies[] = {
        "",
        "{",
        "[]",
        "null",
        "{\"content\":{\"text\":1}}",
        "{\"content\":[{\"input\":null},{\"text\":7},9]}",
        "{\"usage\":{\"input_tokens\":-1,\"output_tokens\":1e99}}",
        "{\"usage\":{\"input_tokens\":99999999999999999999}}",
        "{\"content\":[{\"input\":{\"items\":[[[[{}]]],\"x\",{\"id\":1}]}}]}",
        "<html><body>502</body></html>",
        "{\"type\":\"message\",\"content\":[{\"input\":\"{\\\"items\\\":[{\"}]",
    };

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct exchange x = { "anthropic", ASBI_PACKED, 200,
                              false,       { NULL },    asbi_str_c(bodies[i]) };
        const struct told *t = rig_read_reply(&x);

        TOLD(t, "");
        CHECK(!t->reply.has_usage);
        CHECK(t->reply.verdict != ASBI_ACCEPTED);
    }
}

TEST_MAIN(CASE(a_packed_request_forces_the_tool_that_answers),
          CASE(without_a_schema_the_prompt_alone_asks),
          CASE(a_long_system_text_is_marked_for_the_cache),
          CASE(some_limit_is_always_sent), CASE(system_messages_stand_apart),
          CASE(the_key_and_the_version_are_headers),
          CASE(a_tool_call_is_the_answer),
          CASE(a_stream_of_a_tool_call_is_the_answer),
          CASE(text_alone_is_the_answer_to_a_single_request),
          CASE(an_error_within_a_stream_is_one),
          CASE(every_reason_to_stop_is_understood),
          CASE(each_error_means_what_it_says),
          CASE(a_spending_cap_is_no_reason_to_wait),
          CASE(its_rate_headers_are_read), CASE(hostile_replies_tell_nothing))

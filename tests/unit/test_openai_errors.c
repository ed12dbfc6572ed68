/* How OpenAI and those who speak like it say that they could not answer. */
#include "engine/base/units.h"
#include "tests/support/reply_rig.h"

static const struct told *read_error(int status, const char *body)
{
    struct exchange x = { .dialect = "openai",
                          .way = ASBI_PACKED,
                          .status = status,
                          .body = asbi_str_c(body) };

    return rig_read_reply(&x);
}

static void openai_errors_are_read(void)
{
    const struct told *t = read_error(
        429,
        "{\n    \"error\": {\n        \"message\": \"You exceeded your current "
        "quota\",\n        \"type\": \"insufficient_quota\",\n        "
        "\"param\": null,\n        \"code\": \"insufficient_quota\"\n    }\n}");

    CHECK_INT(t->reply.verdict, ==, ASBI_SPENDING_CAP);
    SAYS(t->code, "insufficient_quota");
    SAYS(t->message, "You exceeded your current quota");
    t = read_error(429, "{\"error\":{\"message\":\"Rate limit reached for "
                        "gpt-4o\",\"type\":\"tokens\",\"param\":null,\"code\":"
                        "\"rate_limit_exceeded\"}}");
    CHECK_INT(t->reply.verdict, ==, ASBI_RATE_LIMITED);
    t = read_error(400, "{\"error\":{\"message\":\"Unsupported parameter: "
                        "'max_tokens' is not supported with this model. Use "
                        "'max_completion_tokens' instead.\",\"type\":"
                        "\"invalid_request_error\",\"param\":\"max_tokens\","
                        "\"code\":\"unsupported_parameter\"}}");
    CHECK_INT(t->reply.verdict, ==, ASBI_UNSUPPORTED);
    SAYS(t->feature, "max_tokens");
    t = read_error(401, "{\"error\":{\"message\":\"Incorrect API key provided: "
                        "sk-abcdefghijklmnop. Find yours at x.\",\"type\":"
                        "\"invalid_request_error\",\"code\":"
                        "\"invalid_api_key\"}}");
    CHECK_INT(t->reply.verdict, ==, ASBI_NO_CREDENTIALS);
    SAYS(t->message, "Incorrect API key provided: sk-***************** Find "
                     "yours at x.");
}

static void azure_errors_are_read(void)
{
    const struct told *t = read_error(
        400,
        "{\"error\":{\"message\":\"The response was filtered due to the prompt "
        "triggering Azure OpenAI's content management policy.\",\"type\":null,"
        "\"param\":\"prompt\",\"code\":\"content_filter\",\"status\":400,"
        "\"innererror\":{\"code\":\"ResponsibleAIPolicyViolation\"}}}");

    CHECK_INT(t->reply.verdict, ==, ASBI_FILTERED);
    SAYS(t->code, "content_filter");
    t = read_error(404, "{\"error\":{\"code\":\"DeploymentNotFound\","
                        "\"message\":\"The API deployment does not exist.\"}}");
    CHECK_INT(t->reply.verdict, ==, ASBI_NO_SUCH_MODEL);
}

static void cousins_of_the_error_shape_are_read(void)
{
    static const struct {
        int status;
        const char *body;
        enum asbi_verdict verdict;
        const char *code, *message;
    } cases[] = {
        { 400,
          "{\"object\":\"error\",\"message\":\"This model's maximum context "
          "length is 4096 tokens.\",\"type\":\"BadRequestError\",\"param\":"
          "null,\"code\":400}",
          ASBI_BAD_REQUEST, "BadRequestError",
          "This model's maximum context length is 4096 tokens." },
        { 404,
          "{\"error\":{\"message\":\"model \\\"x\\\" not found, try pulling it "
          "first\",\"type\":\"api_error\",\"param\":null,\"code\":null}}",
          ASBI_NO_SUCH_MODEL, "api_error",
          "model \"x\" not found, try pulling it first" },
        { 500, "{\"error\":\"llama runner process has terminated\"}",
          ASBI_OVERLOADED, "provider_unavailable",
          "llama runner process has terminated" },
        { 503, "{\"message\":\"no healthy upstream\"}", ASBI_OVERLOADED,
          "provider_unavailable", "no healthy upstream" },
        { 404, "{\"detail\":\"Not Found\"}", ASBI_NO_SUCH_MODEL, "not_found",
          "Not Found" },
        { 422,
          "{\"detail\":[{\"type\":\"extra_forbidden\",\"loc\":[\"body\","
          "\"stream_options\"],\"msg\":\"Extra inputs are not permitted\","
          "\"input\":{}}]}",
          ASBI_UNSUPPORTED, "unsupported_parameter",
          "Extra inputs are not permitted" },
        { 429,
          "{\"error\":{\"message\":\"litellm.RateLimitError: slow\",\"type\":"
          "\"throttling_error\",\"param\":null,\"code\":\"429\"}}",
          ASBI_RATE_LIMITED, "throttling_error",
          "litellm.RateLimitError: slow" },
        { 500,
          "{\"error\":{\"message\":\"x\",\"type\":\"None\",\"param\":\"None\","
          "\"code\":\"500\"}}",
          ASBI_OVERLOADED, "provider_unavailable", "x" },
        { 429,
          "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\","
          "\"message\":\"capped\",\"details\":{\"error_code\":"
          "\"enforced_spend_limit_reached\"}}}",
          ASBI_SPENDING_CAP, "enforced_spend_limit_reached", "capped" },
        { 413,
          "{\"error\":{\"message\":\"Request too large for model\",\"type\":"
          "\"tokens\",\"code\":\"rate_limit_exceeded\"}}",
          ASBI_BAD_REQUEST, "rate_limit_exceeded",
          "Request too large for model" },
        { 502,
          "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>"
          "<center><h1>502 Bad Gateway</h1></center></body></html>\r\n",
          ASBI_OVERLOADED, "provider_unavailable",
          "502 Bad Gateway 502 Bad Gateway" },
        { 503, "upstream connect error", ASBI_OVERLOADED,
          "provider_unavailable", "upstream connect error" },
        { 500, "", ASBI_OVERLOADED, "provider_unavailable",
          "the provider could not answer now" },
        { 418, "{\"odd\":1}", ASBI_BAD_REQUEST, "bad_request", "{\"odd\":1}" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct told *t = read_error(cases[i].status, cases[i].body);

        SAYS(t->message, cases[i].message);
        SAYS(t->code, cases[i].code);
        CHECK_INT(t->reply.verdict, ==, cases[i].verdict);
    }
}

static void errors_inside_a_good_stream_are_errors(void)
{
    static const struct {
        const char *body;
        enum asbi_verdict verdict;
    } cases[] = {
        { "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":"
          "\"too_many_requests\",\"code\":\"rate_limit_exceeded\",\"message\":"
          "\"m\"}}\n\n",
          ASBI_RATE_LIMITED },
        { "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: "
          "{\"error\":{\"message\":\"m\",\"type\":\"server_error\"}}\n\n"
          "data: [DONE]\n\n",
          ASBI_OVERLOADED },
        { "data: {\"error\":{\"message\":\"m\",\"type\":\"None\",\"param\":"
          "\"None\",\"code\":\"429\"}}\n\n",
          ASBI_RATE_LIMITED },
        { "data: {\"object\":\"error\",\"message\":\"m\",\"type\":"
          "\"BadRequestError\",\"param\":null,\"code\":400}\n\ndata: [DONE]\n"
          "\n",
          ASBI_BAD_REQUEST },
        { "event: error\ndata: boom\n\n", ASBI_OVERLOADED },
        { "data: {\"x_groq\":{\"error\":\"m\"}}\n\n", ASBI_OVERLOADED },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct exchange x = {
            "openai", ASBI_PACKED,    200,
            false,    { RIG_EVENTS }, asbi_str_c(cases[i].body)
        };

        CHECK_INT(rig_read_reply(&x)->reply.verdict, ==, cases[i].verdict);
    }
}

static void an_error_under_200_is_an_error(void)
{
    const struct told *t =
        read_error(200, "{\"error\":{\"message\":\"Rate limit exceeded\","
                        "\"code\":429,\"metadata\":{}},\"user_id\":\"u\"}");

    CHECK_INT(t->reply.verdict, ==, ASBI_RATE_LIMITED);
    SAYS(t->message, "Rate limit exceeded");
    t = read_error(200, "{\"choices\":[{\"error\":{\"code\":502,\"message\":"
                        "\"Upstream\"},\"finish_reason\":\"error\"}]}");
    CHECK_INT(t->reply.verdict, ==, ASBI_OVERLOADED);
    t = read_error(200, "{\"error\":null,\"choices\":[{\"message\":{"
                        "\"content\":\"[{\\\"id\\\":1,\\\"output\\\":2}]\"}}"
                        "]}");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
}

static void a_redirect_says_what_to_do(void)
{
    struct exchange x = { .dialect = "openai",
                          .status = 308,
                          .headers = { "Location", "https://a.example/v1" } };
    const struct told *t = rig_read_reply(&x);

    CHECK_INT(t->reply.verdict, ==, ASBI_NO_SUCH_MODEL);
    SAYS(t->message, "the server redirects; set the base URL to the address "
                     "that answers: https://a.example/v1");
}

static void headers_are_passed_on(void)
{
    struct exchange x = {
        .dialect = "openai",
        .status = 429,
        .headers = { "retry-after-ms", "1500", "x-should-retry", "false",
                     "x-ratelimit-limit-requests", "60" },
        .body = RIG_BODY("{}"),
    };
    const struct told *t = rig_read_reply(&x);

    CHECK_INT(t->reply.retry_after_ns, ==, 1500 * ASBI_MS);
    CHECK_INT(t->reply.should_retry, ==, 0);
    CHECK_INT(t->reply.rate.limit_requests, ==, 60);
    CHECK_INT(t->reply.rate.limit_tokens, ==, UINT64_MAX);
    x.headers[0] = "X-Request-Id";
    x.headers[1] = "req_1";
    SAYS(rig_read_reply(&x)->request_id, "req_1");
}

TEST_MAIN(CASE(openai_errors_are_read), CASE(azure_errors_are_read),
          CASE(cousins_of_the_error_shape_are_read),
          CASE(errors_inside_a_good_stream_are_errors),
          CASE(an_error_under_200_is_an_error),
          CASE(a_redirect_says_what_to_do), CASE(headers_are_passed_on))

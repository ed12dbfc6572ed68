#include "adapters/dialect.h"

#include "engine/base/units.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"
#include "tests/support/splits.h"

/* ---- replies as they are seen in the wild ------------------------------ */

#define PACKED_TEXT                                                    \
    "{\\\"items\\\":[{\\\"id\\\":\\\"a1\\\",\\\"output\\\":\\\"Hello " \
    "\\\\\\\"you\\\\\\\"\\\"},{\\\"id\\\":\\\"b2\\\",\\\"output\\\":"  \
    "\\\"\xd0\x94\xd0\xb0 \\\\ud83d\\\\ude00\\\"},{\\\"id\\\":"        \
    "\\\"a1\\\",\\\"output\\\":\\\"again\\\"}]}"
#define PACKED_ITEMS \
    "a1=Hello \"you\";b2=\xd0\x94\xd0\xb0 \xf0\x9f\x98\x80;a1=again;"

static const char openai_packed[] =
    "{\n  \"id\": \"chatcmpl-B9\",\n  \"object\": \"chat.completion\",\n"
    "  \"created\": 1741569952,\n  \"model\": \"gpt-4o-mini-2024-07-18\",\n"
    "  \"choices\": [\n    {\n      \"index\": 0,\n      \"message\": {\n"
    "        \"role\": \"assistant\",\n        \"content\": \"" PACKED_TEXT
    "\",\n        \"refusal\": null,\n        \"annotations\": []\n      },\n"
    "      \"logprobs\": null,\n      \"finish_reason\": \"stop\"\n    }\n  "
    "],\n"
    "  \"usage\": {\n    \"prompt_tokens\": 1117,\n"
    "    \"completion_tokens\": 46,\n    \"total_tokens\": 1163,\n"
    "    \"prompt_tokens_details\": {\n      \"cached_tokens\": 1024,\n"
    "      \"audio_tokens\": 0\n    },\n    \"completion_tokens_details\": {\n"
    "      \"reasoning_tokens\": 0\n    }\n  },\n"
    "  \"service_tier\": \"default\",\n  \"system_fingerprint\": \"fp_1\"\n}\n";

/* First chunk without choices, as with Azure; usage in a last one. */
static const char azure_stream[] =
    "data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":"
    "\"\",\"prompt_filter_results\":[{\"prompt_index\":0,"
    "\"content_filter_results\":{\"hate\":{\"filtered\":false,\"severity\":"
    "\"safe\"}}}]}\n\n"
    "data: {\"choices\":[{\"content_filter_results\":{},\"delta\":{\"content\":"
    "\"\",\"refusal\":null,\"role\":\"assistant\"},\"finish_reason\":null,"
    "\"index\":0,\"logprobs\":null}],\"id\":\"chatcmpl-C\",\"object\":"
    "\"chat.completion.chunk\",\"usage\":null}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"{\\\"items\\\":[{\\\"id"
    "\\\":\\\"a1\\\",\"},\"finish_reason\":null,\"index\":0}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"\\\"output\\\":\\\"\\u4f60"
    "\\\"}\"},\"finish_reason\":null,\"index\":0}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"]}\"},\"finish_reason\":null"
    "}]}\n\n"
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\",\"index\":0}"
    "]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"completion_tokens\":9,"
    "\"completion_tokens_details\":{\"reasoning_tokens\":0},\"prompt_tokens\":"
    "28,\"prompt_tokens_details\":{\"cached_tokens\":0},\"total_tokens\":37}}"
    "\n\n"
    "data: [DONE]\n\n";

/* CRLF, comments, usage under x_groq. */
static const char groq_stream[] =
    ": ping\r\n\r\n"
    "data: {\"id\":\"chatcmpl-g\",\"object\":\"chat.completion.chunk\","
    "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":"
    "\"\"},\"finish_reason\":null}],\"x_groq\":{\"id\":\"req_01\"}}\r\n\r\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Bon\"},"
    "\"finish_reason\":null}]}\r\n\r\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"jour\"},"
    "\"finish_reason\":null}]}\r\n\r\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]"
    ",\"x_groq\":{\"id\":\"req_01\",\"usage\":{\"queue_time\":0.06,"
    "\"prompt_tokens\":11,\"prompt_time\":0.001,\"completion_tokens\":2,"
    "\"total_tokens\":13}}}\r\n\r\n"
    "data: [DONE]\r\n\r\n";

static const char vllm_packed[] =
    "{\"id\":\"chatcmpl-7f\",\"object\":\"chat.completion\",\"created\":17,"
    "\"model\":\"Qwen/Qwen2.5-7B-Instruct\",\"choices\":[{\"index\":0,"
    "\"message\":{\"role\":\"assistant\",\"reasoning_content\":null,"
    "\"content\":\"```json\\n{\\n  \\\"items\\\": [\\n    {\\\"id\\\": "
    "\\\"a1\\\", \\\"output\\\": \\\"One\\\"},\\n    {\\\"id\\\": 2, "
    "\\\"output\\\": [\\\"Two\\\"]}\\n  ]\\n}\\n```\",\"tool_calls\":[]},"
    "\"logprobs\":null,\"finish_reason\":\"stop\",\"stop_reason\":null}],"
    "\"usage\":{\"prompt_tokens\":50,\"total_tokens\":70,"
    "\"completion_tokens\":20,\"prompt_tokens_details\":null},"
    "\"prompt_logprobs\":null}";

static const char ollama_single[] =
    "{\"id\":\"chatcmpl-532\",\"object\":\"chat.completion\",\"created\":17,"
    "\"model\":\"llama3.2\",\"system_fingerprint\":\"fp_ollama\",\"choices\":"
    "[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hi!\"},"
    "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":26,"
    "\"completion_tokens\":3,\"total_tokens\":29}}\n";

static const char mistral_parts[] =
    "{\"choices\":[{\"message\":{\"content\":[{\"type\":\"thinking\","
    "\"thinking\":[{\"type\":\"text\",\"text\":\"hm\"}]},{\"type\":\"text\","
    "\"text\":\"Yes\"}],\"role\":\"assistant\"},\"finish_reason\":\"stop\"}],"
    "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}";

/* ---- reading them ------------------------------------------------------ */

static const struct asbi_call_style style = { .model = "m" };

struct told {
    size_t len;
    char text[8192];
    struct asbi_reply reply;
    char code[80], message[600], request_id[200], feature[40];
    int rc;
};

static void tell(struct told *t, asbi_str s)
{
    CHECK(t->len + s.len < sizeof(t->text));
    if (s.len)
        memcpy(t->text + t->len, s.at, s.len);
    t->len += s.len;
}

static void on_answer(void *arg, asbi_str id, asbi_str output, bool is_json)
{
    tell(arg, id);
    tell(arg, !output.at ? ASBI_STR("!")
              : is_json  ? ASBI_STR("~")
                         : ASBI_STR("="));
    tell(arg, output);
    tell(arg, ASBI_STR(";"));
}

static void on_text(void *arg, asbi_str piece)
{
    tell(arg, piece);
}

struct exchange {
    int status;
    bool packed;
    bool cut;               /* did not end well */
    const char *headers[8]; /* name, value, ... */
    asbi_str body;
};

static void keep(char *to, size_t size, asbi_str s)
{
    CHECK(s.len < size);
    if (s.len)
        memcpy(to, s.at, s.len);
    to[s.len] = '\0';
}

static void read_pieces(struct asbi_decoder *d, const struct exchange *x,
                        struct splits ways, struct told *t)
{
    const struct asbi_dialect *openai = asbi_dialect_find("openai");
    struct asbi_reply_sink sink = { on_answer, on_text, t };
    size_t len;
    char *piece;

    memset(t, 0, sizeof(*t));
    openai->begin(d, x->packed, &sink);
    openai->on_status(d, x->status);
    for (size_t i = 0; x->headers[i]; i += 2)
        openai->on_header(d, asbi_str_c(x->headers[i]),
                          asbi_str_c(x->headers[i + 1]),
                          UINT64_C(784111777000));
    while ((piece = splits_next(&ways, &len))) {
        t->rc = openai->on_body(d, piece, len);
        free(piece);
    }
    openai->end(d, !x->cut, &t->reply);
    keep(t->code, sizeof(t->code), asbi_str_c(t->reply.code));
    keep(t->feature, sizeof(t->feature), asbi_str_c(t->reply.feature));
    keep(t->message, sizeof(t->message), t->reply.message);
    keep(t->request_id, sizeof(t->request_id), t->reply.request_id);
}

static void same(const struct told *a, const struct told *b)
{
    CHECK_INT(a->len, ==, b->len);
    CHECK(memcmp(a->text, b->text, a->len) == 0);
    CHECK_INT(a->rc, ==, b->rc);
    CHECK_INT(a->reply.verdict, ==, b->reply.verdict);
    CHECK_INT(a->reply.has_usage, ==, b->reply.has_usage);
    CHECK(memcmp(&a->reply.usage, &b->reply.usage, sizeof(a->reply.usage)) ==
          0);
    CHECK(memcmp(&a->reply.rate, &b->reply.rate, sizeof(a->reply.rate)) == 0);
    CHECK(strcmp(a->code, b->code) == 0);
    CHECK(strcmp(a->message, b->message) == 0);
    CHECK(strcmp(a->feature, b->feature) == 0);
}

/* Reads a reply in every way to cut it, with a decoder and its twin in turns;
 * what it told. */
static const struct told *read_reply(const struct exchange *x)
{
    static struct told whole, again;
    const struct asbi_dialect *openai = asbi_dialect_find("openai");
    struct asbi_decoder *d = openai->decoder_new(&asbi_mem_system, &style);
    struct splits ways;

    CHECK(d != NULL);
    struct asbi_decoder *twin = openai->decoder_twin(d);
    CHECK(twin != NULL);
    for (size_t n = 0; splits_way(x->body, n, &ways); n++) {
        read_pieces(n % 2 ? twin : d, x, ways, n ? &again : &whole);
        if (n)
            same(&whole, &again);
    }
    openai->decoder_free(twin);
    openai->decoder_free(d);
    return &whole;
}

#define BODY(text)               \
    {                            \
        (text), sizeof(text) - 1 \
    }
#define EVENT_STREAM "Content-Type", "text/event-stream; charset=utf-8"
#define TOLD(t, want) CHECK_BYTES((t)->text, (t)->len, want)
#define SAYS(text, want) CHECK_BYTES((text), strlen(text), want)

static const struct told *read_error(int status, const char *body)
{
    struct exchange x = { .status = status,
                          .packed = true,
                          .body = asbi_str_c(body) };

    return read_reply(&x);
}

/* ---- good answers ------------------------------------------------------ */

static void an_openai_answer_is_read(void)
{
    struct exchange x = { 200,
                          true,
                          false,
                          { "content-type", "application/json" },
                          BODY(openai_packed) };
    const struct told *t = read_reply(&x);

    TOLD(t, PACKED_ITEMS);
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.status, ==, 200);
    CHECK(t->reply.has_usage);
    CHECK_INT(t->reply.usage.input_tokens, ==, 1117);
    CHECK_INT(t->reply.usage.cached_tokens, ==, 1024);
    CHECK_INT(t->reply.usage.output_tokens, ==, 46);
    CHECK(t->reply.code == NULL);
    CHECK(t->reply.feature == NULL);
    CHECK_INT(t->reply.should_retry, ==, -1);
}

static void an_azure_stream_is_read(void)
{
    struct exchange x = {
        200, true, false, { EVENT_STREAM }, BODY(azure_stream)
    };
    const struct told *t = read_reply(&x);

    TOLD(t, "a1=\xe4\xbd\xa0;");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.usage.input_tokens, ==, 28);
    CHECK_INT(t->reply.usage.output_tokens, ==, 9);
}

static void a_groq_stream_is_read(void)
{
    struct exchange x = {
        200, false, false, { EVENT_STREAM }, BODY(groq_stream)
    };
    const struct told *t = read_reply(&x);

    TOLD(t, "Bonjour");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.usage.input_tokens, ==, 11);
    CHECK_INT(t->reply.usage.output_tokens, ==, 2);
}

static void a_vllm_answer_is_read(void)
{
    struct exchange x = { 200, true, false, { 0 }, BODY(vllm_packed) };
    const struct told *t = read_reply(&x);

    TOLD(t, "a1=One;2~[\"Two\"];");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.usage.output_tokens, ==, 20);
}

static void an_ollama_answer_is_read(void)
{
    struct exchange x = { 200, false, false, { 0 }, BODY(ollama_single) };
    const struct told *t = read_reply(&x);

    TOLD(t, "Hi!");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.usage.input_tokens, ==, 26);
}

static void parts_of_a_content_are_joined_without_thoughts(void)
{
    struct exchange x = { 200, false, false, { 0 }, BODY(mistral_parts) };

    TOLD(read_reply(&x), "Yes");
}

static void any_json_is_good_for_a_body_passed_through(void)
{
    struct exchange x = { 200,
                          false,
                          false,
                          { 0 },
                          BODY("{\"object\":\"list\",\"data\":[{\"embedding\":"
                               "[0.1,-2e-3]}],\"usage\":{\"prompt_tokens\":8,"
                               "\"total_tokens\":8}}") };
    const struct told *t = read_reply(&x);

    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.usage.input_tokens, ==, 8);
}

/* ---- answers that are not good ----------------------------------------- */

static void a_truncated_answer_gives_its_whole_items(void)
{
    struct exchange x = {
        200,
        true,
        false,
        { 0 },
        BODY("{\"choices\":[{\"message\":{\"content\":\"{\\\"items\\\":[{"
             "\\\"id\\\":\\\"a\\\",\\\"output\\\":\\\"1\\\"},{\\\"id\\\":"
             "\\\"b\\\",\\\"outp\"},\"finish_reason\":\"length\"}]}")
    };
    const struct told *t = read_reply(&x);

    TOLD(t, "a=1;");
    CHECK_INT(t->reply.verdict, ==, ASBI_TRUNCATED);
    SAYS(t->code, "truncated");
}

static void a_refusal_is_no_answer(void)
{
    struct exchange x = {
        200,
        true,
        false,
        { 0 },
        BODY("{\"choices\":[{\"message\":{\"content\":null,\"refusal\":\"I "
             "cannot help with secret text\"},\"finish_reason\":\"stop\"}]}")
    };
    const struct told *t = read_reply(&x);

    CHECK_INT(t->reply.verdict, ==, ASBI_FILTERED);
    SAYS(t->message, "the provider refused the content");
    x.body = ASBI_STR("data: {\"choices\":[{\"delta\":{\"refusal\":\"I \"}}]}"
                      "\n\ndata: {\"choices\":[{\"delta\":{},"
                      "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
    x.headers[0] = "content-type";
    x.headers[1] = "text/event-stream";
    CHECK_INT(read_reply(&x)->reply.verdict, ==, ASBI_FILTERED);
}

static void a_filtered_answer_is_told(void)
{
    struct exchange x = { 200,
                          false,
                          false,
                          { 0 },
                          BODY("{\"choices\":[{\"message\":{\"content\":\"Th\"}"
                               ",\"finish_reason\":\"content_filter\"}]}") };

    CHECK_INT(read_reply(&x)->reply.verdict, ==, ASBI_FILTERED);
}

static void an_answer_without_items_is_garbled(void)
{
    static const char *const bodies[] = {
        "{\"choices\":[{\"message\":{\"content\":\"Sorry, what?\"},"
        "\"finish_reason\":\"stop\"}]}",
        "{\"choices\":[{\"message\":{\"content\":null},\"finish_reason\":"
        "\"stop\"}]}",
        "{}",
        "[]",
        "{\"choices\":[{\"message\":{\"content\":\"x\"}}]",
        "{\"choices\":[}",
        "",
        "  \n",
        "null",
        "\xef\xbb\xbf{} trailing",
    };

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        const struct told *t = read_error(200, bodies[i]);

        CHECK_INT(t->reply.verdict, ==, ASBI_GARBLED);
        SAYS(t->code, "garbled_reply");
    }
}

static void what_comes_behind_the_answer_garbles_it(void)
{
    struct exchange x = { .status = 200 };
    char body[sizeof(ollama_single) + 2];

    memcpy(body, ollama_single, sizeof(ollama_single));
    (void)memcpy(body + sizeof(ollama_single) - 1, " {}", 3);
    x.body = asbi_str_of(body, sizeof(body));
    CHECK_INT(read_reply(&x)->reply.verdict, ==, ASBI_GARBLED);
}

static void a_page_instead_of_json_is_garbled(void)
{
    const struct told *t = read_error(
        200, "<html><head><title>Sign in</title></head><body>Please <b>log "
             "in</b></body></html>");

    CHECK_INT(t->reply.verdict, ==, ASBI_GARBLED);
    SAYS(t->message,
         "the server did not answer with JSON: Sign in Please log in");
}

static void a_stream_must_end(void)
{
    struct exchange x = {
        200,
        false,
        false,
        { EVENT_STREAM },
        BODY("data: {\"choices\":[{\"delta\":{\"content\":\"Hal\"}}]}\n\n")
    };
    const struct told *t = read_reply(&x);

    TOLD(t, "Hal");
    CHECK_INT(t->reply.verdict, ==, ASBI_GARBLED);
    x.cut = true;
    CHECK_INT(read_reply(&x)->reply.verdict, ==, ASBI_OVERLOADED);
    /* Cut behind the reason to finish: nothing of the text is missing. */
    x.body = ASBI_STR("data: {\"choices\":[{\"delta\":{\"content\":\"Hal\"},"
                      "\"finish_reason\":\"stop\"}]}\n\n");
    CHECK_INT(read_reply(&x)->reply.verdict, ==, ASBI_ACCEPTED);
}

static void a_broken_event_garbles_a_stream(void)
{
    struct exchange x = {
        200,
        false,
        false,
        { EVENT_STREAM },
        BODY("data: {\"choices\":[{\"delta\":{\"content\":\"A\"}}]}\n\n"
             "data: {\"choices\":[{\"delta\":{\"con\n\n"
             "data: {\"choices\":[{\"delta\":{\"content\":\"C\"},"
             "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
    };
    const struct told *t = read_reply(&x);

    TOLD(t, "AC");
    CHECK_INT(t->reply.verdict, ==, ASBI_GARBLED);
}

static void json_under_a_stream_type_is_json(void)
{
    struct exchange x = {
        200, false, false, { EVENT_STREAM }, BODY(ollama_single)
    };

    TOLD(read_reply(&x), "Hi!");
}

/* ---- errors ------------------------------------------------------------ */

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
            200, true, false, { EVENT_STREAM }, asbi_str_c(cases[i].body)
        };

        CHECK_INT(read_reply(&x)->reply.verdict, ==, cases[i].verdict);
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
    struct exchange x = { .status = 308,
                          .headers = { "Location", "https://a.example/v1" } };
    const struct told *t = read_reply(&x);

    CHECK_INT(t->reply.verdict, ==, ASBI_NO_SUCH_MODEL);
    SAYS(t->message, "the server redirects; set the base URL to the address "
                     "that answers: https://a.example/v1");
}

static void headers_are_passed_on(void)
{
    struct exchange x = {
        .status = 429,
        .headers = { "retry-after-ms", "1500", "x-should-retry", "false",
                     "x-ratelimit-limit-requests", "60" },
        .body = BODY("{}"),
    };
    const struct told *t = read_reply(&x);

    CHECK_INT(t->reply.retry_after_ns, ==, 1500 * ASBI_MS);
    CHECK_INT(t->reply.should_retry, ==, 0);
    CHECK_INT(t->reply.rate.limit_requests, ==, 60);
    CHECK_INT(t->reply.rate.limit_tokens, ==, UINT64_MAX);
    x.headers[0] = "X-Request-Id";
    x.headers[1] = "req_1";
    SAYS(read_reply(&x)->request_id, "req_1");
}

/* ---- the decoder itself ------------------------------------------------ */

static void a_cut_reply_gives_the_first_items(void)
{
    static const struct {
        const char *text;
        size_t len;
        bool stream;
    } bodies[] = {
        { openai_packed, sizeof(openai_packed) - 1, false },
        { azure_stream, sizeof(azure_stream) - 1, true },
        { vllm_packed, sizeof(vllm_packed) - 1, false },
    };
    static struct told whole, cut;
    const struct asbi_dialect *openai = asbi_dialect_find("openai");
    struct asbi_decoder *d = openai->decoder_new(&asbi_mem_system, &style);

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct exchange x = { .status = 200, .packed = true };
        asbi_str body = { bodies[i].text, bodies[i].len };

        if (bodies[i].stream)
            x.headers[0] = "content-type", x.headers[1] = "text/event-stream";
        read_pieces(d, &x, (struct splits){ body, 0, body.len, 0 }, &whole);
        CHECK_INT(whole.reply.verdict, ==, ASBI_ACCEPTED);
        x.cut = true;
        for (size_t n = 0; n < body.len; n++) {
            asbi_str part = { body.at, n };

            read_pieces(d, &x, (struct splits){ part, 0, n, 0 }, &cut);
            CHECK(cut.len <= whole.len);
            CHECK(memcmp(cut.text, whole.text, cut.len) == 0);
            CHECK(cut.reply.verdict == ASBI_OVERLOADED ||
                  cut.reply.verdict == ASBI_ACCEPTED);
            if (cut.reply.verdict == ASBI_ACCEPTED)
                CHECK_INT(cut.len, ==, whole.len);
        }
    }
    openai->decoder_free(d);
}

static void nesting_too_deep_ends_the_exchange(void)
{
    char deep[300];
    struct exchange x = { .status = 200, .packed = true };

    memset(deep, '[', sizeof(deep));
    x.body = asbi_str_of(deep, sizeof(deep));
    const struct told *t = read_reply(&x);
    CHECK_INT(t->rc, ==, ASB_ETOOBIG);
    CHECK_INT(t->reply.verdict, ==, ASBI_GARBLED);
    x.status = 500;
    CHECK_INT(read_reply(&x)->rc, ==, ASB_ETOOBIG);
    x.status = 200;
    memcpy(deep, "data: ", 6);
    memcpy(deep + 200, "\n\ndata: {\"error\":{\"code\":\"slow_down\"}}\n\n",
           41);
    x.body.len = 241;
    x.headers[0] = "content-type";
    x.headers[1] = "text/event-stream";
    t = read_reply(&x);
    CHECK_INT(t->rc, ==, ASB_ETOOBIG);
    CHECK_INT(t->reply.verdict, ==, ASBI_GARBLED);
}

static void huge_numbers_are_no_usage(void)
{
    const struct told *t =
        read_error(200, "{\"usage\":{\"prompt_tokens\":99999999999999999999999,"
                        "\"completion_tokens\":-1,\"prompt_tokens_details\":{"
                        "\"cached_tokens\":1.5}}}");

    CHECK(!t->reply.has_usage);
    t = read_error(200, "{\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":"
                        "null,\"prompt_cache_hit_tokens\":9}}");
    CHECK(t->reply.has_usage);
    CHECK_INT(t->reply.usage.cached_tokens, ==, 5); /* of 5, not of 9 */
}

/* Ten megabytes of digits, then of text, where usage and answer belong. */
static void endless_values_need_no_memory(void)
{
    static char block[1 << 16];
    static struct told t;
    const struct asbi_dialect *openai = asbi_dialect_find("openai");
    struct fault_mem fm;
    struct asbi_reply reply;
    struct asbi_reply_sink sink = { on_answer, NULL, &t };

    fault_mem_init(&fm, 0);
    struct asbi_decoder *d = openai->decoder_new(&fm.mem, &style);
    CHECK(d != NULL);
    memset(block, '7', sizeof(block));
    for (unsigned packed = 0; packed < 2; packed++) {
        openai->begin(d, packed, &sink);
        openai->on_status(d, 200);
        (void)openai->on_body(d, "{\"usage\":{\"prompt_tokens\":", 26);
        for (int i = 0; i < 160; i++)
            CHECK_INT(openai->on_body(d, block, sizeof(block)), ==, ASB_OK);
        (void)openai->on_body(d, "},\"choices\":[{\"message\":{\"content\":\"",
                              38);
        for (int i = 0; i < 160; i++)
            CHECK_INT(openai->on_body(d, block, sizeof(block)), ==, ASB_OK);
        openai->end(d, false, &reply);
        CHECK_INT(reply.verdict, ==, ASBI_OVERLOADED);
    }
    CHECK_INT(fm.seen, ==, 2); /* the decoder itself, and its paths */
    openai->decoder_free(d);
    CHECK_INT(fm.live, ==, 0);
}

static void the_next_call_needs_no_allocation(void)
{
    static struct told t;
    const struct asbi_dialect *openai = asbi_dialect_find("openai");
    struct exchange x = { 200, true, false, { 0 }, BODY(openai_packed) };
    struct fault_mem fm;
    size_t seen = 0;

    fault_mem_init(&fm, 0);
    struct asbi_decoder *d = openai->decoder_new(&fm.mem, &style);
    for (int i = 0; i < 3; i++) {
        read_pieces(d, &x, (struct splits){ x.body, 0, x.body.len, 0 }, &t);
        CHECK_INT(t.reply.verdict, ==, ASBI_ACCEPTED);
        if (i)
            CHECK_INT(fm.seen, ==, seen);
        seen = fm.seen;
    }
    openai->decoder_free(d);
    CHECK_INT(fm.live, ==, 0);
}

static void every_failed_allocation_is_survived(void)
{
    static struct told t;
    const struct asbi_dialect *openai = asbi_dialect_find("openai");
    struct exchange x = { 200, true, false, { 0 }, BODY(openai_packed) };

    for (size_t n = 1;; n++) {
        struct fault_mem fm;

        fault_mem_init(&fm, n);
        struct asbi_decoder *d = openai->decoder_new(&fm.mem, &style);
        CHECK_INT(d != NULL, ==, n > 2);
        if (d)
            read_pieces(d, &x, (struct splits){ x.body, 0, x.body.len, 0 }, &t);
        openai->decoder_free(d);
        CHECK_INT(fm.live, ==, 0);
        if (fm.seen < n)
            break;
        if (d) /* one item is lost, no more */
            TOLD(&t, "a1!;b2=\xd0\x94\xd0\xb0 \xf0\x9f\x98\x80;a1=again;");
    }
    TOLD(&t, PACKED_ITEMS);
}

static void nothing_of_a_call_is_left_in_the_next(void)
{
    static struct told t;
    const struct asbi_dialect *openai = asbi_dialect_find("openai");
    struct asbi_decoder *d = openai->decoder_new(&asbi_mem_system, &style);
    struct exchange bad = {
        .status = 429,
        .headers = { EVENT_STREAM, "retry-after", "5", "x-request-id", "r" },
        .body = BODY("{\"error\":{\"code\":\"insufficient_quota\",\"message\":"
                     "\"m\",\"type\":\"t\",\"param\":\"stream\"},\"usage\":{"
                     "\"prompt_tokens\":9},\"choices\":[{\"finish_reason\":"
                     "\"length\",\"message\":{\"refusal\":\"x\"}}]"),
    };
    struct exchange good = { 200, true, false, { 0 }, BODY(vllm_packed) };

    read_pieces(d, &bad, (struct splits){ bad.body, 0, bad.body.len, 0 }, &t);
    CHECK_INT(t.reply.verdict, ==, ASBI_SPENDING_CAP);
    good.body.len = 0;
    read_pieces(d, &good, (struct splits){ good.body, 0, 1, 0 }, &t);
    CHECK_INT(t.reply.verdict, ==, ASBI_GARBLED);
    SAYS(t.message, "the reply could not be understood");
    CHECK(!t.reply.has_usage);
    CHECK_INT(t.reply.request_id.len, ==, 0);
    CHECK(t.reply.retry_after_ns == UINT64_MAX);
    good.body.len = sizeof(vllm_packed) - 1;
    read_pieces(d, &good, (struct splits){ good.body, 0, good.body.len, 0 },
                &t);
    CHECK_INT(t.reply.verdict, ==, ASBI_ACCEPTED);
    openai->decoder_free(d);
}

TEST_MAIN(CASE(an_openai_answer_is_read), CASE(an_azure_stream_is_read),
          CASE(a_groq_stream_is_read), CASE(a_vllm_answer_is_read),
          CASE(an_ollama_answer_is_read),
          CASE(parts_of_a_content_are_joined_without_thoughts),
          CASE(any_json_is_good_for_a_body_passed_through),
          CASE(a_truncated_answer_gives_its_whole_items),
          CASE(a_refusal_is_no_answer), CASE(a_filtered_answer_is_told),
          CASE(an_answer_without_items_is_garbled),
          CASE(what_comes_behind_the_answer_garbles_it),
          CASE(a_page_instead_of_json_is_garbled), CASE(a_stream_must_end),
          CASE(a_broken_event_garbles_a_stream),
          CASE(json_under_a_stream_type_is_json), CASE(openai_errors_are_read),
          CASE(azure_errors_are_read),
          CASE(cousins_of_the_error_shape_are_read),
          CASE(errors_inside_a_good_stream_are_errors),
          CASE(an_error_under_200_is_an_error),
          CASE(a_redirect_says_what_to_do), CASE(headers_are_passed_on),
          CASE(a_cut_reply_gives_the_first_items),
          CASE(nesting_too_deep_ends_the_exchange),
          CASE(huge_numbers_are_no_usage), CASE(endless_values_need_no_memory),
          CASE(the_next_call_needs_no_allocation),
          CASE(every_failed_allocation_is_survived),
          CASE(nothing_of_a_call_is_left_in_the_next))

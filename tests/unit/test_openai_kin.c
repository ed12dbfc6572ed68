/* What OpenAI has beside chat completions, and Azure's ways. */
#include "tests/support/reply_rig.h"

/* ---- embeddings and moderation ----------------------------------------- */

static const struct asbi_call_style plain = { .model = "text-e",
                                              .temperature = -1 };
static struct asbi_buf out;

static struct asbi_buf *fresh(void)
{
    asbi_buf_fini(&out);
    asbi_buf_init(&out, &asbi_mem_system, 1 << 20);
    return &out;
}

static const struct told *read_array(const char *body)
{
    struct exchange x = { "openai", ASBI_ARRAY, 200,
                          false,    { NULL },   asbi_str_c(body) };

    rig_cut_everywhere(x);
    return rig_read_reply(&x);
}

static void texts_go_as_a_list(void)
{
    static const asbi_str texts[] = { { "a\"b", 3 }, { "c", 1 } };
    const struct asbi_dialect *openai = asbi_dialect_find("openai");
    struct asbi_array_request request = { texts, 2 };
    struct asbi_call_style style = plain;

    style.dimensions = 256;
    openai->encode_array(&request, &style, fresh());
    CHECK_STR(asbi_buf_view(&out),
              "{\"model\":\"text-e\",\"encoding_format\":\"float\","
              "\"dimensions\":256,\"input\":[\"a\\\"b\",\"c\"]}");
    style.array = ASBI_MODERATE;
    openai->encode_array(&request, &style, fresh());
    CHECK_STR(asbi_buf_view(&out),
              "{\"model\":\"text-e\",\"input\":[\"a\\\"b\",\"c\"]}");
    openai->path(ASBI_ARRAY, &style, fresh());
    CHECK_STR(asbi_buf_view(&out), "/moderations");
    style.array = ASBI_EMBED;
    openai->path(ASBI_ARRAY, &style, fresh());
    CHECK_STR(asbi_buf_view(&out), "/embeddings");
    asbi_buf_fini(&out);
}

static void an_embedding_belongs_to_the_index_it_names(void)
{
    const struct told *t = read_array(
        "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":2,"
        "\"embedding\":[0.1,-2e-3]},{\"embedding\":[3],\"index\":0},"
        "{\"index\":1,\"embedding\":\"AAAA\"}],\"model\":\"m\",\"usage\":{"
        "\"prompt_tokens\":8,\"total_tokens\":8}}");

    TOLD(t, "2~[0.1,-2e-3];0~[3];1=AAAA;");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK(!t->reply.by_place);
    CHECK_INT(t->reply.usage.input_tokens, ==, 8);
    CHECK_INT(t->reply.usage.output_tokens, ==, 0);
}

static void without_an_index_the_place_counts(void)
{
    const struct told *t = read_array("{\"data\":[{\"embedding\":[1]},"
                                      "{\"index\":null},{\"embedding\":[2]},"
                                      "7]}");

    TOLD(t, "0~[1];2~[2];"); /* one without an answer moves no other */
    CHECK(t->reply.by_place);
    CHECK_INT(t->reply.elements, ==, 4);
}

static void an_index_that_is_none_is_no_ones(void)
{
    const struct told *t = read_array(
        "{\"data\":[{\"index\":-1,\"embedding\":[1]},{\"index\":1.5,"
        "\"embedding\":[2]},{\"index\":99999999999999999999,\"embedding\":[3]}"
        "]}");

    CHECK(t->reply.by_place);
    CHECK_INT(t->reply.elements, ==, 3);
}

static void results_of_moderation_are_in_order(void)
{
    const struct told *t = read_array(
        "{\"id\":\"modr-1\",\"model\":\"omni\",\"results\":[{\"flagged\":false,"
        "\"categories\":{\"hate\":false}},{\"flagged\":true,"
        "\"category_scores\":{\"hate\":0.9}}]}");

    TOLD(t, "0~{\"flagged\":false,\"categories\":{\"hate\":false}};"
            "1~{\"flagged\":true,\"category_scores\":{\"hate\":0.9}};");
    CHECK(t->reply.by_place);
    CHECK_INT(t->reply.elements, ==, 2);
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
}

static void a_reply_without_a_list_is_garbled(void)
{
    CHECK_INT(read_array("{\"data\":[]}")->reply.verdict, ==, ASBI_GARBLED);
    CHECK_INT(read_array("{\"object\":\"list\"}")->reply.verdict, ==,
              ASBI_GARBLED);
}

static void arrays_survive_failed_allocations(void)
{
    static const char body[] = "{\"data\":[{\"index\":0,\"embedding\":[1,2,3]},"
                               "{\"index\":1,\"embedding\":[4,5,6]}]}";
    struct exchange x = { "openai", ASBI_ARRAY, 200,
                          false,    { NULL },   RIG_BODY(body) };

    rig_starve(&x);
}

/* ---- the Responses API ------------------------------------------------- */

static const char response[] =
    "{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"completed\","
    "\"error\":null,\"incomplete_details\":null,\"output\":[{\"id\":\"rs_1\","
    "\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":"
    "\"hm\"}],\"content\":[{\"type\":\"reasoning_text\",\"text\":\"hm\"}]},{"
    "\"id\":\"msg_1\",\"type\":\"message\",\"status\":\"completed\","
    "\"content\":[{\"type\":\"output_text\",\"annotations\":[],\"text\":"
    "\"{\\\"items\\\":[{\\\"id\\\":\\\"7\\\",\\\"output\\\":\\\"b\\\"}]}\"}],"
    "\"role\":\"assistant\"}],\"usage\":{\"input_tokens\":36,"
    "\"input_tokens_details\":{\"cached_tokens\":30},\"output_tokens\":87,"
    "\"output_tokens_details\":{\"reasoning_tokens\":60},\"total_tokens\":123}"
    "}";

static const char response_stream[] =
    "event: response.created\ndata: {\"type\":\"response.created\","
    "\"response\":{\"status\":\"in_progress\",\"error\":null,\"output\":[],"
    "\"usage\":null}}\n\n"
    "event: response.reasoning_summary_text.delta\ndata: {\"type\":"
    "\"response.reasoning_summary_text.delta\",\"delta\":\"hm\"}\n\n"
    "event: response.output_text.delta\ndata: {\"type\":"
    "\"response.output_text.delta\",\"item_id\":\"m\",\"delta\":\"Bon\"}\n\n"
    "event: response.output_text.delta\ndata: {\"type\":"
    "\"response.output_text.delta\",\"item_id\":\"m\",\"delta\":\"jour\"}\n\n"
    "event: response.output_text.done\ndata: {\"type\":"
    "\"response.output_text.done\",\"text\":\"Bonjour\"}\n\n";

#define COMPLETED                                                        \
    "event: response.completed\ndata: {\"type\":\"response.completed\"," \
    "\"response\":{\"status\":\"completed\",\"output\":[{\"content\":[{" \
    "\"type\":\"output_text\",\"text\":\"Bonjour\"}]}],\"usage\":{"      \
    "\"input_tokens\":5,\"output_tokens\":2}}}\n\n"
#define ERRED                                           \
    "event: error\ndata: {\"type\":\"error\",\"code\":" \
    "\"rate_limit_exceeded\",\"message\":\"Slow\"}\n\n"
#define FAILED                                                     \
    "event: response.failed\ndata: {\"type\":\"response.failed\"," \
    "\"response\":{\"status\":\"failed\",\"error\":{\"code\":"     \
    "\"rate_limit_exceeded\",\"message\":\"Slow\"}}}\n\n"

static const struct told *read_stream(const char *end)
{
    static char body[4000];
    struct exchange x = { "openai_responses", ASBI_SINGLE, 200, false,
                          { RIG_EVENTS },     { NULL, 0 } };

    (void)snprintf(body, sizeof(body), "%s%s", response_stream, end);
    x.body = asbi_str_c(body);
    return rig_read_reply(&x);
}

static void a_response_is_read_without_its_reasoning(void)
{
    struct exchange x = { "openai_responses", ASBI_PACKED,       200, false,
                          { NULL },           RIG_BODY(response) };
    const struct told *t = rig_read_reply(&x);

    TOLD(t, "7=b;");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.usage.input_tokens, ==, 36);
    CHECK_INT(t->reply.usage.cached_tokens, ==, 30);
    CHECK_INT(t->reply.usage.output_tokens, ==, 87);
    rig_cut_everywhere(x);
}

static void a_stream_of_a_response_is_read(void)
{
    const struct told *t = read_stream(COMPLETED);

    TOLD(t, "Bonjour");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.usage.output_tokens, ==, 2);
    CHECK_INT(read_stream("")->reply.verdict, ==, ASBI_GARBLED);
    t = read_stream(FAILED);
    CHECK_INT(t->reply.verdict, ==, ASBI_RATE_LIMITED);
    SAYS(t->code, "rate_limit_exceeded");
    CHECK_INT(read_stream(ERRED)->reply.verdict, ==, ASBI_RATE_LIMITED);
}

/* vLLM writes members in the order of their names: what a text is stands behind
 * it. */
static const char vllm_response[] =
    "{\"id\":\"resp_1\",\"object\":\"response\",\"output\":[{\"id\":\"rs_1\","
    "\"summary\":[],\"type\":\"reasoning\",\"content\":[{\"text\":\"hm\","
    "\"type\":\"reasoning_text\"},{\"text\":\"so\",\"type\":"
    "\"reasoning_text\"}],\"status\":null},{\"id\":\"msg_1\",\"content\":[{"
    "\"annotations\":[],\"text\":\"Bon\",\"type\":\"output_text\",\"logprobs\":"
    "null},{\"text\":\"jour\",\"type\":\"output_text\"}],\"role\":"
    "\"assistant\",\"status\":\"completed\",\"type\":\"message\"}],\"status\":"
    "\"completed\",\"usage\":{\"input_tokens\":5,\"output_tokens\":9,"
    "\"total_tokens\":14}}";

static const char vllm_response_stream[] =
    "event: response.reasoning_text.delta\ndata: {\"content_index\":0,"
    "\"delta\":\" the\",\"item_id\":\"b\",\"output_index\":0,"
    "\"sequence_number\":9,\"type\":\"response.reasoning_text.delta\"}\n\n"
    "event: response.content_part.added\ndata: "
    "{\"content_index\":0,\"item_id\":"
    "\"m\",\"output_index\":1,\"part\":{\"annotations\":[],\"text\":\"\","
    "\"type\":\"output_text\",\"logprobs\":[]},\"sequence_number\":10,\"type\":"
    "\"response.content_part.added\"}\n\n"
    "event: response.output_text.delta\ndata: {\"content_index\":0,\"delta\":"
    "\"Bon\",\"item_id\":\"m\",\"logprobs\":[],\"output_index\":1,"
    "\"sequence_number\":11,\"type\":\"response.output_text.delta\"}\n\n"
    "event: response.output_text.delta\ndata: {\"content_index\":0,\"delta\":"
    "\"jour\",\"item_id\":\"m\",\"logprobs\":[],\"output_index\":1,"
    "\"sequence_number\":12,\"type\":\"response.output_text.delta\"}\n\n"
    "event: response.function_call_arguments.delta\ndata: {\"delta\":\"{}\","
    "\"item_id\":\"f\",\"output_index\":2,\"sequence_number\":13,\"type\":"
    "\"response.function_call_arguments.delta\"}\n\n"
    "event: response.completed\ndata: {\"response\":{\"output\":[],\"status\":"
    "\"completed\",\"usage\":{\"input_tokens\":5,\"output_tokens\":9}},"
    "\"sequence_number\":14,\"type\":\"response.completed\"}\n\n";

static void the_type_of_a_text_may_stand_behind_it(void)
{
    struct exchange whole =
        rig_body("openai_responses", ASBI_SINGLE, asbi_str_c(vllm_response));
    struct exchange stream = rig_events("openai_responses", ASBI_SINGLE,
                                        asbi_str_c(vllm_response_stream));
    const struct told *t = rig_read_reply(&whole);

    TOLD(t, "Bonjour");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.usage.output_tokens, ==, 9);
    t = rig_read_reply(&stream);
    TOLD(t, "Bonjour");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    rig_cut_everywhere(whole);
    rig_cut_everywhere(stream);
    whole.body = ASBI_STR("{\"output\":[{\"content\":[{\"type\":"
                          "\"reasoning_text\",\"text\":\"hm\"}],\"type\":"
                          "\"reasoning\"},{\"content\":[{\"text\":\"Oui\"}],"
                          "\"type\":\"message\"}],\"status\":\"completed\"}");
    TOLD(rig_read_reply(&whole), "Oui");
}

static void an_incomplete_response_says_why(void)
{
    static const char cut[] =
        "{\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":"
        "\"max_output_tokens\"},\"output\":[]}";
    static const char filtered[] =
        "{\"incomplete_details\":{\"reason\":\"content_filter\"},\"status\":"
        "\"incomplete\",\"output\":[]}";
    struct exchange x = { "openai_responses", ASBI_PACKED,  200, false,
                          { NULL },           RIG_BODY(cut) };

    CHECK_INT(rig_read_reply(&x)->reply.verdict, ==, ASBI_TRUNCATED);
    x.body = asbi_str_c(filtered);
    CHECK_INT(rig_read_reply(&x)->reply.verdict, ==, ASBI_FILTERED);
}

static void a_request_for_a_response_is_not_stored(void)
{
    static const struct asbi_prompt_item item = { .wire_id = { "7", 1 },
                                                  .text = { "a", 1 } };
    const struct asbi_dialect *d = asbi_dialect_find("openai_responses");
    struct asbi_packed_request packed = { .system = { "R", 1 },
                                          .items = &item,
                                          .count = 1 };
    struct asbi_single_request single = { .text = { "Hi", 2 } };
    struct asbi_call_style style = plain;

    style.structured = true;
    style.max_output_tokens = 9;
    d->encode_packed(&packed, &style, fresh());
    asbi_str text = asbi_buf_view(&out);
    CHECK(rig_has(text, "{\"model\":\"text-e\",\"store\":false,"
                        "\"instructions\":\"R\",\"text\":{\"format\":{\"type\":"
                        "\"json_schema\",\"name\":\"answers\",\"strict\":true,"
                        "\"schema\":{"));
    CHECK(rig_has(text, "}},\"input\":[{\"role\":\"user\",\"content\":\"{"));
    CHECK(rig_has(text, "],\"max_output_tokens\":9}"));
    d->encode_single(&single, &plain, fresh());
    CHECK_STR(asbi_buf_view(&out),
              "{\"model\":\"text-e\",\"store\":false,\"input\":[{\"role\":"
              "\"user\",\"content\":\"Hi\"}]}");
    d->path(ASBI_PACKED, &plain, fresh());
    CHECK_STR(asbi_buf_view(&out), "/responses");
    asbi_buf_fini(&out);
}

/* ---- Azure ------------------------------------------------------------- */

static void azure_keeps_its_key_in_a_header_of_its_own(void)
{
    const struct asbi_dialect *azure = asbi_dialect_find("azure");
    const struct asbi_dialect *old = asbi_dialect_find("azure_deployments");

    azure->headers(ASBI_STR("k"), &plain, fresh());
    CHECK(asbi_str_eq(asbi_buf_view(&out),
                      ASBI_STR("Content-Type: application/json\0"
                               "api-key: k\0")));
    azure->path(ASBI_PACKED, &plain, fresh());
    CHECK_STR(asbi_buf_view(&out), "/chat/completions");
    old->path(ASBI_PACKED, &plain, fresh());
    CHECK_STR(asbi_buf_view(&out), "/openai/deployments/text-e/chat/completions"
                                   "?api-version=2024-10-21");
    asbi_buf_fini(&out);
}

/* ---- what servers that speak like OpenAI lack -------------------------- */

/* Bodies as the servers named send them. */
static void what_a_server_lacks_is_seen_in_its_own_words(void)
{
    static const struct {
        int status;
        const char *feature, *body;
    } servers[] = {
        /* llama.cpp */
        { 500, "response_format",
          "{\"error\":{\"code\":500,\"message\":\"response_format type must be "
          "one of \\\"text\\\" or \\\"json_object\\\", but got: json_schema\","
          "\"type\":\"server_error\"}}" },
        { 400, "response_format",
          "{\"error\":{\"code\":400,\"message\":\"Either \\\"json_schema\\\" "
          "or \\\"grammar\\\" can be specified, but not both\",\"type\":"
          "\"invalid_request_error\"}}" },
        /* llama-cpp-python */
        { 500, "response_format",
          "{\"error\":{\"message\":\"[{'type': 'literal_error', 'loc': ('body',"
          " 'response_format', 'type'), 'msg': \\\"Input should be 'text' or "
          "'json_object'\\\", 'input': 'json_schema'}]\",\"type\":"
          "\"internal_server_error\",\"param\":null,\"code\":null}}" },
        /* vLLM */
        { 400, "stream_options",
          "{\"object\":\"error\",\"message\":\"[{'type': 'extra_forbidden', "
          "'loc': ('body', 'stream_options'), 'msg': 'Extra inputs are not "
          "permitted', 'input': {'include_usage': True}}]\",\"type\":"
          "\"BadRequestError\",\"param\":null,\"code\":400}" },
        { 400, "max_completion_tokens",
          "{\"object\":\"error\",\"message\":\"[{'type': 'extra_forbidden', "
          "'loc': ('body', 'max_completion_tokens'), 'msg': 'Extra inputs are "
          "not permitted', 'input': 900}]\",\"type\":\"BadRequestError\","
          "\"param\":null,\"code\":400}" },
        /* Groq */
        { 400, "response_format",
          "{\"error\":{\"message\":\"'response_format' : one of the following "
          "must be satisfied[('response_format.type' : value is not one of "
          "the allowed values ['text']) OR ('response_format.name' : property "
          "'name' is missing)]\",\"type\":\"invalid_request_error\"}}" },
        { 400, "response_format",
          "{\"error\":{\"message\":\"This model does not support response "
          "format `json_schema`\",\"type\":\"invalid_request_error\",\"param\":"
          "\"response_format\"}}" },
        /* xAI */
        { 400, "response_format",
          "{\"code\":\"Client specified an invalid argument\",\"error\":\"The "
          "response_format parameter is unsupported at the moment. Leave it "
          "unset.\"}" },
        /* Azure */
        { 400, "response_format",
          "{\"error\":{\"message\":\"Invalid parameter: 'response_format' of "
          "type 'json_schema' is not supported with model version `gpt-4o`.\","
          "\"type\":\"invalid_request_error\",\"param\":\"response_format\","
          "\"code\":null}}" },
        /* OpenAI */
        { 400, "max_tokens",
          "{\"error\":{\"message\":\"Unsupported parameter: 'max_tokens' is "
          "not supported with this model. Use 'max_completion_tokens' instead."
          "\",\"type\":\"invalid_request_error\",\"param\":\"max_tokens\","
          "\"code\":\"unsupported_parameter\"}}" },
        /* ... and a gateway before it */
        { 400, "max_tokens",
          "{\"error\":{\"message\":\"Unsupported parameter: 'max_tokens' is "
          "not supported with this model. Use 'max_completion_tokens' instead."
          "\",\"code\":\"invalid_request_body\"}}" },
        { 400, "temperature",
          "{\"error\":{\"message\":\"Unsupported value: 'temperature' does not "
          "support 0.16 with this model. Only the default (1) value is "
          "supported.\",\"type\":\"invalid_request_error\",\"param\":"
          "\"temperature\",\"code\":\"unsupported_value\"}}" },
        /* Trouble that only names a feature is none of these. */
        { 500, "",
          "{\"error\":{\"message\":\"grammar for response_format crashed\","
          "\"type\":\"server_error\"}}" },
        { 500, "",
          "{\"error\":{\"message\":\"out of memory\",\"type\":"
          "\"server_error\"}}" },
    };

    for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
        struct exchange x = {
            "openai", ASBI_PACKED, servers[i].status,
            false,    { NULL },    asbi_str_c(servers[i].body)
        };
        const struct told *t = rig_read_reply(&x);

        SAYS(t->feature, servers[i].feature);
        CHECK_INT(t->reply.verdict, ==,
                  servers[i].feature[0] ? ASBI_UNSUPPORTED : ASBI_OVERLOADED);
    }
}

TEST_MAIN(CASE(texts_go_as_a_list),
          CASE(an_embedding_belongs_to_the_index_it_names),
          CASE(without_an_index_the_place_counts),
          CASE(an_index_that_is_none_is_no_ones),
          CASE(results_of_moderation_are_in_order),
          CASE(a_reply_without_a_list_is_garbled),
          CASE(arrays_survive_failed_allocations),
          CASE(a_response_is_read_without_its_reasoning),
          CASE(a_stream_of_a_response_is_read),
          CASE(the_type_of_a_text_may_stand_behind_it),
          CASE(an_incomplete_response_says_why),
          CASE(a_request_for_a_response_is_not_stored),
          CASE(what_a_server_lacks_is_seen_in_its_own_words),
          CASE(azure_keeps_its_key_in_a_header_of_its_own))

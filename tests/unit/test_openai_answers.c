/* What OpenAI and those who speak like it answer, good and not. */
#include "tests/support/openai_replies.h"
#include "tests/support/reply_rig.h"

static const struct told *read_packed(const char *body)
{
    struct exchange x = rig_body("openai", ASBI_PACKED, asbi_str_c(body));

    return rig_read_reply(&x);
}

/* ---- good answers ------------------------------------------------------ */

static void an_openai_answer_is_read(void)
{
    struct exchange x =
        rig_body("openai", ASBI_PACKED, asbi_str_c(openai_packed));

    x.headers[0] = "content-type";
    x.headers[1] = "application/json";
    const struct told *t = rig_read_reply(&x);

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
    struct exchange x =
        rig_events("openai", ASBI_PACKED, asbi_str_c(azure_stream));
    const struct told *t = rig_read_reply(&x);

    TOLD(t, "a1=\xe4\xbd\xa0;");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.usage.input_tokens, ==, 28);
    CHECK_INT(t->reply.usage.output_tokens, ==, 9);
}

static void a_groq_stream_is_read(void)
{
    struct exchange x =
        rig_events("openai", ASBI_SINGLE, asbi_str_c(groq_stream));
    const struct told *t = rig_read_reply(&x);

    TOLD(t, "Bonjour");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.usage.input_tokens, ==, 11);
    CHECK_INT(t->reply.usage.output_tokens, ==, 2);
}

static void a_vllm_answer_is_read(void)
{
    struct exchange x =
        rig_body("openai", ASBI_PACKED, asbi_str_c(vllm_packed));
    const struct told *t = rig_read_reply(&x);

    TOLD(t, "a1=One;2~[\"Two\"];");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.usage.output_tokens, ==, 20);
}

static void an_ollama_answer_is_read(void)
{
    struct exchange x =
        rig_body("openai", ASBI_SINGLE, asbi_str_c(ollama_single));
    const struct told *t = rig_read_reply(&x);

    TOLD(t, "Hi!");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.usage.input_tokens, ==, 26);
}

static uint64_t output_of(const char *usage)
{
    char body[600];

    (void)snprintf(body, sizeof(body),
                   "{\"choices\":[{\"message\":{\"content\":\"Hi\"},"
                   "\"finish_reason\":\"stop\"}],\"usage\":{%s}}",
                   usage);
    struct exchange x = rig_body("openai", ASBI_SINGLE, asbi_str_c(body));
    return rig_read_reply(&x)->reply.usage.output_tokens;
}

static void reasoning_is_paid_wherever_it_is_counted(void)
{
    /* OpenAI: within the completion */
    CHECK_INT(output_of("\"prompt_tokens\":20,\"completion_tokens\":300,"
                        "\"total_tokens\":320,\"completion_tokens_details\":{"
                        "\"reasoning_tokens\":256}"),
              ==, 300);
    /* xAI: beside it */
    CHECK_INT(output_of("\"prompt_tokens\":10120,\"completion_tokens\":1499,"
                        "\"total_tokens\":14428,\"prompt_tokens_details\":{"
                        "\"cached_tokens\":128},\"completion_tokens_details\":"
                        "{\"reasoning_tokens\":2809}"),
              ==, 1499 + 2809);
    /* Google's endpoint for OpenAI's clients: in the total alone */
    CHECK_INT(output_of("\"completion_tokens\":198,\"prompt_tokens\":20,"
                        "\"total_tokens\":623"),
              ==, 603);
    /* a gateway that leaves the cache out of the input */
    CHECK_INT(output_of("\"prompt_tokens\":20,\"completion_tokens\":5,"
                        "\"total_tokens\":1025,\"prompt_tokens_details\":{"
                        "\"cached_tokens\":1000}"),
              ==, 5);
    CHECK_INT(output_of("\"prompt_tokens\":20,\"completion_tokens\":5,"
                        "\"total_tokens\":20"),
              ==, 5);
    CHECK_INT(output_of("\"prompt_tokens\":20,\"completion_tokens\":5,"
                        "\"total_tokens\":99999999999999999999"),
              ==, 5);
}

/* One decoder reads the replies of many calls. */
static void a_reply_begins_anew(void)
{
    static const char *const before[] = {
        "{\"choices\":[{\"message\":{\"content\":\"Yes\",\"refusal\":\"no\"},"
        "\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":20,"
        "\"completion_tokens\":50,\"total_tokens\":623,"
        "\"prompt_tokens_details\":{\"cached_tokens\":3},"
        "\"completion_tokens_details\":{\"reasoning_tokens\":25}}}",
        "{\"error\":{\"message\":\"m\",\"code\":\"c\",\"type\":\"t\","
        "\"param\":\"p\"}}",
        "{\"data\":[{\"index\":0,\"embedding\":[1]}]}",
        "{\"output\":[{\"type\":\"reasoning\",\"content\":[{\"type\":"
        "\"reasoning_text\",\"text\":\"hm\"}]}]}",
        "{\"choices\":[{\"mess",
        "data: {\"choices\":[{\"delta\":{\"content\":\"Y",
        "<html>",
    };
    static const char next[] =
        "{\"choices\":[{\"message\":{\"content\":\"Hi\"}}],\"usage\":{"
        "\"prompt_tokens\":20,\"completion_tokens\":5}}";
    static const struct asbi_call_style style = { .model = "m" };
    const struct exchange x = rig_body("openai", ASBI_SINGLE, asbi_str_c(next));
    const struct told alone = *rig_read_reply(&x);
    const struct asbi_dialect *dialect = asbi_dialect_find("openai");
    struct asbi_decoder *d = dialect->decoder_new(&asbi_mem_system, &style);
    static struct told told;

    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        const struct exchange other =
            rig_body("openai", ASBI_SINGLE, asbi_str_c(before[i]));

        rig_read_whole(dialect, d, &other, &told);
        rig_read_whole(dialect, d, &x, &told);
        rig_same(&alone, &told);
    }
    dialect->decoder_free(d);
}

static void parts_of_a_content_are_joined_without_thoughts(void)
{
    struct exchange x =
        rig_body("openai", ASBI_SINGLE, asbi_str_c(mistral_parts));

    TOLD(rig_read_reply(&x), "Yes");
}

static void any_json_is_good_for_a_body_passed_through(void)
{
    struct exchange x =
        rig_body("openai", ASBI_SINGLE,
                 asbi_str_c("{\"object\":\"list\",\"data\":[{\"embedding\":"
                            "[0.1,-2e-3]}],\"usage\":{\"prompt_tokens\":8,"
                            "\"total_tokens\":8}}"));
    const struct told *t = rig_read_reply(&x);

    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.usage.input_tokens, ==, 8);
}

/* ---- answers that are not good ----------------------------------------- */

static void a_truncated_answer_gives_its_whole_items(void)
{
    struct exchange x = rig_body(
        "openai", ASBI_PACKED,
        asbi_str_c("{\"choices\":[{\"message\":{\"content\":\"{\\\"items\\\":[{"
                   "\\\"id\\\":\\\"a\\\",\\\"output\\\":\\\"1\\\"},{\\\"id\\\":"
                   "\\\"b\\\",\\\"outp\"},\"finish_reason\":\"length\"}]}"));
    const struct told *t = rig_read_reply(&x);

    TOLD(t, "a=1;");
    CHECK_INT(t->reply.verdict, ==, ASBI_TRUNCATED);
    SAYS(t->code, "truncated");
}

static void a_refusal_is_no_answer(void)
{
    struct exchange x = rig_body(
        "openai", ASBI_PACKED,
        asbi_str_c(
            "{\"choices\":[{\"message\":{\"content\":null,\"refusal\":\"I "
            "cannot help with secret text\"},\"finish_reason\":\"stop\"}]}"));
    const struct told *t = rig_read_reply(&x);

    CHECK_INT(t->reply.verdict, ==, ASBI_FILTERED);
    SAYS(t->message, "the provider refused the content");
    x.body = ASBI_STR("data: {\"choices\":[{\"delta\":{\"refusal\":\"I \"}}]}"
                      "\n\ndata: {\"choices\":[{\"delta\":{},"
                      "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
    x.headers[0] = "content-type";
    x.headers[1] = "text/event-stream";
    CHECK_INT(rig_read_reply(&x)->reply.verdict, ==, ASBI_FILTERED);
}

static void a_filtered_answer_is_told(void)
{
    struct exchange x =
        rig_body("openai", ASBI_SINGLE,
                 asbi_str_c("{\"choices\":[{\"message\":{\"content\":\"Th\"}"
                            ",\"finish_reason\":\"content_filter\"}]}"));

    CHECK_INT(rig_read_reply(&x)->reply.verdict, ==, ASBI_FILTERED);
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
        const struct told *t = read_packed(bodies[i]);

        CHECK_INT(t->reply.verdict, ==, ASBI_GARBLED);
        SAYS(t->code, "garbled_reply");
    }
}

static void what_comes_behind_the_answer_garbles_it(void)
{
    struct exchange x = { .dialect = "openai", .status = 200 };
    char body[sizeof(ollama_single) + 2];

    memcpy(body, ollama_single, sizeof(ollama_single));
    (void)memcpy(body + sizeof(ollama_single) - 1, " {}", 3);
    x.body = asbi_str_of(body, sizeof(body));
    CHECK_INT(rig_read_reply(&x)->reply.verdict, ==, ASBI_GARBLED);
}

static void a_page_instead_of_json_is_garbled(void)
{
    const struct told *t = read_packed(
        "<html><head><title>Sign in</title></head><body>Please <b>log "
        "in</b></body></html>");

    CHECK_INT(t->reply.verdict, ==, ASBI_GARBLED);
    SAYS(t->message,
         "the server did not answer with JSON: Sign in Please log in");
}

/* As of a small server that does not say what it sends, or says it wrongly. */
static void a_stream_under_another_type_is_a_stream(void)
{
    struct exchange x = {
        "openai",
        ASBI_SINGLE,
        200,
        false,
        { "Content-Type", "text/plain; charset=utf-8" },
        ASBI_STR(": hello\n\ndata: {\"choices\":[{\"delta\":{\"content\":"
                 "\"Hi\"},\"finish_reason\":null}]}\n\ndata: {\"choices\":[{"
                 "\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{"
                 "\"prompt_tokens\":3,\"completion_tokens\":1}}\n\ndata: "
                 "[DONE]\n\n")
    };
    const struct told *t = rig_read_reply(&x);

    TOLD(t, "Hi");
    CHECK_INT(t->reply.verdict, ==, ASBI_ACCEPTED);
    CHECK_INT(t->reply.usage.input_tokens, ==, 3);
    x.headers[0] = NULL;
    CHECK_INT(rig_read_reply(&x)->reply.verdict, ==, ASBI_ACCEPTED);
    x.body = ASBI_STR("database is gone\n\nerror: 7\n");
    t = rig_read_reply(&x);
    CHECK_INT(t->reply.verdict, ==, ASBI_GARBLED);
    SAYS(t->message, "the server did not answer with JSON: database is gone "
                     "error: 7");
    x.body = ASBI_STR("data: none\n\n");
    t = rig_read_reply(&x);
    CHECK_INT(t->reply.verdict, ==, ASBI_GARBLED);
    SAYS(t->message, "data: none");
}

static void a_stream_must_end(void)
{
    struct exchange x = rig_events(
        "openai", ASBI_SINGLE,
        asbi_str_c(
            "data: {\"choices\":[{\"delta\":{\"content\":\"Hal\"}}]}\n\n"));
    const struct told *t = rig_read_reply(&x);

    TOLD(t, "Hal");
    CHECK_INT(t->reply.verdict, ==, ASBI_GARBLED);
    x.cut = true;
    CHECK_INT(rig_read_reply(&x)->reply.verdict, ==, ASBI_OVERLOADED);
    /* Cut behind the reason to finish: nothing of the text is missing. */
    x.body = ASBI_STR("data: {\"choices\":[{\"delta\":{\"content\":\"Hal\"},"
                      "\"finish_reason\":\"stop\"}]}\n\n");
    CHECK_INT(rig_read_reply(&x)->reply.verdict, ==, ASBI_ACCEPTED);
}

static void a_broken_event_garbles_a_stream(void)
{
    struct exchange x = rig_events(
        "openai", ASBI_SINGLE,
        asbi_str_c("data: {\"choices\":[{\"delta\":{\"content\":\"A\"}}]}\n\n"
                   "data: {\"choices\":[{\"delta\":{\"con\n\n"
                   "data: {\"choices\":[{\"delta\":{\"content\":\"C\"},"
                   "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"));
    const struct told *t = rig_read_reply(&x);

    TOLD(t, "AC");
    CHECK_INT(t->reply.verdict, ==, ASBI_GARBLED);
}

static void json_under_a_stream_type_is_json(void)
{
    struct exchange x =
        rig_events("openai", ASBI_SINGLE, asbi_str_c(ollama_single));

    TOLD(rig_read_reply(&x), "Hi!");
}

TEST_MAIN(CASE(an_openai_answer_is_read), CASE(an_azure_stream_is_read),
          CASE(a_groq_stream_is_read), CASE(a_vllm_answer_is_read),
          CASE(an_ollama_answer_is_read),
          CASE(reasoning_is_paid_wherever_it_is_counted),
          CASE(a_reply_begins_anew),
          CASE(parts_of_a_content_are_joined_without_thoughts),
          CASE(any_json_is_good_for_a_body_passed_through),
          CASE(a_truncated_answer_gives_its_whole_items),
          CASE(a_refusal_is_no_answer), CASE(a_filtered_answer_is_told),
          CASE(an_answer_without_items_is_garbled),
          CASE(what_comes_behind_the_answer_garbles_it),
          CASE(a_page_instead_of_json_is_garbled),
          CASE(a_stream_under_another_type_is_a_stream),
          CASE(a_stream_must_end), CASE(a_broken_event_garbles_a_stream),
          CASE(json_under_a_stream_type_is_json))

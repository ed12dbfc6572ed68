/* The decoder of OpenAI's dialect: cut, starved, used again, overfed. */
#include "tests/support/openai_replies.h"
#include "tests/support/reply_rig.h"

static const struct asbi_call_style style = { .model = "m" };

static void a_cut_reply_gives_the_first_items(void)
{
    rig_cut_everywhere(
        rig_body("openai", ASBI_PACKED, asbi_str_c(openai_packed)));
    rig_cut_everywhere(
        rig_events("openai", ASBI_PACKED, asbi_str_c(azure_stream)));
    rig_cut_everywhere(
        rig_body("openai", ASBI_PACKED, asbi_str_c(vllm_packed)));
}

static void nesting_too_deep_ends_the_exchange(void)
{
    char deep[300];
    struct exchange x = { .dialect = "openai",
                          .way = ASBI_PACKED,
                          .status = 200 };

    memset(deep, '[', sizeof(deep));
    x.body = asbi_str_of(deep, sizeof(deep));
    const struct told *t = rig_read_reply(&x);
    CHECK_INT(t->rc, ==, ASB_ETOOBIG);
    CHECK_INT(t->reply.verdict, ==, ASBI_GARBLED);
    x.status = 500;
    CHECK_INT(rig_read_reply(&x)->rc, ==, ASB_ETOOBIG);
    x.status = 200;
    memcpy(deep, "data: ", 6);
    memcpy(deep + 200, "\n\ndata: {\"error\":{\"code\":\"slow_down\"}}\n\n",
           41);
    x.body.len = 241;
    x.headers[0] = "content-type";
    x.headers[1] = "text/event-stream";
    t = rig_read_reply(&x);
    CHECK_INT(t->rc, ==, ASB_ETOOBIG);
    CHECK_INT(t->reply.verdict, ==, ASBI_GARBLED);
}

static const struct told *read_packed(const char *body)
{
    struct exchange x = rig_body("openai", ASBI_PACKED, asbi_str_c(body));

    return rig_read_reply(&x);
}

static void huge_numbers_are_no_usage(void)
{
    const struct told *t =
        read_packed("{\"usage\":{\"prompt_tokens\":99999999999999999999999,"
                    "\"completion_tokens\":-1,\"prompt_tokens_details\":{"
                    "\"cached_tokens\":1.5}}}");

    CHECK(!t->reply.has_usage);
    t = read_packed("{\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":"
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
    struct asbi_reply_sink sink = { rig_on_answer, NULL, &t };

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
    struct exchange x =
        rig_body("openai", ASBI_PACKED, asbi_str_c(openai_packed));
    struct fault_mem fm;
    size_t seen = 0;

    fault_mem_init(&fm, 0);
    struct asbi_decoder *d = openai->decoder_new(&fm.mem, &style);
    for (int i = 0; i < 3; i++) {
        rig_read_whole(openai, d, &x, &t);
        CHECK_INT(t.reply.verdict, ==, ASBI_ACCEPTED);
        if (i)
            CHECK_INT(fm.seen, ==, seen);
        seen = fm.seen;
    }
    openai->decoder_free(d);
    CHECK_INT(fm.live, ==, 0);
}

static int life(const struct asbi_mem *mem, void *arg)
{
    static struct told t;
    const struct asbi_dialect *openai = asbi_dialect_find("openai");
    struct asbi_decoder *d = openai->decoder_new(mem, &style);

    if (!d)
        return ASB_ENOMEM;
    rig_read_whole(openai, d, arg, &t);
    openai->decoder_free(d);
    t.text[t.len] = '\0';
    if (strcmp(t.text, PACKED_ITEMS) == 0)
        return ASB_OK;
    /* One item is lost, no more. */
    TOLD(&t, "a1!;b2=\xd0\x94\xd0\xb0 \xf0\x9f\x98\x80;a1=again;");
    return ASB_ENOMEM;
}

static void every_failed_allocation_is_survived(void)
{
    struct exchange x =
        rig_body("openai", ASBI_PACKED, asbi_str_c(openai_packed));

    CHECK_INT(fault_sweep(life, &x), >, 2);
}

static void nothing_of_a_call_is_left_in_the_next(void)
{
    static struct told t;
    const struct asbi_dialect *openai = asbi_dialect_find("openai");
    struct asbi_decoder *d = openai->decoder_new(&asbi_mem_system, &style);
    struct exchange bad = {
        .dialect = "openai",
        .status = 429,
        .headers = { RIG_EVENTS, "retry-after", "5", "x-request-id", "r" },
        .body =
            RIG_BODY("{\"error\":{\"code\":\"insufficient_quota\",\"message\":"
                     "\"m\",\"type\":\"t\",\"param\":\"stream\"},\"usage\":{"
                     "\"prompt_tokens\":9},\"choices\":[{\"finish_reason\":"
                     "\"length\",\"message\":{\"refusal\":\"x\"}}]"),
    };
    struct exchange good =
        rig_body("openai", ASBI_PACKED, asbi_str_c(vllm_packed));

    rig_read_whole(openai, d, &bad, &t);
    CHECK_INT(t.reply.verdict, ==, ASBI_SPENDING_CAP);
    good.body.len = 0;
    rig_read_whole(openai, d, &good, &t);
    CHECK_INT(t.reply.verdict, ==, ASBI_GARBLED);
    SAYS(t.message, "the reply could not be understood");
    CHECK(!t.reply.has_usage);
    CHECK_INT(t.reply.request_id.len, ==, 0);
    CHECK(t.reply.retry_after_ns == UINT64_MAX);
    good.body.len = sizeof(vllm_packed) - 1;
    rig_read_whole(openai, d, &good, &t);
    CHECK_INT(t.reply.verdict, ==, ASBI_ACCEPTED);
    openai->decoder_free(d);
}

TEST_MAIN(CASE(a_cut_reply_gives_the_first_items),
          CASE(nesting_too_deep_ends_the_exchange),
          CASE(huge_numbers_are_no_usage), CASE(endless_values_need_no_memory),
          CASE(the_next_call_needs_no_allocation),
          CASE(every_failed_allocation_is_survived),
          CASE(nothing_of_a_call_is_left_in_the_next))

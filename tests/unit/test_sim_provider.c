#include "engine/sim/provider.h"

#include "tests/support/sim_rig.h"

static void a_refusal_has_its_status_and_code(void)
{
    static const struct {
        const char *path, *body;
        int status;
        const char *code;
    } table[] = {
        { "/nowhere", "{}", 404, NULL },
        { CHAT, "", 405, "method_not_supported" },
        { CHAT, "{\"model\":\"m\"", 400, NULL },
        { CHAT, "[]", 400, NULL },
        { CHAT, "{\"model\":\"m\"}", 400, "missing_required_parameter" },
        { CHAT, "{\"model\":\"m\",\"messages\":[]}", 400, "invalid_type" },
        { CHAT, "{\"model\":\"m\",\"messages\":{\"a\":1}}", 400,
          "invalid_type" },
        { CHAT, "{\"messages\":[{}]}", 400, NULL },
        { CHAT, "{\"model\":\"missing-x\",\"messages\":[{}]}", 404,
          "model_not_found" },
        { CHAT, "{\"model\":\"m\",\"n\":0,\"messages\":[{}]}", 400,
          "invalid_value" },
        { CHAT, "{\"model\":\"m\",\"max_tokens\":-1,\"messages\":[{}]}", 400,
          "invalid_value" },
        { "/v1/embeddings", "{\"model\":\"m\"}", 400,
          "missing_required_parameter" },
        { "/v1/embeddings", "{\"model\":\"m\",\"input\":\"\"}", 400, NULL },
        { "/v1/embeddings", "{\"model\":\"m\",\"input\":[]}", 400,
          "invalid_value" },
        { "/v1/embeddings", "{\"model\":\"m\",\"input\":[\"a\",{}]}", 400,
          NULL },
        { "/v1/embeddings",
          "{\"model\":\"m\",\"input\":\"a\",\"dimensions\":0}", 400,
          "invalid_value" },
        { "/v1/models/missing-y", "", 404, "model_not_found" },
    };
    struct rig r = rig_new(&(struct asbi_sim_options){ 0 });

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        CHECK_INT(take(&r, table[i].path, table[i].body)->status, ==,
                  table[i].status);
        CHECK(text_at(&r, "error.message").len > 0);
        CHECK_STR(text_at(&r, "error.code"),
                  table[i].code ? table[i].code : "");
    }
    CHECK_INT(take(&r, "/v1/models", "")->status, ==, 200);
    CHECK_INT(asbi_sim_provider_stats(r.p)->billed_input, ==, 0);
    rig_free(&r);
}

static void a_large_body_is_refused(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ 0 });
    size_t len = ASBI_SIM_MAX_BODY + 1;
    char *body = calloc(1, len);

    CHECK(body);
    CHECK_INT(take_at(&r, "POST", CHAT, asbi_str_of(body, len), 0)->status, ==,
              413);
    free(body);
    rig_free(&r);
}

static void a_key_is_asked_for_when_required(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ .require_key = true });

    CHECK_INT(take(&r, CHAT, USER("\"x\""))->status, ==, 401);
    CHECK_STR(text_at(&r, "error.code"), "invalid_api_key");
    CHECK_INT(take(&r, "/v1/batches", "")->status, ==, 401);
    rig_free(&r);
}

static void small_context(void *arg, const char *name,
                          struct asbi_sim_model *out)
{
    (void)arg;
    CHECK(strcmp(name, "m") == 0);
    *out = (struct asbi_sim_model){ .input_price = 1000000,
                                    .output_price = 2000000,
                                    .context_tokens = 20,
                                    .max_output_tokens = 2 };
}

static void the_models_own_limits_hold(void)
{
    struct rig r =
        rig_new(&(struct asbi_sim_options){ .model = small_context });

    CHECK_INT(take(&r, CHAT, USER("\"a b c d e\""))->status, ==, 200);
    CHECK_INT(number_at(&r, "usage.completion_tokens"), ==, 2);
    CHECK_INT(
        take(&r, CHAT, USER("\"a b c d e f g h i j k l m n o p q r s t u v\""))
            ->status,
        ==, 400);
    CHECK_STR(text_at(&r, "error.code"), "context_length_exceeded");
    rig_free(&r);
}

/* ---- limits ----------------------------------------------------------- */

static void requests_beyond_the_limit_get_429(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ .rpm = 2 });

    CHECK_INT(take(&r, CHAT, USER("\"x\""))->status, ==, 200);
    CHECK(strcmp(header_of(r.call, "x-ratelimit-limit-requests"), "2") == 0);
    CHECK(strcmp(header_of(r.call, "x-ratelimit-remaining-requests"), "1") ==
          0);
    CHECK(strcmp(header_of(r.call, "x-ratelimit-reset-requests"), "30s") == 0);
    CHECK(!header_of(r.call, "x-ratelimit-limit-tokens"));
    CHECK_INT(take(&r, CHAT, "garbage counts too")->status, ==, 400);
    CHECK_INT(take(&r, CHAT, USER("\"x\""))->status, ==, 429);
    CHECK_STR(text_at(&r, "error.code"), "rate_limit_exceeded");
    CHECK_STR(text_at(&r, "error.type"), "requests");
    CHECK(strcmp(header_of(r.call, "retry-after"), "30") == 0);
    CHECK(strcmp(header_of(r.call, "retry-after-ms"), "30000") == 0);
    drop_call(&r);
    take_at(&r, "POST", CHAT, asbi_str_c(USER("\"x\"")), 30 * ASBI_SECOND);
    CHECK_INT(r.call->status, ==, 200);
    rig_free(&r);
}

static void tokens_are_charged_by_the_larger_of_prompt_and_answer(void)
{
    static const char big[] =
        "{\"model\":\"m\",\"max_tokens\":600,\"messages\":"
        "[{\"role\":\"user\",\"content\":\"x\"}]}";
    struct rig r = rig_new(&(struct asbi_sim_options){ .tpm = 1000 });

    CHECK_INT(take(&r, CHAT, big)->status, ==, 200);
    CHECK(strcmp(header_of(r.call, "x-ratelimit-remaining-tokens"), "400") ==
          0);
    CHECK(strcmp(header_of(r.call, "x-ratelimit-reset-tokens"), "36s") == 0);
    CHECK_INT(take(&r, CHAT, big)->status, ==, 429);
    CHECK_STR(text_at(&r, "error.type"), "tokens");
    CHECK(strcmp(header_of(r.call, "retry-after"), "12") == 0);
    CHECK_INT(take(&r, CHAT, USER("\"x\""))->status, ==, 200);
    CHECK(strcmp(header_of(r.call, "x-ratelimit-remaining-tokens"), "392") ==
          0); /* 1 for the word, 4 for the message, 3 for the answer */
    rig_free(&r);
}

static void what_never_fits_has_no_retry_after(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ .tpm = 100 });

    take(&r, CHAT,
         "{\"model\":\"m\",\"max_tokens\":101,\"messages\":[{\"role\":\"user\","
         "\"content\":\"x\"}]}");
    CHECK_INT(r.call->status, ==, 429);
    CHECK(!header_of(r.call, "retry-after"));
    rig_free(&r);
}

static void a_repeated_system_prompt_is_cached(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ 0 });
    struct asbi_buf body;

    asbi_buf_init(&body, &asbi_mem_system, 1 << 20);
    asbi_buf_c(&body, "{\"model\":\"m\",\"messages\":[{\"role\":\"system\","
                      "\"content\":\"");
    for (int i = 0; i < 1100; i++)
        asbi_buf_c(&body, "word ");
    asbi_buf_c(&body, "\"},{\"role\":\"user\",\"content\":\"x\"}]}");
    for (int i = 0; i < 2; i++) {
        drop_call(&r);
        take_at(&r, "POST", CHAT, asbi_buf_view(&body), 0);
        CHECK_INT(number_at(&r, "usage.prompt_tokens"), ==, 1100 + 4 + 5 + 3);
        CHECK_INT(number_at(&r, "usage.prompt_tokens_details.cached_tokens"),
                  ==, i * 1024);
    }
    drop_call(&r);
    take_at(&r, "POST", CHAT, asbi_buf_view(&body), 301 * ASBI_SECOND);
    CHECK_INT(number_at(&r, "usage.prompt_tokens_details.cached_tokens"), ==,
              0);
    const struct asbi_sim_stats *s = asbi_sim_provider_stats(r.p);
    CHECK_INT(s->cached_input, ==, 1024);
    /* At 0.40, 0.10 and 1.60 dollars per million tokens. */
    CHECK_INT(s->billed_nano_usd, ==,
              (3 * 1112 - 1024) * 400 + 1024 * 100 + 3 * 1600);
    asbi_buf_fini(&body);
    rig_free(&r);
}

static void places_are_given_first_come_first_served(void)
{
    struct asbi_sim_options o = { .capacity = 2 };
    struct asbi_sim_call *calls[5];
    struct rig r = rig_new(&o);
    const struct asbi_sim_stats *s = asbi_sim_provider_stats(r.p);

    for (int i = 0; i < 5; i++) {
        calls[i] = take_at(&r, "POST", CHAT, asbi_str_c(USER("\"x\"")), 10);
        CHECK_INT(calls[i]->started, ==, i < 2);
    }
    CHECK_INT(s->in_flight, ==, 2);
    CHECK_INT(s->waiting, ==, 3);
    CHECK_INT(s->status[200], ==, 2);
    asbi_sim_provider_abandon(r.p, calls[3]);
    CHECK(asbi_sim_provider_finish(r.p, calls[1], 50) == calls[2]);
    CHECK_INT(calls[2]->started_ns, ==, 50);
    CHECK(asbi_sim_provider_finish(r.p, calls[0], 60) == calls[4]);
    CHECK(!asbi_sim_provider_finish(r.p, calls[2], 70));
    CHECK(!asbi_sim_provider_finish(r.p, calls[4], 80));
    CHECK_INT(s->in_flight, ==, 0);
    CHECK_INT(s->max_in_flight, ==, 2);
    CHECK_INT(s->max_waiting, ==, 3);
    CHECK_INT(s->calls, ==, 5);
    CHECK_INT(s->status[200], ==, 4); /* the abandoned one was never answered */
    for (int i = 0; i < 5; i++)
        asbi_sim_call_free(i == 3 ? NULL : calls[i]);
    r.call = NULL;
    rig_free(&r);
}

TEST_MAIN(CASE(a_refusal_has_its_status_and_code),
          CASE(a_large_body_is_refused), CASE(a_key_is_asked_for_when_required),
          CASE(the_models_own_limits_hold),
          CASE(requests_beyond_the_limit_get_429),
          CASE(tokens_are_charged_by_the_larger_of_prompt_and_answer),
          CASE(what_never_fits_has_no_retry_after),
          CASE(a_repeated_system_prompt_is_cached),
          CASE(places_are_given_first_come_first_served))

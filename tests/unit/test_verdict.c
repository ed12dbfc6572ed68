#include "adapters/verdict.h"

#include "adapters/excerpt.h"
#include "adapters/explain.h"
#include "adapters/redact.h"
#include "engine/base/rng.h"
#include "tests/support/check.h"
#include "tests/support/splits.h"

static struct asbi_facts error_facts(int status, const char *code,
                                     const char *type, const char *param,
                                     const char *message)
{
    return (struct asbi_facts){
        .status = status,
        .understood = true,
        .error = true,
        .code = asbi_str_c(code),
        .type = asbi_str_c(type),
        .param = asbi_str_c(param),
        .message = asbi_str_c(message),
    };
}

static enum asbi_verdict verdict_of(int status, const char *code)
{
    struct asbi_facts f = error_facts(status, code, NULL, NULL, NULL);
    const char *feature;
    enum asbi_verdict verdict = asbi_verdict_of(&f, &feature);

    CHECK(feature == NULL);
    return verdict;
}

static enum asbi_verdict verdict_of_message(int status, const char *message)
{
    struct asbi_facts f = error_facts(status, NULL, NULL, NULL, message);
    const char *feature;

    return asbi_verdict_of(&f, &feature);
}

static void each_status_has_a_verdict(void)
{
    static const struct {
        int status;
        enum asbi_verdict verdict;
    } cases[] = {
        { 0, ASBI_OVERLOADED },       { 301, ASBI_NO_SUCH_MODEL },
        { 308, ASBI_NO_SUCH_MODEL },  { 400, ASBI_BAD_REQUEST },
        { 401, ASBI_NO_CREDENTIALS }, { 402, ASBI_SPENDING_CAP },
        { 403, ASBI_NO_CREDENTIALS }, { 404, ASBI_NO_SUCH_MODEL },
        { 405, ASBI_NO_SUCH_MODEL },  { 408, ASBI_OVERLOADED },
        { 409, ASBI_OVERLOADED },     { 413, ASBI_BAD_REQUEST },
        { 418, ASBI_BAD_REQUEST },    { 422, ASBI_BAD_REQUEST },
        { 429, ASBI_RATE_LIMITED },   { 498, ASBI_OVERLOADED },
        { 500, ASBI_OVERLOADED },     { 502, ASBI_OVERLOADED },
        { 503, ASBI_OVERLOADED },     { 504, ASBI_OVERLOADED },
        { 524, ASBI_OVERLOADED },     { 529, ASBI_OVERLOADED },
        { 999, ASBI_OVERLOADED },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_INT(verdict_of(cases[i].status, NULL), ==, cases[i].verdict);
        CHECK_INT(verdict_of(cases[i].status, "some_other_code"), ==,
                  cases[i].verdict);
    }
}

static void spending_is_told_from_speed(void)
{
    static const char *const caps[] = {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "billing_hard_limit_reached",
        "enforced_spend_limit_reached",
    };

    for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
        CHECK_INT(verdict_of(429, caps[i]), ==, ASBI_SPENDING_CAP);
    CHECK_INT(verdict_of(400, "billing_hard_limit_reached"), ==,
              ASBI_SPENDING_CAP);
    CHECK_INT(verdict_of(429, "rate_limit_exceeded"), ==, ASBI_RATE_LIMITED);
    CHECK_INT(verdict_of(429, "slow_down"), ==, ASBI_RATE_LIMITED);

    struct asbi_facts f =
        error_facts(429, "429", "insufficient_quota", NULL, NULL);
    const char *feature;
    CHECK_INT(asbi_verdict_of(&f, &feature), ==, ASBI_SPENDING_CAP);
}

static void refused_content_is_told_from_refused_keys(void)
{
    CHECK_INT(verdict_of(400, "content_filter"), ==, ASBI_FILTERED);
    CHECK_INT(verdict_of(400, "content_policy_violation"), ==, ASBI_FILTERED);
    CHECK_INT(verdict_of(403, "content_policy_violation"), ==, ASBI_FILTERED);
    CHECK_INT(verdict_of_message(403, "Your input was flagged"), ==,
              ASBI_FILTERED);
    /* within a stream that began well */
    CHECK_INT(verdict_of_message(200, "Your input was flagged"), ==,
              ASBI_FILTERED);
    CHECK_INT(verdict_of_message(403, "Country not supported"), ==,
              ASBI_NO_CREDENTIALS);
}

static void what_is_too_large_is_bisected(void)
{
    CHECK_INT(verdict_of(400, "context_length_exceeded"), ==, ASBI_BAD_REQUEST);
    CHECK_INT(verdict_of(413, "rate_limit_exceeded"), ==, ASBI_BAD_REQUEST);
    CHECK_INT(verdict_of_message(429, "Request too large for gpt-4o: Limit "
                                      "30000, Requested 40000."),
              ==, ASBI_BAD_REQUEST);

    struct asbi_facts f = error_facts(
        400, "400", "BadRequestError", "max_tokens",
        "'max_tokens' is too large: 1000. This model's maximum context length "
        "is 4096 tokens");
    const char *feature;
    CHECK_INT(asbi_verdict_of(&f, &feature), ==, ASBI_BAD_REQUEST);
    CHECK(feature == NULL);
}

static void an_unsupported_feature_is_named(void)
{
    static const struct {
        int status;
        const char *code, *param, *message, *feature;
    } cases[] = {
        { 400, "unsupported_parameter", "max_tokens",
          "Unsupported parameter: 'max_tokens' is not supported with this "
          "model. Use 'max_completion_tokens' instead.",
          "max_tokens" },
        { 400, "unsupported_value", "temperature",
          "'temperature' does not support 0.2 with this model.",
          "temperature" },
        { 400, NULL, "response_format",
          "Invalid parameter: 'response_format' of type 'json_schema' is not "
          "supported with this model.",
          "response_format" },
        { 400, NULL, "response_format.json_schema", "Invalid schema",
          "response_format" },
        { 400, NULL, "stream_options", "x", "stream_options" },
        { 400, "unsupported_value", "stream", "x", "stream" },
        { 400, NULL, NULL,
          "Unknown name \"stream_options\": Cannot find field.",
          "stream_options" },
        { 400, NULL, NULL, "This response_format type is unavailable now",
          "response_format" },
        { 400, NULL, "messages",
          "'messages' must contain the word 'json' in some form, to use "
          "'response_format' of type 'json_object'.",
          "response_format" },
        { 422, NULL, "stream_options", "Extra inputs are not permitted",
          "stream_options" },
        { 400, NULL, NULL, "unrecognized argument: max_completion_tokens",
          "max_completion_tokens" },
        { 400, NULL, NULL,
          "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.",
          "max_tokens" },
        { 400, NULL, NULL,
          "'max_completion_tokens' is not supported, use 'max_tokens'",
          "max_completion_tokens" },
        { 400, NULL, NULL, "Streaming is not supported for this model",
          "stream" },
        { 501, NULL, NULL, "json_schema is not implemented",
          "response_format" },
        { 400, "unsupported_value", "messages[0].role",
          "Unsupported value: 'messages[0].role' does not support 'system' "
          "with this model.",
          "system" },
        { 400, NULL, NULL, "System role not supported", "system" },
        { 400, NULL, NULL,
          "Developer instruction is not enabled for models/gemma-3-27b-it",
          "system" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct asbi_facts f =
            error_facts(cases[i].status, cases[i].code, "invalid_request_error",
                        cases[i].param, cases[i].message);
        const char *feature;

        CHECK_INT(asbi_verdict_of(&f, &feature), ==, ASBI_UNSUPPORTED);
        CHECK_BYTES(feature, strlen(feature), cases[i].feature);
    }
}

static void other_refusals_name_no_feature(void)
{
    static const struct {
        int status;
        const char *param, *message;
    } cases[] = {
        { 400, "messages", "[] is too short - 'messages'" },
        { 400, "temperature", "3 is greater than the maximum of 2" },
        { 400, "streams", "no such thing" },
        { 400, NULL, "unexpected end of stream" },
        { 400, NULL, "unknown field max_tokens_to_sample" },
        { 400, NULL,
          "Invalid content type. image_url is only supported by "
          "certain models." },
        { 400, NULL, "the temperature is nice" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct asbi_facts f = error_facts(cases[i].status, "invalid_value",
                                          "invalid_request_error",
                                          cases[i].param, cases[i].message);
        const char *feature;

        CHECK_INT(asbi_verdict_of(&f, &feature), ==, ASBI_BAD_REQUEST);
        CHECK(feature == NULL);
    }
    CHECK_INT(verdict_of_message(503, "response_format is not supported"), ==,
              ASBI_OVERLOADED);
}

/* As Groq sends it in JSON mode. */
static void a_model_that_wrote_no_json_is_asked_again(void)
{
    struct asbi_facts f =
        error_facts(400, "json_validate_failed", "invalid_request_error", NULL,
                    "Failed to generate JSON. Please adjust your prompt. See "
                    "'failed_generation' for more details.");
    const char *feature;

    CHECK_INT(asbi_verdict_of(&f, &feature), ==, ASBI_GARBLED);
}

static void an_error_under_200_is_an_error(void)
{
    CHECK_INT(verdict_of(200, "rate_limit_exceeded"), ==, ASBI_RATE_LIMITED);
    CHECK_INT(verdict_of(200, "429"), ==, ASBI_RATE_LIMITED);
    CHECK_INT(verdict_of(200, "402"), ==, ASBI_SPENDING_CAP);
    CHECK_INT(verdict_of(200, "server_error"), ==, ASBI_OVERLOADED);
    CHECK_INT(verdict_of(200, NULL), ==, ASBI_OVERLOADED);
    CHECK_INT(verdict_of(200, "content_filter"), ==, ASBI_FILTERED);
    CHECK_INT(verdict_of(200, "invalid_request_error"), ==, ASBI_BAD_REQUEST);
    CHECK_INT(verdict_of(404, "invalid_request_error"), ==, ASBI_NO_SUCH_MODEL);
}

static void answers_have_verdicts(void)
{
    const struct asbi_facts good = { .status = 200, .understood = true };
    struct asbi_facts f = good;
    const char *feature;

    CHECK_INT(asbi_verdict_of(&f, &feature), ==, ASBI_ACCEPTED);
    f.finish = ASBI_STR("stop");
    CHECK_INT(asbi_verdict_of(&f, &feature), ==, ASBI_ACCEPTED);
    f.finish = ASBI_STR("length");
    f.lacks_items = true;
    CHECK_INT(asbi_verdict_of(&f, &feature), ==, ASBI_TRUNCATED);
    f.finish = ASBI_STR("content_filter");
    CHECK_INT(asbi_verdict_of(&f, &feature), ==, ASBI_FILTERED);
    f.finish = ASBI_STR("error");
    CHECK_INT(asbi_verdict_of(&f, &feature), ==, ASBI_OVERLOADED);
    f = good;
    f.finish = ASBI_STR("abort");
    CHECK_INT(asbi_verdict_of(&f, &feature), ==, ASBI_OVERLOADED);
    f = good;
    f.lacks_items = true;
    CHECK_INT(asbi_verdict_of(&f, &feature), ==, ASBI_GARBLED);
    f = good;
    f.understood = false;
    CHECK_INT(asbi_verdict_of(&f, &feature), ==, ASBI_GARBLED);
    f.cut = true;
    CHECK_INT(asbi_verdict_of(&f, &feature), ==, ASBI_OVERLOADED);
    f.refused = true;
    CHECK_INT(asbi_verdict_of(&f, &feature), ==, ASBI_FILTERED);
}

static void every_verdict_explains_itself(void)
{
    for (int v = ASBI_ACCEPTED; v <= ASBI_UNSUPPORTED; v++) {
        CHECK((asbi_verdict_code((enum asbi_verdict)v) != NULL) ==
              (v != ASBI_ACCEPTED));
        CHECK(asbi_verdict_text((enum asbi_verdict)v) != NULL);
    }
}

static struct asbi_reply explain(const struct asbi_facts *f,
                                 const char *location, const char *page,
                                 struct asbi_explanation *e)
{
    struct asbi_reply reply = { 0 };

    reply.verdict = asbi_verdict_of(f, &reply.feature);
    asbi_explain(e, f, asbi_str_c(location), asbi_str_c(page), page != NULL,
                 &reply);
    return reply;
}

#define CODE(reply, want) CHECK_BYTES((reply).code, strlen((reply).code), want)

static void codes_and_words_are_the_providers_where_it_has_some(void)
{
    struct asbi_explanation e;
    struct asbi_facts f = error_facts(429, "rate_limit_exceeded", "tokens",
                                      NULL, "Slow\ndown, sk-abcdefghijkl");
    struct asbi_reply r = explain(&f, NULL, NULL, &e);

    CODE(r, "rate_limit_exceeded");
    CHECK_STR(r.message, "Slow down, sk-************");
    f = error_facts(400, "400", "BadRequestError", NULL, NULL);
    r = explain(&f, NULL, NULL, &e);
    CODE(r, "BadRequestError");
    CHECK_STR(r.message, "the provider refused the request");
    f = error_facts(500, "code with \"spaces\"", NULL, NULL, NULL);
    f.error = false;
    r = explain(&f, NULL, "Bad gateway", &e);
    CODE(r, "provider_unavailable");
    CHECK_STR(r.message, "Bad gateway");
}

static void a_redirect_says_what_to_do(void)
{
    struct asbi_explanation e;
    struct asbi_facts f = { .status = 301, .code = ASBI_STR("") };
    struct asbi_reply r =
        explain(&f, "https://example.org/v1/?key=secret", "Moved", &e);

    CHECK_INT(r.verdict, ==, ASBI_NO_SUCH_MODEL);
    CODE(r, "not_found");
    CHECK_STR(r.message, "the server redirects; set the base URL to the "
                         "address that answers: https://example.org/v1/");
}

static void a_page_is_not_json(void)
{
    struct asbi_explanation e;
    struct asbi_facts f = { .status = 200 };
    struct asbi_reply r = explain(&f, NULL, "Welcome", &e);

    CHECK_INT(r.verdict, ==, ASBI_GARBLED);
    CODE(r, "garbled_reply");
    CHECK_STR(r.message, "the server did not answer with JSON: Welcome");
}

static void success_needs_no_words(void)
{
    struct asbi_explanation e;
    struct asbi_facts f = { .status = 200, .understood = true };
    struct asbi_reply r = explain(&f, NULL, NULL, &e);

    CHECK(r.code == NULL);
    CHECK_INT(r.message.len, ==, 0);
}

static void check_quotes(const char *message, const char *source,
                         const char *shown)
{
    char text[ASBI_REDACT_MOST];
    size_t len = strlen(message);

    memcpy(text, message, len);
    asbi_redact_quotes(text, len, asbi_str_c(source), 8);
    CHECK_STR(asbi_str_of(text, len), shown);
}

static void what_is_quoted_of_a_text_is_hidden(void)
{
    check_quotes("no: open the door!", "Please open the door now",
                 "no:**************!");
    check_quotes("no: open", "Please open the door", "no: open");
    check_quotes("open the open the", "open the", "******** ********");
    check_quotes("open th", "open the door", "open th");
    check_quotes("", "open the door", "");
    check_quotes("open the door", "", "open the door");
    /* A character of several bytes is hidden whole: the run ends inside. */
    check_quotes("abcdefg\xC3\xA9!", "abcdefg\xC3\xA8", "*********!");
    check_quotes("\xC3\xA9"
                 "bcdefgh!",
                 "\xC4\xA9"
                 "bcdefgh?",
                 "*********!");
}

static void put_letters(struct asbi_rng *rng, char *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = "ab"[asbi_rng_below(rng, 2)];
}

static void quotes_are_all_that_the_slow_way_finds(void)
{
    enum { RUN = 8, TEXT = 300 };
    char message[ASBI_REDACT_MOST], want[ASBI_REDACT_MOST], source[TEXT];
    struct asbi_rng rng;

    asbi_rng_seed(&rng, 5);
    for (int round = 0; round < 300; round++) {
        size_t len = RUN + asbi_rng_below(&rng, sizeof(message) - RUN + 1);
        size_t text = asbi_rng_below(&rng, sizeof(source) + 1);

        put_letters(&rng, message, len);
        put_letters(&rng, source, text);
        memcpy(want, message, len);
        for (size_t s = 0; s + RUN <= text; s++) {
            for (size_t i = 0; i + RUN <= len; i++) {
                if (memcmp(message + i, source + s, RUN) == 0)
                    memset(want + i, '*', RUN);
            }
        }
        asbi_redact_quotes(message, len, asbi_str_of(source, text), RUN);
        CHECK(memcmp(message, want, len) == 0);
    }
}

static void keys_are_kept_out_of_messages(void)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "key sk-proj-1234abcd5678 is bad",
          "key sk-***************** is bad" },
        { "(gsk_0123456789)", "(gsk_**********)" },
        { "Bearer abcdefgh1", "Bearer *********" },
        { "AIzaSyA1234567", "AIza**********" },
        { "sk-short", "sk-short" },
        { "task-force-of-many", "task-force-of-many" },
        { "a\x01\nb", "a  b" },
        { "", "" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64];
        size_t len = strlen(cases[i].text);

        memcpy(text, cases[i].text, len);
        asbi_redact(text, len);
        CHECK_BYTES(text, len, cases[i].want);
    }
}

static void an_excerpt_is_words_without_tags(void)
{
    asbi_str page = ASBI_STR(
        "<!DOCTYPE html>\n<html><head><title>502 Bad\r\n Gateway</title>"
        "<style type=\"text/css\">p { color: red; } <b></style>"
        "<script>if (a < b) x = '</p>';</script></head>"
        "<body><center><h1>nginx</h1></center></body></html>");
    struct splits ways;

    for (size_t n = 0; splits_way(page, n, &ways); n++) {
        struct asbi_excerpt e;
        size_t len;
        char *piece;

        asbi_excerpt_begin(&e);
        while ((piece = splits_next(&ways, &len))) {
            asbi_excerpt_feed(&e, asbi_str_of(piece, len));
            free(piece);
        }
        CHECK_STR(asbi_excerpt_text(&e), "502 Bad Gateway nginx");
    }
}

static void an_excerpt_is_cut_between_characters(void)
{
    struct asbi_excerpt e;
    asbi_str text;

    asbi_excerpt_begin(&e);
    asbi_excerpt_feed(&e, ASBI_STR("x"));
    for (int i = 0; i < 1000; i++)
        asbi_excerpt_feed(&e, ASBI_STR("\xc3\xa9"));
    text = asbi_excerpt_text(&e);
    CHECK_INT(text.len, ==, 239);
    CHECK_INT(text.at[238], ==, '\xa9');
}

TEST_MAIN(CASE(each_status_has_a_verdict), CASE(spending_is_told_from_speed),
          CASE(refused_content_is_told_from_refused_keys),
          CASE(what_is_too_large_is_bisected),
          CASE(an_unsupported_feature_is_named),
          CASE(other_refusals_name_no_feature),
          CASE(a_model_that_wrote_no_json_is_asked_again),
          CASE(an_error_under_200_is_an_error), CASE(answers_have_verdicts),
          CASE(every_verdict_explains_itself),
          CASE(codes_and_words_are_the_providers_where_it_has_some),
          CASE(a_redirect_says_what_to_do), CASE(a_page_is_not_json),
          CASE(success_needs_no_words),
          CASE(quotes_are_all_that_the_slow_way_finds),
          CASE(keys_are_kept_out_of_messages),
          CASE(what_is_quoted_of_a_text_is_hidden),
          CASE(an_excerpt_is_words_without_tags),
          CASE(an_excerpt_is_cut_between_characters))

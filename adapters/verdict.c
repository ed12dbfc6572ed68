#include "adapters/verdict.h"

#include <stddef.h>

#include "engine/base/units.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define S(literal)                        \
    {                                     \
        (literal), sizeof("" literal) - 1 \
    }

/* ---- tables ----------------------------------------------------------- */

/* Error codes and types that mean the same whatever the status. */
static const struct word {
    asbi_str text;
    enum asbi_verdict verdict;
} words[] = {
    { S("insufficient_quota"), ASBI_SPENDING_CAP },
    { S("credit_balance_exhausted"), ASBI_SPENDING_CAP },
    { S("organization_spend_limit_exceeded"), ASBI_SPENDING_CAP },
    { S("project_spend_limit_exceeded"), ASBI_SPENDING_CAP },
    { S("organization_usage_limit_exceeded"), ASBI_SPENDING_CAP },
    { S("billing_hard_limit_reached"), ASBI_SPENDING_CAP },
    { S("billing_not_active"), ASBI_SPENDING_CAP },
    { S("billing_error"), ASBI_SPENDING_CAP },
    { S("enforced_spend_limit_reached"), ASBI_SPENDING_CAP },
    { S("exceeded_current_quota_error"), ASBI_SPENDING_CAP },
    { S("daily_quota_exhausted"), ASBI_SPENDING_CAP },
    { S("content_filter"), ASBI_FILTERED },
    { S("content_policy_violation"), ASBI_FILTERED },
    { S("ResponsibleAIPolicyViolation"), ASBI_FILTERED },
    { S("data_inspection_failed"), ASBI_FILTERED },
    { S("moderation_blocked"), ASBI_FILTERED },
    { S("context_length_exceeded"), ASBI_BAD_REQUEST },
    { S("string_above_max_length"), ASBI_BAD_REQUEST },
    { S("request_too_large"), ASBI_BAD_REQUEST },
    { S("rate_limit_exceeded"), ASBI_RATE_LIMITED },
    { S("rate_limit_error"), ASBI_RATE_LIMITED },
    { S("rate_limit_reached_error"), ASBI_RATE_LIMITED },
    { S("RateLimitReached"), ASBI_RATE_LIMITED },
    { S("RESOURCE_EXHAUSTED"), ASBI_RATE_LIMITED },
    { S("slow_down"), ASBI_RATE_LIMITED },
    { S("overloaded_error"), ASBI_OVERLOADED },
    /* Groq: the model wrote no JSON, which is no fault of the request. */
    { S("json_validate_failed"), ASBI_GARBLED },
    { S("API_KEY_INVALID"), ASBI_NO_CREDENTIALS },
    /* Google: no such country, or an account without billing. */
    { S("FAILED_PRECONDITION"), ASBI_NO_CREDENTIALS },
    { S("invalid_api_key"), ASBI_NO_CREDENTIALS },
    { S("authentication_error"), ASBI_NO_CREDENTIALS },
    { S("account_deactivated"), ASBI_NO_CREDENTIALS },
    { S("model_not_found"), ASBI_NO_SUCH_MODEL },
    { S("DeploymentNotFound"), ASBI_NO_SUCH_MODEL },
};

/* Those that only count where no status says better: in a stream that began
 * well. */
static const struct word weak_words[] = {
    { S("not_found_error"), ASBI_NO_SUCH_MODEL },
    { S("permission_error"), ASBI_NO_CREDENTIALS },
    { S("invalid_request_error"), ASBI_BAD_REQUEST },
    { S("BadRequestError"), ASBI_BAD_REQUEST },
};

/* The first row that fits counts. */
static const struct {
    int from, to;
    enum asbi_verdict verdict;
} statuses[] = {
    { 300, 399, ASBI_NO_SUCH_MODEL }, /* the base URL is wrong */
    { 401, 401, ASBI_NO_CREDENTIALS }, { 402, 402, ASBI_SPENDING_CAP },
    { 403, 403, ASBI_NO_CREDENTIALS }, { 404, 405, ASBI_NO_SUCH_MODEL },
    { 407, 407, ASBI_NO_CREDENTIALS }, { 408, 409, ASBI_OVERLOADED },
    { 410, 410, ASBI_NO_SUCH_MODEL },  { 425, 425, ASBI_OVERLOADED },
    { 429, 429, ASBI_RATE_LIMITED },   { 456, 456, ASBI_SPENDING_CAP },
    { 498, 498, ASBI_OVERLOADED },     { 400, 499, ASBI_BAD_REQUEST },
};

/* Phrases of a 400, 403, 422 or 429 that tell what its code does not. */
static const struct word phrases[] = {
    { S("maximum context length"), ASBI_BAD_REQUEST },
    { S("context window"), ASBI_BAD_REQUEST },
    { S("context length"), ASBI_BAD_REQUEST },
    { S("context size"), ASBI_BAD_REQUEST },
    { S("context limit"), ASBI_BAD_REQUEST },
    { S("maximum number of tokens"), ASBI_BAD_REQUEST },
    { S("prompt is too long"), ASBI_BAD_REQUEST },
    { S("request too large"), ASBI_BAD_REQUEST },
    { S("content policy"), ASBI_FILTERED },
    { S("content management policy"), ASBI_FILTERED },
    { S("content filtering policy"), ASBI_FILTERED },
    { S("usage policies"), ASBI_FILTERED },
    { S("safety system"), ASBI_FILTERED },
    { S("was flagged"), ASBI_FILTERED },
    { S("credit balance is too low"), ASBI_SPENDING_CAP },
    { S("specified api usage limits"), ASBI_SPENDING_CAP },
    { S("api key not valid"), ASBI_NO_CREDENTIALS },
};

static const struct word finishes[] = {
    { S("length"), ASBI_TRUNCATED },
    { S("max_tokens"), ASBI_TRUNCATED },
    { S("model_length"), ASBI_TRUNCATED },
    { S("max_output_tokens"), ASBI_TRUNCATED },
    { S("model_context_window_exceeded"), ASBI_TRUNCATED },
    { S("content_filter"), ASBI_FILTERED },
    { S("safety"), ASBI_FILTERED },
    { S("refusal"), ASBI_FILTERED },
    { S("sensitive"), ASBI_FILTERED },
    { S("recitation"), ASBI_FILTERED },
    { S("blocklist"), ASBI_FILTERED },
    { S("prohibited_content"), ASBI_FILTERED },
    { S("spii"), ASBI_FILTERED },
    { S("language"), ASBI_FILTERED },
    { S("malformed_function_call"), ASBI_GARBLED },
    { S("malformed_response"), ASBI_GARBLED },
    { S("other"), ASBI_OVERLOADED },
    { S("error"), ASBI_OVERLOADED },
    { S("abort"), ASBI_OVERLOADED }, /* vLLM, SGLang: they are shut down */
    { S("network_error"), ASBI_OVERLOADED },
    { S("insufficient_system_resource"), ASBI_OVERLOADED },
};

/* How a message names a feature, and which one that is.  `whole`: it is a word
 * of its own there. */
static const struct mention {
    asbi_str text;
    const char *feature;
    bool whole;
} mentions[] = {
    { S("response_format"), "response_format", true },
    { S("json_schema"), "response_format", true },
    { S("json_object"), "response_format", true },
    { S("structured output"), "response_format", false },
    { S("tool_choice"), "response_format", true },
    { S("tools"), "response_format", true },
    { S("json mode"), "response_format", true },
    { S("response_schema"), "response_format", true },
    { S("responseSchema"), "response_format", true },
    { S("stream_options"), "stream_options", true },
    { S("max_completion_tokens"), "max_completion_tokens", true },
    { S("max_tokens"), "max_tokens", true },
    { S("temperature"), "temperature", true },
    { S("system role"), "system", false },
    { S("'system'"), "system", false },
    { S("developer instruction"), "system", false },
    { S("'stream'"), "stream", false },
    { S("\"stream\""), "stream", false },
    { S("`stream`"), "stream", false },
    { S("stream=true"), "stream", false },
    { S("streaming"), "stream", true },
};

/* What else must stand there for a feature to be what is wrong. */
static const asbi_str complaints[] = {
    S("support"),         S("unknown"),
    S("unrecogni"),       S("unexpected"),
    S("extra"),           S("not permitted"),
    S("not allowed"),     S("only allowed"),
    S("unavailable"),     S("not available"),
    S("not implemented"), S("must contain the word"),
    S("not enabled"),     S("must be one of"),
    S("input should be"), S("not one of the allowed"),
    S("but not both"),
};

/* Parameters that no task needs: whatever is wrong with them, asking again
 * without them helps. */
static const struct {
    asbi_str param;
    const char *feature;
    bool spare;
} params[] = {
    { S("response_format"), "response_format", true },
    { S("stream_options"), "stream_options", true },
    { S("max_completion_tokens"), "max_completion_tokens", true },
    { S("max_tokens"), "max_tokens", true },
    { S("temperature"), "temperature", false },
    { S("messages[0].role"), "system", false },
    { S("stream"), "stream", true },
};

static const struct {
    const char *code, *text;
} generic[] = {
    [ASBI_ACCEPTED] = { NULL, "" },
    [ASBI_GARBLED] = { "garbled_reply", "the reply could not be understood" },
    [ASBI_TRUNCATED] = { "truncated",
                         "the answer stopped at its length limit" },
    [ASBI_FILTERED] = { "content_filter", "the provider refused the content" },
    [ASBI_RATE_LIMITED] = { "rate_limit_exceeded",
                            "the provider asks to slow down" },
    [ASBI_SPENDING_CAP] = { "spending_limit",
                            "the account has no money or quota left" },
    [ASBI_OVERLOADED] = { "provider_unavailable",
                          "the provider could not answer now" },
    [ASBI_BAD_REQUEST] = { "bad_request", "the provider refused the request" },
    [ASBI_NO_CREDENTIALS] = { "unauthorized",
                              "the provider does not accept the key" },
    [ASBI_NO_SUCH_MODEL] = { "not_found",
                             "the provider knows no such model or address" },
    [ASBI_UNSUPPORTED] = { "unsupported_parameter",
                           "the server does not support a parameter" },
};

/* ---- looking things up ------------------------------------------------ */

/* Where `what` first stands in `in`, ASCII case aside; in.len for nowhere. */
static size_t find(asbi_str in, asbi_str what)
{
    for (size_t i = 0; i + what.len <= in.len; i++) {
        if (asbi_str_eq_nocase(asbi_str_of(in.at + i, what.len), what))
            return i;
    }
    return in.len;
}

static bool has(asbi_str in, asbi_str what)
{
    return find(in, what) < in.len;
}

static bool is_word_char(asbi_str s, size_t i)
{
    char c = i < s.len ? s.at[i] : ' ';

    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

static const struct word *word_of(const struct word *table, size_t count,
                                  asbi_str text)
{
    for (size_t i = 0; text.len && i < count; i++) {
        if (asbi_str_eq_nocase(table[i].text, text))
            return &table[i];
    }
    return NULL;
}

static const struct word *phrase_of(asbi_str message)
{
    for (size_t i = 0; i < COUNT(phrases); i++) {
        if (has(message, phrases[i].text))
            return &phrases[i];
    }
    return NULL;
}

static bool complains(asbi_str message)
{
    for (size_t i = 0; i < COUNT(complaints); i++) {
        if (has(message, complaints[i]))
            return true;
    }
    return false;
}

/* ---- unsupported features --------------------------------------------- */

/* "response_format.json_schema" is about response_format. */
static bool is_param(asbi_str param, asbi_str name)
{
    return asbi_str_starts(param, name) && !is_word_char(param, name.len);
}

static const char *feature_of_param(const struct asbi_facts *f)
{
    bool unsupported = asbi_str_starts(f->code, ASBI_STR("unsupported_")) ||
                       complains(f->message);

    for (size_t i = 0; i < COUNT(params); i++) {
        if (is_param(f->param, params[i].param) &&
            (params[i].spare || unsupported))
            return params[i].feature;
    }
    return NULL;
}

/* The one named first: the others are advice. */
static const char *feature_of_message(asbi_str message)
{
    const char *feature = NULL;
    size_t first = message.len;

    if (!complains(message))
        return NULL;
    for (size_t i = 0; i < COUNT(mentions); i++) {
        const struct mention *m = &mentions[i];
        size_t at = find(message, m->text);

        if (at >= first ||
            (m->whole && (is_word_char(message, at + m->text.len) ||
                          (at > 0 && is_word_char(message, at - 1)))))
            continue;
        first = at;
        feature = m->feature;
    }
    return feature;
}

static const char *feature_of(const struct asbi_facts *f, int status)
{
    /* llama.cpp answers 500 to a request it does not understand. */
    if (status != 400 && status != 422 && status != 500 && status != 501)
        return NULL;
    const char *feature = feature_of_param(f);
    return feature ? feature : feature_of_message(f->message);
}

/* ---- verdicts --------------------------------------------------------- */

static enum asbi_verdict verdict_of_status(int status)
{
    for (size_t i = 0; i < COUNT(statuses); i++) {
        if (status >= statuses[i].from && status <= statuses[i].to)
            return statuses[i].verdict;
    }
    return ASBI_OVERLOADED;
}

/* The status that counts: gateways put the real one into the code of an error
 * they send with 200.  0 when there is none. */
static int status_of_error(const struct asbi_facts *f)
{
    uint64_t n;

    if (f->status < 200 || f->status > 299)
        return f->status;
    return asbi_parse_u64(f->code, &n) && n >= 400 && n <= 599 ? (int)n : 0;
}

static const struct word *word_of_error(const struct asbi_facts *f, int status)
{
    const struct word *w = word_of(words, COUNT(words), f->code);

    if (!w)
        w = word_of(words, COUNT(words), f->type);
    if (!w && status == 0)
        w = word_of(weak_words, COUNT(weak_words), f->code);
    if (!w && status == 0)
        w = word_of(weak_words, COUNT(weak_words), f->type);
    return w;
}

static bool phrases_count(int status)
{
    return status == 0 || status == 400 || status == 403 || status == 422 ||
           status == 429;
}

static enum asbi_verdict verdict_of_error(const struct asbi_facts *f,
                                          const char **feature)
{
    int status = status_of_error(f);
    const struct word *w = word_of_error(f, status);
    const struct word *phrase =
        phrases_count(status) ? phrase_of(f->message) : NULL;

    if (status >= 300 && status <= 399)
        return ASBI_NO_SUCH_MODEL;
    if ((w && w->verdict == ASBI_SPENDING_CAP) ||
        (phrase && phrase->verdict == ASBI_SPENDING_CAP))
        return ASBI_SPENDING_CAP;
    /* A request over the limit of a whole minute is said to be too fast, but
     * will never pass: only smaller ones do. */
    if (status == 413 || (phrase && phrase->verdict == ASBI_BAD_REQUEST))
        return ASBI_BAD_REQUEST;
    if (w && w->verdict != ASBI_BAD_REQUEST)
        return w->verdict;
    if (phrase && status != 429)
        return phrase->verdict;
    if (!w)
        *feature = feature_of(f, status);
    if (*feature)
        return ASBI_UNSUPPORTED;
    return w ? w->verdict : verdict_of_status(status);
}

static enum asbi_verdict verdict_of_answer(const struct asbi_facts *f)
{
    const struct word *finish = word_of(finishes, COUNT(finishes), f->finish);

    if (f->refused)
        return ASBI_FILTERED;
    if (finish)
        return finish->verdict;
    if (f->cut)
        return ASBI_OVERLOADED;
    if (!f->understood || f->lacks_items)
        return ASBI_GARBLED;
    return ASBI_ACCEPTED;
}

enum asbi_verdict asbi_verdict_of(const struct asbi_facts *f,
                                  const char **feature)
{
    *feature = NULL;
    if (f->status < 200 || f->status > 299 || f->error)
        return verdict_of_error(f, feature);
    return verdict_of_answer(f);
}

const char *asbi_verdict_code(enum asbi_verdict verdict)
{
    return generic[verdict].code;
}

const char *asbi_verdict_text(enum asbi_verdict verdict)
{
    return generic[verdict].text;
}

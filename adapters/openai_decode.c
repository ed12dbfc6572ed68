/*
 * openai_decode.c -- replies of OpenAI-compatible servers: one JSON document,
 * a stream of server-sent events, or the page of some proxy in between.
 *
 * Collects facts; verdict.c says what they mean.
 */
#include "adapters/openai.h"

#include <string.h>

#include "adapters/excerpt.h"
#include "adapters/explain.h"
#include "adapters/json_pick.h"
#include "adapters/packed_answer.h"
#include "adapters/rate_headers.h"
#include "adapters/sse.h"
#include "adapters/verdict.h"
#include "engine/base/units.h"

enum {
    NO_PATH = 255,
    MAX_ELEMENT = 1024 * 1024,   /* of a packed answer */
    MAX_EVENT = 64 * 1024 * 1024 /* of a stream; nothing of it is kept */
};
#define MOST_TOKENS UINT64_C(1000000000000)

/* What a path is about. */
enum field {
    CONTENT,
    REFUSAL,
    FINISH,
    INPUT,
    CACHED,
    OUTPUT,
    ERROR,
    MESSAGE,
    CODE,
    TYPE,
    PARAM,
    KIND,
};

/* clang-format off */
#define PATHS(X)                                                            \
    X("choices.0.message.content", STREAM, CONTENT)                         \
    X("choices.0.message.content.*.text", STREAM, CONTENT)                  \
    X("choices.0.delta.content", STREAM, CONTENT)                           \
    X("choices.0.delta.content.*.text", STREAM, CONTENT)                    \
    X("choices.0.message.refusal", VALUE, REFUSAL)                          \
    X("choices.0.delta.refusal", VALUE, REFUSAL)                            \
    X("choices.0.finish_reason", VALUE, FINISH)                             \
    X("usage.prompt_tokens", VALUE, INPUT)                                  \
    X("usage.completion_tokens", VALUE, OUTPUT)                             \
    X("usage.prompt_tokens_details.cached_tokens", VALUE, CACHED)           \
    X("usage.prompt_cache_hit_tokens", VALUE, CACHED)                       \
    X("usage.input_tokens", VALUE, INPUT)                                   \
    X("usage.output_tokens", VALUE, OUTPUT)                                 \
    X("usage.input_tokens_details.cached_tokens", VALUE, CACHED)            \
    X("x_groq.usage.prompt_tokens", VALUE, INPUT)                           \
    X("x_groq.usage.completion_tokens", VALUE, OUTPUT)                      \
    X("error", VALUE, ERROR)                                                \
    X("error.message", VALUE, MESSAGE)                                      \
    X("error.code", VALUE, CODE)                                            \
    X("error.type", VALUE, TYPE)                                            \
    X("error.param", VALUE, PARAM)                                          \
    X("error.details.error_code", VALUE, CODE)                              \
    X("choices.0.error", VALUE, ERROR)                                      \
    X("choices.0.error.message", VALUE, MESSAGE)                            \
    X("choices.0.error.code", VALUE, CODE)                                  \
    X("x_groq.error", VALUE, ERROR)                                         \
    X("message", VALUE, MESSAGE)                                            \
    X("code", VALUE, CODE)                                                  \
    X("type", VALUE, TYPE)                                                  \
    X("param", VALUE, PARAM)                                                \
    X("object", VALUE, KIND)                                                \
    X("detail", VALUE, MESSAGE)                                             \
    X("detail.message", VALUE, MESSAGE)                                     \
    X("detail.code", VALUE, CODE)                                           \
    X("detail.0.msg", VALUE, MESSAGE)                                       \
    X("detail.0.loc.1", VALUE, PARAM)
/* clang-format on */

#define PATH(text, mode, field) { text, ASBI_PICK_##mode },
static const struct asbi_path paths[] = { PATHS(PATH) };
#undef PATH
#define FIELD(text, mode, field) field,
static const uint8_t fields[] = { PATHS(FIELD) };
#undef FIELD

/* A short text that is kept, cut where it does not fit. */
struct word {
    size_t len;
    char at[64];
};

enum body { NOT_BEGUN, DOCUMENT, EVENTS, PAGE };

struct asbi_decoder {
    /* -- set by decoder_new() */
    const struct asbi_mem *mem;
    struct asbi_path_trie paths;
    struct asbi_pick_sink pick_sink;
    struct asbi_sse_sink sse_sink;
    struct asbi_packed_answer answer; /* keeps memory from call to call */

    /* -- of the call */
    struct asbi_reply_sink sink;
    bool packed;
    int status;
    bool says_events; /* by its content type */
    struct asbi_rate_headers headers;
    struct word location;
    enum body body;
    struct asbi_pick pick;
    struct asbi_sse sse;
    struct asbi_excerpt excerpt;
    bool in_event;      /* pick has read data of the event under way */
    unsigned text_path; /* whose stream is text of the answer, or NO_PATH */
    bool malformed;     /* some of the body was */
    bool given_up;      /* too deep or too large: nothing more is read */
    bool ended;         /* a sign that the answer has its end was seen */
    bool error, refused;
    struct word finish, code, type, param;
    size_t message_len;
    char message[ASBI_PICK_VALUE_MAX];
    bool has_usage;
    struct asb_usage usage;
    struct asbi_explanation explanation; /* the reply points into it */
};

/* ---- what the paths lead to ------------------------------------------- */

/* Python servers write a missing text as "None". */
static bool says_nothing(asbi_str s)
{
    return s.len == 0 || asbi_str_eq(s, ASBI_STR("None"));
}

static void set_word(struct word *w, asbi_str s)
{
    if (says_nothing(s))
        return;
    w->len = s.len < sizeof(w->at) ? s.len : sizeof(w->at);
    memcpy(w->at, s.at, w->len);
}

static void set_message(struct asbi_decoder *d, asbi_str s)
{
    if (says_nothing(s))
        return;
    d->message_len = s.len < sizeof(d->message) ? s.len : sizeof(d->message);
    memcpy(d->message, s.at, d->message_len);
}

static void set_tokens(struct asbi_decoder *d, uint64_t *to, asbi_str value)
{
    uint64_t n;

    if (!asbi_parse_u64(value, &n) || n > MOST_TOKENS)
        return;
    *to = n;
    d->has_usage = true;
}

/* An error is an object or its text; null says that there is none. */
static void set_error(struct asbi_decoder *d, enum asbi_json_type type,
                      asbi_str value)
{
    if (type == ASBI_JSON_OBJECT || (type == ASBI_JSON_STRING && value.len))
        d->error = true;
    if (type == ASBI_JSON_STRING)
        set_message(d, value);
}

static void set_text(struct asbi_decoder *d, enum field field, asbi_str value)
{
    switch (field) {
    case REFUSAL:
        d->refused = d->refused || value.len > 0;
        break;
    case FINISH:
        set_word(&d->finish, value);
        d->ended = d->ended || value.len > 0;
        break;
    case MESSAGE:
        set_message(d, value);
        break;
    case CODE:
        set_word(&d->code, value);
        break;
    case TYPE:
        set_word(&d->type, value);
        break;
    case PARAM:
        set_word(&d->param, value);
        break;
    case KIND: /* vLLM marks an error so, without a member of that name */
        d->error = d->error || asbi_str_eq(value, ASBI_STR("error"));
        break;
    default:
        break;
    }
}

static void on_value(void *arg, unsigned path, enum asbi_json_type type,
                     asbi_str value)
{
    struct asbi_decoder *d = arg;
    enum field field = (enum field)fields[path];

    if (field == ERROR)
        set_error(d, type, value);
    else if (type == ASBI_JSON_STRING)
        set_text(d, field, value);
    else if (type != ASBI_JSON_NUMBER)
        return;
    else if (field == CODE)
        set_word(&d->code, value);
    else if (field == INPUT)
        set_tokens(d, &d->usage.input_tokens, value);
    else if (field == OUTPUT)
        set_tokens(d, &d->usage.output_tokens, value);
    else if (field == CACHED)
        set_tokens(d, &d->usage.cached_tokens, value);
}

/* Of a content that is a list of parts, the strings in it are the text. */
static void on_begin(void *arg, unsigned path, enum asbi_json_type type)
{
    struct asbi_decoder *d = arg;

    if (type == ASBI_JSON_STRING)
        d->text_path = path;
}

static void on_piece(void *arg, unsigned path, asbi_str piece)
{
    struct asbi_decoder *d = arg;

    if (path != d->text_path)
        return;
    if (d->packed)
        asbi_packed_feed(&d->answer, piece);
    else if (d->sink.on_text)
        d->sink.on_text(d->sink.arg, piece);
}

static void on_end(void *arg, unsigned path)
{
    struct asbi_decoder *d = arg;

    if (path == d->text_path)
        d->text_path = NO_PATH;
}

static void on_item(void *arg, asbi_str id, asbi_str output, bool is_json)
{
    struct asbi_decoder *d = arg;

    if (d->sink.on_answer)
        d->sink.on_answer(d->sink.arg, id, output, is_json);
}

/* ---- bodies ----------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void feed_document(struct asbi_decoder *d, asbi_str s)
{
    size_t used;

    int rc = asbi_pick_feed(&d->pick, s.at, s.len, &used);

    d->given_up = rc == ASB_ETOOBIG;
    d->malformed = d->malformed || rc;
    while (used < s.len && is_space(s.at[used]))
        used++;
    d->malformed = d->malformed || used < s.len;
}

static void on_sse_data(void *arg, asbi_str piece)
{
    struct asbi_decoder *d = arg;

    if (d->given_up)
        return;
    if (!d->in_event) {
        asbi_pick_begin(&d->pick, &d->paths, &d->pick_sink);
        d->text_path = NO_PATH;
    }
    d->in_event = true;
    feed_document(d, piece);
}

static void on_sse_event(void *arg, asbi_str name)
{
    struct asbi_decoder *d = arg;

    if (d->given_up)
        return;
    if (d->in_event && !asbi_pick_finish(&d->pick))
        d->malformed = true;
    d->in_event = false;
    d->error = d->error || asbi_str_eq(name, ASBI_STR("error"));
}

static void on_sse_done(void *arg)
{
    struct asbi_decoder *d = arg;

    d->ended = d->ended || !d->given_up;
}

/* The first byte tells more than the content type does. */
static enum body body_of(const struct asbi_decoder *d, char first)
{
    if (first == '{' || first == '[')
        return DOCUMENT;
    return d->says_events ? EVENTS : PAGE;
}

/* White space, or of a byte order mark. */
static bool is_leader(char c)
{
    return is_space(c) || c == '\xef' || c == '\xbb' || c == '\xbf';
}

int asbi_openai_on_body(struct asbi_decoder *d, const char *at, size_t len)
{
    while (d->body == NOT_BEGUN && len && is_leader(*at))
        at++, len--;
    if (len == 0)
        return ASB_OK;
    if (d->given_up)
        return ASB_ETOOBIG;
    if (d->body == NOT_BEGUN)
        d->body = body_of(d, *at);
    if (d->body == PAGE || d->status < 200 || d->status > 299)
        asbi_excerpt_feed(&d->excerpt, asbi_str_of(at, len));
    if (d->body == EVENTS && asbi_sse_feed(&d->sse, at, len))
        d->given_up = true;
    if (d->body == DOCUMENT)
        feed_document(d, asbi_str_of(at, len));
    return d->given_up ? ASB_ETOOBIG : ASB_OK;
}

/* ---- the call --------------------------------------------------------- */

struct asbi_decoder *asbi_openai_decoder_new(const struct asbi_mem *mem)
{
    struct asbi_decoder *d = asbi_calloc(mem, 1, sizeof(*d));

    if (!d)
        return NULL;
    d->mem = mem;
    asbi_path_trie_init(&d->paths, paths, sizeof(paths) / sizeof(paths[0]));
    d->pick_sink =
        (struct asbi_pick_sink){ on_value, on_begin, on_piece, on_end, d };
    d->sse_sink =
        (struct asbi_sse_sink){ on_sse_data, on_sse_event, on_sse_done, d };
    asbi_packed_init(&d->answer, mem, MAX_ELEMENT, on_item, d);
    asbi_openai_begin(d, false, &(struct asbi_reply_sink){ 0 });
    return d;
}

void asbi_openai_decoder_free(struct asbi_decoder *d)
{
    if (!d)
        return;
    asbi_packed_fini(&d->answer);
    asbi_free(d->mem, d);
}

void asbi_openai_begin(struct asbi_decoder *d, bool packed,
                       const struct asbi_reply_sink *sink)
{
    d->sink = *sink;
    d->packed = packed;
    d->status = 0;
    d->says_events = false;
    asbi_rate_headers_begin(&d->headers);
    d->body = NOT_BEGUN;
    asbi_pick_begin(&d->pick, &d->paths, &d->pick_sink);
    asbi_sse_begin(&d->sse, &d->sse_sink, MAX_EVENT);
    asbi_excerpt_begin(&d->excerpt);
    asbi_packed_begin(&d->answer);
    d->text_path = NO_PATH;
    d->in_event = d->ended = false;
    d->malformed = d->given_up = false;
    d->error = d->refused = d->has_usage = false;
    d->location.len = d->finish.len = d->code.len = d->type.len = 0;
    d->param.len = d->message_len = 0;
    d->usage = (struct asb_usage){ 0 };
}

void asbi_openai_on_status(struct asbi_decoder *d, int status)
{
    d->status = status;
}

void asbi_openai_on_header(struct asbi_decoder *d, asbi_str name,
                           asbi_str value, uint64_t wall_ms)
{
    asbi_str s = asbi_str_trim(value);
    asbi_str events = ASBI_STR("text/event-stream");

    if (asbi_str_eq_nocase(name, ASBI_STR("content-type")))
        d->says_events =
            s.len >= events.len &&
            asbi_str_eq_nocase(asbi_str_of(s.at, events.len), events);
    else if (asbi_str_eq_nocase(name, ASBI_STR("location")))
        set_word(&d->location, s);
    else
        asbi_rate_headers_add(&d->headers, name, s, wall_ms);
}

static asbi_str view(const struct word *w)
{
    return asbi_str_of(w->at, w->len);
}

/* Whether the body came to its end.  The event in which a stream was cut is
 * left alone: it may be one that no longer matters. */
static void end_of_body(struct asbi_decoder *d, bool complete)
{
    if (d->body == EVENTS && complete)
        asbi_sse_finish(&d->sse);
    else if (d->body == DOCUMENT)
        d->ended = asbi_pick_finish(&d->pick);
}

static struct asbi_facts facts_of(const struct asbi_decoder *d, bool complete)
{
    bool readable = d->body == EVENTS || d->body == DOCUMENT;

    return (struct asbi_facts){
        .status = d->status,
        .cut = !complete && !d->ended,
        .understood = readable && d->ended && !d->malformed,
        .error = d->error,
        .refused = d->refused,
        .lacks_items = d->packed && !asbi_packed_found(&d->answer),
        .finish = view(&d->finish),
        .code = view(&d->code),
        .type = view(&d->type),
        .param = view(&d->param),
        .message = asbi_str_of(d->message, d->message_len),
    };
}

void asbi_openai_end(struct asbi_decoder *d, bool complete,
                     struct asbi_reply *out)
{
    end_of_body(d, complete);
    asbi_rate_headers_end(&d->headers);
    struct asbi_facts facts = facts_of(d, complete);

    if (d->usage.cached_tokens > d->usage.input_tokens)
        d->usage.cached_tokens = d->usage.input_tokens;
    *out = (struct asbi_reply){
        .status = d->status,
        .retry_after_ns = d->headers.retry_after_ns,
        .should_retry = d->headers.should_retry,
        .rate = d->headers.rate,
        .has_usage = d->has_usage,
        .usage = d->usage,
        .request_id =
            asbi_str_of(d->headers.request_id, d->headers.request_id_len),
    };
    out->verdict = asbi_verdict_of(&facts, &out->feature);
    asbi_str page = d->given_up ? ASBI_STR("") : asbi_excerpt_text(&d->excerpt);
    asbi_explain(&d->explanation, &facts, view(&d->location), page,
                 d->body == PAGE, out);
}

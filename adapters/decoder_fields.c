/* What the paths of a reply lead to. */
#include "adapters/decoder_state.h"

#include <string.h>

#include "engine/base/units.h"

enum { MAX_ELEMENT = 1024 * 1024 }; /* of a packed answer or an array */
#define MOST_TOKENS UINT64_C(1000000000000)

/* ---- words ------------------------------------------------------------ */

/* Python servers write a missing text as "None". */
static bool says_nothing(asbi_str s)
{
    return s.len == 0 || asbi_str_eq(s, ASBI_STR("None"));
}

void asbi_decoder_set_word(struct asbi_decoder_word *w, asbi_str s)
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

static bool ends_with(asbi_str s, asbi_str end)
{
    return s.len >= end.len &&
           memcmp(s.at + s.len - end.len, end.at, end.len) == 0;
}

/* ---- array replies ---------------------------------------------------- */

/* An answer is told once it is known whose it is: by its index, or at the end
 * of its element by its place. */
static void element_tell(struct asbi_decoder *d)
{
    struct asbi_decoder_element *e = &d->element;
    asbi_str answer = asbi_buf_view(&e->answer);
    struct asbi_buf id;

    d->by_place = d->by_place || !e->has_index;
    e->has_answer = false;
    if (asbi_buf_failed(&e->answer) || !d->sink.on_answer)
        return;
    asbi_buf_init(&id, d->mem, 32);
    asbi_buf_u64(&id, e->has_index ? e->index : d->elements - 1);
    if (!asbi_buf_failed(&id))
        d->sink.on_answer(d->sink.arg, asbi_buf_view(&id),
                          answer.at ? answer : ASBI_STR(""), e->is_json);
    asbi_buf_fini(&id);
}

static void element_end(struct asbi_decoder *d)
{
    if (d->element.has_answer && d->element.whole)
        element_tell(d);
    d->element.begun = false;
}

static void element_begin(struct asbi_decoder *d)
{
    element_end(d);
    d->elements++;
    d->element.begun = true;
    d->element.has_index = d->element.has_answer = d->element.whole = false;
}

static void element_index(struct asbi_decoder *d, asbi_str value)
{
    struct asbi_decoder_element *e = &d->element;

    if (!asbi_parse_u64(value, &e->index))
        return;
    e->has_index = true;
    if (e->has_answer && e->whole)
        element_tell(d);
}

static void answer_begin(struct asbi_decoder *d, enum asbi_json_type type)
{
    struct asbi_decoder_element *e = &d->element;

    e->has_answer = true;
    e->whole = false;
    e->is_json = type != ASBI_JSON_STRING;
    asbi_buf_clear(&e->answer);
}

/* ---- values ----------------------------------------------------------- */

static void set_tokens(struct asbi_decoder *d, uint64_t *to, asbi_str value)
{
    uint64_t n;

    if (!asbi_parse_u64(value, &n) || n > MOST_TOKENS)
        return;
    *to = n;
    d->has_usage = true;
}

static void add_tokens(struct asbi_decoder *d, uint64_t *to, asbi_str value)
{
    uint64_t n = 0;

    set_tokens(d, &n, value);
    if (*to + n <= MOST_TOKENS)
        *to += n;
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

static void set_status(struct asbi_decoder *d, asbi_str value)
{
    static const asbi_str ends[] = {
        { "completed", 9 },
        { "incomplete", 10 },
        { "failed", 6 },
        { "cancelled", 9 },
    };

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        d->ended = d->ended || asbi_str_eq(value, ends[i]);
}

/* vLLM marks an error so, without a member of that name; Anthropic the end of
 * a stream. */
static void set_kind(struct asbi_decoder *d, asbi_str value)
{
    d->error = d->error || asbi_str_eq(value, ASBI_STR("error"));
    d->ended = d->ended || asbi_str_eq(value, ASBI_STR("message_stop"));
}

/* A quota of a day is not there again after the few seconds that Google
 * names. */
static void set_quota(struct asbi_decoder *d, asbi_str value)
{
    static const asbi_str day = { "PerDay", 6 };

    for (size_t i = 0; i + day.len <= value.len; i++) {
        if (asbi_str_eq(asbi_str_of(value.at + i, day.len), day))
            asbi_decoder_set_word(&d->code, ASBI_STR("daily_quota_exhausted"));
    }
}

static void set_wait(struct asbi_decoder *d, asbi_str value)
{
    uint64_t ns;

    if (asbi_parse_duration(value, ASBI_SECOND, &ns) &&
        d->headers.retry_after_ns == UINT64_MAX)
        d->headers.retry_after_ns = ns;
}

static void set_text(struct asbi_decoder *d, enum asbi_reply_field field,
                     asbi_str value)
{
    switch (field) {
    case ASBI_REPLY_REFUSAL:
        d->refused = d->refused || value.len > 0;
        break;
    case ASBI_REPLY_BLOCKED:
        d->refused = d->refused || value.len > 0;
        set_message(d, value);
        d->ended = true;
        break;
    case ASBI_REPLY_FINISH:
        asbi_decoder_set_word(&d->finish, value);
        d->ended = d->ended || value.len > 0;
        break;
    case ASBI_REPLY_STATUS:
        set_status(d, value);
        break;
    case ASBI_REPLY_MESSAGE:
        set_message(d, value);
        break;
    case ASBI_REPLY_CODE:
        asbi_decoder_set_word(&d->code, value);
        break;
    case ASBI_REPLY_TYPE:
        asbi_decoder_set_word(&d->type, value);
        d->error = d->error || asbi_str_eq(value, ASBI_STR("error"));
        break;
    case ASBI_REPLY_PARAM:
        asbi_decoder_set_word(&d->param, value);
        break;
    case ASBI_REPLY_ITEM_TYPE:
        d->reasoning = asbi_str_eq(value, ASBI_STR("reasoning"));
        break;
    case ASBI_REPLY_KIND:
        set_kind(d, value);
        break;
    case ASBI_REPLY_WAIT:
        set_wait(d, value);
        break;
    case ASBI_REPLY_QUOTA:
        set_quota(d, value);
        break;
    default:
        break;
    }
}

static void set_number(struct asbi_decoder *d, enum asbi_reply_field field,
                       asbi_str value)
{
    switch (field) {
    case ASBI_REPLY_CODE:
        asbi_decoder_set_word(&d->code, value);
        break;
    case ASBI_REPLY_INDEX:
        element_index(d, value);
        break;
    case ASBI_REPLY_INPUT:
        set_tokens(d, &d->input, value);
        break;
    case ASBI_REPLY_INPUT_PART:
        add_tokens(d, &d->input, value);
        break;
    case ASBI_REPLY_CACHED:
        set_tokens(d, &d->cached, value);
        break;
    case ASBI_REPLY_CACHE_WRITES:
        set_tokens(d, &d->cache_writes, value);
        break;
    case ASBI_REPLY_OUTPUT:
        set_tokens(d, &d->output, value);
        break;
    case ASBI_REPLY_THOUGHTS:
        set_tokens(d, &d->thoughts, value);
        break;
    case ASBI_REPLY_REASONING:
        set_tokens(d, &d->reasoned, value);
        break;
    case ASBI_REPLY_TOTAL:
        set_tokens(d, &d->total, value);
        break;
    default:
        break;
    }
}

static enum asbi_reply_field field_of(const struct asbi_decoder *d,
                                      unsigned path)
{
    return (enum asbi_reply_field)d->table->fields[path];
}

static void on_value(void *arg, unsigned path, enum asbi_json_type type,
                     asbi_str value)
{
    struct asbi_decoder *d = arg;
    enum asbi_reply_field field = field_of(d, path);

    if (field == ASBI_REPLY_ERROR)
        set_error(d, type, value);
    else if (field == ASBI_REPLY_ELEMENT)
        element_begin(d);
    else if (field == ASBI_REPLY_ITEM)
        d->reasoning = false;
    else if (field == ASBI_REPLY_PART)
        d->type.len = 0;
    else if (type == ASBI_JSON_STRING)
        set_text(d, field, value);
    else if (type == ASBI_JSON_NUMBER)
        set_number(d, field, value);
}

/* ---- streams ---------------------------------------------------------- */

static bool is_answer(enum asbi_reply_field field)
{
    return field == ASBI_REPLY_ELEMENT_ANSWER || field == ASBI_REPLY_ANSWER;
}

/* Servers that write members by their names put the delta before its type, but
 * the name of the event stands before both. */
static bool is_delta_of_answer(const struct asbi_decoder *d)
{
    asbi_str name = asbi_sse_name(&d->sse);

    if (!asbi_str_starts(name, ASBI_STR("response.")))
        name = asbi_str_of(d->type.at, d->type.len);
    return ends_with(name, ASBI_STR("output_text.delta"));
}

static bool is_reasoning(const struct asbi_decoder *d)
{
    return d->reasoning || ends_with(asbi_str_of(d->type.at, d->type.len),
                                     ASBI_STR("reasoning_text"));
}

/* Of a content that is a list of parts, the strings in it are the text. */
static bool is_text(const struct asbi_decoder *d, enum asbi_reply_field field,
                    enum asbi_json_type type)
{
    if (d->way == ASBI_ARRAY)
        return false;
    if (field == ASBI_REPLY_TOOL_INPUT)
        return d->way == ASBI_PACKED &&
               (type == ASBI_JSON_STRING || type == ASBI_JSON_OBJECT);
    if (field == ASBI_REPLY_PART_TEXT && is_reasoning(d))
        return false;
    return type == ASBI_JSON_STRING &&
           (field != ASBI_REPLY_TYPED_DELTA || is_delta_of_answer(d));
}

static void on_begin(void *arg, unsigned path, enum asbi_json_type type)
{
    struct asbi_decoder *d = arg;
    enum asbi_reply_field field = field_of(d, path);

    if (!is_answer(field)) {
        if (is_text(d, field, type))
            d->text_path = path;
        return;
    }
    if (d->way != ASBI_ARRAY)
        return;
    if (field == ASBI_REPLY_ANSWER)
        element_begin(d);
    answer_begin(d, type);
    d->text_path = path;
}

static void on_piece(void *arg, unsigned path, asbi_str piece)
{
    struct asbi_decoder *d = arg;

    if (path != d->text_path)
        return;
    if (d->way == ASBI_ARRAY)
        asbi_buf_str(&d->element.answer, piece);
    else if (d->way == ASBI_PACKED)
        asbi_packed_feed(&d->answer, piece);
    else if (d->sink.on_text)
        d->sink.on_text(d->sink.arg, piece);
}

static void answer_end(struct asbi_decoder *d, enum asbi_reply_field field)
{
    d->element.whole = true;
    if (field == ASBI_REPLY_ANSWER)
        element_end(d);
    else if (d->element.has_index)
        element_tell(d);
}

static void on_end(void *arg, unsigned path)
{
    struct asbi_decoder *d = arg;

    if (path != d->text_path)
        return;
    d->text_path = ASBI_DECODER_NO_PATH;
    if (d->way == ASBI_ARRAY)
        answer_end(d, field_of(d, path));
}

static void on_item(void *arg, asbi_str id, asbi_str output, bool is_json)
{
    struct asbi_decoder *d = arg;

    if (d->sink.on_answer)
        d->sink.on_answer(d->sink.arg, id, output, is_json);
}

/* ---- the reply -------------------------------------------------------- */

void asbi_decoder_fields_init(struct asbi_decoder *d)
{
    d->pick_sink =
        (struct asbi_pick_sink){ on_value, on_begin, on_piece, on_end, d };
    asbi_packed_init(&d->answer, d->mem, &d->paths->packed, MAX_ELEMENT,
                     on_item, d);
    asbi_buf_init(&d->element.answer, d->mem, MAX_ELEMENT);
}

void asbi_decoder_fields_fini(struct asbi_decoder *d)
{
    asbi_packed_fini(&d->answer);
    asbi_buf_fini(&d->element.answer);
}

void asbi_decoder_fields_begin(struct asbi_decoder *d)
{
    enum { KEPT = 64 * 1024 };

    if (d->way == ASBI_PACKED)
        asbi_packed_begin(&d->answer);
    asbi_buf_shrink(&d->element.answer, KEPT);
    d->element.begun = d->element.has_answer = false;
    d->elements = 0;
    d->by_place = false;
    d->error = d->refused = d->reasoning = d->has_usage = false;
    d->finish.len = d->code.len = d->type.len = d->param.len = 0;
    d->message_len = 0;
    d->input = d->cached = d->cache_writes = d->output = 0;
    d->thoughts = d->reasoned = d->total = 0;
}

/* Of a cut element it is not known what else would have come: its index. */
void asbi_decoder_fields_end(struct asbi_decoder *d, bool whole)
{
    if (whole)
        element_end(d);
}

#include "adapters/sse.h"

#include <string.h>

enum state {
    START,      /* of the stream: a byte order mark may come */
    LINE_START, /* nothing of the line was read */
    FIELD,      /* its name */
    DATA,       /* the value of a data line */
    NAME,       /* the value of an event line */
    IGNORE,     /* a comment, or a field that means nothing here */
};

static const asbi_str done = { "[DONE]", 6 };

void asbi_sse_begin(struct asbi_sse *s, const struct asbi_sse_sink *sink,
                    size_t max_event)
{
    memset(s, 0, sizeof(*s));
    s->sink = sink;
    s->max_event = max_event;
    s->state = START;
}

static void hand_on(struct asbi_sse *s, asbi_str piece)
{
    if (piece.len > s->max_event - s->data_len) {
        s->rc = ASB_ETOOBIG;
        return;
    }
    s->data_len += piece.len;
    if (piece.len)
        s->sink->on_data(s->sink->arg, piece);
}

/* Hands on what was held back because it might have been "[DONE]". */
static void release(struct asbi_sse *s)
{
    asbi_str held = { done.at, s->held };

    s->plain = true;
    s->held = 0;
    hand_on(s, held);
}

static void add_data(struct asbi_sse *s, asbi_str piece)
{
    while (piece.len && !s->plain) {
        if (s->held == done.len || *piece.at != done.at[s->held]) {
            release(s);
            break;
        }
        s->held++;
        piece.at++, piece.len--;
    }
    if (s->rc == ASB_OK)
        hand_on(s, piece);
}

asbi_str asbi_sse_name(const struct asbi_sse *s)
{
    return asbi_str_of(s->name, s->name_len);
}

static void end_of_event(struct asbi_sse *s)
{
    if (!s->plain && s->held == done.len) {
        s->sink->on_done(s->sink->arg);
    } else if (s->has_data) {
        if (s->held)
            release(s);
        s->sink->on_event(s->sink->arg, asbi_sse_name(s));
    }
    s->has_data = s->plain = false;
    s->held = 0;
    s->data_len = 0;
    s->name_len = 0;
}

static bool field_is(const struct asbi_sse *s, asbi_str name)
{
    return asbi_str_eq(asbi_str_of(s->field, s->field_len), name);
}

/* At the colon, or at the end of a line without one. */
static void end_of_field(struct asbi_sse *s)
{
    s->after_colon = true;
    s->state = IGNORE;
    if (field_is(s, ASBI_STR("data"))) {
        if (s->has_data)
            add_data(s, ASBI_STR("\n"));
        s->has_data = true;
        s->state = DATA;
    } else if (field_is(s, ASBI_STR("event"))) {
        s->name_len = 0;
        s->state = NAME;
    }
}

static void end_of_line(struct asbi_sse *s)
{
    if (s->state == FIELD)
        end_of_field(s);
    else if (s->state == LINE_START)
        end_of_event(s);
    s->state = LINE_START;
}

static void add_name(struct asbi_sse *s, asbi_str piece)
{
    size_t room = sizeof(s->name) - 1 - s->name_len;
    size_t n = piece.len < room ? piece.len : room;

    memcpy(s->name + s->name_len, piece.at, n);
    s->name_len = (uint8_t)(s->name_len + n);
}

static void add_value(struct asbi_sse *s, asbi_str piece)
{
    if (s->after_colon && *piece.at == ' ')
        piece.at++, piece.len--;
    s->after_colon = false;
    if (s->state == DATA)
        add_data(s, piece);
    else if (s->state == NAME)
        add_name(s, piece);
}

static void add_field(struct asbi_sse *s, char c)
{
    if (c == ':') {
        end_of_field(s);
        return;
    }
    s->state = FIELD;
    /* One longer than the names we know is as good as any longer one. */
    if (s->field_len < sizeof(s->field))
        s->field[s->field_len++] = c;
}

/* True when the byte was of a byte order mark. */
static bool take_bom(struct asbi_sse *s, char c)
{
    static const char bom[3] = { '\xef', '\xbb', '\xbf' };

    if (c == bom[s->bom] && ++s->bom < sizeof(bom))
        return true;
    bool whole = s->bom == sizeof(bom);
    s->state = LINE_START;
    if (s->bom && !whole)
        s->state = IGNORE; /* the line begins with something else */
    return whole;
}

static const char *line_end(const char *at, const char *end)
{
    const char *lf = memchr(at, '\n', (size_t)(end - at));
    const char *cr = memchr(at, '\r', (size_t)((lf ? lf : end) - at));

    return cr ? cr : lf ? lf : end;
}

/* A byte of a line that is not its end; returns how many were read. */
static size_t take(struct asbi_sse *s, const char *at, const char *end)
{
    if (s->state == START && take_bom(s, *at))
        return 1;
    if (s->state == LINE_START)
        s->field_len = 0;
    if (s->state == LINE_START || s->state == FIELD) {
        add_field(s, *at);
        return 1;
    }
    size_t n = (size_t)(line_end(at, end) - at);
    if (n)
        add_value(s, asbi_str_of(at, n));
    return n;
}

int asbi_sse_feed(struct asbi_sse *s, const char *at, size_t len)
{
    const char *end = at + len;

    while (at < end && s->rc == ASB_OK) {
        bool second_half = s->after_cr && *at == '\n';

        s->after_cr = *at == '\r';
        if (second_half) {
            at++;
        } else if (*at == '\n' || *at == '\r') {
            if (s->state == START)
                s->state = LINE_START;
            end_of_line(s);
            at++;
        } else {
            at += take(s, at, end);
        }
    }
    return s->rc;
}

void asbi_sse_finish(struct asbi_sse *s)
{
    if (s->rc != ASB_OK)
        return;
    if (s->state != LINE_START && s->state != START)
        end_of_line(s);
    end_of_event(s);
}

#include "adapters/json_pick.h"

#include <string.h>

#include "engine/base/json_plain.h"

enum state {
    VALUE,         /* a value must come */
    FIRST_ELEMENT, /* after [ */
    FIRST_MEMBER,  /* after { */
    MEMBER,        /* after , in an object */
    COLON,         /* after a key */
    AFTER,         /* after a value in a container */
    IN_STRING,
    IN_NUMBER,
    IN_LITERAL,
    DONE,
};

enum use { SKIP, KEY, KEEP, STREAM };

/* Strings up to here are looked at whole before they are taken piecewise. */
enum { PLAIN_MAX = ASBI_PICK_VALUE_MAX };

/* RFC 8259: number = [ minus ] int [ frac ] [ exp ]. */
enum number { MINUS, ZERO, INT, POINT, FRACTION, E, E_SIGN, EXPONENT };

void asbi_pick_begin(struct asbi_pick *p, const struct asbi_path_trie *trie,
                     const struct asbi_pick_sink *sink)
{
    p->trie = trie;
    p->sink = sink;
    p->at = p->end = NULL;
    p->rc = ASB_OK;
    p->pause = false;
    p->state = VALUE;
    p->here = ASBI_PATH_ROOT;
    p->depth = 0;
    p->arrays = 0;
    p->raw = false;
}

bool asbi_pick_done(const struct asbi_pick *p)
{
    return p->state == DONE && p->rc == ASB_OK;
}

void asbi_pick_pause(struct asbi_pick *p)
{
    p->pause = true;
}

unsigned asbi_pick_depth(const struct asbi_pick *p)
{
    return p->depth;
}

bool asbi_pick_in_string(const struct asbi_pick *p)
{
    return p->state == IN_STRING;
}

static void fault(struct asbi_pick *p, int rc)
{
    p->rc = rc;
}

static const struct asbi_path_node *chosen(const struct asbi_pick *p)
{
    if (p->here == ASBI_PATH_NOWHERE || !p->trie->nodes[p->here].chosen)
        return NULL;
    return &p->trie->nodes[p->here];
}

static bool in_array(const struct asbi_pick *p)
{
    return p->arrays >> (p->depth - 1) & 1;
}

/* ---- chosen values ---------------------------------------------------- */

static void raw_flush(struct asbi_pick *p)
{
    if (p->raw && p->at > p->raw_from)
        p->sink->on_piece(
            p->sink->arg, p->raw_path,
            asbi_str_of(p->raw_from, (size_t)(p->at - p->raw_from)));
}

static void raw_begin(struct asbi_pick *p, uint8_t path,
                      enum asbi_json_type type)
{
    if (p->raw)
        return;
    p->raw = true;
    p->raw_path = path;
    p->raw_depth = p->depth;
    p->raw_from = p->at;
    p->sink->on_begin(p->sink->arg, path, type);
}

/* At the first byte of a value. */
static void value_begin(struct asbi_pick *p, enum asbi_json_type type)
{
    const struct asbi_path_node *n = chosen(p);

    p->type = type;
    p->use = SKIP;
    p->len = 0;
    p->cut = false;
    if (!n)
        return;
    if (n->mode == ASBI_PICK_VALUE) {
        p->use = KEEP;
        if (type == ASBI_JSON_ARRAY || type == ASBI_JSON_OBJECT)
            p->sink->on_value(p->sink->arg, n->path, type, ASBI_STR(""));
    } else if (type == ASBI_JSON_STRING) {
        p->use = STREAM;
        p->sink->on_begin(p->sink->arg, n->path, type);
    } else {
        raw_begin(p, n->path, type);
    }
}

static void find_element(struct asbi_pick *p)
{
    uint8_t node = p->nodes[p->depth];

    p->here = node == ASBI_PATH_NOWHERE
                  ? ASBI_PATH_NOWHERE
                  : asbi_path_trie_index(p->trie, node, p->index[p->depth]);
    if (p->index[p->depth] < UINT32_MAX)
        p->index[p->depth]++;
    p->state = VALUE;
}

static void take_comma(struct asbi_pick *p)
{
    p->at++;
    if (in_array(p))
        find_element(p);
    else
        p->state = MEMBER;
}

/* Behind the last byte of a value.  Its comma mostly is at hand. */
static void value_end(struct asbi_pick *p)
{
    p->state = p->depth ? AFTER : DONE;
    if (p->raw && p->depth == p->raw_depth) {
        raw_flush(p);
        p->raw = false;
        p->sink->on_end(p->sink->arg, p->raw_path);
    }
    if (p->state == AFTER && !p->pause && p->at < p->end && *p->at == ',')
        take_comma(p);
}

static void tell_value(struct asbi_pick *p, asbi_str text)
{
    const struct asbi_path_node *n = chosen(p);

    if (p->use == KEEP && n)
        p->sink->on_value(p->sink->arg, n->path, p->type, text);
}

/* What was gathered of a value or a name. */
static asbi_str kept(const struct asbi_pick *p)
{
    return asbi_str_of(p->text, p->len);
}

/* Drops a UTF-8 sequence that the bound has cut. */
static void trim_cut(struct asbi_pick *p)
{
    while (p->len && ((unsigned char)p->text[p->len - 1] & 0xc0) == 0x80)
        p->len--;
    if (p->len)
        p->len--;
}

static void keep(struct asbi_pick *p, asbi_str piece)
{
    size_t room = p->cut ? 0 : sizeof(p->text) - p->len;
    size_t n = piece.len < room ? piece.len : room;

    if (n)
        memcpy(p->text + p->len, piece.at, n);
    p->len += n;
    p->cut = p->cut || n < piece.len;
}

static void stream_flush(struct asbi_pick *p)
{
    if (p->len)
        p->sink->on_piece(p->sink->arg, p->trie->nodes[p->here].path,
                          asbi_str_of(p->text, p->len));
    p->len = 0;
}

/* Gathers what is short, so that an escape does not cost a callback. */
static void stream(struct asbi_pick *p, asbi_str piece)
{
    if (p->len + piece.len > sizeof(p->text))
        stream_flush(p);
    if (piece.len <= sizeof(p->text) / 4) {
        memcpy(p->text + p->len, piece.at, piece.len);
        p->len += piece.len;
        return;
    }
    stream_flush(p);
    p->sink->on_piece(p->sink->arg, p->trie->nodes[p->here].path, piece);
}

/* ---- tokens ----------------------------------------------------------- */

/* Behind a name.  Its colon mostly is at hand. */
static void key_end(struct asbi_pick *p, asbi_str name)
{
    p->state = COLON;
    p->here = ASBI_PATH_NOWHERE;
    if (p->use == KEY)
        p->here = asbi_path_trie_name(p->trie, p->nodes[p->depth], name);
    if (p->at < p->end && *p->at == ':') {
        p->at++;
        p->state = VALUE;
    }
}

static bool is_key(const struct asbi_pick *p)
{
    return p->type == ASBI_JSON_NULL; /* a key has no type */
}

static void string_end(struct asbi_pick *p)
{
    if (is_key(p)) {
        key_end(p, kept(p));
        return;
    }
    if (p->use == KEEP && p->cut)
        trim_cut(p);
    tell_value(p, kept(p));
    if (p->use == STREAM) {
        stream_flush(p);
        p->sink->on_end(p->sink->arg, p->trie->nodes[p->here].path);
    }
    value_end(p);
}

static void take_string(struct asbi_pick *p)
{
    enum asbi_json_string_event event;
    asbi_str piece;

    do {
        if (p->use == STREAM)
            p->len += asbi_json_string_copy(&p->string, &p->at, p->end,
                                            p->text + p->len,
                                            sizeof(p->text) - p->len);
        event = asbi_json_string_next(&p->string, &p->at, p->end, &piece);
        if (p->use == STREAM && piece.len)
            stream(p, piece);
        else if (p->use != SKIP && piece.len)
            keep(p, piece);
    } while (event == ASBI_JSON_STRING_PIECE);
    if (event == ASBI_JSON_STRING_END) {
        string_end(p);
        return;
    }
    if (p->use == STREAM)
        stream_flush(p); /* what has come is told, however the bytes are cut */
    if (event == ASBI_JSON_STRING_BAD)
        fault(p, ASB_EPARSE);
}

/* A streamed string that is all there. */
static void tell_stream(struct asbi_pick *p, asbi_str text)
{
    unsigned path = p->trie->nodes[p->here].path;

    if (text.len)
        p->sink->on_piece(p->sink->arg, path, text);
    p->sink->on_end(p->sink->arg, path);
}

/* Most strings are short, plain and all there: keys, names, stop reasons.
 * Those need no state between pieces and no copy. */
static bool take_plain_string(struct asbi_pick *p)
{
    const char *from = p->at;
    size_t most = (size_t)(p->end - from);
    size_t len = asbi_json_plain_run(from, most < PLAIN_MAX ? most : PLAIN_MAX);
    asbi_str text = asbi_str_of(from, len);

    if (len == most || from[len] != '"')
        return false;
    p->at += len + 1;
    if (is_key(p)) {
        key_end(p, text);
        return true;
    }
    tell_value(p, text);
    if (p->use == STREAM)
        tell_stream(p, text);
    value_end(p);
    return true;
}

static void string_begin(struct asbi_pick *p)
{
    p->at++;
    if (take_plain_string(p))
        return;
    p->state = IN_STRING;
    asbi_json_string_begin(&p->string);
}

static void key_begin(struct asbi_pick *p)
{
    uint8_t node = p->nodes[p->depth];

    p->type = ASBI_JSON_NULL;
    p->len = 0;
    p->cut = false;
    p->use =
        node != ASBI_PATH_NOWHERE && p->trie->nodes[node].first ? KEY : SKIP;
    string_begin(p);
}

static bool number_is_whole(const struct asbi_pick *p)
{
    return p->number == ZERO || p->number == INT || p->number == FRACTION ||
           p->number == EXPONENT;
}

static void number_end(struct asbi_pick *p)
{
    if (!number_is_whole(p)) {
        fault(p, ASB_EPARSE);
        return;
    }
    if (p->cut)
        p->len = 0;
    tell_value(p, kept(p));
    value_end(p);
}

/* The state after one more character, or -1 when it is not of the number. */
static int number_next(unsigned number, char c)
{
    static const struct {
        signed char zero, digit, point, e, sign;
    } next[] = {
        [MINUS] = { ZERO, INT, -1, -1, -1 },
        [ZERO] = { -1, -1, POINT, E, -1 },
        [INT] = { INT, INT, POINT, E, -1 },
        [POINT] = { FRACTION, FRACTION, -1, -1, -1 },
        [FRACTION] = { FRACTION, FRACTION, -1, E, -1 },
        [E] = { EXPONENT, EXPONENT, -1, -1, E_SIGN },
        [E_SIGN] = { EXPONENT, EXPONENT, -1, -1, -1 },
        [EXPONENT] = { EXPONENT, EXPONENT, -1, -1, -1 },
    };

    if (c >= '1' && c <= '9')
        return next[number].digit;
    switch (c) {
    case '0':
        return next[number].zero;
    case '.':
        return next[number].point;
    case 'e':
    case 'E':
        return next[number].e;
    case '+':
    case '-':
        return next[number].sign;
    default:
        return -1;
    }
}

static void take_number(struct asbi_pick *p)
{
    const char *from = p->at;
    int next;

    while (p->at < p->end && (next = number_next(p->number, *p->at)) >= 0) {
        p->number = (uint8_t)next;
        p->at++;
    }
    if (p->use == KEEP)
        keep(p, asbi_str_of(from, (size_t)(p->at - from)));
    if (p->at < p->end)
        number_end(p);
}

static void number_begin(struct asbi_pick *p, enum number first)
{
    value_begin(p, ASBI_JSON_NUMBER);
    if (p->use == KEEP)
        keep(p, asbi_str_of(p->at, 1));
    p->state = IN_NUMBER;
    p->number = (uint8_t)first;
    p->at++;
}

static void take_literal(struct asbi_pick *p)
{
    while (p->at < p->end && *p->literal && *p->at == *p->literal)
        p->at++, p->literal++;
    if (*p->literal == '\0') {
        tell_value(p, kept(p));
        value_end(p);
    } else if (p->at < p->end) {
        fault(p, ASB_EPARSE);
    }
}

static void literal_begin(struct asbi_pick *p, enum asbi_json_type type,
                          const char *text)
{
    value_begin(p, type);
    p->state = IN_LITERAL;
    p->literal = text;
}

/* ---- containers ------------------------------------------------------- */

static void container_begin(struct asbi_pick *p, enum asbi_json_type type)
{
    uint64_t bit;

    if (p->depth == ASBI_PICK_MAX_DEPTH) {
        fault(p, ASB_ETOOBIG);
        return;
    }
    value_begin(p, type);
    bit = UINT64_C(1) << p->depth++;
    p->nodes[p->depth] = p->here;
    p->index[p->depth] = 0;
    p->arrays = type == ASBI_JSON_ARRAY ? p->arrays | bit : p->arrays & ~bit;
    p->state = type == ASBI_JSON_ARRAY ? FIRST_ELEMENT : FIRST_MEMBER;
    p->at++;
}

static void container_end(struct asbi_pick *p)
{
    p->at++;
    p->depth--;
    value_end(p);
}

static void take_value(struct asbi_pick *p)
{
    switch (*p->at) {
    case '"':
        value_begin(p, ASBI_JSON_STRING);
        string_begin(p);
        break;
    case '{':
        container_begin(p, ASBI_JSON_OBJECT);
        break;
    case '[':
        container_begin(p, ASBI_JSON_ARRAY);
        break;
    case 't':
        literal_begin(p, ASBI_JSON_TRUE, "true");
        break;
    case 'f':
        literal_begin(p, ASBI_JSON_FALSE, "false");
        break;
    case 'n':
        literal_begin(p, ASBI_JSON_NULL, "null");
        break;
    case '-':
        number_begin(p, MINUS);
        break;
    case '0':
        number_begin(p, ZERO);
        break;
    default:
        if (*p->at >= '1' && *p->at <= '9')
            number_begin(p, INT);
        else
            fault(p, ASB_EPARSE);
    }
}

static void take_after(struct asbi_pick *p)
{
    char close = in_array(p) ? ']' : '}';

    if (*p->at == close) {
        container_end(p);
    } else if (*p->at != ',') {
        fault(p, ASB_EPARSE);
    } else {
        take_comma(p);
    }
}

static void take_first(struct asbi_pick *p)
{
    if (*p->at == (p->state == FIRST_ELEMENT ? ']' : '}'))
        container_end(p);
    else if (p->state == FIRST_ELEMENT)
        find_element(p);
    else
        p->state = MEMBER;
}

/* Between tokens, at a byte that is no white space. */
static void take_structure(struct asbi_pick *p)
{
    switch (p->state) {
    case VALUE:
        take_value(p);
        break;
    case FIRST_ELEMENT:
    case FIRST_MEMBER:
        take_first(p);
        break;
    case AFTER:
        take_after(p);
        break;
    case MEMBER:
        if (*p->at == '"')
            key_begin(p);
        else
            fault(p, ASB_EPARSE);
        break;
    default: /* COLON */
        if (*p->at != ':') {
            fault(p, ASB_EPARSE);
            break;
        }
        p->at++;
        p->state = VALUE;
    }
}

static void step(struct asbi_pick *p)
{
    switch (p->state) {
    case IN_STRING:
        take_string(p);
        break;
    case IN_NUMBER:
        take_number(p);
        break;
    case IN_LITERAL:
        take_literal(p);
        break;
    default:
        while (p->at < p->end && asbi_char_is_space(*p->at))
            p->at++;
        if (p->at < p->end)
            take_structure(p);
    }
}

int asbi_pick_feed(struct asbi_pick *p, const char *at, size_t len,
                   size_t *used)
{
    *used = 0;
    if (p->rc || len == 0)
        return p->rc;
    p->at = p->raw_from = at;
    p->end = at + len;
    p->pause = false;
    while (p->at < p->end && p->state != DONE && !p->rc && !p->pause)
        step(p);
    raw_flush(p);
    *used = (size_t)(p->at - at);
    return p->rc;
}

bool asbi_pick_finish(struct asbi_pick *p)
{
    if (p->rc == ASB_OK && p->state == IN_NUMBER && p->depth == 0)
        number_end(p);
    return asbi_pick_done(p);
}

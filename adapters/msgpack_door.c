#include "adapters/msgpack_door.h"

#include <math.h>

#include <msgpack.h>

#include "engine/base/units.h"

struct asbi_msgpack {
    const struct asbi_mem *mem;
    msgpack_zone zone; /* msgpack-c's memory, reused for each message */
};

enum { ZONE_BYTES = 8192 };

/* msgpack-c unpacks this many containers within each other, whatever is in
 * the innermost. */
enum { MOST_DEPTH = 31 };

struct asbi_msgpack *asbi_msgpack_new(const struct asbi_mem *mem)
{
    struct asbi_msgpack *m = asbi_calloc(mem, 1, sizeof(*m));

    if (!m)
        return NULL;
    m->mem = mem;
    if (!msgpack_zone_init(&m->zone, ZONE_BYTES)) {
        asbi_free(mem, m);
        return NULL;
    }
    return m;
}

void asbi_msgpack_free(struct asbi_msgpack *m)
{
    if (!m)
        return;
    msgpack_zone_destroy(&m->zone);
    asbi_free(m->mem, m);
}

/* ---- to JSON ---------------------------------------------------------- */

/* Text or binary; false when it is not UTF-8. */
static bool put_bytes(struct asbi_buf *out, const char *at, uint32_t len)
{
    if (!asbi_utf8_valid(at, len))
        return false;
    asbi_json_put_string(out, asbi_str_of(at, len));
    return true;
}

static const char not_text[] = "a text is not valid UTF-8";

/* NULL, or what is wrong. */
static const char *put_key(struct asbi_buf *out, const msgpack_object *key)
{
    if (key->type == MSGPACK_OBJECT_STR)
        return put_bytes(out, key->via.str.ptr, key->via.str.size) ? NULL
                                                                   : not_text;
    if (key->type == MSGPACK_OBJECT_BIN)
        return put_bytes(out, key->via.bin.ptr, key->via.bin.size) ? NULL
                                                                   : not_text;
    return "a key is no text";
}

static const char *put_value(struct asbi_buf *out, const msgpack_object *o);

static const char *put_array(struct asbi_buf *out, const msgpack_object *o)
{
    const char *why = NULL;

    asbi_buf_char(out, '[');
    for (uint32_t i = 0; i < o->via.array.size && !why; i++) {
        if (i)
            asbi_buf_char(out, ',');
        why = put_value(out, &o->via.array.ptr[i]);
    }
    asbi_buf_char(out, ']');
    return why;
}

static const char *put_map(struct asbi_buf *out, const msgpack_object *o)
{
    const char *why = NULL;

    asbi_buf_char(out, '{');
    for (uint32_t i = 0; i < o->via.map.size && !why; i++) {
        const msgpack_object_kv *kv = &o->via.map.ptr[i];

        if (i)
            asbi_buf_char(out, ',');
        why = put_key(out, &kv->key);
        asbi_buf_char(out, ':');
        if (!why)
            why = put_value(out, &kv->val);
    }
    asbi_buf_char(out, '}');
    return why;
}

/* Recurses no deeper than msgpack-c unpacks. */
static const char *put_value(struct asbi_buf *out, const msgpack_object *o)
{
    switch (o->type) {
    case MSGPACK_OBJECT_NIL:
        asbi_buf_c(out, "null");
        return NULL;
    case MSGPACK_OBJECT_BOOLEAN:
        asbi_buf_c(out, o->via.boolean ? "true" : "false");
        return NULL;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        asbi_buf_u64(out, o->via.u64);
        return NULL;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        asbi_buf_i64(out, o->via.i64);
        return NULL;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        asbi_json_put_double(out, o->via.f64);
        return NULL;
    case MSGPACK_OBJECT_STR:
    case MSGPACK_OBJECT_BIN:
        return put_key(out, o);
    case MSGPACK_OBJECT_ARRAY:
        return put_array(out, o);
    case MSGPACK_OBJECT_MAP:
        return put_map(out, o);
    default:
        return "extension types are not understood";
    }
}

int asbi_msgpack_to_json(struct asbi_msgpack *m, asbi_str message,
                         struct asbi_buf *out, const char **why)
{
    msgpack_object o;
    size_t at = 0;

    msgpack_unpack_return got =
        msgpack_unpack(message.at, message.len, &at, &m->zone, &o);
    *why = NULL;
    if (got == MSGPACK_UNPACK_SUCCESS || got == MSGPACK_UNPACK_EXTRA_BYTES)
        *why = put_value(out, &o);
    else if (got != MSGPACK_UNPACK_NOMEM_ERROR ||
             asbi_msgpack_is_deeper(message, MOST_DEPTH))
        *why = "nested too deeply"; /* msgpack-c calls this no memory */
    msgpack_zone_clear(&m->zone);
    if (*why)
        return ASB_EPARSE;
    return got == MSGPACK_UNPACK_NOMEM_ERROR || asbi_buf_failed(out)
               ? ASB_ENOMEM
               : ASB_OK;
}

/* ---- writing ---------------------------------------------------------- */

/* msgpack-c's own writer, into our buffers and without a call for each few
 * bytes. */
#define msgpack_pack_inline_func(name) static inline int pack##name
#define msgpack_pack_inline_func_cint(name) static inline int pack##name
#define msgpack_pack_user struct asbi_buf *
#define msgpack_pack_append_buffer(out, at, len) \
    return (asbi_buf_add((out), (at), (len)), asbi_buf_failed(out) ? -1 : 0)
#include <msgpack/pack_template.h>

void asbi_msgpack_put_map(struct asbi_buf *out, size_t members)
{
    (void)pack_map(out, members);
}

void asbi_msgpack_put_array(struct asbi_buf *out, size_t elements)
{
    (void)pack_array(out, elements);
}

void asbi_msgpack_put_text(struct asbi_buf *out, asbi_str text)
{
    if (text.len > UINT32_MAX) {
        out->failed = true;
        return;
    }
    (void)pack_str(out, text.len);
    (void)pack_str_body(out, text.at, text.len);
}

void asbi_msgpack_put_u64(struct asbi_buf *out, uint64_t n)
{
    (void)pack_uint64(out, n);
}

void asbi_msgpack_put_double(struct asbi_buf *out, double x)
{
    (void)pack_double(out, x);
}

void asbi_msgpack_put_bool(struct asbi_buf *out, bool yes)
{
    (void)(yes ? pack_true(out) : pack_false(out));
}

void asbi_msgpack_put_nil(struct asbi_buf *out)
{
    (void)pack_nil(out);
}

static void put_negative(struct asbi_buf *out, uint64_t n)
{
    (void)pack_int64(out, (int64_t)(0 - n));
}

void asbi_msgpack_put_number(struct asbi_buf *out, asbi_str number)
{
    bool negative = number.len && number.at[0] == '-';
    asbi_str digits = { number.at + negative, number.len - negative };
    uint64_t n;
    double x = NAN;

    if (asbi_parse_u64(digits, &n) && !negative) {
        asbi_msgpack_put_u64(out, n);
    } else if (asbi_parse_u64(digits, &n) && n <= (uint64_t)INT64_MAX + 1) {
        put_negative(out, n);
    } else if (asbi_parse_double(number, &x)) {
        asbi_msgpack_put_double(out, x);
    } else {
        asbi_msgpack_put_text(out, number); /* no double holds it */
    }
}

/* One node without what is in it. */
static void put_node(struct asbi_buf *out, struct asbi_json *json,
                     const struct asbi_json_node *n)
{
    asbi_str text;

    switch (n->type) {
    case ASBI_JSON_NULL:
        asbi_msgpack_put_nil(out);
        break;
    case ASBI_JSON_FALSE:
    case ASBI_JSON_TRUE:
        asbi_msgpack_put_bool(out, n->type == ASBI_JSON_TRUE);
        break;
    case ASBI_JSON_NUMBER:
        asbi_msgpack_put_number(out, n->raw);
        break;
    case ASBI_JSON_STRING:
        text = asbi_json_text(json, n);
        out->failed = out->failed || !text.at;
        asbi_msgpack_put_text(out, text);
        break;
    case ASBI_JSON_ARRAY:
        asbi_msgpack_put_array(out, n->count);
        break;
    case ASBI_JSON_OBJECT:
        asbi_msgpack_put_map(out, n->count);
        break;
    }
}

void asbi_msgpack_put_json(struct asbi_buf *out, struct asbi_json *json)
{
    const struct asbi_json_node *root = asbi_json_root(json);

    /* Nodes stand in document order, as msgpack wants them. */
    for (uint32_t i = 0; i < root->next; i++) {
        if (root[i].key.at) {
            asbi_str key = asbi_json_key(json, &root[i]);
            out->failed = out->failed || !key.at;
            asbi_msgpack_put_text(out, key);
        }
        put_node(out, json, &root[i]);
    }
}

#include "adapters/format.h"

#include <inttypes.h>
#include <stdio.h>

#include "adapters/format_impl.h"
#include "adapters/msgpack_door.h"

static const struct {
    const char *name; /* also the suffix of files */
    const char *place;
    struct asbi_reader *(*reader_new)(const struct asbi_mem *,
                                      const struct asbi_reader_options *);
} formats[] = {
    [ASBI_CSV] = { "csv", "line", asbi_csv_reader_new },
    [ASBI_JSONL] = { "jsonl", "line", asbi_jsonl_reader_new },
    [ASBI_MSGPACK] = { "msgpack", "message", asbi_msgpack_reader_new },
};

enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

/* Other suffixes in use for the same things. */
static const struct {
    const char *suffix;
    enum asbi_format format;
} aliases[] = {
    { "ndjson", ASBI_JSONL },
    { "mp", ASBI_MSGPACK },
    { "mpk", ASBI_MSGPACK },
};

bool asbi_format_find(const char *name, enum asbi_format *out)
{
    for (size_t i = 0; name && i < FORMATS; i++) {
        if (strcmp(name, formats[i].name) == 0) {
            *out = (enum asbi_format)i;
            return true;
        }
    }
    return false;
}

enum asbi_format asbi_format_of_path(const char *path,
                                     enum asbi_format fallback)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *name = slash ? slash + 1 : path;
    const char *dot = name ? strrchr(name, '.') : NULL;

    if (!dot)
        return fallback;
    asbi_str suffix = asbi_str_c(dot + 1);
    for (size_t i = 0; i < FORMATS; i++) {
        if (asbi_str_eq_nocase(suffix, asbi_str_c(formats[i].name)))
            return (enum asbi_format)i;
    }
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (asbi_str_eq_nocase(suffix, asbi_str_c(aliases[i].suffix)))
            return aliases[i].format;
    }
    return fallback;
}

/* ---- readers ---------------------------------------------------------- */

/* Above this a length plus a few bytes could wrap, or pass JSON's 32 bits. */
#define MOST_ITEM_BYTES ((size_t)1 << 30)

int asbi_reader_new(const struct asbi_mem *mem,
                    const struct asbi_reader_options *options,
                    asbi_row_cb on_row, void *arg, struct asbi_reader **out)
{
    *out = NULL;
    if (!on_row || (size_t)options->format >= FORMATS ||
        options->max_item_bytes == 0 ||
        options->max_item_bytes > MOST_ITEM_BYTES)
        return ASB_EINVAL;
    struct asbi_reader *r = formats[options->format].reader_new(mem, options);
    if (!r)
        return ASB_ENOMEM;
    r->max_item_bytes = options->max_item_bytes;
    r->wants_fields = options->wants_fields;
    asbi_rows_init(&r->rows, formats[options->format].place, on_row, arg);
    r->rows.takes_answers = options->takes_answers;
    *out = r;
    return ASB_OK;
}

void asbi_reader_free(struct asbi_reader *r)
{
    if (r)
        r->ops->free(r);
}

int asbi_reader_feed(struct asbi_reader *r, const char *at, size_t len,
                     size_t *used, struct asb_message *why)
{
    return r->ops->feed(r, at, len, used, why);
}

int asbi_reader_end(struct asbi_reader *r, struct asb_message *why)
{
    return r->ops->end(r, why);
}

asbi_str asbi_reader_header(const struct asbi_reader *r)
{
    return r->ops->header ? r->ops->header(r) : (asbi_str){ NULL, 0 };
}

/* ---- writers ---------------------------------------------------------- */

/* Most bytes of one answer that are looked into as JSON; longer ones are
 * written as text. */
#define MOST_ANSWER_BYTES ((size_t)1 << 30)

int asbi_writer_new(const struct asbi_mem *mem, enum asbi_format input,
                    enum asbi_format output, struct asbi_writer **out)
{
    *out = NULL;
    if ((size_t)input >= FORMATS || (size_t)output >= FORMATS)
        return ASB_EINVAL;
    struct asbi_writer *w = asbi_calloc(mem, 1, sizeof(*w));
    if (!w)
        return ASB_ENOMEM;
    w->mem = mem;
    w->input = input;
    w->output = output;
    w->json = asbi_json_new(mem, MOST_ANSWER_BYTES);
    if (!w->json) {
        asbi_writer_free(w);
        return ASB_ENOMEM;
    }
    *out = w;
    return ASB_OK;
}

void asbi_writer_free(struct asbi_writer *w)
{
    if (!w)
        return;
    asbi_json_free(w->json);
    asbi_free(w->mem, w);
}

void asbi_writer_header(struct asbi_writer *w, asbi_str reader_header,
                        struct asbi_buf *out)
{
    if (w->output == ASBI_CSV)
        asbi_csv_write_header(
            w->input == ASBI_CSV ? reader_header : (asbi_str){ NULL, 0 }, out);
}

void asbi_writer_row(struct asbi_writer *w, const struct asbi_row_memo *memo,
                     const struct asb_result *result, struct asbi_buf *out)
{
    switch (w->output) {
    case ASBI_CSV:
        asbi_csv_write_row(memo, result, out);
        break;
    case ASBI_JSONL:
        asbi_jsonl_write_row(w, memo, result, out);
        break;
    case ASBI_MSGPACK:
        asbi_msgpack_write_row(w, memo, result, out);
        break;
    }
}

void asbi_writer_note(struct asbi_writer *w, asbi_str object,
                      struct asbi_buf *out)
{
    switch (w->output) {
    case ASBI_CSV:
        break;
    case ASBI_JSONL:
        asbi_buf_str(out, object);
        asbi_buf_char(out, '\n');
        break;
    case ASBI_MSGPACK:
        if (asbi_json_parse(w->json, object.at, object.len))
            out->failed = true;
        else
            asbi_msgpack_put_json(out, w->json);
        break;
    }
}

/* ---- what the writers share ------------------------------------------- */

const char *asbi_status_word(const struct asb_result *result)
{
    return result->ok ? "ok" : "failed";
}

const char *asbi_source_word(enum asb_source source)
{
    static const char *const words[] = {
        [ASB_API_CALL] = "api",
        [ASB_CACHE] = "cache",
        [ASB_DUPLICATE] = "duplicate",
        [ASB_NEAR] = "near",
    };

    return (size_t)source < 4 ? words[source] : "api";
}

const char *asbi_error_word(const struct asb_result *result)
{
    return result->error_code ? result->error_code : "failed";
}

bool asbi_id_is_integer(asbi_str id)
{
    size_t sign = id.len && id.at[0] == '-';
    size_t digits = id.len - sign;

    if (digits == 0 || (digits > 1 && id.at[sign] == '0'))
        return false;
    for (size_t i = sign; i < id.len; i++) {
        if (id.at[i] < '0' || id.at[i] > '9')
            return false;
    }
    return true;
}

struct asbi_batch_shape asbi_batch_shape_of(const struct asb_result *result)
{
    struct asbi_batch_shape shape = { .response = result->ok,
                                      .error = !result->ok,
                                      .status_code = result->http_status };

    if (shape.status_code == 0)
        shape.status_code = 200; /* from the cache: no call was made */
    if (!result->ok && result->http_status && result->body.len) {
        shape.response = true;
        shape.error = result->http_status < 400;
    }
    return shape;
}

void asbi_batch_id(uint64_t seq, char *to)
{
    (void)snprintf(to, 32, "batch_req_%016" PRIx64, seq);
}

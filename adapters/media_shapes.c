#include "adapters/media_shapes.h"

#include "adapters/decoder.h"

static const struct asbi_media_shape *const shapes[] = {
    &asbi_media_openai, &asbi_media_runway, &asbi_media_luma,
    &asbi_media_kling,  &asbi_media_veo,    &asbi_media_replicate,
    &asbi_media_fal,
};

enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

const struct asbi_media_shape *asbi_media_shape_at(size_t index)
{
    return index < SHAPES ? shapes[index] : NULL;
}

const struct asbi_media_shape *asbi_media_shape_find(const char *dialect)
{
    for (size_t i = 0; i < SHAPES; i++) {
        if (strcmp(shapes[i]->name, dialect) == 0)
            return shapes[i];
    }
    return NULL;
}

void asbi_media_put_bearer(asbi_str key, struct asbi_buf *lines)
{
    asbi_put_headers("Authorization: Bearer ", key, lines);
}

/* ---- the dialect ------------------------------------------------------ */

/* clang-format off */
#define PATHS(X)                              \
    X("error", VALUE, ERROR)                  \
    X("error.message", VALUE, MESSAGE)        \
    X("error.code", VALUE, CODE)              \
    X("error.type", VALUE, TYPE)              \
    X("error.status", VALUE, TYPE)            \
    X("error.details.*.reason", VALUE, CODE)  \
    X("error.details.*.retryDelay", VALUE, WAIT) \
    X("message", VALUE, MESSAGE)              \
    X("code", VALUE, CODE)                    \
    X("detail", VALUE, MESSAGE)               \
    X("detail.0.msg", VALUE, MESSAGE)         \
    X("detail.0.type", VALUE, CODE)
/* clang-format on */

ASBI_REPLY_LISTS(PATHS)

static const struct asbi_reply_table replies = {
    .paths = paths,
    .fields = fields,
    .count = sizeof(paths) / sizeof(paths[0]),
};

static struct asbi_decoder *decoder_new(const struct asbi_mem *mem,
                                        const struct asbi_call_style *style)
{
    (void)style;
    return asbi_decoder_new(mem, &replies);
}

/* The shape knows the path of each submission. */
static void put_path(enum asbi_call_way way,
                     const struct asbi_call_style *style, struct asbi_buf *path)
{
    (void)way;
    (void)style;
    asbi_buf_char(path, '/');
}

static void put_headers(asbi_str key, const struct asbi_call_style *style,
                        struct asbi_buf *lines)
{
    style->media->headers(key, lines);
}

const struct asbi_dialect asbi_dialect_media = {
    .name = "media",
    .path = put_path,
    .headers = put_headers,
    .decoder_new = decoder_new,
    ASBI_DECODER_FUNCTIONS,
};

/* Replicate: predictions of any model.  What a model's inputs are called is its
 * own matter; the usual names are used, and style_params name the others. */
#include "adapters/media_shapes.h"

static void put_input(const struct asbi_media_request *r, struct asbi_buf *body)
{
    asbi_buf_c(body, "\"input\":{");
    asbi_media_put_text(r, "prompt", r->prompt, body);
    asbi_media_put_ratio(r, "aspect_ratio", body);
    if (r->type == ASBI_MEDIA_VIDEO)
        asbi_media_put_seconds(r, "duration", body);
    if (r->reference_count)
        asbi_media_put_text(r, "image", r->references[0], body);
    asbi_media_put_style(r, body);
    asbi_buf_char(body, '}');
}

/* "owner/name" runs as its maker serves it; "owner/name:version" and a bare
 * version run that one. */
static void submit(const struct asbi_media_request *r, struct asbi_buf *path,
                   struct asbi_buf *body)
{
    const char *colon = memchr(r->engine.at, ':', r->engine.len);
    bool named = !colon && memchr(r->engine.at, '/', r->engine.len);

    asbi_buf_char(body, '{');
    if (named) {
        asbi_buf_c(path, "/models/");
        asbi_buf_str(path, r->engine);
    } else {
        const char *from = colon ? colon + 1 : r->engine.at;

        asbi_buf_c(body, "\"version\":");
        asbi_json_put_string(
            body,
            asbi_str_of(from, (size_t)(r->engine.at + r->engine.len - from)));
        asbi_buf_char(body, ',');
    }
    asbi_buf_c(path, "/predictions");
    put_input(r, body);
    asbi_buf_char(body, '}');
}

static const struct asbi_media_word words[] = {
    { "starting", ASBI_MEDIA_QUEUED },   { "processing", ASBI_MEDIA_RUNNING },
    { "succeeded", ASBI_MEDIA_DONE },    { "failed", ASBI_MEDIA_FAILED },
    { "canceled", ASBI_MEDIA_CANCELED }, { "aborted", ASBI_MEDIA_CANCELED },
    { NULL, ASBI_MEDIA_UNKNOWN },
};

const struct asbi_media_shape asbi_media_replicate = {
    .name = "replicate",
    .videos = true,
    .images = true,
    .references = 1,
    .headers = asbi_media_put_bearer,
    .submit = submit,
    .id = "id",
    .place = "urls.get",
    .state = "status",
    .message = "error",
    .video = "output",
    .image = "output",
    .words = words,
    .address = "/predictions/{id}",
    .poll = "",
    .lifetime_s = 3600,
    .cancel_method = "POST",
    .cancel = "/cancel",
    .list = "/predictions",
    .list_items = "results",
    .list_size = 100,
};

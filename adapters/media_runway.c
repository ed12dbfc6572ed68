/* Runway: text or image to video, text to image. */
#include "adapters/media_shapes.h"

static void put_headers(asbi_str key, struct asbi_buf *lines)
{
    asbi_media_put_bearer(key, lines);
    asbi_buf_c(lines, "X-Runway-Version: 2024-11-06");
    asbi_buf_char(lines, '\0');
}

static void submit(const struct asbi_media_request *r, struct asbi_buf *path,
                   struct asbi_buf *body)
{
    bool image = r->type == ASBI_MEDIA_IMAGE;

    asbi_buf_c(path, image                ? "/text_to_image"
                     : r->reference_count ? "/image_to_video"
                                          : "/text_to_video");
    asbi_buf_char(body, '{');
    asbi_media_put_text(r, "model", r->engine, body);
    asbi_media_put_text(r, "promptText", r->prompt, body);
    asbi_media_put_size(r, "ratio", ':', body);
    if (image)
        asbi_media_put_references(r, "referenceImages", "uri", body);
    else if (r->reference_count)
        asbi_media_put_text(r, "promptImage", r->references[0], body);
    if (!image)
        asbi_media_put_seconds(r, "duration", body);
    asbi_media_put_style(r, body);
    asbi_buf_char(body, '}');
}

static const struct asbi_media_word words[] = {
    { "PENDING", ASBI_MEDIA_QUEUED },  { "THROTTLED", ASBI_MEDIA_THROTTLED },
    { "RUNNING", ASBI_MEDIA_RUNNING }, { "SUCCEEDED", ASBI_MEDIA_DONE },
    { "FAILED", ASBI_MEDIA_FAILED },   { "CANCELLED", ASBI_MEDIA_CANCELED },
    { NULL, ASBI_MEDIA_UNKNOWN },
};

const struct asbi_media_shape asbi_media_runway = {
    .name = "runway",
    .videos = true,
    .images = true,
    .references = 3,
    .headers = put_headers,
    .submit = submit,
    .id = "id",
    .state = "status",
    .code = "failureCode",
    .message = "failure",
    .video = "output",
    .image = "output",
    .words = words,
    .address = "/tasks/{id}",
    .poll = "",
    .lifetime_s = 24 * 3600, /* a day or two */
    .cancel_method = "DELETE",
    .cancel = "",
};

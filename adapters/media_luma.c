/* Luma Dream Machine: videos, and images as jobs of the same kind. */
#include "adapters/media_shapes.h"

/* The first reference is the first frame, the second the last. */
static void put_frames(const struct asbi_media_request *r,
                       struct asbi_buf *body)
{
    if (r->reference_count == 0)
        return;
    asbi_json_put_key(body, "keyframes");
    for (size_t i = 0; i < r->reference_count; i++) {
        asbi_buf_fmt(body, "%s\"frame%zu\":{\"type\":\"image\",\"url\":",
                     i ? "," : "{", i);
        asbi_json_put_string(body, r->references[i]);
        asbi_buf_char(body, '}');
    }
    asbi_buf_char(body, '}');
}

static void submit(const struct asbi_media_request *r, struct asbi_buf *path,
                   struct asbi_buf *body)
{
    bool image = r->type == ASBI_MEDIA_IMAGE;

    asbi_buf_c(path, image ? "/generations/image" : "/generations/video");
    asbi_buf_char(body, '{');
    asbi_media_put_text(r, "model", r->engine, body);
    asbi_media_put_text(r, "prompt", r->prompt, body);
    asbi_media_put_ratio(r, "aspect_ratio", body);
    if (image) {
        asbi_media_put_references(r, "image_ref", "url", body);
    } else {
        asbi_media_put_lines(r, "resolution", body);
        asbi_media_put_seconds_text(r, "duration", "s", body);
        put_frames(r, body);
    }
    asbi_media_put_style(r, body);
    asbi_buf_char(body, '}');
}

static const struct asbi_media_word words[] = {
    { "queued", ASBI_MEDIA_QUEUED },  { "dreaming", ASBI_MEDIA_RUNNING },
    { "completed", ASBI_MEDIA_DONE }, { "failed", ASBI_MEDIA_FAILED },
    { NULL, ASBI_MEDIA_UNKNOWN },
};

const struct asbi_media_shape asbi_media_luma = {
    .name = "luma",
    .videos = true,
    .images = true,
    .references = 2,
    .headers = asbi_media_put_bearer,
    .submit = submit,
    .id = "id",
    .state = "state",
    .message = "failure_reason",
    .video = "assets.video",
    .image = "assets.image",
    .words = words,
    .address = "/generations/{id}",
    .poll = "",
    .cancel_method = "DELETE",
    .cancel = "",
    .list = "/generations?limit=100",
    .list_items = "generations",
    .list_size = 100,
};

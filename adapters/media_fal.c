/* fal's queue: any application; its state and its result stand apart. */
#include "adapters/media_shapes.h"

static void put_headers(asbi_str key, struct asbi_buf *lines)
{
    asbi_put_headers("Authorization: Key ", key, lines);
}

static void submit(const struct asbi_media_request *r, struct asbi_buf *path,
                   struct asbi_buf *body)
{
    asbi_buf_char(path, '/');
    asbi_buf_str(path, r->engine);
    asbi_buf_char(body, '{');
    asbi_media_put_text(r, "prompt", r->prompt, body);
    asbi_media_put_ratio(r, "aspect_ratio", body);
    if (r->type == ASBI_MEDIA_VIDEO) {
        asbi_media_put_lines(r, "resolution", body);
        asbi_media_put_seconds(r, "duration", body);
    }
    if (r->reference_count)
        asbi_media_put_text(r, "image_url", r->references[0], body);
    asbi_media_put_style(r, body);
    asbi_buf_char(body, '}');
}

/* A job that failed is "completed", too; then its result is the error. */
static void look(struct asbi_json *json, const struct asbi_json_node *root,
                 struct asbi_media_status *status)
{
    const struct asbi_json_node *detail = asbi_media_at(json, root, "detail");
    const struct asbi_json_node *word = asbi_media_at(json, root, "status");
    const struct asbi_json_node *first =
        detail && detail->type == ASBI_JSON_ARRAY
            ? asbi_json_child(json, detail)
            : NULL;

    if (asbi_media_at(json, root, "error"))
        status->state = ASBI_MEDIA_FAILED;
    if (!detail) {
        if (!word && !status->id.len)
            status->state = ASBI_MEDIA_DONE; /* the result itself */
        return;
    }
    status->state = ASBI_MEDIA_FAILED;
    asbi_str message = asbi_json_text(
        json, first ? asbi_media_at(json, first, "msg") : detail);
    asbi_str code =
        asbi_json_text(json, first ? asbi_media_at(json, first, "type") : NULL);
    status->message = message.at ? message : ASBI_STR("");
    status->code = code.at ? code : ASBI_STR("");
}

static const struct asbi_media_word words[] = {
    { "IN_QUEUE", ASBI_MEDIA_QUEUED }, { "IN_PROGRESS", ASBI_MEDIA_RUNNING },
    { "COMPLETED", ASBI_MEDIA_DONE },  { "FAILED", ASBI_MEDIA_FAILED },
    { NULL, ASBI_MEDIA_UNKNOWN },
};

const struct asbi_media_shape asbi_media_fal = {
    .name = "fal",
    .videos = true,
    .images = true,
    .references = 1,
    .headers = put_headers,
    .submit = submit,
    .id = "request_id",
    .place = "response_url",
    .state = "status",
    .code = "error_type",
    .message = "error",
    .video = "",
    .image = "",
    .words = words,
    .look = look,
    .address = "{path}/requests/{id}",
    .poll = "/status",
    .result_apart = true,
    .cancel_method = "PUT",
    .cancel = "/cancel",
};

/* Video jobs as OpenAI speaks them, and servers and gateways that do alike. */
#include "adapters/media_shapes.h"

static void submit(const struct asbi_media_request *r, struct asbi_buf *path,
                   struct asbi_buf *body)
{
    asbi_buf_c(path, "/videos");
    asbi_buf_char(body, '{');
    asbi_media_put_text(r, "model", r->engine, body);
    asbi_media_put_text(r, "prompt", r->prompt, body);
    asbi_media_put_seconds_text(r, "seconds", "", body);
    asbi_media_put_size(r, "size", 'x', body);
    asbi_media_put_style(r, body);
    asbi_buf_char(body, '}');
}

static const struct asbi_media_word words[] = {
    { "queued", ASBI_MEDIA_QUEUED },      { "in_progress", ASBI_MEDIA_RUNNING },
    { "completed", ASBI_MEDIA_DONE },     { "failed", ASBI_MEDIA_FAILED },
    { "cancelled", ASBI_MEDIA_CANCELED }, { "expired", ASBI_MEDIA_EXPIRED },
    { NULL, ASBI_MEDIA_UNKNOWN },
};

const struct asbi_media_shape asbi_media_openai = {
    .name = "openai",
    .videos = true,
    .headers = asbi_media_put_bearer,
    .submit = submit,
    .id = "id",
    .state = "status",
    .code = "error.code",
    .message = "error.message",
    .expires = "expires_at",
    .words = words,
    .address = "/videos/{id}",
    .poll = "",
    .content = "/content",
    .cancel_method = "DELETE",
    .cancel = "",
    .list = "/videos?limit=100",
    .list_after = "&after=",
    .list_items = "data",
    .list_more = "has_more",
    .list_size = 100,
};

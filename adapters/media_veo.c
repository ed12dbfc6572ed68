/* Google Veo by the Gemini API: a long-running operation.  What moderation
 * holds back is missing from a success, and counted beside it. */
#include "adapters/media_shapes.h"

static void put_headers(asbi_str key, struct asbi_buf *lines)
{
    asbi_put_headers("x-goog-api-key: ", key, lines);
}

static void put_image(asbi_str url, struct asbi_buf *body)
{
    asbi_str type, base64;

    if (!asbi_data_url_read(url, &type, &base64)) {
        asbi_json_put_key(body, "gcsUri");
        asbi_json_put_string(body, url);
        return;
    }
    asbi_json_put_key(body, "bytesBase64Encoded");
    asbi_json_put_string(body, base64);
    asbi_json_put_key(body, "mimeType");
    asbi_json_put_string(body, type);
}

static void submit(const struct asbi_media_request *r, struct asbi_buf *path,
                   struct asbi_buf *body)
{
    asbi_buf_c(path, "/models/");
    asbi_buf_str(path, r->engine);
    asbi_buf_c(path, ":predictLongRunning");
    asbi_buf_c(body, "{\"instances\":[{\"prompt\":");
    asbi_json_put_string(body, r->prompt);
    if (r->reference_count) {
        asbi_buf_c(body, ",\"image\":{");
        put_image(r->references[0], body);
        asbi_buf_char(body, '}');
    }
    asbi_buf_c(body, "}],\"parameters\":{");
    asbi_media_put_ratio(r, "aspectRatio", body);
    asbi_media_put_seconds(r, "durationSeconds", body);
    asbi_media_put_lines(r, "resolution", body);
    asbi_media_put_style(r, body);
    asbi_buf_c(body, "}}");
}

static asbi_str first_text(struct asbi_json *json,
                           const struct asbi_json_node *list)
{
    asbi_str text =
        asbi_json_text(json, list ? asbi_json_child(json, list) : NULL);

    return text.at ? text : ASBI_STR("");
}

static void look(struct asbi_json *json, const struct asbi_json_node *root,
                 struct asbi_media_status *status)
{
    static const char base[] = "response.generateVideoResponse";
    const struct asbi_json_node *done = asbi_media_at(json, root, "done");
    const struct asbi_json_node *videos = asbi_media_at(json, root, base);
    uint64_t filtered = 0;

    status->state = ASBI_MEDIA_RUNNING;
    if (!done || done->type != ASBI_JSON_TRUE)
        return;
    if (asbi_media_at(json, root, "error")) {
        status->state = ASBI_MEDIA_FAILED;
        return;
    }
    status->state = ASBI_MEDIA_DONE;
    asbi_media_collect(json, asbi_media_at(json, videos, "generatedSamples"),
                       status);
    (void)asbi_json_u64(asbi_media_at(json, videos, "raiMediaFilteredCount"),
                        &filtered);
    if (status->asset_count || filtered == 0)
        return;
    status->state = ASBI_MEDIA_FILTERED;
    status->message = first_text(
        json, asbi_media_at(json, videos, "raiMediaFilteredReasons"));
}

const struct asbi_media_shape asbi_media_veo = {
    .name = "veo",
    .videos = true,
    .references = 1,
    .headers = put_headers,
    .submit = submit,
    .id = "name",
    .code = "error.status",
    .message = "error.message",
    .look = look,
    .address = "/{id}",
    .poll = "",
    .lifetime_s = 2 * 86400,
};

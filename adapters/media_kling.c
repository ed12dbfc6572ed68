/* Kling: a refusal may come with status 200 and a code that is not 0; the key
 * "ACCESS:SECRET" signs a token that lives for half an hour. */
#include "adapters/media_shapes.h"

#include "engine/base/digest.h"

enum { BLOCK = 64, TOKEN_SECONDS = 1800, TOKEN_MAX = 1024 };

/* ---- the token: JWT with HMAC-SHA256 ----------------------------------- */

static void put_base64url(const unsigned char *at, size_t len,
                          struct asbi_buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789-_";

    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        unsigned n = (unsigned)at[i] << 16;

        if (left > 1)
            n |= (unsigned)at[i + 1] << 8;
        if (left > 2)
            n |= at[i + 2];
        asbi_buf_char(out, digits[n >> 18]);
        asbi_buf_char(out, digits[n >> 12 & 63]);
        if (left > 1)
            asbi_buf_char(out, digits[n >> 6 & 63]);
        if (left > 2)
            asbi_buf_char(out, digits[n & 63]);
    }
}

static void put_base64url_text(asbi_str text, struct asbi_buf *out)
{
    put_base64url((const unsigned char *)text.at, text.len, out);
}

/* RFC 2104; `message` stands behind room for a block in `room`. */
static bool sign_hmac(struct asbi_digest *d, asbi_str secret,
                      unsigned char *room, size_t message,
                      unsigned char out[ASBI_DIGEST_BYTES])
{
    unsigned char key[BLOCK] = { 0 };
    unsigned char outer[BLOCK + ASBI_DIGEST_BYTES];

    if (secret.len > BLOCK) {
        if (!asbi_digest_of(d, secret.at, secret.len, key))
            return false;
    } else if (secret.len) {
        memcpy(key, secret.at, secret.len);
    }
    for (size_t i = 0; i < BLOCK; i++) {
        room[i] = key[i] ^ 0x36;
        outer[i] = key[i] ^ 0x5c;
    }
    bool ok = asbi_digest_of(d, room, BLOCK + message, outer + BLOCK) &&
              asbi_digest_of(d, outer, sizeof(outer), out);
    explicit_bzero(key, sizeof(key));
    explicit_bzero(outer, sizeof(outer));
    explicit_bzero(room, BLOCK);
    return ok;
}

static void put_claims(asbi_str access, uint64_t wall_s, struct asbi_buf *token,
                       struct asbi_buf *claims)
{
    asbi_buf_c(claims, "{\"iss\":");
    asbi_json_put_string(claims, access);
    asbi_buf_c(claims, ",\"exp\":");
    asbi_buf_u64(claims, wall_s + TOKEN_SECONDS);
    asbi_buf_c(claims, ",\"nbf\":");
    asbi_buf_u64(claims, wall_s - 5);
    asbi_buf_char(claims, '}');
    put_base64url_text(ASBI_STR("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), token);
    asbi_buf_char(token, '.');
    put_base64url_text(asbi_buf_view(claims), token);
}

static void put_token(asbi_str access, asbi_str secret, uint64_t wall_s,
                      struct asbi_buf *line)
{
    struct asbi_digest *d = asbi_digest_new();
    unsigned char mac[ASBI_DIGEST_BYTES];
    struct asbi_buf room, claims;

    asbi_buf_init(&room, line->mem, TOKEN_MAX);
    asbi_buf_init(&claims, line->mem, TOKEN_MAX);
    (void)asbi_buf_reserve(&room, BLOCK);
    room.len = room.failed ? 0 : BLOCK;
    put_claims(access, wall_s, &room, &claims);
    if (d && !room.failed && !claims.failed &&
        sign_hmac(d, secret, (unsigned char *)room.data, room.len - BLOCK,
                  mac)) {
        asbi_buf_add(line, room.data + BLOCK, room.len - BLOCK);
        asbi_buf_char(line, '.');
        put_base64url(mac, sizeof(mac), line);
    } else {
        line->failed = true;
    }
    asbi_buf_fini(&room);
    asbi_buf_fini(&claims);
    asbi_digest_free(d);
}

/* A key without a colon is a token already, as gateways give one. */
static void sign(asbi_str key, uint64_t wall_s, struct asbi_buf *line)
{
    const char *colon = key.len ? memchr(key.at, ':', key.len) : NULL;

    asbi_buf_c(line, "Authorization: Bearer ");
    if (!colon) {
        asbi_buf_str(line, key);
        return;
    }
    size_t len = (size_t)(colon - key.at);
    put_token(asbi_str_of(key.at, len),
              asbi_str_of(colon + 1, key.len - len - 1), wall_s, line);
}

static void put_headers(asbi_str key, struct asbi_buf *lines)
{
    (void)key;
    asbi_buf_c(lines, "Content-Type: application/json");
    asbi_buf_char(lines, '\0');
}

/* ---- jobs -------------------------------------------------------------- */

static void submit(const struct asbi_media_request *r, struct asbi_buf *path,
                   struct asbi_buf *body)
{
    bool image = r->type == ASBI_MEDIA_IMAGE;

    asbi_buf_c(path, image                ? "/v1/images/generations"
                     : r->reference_count ? "/v1/videos/image2video"
                                          : "/v1/videos/text2video");
    asbi_buf_char(body, '{');
    asbi_media_put_text(r, "model_name", r->engine, body);
    asbi_media_put_text(r, "prompt", r->prompt, body);
    if (r->reference_count)
        asbi_media_put_text(r, "image", r->references[0], body);
    if (r->reference_count > 1)
        asbi_media_put_text(r, "image_tail", r->references[1], body);
    asbi_media_put_ratio(r, "aspect_ratio", body);
    if (!image)
        asbi_media_put_seconds_text(r, "duration", "", body);
    asbi_media_put_style(r, body);
    asbi_buf_char(body, '}');
}

/* 1301: the content is refused. */
static void look(struct asbi_json *json, const struct asbi_json_node *root,
                 struct asbi_media_status *status)
{
    const struct asbi_json_node *node = asbi_media_at(json, root, "code");
    asbi_str words = asbi_json_text(json, asbi_media_at(json, root, "message"));

    if (!node || asbi_str_eq(node->raw, ASBI_STR("0"))) {
        status->code = ASBI_STR("");
        return;
    }
    status->state = asbi_str_eq(node->raw, ASBI_STR("1301"))
                        ? ASBI_MEDIA_FILTERED
                        : ASBI_MEDIA_FAILED;
    if (status->message.len == 0 && words.at)
        status->message = words;
}

static const struct asbi_media_word words[] = {
    { "submitted", ASBI_MEDIA_QUEUED }, { "processing", ASBI_MEDIA_RUNNING },
    { "succeed", ASBI_MEDIA_DONE },     { "failed", ASBI_MEDIA_FAILED },
    { NULL, ASBI_MEDIA_UNKNOWN },
};

const struct asbi_media_shape asbi_media_kling = {
    .name = "kling",
    .videos = true,
    .images = true,
    .references = 2,
    .headers = put_headers,
    .sign = sign,
    .submit = submit,
    .id = "data.task_id",
    .state = "data.task_status",
    .code = "code",
    .message = "data.task_status_msg",
    .video = "data.task_result.videos",
    .image = "data.task_result.images",
    .words = words,
    .look = look,
    .address = "{path}/{id}",
    .poll = "",
    .lifetime_s = 30 * 86400,
};

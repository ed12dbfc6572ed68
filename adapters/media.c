#include "adapters/media.h"

#include <string.h>

#include "adapters/http_date.h"
#include "engine/base/units.h"

/* ---- members ---------------------------------------------------------- */

const struct asbi_json_node *asbi_media_at(const struct asbi_json *json,
                                           const struct asbi_json_node *root,
                                           const char *path)
{
    while (root && path && *path) {
        size_t len = strcspn(path, ".");

        root = asbi_json_get(json, root, asbi_str_of(path, len));
        path += len + (path[len] == '.');
    }
    return path ? root : NULL;
}

static asbi_str text_at(struct asbi_json *json,
                        const struct asbi_json_node *root, const char *path)
{
    const struct asbi_json_node *n = asbi_media_at(json, root, path);

    if (n && n->type == ASBI_JSON_NUMBER)
        return n->raw;
    asbi_str text = asbi_json_text(json, n);
    return text.at ? text : ASBI_STR("");
}

/* ---- results ---------------------------------------------------------- */

bool asbi_media_is_url(asbi_str text)
{
    if (text.len > ASBI_MEDIA_URL_MAX ||
        (!asbi_str_starts(text, ASBI_STR("https://")) &&
         !asbi_str_starts(text, ASBI_STR("http://"))))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if (c <= ' ' || c == 0x7f || c == '"' || c == '\\')
            return false;
    }
    return true;
}

/* Members that hold no result, though it may look like an address. */
static bool is_aside(asbi_str key)
{
    static const char *const asides[] = { "prompt", "input", "logs",
                                          "thumbnail_url", "web" };

    for (size_t i = 0; i < sizeof(asides) / sizeof(asides[0]); i++) {
        if (asbi_str_eq(key, asbi_str_c(asides[i])))
            return true;
    }
    return false;
}

static void collect_one(struct asbi_json *json,
                        const struct asbi_json_node *node,
                        struct asbi_media_status *status)
{
    asbi_str text = asbi_json_text(json, node);

    if (status->asset_count < ASBI_MEDIA_ASSETS && asbi_media_is_url(text))
        status->assets[status->asset_count++] = text;
}

/* Nodes lie in document order, so the subtree is a run of them. */
void asbi_media_collect(struct asbi_json *json,
                        const struct asbi_json_node *node,
                        struct asbi_media_status *status)
{
    const struct asbi_json_node *nodes = asbi_json_root(json);

    if (!node)
        return;
    const struct asbi_json_node *end = nodes + node->next;
    while (node < end) {
        if (is_aside(node->key)) {
            node = nodes + node->next;
            continue;
        }
        if (node->type == ASBI_JSON_STRING)
            collect_one(json, node, status);
        node++;
    }
}

/* ---- states ----------------------------------------------------------- */

static enum asbi_media_state state_of(const struct asbi_media_word *words,
                                      asbi_str word)
{
    for (; words && words->word; words++) {
        if (asbi_str_eq_nocase(word, asbi_str_c(words->word)))
            return words->state;
    }
    return ASBI_MEDIA_UNKNOWN;
}

static bool has(asbi_str text, const char *part)
{
    size_t len = strlen(part);

    for (size_t i = 0; i + len <= text.len; i++) {
        if (strncasecmp(text.at + i, part, len) == 0)
            return true;
    }
    return false;
}

bool asbi_media_is_moderation(asbi_str code, asbi_str message)
{
    static const char *const in_code[] = { "moderat",       "safety",
                                           "content_polic", "content_filter",
                                           "sensitive",     "nsfw",
                                           "blocked" };
    static const char *const in_message[] = {
        "moderat",           "content polic", "usage polic",   "safety system",
        "sensitive content", "nsfw",          "responsible ai"
    };

    for (size_t i = 0; i < sizeof(in_code) / sizeof(in_code[0]); i++) {
        if (has(code, in_code[i]))
            return true;
    }
    for (size_t i = 0; i < sizeof(in_message) / sizeof(in_message[0]); i++) {
        if (has(message, in_message[i]))
            return true;
    }
    return false;
}

/* Seconds since 1970, as a number or as a date. */
static uint64_t time_at(struct asbi_json *json,
                        const struct asbi_json_node *root, const char *path)
{
    asbi_str text = text_at(json, root, path);
    uint64_t n = 0;

    if (asbi_parse_u64(text, &n))
        return n;
    return asbi_rfc3339_date(text, &n) ? n / 1000 : 0;
}

void asbi_media_read(const struct asbi_media_shape *shape,
                     enum asbi_media_type type, struct asbi_json *json,
                     const struct asbi_json_node *root,
                     struct asbi_media_status *out)
{
    const char *assets = type == ASBI_MEDIA_IMAGE ? shape->image : shape->video;

    *out = (struct asbi_media_status){
        .id = text_at(json, root, shape->id),
        .place = text_at(json, root, shape->place),
        .state = state_of(shape->words, text_at(json, root, shape->state)),
        .code = text_at(json, root, shape->code),
        .message = text_at(json, root, shape->message),
        .expires_s = time_at(json, root, shape->expires),
    };
    if (shape->look)
        shape->look(json, root, out);
    if (out->state == ASBI_MEDIA_FAILED &&
        asbi_media_is_moderation(out->code, out->message))
        out->state = ASBI_MEDIA_FILTERED;
    if (out->state == ASBI_MEDIA_DONE && assets && !out->asset_count)
        asbi_media_collect(json, asbi_media_at(json, root, assets), out);
}

/* ---- where a job is --------------------------------------------------- */

bool asbi_media_put_address(const struct asbi_media_shape *shape,
                            const struct asbi_media_status *status,
                            asbi_str submit_path, struct asbi_buf *out)
{
    const char *at = shape->address;

    if (asbi_media_is_url(status->place)) {
        asbi_buf_str(out, status->place);
        return true;
    }
    if (!at || !asbi_remote_is_id(status->id))
        return false;
    while (*at) {
        if (strncmp(at, "{id}", 4) == 0) {
            asbi_buf_str(out, status->id);
            at += 4;
        } else if (strncmp(at, "{path}", 6) == 0) {
            asbi_buf_str(out, submit_path);
            at += 6;
        } else {
            asbi_buf_char(out, *at++);
        }
    }
    return true;
}

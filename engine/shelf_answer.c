/* What answers of media jobs say of their artefacts. */
#include <ctype.h>
#include <string.h>

#include "engine/cache_http.h"
#include "engine/fetch_head.h"
#include "engine/shelf.h"

static asbi_str text_of(struct asbi_json *json,
                        const struct asbi_json_node *object, const char *name)
{
    return asbi_json_text(json, asbi_json_get(json, object, asbi_str_c(name)));
}

static bool is_sha256(asbi_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!isdigit((unsigned char)text.at[i]) &&
            !(text.at[i] >= 'a' && text.at[i] <= 'f'))
            return false;
    }
    return text.len == 2 * (size_t)ASBI_DIGEST_BYTES;
}

static bool read_asset(struct asbi_json *json, const struct asbi_mem *mem,
                       const struct asbi_json_node *node,
                       struct asbi_shelf_asset *asset)
{
    asbi_str sha256 = text_of(json, node, "sha256");
    asbi_str type = text_of(json, node, "type");
    asbi_str path = text_of(json, node, "path");

    if (!is_sha256(sha256) ||
        !asbi_str_copy(sha256, asset->sha256, sizeof(asset->sha256)) ||
        !asbi_str_copy(type, asset->type, sizeof(asset->type)) ||
        !asbi_json_u64(asbi_json_get(json, node, ASBI_STR("bytes")),
                       &asset->bytes))
        return false;
    if (path.len)
        asset->path = asbi_strndup(mem, path.at, path.len);
    return !path.len || asset->path;
}

static const struct asbi_json_node *assets_of(const struct asbi_json *json)
{
    return asbi_json_get(json, asbi_json_root(json), ASBI_STR("assets"));
}

bool asbi_shelf_read(struct asbi_json *json, const struct asbi_mem *mem,
                     asbi_str output, struct asbi_shelf_assets *assets)
{
    *assets = (struct asbi_shelf_assets){ .count = 0 };
    if (asbi_json_parse(json, output.at, output.len))
        return false;
    const struct asbi_json_node *list = assets_of(json);
    const struct asbi_json_node *n = list ? asbi_json_child(json, list) : NULL;
    if (!n || list->type != ASBI_JSON_ARRAY || list->count > ASBI_SHELF_ASSETS)
        return false;
    for (; n; n = asbi_json_after(json, list, n)) {
        if (!read_asset(json, mem, n, &assets->all[assets->count++]))
            return false;
    }
    return true;
}

void asbi_shelf_assets_free(const struct asbi_mem *mem,
                            struct asbi_shelf_assets *assets)
{
    for (size_t i = 0; i < assets->count; i++)
        asbi_free(mem, assets->all[i].path);
    assets->count = 0;
}

/* ---- written anew ------------------------------------------------------- */

static void put_member(const struct asbi_json_node *member,
                       struct asbi_buf *out)
{
    if (out->len && out->data[out->len - 1] != '{')
        asbi_buf_char(out, ',');
    asbi_buf_char(out, '"');
    asbi_buf_str(out, member->key);
    asbi_buf_c(out, "\":");
    asbi_buf_str(out, member->raw);
}

static void put_asset(const struct asbi_json *json,
                      const struct asbi_json_node *asset, const char *path,
                      struct asbi_buf *out)
{
    const struct asbi_json_node *n = asbi_json_child(json, asset);

    asbi_buf_char(out, '{');
    if (path) {
        asbi_json_put_key(out, "path");
        asbi_json_put_string(out, asbi_str_c(path));
    }
    for (; n; n = asbi_json_after(json, asset, n)) {
        if (!asbi_str_eq(n->key, ASBI_STR("path")))
            put_member(n, out);
    }
    asbi_buf_char(out, '}');
}

static void put_assets(const struct asbi_json *json,
                       const struct asbi_shelf_assets *assets,
                       struct asbi_buf *out)
{
    const struct asbi_json_node *list = assets_of(json);
    const struct asbi_json_node *n = asbi_json_child(json, list);

    asbi_json_put_key(out, "assets");
    asbi_buf_char(out, '[');
    for (size_t i = 0; n; i++, n = asbi_json_after(json, list, n)) {
        if (i)
            asbi_buf_char(out, ',');
        put_asset(json, n, assets ? assets->all[i].path : NULL, out);
    }
    asbi_buf_char(out, ']');
}

void asbi_shelf_write(struct asbi_json *json,
                      const struct asbi_shelf_assets *assets,
                      struct asbi_buf *out)
{
    const struct asbi_json_node *root = asbi_json_root(json);
    const struct asbi_json_node *n = asbi_json_child(json, root);

    asbi_buf_char(out, '{');
    for (; n; n = asbi_json_after(json, root, n)) {
        if (asbi_str_eq(n->key, ASBI_STR("assets")))
            put_assets(json, assets, out);
        else
            put_member(n, out);
    }
    asbi_buf_char(out, '}');
}

void asbi_shelf_put_url(const struct asbi_shelf *s,
                        const struct asbi_shelf_asset *asset,
                        struct asbi_buf *out)
{
    asbi_buf_c(out, asbi_cache_http_base(s->tier));
    asbi_buf_c(out, "/sha256-");
    asbi_buf_c(out, asset->sha256);
    asbi_fetch_put_ending(asset->type, asbi_str_of("", 0), out);
}

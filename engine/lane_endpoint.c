/* Where the calls of a lane go: one endpoint for each path. */
#include "engine/lane.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "config/secret.h"

enum { MAX_ENDPOINTS = 64, MAX_URL_BYTES = 4096 };

struct lane_endpoint {
    struct asbi_endpoint endpoint;
    char *path; /* the key in lane->endpoints */
    char *url;
};

static void endpoint_free(struct asbi_lane *lane, struct asbi_transport *t,
                          struct lane_endpoint *e)
{
    if (t)
        t->ops->forget(t, &e->endpoint);
    asbi_free(lane->mem, e->path);
    asbi_free(lane->mem, e->url);
    asbi_free(lane->mem, e);
}

void asbi_lane_endpoints_free(struct asbi_lane *lane,
                              struct asbi_transport *transport)
{
    for (size_t i = 0; i < lane->endpoints.cap; i++) {
        if (lane->endpoints.slots[i].value)
            endpoint_free(lane, transport, lane->endpoints.slots[i].value);
    }
    asbi_map_fini(&lane->endpoints);
}

/* A path comes from the user's data and the credentials go with it: plain
 * characters only, so that it can never name another host. */
static bool path_is_plain(asbi_str path)
{
    if (path.len == 0 || path.len > 512 || path.at[0] != '/')
        return false;
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.at[i];

        if (!c || (!isalnum(c) && !strchr("/_-.:", c)))
            return false;
        if (i && path.at[i - 1] == '.' && c == '.')
            return false;
    }
    return path.len < 2 || path.at[1] != '/';
}

/* "/v1/x" below a base that ends in "/v1" is "/x": batch files carry the
 * version that base URLs carry too. */
static asbi_str below_base(const struct asbi_lane *lane, asbi_str path)
{
    const char *last = strrchr(lane->base_url, '/');
    asbi_str version = asbi_str_c(last);

    if (version.len < 2 || version.at[1] != 'v' || path.len <= version.len ||
        path.at[version.len] != '/' || !asbi_str_starts(path, version))
        return path;
    return asbi_str_of(path.at + version.len, path.len - version.len);
}

/* A query of the base URL goes behind each path, in place of its own. */
static void put_url(const struct asbi_lane *lane, asbi_str path,
                    struct asbi_buf *url)
{
    const char *query = memchr(path.at, '?', path.len);

    if (query && lane->base_query[0])
        path.len = (size_t)(query - path.at);
    asbi_buf_c(url, lane->base_url);
    asbi_buf_str(url, below_base(lane, path));
    asbi_buf_c(url, lane->base_query);
    asbi_buf_char(url, '\0');
}

/* The dialect's own path may have a query behind it. */
static bool own_path_is_plain(asbi_str path)
{
    const char *query = memchr(path.at, '?', path.len);

    return path_is_plain(
        asbi_str_of(path.at, query ? (size_t)(query - path.at) : path.len));
}

bool asbi_lane_put_url(const struct asbi_lane *lane, asbi_str path,
                       struct asbi_buf *url)
{
    if (path.len == 0 || !own_path_is_plain(path))
        return false;
    const char *query = memchr(path.at, '?', path.len);
    size_t len = query ? (size_t)(query - path.at) : path.len;

    asbi_buf_c(url, lane->base_url);
    asbi_buf_str(url, below_base(lane, asbi_str_of(path.at, len)));
    asbi_buf_c(url, lane->base_query);
    if (!query)
        return true;
    asbi_buf_char(url, lane->base_query[0] ? '&' : '?');
    asbi_buf_str(url, asbi_str_of(query + 1, path.len - len - 1));
    return true;
}

static struct lane_endpoint *endpoint_new(struct asbi_lane *lane, asbi_str path)
{
    struct lane_endpoint *e = asbi_calloc(lane->mem, 1, sizeof(*e));
    struct asbi_buf url;

    if (!e)
        return NULL;
    asbi_buf_init(&url, lane->mem, MAX_URL_BYTES);
    put_url(lane, path, &url);
    e->path = asbi_strndup(lane->mem, path.at, path.len);
    e->url = url.data;
    e->endpoint = (struct asbi_endpoint){ .method = "POST",
                                          .url = e->url,
                                          .headers = lane->headers };
    if (asbi_buf_failed(&url) || !e->path ||
        asbi_map_put(&lane->endpoints, asbi_str_c(e->path), e)) {
        endpoint_free(lane, NULL, e);
        return NULL;
    }
    return e;
}

struct asbi_endpoint *asbi_lane_call_endpoint(struct asbi_lane *lane,
                                              enum asbi_call_way way)
{
    struct asbi_endpoint *found = NULL;
    struct asbi_buf path;

    asbi_buf_init(&path, lane->mem, MAX_URL_BYTES);
    lane->dialect->path(way, &lane->style, &path);
    asbi_str view = asbi_buf_view(&path);
    if (!asbi_buf_failed(&path)) {
        struct lane_endpoint *e = asbi_map_get(&lane->endpoints, view);

        if (!e && own_path_is_plain(view))
            e = endpoint_new(lane, view);
        found = e ? &e->endpoint : NULL;
    }
    asbi_buf_fini(&path);
    return found;
}

struct asbi_endpoint *asbi_lane_endpoint(struct asbi_lane *lane, asbi_str path)
{
    struct lane_endpoint *e = asbi_map_get(&lane->endpoints, path);

    if (e)
        return &e->endpoint;
    if (!path_is_plain(path) || lane->endpoints.count >= MAX_ENDPOINTS)
        return NULL;
    e = endpoint_new(lane, path);
    return e ? &e->endpoint : NULL;
}

const char *asbi_lane_key_remedy(const struct asbi_lane *lane, char *out,
                                 size_t size)
{
    struct asbi_secret_source from;

    asbi_secret_source(lane->config->api_key, lane->provider.key_variable,
                       &from);
    if (from.kind == ASBI_SECRET_VARIABLE)
        (void)snprintf(out, size, "set %.100s", from.name);
    else if (from.kind == ASBI_SECRET_FILE)
        (void)snprintf(out, size, "put a good key into %.100s", from.name);
    else
        (void)snprintf(out, size,
                       "say where its key is with --api-key env:NAME");
    return out;
}

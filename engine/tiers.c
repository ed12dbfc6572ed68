#include "engine/tiers.h"

#include <stdlib.h>
#include <string.h>

#include "config/options.h"
#include "config/secret.h"
#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/cache_http.h"
#include "engine/real/cache_redis.h"
#include "engine/real/cache_sqlite.h"
#include "engine/real/loop.h"
#include "engine/api_options.h"

/* To connect to Redis and be let in. */
#define PATIENCE (2 * ASBI_SECOND)

/* Of an option and "no_cache" the stronger origin wins, the latter when they
 * are of one. */
static bool wants(const struct asb_options *options, const char *name)
{
    const struct asbi_config *c = &options->values;
    enum asb_origin its = ASB_FROM_DEFAULT, no_cache = ASB_FROM_DEFAULT;
    const char *value = asb_options_get(options, name, &its);

    (void)asb_options_get(options, "no_cache", &no_cache);
    return value && value[0] && (!c->no_cache || its > no_cache) &&
           strcmp(c->reuse, "off") != 0;
}

int asbi_tiers_file(const struct asbi_mem *mem,
                    const struct asb_options *options, struct asbi_store **out,
                    struct asb_message *why)
{
    const struct asbi_config *c = &options->values;
    struct asbi_cache_file_options o = { .path = c->cache,
                                         .max_bytes = c->cache_max_bytes };
    struct asbi_cache_file *file;

    *out = NULL;
    if (!wants(options, "cache"))
        return ASB_OK;
    int rc = asbi_cache_file_open(mem, &o, &file, why);
    if (!rc)
        *out = asbi_cache_file_store(file);
    return rc;
}

/* ---- secrets ---------------------------------------------------------- */

/* Into `raw`, of which *secret is a part; empty for none. */
static int read_secret(const char *place, const char *reference,
                       const char *usual, struct asbi_buf *raw,
                       asbi_str *secret, struct asb_message *why)
{
    struct asbi_secret_source s;

    *secret = asbi_str_of("", 0);
    asbi_secret_source(reference, usual, &s);
    if (s.kind == ASBI_SECRET_FILE) {
        int rc = asbi_read_file(s.name, place, raw, why);

        if (rc)
            return rc;
    } else if (s.kind == ASBI_SECRET_VARIABLE) {
        const char *value = getenv(s.name);

        if (!value || !value[0])
            return s.by_reference ? asbi_fail(why, ASB_ECONFIG,
                                              "%s: the variable %s is not set",
                                              place, s.name)
                                  : ASB_OK;
        asbi_buf_c(raw, value);
    } else {
        return ASB_OK;
    }
    if (asbi_buf_failed(raw))
        return ASB_ENOMEM;
    return asbi_secret_clean(asbi_buf_view(raw), s.name, secret, why);
}

static void wipe(struct asbi_buf *raw)
{
    if (raw->data)
        explicit_bzero(raw->data, raw->cap);
    asbi_buf_fini(raw);
}

/* ---- remotes ---------------------------------------------------------- */

static int open_redis(const struct asbi_parts *parts,
                      const struct asb_options *options,
                      struct asbi_remote **out, struct asb_message *why)
{
    const struct asbi_config *c = &options->values;
    struct asbi_cache_redis_options o = { .budget_ns = c->redis_budget_ns };
    struct asbi_redis_room room;
    struct asbi_buf raw;

    int rc = asbi_cache_redis_parse(c->redis, &room, &o.place, why);
    if (rc)
        return rc;
    asbi_buf_init(&raw, parts->mem, ASBI_SECRET_MAX);
    o.place.ca_file = c->ca_file;
    o.place.patience_ns = PATIENCE;
    rc = read_secret("redis_password", c->redis_password, "REDIS_PASSWORD",
                     &raw, &o.place.password, why);
    if (!rc)
        rc = asbi_cache_redis_new(parts, &o, out, why);
    wipe(&raw);
    return rc;
}

/* Options are shown and logged: no secrets in an address. */
static bool is_plain_url(const char *url)
{
    const char *host = strstr(url, "://");

    return host &&
           (strncmp(url, "http://", 7) == 0 ||
            strncmp(url, "https://", 8) == 0) &&
           host[3] && host[3] != '/' && !strpbrk(url, " ?#@");
}

static int check_http(const struct asbi_config *c, struct asb_message *why)
{
    if (!is_plain_url(c->cache_url))
        return asbi_fail(why, ASB_ECONFIG,
                         "cache_url: write an http:// or https:// address "
                         "without user, query or fragment; a token by "
                         "cache_url_token");
    if (!asbi_cache_http_is_mark(c->surrogate_key))
        return asbi_fail(why, ASB_ECONFIG,
                         "surrogate_key: write visible ASCII, 200 characters "
                         "at most");
    return ASB_OK;
}

static int open_http(struct asbi_world *world,
                     const struct asb_options *options,
                     struct asbi_remote **out, struct asb_message *why)
{
    const struct asbi_config *c = &options->values;
    struct asbi_cache_http_options o = { .budget_ns = c->cache_url_budget_ns,
                                         .surrogate_key = c->surrogate_key };
    size_t len = strlen(c->cache_url);
    struct asbi_buf raw;

    int rc = check_http(c, why);
    if (rc)
        return rc;
    while (c->cache_url[len - 1] == '/')
        len--;
    char *base = asbi_strndup(world->mem, c->cache_url, len);
    if (!base)
        return ASB_ENOMEM;
    asbi_buf_init(&raw, world->mem, ASBI_SECRET_MAX);
    o.base_url = base;
    rc = read_secret("cache_url_token", c->cache_url_token,
                     "ASYNCBATCH_CACHE_TOKEN", &raw, &o.token, why);
    if (!rc)
        rc = asbi_cache_http_new(world, &o, out);
    wipe(&raw);
    asbi_free(world->mem, base);
    return rc;
}

int asbi_tiers_check(const struct asb_options *options, struct asb_message *why)
{
    const struct asbi_config *c = &options->values;
    struct asbi_redis_place place;
    struct asbi_redis_room room;
    int rc = ASB_OK;

    if (wants(options, "redis"))
        rc = asbi_cache_redis_parse(c->redis, &room, &place, why);
    if (!rc && wants(options, "cache_url"))
        rc = check_http(c, why);
    return rc;
}

int asbi_tiers_remotes(struct asbi_world *world,
                       const struct asb_options *options,
                       struct asbi_remote *out[ASBI_REMOTES],
                       struct asb_message *why)
{
    int rc = ASB_OK;

    if (wants(options, "redis"))
        rc = open_redis(asbi_real_world_parts(world), options,
                        &out[ASBI_TIER_REDIS], why);
    if (!rc && wants(options, "cache_url"))
        rc = open_http(world, options, &out[ASBI_TIER_HTTP], why);
    return rc;
}

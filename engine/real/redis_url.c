/*
 * redis_url.c -- the URL of a Redis server in parts.
 */
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/real/cache_redis.h"

enum { USUAL_PORT = 6379, LARGEST_DATABASE = 65535 };

/* Cuts `s` at the first `c`, or leaves *after empty. */
static asbi_str cut(asbi_str s, char c, asbi_str *after)
{
    const char *at = s.len ? memchr(s.at, c, s.len) : NULL;

    *after = asbi_str_of("", 0);
    if (!at)
        return s;
    *after = asbi_str_of(at + 1, s.len - (size_t)(at - s.at) - 1);
    return asbi_str_of(s.at, (size_t)(at - s.at));
}

/* Behind the brackets of IPv6, or the whole. */
static asbi_str cut_port(asbi_str host, asbi_str *port)
{
    asbi_str in, after;

    if (host.len == 0 || host.at[0] != '[')
        return cut(host, ':', port);
    in = cut(host, ']', &after);
    (void)cut(after, ':', port);
    return asbi_str_of(in.at, in.len < host.len ? in.len + 1 : in.len);
}

static bool number(asbi_str text, uint64_t usual, uint64_t most, unsigned *out)
{
    uint64_t n = usual;

    if (text.len && (!asbi_parse_u64(text, &n) || n > most))
        return false;
    *out = (unsigned)n;
    return true;
}

static bool parse_server(asbi_str rest, struct asbi_redis_room *room,
                         struct asbi_redis_place *place)
{
    asbi_str database, port, host, user = { "", 0 }, behind;
    asbi_str all = cut(rest, '/', &database);

    host = cut(all, '@', &behind);
    if (host.len < all.len) {
        user = host;
        host = behind;
    }
    host = cut_port(host, &port);
    return host.len && !memchr(user.at, ':', user.len) &&
           number(port, USUAL_PORT, 65535, &place->port) && place->port &&
           number(database, 0, LARGEST_DATABASE, &place->database) &&
           asbi_str_copy(host, room->host, sizeof(room->host)) &&
           asbi_str_copy(user, room->user, sizeof(room->user));
}

static bool parse(asbi_str url, struct asbi_redis_room *room,
                  struct asbi_redis_place *place)
{
    static const asbi_str local = { "unix://", 7 }, plain = { "redis://", 8 },
                          tls = { "rediss://", 9 };

    if (asbi_str_starts(url, local))
        return url.len > local.len && url.at[local.len] == '/' &&
               asbi_str_copy(
                   asbi_str_of(url.at + local.len, url.len - local.len),
                   room->path, sizeof(room->path));
    place->tls = asbi_str_starts(url, tls);
    asbi_str scheme = place->tls ? tls : plain;
    return asbi_str_starts(url, scheme) &&
           parse_server(asbi_str_of(url.at + scheme.len, url.len - scheme.len),
                        room, place);
}

int asbi_cache_redis_parse(const char *url, struct asbi_redis_room *room,
                           struct asbi_redis_place *place,
                           struct asb_message *why)
{
    memset(room, 0, sizeof(*room));
    place->host = room->host;
    place->user = room->user;
    place->path = room->path;
    if (parse(asbi_str_c(url), room, place))
        return ASB_OK;
    return asbi_fail(why, ASB_ECONFIG,
                     "redis: write redis://host:6379/0, rediss://host for TLS, "
                     "or unix:///path/of.sock; the user before an @, the "
                     "password by redis_password");
}

#include "cache/cache_control.h"

/* Longer lives are as good as for ever, and add up without overflow. */
#define LONGEST_SECONDS (UINT64_C(100) * 366 * 86400)

/* Digits, perhaps in quotes; what is none counts as 0: not fresh. */
static uint64_t seconds(asbi_str text)
{
    uint64_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c == '"')
            continue;
        if (c < '0' || c > '9')
            return 0;
        n = n * 10 + (uint64_t)(c - '0');
        if (n > LONGEST_SECONDS)
            n = LONGEST_SECONDS;
    }
    return n;
}

static void read_directive(struct asbi_cache_control *c, asbi_str name,
                           asbi_str value)
{
    if (asbi_str_eq_nocase(name, ASBI_STR("no-store")) ||
        asbi_str_eq_nocase(name, ASBI_STR("private"))) {
        c->no_store = true;
    } else if (asbi_str_eq_nocase(name, ASBI_STR("no-cache"))) {
        c->limited = c->no_cache = true;
    } else if (asbi_str_eq_nocase(name, ASBI_STR("s-maxage"))) {
        c->limited = c->shared = true;
        c->max_age = seconds(value);
    } else if (asbi_str_eq_nocase(name, ASBI_STR("max-age")) && !c->shared) {
        c->limited = true;
        c->max_age = seconds(value);
    } else if (asbi_str_eq_nocase(name, ASBI_STR("stale-while-revalidate"))) {
        c->stale_while_revalidate = seconds(value);
    }
}

static asbi_str cut(asbi_str *rest, char at)
{
    const char *end = rest->len ? memchr(rest->at, at, rest->len) : NULL;
    asbi_str part = *rest;

    if (!end) {
        *rest = asbi_str_of(rest->at, 0);
        return part;
    }
    part.len = (size_t)(end - part.at);
    *rest = asbi_str_of(end + 1, rest->len - part.len - 1);
    return part;
}

void asbi_cache_control_read(struct asbi_cache_control *c, asbi_str name,
                             asbi_str value)
{
    if (asbi_str_eq_nocase(name, ASBI_STR("age")))
        c->age = seconds(asbi_str_trim(value));
    if (!asbi_str_eq_nocase(name, ASBI_STR("cache-control")))
        return;
    while (value.len) {
        asbi_str argument = cut(&value, ',');
        asbi_str directive = cut(&argument, '=');

        read_directive(c, asbi_str_trim(directive), asbi_str_trim(argument));
    }
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void asbi_cache_control_life(const struct asbi_cache_control *c,
                             uint64_t now_ms, uint64_t most_ms,
                             uint64_t *fresh_until_ms,
                             uint64_t *serves_until_ms)
{
    uint64_t max_age = c->no_cache ? 0 : c->max_age;
    uint64_t left = max_age > c->age ? max_age - c->age : 0;
    uint64_t past = c->age > max_age ? c->age - max_age : 0;
    uint64_t stale =
        c->stale_while_revalidate > past ? c->stale_while_revalidate - past : 0;

    *fresh_until_ms = *serves_until_ms = most_ms;
    if (c->no_store) {
        *fresh_until_ms = *serves_until_ms = now_ms;
    } else if (c->limited) {
        *fresh_until_ms = earlier(most_ms, now_ms + left * 1000);
        *serves_until_ms = earlier(most_ms, now_ms + (left + stale) * 1000);
    }
}

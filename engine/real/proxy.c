#include "engine/real/proxy.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/units.h"

static asbi_str without_dots(asbi_str s)
{
    if (s.len && s.at[0] == '.')
        s.at++, s.len--;
    if (s.len && s.at[s.len - 1] == '.')
        s.len--;
    return s;
}

/* The host itself or a name under it. */
static bool in_domain(asbi_str domain, asbi_str host)
{
    domain = without_dots(domain);
    host = without_dots(host);
    if (domain.len == 0 || host.len < domain.len)
        return false;
    size_t before = host.len - domain.len;
    asbi_str tail = asbi_str_of(host.at + before, domain.len);

    return asbi_str_eq_nocase(tail, domain) &&
           (before == 0 || host.at[before - 1] == '.');
}

/* Bytes of a numeric address; 4, 16, or 0 for what is none. */
static size_t address_of(asbi_str text, unsigned char bytes[16])
{
    char copy[INET6_ADDRSTRLEN];

    if (text.len == 0 || !asbi_str_copy(text, copy, sizeof(copy)))
        return 0;
    if (inet_pton(AF_INET, copy, bytes) == 1)
        return 4;
    return inet_pton(AF_INET6, copy, bytes) == 1 ? 16 : 0;
}

static bool same_bits(const unsigned char *a, const unsigned char *b,
                      uint64_t bits)
{
    size_t whole = (size_t)(bits / 8);
    unsigned rest = (unsigned)(bits % 8);

    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

/* "10.0.0.0/8", "fe80::/10", "192.0.2.7". */
static bool in_network(asbi_str network, asbi_str host)
{
    unsigned char a[16] = { 0 }, b[16] = { 0 };
    const char *slash = memchr(network.at, '/', network.len);
    asbi_str base = network;
    uint64_t bits;

    if (slash)
        base.len = (size_t)(slash - network.at);
    size_t len = address_of(base, a);
    if (len == 0 || address_of(host, b) != len)
        return false;
    bits = len * 8;
    if (slash && !asbi_parse_u64(
                     asbi_str_of(slash + 1, network.len - base.len - 1), &bits))
        return false;
    return bits <= len * 8 && same_bits(a, b, bits);
}

static bool is_between(char c)
{
    return c == ',' || c == ' ' || c == '\t';
}

bool asbi_proxy_excluded(asbi_str list, asbi_str host)
{
    unsigned char bytes[16];
    bool numeric = address_of(host, bytes) != 0;
    size_t at = 0;

    if (asbi_str_eq(asbi_str_trim(list), ASBI_STR("*")))
        return true;
    while (at < list.len) {
        size_t end = at;

        while (end < list.len && !is_between(list.at[end]))
            end++;
        asbi_str entry = asbi_str_of(list.at + at, end - at);
        if (entry.len > 2 && entry.at[0] == '[' &&
            entry.at[entry.len - 1] == ']')
            entry = asbi_str_of(entry.at + 1, entry.len - 2);
        if (entry.len &&
            (numeric ? in_network(entry, host) : in_domain(entry, host)))
            return true;
        at = end + 1;
    }
    return false;
}

static const char *first_set(asbi_env_fn *env, const char *a, const char *b)
{
    const char *value = env(a);

    if (!value || !*value)
        value = b ? env(b) : NULL;
    return value && *value ? value : NULL;
}

const char *asbi_proxy_choose(bool tls, asbi_str host, asbi_env_fn *env)
{
    const char *none = first_set(env, "no_proxy", "NO_PROXY");
    const char *proxy = tls ? first_set(env, "https_proxy", "HTTPS_PROXY")
                            : first_set(env, "http_proxy", NULL);

    if (!proxy)
        proxy = first_set(env, "all_proxy", "ALL_PROXY");
    if (proxy && none && asbi_proxy_excluded(asbi_str_c(none), host))
        return NULL;
    return proxy;
}

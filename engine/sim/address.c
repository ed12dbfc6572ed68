#include "engine/sim/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"

static bool parse_port(const char *text, uint16_t *port)
{
    uint64_t n;

    if (!asbi_parse_u64(asbi_str_c(text), &n) || n > UINT16_MAX)
        return false;
    *port = (uint16_t)n;
    return true;
}

/* `host` without brackets; empty for 127.0.0.1. */
static bool set(struct asbi_sim_address *out, const char *host, bool six,
                uint16_t port)
{
    struct sockaddr_in in4 = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

    if (host[0] == '\0' || strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    memset(&out->at, 0, sizeof(out->at));
    in4.sin_port = in6.sin6_port = htons(port);
    if (six && inet_pton(AF_INET6, host, &in6.sin6_addr) == 1) {
        memcpy(&out->at, &in6, sizeof(in6));
        out->len = sizeof(in6);
        return true;
    }
    if (six || inet_pton(AF_INET, host, &in4.sin_addr) != 1)
        return false;
    memcpy(&out->at, &in4, sizeof(in4));
    out->len = sizeof(in4);
    return true;
}

int asbi_sim_address_parse(const char *text, struct asbi_sim_address *out,
                           struct asb_message *why)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    bool six = len >= 2 && text[0] == '[' && text[len - 1] == ']';
    char host[64];
    uint16_t port;

    if (!colon || !parse_port(colon + 1, &port))
        return asbi_fail(why, ASB_ECONFIG,
                         "listen: \"%.80s\" has no valid port; write "
                         "HOST:PORT, for example 127.0.0.1:0 for a free port",
                         text);
    if (six) {
        text++;
        len -= 2;
    }
    if (len < sizeof(host)) {
        memcpy(host, text, len);
        host[len] = '\0';
        if (set(out, host, six, port))
            return ASB_OK;
    }
    return asbi_fail(why, ASB_ECONFIG,
                     "listen: \"%.*s\" is no address of this machine; write "
                     "numbers, for example 127.0.0.1:0 or [::1]:8080",
                     len < 80 ? (int)len : 80, text);
}

void asbi_sim_address_url(const struct asbi_sim_address *address, char *out,
                          size_t size)
{
    const struct sockaddr *any = (const struct sockaddr *)&address->at;
    char host[INET6_ADDRSTRLEN] = "";

    if (any->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, &address->at, sizeof(in6));
        (void)inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof(host));
        (void)snprintf(out, size, "http://[%s]:%u", host, ntohs(in6.sin6_port));
    } else {
        struct sockaddr_in in4;
        memcpy(&in4, &address->at, sizeof(in4));
        (void)inet_ntop(AF_INET, &in4.sin_addr, host, sizeof(host));
        (void)snprintf(out, size, "http://%s:%u", host, ntohs(in4.sin_port));
    }
}

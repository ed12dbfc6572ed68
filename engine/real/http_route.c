#include <stdio.h>
#include <string.h>

#include "engine/base/buf.h"
#include "engine/base/units.h"
#include "engine/real/http_private.h"

/* Writes the address into the proxy's URL. */
static bool pin_proxy(struct asbi_http_slot *slot)
{
    const struct asbi_http_endpoint *ep = slot->endpoint;
    struct asbi_buf url;
    bool ok;

    asbi_buf_init(&url, slot->http->parts.mem, 4096);
    asbi_buf_fmt(&url, "%s%s:%s", ep->proxy, slot->address, ep->port);
    const char *text = asbi_buf_cstr(&url);
    ok = text && curl_easy_setopt(slot->easy, CURLOPT_PROXY, text) == CURLE_OK;
    asbi_buf_fini(&url);
    return ok;
}

/* "host:port:address", or "::address:port" for whatever host. */
static bool pin_list(struct asbi_http_slot *slot, CURLoption option)
{
    const struct asbi_http_endpoint *ep = slot->endpoint;
    bool resolve = option == CURLOPT_RESOLVE;
    int n = snprintf(slot->pin, sizeof(slot->pin), "%s:%s:%s",
                     resolve ? ep->host->name : ":",
                     resolve ? ep->port : slot->address,
                     resolve ? slot->address : ep->port);

    slot->pin_node = (struct curl_slist){ .data = slot->pin };
    return n > 0 && (size_t)n < sizeof(slot->pin) &&
           curl_easy_setopt(slot->easy, option, &slot->pin_node) == CURLE_OK;
}

/* Tells libcurl the address: it must never resolve a name by itself, which
 * takes a thread for each handle. */
static bool pin(struct asbi_http_slot *slot)
{
    switch (slot->endpoint->route) {
    case ASBI_ROUTE_CONNECT_TO:
        return pin_list(slot, CURLOPT_CONNECT_TO);
    case ASBI_ROUTE_RESOLVE:
        return pin_list(slot, CURLOPT_RESOLVE);
    case ASBI_ROUTE_PROXY:
        return pin_proxy(slot);
    case ASBI_ROUTE_PLAIN:
        break;
    }
    return true;
}

/* How long this address may take when others could be tried after it: half of
 * what is left of the connect limit. */
static uint64_t try_until(const struct asbi_http_slot *slot)
{
    uint64_t limit = slot->x->limits.connect_ns;
    uint64_t end = asbi_add_ns(slot->started_ns, limit);
    uint64_t now = asbi_http_now(slot->http);

    if (limit == 0 || slot->tries >= slot->endpoint->host->count || end <= now)
        return ASBI_NEVER;
    return now + (end - now) / 2;
}

static void go_to_best(struct asbi_http_slot *slot)
{
    const struct asbi_dns_host *host = slot->endpoint->host;
    const char *best = host->address[host->best];

    slot->tries++;
    slot->try_until_ns = try_until(slot);
    if (strcmp(slot->address, best) != 0 ||
        slot->endpoint->route == ASBI_ROUTE_RESOLVE) {
        memcpy(slot->address, best, sizeof(slot->address));
        if (!pin(slot)) {
            slot->address[0] = '\0';
            asbi_http_slot_fail(slot, "out of memory", false);
            return;
        }
    }
    if (slot->try_until_ns != ASBI_NEVER)
        asbi_http_limits_set(slot);
    asbi_http_slot_launch(slot);
}

static void on_name(struct asbi_dns_wait *wait)
{
    struct asbi_http_slot *slot = ASBI_OF(wait, struct asbi_http_slot, wait);
    struct asbi_dns_host *host = slot->endpoint->host;

    if (host->state == ASBI_DNS_KNOWN)
        go_to_best(slot);
    else
        asbi_http_slot_fail(slot, host->error, true);
}

void asbi_http_route(struct asbi_http_slot *slot)
{
    struct asbi_http_endpoint *ep = slot->endpoint;

    if (ep->fault) {
        asbi_http_slot_fail(slot, ep->fault, true);
        return;
    }
    if (!ep->host) {
        asbi_http_slot_launch(slot);
        return;
    }
    slot->wait.on_answer = on_name;
    if (asbi_dns_ask(ep->host, &slot->wait) == ASBI_DNS_ASKED)
        asbi_http_slot_enter(slot, ASBI_SLOT_NAMING);
    else
        on_name(&slot->wait);
}

bool asbi_http_route_next(struct asbi_http_slot *slot)
{
    struct asbi_dns_host *host = slot->endpoint->host;

    if (!host)
        return false;
    asbi_dns_dead(host, slot->address);
    if (host->state != ASBI_DNS_KNOWN || slot->tries >= host->count)
        return false;
    go_to_best(slot);
    return true;
}

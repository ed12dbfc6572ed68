#include "engine/real/http.h"

#include <assert.h>
#include <string.h>
#include <sys/resource.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/real/http_private.h"

enum {
    CALLS_PER_MULTI = 100,
    /* Descriptors left to the host, the journal, name servers, ... */
    SPARE_DESCRIPTORS = 64,
    /* A multi handle's own and its warm connections beyond its slots. */
    EXTRA_PER_MULTI = 10,
    LONG_AGO = 3600, /* seconds */
};

static struct asbi_http *http_of(struct asbi_transport *t)
{
    return (struct asbi_http *)(void *)t;
}

/* ---- the pump -------------------------------------------------------- */

/* In the next turn, not at the end of this one: more answers have come by then,
 * and the calls that follow them start together.  It also leaves the loop its
 * turns when calls fail as fast as they are started. */
void asbi_http_pump(struct asbi_http *h)
{
    static const struct timeval next_turn = { 0, 0 };

    if (h->pump_wanted)
        return;
    h->pump_wanted = true;
    if (event_add(&h->pump, &next_turn))
        event_active(&h->pump, EV_TIMEOUT, 1); /* needs no memory */
}

static void run_due(struct asbi_http *h)
{
    for (size_t n = h->due.count; n > 0; n--) {
        struct asbi_link *link = asbi_list_pop(&h->due);

        if (!link)
            break;
        asbi_http_drive(ASBI_OF(link, struct asbi_http_multi, due),
                        CURL_SOCKET_TIMEOUT, 0);
    }
}

/* Acts on each slot that is in a state now, not on those that come to it. */
static void each_slot(struct asbi_http *h, enum asbi_slot_state state,
                      void (*act)(struct asbi_http_slot *slot))
{
    for (size_t n = h->by_state[state].count; n > 0; n--) {
        struct asbi_link *link = asbi_list_first(&h->by_state[state]);

        if (!link)
            break;
        act(ASBI_OF(link, struct asbi_http_slot, link));
    }
}

static void end_fault(struct asbi_http_slot *slot)
{
    asbi_http_finish(slot, CURLE_FAILED_INIT);
}

static void on_pump(evutil_socket_t fd, short what, void *arg)
{
    struct asbi_http *h = arg;

    (void)fd;
    (void)what;
    asbi_clock_enter(h->parts.clock);
    h->pump_wanted = false;
    each_slot(h, ASBI_SLOT_DROPPING, asbi_http_recycle);
    each_slot(h, ASBI_SLOT_LAUNCHING, asbi_http_slot_launch);
    run_due(h);
    each_slot(h, ASBI_SLOT_ENDING, end_fault);
    asbi_clock_leave(h->parts.clock);
}

/* Never of interest by itself: it only counts as an event that is pending. */
static void on_keeper(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

/* ---- the transport's calls ------------------------------------------- */

static int http_start(struct asbi_transport *t, struct asbi_exchange *x)
{
    static const struct timeval long_ago = { LONG_AGO, 0 };
    struct asbi_http *h = http_of(t);
    struct asbi_http_endpoint *ep;
    int rc;

    if (asbi_http_busy(h) >= t->capacity)
        return ASB_EFULL;
    rc = asbi_http_endpoint_get(h, x->endpoint, &ep);
    if (rc)
        return rc;
    struct asbi_http_slot *slot = asbi_http_slot_take(h, ep, x->fresh);
    if (!slot)
        return ASB_ENOMEM;
    if (asbi_http_busy(h) == 0 && event_add(&h->keeper, &long_ago))
        return ASB_ENOMEM;
    asbi_http_slot_begin(slot, x, ep);
    return ASB_OK;
}

static void http_cancel(struct asbi_transport *t, struct asbi_exchange *x)
{
    struct asbi_http *h = http_of(t);
    struct asbi_http_slot *slot = x->slot;

    if (!slot)
        return;
    if (!h->in_curl || (slot->state != ASBI_SLOT_RUNNING &&
                        slot->state != ASBI_SLOT_TALKING)) {
        asbi_http_recycle(slot);
        return;
    }
    x->slot = NULL;
    slot->x = NULL;
    asbi_http_slot_enter(slot, ASBI_SLOT_DROPPING);
    asbi_http_pump(h);
}

static void http_forget(struct asbi_transport *t, struct asbi_endpoint *e)
{
    asbi_http_endpoint_free(http_of(t), e->transport_data);
    e->transport_data = NULL;
}

static void slot_end(struct asbi_http_slot *slot)
{
    slot->keeps = false;
    asbi_http_recycle(slot);
}

static void slots_free(struct asbi_http *h)
{
    for (int state = 0; state < ASBI_SLOT_STATES; state++) {
        if (state != ASBI_SLOT_IDLE && state != ASBI_SLOT_KEPT)
            each_slot(h, (enum asbi_slot_state)state, slot_end);
    }
    while (asbi_http_kept_steal(h))
        ;
    each_slot(h, ASBI_SLOT_IDLE, asbi_http_slot_free);
}

static void endpoints_free(struct asbi_http *h)
{
    struct asbi_link *link;

    while ((link = asbi_list_first(&h->endpoints)))
        asbi_http_endpoint_free(h,
                                ASBI_OF(link, struct asbi_http_endpoint, link));
}

/* Connections are closed by the multi handles' end and report to the watches,
 * TLS sessions of connections live in the share: so this order. */
static void http_free(struct asbi_transport *t)
{
    struct asbi_http *h = http_of(t);

    if (!h)
        return;
    assert(!h->in_curl);
    slots_free(h);
    endpoints_free(h);
    for (size_t i = 0; i < h->multi_count; i++)
        asbi_http_multi_free(h->multis[i]);
    asbi_free(h->parts.mem, h->multis);
    if (h->share)
        (void)curl_share_cleanup(h->share);
    asbi_watch_fini(&h->watches);
    asbi_http_limits_fini(h);
    if (h->events_ready) {
        (void)event_del(&h->pump);
        (void)event_del(&h->keeper);
    }
    asbi_dns_free(h->dns);
    asbi_tls_roots_free(h->roots);
    asbi_free(h->parts.mem, h->in);
    asbi_free(h->parts.mem, h->ca_file);
    asbi_free(h->parts.mem, h->proxy);
    if (h->global)
        curl_global_cleanup();
    asbi_free(h->parts.mem, h);
}

static const struct asbi_transport_ops http_ops = {
    .start = http_start,
    .cancel = http_cancel,
    .forget = http_forget,
    .free = http_free,
};

/* ---- making one ------------------------------------------------------ */

static unsigned capacity_of(const struct asbi_http *h, unsigned wanted)
{
    struct rlimit limit;
    uint64_t most = UINT32_MAX;
    uint64_t per_multi = h->calls_per_multi + EXTRA_PER_MULTI;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < most)
        most = limit.rlim_cur;
    most = most > SPARE_DESCRIPTORS ? most - SPARE_DESCRIPTORS : 1;
    /* In whole multi handles, and as much of the last as fits. */
    uint64_t rest = most % per_multi;
    uint64_t calls = most / per_multi * h->calls_per_multi;
    calls += rest > EXTRA_PER_MULTI ? rest - EXTRA_PER_MULTI : 0;
    calls = calls ? calls : 1;
    return wanted && wanted < calls ? wanted : (unsigned)calls;
}

static bool is_set(const char *text)
{
    return text && *text;
}

static int copy(struct asbi_http *h, const char *text, char **out)
{
    *out = asbi_strndup(h->parts.mem, text, strlen(text));
    return *out ? ASB_OK : ASB_ENOMEM;
}

static bool none(const char *proxy)
{
    return strcmp(proxy, "none") == 0;
}

int asbi_http_check_proxy(const char *proxy, struct asb_message *why)
{
    if (none(proxy) || asbi_http_proxy_valid(proxy))
        return ASB_OK;
    return asbi_fail(why, ASB_ECONFIG,
                     "the proxy must be a URL with http, https, socks4 or "
                     "socks5, such as http://proxy.example:3128");
}

static int options_take(struct asbi_http *h, const struct asbi_http_options *o,
                        struct asb_message *why)
{
    int rc = ASB_OK;

    h->http2 = o->http2;
    h->watches.chatty = o->http2;
    h->calls_per_multi =
        o->calls_per_multi ? o->calls_per_multi : CALLS_PER_MULTI;
    if (is_set(o->proxy))
        rc = asbi_http_check_proxy(o->proxy, why);
    if (rc)
        return rc;
    if (is_set(o->proxy))
        rc = copy(h, none(o->proxy) ? "" : o->proxy, &h->proxy);
    if (!rc && is_set(o->ca_file))
        rc = copy(h, o->ca_file, &h->ca_file);
    h->dns = asbi_dns_new(
        &h->parts, is_set(o->hosts_file) ? o->hosts_file : "/etc/hosts",
        is_set(o->resolv_conf) ? o->resolv_conf : "/etc/resolv.conf");
    return h->dns ? rc : ASB_ENOMEM;
}

static int curl_start(struct asbi_http *h)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        return ASB_ENOMEM;
    h->global = true;
    h->own_roots =
        asbi_tls_usable(curl_version_info(CURLVERSION_NOW)->ssl_version);
    h->share = curl_share_init();
    if (!h->share || curl_share_setopt(h->share, CURLSHOPT_SHARE,
                                       CURL_LOCK_DATA_SSL_SESSION))
        return ASB_ENOMEM;
    return ASB_OK;
}

static int events_init(struct asbi_http *h)
{
    if (event_assign(&h->pump, h->parts.base, -1, 0, on_pump, h) ||
        event_assign(&h->keeper, h->parts.base, -1, EV_PERSIST, on_keeper, h))
        return ASB_ENOMEM;
    h->events_ready = true;
    return asbi_http_limits_init(h);
}

static void lists_init(struct asbi_http *h)
{
    for (int state = 0; state < ASBI_SLOT_STATES; state++)
        asbi_list_init(&h->by_state[state]);
    asbi_list_init(&h->endpoints);
    asbi_list_init(&h->due);
    asbi_list_init(&h->origins);
    h->handed_over = -1;
    asbi_watch_init(&h->watches, &h->parts);
    asbi_heap_init(&h->deadlines, h->parts.mem);
    h->deadline_armed_ns = ASBI_NEVER;
}

static int http_init(struct asbi_http *h, const struct asbi_http_options *o,
                     struct asb_message *why)
{
    int rc = options_take(h, o, why);

    if (!rc) {
        h->in = asbi_alloc(h->parts.mem, ASBI_HTTP_IN);
        rc = h->in ? ASB_OK : ASB_ENOMEM;
    }
    if (!rc)
        rc = curl_start(h);
    if (!rc)
        rc = events_init(h);
    /* A file that was asked for is judged at once, the system's when the first
     * TLS call needs it. */
    if (!rc && h->ca_file && h->own_roots)
        rc = asbi_tls_roots_new(h->ca_file, NULL, &h->roots, why);
    return rc;
}

int asbi_http_new(const struct asbi_parts *parts,
                  const struct asbi_http_options *options,
                  struct asbi_transport **out, struct asb_message *why)
{
    struct asbi_http *h = asbi_calloc(parts->mem, 1, sizeof(*h));
    int rc;

    *out = NULL;
    if (!h)
        return ASB_ENOMEM;
    h->parts = *parts;
    h->transport.ops = &http_ops;
    lists_init(h);
    rc = http_init(h, options, why);
    if (rc) {
        http_free(&h->transport);
        return rc;
    }
    h->transport.capacity = capacity_of(h, options->max_in_flight);
    *out = &h->transport;
    return ASB_OK;
}

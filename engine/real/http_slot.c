#include <assert.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/real/http_private.h"

enum {
    /* A server or a middle box may forget an idle connection after a minute;
     * one that old is not used again. */
    IDLE_SECONDS = 50,
    /* One TLS record; libcurl's default of 64 KiB costs that for each call. */
    UPLOAD_BUFFER = 16 * 1024,
    /* Above this libcurl would first ask the server for leave (a round trip,
     * or a second's wait for one that does not know how to answer). */
    EXPECT_THRESHOLD = 1024 * 1024,
};

void asbi_http_slot_enter(struct asbi_http_slot *slot,
                          enum asbi_slot_state state)
{
    struct asbi_list *list = &slot->http->by_state[state];

    asbi_list_remove(&slot->link);
    slot->state = state;
    /* The most recently used slot first: its connection is warm. */
    if (state == ASBI_SLOT_IDLE)
        asbi_list_prepend(list, &slot->link);
    else
        asbi_list_append(list, &slot->link);
}

/* ---- a new easy handle ----------------------------------------------- */

static CURLcode on_ssl_ctx(CURL *easy, void *ssl_ctx, void *arg)
{
    struct asbi_http *h = arg;

    (void)easy;
    asbi_tls_roots_apply(h->roots, ssl_ctx);
    return CURLE_OK;
}

static bool set_long(CURL *easy, CURLoption option, long value)
{
    return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

static bool set_pointer(CURL *easy, CURLoption option, const void *value)
{
    return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

static bool set_connection(struct asbi_http_slot *slot)
{
    struct asbi_http *h = slot->http;
    CURL *c = slot->easy;

    return set_long(c, CURLOPT_NOSIGNAL, 1) &&
           set_long(c, CURLOPT_HTTP_VERSION,
                    h->http2 ? CURL_HTTP_VERSION_2TLS
                             : CURL_HTTP_VERSION_1_1) &&
           set_long(c, CURLOPT_PIPEWAIT, h->http2) &&
           set_long(c, CURLOPT_MAXAGE_CONN, IDLE_SECONDS) &&
           set_long(c, CURLOPT_TCP_KEEPALIVE, 1) &&
           set_long(c, CURLOPT_TCP_KEEPIDLE, 30) &&
           set_long(c, CURLOPT_TCP_KEEPINTVL, 15) &&
           set_long(c, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER) &&
           set_long(c, CURLOPT_PATH_AS_IS, 1) &&
           set_long(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1) &&
           set_pointer(c, CURLOPT_NOPROXY, "") &&
           set_pointer(c, CURLOPT_ACCEPT_ENCODING, "");
}

/* Without CAPATH=NULL libcurl would parse its bundle for each connection. */
static bool set_trust(struct asbi_http_slot *slot)
{
    struct asbi_http *h = slot->http;
    CURL *c = slot->easy;

    if (!set_long(c, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) ||
        !set_pointer(c, CURLOPT_SHARE, h->share) ||
        !set_pointer(c, CURLOPT_CAPATH, NULL) ||
        !set_pointer(c, CURLOPT_PROXY_CAPATH, NULL))
        return false;
    if (!h->own_roots)
        return !h->ca_file ||
               (set_pointer(c, CURLOPT_CAINFO, h->ca_file) &&
                set_pointer(c, CURLOPT_PROXY_CAINFO, h->ca_file));
    return set_pointer(c, CURLOPT_CAINFO, NULL) &&
           set_pointer(c, CURLOPT_PROXY_CAINFO, NULL) &&
           curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx) ==
               CURLE_OK &&
           set_pointer(c, CURLOPT_SSL_CTX_DATA, h);
}

static bool easy_init(struct asbi_http_slot *slot)
{
    slot->easy = curl_easy_init();
    if (!slot->easy || !set_connection(slot) || !set_trust(slot))
        return false;
    return asbi_http_answer_init(slot) &&
           set_pointer(slot->easy, CURLOPT_PRIVATE, slot) &&
           set_pointer(slot->easy, CURLOPT_ERRORBUFFER, slot->error) &&
           set_pointer(slot->easy, CURLOPT_CLOSESOCKETDATA, slot->http) &&
           curl_easy_setopt(slot->easy, CURLOPT_CLOSESOCKETFUNCTION,
                            asbi_http_on_close) == CURLE_OK;
}

void asbi_http_slot_free(struct asbi_http_slot *slot)
{
    if (!slot)
        return;
    asbi_list_remove(&slot->link);
    asbi_heap_remove(&slot->http->deadlines, &slot->deadline);
    curl_easy_cleanup(slot->easy);
    asbi_free(slot->http->parts.mem, slot->extra);
    asbi_free(slot->http->parts.mem, slot);
}

static struct asbi_http_slot *slot_new(struct asbi_http *h, unsigned group)
{
    struct asbi_http_multi *m = asbi_http_multi_for_slot(h, group);

    if (!m || asbi_heap_reserve(&h->deadlines, h->slots + 1))
        return NULL;
    struct asbi_http_slot *slot = asbi_calloc(h->parts.mem, 1, sizeof(*slot));
    if (!slot)
        return NULL;
    slot->http = h;
    slot->multi = m;
    slot->fd = -1;
    if (!easy_init(slot)) {
        asbi_http_slot_free(slot);
        return NULL;
    }
    m->slots++;
    h->slots++;
    return slot;
}

static struct asbi_http_slot *idle_of(struct asbi_http *h, unsigned group)
{
    ASBI_LIST_EACH (link, &h->by_state[ASBI_SLOT_IDLE]) {
        struct asbi_http_slot *slot =
            ASBI_OF(link, struct asbi_http_slot, link);

        if (slot->multi->group == group)
            return slot;
    }
    return NULL;
}

/* Room for one of another group. */
static void give_up_coldest(struct asbi_http *h)
{
    struct asbi_link *link = asbi_list_last(&h->by_state[ASBI_SLOT_IDLE]);

    if (!link)
        return;
    struct asbi_http_slot *slot = ASBI_OF(link, struct asbi_http_slot, link);
    slot->multi->slots--;
    h->slots--;
    asbi_http_slot_free(slot);
}

struct asbi_http_slot *asbi_http_slot_take(struct asbi_http *h,
                                           struct asbi_http_endpoint *ep,
                                           bool fresh)
{
    unsigned group = ep->origin ? ep->origin->group : 0;
    struct asbi_http_slot *slot = NULL;

    if (ep->direct && fresh)
        asbi_http_kept_drop(ep->origin);
    else if (ep->direct)
        slot = asbi_http_kept_take(h, ep->origin);
    if (!slot)
        slot = idle_of(h, group);
    if (slot)
        return slot;
    if (h->slots >= h->transport.capacity && !h->http2)
        return asbi_http_kept_steal(h);
    if (h->slots >= h->transport.capacity)
        give_up_coldest(h);
    slot = slot_new(h, group);
    if (slot)
        asbi_http_slot_enter(slot, ASBI_SLOT_IDLE);
    return slot;
}

/* ---- what it is told for a call -------------------------------------- */

static bool tell_endpoint(struct asbi_http_slot *slot)
{
    const struct asbi_http_endpoint *ep = slot->endpoint;
    bool usual = ep->get || ep->head || ep->post;
    CURL *c = slot->easy;

    slot->endpoint_id = 0; /* until all of it has been told */
    slot->own_headers = true;
    slot->address[0] = '\0';
    slot->with_body = false;
    /* NOBODY=0 after HEAD would leave a GET; so does HTTPGET, which is wanted
     * until a body is given. */
    return set_long(c, CURLOPT_CONNECT_ONLY, ep->direct) &&
           set_long(c, CURLOPT_HTTPGET, 1) &&
           set_long(c, CURLOPT_NOBODY, ep->head) &&
           set_pointer(c, CURLOPT_CUSTOMREQUEST,
                       usual ? NULL : ep->of->method) &&
           set_pointer(c, CURLOPT_URL, ep->of->url) &&
           set_pointer(c, CURLOPT_CONNECT_TO, NULL) &&
           set_pointer(c, CURLOPT_PROXY, ep->proxy ? ep->proxy : "");
}

/* The call's own headers before the endpoint's; NULL and *failed when out of
 * memory. */
static struct curl_slist *list_with_extra(struct asbi_http_slot *slot,
                                          struct curl_slist *list, bool *failed)
{
    const char *const *lines = slot->x->extra_headers;
    size_t count = 0;

    while (lines && lines[count])
        count++;
    if (count > slot->extra_cap) {
        void *grown = asbi_resize(slot->http->parts.mem, slot->extra, count,
                                  sizeof(*slot->extra));

        *failed = !grown;
        if (!grown)
            return NULL;
        slot->extra = grown;
        slot->extra_cap = count;
    }
    for (size_t i = 0; i < count; i++) {
        slot->extra[i].data = (char *)(uintptr_t)lines[i];
        slot->extra[i].next = i + 1 < count ? &slot->extra[i + 1] : list;
    }
    return count ? slot->extra : list;
}

static bool tell_headers(struct asbi_http_slot *slot)
{
    struct asbi_http_endpoint *ep = slot->endpoint;
    bool big = slot->x->body_len > EXPECT_THRESHOLD;
    bool own = big || (slot->x->extra_headers && slot->x->extra_headers[0]);
    bool failed = false;

    if (!own && !slot->own_headers)
        return true;
    struct curl_slist *list =
        list_with_extra(slot, big ? &ep->no_expect : ep->headers, &failed);
    slot->own_headers = own;
    return !failed && set_pointer(slot->easy, CURLOPT_HTTPHEADER, list);
}

/* POSTFIELDS, not a read callback: the body then goes out in the same system
 * call as the headers.  That libcurl could send it twice by itself is stopped
 * in http_answer.c. */
static bool tell_body(struct asbi_http_slot *slot)
{
    const struct asbi_exchange *x = slot->x;
    CURL *c = slot->easy;

    if (!slot->endpoint->post && x->body_len == 0) {
        if (!slot->with_body)
            return true;
        slot->with_body = false;
        return set_long(c, CURLOPT_HTTPGET, 1);
    }
    slot->with_body = true;
    return curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
                            (curl_off_t)x->body_len) == CURLE_OK &&
           set_pointer(c, CURLOPT_POSTFIELDS, x->body_len ? x->body : "");
}

static bool tell_fresh(struct asbi_http_slot *slot)
{
    bool fresh = slot->x->fresh;

    if (fresh == slot->fresh)
        return true;
    slot->fresh = fresh;
    return set_long(slot->easy, CURLOPT_FRESH_CONNECT, fresh);
}

static bool tell(struct asbi_http_slot *slot)
{
    if (!tell_fresh(slot))
        return false;
    if (slot->endpoint_id != slot->endpoint->id && !tell_endpoint(slot))
        return false;
    if (!slot->endpoint->direct && (!tell_headers(slot) || !tell_body(slot)))
        return false;
    slot->endpoint_id = slot->endpoint->id;
    return true;
}

void asbi_http_slot_begin(struct asbi_http_slot *slot, struct asbi_exchange *x,
                          struct asbi_http_endpoint *ep)
{
    assert(!slot->x &&
           (slot->state == ASBI_SLOT_IDLE || slot->state == ASBI_SLOT_KEPT));
    slot->x = x;
    slot->endpoint = ep;
    slot->tries = 0;
    slot->started_ns = slot->asked_ns = asbi_http_now(slot->http);
    slot->first_byte_ns = slot->progress_ns = 0;
    slot->try_until_ns = ASBI_NEVER;
    slot->sent = slot->final = slot->in_trailers = false;
    slot->expect_status = true;
    slot->status = 0;
    slot->header_bytes = slot->body_bytes = 0;
    slot->stop = ASBI_STOP_NONE;
    slot->unreachable = false;
    slot->fault = NULL;
    slot->error[0] = '\0';
    slot->written = 0;
    x->slot = slot;
    asbi_http_limits_set(slot);
    if (slot->fd >= 0)
        asbi_http_slot_launch(slot);
    else
        asbi_http_slot_connect(slot);
}

void asbi_http_slot_connect(struct asbi_http_slot *slot)
{
    if (tell(slot))
        asbi_http_route(slot);
    else
        asbi_http_slot_fail(slot, "out of memory", false);
}

void asbi_http_slot_launch(struct asbi_http_slot *slot)
{
    struct asbi_http *h = slot->http;

    if (h->in_curl) {
        asbi_http_slot_enter(slot, ASBI_SLOT_LAUNCHING);
        asbi_http_pump(h);
        return;
    }
    if (slot->fd >= 0) {
        asbi_http_slot_enter(slot, ASBI_SLOT_TALKING);
        asbi_http_talk(slot);
        return;
    }
    if (curl_multi_add_handle(slot->multi->curl, slot->easy) != CURLM_OK) {
        asbi_http_slot_fail(slot, "libcurl refused the call", false);
        return;
    }
    slot->in_multi = true;
    asbi_http_slot_enter(slot, ASBI_SLOT_RUNNING);
}

void asbi_http_slot_fail(struct asbi_http_slot *slot, const char *fault,
                         bool unreachable)
{
    slot->stop = ASBI_STOP_FAULT;
    slot->fault = fault;
    slot->unreachable = unreachable;
    asbi_http_slot_enter(slot, ASBI_SLOT_ENDING);
    asbi_http_pump(slot->http);
}

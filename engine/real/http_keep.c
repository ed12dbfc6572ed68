#include <string.h>
#include <unistd.h>

#include "engine/base/units.h"
#include "engine/real/http_private.h"

/* A server or a middle box may forget an idle connection after a minute; one
 * that old is not used again. */
#define MOST_IDLE (50 * ASBI_SECOND)

enum { GROUPS = 16 };

/* ---- origins ---------------------------------------------------------- */

struct asbi_http_origin *asbi_http_origin_get(struct asbi_http *h,
                                              asbi_str name)
{
    struct asbi_http_origin *o;

    ASBI_LIST_EACH (link, &h->origins) {
        o = ASBI_OF(link, struct asbi_http_origin, link);
        if (asbi_str_eq(asbi_str_of(o->name, o->name_len), name)) {
            o->users++;
            return o;
        }
    }
    o = asbi_calloc(h->parts.mem, 1, sizeof(*o) + name.len);
    if (!o)
        return NULL;
    o->users = 1;
    o->group = h->http2 ? h->origins_made++ % GROUPS : 0;
    asbi_list_init(&o->kept);
    o->name_len = name.len;
    memcpy(o->name, name.at, name.len);
    asbi_list_append(&h->origins, &o->link);
    return o;
}

void asbi_http_origin_put(struct asbi_http *h, struct asbi_http_origin *o)
{
    if (!o || --o->users > 0)
        return;
    while (o->kept.count)
        asbi_http_kept_drop(o);
    asbi_list_remove(&o->link);
    asbi_free(h->parts.mem, o);
}

/* ---- a connection comes and goes -------------------------------------- */

int asbi_http_on_close(void *http, curl_socket_t fd)
{
    struct asbi_http *h = http;

    asbi_watch_drop(&h->watches, fd);
    if (fd == h->handed_over) {
        h->handed_over = -1;
        return 0;
    }
    return close(fd);
}

/* TLS stays where its keys are.  A plain socket libcurl gives away: the handle
 * leaves its multi handle, and what it would close is kept. */
static bool hand_over(struct asbi_http_slot *slot, int fd)
{
    struct asbi_http *h = slot->http;

    slot->by_curl = slot->endpoint->tls;
    if (slot->by_curl)
        return true;
    h->handed_over = fd;
    (void)curl_multi_remove_handle(slot->multi->curl, slot->easy);
    slot->in_multi = false;
    bool ours = h->handed_over < 0;
    h->handed_over = -1;
    return ours;
}

bool asbi_http_own(struct asbi_http_slot *slot)
{
    curl_socket_t fd = CURL_SOCKET_BAD;

    if (curl_easy_getinfo(slot->easy, CURLINFO_ACTIVESOCKET, &fd) ||
        fd == CURL_SOCKET_BAD || !hand_over(slot, fd)) {
        asbi_http_slot_fail(slot, "libcurl gave no connection", false);
        return false;
    }
    slot->fd = fd;
    slot->used = slot->keeps = false;
    slot->origin = slot->endpoint->origin;
    return true;
}

void asbi_http_disown(struct asbi_http_slot *slot)
{
    int fd = slot->fd;

    if (fd < 0)
        return;
    asbi_list_remove(&slot->kept);
    slot->fd = -1;
    slot->origin = NULL;
    slot->keeps = false;
    if (slot->by_curl) {
        (void)curl_multi_remove_handle(slot->multi->curl, slot->easy);
        slot->in_multi = false;
    } else {
        asbi_watch_drop(&slot->http->watches, fd);
        (void)close(fd);
    }
}

/* ---- kept ones -------------------------------------------------------- */

void asbi_http_keep(struct asbi_http_slot *slot)
{
    if (slot->fd < 0 || !slot->keeps) {
        asbi_http_disown(slot);
        asbi_http_slot_enter(slot, ASBI_SLOT_IDLE);
        return;
    }
    slot->used = true;
    slot->keeps = false;
    slot->idle_ns = asbi_http_now(slot->http);
    asbi_watch_rest(&slot->http->watches, slot->fd);
    asbi_list_prepend(&slot->origin->kept, &slot->kept);
    asbi_http_slot_enter(slot, ASBI_SLOT_KEPT);
}

struct asbi_http_slot *asbi_http_kept_take(struct asbi_http *h,
                                           struct asbi_http_origin *o)
{
    struct asbi_link *link = asbi_list_first(&o->kept);

    if (!link)
        return NULL;
    struct asbi_http_slot *slot = ASBI_OF(link, struct asbi_http_slot, kept);
    if (asbi_http_now(h) - slot->idle_ns <= MOST_IDLE) {
        asbi_list_remove(&slot->kept);
        return slot;
    }
    while (o->kept.count) /* the warmest is too old, so all are */
        asbi_http_kept_drop(o);
    return NULL;
}

static void close_kept(struct asbi_http_slot *slot)
{
    asbi_http_disown(slot);
    asbi_http_slot_enter(slot, ASBI_SLOT_IDLE);
}

void asbi_http_kept_drop(struct asbi_http_origin *o)
{
    struct asbi_link *link = asbi_list_last(&o->kept);

    if (link)
        close_kept(ASBI_OF(link, struct asbi_http_slot, kept));
}

struct asbi_http_slot *asbi_http_kept_steal(struct asbi_http *h)
{
    struct asbi_link *link = asbi_list_last(&h->by_state[ASBI_SLOT_KEPT]);

    if (!link)
        return NULL;
    struct asbi_http_slot *slot = ASBI_OF(link, struct asbi_http_slot, link);
    close_kept(slot);
    return slot;
}

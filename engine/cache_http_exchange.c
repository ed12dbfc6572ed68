/*
 * cache_http_exchange.c -- the HTTP tier on the wire: an answer read or
 * written, and what the server makes of it.
 */
#include <stdio.h>
#include <string.h>

#include "engine/cache_http_private.h"

/* ---- health ----------------------------------------------------------- */

static void tell_health(struct cache_http *c, bool well, const char *why)
{
    if (c->ill == !well)
        return;
    c->ill = !well;
    c->remote.on_health(c->remote.arg, &c->remote, well, why);
}

static void note_success(struct cache_http *c)
{
    c->failures = 0;
    c->wait_ns = FIRST_WAIT;
    tell_health(c, true, "");
}

static void note_failure(struct cache_http *c)
{
    if (++c->failures < MOST_FAILURES)
        return;
    c->down_until_ns = asbi_now(c->world) + c->wait_ns;
    c->wait_ns = c->wait_ns * 2 < LONGEST_WAIT ? c->wait_ns * 2 : LONGEST_WAIT;
    tell_health(c, false, "it fails or is not reached");
}

/* ---- ends of look-ups ------------------------------------------------- */

void asbi_http_end_look(struct cache_http *c, struct asbi_look *look,
                        asbi_str value, uint64_t serves_until_ms)
{
    uint64_t expires_ms = 0;

    if (!look)
        return;
    look->at = NULL;
    look->place = NULL;
    if (!asbi_cache_value_read(&value, &expires_ms))
        value = asbi_str_of(NULL, 0);
    expires_ms = expires_ms < serves_until_ms ? expires_ms : serves_until_ms;
    c->remote.on_end(c->remote.arg, &c->remote, look, value, expires_ms);
}

void asbi_http_miss(struct cache_http *c, struct asbi_look *look)
{
    asbi_http_end_look(c, look, asbi_str_of("", 0), 0);
}

/* ---- exchanges -------------------------------------------------------- */

static struct slot *slot_of(struct asbi_exchange *x)
{
    return ASBI_OF(x, struct slot, exchange);
}

static void on_status(struct asbi_exchange *x, int status)
{
    slot_of(x)->status = status;
}

static void on_header(struct asbi_exchange *x, asbi_str name, asbi_str value)
{
    struct slot *s = slot_of(x);

    asbi_cache_control_read(&s->control, name, value);
    if (asbi_str_eq_nocase(name, ASBI_STR("etag")) &&
        value.len < sizeof(s->etag)) {
        memcpy(s->etag, value.at, value.len);
        s->etag_len = value.len;
    }
}

static int on_body(struct asbi_exchange *x, const char *at, size_t len)
{
    struct slot *s = slot_of(x);

    if (!s->writes && s->status == 200)
        asbi_buf_add(&s->bytes, at, len);
    return asbi_buf_failed(&s->bytes) ? ASB_ETOOBIG : ASB_OK;
}

/* The answer's body, or what is kept of it and still holds. */
static void take_object(struct cache_http *c, struct slot *s)
{
    uint64_t now_ms = asbi_wall_ms(c->world);
    asbi_str value = asbi_buf_view(&s->bytes);
    struct asbi_kept kept = { .etag = asbi_str_of(s->etag, s->etag_len) };
    uint64_t expires_ms = 0;

    if (s->status == 304 && !asbi_kept_find(c->kept, &s->key, now_ms, &kept)) {
        asbi_http_miss(c, s->look);
        return;
    }
    if (s->status == 304) {
        asbi_buf_clear(&s->bytes);
        asbi_buf_str(&s->bytes, kept.value); /* it is about to be replaced */
        value = asbi_buf_view(&s->bytes);
        kept.etag = asbi_str_of(s->condition_etag, s->condition_etag_len);
    }
    asbi_str record = value;
    if (asbi_buf_failed(&s->bytes) ||
        !asbi_cache_value_read(&record, &expires_ms)) {
        asbi_http_miss(c, s->look);
        return;
    }
    asbi_cache_control_life(&s->control, now_ms, expires_ms,
                            &kept.fresh_until_ms, &kept.serves_until_ms);
    kept.value = value;
    if (!s->control.no_store)
        asbi_kept_put(c->kept, &s->key, &kept, &c->scratch, now_ms);
    asbi_http_end_look(c, s->look, value, kept.fresh_until_ms);
}

static void end_read(struct cache_http *c, struct slot *s, bool complete)
{
    if (complete && (s->status == 200 || s->status == 304)) {
        note_success(c);
        take_object(c, s);
    } else if (complete && s->status >= 400 && s->status < 500) {
        note_success(c); /* it says that there is none */
        asbi_http_miss(c, s->look);
    } else {
        note_failure(c);
        asbi_http_miss(c, s->look);
    }
}

/* It takes none, now or ever? */
static bool is_refused(int status)
{
    return status >= 400 && status < 500 && status != 408 && status != 413 &&
           status != 425 && status != 429;
}

/* Others may well be taken. */
static void skip_large(struct cache_http *c, size_t bytes)
{
    if (!c->too_large)
        c->remote.on_health(
            c->remote.arg, &c->remote, true,
            "refuses an answer for its size (status 413); those "
            "as large are not shared: raise the limit there, in "
            "nginx client_max_body_size");
    c->too_large = bytes;
}

static void end_write(struct cache_http *c, const struct slot *s, bool complete)
{
    if (complete && s->status == 413) {
        skip_large(c, s->bytes.len);
    } else if (complete && is_refused(s->status)) {
        if (c->read_only)
            return;
        c->read_only = true;
        asbi_http_writes_drop(c);
        c->remote.on_health(c->remote.arg, &c->remote, true,
                            "takes no PUT and is only read");
    } else if (!complete || s->status >= 400) {
        note_failure(c);
    }
}

static void on_end(struct asbi_exchange *x, const struct asbi_exchange_end *end)
{
    struct slot *s = slot_of(x);
    struct cache_http *c = s->owner;
    bool complete = end->outcome == ASBI_COMPLETE;

    asbi_list_remove(&s->link);
    asbi_list_append(&c->idle, &s->link);
    if (s->writes)
        end_write(c, s, complete);
    else
        end_read(c, s, complete);
    s->look = NULL;
    c->remote.on_rest(c->remote.arg); /* a turn starts the next */
}

static const struct asbi_exchange_ops exchange_ops = {
    .on_status = on_status,
    .on_header = on_header,
    .on_body = on_body,
    .on_end = on_end,
};

static void set_target(struct slot *s, const char *method,
                       const struct asbi_cache_key *key)
{
    static const char digits[] = "0123456789abcdef";
    struct cache_http *c = s->owner;
    struct asbi_transport *t = c->world->transport;
    char *at = s->url + strlen(c->base);

    t->ops->forget(t, &s->endpoint);
    *at++ = '/';
    for (size_t i = 0; i < sizeof(key->bytes); i++) {
        *at++ = digits[key->bytes[i] >> 4];
        *at++ = digits[key->bytes[i] & 15];
    }
    *at = '\0';
    s->key = *key;
    s->endpoint = (struct asbi_endpoint){ .method = method,
                                          .url = s->url,
                                          .headers = c->headers };
}

static int start(struct slot *s, asbi_str body)
{
    struct cache_http *c = s->owner;
    struct asbi_transport *t = c->world->transport;

    s->status = 0;
    s->etag_len = 0;
    s->control = (struct asbi_cache_control){ .no_store = false };
    s->exchange = (struct asbi_exchange){
        .endpoint = &s->endpoint,
        .ops = &exchange_ops,
        .body = body.at,
        .body_len = body.len,
        .extra_headers = s->extra,
        .limits = { .connect_ns = c->budget_ns,
                    .total_ns = s->writes ? WRITE_LIMIT : c->budget_ns,
                    .max_header_bytes = 65536,
                    .max_body_bytes = MAX_VALUE },
    };
    asbi_list_remove(&s->link);
    asbi_list_append(&c->active, &s->link);
    int rc = t->ops->start(t, &s->exchange);
    if (rc) {
        asbi_list_remove(&s->link);
        asbi_list_append(&c->idle, &s->link);
    }
    return rc;
}

int asbi_http_read(struct cache_http *c, const struct asbi_cache_key *key,
                   struct asbi_look *look)
{
    struct asbi_link *link = asbi_list_first(&c->idle);
    struct asbi_kept kept;

    if (!link)
        return ASB_EFULL;
    struct slot *s = ASBI_OF(link, struct slot, link);
    s->writes = false;
    s->extra[0] = NULL;
    asbi_buf_clear(&s->bytes);
    set_target(s, "GET", key);
    if (asbi_kept_find(c->kept, key, asbi_wall_ms(c->world), &kept) &&
        kept.etag.len && kept.etag.len < sizeof(s->condition_etag)) {
        memcpy(s->condition_etag, kept.etag.at, kept.etag.len);
        s->condition_etag_len = kept.etag.len;
        (void)snprintf(s->condition, sizeof(s->condition),
                       "If-None-Match: %.*s", (int)kept.etag.len,
                       s->condition_etag);
        s->extra[0] = s->condition;
        s->extra[1] = NULL;
    }
    int rc = start(s, asbi_str_of("", 0));
    if (rc)
        return rc;
    s->look = look;
    if (look)
        look->place = s;
    return ASB_OK;
}

int asbi_http_write(struct cache_http *c, const struct write *w)
{
    struct asbi_link *link = asbi_list_first(&c->idle);

    if (!link)
        return ASB_EFULL;
    struct slot *s = ASBI_OF(link, struct slot, link);
    s->writes = true;
    s->look = NULL;
    set_target(s, "PUT", &w->key);
    asbi_buf_clear(&s->bytes);
    asbi_buf_add(&s->bytes, w->value, w->len);
    (void)snprintf(s->condition, sizeof(s->condition),
                   "Cache-Control: max-age=%llu",
                   (unsigned long long)w->max_age);
    s->extra[0] = s->condition;
    s->extra[1] = "Content-Type: application/octet-stream";
    s->extra[2] = c->mark;
    s->extra[3] = NULL;
    if (asbi_buf_failed(&s->bytes))
        return ASB_ENOMEM;
    return start(s, asbi_buf_view(&s->bytes));
}

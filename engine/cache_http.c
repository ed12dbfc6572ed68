#include "engine/cache_http.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/units.h"
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

static void end_look(struct cache_http *c, struct asbi_look *look,
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

static void miss(struct cache_http *c, struct asbi_look *look)
{
    end_look(c, look, asbi_str_of("", 0), 0);
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
        miss(c, s->look);
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
        miss(c, s->look);
        return;
    }
    asbi_cache_control_life(&s->control, now_ms, expires_ms,
                            &kept.fresh_until_ms, &kept.serves_until_ms);
    kept.value = value;
    if (!s->control.no_store)
        asbi_kept_put(c->kept, &s->key, &kept, &c->scratch, now_ms);
    end_look(c, s->look, value, kept.fresh_until_ms);
}

static void end_read(struct cache_http *c, struct slot *s, bool complete)
{
    if (complete && (s->status == 200 || s->status == 304)) {
        note_success(c);
        take_object(c, s);
    } else if (complete && s->status >= 400 && s->status < 500) {
        note_success(c); /* it says that there is none */
        miss(c, s->look);
    } else {
        note_failure(c);
        miss(c, s->look);
    }
}

static void end_write(struct cache_http *c, const struct slot *s, bool complete)
{
    bool refused = complete && s->status >= 400 && s->status < 500;

    if (refused && !c->read_only) {
        c->read_only = true;
        asbi_http_writes_drop(c);
        c->remote.on_health(c->remote.arg, &c->remote, true,
                            "takes no PUT and is only read");
    } else if (!complete || s->status >= 500) {
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

static bool start(struct slot *s, asbi_str body)
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
    if (t->ops->start(t, &s->exchange) == ASB_OK)
        return true;
    asbi_list_remove(&s->link);
    asbi_list_append(&c->idle, &s->link);
    return false;
}

/* A GET, conditional when something is kept; `look` may be NULL. */
static bool start_read(struct cache_http *c, const struct asbi_cache_key *key,
                       struct asbi_look *look)
{
    struct asbi_link *link = asbi_list_first(&c->idle);
    struct asbi_kept kept;

    if (!link)
        return false;
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
    if (!start(s, asbi_str_of("", 0)))
        return false;
    s->look = look;
    if (look)
        look->place = s;
    return true;
}

static bool start_write(struct cache_http *c, struct write *w)
{
    struct asbi_link *link = asbi_list_first(&c->idle);

    if (!link)
        return false;
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
    s->extra[2] = "Surrogate-Key: asyncbatch";
    s->extra[3] = NULL;
    return !asbi_buf_failed(&s->bytes) && start(s, asbi_buf_view(&s->bytes));
}

/* ---- what the engine asks --------------------------------------------- */

static bool http_ask(struct asbi_remote *r, struct asbi_look *look,
                     uint64_t now)
{
    struct cache_http *c = http_of(r);

    if (now < c->down_until_ns || c->waiting.count >= MOST_WAITING)
        return false;
    look->asked_ns = now;
    look->at = r;
    asbi_list_append(&c->waiting, &look->link);
    c->remote.on_rest(c->remote.arg);
    return true;
}

static void http_forget(struct asbi_remote *r, struct asbi_look *look)
{
    struct slot *s = look->place;

    (void)r;
    if (s)
        s->look = NULL;
    asbi_list_remove(&look->link);
    look->place = NULL;
    look->at = NULL;
}

static void http_keep(struct asbi_remote *r,
                      const struct asbi_store_entry *entry, uint64_t now_ms,
                      uint64_t now)
{
    struct cache_http *c = http_of(r);
    size_t bytes = sizeof(struct write) + VALUE_HEAD + entry->record.len;

    if (c->read_only || now < c->down_until_ns || entry->expires_ms <= now_ms ||
        c->write_bytes + bytes > MOST_WRITE_BYTES ||
        entry->record.len + VALUE_HEAD > MAX_VALUE)
        return;
    struct write *w = asbi_alloc(c->mem, bytes);
    if (!w)
        return;
    memset(w, 0, sizeof(*w));
    w->key = entry->key;
    w->max_age = (entry->expires_ms - now_ms) / 1000;
    w->len = VALUE_HEAD + entry->record.len;
    asbi_cache_value_write(w->value, entry->expires_ms, entry->record);
    c->write_bytes += bytes;
    asbi_list_append(&c->writes, &w->link);
    c->remote.on_rest(c->remote.arg);
}

/* True when what is kept here answers it; being stale it is asked for anew. */
static bool answer_kept(struct cache_http *c, struct asbi_look *look)
{
    uint64_t now_ms = asbi_wall_ms(c->world);
    struct asbi_kept kept;

    if (!asbi_kept_find(c->kept, look->key, now_ms, &kept) ||
        kept.serves_until_ms <= now_ms)
        return false;
    const struct asbi_cache_key key = *look->key;
    bool stale = kept.fresh_until_ms <= now_ms;
    asbi_buf_clear(&c->scratch);
    asbi_buf_str(&c->scratch, kept.value);
    if (asbi_buf_failed(&c->scratch))
        return false;
    end_look(c, look, asbi_buf_view(&c->scratch), kept.serves_until_ms);
    if (stale)
        (void)start_read(c, &key, NULL);
    return true;
}

static void start_some(struct cache_http *c, uint64_t now)
{
    struct asbi_link *link;

    while ((link = asbi_list_first(&c->waiting))) {
        struct asbi_look *look = ASBI_OF(link, struct asbi_look, link);
        bool late = now - look->asked_ns >= c->budget_ns;

        if (!late && !c->idle.count)
            break;
        asbi_list_remove(link);
        bool given_up = late || now < c->down_until_ns;
        if (given_up ||
            (!answer_kept(c, look) && !start_read(c, look->key, look)))
            miss(c, look);
    }
    while (c->idle.count && (link = asbi_list_pop(&c->writes))) {
        struct write *w = ASBI_OF(link, struct write, link);

        (void)start_write(c, w);
        c->write_bytes -= sizeof(*w) + w->len;
        asbi_free(c->mem, w);
    }
}

static void http_turn(struct asbi_remote *r, uint64_t now)
{
    struct cache_http *c = http_of(r);

    if (now < c->down_until_ns)
        asbi_http_writes_drop(c);
    start_some(c, now);
}

static uint64_t http_due(const struct asbi_remote *r)
{
    const struct cache_http *c = const_http_of(r);
    const struct asbi_link *link = asbi_list_first(&c->waiting);

    if (!link)
        return ASBI_NEVER;
    return ASBI_OF(link, struct asbi_look, link)->asked_ns + c->budget_ns;
}

static bool http_busy(const struct asbi_remote *r)
{
    const struct cache_http *c = const_http_of(r);

    return c->writes.count > 0 || c->active.count > 0;
}

/* ---- birth and death -------------------------------------------------- */

static void slot_fini(struct slot *s)
{
    struct asbi_transport *t = s->owner->world->transport;

    if (s->link.list == &s->owner->active)
        t->ops->cancel(t, &s->exchange);
    t->ops->forget(t, &s->endpoint);
    asbi_buf_fini(&s->bytes);
    asbi_free(s->owner->mem, s->url);
}

static void http_free(struct asbi_remote *r)
{
    struct cache_http *c = http_of(r);

    for (size_t i = 0; i < SLOTS; i++) {
        if (c->slots[i].owner)
            slot_fini(&c->slots[i]);
    }
    asbi_http_writes_drop(c);
    asbi_memory_free(c->kept);
    asbi_buf_fini(&c->scratch);
    if (c->authorization)
        explicit_bzero(c->authorization, strlen(c->authorization));
    asbi_free(c->mem, c->authorization);
    asbi_free(c->mem, c->base);
    asbi_free(c->mem, c);
}

static const struct asbi_remote_ops ops = {
    .ask = http_ask,
    .forget = http_forget,
    .keep = http_keep,
    .turn = http_turn,
    .due = http_due,
    .busy = http_busy,
    .free = http_free,
};

static bool slots_init(struct cache_http *c)
{
    size_t url_bytes = strlen(c->base) + 2 + 2 * ASBI_CACHE_KEY_BYTES;

    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *s = &c->slots[i];

        s->url = asbi_calloc(c->mem, 1, url_bytes);
        if (!s->url)
            return false;
        s->owner = c;
        memcpy(s->url, c->base, strlen(c->base));
        asbi_buf_init(&s->bytes, c->mem, MAX_VALUE);
        asbi_list_append(&c->idle, &s->link);
    }
    return true;
}

static bool set_token(struct cache_http *c, asbi_str token)
{
    struct asbi_buf line;

    if (token.len == 0)
        return true;
    asbi_buf_init(&line, c->mem, token.len + 64);
    asbi_buf_c(&line, "Authorization: Bearer ");
    asbi_buf_str(&line, token);
    asbi_buf_char(&line, '\0');
    if (asbi_buf_failed(&line)) {
        asbi_buf_fini(&line);
        return false;
    }
    c->authorization = line.data; /* now ours */
    c->headers[0] = c->authorization;
    return true;
}

static bool init(struct cache_http *c, const struct asbi_cache_http_options *o)
{
    const struct asbi_memory_options kept = { .max_bytes = KEPT_BYTES,
                                              .seed = c->world->seed };

    c->budget_ns = o->budget_ns;
    c->wait_ns = FIRST_WAIT;
    asbi_list_init(&c->idle);
    asbi_list_init(&c->active);
    asbi_list_init(&c->waiting);
    asbi_list_init(&c->writes);
    asbi_buf_init(&c->scratch, c->mem, 2 * MAX_VALUE);
    c->base = asbi_strndup(c->mem, o->base_url, strlen(o->base_url));
    return c->base && slots_init(c) && set_token(c, o->token) &&
           asbi_memory_new(c->mem, &kept, &c->kept) == ASB_OK;
}

int asbi_cache_http_new(struct asbi_world *world,
                        const struct asbi_cache_http_options *options,
                        struct asbi_remote **out)
{
    struct cache_http *c = asbi_calloc(world->mem, 1, sizeof(*c));

    *out = NULL;
    if (!c)
        return ASB_ENOMEM;
    c->remote.ops = &ops;
    c->remote.name = "HTTP";
    c->mem = world->mem;
    c->world = world;
    if (!init(c, options)) {
        http_free(&c->remote);
        return ASB_ENOMEM;
    }
    *out = &c->remote;
    return ASB_OK;
}

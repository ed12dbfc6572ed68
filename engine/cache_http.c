#include "engine/cache_http.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/cache_http_private.h"

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
    size_t len = VALUE_HEAD + entry->record.len;
    size_t bytes = sizeof(struct write) + len;

    if (c->read_only || now < c->down_until_ns || entry->expires_ms <= now_ms ||
        c->write_bytes + bytes > MOST_WRITE_BYTES || len > MAX_VALUE ||
        (c->too_large && len >= c->too_large))
        return;
    struct write *w = asbi_alloc(c->mem, bytes);
    if (!w)
        return;
    memset(w, 0, sizeof(*w));
    w->key = entry->key;
    w->max_age = (entry->expires_ms - now_ms) / 1000;
    w->len = len;
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
    asbi_http_end_look(c, look, asbi_buf_view(&c->scratch),
                       kept.serves_until_ms);
    if (stale)
        (void)asbi_http_read(c, &key, NULL);
    return true;
}

/* There is no room now, and an end to come that makes some. */
static bool has_to_wait(const struct cache_http *c, int rc)
{
    return rc == ASB_EFULL && c->active.count > 0;
}

static void look_up_some(struct cache_http *c, uint64_t now)
{
    struct asbi_link *link;

    while ((link = asbi_list_first(&c->waiting))) {
        struct asbi_look *look = ASBI_OF(link, struct asbi_look, link);
        bool late = now - look->asked_ns >= c->budget_ns;

        if (!late && !c->idle.count)
            break;
        asbi_list_remove(link);
        bool given_up = late || now < c->down_until_ns;
        if (!given_up && answer_kept(c, look))
            continue;
        int rc = given_up ? ASB_EBUSY : asbi_http_read(c, look->key, look);
        if (has_to_wait(c, rc)) {
            asbi_list_prepend(&c->waiting, link);
            break;
        }
        if (rc)
            asbi_http_miss(c, look);
    }
}

static void write_some(struct cache_http *c)
{
    struct asbi_link *link;

    while (c->idle.count && (link = asbi_list_first(&c->writes))) {
        struct write *w = ASBI_OF(link, struct write, link);

        if (has_to_wait(c, asbi_http_write(c, w)))
            break;
        asbi_list_remove(link);
        c->write_bytes -= sizeof(*w) + w->len;
        asbi_free(c->mem, w);
    }
}

static void http_turn(struct asbi_remote *r, uint64_t now)
{
    struct cache_http *c = http_of(r);

    if (now < c->down_until_ns)
        asbi_http_writes_drop(c);
    look_up_some(c, now);
    write_some(c);
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

    return c->writes.count > 0 || c->active.count > 0 || c->purge;
}

const char *asbi_cache_http_base(const struct asbi_remote *r)
{
    return const_http_of(r)->base;
}

const char *asbi_cache_http_token_line(const struct asbi_remote *r)
{
    return const_http_of(r)->authorization;
}

const char *asbi_cache_http_mark_line(const struct asbi_remote *r)
{
    return const_http_of(r)->mark;
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
    asbi_http_purge_free(c);
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
    (void)snprintf(c->mark, sizeof(c->mark), "Surrogate-Key: asyncbatch%s%s",
                   o->surrogate_key[0] ? " " : "", o->surrogate_key);
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
    if (!asbi_cache_http_is_mark(options->surrogate_key)) {
        asbi_free(world->mem, c);
        return ASB_EINVAL;
    }
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

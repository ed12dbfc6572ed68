/*
 * cache_http_purge.c -- a cache is asked to let go of all that has a mark.
 */
#include <stdio.h>
#include <string.h>

#include "engine/cache_http_private.h"

struct asbi_http_purge {
    struct asbi_exchange exchange;
    struct asbi_endpoint endpoint;
    struct cache_http *owner;
    void (*done)(void *arg, int status);
    void *arg;
    char mark[SURROGATE_MAX];
    const char *extra[2];
};

bool asbi_cache_http_is_mark(const char *mark)
{
    size_t len = strlen(mark);

    for (size_t i = 0; i < len; i++) {
        if (mark[i] < 0x20 || mark[i] > 0x7e)
            return false;
    }
    return len + sizeof("Surrogate-Key: asyncbatch ") <= SURROGATE_MAX;
}

static void forget(struct asbi_http_purge *p)
{
    struct cache_http *c = p->owner;
    struct asbi_transport *t = c->world->transport;

    t->ops->forget(t, &p->endpoint);
    c->purge = NULL;
    asbi_free(c->mem, p);
}

static void on_end(struct asbi_exchange *x, const struct asbi_exchange_end *end)
{
    struct asbi_http_purge *p = ASBI_OF(x, struct asbi_http_purge, exchange);
    struct cache_http *c = p->owner;
    int status = end->outcome == ASBI_COMPLETE ? end->status : 0;
    void (*done)(void *arg, int status) = p->done;
    void *arg = p->arg;

    forget(p);
    c->remote.on_rest(c->remote.arg);
    done(arg, status);
}

static const struct asbi_exchange_ops exchange_ops = {
    .on_end = on_end,
};

void asbi_http_purge_free(struct cache_http *c)
{
    struct asbi_transport *t = c->world->transport;

    if (!c->purge)
        return;
    t->ops->cancel(t, &c->purge->exchange);
    forget(c->purge);
}

int asbi_cache_http_purge(struct asbi_remote *http, const char *mark,
                          void (*done)(void *arg, int status), void *arg)
{
    struct cache_http *c = http_of(http);
    struct asbi_transport *t = c->world->transport;

    if (!mark[0] || !asbi_cache_http_is_mark(mark))
        return ASB_EINVAL;
    if (c->purge)
        return ASB_EBUSY;
    struct asbi_http_purge *p = asbi_calloc(c->mem, 1, sizeof(*p));
    if (!p)
        return ASB_ENOMEM;
    p->owner = c;
    p->done = done;
    p->arg = arg;
    (void)snprintf(p->mark, sizeof(p->mark), "Surrogate-Key: %s", mark);
    p->extra[0] = p->mark;
    p->endpoint = (struct asbi_endpoint){ .method = "PURGE",
                                          .url = c->base,
                                          .headers = c->headers };
    p->exchange = (struct asbi_exchange){
        .endpoint = &p->endpoint,
        .ops = &exchange_ops,
        .body = "",
        .extra_headers = p->extra,
        .limits = { .connect_ns = WRITE_LIMIT,
                    .total_ns = WRITE_LIMIT,
                    .max_header_bytes = 65536,
                    .max_body_bytes = MAX_VALUE },
    };
    c->purge = p;
    int rc = t->ops->start(t, &p->exchange);
    if (rc)
        forget(p);
    else
        c->remote.on_rest(c->remote.arg); /* a turn sees that it is busy */
    return rc;
}

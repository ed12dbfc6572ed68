#include "tests/sim/witness.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The one world there is; exchanges carry no place for a spy's own pointer. */
static struct witness *here;

void witness_say(struct witness *w, const char *format, ...)
{
    va_list args;

    if (w->broken[0])
        return;
    va_start(args, format);
    (void)vsnprintf(w->broken, sizeof(w->broken), format, args);
    va_end(args);
}

static struct witness *of(struct asbi_transport *t)
{
    return (struct witness *)(void *)t;
}

static struct witness_call *call_of(struct asbi_exchange *x)
{
    for (size_t i = here->count; i > 0; i--) {
        if (here->calls[i - 1].x == x)
            return &here->calls[i - 1];
    }
    witness_say(here, "the network calls back for an exchange that is over");
    return NULL;
}

static void drop(struct witness *w, struct witness_call *c)
{
    w->aside -= c->is_aside;
    w->ended += !c->is_aside;
    *c = w->calls[--w->count];
}

/* ---- what the network tells ------------------------------------------- */

static void on_status(struct asbi_exchange *x, int status)
{
    struct witness_call *c = call_of(x);

    if (c && c->ops->on_status)
        c->ops->on_status(x, status);
}

static void on_header(struct asbi_exchange *x, asbi_str name, asbi_str value)
{
    struct witness_call *c = call_of(x);

    if (c && c->ops->on_header)
        c->ops->on_header(x, name, value);
}

static int on_body(struct asbi_exchange *x, const char *at, size_t len)
{
    struct witness_call *c = call_of(x);

    if (!c)
        return 1;
    return c->ops->on_body ? c->ops->on_body(x, at, len) : 0;
}

static void on_end(struct asbi_exchange *x, const struct asbi_exchange_end *end)
{
    struct witness_call *c = call_of(x);

    if (!c)
        return;
    const struct asbi_exchange_ops *ops = c->ops;
    if (here->on_end && !c->is_aside)
        here->on_end(here->arg, x, end);
    drop(here, c);
    x->ops = ops;
    ops->on_end(x, end);
}

static const struct asbi_exchange_ops spy_ops = {
    .on_status = on_status,
    .on_header = on_header,
    .on_body = on_body,
    .on_end = on_end,
};

/* ---- what the engine does --------------------------------------------- */

static void check_start(struct witness *w)
{
    const struct scenario *s = w->scenario;
    uint64_t now = asbi_now(w->world);

    if (s->workers && w->count - w->aside > s->workers)
        witness_say(w, "%zu calls in flight with %" PRIu64 " workers",
                    w->count - w->aside, s->workers);
    if (!asbi_sim_quota_take(&w->minute, 1, now))
        witness_say(w, "more than %" PRIu64 " calls a minute", s->rpm);
}

static int start(struct asbi_transport *t, struct asbi_exchange *x)
{
    struct witness *w = of(t);
    const struct asbi_exchange_ops *ops = x->ops;
    bool is_aside = strstr(x->endpoint->url, "/alerts") != NULL ||
                    (w->is_errand && w->is_errand(x));

    if (w->count == WITNESS_CALLS)
        return ASB_EFULL;
    x->ops = &spy_ops;
    int rc = w->inner->ops->start(w->inner, x);
    if (rc) {
        x->ops = ops;
        return rc;
    }
    w->calls[w->count++] = (struct witness_call){ x, ops, is_aside };
    w->aside += is_aside;
    w->started += !is_aside;
    if (is_aside)
        return ASB_OK;
    check_start(w);
    if (w->on_start)
        w->on_start(w->arg, x);
    return ASB_OK;
}

static void cancel(struct asbi_transport *t, struct asbi_exchange *x)
{
    struct witness *w = of(t);
    struct witness_call *c = call_of(x);

    w->inner->ops->cancel(w->inner, x);
    if (c)
        drop(w, c);
}

static void forget(struct asbi_transport *t, struct asbi_endpoint *e)
{
    struct witness *w = of(t);

    for (size_t i = 0; i < w->count; i++) {
        if (w->calls[i].x->endpoint == e)
            witness_say(w, "an endpoint is forgotten under its exchange");
    }
    w->inner->ops->forget(w->inner, e);
}

static void free_transport(struct asbi_transport *t)
{
    struct witness *w = of(t);

    w->inner->ops->free(w->inner);
}

bool witness_init(struct witness *w, struct asbi_world *world,
                  const struct scenario *s)
{
    static const struct asbi_transport_ops ops = { start, cancel, forget,
                                                   free_transport };

    *w = (struct witness){ .base = { &ops, world->transport->capacity },
                           .inner = world->transport,
                           .world = world,
                           .scenario = s };
    w->calls = calloc(WITNESS_CALLS, sizeof(*w->calls));
    asbi_sim_quota_init(&w->minute, s->rpm, asbi_now(world));
    world->transport = &w->base;
    here = w;
    return w->calls != NULL;
}

void witness_fini(struct witness *w)
{
    free(w->calls);
    w->calls = NULL;
}

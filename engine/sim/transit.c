/*
 * transit.c -- exchanges on their way between the engine and the provider
 * model, in virtual time.
 *
 * A transit has two ends.  The engine's goes when the exchange is over, by
 * whatever cause; the provider's when the call has been served to its end,
 * whether or not anybody still listens.  The transit is freed with the second.
 */
#include <assert.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/sim/world_state.h"

/* What the network does to an exchange. */
enum trouble {
    NO_TROUBLE,
    LOST_ON_THE_WAY,  /* the provider never sees the request */
    LOST_ON_THE_BACK, /* the answer never comes */
    CUT_WITHIN,       /* it ends inside the body */
};

struct transit {
    struct asbi_sim_world *w;
    struct asbi_sim_site *site;
    struct asbi_exchange *x;    /* NULL: over for the engine */
    struct asbi_sim_call *call; /* NULL before the provider has it */
    struct asbi_sim_event play; /* what comes next for the engine */
    struct asbi_sim_event limit;
    struct asbi_sim_event served;
    struct asbi_link link;
    uint64_t serial;
    bool inside; /* one of its callbacks is on the stack */
    bool done;   /* the provider has served it, or never will */

    enum trouble trouble;
    double where; /* of the body, for CUT_WITHIN */
    bool refused, slow;

    uint64_t started_ns, first_ns, last_ns; /* last: byte seen; 0: none yet */
    bool connected;
    size_t piece;   /* the next to become visible */
    size_t sent;    /* bytes of the body that the engine has */
    size_t visible; /* bytes it may have */
};

static struct transit *transit_of(struct asbi_exchange *x)
{
    return x->slot;
}

static struct asbi_sim_world *world_of(struct asbi_transport *t)
{
    return ASBI_OF(t, struct asbi_sim_world, transport);
}

/* ---- ends ------------------------------------------------------------- */

static void transit_free(struct transit *t)
{
    struct asbi_sim_world *w = t->w;

    asbi_heap_remove(&w->events, &t->play.node);
    asbi_heap_remove(&w->events, &t->limit.node);
    asbi_heap_remove(&w->events, &t->served.node);
    asbi_list_remove(&t->link);
    asbi_sim_call_free(t->call);
    asbi_free(w->base.mem, t);
}

static void release_if_over(struct transit *t)
{
    if (!t->x && t->done && !t->inside)
        transit_free(t);
}

/* The engine's end.  A call that still waits is withdrawn. */
static void detach(struct transit *t)
{
    struct asbi_sim_world *w = t->w;

    asbi_heap_remove(&w->events, &t->play.node);
    asbi_heap_remove(&w->events, &t->limit.node);
    t->x->slot = NULL;
    t->x = NULL;
    w->live--;
    if (t->call && !t->call->started) {
        asbi_sim_provider_abandon(t->site->provider, t->call);
        t->call = NULL;
    }
    t->done = t->done || !t->call;
}

static void end(struct transit *t, enum asbi_outcome outcome, bool unreachable,
                const char *text)
{
    struct asbi_exchange *x = t->x;
    struct asbi_exchange_end e = {
        .outcome = outcome,
        .status = t->first_ns ? t->call->status : 0,
        .unreachable = unreachable,
        .text = text,
        .started_ns = t->started_ns,
        .first_byte_ns = t->first_ns,
        .ended_ns = t->w->now_ns,
    };

    asbi_sim_world_note(t->w, 'e', t->serial, (uint64_t)outcome);
    detach(t);
    release_if_over(t);
    x->ops->on_end(x, &e); /* the last use of x */
}

/* ---- limits ----------------------------------------------------------- */

static uint64_t sooner(uint64_t at, uint64_t from, uint64_t span)
{
    uint64_t due = span ? asbi_add_ns(from, span) : ASBI_NEVER;

    return due < at ? due : at;
}

/* Plans the limit that comes first in the present phase. */
static void watch_limits(struct transit *t)
{
    const struct asbi_exchange_limits *l = &t->x->limits;
    uint64_t at = sooner(ASBI_NEVER, t->started_ns, l->total_ns);

    if (!t->connected)
        at = sooner(at, t->started_ns, l->connect_ns);
    if (!t->first_ns)
        at = sooner(at, t->started_ns, l->first_byte_ns);
    else
        at = sooner(at, t->last_ns, l->stall_ns);
    if (at == ASBI_NEVER)
        asbi_heap_remove(&t->w->events, &t->limit.node);
    else
        asbi_sim_world_plan(t->w, &t->limit, at);
}

static void on_limit(struct asbi_sim_world *w, void *arg)
{
    struct transit *t = arg;

    (void)w;
    if (t->connected)
        end(t, ASBI_TIMED_OUT, false, "no answer in time");
    else
        end(t, ASBI_NOT_SENT, true, "connection timed out");
}

/* ---- the answer ------------------------------------------------------- */

/* False when a callback has ended the exchange, or this did. */
static bool give_head(struct transit *t)
{
    const struct asbi_sim_call *call = t->call;
    size_t size = 0;

    t->first_ns = t->last_ns = t->w->now_ns;
    asbi_sim_world_note(t->w, 'h', t->serial, (uint64_t)call->status);
    for (size_t i = 0; i < call->header_count; i++)
        size +=
            strlen(call->headers[i].name) + strlen(call->headers[i].value) + 4;
    if (size > t->x->limits.max_header_bytes) {
        end(t, ASBI_TOO_LARGE, false, "the headers are too large");
        return false;
    }
    if (t->x->ops->on_status)
        t->x->ops->on_status(t->x, call->status);
    for (size_t i = 0; t->x && t->x->ops->on_header && i < call->header_count;
         i++)
        t->x->ops->on_header(t->x, asbi_str_c(call->headers[i].name),
                             asbi_str_c(call->headers[i].value));
    return t->x != NULL;
}

static bool give_body(struct transit *t, size_t len)
{
    const char *at = t->call->body.data + t->sent;

    if (t->sent + len > t->x->limits.max_body_bytes) {
        end(t, ASBI_TOO_LARGE, false, "the body is too large");
        return false;
    }
    asbi_sim_world_note(t->w, 'b', t->serial, asbi_hash64(at, len, 0));
    t->sent += len;
    t->last_ns = t->w->now_ns;
    if (t->x->ops->on_body && t->x->ops->on_body(t->x, at, len) && t->x) {
        end(t, ASBI_REFUSED, false, "refused by its reader");
        return false;
    }
    return t->x != NULL;
}

/* Where the body ends early, by either side's fault; SIZE_MAX: nowhere. */
static size_t cut_at(const struct transit *t)
{
    size_t at = t->call->cut_at;
    size_t here = (size_t)(t->where * (double)t->call->body.len);

    return t->trouble == CUT_WITHIN && here < at ? here : at;
}

static uint64_t trickle(struct transit *t)
{
    return t->slow ? ASBI_MS * (10 + asbi_rng_below(&t->w->rng, 2000)) : 0;
}

/* One step of the answer: the next piece becomes visible, or a part of what is
 * visible is handed over, or it ends. */
static void give_some(struct transit *t)
{
    struct asbi_sim_world *w = t->w;
    size_t stop = cut_at(t);

    if (t->sent == t->visible && t->piece < t->call->piece_count)
        t->visible = t->call->pieces[t->piece++].end;
    size_t most = (t->visible < stop ? t->visible : stop) - t->sent;
    size_t len = most ? 1 + (size_t)asbi_rng_below(&w->rng, most) : 0;

    if (len && !give_body(t, len))
        return;
    if (t->sent == stop) {
        end(t, ASBI_CUT, false, "the connection broke");
        return;
    }
    if (t->sent == t->visible && t->piece == t->call->piece_count) {
        end(t, ASBI_COMPLETE, false, "complete");
        return;
    }
    uint64_t at = w->now_ns;
    if (t->sent == t->visible)
        at = asbi_add_ns(asbi_sim_call_due(t->call, t->piece),
                         w->options.network.round_trip_ns / 2);
    asbi_sim_world_plan(w, &t->play,
                        (at > w->now_ns ? at : w->now_ns) + trickle(t));
    watch_limits(t);
}

static void on_answer(struct asbi_sim_world *w, void *arg)
{
    struct transit *t = arg;

    (void)w;
    if (t->call->silent || t->trouble == LOST_ON_THE_BACK) {
        end(t, t->first_ns ? ASBI_CUT : ASBI_UNANSWERED, false,
            "the connection broke");
        return;
    }
    t->inside = true;
    if (t->first_ns || give_head(t))
        give_some(t);
    t->inside = false;
    release_if_over(t);
}

/* ---- the request ------------------------------------------------------ */

static asbi_str header_of(const char *const *lines, asbi_str name)
{
    for (; lines && *lines; lines++) {
        const char *colon = strchr(*lines, ':');
        size_t len = colon ? (size_t)(colon - *lines) : 0;

        if (colon && asbi_str_eq_nocase(asbi_str_of(*lines, len), name))
            return asbi_str_trim(asbi_str_c(colon + 1));
    }
    return ASBI_STR("");
}

static asbi_str header(const struct asbi_exchange *x, asbi_str name)
{
    asbi_str own = header_of(x->extra_headers, name);

    return own.len ? own : header_of(x->endpoint->headers, name);
}

static asbi_str path_of(const char *url)
{
    const char *host = strstr(url, "://");
    const char *path = strchr(host ? host + 3 : url, '/');

    return path ? asbi_str_c(path) : ASBI_STR("/");
}

/* The provider that an address leads to. */
static struct asbi_sim_site *site_of(struct asbi_sim_world *w, const char *url)
{
    const char *host = strstr(url, "://");
    asbi_str name = asbi_str_c(host ? host + 3 : url);

    name.len = strcspn(name.at, "/");
    for (size_t i = 1; i < w->site_count; i++) {
        if (asbi_str_eq(name, asbi_str_c(w->sites[i].host)))
            return &w->sites[i];
    }
    return &w->sites[0];
}

static void on_started(struct transit *t)
{
    struct asbi_sim_world *w = t->w;
    size_t last = t->call->piece_count - 1;

    asbi_sim_world_plan(w, &t->served, asbi_sim_call_due(t->call, last));
    if (!t->x)
        return;
    asbi_sim_world_plan(w, &t->play,
                        asbi_add_ns(asbi_sim_call_due(t->call, 0),
                                    w->options.network.round_trip_ns / 2));
}

/* The provider has worked it off: the next in its queue may start. */
static void on_served(struct asbi_sim_world *w, void *arg)
{
    struct transit *t = arg;
    struct asbi_sim_call *next =
        asbi_sim_provider_finish(t->site->provider, t->call, w->now_ns);

    asbi_sim_world_note(w, 's', t->serial, 0);
    t->done = true;
    release_if_over(t);
    if (next)
        on_started(next->owner);
}

static void on_arrival(struct asbi_sim_world *w, struct transit *t)
{
    const struct asbi_exchange *x = t->x;
    struct asbi_sim_request request = {
        .method = asbi_str_c(x->endpoint->method),
        .path = path_of(x->endpoint->url),
        .content_type = header(x, ASBI_STR("Content-Type")),
        .range = header(x, ASBI_STR("Range")),
        .once = header(x, ASBI_STR("Idempotency-Key")),
        .has_key = header(x, ASBI_STR("Authorization")).len > 0,
        .body = asbi_str_of(x->body, x->body_len),
        .wall_s = w->base.ops->wall_ms(&w->base) / 1000,
    };

    if (asbi_sim_provider_take(t->site->provider, &request, w->now_ns,
                               &t->call)) {
        end(t, ASBI_UNANSWERED, false, "out of memory");
        return;
    }
    t->call->owner = t;
    t->play.happen = on_answer;
    if (t->call->started)
        on_started(t);
}

/* The first event of an exchange, a round trip after its start. */
static void on_connected(struct asbi_sim_world *w, void *arg)
{
    struct transit *t = arg;

    asbi_sim_world_note(w, 'c', t->serial, t->x->body_len);
    if (t->refused || t->site->down) {
        end(t, ASBI_NOT_SENT, true, "connection refused");
        return;
    }
    t->connected = true;
    if (t->trouble == LOST_ON_THE_WAY) {
        end(t, ASBI_UNANSWERED, false, "the connection broke");
        return;
    }
    watch_limits(t);
    on_arrival(w, t);
}

/* ---- the transport's table -------------------------------------------- */

static void draw_trouble(struct transit *t)
{
    const struct asbi_sim_network *n = &t->w->options.network;
    struct asbi_rng *rng = &t->w->rng;
    bool cut = asbi_sim_chance(rng, n->cut_rate);
    uint64_t kind = 1 + asbi_rng_below(rng, 3);

    t->refused = asbi_sim_chance(rng, n->refuse_rate);
    t->slow = asbi_sim_chance(rng, n->slow_rate);
    t->where = asbi_rng_unit(rng);
    t->trouble = cut ? (enum trouble)kind : NO_TROUBLE;
}

static int transit_start(struct asbi_transport *transport,
                         struct asbi_exchange *x)
{
    struct asbi_sim_world *w = world_of(transport);
    size_t events = ASBI_SIM_WORLD_EVENTS +
                    ASBI_SIM_TRANSIT_EVENTS * (w->transits.count + 1);

    if (w->live >= transport->capacity)
        return ASB_EFULL;
    if (asbi_heap_reserve(&w->events, events))
        return ASB_ENOMEM;
    struct transit *t = asbi_calloc(w->base.mem, 1, sizeof(*t));
    if (!t)
        return ASB_ENOMEM;
    *t = (struct transit){
        .w = w,
        .site = site_of(w, x->endpoint->url),
        .x = x,
        .play = { .happen = on_connected, .arg = t },
        .limit = { .happen = on_limit, .arg = t },
        .served = { .happen = on_served, .arg = t },
        .serial = ++w->serial,
        .started_ns = w->now_ns,
    };
    w->live++;
    draw_trouble(t);
    asbi_list_append(&w->transits, &t->link);
    x->slot = t;
    asbi_sim_world_plan(
        w, &t->play, asbi_add_ns(w->now_ns, w->options.network.round_trip_ns));
    watch_limits(t);
    return ASB_OK;
}

static void transit_cancel(struct asbi_transport *transport,
                           struct asbi_exchange *x)
{
    struct transit *t = transit_of(x);

    (void)transport;
    if (!t)
        return;
    asbi_sim_world_note(t->w, 'x', t->serial, 0);
    detach(t);
    release_if_over(t);
}

static void transit_forget(struct asbi_transport *transport,
                           struct asbi_endpoint *endpoint)
{
    (void)transport;
    endpoint->transport_data = NULL; /* nothing is kept for it */
}

void asbi_sim_transits_break(struct asbi_sim_world *w,
                             const struct asbi_sim_site *site)
{
    ASBI_LIST_EACH (link, &w->transits) {
        struct transit *t = ASBI_OF(link, struct transit, link);

        if (t->site == site && t->x && t->connected)
            t->trouble = LOST_ON_THE_BACK;
    }
}

void asbi_sim_transits_free(struct asbi_sim_world *w)
{
    struct asbi_link *link;

    while ((link = asbi_list_first(&w->transits))) {
        struct transit *t = ASBI_OF(link, struct transit, link);

        if (t->x)
            t->x->slot = NULL;
        transit_free(t);
    }
}

static void transport_free(struct asbi_transport *transport)
{
    asbi_sim_transits_free(world_of(transport));
}

const struct asbi_transport_ops asbi_sim_transport_ops = {
    .start = transit_start,
    .cancel = transit_cancel,
    .forget = transit_forget,
    .free = transport_free,
};

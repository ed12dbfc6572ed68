/*
 * api.c -- public entry points: check, guard, delegate.
 */
#include "config/options.h"
#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/call.h"
#include "engine/engine.h"
#include "engine/hooks.h"
#include "engine/learned.h"
#include "engine/material.h"
#include "engine/queue.h"
#include "engine/real/artefact_dir.h"
#include "engine/real/loop.h"
#include "engine/tiers.h"

const char *asb_strerror(int error)
{
    switch (error) {
    case ASB_OK:
        return "success";
#define X(name, number, text) \
    case number:              \
        return text;
        ASB_ERRORS(X)
#undef X
    default:
        return "unknown asyncbatch error";
    }
}

const char *asb_version(void)
{
    return ASB_VERSION_STRING;
}

static int new_world(struct asb_engine *e, const struct asb_options *options,
                     const struct asb_hooks *hooks, struct asbi_world **out,
                     struct asb_message *why)
{
    const struct asbi_config *c = &options->values;
    struct asbi_real_options real = {
        .http = { .http2 = c->http2, .ca_file = c->ca_file, .proxy = c->proxy },
        .seed = c->seed ? &c->seed : NULL,
        .now_ns = hooks->now_ns,
        .wall_ms = hooks->wall_ms,
        .time_arg = hooks->time_arg,
    };

    return asbi_real_world_new(&e->mem, hooks->base, &real, &e->log, out, why);
}

/* On failure the world is the engine's, too, and goes with it. */
static int open_remotes(struct asb_engine *e, const struct asb_options *options,
                        struct asbi_world *world, struct asb_message *why)
{
    int rc = asbi_tiers_remotes(world, options, e->recall.remotes, why);

    if (rc)
        e->world = world;
    return rc;
}

/* Where artefacts go, when the options name a folder. */
static int new_place(struct asb_engine *e, const struct asb_options *options,
                     struct asb_message *why)
{
    const char *path = options->values.artefacts;

    if (!path[0])
        return ASB_OK;
    return asbi_artefact_dir_open(&e->mem, path, &e->media.place, why);
}

/* What does not stop a run but the user should know, of each lane. */
static void warn(struct asb_engine *e)
{
    const struct asbi_routes *r = &e->routes;
    struct asb_message text;

    for (size_t lane = 0; lane < r->count; lane++) {
        const struct asb_options *o = lane ? r->options[lane] : e->options;
        const char *name = r->count > 1 ? r->lanes[lane]->name : "";

        for (size_t i = 0; asbi_options_warning(o, i, &text); i++)
            asbi_log(&e->log, ASB_LOG_WARN, "%s%s%s%s", name[0] ? "lane " : "",
                     name, name[0] ? ": " : "", text.text);
    }
}

int asb_engine_new(const struct asb_options *options,
                   const struct asb_hooks *hooks, struct asb_engine **out,
                   struct asb_message *why)
{
    struct asb_hooks h;
    struct asbi_mem mem;
    struct asbi_log log;
    struct asbi_material material;
    struct asbi_world *world;
    struct asbi_store *store = NULL;
    struct asbi_recalled recalled;

    if (!options || !out)
        return ASB_EINVAL;
    *out = NULL;
    if (why)
        why->text[0] = '\0';
    int rc = asbi_hooks_take(hooks, &h, &mem, &log, why);
    if (!rc)
        rc = asb_options_check(options, why);
    if (rc)
        return rc;
    struct asb_engine *e = asbi_engine_alloc(&mem, &log);
    rc = asbi_material_load(&material, options, &mem, why);
    if (!e && !rc)
        rc = ASB_ENOMEM;
    if (!rc)
        rc = new_place(e, options, why);
    if (!rc)
        rc = asbi_tiers_file(&e->mem, options, &store, why);
    if (!rc)
        rc = new_world(e, options, &h, &world, why);
    if (!rc)
        rc = open_remotes(e, options, world, why);
    if (e) {
        e->routes.keys = asbi_material_keys(&material);
        e->routes.tokenizer = asbi_tokenizer_ref(material.tokenizer);
    }
    if (!rc)
        rc = asbi_engine_init(e, world, options, asbi_material_key(&material),
                              &material.task, store, why);
    else if (store)
        store->ops->free(store);
    asbi_material_fini(&material);
    if (rc) {
        asbi_engine_destroy(e);
        return rc;
    }
    e->in_order = h.in_order;
    warn(e);
    asbi_learned_load(e->options, &e->mem, &e->log, &recalled);
    asbi_learned_start(e->lane, &recalled);
    asbi_learned_start_others(e);
    *out = e;
    return ASB_OK;
}

void asb_engine_warm(struct asb_engine *e)
{
    e->warms = true;
}

static void destroy(void *arg)
{
    struct asb_engine *e = arg;

    asbi_learned_save(e);
    asbi_engine_destroy(e);
}

int asb_engine_free(struct asb_engine *e)
{
    int rc = ASB_ENOENT;

    if (!e || e->freed)
        return ASB_OK;
    if (e->running)
        rc = ASB_OK; /* asb_run() will do it */
    else if (e->world && e->world->ops->afterwards)
        rc = e->world->ops->afterwards(e->world, destroy, e);
    else if (e->in_callback)
        rc = ASB_EBUSY;
    e->freed = !rc;
    if (rc != ASB_ENOENT)
        return rc;
    destroy(e);
    return ASB_OK;
}

struct event_base *asb_engine_base(struct asb_engine *e)
{
    return asbi_real_world_base(e->world);
}

int asb_run(struct asb_engine *e)
{
    int rc = ASB_OK;

    if (e->running || asbi_real_world_is_looped(e->world))
        return ASB_EBUSY;
    e->running = true;
    while (!rc && !e->freed && !asbi_engine_idle(e))
        rc = asbi_real_world_turn(e->world);
    e->running = false;
    if (e->freed)
        destroy(e);
    return rc;
}

static void take_out(struct asb_engine *e, struct asbi_item *item)
{
    if (item->state == ASBI_ITEM_QUEUED)
        asbi_former_remove(&e->former, asbi_parcel_batch(&item->parcel),
                           &item->parcel);
    else if (item->state == ASBI_ITEM_BACKOFF)
        asbi_heap_remove(&e->backoff, &item->due);
    else if (item->state == ASBI_ITEM_SENT || item->state == ASBI_ITEM_AWAY)
        asbi_recall_hand_over(e, item);
    else if (item->state == ASBI_ITEM_ASKED)
        asbi_recall_stop_look(item);
    else
        asbi_list_remove(&item->link);
    if (item->call)
        asbi_call_forget(item->call, item);
    if (item->media && item->media->job)
        asbi_media_forget(e, item);
}

int asb_cancel(struct asb_engine *e, uint64_t number)
{
    struct asbi_item *item = asbi_slots_get(&e->numbers, number);

    if (!item || item->state == ASBI_ITEM_DONE)
        return ASB_ENOENT;
    take_out(e, item);
    asbi_engine_fail(e, item, "cancelled",
                     ASBI_STR("the host cancelled this item"), true);
    return ASB_OK;
}

void asb_flush(struct asb_engine *e)
{
    asbi_former_flush(&e->former, NULL);
    asbi_recall_flush(e);
    e->world->ops->wake(e->world);
}

void asb_drain(struct asb_engine *e)
{
    e->draining = true;
    asb_flush(e);
}

void asb_stop(struct asb_engine *e)
{
    e->stopped = true;
    asb_drain(e);
}

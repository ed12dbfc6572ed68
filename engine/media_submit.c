/* How a media job is begun: weighed, paced, written down. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/call.h"
#include "engine/engine.h"

/* A signature holds for half an hour; calls on their way still use the last
 * one. */
enum { SIGN_SECONDS = 600 };

/* ---- prices ------------------------------------------------------------ */

/* The factor of a size: "3840x2160=2,1024x1024=0.5"; 1 for what is not
 * named. */
static double size_factor(const char *sizes, uint64_t width, uint64_t height)
{
    char wanted[48];
    double factor = 1;
    int len = snprintf(wanted, sizeof(wanted),
                       "%llux%llu=", (unsigned long long)width,
                       (unsigned long long)height);

    while (sizes && *sizes) {
        size_t part = strcspn(sizes, ",");

        if (part > (size_t)len && strncmp(sizes, wanted, (size_t)len) == 0)
            (void)asbi_parse_double(
                asbi_str_of(sizes + len, part - (size_t)len), &factor);
        sizes += part + (sizes[part] == ',');
    }
    return factor > 0 && isfinite(factor) ? factor : 1;
}

static double unit_price(int64_t price, double credits, int64_t credit)
{
    return (double)price + credits * (double)credit;
}

int64_t asbi_media_price(const struct asbi_model *model,
                         const struct asbi_provider *provider,
                         const struct asbi_media_request *r)
{
    double seconds = r->seconds > 0 ? r->seconds : model->default_seconds;
    double nano =
        unit_price(model->item_price, model->item_credits, provider->credit);

    if (provider->free)
        return 0;
    if (r->type == ASBI_MEDIA_VIDEO)
        nano += seconds * unit_price(model->second_price, model->second_credits,
                                     provider->credit);
    nano *= size_factor(model->size_factors, r->width, r->height);
    return nano < 9e18 ? (int64_t)ceil(nano) : INT64_MAX;
}

/* ---- before it is taken in --------------------------------------------- */

static bool refuse(struct asbi_verdict_on_item *verdict, const char *text)
{
    verdict->code = "unsupported";
    verdict->retryable = false;
    (void)snprintf(verdict->message, sizeof(verdict->message), "%s", text);
    return false;
}

/* A catalogue's name with a maker or a date around it still finds its prices;
 * an engine's name need not end with a NUL. */
static void find_model(const struct asb_engine *e, asbi_str engine,
                       struct asbi_model *out, char room[128])
{
    if (engine.len == 0 || engine.len >= 128) {
        *out = e->lane->model;
        return;
    }
    memcpy(room, engine.at, engine.len);
    room[engine.len] = '\0';
    asbi_catalogue_model(e->options, room, out);
}

bool asbi_media_check(struct asb_engine *e, asbi_str text, int64_t *cost,
                      struct asbi_verdict_on_item *verdict)
{
    const struct asbi_media_shape *shape = e->media.shape;
    struct asbi_media_request r;
    struct asbi_model model;
    char room[128];

    if (!asbi_media_request_read(e->media.json, text, &r))
        return refuse(verdict, "there was no memory to read this request");
    if (r.type == ASBI_MEDIA_IMAGE ? !shape->images : !shape->videos)
        return refuse(verdict, r.type == ASBI_MEDIA_IMAGE
                                   ? "this provider makes no images by jobs"
                                   : "this provider makes no videos");
    if (r.reference_count > shape->references)
        return refuse(verdict, shape->references
                                   ? "this provider takes fewer reference "
                                     "images"
                                   : "this provider takes no reference "
                                     "images here");
    if (r.engine.len == 0 && !e->config->model[0])
        return refuse(verdict, "no engine is named; set \"engine\", or "
                               "--model for all");
    find_model(e, r.engine, &model, room);
    *cost = asbi_media_price(&model, &e->lane->provider, &r);
    return true;
}

/* ---- pace --------------------------------------------------------------- */

uint64_t asbi_media_ready_at(struct asb_engine *e)
{
    const struct asbi_media *m = &e->media;

    if (!m->shape)
        return 0;
    if (asbi_remote_jobs_count(&m->remote) + e->calls.count >=
        e->config->jobs_max)
        return ASBI_NEVER;
    return m->next_submit_ns;
}

/* Between 4/7 and 10/7 of the pace: 200 to 500 ms for one of 350. */
void asbi_media_submitted(struct asb_engine *e, uint64_t now)
{
    double share = (4 + 6 * asbi_rng_unit(&e->rng)) / 7;
    uint64_t wait = (uint64_t)((double)e->config->job_pace_ns * share);

    e->media.next_submit_ns = asbi_add_ns(now, wait);
}

/* ---- the call ----------------------------------------------------------- */

const char *asbi_media_sign(struct asb_engine *e)
{
    struct asbi_media *m = &e->media;
    uint64_t now = asbi_wall_ms(e->world) / 1000;

    if (!m->shape->sign)
        return NULL;
    if (m->signed_s == 0 || now < m->signed_s ||
        now - m->signed_s > SIGN_SECONDS) {
        m->signature = (m->signature + 1) % ASBI_MEDIA_SIGNATURES;
        asbi_buf_clear(&m->signatures[m->signature]);
        m->shape->sign(m->key, now, &m->signatures[m->signature]);
        m->signed_s = now;
    }
    return asbi_buf_cstr(&m->signatures[m->signature]);
}

/* The same for every try of an item: a provider that knows such keys begins one
 * job for all of them. */
static void put_idempotency(struct asbi_call *call, struct asbi_item *item)
{
    struct asb_engine *e = call->engine;
    const char *name = e->lane->provider.idempotency_header;

    call->once[0] = '\0';
    if (!name || !name[0])
        return;
    if (!item->media->nonce)
        item->media->nonce = asbi_rng_u64(&e->rng) | 1;
    /* A job that failed is over: the next is meant to be another. */
    (void)snprintf(call->once, sizeof(call->once), "%.60s: ab-%016llx-%u", name,
                   (unsigned long long)item->media->nonce, item->media->jobs);
}

void asbi_media_name(struct asbi_call *call)
{
    const struct asbi_item *item = call->entries[0].item;
    char name[48];

    if (!call->once[0])
        return;
    (void)snprintf(name, sizeof(name), "%llu %u",
                   (unsigned long long)item->media->nonce, item->media->jobs);
    const struct asbi_journal_job record = { .number = call->number,
                                             .id = ASBI_STR(""),
                                             .address = asbi_str_c(name) };
    asbi_journal_job(call->engine->journal, &record);
}

void asbi_media_read_name(struct asbi_item *item, asbi_str name)
{
    const char *blank = name.len ? memchr(name.at, ' ', name.len) : NULL;
    size_t len = blank ? (size_t)(blank - name.at) : 0;
    uint64_t jobs = 0;

    if (blank &&
        asbi_parse_u64(asbi_str_of(name.at, len), &item->media->nonce) &&
        asbi_parse_u64(asbi_str_of(blank + 1, name.len - len - 1), &jobs))
        item->media->jobs = (unsigned)jobs;
}

void asbi_media_keep_open(struct asbi_call *call, bool unknown)
{
    struct asbi_item *item = call->count ? call->entries[0].item : NULL;

    if (!call->once[0] || !item || !(unknown || item->unknowns))
        return;
    item->media->open_call = call->number;
    call->number = 0;
    if (item->media->held)
        return;
    item->media->held = item->media->cost;
    asbi_budget_owe(&call->engine->purse.budget, item->media->held);
}

int64_t asbi_media_worst(const struct asbi_item *item)
{
    return item->media && item->media->held ? 0 : asbi_item_flat_cost(item);
}

void asbi_media_known_now(struct asbi_call *call)
{
    struct asbi_item *item = call->entries[0].item;

    (void)asbi_media_reopen(call);
    asbi_budget_settle(&call->engine->purse.budget, item->media->held, 0);
    item->media->held = 0;
}

bool asbi_media_reopen(struct asbi_call *call)
{
    struct asbi_item *item = call->entries[0].item;

    if (call->way != ASBI_JOB || !item || !item->media->open_call)
        return false;
    call->number = item->media->open_call;
    item->media->open_call = 0;
    return true;
}

void asbi_media_hand_on(struct asbi_item *item, struct asbi_item *heir)
{
    if (!item->media)
        return;
    heir->media->jobs = item->media->jobs;
    heir->media->nonce = item->media->nonce;
    heir->media->open_call = item->media->open_call;
    heir->media->held = item->media->held;
    item->media->open_call = item->media->nonce = 0;
    item->media->held = 0;
}

void asbi_media_give_up(struct asb_engine *e, struct asbi_item *item)
{
    /* The next run asks again, and means the same job. */
    bool goes_on =
        e->stopped || asbi_routes_over(e) || (!item->ok && item->retryable);

    if (e->journal && item->media->open_call && !goes_on) {
        asbi_journal_end(e->journal, item->media->open_call, 0,
                         item->media->cost);
        asbi_journal_over(e->journal, item->media->open_call);
    }
    asbi_budget_settle(&e->purse.budget, item->media->held, item->media->cost);
    item->media->open_call = 0;
    item->media->held = 0;
}

int asbi_media_encode(struct asbi_call *call)
{
    struct asb_engine *e = call->engine;
    struct asbi_item *item = call->entries[0].item;
    struct asbi_media_request r;
    size_t n = 0;

    if (!asbi_media_request_read(e->media.json, item->text, &r))
        return ASB_ENOMEM;
    if (r.engine.len == 0)
        r.engine = asbi_str_c(e->config->model);
    e->media.shape->submit(&r, &call->text, &call->body);
    put_idempotency(call, item);
    if (call->once[0])
        call->extra[n++] = call->once;
    call->extra[n] = asbi_media_sign(e);
    call->extra[n + (call->extra[n] != NULL)] = NULL;
    return asbi_buf_failed(&call->body) || asbi_buf_failed(&call->text)
               ? ASB_ENOMEM
               : ASB_OK;
}

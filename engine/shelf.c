#include "engine/shelf.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/cache_http.h"
#include "engine/engine.h"
#include "engine/recall_keep.h"

enum {
    MOST_OFFERED = 4 << 20, /* bytes of answers that wait */
    MOST_FAILURES = 3,
    ANSWER_MAX = 256 * 1024,
};

/* An answer on its way there; its output lies right behind. */
struct offer {
    struct asbi_link link;
    struct asbi_cache_key key;
    struct asbi_shelf_assets assets;
    size_t written;
    int64_t cost;
    asbi_str output;
};

static struct offer *first_of(const struct asbi_shelf *s)
{
    struct asbi_link *link = asbi_list_first(&s->offers);

    return link ? ASBI_OF(link, struct offer, link) : NULL;
}

static void drop(struct asbi_shelf *s, struct offer *o)
{
    const struct asbi_mem *mem = &s->engine->mem;

    asbi_list_remove(&o->link);
    s->offer_bytes -= sizeof(*o) + o->output.len;
    asbi_shelf_assets_free(mem, &o->assets);
    asbi_free(mem, o);
}

static void drop_all(struct asbi_shelf *s)
{
    struct offer *o;

    while ((o = first_of(s)))
        drop(s, o);
}

/* ---- an offer ----------------------------------------------------------- */

void asbi_shelf_offer(struct asbi_shelf *s, const struct asbi_cache_key *key,
                      asbi_str output, int64_t cost_nano_usd)
{
    struct offer *o = NULL;
    size_t bytes = sizeof(*o) + output.len;

    if (!s->engine || s->failures == MOST_FAILURES || !output.len ||
        s->offer_bytes + bytes > MOST_OFFERED)
        return;
    o = asbi_calloc(&s->engine->mem, 1, bytes);
    if (!o)
        return;
    o->key = *key;
    o->cost = cost_nano_usd;
    memcpy(o + 1, output.at, output.len);
    o->output = asbi_str_of((char *)(o + 1), output.len);
    s->offer_bytes += bytes;
    asbi_list_append(&s->offers, &o->link);
    if (asbi_shelf_read(s->json, &s->engine->mem, output, &o->assets))
        s->engine->world->ops->wake(s->engine->world);
    else
        drop(s, o);
}

/* All its artefacts are there. */
static void keep(struct asbi_shelf *s, struct offer *o)
{
    struct asbi_buf text;

    asbi_buf_init(&text, &s->engine->mem, ANSWER_MAX);
    if (!asbi_json_parse(s->json, o->output.at, o->output.len))
        asbi_shelf_write(s->json, NULL, &text);
    if (!asbi_buf_failed(&text)) {
        const struct asbi_cache_answer answer = {
            .output = asbi_buf_view(&text),
            .output_is_json = true,
            .cost_nano_usd = o->cost,
        };

        asbi_recall_keep_beyond(s->engine, &o->key, &answer);
    }
    asbi_buf_fini(&text);
    drop(s, o);
}

/* ---- on the wire -------------------------------------------------------- */

static void give_up(struct asbi_shelf *s, int status)
{
    s->failures = MOST_FAILURES;
    asbi_log(&s->engine->log, ASB_LOG_WARN,
             "the HTTP cache takes no artefacts (status %d); they are not "
             "shared with other runs",
             status);
    drop_all(s);
}

/* Other artefacts may well be taken. */
static void skip_large(struct asbi_shelf *s, uint64_t bytes)
{
    if (!s->too_large)
        asbi_log(&s->engine->log, ASB_LOG_WARN,
                 "the HTTP cache takes no artefact of %llu bytes (status 413); "
                 "those as large are not shared with other runs: raise the "
                 "limit there, in nginx client_max_body_size",
                 (unsigned long long)bytes);
    s->too_large = bytes;
}

static void on_written(struct asbi_errand *errand,
                       const struct asbi_exchange_end *end)
{
    struct asbi_shelf *s = errand->arg;
    struct offer *o = first_of(s);
    enum asbi_errand_outcome outcome = asbi_errand_outcome(errand, end);

    asbi_buf_shrink(&s->bytes, 0);
    if (outcome == ASBI_ERRAND_DONE) {
        s->failures = 0;
        if (++o->written == o->assets.count)
            keep(s, o);
    } else if (outcome == ASBI_ERRAND_REFUSED && errand->status == 413) {
        skip_large(s, o->assets.all[o->written].bytes);
        drop(s, o);
    } else if (outcome == ASBI_ERRAND_REFUSED) {
        give_up(s, errand->status);
    } else {
        drop(s, o);
        if (++s->failures == MOST_FAILURES)
            give_up(s, errand->status);
    }
}

static bool may_be_taken(struct asbi_shelf *s, uint64_t bytes)
{
    if (bytes > ASBI_SHELF_MOST && !s->told_most)
        asbi_log(&s->engine->log, ASB_LOG_WARN,
                 "artefacts over %d MiB are not shared with other runs",
                 ASBI_SHELF_MOST >> 20);
    s->told_most = s->told_most || bytes > ASBI_SHELF_MOST;
    return bytes <= ASBI_SHELF_MOST && (!s->too_large || bytes < s->too_large);
}

static bool write_next(struct asbi_shelf *s, struct offer *o)
{
    const struct asbi_shelf_asset *asset = &o->assets.all[o->written];
    struct asbi_artefacts *place = s->engine->media.place;
    struct asbi_buf url;

    if (!asset->path || !may_be_taken(s, asset->bytes) ||
        place->ops->load(place, asset->path, &s->bytes) ||
        s->bytes.len != asset->bytes)
        return false;
    asbi_errand_clear(&s->errand);
    s->errand.lent_body = asbi_buf_view(&s->bytes);
    for (size_t i = 0; i < 4; i++)
        s->errand.extra[i] = s->lines[i];
    asbi_buf_init(&url, &s->engine->mem, 8192);
    asbi_shelf_put_url(s, asset, &url);
    bool sent =
        !asbi_buf_failed(&url) &&
        asbi_errand_send(&s->errand, "PUT", asbi_buf_view(&url)) == ASB_OK;
    asbi_buf_fini(&url);
    return sent;
}

static void write_some(struct asbi_shelf *s)
{
    struct offer *o;

    while (!s->errand.busy && (o = first_of(s))) {
        if (write_next(s, o))
            continue;
        asbi_buf_shrink(&s->bytes, 0);
        drop(s, o);
    }
}

void asbi_shelf_turn(struct asbi_shelf *s, uint64_t now)
{
    if (!s->engine)
        return;
    write_some(s);
    asbi_fetches_turn(&s->fetches, now);
}

uint64_t asbi_shelf_due(const struct asbi_shelf *s)
{
    return s->engine ? asbi_fetches_due(&s->fetches) : ASBI_NEVER;
}

bool asbi_shelf_busy(const struct asbi_shelf *s)
{
    return s->engine && s->offers.count > 0;
}

/* ---- birth and death ---------------------------------------------------- */

static void set_lines(struct asbi_shelf *s)
{
    const char *token = asbi_cache_http_token_line(s->tier);
    size_t n = 0;

    (void)snprintf(
        s->life, sizeof(s->life), "Cache-Control: max-age=%llu",
        (unsigned long long)(s->engine->config->cache_ttl_ns / ASBI_SECOND));
    s->lines[n++] = "Content-Type: application/octet-stream";
    s->lines[n++] = s->life;
    s->lines[n++] = asbi_cache_http_mark_line(s->tier);
    if (token)
        s->lines[n++] = token;
}

int asbi_shelf_init(struct asbi_shelf *s, struct asb_engine *e)
{
    struct asbi_remote *tier = e->recall.remotes[ASBI_TIER_HTTP];

    if (!tier || !e->media.place)
        return ASB_OK;
    s->engine = e;
    s->tier = tier;
    asbi_list_init(&s->offers);
    asbi_buf_init(&s->bytes, &e->mem, ASBI_SHELF_MOST);
    asbi_errand_init(&s->errand, e);
    s->errand.arg = s;
    s->errand.done = on_written;
    s->errand.keyless = true;
    set_lines(s);
    asbi_shelf_take_init(s);
    s->json = asbi_json_new(&e->mem, ANSWER_MAX);
    return s->json ? ASB_OK : ASB_ENOMEM;
}

void asbi_shelf_fini(struct asbi_shelf *s)
{
    if (!s->engine)
        return;
    asbi_shelf_take_fini(s);
    asbi_errand_fini(&s->errand);
    asbi_buf_fini(&s->bytes);
    drop_all(s);
    asbi_json_free(s->json);
    s->engine = NULL;
}

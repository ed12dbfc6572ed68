/* The way back: artefacts are fetched from where they are shared, then the item
 * is answered. */
#include <string.h>

#include "cache/record.h"
#include "engine/base/units.h"
#include "engine/cache_http.h"
#include "engine/engine.h"
#include "engine/recall_store.h"
#include "engine/shelf.h"

enum { MOST_TRIES = 2, NAME_BYTES = 160, ANSWER_MAX = 256 * 1024 };

/* An item whose artefacts are on their way; its answer lies right behind. */
struct taken {
    struct asbi_link link;
    struct asbi_shelf *shelf;
    struct asbi_item *item;
    struct asbi_shelf_assets assets;
    size_t fetched;
    struct asbi_fetch *fetch; /* of that asset */
    uint64_t expires_ms;
    enum asbi_tier tier;
    struct asbi_cache_answer answer; /* its output */
};

static void taken_free(struct taken *t)
{
    const struct asbi_mem *mem = &t->shelf->engine->mem;

    asbi_fetch_free(t->fetch);
    asbi_list_remove(&t->link);
    asbi_shelf_assets_free(mem, &t->assets);
    asbi_free(mem, t);
}

/* ---- ends --------------------------------------------------------------- */

/* From now on nothing is awaited for the item, which is in no place. */
static struct asbi_item *let_go(struct taken *t)
{
    struct asbi_item *item = t->item;

    asbi_list_remove(&item->link);
    item->look.at = NULL;
    item->look.place = NULL;
    return item;
}

static void lack(struct taken *t)
{
    struct asb_engine *e = t->shelf->engine;
    struct asbi_item *item = let_go(t);

    taken_free(t);
    asbi_recall_lack(e, item);
}

/* All is here. */
static void give(struct taken *t)
{
    struct asb_engine *e = t->shelf->engine;
    struct asbi_json *json = t->shelf->json;
    struct asbi_item *item = t->item;
    const struct asbi_cache_key key = item->seat.flight->key;
    struct asbi_cache_answer answer = t->answer;
    struct asbi_buf text, record;
    bool given = false;

    asbi_buf_init(&text, &e->mem, ANSWER_MAX);
    asbi_buf_init(&record, &e->mem, 2 * ANSWER_MAX);
    if (!asbi_json_parse(json, answer.output.at, answer.output.len))
        asbi_shelf_write(json, &t->assets, &text);
    answer.output = asbi_buf_view(&text);
    if (text.len && !asbi_buf_failed(&text)) {
        asbi_cache_record_write(&record, &key, &answer);
        (void)let_go(t);
        given = !asbi_buf_failed(&record) &&
                asbi_recall_give(e, item, asbi_buf_view(&record), t->expires_ms,
                                 t->tier);
    }
    asbi_buf_fini(&text);
    asbi_buf_fini(&record);
    if (given)
        taken_free(t);
    else
        lack(t);
}

/* ---- fetching ----------------------------------------------------------- */

static void fetch_next(struct taken *t);

static void on_fetched(void *arg, const struct asbi_fetched *f)
{
    struct taken *t = arg;
    struct asbi_shelf_asset *asset = &t->assets.all[t->fetched];

    if (f->outcome == ASBI_FETCHED)
        asset->path =
            asbi_strndup(&t->shelf->engine->mem, f->path, strlen(f->path));
    asbi_fetch_free(t->fetch);
    t->fetch = NULL;
    if (!asset->path)
        lack(t);
    else if (++t->fetched == t->assets.count)
        give(t);
    else
        fetch_next(t);
}

static bool begin_fetch(struct taken *t)
{
    const struct asbi_shelf_asset *asset = &t->assets.all[t->fetched];
    struct asbi_shelf *s = t->shelf;
    struct asbi_buf url, name;

    asbi_buf_init(&url, &s->engine->mem, 8192);
    asbi_buf_init(&name, &s->engine->mem, NAME_BYTES);
    asbi_shelf_put_url(s, asset, &url);
    asbi_media_put_name(t->item->id.len ? t->item->id
                                        : asbi_str_c(asset->sha256),
                        t->fetched, &name);
    if (!asbi_buf_failed(&url) && !asbi_buf_failed(&name))
        t->fetch = asbi_fetch_new(&s->fetches, asbi_buf_view(&url),
                                  asbi_buf_view(&name),
                                  asbi_str_c(asset->sha256), on_fetched, t);
    if (t->fetch)
        asbi_fetch_expect(t->fetch, asset->sha256, asset->type);
    asbi_buf_fini(&url);
    asbi_buf_fini(&name);
    return t->fetch != NULL;
}

static void fetch_next(struct taken *t)
{
    if (!begin_fetch(t))
        lack(t);
}

/* ---- an answer was found ------------------------------------------------ */

static void forget_paths(struct taken *t)
{
    for (size_t i = 0; i < t->assets.count; i++) {
        asbi_free(&t->shelf->engine->mem, t->assets.all[i].path);
        t->assets.all[i].path = NULL;
    }
}

static struct taken *taken_new(struct asbi_shelf *s, struct asbi_item *item,
                               const struct asbi_cache_answer *answer)
{
    const struct asbi_mem *mem = &s->engine->mem;
    size_t len = answer->output.len;
    struct taken *t = asbi_calloc(mem, 1, sizeof(*t) + len);

    if (!t)
        return NULL;
    t->shelf = s;
    t->item = item;
    t->answer = *answer;
    t->answer.body = asbi_str_of("", 0);
    memcpy(t + 1, answer->output.at, len);
    t->answer.output = asbi_str_of((char *)(t + 1), len);
    asbi_list_append(&s->taken, &t->link);
    bool read = asbi_shelf_read(s->json, mem, t->answer.output, &t->assets);
    forget_paths(t); /* those of another machine */
    if (read && begin_fetch(t))
        return t;
    taken_free(t);
    return NULL;
}

bool asbi_shelf_take(struct asbi_shelf *s, struct asbi_item *item,
                     asbi_str record, uint64_t expires_ms, enum asbi_tier tier)
{
    struct asbi_cache_answer answer;

    if (!s->engine ||
        !asbi_cache_record_read(record, &item->seat.flight->key, &answer) ||
        answer.refused || !answer.output.len)
        return false;
    struct taken *t = taken_new(s, item, &answer);
    if (!t)
        return false;
    t->expires_ms = expires_ms;
    t->tier = tier;
    item->look.at = &s->looks;
    item->look.place = t;
    asbi_list_append(&s->engine->recall.looking, &item->link);
    return true;
}

static void forget(struct asbi_remote *looks, struct asbi_look *look)
{
    (void)looks;
    taken_free(look->place);
    look->at = NULL;
    look->place = NULL;
}

/* ---- birth and death ---------------------------------------------------- */

static const struct asbi_remote_ops look_ops = { .forget = forget };

static const char *token_of(void *shelf)
{
    const struct asbi_shelf *s = shelf;

    return asbi_cache_http_token_line(s->tier);
}

void asbi_shelf_take_init(struct asbi_shelf *s)
{
    struct asb_engine *e = s->engine;

    s->looks.ops = &look_ops;
    asbi_list_init(&s->taken);
    asbi_fetches_init(&s->fetches, e, e->media.place);
    s->fetches.sign = token_of;
    s->fetches.arg = s;
    s->fetches.foreign = true;
    s->fetches.most_tries = MOST_TRIES;
    s->fetches.patience_ns = e->config->cache_url_budget_ns;
}

void asbi_shelf_take_fini(struct asbi_shelf *s)
{
    struct asbi_link *link;

    while ((link = asbi_list_first(&s->taken)))
        taken_free(ASBI_OF(link, struct taken, link));
    asbi_fetches_fini(&s->fetches);
}

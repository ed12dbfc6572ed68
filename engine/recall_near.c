#include "engine/recall_near.h"

#include <string.h>

#include "cache/guards.h"
#include "cache/record.h"
#include "cache/skeleton.h"
#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/recall_keep.h"
#include "engine/recall_store.h"

/* A longer answer is no example for a short text. */
enum { LONGEST_EXAMPLE = 8192 };

/* ---- levels ----------------------------------------------------------- */

static enum asbi_reuse level_of(const struct asbi_config *c)
{
    static const struct {
        const char *name;
        enum asbi_reuse level;
    } levels[] = {
        { "off", ASBI_REUSE_OFF },
        { "hint", ASBI_REUSE_HINT },
        { "skeleton", ASBI_REUSE_SKELETON },
        { "verified", ASBI_REUSE_VERIFIED },
    };

    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (strcmp(c->reuse, levels[i].name) == 0)
            return levels[i].level;
    }
    return ASBI_REUSE_EXACT;
}

bool asbi_recall_shows_examples(const struct asbi_config *c)
{
    return level_of(c) >= ASBI_REUSE_HINT;
}

static int check_task(const struct asb_engine *e, const char *task,
                      struct asb_message *why)
{
    enum asbi_reuse level = e->recall.reuse;

    if (level == ASBI_REUSE_SKELETON && strcmp(task, "translate") != 0)
        return asbi_fail(why, ASB_ECONFIG,
                         "reuse: skeleton is for task translate; hint is for "
                         "all that share prompts");
    if (level == ASBI_REUSE_VERIFIED && strcmp(task, "classify") != 0)
        return asbi_fail(why, ASB_ECONFIG,
                         "reuse: verified is for task classify; hint is for "
                         "all that share prompts");
    /* A template would make all its items near to each other. */
    if (level == ASBI_REUSE_HINT &&
        (e->way != ASBI_PACKED || asbi_task_wants_fields(e->task)))
        return asbi_fail(why, ASB_ECONFIG,
                         "reuse: hint needs a task whose items share prompts "
                         "and no template: translate, classify or prompt");
    return ASB_OK;
}

int asbi_recall_near_init(struct asb_engine *e, const char *task,
                          struct asb_message *why)
{
    struct asbi_near_options o = {
        .max_bytes = e->config->near_memory_bytes,
        .threshold = e->config->near_threshold,
        .seed = asbi_rng_u64(&e->rng),
    };

    e->recall.reuse = level_of(e->config);
    int rc = check_task(e, task, why);
    if (rc || e->recall.reuse < ASBI_REUSE_HINT)
        return rc;
    return asbi_near_new(&e->mem, &o, &e->recall.near);
}

/* ---- taking over ------------------------------------------------------ */

/* Gives an item an answer that the task accepts for it. */
static bool take_over(struct asb_engine *e, struct asbi_item *item,
                      asbi_str output, const struct asb_usage *usage)
{
    struct asbi_verdict_on_item verdict = { .code = NULL };
    asbi_str accepted = output;

    asbi_task_check(e->task, item->text, item->max_length, output, false,
                    &accepted, &verdict);
    if (verdict.code)
        return false;
    char *copy = asbi_strndup(&e->mem, accepted.at, accepted.len);
    if (!copy)
        return false;
    asbi_item_answer(&e->mem, item, copy, accepted.len, false);
    item->source = ASB_NEAR;
    item->saved = asbi_price_call(&item->prices, usage);
    e->stats.saved_nano_usd += item->saved;
    e->stats.items_near++;
    return true;
}

/* ---- skeletons -------------------------------------------------------- */

/* False when the text has none.  Its key is in a room of its own, so that no
 * text can be taken for a skeleton. */
static bool skeleton_key(struct asb_engine *e, const struct asbi_item *item,
                         struct asbi_cache_key *key)
{
    struct asbi_recall *r = &e->recall;
    struct asbi_cache_key scope = r->scope;
    struct asbi_cache_item request = { .tenant = item->tenant,
                                       .payload = item->payload,
                                       .packed = item->packed,
                                       .max_length = item->max_length };

    scope.bytes[0] ^= 0xff;
    asbi_buf_clear(&e->scratch);
    if (!asbi_skeleton_put(&e->scratch, item->text))
        return false;
    request.text = asbi_buf_view(&e->scratch);
    asbi_buf_clear(&r->bytes);
    if (!asbi_cache_put_item(&r->bytes, &scope, &request, e->json) ||
        asbi_buf_failed(&r->bytes))
        return false;
    return asbi_cache_key_of(&r->hasher, asbi_buf_view(&r->bytes), key);
}

static bool find_skeleton(struct asb_engine *e,
                          const struct asbi_cache_key *key, asbi_str *record)
{
    struct asbi_recall *r = &e->recall;
    uint64_t now_ms = asbi_wall_ms(e->world), expires_ms = 0;
    struct asbi_memory_note note;

    if (r->memory && asbi_memory_get(r->memory, key, now_ms, record, &note))
        return true;
    if (!r->store)
        return false;
    asbi_buf_clear(&r->bytes);
    if (r->store->ops->get(r->store, key, now_ms, &r->bytes, &expires_ms) ||
        asbi_buf_failed(&r->bytes))
        return false;
    *record = asbi_buf_view(&r->bytes);
    return true;
}

/* The record's `body` is the text that its output translates. */
static bool answer_by_skeleton(struct asb_engine *e, struct asbi_item *item)
{
    struct asbi_cache_answer known;
    struct asbi_cache_key key;
    asbi_str record;

    if (!skeleton_key(e, item, &key) || !find_skeleton(e, &key, &record) ||
        !asbi_cache_record_read(record, &key, &known))
        return false;
    asbi_buf_clear(&e->scratch);
    if (!asbi_skeleton_fill(&e->scratch, item->text, known.body, known.output))
        return false;
    return take_over(e, item, asbi_buf_view(&e->scratch), &known.usage);
}

void asbi_recall_near_keep(struct asb_engine *e, const struct asbi_item *item)
{
    struct asbi_recall *r = &e->recall;
    struct asbi_cache_key key;
    struct asbi_cache_answer answer = {
        .output = asbi_str_of(item->output, item->output_len),
        .body = item->text,
        .usage = item->usage,
        .cost_nano_usd = item->cost,
    };

    if (r->reuse != ASBI_REUSE_SKELETON || item->payload != ASB_TEXT ||
        item->output_is_json || !skeleton_key(e, item, &key))
        return;
    (void)asbi_recall_keep_answer(e, item, &key, &answer, true);
}

/* ---- near texts ------------------------------------------------------- */

struct best {
    struct asbi_near_match match;
    bool found;
};

static bool keep_best(void *arg, const struct asbi_near_match *m)
{
    struct best *b = arg;

    if (m->output.at && m->output.len <= LONGEST_EXAMPLE &&
        (!b->found || m->similarity > b->match.similarity)) {
        b->match = *m;
        b->found = true;
    }
    return true;
}

static bool guards_pass(const struct asb_engine *e,
                        const struct asbi_item *item,
                        const struct asbi_near_match *m)
{
    if (e->recall.reuse != ASBI_REUSE_VERIFIED)
        return false;
    /* Words may differ: how often that matters is what the trial finds out. */
    return (asbi_guards_differences(item->text, m->text) &
            ~(unsigned)ASBI_DIFFERS_WORDS) == 0;
}

/* What the call would have taken, as far as is known. */
static struct asb_usage usage_of(const struct asb_engine *e,
                                 const struct asbi_item *item)
{
    struct asb_usage usage = {
        .input_tokens = (uint64_t)item->input_estimate,
        .output_tokens = asbi_lane_expect_output(e->lane, item->input_estimate),
    };

    return usage;
}

static void keep_example(struct asb_engine *e, struct asbi_item *item,
                         const struct asbi_near_match *m, bool guesses)
{
    size_t bytes = sizeof(struct asbi_kin) + m->text.len + m->output.len;
    struct asbi_kin *kin = asbi_alloc(&e->mem, bytes);

    if (!kin)
        return; /* then it is asked without */
    char *at = (char *)(kin + 1);
    memcpy(at, m->text.at, m->text.len);
    memcpy(at + m->text.len, m->output.at, m->output.len);
    *kin = (struct asbi_kin){
        .text = asbi_str_of(at, m->text.len),
        .output = asbi_str_of(at + m->text.len, m->output.len),
        .tokens = asbi_count_tokens(&e->lane->counter, m->text) +
                  asbi_count_tokens(&e->lane->counter, m->output),
        .guesses = guesses,
    };
    asbi_free(&e->mem, item->kin);
    item->kin = kin;
    item->bytes += bytes;
    e->held_bytes += bytes;
}

/* True when the item is answered. */
static bool use_best(struct asb_engine *e, struct asbi_item *item,
                     const struct asbi_near_match *m)
{
    struct asb_usage usage = usage_of(e, item);
    bool guesses = guards_pass(e, item, m);

    if (guesses && asbi_trial_takes(&e->recall.trial, asbi_rng_unit(&e->rng)) &&
        take_over(e, item, m->output, &usage))
        return true;
    keep_example(e, item, m, guesses);
    return false;
}

bool asbi_recall_near_ask(struct asb_engine *e, struct asbi_item *item)
{
    struct asbi_recall *r = &e->recall;
    struct best best = { .found = false };
    uint64_t seed;

    if (!r->near || !item->packed || item->near_number)
        return false;
    if (r->reuse == ASBI_REUSE_SKELETON && answer_by_skeleton(e, item))
        return true;
    memcpy(&seed, r->scope.bytes, sizeof(seed));
    uint64_t space = asbi_hash64(item->tenant.at, item->tenant.len, seed);
    if (!asbi_near_look(r->near, space, item->text))
        return false;
    asbi_near_each(r->near, keep_best, &best);
    if (best.found && use_best(e, item, &best.match))
        return true;
    item->near_number = asbi_near_add(r->near, item->number);
    return false;
}

void asbi_recall_near_settle(struct asb_engine *e, struct asbi_item *item)
{
    struct asbi_recall *r = &e->recall;
    asbi_str output = asbi_str_of(item->output, item->output_len);

    if (!item->near_number)
        return;
    if (item->ok && !item->cut_short && !asbi_routes_stood_in(e, item->lane) &&
        !item->output_is_json)
        asbi_near_answer(r->near, item->near_number, output);
    else
        asbi_near_drop(r->near, item->near_number);
    if (item->ok && item->kin && item->kin->guesses)
        asbi_trial_note(&r->trial, asbi_str_eq(output, item->kin->output));
}

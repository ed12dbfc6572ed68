#include "engine/learned.h"

#include <stdio.h>

#include "engine/api_options.h"
#include "engine/base/hash.h"
#include "engine/real/file.h"
#include "scheduler/learned.h"

struct names {
    char lane[ASBI_LEARNED_MAX_NAME], kind[2 * ASBI_LEARNED_MAX_NAME];
};

/* The embedded simulator has another port each time, and none in a plan. */
static asbi_str without_port(asbi_str url)
{
    static const asbi_str local = { "http://127.0.0.1:", 17 };

    return url.len == 0 || asbi_str_starts(url, local) ? local : url;
}

/* An address may hold a secret: only its hash is told. */
static void find_names(const struct asb_options *options, struct names *out)
{
    const struct asbi_config *c = &options->values;
    struct asbi_provider provider;
    asbi_str url = asbi_str_c(c->base_url);

    if (!url.len && asbi_catalogue_provider(options, c->provider, &provider,
                                            NULL) == ASB_OK)
        url = asbi_str_c(provider.base_url);
    url = without_port(url);
    (void)snprintf(out->lane, sizeof(out->lane), "%s %016llx %s", c->provider,
                   (unsigned long long)asbi_hash64(url.at, url.len, 0),
                   c->model);
    (void)snprintf(out->kind, sizeof(out->kind), "%s %s %s>%s%s", out->lane,
                   asbi_engine_task(c), c->source_lang, c->target_lang,
                   c->tokenizer[0] ? " counted" : "");
}

void asbi_learned_recall(const struct asb_options *options,
                         const struct asbi_mem *mem, asbi_str text,
                         struct asbi_recalled *out)
{
    struct asbi_json *json = asbi_json_new(mem, ASBI_LEARNED_MAX_BYTES + 64);
    struct names names = { .lane = "" };

    *out = (struct asbi_recalled){ .has_lane = false };
    if (!json)
        return;
    find_names(options, &names);
    out->has_lane =
        asbi_learned_find_lane(text, asbi_str_c(names.lane), json, &out->lane);
    out->has_kind =
        asbi_learned_find_kind(text, asbi_str_c(names.kind), json, &out->kind);
    asbi_json_free(json);
}

/* What the user or the first answer says is better known. */
static void recall_limit(struct asbi_bucket *b, uint64_t configured,
                         double per_minute)
{
    if (!configured && per_minute >= 1)
        asbi_bucket_limit(b, (uint64_t)per_minute);
}

/* A limit that neither options nor catalogue gave: the provider told it. */
static double told_limit(const struct asbi_bucket *b, uint64_t configured,
                         uint64_t of_model)
{
    bool told = !configured && b->published != (double)of_model;

    return told ? b->published : 0;
}

void asbi_learned_start(struct asbi_lane *lane, const struct asbi_recalled *r)
{
    const struct asbi_config *c = lane->config;

    if (r->has_lane) {
        asbi_limiter_recall(&lane->limiter, r->lane.in_flight,
                            r->lane.slow_start);
        lane->latency = r->lane.latency;
        lane->law = r->lane.law;
        asbi_lane_recall_lacks(lane, r->lane.lacks);
        lane->failed = r->lane.failed;
        lane->cut = r->lane.cut;
        recall_limit(&lane->requests, c->requests_per_minute, r->lane.requests);
        recall_limit(&lane->tokens, c->tokens_per_minute, r->lane.tokens);
    }
    if (r->has_kind) {
        lane->input_calibration = r->kind.input;
        lane->input_calibration.exact = lane->counter.exact != NULL;
        lane->output_ratio = r->kind.output;
        lane->sizing = r->kind.sizing;
        lane->bad = r->kind.bad;
    }
    asbi_lane_refresh(lane);
}

static void put_lane(const struct asbi_lane *l,
                     const struct asb_options *options, struct asbi_buf *lines)
{
    struct asbi_learned_lane lane = { .in_flight = l->limiter.fixed
                                                       ? 0
                                                       : l->limiter.limit,
                                      .slow_start = l->limiter.slow_start,
                                      .latency = l->latency,
                                      .law = l->law,
                                      .failed = l->failed,
                                      .cut = l->cut,
                                      .lacks = l->lacks };
    struct asbi_learned_kind kind = { .input = l->input_calibration,
                                      .output = l->output_ratio,
                                      .sizing = l->sizing,
                                      .bad = l->bad };
    struct names names = { .lane = "" };

    lane.requests = told_limit(&l->requests, l->config->requests_per_minute,
                               l->model.requests_per_minute);
    lane.tokens = told_limit(&l->tokens, l->config->tokens_per_minute,
                             l->model.tokens_per_minute);
    find_names(options, &names);
    if (l->latency.samples)
        asbi_learned_put_lane(lines, asbi_str_c(names.lane), &lane);
    if (l->input_calibration.calls)
        asbi_learned_put_kind(lines, asbi_str_c(names.kind), &kind);
}

void asbi_learned_collect(const struct asb_engine *e, asbi_str text,
                          struct asbi_buf *out)
{
    struct asbi_buf lines;

    asbi_buf_init(&lines, out->mem, ASBI_LEARNED_MAX_BYTES / 4);
    for (size_t i = 0; i < e->routes.count; i++)
        put_lane(e->routes.lanes[i], i ? e->routes.options[i] : e->options,
                 &lines);
    asbi_learned_merge(out, asbi_buf_view(&lines), text);
    out->failed = out->failed || asbi_buf_failed(&lines);
    asbi_buf_fini(&lines);
}

/* ---- the file ----------------------------------------------------------- */

/* An empty text when there is none yet, or none to be believed.  Whether the
 * file may be written over: what is not ours is not. */
static bool read_file(const char *path, const struct asbi_log *log,
                      struct asbi_buf *out)
{
    struct asb_message why = { "" };
    bool ours = true;

    if (!asbi_file_exists(path))
        return true;
    if (asbi_read_file(path, "state", out, &why) != ASB_OK) {
        asbi_log(log, ASB_LOG_WARN, "%s; going on without it", why.text);
        ours = false;
    } else if (!asbi_learned_is_ours(asbi_buf_view(out))) {
        asbi_log(log, ASB_LOG_WARN,
                 "state: \"%.300s\" holds something else; it is left as it is "
                 "and nothing that is learned is kept; name another by --state",
                 path);
        ours = false;
    } else if (out->len && !asbi_learned_is_sound(asbi_buf_view(out))) {
        asbi_log(log, ASB_LOG_WARN,
                 "state: \"%.300s\" is damaged or of another version; going on "
                 "without it",
                 path);
    } else {
        return true;
    }
    asbi_buf_clear(out);
    return ours;
}

void asbi_learned_load(const struct asb_options *options,
                       const struct asbi_mem *mem, const struct asbi_log *log,
                       struct asbi_recalled *out)
{
    const char *path = options->values.state;
    struct asbi_buf text;

    *out = (struct asbi_recalled){ .has_lane = false };
    if (!path[0])
        return;
    asbi_buf_init(&text, mem, ASBI_LEARNED_MAX_BYTES);
    (void)read_file(path, log, &text);
    asbi_learned_recall(options, mem, asbi_buf_view(&text), out);
    asbi_buf_fini(&text);
}

/* The one warning about a damaged file was given at the start. */
static const struct asbi_log silent;

/* With the file locked. */
static int write_file(const struct asb_engine *e, struct asb_message *why)
{
    struct asbi_buf old, text;
    int rc = ASB_OK;

    asbi_buf_init(&old, &e->mem, ASBI_LEARNED_MAX_BYTES);
    asbi_buf_init(&text, &e->mem, ASBI_LEARNED_MAX_BYTES);
    if (read_file(e->config->state, &silent, &old)) {
        asbi_learned_collect(e, asbi_buf_view(&old), &text);
        rc = asbi_buf_failed(&text)
                 ? ASB_ENOMEM
                 : asbi_file_replace(e->config->state, asbi_buf_view(&text),
                                     why);
    }
    asbi_buf_fini(&old);
    asbi_buf_fini(&text);
    return rc;
}

void asbi_learned_start_others(struct asb_engine *e)
{
    struct asbi_recalled recalled;

    for (size_t i = 1; i < e->routes.count; i++) {
        asbi_learned_load(e->routes.options[i], &e->mem, &silent, &recalled);
        asbi_learned_start(e->routes.lanes[i], &recalled);
    }
}

void asbi_learned_save(struct asb_engine *e)
{
    struct asb_message why = { "" };
    int lock = -1;

    if (!e->config || !e->lane || !e->config->state[0] || e->stats.calls == 0)
        return;
    int rc = asbi_file_lock_beside(e->config->state, &lock, &why);
    if (!rc)
        rc = write_file(e, &why);
    if (rc)
        asbi_log(&e->log, ASB_LOG_WARN,
                 "state: what was learned is not kept: %s",
                 why.text[0] ? why.text : asb_strerror(rc));
    asbi_file_unlock(lock);
}

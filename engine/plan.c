#include "engine/plan.h"

#include <string.h>

#include "adapters/format.h"
#include "config/options.h"
#include "engine/base/units.h"
#include "engine/hooks.h"
#include "engine/material.h"

enum { REPORT_BYTES = 1 << 20 };

/* Where virtual calls go; nothing ever leaves the process. */
static const char nowhere[] = ASBI_PLAN_NOWHERE;

static void init(struct asb_plan *p, const struct asbi_mem *mem,
                 const struct asbi_log *log)
{
    p->mem = *mem;
    p->log = *log;
    asbi_buf_init(&p->scratch, &p->mem, REPORT_BYTES);
    asbi_buf_init(&p->table, &p->mem, REPORT_BYTES);
    asbi_buf_init(&p->json, &p->mem, REPORT_BYTES);
}

/* The first run warns as a job would, and the others are silent. */
static int make_runs(struct asb_plan *p, struct asb_message *why)
{
    uint64_t seed = p->options->values.seed;
    struct asbi_material material;
    int rc = asbi_material_load_texts(&material, p->options, &p->mem, why);

    p->counter.exact = asbi_tokenizer_ref(material.tokenizer);
    while (!rc && p->run_count < ASBI_PLAN_RUNS) {
        rc = asbi_plan_run_new(p, seed + p->run_count, &material.task,
                               &p->runs[p->run_count], why);
        p->run_count += !rc;
        p->log = (struct asbi_log){ NULL, NULL };
    }
    asbi_material_fini(&material);
    return rc;
}

/* By insertion: there are few. */
static void sort_runs(struct asb_plan *p)
{
    for (size_t i = 1; i < p->run_count; i++) {
        struct asbi_plan_run *run = p->runs[i];
        size_t at = i;

        for (; at > 0 && asbi_plan_run_seconds(run) <
                             asbi_plan_run_seconds(p->runs[at - 1]);
             at--)
            p->runs[at] = p->runs[at - 1];
        p->runs[at] = run;
    }
}

/* One run's length is as much luck as the next one's: of those in the middle,
 * the mean. */
static double usual_seconds(const struct asb_plan *p)
{
    size_t from = p->run_count / 4, to = p->run_count - from;
    double sum = 0;

    for (size_t i = from; i < to; i++)
        sum += asbi_plan_run_seconds(p->runs[i]);
    return sum / (double)(to - from);
}

static int play(struct asb_plan *p, struct asb_message *why)
{
    int rc = asbi_plan_read(p, why);

    for (size_t i = 0; !rc && i < p->run_count; i++)
        rc = asbi_plan_run_down(p->runs[i]);
    if (rc)
        return rc;
    sort_runs(p);
    p->usual = p->runs[p->run_count / 2];
    p->seconds = usual_seconds(p);
    p->seconds_low = asbi_plan_run_seconds(p->runs[0]);
    p->seconds_high = asbi_plan_run_seconds(p->runs[p->run_count - 1]);
    return ASB_OK;
}

static int make(struct asb_plan *p, const struct asb_options *options,
                struct asb_message *why)
{
    int rc = asb_options_check(options, why);

    if (rc)
        return rc;
    p->options = asbi_options_copy(options, &p->mem);
    if (!p->options)
        return ASB_ENOMEM;
    rc = asbi_route_read(options, 0, &p->mem, &p->first, why);
    if (rc)
        return rc;
    asbi_learned_load(p->first.options, &p->mem, &p->log, &p->recalled);
    rc = asb_options_set(p->options, "base_url", nowhere, ASB_FROM_HOST, why);
    if (!rc)
        rc = asb_options_set(p->options, "budget_alerts", "none", ASB_FROM_HOST,
                             why);
    if (!rc)
        rc = asbi_plan_provider(p, why);
    if (!rc)
        rc = make_runs(p, why);
    if (!rc)
        rc = play(p, why);
    return rc ? rc : asbi_plan_report(p);
}

int asb_plan_new(const struct asb_options *options,
                 const struct asb_hooks *hooks, struct asb_plan **out,
                 struct asb_message *why)
{
    struct asb_hooks known;
    struct asbi_mem mem;
    struct asbi_log log;

    if (!options || !out)
        return ASB_EINVAL;
    *out = NULL;
    if (why)
        why->text[0] = '\0';
    int rc = asbi_hooks_take(hooks, &known, &mem, &log, why);
    if (rc)
        return rc;
    struct asb_plan *p = asbi_calloc(&mem, 1, sizeof(*p));
    if (!p)
        return ASB_ENOMEM;
    init(p, &mem, &log);
    rc = make(p, options, why);
    if (rc) {
        asb_plan_free(p);
        return rc;
    }
    *out = p;
    return ASB_OK;
}

void asb_plan_free(struct asb_plan *p)
{
    if (!p)
        return;
    struct asbi_mem mem = p->mem;

    while (p->run_count)
        asbi_plan_run_free(p->runs[--p->run_count]);
    asbi_tokenizer_unref(p->counter.exact);
    asbi_reader_free(p->reader);
    asbi_seen_free(p->seen);
    asbi_buf_fini(&p->scratch);
    asbi_buf_fini(&p->table);
    asbi_buf_fini(&p->json);
    asb_options_free(p->options);
    asbi_route_fini(&p->first);
    asbi_free(&mem, p);
}

void asb_plan_get(const struct asb_plan *p, struct asb_forecast *forecast)
{
    const struct asbi_plan_run *run = p->usual;
    struct asb_stats s = { .size = sizeof(s) };
    struct asb_forecast f = { .rows = p->rows,
                              .rows_bad = p->rows_bad,
                              .rows_answered = p->rows_answered,
                              .seconds = p->seconds,
                              .seconds_low = p->seconds_low,
                              .seconds_high = p->seconds_high };
    size_t size = forecast->size < sizeof(f) ? forecast->size : sizeof(f);

    asb_engine_stats(run->engine, &s);
    f.size = size;
    f.items_ok = s.items_ok;
    f.items_failed = s.items_failed;
    f.calls = s.calls;
    f.input_tokens = s.input_tokens;
    f.cached_tokens = s.cached_tokens;
    f.output_tokens = s.output_tokens;
    f.cost_nano_usd = s.cost_nano_usd;
    for (size_t i = 0; i < run->kind_count; i++)
        f.cost_worst_nano_usd += run->kinds[i]->worst;
    f.concurrency_max = s.in_flight_max;
    f.halt = s.halt;
    for (size_t i = 0; i < run->engine->routes.count; i++) {
        const struct asbi_lane *lane = run->engine->routes.lanes[i];

        f.price_unknown =
            f.price_unknown || (!lane->model.priced && !lane->provider.free);
    }
    memcpy(forecast, &f, size);
}

struct asb_bytes asb_plan_text(const struct asb_plan *p,
                               enum asb_plan_format format)
{
    asbi_str text =
        asbi_buf_view(format == ASB_PLAN_JSON ? &p->json : &p->table);

    return (struct asb_bytes){ text.at, text.len };
}

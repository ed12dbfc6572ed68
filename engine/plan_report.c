/*
 * plan_report.c -- a plan in words: one JSON object for programs, a table for
 * people.  Both say the same.
 */
#include "engine/plan.h"

#include <math.h>

#include "engine/base/json.h"
#include "engine/base/json_members.h"
#include "engine/base/units.h"
#include "engine/report_routes.h"

static const char *const class_names[] = { [ASB_NORMAL] = "normal",
                                           [ASB_URGENT] = "urgent",
                                           [ASB_BACKGROUND] = "background" };

static const char *const scale_names[ASBI_SCALES] = {
    [ASBI_SCALE_NONE] = "number of items",
    [ASBI_SCALE_ITEMS] = "count cap",
    [ASBI_SCALE_INPUT] = "context",
    [ASBI_SCALE_OUTPUT] = "output cap",
    [ASBI_SCALE_BYTES] = "memory",
    [ASBI_SCALE_COST] = "cost of a call",
    [ASBI_SCALE_TIME] = "target time",
    [ASBI_SCALE_MEDIA] = "length of media",
};

static const char *const pace_names[ASBI_PLAN_PACES] = {
    [ASBI_GATE_OPEN] = "latency",
    [ASBI_GATE_BLOCKED] = "provider's waits",
    [ASBI_GATE_BREAKER] = "provider's failures",
    [ASBI_GATE_CONCURRENCY] = "concurrency",
    [ASBI_GATE_RATE] = "rate limit",
    [ASBI_GATE_PACE] = "pace of the budget",
    [ASBI_GATE_BUDGET] = "budget",
    [ASBI_PLAN_LATENCY] = "latency",
};

/* ---- what bounds it --------------------------------------------------- */

static size_t largest(const uint64_t *n, size_t count)
{
    size_t at = 0;

    for (size_t i = 1; i < count; i++) {
        if (n[i] > n[at])
            at = i;
    }
    return at;
}

static const char *batch_limit(const struct asb_plan *p)
{
    return scale_names[largest(p->usual->bound, ASBI_SCALES)];
}

static size_t slowest(const struct asb_plan *p)
{
    return largest(p->usual->paced_ns, ASBI_PLAN_PACES);
}

/* What to change first: what held the run up for most of the time, else what
 * kept the calls small. */
static const char *binding_limit(const struct asb_plan *p)
{
    size_t pace = slowest(p), scale = largest(p->usual->bound, ASBI_SCALES);

    if (pace == ASBI_PLAN_LATENCY && scale != ASBI_SCALE_NONE)
        return scale_names[scale];
    return pace_names[pace];
}

/* ---- JSON ------------------------------------------------------------- */

static void put_way(struct asbi_buf *b, const char *key,
                    const struct asbi_way *way)
{
    asbi_json_put_key(b, key);
    asbi_buf_char(b, '{');
    asbi_member_u64(b, "calls", way->calls);
    asbi_member_usd(b, "cost_usd", way->cost);
    asbi_member_rounded(b, "seconds", way->seconds);
    asbi_buf_char(b, '}');
}

static void put_ways(struct asbi_buf *b, const struct asbi_plan_kind *k,
                     const struct asbi_plan_ways *w)
{
    asbi_json_put_key(b, "ways");
    asbi_buf_char(b, '{');
    if (k->packed)
        put_way(b, "packed", &w->packed);
    put_way(b, "single", &w->single);
    asbi_json_put_key(b, "native_batch");
    asbi_buf_char(b, '{');
    asbi_buf_fmt(b, "\"offered\":%s", w->native_offered ? "true" : "false");
    asbi_member_usd(b, "cost_usd", w->native.cost);
    asbi_member_rounded(b, "seconds_at_most", w->native.seconds);
    asbi_buf_c(b, "}}");
}

static void put_benefit(struct asbi_buf *b, const struct asbi_benefit *f)
{
    asbi_member_text(b, "recommendation",
                     asbi_str_c(asbi_advice_name(f->advice)));
    asbi_member_rounded(b, "benefit_ratio", f->ratio);
    asbi_member_text(b, "ratio_of",
                     asbi_str_c(f->by_time ? "seconds" : "cost"));
    asbi_member_usd(b, "savings_usd", f->savings);
    asbi_member_text(b, "risk", asbi_str_c(asbi_risk_name(f->risk)));
    asbi_member_usd(b, "blast_radius_usd", f->blast);
}

static void put_kind(struct asbi_buf *b, const struct asb_plan *p,
                     const struct asbi_plan_kind *k)
{
    struct asbi_plan_ways ways;

    asbi_plan_ways(p, k, &ways);
    asbi_buf_char(b, '{');
    asbi_member_text(b, "class", asbi_str_c(class_names[k->priority]));
    asbi_member_text(b, "tenant", k->tenant);
    asbi_member_text(b, "way", asbi_str_c(k->packed ? "packed" : "single"));
    asbi_member_u64(b, "calls_in_native_batches", k->native_calls);
    asbi_member_u64(b, "items", k->items);
    asbi_member_u64(b, "calls", k->calls);
    asbi_member_usd(b, "cost_usd", k->cost);
    put_benefit(b, &ways.benefit);
    put_ways(b, k, &ways);
    asbi_buf_char(b, '}');
}

static void put_limits(struct asbi_buf *b, const struct asb_plan *p,
                       const struct asb_stats *s)
{
    asbi_member_text(b, "binding_limit", asbi_str_c(binding_limit(p)));
    asbi_member_text(b, "batch_limit", asbi_str_c(batch_limit(p)));
    asbi_member_text(b, "pace_limit", asbi_str_c(pace_names[slowest(p)]));
    asbi_member_u64(b, "concurrency_max", s->in_flight_max);
    asbi_json_put_key(b, "stops_early");
    if (s->halt)
        asbi_json_put_string(b, asbi_str_c(s->halt_reason));
    else if (p->usual->failed_fast)
        asbi_json_put_string(b, ASBI_STR("an item fails (--fail-fast)"));
    else
        asbi_buf_c(b, "null");
}

static void put_counts(struct asbi_buf *b, const struct asb_forecast *f,
                       const struct asb_stats *s)
{
    asbi_member_u64(b, "items", f->rows);
    asbi_member_u64(b, "items_bad", f->rows_bad);
    asbi_member_u64(b, "items_answered_before", f->rows_answered);
    asbi_member_u64(b, "items_ok", f->items_ok);
    asbi_member_u64(b, "items_failed", f->items_failed);
    asbi_member_u64(b, "batches", s->batches);
    asbi_member_u64(b, "calls", f->calls);
    asbi_member_ratio(b, "batch_items_mean", (double)s->batch_items,
                      (double)s->batches);
    asbi_member_u64(b, "input_tokens", f->input_tokens);
    asbi_member_u64(b, "cached_tokens", f->cached_tokens);
    asbi_member_u64(b, "output_tokens", f->output_tokens);
    asbi_json_put_key(b, "price_known");
    asbi_buf_c(b, f->price_unknown ? "false" : "true");
    asbi_member_usd(b, "cost_usd", f->cost_nano_usd);
    asbi_member_usd(b, "cost_worst_usd", f->cost_worst_nano_usd);
    asbi_member_rounded(b, "elapsed_seconds", f->seconds);
    asbi_member_rounded(b, "elapsed_seconds_low", f->seconds_low);
    asbi_member_rounded(b, "elapsed_seconds_high", f->seconds_high);
    asbi_member_ratio(b, "items_per_sec", (double)f->items_ok, f->seconds);
}

static void put_json(const struct asb_plan *p, const struct asb_forecast *f,
                     const struct asb_stats *s, struct asbi_buf *b)
{
    const struct asb_engine *e = p->usual->engine;

    asbi_buf_char(b, '{');
    asbi_member_text(b, "provider", asbi_str_c(e->config->provider));
    asbi_member_text(b, "model",
                     asbi_str_c(p->usual->engine->lane->model.name));
    put_counts(b, f, s);
    put_limits(b, p, s);
    asbi_report_put_routes(b, e);
    asbi_json_put_key(b, "kinds");
    asbi_buf_char(b, '[');
    for (size_t i = 0; i < p->usual->kind_count; i++) {
        if (i)
            asbi_buf_char(b, ',');
        put_kind(b, p, p->usual->kinds[i]);
    }
    asbi_buf_c(b, "]}\n");
}

/* ---- the table -------------------------------------------------------- */

static void say_seconds(struct asbi_buf *b, double seconds)
{
    double ns = seconds * 1e9;

    asbi_format_duration(b, ns < 1e18 ? (uint64_t)ns : (uint64_t)1e18);
}

static void say_label(struct asbi_buf *b, const char *label)
{
    asbi_buf_fmt(b, "  %-14s ", label);
}

static void say_count(struct asbi_buf *b, const char *label, uint64_t n)
{
    say_label(b, label);
    asbi_format_count(b, n);
}

/* So many of them; nothing when there are none. */
static void say_some(struct asbi_buf *b, uint64_t n, const char *which)
{
    if (!n)
        return;
    asbi_buf_c(b, ", ");
    asbi_format_count(b, n);
    asbi_buf_c(b, which);
}

static void say_items(struct asbi_buf *b, const struct asb_forecast *f)
{
    say_count(b, "items", f->rows);
    say_some(b, f->rows_bad, " of them bad: reported, not sent");
    say_some(b, f->rows_answered, " answered already");
    say_some(b, f->items_failed, " without an answer");
    asbi_buf_char(b, '\n');
}

static void say_tokens(struct asbi_buf *b, const struct asb_forecast *f)
{
    say_count(b, "input tokens", f->input_tokens);
    say_some(b, f->cached_tokens, " of them from the prompt cache");
    asbi_buf_char(b, '\n');
    say_count(b, "output tokens", f->output_tokens);
    asbi_buf_char(b, '\n');
}

static void say_cost(struct asbi_buf *b, const struct asb_forecast *f)
{
    say_label(b, "cost");
    if (f->price_unknown) {
        asbi_buf_c(b, "unknown: the catalogue has no price of this model\n");
        return;
    }
    asbi_format_usd(b, f->cost_nano_usd);
    asbi_buf_c(b, ", at most ");
    asbi_format_usd(b, f->cost_worst_nano_usd);
    asbi_buf_char(b, '\n');
}

static double per(double a, double b)
{
    return b > 0 ? a / b : 0;
}

static void say_pace(struct asbi_buf *b, double items)
{
    asbi_buf_c(b, ", ");
    if (items < 100)
        asbi_buf_fmt(b, "%.3g", items);
    else
        asbi_format_count(b, (uint64_t)(fmin(items, 1e15) + 0.5));
    asbi_buf_c(b, " items a second");
}

static void say_time(struct asbi_buf *b, const struct asb_plan *p,
                     const struct asb_forecast *f)
{
    say_label(b, "time");
    say_seconds(b, f->seconds);
    if (f->seconds_high > f->seconds_low) {
        asbi_buf_c(b, " (by luck ");
        say_seconds(b, f->seconds_low);
        asbi_buf_c(b, " to ");
        say_seconds(b, f->seconds_high);
        asbi_buf_char(b, ')');
    }
    say_pace(b, per((double)f->items_ok, f->seconds));
    asbi_buf_fmt(b, ", at most %u calls at once\n", f->concurrency_max);
    say_label(b, "bound by");
    asbi_buf_fmt(b, "%s; size of calls by %s, pace by %s\n", binding_limit(p),
                 batch_limit(p), pace_names[slowest(p)]);
}

static void say_way(struct asbi_buf *b, const char *name,
                    const struct asbi_way *way, const char *prefix,
                    const char *suffix)
{
    asbi_buf_fmt(b, "    %-14s%9ju calls  ", name, (uintmax_t)way->calls);
    asbi_format_usd(b, way->cost);
    asbi_buf_fmt(b, "  %s", prefix);
    say_seconds(b, way->seconds);
    asbi_buf_fmt(b, "%s\n", suffix);
}

static void say_benefit(struct asbi_buf *b, const struct asbi_benefit *f)
{
    asbi_buf_fmt(b, "%s, as one by one takes %.2f times the %s",
                 asbi_advice_name(f->advice), f->ratio,
                 f->by_time ? "time" : "money");
    asbi_buf_fmt(b, "; risk %s, ", asbi_risk_name(f->risk));
    asbi_format_usd(b, f->blast);
    asbi_buf_c(b, " at stake in one call");
}

/* Why it is asked that way, or not. */
static const char *native_note(const struct asb_plan *p,
                               const struct asbi_plan_kind *k,
                               const struct asbi_plan_ways *ways)
{
    if (k->native_calls)
        return ", chosen: the deadline allows it, or it is forced";
    if (!ways->native_offered)
        return ", not offered here";
    return p->options->values.deadline_ns
               ? ", not chosen: the deadline is too near"
               : ", not chosen: name a --deadline of more than a day for it";
}

static void say_kind(struct asbi_buf *b, const struct asb_plan *p,
                     const struct asbi_plan_kind *k)
{
    struct asbi_plan_ways ways;

    asbi_plan_ways(p, k, &ways);
    asbi_buf_c(b, "\n  ");
    asbi_format_count(b, k->items);
    asbi_buf_fmt(b, " items, class %s", class_names[k->priority]);
    if (k->tenant.len) {
        asbi_buf_c(b, ", tenant ");
        asbi_json_put_string(b, k->tenant);
    }
    asbi_buf_c(b, ": ");
    if (k->packed)
        say_benefit(b, &ways.benefit);
    else
        asbi_buf_c(b, "each is a call of its own by its form");
    asbi_buf_char(b, '\n');
    if (k->packed)
        say_way(b, "packed", &ways.packed, "", "");
    say_way(b, "single", &ways.single, "", k->packed ? ", reckoned" : "");
    if (p->usual->engine->way == ASBI_JOB)
        return;
    say_way(b, "native batch", &ways.native, "up to ",
            native_note(p, k, &ways));
}

/* Which of several lanes is thought to do how much. */
static void say_routes(struct asbi_buf *b, const struct asb_plan *p)
{
    const struct asb_engine *e = p->usual->engine;
    struct asb_route r = { .size = sizeof(r) };

    if (e->routes.count < 2)
        return;
    asbi_buf_char(b, '\n');
    for (size_t i = 0; asb_engine_route(e, i, &r); i++) {
        asbi_buf_fmt(b, "  lane %-32s %9ju calls %9ju items  ", r.name,
                     (uintmax_t)r.calls, (uintmax_t)r.items);
        asbi_format_usd(b, r.cost_nano_usd);
        if (r.weight)
            asbi_buf_fmt(b, ", weight %u\n", r.weight);
        else
            asbi_buf_c(b, ", takes over if need be\n");
    }
}

static void put_table(const struct asb_plan *p, const struct asb_forecast *f,
                      const struct asb_stats *s, struct asbi_buf *b)
{
    const struct asbi_config *c = &p->options->values;

    asbi_buf_fmt(
        b, "Plan for %s with %s of %s; nothing was sent\n\n",
        c->input[0] == '-' && !c->input[1] ? "standard input" : c->input,
        p->usual->engine->lane->model.name, p->usual->engine->config->provider);
    say_items(b, f);
    say_count(b, "batches", s->batches);
    asbi_buf_fmt(b, ", %.1f items each\n",
                 per((double)s->batch_items, (double)s->batches));
    say_count(b, "calls", f->calls);
    asbi_buf_char(b, '\n');
    say_tokens(b, f);
    say_cost(b, f);
    say_time(b, p, f);
    if (s->halt)
        asbi_buf_fmt(b, "  %-14s %s\n", "stops early", s->halt_reason);
    else if (p->usual->failed_fast)
        asbi_buf_fmt(b, "  %-14s %s\n", "stops early",
                     "an item fails (--fail-fast)");
    say_routes(b, p);
    for (size_t i = 0; i < p->usual->kind_count; i++)
        say_kind(b, p, p->usual->kinds[i]);
}

int asbi_plan_report(struct asb_plan *p)
{
    struct asb_forecast forecast = { .size = sizeof(forecast) };
    struct asb_stats stats = { .size = sizeof(stats) };

    asb_plan_get(p, &forecast);
    asb_engine_stats(p->usual->engine, &stats);
    put_json(p, &forecast, &stats, &p->json);
    put_table(p, &forecast, &stats, &p->table);
    return asbi_buf_cstr(&p->json) && asbi_buf_cstr(&p->table) ? ASB_OK
                                                               : ASB_ENOMEM;
}

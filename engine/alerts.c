#include "engine/alerts.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/base/json_members.h"
#include "engine/base/units.h"
#include "engine/engine.h"

enum { MAX_BODY = 4096, MAX_ANSWER = 1 << 20 };

static const char *const headers[] = { "Content-Type: application/json", NULL };

/* ---- the message ------------------------------------------------------ */

static void on_end(struct asbi_exchange *x, const struct asbi_exchange_end *end)
{
    struct asbi_alerts *a = ASBI_OF(x, struct asbi_alerts, exchange);

    a->busy = false;
    a->ended = true;
    if (end->outcome != ASBI_COMPLETE || end->status < 200 || end->status > 299)
        asbi_log(&a->engine->log, ASB_LOG_WARN,
                 "budget_webhook: the alert was not taken (status %d)",
                 end->status);
    a->engine->world->ops->wake(a->engine->world);
}

static const struct asbi_exchange_ops exchange_ops = {
    .on_end = on_end,
};

static void write_body(struct asbi_alerts *a, unsigned percent)
{
    const struct asb_engine *e = a->engine;
    struct asbi_buf *b = &a->body;

    asbi_buf_clear(b);
    asbi_buf_c(b, "{\"event\":\"budget_alert\",\"percent\":");
    asbi_buf_u64(b, percent);
    asbi_member_usd(b, "budget_usd", e->purse.budget.limit);
    asbi_member_usd(b, "spent_usd", e->purse.budget.spent);
    asbi_member_usd(b, "reserved_usd", e->purse.budget.reserved);
    asbi_member_text(b, "provider", asbi_str_c(e->config->provider));
    asbi_member_text(b, "model", asbi_str_c(e->lane->model.name));
    asbi_buf_char(b, '}');
}

/* One at a time, in order. */
static void post(struct asbi_alerts *a)
{
    struct asbi_transport *t = a->engine->world->transport;

    if (a->busy || a->posted == a->passed || !a->endpoint.url)
        return;
    write_body(a, a->levels[a->posted++]);
    if (asbi_buf_failed(&a->body))
        return;
    a->exchange = (struct asbi_exchange){
        .endpoint = &a->endpoint,
        .ops = &exchange_ops,
        .body = a->body.data,
        .body_len = a->body.len,
        .limits = { .connect_ns = 5 * ASBI_SECOND,
                    .total_ns = 10 * ASBI_SECOND,
                    .max_header_bytes = 65536,
                    .max_body_bytes = MAX_ANSWER },
    };
    a->busy = t->ops->start(t, &a->exchange) == ASB_OK;
}

/* ---- levels ----------------------------------------------------------- */

static bool is_passed(const struct asbi_alerts *a, unsigned percent)
{
    const struct asbi_lane *over = asbi_routes_over(a->engine);

    /* All of it is gone when the next call does not fit any more. */
    if (over && over->halt == ASB_HALT_BUDGET)
        return true;
    return asbi_budget_spent_share(&a->engine->purse.budget) * 100 >= percent;
}

bool asbi_alerts_check(struct asbi_alerts *a)
{
    const struct asbi_budget *b = &a->engine->purse.budget;
    bool ended = a->ended;

    a->ended = false;
    if (b->limit == INT64_MAX)
        return ended;
    while (a->passed < a->count && is_passed(a, a->levels[a->passed])) {
        unsigned percent = a->levels[a->passed++];
        char spent[ASBI_USD_TEXT], limit[ASBI_USD_TEXT];

        a->engine->stats.budget_alert_percent = percent;
        asbi_log(&a->engine->log, ASB_LOG_WARN,
                 "budget: %u %% reached, $%s of $%s are spent", percent,
                 asbi_usd_text(b->spent, spent),
                 asbi_usd_text(b->limit, limit));
    }
    post(a);
    return ended;
}

void asbi_alerts_shedding(struct asbi_alerts *a)
{
    if (a->told_shed)
        return;
    a->told_shed = true;
    asbi_log(&a->engine->log, ASB_LOG_WARN,
             "budget: %.0f %% are spent or reserved; background items wait "
             "until the others are done",
             a->engine->config->budget_soft * 100);
}

/* ---- birth and death -------------------------------------------------- */

static bool read_levels(struct asbi_alerts *a, const char *text)
{
    if (strcmp(text, "none") == 0)
        return true;
    while (*text) {
        size_t len = strcspn(text, ",");
        uint64_t n;

        if (a->count == ASBI_ALERTS_MAX ||
            !asbi_parse_u64(asbi_str_trim(asbi_str_of(text, len)), &n) ||
            n == 0 || n > 100 || (a->count && n <= a->levels[a->count - 1]))
            return false;
        a->levels[a->count++] = (unsigned)n;
        text += len + (text[len] == ',');
    }
    return true;
}

int asbi_alerts_read(struct asbi_alerts *a, const struct asbi_config *c,
                     struct asb_message *why)
{
    a->count = 0;
    if (read_levels(a, c->budget_alerts))
        return ASB_OK;
    return asbi_fail(why, ASB_ECONFIG,
                     "budget_alerts: \"%.60s\" are no rising percentages; "
                     "write for example 60,80,100, or none",
                     c->budget_alerts);
}

int asbi_alerts_init(struct asbi_alerts *a, struct asb_engine *e,
                     struct asb_message *why)
{
    const char *url = e->config->budget_webhook;

    a->engine = e;
    asbi_buf_init(&a->body, &e->mem, MAX_BODY);
    if (url[0])
        a->endpoint = (struct asbi_endpoint){ .method = "POST",
                                              .url = url,
                                              .headers = headers };
    return asbi_alerts_read(a, e->config, why);
}

void asbi_alerts_fini(struct asbi_alerts *a)
{
    if (!a->engine)
        return;
    struct asbi_transport *t = a->engine->world->transport;

    if (a->busy)
        t->ops->cancel(t, &a->exchange);
    if (a->endpoint.url)
        t->ops->forget(t, &a->endpoint);
    asbi_buf_fini(&a->body);
}

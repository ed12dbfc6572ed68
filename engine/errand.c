#include "engine/errand.h"

#include <string.h>

#include "engine/base/units.h"
#include "engine/engine.h"

enum { MAX_URL = 8192, KEEP_BYTES = 4096 };

/* What the lane's headers and the errand's own may come to. */
enum { MAX_HEADERS = 16 + ASBI_ERRAND_HEADERS };

static struct asbi_errand *errand_of(struct asbi_exchange *x)
{
    return ASBI_OF(x, struct asbi_errand, exchange);
}

/* ---- the answer ------------------------------------------------------- */

static void on_status(struct asbi_exchange *x, int status)
{
    errand_of(x)->status = status;
}

static void on_header(struct asbi_exchange *x, asbi_str name, asbi_str value)
{
    struct asbi_errand *errand = errand_of(x);

    asbi_rate_headers_add(&errand->head, name, value,
                          asbi_wall_ms(errand->engine->world));
    if (errand->on_header)
        errand->on_header(errand, name, value);
}

static int on_body(struct asbi_exchange *x, const char *at, size_t len)
{
    struct asbi_errand *errand = errand_of(x);

    if (errand->on_bytes)
        return errand->on_bytes(errand, at, len);
    asbi_buf_add(&errand->answer, at, len);
    return asbi_buf_failed(&errand->answer) ? ASB_ENOMEM : ASB_OK;
}

static void on_end(struct asbi_exchange *x, const struct asbi_exchange_end *end)
{
    struct asbi_errand *errand = errand_of(x);
    struct asbi_transport *t = errand->engine->world->transport;

    errand->busy = false;
    asbi_rate_headers_end(&errand->head);
    t->ops->forget(t, &errand->endpoint);
    errand->engine->world->ops->wake(errand->engine->world);
    errand->done(errand, end); /* the last use of it */
}

static const struct asbi_exchange_ops exchange_ops = {
    .on_status = on_status,
    .on_header = on_header,
    .on_body = on_body,
    .on_end = on_end,
};

/* ---- where to --------------------------------------------------------- */

static asbi_str origin_of(asbi_str url)
{
    const char *colon = url.len ? memchr(url.at, ':', url.len) : NULL;
    size_t at = colon ? (size_t)(colon - url.at) + 3 : url.len;

    while (at < url.len && !strchr("/?#", url.at[at]))
        at++;
    return asbi_str_of(url.at, at < url.len ? at : url.len);
}

static bool is_absolute(asbi_str address)
{
    return asbi_str_starts(address, ASBI_STR("http://")) ||
           asbi_str_starts(address, ASBI_STR("https://"));
}

bool asbi_errand_is_home(const struct asb_engine *e, asbi_str address)
{
    return !is_absolute(address) ||
           asbi_str_eq_nocase(origin_of(address),
                              origin_of(asbi_str_c(e->lane->base_url)));
}

/* A path goes below the base, and what the base asks behind it.  False for one
 * that the lane does not take. */
static bool put_url(struct asbi_errand *errand, asbi_str address)
{
    const struct asbi_lane *lane = errand->engine->lane;
    struct asbi_buf *url = &errand->url;

    asbi_buf_clear(url);
    if (is_absolute(address)) {
        asbi_buf_str(url, address);
    } else if (!asbi_lane_put_url(lane, address, url)) {
        return false;
    }
    asbi_buf_char(url, '\0');
    return !asbi_buf_failed(url);
}

static bool same_name(const char *a, const char *b)
{
    size_t len = strcspn(a, ":");

    return strcspn(b, ":") == len && strncasecmp(a, b, len) == 0;
}

static bool is_replaced(const struct asbi_errand *errand, const char *line)
{
    for (size_t i = 0; errand->extra[i]; i++) {
        if (same_name(errand->extra[i], line))
            return true;
    }
    return false;
}

/* The errand's own, and of the lane's those it does not have.  False when
 * there are too many. */
static bool put_headers(struct asbi_errand *errand, bool home)
{
    const char **lines = errand->engine->lane->headers;
    size_t n = 0;

    while (errand->extra[n]) {
        errand->headers[n] = errand->extra[n];
        n++;
    }
    for (size_t i = 0; home && lines[i]; i++) {
        if (n == MAX_HEADERS - 1)
            return false;
        if (!is_replaced(errand, lines[i]))
            errand->headers[n++] = lines[i];
    }
    errand->headers[n] = NULL;
    return true;
}

static void fill_exchange(struct asbi_errand *errand)
{
    const struct asbi_config *c = errand->engine->config;
    asbi_str body = errand->lent_body.len ? errand->lent_body
                                          : asbi_buf_view(&errand->body);

    errand->exchange = (struct asbi_exchange){
        .endpoint = &errand->endpoint,
        .ops = &exchange_ops,
        .body = body.at,
        .body_len = body.len,
        .limits = { .connect_ns = errand->patience_ns ? errand->patience_ns
                                                      : c->connect_timeout_ns,
                    .first_byte_ns = errand->patience_ns
                                         ? errand->patience_ns
                                         : c->first_byte_timeout_ns,
                    .stall_ns = c->stall_timeout_ns,
                    /* Files take their time, either way. */
                    .total_ns = errand->on_bytes || errand->lent_body.len
                                    ? 0
                                    : c->call_timeout_ns,
                    .max_header_bytes = c->max_header_bytes,
                    .max_body_bytes = errand->most_bytes },
    };
}

int asbi_errand_send(struct asbi_errand *errand, const char *method,
                     asbi_str address)
{
    struct asbi_transport *t = errand->engine->world->transport;
    bool home =
        !errand->keyless && asbi_errand_is_home(errand->engine, address);

    if (errand->busy)
        return ASB_EBUSY;
    if (asbi_buf_failed(&errand->body))
        return ASB_ENOMEM;
    if (!put_url(errand, address) || !put_headers(errand, home))
        return ASB_EINVAL;
    errand->endpoint = (struct asbi_endpoint){ .method = method,
                                               .url = errand->url.data,
                                               .headers = errand->headers };
    errand->status = 0;
    asbi_buf_shrink(&errand->answer, KEEP_BYTES);
    asbi_rate_headers_begin(&errand->head);
    fill_exchange(errand);
    int rc = t->ops->start(t, &errand->exchange);
    errand->busy = rc == ASB_OK;
    if (rc)
        t->ops->forget(t, &errand->endpoint);
    return rc;
}

/* ---- birth and death -------------------------------------------------- */

void asbi_errand_init(struct asbi_errand *errand, struct asb_engine *e)
{
    *errand = (struct asbi_errand){ .engine = e,
                                    .most_bytes = e->config->max_answer_bytes };
    asbi_buf_init(&errand->url, &e->mem, MAX_URL);
    asbi_buf_init(&errand->body, &e->mem, SIZE_MAX / 4);
    asbi_buf_init(&errand->answer, &e->mem, SIZE_MAX / 4);
}

void asbi_errand_clear(struct asbi_errand *errand)
{
    asbi_buf_shrink(&errand->body, KEEP_BYTES);
    asbi_buf_shrink(&errand->answer, KEEP_BYTES);
    errand->lent_body = asbi_str_of("", 0);
    errand->extra[0] = NULL;
}

enum asbi_errand_outcome
asbi_errand_outcome(const struct asbi_errand *errand,
                    const struct asbi_exchange_end *end)
{
    int status = errand->status;

    if (end->outcome == ASBI_NOT_SENT)
        return ASBI_ERRAND_LATER;
    if (end->outcome != ASBI_COMPLETE || asbi_buf_failed(&errand->answer))
        return ASBI_ERRAND_UNKNOWN;
    if (status >= 200 && status <= 299)
        return ASBI_ERRAND_DONE;
    if (status == 408 || status == 409 || status == 425 || status == 429)
        return ASBI_ERRAND_LATER;
    return status >= 400 && status <= 499 ? ASBI_ERRAND_REFUSED
                                          : ASBI_ERRAND_UNKNOWN;
}

uint64_t asbi_errand_hint(const struct asbi_errand *errand)
{
    uint64_t ns = errand->head.retry_after_ns;

    return ns == UINT64_MAX ? 0 : ns;
}

uint64_t asbi_errand_wait(const struct asbi_errand *errand,
                          const struct asbi_retry_policy *policy, unsigned n)
{
    uint64_t wait = asbi_retry_wait(policy, n, errand->head.retry_after_ns,
                                    asbi_rng_unit(&errand->engine->rng));

    /* Longer than it pays to keep still. */
    return wait == ASBI_NEVER ? policy->longest_retry_after_ns : wait;
}

void asbi_errand_fini(struct asbi_errand *errand)
{
    if (!errand->engine)
        return;
    struct asbi_transport *t = errand->engine->world->transport;

    if (errand->busy) {
        t->ops->cancel(t, &errand->exchange);
        t->ops->forget(t, &errand->endpoint);
    }
    errand->busy = false;
    asbi_buf_fini(&errand->url);
    asbi_buf_fini(&errand->body);
    asbi_buf_fini(&errand->answer);
}

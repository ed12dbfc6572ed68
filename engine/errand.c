#include "engine/errand.h"

#include "engine/base/units.h"

enum { MAX_URL_BYTES = 4096, MAX_TYPE_BYTES = 256, KEEP_BYTES = 65536 };

static struct asbi_errand *errand_of(struct asbi_exchange *x)
{
    return ASBI_OF(x, struct asbi_errand, exchange);
}

/* ---- what comes back -------------------------------------------------- */

static void on_status(struct asbi_exchange *x, int status)
{
    errand_of(x)->status = status;
}

static void on_header(struct asbi_exchange *x, asbi_str name, asbi_str value)
{
    struct asbi_errand *r = errand_of(x);
    double n;

    if (!asbi_parse_double(asbi_str_trim(value), &n) || n < 0 || n > 1e6)
        return;
    if (asbi_str_eq_nocase(name, ASBI_STR("retry-after")))
        r->retry_after_ns = (uint64_t)(n * 1e9);
    else if (asbi_str_eq_nocase(name, ASBI_STR("retry-after-ms")))
        r->retry_after_ns = (uint64_t)(n * 1e6);
}

static bool is_good(const struct asbi_errand *r)
{
    return r->status >= 200 && r->status <= 299;
}

static int on_body(struct asbi_exchange *x, const char *at, size_t len)
{
    struct asbi_errand *r = errand_of(x);

    if (r->ops->on_body && is_good(r))
        return r->ops->on_body(r, at, len);
    asbi_buf_add(&r->answer, at, len);
    return asbi_buf_failed(&r->answer) ? ASB_ETOOBIG : ASB_OK;
}

static void on_end(struct asbi_exchange *x, const struct asbi_exchange_end *end)
{
    struct asbi_errand *r = errand_of(x);

    r->busy = false;
    r->transport->ops->forget(r->transport, &r->endpoint);
    r->ops->on_end(r, end);
}

static const struct asbi_exchange_ops exchange_ops = {
    .on_status = on_status,
    .on_header = on_header,
    .on_body = on_body,
    .on_end = on_end,
};

/* ---- what is sent ----------------------------------------------------- */

void asbi_errand_init(struct asbi_errand *x, const struct asbi_lane *lane,
                      struct asbi_transport *transport)
{
    *x = (struct asbi_errand){ .lane = lane, .transport = transport };
    asbi_buf_init(&x->url, lane->mem, MAX_URL_BYTES);
    asbi_buf_init(&x->type, lane->mem, MAX_TYPE_BYTES);
    asbi_buf_init(&x->answer, lane->mem, SIZE_MAX / 4);
}

void asbi_errand_fini(struct asbi_errand *x)
{
    if (!x->lane)
        return;
    if (x->busy) {
        x->transport->ops->cancel(x->transport, &x->exchange);
        x->transport->ops->forget(x->transport, &x->endpoint);
    }
    asbi_buf_fini(&x->url);
    asbi_buf_fini(&x->type);
    asbi_buf_fini(&x->answer);
    asbi_free(x->lane->mem, x->headers);
    *x = (struct asbi_errand){ .lane = NULL };
}

static bool is_content_type(const char *line)
{
    static const char name[] = "content-type:";

    return strncasecmp(line, name, sizeof(name) - 1) == 0;
}

/* The lane's headers, with another content type. */
static int fill_headers(struct asbi_errand *x, asbi_str type)
{
    size_t n = 0, count = 0;

    asbi_buf_clear(&x->type);
    asbi_buf_str(&x->type, type);
    const char *line = asbi_buf_cstr(&x->type);
    while (x->lane->headers[count])
        count++;
    asbi_free(x->lane->mem, x->headers);
    x->headers = asbi_calloc(x->lane->mem, count + 2, sizeof(*x->headers));
    if (!x->headers || !line)
        return ASB_ENOMEM;
    if (type.len)
        x->headers[n++] = line;
    for (size_t i = 0; i < count; i++) {
        if (type.len == 0 || !is_content_type(x->lane->headers[i]))
            x->headers[n++] = x->lane->headers[i];
    }
    return ASB_OK;
}

static void fill_exchange(struct asbi_errand *x,
                          const struct asbi_errand_request *request)
{
    const struct asbi_config *c = x->lane->config;

    x->endpoint = (struct asbi_endpoint){ .method = request->method,
                                          .url = x->url.data,
                                          .headers = x->headers };
    x->exchange = (struct asbi_exchange){
        .endpoint = &x->endpoint,
        .ops = &exchange_ops,
        .body = request->body.at,
        .body_len = request->body.len,
        .limits = { .connect_ns = c->connect_timeout_ns,
                    .first_byte_ns = c->first_byte_timeout_ns,
                    .stall_ns = c->stall_timeout_ns,
                    .total_ns = 0, /* files take their time */
                    .max_header_bytes = c->max_header_bytes,
                    .max_body_bytes = request->most },
    };
}

int asbi_errand_start(struct asbi_errand *x,
                      const struct asbi_errand_request *request,
                      const struct asbi_errand_ops *ops)
{
    asbi_buf_clear(&x->url);
    if (!asbi_lane_put_url(x->lane, request->path, &x->url))
        return ASB_EINVAL;
    int rc = fill_headers(x, request->type);
    if (rc || asbi_buf_failed(&x->url))
        return ASB_ENOMEM;
    fill_exchange(x, request);
    x->ops = ops;
    x->status = 0;
    x->retry_after_ns = 0;
    asbi_buf_shrink(&x->answer, KEEP_BYTES);
    rc = x->transport->ops->start(x->transport, &x->exchange);
    x->busy = rc == ASB_OK;
    return rc;
}

enum asbi_errand_outcome
asbi_errand_outcome(const struct asbi_errand *x,
                    const struct asbi_exchange_end *end)
{
    bool for_now = x->status == 408 || x->status == 409 || x->status == 425 ||
                   x->status == 429;

    if (end->outcome == ASBI_NOT_SENT)
        return ASBI_ERRAND_LATER;
    if (end->outcome != ASBI_COMPLETE)
        return ASBI_ERRAND_UNKNOWN;
    if (is_good(x))
        return ASBI_ERRAND_DONE;
    if (for_now)
        return ASBI_ERRAND_LATER;
    return x->status >= 500 ? ASBI_ERRAND_UNKNOWN : ASBI_ERRAND_REFUSED;
}

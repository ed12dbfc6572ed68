#include "adapters/rate_headers.h"

#include <stddef.h>
#include <string.h>

#include "adapters/http_date.h"
#include "adapters/redact.h"
#include "engine/base/units.h"

/* A larger quota is none; a longer wait is nonsense. */
#define MOST_PER_MINUTE UINT64_C(1000000000000)
#define LONGEST_NS (UINT64_C(366) * 86400 * ASBI_SECOND)

enum shape {
    LIMIT,
    REMAINING,
    RESET,
    RETRY_MS,
    RETRY_AFTER,
    SHOULD_RETRY,
    REQUEST_ID,
};

#define AT(member) offsetof(struct asbi_rate_headers, member)

/* `at` is the uint64_t that is set, or for a limit the flag that it is none.
 * Among waits and among ids, a later row beats an earlier. */
static const struct header {
    asbi_str name;
    enum shape shape;
    size_t at;
    size_t none;
} headers[] = {
#define ROW(name, shape, at, none)                  \
    {                                               \
        { name, sizeof(name) - 1 }, shape, at, none \
    }
    ROW("x-ratelimit-limit-requests", LIMIT, AT(rate.limit_requests),
        AT(no_limit_requests)),
    ROW("x-ratelimit-limit-tokens", LIMIT, AT(rate.limit_tokens),
        AT(no_limit_tokens)),
    ROW("x-ratelimit-remaining-requests", REMAINING,
        AT(rate.remaining_requests), 0),
    ROW("x-ratelimit-remaining-tokens", REMAINING, AT(rate.remaining_tokens),
        0),
    ROW("x-ratelimit-reset-requests", RESET, AT(rate.reset_requests_ns), 0),
    ROW("x-ratelimit-reset-tokens", RESET, AT(rate.reset_tokens_ns), 0),
    /* Mistral, and tokens at Cerebras. */
    ROW("x-ratelimit-limit-req-minute", LIMIT, AT(rate.limit_requests),
        AT(no_limit_requests)),
    ROW("x-ratelimit-limit-tokens-minute", LIMIT, AT(rate.limit_tokens),
        AT(no_limit_tokens)),
    ROW("x-ratelimit-remaining-req-minute", REMAINING,
        AT(rate.remaining_requests), 0),
    ROW("x-ratelimit-remaining-tokens-minute", REMAINING,
        AT(rate.remaining_tokens), 0),
    ROW("x-ratelimit-reset-tokens-minute", RESET, AT(rate.reset_tokens_ns), 0),
    ROW("anthropic-ratelimit-requests-limit", LIMIT, AT(rate.limit_requests),
        AT(no_limit_requests)),
    ROW("anthropic-ratelimit-requests-remaining", REMAINING,
        AT(rate.remaining_requests), 0),
    ROW("anthropic-ratelimit-requests-reset", RESET, AT(rate.reset_requests_ns),
        0),
    ROW("anthropic-ratelimit-tokens-limit", LIMIT, AT(rate.limit_tokens),
        AT(no_limit_tokens)),
    ROW("anthropic-ratelimit-tokens-remaining", REMAINING,
        AT(rate.remaining_tokens), 0),
    ROW("anthropic-ratelimit-tokens-reset", RESET, AT(rate.reset_tokens_ns), 0),
    ROW("anthropic-ratelimit-input-tokens-limit", LIMIT, AT(rate.limit_input),
        AT(no_limit_input)),
    ROW("anthropic-ratelimit-input-tokens-remaining", REMAINING,
        AT(rate.remaining_input), 0),
    ROW("anthropic-ratelimit-output-tokens-limit", LIMIT, AT(rate.limit_output),
        AT(no_limit_output)),
    ROW("anthropic-ratelimit-output-tokens-remaining", REMAINING,
        AT(rate.remaining_output), 0),
    ROW("retry-after", RETRY_AFTER, 0, 0),
    ROW("x-ms-retry-after-ms", RETRY_MS, 0, 0),
    ROW("retry-after-ms", RETRY_MS, 0, 0),
    ROW("x-should-retry", SHOULD_RETRY, 0, 0),
    ROW("apim-request-id", REQUEST_ID, 0, 0),
    ROW("request-id", REQUEST_ID, 0, 0),
    ROW("x-request-id", REQUEST_ID, 0, 0),
#undef ROW
};

void asbi_rate_headers_begin(struct asbi_rate_headers *h)
{
    *h = (struct asbi_rate_headers){
        .retry_after_ns = UINT64_MAX,
        .should_retry = -1,
    };
    memset(&h->rate, 0xff, sizeof(h->rate));
}

/* Whether the row is at least as good as the one `*rank` remembers. */
static bool outranks(const struct header *row, uint8_t *rank)
{
    uint8_t mine = (uint8_t)(row - headers + 1);

    if (mine < *rank)
        return false;
    *rank = mine;
    return true;
}

/* Seconds, or a Unix time in seconds or milliseconds. */
static bool wait_of(double seconds, uint64_t wall_ms, uint64_t *ns)
{
    if (seconds >= 1e11)
        seconds /= 1e3;
    if (seconds >= 1e9)
        seconds -= (double)wall_ms / 1e3;
    if (seconds < 0)
        seconds = 0;
    if (!(seconds * 1e9 <= (double)LONGEST_NS))
        return false;
    *ns = (uint64_t)(seconds * 1e9 + 0.5);
    return true;
}

static bool reset_of(asbi_str value, uint64_t wall_ms, uint64_t *ns)
{
    double seconds;
    uint64_t wait, ms;

    if (asbi_parse_double(value, &seconds))
        return seconds >= 0 && wait_of(seconds, wall_ms, ns);
    if (asbi_rfc3339_date(value, &ms))
        return wait_of(ms > wall_ms ? (double)(ms - wall_ms) / 1e3 : 0, wall_ms,
                       ns);
    if (!asbi_parse_duration(value, ASBI_SECOND, &wait) || wait > LONGEST_NS)
        return false;
    *ns = wait;
    return true;
}

static bool retry_after_of(asbi_str value, uint64_t wall_ms, uint64_t *ns)
{
    double seconds;
    uint64_t ms;

    if (asbi_parse_double(value, &seconds))
        return seconds >= 0 && wait_of(seconds, wall_ms, ns);
    if (!asbi_http_date(value, wall_ms, &ms))
        return false;
    return wait_of(ms > wall_ms ? (double)(ms - wall_ms) / 1e3 : 0, wall_ms,
                   ns);
}

static bool retry_ms_of(asbi_str value, uint64_t *ns)
{
    double ms;

    return asbi_parse_double(value, &ms) && ms >= 0 &&
           ms * 1e6 <= (double)LONGEST_NS && wait_of(ms / 1e3, 0, ns);
}

static void take_retry(struct asbi_rate_headers *h, const struct header *row,
                       asbi_str value, uint64_t wall_ms)
{
    uint64_t ns;
    bool ok = row->shape == RETRY_MS ? retry_ms_of(value, &ns)
                                     : retry_after_of(value, wall_ms, &ns);

    if (ok && outranks(row, &h->retry_after_rank))
        h->retry_after_ns = ns;
}

static void take_limit(struct asbi_rate_headers *h, const struct header *row,
                       asbi_str value)
{
    bool none = true;
    uint64_t n = UINT64_MAX;
    double x;

    if (!asbi_parse_double(value, &x))
        return;
    if (x >= 1 && x <= (double)MOST_PER_MINUTE) {
        n = (uint64_t)x;
        none = false;
    }
    memcpy((char *)h + row->at, &n, sizeof(n));
    memcpy((char *)h + row->none, &none, sizeof(none));
}

/* Less than nothing is what a server in debt says. */
static void take_remaining(struct asbi_rate_headers *h,
                           const struct header *row, asbi_str value)
{
    uint64_t n = 0;
    double x;

    if (!asbi_parse_double(value, &x) || x > (double)MOST_PER_MINUTE)
        return;
    if (x > 0)
        n = (uint64_t)x;
    memcpy((char *)h + row->at, &n, sizeof(n));
}

static void take_reset(struct asbi_rate_headers *h, const struct header *row,
                       asbi_str value, uint64_t wall_ms)
{
    uint64_t ns;

    if (reset_of(value, wall_ms, &ns))
        memcpy((char *)h + row->at, &ns, sizeof(ns));
}

/* Whatever a server puts there: some repeat the key. */
static void take_request_id(struct asbi_rate_headers *h,
                            const struct header *row, asbi_str value)
{
    size_t most = sizeof(h->request_id), len = 0;
    size_t whole = value.len < most ? value.len : most;

    if (!outranks(row, &h->request_id_rank))
        return;
    if (whole)
        memcpy(h->request_id, value.at, whole);
    asbi_redact(h->request_id, whole);
    for (size_t i = 0; i < whole; i++) {
        if (h->request_id[i] > ' ' && h->request_id[i] < 0x7f)
            h->request_id[len++] = h->request_id[i];
    }
    h->request_id_len = len;
}

static void take(struct asbi_rate_headers *h, const struct header *row,
                 asbi_str value, uint64_t wall_ms)
{
    switch (row->shape) {
    case LIMIT:
        take_limit(h, row, value);
        break;
    case REMAINING:
        take_remaining(h, row, value);
        break;
    case RESET:
        take_reset(h, row, value, wall_ms);
        break;
    case RETRY_MS:
    case RETRY_AFTER:
        take_retry(h, row, value, wall_ms);
        break;
    case SHOULD_RETRY:
        if (asbi_str_eq_nocase(value, ASBI_STR("true")))
            h->should_retry = 1;
        else if (asbi_str_eq_nocase(value, ASBI_STR("false")))
            h->should_retry = 0;
        break;
    case REQUEST_ID:
        take_request_id(h, row, value);
        break;
    }
}

void asbi_rate_headers_add(struct asbi_rate_headers *h, asbi_str name,
                           asbi_str value, uint64_t wall_ms)
{
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        if (asbi_str_eq_nocase(name, headers[i].name)) {
            take(h, &headers[i], asbi_str_trim(value), wall_ms);
            return;
        }
    }
}

void asbi_rate_headers_end(struct asbi_rate_headers *h)
{
    if (h->no_limit_requests)
        h->rate.remaining_requests = h->rate.reset_requests_ns = UINT64_MAX;
    if (h->no_limit_tokens)
        h->rate.remaining_tokens = h->rate.reset_tokens_ns = UINT64_MAX;
    if (h->no_limit_input)
        h->rate.remaining_input = UINT64_MAX;
    if (h->no_limit_output)
        h->rate.remaining_output = UINT64_MAX;
}

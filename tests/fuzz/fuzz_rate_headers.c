/*
 * fuzz_rate_headers.c -- any header values: never a fault, and no wait or limit
 * beyond what is plausible.
 *
 * The input is lines, each the value for the next header of the list.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/rate_headers.h"
#include "engine/base/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_wait(uint64_t ns)
{
    if (ns != UINT64_MAX && ns > 366 * UINT64_C(86400) * ASBI_SECOND)
        abort();
}

static void check_count(uint64_t n)
{
    if (n != UINT64_MAX && n > UINT64_C(1000000000000))
        abort();
}

static void check(const struct asbi_rate_headers *h)
{
    check_wait(h->retry_after_ns);
    check_wait(h->rate.reset_requests_ns);
    check_wait(h->rate.reset_tokens_ns);
    check_count(h->rate.limit_requests);
    check_count(h->rate.limit_tokens);
    check_count(h->rate.remaining_requests);
    check_count(h->rate.remaining_tokens);
    if (h->request_id_len > sizeof(h->request_id))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {
        "x-ratelimit-limit-requests",
        "x-ratelimit-remaining-requests",
        "x-ratelimit-reset-requests",
        "x-ratelimit-limit-tokens",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-tokens",
        "retry-after",
        "retry-after-ms",
        "x-ms-retry-after-ms",
        "x-should-retry",
        "x-request-id",
        "apim-request-id",
    };
    struct asbi_rate_headers h;
    const char *at = (const char *)data, *end = at + size;
    size_t turn = size ? data[0] : 0;

    asbi_rate_headers_begin(&h);
    while (at < end) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        asbi_str value = { at, (size_t)((lf ? lf : end) - at) };

        asbi_rate_headers_add(
            &h, asbi_str_c(names[turn++ % (sizeof(names) / sizeof(names[0]))]),
            value, UINT64_C(1700000000000));
        at = lf ? lf + 1 : end;
    }
    asbi_rate_headers_end(&h);
    check(&h);
    return 0;
}

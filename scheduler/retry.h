/*
 * retry.h -- whether and when an item is sent again.
 *
 * Full jitter (base 500 ms, cap 30 s): the least work among the known
 * back-offs (research on algorithms, section 7).  Randomness is an argument.
 */
#ifndef ASBI_SCHEDULER_RETRY_H
#define ASBI_SCHEDULER_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct asbi_retry_policy {
    unsigned max_attempts; /* of one item, first included */
    uint64_t base_ns, cap_ns;
    uint64_t longest_retry_after_ns; /* a longer one is not waited for */
};

extern const struct asbi_retry_policy
    asbi_retry_default; /* 4, .5 s, 30 s, 120 s */

/* Nanoseconds to wait before attempt `attempt` + 1 (1-based); `unit` is
 * uniform in [0, 1); `retry_after_ns` UINT64_MAX when the server named none. */
uint64_t asbi_retry_wait(const struct asbi_retry_policy *p, unsigned attempt,
                         uint64_t retry_after_ns, double unit);

/* Opens after 20 or more calls of which half or more failed within a minute
 * (5xx and time-outs, not 429), for 30 s; then lets 3 probes through. */
struct asbi_breaker {
    enum { ASBI_BREAKER_CLOSED, ASBI_BREAKER_OPEN, ASBI_BREAKER_HALF } state;
    double calls, failures; /* decaying over the window */
    uint64_t at_ns;         /* of the last decay */
    uint64_t open_until_ns;
    unsigned probes_out, probes_ok;
    unsigned times_opened; /* in a row, without a good call between */
};

void asbi_breaker_init(struct asbi_breaker *b);
/* now or earlier: a call may go; else when to ask again. */
uint64_t asbi_breaker_ready_at(struct asbi_breaker *b, uint64_t now_ns);
void asbi_breaker_started(struct asbi_breaker *b);
void asbi_breaker_ended(struct asbi_breaker *b, bool ok, uint64_t now_ns);

#endif

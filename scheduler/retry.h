/*
 * retry.h -- when an item is sent again, and when a provider is left alone.
 *
 * Full jitter (base 500 ms, cap 30 s): the least work among the known
 * back-offs (Brooker, "Exponential Backoff And Jitter").  Randomness is an
 * argument.  Refuses to decide what may be retried: who calls knows the
 * failure and counts the attempts.
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
 * uniform in [0, 1); `retry_after_ns` UINT64_MAX when the server named none.
 * No less than what the server asks for; ASBI_NEVER when that is longer than
 * is waited for.  Does not look at max_attempts. */
uint64_t asbi_retry_wait(const struct asbi_retry_policy *p, unsigned attempt,
                         uint64_t retry_after_ns, double unit);

/*
 * How much may be asked again after failures of the provider: half of what it
 * answers, and ten calls a minute in any case, of which ten may come at once.
 * Counted in calls of the usual size, of which an item is a part.
 * Beyond that retries wait, so that a failing provider is not asked more often
 * than a sound one would be; until a third of all calls fail nobody waits.
 */
struct asbi_retry_budget {
    double credits; /* calls */
    uint64_t at_ns; /* when they were counted */
};

void asbi_retry_budget_init(struct asbi_retry_budget *b, uint64_t now_ns);

/* So much was answered well. */
void asbi_retry_budget_earn(struct asbi_retry_budget *b, double calls);

/* When a retry may go; now or earlier for at once. */
uint64_t asbi_retry_budget_ready_at(struct asbi_retry_budget *b,
                                    uint64_t now_ns);

/* It went: `calls` is its part of a call, in (0, 1]. */
void asbi_retry_budget_spend(struct asbi_retry_budget *b, double calls);

enum { ASBI_BREAKER_SLOTS = 6 }; /* of ten seconds: the last minute */

/* Opens after 20 or more calls of which half or more failed within a minute
 * (5xx and time-outs, not 429), for 30 s; then lets 3 probes through: all
 * good closes it, one bad opens it again.  Calls that were out when it opened
 * say nothing, unless they end while probes are out. */
struct asbi_breaker {
    enum { ASBI_BREAKER_CLOSED, ASBI_BREAKER_OPEN, ASBI_BREAKER_HALF } state;
    unsigned calls[ASBI_BREAKER_SLOTS], failures[ASBI_BREAKER_SLOTS];
    uint64_t slot; /* number of the newest, since time 0 */
    uint64_t open_until_ns;
    unsigned probes_out, probes_ok;
    unsigned times_opened; /* in a row, without a good call between */
};

void asbi_breaker_init(struct asbi_breaker *b);

/* now or earlier: a call may go; else when to ask again. */
uint64_t asbi_breaker_ready_at(struct asbi_breaker *b, uint64_t now_ns);

/* A call went; ready_at() allowed it. */
void asbi_breaker_started(struct asbi_breaker *b);

/* It ended.  For what is neither good nor bad (429, refused content) `ok` is
 * true: the provider is up. */
void asbi_breaker_ended(struct asbi_breaker *b, bool ok, uint64_t now_ns);

#endif

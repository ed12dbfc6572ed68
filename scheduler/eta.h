/*
 * eta.h -- recent rate and time left.
 *
 * Rate over a window of clamp(elapsed/4, 15 s, 300 s): the best of the
 * estimators measured (research on algorithms, section 9).  Work is counted in
 * estimated tokens, not items, so that long items count as such.
 */
#ifndef ASBI_SCHEDULER_ETA_H
#define ASBI_SCHEDULER_ETA_H

#include <stdint.h>

enum { ASBI_ETA_SAMPLES = 600 };

struct asbi_eta {
    struct {
        uint64_t at_ns;
        double work;
    } samples[ASBI_ETA_SAMPLES]; /* ring, one each half second or rarer */
    unsigned count, at;
    uint64_t started_ns;
};

void asbi_eta_init(struct asbi_eta *e, uint64_t now_ns);

/* `work` is the total done so far. */
void asbi_eta_note(struct asbi_eta *e, double work, uint64_t now_ns);

/* Work a second over the window; 0 when unknown. */
double asbi_eta_rate(const struct asbi_eta *e, uint64_t now_ns);

/* Seconds left for `remaining` work, no less than `floor_seconds` (rate limits,
 * blocks); < 0 when unknown. */
double asbi_eta_left(const struct asbi_eta *e, double remaining,
                     double floor_seconds, uint64_t now_ns);

#endif

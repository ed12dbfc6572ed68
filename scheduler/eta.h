/*
 * eta.h -- recent rate and time left.
 *
 * Rate over a window of clamp(elapsed/4, 15 s, 300 s): the best of the
 * estimators measured; moving averages either forget too fast for work that
 * comes in batches or remember a burst for the whole run.  Work is counted in
 * estimated tokens, not items, so that long items count as such, and without
 * what cost no call (cached), so that luck is not taken for speed.
 */
#ifndef ASBI_SCHEDULER_ETA_H
#define ASBI_SCHEDULER_ETA_H

#include <stdint.h>

enum { ASBI_ETA_SAMPLES = 640 };

struct asbi_eta {
    struct {
        uint64_t at_ns;
        double work;
    } samples[ASBI_ETA_SAMPLES]; /* ring, one each half second or rarer */
    unsigned count, at;          /* `at` is where the newest is */
    uint64_t started_ns;
};

void asbi_eta_init(struct asbi_eta *e, uint64_t now_ns);

/* `work` is the total done so far; may be told as often as one likes.  What
 * goes backwards is taken for no progress. */
void asbi_eta_note(struct asbi_eta *e, double work, uint64_t now_ns);

/* Work a second over the window; 0 when nothing was done in it. */
double asbi_eta_rate(const struct asbi_eta *e, uint64_t now_ns);

/* Seconds left for `remaining` work, no less than `floor_seconds` (rate
 * limits); < 0 before any work, 0 when nothing remains.  While the window shows
 * nothing, the rate of the whole run.  A block that is known to end
 * (Retry-After) is for the caller to add: it is not in the rate. */
double asbi_eta_left(const struct asbi_eta *e, double remaining,
                     double floor_seconds, uint64_t now_ns);

/* Where the time left lies four times in five, unless the provider changes its
 * pace: at the second lowest and second highest rate of ten equal parts of the
 * window.  (Of a single part that would be wide; it is the mean of those to
 * come that counts, but they are alike, as a server's moods last.)  While the
 * parts grow, the future is faster than the fastest; and at the end some calls
 * are out while no new ones begin, half as long as a long one takes:
 * `call_seconds`.  `left` is what asbi_eta_left() said, and lies within;
 * high < 0: parts stood still, or nearly, so that it may take any time. */
struct asbi_eta_range {
    double low, high;
};

struct asbi_eta_range asbi_eta_range(const struct asbi_eta *e, double remaining,
                                     double floor_seconds, double call_seconds,
                                     double left, uint64_t now_ns);

#endif

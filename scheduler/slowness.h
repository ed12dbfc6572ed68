/*
 * slowness.h -- how slow calls have become, for their size.
 *
 * Calls are looked at by windows: the median of what they took for their size,
 * since single latencies of language models vary too much for a minimum (Vegas)
 * or a gradient to mean anything.  Of each window its typical call is kept, in
 * seconds and tokens, and is measured by the law of latency as it is when two
 * windows are compared: between calls of one size the law then has no say, and
 * between small and large ones the one that has seen both.  A number computed
 * when the window ended would keep the errors that the law had then.
 *
 * Refuses to judge: what slowness means for the limit is limiter.h's part.
 */
#ifndef ASBI_SCHEDULER_SLOWNESS_H
#define ASBI_SCHEDULER_SLOWNESS_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/latency.h"

enum { ASBI_SLOWNESS_SAMPLES = 512, ASBI_SLOWNESS_WINDOWS = 20 };

/* A call that was answered, or the typical one of many.  Not positive or not
 * finite seconds: not known. */
struct asbi_took {
    double seconds;
    double input_tokens, output_tokens;
};

struct asbi_slowness {
    const struct asbi_latency *law; /* NULL: all calls are of one size */
    /* -- this window */
    float samples[ASBI_SLOWNESS_SAMPLES]; /* seconds / those by the law */
    unsigned count;
    double input_tokens, output_tokens; /* sums */
    /* -- those before it */
    struct asbi_took latest, best; /* best since the last acceptance */
    struct asbi_took windows[ASBI_SLOWNESS_WINDOWS];
    unsigned window_count, next;
};

/* `law` must live as long; it is read, never taught. */
void asbi_slowness_init(struct asbi_slowness *s,
                        const struct asbi_latency *law);

void asbi_slowness_note(struct asbi_slowness *s, const struct asbi_took *took);

/* The calls noted so far are left out. */
void asbi_slowness_drop(struct asbi_slowness *s);

/* Ends the window.  False, and nothing is changed but that, when no call of it
 * was noted. */
bool asbi_slowness_end_window(struct asbi_slowness *s);

/* How long a typical call of the last window took for its size, in any unit:
 * in times of the quickest of the last twenty windows; of the best window since
 * the last acceptance; of `other`.  Only after a window was ended. */
double asbi_slowness_to_least(const struct asbi_slowness *s);
double asbi_slowness_to(const struct asbi_slowness *s,
                        const struct asbi_took *other);

/* How much the quickest of the last twenty windows is over the best. */
double asbi_slowness_drift(const struct asbi_slowness *s);

/* The server is as it is now: the last window becomes the best. */
void asbi_slowness_accept(struct asbi_slowness *s);

#endif

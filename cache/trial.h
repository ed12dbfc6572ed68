/*
 * trial.h -- may answers be taken over from near texts?  Only while it is known
 * how often that goes wrong: a share of them is asked all the same, and the
 * two answers are compared.
 *
 * The upper end of the Wilson score interval (95 %) of the share that differed
 * must stay below a limit.  With none in 381 differing that is 1 %; until then,
 * and as long as it is higher, everything is asked.
 */
#ifndef ASBI_CACHE_TRIAL_H
#define ASBI_CACHE_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

struct asbi_trial {
    uint64_t checked, wrong;
};

/* At most this share of answers may be wrong ... */
#define ASBI_TRIAL_LIMIT 0.01
/* ... and this share of what could be taken over is asked to know it. */
#define ASBI_TRIAL_SHARE 0.05

void asbi_trial_note(struct asbi_trial *t, bool same);

/* The share that may be wrong; 1 while nothing is known. */
double asbi_trial_bound(const struct asbi_trial *t);

/* Whether to take this one over; `draw` is uniform in [0, 1). */
bool asbi_trial_takes(const struct asbi_trial *t, double draw);

#endif

/*
 * tally.h -- how often something goes wrong: counts that fade, so that what
 * was long ago says less.
 *
 * A mean over the last few thousand, not a moving average of a few: of what
 * happens once in fifty times that would know nothing but the last one.
 */
#ifndef ASBI_SCHEDULER_TALLY_H
#define ASBI_SCHEDULER_TALLY_H

struct asbi_tally {
    double all, bad;
};

/* Of `all` so many were bad.  What is no number from 0 to `all` teaches
 * nothing. */
void asbi_tally_add(struct asbi_tally *t, double all, double bad);

/* The share of the bad ones, in [0, 1]; 0 when nothing was counted. */
double asbi_tally_share(const struct asbi_tally *t);

/* What to reckon with: as if fifty more had gone well, since among a few calls
 * one bad one more is chance. */
double asbi_tally_likely(const struct asbi_tally *t);

#endif

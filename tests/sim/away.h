/*
 * away.h -- what a provider does on its own time, in a job's lives: the videos
 * it makes, and the batches it works off, whoever is there to ask after them.
 *
 * Judged: no row's video is made twice, whatever dies when; a row that is
 * answered has the video that was made for it.
 */
#ifndef ASBI_TESTS_AWAY_H
#define ASBI_TESTS_AWAY_H

#include "engine/transport.h"
#include "tests/sim/witness.h"

/* Each row asks for another length, and is known by it. */
static inline unsigned away_seconds(size_t row)
{
    return (unsigned)row + 1;
}

/* What becomes of the videos of one play; zero it. */
struct away {
    struct witness *witness;
    size_t made; /* that are good */
    char ids[SCENARIO_ITEMS][64];
};

/* Has the provider tell of each video. */
void away_listen(struct away *a, struct witness *w, struct scenario *s);

/* The row has an answer that names this job. */
void away_check(struct away *a, size_t row, asbi_str job);

/* Whether an exchange is a question about such work, or carries it away, rather
 * than a call. */
bool away_is_errand(const struct asbi_exchange *x);

#endif

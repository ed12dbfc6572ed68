/*
 * forecast.h -- what `plan` said of a job, held against what came of it.
 */
#ifndef ASBI_FORECAST_H
#define ASBI_FORECAST_H

#include <asyncbatch/asyncbatch.h>

#include "engine/base/buf.h"

struct asbi_foretold {
    bool known; /* else there was no plan, and the rest is nothing */
    bool priced;
    double calls, cost_usd, seconds, seconds_low, seconds_high;
};

/* What happened. */
struct asbi_fact {
    bool whole; /* all of the job in one run: only then it is comparable */
    uint64_t calls;
    int64_t cost;
    double seconds;
};

/* The JSON that `plan` wrote; nothing for an empty path.  ASB_OK, ASB_EIO,
 * ASB_ECONFIG or ASB_ENOMEM. */
int asbi_foretold_read(struct asbi_foretold *f, const char *path,
                       const struct asbi_mem *mem, struct asb_message *why);

/* Appends a member "forecast" to an open JSON object: what was told, and by
 * which share of it the fact is off.  Nothing when nothing was told. */
void asbi_foretold_put(const struct asbi_foretold *f,
                       const struct asbi_fact *fact, struct asbi_buf *out);

/* The same for people, from "; " on; an empty text when not comparable. */
void asbi_foretold_say(const struct asbi_foretold *f,
                       const struct asbi_fact *fact, struct asbi_buf *out);

#endif

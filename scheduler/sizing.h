/*
 * sizing.h -- how large a batch of one kind may be: context and output limits,
 * target time, cost, and the count that quality allows.
 *
 * The count cap starts at 25 and grows by a tenth after 20 clean batches, of
 * which only those of at least half the cap are evidence.  When more than 5 %
 * of the last 200 items came back missing, invalid or truncated, the next ones
 * tell whether that was chance, and then half the cap is tried: if answers
 * become better, it stays; if not, the model is as bad with few items as with
 * many, so the cap comes back and that much badness is tolerated from then on.
 * Without the trial, a model that forgets one item in fifty would be asked one
 * item at a time.  Both samples are new ones: the items that raised the alarm
 * are worse than most by the choice of the moment.
 *
 * Cost asks for batches as large as these allow: what is bad is asked again
 * item by item, so a bad item costs itself, and the prompt is shared by all.
 * (Were whole batches asked again, sqrt(prompt / (p x item)) would cost least.)
 *
 * Of the target time, what a call takes whatever its size is no reason to make
 * it small: more calls would each take that long.  So its items may take as
 * long as that, even past the target.
 *
 * Refuses to be switched off where a call would fail: with a fixed number of
 * items the caps on context, output, bytes and cost stay.
 */
#ifndef ASBI_SCHEDULER_SIZING_H
#define ASBI_SCHEDULER_SIZING_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/former.h"
#include "scheduler/latency.h"

/* 0 is no limit, or unknown. */
struct asbi_sizing_limits {
    uint64_t context_tokens;    /* of the model */
    uint64_t max_output_tokens; /* of the model */
    uint64_t token_buffer;      /* kept free of the context */
    uint64_t prompt_tokens;     /* constant part of every call, estimated */
    uint64_t fixed_items;       /* > 0: dynamic sizing is off */
    uint64_t max_items;         /* cap on dynamic sizes; 0: 50 */
    uint64_t max_bytes;
    int64_t max_cost;
    uint64_t target_ns; /* time a call may take at the 95th percentile */
    double headroom;    /* of the token estimate; under 1 counts as 1 */
};

enum asbi_sizing_phase {
    ASBI_SIZING_WATCH,  /* grow, until there are too many bad items */
    ASBI_SIZING_SAMPLE, /* is it so? */
    ASBI_SIZING_TRIAL   /* is it better with half the cap? */
};

struct asbi_sizing {
    double count_cap;
    double output_share; /* of max_output_tokens; halved when truncated, and
                          * 2 % back for each clean batch */
    unsigned clean_batches;
    double window_bad; /* decaying over the last 200 items */
    double tolerated;  /* share of bad items that is no news */
    enum asbi_sizing_phase phase;
    double sample_items, sample_bad; /* of a sample or trial */
    double sampled_share;            /* of bad items under sampled_cap */
    double sampled_cap;
};

void asbi_sizing_init(struct asbi_sizing *s);

/* One answered batch: `bad` items missing, invalid or truncated.  Of an answer
 * that was cut off (`truncated`) the output share learns as well. */
void asbi_sizing_learn(struct asbi_sizing *s,
                       const struct asbi_sizing_limits *limits, uint64_t items,
                       uint64_t bad, bool truncated);

/* The caps for the kind's next batches.  `latency` may be NULL: no target
 * time.  A limit too small for any item gives a cap of 1, never 0 (no cap): an
 * item that does not fit then goes alone, and the provider has its say. */
void asbi_sizing_caps(const struct asbi_sizing *s,
                      const struct asbi_sizing_limits *limits,
                      const struct asbi_latency *latency,
                      struct asbi_batch_caps *out);

#endif

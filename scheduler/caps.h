/*
 * caps.h -- how large one batch may be on each scale, and how near to that a
 * load comes.
 */
#ifndef ASBI_SCHEDULER_CAPS_H
#define ASBI_SCHEDULER_CAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/load.h"

/* 0 means no cap, except items (at least 1). */
struct asbi_batch_caps {
    uint64_t items;
    uint64_t input_tokens;
    uint64_t output_tokens;
    uint64_t bytes;
    int64_t cost;
    uint64_t media_ms;
    /* Most total of a batch's estimated seconds, as
     * fixed + per_input x in + per_output x out; 0 for no cap. */
    double seconds, fixed_seconds, seconds_per_input, seconds_per_output;
};

/* What kept a batch from being larger. */
enum asbi_scale {
    ASBI_SCALE_NONE, /* nothing: no more items, or they would wait too long */
    ASBI_SCALE_ITEMS,
    ASBI_SCALE_INPUT,
    ASBI_SCALE_OUTPUT,
    ASBI_SCALE_BYTES,
    ASBI_SCALE_COST,
    ASBI_SCALE_TIME,
    ASBI_SCALE_MEDIA,
    ASBI_SCALES
};

bool asbi_caps_hold(const struct asbi_batch_caps *caps,
                    const struct asbi_load *load);

/* The scale that is used most, and how much of it: 1 is all. */
enum asbi_scale asbi_caps_fullest(const struct asbi_batch_caps *caps,
                                  const struct asbi_load *load);
double asbi_caps_fill(const struct asbi_batch_caps *caps,
                      const struct asbi_load *load);

/* Better sent than kept for a last small item: its items are at their cap, or
 * another scale is at 0.95 of its own, at 0.98 where items are tiny. */
bool asbi_caps_are_full(const struct asbi_batch_caps *caps,
                        const struct asbi_load *load);

/* One item takes a twentieth at most of every cap but those on count and time:
 * many like it fit, whichever they are. */
bool asbi_caps_find_small(const struct asbi_batch_caps *caps,
                          const struct asbi_load *item);

#endif

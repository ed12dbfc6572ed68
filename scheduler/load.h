/*
 * load.h -- what an item or a batch weighs on each scale that has a limit.
 */
#ifndef ASBI_SCHEDULER_LOAD_H
#define ASBI_SCHEDULER_LOAD_H

#include <stdint.h>

struct asbi_load {
    uint64_t items;
    uint64_t input_tokens;  /* estimated */
    uint64_t output_tokens; /* estimated */
    uint64_t bytes;
    int64_t cost;      /* nano-dollars, estimated */
    uint64_t media_ms; /* length of what is to be made, for media */
};

static inline void asbi_load_add(struct asbi_load *to,
                                 const struct asbi_load *more)
{
    to->items += more->items;
    to->input_tokens += more->input_tokens;
    to->output_tokens += more->output_tokens;
    to->bytes += more->bytes;
    to->cost += more->cost;
    to->media_ms += more->media_ms;
}

static inline void asbi_load_sub(struct asbi_load *from,
                                 const struct asbi_load *less)
{
    from->items -= less->items;
    from->input_tokens -= less->input_tokens;
    from->output_tokens -= less->output_tokens;
    from->bytes -= less->bytes;
    from->cost -= less->cost;
    from->media_ms -= less->media_ms;
}

#endif

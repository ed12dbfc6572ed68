/*
 * learned.h -- what a run learned, as text for the next one: of each lane how
 * fast it is, how many calls it takes at once and a minute, how often they
 * fail and what its server lacks; of each kind of work on it how tokens are to
 * be counted, how many items do well together, and how many of them come back
 * bad.
 *
 * One JSON object a line, the most recently learned first; the first line
 * tells version and check sum of the rest.  Every number is bounded as it is
 * read, so that whatever a file says, the worst it can do is a slow start.
 *
 * Pure: bytes in, bytes out.  Where they are kept is for engine/learned.h.
 */
#ifndef ASBI_SCHEDULER_LEARNED_H
#define ASBI_SCHEDULER_LEARNED_H

#include <stdbool.h>

#include "engine/base/buf.h"
#include "engine/base/json.h"
#include "scheduler/latency.h"
#include "scheduler/law.h"
#include "scheduler/sizing.h"
#include "scheduler/tally.h"
#include "scheduler/tokens.h"

enum {
    ASBI_LEARNED_MAX_BYTES = 65536,
    ASBI_LEARNED_MAX_RECORDS = 100, /* what was not used longest is dropped */
    ASBI_LEARNED_MAX_NAME = 256,
};

struct asbi_learned_lane {
    double in_flight; /* 0: unknown, it was not free to find out */
    bool slow_start;  /* it never met a limit */
    struct asbi_latency latency;
    struct asbi_law law;
    struct asbi_tally failed, cut; /* calls: by a 5xx; without a whole answer */
    /* Limits a minute as the provider told them; 0: it did not. */
    double requests, tokens;
    unsigned lacks; /* a set of what the server does not know, below 256 */
};

struct asbi_learned_kind {
    struct asbi_calibration input;
    struct asbi_ratio output;
    struct asbi_sizing sizing;
    struct asbi_tally bad; /* items: missing or invalid in an answer */
};

/* Whether it may be written over: empty, or begun as text of ours is, of any
 * version and however damaged. */
bool asbi_learned_is_ours(asbi_str text);

/* Whether it is text of ours, whole and of a version we know. */
bool asbi_learned_is_sound(asbi_str text);

/* False when there is none of that name, or it is not to be believed; then
 * *out is untouched.  `json` is used to read a line. */
bool asbi_learned_find_lane(asbi_str text, asbi_str name,
                            struct asbi_json *json,
                            struct asbi_learned_lane *out);
bool asbi_learned_find_kind(asbi_str text, asbi_str name,
                            struct asbi_json *json,
                            struct asbi_learned_kind *out);

/* Appends one line. */
void asbi_learned_put_lane(struct asbi_buf *out, asbi_str name,
                           const struct asbi_learned_lane *lane);
void asbi_learned_put_kind(struct asbi_buf *out, asbi_str name,
                           const struct asbi_learned_kind *kind);

/* Appends a whole text: `lines` as put above, then what `text` has of others,
 * as far as there is room.  A text that is not sound counts as empty. */
void asbi_learned_merge(struct asbi_buf *out, asbi_str lines, asbi_str text);

#endif

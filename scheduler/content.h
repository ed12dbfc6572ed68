/*
 * content.h -- what a content request says of itself: type, engine,
 * resolution, duration and style.  Decides who may share a call.
 *
 * Reads the request's JSON; a member of the wrong type counts as absent, since
 * to complain of it is for whoever renders the request.
 */
#ifndef ASBI_SCHEDULER_CONTENT_H
#define ASBI_SCHEDULER_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/json.h"
#include "scheduler/likeness.h"

/* Limits of one batch of content requests, unless others are configured. */
enum { ASBI_CONTENT_ITEMS = 25, ASBI_CONTENT_SECONDS = 1800 };
#define ASBI_CONTENT_COST (INT64_C(500) * 1000000000)

struct asbi_content {
    uint64_t key; /* same engine, resolution and type; never 0 */
    double seconds;
    struct asbi_likeness likeness;
};

/* How they are grouped: durations within a fifth, a score of 0.7. */
extern const struct asbi_grouping asbi_content_grouping;

/* What is not said is "default", 1920x1080, and 30 seconds for video and
 * audio.  False for an object that is no content request. */
bool asbi_content_read(struct asbi_json *json,
                       const struct asbi_json_node *object,
                       struct asbi_content *out);

#endif

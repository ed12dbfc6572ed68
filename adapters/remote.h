/*
 * remote.h -- work that a provider does on its own time: it is submitted, has
 * an id from then on, is asked about now and then, and its results are fetched
 * at the end.
 *
 * Native batches are of this kind (batch_api.h), and jobs that make a picture
 * or a film (media.h).  What they share is here and in the engine's errand.h
 * (one request about it), remote_jobs.h (what is asked after, and what one
 * answer tells of many) and scheduler/poll.h (when to ask again).
 */
#ifndef ASBI_ADAPTERS_REMOTE_H
#define ASBI_ADAPTERS_REMOTE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/buf.h"
#include "engine/base/json.h"
#include "engine/base/str.h"

enum { ASBI_REMOTE_ID = 160 }; /* bytes of an id with its NUL */

enum asbi_remote_state {
    ASBI_REMOTE_UNKNOWN, /* the answer does not say */
    ASBI_REMOTE_AT_WORK, /* queued, running or winding up */
    ASBI_REMOTE_OVER,    /* as much as there will be can be fetched */
    ASBI_REMOTE_FAILED,  /* nothing was done, nothing is billed */
};

/* What an answer about it says. */
struct asbi_remote_news {
    enum asbi_remote_state state;
    bool more;     /* of a list: it goes on, so what is not here may be there */
    char code[64]; /* of a failure, as the provider names it; "" for none */
    char message[200]; /* its own words, cut */
};

/* A request about it; the engine adds base URL and credentials.  Both buffers
 * are the caller's, and cleared. */
struct asbi_remote_request {
    const char *method;
    struct asbi_buf *path; /* below the base URL */
    struct asbi_buf *body; /* JSON; stays empty for none */
};

/* Whether an id that a provider gave may stand in a path behind which our
 * credentials go: letters, digits and -_.:/ alone, no ".." and no
 * "//". */
bool asbi_remote_is_id(asbi_str given);

/* Keeps such an id.  False, and "", for any other. */
bool asbi_remote_keep_id(asbi_str given, char out[ASBI_REMOTE_ID]);

/* Copies as much as fits, with a NUL. */
void asbi_remote_copy(asbi_str from, char *out, size_t size);

/* The text of a member; empty for none. */
asbi_str asbi_remote_text(struct asbi_json *json,
                          const struct asbi_json_node *at, const char *name);

/* The first of a list whose node below it under these names is that text; NULL
 * for none. */
const struct asbi_json_node *
asbi_remote_named(struct asbi_json *json, const struct asbi_json_node *list,
                  const char *const names[], const char *text);

/* The node below `at` under these names, one for each level, up to the first
 * NULL; NULL for none. */
const struct asbi_json_node *asbi_remote_find(struct asbi_json *json,
                                              const struct asbi_json_node *at,
                                              const char *const names[]);

#endif

/*
 * batch_api.h -- how a provider takes many requests at once, works them off
 * within a day and asks less for them: the requests about such a batch, and
 * what their answers say.
 *
 * Values to bytes and bytes to values.  What the lines ask for is encoded by
 * the dialect as for a direct call, and their answers are decoded by it.
 */
#ifndef ASBI_ADAPTERS_BATCH_API_H
#define ASBI_ADAPTERS_BATCH_API_H

#include <stdint.h>

#include "adapters/remote.h"

enum { ASBI_BATCH_NAME = 48 };

/* A batch as the provider knows it. */
struct asbi_batch_ref {
    /* -- set by its owner */
    char name[ASBI_BATCH_NAME]; /* letters, digits, '-'; ours, to find it by */
    const char *endpoint;       /* of all its lines: "/v1/chat/completions" */
    const char *model;

    /* -- what the provider said; "" for nothing */
    char input[ASBI_REMOTE_ID]; /* the uploaded file */
    char id[ASBI_REMOTE_ID];
    char output[ASBI_REMOTE_ID], errors[ASBI_REMOTE_ID]; /* result files */
    char page[ASBI_REMOTE_ID]; /* of the list to look into; "" for the first */
};

enum asbi_batch_step {
    ASBI_BATCH_UPLOAD, /* the lines, where they are a file of their own */
    ASBI_BATCH_CREATE, /* from here on it costs money */
    ASBI_BATCH_FIND,   /* by its name, in a page of the list: is it there? */
    ASBI_BATCH_POLL,
    ASBI_BATCH_CANCEL,
    ASBI_BATCH_OUTPUT, /* the results ... */
    ASBI_BATCH_ERRORS, /* ... and those that are kept apart */
};

/* What became of one line. */
struct asbi_batch_result {
    asbi_str id;   /* as given; empty: the line is not understood */
    bool answered; /* else it was never worked off, and is not billed */
    int status;    /* of an answer: as of a direct call */
    asbi_str body; /* and its body, JSON */
};

struct asbi_batch_api {
    uint64_t requests_most;     /* lines of a batch ... */
    size_t bytes_most;          /* ... and bytes of all */
    enum asbi_batch_step first; /* the request that carries the lines */
    bool one_document;          /* results are one JSON text, not lines */
    bool takes_arrays;          /* array calls can be lines, ... */
    size_t array_texts;         /* ... with as many texts in all; 0: any */
    bool shows_names;           /* FIND is there */

    /* The request that carries the lines: begin, then each line, then end. */
    void (*begin)(const struct asbi_batch_ref *ref, struct asbi_buf *out);
    void (*line)(const struct asbi_batch_ref *ref, asbi_str id, asbi_str body,
                 struct asbi_buf *out);
    void (*end)(const struct asbi_batch_ref *ref, struct asbi_buf *out);
    /* Appends "Content-Type: ..." of that request.  NULL: it is JSON, as all
     * others are. */
    void (*content_type)(const struct asbi_batch_ref *ref,
                         struct asbi_buf *out);

    /* The request of a step; of the first one the body comes from above.
     * False when the API has none, or there is nothing to fetch. */
    bool (*ask)(enum asbi_batch_step step, const struct asbi_batch_ref *ref,
                struct asbi_remote_request *out);

    /* The answer (status 2xx) to any step but the results.  A page of the list
     * that is not the last sets news->more and ref->page, which stays "" when
     * the next one cannot be asked for. */
    void (*read)(enum asbi_batch_step step, struct asbi_json *json,
                 struct asbi_batch_ref *ref, struct asbi_remote_news *news);

    /* The results in the one document; NULL when none are there. */
    const struct asbi_json_node *(*results)(struct asbi_json *json);

    /* One result.  Views live as long as the document and `scratch`. */
    void (*result)(struct asbi_json *json, const struct asbi_json_node *node,
                   struct asbi_buf *scratch, struct asbi_batch_result *out);
};

/* Names the page in a query, behind `key`, unless it is the first. */
void asbi_batch_put_page(const char *key, const struct asbi_batch_ref *ref,
                         struct asbi_buf *path);

/* The page that `next` names comes next; one that is too long is none. */
void asbi_batch_keep_page(asbi_str next, struct asbi_batch_ref *ref);

/* Between lines that are objects in a list. */
static inline void asbi_batch_put_comma(struct asbi_buf *out)
{
    if (out->len && out->data[out->len - 1] == '}')
        asbi_buf_char(out, ',');
}

extern const struct asbi_batch_api asbi_openai_batches;
extern const struct asbi_batch_api asbi_anthropic_batches;
extern const struct asbi_batch_api asbi_gemini_batches;

#endif

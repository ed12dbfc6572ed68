/*
 * dialect.h -- how one family of providers is spoken to.
 *
 * A dialect turns values into bytes and bytes into values.  It does no I/O,
 * keeps no clock and never sees the loop, so each is tested by calling these
 * functions.  Adding one is one file and one line in dialects.c.
 */
#ifndef ASBI_ADAPTERS_DIALECT_H
#define ASBI_ADAPTERS_DIALECT_H

#include <stdbool.h>
#include <stdint.h>

#include "adapters/reply.h"
#include "engine/base/buf.h"
#include "engine/base/mem.h"

/* An item as it stands in a packed prompt. */
struct asbi_prompt_item {
    asbi_str wire_id;    /* short, random, new for each call */
    asbi_str text;       /* UTF-8 */
    asbi_str complaint;  /* what was wrong last time; empty for none */
    uint32_t max_length; /* code points; 0 for no limit */
    /* A text like it and the answer to that; empty for none. */
    asbi_str example_text, example_output;
};

/* How items go into a call. */
enum asbi_call_way {
    ASBI_SINGLE, /* one item, one call */
    ASBI_PACKED, /* many items in one prompt */
    ASBI_ARRAY,  /* the API itself takes a list */
    ASBI_JOB,    /* one item begins a job, whose result is fetched later */
};

/* What a provider is asked for without a prompt. */
enum asbi_array_kind { ASBI_EMBED, ASBI_MODERATE, ASBI_ARRAY_KINDS };

struct asbi_json_api;
struct asbi_batch_api;
struct asbi_media_shape;

/* How the reply is asked for; a dialect leaves out what a server lacks. */
struct asbi_call_style {
    const char *model;
    bool stream;
    bool structured;    /* JSON schema for the packed answer */
    bool json_mode;     /* response_format json_object, when no schema */
    double temperature; /* < 0: not sent */
    uint64_t max_output_tokens; /* 0: not sent */
    bool max_completion_tokens; /* newer name of the same limit */
    bool no_limit;              /* the server knows it under no name */
    bool no_system;             /* the model takes no system message */
    bool once; /* no call like it: what it begins with is not worth a cache */
    uint64_t model_max_output; /* for a dialect that must send some limit */
    enum asbi_array_kind array;
    uint64_t dimensions;             /* of an embedding; 0: the model's */
    const struct asbi_json_api *api; /* of dialect "json", else NULL */
    /* How media jobs are spoken of, where they are; see adapters/media.h. */
    const struct asbi_media_shape *media;
};

/* Several items in one prompt.  `system` is the same, byte for byte, for every
 * call of a kind, so that the provider's prompt cache can serve it. */
struct asbi_packed_request {
    asbi_str system;
    const struct asbi_prompt_item *items;
    size_t count;
    /* For task classify: the answer must be one of these; 0 for free text. */
    const asbi_str *choices;
    size_t choice_count;
};

/* Several items that the API takes as a list.  Item i is answered under wire
 * id "i", in decimal. */
struct asbi_array_request {
    const asbi_str *texts;
    size_t count;
};

/* One item, one call. */
struct asbi_single_request {
    asbi_str system;   /* may be empty */
    asbi_str text;     /* one user message, or ... */
    asbi_str messages; /* ... a JSON array of messages, verbatim, or ... */
    asbi_str body;     /* ... the whole body, verbatim */
};

/* What the decoder tells while an answer streams in. */
struct asbi_reply_sink {
    /* A complete answer for a wire id.  `output` lives for the call; JSON text
     * when `is_json` (the model answered with something else than a string);
     * its `at` is NULL for an answer that could not be kept.  A wire id may be
     * unknown or repeated: the owner judges. */
    void (*on_answer)(void *arg, asbi_str wire_id, asbi_str output,
                      bool is_json);
    /* Single calls: the next piece of the answer's text, which is UTF-8 as
     * a whole; a piece may end inside a character. */
    void (*on_text)(void *arg, asbi_str piece);
    void *arg;
};

/* Reads one reply, in pieces of any size. */
struct asbi_decoder;

struct asbi_dialect {
    const char *name; /* as in the catalogue: "openai" */

    /* Appends where a call goes, below the base URL: "/chat/completions". */
    void (*path)(enum asbi_call_way way, const struct asbi_call_style *style,
                 struct asbi_buf *path);

    /* "Content-Type: ...", "Authorization: Bearer ..." and the like: appends
     * NUL-terminated lines, one after the other, to `lines`.  `key` may be
     * empty; one that cannot stand in a header is left out. */
    void (*headers)(asbi_str key, const struct asbi_call_style *style,
                    struct asbi_buf *lines);

    /* Most items and tokens in an array call, unless the provider has limits
     * of its own; 0: no limit. */
    uint64_t array_items[ASBI_ARRAY_KINDS], array_tokens;

    /* Bodies.  A failed buffer means too large or out of memory.  NULL for a
     * way that the dialect has not; only that of media jobs has none. */
    void (*encode_packed)(const struct asbi_packed_request *request,
                          const struct asbi_call_style *style,
                          struct asbi_buf *body);
    void (*encode_single)(const struct asbi_single_request *request,
                          const struct asbi_call_style *style,
                          struct asbi_buf *body);
    void (*encode_array)(const struct asbi_array_request *request,
                         const struct asbi_call_style *style,
                         struct asbi_buf *body);

    /* How many requests are handed in at once; NULL when they cannot be. */
    const struct asbi_batch_api *batches;

    /* One decoder serves many calls, one after the other.  Those for calls at
     * the same time are twins of the first, which outlives them: what does not
     * change from call to call is there once. */
    struct asbi_decoder *(*decoder_new)(const struct asbi_mem *mem,
                                        const struct asbi_call_style *style);
    struct asbi_decoder *(*decoder_twin)(const struct asbi_decoder *first);
    void (*decoder_free)(struct asbi_decoder *d);
    /* Starts on a new reply; copies `sink`, whose functions may be NULL. */
    void (*begin)(struct asbi_decoder *d, enum asbi_call_way way,
                  const struct asbi_reply_sink *sink);
    void (*on_status)(struct asbi_decoder *d, int status);
    /* `wall_ms` turns dates in headers into waits. */
    void (*on_header)(struct asbi_decoder *d, asbi_str name, asbi_str value,
                      uint64_t wall_ms);
    /* ASB_OK, or an error that ends the exchange: too deep, too large. */
    int (*on_body)(struct asbi_decoder *d, const char *at, size_t len);
    /* `complete`: the exchange ended well.  What is decoded of a cut reply
     * counts all the same; when its end was not seen, or no status came, it is
     * ASBI_OVERLOADED.  Call it once. */
    void (*end)(struct asbi_decoder *d, bool complete, struct asbi_reply *out);
};

/* NULL when no dialect has that name. */
const struct asbi_dialect *asbi_dialect_find(const char *name);

#endif

/*
 * decoder.h -- reads one reply after the other, of any dialect whose replies a
 * table of JSON paths describes: one document, a stream of server-sent events,
 * or the page of some proxy in between.
 *
 * Collects facts; verdict.c says what they mean.  Its functions are the
 * members of struct asbi_dialect of the same names.
 */
#ifndef ASBI_ADAPTERS_DECODER_H
#define ASBI_ADAPTERS_DECODER_H

#include "adapters/dialect.h"
#include "adapters/path_trie.h"

/* What a path is about.  Where two are about the same, the later value in the
 * reply counts. */
enum asbi_reply_field {
    /* -- streams: the text of the answer */
    ASBI_REPLY_TEXT, /* strings alone */
    /* What a model hands to a tool, as text or as JSON: the answer to a packed
     * request, else left alone. */
    ASBI_REPLY_TOOL_INPUT,
    ASBI_REPLY_PART_TEXT, /* a text, unless what it is in is reasoning */
    /* ... if the event, or the type before it, ends in "output_text.delta" */
    ASBI_REPLY_TYPED_DELTA,

    /* -- values: what texts are in, which may name its type behind them */
    ASBI_REPLY_ITEM, /* an object of the output begins */
    ASBI_REPLY_ITEM_TYPE,
    ASBI_REPLY_PART, /* a part of its content begins */

    /* -- array replies.  An answer belongs to the item its index names, or to
     * the one at the same place among the elements. */
    ASBI_REPLY_ELEMENT,        /* value: begins */
    ASBI_REPLY_INDEX,          /* value: of the element's item */
    ASBI_REPLY_ELEMENT_ANSWER, /* stream: of the element */
    ASBI_REPLY_ANSWER,         /* stream: an element and its answer in one */

    /* -- values: how it ended */
    ASBI_REPLY_REFUSAL, /* any text: the model declined */
    ASBI_REPLY_BLOCKED, /* as finish, of a prompt that got no answer */
    ASBI_REPLY_FINISH,
    ASBI_REPLY_STATUS, /* "completed", "failed", ...: the end has come */

    /* -- values: what was used, in tokens */
    ASBI_REPLY_INPUT,
    ASBI_REPLY_INPUT_PART,   /* adds to the input */
    ASBI_REPLY_CACHED,       /* read from the prompt cache */
    ASBI_REPLY_CACHE_WRITES, /* written into it */
    ASBI_REPLY_OUTPUT,
    ASBI_REPLY_THOUGHTS,  /* output that OUTPUT leaves out */
    ASBI_REPLY_REASONING, /* output that OUTPUT leaves out if TOTAL has more */
    ASBI_REPLY_TOTAL,     /* input and all output */

    /* -- values: what went wrong */
    ASBI_REPLY_ERROR, /* an object, or a text that is the message */
    ASBI_REPLY_MESSAGE,
    ASBI_REPLY_CODE,
    ASBI_REPLY_TYPE,
    ASBI_REPLY_PARAM,
    ASBI_REPLY_KIND,  /* "error" marks one, "message_stop" the end */
    ASBI_REPLY_WAIT,  /* "34s": how long to wait */
    ASBI_REPLY_QUOTA, /* name of the quota that is used up */
};

/* A list of X(path, mode, field) as the arrays `paths` and `fields` of a
 * table. */
#define ASBI_REPLY_ITS_PATH(text, mode, field) { text, ASBI_PICK_##mode },
#define ASBI_REPLY_ITS_FIELD(text, mode, field) ASBI_REPLY_##field,
#define ASBI_REPLY_LISTS(LIST)                                             \
    static const struct asbi_path paths[] = { LIST(ASBI_REPLY_ITS_PATH) }; \
    static const uint8_t fields[] = { LIST(ASBI_REPLY_ITS_FIELD) };

struct asbi_reply_table {
    const struct asbi_path *paths;
    const uint8_t *fields; /* enum asbi_reply_field of each path */
    size_t count;
    /* Input tokens are told without those of the cache. */
    bool input_lacks_cache;
};

/* Keeps `table`.  NULL when out of memory. */
struct asbi_decoder *asbi_decoder_new(const struct asbi_mem *mem,
                                      const struct asbi_reply_table *table);
/* Another one for the same replies, which borrows from the first and goes
 * before it.  NULL when out of memory. */
struct asbi_decoder *asbi_decoder_twin(const struct asbi_decoder *first);
void asbi_decoder_free(struct asbi_decoder *d);
void asbi_decoder_begin(struct asbi_decoder *d, enum asbi_call_way way,
                        const struct asbi_reply_sink *sink);
void asbi_decoder_on_status(struct asbi_decoder *d, int status);
void asbi_decoder_on_header(struct asbi_decoder *d, asbi_str name,
                            asbi_str value, uint64_t wall_ms);
int asbi_decoder_on_body(struct asbi_decoder *d, const char *at, size_t len);
void asbi_decoder_end(struct asbi_decoder *d, bool complete,
                      struct asbi_reply *out);

/* For the table of a dialect. */
#define ASBI_DECODER_FUNCTIONS                                            \
    .decoder_twin = asbi_decoder_twin, .decoder_free = asbi_decoder_free, \
    .begin = asbi_decoder_begin, .on_status = asbi_decoder_on_status,     \
    .on_header = asbi_decoder_on_header, .on_body = asbi_decoder_on_body, \
    .end = asbi_decoder_end

#endif

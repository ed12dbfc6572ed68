/*
 * decoder_state.h -- what decoder.c and decoder_fields.c share: the first
 * reads bodies and ends calls, the second takes what the paths lead to.
 */
#ifndef ASBI_ADAPTERS_DECODER_STATE_H
#define ASBI_ADAPTERS_DECODER_STATE_H

#include "adapters/decoder.h"
#include "adapters/excerpt.h"
#include "adapters/explain.h"
#include "adapters/json_pick.h"
#include "adapters/packed_answer.h"
#include "adapters/rate_headers.h"
#include "adapters/sse.h"

enum { ASBI_DECODER_NO_PATH = 255 };

/* A short text that is kept, cut where it does not fit. */
struct asbi_decoder_word {
    size_t len;
    char at[64];
};

enum asbi_decoder_body {
    ASBI_BODY_NOT_BEGUN,
    ASBI_BODY_DOCUMENT,
    ASBI_BODY_EVENTS,
    ASBI_BODY_PAGE,
};

/* The element of an array reply that is being read. */
struct asbi_decoder_element {
    bool begun, has_index, has_answer, is_json, whole;
    uint64_t index;
    struct asbi_buf answer; /* kept from reply to reply */
};

/* What decoders of one table share: what they look for. */
struct asbi_decoder_paths {
    struct asbi_path_trie reply;
    struct asbi_packed_paths packed;
};

struct asbi_decoder {
    /* -- set by asbi_decoder_new() */
    const struct asbi_mem *mem;
    const struct asbi_reply_table *table;
    struct asbi_decoder_paths *own_paths;   /* NULL: it is a twin */
    const struct asbi_decoder_paths *paths; /* its own, or the first one's */
    struct asbi_pick_sink pick_sink;
    struct asbi_sse_sink sse_sink;
    struct asbi_packed_answer answer; /* keeps memory from call to call */

    /* -- of the call */
    struct asbi_reply_sink sink;
    enum asbi_call_way way;
    int status;
    bool says_events; /* by its content type */
    struct asbi_rate_headers headers;
    struct asbi_decoder_word location;
    enum asbi_decoder_body body;
    struct asbi_pick pick;
    struct asbi_sse sse;
    struct asbi_excerpt excerpt;
    bool has_events;    /* at least one that has data */
    bool in_event;      /* pick has read data of the event under way */
    unsigned text_path; /* whose stream is read, or ASBI_DECODER_NO_PATH */
    bool malformed;     /* some of the body was */
    bool given_up;      /* too deep or too large: nothing more is read */
    bool ended;         /* a sign that the answer has its end was seen */
    bool error, refused;
    bool reasoning; /* the item of the output that is read is reasoning */
    struct asbi_decoder_word finish, code, type, param;
    size_t message_len;
    char message[ASBI_PICK_VALUE_MAX];
    bool has_usage;
    uint64_t input, cached, cache_writes, output, thoughts, reasoned, total;
    struct asbi_decoder_element element;
    uint64_t elements;
    bool by_place; /* an answer was told without an index of its own */
    struct asbi_explanation explanation; /* the reply points into it */
};

/* Sets the functions of d->pick_sink. */
void asbi_decoder_fields_init(struct asbi_decoder *d);
void asbi_decoder_fields_fini(struct asbi_decoder *d);

/* Forgets what the reply before had. */
void asbi_decoder_fields_begin(struct asbi_decoder *d);

/* The body is over; `whole`: it has its end. */
void asbi_decoder_fields_end(struct asbi_decoder *d, bool whole);

/* Keeps a word, unless there is nothing in it. */
void asbi_decoder_set_word(struct asbi_decoder_word *w, asbi_str s);

#endif

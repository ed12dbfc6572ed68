/*
 * sse.h -- server-sent events, as the WHATWG HTML standard parses them, in
 * pieces of any size.
 *
 * Keeps no event: the data of one is handed on as it comes, lines joined by a
 * newline.  Knows of the fields `data` and `event` only, and of "[DONE]", with
 * which chat APIs end a stream; never reconnects.
 */
#ifndef ASBI_ADAPTERS_SSE_H
#define ASBI_ADAPTERS_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/str.h"

struct asbi_sse_sink {
    /* More data of the event under way; not called with nothing. */
    void (*on_data)(void *arg, asbi_str piece);
    /* The event is over; it had data.  `name` is that of its `event` field,
     * empty for none, cut at 31 bytes. */
    void (*on_event)(void *arg, asbi_str name);
    /* data: [DONE] */
    void (*on_done)(void *arg);
    void *arg;
};

/* Private but for its size. */
struct asbi_sse {
    const struct asbi_sse_sink *sink;
    size_t max_event; /* bytes of data */
    uint8_t state;
    uint8_t bom;       /* bytes of a byte order mark so far */
    bool after_cr;     /* a \n belongs to the line before */
    bool after_colon;  /* one space may be dropped */
    bool has_data;     /* the event has a data line ... */
    size_t data_len;   /* ... and that many bytes */
    uint8_t held;      /* bytes of "[DONE]" not handed on yet */
    bool plain;        /* the data is not "[DONE]" */
    uint8_t field_len; /* of the field name so far */
    uint8_t name_len;
    char field[8];
    char name[32];
    int rc;
};

/* Keeps `sink`. */
void asbi_sse_begin(struct asbi_sse *s, const struct asbi_sse_sink *sink,
                    size_t max_event);

/* ASB_OK; ASB_ETOOBIG, for ever, once an event has more than max_event bytes
 * of data. */
int asbi_sse_feed(struct asbi_sse *s, const char *at, size_t len);

/* The name of the event under way; empty while no `event` field was read. */
asbi_str asbi_sse_name(const struct asbi_sse *s);

/* No more comes.  An event without the empty line at its end counts: its data
 * says itself whether it is whole. */
void asbi_sse_finish(struct asbi_sse *s);

#endif

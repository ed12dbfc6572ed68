/*
 * http1.h -- where an HTTP/1.1 answer begins and ends (RFC 9112): its lines and
 * the bytes of its body, from pieces cut anywhere.
 *
 * No socket, no clock.  It knows the fields that say how long an answer is and
 * leaves all others to its owner.  What two readers could take for answers of
 * two lengths (a length that is no number, two that differ, a transfer coding
 * other than chunked) is no answer to it.
 */
#ifndef ASBI_REAL_HTTP1_H
#define ASBI_REAL_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/str.h"

enum asbi_http1_result {
    ASBI_HTTP1_MORE,     /* it goes on */
    ASBI_HTTP1_WHOLE,    /* its last byte was taken */
    ASBI_HTTP1_STOPPED,  /* a callback said so */
    ASBI_HTTP1_NO_HTTP,  /* malformed */
    ASBI_HTTP1_TOO_LONG, /* a line over its limit */
    ASBI_HTTP1_NO_MEMORY,
};

/* What the body is packed with (Content-Encoding). */
enum asbi_http1_coding {
    ASBI_HTTP1_IDENTITY,
    ASBI_HTTP1_GZIP, /* or deflate */
    ASBI_HTTP1_UNKNOWN,
};

/* What is read next. */
enum asbi_http1_state {
    ASBI_HTTP1_STATUS,
    ASBI_HTTP1_FIELD,
    ASBI_HTTP1_COUNTED, /* a body of `left` bytes */
    ASBI_HTTP1_OPEN,    /* a body that ends with the connection */
    ASBI_HTTP1_CHUNK_SIZE,
    ASBI_HTTP1_CHUNK,
    ASBI_HTTP1_CHUNK_END,
    ASBI_HTTP1_TRAILER,
    ASBI_HTTP1_DONE,
};

/* False stops. */
struct asbi_http1_ops {
    /* A line of the head with its line end: status line, fields, the empty
     * one; those of interim answers (1xx) and trailers, too. */
    bool (*on_line)(void *arg, asbi_str line);
    bool (*on_body)(void *arg, asbi_str bytes);
};

struct asbi_http1 {
    const struct asbi_http1_ops *ops;
    void *arg;
    bool no_body; /* to HEAD */

    /* -- told by the answer, for the owner to read */
    bool keep; /* the connection may be used again */
    enum asbi_http1_coding coding;

    /* -- inside */
    enum asbi_http1_state state;
    int status;
    bool minor, close, keep_alive, counted, chunked;
    uint64_t left;
    struct asbi_buf line; /* the beginning of one that was cut */
};

/* Without the white space around what counts, the line end included: for the
 * few bytes that HTTP lets stand there, as this runs for each field. */
static inline asbi_str asbi_http1_trim(asbi_str s)
{
    while (s.len && (s.at[0] == ' ' || s.at[0] == '\t'))
        s.at++, s.len--;
    while (s.len && (unsigned char)s.at[s.len - 1] <= ' ')
        s.len--;
    return s;
}

/* For one answer.  A line, and what of it is kept here, has at most `max_line`
 * bytes. */
void asbi_http1_begin(struct asbi_http1 *a, const struct asbi_mem *mem,
                      const struct asbi_http1_ops *ops, void *arg,
                      size_t max_line, bool no_body);
void asbi_http1_fini(struct asbi_http1 *a);

/* Takes `bytes`; *used says how many belonged to the answer when it is WHOLE.
 * To be called no more after anything but MORE. */
enum asbi_http1_result asbi_http1_feed(struct asbi_http1 *a, asbi_str bytes,
                                       size_t *used);

/* The connection ended: is the answer whole?  */
bool asbi_http1_may_end(const struct asbi_http1 *a);

#endif

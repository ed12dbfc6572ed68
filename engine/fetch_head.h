/*
 * fetch_head.h -- what the head of a download says: how much there is, from
 * where on, with which digest, or where else.  Pure.
 */
#ifndef ASBI_FETCH_HEAD_H
#define ASBI_FETCH_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/digest.h"
#include "engine/base/str.h"

/* Zero it for each answer, `length` and `total` UINT64_MAX. */
struct asbi_fetch_head {
    uint64_t length; /* of what comes; UINT64_MAX: not told */
    uint64_t from;   /* first byte of what comes, with a range */
    uint64_t total;  /* of the whole, with a range; UINT64_MAX: not told */
    bool encoded;    /* what comes is packed: `length` says nothing */
    bool has_digest;
    unsigned char sha256[ASBI_DIGEST_BYTES];
    char etag[128];      /* strong, with quotes; "" for none */
    char type[64];       /* "video/mp4"; "" when not told */
    char location[4096]; /* "" for none */
};

void asbi_fetch_head_begin(struct asbi_fetch_head *h);

/* Takes one header; what makes no sense, or is too long, counts as absent. */
void asbi_fetch_head_add(struct asbi_fetch_head *h, asbi_str name,
                         asbi_str value);

/* Appends where a redirect of `url` leads; false when that is nowhere to go:
 * no address, or from https to http. */
bool asbi_fetch_redirect(asbi_str url, const char *location,
                         struct asbi_buf *out);

/* The ending of a file: by its type, else by its address; ".bin". */
void asbi_fetch_put_ending(const char *type, asbi_str url,
                           struct asbi_buf *out);

#endif

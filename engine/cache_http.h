/*
 * cache_http.h -- answers shared through HTTP: a remote tier of the cache
 * (engine/remote.h), such as a CDN before a file server.
 *
 * An answer is the object below the base URL that its key names in hexadecimal
 * digits: eight bytes of expiry, then the record.  It is read with GET and
 * written with PUT, and marked with the header Surrogate-Key, by which a CDN
 * can be told to let go of all of them.
 *
 * What the server says of an object's life (Cache-Control, Age, with
 * stale-while-revalidate) bounds how long it serves here; when that is over and
 * there is an ETag, the server is asked whether it still holds.
 *
 * Exchanges are the transport's.  After some failures in a row nothing is
 * asked for a while; a server that takes no PUT is only read, and what it finds
 * too large is not written.
 */
#ifndef ASBI_CACHE_HTTP_H
#define ASBI_CACHE_HTTP_H

#include "engine/remote.h"
#include "engine/world.h"

struct asbi_cache_http_options {
    const char *base_url;      /* without a slash at the end */
    asbi_str token;            /* sent as Bearer; empty for none */
    const char *surrogate_key; /* a further mark of what is written; or "" */
    uint64_t budget_ns;        /* of a look-up, waiting included */
};

/* Borrows `world`, whose transport it uses.  ASB_OK, ASB_EINVAL (the mark) or
 * ASB_ENOMEM. */
int asbi_cache_http_new(struct asbi_world *world,
                        const struct asbi_cache_http_options *options,
                        struct asbi_remote **out);

/**
 * Asks the server to let go of all answers with a mark: PURGE of the base URL
 * with the header Surrogate-Key.  `done` is called once, from the loop, unless
 * the tier is freed before: with the status, or 0 when there was no answer.
 * @return ASB_OK, ASB_EINVAL (the mark), ASB_EBUSY (one is under way) or
 *         ASB_ENOMEM
 */
int asbi_cache_http_purge(struct asbi_remote *http, const char *mark,
                          void (*done)(void *arg, int status), void *arg);

/* For what else is kept below the address (engine/shelf.h): the address, and
 * the lines of headers with the token (NULL: none) and the marks.  Theirs. */
const char *asbi_cache_http_base(const struct asbi_remote *http);
const char *asbi_cache_http_token_line(const struct asbi_remote *http);
const char *asbi_cache_http_mark_line(const struct asbi_remote *http);

/* Whether it may stand in a header: visible ASCII and blanks, not too long. */
bool asbi_cache_http_is_mark(const char *mark);

#endif

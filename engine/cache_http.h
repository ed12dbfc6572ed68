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
 * asked for a while; a server that takes no PUT is only read.
 */
#ifndef ASBI_CACHE_HTTP_H
#define ASBI_CACHE_HTTP_H

#include "engine/remote.h"
#include "engine/world.h"

struct asbi_cache_http_options {
    const char *base_url; /* without a slash at the end */
    asbi_str token;       /* sent as Bearer; empty for none */
    uint64_t budget_ns;   /* of a look-up, waiting included */
};

/* Borrows `world`, whose transport it uses.  ASB_OK or ASB_ENOMEM. */
int asbi_cache_http_new(struct asbi_world *world,
                        const struct asbi_cache_http_options *options,
                        struct asbi_remote **out);

#endif

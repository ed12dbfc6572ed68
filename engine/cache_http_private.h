/*
 * cache_http_private.h -- what the files of the HTTP tier share: its state
 * (cache_http.c), exchanges (cache_http_exchange.c), the form of a value and
 * what was read with its ETag (cache_http_kept.c).
 */
#ifndef ASBI_CACHE_HTTP_PRIVATE_H
#define ASBI_CACHE_HTTP_PRIVATE_H

#include "cache/cache_control.h"
#include "cache/memory.h"
#include "engine/base/buf.h"
#include "engine/cache_http.h"

enum {
    SLOTS = 16, /* exchanges at once */
    MOST_WAITING = 4096,
    MOST_FAILURES = 4, /* in a row */
    MAX_VALUE = 8 << 20,
    MOST_WRITE_BYTES = 8 << 20, /* that wait */
    KEPT_BYTES = 4 << 20,
    VALUE_HEAD = 8,
    ETAG_MAX = 128,
    SURROGATE_MAX = 256,
};

#define FIRST_WAIT (UINT64_C(1000000000))
#define LONGEST_WAIT (60 * FIRST_WAIT)
#define WRITE_LIMIT (5 * FIRST_WAIT)

struct slot {
    struct asbi_exchange exchange;
    struct asbi_endpoint endpoint;
    struct cache_http *owner;
    struct asbi_link link; /* idle or active */
    bool writes;
    struct asbi_look *look; /* NULL: nobody waits */
    struct asbi_cache_key key;
    char *url;
    struct asbi_buf bytes; /* the body, sent or read */
    const char *extra[4];
    char condition[ETAG_MAX + 32];
    char condition_etag[ETAG_MAX], etag[ETAG_MAX];
    size_t condition_etag_len, etag_len;
    int status;
    struct asbi_cache_control control;
};

/* An answer that waits to be written. */
struct write {
    struct asbi_link link;
    struct asbi_cache_key key;
    uint64_t max_age; /* seconds */
    size_t len;
    char value[];
};

struct cache_http {
    struct asbi_remote remote; /* first: what the engine sees */
    const struct asbi_mem *mem;
    struct asbi_world *world;
    char *base, *authorization;
    char mark[SURROGATE_MAX];      /* the header that marks what is written */
    struct asbi_http_purge *purge; /* under way; NULL: none */
    const char *headers[2];
    uint64_t budget_ns;
    struct asbi_memory *kept;
    struct slot slots[SLOTS];
    struct asbi_list idle, active;
    struct asbi_list waiting; /* look-ups */
    struct asbi_list writes;
    size_t write_bytes;
    struct asbi_buf scratch;

    bool ill, read_only;
    size_t too_large; /* bytes of a value that was refused for its size: none of
                         as many is written; 0: no such */
    unsigned failures;
    uint64_t down_until_ns, wait_ns;
};

static inline struct cache_http *http_of(struct asbi_remote *r)
{
    return (struct cache_http *)(void *)r;
}

static inline const struct cache_http *
const_http_of(const struct asbi_remote *r)
{
    return (const struct cache_http *)(const void *)r;
}

void asbi_http_writes_drop(struct cache_http *c);

/* ---- on the wire: cache_http_exchange.c --------------------------------- */

/* A GET, conditional when something is kept; `look` may be NULL.  ASB_OK,
 * ASB_EFULL (no slot, or no room in the transport) or ASB_ENOMEM. */
int asbi_http_read(struct cache_http *c, const struct asbi_cache_key *key,
                   struct asbi_look *look);

/* A PUT; as asbi_http_read(). */
int asbi_http_write(struct cache_http *c, const struct write *w);

/* Ends a look-up, if there is one, with a value or as a miss. */
void asbi_http_end_look(struct cache_http *c, struct asbi_look *look,
                        asbi_str value, uint64_t serves_until_ms);
void asbi_http_miss(struct cache_http *c, struct asbi_look *look);

/* ---- cache_http_purge.c -------------------------------------------------- */

void asbi_http_purge_free(struct cache_http *c);

/* ---- values: cache_http_kept.c ----------------------------------------- */

/* `to` has room for VALUE_HEAD bytes more than the record. */
void asbi_cache_value_write(char *to, uint64_t expires_ms, asbi_str record);

/* Takes the expiry off; false when there is no record behind it. */
bool asbi_cache_value_read(asbi_str *value, uint64_t *expires_ms);

/* An object as it was read. */
struct asbi_kept {
    uint64_t fresh_until_ms, serves_until_ms;
    asbi_str etag, value;
};

/* Points into `memory`, until it changes. */
bool asbi_kept_find(struct asbi_memory *memory,
                    const struct asbi_cache_key *key, uint64_t now_ms,
                    struct asbi_kept *kept);

/* Copies it by way of `scratch`. */
void asbi_kept_put(struct asbi_memory *memory, const struct asbi_cache_key *key,
                   const struct asbi_kept *kept, struct asbi_buf *scratch,
                   uint64_t now_ms);

#endif

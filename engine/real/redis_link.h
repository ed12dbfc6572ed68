/*
 * redis_link.h -- the door to hiredis: one connection to a Redis server, on the
 * loop; commands out, replies in, in order.
 *
 * hiredis reads the replies.  Connections are stream.c's rather than hiredis's
 * own: those of Debian's version know no TLS and resolve names blockingly.
 *
 * Gives up quietly: it reports once that it is down, and stays so until it is
 * started again.  Passwords and values never reach its messages.
 */
#ifndef ASBI_REAL_REDIS_LINK_H
#define ASBI_REAL_REDIS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/str.h"
#include "engine/real/parts.h"

/* Where the server is.  All strings are copied. */
struct asbi_redis_place {
    const char *host; /* a name or an address; "" with a path */
    unsigned port;
    const char *path; /* of a Unix socket; "" for none */
    bool tls;
    const char *ca_file; /* "": the system's */
    const char *user;    /* "" for none */
    asbi_str password;   /* empty for none */
    unsigned database;
    uint64_t patience_ns; /* to connect and be let in */
};

struct asbi_redis_reply {
    enum {
        ASBI_REDIS_NIL,
        ASBI_REDIS_TEXT, /* strings and statuses */
        ASBI_REDIS_NUMBER,
        ASBI_REDIS_ERROR,
        ASBI_REDIS_MESSAGE, /* of a subscription: its payload is `text` */
    } kind;
    asbi_str text; /* lives until the callback returns */
    int64_t number;
};

/* From the loop or from inside asbi_redis_link_flush(). */
struct asbi_redis_link_ops {
    void (*on_up)(void *arg);
    /* One for each command since on_up(), in order; and messages. */
    void (*on_reply)(void *arg, const struct asbi_redis_reply *reply);
    /* What was not replied to never will be. */
    void (*on_down)(void *arg, const char *why);
};

struct asbi_redis_link;

/* ASB_OK, ASB_ECONFIG (the certificates, said in `why`) or ASB_ENOMEM. */
int asbi_redis_link_new(const struct asbi_parts *parts,
                        const struct asbi_redis_place *place,
                        const struct asbi_redis_link_ops *ops, void *arg,
                        struct asbi_redis_link **out, struct asb_message *why);
void asbi_redis_link_free(struct asbi_redis_link *l); /* accepts NULL */

/* From down to up, or on_down(), which may be called before this returns.
 * Does nothing from inside on_reply(). */
void asbi_redis_link_start(struct asbi_redis_link *l);

/* Down, without a callback. */
void asbi_redis_link_stop(struct asbi_redis_link *l);

bool asbi_redis_link_is_up(const struct asbi_redis_link *l);

/* Queues a command of a link that is up.  False when there is no room. */
bool asbi_redis_link_send(struct asbi_redis_link *l, const asbi_str *words,
                          size_t count);
void asbi_redis_link_flush(struct asbi_redis_link *l);

#endif

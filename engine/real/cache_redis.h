/*
 * cache_redis.h -- answers shared through a Redis server: a remote tier of the
 * cache (engine/remote.h).
 *
 * An answer is the value of "asyncbatch:1:" and its key in hexadecimal digits:
 * eight bytes of expiry, then the record; Redis lets go of it by itself.
 * Look-ups of a turn go out together and come back in order.
 *
 * A look-up that takes longer than its budget is given up.  When the server
 * does not answer at all, the connection is closed and tried again after a
 * quarter of a second, then twice that, up to half a minute; nothing waits for
 * it meanwhile.
 *
 * A node of a Redis Cluster sends to other nodes, which hiredis does not know:
 * it is told of once and not asked again.
 *
 * Who publishes an answer's key in hexadecimal digits on the channel
 * "asyncbatch:purge" has it forgotten by all who are connected; "*" stands for
 * all that they keep in memory.
 */
#ifndef ASBI_REAL_CACHE_REDIS_H
#define ASBI_REAL_CACHE_REDIS_H

#include "engine/real/redis_link.h"
#include "engine/remote.h"

struct asbi_cache_redis_options {
    struct asbi_redis_place place;
    uint64_t budget_ns; /* of a look-up */
};

/* Borrows `parts`.  ASB_OK, ASB_ECONFIG (said in `why`) or ASB_ENOMEM. */
int asbi_cache_redis_new(const struct asbi_parts *parts,
                         const struct asbi_cache_redis_options *options,
                         struct asbi_remote **out, struct asb_message *why);

/* The place that a URL names: redis://user@host:6379/0, rediss:// for TLS,
 * unix:///run/redis.sock; strings go into `room`.  ASB_OK or ASB_ECONFIG. */
struct asbi_redis_room {
    char host[256], user[128], path[108];
};
int asbi_cache_redis_parse(const char *url, struct asbi_redis_room *room,
                           struct asbi_redis_place *place,
                           struct asb_message *why);

#endif

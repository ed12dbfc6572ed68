/*
 * redis.h -- a redis-server of our own for a test, on a Unix socket, on TCP or
 * with TLS, and a few commands to it from outside.
 */
#ifndef ASBI_TESTS_REDIS_H
#define ASBI_TESTS_REDIS_H

#include "tests/support/server.h"

struct redis {
    struct server server;
    char url[160];       /* as option `redis` takes it */
    const char *options; /* lines of its configuration; NULL: none */
};

/* Makes its folder; ends the test as skipped when there is no redis-server. */
void redis_start(struct redis *r, const char *options);

/* Again, after server_kill(): empty. */
void redis_restart(struct redis *r);

/* What it answers to a line such as "DBSIZE" (at most one line of it). */
const char *redis_say(struct redis *r, const char *line);

#endif

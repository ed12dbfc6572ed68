/*
 * host.h -- a program that embeds the library, in tests: a loop, a simulator
 * on it, an engine, and what its callbacks were told.
 *
 * Only the public header is used, but for the counting allocator.
 */
#ifndef ASBI_TESTS_HOST_H
#define ASBI_TESTS_HOST_H

#include <asyncbatch/asyncbatch.h>

#include "tests/support/fault_mem.h"

struct event_base;
struct host;

/* What is done inside a callback; may free the engine. */
typedef void host_fn(struct host *h, const struct asb_result *result);

struct host {
    /* -- set before host_start() */
    const char *options[12][2]; /* name, value; NULL ends */
    bool own_base;              /* the engine makes it, and nobody answers */
    struct host *beside;        /* whose base and simulator serve, too */
    struct asb_hooks hooks;     /* base and allocator are filled in */

    struct fault_mem fm;
    struct event_base *base; /* of the simulator; the engine's too */
    struct asb_simulator *simulator;
    struct asb_engine *engine;
    unsigned open_before; /* descriptors; 0: not to be checked */

    host_fn *on_result; /* may be NULL */
    void *data;

    /* -- what came */
    unsigned done, ok, failed;
    unsigned released;
    char told[4096]; /* "id " for each callback, "id! " for failed ones */
};

void host_init(struct host *h);
/* Makes base, simulator and engine; fails the test when it cannot. */
void host_start(struct host *h);
/* Frees what is left; fails the test when a block or a descriptor is. */
void host_end(struct host *h);

/* A text with that id; its number. */
uint64_t host_submit(struct host *h, const char *id, const char *text);
/* Any request; what asb_submit() said. */
int host_ask(struct host *h, const struct asb_request *request,
             uint64_t *number);

/* Turns of the base until so many callbacks came. */
void host_wait(struct host *h, unsigned done);
/* Some turns, for what must not come. */
void host_idle(struct host *h);

/* For struct asb_request: counts h->released. */
void host_release(void *h);

#endif

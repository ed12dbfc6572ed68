/*
 * routing.h -- which of several lanes a call takes.
 *
 * Smooth weighted round robin (as in nginx), counted in items: over time each
 * route that may be used gets its weight's share, and calls for one route are
 * spread among those for the others.  A route of weight 0 is a spare: it gets
 * calls only while no other can be used, the first one before the second.
 *
 * A route that is full for the moment keeps its share, and its call waits for
 * it; one that is held by a limit lends its share to the others; one that is in
 * trouble, or lost, has none.  What is not used is not made up for later.
 *
 * Pure: how the routes stand is an argument.
 */
#ifndef ASBI_SCHEDULER_ROUTING_H
#define ASBI_SCHEDULER_ROUTING_H

#include <stdbool.h>
#include <stddef.h>

enum { ASBI_ROUTES_MAX = 16 };

/* How a route stands to the call that is next. */
enum asbi_standing {
    ASBI_STANDS_OPEN, /* it may go at once */
    ASBI_STANDS_FULL, /* when one of its calls ends, and they do */
    ASBI_STANDS_HELD, /* at a limit, or told to wait, but not for long */
    ASBI_STANDS_AWAY, /* in trouble, or held for long */
    ASBI_STANDS_LOST, /* never again, or never this call */
};

struct asbi_routing {
    size_t count;
    struct {
        unsigned weight;
        double credit; /* items it is behind its share; < 0: ahead */
    } routes[ASBI_ROUTES_MAX];
};

void asbi_routing_init(struct asbi_routing *r);

/* Adds a route; false when there are too many. */
bool asbi_routing_add(struct asbi_routing *r, unsigned weight);

/* The route for the next call, or ASBI_ROUTES_MAX: it has to wait. */
size_t asbi_routing_pick(const struct asbi_routing *r,
                         const enum asbi_standing stands[]);

/* So many items went by `route`, which the above gave for these standings. */
void asbi_routing_charge(struct asbi_routing *r, size_t route,
                         const enum asbi_standing stands[], double items);

#endif

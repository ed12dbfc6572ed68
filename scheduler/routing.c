#include "scheduler/routing.h"

void asbi_routing_init(struct asbi_routing *r)
{
    *r = (struct asbi_routing){ .count = 0 };
}

bool asbi_routing_add(struct asbi_routing *r, unsigned weight)
{
    if (r->count == ASBI_ROUTES_MAX)
        return false;
    r->routes[r->count++].weight = weight;
    return true;
}

/* Takes part in the sharing out. */
static bool has_share(const struct asbi_routing *r, size_t i,
                      const enum asbi_standing stands[])
{
    return r->routes[i].weight > 0 &&
           (stands[i] == ASBI_STANDS_OPEN || stands[i] == ASBI_STANDS_FULL);
}

static double weight_of_all(const struct asbi_routing *r,
                            const enum asbi_standing stands[])
{
    double all = 0;

    for (size_t i = 0; i < r->count; i++)
        all += has_share(r, i, stands) ? r->routes[i].weight : 0;
    return all;
}

static bool is_well(enum asbi_standing s)
{
    return s != ASBI_STANDS_AWAY && s != ASBI_STANDS_LOST;
}

/* The first spare that is not in trouble, if no route proper is well. */
static size_t pick_spare(const struct asbi_routing *r,
                         const enum asbi_standing stands[])
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->routes[i].weight && is_well(stands[i]))
            return ASBI_ROUTES_MAX;
    }
    for (size_t i = 0; i < r->count; i++) {
        if (r->routes[i].weight == 0 && is_well(stands[i]))
            return stands[i] == ASBI_STANDS_OPEN ? i : ASBI_ROUTES_MAX;
    }
    return ASBI_ROUTES_MAX;
}

size_t asbi_routing_pick(const struct asbi_routing *r,
                         const enum asbi_standing stands[])
{
    double all = weight_of_all(r, stands), most = 0;
    size_t best = ASBI_ROUTES_MAX;

    for (size_t i = 0; i < r->count; i++) {
        if (!has_share(r, i, stands))
            continue;
        double claim = r->routes[i].credit + r->routes[i].weight / all;
        if (best == ASBI_ROUTES_MAX || claim > most) {
            best = i;
            most = claim;
        }
    }
    if (best == ASBI_ROUTES_MAX)
        return pick_spare(r, stands);
    return stands[best] == ASBI_STANDS_OPEN ? best : ASBI_ROUTES_MAX;
}

void asbi_routing_charge(struct asbi_routing *r, size_t route,
                         const enum asbi_standing stands[], double items)
{
    double all = weight_of_all(r, stands);

    if (r->routes[route].weight == 0)
        return;
    for (size_t i = 0; i < r->count; i++) {
        if (has_share(r, i, stands))
            r->routes[i].credit += items * r->routes[i].weight / all;
    }
    r->routes[route].credit -= items;
}

#include "cache/flight.h"

#include <assert.h>

void asbi_flights_init(struct asbi_flights *f, const struct asbi_mem *mem,
                       uint64_t seed)
{
    f->mem = mem;
    asbi_map_init(&f->by_key, mem, seed);
}

void asbi_flights_fini(struct asbi_flights *f)
{
    for (size_t i = 0; i < f->by_key.cap; i++)
        asbi_free(f->mem, f->by_key.slots[i].value);
    asbi_map_fini(&f->by_key);
}

static struct asbi_flight *flight_new(struct asbi_flights *f,
                                      const struct asbi_cache_key *key)
{
    struct asbi_flight *flight = asbi_alloc(f->mem, sizeof(*flight));

    if (!flight)
        return NULL;
    flight->key = *key;
    flight->leader = NULL;
    asbi_list_init(&flight->followers);
    if (asbi_map_put(&f->by_key, asbi_cache_key_str(&flight->key), flight)) {
        asbi_free(f->mem, flight);
        return NULL;
    }
    return flight;
}

static void flight_free(struct asbi_flights *f, struct asbi_flight *flight)
{
    (void)asbi_map_take(&f->by_key, asbi_cache_key_str(&flight->key));
    asbi_free(f->mem, flight);
}

int asbi_flight_join(struct asbi_flights *f, const struct asbi_cache_key *key,
                     struct asbi_seat *seat)
{
    struct asbi_flight *flight =
        asbi_map_get(&f->by_key, asbi_cache_key_str(key));

    assert(!seat->flight);
    if (!flight)
        flight = flight_new(f, key);
    if (!flight)
        return ASB_ENOMEM;
    seat->flight = flight;
    if (flight->leader)
        asbi_list_append(&flight->followers, &seat->link);
    else
        flight->leader = seat;
    return ASB_OK;
}

void asbi_flight_overtake(struct asbi_seat *follower)
{
    struct asbi_flight *flight = follower->flight;

    assert(flight->leader != follower);
    asbi_list_remove(&follower->link);
    asbi_list_prepend(&flight->followers, &flight->leader->link);
    flight->leader = follower;
}

struct asbi_seat *asbi_flight_leave(struct asbi_flights *f,
                                    struct asbi_seat *seat)
{
    struct asbi_flight *flight = seat->flight;

    if (!flight)
        return NULL;
    seat->flight = NULL;
    asbi_list_remove(&seat->link);
    if (flight->leader != seat)
        return NULL;
    struct asbi_link *first = asbi_list_pop(&flight->followers);
    if (!first) {
        flight_free(f, flight);
        return NULL;
    }
    flight->leader = ASBI_OF(first, struct asbi_seat, link);
    return flight->leader;
}

struct asbi_seat *asbi_flight_pop(struct asbi_seat *leader)
{
    struct asbi_link *first = asbi_list_pop(&leader->flight->followers);

    if (!first)
        return NULL;
    struct asbi_seat *seat = ASBI_OF(first, struct asbi_seat, link);
    seat->flight = NULL;
    return seat;
}

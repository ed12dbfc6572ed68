/*
 * flight.h -- the same request, asked more than once at a time, is sent once:
 * one seat leads, the others follow and get what it gets.
 *
 * Knows keys and seats; knows nothing of what a request is, how it is sent or
 * what comes back.  A key is here exactly while one seat leads it.
 */
#ifndef ASBI_CACHE_FLIGHT_H
#define ASBI_CACHE_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "cache/key.h"
#include "engine/base/list.h"
#include "engine/base/map.h"
#include "engine/base/mem.h"

struct asbi_flight;

/* A place on a flight; a member of the request it stands for.  Zero it. */
struct asbi_seat {
    struct asbi_link link;      /* while it follows */
    struct asbi_flight *flight; /* NULL: on none */
};

struct asbi_flight {
    struct asbi_cache_key key;
    struct asbi_seat *leader;
    struct asbi_list followers; /* in order of arrival */
};

struct asbi_flights {
    const struct asbi_mem *mem;
    struct asbi_map by_key;
};

void asbi_flights_init(struct asbi_flights *f, const struct asbi_mem *mem,
                       uint64_t seed);

/* Frees all flights; their seats are not looked at again. */
void asbi_flights_fini(struct asbi_flights *f);

/* Puts a seat that is on no flight on the one of its key: as the leader of a
 * new one, or behind the leader there is.  ASB_OK or ASB_ENOMEM (nothing
 * changed). */
int asbi_flight_join(struct asbi_flights *f, const struct asbi_cache_key *key,
                     struct asbi_seat *seat);

/* The key will be flown, or leave, in a moment. */
static inline void asbi_flight_expect(const struct asbi_flights *f,
                                      const struct asbi_cache_key *key)
{
    asbi_map_expect(&f->by_key, asbi_cache_key_str(key));
}

static inline bool asbi_seat_leads(const struct asbi_seat *seat)
{
    return seat->flight && seat->flight->leader == seat;
}

/* A follower becomes the leader, and the leader the first follower. */
void asbi_flight_overtake(struct asbi_seat *follower);

/* Takes a seat off its flight; one that is on none stays so.  When a leader
 * goes, the first follower leads from now on and is returned; NULL when nobody
 * has to take over. */
struct asbi_seat *asbi_flight_leave(struct asbi_flights *f,
                                    struct asbi_seat *seat);

/* Takes the next follower off the flight that `leader` leads; NULL when none
 * is left. */
struct asbi_seat *asbi_flight_pop(struct asbi_seat *leader);

#endif

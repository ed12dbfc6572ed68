#include "engine/refresh.h"

#include "cache/fresh.h"
#include "engine/base/units.h"

/* Before the first call has told. */
enum { USUAL_LATENCY_MS = 1000 };

static uint64_t latency_ms(const struct asb_engine *e)
{
    uint64_t ended = e->stats.calls - e->calls.count;

    return ended ? e->stats.latency_ms_sum / ended : USUAL_LATENCY_MS;
}

/* The same request without an owner; in no place. */
static struct asbi_item *ghost_of(struct asb_engine *e,
                                  const struct asbi_item *item)
{
    struct asb_request request = { .size = sizeof(request),
                                   .payload = item->payload,
                                   .body = item->body,
                                   .url = item->url,
                                   .tenant = item->tenant,
                                   .max_length = item->max_length,
                                   .priority = ASB_BACKGROUND };
    struct asbi_item *ghost = asbi_item_new(&e->mem, &request, item->text);

    if (!ghost)
        return NULL;
    ghost->packed = item->packed;
    ghost->content_key = item->content_key;
    ghost->media_ms = item->media_ms;
    ghost->row = ASBI_NO_ROW;
    ghost->input_estimate = item->input_estimate;
    ghost->prices = item->prices;
    ghost->output_limit = item->output_limit;
    ghost->parcel.likeness = item->parcel.likeness;
    ghost->submitted_ns = ghost->parcel.arrived_ns = asbi_now(e->world);
    return ghost;
}

/* Alone on its flight, or not at all. */
static bool take_lead(struct asb_engine *e, struct asbi_item *ghost,
                      const struct asbi_cache_key *key)
{
    struct asbi_flights *flights = &e->recall.flights;

    if (asbi_flight_join(flights, key, &ghost->seat))
        return false;
    if (asbi_seat_leads(&ghost->seat))
        return true;
    (void)asbi_flight_leave(flights, &ghost->seat);
    return false;
}

void asbi_refresh(struct asb_engine *e, const struct asbi_item *item,
                  const struct asbi_cache_key *key, uint64_t expires_ms)
{
    uint64_t stale = asbi_stale_ms(e);
    uint64_t fresh_until = expires_ms > stale ? expires_ms - stale : 0;

    if (e->way == ASBI_JOB || e->stopped || asbi_routes_over(e) ||
        !asbi_fresh_ends(asbi_wall_ms(e->world), fresh_until, latency_ms(e),
                         asbi_rng_unit(&e->rng)))
        return;
    struct asbi_item *ghost = ghost_of(e, item);
    if (!ghost)
        return;
    if (!take_lead(e, ghost, key) ||
        !(ghost->number = asbi_slots_add(&e->numbers, ghost))) {
        (void)asbi_flight_leave(&e->recall.flights, &ghost->seat);
        asbi_item_free(&e->mem, ghost);
        return;
    }
    if (e->in_order) /* or it would never be let go */
        asbi_list_append(&e->in_turn, &ghost->turn);
    e->held_items++;
    e->held_of[ghost->priority]++;
    e->held_bytes += ghost->bytes;
    e->work_accepted += ghost->input_estimate + 1;
    e->stats.items_refreshed++;
    asbi_engine_enqueue(e, ghost);
    if (e->draining)
        asbi_former_flush(&e->former, NULL);
}

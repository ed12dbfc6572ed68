#include "engine/base/units.h"
#include "engine/real/http_private.h"

/*
 * One heap and one timer for all limits of all calls.  Bytes only stamp the
 * time; a node that fires looks up what is due in truth and goes back in.  A
 * node may stay behind when its call ends: the next call of the slot takes it
 * over, or it fires for nobody and goes.
 */

static uint64_t sooner(uint64_t due, uint64_t from, uint64_t limit)
{
    uint64_t at = limit ? asbi_add_ns(from, limit) : ASBI_NEVER;

    return at < due ? at : due;
}

static uint64_t due_of(const struct asbi_http_slot *slot)
{
    const struct asbi_exchange_limits *l = &slot->x->limits;
    uint64_t due = sooner(ASBI_NEVER, slot->started_ns, l->total_ns);

    if (!slot->sent) {
        due = sooner(due, slot->started_ns, l->connect_ns);
        due = slot->try_until_ns < due ? slot->try_until_ns : due;
    }
    if (slot->first_byte_ns)
        return sooner(due, slot->progress_ns, l->stall_ns);
    return sooner(due, slot->asked_ns, l->first_byte_ns);
}

static const char *which(const struct asbi_http_slot *slot, uint64_t now)
{
    const struct asbi_exchange_limits *l = &slot->x->limits;

    if (!slot->sent)
        return "no connection within the time limit";
    if (l->total_ns && now - slot->started_ns >= l->total_ns)
        return "not complete within the time limit";
    return slot->first_byte_ns ? "the answer stalled"
                               : "no answer within the time limit";
}

static void timer_set(struct asbi_http *h)
{
    const struct asbi_heap_node *first = asbi_heap_first(&h->deadlines);
    uint64_t now = asbi_http_now(h);

    if (!first || first->key >= h->deadline_armed_ns)
        return;
    struct timeval tv = asbi_timeval(first->key > now ? first->key - now : 0);
    if (event_add(&h->deadline_timer, &tv) == 0)
        h->deadline_armed_ns = first->key;
}

void asbi_http_limits_set(struct asbi_http_slot *slot)
{
    struct asbi_http *h = slot->http;
    uint64_t due = due_of(slot);

    if (due == ASBI_NEVER)
        return;
    /* Room was made with the slot: the push cannot fail. */
    if (slot->deadline.at == 0)
        (void)asbi_heap_push(&h->deadlines, &slot->deadline, due);
    else if (due < slot->deadline.key)
        asbi_heap_rekey(&h->deadlines, &slot->deadline, due);
    timer_set(h);
}

static void fire(struct asbi_http_slot *slot, uint64_t now)
{
    struct asbi_http *h = slot->http;
    uint64_t due = slot->x ? due_of(slot) : ASBI_NEVER;

    if (due == ASBI_NEVER) {
        asbi_heap_remove(&h->deadlines, &slot->deadline);
        return;
    }
    if (due > now) {
        asbi_heap_rekey(&h->deadlines, &slot->deadline, due);
        return;
    }
    asbi_heap_remove(&h->deadlines, &slot->deadline);
    /* One owed its end has it anyway; let it say what happened first. */
    if (slot->state == ASBI_SLOT_ENDING)
        return;
    if (!slot->sent && slot->try_until_ns <= now) {
        slot->try_until_ns = ASBI_NEVER;
        if (due_of(slot) > now) {
            asbi_http_finish(slot, CURLE_COULDNT_CONNECT);
            return;
        }
    }
    slot->stop = ASBI_STOP_TIME;
    slot->fault = which(slot, now);
    asbi_http_finish(slot, CURLE_OPERATION_TIMEDOUT);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct asbi_http *h = arg;
    struct asbi_clock *clock = h->parts.clock;
    const struct asbi_heap_node *first;

    (void)fd;
    (void)what;
    asbi_clock_enter(clock);
    h->deadline_armed_ns = ASBI_NEVER;
    while ((first = asbi_heap_first(&h->deadlines)) &&
           first->key <= clock->now_ns)
        fire(ASBI_OF(first, struct asbi_http_slot, deadline), clock->now_ns);
    timer_set(h);
    asbi_clock_leave(clock);
}

int asbi_http_limits_init(struct asbi_http *h)
{
    asbi_heap_init(&h->deadlines, h->parts.mem);
    h->deadline_armed_ns = ASBI_NEVER;
    return evtimer_assign(&h->deadline_timer, h->parts.base, on_deadline, h)
               ? ASB_ENOMEM
               : ASB_OK;
}

void asbi_http_limits_rest(struct asbi_http *h)
{
    if (h->deadline_armed_ns == ASBI_NEVER)
        return;
    (void)event_del(&h->deadline_timer);
    h->deadline_armed_ns = ASBI_NEVER;
}

void asbi_http_limits_fini(struct asbi_http *h)
{
    if (event_initialized(&h->deadline_timer))
        (void)event_del(&h->deadline_timer);
    asbi_heap_fini(&h->deadlines);
}

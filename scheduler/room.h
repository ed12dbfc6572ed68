/*
 * room.h -- how many bytes of items may be held at once.
 *
 * Less than the limit as long as that does: memory that nobody needs is not
 * taken.  When calls could be sent and nothing is there to be sent, since rows
 * that are answered wait for an earlier one, room is what is short: after a
 * second of it there is twice as much, up to the limit.
 *
 * Pure.  Refuses to shrink: what was needed once will be needed again.
 */
#ifndef ASBI_SCHEDULER_ROOM_H
#define ASBI_SCHEDULER_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct asbi_room {
    size_t bytes; /* now */
    size_t most;
    uint64_t short_ns; /* of late; time with enough counts against it */
    uint64_t looked_ns;
    bool was_short; /* at the last look */
};

/* Begins with `start` bytes, or `most` if that is less. */
void asbi_room_init(struct asbi_room *r, size_t start, size_t most);

/* To be called whenever things may have changed; `is_short`: calls stand idle
 * for want of room. */
void asbi_room_look(struct asbi_room *r, bool is_short, uint64_t now_ns);

#endif

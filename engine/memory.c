#include "engine/memory.h"

#include "config/options.h"
#include "engine/engine.h"

enum {
    ROOM_OF_A_WORKER = 4096,
    ROOM_AT_FIRST = 6 << 20,
    ROOM_OF_BATCHES = 256 << 20,
    LISTS_AT_ONCE = 4, /* asked, answered, on their way out */
};

static void raise_to(struct asb_options *options, const char *name,
                     uint64_t need, uint64_t *value)
{
    enum asb_origin origin = ASB_FROM_HOST;

    if (asb_options_get(options, name, &origin) && origin == ASB_FROM_DEFAULT &&
        *value < need)
        *value = need;
}

static void raise_memory(struct asb_options *options, uint64_t need)
{
    raise_to(options, "max_memory", need, &options->values.max_memory_bytes);
}

void asbi_memory_for_workers(struct asb_options *options)
{
    raise_memory(options, options->values.workers * ROOM_OF_A_WORKER);
}

void asbi_memory_for_native(struct asb_options *options)
{
    raise_memory(options, ROOM_OF_BATCHES);
}

void asbi_memory_for_lists(struct asb_engine *e, struct asb_options *options,
                           struct asbi_lane *lane)
{
    asbi_lane_expect_vectors(lane);
    if (asbi_native_may_be(e))
        return; /* a line of a batch is read whole: the shorter, the better */
    uint64_t list = asbi_lane_list_bytes(lane);
    raise_to(options, "max_answer_bytes", list,
             &options->values.max_answer_bytes);
    uint64_t more = LISTS_AT_ONCE * list; /* than the texts and all else take */
    raise_memory(options, options->values.max_memory_bytes + more);
    if (options != e->options)
        raise_memory(e->options, e->options->values.max_memory_bytes + more);
    asbi_lane_refresh(lane);
}

void asbi_memory_begin(struct asb_engine *e)
{
    size_t most = e->config->max_memory_bytes;
    size_t of_workers = e->config->workers * ROOM_OF_A_WORKER;
    size_t start = of_workers > ROOM_AT_FIRST ? of_workers : ROOM_AT_FIRST;

    /* Lists and batches are to be full from the first. */
    if (asbi_native_is_on(&e->native) || e->way == ASBI_ARRAY)
        start = most;
    asbi_room_init(&e->room, start, most);
}

size_t asbi_memory_of_answer(const struct asb_engine *e)
{
    if (e->way != ASBI_ARRAY || asbi_native_is_on(&e->native))
        return 0;
    return (size_t)e->lane->answer_bytes;
}

/*
 * call_encode.c -- what a call sends: its items under names of their own, in
 * the dialect's words.
 */
#include <string.h>

#include "engine/recall_near.h"
#include "engine/way.h"

enum {
    /* A spare call keeps this much of each buffer for its next use. */
    KEEP_BYTES = 16384,
    WIRE_ID_DIGITS = 6,
    WIRE_IDS_FROM = 100000,
    WIRE_IDS = 900000, /* 2^5 x 3^2 x 5^5 */
};

/* ---- items ------------------------------------------------------------ */

/* Names for the items of one call, six digits each.  With a step that shares
 * no divisor with their number no name comes twice, and none has to be looked
 * for. */
struct wire_ids {
    uint32_t next, step;
};

/* Random: an item's text cannot know another item's id, so it cannot make the
 * model answer for it; and digits are the cheapest in tokens. */
static struct wire_ids draw_wire_ids(struct asbi_rng *rng)
{
    struct wire_ids ids = { .next = (uint32_t)asbi_rng_below(rng, WIRE_IDS) };

    do
        ids.step = (uint32_t)asbi_rng_below(rng, WIRE_IDS);
    while (ids.step % 2 == 0 || ids.step % 3 == 0 || ids.step % 5 == 0);
    return ids;
}

static void give_wire_id(struct asbi_call_entry *e, struct wire_ids *ids)
{
    uint32_t n = ids->next + WIRE_IDS_FROM;

    e->wire_id_len = WIRE_ID_DIGITS;
    for (size_t i = WIRE_ID_DIGITS; i > 0; i--, n /= 10)
        e->wire_id[i - 1] = (char)('0' + n % 10);
    ids->next = (ids->next + ids->step) % WIRE_IDS;
}

static bool reserve_entries(struct asbi_call *call, size_t need)
{
    call->count = call->expected = 0;
    if (need <= call->cap)
        return true;
    void *entries = asbi_resize(&call->engine->mem, call->entries, need,
                                sizeof(*call->entries));
    if (!entries)
        return false;
    call->entries = entries;
    call->cap = need;
    return true;
}

static int add_entries(struct asbi_call *call, struct asbi_batch *batch)
{
    struct asbi_rng own, *rng = &call->engine->rng;
    struct wire_ids ids = { 0 };

    if (!reserve_entries(call, batch->parcels.count))
        return ASB_ENOMEM;
    if (call->native) { /* another run may have to draw the same */
        call->seed = asbi_rng_u64(rng);
        asbi_rng_seed(&own, call->seed);
        rng = &own;
    }
    if (call->way == ASBI_PACKED)
        ids = draw_wire_ids(rng);
    ASBI_LIST_EACH (link, &batch->parcels) {
        struct asbi_call_entry *e = &call->entries[call->count];
        struct asbi_item *item = asbi_item_of_link(link);

        *e = (struct asbi_call_entry){ .item = item,
                                       .weight_in = item->input_estimate + 1,
                                       .weight_out = 1 };
        if (call->way == ASBI_PACKED)
            give_wire_id(e, &ids);
        call->count++;
    }
    call->expected = 0;
    return ASB_OK;
}

int asbi_call_name_places(struct asbi_call *call, size_t count)
{
    struct asbi_rng rng;

    if (!reserve_entries(call, count))
        return ASB_ENOMEM;
    asbi_rng_seed(&rng, call->seed);
    struct wire_ids ids = draw_wire_ids(&rng);
    for (; call->count < count; call->count++) {
        struct asbi_call_entry *e = &call->entries[call->count];

        *e = (struct asbi_call_entry){ .weight_in = 1, .weight_out = 1 };
        if (call->way == ASBI_PACKED)
            give_wire_id(e, &ids);
    }
    return ASB_OK;
}

/* Whether it is the first call and nothing is left for another. */
static bool is_only_one(const struct asbi_call *call)
{
    const struct asb_engine *e = call->engine;

    return e->draining && !call->native && call->lane->calls == 0 &&
           e->calls.count == 0 && e->former.waiting.items <= call->count;
}

/* ---- bodies ----------------------------------------------------------- */

static int encode_packed(struct asbi_call *call)
{
    struct asb_engine *e = call->engine;
    struct asbi_packed_request request = { .count = call->count };
    struct asbi_prompt_item *items =
        asbi_calloc(&e->mem, call->count, sizeof(*items));

    if (!items)
        return ASB_ENOMEM;
    for (size_t i = 0; i < call->count; i++) {
        struct asbi_call_entry *entry = &call->entries[i];

        items[i] = (struct asbi_prompt_item){
            .wire_id = asbi_str_of(entry->wire_id, entry->wire_id_len),
            .text = entry->item->text,
            .complaint = asbi_str_c(entry->item->complaint),
            .max_length = entry->item->max_length,
        };
        if (entry->item->kin) {
            items[i].example_text = entry->item->kin->text;
            items[i].example_output = entry->item->kin->output;
        }
    }
    request.items = items;
    request.system = asbi_task_system(e->task);
    request.choices = asbi_task_choices(e->task, &request.choice_count);
    call->asked = call->lane->style;
    call->asked.once = is_only_one(call);
    call->asked.stream = call->asked.stream && !call->native;
    call->asked.max_output_tokens = call->demand.max_output_tokens;
    call->lane->dialect->encode_packed(&request, &call->asked, &call->body);
    asbi_free(&e->mem, items);
    return asbi_buf_failed(&call->body) ? ASB_ENOMEM : ASB_OK;
}

static int encode_single(struct asbi_call *call)
{
    const struct asbi_item *item = call->entries[0].item;
    struct asbi_single_request request = { .text = item->text };

    /* A body that is sent as it is needs no copy. */
    if (item->payload == ASB_BODY)
        return ASB_OK;
    if (item->payload == ASB_MESSAGES)
        request.messages = item->body;
    else if (item->payload == ASB_TEXT)
        request.system = asbi_task_system(call->engine->task);
    call->asked = call->lane->style;
    call->asked.once = is_only_one(call);
    call->asked.stream = false;
    call->asked.max_output_tokens = item->output_limit;
    call->lane->dialect->encode_single(&request, &call->asked, &call->body);
    return asbi_buf_failed(&call->body) ? ASB_ENOMEM : ASB_OK;
}

static struct asbi_endpoint *endpoint_of(const struct asbi_call *call)
{
    const struct asbi_item *item = call->entries[0].item;

    if (call->way == ASBI_JOB)
        return asbi_lane_endpoint(call->lane, asbi_buf_view(&call->text));
    return item->payload == ASB_BODY && item->url.len
               ? asbi_lane_endpoint(call->lane, item->url)
               : asbi_lane_call_endpoint(call->lane, call->way);
}

static void fill_exchange(struct asbi_call *call)
{
    const struct asbi_config *c = call->lane->config;
    const struct asbi_item *item = call->entries[0].item;
    asbi_str body = asbi_buf_view(&call->body);

    if (!call->packed && item->payload == ASB_BODY)
        body = item->body;
    call->exchange = (struct asbi_exchange){
        .endpoint = endpoint_of(call),
        .body = body.at,
        .body_len = body.len,
        .extra_headers = call->extra[0] ? call->extra : NULL,
        .limits = { .connect_ns = c->connect_timeout_ns,
                    .first_byte_ns = c->first_byte_timeout_ns,
                    .stall_ns = c->stall_timeout_ns,
                    .total_ns = c->call_timeout_ns,
                    .max_header_bytes = c->max_header_bytes,
                    .max_body_bytes = c->max_answer_bytes },
    };
}

int asbi_call_encode(struct asbi_call *call, struct asbi_batch *batch)
{
    asbi_buf_shrink(&call->body, KEEP_BYTES);
    asbi_buf_shrink(&call->text, KEEP_BYTES);
    asbi_buf_shrink(&call->reply, KEEP_BYTES);
    call->answers = call->strangers = 0;
    call->wall_ms = 0;
    call->body_ns = 0;
    call->extra[0] = NULL;
    call->asked =
        (struct asbi_call_style){ .temperature = -1, .no_system = true };
    int rc = add_entries(call, batch);
    if (rc)
        return rc;
    rc = call->way == ASBI_JOB      ? asbi_media_encode(call)
         : call->way == ASBI_PACKED ? encode_packed(call)
         : call->way == ASBI_ARRAY  ? asbi_way_encode_array(call)
                                    : encode_single(call);
    if (rc)
        return rc;
    fill_exchange(call);
    return call->exchange.endpoint ? ASB_OK : ASB_EINVAL;
}

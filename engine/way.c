#include "engine/way.h"

#include "engine/base/error.h"
#include "engine/memory.h"

/* A dialect without prompts takes lists for whatever task it is. */
static bool has_array(const struct asbi_dialect *d, enum asbi_array_kind kind)
{
    return d->encode_array && (d->array_items[kind] || !d->encode_packed);
}

static int choose(struct asb_engine *e, struct asb_options *options,
                  struct asbi_lane *lane, struct asb_message *why)
{
    const struct asbi_dialect *d = lane->dialect;
    enum asbi_array_kind kind = ASBI_EMBED;
    bool wants_array = asbi_task_array(e->task, &kind);
    enum asbi_call_way way =
        asbi_task_packs(e->task) ? ASBI_PACKED : ASBI_SINGLE;

    if (asbi_media_is_on(&e->media)) {
        asbi_lane_set_way(lane, ASBI_JOB);
        return ASB_OK;
    }
    if (wants_array && !has_array(d, kind))
        return asbi_fail(why, ASB_ECONFIG,
                         "provider %s cannot do task %s; name another with "
                         "--provider",
                         lane->config->provider, e->config->task);
    if (wants_array || !d->encode_packed)
        way = ASBI_ARRAY;
    lane->style.array = kind;
    asbi_lane_set_way(lane, way);
    if (wants_array && kind == ASBI_EMBED)
        asbi_memory_for_lists(e, options, lane);
    return ASB_OK;
}

int asbi_way_choose(struct asb_engine *e, struct asb_message *why)
{
    int rc = choose(e, e->options, e->lane, why);

    e->way = e->lane->way;
    e->task_packs = e->way == ASBI_PACKED || e->way == ASBI_ARRAY;
    return rc;
}

int asbi_way_join(struct asb_engine *e, struct asbi_lane *lane,
                  struct asb_message *why)
{
    if (e->way == ASBI_JOB)
        return asbi_fail(why, ASB_ECONFIG,
                         "routes: videos and images go by one lane only");
    int rc = choose(e, e->routes.options[lane->place], lane, why);
    if (!rc && (lane->way == ASBI_SINGLE) != (e->way == ASBI_SINGLE))
        return asbi_fail(why, ASB_ECONFIG,
                         "lane %s cannot carry what lane %s does", lane->name,
                         e->lane->name);
    return rc;
}

bool asbi_way_shares(const struct asb_engine *e, enum asb_payload payload)
{
    if (e->way == ASBI_JOB)
        return true; /* not a call, but a batch: alike ones go together */
    return e->task_packs && (payload == ASB_TEXT ||
                             (payload == ASB_PROMPT && e->way == ASBI_ARRAY));
}

void asbi_way_put_scope(const struct asb_engine *e, struct asbi_buf *out)
{
    const struct asbi_lane *lane = e->lane;

    if (e->way != ASBI_ARRAY)
        return;
    asbi_buf_fmt(out, "\n%d %llu", (int)lane->style.array,
                 (unsigned long long)lane->style.dimensions);
    if (!lane->api)
        return;
    asbi_buf_c(out, lane->base_url);
    asbi_json_api_put_scope(lane->api, out);
}

/* The place of an item is its wire id. */
static void number_entries(struct asbi_call *call)
{
    for (size_t i = 0; i < call->count; i++) {
        struct asbi_call_entry *e = &call->entries[i];
        char digits[ASBI_WIRE_ID_MAX];
        size_t n = 0, rest = i;

        do {
            digits[n++] = (char)('0' + rest % 10);
            rest /= 10;
        } while (rest && n < sizeof(digits));
        e->wire_id_len = n;
        for (size_t k = 0; k < n; k++)
            e->wire_id[k] = digits[n - 1 - k];
    }
}

int asbi_way_encode_array(struct asbi_call *call)
{
    const struct asbi_mem *mem = &call->engine->mem;
    asbi_str *texts = asbi_calloc(mem, call->count, sizeof(*texts));
    struct asbi_array_request request = { texts, call->count };

    if (!texts)
        return ASB_ENOMEM;
    number_entries(call);
    for (size_t i = 0; i < call->count; i++)
        texts[i] = call->entries[i].item->text;
    call->lane->dialect->encode_array(&request, &call->lane->style,
                                      &call->body);
    asbi_free(mem, texts);
    return asbi_buf_failed(&call->body) ? ASB_ENOMEM : ASB_OK;
}

void asbi_way_check_places(struct asbi_call *call,
                           const struct asbi_reply *reply)
{
    if (call->way != ASBI_ARRAY || !reply->by_place ||
        reply->elements == call->count)
        return;
    for (size_t i = 0; i < call->count; i++) {
        asbi_free(&call->engine->mem, call->entries[i].answer);
        call->entries[i].answer = NULL;
        call->entries[i].state = ASBI_ENTRY_MISSING;
    }
}

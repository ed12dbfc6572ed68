/*
 * queue.c -- items into batches of their kind, and out of them.
 */
#include "engine/queue.h"

#include "engine/recall_near.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/units.h"
#include "scheduler/content.h"

enum {
    MAX_KINDS = 65536,
    /* Of a key: alone or not, again or not, class; then the content; then the
     * tenant. */
    HEAD_FORM = 3,
    HEAD = HEAD_FORM + sizeof(uint64_t),
};

/* Longest wait for company: interactive, ordinary, bulk. */
static const uint64_t wait_of_class[] = {
    [ASB_URGENT] = 30 * ASBI_MS,
    [ASB_NORMAL] = 500 * ASBI_MS,
    [ASB_BACKGROUND] = 5 * ASBI_SECOND,
};

/* Where nobody waits for a single one and the API takes thousands: they come
 * as the memory of those that are answered becomes free. */
#define WAIT_FOR_LIST (60 * ASBI_SECOND)

static const unsigned urgency_of_class[] = {
    [ASB_URGENT] = 0,
    [ASB_NORMAL] = 1,
    [ASB_BACKGROUND] = 2,
};

static uint64_t wait_for_company(const struct asb_engine *e,
                                 enum asb_class priority)
{
    if (e->config->batch_wait_ns)
        return e->config->batch_wait_ns;
    if (e->patient && priority == ASB_NORMAL)
        return e->way == ASBI_ARRAY ? WAIT_FOR_LIST
                                    : wait_of_class[ASB_BACKGROUND];
    return wait_of_class[priority];
}

unsigned asbi_queue_urgency(enum asb_class priority)
{
    return urgency_of_class[priority];
}

static struct asbi_tenant *tenant_of(struct asb_engine *e, asbi_str name)
{
    struct asbi_tenant *t = asbi_map_get(&e->tenants, name);

    if (t)
        return t;
    t = asbi_calloc(&e->mem, 1, sizeof(*t));
    char *key = asbi_strndup(&e->mem, name.at, name.len);
    if (t && key) {
        t->key = asbi_str_of(key, name.len);
        if (asbi_map_put(&e->tenants, t->key, t) == ASB_OK)
            return t;
    }
    asbi_free(&e->mem, key);
    asbi_free(&e->mem, t);
    return NULL;
}

static void tenant_free(struct asb_engine *e, struct asbi_tenant *t)
{
    asbi_free(&e->mem, (char *)(uintptr_t)t->key.at);
    asbi_free(&e->mem, t);
}

static void tenant_release(struct asb_engine *e, struct asbi_tenant *t)
{
    if (t->kinds > 0)
        return;
    (void)asbi_map_take(&e->tenants, t->key);
    tenant_free(e, t);
}

static bool shares(const struct asbi_item *item)
{
    return item->packed && !item->alone;
}

static struct asbi_kind_entry *kind_new(struct asb_engine *e, asbi_str key,
                                        const struct asbi_item *item)
{
    struct asbi_kind_entry *k = asbi_calloc(&e->mem, 1, sizeof(*k));
    struct asbi_tenant *tenant = NULL;

    if (!k || e->kinds.count >= MAX_KINDS)
        goto fail;
    tenant = tenant_of(e, asbi_str_of(key.at + HEAD, key.len - HEAD));
    if (!tenant)
        goto fail;
    k->key = asbi_strndup(&e->mem, key.at, key.len);
    k->key_len = key.len;
    if (!k->key || asbi_map_put(&e->kinds, asbi_str_of(k->key, k->key_len), k))
        goto fail;
    asbi_kind_init(&k->kind);
    k->tenant = tenant;
    tenant->kinds++;
    k->shares = shares(item);
    k->again = item->attempts > 0;
    k->kind.owner = k;
    k->kind.wait_ns = wait_for_company(e, item->priority);
    k->kind.urgency = urgency_of_class[item->priority];
    return k;
fail:
    if (tenant)
        tenant_release(e, tenant);
    if (k)
        asbi_free(&e->mem, k->key);
    asbi_free(&e->mem, k);
    return NULL;
}

static struct asbi_grouping grouping_for(const struct asb_engine *e,
                                         const struct asbi_item *item)
{
    const struct asbi_config *c = e->config;

    if (item->content_key)
        return asbi_content_grouping;
    return (struct asbi_grouping){ .on = c->grouping,
                                   .threshold = c->similarity_threshold,
                                   .slack = (double)c->max_length_variance };
}

/* Content requests have a limit of their own, unless another was asked for. */
static uint64_t content_items(const struct asb_engine *e)
{
    enum asb_origin origin = ASB_FROM_DEFAULT;

    (void)asb_options_get(e->options, "batch_items_max", &origin);
    return origin == ASB_FROM_DEFAULT && !e->config->batch_size
               ? ASBI_CONTENT_ITEMS
               : 0;
}

static struct asbi_kind_entry *kind_of(struct asb_engine *e,
                                       const struct asbi_item *item)
{
    char head[HEAD_FORM] = { shares(item) ? 'b' : '1',
                             item->attempts ? 'a' : 'n',
                             (char)('0' + item->priority) };
    asbi_str key;

    asbi_buf_clear(&e->scratch);
    asbi_buf_add(&e->scratch, head, sizeof(head));
    asbi_buf_add(&e->scratch, (const char *)&item->content_key,
                 sizeof(item->content_key));
    asbi_buf_str(&e->scratch, item->tenant);
    if (asbi_buf_failed(&e->scratch))
        return NULL;
    key = asbi_buf_view(&e->scratch);
    struct asbi_kind_entry *k = asbi_map_get(&e->kinds, key);
    if (k)
        return k;
    k = kind_new(e, key, item);
    if (k)
        k->kind.grouping = grouping_for(e, item);
    if (k && item->content_key)
        k->most_items = content_items(e);
    return k;
}

static void kind_release(struct asb_engine *e, struct asbi_kind_entry *k)
{
    if (!k || --k->items > 0)
        return;
    (void)asbi_map_take(&e->kinds, asbi_str_of(k->key, k->key_len));
    k->tenant->kinds--;
    tenant_release(e, k->tenant);
    asbi_free(&e->mem, k->key);
    asbi_free(&e->mem, k);
}

static void weigh(struct asb_engine *e, struct asbi_item *item)
{
    struct asbi_load *load = &item->parcel.load;
    uint64_t output = load->output_tokens; /* of an earlier try: may be more */

    *load = (struct asbi_load){ .items = 1,
                                .bytes = item->text.len,
                                .media_ms = item->media_ms };
    load->input_tokens =
        asbi_calibrated(&e->lane->input_calibration, asbi_item_input(e, item));
    load->output_tokens =
        asbi_lane_expect_output(e->lane, item->input_estimate);
    if (output > load->output_tokens)
        load->output_tokens = output;
    load->cost = asbi_price_worst(&item->prices, load->input_tokens,
                                  load->output_tokens) +
                 asbi_item_flat_cost(item);
}

/* Waiting for company must not cost an item its deadline. */
static uint64_t close_by(const struct asb_engine *e,
                         const struct asbi_item *item)
{
    const struct asbi_load *load = &item->parcel.load;

    if (item->deadline_ns == ASBI_NEVER)
        return 0;
    double seconds = asbi_latency_p95(&e->lane->latency, load->input_tokens,
                                      load->output_tokens);
    uint64_t needed = 2 * (uint64_t)(seconds * 1e9);
    return item->deadline_ns > needed ? item->deadline_ns - needed : 1;
}

static void set_caps(const struct asb_engine *e, struct asbi_kind_entry *k,
                     const struct asbi_item *item)
{
    struct asbi_batch_caps *caps = &k->kind.caps;

    *caps = (struct asbi_batch_caps){ .items = 1 };
    if (!k->shares)
        return;
    *caps = e->lane->caps;
    if (k->most_items && k->most_items < caps->items)
        caps->items = k->most_items;
    if (!item->content_key)
        return;
    caps->media_ms = ASBI_CONTENT_SECONDS * UINT64_C(1000);
    if (caps->cost <= 0)
        caps->cost = ASBI_CONTENT_COST;
}

int asbi_queue_add(struct asb_engine *e, struct asbi_item *item, uint64_t now)
{
    struct asbi_kind_entry *k = kind_of(e, item);

    if (!k)
        return ASB_ENOMEM;
    k->items++;
    kind_release(e, item->kind);
    item->kind = k;
    weigh(e, item);
    item->parcel.close_by_ns = close_by(e, item);
    set_caps(e, k, item);
    int rc = asbi_former_add(&e->former, &k->kind, &item->parcel, now);
    if (rc)
        return rc;
    asbi_item_enter(item, ASBI_ITEM_QUEUED);
    return ASB_OK;
}

void asbi_queue_join(struct asb_engine *e, struct asbi_item *item,
                     struct asbi_batch *taken)
{
    asbi_former_remove(&e->former, asbi_parcel_batch(&item->parcel),
                       &item->parcel);
    if (!asbi_list_empty(&taken->parcels) && taken->kind != &item->kind->kind) {
        struct asbi_kind_entry *k = taken->kind->owner;

        k->items++;
        kind_release(e, item->kind);
        item->kind = k;
    }
    asbi_batch_join(taken, &item->kind->kind, &item->parcel);
}

void asbi_queue_leave(struct asb_engine *e, struct asbi_item *item)
{
    kind_release(e, item->kind);
    item->kind = NULL;
}

void asbi_queue_fini(struct asb_engine *e)
{
    for (size_t i = 0; i < e->kinds.cap; i++) {
        struct asbi_kind_entry *k =
            e->kinds.slots ? e->kinds.slots[i].value : NULL;

        if (!k)
            continue;
        asbi_free(&e->mem, k->key);
        asbi_free(&e->mem, k);
    }
    asbi_map_fini(&e->kinds);
    for (size_t i = 0; i < e->tenants.cap; i++) {
        if (e->tenants.slots && e->tenants.slots[i].value)
            tenant_free(e, e->tenants.slots[i].value);
    }
    asbi_map_fini(&e->tenants);
}

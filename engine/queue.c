/*
 * queue.c -- items into batches of their kind, and out of them.
 */
#include "engine/queue.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/units.h"

enum { MAX_KINDS = 65536 };

/* Longest wait for company: interactive, ordinary, bulk. */
static const uint64_t wait_of_class[] = {
    [ASB_URGENT] = 30 * ASBI_MS,
    [ASB_NORMAL] = 500 * ASBI_MS,
    [ASB_BACKGROUND] = 5 * ASBI_SECOND,
};

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
        return wait_of_class[ASB_BACKGROUND];
    return wait_of_class[priority];
}

unsigned asbi_queue_urgency(enum asb_class priority)
{
    return urgency_of_class[priority];
}

static struct asbi_kind_entry *kind_new(struct asb_engine *e, asbi_str key,
                                        bool shares, enum asb_class priority)
{
    struct asbi_kind_entry *k = asbi_calloc(&e->mem, 1, sizeof(*k));

    if (!k || e->kinds.count >= MAX_KINDS)
        goto fail;
    k->key = asbi_strndup(&e->mem, key.at, key.len);
    k->key_len = key.len;
    if (!k->key || asbi_map_put(&e->kinds, asbi_str_of(k->key, k->key_len), k))
        goto fail;
    asbi_kind_init(&k->kind);
    k->shares = shares;
    k->kind.owner = k;
    k->kind.wait_ns = wait_for_company(e, priority);
    k->kind.urgency = urgency_of_class[priority];
    return k;
fail:
    if (k)
        asbi_free(&e->mem, k->key);
    asbi_free(&e->mem, k);
    return NULL;
}

static struct asbi_kind_entry *kind_of(struct asb_engine *e,
                                       const struct asbi_item *item)
{
    bool shares = item->packed && !item->alone;
    char head[3] = { shares ? 'b' : '1', (char)('0' + item->priority), ':' };
    asbi_str key;

    asbi_buf_clear(&e->scratch);
    asbi_buf_add(&e->scratch, head, sizeof(head));
    asbi_buf_str(&e->scratch, item->tenant);
    if (asbi_buf_failed(&e->scratch))
        return NULL;
    key = asbi_buf_view(&e->scratch);
    struct asbi_kind_entry *k = asbi_map_get(&e->kinds, key);
    return k ? k : kind_new(e, key, shares, item->priority);
}

static void kind_release(struct asb_engine *e, struct asbi_kind_entry *k)
{
    if (!k || --k->items > 0)
        return;
    (void)asbi_map_take(&e->kinds, asbi_str_of(k->key, k->key_len));
    asbi_free(&e->mem, k->key);
    asbi_free(&e->mem, k);
}

static void weigh(struct asb_engine *e, struct asbi_item *item)
{
    struct asbi_load *load = &item->parcel.load;
    uint64_t output = load->output_tokens; /* of an earlier try: may be more */

    *load = (struct asbi_load){ .items = 1, .bytes = item->text.len };
    load->input_tokens =
        asbi_calibrated(&e->lane->input_calibration, item->input_estimate);
    load->output_tokens =
        asbi_lane_expect_output(e->lane, item->input_estimate);
    if (output > load->output_tokens)
        load->output_tokens = output;
    load->cost = asbi_price_worst(&item->prices, load->input_tokens,
                                  load->output_tokens);
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
    if (k->shares)
        k->kind.caps = e->lane->caps;
    else
        k->kind.caps = (struct asbi_batch_caps){ .items = 1 };
    int rc = asbi_former_add(&e->former, &k->kind, &item->parcel, now);
    if (rc)
        return rc;
    asbi_item_enter(item, ASBI_ITEM_QUEUED);
    return ASB_OK;
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
}

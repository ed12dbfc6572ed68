#include "engine/item.h"

#include <assert.h>
#include <string.h>

#include "engine/base/units.h"

/* What an item costs on its way beside its own block: its entry in a call and
 * its answer's bookkeeping.  Its text is there again in a request, an answer
 * and a row. */
enum { ALONG_THE_WAY = 192 };

#define BIT(state) (1U << (state))

/* The states that may follow each state; read by an assert alone. */
__attribute__((unused)) static const unsigned next_states[ASBI_ITEM_NSTATES] = {
    [ASBI_ITEM_NEW] = BIT(ASBI_ITEM_ASKED) | BIT(ASBI_ITEM_FOLLOWING) |
                      BIT(ASBI_ITEM_QUEUED) | BIT(ASBI_ITEM_DONE),
    [ASBI_ITEM_ASKED] = BIT(ASBI_ITEM_FOLLOWING) | BIT(ASBI_ITEM_QUEUED) |
                        BIT(ASBI_ITEM_AWAY) | BIT(ASBI_ITEM_DONE),
    [ASBI_ITEM_FOLLOWING] = BIT(ASBI_ITEM_ASKED) | BIT(ASBI_ITEM_QUEUED) |
                            BIT(ASBI_ITEM_SENT) | BIT(ASBI_ITEM_AWAY) |
                            BIT(ASBI_ITEM_DONE),
    [ASBI_ITEM_QUEUED] = BIT(ASBI_ITEM_FOLLOWING) | BIT(ASBI_ITEM_SENT) |
                         BIT(ASBI_ITEM_AWAY) | BIT(ASBI_ITEM_DONE),
    [ASBI_ITEM_SENT] = BIT(ASBI_ITEM_QUEUED) | BIT(ASBI_ITEM_AWAY) |
                       BIT(ASBI_ITEM_BACKOFF) | BIT(ASBI_ITEM_DONE),
    [ASBI_ITEM_AWAY] = BIT(ASBI_ITEM_BACKOFF) | BIT(ASBI_ITEM_DONE),
    [ASBI_ITEM_BACKOFF] = BIT(ASBI_ITEM_QUEUED) | BIT(ASBI_ITEM_DONE),
    [ASBI_ITEM_DONE] = 0,
};

/* Appends a copy to the block being filled; moves *at past it. */
static asbi_str keep(char **at, asbi_str s)
{
    char *copy = *at;

    if (s.len)
        memcpy(copy, s.at, s.len);
    *at += s.len;
    return asbi_str_of(copy, s.len);
}

struct asbi_item *asbi_item_new(const struct asbi_mem *mem,
                                const struct asb_request *r, asbi_str text)
{
    size_t content = text.len + r->body.len;
    size_t lent = r->release ? r->body.len : 0;

    if (r->release && text.at == r->text.at)
        lent += text.len;
    size_t bytes = sizeof(struct asbi_item) + r->id.len + r->url.len +
                   r->tenant.len + content;
    struct asbi_item *item = asbi_alloc(mem, bytes - lent);

    if (!item)
        return NULL;
    char *at = (char *)(item + 1);
    *item = (struct asbi_item){ .payload = r->payload,
                                .priority = r->priority,
                                .max_length = r->max_length,
                                .deadline_ns = ASBI_NEVER,
                                .row = ASBI_NO_ROW,
                                .bytes = bytes + ALONG_THE_WAY + 3 * content,
                                .release = r->release,
                                .release_arg = r->release_arg };
    item->id = keep(&at, r->id);
    item->text = r->release && text.at == r->text.at ? text : keep(&at, text);
    item->body = r->release ? r->body : keep(&at, r->body);
    item->url = keep(&at, r->url);
    item->tenant = keep(&at, r->tenant);
    return item;
}

static void free_outcome(const struct asbi_mem *mem, struct asbi_item *item)
{
    if (item->lender)
        return;
    asbi_free(mem, item->output);
    asbi_free(mem, item->raw_body);
    asbi_shared_drop(mem, item->request_id);
    asbi_free(mem, item->error_message);
}

void asbi_item_free(const struct asbi_mem *mem, struct asbi_item *item)
{
    if (!item)
        return;
    assert(!item->link.list && !item->parcel.link.list && !item->due.at);
    asbi_list_remove(&item->turn);
    item->given_up = true;
    if (item->lent)
        return;
    asbi_free(mem, item->complaint);
    asbi_free(mem, item->kin);
    asbi_free(mem, item->media);
    free_outcome(mem, item);
    if (item->release)
        item->release(item->release_arg);
    if (item->lender)
        asbi_item_give_back(mem, item->lender);
    asbi_free(mem, item);
}

void asbi_item_lend(struct asbi_item *item)
{
    item->lent++;
}

void asbi_item_give_back(const struct asbi_mem *mem, struct asbi_item *item)
{
    item->lent--;
    if (item->given_up)
        asbi_item_free(mem, item);
}

void asbi_item_share(const struct asbi_mem *mem, struct asbi_item *item,
                     struct asbi_item *from)
{
    free_outcome(mem, item);
    item->lender = from->lender ? from->lender : from;
    asbi_item_lend(item->lender);
    item->ok = from->ok;
    item->output_is_json = from->output_is_json;
    item->retryable = from->retryable;
    item->output = from->output;
    item->output_len = from->output_len;
    item->raw_body = from->raw_body;
    item->raw_body_len = from->raw_body_len;
    item->request_id = from->request_id;
    item->http_status = from->http_status;
    item->error_code = from->error_code;
    item->error_message = from->error_message;
    item->attempts = 0;
    item->source = ASB_DUPLICATE;
}

void asbi_item_enter(struct asbi_item *item, enum asbi_item_state to)
{
    assert(next_states[item->state] & BIT(to));
    item->state = to;
}

void asbi_item_fail(const struct asbi_mem *mem, struct asbi_item *item,
                    const char *code, asbi_str message, bool retryable)
{
    asbi_free(mem, item->error_message);
    item->ok = false;
    item->error_code = code;
    item->error_message = asbi_strndup(mem, message.at, message.len);
    item->retryable = retryable;
}

void asbi_item_answer(const struct asbi_mem *mem, struct asbi_item *item,
                      char *output, size_t len, bool is_json)
{
    asbi_free(mem, item->output);
    asbi_free(mem, item->error_message);
    item->error_message = NULL;
    item->error_code = NULL;
    item->ok = true;
    item->output = output;
    item->output_len = len;
    item->output_is_json = is_json;
}

void asbi_item_complain(const struct asbi_mem *mem, struct asbi_item *item,
                        const char *message)
{
    asbi_free(mem, item->complaint);
    item->complaint = asbi_strndup(mem, message, strlen(message));
}

void asbi_item_result(const struct asbi_item *item, struct asb_result *out)
{
    *out = (struct asb_result){
        .size = sizeof(*out),
        .item = item->number,
        .id = item->id,
        .ok = item->ok,
        .output = asbi_str_of(item->output, item->output_len),
        .output_is_json = item->output_is_json,
        .body = asbi_str_of(item->raw_body, item->raw_body_len),
        .request_id = asbi_shared_str(item->request_id),
        .http_status = item->http_status,
        .error_code = item->ok ? NULL : item->error_code,
        .error_message = asbi_str_c(item->error_message),
        .retryable = item->retryable,
        .source = item->source,
        .attempts = item->attempts,
        .usage = item->usage,
        .cost_nano_usd = item->cost,
        .saved_nano_usd = item->saved,
    };
}

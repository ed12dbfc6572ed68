/*
 * native_results.c -- the results of a batch, line by line as they come, or as
 * one document, each to the call it answers.
 */
#include "engine/native_batch.h"

#include <string.h>

#include "engine/base/units.h"
#include "engine/call_hold.h"

/* "line-12" is 12; SIZE_MAX for what is none of ours. */
static size_t line_of(const struct asbi_native_batch *b, asbi_str id)
{
    asbi_str prefix = ASBI_STR("line-");
    uint64_t n;

    if (!asbi_str_starts(id, prefix) ||
        !asbi_parse_u64(asbi_str_of(id.at + prefix.len, id.len - prefix.len),
                        &n) ||
        n >= b->count)
        return SIZE_MAX;
    return (size_t)n;
}

/* The line has ended: what comes for it later counts for nothing. */
static struct asbi_call *take_line(struct asbi_native_batch *b, size_t i)
{
    struct asbi_call *call = b->calls[i];

    b->calls[i] = NULL;
    b->open--;
    b->native->lines--;
    b->tokens -= call->demand.input_tokens;
    b->output_tokens -= call->demand.output_tokens;
    b->native->tokens -= call->demand.input_tokens;
    return call;
}

/* None of its items came again: they have their answers, or are no more. */
static void drop_line(struct asbi_call *call, bool paid)
{
    int64_t worst = call->demand.worst_cost;

    if (paid)
        call->engine->stats.maybe_paid_twice_nano_usd += worst;
    else
        call->engine->stats.calls--;
    asbi_budget_settle(&call->lane->purse->budget, worst, paid ? worst : 0);
    asbi_hold_end(call, 0, paid ? worst : 0);
    asbi_call_free(call);
}

/* 429 within a batch says nothing about direct calls. */
static int status_for(int status)
{
    return status == 429 ? 503 : status;
}

static void hand_over(struct asbi_native_batch *b,
                      const struct asbi_batch_result *r)
{
    size_t i = line_of(b, r->id);

    if (i == SIZE_MAX || !b->calls[i])
        return;
    struct asbi_call *call = take_line(b, i);
    if (!call->batch)
        drop_line(call, r->answered);
    else if (r->answered)
        asbi_call_answer(call, b->native->decoder, status_for(r->status),
                         r->body);
    else
        asbi_call_end(call, b->native->decoder, ASBI_NOT_SENT,
                      "it was not worked off");
}

static int read_line(struct asbi_native_batch *b, asbi_str line)
{
    struct asbi_native *n = b->native;
    struct asbi_batch_result r;

    line = asbi_str_trim(line);
    if (line.len == 0)
        return ASB_OK;
    int rc = asbi_json_parse(n->json, line.at, line.len);
    if (rc)
        return rc == ASB_ENOMEM ? rc : ASB_OK; /* its line stays open */
    n->api->result(n->json, asbi_json_root(n->json), &n->scratch, &r);
    hand_over(b, &r);
    return ASB_OK;
}

static int read_lines(struct asbi_native_batch *b, const char *at, size_t len)
{
    const char *end;

    while ((end = memchr(at, '\n', len))) {
        size_t used = (size_t)(end - at) + 1;
        asbi_str line = asbi_str_of(at, used);

        if (b->line.len) {
            asbi_buf_add(&b->line, at, used);
            line = asbi_buf_view(&b->line);
        }
        int rc = asbi_buf_failed(&b->line) ? ASB_ETOOBIG : read_line(b, line);
        if (rc)
            return rc;
        asbi_buf_clear(&b->line);
        at += used;
        len -= used;
    }
    asbi_buf_add(&b->line, at, len);
    return asbi_buf_failed(&b->line) ? ASB_ETOOBIG : ASB_OK;
}

int asbi_native_results(struct asbi_native_batch *b, const char *at, size_t len)
{
    if (!b->native->api->one_document)
        return read_lines(b, at, len);
    asbi_buf_add(&b->line, at, len);
    return asbi_buf_failed(&b->line) ? ASB_ETOOBIG : ASB_OK;
}

static void read_document(struct asbi_native_batch *b)
{
    struct asbi_native *n = b->native;
    const struct asbi_json_node *list, *node;
    struct asbi_batch_result r;

    if (asbi_json_parse(n->json, b->line.data, b->line.len))
        return;
    list = n->api->results(n->json);
    for (node = asbi_json_child(n->json, list); node;
         node = asbi_json_after(n->json, list, node)) {
        n->api->result(n->json, node, &n->scratch, &r);
        hand_over(b, &r);
    }
}

void asbi_native_results_end(struct asbi_native_batch *b)
{
    if (b->native->api->one_document)
        read_document(b);
    else
        (void)read_line(b, asbi_buf_view(&b->line));
    asbi_buf_fini(&b->line);
}

/* It counts as if it was paid, and may be. */
static void leave_line(struct asbi_call *call)
{
    struct asb_engine *e = call->engine;
    int64_t worst = call->demand.worst_cost;
    struct asbi_link *link;

    asbi_budget_settle(&e->purse.budget, worst, worst);
    while (call->batch && (link = asbi_list_pop(&call->batch->parcels))) {
        struct asbi_item *item = asbi_item_of_link(link);

        item->call = NULL;
        asbi_engine_fail(e, item, "no_credentials",
                         ASBI_STR("the provider refuses the key to tell of the "
                                  "batch, which may have been paid for"),
                         true);
    }
    if (call->batch)
        asbi_former_recycle(&e->former, call->batch);
    asbi_call_free(call);
}

static void be_finished(struct asbi_native_batch *b)
{
    b->finished = true;
    b->due_ns = 0;
}

void asbi_native_leave_lines(struct asbi_native_batch *b)
{
    asbi_native_seal(b);
    for (size_t i = 0; i < b->count; i++) {
        if (b->calls[i])
            leave_line(take_line(b, i));
    }
    b->number = 0; /* it is not over */
    be_finished(b);
}

void asbi_native_end_lines(struct asbi_native_batch *b,
                           enum asbi_outcome outcome, const char *text)
{
    asbi_native_seal(b);
    for (size_t i = 0; i < b->count; i++) {
        struct asbi_call *call = b->calls[i] ? take_line(b, i) : NULL;

        if (call && !call->batch)
            drop_line(call, outcome == ASBI_UNANSWERED);
        else if (call)
            asbi_call_end(call, b->native->decoder, outcome, text);
    }
    be_finished(b);
}

#include "engine/native_batch.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/call_hold.h"

void asbi_native_batch_free(struct asbi_native_batch *b)
{
    struct asb_engine *e = b->native->engine;
    const struct asbi_mem *mem = &e->mem;

    if (b->finished && b->number && e->journal)
        asbi_journal_over(e->journal, b->number);
    asbi_remote_job_remove(&b->remote);
    asbi_list_remove(&b->link);
    asbi_errand_fini(&b->errand);
    asbi_buf_fini(&b->file);
    asbi_buf_fini(&b->path);
    asbi_buf_fini(&b->type);
    asbi_buf_fini(&b->line);
    asbi_free(mem, b->calls);
    asbi_free(mem, b);
}

static void name_it(struct asbi_native_batch *b)
{
    struct asb_engine *e = b->native->engine;

    (void)snprintf(b->ref.name, sizeof(b->ref.name), "asyncbatch-%016llx",
                   (unsigned long long)asbi_rng_u64(&e->rng));
}

struct asbi_native_batch *asbi_native_batch_new(struct asbi_native *n,
                                                const char *endpoint)
{
    struct asb_engine *e = n->engine;
    struct asbi_native_batch *b = asbi_calloc(&e->mem, 1, sizeof(*b));

    if (!b)
        return NULL;
    b->native = n;
    (void)snprintf(b->endpoint, sizeof(b->endpoint), "%s", endpoint);
    b->ref.endpoint = b->endpoint;
    b->ref.model = e->lane->style.model;
    b->deadline_ns = b->due_ns = ASBI_NEVER;
    b->remote.begun_ns = asbi_now(e->world);
    name_it(b);
    asbi_buf_init(&b->file, &e->mem, n->bytes_most);
    asbi_buf_init(&b->path, &e->mem, 1024);
    asbi_buf_init(&b->type, &e->mem, 256);
    asbi_buf_init(&b->line, &e->mem, 8 * e->config->max_answer_bytes);
    asbi_errand_init(&b->errand, e);
    asbi_list_append(&n->batches, &b->link);
    return b;
}

/* The next run finds it by its name where the provider's list shows that. */
static void note_name(struct asbi_native_batch *b)
{
    struct asbi_native *n = b->native;
    struct asbi_journal *j = n->engine->journal;

    if (!j)
        return;
    b->number = asbi_journal_number(j);
    if (!n->api->shows_names)
        return;
    const struct asbi_journal_job job = { .number = b->number,
                                          .id = ASBI_STR(""),
                                          .address = asbi_str_c(b->ref.name) };
    asbi_journal_job(j, &job);
}

static struct asbi_native_batch *begin_batch(struct asbi_native *n,
                                             const char *endpoint)
{
    struct asbi_native_batch *b = asbi_native_batch_new(n, endpoint);

    if (!b)
        return NULL;
    n->api->begin(&b->ref, &b->file);
    note_name(b);
    return b;
}

static struct asbi_native_batch *batch_of(struct asbi_link *link)
{
    return ASBI_OF(link, struct asbi_native_batch, link);
}

/* "/chat/completions" below ".../v1" is "/v1/chat/completions". */
static void put_endpoint(const struct asbi_call *call, char *out, size_t size)
{
    struct asbi_call_style style = call->lane->style;
    struct asbi_buf path;

    style.stream = false;
    asbi_buf_init(&path, call->lane->mem, size);
    call->lane->dialect->path(call->way, &style, &path);
    const char *text = asbi_buf_cstr(&path);
    (void)snprintf(out, size, "/v1%s", text ? text : "");
    asbi_buf_fini(&path);
}

void asbi_native_close(struct asbi_native_batch *b, uint64_t now)
{
    const struct asbi_batch_api *api = b->native->api;

    api->end(&b->ref, &b->file);
    b->state = ASBI_NATIVE_SENDING;
    b->step = api->first;
    b->due_ns = now;
}

static size_t texts_of(const struct asbi_call *call)
{
    return call->way == ASBI_ARRAY ? call->count : 0;
}

static bool has_room(const struct asbi_native_batch *b,
                     const struct asbi_call *call)
{
    const struct asbi_native *n = b->native;
    size_t texts = b->texts + texts_of(call);

    return b->count < n->requests_most &&
           (!n->array_texts || b->texts == 0 || texts <= n->array_texts) &&
           b->file.len + call->exchange.body_len + 1024 < n->bytes_most;
}

/* The open batch for that endpoint, with room for the call. */
static struct asbi_native_batch *
open_batch(struct asbi_native *n, const struct asbi_call *call, uint64_t now)
{
    char endpoint[64];

    put_endpoint(call, endpoint, sizeof(endpoint));
    ASBI_LIST_EACH (link, &n->batches) {
        struct asbi_native_batch *b = batch_of(link);

        if (b->state != ASBI_NATIVE_GATHERING ||
            strcmp(b->endpoint, endpoint) != 0)
            continue;
        if (has_room(b, call))
            return b;
        asbi_native_close(b, now);
    }
    return begin_batch(n, endpoint);
}

bool asbi_native_reserve(struct asbi_native_batch *b, size_t place)
{
    size_t cap = b->cap ? b->cap : 64;

    if (place < b->cap)
        return true;
    while (cap <= place)
        cap *= 2;
    void *calls = asbi_resize(&b->native->engine->mem, b->calls, cap,
                              sizeof(struct asbi_call *));
    if (!calls)
        return false;
    b->calls = calls;
    b->cap = cap;
    return true;
}

/* Its body is in the file now, and takes no more memory. */
static bool put_line(struct asbi_native_batch *b, struct asbi_call *call)
{
    size_t before = b->file.len;
    char id[24];

    if (!asbi_native_reserve(b, b->count))
        return false;
    (void)snprintf(id, sizeof(id), "line-%zu", b->count);
    b->native->api->line(
        &b->ref, asbi_str_c(id),
        asbi_str_of(call->exchange.body, call->exchange.body_len), &b->file);
    if (asbi_buf_failed(&b->file)) {
        b->file.len = before;
        b->file.failed = false;
        return false;
    }
    asbi_buf_shrink(&call->body, 0);
    call->exchange.body = NULL; /* it is nobody's any more */
    call->exchange.body_len = 0;
    b->calls[b->count++] = call;
    return true;
}

void asbi_native_count(struct asbi_native_batch *b,
                       const struct asbi_demand *demand,
                       const struct asbi_item *item)
{
    b->tokens += demand->input_tokens;
    b->output_tokens += demand->output_tokens;
    b->native->tokens += demand->input_tokens;
    if (item->deadline_ns < b->deadline_ns)
        b->deadline_ns = item->deadline_ns;
}

static void take_in(struct asbi_native_batch *b, struct asbi_call *call,
                    uint64_t now)
{
    static const struct asbi_demand none = { .input_tokens = 0 };

    b->open++;
    b->texts += texts_of(call);
    b->native->lines++;
    b->last_ns = now;
    for (size_t i = 0; i < call->count; i++) {
        struct asbi_item *item = call->entries[i].item;

        item->native_tries++;
        asbi_native_count(b, i ? &none : &call->demand, item);
    }
}

int asbi_native_add(struct asb_engine *e, struct asbi_batch *batch,
                    const struct asbi_demand *demand)
{
    struct asbi_native *n = &e->native;
    uint64_t now = asbi_now(e->world);
    struct asbi_call *call;

    int rc = asbi_call_make(e, batch, demand, true, &call);
    if (rc)
        return rc;
    struct asbi_native_batch *b = open_batch(n, call, now);
    if (!b || asbi_hold_line(call, b->number, b->count) || !put_line(b, call)) {
        asbi_hold_end(call, 0, 0);
        asbi_call_free(call);
        return ASB_ENOMEM;
    }
    asbi_call_commit(call, batch);
    (void)asbi_budget_reserve(&e->purse.budget, demand->worst_cost);
    take_in(b, call, now);
    return ASB_OK;
}

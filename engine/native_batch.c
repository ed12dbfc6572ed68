#include "engine/native_batch.h"

#include <stdio.h>
#include <string.h>

#include "config/options.h"
#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/call_hold.h"

enum {
    WINDOW_HOURS = 24, /* what providers promise */
    MOST_TRIES = 2,    /* in batches; then an item is asked directly */
    NAME_DIGITS = 16,
};

/* Nothing came for so long: a batch is sent with what it has. */
#define QUIET (10 * ASBI_SECOND)
/* A cancelled batch winds up within this, as OpenAI says. */
#define LONGEST_GRACE (600 * ASBI_SECOND)
/* Held at once, unless the user said how much. */
#define ROOM_BYTES ((uint64_t)256 << 20)

/* Direct calls may take longer than it seems beforehand. */
static const double direct_slack = 2;
/* Of the time a batch has, so much is for its winding up. */
static const double grace_share = 0.1;

unsigned asbi_native_percent(const struct asb_engine *e)
{
    return (unsigned)e->lane->provider.batch_percent;
}

/* ---- whether ---------------------------------------------------------- */

/* What a direct call's time and the wind-up of a batch leave of `ns`. */
static uint64_t direct_ns(const struct asb_engine *e, uint64_t calls,
                          uint64_t input, uint64_t output)
{
    double s = asbi_lane_seconds(e->lane, calls, input, output);

    return (uint64_t)(direct_slack * s * 1e9) + ASBI_SECOND;
}

/* A body that names another model or address has no place among the lines. */
static bool fits(const struct asb_engine *e, const struct asbi_item *item)
{
    if (item->payload == ASB_BODY && (item->other_model || item->url.len))
        return false;
    return item->priority != ASB_URGENT && item->native_tries < MOST_TRIES &&
           (!item->packed || e->way != ASBI_ARRAY ||
            e->native.api->takes_arrays);
}

bool asbi_native_wants(const struct asb_engine *e, const struct asbi_batch *b,
                       uint64_t now)
{
    const struct asbi_item *first =
        asbi_item_of_link(asbi_list_first(&b->parcels));
    uint64_t window = WINDOW_HOURS * 3600 * ASBI_SECOND;
    uint64_t deadline = ASBI_NEVER;

    if (!asbi_native_is_on(&e->native) || !fits(e, first))
        return false;
    ASBI_LIST_EACH (link, &b->parcels) {
        const struct asbi_item *item = asbi_item_of_link(link);

        if (item->deadline_ns < deadline)
            deadline = item->deadline_ns;
    }
    if (deadline == ASBI_NEVER)
        return e->native.forced;
    uint64_t left = deadline > now ? deadline - now : 0;
    uint64_t direct =
        direct_ns(e, 1, b->load.input_tokens, b->load.output_tokens);
    if (e->native.forced && first->native_tries == 0)
        return left > 4 * direct;
    return left >= window + direct && (e->native.forced || e->patient);
}

enum asbi_gate asbi_native_gate(struct asb_engine *e,
                                const struct asbi_demand *demand,
                                uint64_t *ready_ns)
{
    const struct asbi_native *n = &e->native;

    *ready_ns = ASBI_NEVER;
    if (demand->worst_cost > asbi_budget_left(&e->lane->budget))
        return ASBI_GATE_BUDGET;
    if (n->tokens_most && n->tokens &&
        n->tokens + demand->input_tokens > n->tokens_most)
        return ASBI_GATE_CONCURRENCY;
    return ASBI_GATE_OPEN;
}

/* ---- gathering -------------------------------------------------------- */

static void batch_free(struct asbi_native_batch *b)
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

static void close_batch(struct asbi_native_batch *b, uint64_t now)
{
    const struct asbi_batch_api *api = b->native->api;

    api->end(&b->ref, &b->file);
    b->state = ASBI_NATIVE_SENDING;
    b->step = api->first;
    b->due_ns = now;
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
        if (b->count < n->requests_most &&
            b->file.len + call->exchange.body_len + 1024 < n->bytes_most)
            return b;
        close_batch(b, now);
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
    (void)asbi_budget_reserve(&e->lane->budget, demand->worst_cost);
    take_in(b, call, now);
    return ASB_OK;
}

/* ---- time ------------------------------------------------------------- */

/* Nothing more will join it soon. */
static bool is_ready(const struct asb_engine *e,
                     const struct asbi_native_batch *b, uint64_t now)
{
    bool none_waits = e->former.waiting.items == 0;
    bool none_comes = e->draining || !asb_has_room(e);

    return (none_waits && none_comes) || now - b->last_ns >= QUIET;
}

/* When the rest must be asked directly to be in time, and when a batch must
 * have been cancelled for that. */
static void last_times(const struct asbi_native_batch *b, uint64_t *cancel_ns,
                       uint64_t *leave_ns)
{
    const struct asb_engine *e = b->native->engine;
    uint64_t need = direct_ns(e, b->open, b->tokens, b->output_tokens);
    uint64_t span = b->deadline_ns > b->remote.begun_ns
                        ? b->deadline_ns - b->remote.begun_ns
                        : 0;
    uint64_t grace = (uint64_t)(grace_share * (double)span);

    *cancel_ns = *leave_ns = ASBI_NEVER;
    if (b->deadline_ns == ASBI_NEVER)
        return;
    if (grace > LONGEST_GRACE)
        grace = LONGEST_GRACE;
    *leave_ns = b->deadline_ns > need ? b->deadline_ns - need : 0;
    *cancel_ns = *leave_ns > grace ? *leave_ns - grace : 0;
}

/* All of its items were cancelled by the host. */
static bool is_unwanted(const struct asbi_native_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct asbi_call *call = b->calls[i];

        if (call && call->batch && call->batch->parcels.count)
            return false;
    }
    return asbi_native_is_whole(b);
}

static void want_cancel(struct asbi_native_batch *b, uint64_t now)
{
    if (b->cancel_wanted)
        return;
    b->cancel_wanted = true;
    b->step = ASBI_BATCH_CANCEL;
    b->due_ns = now;
}

static void watch_running(struct asbi_native_batch *b, uint64_t now)
{
    uint64_t cancel_ns, leave_ns;

    last_times(b, &cancel_ns, &leave_ns);
    if (now >= cancel_ns || b->native->engine->stopped || is_unwanted(b))
        want_cancel(b, now);
    b->look_ns = b->cancel_wanted ? leave_ns : cancel_ns;
    if (now < leave_ns)
        return;
    asbi_log(&b->native->engine->log, ASB_LOG_WARN,
             "batch %s gave no answer in time: %zu of its requests are asked "
             "directly and may be billed twice",
             b->ref.id, b->open);
    asbi_native_end_lines(b, ASBI_UNANSWERED,
                          "the batch was not worked off in time");
}

static bool was_sent(const struct asbi_native_batch *b)
{
    return b->state != ASBI_NATIVE_GATHERING &&
           (b->state != ASBI_NATIVE_SENDING || b->errand.busy ||
            b->step == ASBI_BATCH_FIND);
}

static void watch(struct asbi_native_batch *b, uint64_t now)
{
    struct asb_engine *e = b->native->engine;

    if (b->state == ASBI_NATIVE_GATHERING && is_ready(e, b, now))
        close_batch(b, now);
    if ((e->stopped || e->lane->halt) && !was_sent(b))
        asbi_native_end_lines(b, ASBI_NOT_SENT, "the run was stopped");
    if (b->state == ASBI_NATIVE_RUNNING && !b->finished)
        watch_running(b, now);
}

/* When something is to be done beside asking after it. */
static uint64_t due_of(const struct asbi_native_batch *b)
{
    uint64_t due = b->errand.busy ? ASBI_NEVER : b->due_ns;

    if (b->finished)
        return 0;
    if (b->state == ASBI_NATIVE_GATHERING)
        return asbi_add_ns(b->last_ns, QUIET);
    if (b->state == ASBI_NATIVE_RUNNING && b->look_ns < due)
        return b->look_ns;
    return due;
}

void asbi_native_turn(struct asb_engine *e, uint64_t now)
{
    struct asbi_native *n = &e->native;
    struct asbi_link *next = n->batches.head.next;

    for (size_t left = n->batches.count; left > 0; left--) {
        struct asbi_native_batch *b = batch_of(next);

        next = next->next;
        if (!b->finished)
            watch(b, now);
        if (!b->finished && !b->errand.busy && b->due_ns <= now)
            asbi_native_step(b, now);
        if (b->finished)
            batch_free(b);
    }
    if (n->api)
        asbi_remote_jobs_turn(&n->remote, now);
}

uint64_t asbi_native_due(const struct asbi_native *n)
{
    uint64_t due = n->api ? asbi_remote_jobs_due(&n->remote) : ASBI_NEVER;

    ASBI_LIST_EACH (link, &n->batches) {
        uint64_t at = due_of(ASBI_OF(link, struct asbi_native_batch, link));

        if (at < due)
            due = at;
    }
    return due;
}

/* ---- birth and death -------------------------------------------------- */

/* Whether a run with these options may ask that way at all. */
static bool may_be(const struct asb_engine *e)
{
    const struct asbi_config *c = e->config;
    uint64_t window = WINDOW_HOURS * 3600 * ASBI_SECOND;

    if (strcmp(c->native_batch, "off") == 0)
        return false;
    return strcmp(c->native_batch, "on") == 0 || c->deadline_ns >= window;
}

static void make_room(struct asb_engine *e)
{
    enum asb_origin origin = ASB_FROM_HOST;
    struct asbi_config *c = &e->options->values;

    if (asb_options_get(e->options, "max_memory", &origin) &&
        origin == ASB_FROM_DEFAULT && c->max_memory_bytes < ROOM_BYTES)
        c->max_memory_bytes = ROOM_BYTES;
}

int asbi_native_enable(struct asbi_native *n)
{
    struct asb_engine *e = n->engine;
    const struct asbi_lane *lane = e->lane;
    const struct asbi_batch_api *api = lane->dialect->batches;
    const struct asbi_config *c = e->config;

    if (n->api)
        return ASB_OK;
    make_room(e);
    n->json = asbi_json_new(&e->mem, 8 * c->max_answer_bytes);
    n->decoder = lane->dialect->decoder_twin(lane->decoder);
    if (!n->json || !n->decoder)
        return ASB_ENOMEM;
    n->tokens_most = lane->provider.batch_tokens;
    n->requests_most = api->requests_most;
    n->bytes_most = api->bytes_most < c->max_memory_bytes ? api->bytes_most
                                                          : c->max_memory_bytes;
    n->api = api;
    return ASB_OK;
}

static bool has_batches(const struct asb_engine *e)
{
    return e->lane->dialect->batches && e->lane->provider.batches;
}

int asbi_native_init(struct asbi_native *n, struct asb_engine *e,
                     struct asb_message *why)
{
    *n = (struct asbi_native){ .engine = e };
    asbi_list_init(&n->batches);
    asbi_remote_jobs_init(&n->remote, e, &asbi_native_job_ops,
                          &asbi_poll_batches);
    asbi_buf_init(&n->scratch, &e->mem, 8 * e->config->max_answer_bytes);
    n->forced = strcmp(e->config->native_batch, "on") == 0;
    if (!may_be(e))
        return ASB_OK;
    if (has_batches(e))
        return asbi_native_enable(n);
    return n->forced ? asbi_fail(why, ASB_ECONFIG,
                                 "native_batch: provider %s has no batches; "
                                 "leave it at auto",
                                 e->config->provider)
                     : ASB_OK;
}

static void free_lines(struct asbi_native_batch *b)
{
    struct asb_engine *e = b->native->engine;
    struct asbi_link *link;

    for (size_t i = 0; i < b->count; i++) {
        struct asbi_call *call = b->calls[i];

        if (!call)
            continue;
        while (call->batch && (link = asbi_list_pop(&call->batch->parcels)))
            asbi_item_free(&e->mem, asbi_item_of_link(link));
        if (call->batch)
            asbi_former_recycle(&e->former, call->batch);
        asbi_call_free(call);
    }
}

void asbi_native_fini(struct asbi_native *n)
{
    struct asbi_link *link;

    if (!n->engine)
        return;
    while ((link = asbi_list_first(&n->batches))) {
        struct asbi_native_batch *b = batch_of(link);

        free_lines(b);
        batch_free(b);
    }
    if (n->decoder)
        n->engine->lane->dialect->decoder_free(n->decoder);
    asbi_remote_jobs_fini(&n->remote);
    asbi_json_free(n->json);
    asbi_buf_fini(&n->scratch);
    *n = (struct asbi_native){ .engine = NULL };
    asbi_list_init(&n->batches);
}

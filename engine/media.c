#include "engine/media.h"

#include <string.h>

#include "adapters/note.h"
#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/call_hold.h"
#include "engine/engine.h"
#include "engine/hush.h"
#include "engine/queue.h"
#include "scheduler/retry.h"

enum { ANSWER_MAX = 64 << 20 };

/* ---- jobs -------------------------------------------------------------- */

static struct asbi_poll_typical *typical_of(struct asbi_media *m, uint64_t key)
{
    for (size_t i = 0; i < m->group_count; i++) {
        if (m->groups[i].key == key)
            return &m->groups[i].typical;
    }
    if (m->group_count == ASBI_MEDIA_GROUPS)
        return &m->groups[key % ASBI_MEDIA_GROUPS].typical;
    m->groups[m->group_count].key = key;
    return &m->groups[m->group_count++].typical;
}

static void job_free(struct asbi_media_job *job)
{
    const struct asbi_mem *mem = &job->engine->mem;

    asbi_remote_job_remove(&job->remote);
    asbi_list_remove(&job->link);
    asbi_media_assets_free(job);
    asbi_free(mem, job->remote.id);
    asbi_free(mem, job->address);
    asbi_free(mem, job);
}

static uint64_t give_up_at(const struct asb_engine *e, uint64_t begun_ns)
{
    return asbi_add_ns(begun_ns, e->config->job_timeout_ns);
}

struct asbi_media_job *asbi_media_job_new(struct asb_engine *e,
                                          struct asbi_item *item, asbi_str id,
                                          asbi_str address)
{
    struct asbi_media *m = &e->media;
    struct asbi_media_job *job = asbi_calloc(&e->mem, 1, sizeof(*job));
    uint64_t now = asbi_now(e->world);

    if (!job)
        return NULL;
    job->engine = e;
    job->item = item;
    job->worst = item->media->cost;
    job->remote.id = asbi_strndup(&e->mem, id.at, id.len);
    job->address = asbi_strndup(&e->mem, address.at, address.len);
    job->remote.begun_ns = now;
    job->remote.give_up_ns = give_up_at(e, now);
    job->remote.typical = typical_of(m, item->content_key);
    if (!job->remote.id || !job->address ||
        asbi_remote_job_add(&m->remote, &job->remote)) {
        job_free(job);
        return NULL;
    }
    asbi_list_append(&m->jobs, &job->link);
    return job;
}

void asbi_media_go_away(struct asbi_media_job *job, struct asbi_item *item)
{
    struct asb_engine *e = job->engine;

    item->media->job = job;
    item->media->jobs++;
    asbi_item_enter(item, ASBI_ITEM_AWAY);
    asbi_budget_owe(&e->purse.budget, job->worst);
    e->world->ops->wake(e->world);
}

void asbi_media_say(const struct asb_engine *e, const struct asbi_item *item,
                    char out[ASBI_MEDIA_WORDS], const char *text,
                    asbi_str words)
{
    struct asbi_note note;

    asbi_note_init(&note, out, ASBI_MEDIA_WORDS);
    asbi_note_str(&note, asbi_str_c(text));
    if (words.len)
        asbi_note_str(&note, ASBI_STR(": "));
    asbi_note_str(&note, words);
    asbi_hush_item(e->lane, item, out, strlen(out));
}

/* ---- ends -------------------------------------------------------------- */

void asbi_media_pay(struct asbi_media_job *job, int64_t cost, int64_t spent)
{
    struct asb_engine *e = job->engine;

    if (job->paid)
        return;
    job->paid = true;
    job->cost = cost;
    job->spent = spent;
    asbi_budget_settle(&e->purse.budget, job->worst, spent);
    e->stats.cost_nano_usd += cost;
    if (job->item)
        job->item->cost += cost;
}

/* The call of that number is no longer open in the journal. */
static void end_record(const struct asbi_media_job *job, uint64_t number)
{
    struct asbi_journal *j = job->engine->journal;

    asbi_journal_end(j, number, job->booked ? 0 : job->cost,
                     job->booked ? 0 : job->spent);
    asbi_journal_over(j, number);
}

static void record(struct asbi_media_job *job, uint64_t number)
{
    struct asb_engine *e = job->engine;
    const struct asbi_journal_job record = {
        .number = number,
        .id = asbi_str_c(job->remote.id),
        .address = asbi_str_c(job->address),
    };

    job->number = number;
    if (e->journal && number)
        asbi_journal_job(e->journal, &record);
}

/* As a job of its item's row, in one commit with the end of what it was. */
static void record_anew(struct asbi_media_job *job)
{
    struct asbi_journal *j = job->engine->journal;
    const struct asbi_journal_call call = {
        .worst = job->paid ? job->cost : job->worst,
        .rows = &job->item->row,
        .count = 1,
        .line = job->paid ? ASBI_JOURNAL_PAID : 0,
    };
    uint64_t before = job->number, number;

    if (!j || !before || asbi_journal_line(j, &call, &number))
        return;
    record(job, number);
    end_record(job, before);
    job->booked = job->paid;
}

void asbi_media_book(struct asbi_media_job *job)
{
    if (job->paid && !job->booked && job->item)
        record_anew(job);
}

/* The job is no more, not in the journal either.  Its item is in no place, and
 * may be NULL. */
static struct asbi_item *end_job(struct asbi_media_job *job)
{
    struct asb_engine *e = job->engine;
    struct asbi_item *item = job->item;

    asbi_media_pay(job, 0, 0);
    if (e->journal && job->number)
        end_record(job, job->number);
    job_free(job);
    if (item)
        item->media->job = NULL;
    e->world->ops->wake(e->world);
    return item;
}

/* A new job for the same item, after a wait. */
static bool go_again(struct asb_engine *e, struct asbi_item *item)
{
    if (item->media->jobs >= e->config->job_attempts || e->stopped ||
        e->lane->halt)
        return false;
    uint64_t wait = asbi_retry_wait(&asbi_retry_default, item->media->jobs,
                                    ASBI_NEVER, asbi_rng_unit(&e->rng));
    uint64_t due = asbi_add_ns(asbi_now(e->world), wait);
    if (due >= item->deadline_ns ||
        asbi_heap_push(&e->backoff, &item->due, due))
        return false;
    e->stats.items_retried += item->media->jobs == 1;
    asbi_item_enter(item, ASBI_ITEM_BACKOFF);
    return true;
}

void asbi_media_fail(struct asbi_media_job *job, const char *code,
                     asbi_str message, bool again)
{
    struct asb_engine *e = job->engine;

    if (job->item)
        asbi_item_fail(&e->mem, job->item, code, message, again);
    struct asbi_item *item = end_job(job);
    if (item && !(again && go_again(e, item)))
        asbi_engine_finish(e, item);
}

void asbi_media_leave(struct asbi_media_job *job, const char *code,
                      asbi_str message)
{
    struct asb_engine *e = job->engine;

    /* Without a journal nobody goes on with it: another try is another job. */
    if (job->item)
        asbi_item_fail(&e->mem, job->item, code, message, job->number != 0);
    job->number = 0;
    asbi_media_pay(job, 0, job->worst);
    struct asbi_item *item = end_job(job);
    if (item)
        asbi_engine_finish(e, item);
}

void asbi_media_answer(struct asbi_media_job *job, char *output, size_t len)
{
    struct asb_engine *e = job->engine;
    struct asbi_item *item = end_job(job);

    if (!item) {
        asbi_free(&e->mem, output);
        return;
    }
    item->of_this_run = true;
    asbi_item_answer(&e->mem, item, output, len, true);
    asbi_engine_finish(e, item);
}

/* ---- a submission was accepted ----------------------------------------- */

/* Nobody can say whether something was begun, so it counts as if. */
static void fail_unknown(struct asbi_call *call, struct asbi_item *item)
{
    struct asb_engine *e = call->engine;

    asbi_budget_settle(&e->purse.budget, 0, item->media->cost);
    asbi_hold_end(call, 0, item->media->cost);
    asbi_engine_fail(
        e, item, "outcome_unknown",
        ASBI_STR("the provider took the request but named no job that "
                 "can be asked after; it may have been paid for"),
        false);
}

static void fail_at_once(struct asbi_call *call, struct asbi_item *item,
                         const struct asbi_media_status *s)
{
    bool filtered = s->state == ASBI_MEDIA_FILTERED;
    char message[ASBI_MEDIA_WORDS];

    asbi_media_say(call->engine, item, message,
                   filtered ? "the provider's moderation refuses this item"
                            : "the provider refuses the job",
                   s->message);
    asbi_engine_fail(call->engine, item,
                     filtered ? "content_filter" : "job_failed",
                     asbi_str_c(message), !filtered);
}

void asbi_media_accept(const struct asbi_exchange_end *end,
                       struct asbi_reply *reply)
{
    if (end->outcome == ASBI_COMPLETE && reply->status >= 200 &&
        reply->status <= 299)
        reply->verdict = ASBI_ACCEPTED;
}

/* What a submission was answered. */
struct begun {
    enum asbi_media_type type;
    struct asbi_media_status status;
    struct asbi_buf address; /* empty: none that can be asked after */
};

/* False when it is no answer that can be read. */
static bool read_begun(struct asbi_call *call, const struct asbi_item *item,
                       struct begun *out)
{
    struct asbi_media *m = &call->engine->media;
    struct asbi_media_request request;

    (void)asbi_media_request_read(m->json, item->text, &request);
    out->type = request.type;
    asbi_buf_init(&out->address, &call->engine->mem, 2 * ASBI_MEDIA_URL_MAX);
    if (asbi_json_parse(m->json, call->reply.data, call->reply.len))
        return false;
    asbi_media_read(m->shape, out->type, m->json, asbi_json_root(m->json),
                    &out->status);
    if (out->status.id.len &&
        (!asbi_media_put_address(m->shape, &out->status,
                                 asbi_buf_view(&call->text), &out->address) ||
         asbi_buf_failed(&out->address)))
        asbi_buf_clear(&out->address);
    return true;
}

void asbi_media_begin(struct asbi_call *call, struct asbi_item *item)
{
    struct asb_engine *e = call->engine;
    struct asbi_media_job *job = NULL;
    struct begun begun;

    asbi_media_known_now(call);
    bool read = read_begun(call, item, &begun);
    bool failed = read && begun.status.state > ASBI_MEDIA_DONE;
    if (failed && begun.status.id.len == 0) {
        fail_at_once(call, item, &begun.status);
        goto out;
    }
    if (read && begun.address.len)
        job = asbi_media_job_new(e, item, begun.status.id,
                                 asbi_buf_view(&begun.address));
    if (!job) {
        fail_unknown(call, item);
        goto out;
    }
    job->type = begun.type;
    record(job, call->number);
    call->number = 0; /* its end is the job's */
    asbi_media_go_away(job, item);
    if (failed) /* when an earlier try had begun it */
        asbi_media_told(job, &begun.status, NULL);
out:
    asbi_buf_fini(&begun.address);
}

/* ---- cancelled ---------------------------------------------------------- */

void asbi_media_replace(struct asb_engine *e, struct asbi_item *item,
                        struct asbi_item *heir)
{
    struct asbi_media_job *job = item->media->job;

    (void)e;
    heir->kind = item->kind;
    item->kind = NULL;
    heir->media->job = job;
    item->media->job = NULL;
    job->item = heir;
    asbi_item_enter(heir, ASBI_ITEM_AWAY);
    record_anew(job);
}

/* A word to the provider that nobody waits for. */
struct farewell {
    struct asbi_errand errand; /* first */
    struct asbi_link link;
};

static void on_farewell(struct asbi_errand *errand,
                        const struct asbi_exchange_end *end)
{
    struct farewell *f = (struct farewell *)(void *)errand;
    struct asb_engine *e = errand->engine;

    (void)end;
    asbi_list_remove(&f->link);
    asbi_errand_fini(&f->errand);
    asbi_free(&e->mem, f);
}

static void say_farewell(struct asb_engine *e, asbi_str job)
{
    const struct asbi_media_shape *shape = e->media.shape;
    struct farewell *f =
        shape->cancel_method ? asbi_calloc(&e->mem, 1, sizeof(*f)) : NULL;
    struct asbi_buf address;

    if (!f)
        return;
    asbi_buf_init(&address, &e->mem, 2 * ASBI_MEDIA_URL_MAX);
    asbi_errand_init(&f->errand, e);
    f->errand.done = on_farewell;
    f->errand.extra[0] = asbi_media_sign(e);
    asbi_buf_str(&address, job);
    asbi_buf_c(&address, shape->cancel);
    asbi_list_append(&e->media.farewells, &f->link);
    if (asbi_buf_failed(&address) ||
        asbi_errand_send(&f->errand, shape->cancel_method,
                         asbi_buf_view(&address)))
        on_farewell(&f->errand, NULL);
    asbi_buf_fini(&address);
}

/* What a cancelled job costs, nobody says: it counts at its worst. */
void asbi_media_forget(struct asb_engine *e, struct asbi_item *item)
{
    struct asbi_media_job *job = item->media->job;

    if (!job->paid)
        say_farewell(e, asbi_str_c(job->address));
    asbi_media_pay(job, 0, job->worst);
    (void)end_job(job);
}

void asbi_media_unwanted(struct asbi_call *call)
{
    struct asb_engine *e = call->engine;
    int64_t worst = call->demand.worst_cost;
    struct begun begun;

    bool read = read_begun(call, call->body_of, &begun);
    if (!read || begun.status.state <= ASBI_MEDIA_DONE) {
        asbi_budget_settle(&e->purse.budget, 0, worst);
        asbi_hold_end(call, 0, worst);
    }
    if (read && begun.address.len)
        say_farewell(e, asbi_buf_view(&begun.address));
    asbi_buf_fini(&begun.address);
}

/* ---- turns -------------------------------------------------------------- */

void asbi_media_turn(struct asb_engine *e, uint64_t now)
{
    struct asbi_media *m = &e->media;

    if (!m->shape)
        return;
    asbi_remote_jobs_turn(&m->remote, now);
    asbi_fetches_turn(&m->fetches, now);
    asbi_shelf_turn(&m->shelf, now);
}

uint64_t asbi_media_due(const struct asb_engine *e)
{
    const struct asbi_media *m = &e->media;

    if (!m->shape)
        return ASBI_NEVER;
    uint64_t polls = asbi_remote_jobs_due(&m->remote);
    uint64_t fetches = asbi_fetches_due(&m->fetches);
    uint64_t shelf = asbi_shelf_due(&m->shelf);
    fetches = shelf < fetches ? shelf : fetches;
    return polls < fetches ? polls : fetches;
}

/* ---- birth and death ---------------------------------------------------- */

void asbi_media_prepare(struct asb_engine *e)
{
    struct asbi_media *m = &e->media;

    asbi_list_init(&m->jobs);
    asbi_list_init(&m->known);
    asbi_list_init(&m->farewells);
    for (size_t i = 0; i < ASBI_MEDIA_SIGNATURES; i++)
        asbi_buf_init(&m->signatures[i], &e->mem, 8192);
}

static int refuse(const struct asb_engine *e, struct asb_message *why)
{
    return asbi_fail(why, ASB_ECONFIG,
                     "provider %s cannot do task %s; name another with "
                     "--provider",
                     e->config->provider, e->config->task);
}

static const char *sign_fetch(void *engine)
{
    return asbi_media_sign(engine);
}

int asbi_media_init(struct asb_engine *e, asbi_str key, struct asb_message *why)
{
    struct asbi_media *m = &e->media;
    const struct asbi_media_shape *shape =
        asbi_media_shape_find(e->lane->provider.dialect);

    if (!asbi_task_is_media(e->task)) {
        if (e->lane->dialect == &asbi_dialect_media)
            return refuse(e, why);
        return ASB_OK;
    }
    if (!shape)
        return refuse(e, why);
    m->key = asbi_str_of(asbi_strndup(&e->mem, key.at, key.len), key.len);
    m->json = asbi_json_new(&e->mem, ANSWER_MAX);
    asbi_remote_jobs_init(&m->remote, e, &asbi_media_job_ops, &asbi_poll_media);
    asbi_fetches_init(&m->fetches, e, m->place);
    m->fetches.sign = sign_fetch;
    m->fetches.arg = e;
    if (!m->json || !m->key.at)
        return ASB_ENOMEM;
    m->shape = shape;
    e->lane->style.media = shape;
    int rc = asbi_lane_speak(e->lane, &asbi_dialect_media);
    return rc ? rc : asbi_shelf_init(&m->shelf, e);
}

static void free_jobs(struct asb_engine *e)
{
    struct asbi_media *m = &e->media;
    struct asbi_link *link;

    while ((link = asbi_list_first(&m->jobs))) {
        struct asbi_media_job *job = ASBI_OF(link, struct asbi_media_job, link);

        if (job->item)
            asbi_item_free(&e->mem, job->item);
        job_free(job);
    }
    while ((link = asbi_list_first(&m->farewells)))
        on_farewell(&ASBI_OF(link, struct farewell, link)->errand, NULL);
    while ((link = asbi_list_pop(&m->known)))
        asbi_free(&e->mem, ASBI_OF(link, struct asbi_media_known, link));
}

void asbi_media_fini(struct asb_engine *e)
{
    struct asbi_media *m = &e->media;

    free_jobs(e);
    asbi_shelf_fini(&m->shelf);
    asbi_remote_jobs_fini(&m->remote);
    asbi_fetches_fini(&m->fetches);
    asbi_json_free(m->json);
    if (m->place)
        m->place->ops->free(m->place);
    for (size_t i = 0; i < ASBI_MEDIA_SIGNATURES; i++) {
        if (m->signatures[i].data)
            explicit_bzero(m->signatures[i].data, m->signatures[i].cap);
        asbi_buf_fini(&m->signatures[i]);
    }
    if (m->key.at)
        explicit_bzero((char *)(uintptr_t)m->key.at, m->key.len);
    asbi_free(&e->mem, (char *)(uintptr_t)m->key.at);
    m->shape = NULL;
}

#include "engine/remote_jobs.h"

#include "engine/base/units.h"
#include "engine/call_hold.h"
#include "engine/engine.h"

enum {
    MOST_ASKING = 8,  /* errands at once */
    WORTH_A_LIST = 3, /* jobs due together */
    MOST_PAGES = 20,  /* of one list */
    ADDRESS_MAX = 8192,
};

/* Those that would be due so soon after the first go with it. */
static const uint64_t together_ns = 2 * ASBI_SECOND;

static struct asbi_remote_job *job_of(struct asbi_heap_node *due)
{
    return ASBI_OF(due, struct asbi_remote_job, due);
}

static double unit(struct asbi_remote_jobs *r)
{
    return asbi_rng_unit(&r->engine->rng);
}

/* ---- jobs come and go ------------------------------------------------- */

void asbi_remote_job_again(struct asbi_remote_job *job, uint64_t hint_ns)
{
    struct asbi_remote_jobs *r = job->set;
    uint64_t now = asbi_now(r->engine->world);
    uint64_t age = now > job->begun_ns ? now - job->begun_ns : 0;
    uint64_t wait =
        asbi_poll_wait(r->policy, job->typical, age, hint_ns, unit(r));
    uint64_t at = asbi_add_ns(now, wait);

    asbi_heap_remove(&r->due, &job->due);
    /* There is room for every job: see asbi_remote_job_add(). */
    (void)asbi_heap_push(&r->due, &job->due,
                         at < job->give_up_ns ? at : job->give_up_ns);
}

void asbi_remote_job_soon(struct asbi_remote_job *job)
{
    struct asbi_remote_jobs *r = job->set;

    if (r && job->due.at)
        asbi_heap_rekey(
            &r->due, &job->due,
            asbi_add_ns(asbi_now(r->engine->world), r->policy->least_ns));
}

int asbi_remote_job_add(struct asbi_remote_jobs *r, struct asbi_remote_job *job)
{
    asbi_str id = asbi_str_c(job->id);

    if (asbi_map_get(&r->by_id, id))
        return ASB_EINVAL;
    if (asbi_heap_reserve(&r->due, asbi_remote_jobs_count(r) + 1) ||
        asbi_map_put(&r->by_id, id, job))
        return ASB_ENOMEM;
    job->set = r;
    asbi_list_append(&r->fresh, &job->link);
    return ASB_OK;
}

static void let_go(struct asbi_remote_jobs *r, struct asbi_errand *errand);

void asbi_remote_job_remove(struct asbi_remote_job *job)
{
    struct asbi_remote_jobs *r = job->set;

    if (!r)
        return;
    asbi_heap_remove(&r->due, &job->due);
    asbi_list_remove(&job->link);
    (void)asbi_map_take(&r->by_id, asbi_str_c(job->id));
    if (job->errand)
        let_go(r, job->errand);
    job->set = NULL;
}

/* All ids are durable: the jobs that were added since may be asked after. */
static void release(struct asbi_remote_jobs *r)
{
    struct asbi_link *link;

    while ((link = asbi_list_pop(&r->fresh))) {
        asbi_list_append(&r->live, link);
        asbi_remote_job_again(ASBI_OF(link, struct asbi_remote_job, link), 0);
    }
}

struct asbi_remote_job *asbi_remote_jobs_seen(struct asbi_remote_jobs *r,
                                              asbi_str id)
{
    struct asbi_remote_job *job = asbi_map_get(&r->by_id, id);

    if (!job)
        return NULL;
    job->sweep = r->sweep;
    return job->due.at && !job->errand ? job : NULL;
}

/* ---- errands ---------------------------------------------------------- */

/* An errand that asks, and whom for. */
struct asking {
    struct asbi_errand errand; /* first */
    struct asbi_link link;     /* in spare or busy */
    struct asbi_remote_jobs *set;
    struct asbi_remote_job *job; /* NULL: it has gone meanwhile */
};

static struct asking *asking_of(struct asbi_errand *errand)
{
    return (struct asking *)(void *)errand;
}

static void let_go(struct asbi_remote_jobs *r, struct asbi_errand *errand)
{
    (void)r;
    asking_of(errand)->job->errand = NULL;
    asking_of(errand)->job = NULL; /* its answer will be nobody's */
}

static bool is_trouble(const struct asbi_errand *errand,
                       const struct asbi_exchange_end *end)
{
    enum asbi_errand_outcome outcome = asbi_errand_outcome(errand, end);

    return outcome == ASBI_ERRAND_LATER || outcome == ASBI_ERRAND_UNKNOWN;
}

/* One wait for what fails together. */
static void back_off(struct asbi_remote_jobs *r,
                     const struct asbi_errand *errand, uint64_t now)
{
    if (now < r->blocked_until_ns)
        return;
    r->troubles++;
    r->blocked_until_ns = asbi_add_ns(
        now, asbi_errand_wait(errand, &asbi_retry_default, r->troubles + 1));
}

static void on_told(struct asbi_errand *errand,
                    const struct asbi_exchange_end *end)
{
    struct asking *a = asking_of(errand);
    struct asbi_remote_jobs *r = a->set;
    struct asbi_remote_job *job = a->job;
    uint64_t now = asbi_now(r->engine->world);
    bool trouble = is_trouble(errand, end);

    if (trouble)
        back_off(r, errand, now);
    else
        r->troubles = 0;
    if (job) {
        job->errand = NULL;
        a->job = NULL;
        if (trouble)
            asbi_remote_job_again(job, 0);
        else
            r->ops->told(job, errand);
    }
    asbi_list_remove(&a->link);
    asbi_list_append(&r->spare, &a->link);
}

static struct asking *asking_new(struct asbi_remote_jobs *r)
{
    struct asbi_link *link = asbi_list_pop(&r->spare);
    struct asking *a;

    if (link)
        return ASBI_OF(link, struct asking, link);
    a = asbi_calloc(&r->engine->mem, 1, sizeof(*a));
    if (!a)
        return NULL;
    asbi_errand_init(&a->errand, r->engine);
    a->errand.done = on_told;
    a->set = r;
    return a;
}

/* False: not now. */
static bool ask(struct asbi_remote_jobs *r, struct asbi_remote_job *job)
{
    struct asking *a = asking_new(r);
    struct asbi_buf address;

    if (!a)
        return false;
    asbi_buf_init(&address, &r->engine->mem, ADDRESS_MAX);
    asbi_errand_clear(&a->errand);
    r->ops->ask(job, &a->errand, &address);
    int rc = asbi_buf_failed(&address)
                 ? ASB_ENOMEM
                 : asbi_errand_send(&a->errand, "GET", asbi_buf_view(&address));
    asbi_buf_fini(&address);
    asbi_list_append(rc ? &r->spare : &r->busy, &a->link);
    if (rc)
        return false;
    asbi_heap_remove(&r->due, &job->due);
    job->errand = &a->errand;
    a->job = job;
    r->polls++;
    return true;
}

/* ---- lists ------------------------------------------------------------ */

/* A job that this list should have shown by now. */
static bool is_missing(const struct asbi_remote_jobs *r,
                       const struct asbi_remote_job *job, uint64_t now)
{
    return !job->alone && job->due.at && job->sweep != r->sweep &&
           job->due.key <= now;
}

static bool any_missing(const struct asbi_remote_jobs *r, uint64_t now)
{
    for (size_t i = 0; i < r->due.count; i++) {
        if (is_missing(r, job_of(r->due.nodes[i]), now))
            return true;
    }
    return false;
}

/* What no page showed is asked after by itself, now. */
static void end_list(struct asbi_remote_jobs *r, bool whole, uint64_t now)
{
    r->listing = false;
    for (size_t i = 0; whole && i < r->due.count; i++) {
        struct asbi_remote_job *job = job_of(r->due.nodes[i]);

        if (is_missing(r, job, now))
            job->alone = true;
    }
}

static bool list_page(struct asbi_remote_jobs *r)
{
    struct asbi_buf address;
    bool sent = false;

    asbi_buf_init(&address, &r->engine->mem, ADDRESS_MAX);
    asbi_errand_clear(&r->list);
    if (r->ops->ask_list(r, asbi_buf_view(&r->last), &r->list, &address))
        sent = !asbi_buf_failed(&address) &&
               asbi_errand_send(&r->list, "GET", asbi_buf_view(&address)) ==
                   ASB_OK;
    asbi_buf_fini(&address);
    r->pages += sent;
    r->lists += sent;
    return sent;
}

static void on_listed(struct asbi_errand *errand,
                      const struct asbi_exchange_end *end)
{
    struct asbi_remote_jobs *r = errand->arg;
    uint64_t now = asbi_now(r->engine->world);
    bool trouble = is_trouble(errand, end);

    if (trouble) {
        back_off(r, errand, now);
        end_list(r, false, now);
        return;
    }
    r->troubles = 0;
    asbi_buf_clear(&r->last);
    if (asbi_errand_outcome(errand, end) == ASBI_ERRAND_DONE)
        r->ops->told_list(r, errand, &r->last);
    if (r->last.len == 0 || r->pages >= MOST_PAGES || !any_missing(r, now) ||
        !list_page(r))
        end_list(r, true, now);
}

static bool begin_list(struct asbi_remote_jobs *r)
{
    r->sweep++;
    r->pages = 0;
    asbi_buf_clear(&r->last);
    r->listing = list_page(r);
    return r->listing;
}

/* How many that a list may show are due about now. */
static size_t due_together(const struct asbi_remote_jobs *r, uint64_t now)
{
    size_t count = 0;

    for (size_t i = 0; i < r->due.count; i++) {
        const struct asbi_remote_job *job = job_of(r->due.nodes[i]);

        count += !job->alone && job->due.key <= asbi_add_ns(now, together_ns);
    }
    return count;
}

/* ---- turns ------------------------------------------------------------ */

static bool may_ask(const struct asbi_remote_jobs *r, uint64_t now)
{
    return r->busy.count < MOST_ASKING && r->blocked_until_ns <= now &&
           !r->listing;
}

void asbi_remote_jobs_turn(struct asbi_remote_jobs *r, uint64_t now)
{
    struct asbi_heap_node *first;

    if (r->fresh.count && asbi_hold_is_durable(r->engine))
        release(r);
    while ((first = asbi_heap_first(&r->due)) && first->key <= now) {
        struct asbi_remote_job *job = job_of(first);

        if (job->give_up_ns <= now) {
            r->ops->late(job);
            continue;
        }
        if (!may_ask(r, now))
            return;
        if (r->ops->ask_list && !job->alone &&
            due_together(r, now) >= WORTH_A_LIST && begin_list(r))
            return;
        if (!ask(r, job)) {
            asbi_remote_job_again(job, 0);
            return;
        }
    }
}

uint64_t asbi_remote_jobs_due(const struct asbi_remote_jobs *r)
{
    struct asbi_heap_node *first = asbi_heap_first(&r->due);

    if (r->fresh.count && asbi_hold_is_durable(r->engine))
        return 0;
    if (!first || r->listing || r->busy.count >= MOST_ASKING)
        return ASBI_NEVER;
    return first->key > r->blocked_until_ns ? first->key : r->blocked_until_ns;
}

/* ---- birth and death -------------------------------------------------- */

void asbi_remote_jobs_init(struct asbi_remote_jobs *r, struct asb_engine *e,
                           const struct asbi_remote_job_ops *ops,
                           const struct asbi_poll_policy *policy)
{
    *r = (struct asbi_remote_jobs){ .engine = e, .ops = ops, .policy = policy };
    asbi_list_init(&r->live);
    asbi_list_init(&r->fresh);
    asbi_list_init(&r->spare);
    asbi_list_init(&r->busy);
    asbi_map_init(&r->by_id, &e->mem, asbi_rng_u64(&e->rng));
    asbi_heap_init(&r->due, &e->mem);
    asbi_buf_init(&r->last, &e->mem, ADDRESS_MAX);
    asbi_errand_init(&r->list, e);
    r->list.done = on_listed;
    r->list.arg = r;
}

void asbi_remote_jobs_fini(struct asbi_remote_jobs *r)
{
    struct asbi_list *lists[] = { &r->spare, &r->busy };
    struct asbi_link *link;

    if (!r->engine)
        return;
    for (size_t i = 0; i < 2; i++) {
        while ((link = asbi_list_pop(lists[i]))) {
            struct asking *a = ASBI_OF(link, struct asking, link);

            asbi_errand_fini(&a->errand);
            asbi_free(&r->engine->mem, a);
        }
    }
    asbi_errand_fini(&r->list);
    asbi_buf_fini(&r->last);
    asbi_map_fini(&r->by_id);
    asbi_heap_fini(&r->due);
}

/* What the provider's answers mean for media jobs. */
#include <stdio.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/engine.h"

static struct asbi_media_job *job_of(struct asbi_remote_job *remote)
{
    return (struct asbi_media_job *)(void *)remote;
}

static struct asbi_media *media_of(struct asbi_remote_jobs *set)
{
    return &set->engine->media;
}

/* ---- what a state means ------------------------------------------------- */

static void on_failed(struct asbi_media_job *job,
                      const struct asbi_media_status *s)
{
    static const struct {
        const char *code, *text;
        bool again;
    } ends[] = {
        [ASBI_MEDIA_FAILED] = { "job_failed", "the provider could not do it",
                                true },
        [ASBI_MEDIA_FILTERED] = { "content_filter",
                                  "the provider's moderation refuses this item",
                                  false },
        [ASBI_MEDIA_CANCELED] = { "job_cancelled",
                                  "the job was cancelled at the provider",
                                  false },
        [ASBI_MEDIA_EXPIRED] = { "job_expired", "the provider gave the job up",
                                 true },
    };
    char message[ASBI_MEDIA_WORDS];

    asbi_media_say(job->engine, job->item, message, ends[s->state].text,
                   s->message.len ? s->message : s->code);
    asbi_media_fail(job, ends[s->state].code, asbi_str_c(message),
                    ends[s->state].again);
}

static void on_done(struct asbi_media_job *job,
                    const struct asbi_media_status *s)
{
    const struct asbi_media_shape *shape = job->engine->media.shape;
    uint64_t now = asbi_now(job->engine->world);

    if (shape->result_apart && !job->fetching_result) {
        job->fetching_result = true;
        job->remote.alone = true;
        asbi_remote_job_again(&job->remote, 0);
        return;
    }
    if (s->asset_count == 0 && !shape->content && !job->remote.alone) {
        job->remote.alone = true; /* the list leaves the result out */
        asbi_remote_job_again(&job->remote, 0);
        return;
    }
    if (!job->paid) {
        asbi_poll_learn(job->remote.typical, now - job->remote.begun_ns);
        asbi_media_pay(job, job->worst, job->worst);
    }
    asbi_remote_job_remove(&job->remote);
    asbi_media_collect_assets(job, s);
}

void asbi_media_told(struct asbi_media_job *job,
                     const struct asbi_media_status *s,
                     const struct asbi_errand *answer)
{
    if (!asbi_media_is_over(s->state))
        asbi_remote_job_again(&job->remote,
                              answer ? asbi_errand_hint(answer) : 0);
    else if (s->state == ASBI_MEDIA_DONE)
        on_done(job, s);
    else
        on_failed(job, s);
}

/* ---- questions and answers ---------------------------------------------- */

static void ask(struct asbi_remote_job *remote, struct asbi_errand *errand,
                struct asbi_buf *address)
{
    struct asbi_media_job *job = job_of(remote);
    struct asb_engine *e = job->engine;

    errand->extra[0] = asbi_media_sign(e);
    errand->extra[1] = NULL;
    asbi_buf_c(address, job->address);
    if (!job->fetching_result)
        asbi_buf_c(address, e->media.shape->poll);
}

/* Nobody knows it (any more), or we may not ask: what became of it, and whether
 * it was paid for, cannot be told. */
static void lose(struct asbi_media_job *job, const char *text, int status)
{
    char message[200];

    (void)snprintf(message, sizeof(message),
                   "%s (status %d); the job may have been paid for", text,
                   status);
    asbi_media_pay(job, 0, job->worst);
    asbi_media_fail(job, "job_lost", asbi_str_c(message), false);
}

static void told(struct asbi_remote_job *remote,
                 const struct asbi_errand *answer)
{
    struct asbi_media_job *job = job_of(remote);
    struct asbi_media *m = media_of(remote->set);
    struct asbi_media_status status;
    int rc = asbi_json_parse(m->json, answer->answer.data, answer->answer.len);

    if (rc == ASB_OK) {
        asbi_media_read(m->shape, job->type, m->json, asbi_json_root(m->json),
                        &status);
        /* A refusal with words that tell of the job's end is such an end. */
        if (answer->status < 300 ||
            (job->fetching_result && asbi_media_is_over(status.state) &&
             status.state != ASBI_MEDIA_DONE)) {
            asbi_media_told(job, &status, answer);
            return;
        }
    }
    if (answer->status == 401 || answer->status == 403)
        asbi_media_leave(job, "no_credentials",
                         ASBI_STR("the provider refuses the key to tell of "
                                  "the job, which may have been paid for"));
    else if (answer->status >= 400)
        lose(job, "the provider does not tell of the job", answer->status);
    else
        asbi_remote_job_again(remote,
                              0); /* half an answer, or not one of its */
}

static void late(struct asbi_remote_job *remote)
{
    struct asbi_media_job *job = job_of(remote);

    asbi_media_pay(job, 0, job->worst);
    asbi_media_fail(job, "job_timeout",
                    ASBI_STR("the job did not end within --job-timeout; it "
                             "may have been paid for"),
                    false);
}

/* ---- lists -------------------------------------------------------------- */

static bool ask_list(struct asbi_remote_jobs *set, asbi_str after,
                     struct asbi_errand *errand, struct asbi_buf *address)
{
    const struct asbi_media_shape *shape = media_of(set)->shape;

    if (!shape->list || (after.len && !shape->list_after))
        return false;
    errand->extra[0] = asbi_media_sign(set->engine);
    errand->extra[1] = NULL;
    asbi_buf_c(address, shape->list);
    if (after.len) {
        asbi_buf_c(address, shape->list_after);
        asbi_buf_str(address, after);
    }
    return true;
}

static void told_list(struct asbi_remote_jobs *set,
                      const struct asbi_errand *answer, struct asbi_buf *last)
{
    struct asbi_media *m = media_of(set);
    const struct asbi_media_shape *shape = m->shape;
    struct asbi_media_status status = { .id = ASBI_STR("") };
    bool more = false;

    if (asbi_json_parse(m->json, answer->answer.data, answer->answer.len))
        return;
    const struct asbi_json_node *root = asbi_json_root(m->json);
    const struct asbi_json_node *items =
        asbi_media_at(m->json, root, shape->list_items);
    const struct asbi_json_node *flag =
        asbi_media_at(m->json, root, shape->list_more);
    const struct asbi_json_node *n =
        items ? asbi_json_child(m->json, items) : NULL;
    for (; n; n = asbi_json_after(m->json, items, n)) {
        asbi_media_read(shape, ASBI_MEDIA_VIDEO, m->json, n, &status);
        struct asbi_remote_job *job = asbi_remote_jobs_seen(set, status.id);

        if (!job)
            continue;
        if (job_of(job)->type != ASBI_MEDIA_VIDEO)
            asbi_media_read(shape, job_of(job)->type, m->json, n, &status);
        asbi_media_told(job_of(job), &status, answer);
    }
    more = flag && flag->type == ASBI_JSON_TRUE;
    if (more && asbi_remote_is_id(status.id))
        asbi_buf_str(last, status.id);
}

const struct asbi_remote_job_ops asbi_media_job_ops = {
    .ask = ask,
    .told = told,
    .late = late,
    .ask_list = ask_list,
    .told_list = told_list,
};

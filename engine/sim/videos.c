/*
 * videos.c -- POST, GET and DELETE /v1/videos: a job that is submitted, polled
 * and fetched, in the shape of OpenAI's video API.
 *
 * The first tenth of its time a video is queued, then in progress.  With the
 * error rate as probability it fails in the end, and costs nothing.
 */
#include <stdio.h>

#include "engine/base/json.h"
#include "engine/base/units.h"
#include "engine/sim/jobs.h"

enum { POLL_AFTER_MS = 200, CONTENT_BYTES = 4096, KEPT_SECONDS = 3600 };
#define PRICE_PER_SECOND (ASBI_USD / 10)

struct video {
    struct asbi_sim_job job; /* first */
    char model[64], size[16];
    uint64_t seconds;
    bool fails;

    /* -- as of the last look */
    const char *status;
    unsigned percent;
    uint64_t completed_s; /* 0: not yet */
};

static struct video *video_of(struct asbi_sim_job *job)
{
    return (struct video *)(void *)job;
}

/* Brings the state up to now. */
static void look(struct asbi_sim_turn *turn, struct video *v)
{
    uint64_t span = asbi_sim_job_span(turn->p);
    uint64_t passed = turn->now_ns - v->job.created_ns;

    if (passed < span) {
        v->status = passed < span / 10 ? "queued" : "in_progress";
        v->percent = (unsigned)((double)passed * 100 / (double)span);
        return;
    }
    v->status = v->fails ? "failed" : "completed";
    v->percent = v->fails ? v->percent : 100;
    v->completed_s = v->job.created_s + span / ASBI_SECOND;
}

static void put_video(const struct asbi_sim_job *job, struct asbi_buf *out)
{
    const struct video *v = (const struct video *)(const void *)job;
    bool failed = v->completed_s && v->fails;

    asbi_buf_fmt(out, "{\"id\":\"%s\",\"object\":\"video\",\"created_at\":%ju,",
                 job->id, (uintmax_t)job->created_s);
    asbi_buf_fmt(out, "\"status\":\"%s\",\"progress\":%u,\"seconds\":\"%ju\",",
                 v->status, v->percent, (uintmax_t)v->seconds);
    asbi_buf_c(out, "\"model\":");
    asbi_json_put_string(out, asbi_str_c(v->model));
    asbi_buf_c(out, ",\"size\":");
    asbi_json_put_string(out, asbi_str_c(v->size));
    if (v->completed_s)
        asbi_buf_fmt(out, ",\"completed_at\":%ju,\"expires_at\":%ju",
                     (uintmax_t)v->completed_s,
                     (uintmax_t)(v->completed_s + KEPT_SECONDS));
    asbi_buf_c(out, failed ? ",\"error\":{\"code\":\"generation_failed\","
                             "\"message\":\"The video could not be made.\"}}"
                           : ",\"error\":null}");
}

static void reply_video(struct asbi_sim_turn *turn, struct video *v)
{
    look(turn, v);
    asbi_sim_call_header(turn->call, "Content-Type", "application/json");
    if (!v->completed_s)
        asbi_sim_call_header(turn->call, "openai-poll-after-ms", "%d",
                             POLL_AFTER_MS);
    put_video(&v->job, &turn->call->body);
}

/* ---- create ----------------------------------------------------------- */

static asbi_str member(struct asbi_sim_turn *turn, const char *key)
{
    struct asbi_json *json = turn->p->json;

    return asbi_json_text(
        json, asbi_json_get(json, asbi_json_root(json), asbi_str_c(key)));
}

/* Copies a member or, without it, the default; false when it is too long. */
static bool take(asbi_str value, const char *fallback, char *to, size_t size)
{
    asbi_str s = value.len ? value : asbi_str_c(fallback);

    if (s.len >= size)
        return false;
    memcpy(to, s.at, s.len);
    to[s.len] = '\0';
    return true;
}

static bool is_size(const char *size)
{
    static const char *const sizes[] = { "720x1280", "1280x720", "1024x1792",
                                         "1792x1024" };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (strcmp(sizes[i], size) == 0)
            return true;
    }
    return false;
}

static int read_video(struct asbi_sim_turn *turn, struct video *v)
{
    asbi_str body = turn->request->body;
    int rc = asbi_json_parse(turn->p->json, body.at, body.len);

    if (rc == ASB_ENOMEM)
        return rc;
    if (rc)
        return asbi_sim_refuse(&turn->problem, 400, NULL, NULL,
                               "We could not parse the JSON body of your "
                               "request.");
    if (member(turn, "prompt").len == 0)
        return asbi_sim_refuse(&turn->problem, 400,
                               "missing_required_parameter", "prompt",
                               "Missing required parameter: 'prompt'.");
    asbi_str seconds = member(turn, "seconds");
    bool known = !seconds.len || asbi_parse_u64(seconds, &v->seconds);
    if (!known || (v->seconds != 4 && v->seconds != 8 && v->seconds != 12))
        return asbi_sim_refuse(&turn->problem, 400, "invalid_value", "seconds",
                               "Invalid value for 'seconds': supported are "
                               "'4', '8' and '12'.");
    if (!take(member(turn, "model"), "sora-2", v->model, sizeof(v->model)) ||
        strncmp(v->model, "missing-", 8) == 0)
        return asbi_sim_refuse(&turn->problem, 404, "model_not_found", "model",
                               "The model does not exist or you do not have "
                               "access to it.");
    if (!take(member(turn, "size"), "720x1280", v->size, sizeof(v->size)) ||
        !is_size(v->size))
        return asbi_sim_refuse(&turn->problem, 400, "invalid_value", "size",
                               "Invalid value for 'size'.");
    return ASB_OK;
}

int asbi_sim_post_video(struct asbi_sim_turn *turn)
{
    struct asbi_sim_provider *p = turn->p;
    struct video request = { .seconds = 4 };
    struct asbi_sim_job *job;

    int rc = read_video(turn, &request);
    if (rc || turn->fault.error_status)
        return rc;
    rc = asbi_sim_job_new(turn, &p->videos, sizeof(request), "video_", &job);
    if (rc)
        return rc;
    request.job = *job;
    request.fails = asbi_sim_chance(&turn->rng, p->options.error_rate);
    *video_of(job) = request;
    asbi_list_append(&p->videos, &job->link);
    if (!request.fails) {
        turn->call->flat_nano_usd = (int64_t)request.seconds * PRICE_PER_SECOND;
        turn->call->percent = 100;
        turn->call->items = 1;
    }
    reply_video(turn, video_of(job));
    return ASB_OK;
}

/* ---- ask -------------------------------------------------------------- */

/* Bytes that begin like an MP4 file and depend on the id alone. */
static int put_content(struct asbi_sim_turn *turn, const struct video *v)
{
    static const char head[] = "\0\0\0\x14"
                               "ftypisom\0\0\0\0isom\0\0\x0f\xec"
                               "mdat";
    struct asbi_buf *out = &turn->call->body;

    if (v->percent < 100)
        return asbi_sim_refuse(&turn->problem, 404, "video_not_ready", "id",
                               "Video is not ready yet, use GET "
                               "/v1/videos/%s to check its status.",
                               v->job.id);
    asbi_sim_call_header(turn->call, "Content-Type", "video/mp4");
    asbi_buf_add(out, head, sizeof(head) - 1);
    while (out->len < CONTENT_BYTES && !out->failed)
        asbi_buf_char(out, v->job.id[out->len % strlen(v->job.id)]);
    return ASB_OK;
}

int asbi_sim_get_video(struct asbi_sim_turn *turn)
{
    struct asbi_sim_job *job =
        asbi_sim_job_of_path(turn, &turn->p->videos, "Video");
    asbi_str verb;

    if (!job)
        return ASB_EINVAL;
    look(turn, video_of(job));
    (void)asbi_sim_job_id(turn, &verb);
    if (asbi_str_eq(verb, ASBI_STR("content")))
        return put_content(turn, video_of(job));
    reply_video(turn, video_of(job));
    return ASB_OK;
}

int asbi_sim_list_videos(struct asbi_sim_turn *turn)
{
    ASBI_LIST_EACH (link, &turn->p->videos)
        look(turn, video_of(ASBI_OF(link, struct asbi_sim_job, link)));
    asbi_sim_put_list(turn, &turn->p->videos, put_video);
    return ASB_OK;
}

int asbi_sim_delete_video(struct asbi_sim_turn *turn)
{
    struct asbi_sim_job *job =
        asbi_sim_job_of_path(turn, &turn->p->videos, "Video");

    if (!job)
        return ASB_EINVAL;
    asbi_sim_put_deleted(turn, job, "video.deleted");
    asbi_list_remove(&job->link);
    asbi_free(turn->p->mem, job);
    return ASB_OK;
}

/*
 * videos.c -- POST, GET and DELETE /v1/videos: a job that is submitted, polled
 * and fetched, in the shape of OpenAI's video API.
 *
 * The first tenth of its time a video is queued, then in progress.  Whether it
 * fails in the end, or is refused by moderation (half of them at once), hangs
 * on its prompt and the seed alone; also, with the error rate as probability,
 * it fails.  Only what is good is billed.  A request with the Idempotency-Key
 * of an earlier one is answered with that one's video.
 */
#include <stdio.h>

#include "engine/base/digest.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/units.h"
#include "engine/sim/multipart.h"
#include "engine/sim/video.h"

enum { POLL_AFTER_MS = 200, CONTENT_BYTES = 4096, KEPT_SECONDS = 3600 };
#define BLOCKED "Your request was blocked by our moderation system."

/* Brings the state up to now. */
static void look(struct asbi_sim_turn *turn, struct asbi_sim_video *v)
{
    uint64_t span = v->span_ns;
    uint64_t passed = turn->now_ns - v->job.created_ns;

    if (passed < span) {
        v->status = passed < span / 10 ? "queued" : "in_progress";
        v->percent = (unsigned)((double)passed * 100 / (double)span);
        return;
    }
    v->status = v->fate ? "failed" : "completed";
    v->percent = v->fate ? v->percent : 100;
    v->completed_s = v->job.created_s + span / ASBI_SECOND;
}

static void put_video(const struct asbi_sim_job *job, struct asbi_buf *out)
{
    const struct asbi_sim_video *v =
        (const struct asbi_sim_video *)(const void *)job;
    bool failed = v->completed_s && v->fate;

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
    if (!failed)
        asbi_buf_c(out, ",\"error\":null}");
    else if (v->fate == ASBI_SIM_VIDEO_REFUSED)
        asbi_buf_c(out, ",\"error\":{\"code\":\"moderation_blocked\","
                        "\"message\":\"" BLOCKED "\"}}");
    else
        asbi_buf_c(out, ",\"error\":{\"code\":\"generation_failed\","
                        "\"message\":\"The video could not be made.\"}}");
}

static void reply_video(struct asbi_sim_turn *turn, struct asbi_sim_video *v)
{
    look(turn, v);
    asbi_sim_call_header(turn->call, "Content-Type", "application/json");
    if (!v->completed_s)
        asbi_sim_call_header(turn->call, "openai-poll-after-ms", "%d",
                             POLL_AFTER_MS);
    put_video(&v->job, &turn->call->body);
}

/* ---- create ----------------------------------------------------------- */

/* A field of the request, which is JSON or a form. */
static asbi_str member(struct asbi_sim_turn *turn, const char *key)
{
    const struct asbi_sim_request *r = turn->request;
    struct asbi_json *json = turn->p->json;
    struct asbi_sim_multipart form;
    struct asbi_sim_part part;

    if (!asbi_sim_multipart_begin(&form, r->content_type, r->body))
        return asbi_json_text(
            json, asbi_json_get(json, asbi_json_root(json), asbi_str_c(key)));
    while (asbi_sim_multipart_next(&form, &part)) {
        if (asbi_str_eq(part.name, asbi_str_c(key)))
            return part.content;
    }
    return asbi_str_of(NULL, 0);
}

/* ASB_OK also for a form, which is read field by field. */
static int read_body(struct asbi_sim_turn *turn)
{
    const struct asbi_sim_request *r = turn->request;
    struct asbi_sim_multipart form;

    if (asbi_sim_multipart_begin(&form, r->content_type, r->body))
        return ASB_OK;
    int rc = asbi_json_parse(turn->p->json, r->body.at, r->body.len);
    if (rc == ASB_ENOMEM || rc == ASB_OK)
        return rc;
    return asbi_sim_refuse(&turn->problem, 400, NULL, NULL,
                           "We could not parse the JSON body of your "
                           "request.");
}

/* Copies a member or, without it, the default; false when it is too long. */
static bool take(asbi_str value, const char *fallback, char *to, size_t size)
{
    asbi_str s = value.len ? value : asbi_str_c(fallback);

    return asbi_str_copy(s, to, size);
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

static int read_video(struct asbi_sim_turn *turn, struct asbi_sim_video *v)
{
    int rc = read_body(turn);

    if (rc)
        return rc;
    if (member(turn, "prompt").len == 0)
        return asbi_sim_refuse(&turn->problem, 400,
                               "missing_required_parameter", "prompt",
                               "Missing required parameter: 'prompt'.");
    asbi_str seconds = member(turn, "seconds");
    bool known = !seconds.len || asbi_parse_u64(seconds, &v->seconds);
    bool usual = v->seconds == 4 || v->seconds == 8 || v->seconds == 12;
    bool any = turn->p->options.any_video;
    if (!any && (!known || !usual))
        return asbi_sim_refuse(&turn->problem, 400, "invalid_value", "seconds",
                               "Invalid value for 'seconds': supported are "
                               "'4', '8' and '12'.");
    if (!take(member(turn, "model"), "sora-2", v->model, sizeof(v->model)) ||
        strncmp(v->model, "missing-", 8) == 0)
        return asbi_sim_refuse(&turn->problem, 404, "model_not_found", "model",
                               "The model does not exist or you do not have "
                               "access to it.");
    if (!take(member(turn, "size"), "720x1280", v->size, sizeof(v->size)) ||
        (!any && !is_size(v->size)))
        return asbi_sim_refuse(&turn->problem, 400, "invalid_value", "size",
                               "Invalid value for 'size'.");
    return ASB_OK;
}

/* What becomes of a prompt: the same each time.  Uniform in [0, 1). */
static double draw_of(const struct asbi_sim_turn *turn, asbi_str prompt,
                      uint64_t what)
{
    uint64_t seed = turn->p->options.seed * 31 + what;

    return (double)(asbi_hash64(prompt.at, prompt.len, seed) >> 11) * 0x1p-53;
}

/* ASB_EINVAL for what moderation refuses at once. */
static int draw_fate(struct asbi_sim_turn *turn, struct asbi_sim_video *v)
{
    const struct asbi_sim_options *o = &turn->p->options;
    asbi_str prompt = member(turn, "prompt");
    double fate = draw_of(turn, prompt, 1);
    uint64_t least = asbi_sim_job_span(turn->p), most = o->job_most_ns;

    v->span_ns = least;
    if (most > least)
        v->span_ns +=
            (uint64_t)(draw_of(turn, prompt, 2) * (double)(most - least));
    if (fate < o->job_refusal_rate / 2)
        return asbi_sim_refuse(&turn->problem, 400, "moderation_blocked",
                               "prompt", BLOCKED);
    if (fate < o->job_refusal_rate)
        v->fate = ASBI_SIM_VIDEO_REFUSED;
    else if (fate < o->job_refusal_rate + o->job_failure_rate ||
             asbi_sim_chance(&turn->rng, o->error_rate))
        v->fate = ASBI_SIM_VIDEO_FAILS;
    return ASB_OK;
}

/* The video of an earlier request with the same key, or NULL. */
static struct asbi_sim_video *made_before(const struct asbi_sim_turn *turn)
{
    asbi_str once = turn->request->once;

    ASBI_LIST_EACH (link, &turn->p->videos) {
        struct asbi_sim_video *v =
            asbi_sim_video_of(ASBI_OF(link, struct asbi_sim_job, link));

        if (once.len && asbi_str_eq(once, asbi_str_c(v->once)))
            return v;
    }
    return NULL;
}

static void bill(struct asbi_sim_turn *turn, const struct asbi_sim_video *v)
{
    turn->call->flat_nano_usd = asbi_sim_video_price(v);
    if (!turn->call->flat_nano_usd)
        return;
    turn->call->percent = 100;
    turn->call->items = 1;
}

int asbi_sim_post_video(struct asbi_sim_turn *turn)
{
    struct asbi_sim_provider *p = turn->p;
    struct asbi_sim_video request = { .seconds = 4 };
    struct asbi_sim_video *v = made_before(turn);
    struct asbi_sim_job *job;

    int rc = v ? ASB_OK : read_video(turn, &request);
    if (rc || turn->fault.error_status)
        return rc;
    if (v) {
        reply_video(turn, v);
        return ASB_OK;
    }
    rc = draw_fate(turn, &request);
    if (!rc &&
        !take(turn->request->once, "", request.once, sizeof(request.once)))
        rc = asbi_sim_refuse(&turn->problem, 400, "invalid_value", NULL,
                             "The Idempotency-Key is too long.");
    if (!rc)
        rc =
            asbi_sim_job_new(turn, &p->videos, sizeof(request), "video_", &job);
    if (rc)
        return rc;
    request.job = *job;
    *asbi_sim_video_of(job) = request;
    asbi_list_append(&p->videos, &job->link);
    asbi_sim_video_keep(p, asbi_sim_video_of(job), false);
    bill(turn, asbi_sim_video_of(job));
    reply_video(turn, asbi_sim_video_of(job));
    return ASB_OK;
}

/* ---- ask -------------------------------------------------------------- */

/* Bytes that begin like an MP4 file and depend on the id alone. */
static void put_bytes(const struct asbi_sim_turn *turn,
                      const struct asbi_sim_video *v, struct asbi_buf *out)
{
    static const char head[] = "\0\0\0\x14"
                               "ftypisom\0\0\0\0isom\0\0\x0f\xec"
                               "mdat";
    uint64_t wanted = turn->p->options.artefact_bytes;
    size_t len = strlen(v->job.id);
    uint64_t state = asbi_hash64(v->job.id, len, 0);

    asbi_buf_add(out, head, sizeof(head) - 1);
    while (out->len < (wanted ? wanted : CONTENT_BYTES) && !out->failed) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        asbi_buf_char(out, (char)(state >> 56));
    }
}

static void put_digest(struct asbi_sim_turn *turn)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const struct asbi_buf *body = &turn->call->body;
    struct asbi_digest *d = asbi_digest_new();
    unsigned char sha[ASBI_DIGEST_BYTES + 1] = { 0 };
    char text[45];
    size_t n = 0;

    if (d && asbi_digest_of(d, body->data, body->len, sha)) {
        for (size_t i = 0; i < 33; i += 3) {
            unsigned bits = (unsigned)sha[i] << 16 | (unsigned)sha[i + 1] << 8;

            bits |= i + 2 < sizeof(sha) ? sha[i + 2] : 0;
            for (int shift = 18; shift >= 0; shift -= 6)
                text[n++] = digits[bits >> shift & 63];
        }
        text[43] = '=';
        text[44] = '\0';
        asbi_sim_call_header(turn->call, "Repr-Digest", "sha-256=:%s:", text);
    }
    asbi_digest_free(d);
}

/* "bytes=100-" alone, as those who go on with a download ask. */
static int put_range(struct asbi_sim_turn *turn)
{
    struct asbi_sim_call *call = turn->call;
    asbi_str range = turn->request->range;
    size_t total = call->body.len;
    uint64_t from = 0;

    asbi_sim_call_header(call, "Accept-Ranges", "bytes");
    if (!asbi_str_starts(range, ASBI_STR("bytes=")) ||
        range.at[range.len - 1] != '-' ||
        !asbi_parse_u64(asbi_str_of(range.at + 6, range.len - 7), &from))
        return ASB_OK;
    if (from >= total) {
        asbi_sim_call_header(call, "Content-Range", "bytes */%zu", total);
        return asbi_sim_refuse(&turn->problem, 416, NULL, NULL,
                               "The range is not satisfiable.");
    }
    asbi_sim_call_header(call, "Content-Range", "bytes %ju-%zu/%zu",
                         (uintmax_t)from, total - 1, total);
    asbi_buf_consume(&call->body, (size_t)from);
    call->status = 206;
    return ASB_OK;
}

static int put_content(struct asbi_sim_turn *turn,
                       const struct asbi_sim_video *v)
{
    if (v->percent < 100)
        return asbi_sim_refuse(&turn->problem, 404, "video_not_ready", "id",
                               "Video is not ready yet, use GET "
                               "/v1/videos/%s to check its status.",
                               v->job.id);
    put_bytes(turn, v, &turn->call->body);
    if (asbi_buf_failed(&turn->call->body))
        return ASB_ENOMEM;
    asbi_sim_call_header(turn->call, "Content-Type", "video/mp4");
    put_digest(turn);
    turn->fault.disconnect =
        asbi_sim_chance(&turn->rng, turn->p->options.disconnect_rate);
    turn->fault.where = asbi_rng_unit(&turn->rng);
    return put_range(turn);
}

int asbi_sim_get_video(struct asbi_sim_turn *turn)
{
    struct asbi_sim_job *job =
        asbi_sim_job_of_path(turn, &turn->p->videos, "Video");
    asbi_str verb;

    if (!job)
        return ASB_EINVAL;
    look(turn, asbi_sim_video_of(job));
    (void)asbi_sim_job_id(turn, &verb);
    if (asbi_str_eq(verb, ASBI_STR("content")))
        return put_content(turn, asbi_sim_video_of(job));
    reply_video(turn, asbi_sim_video_of(job));
    return ASB_OK;
}

int asbi_sim_list_videos(struct asbi_sim_turn *turn)
{
    ASBI_LIST_EACH (link, &turn->p->videos)
        look(turn, asbi_sim_video_of(ASBI_OF(link, struct asbi_sim_job, link)));
    asbi_sim_put_list(turn, &turn->p->videos, put_video);
    return ASB_OK;
}

int asbi_sim_delete_video(struct asbi_sim_turn *turn)
{
    struct asbi_sim_job *job =
        asbi_sim_job_of_path(turn, &turn->p->videos, "Video");

    if (!job)
        return ASB_EINVAL;
    asbi_sim_video_keep(turn->p, asbi_sim_video_of(job), true);
    asbi_sim_put_deleted(turn, job, "video.deleted");
    asbi_list_remove(&job->link);
    asbi_free(turn->p->mem, job);
    return ASB_OK;
}

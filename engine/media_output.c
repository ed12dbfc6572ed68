/* What a job made: fetched one after the other, or left where it is; then told
 * as the item's answer, a JSON object. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/engine.h"

enum { ANSWER_MAX = 256 * 1024, NAME_BYTES = 120 };

void asbi_media_assets_free(struct asbi_media_job *job)
{
    const struct asbi_mem *mem = &job->engine->mem;

    asbi_fetch_free(job->fetch);
    job->fetch = NULL;
    for (size_t i = 0; i < job->asset_count; i++) {
        asbi_free(mem, job->assets[i].url);
        asbi_free(mem, job->assets[i].path);
        asbi_free(mem, job->assets[i].type);
    }
    job->asset_count = job->fetched = 0;
}

/* ---- the answer --------------------------------------------------------- */

/* RFC 3339, in UTC. */
static void put_time(uint64_t seconds, struct asbi_buf *out)
{
    time_t at = (time_t)seconds;
    struct tm tm;

    if (!gmtime_r(&at, &tm) || tm.tm_year > 8099) {
        asbi_buf_c(out, "null");
        return;
    }
    asbi_buf_fmt(out, "\"%04d-%02d-%02dT%02d:%02d:%02dZ\"", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void put_member(struct asbi_buf *out, const char *key, const char *text)
{
    if (!text || !text[0])
        return;
    asbi_json_put_key(out, key);
    asbi_json_put_string(out, asbi_str_c(text));
}

/* What was fetched needs no address; one below the base URL is told whole. */
static void put_asset(const struct asbi_media_job *job,
                      const struct asbi_media_asset *a, struct asbi_buf *out)
{
    static const char *const checks[] = { "nothing", "size", "sha256" };
    const struct asbi_lane *lane = job->engine->lane;

    asbi_buf_char(out, '{');
    if (a->path) {
        put_member(out, "path", a->path);
        asbi_json_put_key(out, "bytes");
        asbi_buf_u64(out, a->bytes);
        put_member(out, "sha256", a->sha256);
        put_member(out, "type", a->type);
        put_member(out, "checked", checks[a->check]);
    } else {
        asbi_json_put_key(out, "url");
        asbi_buf_char(out, '"');
        if (a->url[0] == '/')
            asbi_json_put_escaped(out, asbi_str_c(lane->base_url));
        asbi_json_put_escaped(out, asbi_str_c(a->url));
        asbi_buf_char(out, '"');
    }
    asbi_buf_char(out, '}');
}

static void put_answer(const struct asbi_media_job *job, struct asbi_buf *out)
{
    const struct asb_engine *e = job->engine;

    asbi_buf_char(out, '{');
    put_member(out, "job", job->remote.id);
    put_member(out, "provider", e->config->provider);
    asbi_buf_c(out, ",\"assets\":[");
    for (size_t i = 0; i < job->asset_count; i++) {
        if (i)
            asbi_buf_char(out, ',');
        put_asset(job, &job->assets[i], out);
    }
    asbi_buf_c(out, "],\"expires_at\":");
    if (job->expires_s)
        put_time(job->expires_s, out);
    else
        asbi_buf_c(out, "null");
    asbi_buf_char(out, '}');
}

static void answer(struct asbi_media_job *job)
{
    struct asb_engine *e = job->engine;
    struct asbi_buf text;

    asbi_buf_init(&text, &e->mem, ANSWER_MAX);
    put_answer(job, &text);
    char *output = asbi_buf_failed(&text)
                       ? NULL
                       : asbi_strndup(&e->mem, text.data, text.len);
    size_t len = text.len;
    asbi_buf_fini(&text);
    if (output)
        asbi_media_answer(job, output, len);
    else
        asbi_media_leave(job, "artefact_not_fetched",
                         ASBI_STR("there was no memory for the answer"));
}

/* ---- fetching ----------------------------------------------------------- */

static bool is_kept(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* The id as a file's name; one that had to be changed gets a few digits of its
 * hash, so that no two become one.  A dot is in no such name: what follows it
 * cannot make one id's second artefact another id's first. */
void asbi_media_put_name(asbi_str id, size_t index, struct asbi_buf *name)
{
    bool same = id.len > 0 && id.len <= NAME_BYTES;

    for (size_t i = 0; i < id.len && i < NAME_BYTES; i++) {
        bool kept = is_kept(id.at[i]);

        asbi_buf_char(name, kept ? id.at[i] : '_');
        same = same && kept;
    }
    if (!same)
        asbi_buf_fmt(name, "-%08x",
                     (unsigned)(asbi_hash64(id.len ? id.at : "", id.len, 0)));
    if (index)
        asbi_buf_fmt(name, ".%zu", index + 1);
}

static void fetch_next(struct asbi_media_job *job);

static bool keep(struct asbi_media_job *job, const struct asbi_fetched *f)
{
    const struct asbi_mem *mem = &job->engine->mem;
    struct asbi_media_asset *a = &job->assets[job->fetched];

    a->path = asbi_strndup(mem, f->path, strlen(f->path));
    a->type = asbi_strndup(mem, f->type, strlen(f->type));
    a->bytes = f->bytes;
    a->check = f->check;
    memcpy(a->sha256, f->sha256, sizeof(a->sha256));
    return a->path && a->type;
}

/* Addresses grow old; the provider gives new ones for the asking. */
static bool ask_anew(struct asbi_media_job *job)
{
    if (job->refreshed || job->engine->media.shape->content)
        return false;
    job->refreshed = true;
    job->remote.alone = true;
    asbi_media_assets_free(job);
    return asbi_remote_job_add(&job->engine->media.remote, &job->remote) ==
           ASB_OK;
}

static void on_fetched(void *arg, const struct asbi_fetched *f)
{
    struct asbi_media_job *job = arg;
    char why[160];

    if (f->outcome == ASBI_FETCHED) {
        bool kept = keep(job, f);

        asbi_fetch_free(job->fetch);
        job->fetch = NULL;
        if (!kept) {
            asbi_media_leave(job, "artefact_not_fetched",
                             ASBI_STR("there was no memory"));
            return;
        }
        if (++job->fetched == job->asset_count)
            answer(job);
        else
            fetch_next(job);
        return;
    }
    if (f->outcome == ASBI_FETCH_GONE && ask_anew(job))
        return;
    (void)snprintf(why, sizeof(why),
                   "the job is done and paid for, but its artefact could not "
                   "be fetched: %.80s",
                   f->why);
    asbi_media_leave(job, "artefact_not_fetched", asbi_str_c(why));
}

/* What a host has not named is named by the provider. */
static asbi_str name_of(const struct asbi_media_job *job)
{
    return job->item && job->item->id.len ? job->item->id
                                          : asbi_str_c(job->remote.id);
}

static void fetch_next(struct asbi_media_job *job)
{
    struct asb_engine *e = job->engine;
    struct asbi_buf name;

    asbi_buf_init(&name, &e->mem, 2 * NAME_BYTES);
    asbi_media_put_name(name_of(job), job->fetched, &name);
    if (!asbi_buf_failed(&name))
        job->fetch = asbi_fetch_new(
            &e->media.fetches, asbi_str_c(job->assets[job->fetched].url),
            asbi_buf_view(&name), asbi_str_c(job->remote.id), on_fetched, job);
    asbi_buf_fini(&name);
    if (!job->fetch)
        asbi_media_leave(job, "artefact_not_fetched",
                         ASBI_STR("there was no memory"));
}

/* ---- done --------------------------------------------------------------- */

static bool add_asset(struct asbi_media_job *job, asbi_str url)
{
    const struct asbi_mem *mem = &job->engine->mem;
    struct asbi_media_asset *a = &job->assets[job->asset_count];

    *a = (struct asbi_media_asset){ .url = asbi_strndup(mem, url.at, url.len) };
    job->asset_count += a->url != NULL;
    return a->url != NULL;
}

/* Where the artefact has no address of its own, it is below the job's. */
static bool add_content(struct asbi_media_job *job, const char *content)
{
    struct asbi_buf url;

    asbi_buf_init(&url, &job->engine->mem, 2 * ASBI_MEDIA_URL_MAX);
    asbi_buf_c(&url, job->address);
    asbi_buf_c(&url, content);
    bool added = !asbi_buf_failed(&url) && add_asset(job, asbi_buf_view(&url));
    asbi_buf_fini(&url);
    return added;
}

void asbi_media_collect_assets(struct asbi_media_job *job,
                               const struct asbi_media_status *s)
{
    const struct asb_engine *e = job->engine;
    const struct asbi_media_shape *shape = e->media.shape;
    bool added = true;

    asbi_media_book(job);
    job->expires_s = s->expires_s;
    if (!job->expires_s && shape->lifetime_s)
        job->expires_s = asbi_wall_ms(e->world) / 1000 + shape->lifetime_s;
    if (shape->content)
        added = add_content(job, shape->content);
    for (size_t i = 0; added && i < s->asset_count; i++)
        added = add_asset(job, s->assets[i]);
    if (!added)
        asbi_media_leave(job, "artefact_not_fetched",
                         ASBI_STR("there was no memory"));
    else if (job->asset_count == 0)
        asbi_media_leave(job, "artefact_not_fetched",
                         ASBI_STR("the job is done and paid for, but the "
                                  "provider tells of no artefact"));
    else if (e->media.place)
        fetch_next(job);
    else
        answer(job);
}

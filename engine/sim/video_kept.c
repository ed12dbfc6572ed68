/* Videos as lines of JSON: told when they come and go, read at a restart. */
#include "engine/base/json.h"
#include "engine/base/units.h"
#include "engine/sim/video.h"

enum { LINE_MAX = 4096 };

static const char *const fates[] = { "good", "fails", "refused" };

void asbi_sim_video_keep(struct asbi_sim_provider *p,
                         const struct asbi_sim_video *v, bool deleted)
{
    struct asbi_buf line;

    if (!p->options.keep)
        return;
    asbi_buf_init(&line, p->mem, LINE_MAX);
    asbi_buf_fmt(&line, "{\"id\":\"%s\",\"deleted\":%s", v->job.id,
                 deleted ? "true" : "false");
    asbi_buf_fmt(&line, ",\"taken\":%ju", (uintmax_t)p->taken);
    asbi_buf_fmt(&line, ",\"created_at\":%ju,\"seconds\":%ju,\"span_ms\":%ju",
                 (uintmax_t)v->job.created_s, (uintmax_t)v->seconds,
                 (uintmax_t)(v->span_ns / ASBI_MS));
    asbi_buf_fmt(&line,
                 ",\"fate\":\"%s\",\"size\":\"%s\",\"model\":", fates[v->fate],
                 v->size);
    asbi_json_put_string(&line, asbi_str_c(v->model));
    asbi_json_put_key(&line, "once");
    asbi_json_put_string(&line, asbi_str_c(v->once));
    asbi_buf_char(&line, '}');
    if (!asbi_buf_failed(&line))
        p->options.keep(p->options.keep_arg, asbi_buf_view(&line));
    asbi_buf_fini(&line);
}

/* ---- back again ------------------------------------------------------- */

static asbi_str text(struct asbi_json *json, const char *key)
{
    asbi_str s = asbi_json_text(
        json, asbi_json_get(json, asbi_json_root(json), asbi_str_c(key)));

    return s.at ? s : ASBI_STR("");
}

static uint64_t number(struct asbi_json *json, const char *key)
{
    uint64_t n = 0;

    (void)asbi_json_u64(
        asbi_json_get(json, asbi_json_root(json), asbi_str_c(key)), &n);
    return n;
}

static bool read_video(struct asbi_json *json, struct asbi_sim_video *v)
{
    asbi_str fate = text(json, "fate");

    v->job.created_s = number(json, "created_at");
    v->seconds = number(json, "seconds");
    v->span_ns = number(json, "span_ms") * ASBI_MS;
    for (int i = 0; i < 3; i++) {
        if (asbi_str_eq(fate, asbi_str_c(fates[i])))
            v->fate = (enum asbi_sim_fate)i;
    }
    return asbi_str_copy(text(json, "id"), v->job.id, sizeof(v->job.id)) &&
           asbi_str_copy(text(json, "size"), v->size, sizeof(v->size)) &&
           asbi_str_copy(text(json, "model"), v->model, sizeof(v->model)) &&
           asbi_str_copy(text(json, "once"), v->once, sizeof(v->once)) &&
           v->job.id[0];
}

static void forget(struct asbi_sim_provider *p, const struct asbi_sim_video *v)
{
    struct asbi_sim_job *job =
        asbi_sim_job_find(&p->videos, asbi_str_c(v->job.id));

    if (!job)
        return;
    asbi_list_remove(&job->link);
    asbi_free(p->mem, job);
}

int asbi_sim_provider_restore(struct asbi_sim_provider *p, asbi_str line,
                              uint64_t now_ns, uint64_t wall_s)
{
    struct asbi_sim_video read = { .seconds = 0 };

    int rc = asbi_json_parse(p->json, line.at, line.len);
    if (rc == ASB_ENOMEM)
        return rc;
    if (rc || !read_video(p->json, &read))
        return ASB_OK;
    const struct asbi_json_node *deleted =
        asbi_json_get(p->json, asbi_json_root(p->json), ASBI_STR("deleted"));
    if (deleted && deleted->type == ASBI_JSON_TRUE) {
        forget(p, &read);
        return ASB_OK;
    }
    if (p->videos.count >= ASBI_SIM_MAX_JOBS)
        return ASB_OK;
    struct asbi_sim_video *v = asbi_calloc(p->mem, 1, sizeof(*v));
    if (!v)
        return ASB_ENOMEM;
    *v = read;
    /* Clocks start anew with a machine: differences of them do not. */
    v->job.created_ns = now_ns - (wall_s - v->job.created_s) * ASBI_SECOND;
    asbi_list_append(&p->videos, &v->job.link);
    p->stats.billed_nano_usd += asbi_sim_video_price(v);
    /* Draws go on where they were, so that ids stay unique. */
    if (p->taken <= number(p->json, "taken"))
        p->taken = number(p->json, "taken") + 1;
    return ASB_OK;
}

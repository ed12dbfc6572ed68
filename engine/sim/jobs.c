#include "engine/sim/jobs.h"

#include "engine/base/json.h"
#include "engine/base/units.h"

enum { LIST_LIMIT = 20 };
#define SPAN (2 * ASBI_SECOND)

int asbi_sim_jobs_init(struct asbi_sim_provider *p)
{
    asbi_list_init(&p->files);
    asbi_list_init(&p->batches);
    asbi_list_init(&p->videos);
    p->json = asbi_json_new(p->mem, ASBI_SIM_MAX_BODY);
    return p->json ? ASB_OK : ASB_ENOMEM;
}

void asbi_sim_jobs_fini(struct asbi_sim_provider *p)
{
    struct asbi_link *link;

    while ((link = asbi_list_pop(&p->files)))
        asbi_sim_file_free(p, (struct asbi_sim_file *)(void *)ASBI_OF(
                                  link, struct asbi_sim_job, link));
    while ((link = asbi_list_pop(&p->batches)))
        asbi_sim_batch_free(p, ASBI_OF(link, struct asbi_sim_job, link));
    while ((link = asbi_list_pop(&p->videos)))
        asbi_free(p->mem, ASBI_OF(link, struct asbi_sim_job, link));
    asbi_json_free(p->json);
}

int asbi_sim_job_new(struct asbi_sim_turn *turn, const struct asbi_list *list,
                     size_t size, const char *prefix, struct asbi_sim_job **out)
{
    if (list->count >= ASBI_SIM_MAX_JOBS)
        return asbi_sim_refuse(&turn->problem, 429, "too_many_objects", NULL,
                               "The simulator keeps no more than %d of these. "
                               "Delete some or start it anew.",
                               ASBI_SIM_MAX_JOBS);
    struct asbi_sim_job *job = asbi_calloc(turn->p->mem, 1, size);
    if (!job)
        return ASB_ENOMEM;
    asbi_sim_make_id(turn, prefix, job->id);
    job->created_s = turn->request->wall_s;
    job->created_ns = turn->now_ns;
    *out = job;
    return ASB_OK;
}

struct asbi_sim_job *asbi_sim_job_find(const struct asbi_list *list,
                                       asbi_str id)
{
    ASBI_LIST_EACH (link, list) {
        struct asbi_sim_job *job = ASBI_OF(link, struct asbi_sim_job, link);

        if (asbi_str_eq(asbi_str_c(job->id), id))
            return job;
    }
    return NULL;
}

asbi_str asbi_sim_job_id(const struct asbi_sim_turn *turn, asbi_str *verb)
{
    asbi_str id = turn->rest;
    const char *slash = memchr(id.at, '/', id.len);

    *verb = ASBI_STR("");
    if (!slash)
        return id;
    size_t len = (size_t)(slash - id.at);
    *verb = asbi_str_of(slash + 1, id.len - len - 1);
    return asbi_str_of(id.at, len);
}

struct asbi_sim_job *asbi_sim_job_of_path(struct asbi_sim_turn *turn,
                                          const struct asbi_list *list,
                                          const char *what)
{
    asbi_str verb;
    asbi_str id = asbi_sim_job_id(turn, &verb);
    struct asbi_sim_job *job = asbi_sim_job_find(list, id);

    if (!job)
        (void)asbi_sim_refuse(&turn->problem, 404, NULL, "id",
                              "No such %s object: %.*s", what,
                              id.len < 60 ? (int)id.len : 60, id.at);
    return job;
}

uint64_t asbi_sim_job_span(const struct asbi_sim_provider *p)
{
    return p->options.job_ns ? p->options.job_ns : SPAN;
}

/* A parameter of the query, or empty. */
static asbi_str query(const struct asbi_sim_turn *turn, asbi_str key)
{
    asbi_str path = turn->request->path;
    const char *mark = memchr(path.at, '?', path.len);

    while (mark) {
        asbi_str rest =
            asbi_str_of(mark + 1, path.len - (size_t)(mark + 1 - path.at));
        mark = memchr(rest.at, '&', rest.len);
        if (mark)
            rest.len = (size_t)(mark - rest.at);
        if (asbi_str_starts(rest, key) && rest.len > key.len &&
            rest.at[key.len] == '=')
            return asbi_str_of(rest.at + key.len + 1, rest.len - key.len - 1);
    }
    return ASBI_STR("");
}

void asbi_sim_put_list(struct asbi_sim_turn *turn, const struct asbi_list *list,
                       void (*put)(const struct asbi_sim_job *job,
                                   struct asbi_buf *out))
{
    struct asbi_buf *out = &turn->call->body;
    asbi_str after = query(turn, ASBI_STR("after"));
    uint64_t limit = LIST_LIMIT, written = 0;
    bool behind = after.len == 0, more = false;

    (void)asbi_parse_u64(query(turn, ASBI_STR("limit")), &limit);
    asbi_sim_call_header(turn->call, "Content-Type", "application/json");
    asbi_buf_c(out, "{\"object\":\"list\",\"data\":[");
    for (const struct asbi_link *l = list->head.prev; l != &list->head && !more;
         l = l->prev) {
        const struct asbi_sim_job *job = ASBI_OF(l, struct asbi_sim_job, link);

        more = behind && written == limit;
        if (behind && !more) {
            if (written++)
                asbi_buf_char(out, ',');
            put(job, out);
        }
        behind = behind || asbi_str_eq(asbi_str_c(job->id), after);
    }
    asbi_buf_fmt(out, "],\"has_more\":%s}\n", more ? "true" : "false");
}

void asbi_sim_put_deleted(struct asbi_sim_turn *turn,
                          const struct asbi_sim_job *job, const char *object)
{
    asbi_sim_call_header(turn->call, "Content-Type", "application/json");
    asbi_buf_fmt(&turn->call->body,
                 "{\"id\":\"%s\",\"object\":\"%s\",\"deleted\":true}\n",
                 job->id, object);
}

#include "engine/sim/batch_lines.h"

#include "engine/base/json.h"
#include "engine/base/map.h"
#include "engine/sim/reply.h"

enum { PERCENT = 50 };

static const struct asbi_json_node *member(struct asbi_sim_provider *p,
                                           const char *key)
{
    return asbi_json_get(p->json, asbi_json_root(p->json), asbi_str_c(key));
}

/* ---- checking --------------------------------------------------------- */

/* NULL, or what is wrong with the line just parsed. */
static const char *fault_of_line(struct asbi_sim_provider *p, asbi_str endpoint)
{
    const struct asbi_json_node *body = member(p, "body");

    if (asbi_json_text(p->json, member(p, "custom_id")).len == 0)
        return "missing_custom_id";
    if (!asbi_str_eq(asbi_json_text(p->json, member(p, "method")),
                     ASBI_STR("POST")))
        return "invalid_method";
    if (!asbi_str_eq(asbi_json_text(p->json, member(p, "url")), endpoint))
        return "mismatched_endpoint";
    return body && body->type == ASBI_JSON_OBJECT ? NULL : "missing_body";
}

/* The id as it is written in the file, where it stays put. */
static asbi_str id_in_file(struct asbi_sim_provider *p, asbi_str line)
{
    const struct asbi_json_node *root = asbi_json_root(p->json);
    asbi_str id = member(p, "custom_id")->raw;

    return asbi_str_of(line.at + (id.at - root->raw.at), id.len);
}

static const char *check_line(struct asbi_sim_provider *p, asbi_str line,
                              asbi_str endpoint, struct asbi_map *ids)
{
    int rc = asbi_json_parse(p->json, line.at, line.len);

    if (rc)
        return rc == ASB_ENOMEM ? "server_error" : "invalid_json_line";
    const char *code = fault_of_line(p, endpoint);
    if (code)
        return code;
    asbi_str id = id_in_file(p, line);
    if (asbi_map_get(ids, id))
        return "duplicate_custom_id";
    return asbi_map_put(ids, id, p) ? "server_error" : NULL;
}

size_t asbi_sim_batch_check(struct asbi_sim_provider *p, asbi_str file,
                            asbi_str endpoint, asbi_str *lines,
                            struct asbi_sim_batch_fault *fault)
{
    struct asbi_map ids;
    uint64_t number = 0;
    size_t count = 0;

    *fault = (struct asbi_sim_batch_fault){ 0 };
    asbi_map_init(&ids, p->mem, p->options.seed);
    while (file.len && !fault->code) {
        asbi_str line = asbi_str_trim(asbi_str_take_line(&file));

        number++;
        if (line.len == 0)
            continue;
        fault->code = count == ASBI_SIM_MAX_BATCH_LINES
                          ? "too_many_requests"
                          : check_line(p, line, endpoint, &ids);
        fault->message = "This line is no request that the batch can run.";
        fault->line = number;
        if (!fault->code)
            lines[count++] = line;
    }
    asbi_map_fini(&ids);
    if (count == 0 && !fault->code)
        *fault = (struct asbi_sim_batch_fault){
            "empty_file", "The input file has no requests.", 0
        };
    return count;
}

/* ---- answering -------------------------------------------------------- */

static void put_head(struct asbi_rng *rng, asbi_str custom_id,
                     struct asbi_buf *out)
{
    asbi_buf_fmt(out, "{\"id\":\"batch_req_%016jx\",\"custom_id\":",
                 (uintmax_t)asbi_rng_u64(rng));
    asbi_buf_str(out, custom_id);
}

static void put_response(struct asbi_rng *rng, int status, asbi_str body,
                         struct asbi_buf *out)
{
    asbi_buf_fmt(out,
                 ",\"response\":{\"status_code\":%d,\"request_id\":"
                 "\"req_%016jx\",\"body\":",
                 status, (uintmax_t)asbi_rng_u64(rng));
    asbi_buf_str(out, body);
    asbi_buf_c(out, "},\"error\":null}\n");
}

/* One request as an endpoint would see it, with room for its answer. */
struct work {
    struct asbi_sim_provider *p;
    struct asbi_rng *rng;
    uint64_t wall_s;
    asbi_str request;
    struct asbi_sim_fault fault;
    struct asbi_sim_problem problem;
    struct asbi_buf body;
    struct asbi_sim_usage usage;
    struct asbi_sim_model model;
    uint64_t items, dropped;
};

static int run_chat(struct work *w)
{
    struct asbi_sim_chat *c = &w->p->chat;
    struct asbi_sim_stamp stamp = { .id = "chatcmpl-batch",
                                    .created = w->wall_s };
    int rc = asbi_sim_chat_read(c, w->request, &w->problem);

    if (rc || w->fault.error_status)
        return rc;
    asbi_sim_model_facts(&w->p->options, c->model, &w->model);
    rc = asbi_sim_chat_answer(c, &w->fault, w->rng,
                              asbi_sim_most_output(c, &w->model));
    if (rc)
        return rc;
    w->usage.input = c->prompt_tokens;
    w->usage.output = c->output_tokens;
    w->items = c->item_count;
    w->dropped = c->dropped;
    stamp.usage = w->usage;
    asbi_sim_put_completion(c, &stamp, &w->body);
    return ASB_OK;
}

static int run_embeddings(struct work *w)
{
    struct asbi_sim_embed *e = &w->p->embed;
    int rc = asbi_sim_embed_read(e, w->request, &w->problem);

    if (rc || w->fault.error_status)
        return rc;
    asbi_sim_model_facts(&w->p->options, e->model, &w->model);
    w->usage.input = e->tokens;
    w->items = e->count;
    asbi_sim_put_embeddings(e, &w->body);
    return ASB_OK;
}

/* ASB_OK with the answer in w->body, ASB_EINVAL with the refusal there. */
static int run(struct work *w, asbi_str url)
{
    int rc = asbi_str_eq(url, ASBI_STR("/v1/embeddings")) ? run_embeddings(w)
                                                          : run_chat(w);

    if (!rc && w->fault.error_status) {
        rc = asbi_sim_refuse(&w->problem, 500, NULL, NULL,
                             "The server had an error while processing your "
                             "request. Sorry about that!");
        w->problem.type = "server_error";
    }
    if (rc == ASB_EINVAL) {
        asbi_buf_clear(&w->body);
        asbi_sim_put_problem(&w->problem, &w->body);
    }
    return w->body.failed ? ASB_ENOMEM : rc;
}

static void account(struct work *w)
{
    struct asbi_sim_stats *s = &w->p->stats;

    s->items += w->items;
    s->dropped += w->dropped;
    asbi_sim_stats_bill(s, &w->usage, &w->model, PERCENT);
}

int asbi_sim_batch_answer(struct asbi_sim_provider *p, struct asbi_rng *rng,
                          asbi_str line, uint64_t wall_s,
                          struct asbi_buf *output, struct asbi_buf *errors,
                          struct asbi_sim_batch_outcome *outcome)
{
    struct work w = { .p = p, .rng = rng, .wall_s = wall_s };

    if (asbi_json_parse(p->json, line.at, line.len) != ASB_OK)
        return ASB_ENOMEM; /* it was checked, so nothing else can be */
    w.request = member(p, "body")->raw;
    w.fault = asbi_sim_fault_draw(&p->options, rng);
    asbi_buf_init(&w.body, p->mem, SIZE_MAX / 2);
    asbi_str custom_id = member(p, "custom_id")->raw;
    int rc = run(&w, asbi_json_text(p->json, member(p, "url")));
    *outcome = (struct asbi_sim_batch_outcome){ rc != ASB_OK, w.usage };
    if (rc != ASB_ENOMEM) {
        struct asbi_buf *out = rc ? errors : output;

        put_head(rng, custom_id, out);
        put_response(rng, rc ? w.problem.status : 200, asbi_buf_view(&w.body),
                     out);
        p->stats.batch_lines++;
        if (!rc)
            account(&w);
        rc = ASB_OK;
    }
    asbi_buf_fini(&w.body);
    return output->failed || errors->failed ? ASB_ENOMEM : rc;
}

void asbi_sim_batch_skip(struct asbi_sim_provider *p, struct asbi_rng *rng,
                         asbi_str line, const char *why,
                         struct asbi_buf *errors)
{
    if (asbi_json_parse(p->json, line.at, line.len) != ASB_OK)
        return;
    put_head(rng, member(p, "custom_id")->raw, errors);
    asbi_buf_fmt(errors,
                 ",\"response\":null,\"error\":{\"code\":\"batch_%s\","
                 "\"message\":\"This request was not executed before the "
                 "batch was %s.\"}}\n",
                 why, why);
}

uint64_t asbi_sim_batch_tokens(struct asbi_sim_provider *p, asbi_str line)
{
    struct asbi_sim_problem problem;

    if (asbi_json_parse(p->json, line.at, line.len) != ASB_OK)
        return 0;
    asbi_str body = member(p, "body")->raw;
    if (!asbi_str_eq(asbi_json_text(p->json, member(p, "url")),
                     ASBI_STR("/v1/embeddings")))
        return asbi_sim_chat_read(&p->chat, body, &problem)
                   ? 0
                   : p->chat.prompt_tokens;
    return asbi_sim_embed_read(&p->embed, body, &problem) ? 0 : p->embed.tokens;
}

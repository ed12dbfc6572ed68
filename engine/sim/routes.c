/*
 * routes.c -- which endpoint serves which path, and the endpoints themselves
 * as far as they fit in a few lines.
 */
#include "engine/sim/state.h"

#include <assert.h>
#include <stdio.h>

#include "engine/base/json.h"
#include "engine/sim/reply.h"

void asbi_sim_make_id(struct asbi_sim_turn *turn, const char *prefix,
                      char out[40])
{
    (void)snprintf(out, 40, "%s%016jx", prefix,
                   (uintmax_t)asbi_rng_u64(&turn->rng));
}

static int get_stats(struct asbi_sim_turn *turn)
{
    asbi_sim_call_header(turn->call, "Content-Type", "application/json");
    asbi_sim_stats_put(&turn->p->stats, &turn->call->body);
    return ASB_OK;
}

static int get_models(struct asbi_sim_turn *turn)
{
    asbi_sim_call_header(turn->call, "Content-Type", "application/json");
    asbi_buf_c(&turn->call->body,
               "{\"object\":\"list\",\"data\":[{\"id\":\"sim-1\",\"object\":"
               "\"model\",\"created\":1700000000,\"owned_by\":"
               "\"simulator\"}]}\n");
    return ASB_OK;
}

static int get_model(struct asbi_sim_turn *turn)
{
    struct asbi_buf *out = &turn->call->body;

    if (asbi_str_starts(turn->rest, ASBI_STR("missing-")))
        return asbi_sim_refuse(&turn->problem, 404, "model_not_found", "model",
                               "The model '%.*s' does not exist",
                               turn->rest.len < 100 ? (int)turn->rest.len : 100,
                               turn->rest.at);
    asbi_sim_call_header(turn->call, "Content-Type", "application/json");
    asbi_buf_c(out, "{\"id\":");
    asbi_json_put_string(out, turn->rest);
    asbi_buf_c(out, ",\"object\":\"model\",\"created\":1700000000,"
                    "\"owned_by\":\"simulator\"}\n");
    return ASB_OK;
}

/* ---- chat ------------------------------------------------------------- */

static int check_context(struct asbi_sim_turn *turn)
{
    const struct asbi_sim_chat *c = &turn->p->chat;
    uint64_t context = turn->call->model.context_tokens;
    uint64_t output = c->max_tokens == UINT64_MAX ? 0 : c->max_tokens;

    if (context == 0 || c->prompt_tokens + output <= context)
        return ASB_OK;
    return asbi_sim_refuse(
        &turn->problem, 400, "context_length_exceeded", "messages",
        "This model's maximum context length is %ju tokens. However, you "
        "requested %ju tokens (%ju in the messages, %ju in the completion). "
        "Please reduce the length of the messages or completion.",
        (uintmax_t)context, (uintmax_t)(c->prompt_tokens + output),
        (uintmax_t)c->prompt_tokens, (uintmax_t)output);
}

uint64_t asbi_sim_most_output(const struct asbi_sim_chat *c,
                              const struct asbi_sim_model *model)
{
    uint64_t most = model->max_output_tokens;

    return most == 0 || c->max_tokens < most ? c->max_tokens : most;
}

static void note_items(struct asbi_sim_turn *turn)
{
    struct asbi_sim_provider *p = turn->p;
    struct asbi_sim_call *call = turn->call;

    call->percent = 100;
    call->items = p->chat.item_count;
    call->dropped = p->chat.dropped;
    call->usage = (struct asbi_sim_usage){
        .input = p->chat.prompt_tokens,
        .cached = asbi_sim_prefix_use(&p->prefixes, p->chat.prefix_hash,
                                      p->chat.prefix_tokens, turn->now_ns),
        .output = p->chat.output_tokens,
    };
}

static int answer_chat(struct asbi_sim_turn *turn)
{
    struct asbi_sim_provider *p = turn->p;
    struct asbi_sim_stamp stamp = { .created = turn->request->wall_s };
    char id[40];

    int rc = asbi_sim_chat_answer(
        &p->chat, &turn->fault, &turn->rng,
        asbi_sim_most_output(&p->chat, &turn->call->model));
    if (rc)
        return rc;
    note_items(turn);
    asbi_sim_make_id(turn, "chatcmpl-", id);
    turn->delay = asbi_sim_latency_draw(&p->options.latency, &turn->rng,
                                        turn->call->usage.input,
                                        turn->call->usage.output);
    stamp.id = id;
    stamp.usage = turn->call->usage;
    stamp.delay = turn->delay;
    return asbi_sim_reply_chat(&p->chat, &stamp, turn->call) ? ASB_OK
                                                             : ASB_ENOMEM;
}

static int post_chat(struct asbi_sim_turn *turn)
{
    struct asbi_sim_chat *c = &turn->p->chat;
    int rc = asbi_sim_chat_read(c, turn->request->body, &turn->problem);

    if (rc)
        return rc;
    asbi_sim_model_facts(&turn->p->options, c->model, &turn->call->model);
    rc = check_context(turn);
    if (rc)
        return rc;
    uint64_t output = c->max_tokens == UINT64_MAX ? 0 : c->max_tokens;
    rc = asbi_sim_charge(turn, c->model,
                         output > c->prompt_tokens ? output : c->prompt_tokens);
    return rc || turn->fault.error_status ? rc : answer_chat(turn);
}

/* ---- embeddings ------------------------------------------------------- */

static int post_embeddings(struct asbi_sim_turn *turn)
{
    struct asbi_sim_provider *p = turn->p;
    struct asbi_sim_call *call = turn->call;
    int rc =
        asbi_sim_embed_read(&p->embed, turn->request->body, &turn->problem);

    if (!rc)
        rc = asbi_sim_charge(turn, p->embed.model, p->embed.tokens);
    if (rc || turn->fault.error_status)
        return rc;
    asbi_sim_model_facts(&p->options, p->embed.model, &call->model);
    call->percent = 100;
    call->items = p->embed.count;
    call->usage = (struct asbi_sim_usage){ .input = p->embed.tokens };
    turn->delay = asbi_sim_latency_draw(&p->options.latency, &turn->rng,
                                        p->embed.tokens, 0);
    asbi_sim_call_header(call, "Content-Type", "application/json");
    asbi_sim_put_embeddings(&p->embed, &call->body);
    return ASB_OK;
}

/* ---- the table -------------------------------------------------------- */

static const struct asbi_sim_route routes[] = {
    { "POST", "/v1/chat/completions", post_chat, true },
    { "POST", "/v1/embeddings", post_embeddings, true },
    { "POST", "/v1/videos", asbi_sim_post_video, true },
    { "GET", "/v1/videos", asbi_sim_list_videos, false },
    { "GET", "/v1/videos/", asbi_sim_get_video, false },
    { "DELETE", "/v1/videos/", asbi_sim_delete_video, false },
    { "POST", "/v1/files", asbi_sim_post_file, false },
    { "GET", "/v1/files", asbi_sim_list_files, false },
    { "GET", "/v1/files/", asbi_sim_get_file, false },
    { "DELETE", "/v1/files/", asbi_sim_delete_file, false },
    { "POST", "/v1/batches", asbi_sim_post_batch, false },
    { "GET", "/v1/batches", asbi_sim_list_batches, false },
    { "GET", "/v1/batches/", asbi_sim_get_batch, false },
    { "POST", "/v1/batches/", asbi_sim_cancel_batch, false },
    { "GET", "/v1/models", get_models, false },
    { "GET", "/v1/models/", get_model, false },
    { "GET", "/stats", get_stats, false },
};

/* Whether `path` is the route's; *rest is what follows its final slash. */
static bool matches(const char *route, asbi_str path, asbi_str *rest)
{
    asbi_str r = asbi_str_c(route);

    assert(r.len); /* the table has no empty path */
    if (r.at[r.len - 1] != '/')
        return asbi_str_eq(r, path);
    if (!asbi_str_starts(path, r) || path.len == r.len)
        return false;
    *rest = asbi_str_of(path.at + r.len, path.len - r.len);
    return true;
}

static asbi_str without_query(asbi_str path)
{
    const char *mark = path.len ? memchr(path.at, '?', path.len) : NULL;

    return mark ? asbi_str_of(path.at, (size_t)(mark - path.at)) : path;
}

const struct asbi_sim_route *asbi_sim_route_find(struct asbi_sim_turn *turn)
{
    asbi_str path = without_query(turn->request->path);
    asbi_str method = turn->request->method;
    int shown = path.len < 100 ? (int)path.len : 100;
    bool known = false;

    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (!matches(routes[i].path, path, &turn->rest))
            continue;
        if (asbi_str_eq(method, asbi_str_c(routes[i].method)))
            return &routes[i];
        known = true;
    }
    if (known)
        (void)asbi_sim_refuse(&turn->problem, 405, "method_not_supported", NULL,
                              "Not allowed to %.*s on %.*s. (HINT: Perhaps you "
                              "meant to use a different HTTP method?)",
                              (int)method.len, method.at, shown, path.at);
    else
        (void)asbi_sim_refuse(&turn->problem, 404, NULL, NULL,
                              "Invalid URL (%.*s %.*s)", (int)method.len,
                              method.at, shown, path.at);
    return NULL;
}

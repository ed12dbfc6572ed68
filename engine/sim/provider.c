#include "engine/sim/provider.h"

#include <assert.h>

#include "engine/base/units.h"
#include "engine/sim/state.h"

/* Answers held for calls that wait; beyond it the provider is overloaded. */
#define MAX_WAITING_BYTES ((size_t)256 << 20)

int asbi_sim_provider_new(const struct asbi_mem *mem,
                          const struct asbi_sim_options *options,
                          struct asbi_sim_provider **out)
{
    struct asbi_sim_provider *p = asbi_calloc(mem, 1, sizeof(*p));

    *out = NULL;
    if (!p)
        return ASB_ENOMEM;
    p->mem = mem;
    p->options = *options;
    asbi_list_init(&p->waiting);
    asbi_sim_quota_init(&p->requests, options->rpm, 0);
    asbi_sim_quota_init(&p->tokens, options->tpm, 0);
    int chat = asbi_sim_chat_init(&p->chat, mem, ASBI_SIM_MAX_BODY);
    p->chat.counting = options->counting;
    p->chat.refuses = options->refuses;
    int embed = asbi_sim_embed_init(&p->embed, mem, ASBI_SIM_MAX_BODY);
    int jobs = asbi_sim_jobs_init(p);
    if (chat || embed || jobs) {
        asbi_sim_provider_free(p);
        return ASB_ENOMEM;
    }
    *out = p;
    return ASB_OK;
}

void asbi_sim_provider_free(struct asbi_sim_provider *p)
{
    struct asbi_link *link;

    if (!p)
        return;
    while ((link = asbi_list_pop(&p->waiting)))
        asbi_sim_call_free(ASBI_OF(link, struct asbi_sim_call, link));
    asbi_sim_jobs_fini(p);
    asbi_sim_chat_fini(&p->chat);
    asbi_sim_embed_fini(&p->embed);
    asbi_free(p->mem, p);
}

const struct asbi_sim_stats *
asbi_sim_provider_stats(const struct asbi_sim_provider *p)
{
    return &p->stats;
}

/* ---- limits ----------------------------------------------------------- */

/* A 429 for a bucket that lacks `units`. */
static int too_fast(struct asbi_sim_turn *turn, const struct asbi_sim_quota *q,
                    const char *model, uint64_t units)
{
    bool requests = q == &turn->p->requests;
    uint64_t left = asbi_sim_quota_left(q);
    uint64_t wait = asbi_sim_quota_wait(q, units);
    struct asbi_buf text;

    asbi_buf_init(&text, turn->p->mem, 64);
    asbi_sim_put_go_duration(&text, wait);
    const char *again = asbi_buf_cstr(&text);
    int rc = asbi_sim_refuse(
        &turn->problem, 429, "rate_limit_exceeded", NULL,
        "Rate limit reached for %s in organization org-simulator on %s per min "
        "(%s): Limit %ju, Used %ju, Requested %ju. Please try again in %s.",
        model, requests ? "requests" : "tokens", requests ? "RPM" : "TPM",
        (uintmax_t)q->per_minute, (uintmax_t)(q->per_minute - left),
        (uintmax_t)units, again ? again : "a while");
    asbi_buf_fini(&text);
    turn->problem.type = requests ? "requests" : "tokens";
    asbi_sim_call_header(
        turn->call, "retry-after", "%ju",
        (uintmax_t)(wait / ASBI_SECOND + (wait % ASBI_SECOND != 0)));
    asbi_sim_call_header(turn->call, "retry-after-ms", "%ju",
                         (uintmax_t)(wait / ASBI_MS + (wait % ASBI_MS != 0)));
    return rc;
}

static void halve_when_due(struct asbi_sim_provider *p, uint64_t now_ns)
{
    if (p->options.halve_at_ns == 0 || now_ns < p->options.halve_at_ns)
        return;
    p->options.halve_at_ns = 0;
    if (p->requests.per_minute)
        asbi_sim_quota_limit(&p->requests, p->requests.per_minute / 2, now_ns);
    if (p->tokens.per_minute)
        asbi_sim_quota_limit(&p->tokens, p->tokens.per_minute / 2, now_ns);
}

int asbi_sim_charge(struct asbi_sim_turn *turn, const char *model,
                    uint64_t tokens)
{
    struct asbi_sim_quota *q = &turn->p->tokens;

    if (asbi_sim_quota_take(q, tokens, turn->now_ns))
        return ASB_OK;
    if (asbi_sim_quota_holds(q, tokens))
        return too_fast(turn, q, model, tokens);
    (void)asbi_sim_refuse(
        &turn->problem, 429, "rate_limit_exceeded", NULL,
        "Request too large for %s in organization org-simulator on tokens per "
        "min (TPM): Limit %ju, Requested %ju. The input or output tokens must "
        "be reduced in order to run successfully.",
        model, (uintmax_t)q->per_minute, (uintmax_t)tokens);
    turn->problem.type = "tokens";
    return ASB_EINVAL;
}

static void put_limit_headers(struct asbi_sim_call *call,
                              struct asbi_sim_quota *q, uint64_t now_ns,
                              const char *const names[3])
{
    struct asbi_buf reset;

    if (q->per_minute == 0)
        return;
    (void)asbi_sim_quota_take(q, 0, now_ns); /* brings it up to now */
    asbi_buf_init(&reset, call->mem, 64);
    asbi_sim_put_go_duration(&reset, asbi_sim_quota_full_in(q));
    const char *text = asbi_buf_cstr(&reset);
    asbi_sim_call_header(call, names[0], "%ju", (uintmax_t)q->per_minute);
    asbi_sim_call_header(call, names[1], "%ju",
                         (uintmax_t)asbi_sim_quota_left(q));
    if (text)
        asbi_sim_call_header(call, names[2], "%s", text);
    asbi_buf_fini(&reset);
}

static void put_headers(struct asbi_sim_turn *turn, bool paid)
{
    static const char *const requests[] = { "x-ratelimit-limit-requests",
                                            "x-ratelimit-remaining-requests",
                                            "x-ratelimit-reset-requests" };
    static const char *const tokens[] = { "x-ratelimit-limit-tokens",
                                          "x-ratelimit-remaining-tokens",
                                          "x-ratelimit-reset-tokens" };
    char id[40];

    asbi_sim_make_id(turn, "req_", id);
    asbi_sim_call_header(turn->call, "x-request-id", "%s", id);
    if (!paid)
        return;
    asbi_sim_call_header(turn->call, "openai-processing-ms", "%ju",
                         (uintmax_t)(turn->delay.total_ns / ASBI_MS));
    put_limit_headers(turn->call, &turn->p->requests, turn->now_ns, requests);
    put_limit_headers(turn->call, &turn->p->tokens, turn->now_ns, tokens);
}

/* ---- admission -------------------------------------------------------- */

static int check_key(struct asbi_sim_turn *turn)
{
    if (turn->p->options.require_key && !turn->request->has_key)
        return asbi_sim_refuse(&turn->problem, 401, "invalid_api_key", NULL,
                               "You didn't provide an API key. You need to "
                               "provide your API key in an Authorization "
                               "header using Bearer auth.");
    return ASB_OK;
}

static int check_size(struct asbi_sim_turn *turn)
{
    if (turn->request->body.len > ASBI_SIM_MAX_BODY)
        return asbi_sim_refuse(&turn->problem, 413, "request_too_large", NULL,
                               "Request body is larger than the maximum of "
                               "%zu bytes.",
                               ASBI_SIM_MAX_BODY);
    return ASB_OK;
}

static int check_load(struct asbi_sim_turn *turn)
{
    struct asbi_sim_provider *p = turn->p;

    if (p->waiting_bytes <= MAX_WAITING_BYTES)
        return ASB_OK;
    return asbi_sim_refuse(&turn->problem, 503, "server_is_overloaded", NULL,
                           "The engine is currently overloaded, please try "
                           "again later.");
}

static int serve_paid(struct asbi_sim_turn *turn,
                      const struct asbi_sim_route *route)
{
    struct asbi_sim_provider *p = turn->p;

    turn->fault = asbi_sim_fault_draw(&p->options, &turn->rng);
    int rc = check_size(turn);
    if (!rc)
        rc = check_load(turn);
    if (rc)
        return rc;
    halve_when_due(p, turn->now_ns);
    if (!asbi_sim_quota_take(&p->requests, 1, turn->now_ns))
        return too_fast(turn, &p->requests, "this model", 1);
    rc = route->serve(turn);
    if (rc)
        return rc;
    turn->call->takes_place = true;
    if (turn->fault.error_status) {
        turn->delay =
            asbi_sim_latency_draw(&p->options.latency, &turn->rng, 0, 0);
        asbi_sim_call_failure(turn->call, turn->fault.error_status);
    }
    return ASB_OK;
}

static int serve(struct asbi_sim_turn *turn)
{
    const struct asbi_sim_route *route = asbi_sim_route_find(turn);
    bool paid = route && route->paid;
    int rc = ASB_EINVAL;

    if (route)
        rc = check_key(turn);
    if (!rc)
        rc = paid ? serve_paid(turn, route) : route->serve(turn);
    if (rc == ASB_EINVAL) {
        turn->fault = (struct asbi_sim_fault){ 0 };
        asbi_sim_call_problem(turn->call, &turn->problem);
        rc = ASB_OK;
    }
    turn->call->counted = paid;
    put_headers(turn, paid);
    return rc;
}

/* ---- places ----------------------------------------------------------- */

static void count(struct asbi_sim_stats *s, const struct asbi_sim_call *call)
{
    if (!call->counted)
        return;
    if (call->status < ASBI_SIM_STATUS_LIMIT)
        s->status[call->status]++;
    s->disconnects += call->cut_at != SIZE_MAX;
    if (call->percent == 0)
        return;
    s->billed_nano_usd += call->flat_nano_usd;
    s->items += call->items;
    s->dropped += call->dropped;
    asbi_sim_stats_bill(s, &call->usage, &call->model, call->percent);
}

static void start(struct asbi_sim_provider *p, struct asbi_sim_call *call,
                  uint64_t now_ns)
{
    struct asbi_sim_stats *s = &p->stats;

    call->started = true;
    call->started_ns = now_ns;
    count(s, call);
    if (!call->takes_place)
        return;
    s->in_flight++;
    if (s->in_flight > s->max_in_flight)
        s->max_in_flight = s->in_flight;
    uint64_t served_ns = call->pieces[call->piece_count - 1].after_ns;
    if (served_ns > s->longest_ns)
        s->longest_ns = served_ns;
}

static void wait_for_place(struct asbi_sim_provider *p,
                           struct asbi_sim_call *call)
{
    asbi_list_append(&p->waiting, &call->link);
    p->waiting_bytes += call->body.len;
    p->stats.waiting = p->waiting.count;
    if (p->stats.waiting > p->stats.max_waiting)
        p->stats.max_waiting = p->stats.waiting;
}

static void leave_queue(struct asbi_sim_provider *p, struct asbi_sim_call *call)
{
    asbi_list_remove(&call->link);
    p->waiting_bytes -= call->body.len;
    p->stats.waiting = p->waiting.count;
}

static bool has_place(const struct asbi_sim_provider *p)
{
    return p->options.capacity == 0 || p->stats.in_flight < p->options.capacity;
}

int asbi_sim_provider_take(struct asbi_sim_provider *p,
                           const struct asbi_sim_request *request,
                           uint64_t now_ns, struct asbi_sim_call **out)
{
    struct asbi_sim_turn turn = { .p = p, .request = request };

    *out = NULL;
    turn.now_ns = now_ns;
    turn.call = asbi_sim_call_new(p->mem);
    if (!turn.call)
        return ASB_ENOMEM;
    asbi_rng_seed(&turn.rng, p->options.seed + p->taken++ * 0x9e3779b9U);
    int rc = serve(&turn);
    if (!rc && !asbi_sim_call_seal(turn.call, &turn.delay, &turn.fault))
        rc = ASB_ENOMEM;
    if (rc) {
        asbi_sim_call_free(turn.call);
        return rc;
    }
    p->stats.calls += turn.call->counted;
    if (!turn.call->takes_place || has_place(p))
        start(p, turn.call, now_ns);
    else
        wait_for_place(p, turn.call);
    *out = turn.call;
    return ASB_OK;
}

struct asbi_sim_call *asbi_sim_provider_finish(struct asbi_sim_provider *p,
                                               struct asbi_sim_call *call,
                                               uint64_t now_ns)
{
    struct asbi_sim_call *next = NULL;

    assert(call->started);
    if (call->takes_place) {
        p->stats.in_flight--;
        struct asbi_link *link = asbi_list_first(&p->waiting);
        if (link) {
            next = ASBI_OF(link, struct asbi_sim_call, link);
            leave_queue(p, next);
            start(p, next, now_ns);
        }
    }
    return next;
}

void asbi_sim_provider_abandon(struct asbi_sim_provider *p,
                               struct asbi_sim_call *call)
{
    assert(!call->started);
    leave_queue(p, call);
    asbi_sim_call_free(call);
}

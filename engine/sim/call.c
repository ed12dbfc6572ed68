#include "engine/sim/call.h"

#include <stdarg.h>
#include <stdio.h>

#include "engine/base/json.h"
#include "engine/base/units.h"

enum { MAX_BODY = 256 << 20 };

int asbi_sim_refuse(struct asbi_sim_problem *p, int status, const char *code,
                    const char *param, const char *format, ...)
{
    va_list args;

    *p = (struct asbi_sim_problem){
        .status = status,
        .type = "invalid_request_error",
        .code = code,
        .param = param,
    };
    va_start(args, format);
    (void)vsnprintf(p->message, sizeof(p->message), format, args);
    va_end(args);
    return ASB_EINVAL;
}

int asbi_sim_read_model(struct asbi_json *json, char *model, size_t size,
                        struct asbi_sim_problem *why)
{
    asbi_str name = asbi_json_text(
        json, asbi_json_get(json, asbi_json_root(json), ASBI_STR("model")));

    if (name.len == 0)
        return asbi_sim_refuse(why, 400, NULL, NULL,
                               "you must provide a model parameter");
    if (!asbi_str_copy(name, model, size))
        return asbi_sim_refuse(why, 400, NULL, "model",
                               "the name of the model is too long");
    if (asbi_str_starts(name, ASBI_STR("missing-")))
        return asbi_sim_refuse(why, 404, "model_not_found", NULL,
                               "The model `%s` does not exist or you do not "
                               "have access to it.",
                               model);
    return ASB_OK;
}

struct asbi_sim_call *asbi_sim_call_new(const struct asbi_mem *mem)
{
    struct asbi_sim_call *call = asbi_calloc(mem, 1, sizeof(*call));

    if (!call)
        return NULL;
    call->mem = mem;
    call->status = 200;
    call->cut_at = SIZE_MAX;
    call->pieces = &call->whole;
    call->piece_count = 1;
    asbi_buf_init(&call->body, mem, MAX_BODY);
    return call;
}

void asbi_sim_call_free(struct asbi_sim_call *call)
{
    if (!call)
        return;
    asbi_list_remove(&call->link);
    if (call->pieces != &call->whole)
        asbi_free(call->mem, call->pieces);
    asbi_buf_fini(&call->body);
    asbi_free(call->mem, call);
}

uint64_t asbi_sim_call_due(const struct asbi_sim_call *call, size_t piece)
{
    return asbi_add_ns(call->started_ns, call->pieces[piece].after_ns);
}

void asbi_sim_call_header(struct asbi_sim_call *call, const char *name,
                          const char *format, ...)
{
    va_list args;

    if (call->header_count == ASBI_SIM_MAX_HEADERS)
        return;
    struct asbi_sim_header *h = &call->headers[call->header_count++];
    h->name = name;
    va_start(args, format);
    (void)vsnprintf(h->value, sizeof(h->value), format, args);
    va_end(args);
}

static void put_or_null(struct asbi_buf *out, const char *text)
{
    if (text)
        asbi_json_put_string(out, asbi_str_c(text));
    else
        asbi_buf_c(out, "null");
}

void asbi_sim_put_problem(const struct asbi_sim_problem *problem,
                          struct asbi_buf *out)
{
    asbi_buf_c(out, "{\"error\":{\"message\":");
    put_or_null(out, problem->message);
    asbi_buf_c(out, ",\"type\":");
    put_or_null(out, problem->type);
    asbi_buf_c(out, ",\"param\":");
    put_or_null(out, problem->param);
    asbi_buf_c(out, ",\"code\":");
    put_or_null(out, problem->code);
    asbi_buf_c(out, "}}");
}

void asbi_sim_call_problem(struct asbi_sim_call *call,
                           const struct asbi_sim_problem *problem)
{
    call->status = problem->status;
    asbi_sim_call_header(call, "Content-Type", "application/json");
    asbi_buf_clear(&call->body);
    asbi_sim_put_problem(problem, &call->body);
    asbi_buf_char(&call->body, '\n');
}

void asbi_sim_call_failure(struct asbi_sim_call *call, int status)
{
    static const char page[] =
        "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
        "<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
        "</body>\r\n</html>\r\n";
    struct asbi_sim_problem p;

    if (status == 502) {
        call->status = status;
        asbi_sim_call_header(call, "Content-Type", "text/html");
        asbi_buf_clear(&call->body);
        asbi_buf_c(&call->body, page);
        return;
    }
    (void)asbi_sim_refuse(
        &p, status, status == 503 ? "server_is_overloaded" : NULL, NULL,
        status == 503 ? "The engine is currently overloaded, please try again "
                        "later."
                      : "The server had an error while processing your "
                        "request. Sorry about that!");
    p.type = status == 503 ? "service_unavailable_error" : "server_error";
    asbi_sim_call_problem(call, &p);
}

bool asbi_sim_call_seal(struct asbi_sim_call *call,
                        const struct asbi_sim_delay *delay,
                        const struct asbi_sim_fault *fault)
{
    if (asbi_buf_failed(&call->body))
        return false;
    if (call->pieces == &call->whole)
        call->whole =
            (struct asbi_sim_piece){ delay->total_ns, call->body.len };
    if (fault->disconnect && call->body.len > 1) {
        call->silent = fault->silent;
        call->cut_at =
            1 + (size_t)(fault->where * (double)(call->body.len - 1));
    }
    return true;
}

#include "engine/sim/reply.h"

#include "engine/base/json.h"

/* A stream comes in at most so many pieces of at least so many bytes. */
enum { MAX_PIECES = 64, LEAST_PIECE = 16 };

static void put_head(const struct asbi_sim_chat *c,
                     const struct asbi_sim_stamp *stamp, const char *object,
                     struct asbi_buf *out)
{
    asbi_buf_fmt(out,
                 "{\"id\":\"%s\",\"object\":\"%s\",\"created\":", stamp->id,
                 object);
    asbi_buf_u64(out, stamp->created);
    asbi_buf_c(out, ",\"model\":");
    asbi_json_put_string(out, asbi_str_c(c->model));
    asbi_buf_c(out, ",\"system_fingerprint\":\"fp_simulator\"");
}

static void put_usage(const struct asbi_sim_usage *usage, struct asbi_buf *out)
{
    asbi_buf_c(out, "\"usage\":{\"prompt_tokens\":");
    asbi_buf_u64(out, usage->input);
    asbi_buf_c(out, ",\"completion_tokens\":");
    asbi_buf_u64(out, usage->output);
    asbi_buf_c(out, ",\"total_tokens\":");
    asbi_buf_u64(out, usage->input + usage->output);
    asbi_buf_c(out, ",\"prompt_tokens_details\":{\"cached_tokens\":");
    asbi_buf_u64(out, usage->cached);
    asbi_buf_c(out, "},\"completion_tokens_details\":"
                    "{\"reasoning_tokens\":0}}");
}

void asbi_sim_put_completion(const struct asbi_sim_chat *c,
                             const struct asbi_sim_stamp *stamp,
                             struct asbi_buf *out)
{
    put_head(c, stamp, "chat.completion", out);
    asbi_buf_c(out, ",\"choices\":[");
    for (uint64_t i = 0; i < c->choices; i++) {
        asbi_buf_c(out, i ? ",{\"index\":" : "{\"index\":");
        asbi_buf_u64(out, i);
        asbi_buf_c(out, ",\"message\":{\"role\":\"assistant\",\"content\":");
        asbi_json_put_string(out, asbi_buf_view(&c->content));
        asbi_buf_fmt(out,
                     ",\"refusal\":null},\"logprobs\":null,"
                     "\"finish_reason\":\"%s\"}",
                     c->finish);
    }
    asbi_buf_c(out, "],");
    put_usage(&stamp->usage, out);
    asbi_buf_c(out, "}");
}

/* ---- as a stream ------------------------------------------------------ */

/* An event with one choice: its delta with `role`, `piece`, or nothing but the
 * end of it. */
static void put_event(const struct asbi_sim_chat *c,
                      const struct asbi_sim_stamp *stamp, uint64_t index,
                      bool role, const asbi_str *piece, struct asbi_buf *out)
{
    asbi_buf_c(out, "data: ");
    put_head(c, stamp, "chat.completion.chunk", out);
    asbi_buf_c(out, ",\"choices\":[{\"index\":");
    asbi_buf_u64(out, index);
    asbi_buf_c(out, ",\"delta\":{");
    if (role)
        asbi_buf_c(out, "\"role\":\"assistant\",\"content\":\"\"");
    if (piece) {
        asbi_buf_c(out, "\"content\":");
        asbi_json_put_string(out, *piece);
    }
    asbi_buf_c(out, "},\"logprobs\":null,\"finish_reason\":");
    if (role || piece)
        asbi_buf_c(out, "null}]");
    else
        asbi_buf_fmt(out, "\"%s\"}]", c->finish);
    asbi_buf_c(out, c->include_usage ? ",\"usage\":null}\n\n" : "}\n\n");
}

static void put_events(const struct asbi_sim_chat *c,
                       const struct asbi_sim_stamp *stamp, bool role,
                       const asbi_str *piece, struct asbi_buf *out)
{
    for (uint64_t i = 0; i < c->choices; i++)
        put_event(c, stamp, i, role, piece, out);
}

static void put_end(const struct asbi_sim_chat *c,
                    const struct asbi_sim_stamp *stamp, struct asbi_buf *out)
{
    put_events(c, stamp, false, NULL, out);
    if (c->include_usage) {
        asbi_buf_c(out, "data: ");
        put_head(c, stamp, "chat.completion.chunk", out);
        asbi_buf_c(out, ",\"choices\":[],");
        put_usage(&stamp->usage, out);
        asbi_buf_c(out, "}\n\n");
    }
    asbi_buf_c(out, "data: [DONE]\n\n");
}

/* Bytes of the next piece of `rest`, in whole code points. */
static size_t piece_length(asbi_str rest, size_t step)
{
    size_t len = step < rest.len ? step : rest.len;

    while (len < rest.len && ((unsigned char)rest.at[len] & 0xc0) == 0x80)
        len++;
    return len;
}

static void set_piece(struct asbi_sim_call *call,
                      const struct asbi_sim_delay *delay, size_t i,
                      size_t count)
{
    uint64_t span = delay->total_ns - delay->first_ns;
    uint64_t after =
        i + 1 == count ? delay->total_ns : delay->first_ns + span / count * i;

    call->pieces[i] = (struct asbi_sim_piece){ after, call->body.len };
}

static bool reply_stream(const struct asbi_sim_chat *c,
                         const struct asbi_sim_stamp *stamp,
                         struct asbi_sim_call *call)
{
    asbi_str rest = asbi_buf_view(&c->content);
    size_t step = rest.len / MAX_PIECES + 1;
    struct asbi_sim_piece *pieces =
        asbi_calloc(call->mem, MAX_PIECES + 2, sizeof(*pieces));

    if (!pieces)
        return false;
    step = step < LEAST_PIECE ? LEAST_PIECE : step;
    size_t count = (rest.len + step - 1) / step + 1; /* at most: one the end */
    size_t i = 0;
    call->pieces = pieces;
    call->stream = true;
    put_events(c, stamp, true, NULL, &call->body);
    while (rest.len) {
        asbi_str piece = asbi_str_of(rest.at, piece_length(rest, step));
        put_events(c, stamp, false, &piece, &call->body);
        set_piece(call, &stamp->delay, i++, count);
        rest = asbi_str_of(rest.at + piece.len, rest.len - piece.len);
    }
    put_end(c, stamp, &call->body);
    set_piece(call, &stamp->delay, i, i + 1);
    call->piece_count = i + 1;
    return true;
}

bool asbi_sim_reply_chat(const struct asbi_sim_chat *c,
                         const struct asbi_sim_stamp *stamp,
                         struct asbi_sim_call *call)
{
    asbi_sim_call_header(call, "Content-Type",
                         c->stream ? "text/event-stream" : "application/json");
    if (c->stream)
        return reply_stream(c, stamp, call) && !call->body.failed;
    asbi_sim_put_completion(c, stamp, &call->body);
    return !call->body.failed;
}

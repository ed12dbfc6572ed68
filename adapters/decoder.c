#include "adapters/decoder_state.h"

#include "adapters/verdict.h"

/* Bytes of data in an event of a stream; nothing of it is kept. */
enum { MAX_EVENT = 64 * 1024 * 1024 };

/* ---- bodies ----------------------------------------------------------- */

static void feed_document(struct asbi_decoder *d, asbi_str s)
{
    size_t used;

    int rc = asbi_pick_feed(&d->pick, s.at, s.len, &used);

    d->given_up = rc == ASB_ETOOBIG;
    d->malformed = d->malformed || rc;
    while (used < s.len && asbi_char_is_space(s.at[used]))
        used++;
    d->malformed = d->malformed || used < s.len;
}

static void on_sse_data(void *arg, asbi_str piece)
{
    struct asbi_decoder *d = arg;

    d->has_events = true;
    if (d->given_up)
        return;
    if (!d->in_event) {
        asbi_pick_begin(&d->pick, &d->paths->reply, &d->pick_sink);
        d->text_path = ASBI_DECODER_NO_PATH;
    }
    d->in_event = true;
    feed_document(d, piece);
}

static void on_sse_event(void *arg, asbi_str name)
{
    struct asbi_decoder *d = arg;

    if (d->given_up)
        return;
    if (d->in_event && !asbi_pick_finish(&d->pick))
        d->malformed = true;
    d->in_event = false;
    d->error = d->error || asbi_str_eq(name, ASBI_STR("error"));
}

static void on_sse_done(void *arg)
{
    struct asbi_decoder *d = arg;

    d->has_events = true;
    d->ended = d->ended || !d->given_up;
}

/* The first byte tells more than the content type does: many a small server
 * calls its stream plain text.  What turns out to have no event was a page. */
static enum asbi_decoder_body body_of(char first)
{
    return first == '{' || first == '[' ? ASBI_BODY_DOCUMENT : ASBI_BODY_EVENTS;
}

/* So far; a stream that is called one needs no words. */
static bool may_be_page(const struct asbi_decoder *d)
{
    return d->body == ASBI_BODY_EVENTS && !d->says_events;
}

/* White space, or of a byte order mark. */
static bool is_leader(char c)
{
    return asbi_char_is_space(c) || c == '\xef' || c == '\xbb' || c == '\xbf';
}

int asbi_decoder_on_body(struct asbi_decoder *d, const char *at, size_t len)
{
    while (d->body == ASBI_BODY_NOT_BEGUN && len && is_leader(*at))
        at++, len--;
    if (len == 0)
        return ASB_OK;
    if (d->given_up)
        return ASB_ETOOBIG;
    if (d->body == ASBI_BODY_NOT_BEGUN)
        d->body = body_of(*at);
    if (may_be_page(d) || d->status < 200 || d->status > 299)
        asbi_excerpt_feed(&d->excerpt, asbi_str_of(at, len));
    if (d->body == ASBI_BODY_EVENTS && asbi_sse_feed(&d->sse, at, len))
        d->given_up = true;
    if (d->body == ASBI_BODY_DOCUMENT)
        feed_document(d, asbi_str_of(at, len));
    return d->given_up ? ASB_ETOOBIG : ASB_OK;
}

/* ---- the call --------------------------------------------------------- */

static struct asbi_decoder *make(const struct asbi_mem *mem,
                                 const struct asbi_reply_table *table,
                                 const struct asbi_decoder_paths *paths)
{
    struct asbi_decoder *d = asbi_calloc(mem, 1, sizeof(*d));

    if (!d)
        return NULL;
    d->mem = mem;
    d->table = table;
    d->paths = paths;
    d->sse_sink =
        (struct asbi_sse_sink){ on_sse_data, on_sse_event, on_sse_done, d };
    asbi_decoder_fields_init(d);
    asbi_decoder_begin(d, ASBI_SINGLE, &(struct asbi_reply_sink){ 0 });
    return d;
}

struct asbi_decoder *asbi_decoder_new(const struct asbi_mem *mem,
                                      const struct asbi_reply_table *table)
{
    struct asbi_decoder_paths *paths = asbi_alloc(mem, sizeof(*paths));

    if (!paths)
        return NULL;
    asbi_path_trie_init(&paths->reply, table->paths, table->count);
    asbi_packed_paths_init(&paths->packed);
    struct asbi_decoder *d = make(mem, table, paths);
    if (!d) {
        asbi_free(mem, paths);
        return NULL;
    }
    d->own_paths = paths;
    return d;
}

struct asbi_decoder *asbi_decoder_twin(const struct asbi_decoder *first)
{
    return make(first->mem, first->table, first->paths);
}

void asbi_decoder_free(struct asbi_decoder *d)
{
    if (!d)
        return;
    asbi_decoder_fields_fini(d);
    asbi_free(d->mem, d->own_paths);
    asbi_free(d->mem, d);
}

void asbi_decoder_begin(struct asbi_decoder *d, enum asbi_call_way way,
                        const struct asbi_reply_sink *sink)
{
    d->sink = *sink;
    d->way = way;
    d->status = 0;
    d->says_events = false;
    asbi_rate_headers_begin(&d->headers);
    d->location.len = 0;
    d->body = ASBI_BODY_NOT_BEGUN;
    asbi_pick_begin(&d->pick, &d->paths->reply, &d->pick_sink);
    asbi_sse_begin(&d->sse, &d->sse_sink, MAX_EVENT);
    asbi_excerpt_begin(&d->excerpt);
    d->text_path = ASBI_DECODER_NO_PATH;
    d->in_event = d->has_events = d->ended = false;
    d->malformed = d->given_up = false;
    asbi_decoder_fields_begin(d);
}

void asbi_decoder_on_status(struct asbi_decoder *d, int status)
{
    d->status = status;
}

void asbi_decoder_on_header(struct asbi_decoder *d, asbi_str name,
                            asbi_str value, uint64_t wall_ms)
{
    asbi_str s = asbi_str_trim(value);
    asbi_str events = ASBI_STR("text/event-stream");

    if (asbi_str_eq_nocase(name, ASBI_STR("content-type")))
        d->says_events =
            s.len >= events.len &&
            asbi_str_eq_nocase(asbi_str_of(s.at, events.len), events);
    else if (asbi_str_eq_nocase(name, ASBI_STR("location")))
        asbi_decoder_set_word(&d->location, s);
    else
        asbi_rate_headers_add(&d->headers, name, s, wall_ms);
}

static asbi_str view(const struct asbi_decoder_word *w)
{
    return asbi_str_of(w->at, w->len);
}

/* Whether the body came to its end.  The event in which a stream was cut is
 * left alone: it may be one that no longer matters. */
static void end_of_body(struct asbi_decoder *d, bool complete)
{
    if (d->body == ASBI_BODY_EVENTS && complete)
        asbi_sse_finish(&d->sse);
    if (may_be_page(d) && !d->has_events)
        d->body = ASBI_BODY_PAGE;
    else if (d->body == ASBI_BODY_DOCUMENT)
        d->ended = asbi_pick_finish(&d->pick);
    asbi_decoder_fields_end(d, d->ended);
}

static bool lacks_items(const struct asbi_decoder *d)
{
    return (d->way == ASBI_PACKED && !asbi_packed_found(&d->answer)) ||
           (d->way == ASBI_ARRAY && d->elements == 0);
}

/* Reasoning is part of the output with OpenAI and stands beside it with xAI and
 * Google; the total tells which.  Where only the total tells of it, and nothing
 * of a cache that might be left out, too, all that is over was thought. */
static uint64_t reasoning_beside(const struct asbi_decoder *d)
{
    uint64_t told = d->input + d->output;
    uint64_t over = d->total > told ? d->total - told : 0;

    if (d->input == 0 || (d->reasoned == 0 && d->cached))
        return 0;
    return d->reasoned && d->reasoned < over ? d->reasoned : over;
}

static struct asb_usage usage_of(const struct asbi_decoder *d)
{
    struct asb_usage usage = { d->input, d->cached,
                               d->output + d->thoughts + reasoning_beside(d) };

    if (d->table->input_lacks_cache)
        usage.input_tokens += d->cached + d->cache_writes;
    if (usage.cached_tokens > usage.input_tokens)
        usage.cached_tokens = usage.input_tokens;
    return usage;
}

static struct asbi_facts facts_of(const struct asbi_decoder *d, bool complete)
{
    bool readable =
        d->body == ASBI_BODY_EVENTS || d->body == ASBI_BODY_DOCUMENT;

    return (struct asbi_facts){
        .status = d->status,
        .cut = !complete && !d->ended,
        .understood = readable && d->ended && !d->malformed,
        .error = d->error,
        .refused = d->refused,
        .lacks_items = lacks_items(d),
        .finish = view(&d->finish),
        .code = view(&d->code),
        .type = view(&d->type),
        .param = view(&d->param),
        .message = asbi_str_of(d->message, d->message_len),
    };
}

void asbi_decoder_end(struct asbi_decoder *d, bool complete,
                      struct asbi_reply *out)
{
    end_of_body(d, complete);
    asbi_rate_headers_end(&d->headers);
    struct asbi_facts facts = facts_of(d, complete);

    *out = (struct asbi_reply){
        .status = d->status,
        .retry_after_ns = d->headers.retry_after_ns,
        .should_retry = d->headers.should_retry,
        .rate = d->headers.rate,
        .has_usage = d->has_usage && d->input + d->cached + d->output > 0,
        .usage = usage_of(d),
        .cache_writes = d->cache_writes,
        .by_place = d->by_place,
        .elements = d->elements,
        .request_id =
            asbi_str_of(d->headers.request_id, d->headers.request_id_len),
    };
    out->verdict = asbi_verdict_of(&facts, &out->feature);
    asbi_str page = d->given_up ? ASBI_STR("") : asbi_excerpt_text(&d->excerpt);
    asbi_explain(&d->explanation, &facts, view(&d->location), page,
                 d->body == ASBI_BODY_PAGE, out);
}

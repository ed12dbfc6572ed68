/*
 * reply_rig.h -- reads a reply of any dialect in every way to cut it, and keeps
 * what was told, to be compared with a text.
 */
#ifndef ASBI_TESTS_REPLY_RIG_H
#define ASBI_TESTS_REPLY_RIG_H

#include "adapters/dialect.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"
#include "tests/support/splits.h"

struct told {
    size_t len;
    char text[8192];
    struct asbi_reply reply;
    char code[80], message[600], request_id[200], feature[40];
    int rc;
};

struct exchange {
    const char *dialect;
    enum asbi_call_way way;
    int status;
    bool cut;                /* did not end well */
    const char *headers[24]; /* name, value, ... */
    asbi_str body;
};

/* A reply of status 200 that came whole, as a body or as a stream of events. */
static inline struct exchange rig_body(const char *dialect,
                                       enum asbi_call_way way, asbi_str body)
{
    return (struct exchange){ dialect, way, 200, false, { NULL }, body };
}

#define RIG_EVENTS "Content-Type", "text/event-stream; charset=utf-8"

static inline struct exchange rig_events(const char *dialect,
                                         enum asbi_call_way way, asbi_str body)
{
    return (struct exchange){ dialect, way, 200, false, { RIG_EVENTS }, body };
}

static inline void rig_tell(struct told *t, asbi_str s)
{
    CHECK(t->len + s.len < sizeof(t->text));
    if (s.len)
        memcpy(t->text + t->len, s.at, s.len);
    t->len += s.len;
}

/* "id=text;", or "id~json;"; "id!;" when memory for the text was short. */
static inline void rig_on_answer(void *arg, asbi_str id, asbi_str output,
                                 bool is_json)
{
    rig_tell(arg, id);
    rig_tell(arg, !output.at ? ASBI_STR("!")
                  : is_json  ? ASBI_STR("~")
                             : ASBI_STR("="));
    rig_tell(arg, output);
    rig_tell(arg, ASBI_STR(";"));
}

static inline void rig_on_text(void *arg, asbi_str piece)
{
    rig_tell(arg, piece);
}

static inline void rig_keep(char *to, size_t size, asbi_str s)
{
    CHECK(s.len < size);
    if (s.len)
        memcpy(to, s.at, s.len);
    to[s.len] = '\0';
}

static inline void rig_read(const struct asbi_dialect *dialect,
                            struct asbi_decoder *d, const struct exchange *x,
                            struct splits ways, struct told *t)
{
    struct asbi_reply_sink sink = { rig_on_answer, rig_on_text, t };
    size_t len;
    char *piece;

    memset(t, 0, sizeof(*t));
    dialect->begin(d, x->way, &sink);
    dialect->on_status(d, x->status);
    for (size_t i = 0; x->headers[i]; i += 2)
        dialect->on_header(d, asbi_str_c(x->headers[i]),
                           asbi_str_c(x->headers[i + 1]),
                           UINT64_C(784111777000)); /* 1994-11-06 08:49:37 */
    while ((piece = splits_next(&ways, &len))) {
        t->rc = dialect->on_body(d, piece, len);
        free(piece);
    }
    dialect->end(d, !x->cut, &t->reply);
    rig_keep(t->code, sizeof(t->code), asbi_str_c(t->reply.code));
    rig_keep(t->feature, sizeof(t->feature), asbi_str_c(t->reply.feature));
    rig_keep(t->message, sizeof(t->message), t->reply.message);
    rig_keep(t->request_id, sizeof(t->request_id), t->reply.request_id);
}

/* The same with the body in one piece. */
static inline void rig_read_whole(const struct asbi_dialect *dialect,
                                  struct asbi_decoder *d,
                                  const struct exchange *x, struct told *t)
{
    rig_read(dialect, d, x, (struct splits){ x->body, 0, x->body.len, 0 }, t);
}

static inline void rig_same(const struct told *a, const struct told *b)
{
    const struct asbi_reply *x = &a->reply, *y = &b->reply;

    CHECK_INT(a->len, ==, b->len);
    CHECK(memcmp(a->text, b->text, a->len) == 0);
    CHECK_INT(a->rc, ==, b->rc);
    CHECK_INT(x->verdict, ==, y->verdict);
    CHECK_INT(x->has_usage, ==, y->has_usage);
    CHECK(memcmp(&x->usage, &y->usage, sizeof(x->usage)) == 0);
    CHECK(memcmp(&x->rate, &y->rate, sizeof(x->rate)) == 0);
    CHECK_INT(x->retry_after_ns, ==, y->retry_after_ns);
    CHECK_INT(x->by_place, ==, y->by_place);
    CHECK_INT(x->elements, ==, y->elements);
    CHECK(strcmp(a->code, b->code) == 0);
    CHECK(strcmp(a->message, b->message) == 0);
    CHECK(strcmp(a->feature, b->feature) == 0);
}

/* Reads a reply in every way to cut it, with a decoder and its twin in turns,
 * in a style; what it told. */
static inline const struct told *
rig_read_reply_as(const struct exchange *x, const struct asbi_call_style *style)
{
    static struct told whole, again;
    const struct asbi_dialect *dialect = asbi_dialect_find(x->dialect);
    struct asbi_decoder *d = dialect->decoder_new(&asbi_mem_system, style);
    struct splits ways;

    CHECK(d != NULL);
    struct asbi_decoder *twin = dialect->decoder_twin(d);
    CHECK(twin != NULL);
    for (size_t n = 0; splits_way(x->body, n, &ways); n++) {
        rig_read(dialect, n % 2 ? twin : d, x, ways, n ? &again : &whole);
        if (n)
            rig_same(&whole, &again);
    }
    dialect->decoder_free(twin);
    dialect->decoder_free(d);
    return &whole;
}

static inline const struct told *rig_read_reply(const struct exchange *x)
{
    static const struct asbi_call_style style = { .model = "m" };

    return rig_read_reply_as(x, &style);
}

/* What a reply tells when it breaks off before or behind each of its bytes: the
 * beginning of what the whole tells, and of a good one, to be asked again
 * unless that is all of it. */
static inline void rig_cut_everywhere(struct exchange x)
{
    static struct told whole, cut;
    static const struct asbi_call_style style = { .model = "m" };
    const struct asbi_dialect *dialect = asbi_dialect_find(x.dialect);
    struct asbi_decoder *d = dialect->decoder_new(&asbi_mem_system, &style);
    asbi_str body = x.body;

    CHECK(d != NULL);
    rig_read_whole(dialect, d, &x, &whole);
    x.cut = true;
    for (x.body.len = 0; x.body.len < body.len; x.body.len++) {
        rig_read_whole(dialect, d, &x, &cut);
        CHECK_INT(cut.len, <=, whole.len);
        CHECK(memcmp(cut.text, whole.text, cut.len) == 0);
        CHECK(whole.reply.verdict != ASBI_ACCEPTED ||
              cut.reply.verdict == ASBI_OVERLOADED ||
              (cut.reply.verdict == ASBI_ACCEPTED && cut.len == whole.len));
    }
    dialect->decoder_free(d);
}

/* What rig_starve() reads, and what it tells when nothing fails. */
struct rig_starved {
    const struct exchange *x;
    struct told whole, told;
};

static inline int rig_starved_life(const struct asbi_mem *mem, void *arg)
{
    static const struct asbi_call_style style = { .model = "m" };
    struct rig_starved *s = arg;
    const struct asbi_dialect *dialect = asbi_dialect_find(s->x->dialect);
    struct asbi_decoder *d = dialect->decoder_new(mem, &style);

    if (!d)
        return ASB_ENOMEM;
    rig_read_whole(dialect, d, s->x, &s->told);
    struct asbi_decoder *twin = dialect->decoder_twin(d);
    bool lacks_twin = !twin;
    dialect->decoder_free(twin);
    dialect->decoder_free(d);
    CHECK_INT(s->told.len, <=, s->whole.len);
    return lacks_twin || s->told.len < s->whole.len ? ASB_ENOMEM : ASB_OK;
}

/* A reply read with each allocation failing in turn: no leak, never more than
 * the reply says, and all of it when none fails. */
static inline void rig_starve(const struct exchange *x)
{
    static struct rig_starved s;

    s.x = x;
    s.whole = *rig_read_reply(x);
    CHECK_INT(fault_sweep_spared(rig_starved_life, &s), >, 0);
}

static inline bool rig_has(asbi_str text, const char *what)
{
    size_t len = strlen(what);

    for (size_t i = 0; i + len <= text.len; i++) {
        if (memcmp(text.at + i, what, len) == 0)
            return true;
    }
    return false;
}

#define RIG_BODY(text)           \
    {                            \
        (text), sizeof(text) - 1 \
    }
#define TOLD(t, want) CHECK_BYTES((t)->text, (t)->len, want)
#define SAYS(text, want) CHECK_BYTES((text), strlen(text), want)

#endif

/* A text that makes the model answer for other items of its call gets nothing
 * but its own answer: ids are random for each call, and of two answers for one
 * id none counts. */
#include <stdlib.h>

#include "engine/base/hash.h"
#include "engine/call.h"
#include "engine/sim/pseudo.h"
#include "engine/sim/world.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

enum { GUESSES = 150, IDS = 4096 };

/* Between the engine and a model that does as it is told by a text. */
struct fool {
    struct asbi_transport transport;
    struct asbi_transport *inner;
    const struct asbi_exchange_ops *engine;
    struct asbi_buf body;
    bool knows; /* the ids of its neighbours, which it cannot */
    char ids[IDS][ASBI_WIRE_ID_MAX];
    size_t id_count, calls;
};

static struct fool fool; /* exchanges have no place for it */

static void on_status(struct asbi_exchange *x, int status)
{
    fool.engine->on_status(x, status);
}

static void on_header(struct asbi_exchange *x, asbi_str name, asbi_str value)
{
    fool.engine->on_header(x, name, value);
}

static int on_body(struct asbi_exchange *x, const char *at, size_t len)
{
    (void)x;
    asbi_buf_add(&fool.body, at, len);
    return 0;
}

static void put_mine(struct asbi_buf *out, const char *id)
{
    asbi_buf_fmt(out, "{\\\"id\\\":\\\"%s\\\",\\\"output\\\":\\\"mine\\\"},",
                 id);
}

static void put_guesses(struct asbi_buf *out, const struct asbi_call *call)
{
    char id[32];

    for (int i = 0; i < GUESSES; i++) {
        (void)snprintf(id, sizeof(id), "%d", 100000 + i * 6007 % 900000);
        put_mine(out, id);
    }
    for (size_t i = 0; fool.knows && i < call->count; i++)
        put_mine(out, call->entries[i].wire_id);
}

/* The answer with more answers before it. */
static void on_end(struct asbi_exchange *x, const struct asbi_exchange_end *end)
{
    static const char items[] = "{\\\"items\\\":[";
    const struct asbi_call *call = ASBI_OF(x, struct asbi_call, exchange);
    const char *body = asbi_buf_cstr(&fool.body);
    const char *at = strstr(body, items);
    struct asbi_buf out;

    x->ops = fool.engine;
    asbi_buf_init(&out, &asbi_mem_system, 1 << 24);
    if (at && call->count > 1) {
        asbi_buf_add(&out, body, (size_t)(at - body) + sizeof(items) - 1);
        put_guesses(&out, call);
        asbi_buf_c(&out, at + sizeof(items) - 1);
    } else {
        asbi_buf_c(&out, body);
    }
    CHECK_INT(fool.engine->on_body(x, out.data, out.len), ==, 0);
    asbi_buf_fini(&out);
    asbi_buf_clear(&fool.body);
    fool.engine->on_end(x, end);
}

static int start(struct asbi_transport *t, struct asbi_exchange *x)
{
    static const struct asbi_exchange_ops ops = { on_status, on_header, on_body,
                                                  on_end };

    (void)t;
    fool.engine = x->ops;
    x->ops = &ops;
    return fool.inner->ops->start(fool.inner, x);
}

static void cancel(struct asbi_transport *t, struct asbi_exchange *x)
{
    (void)t;
    fool.inner->ops->cancel(fool.inner, x);
}

static void forget(struct asbi_transport *t, struct asbi_endpoint *e)
{
    (void)t;
    fool.inner->ops->forget(fool.inner, e);
}

static void free_transport(struct asbi_transport *t)
{
    (void)t;
    fool.inner->ops->free(fool.inner);
}

static void note_ids(void *arg, const struct asbi_call *call)
{
    (void)arg;
    fool.calls++;
    for (size_t i = 0; i < call->count; i++) {
        const struct asbi_call_entry *e = &call->entries[i];

        CHECK_INT(e->wire_id_len, ==, 6);
        CHECK(fool.id_count < IDS);
        (void)snprintf(fool.ids[fool.id_count++], ASBI_WIRE_ID_MAX, "%.6s",
                       e->wire_id);
    }
}

static void play(struct sim_run *r, uint64_t seed, bool knows)
{
    static const struct asbi_transport_ops ops = { start, cancel, forget,
                                                   free_transport };

    memset(&fool, 0, sizeof(fool));
    asbi_buf_init(&fool.body, &asbi_mem_system, 1 << 24);
    fool.knows = knows;
    sim_run_init(r, seed);
    sim_run_set(r, "batch_size", "20");
    sim_run_set(r, "stream", "off");
    sim_run_set(r, "workers", "1"); /* one body at a time */
    sim_run_start(r);
    CHECK_INT(r->rc, ==, ASB_OK);
    fool.transport = (struct asbi_transport){ &ops, 1 };
    fool.inner = r->world->transport;
    r->world->transport = &fool.transport;
    r->engine->watch.on_send = note_ids;
    sim_run_play(r);
    CHECK(r->finished);
    asbi_buf_fini(&fool.body);
}

/* Its own answer, or a failure that says why. */
static void check_answers(const struct sim_run *r)
{
    struct asbi_buf text, own;

    asbi_buf_init(&text, &asbi_mem_system, 4096);
    asbi_buf_init(&own, &asbi_mem_system, 4096);
    for (size_t i = 0; i < r->items; i++) {
        const struct sim_answer *a = &r->answers[i];

        asbi_buf_clear(&text);
        asbi_buf_clear(&own);
        asbi_buf_fmt(&text, "Sentence number %zu of {name}.", i);
        asbi_sim_pseudo(asbi_buf_view(&text), 0, &own);
        CHECK_INT(a->callbacks, ==, 1);
        CHECK(a->ok);
        CHECK(a->output_hash == asbi_hash64(own.data, own.len, 0));
    }
    asbi_buf_fini(&text);
    asbi_buf_fini(&own);
}

static void guessed_ids_answer_for_nobody(void)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim_run r;

        play(&r, seed, false);
        check_answers(&r);
        CHECK_INT(r.stats.calls, <=, 14); /* hardly anything is asked again */
        sim_run_end(&r);
    }
}

static void even_known_ids_answer_for_nobody(void)
{
    struct sim_run r;

    play(&r, 1, true);
    check_answers(&r);
    CHECK_INT(r.stats.items_retried, ==, r.items);
    sim_run_end(&r);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* 200 of 900,000 numbers: a few may be drawn twice, in two calls. */
static void ids_are_new_for_each_call(void)
{
    struct sim_run r;
    size_t twice = 0;

    play(&r, 3, false);
    qsort(fool.ids, fool.id_count, sizeof(fool.ids[0]), by_text);
    for (size_t i = 1; i < fool.id_count; i++)
        twice += strcmp(fool.ids[i - 1], fool.ids[i]) == 0;
    CHECK_INT(fool.id_count, >=, r.items);
    CHECK_INT(twice, <=, 2);
    sim_run_end(&r);
}

TEST_MAIN(CASE(guessed_ids_answer_for_nobody),
          CASE(even_known_ids_answer_for_nobody),
          CASE(ids_are_new_for_each_call))

#include "engine/sim/world.h"

#include "engine/base/units.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

#define BODY                                                                   \
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Save\"}]" \
    "}"

enum { MANY = 40 };

/* One exchange and what was told of it. */
struct probe {
    struct asbi_exchange x; /* first */
    struct world_rig *rig;
    unsigned statuses, headers, ends;
    int status;
    char body[2048];
    size_t len, pieces;
    size_t refuse_at; /* on_body() says stop at so many bytes; 0: never */
    bool cancel_in_body;
    unsigned again; /* so often it is started anew in on_end() */
    struct asbi_exchange_end end;
};

struct world_rig {
    struct asbi_world *w;
    struct fault_mem mem;
    struct asbi_endpoint chat;
    struct probe probes[MANY];
    unsigned turns;
    uint64_t last_turn_ns;
    bool outside; /* a callback now would be one from inside start/cancel */
};

static struct probe *of(struct asbi_exchange *x)
{
    return (struct probe *)(void *)x;
}

static void on_status(struct asbi_exchange *x, int status)
{
    CHECK(!of(x)->rig->outside);
    of(x)->status = status;
    of(x)->statuses++;
}

static void on_header(struct asbi_exchange *x, asbi_str name, asbi_str value)
{
    CHECK(name.len && value.at);
    of(x)->headers++;
}

static int on_body(struct asbi_exchange *x, const char *at, size_t len)
{
    struct probe *p = of(x);

    CHECK(len > 0 && p->statuses == 1);
    CHECK(p->len + len < sizeof(p->body));
    memcpy(p->body + p->len, at, len);
    p->len += len;
    p->pieces++;
    if (p->cancel_in_body)
        p->rig->w->transport->ops->cancel(p->rig->w->transport, x);
    return p->refuse_at && p->len >= p->refuse_at;
}

static void on_end(struct asbi_exchange *x, const struct asbi_exchange_end *end)
{
    CHECK(!of(x)->rig->outside);
    of(x)->end = *end;
    of(x)->ends++;
    if (of(x)->again == 0)
        return;
    of(x)->again--;
    of(x)->len = of(x)->statuses = 0;
    struct asbi_transport *t = of(x)->rig->w->transport;
    CHECK_INT(t->ops->start(t, x), ==, ASB_OK);
}

static const struct asbi_exchange_ops ops = { on_status, on_header, on_body,
                                              on_end };

static void on_turn(void *arg)
{
    struct world_rig *r = arg;

    CHECK(!r->outside);
    r->turns++;
    r->last_turn_ns = asbi_now(r->w);
}

static const char *const headers[] = { "Content-Type: application/json", NULL };

static struct world_rig *rig_new(uint64_t seed,
                                 const struct asbi_sim_options *options)
{
    struct world_rig *r = calloc(1, sizeof(*r));

    CHECK(r);
    fault_mem_init(&r->mem, 0);
    CHECK_INT(asbi_sim_world_new(&r->mem.mem, seed, options, &r->w), ==,
              ASB_OK);
    r->w->on_turn = on_turn;
    r->w->arg = r;
    r->chat = (struct asbi_endpoint){
        .method = "POST",
        .url = "http://sim/v1/chat/completions",
        .headers = headers,
    };
    for (int i = 0; i < MANY; i++) {
        r->probes[i].rig = r;
        r->probes[i].x = (struct asbi_exchange){
            .endpoint = &r->chat,
            .ops = &ops,
            .body = BODY,
            .body_len = sizeof(BODY) - 1,
            .limits = { .max_header_bytes = 4096, .max_body_bytes = 4096 },
        };
    }
    return r;
}

static void rig_free(struct world_rig *r)
{
    r->w->ops->free(r->w);
    CHECK_INT(r->mem.live, ==, 0);
    free(r);
}

static struct probe *start(struct world_rig *r, int i)
{
    r->outside = true;
    CHECK_INT(r->w->transport->ops->start(r->w->transport, &r->probes[i].x), ==,
              ASB_OK);
    r->outside = false;
    return &r->probes[i];
}

static void cancel(struct world_rig *r, struct probe *p)
{
    r->outside = true;
    r->w->transport->ops->cancel(r->w->transport, &p->x);
    r->outside = false;
}

static void run(struct world_rig *r)
{
    CHECK(asbi_sim_world_run(r->w, NULL, NULL, 1000000));
    CHECK_INT(asbi_sim_world_pending(r->w), ==, 0);
}

static bool has_ended(void *arg)
{
    return ((struct probe *)arg)->ends > 0;
}

static struct asbi_sim_options slow_model(uint64_t base_ns)
{
    return (struct asbi_sim_options){ .latency = { .base_ns = base_ns } };
}

/* ---- exchanges -------------------------------------------------------- */

static void an_exchange_takes_the_models_time(void)
{
    struct asbi_sim_options o = slow_model(3 * ASBI_SECOND);
    o.network.round_trip_ns = 40 * ASBI_MS;
    struct world_rig *r = rig_new(1, &o);
    uint64_t from = asbi_now(r->w);
    struct probe *p = start(r, 0);

    CHECK_INT(p->ends, ==, 0);
    run(r);
    CHECK_INT(p->ends, ==, 1);
    CHECK_INT(p->end.outcome, ==, ASBI_COMPLETE);
    CHECK_INT(p->end.status, ==, 200);
    CHECK_INT(p->status, ==, 200);
    CHECK(p->headers > 1);
    CHECK(strstr(p->body, "Šáṽé"));
    CHECK(p->pieces > 1); /* split at random points */
    CHECK_INT(p->end.started_ns, ==, from);
    CHECK_INT(p->end.ended_ns - from, ==, 3060 * ASBI_MS);
    CHECK_INT(p->end.ended_ns, ==, asbi_now(r->w));
    CHECK(r->w->ops->wall_ms(r->w) > 1600000000000);
    rig_free(r);
}

static void unequal_seeds_split_unequally(void)
{
    struct asbi_sim_options o = slow_model(0);
    struct world_rig *a = rig_new(1, &o), *b = rig_new(2, &o);
    unsigned differing = 0;

    for (int i = 0; i < MANY; i++) {
        start(a, i);
        start(b, i);
    }
    run(a);
    run(b);
    for (int i = 0; i < MANY; i++) {
        CHECK_INT(a->probes[i].len, ==, b->probes[i].len);
        differing += a->probes[i].pieces != b->probes[i].pieces;
    }
    CHECK(differing > MANY / 3);
    rig_free(a);
    rig_free(b);
}

/* A run with everything in it; returns its trace. */
static uint64_t eventful_run(uint64_t seed)
{
    struct asbi_sim_options o = {
        .latency = { .base_ns = ASBI_SECOND, .sigma = 0.5 },
        .capacity = 7,
        .rpm = 30,
        .error_rate = 0.1,
        .garbage_rate = 0.1,
        .disconnect_rate = 0.1,
        .seed = 5,
        .network = { 50 * ASBI_MS, 0.1, 0.2, 0.2 },
    };
    struct world_rig *r = rig_new(seed, &o);

    for (int i = 0; i < MANY; i++) {
        r->probes[i].x.limits.total_ns = 9 * ASBI_SECOND;
        start(r, i);
        if (i % 5 == 0)
            r->w->ops->arm(r->w, asbi_now(r->w) + (uint64_t)i * ASBI_MS);
    }
    cancel(r, &r->probes[3]);
    run(r);
    for (int i = 0; i < MANY; i++)
        CHECK_INT(r->probes[i].ends, ==, i != 3);
    uint64_t trace = asbi_sim_world_trace(r->w);
    rig_free(r);
    return trace;
}

static void the_same_seed_gives_the_same_trace(void)
{
    for (uint64_t seed = 0; seed < 10; seed++)
        CHECK(eventful_run(seed) == eventful_run(seed));
    CHECK(eventful_run(1) != eventful_run(2));
}

static void an_exchange_may_be_used_again_in_its_end(void)
{
    struct asbi_sim_options o = slow_model(ASBI_SECOND);
    struct world_rig *r = rig_new(1, &o);
    struct probe *p = &r->probes[0];
    uint64_t from = asbi_now(r->w);

    p->again = 3;
    start(r, 0);
    run(r);
    CHECK_INT(p->ends, ==, 4);
    CHECK_INT(p->end.outcome, ==, ASBI_COMPLETE);
    CHECK_INT(p->end.ended_ns - from, ==, 4 * ASBI_SECOND);
    CHECK_INT(asbi_sim_world_stats(r->w)->calls, ==, 4);
    rig_free(r);
}

/* ---- limits ----------------------------------------------------------- */

static struct probe run_with(struct asbi_exchange_limits limits,
                             const struct asbi_sim_options *o, uint64_t *took)
{
    struct world_rig *r = rig_new(1, o);
    uint64_t from = asbi_now(r->w);
    struct probe *p = start(r, 0);

    /* Before start() in the engine; the first events are still to come. */
    cancel(r, p);
    p->x.limits = limits;
    start(r, 0);
    CHECK(asbi_sim_world_run(r->w, has_ended, p, 100000));
    *took = asbi_now(r->w) - from;
    run(r);
    CHECK_INT(p->ends, ==, 1);
    struct probe copy = *p;
    rig_free(r);
    return copy;
}

static void time_limits_hold_to_the_nanosecond(void)
{
    struct asbi_sim_options o = slow_model(10 * ASBI_SECOND);
    struct asbi_exchange_limits l = { .max_header_bytes = 4096,
                                      .max_body_bytes = 4096 };
    uint64_t took;

    o.network.round_trip_ns = 100 * ASBI_MS;
    l.total_ns = ASBI_SECOND;
    struct probe p = run_with(l, &o, &took);
    CHECK_INT(p.end.outcome, ==, ASBI_TIMED_OUT);
    CHECK_INT(took, ==, ASBI_SECOND);
    CHECK_INT(p.end.status, ==, 0);

    l.total_ns = 0;
    l.first_byte_ns = 2 * ASBI_SECOND;
    p = run_with(l, &o, &took);
    CHECK_INT(p.end.outcome, ==, ASBI_TIMED_OUT);
    CHECK_INT(took, ==, 2 * ASBI_SECOND);

    l.first_byte_ns = 0;
    l.connect_ns = 99 * ASBI_MS;
    p = run_with(l, &o, &took);
    CHECK_INT(p.end.outcome, ==, ASBI_NOT_SENT);
    CHECK(p.end.unreachable);
    CHECK_INT(took, ==, 99 * ASBI_MS);

    l.connect_ns = 101 * ASBI_MS;
    p = run_with(l, &o, &took);
    CHECK_INT(p.end.outcome, ==, ASBI_COMPLETE);
}

static void a_stalled_answer_is_given_up(void)
{
    struct asbi_sim_options o = slow_model(ASBI_SECOND);
    struct asbi_exchange_limits l = { .stall_ns = 5 * ASBI_MS,
                                      .max_header_bytes = 4096,
                                      .max_body_bytes = 4096 };
    uint64_t took;

    o.network.slow_rate = 1;
    struct probe p = run_with(l, &o, &took);
    CHECK_INT(p.end.outcome, ==, ASBI_TIMED_OUT);
    CHECK_INT(p.end.status, ==, 200);
    CHECK(p.end.first_byte_ns > 0);
    l.stall_ns = 3 * ASBI_SECOND;
    p = run_with(l, &o, &took);
    CHECK_INT(p.end.outcome, ==, ASBI_COMPLETE);
    CHECK(took > 1010 * ASBI_MS);
}

static void sizes_hold(void)
{
    struct asbi_sim_options o = slow_model(0);
    struct asbi_exchange_limits l = { .max_header_bytes = 4096,
                                      .max_body_bytes = 4096 };
    uint64_t took;
    size_t len = run_with(l, &o, &took).len;

    l.max_body_bytes = len;
    CHECK_INT(run_with(l, &o, &took).end.outcome, ==, ASBI_COMPLETE);
    l.max_body_bytes = len - 1;
    struct probe p = run_with(l, &o, &took);
    CHECK_INT(p.end.outcome, ==, ASBI_TOO_LARGE);
    CHECK(p.len <= len - 1);
    l.max_header_bytes = 50;
    p = run_with(l, &o, &took);
    CHECK_INT(p.end.outcome, ==, ASBI_TOO_LARGE);
    CHECK_INT(p.headers + p.len, ==, 0);
}

static void a_reader_may_refuse(void)
{
    struct asbi_sim_options o = slow_model(0);
    struct world_rig *r = rig_new(1, &o);
    struct probe *p = &r->probes[0];

    p->refuse_at = 1;
    start(r, 0);
    run(r);
    CHECK_INT(p->end.outcome, ==, ASBI_REFUSED);
    CHECK_INT(p->pieces, ==, 1);
    CHECK_INT(p->ends, ==, 1);
    rig_free(r);
}

/* ---- cancelling ------------------------------------------------------- */

static void who_cancels_hears_no_more_but_pays(void)
{
    struct asbi_sim_options o = slow_model(ASBI_SECOND);
    struct world_rig *r = rig_new(1, &o);
    struct probe *p = start(r, 0), *early = start(r, 1);

    cancel(r, early); /* before it is connected: never asked for */
    CHECK(asbi_sim_world_step(r->w));
    cancel(r, p);
    cancel(r, p); /* nothing to cancel any more */
    run(r);
    CHECK_INT(p->ends + p->statuses, ==, 0);
    CHECK_INT(early->ends, ==, 0);
    CHECK_INT(asbi_sim_world_stats(r->w)->items, ==, 1);
    CHECK(asbi_sim_world_stats(r->w)->billed_nano_usd > 0);
    rig_free(r);
}

static void who_cancels_while_waiting_does_not_pay(void)
{
    struct asbi_sim_options o = slow_model(ASBI_SECOND);
    o.capacity = 1;
    struct world_rig *r = rig_new(1, &o);
    struct probe *first = start(r, 0), *second = start(r, 1);

    while (asbi_sim_world_stats(r->w)->waiting == 0)
        CHECK(asbi_sim_world_step(r->w));
    cancel(r, second);
    run(r);
    CHECK_INT(first->ends, ==, 1);
    CHECK_INT(second->ends, ==, 0);
    CHECK_INT(asbi_sim_world_stats(r->w)->items, ==, 1);
    rig_free(r);
}

static void a_reader_may_cancel_itself(void)
{
    struct asbi_sim_options o = slow_model(ASBI_SECOND);
    struct world_rig *r = rig_new(1, &o);
    struct probe *p = &r->probes[0];

    p->cancel_in_body = true;
    start(r, 0);
    run(r);
    CHECK_INT(p->pieces, ==, 1);
    CHECK_INT(p->ends, ==, 0);
    rig_free(r);
}

/* ---- the network ------------------------------------------------------ */

static void a_refused_connection_reaches_nobody(void)
{
    struct asbi_sim_options o = { .network = { .refuse_rate = 1 } };
    struct world_rig *r = rig_new(1, &o);
    struct probe *p = start(r, 0);

    run(r);
    CHECK_INT(p->end.outcome, ==, ASBI_NOT_SENT);
    CHECK(p->end.unreachable);
    CHECK_INT(asbi_sim_world_stats(r->w)->calls, ==, 0);
    rig_free(r);
}

static void a_cut_connection_is_cut_anywhere(void)
{
    struct asbi_sim_options o = { .network = { .cut_rate = 1 } };
    struct world_rig *r = rig_new(1, &o);
    unsigned cut = 0, unanswered = 0;

    for (int i = 0; i < MANY; i++)
        start(r, i);
    run(r);
    for (int i = 0; i < MANY; i++) {
        struct probe *p = &r->probes[i];
        CHECK_INT(p->ends, ==, 1);
        cut += p->end.outcome == ASBI_CUT;
        unanswered += p->end.outcome == ASBI_UNANSWERED;
        CHECK_INT(p->statuses, ==, p->end.outcome == ASBI_CUT);
    }
    uint64_t calls = asbi_sim_world_stats(r->w)->calls;
    CHECK_INT(cut + unanswered, ==, MANY);
    CHECK(cut > 5 && unanswered > 10);
    CHECK(calls > cut && calls < MANY); /* some lost on the way, some back */
    rig_free(r);
}

static void the_providers_disconnects_are_seen(void)
{
    struct asbi_sim_options o = { .disconnect_rate = 1 };
    struct world_rig *r = rig_new(1, &o);
    unsigned cut = 0;

    for (int i = 0; i < MANY; i++)
        start(r, i);
    run(r);
    for (int i = 0; i < MANY; i++) {
        enum asbi_outcome outcome = r->probes[i].end.outcome;
        cut += outcome == ASBI_CUT;
        CHECK(outcome == ASBI_CUT || outcome == ASBI_UNANSWERED);
    }
    CHECK(cut > MANY / 2 && cut < MANY);
    CHECK_INT(asbi_sim_world_stats(r->w)->disconnects, ==, MANY);
    rig_free(r);
}

static void no_more_than_the_capacity_is_carried(void)
{
    struct asbi_sim_options o = slow_model(ASBI_SECOND);
    struct world_rig *r = rig_new(1, &o);
    struct asbi_transport *t = r->w->transport;

    t->capacity = 2;
    start(r, 0);
    start(r, 1);
    CHECK_INT(t->ops->start(t, &r->probes[2].x), ==, ASB_EFULL);
    cancel(r, &r->probes[0]);
    start(r, 2);
    run(r);
    CHECK_INT(r->probes[2].ends, ==, 1);
    rig_free(r);
}

/* ---- the engine's timer ----------------------------------------------- */

static void the_timer_turns_at_its_time(void)
{
    struct asbi_sim_options o = { 0 };
    struct world_rig *r = rig_new(1, &o);
    uint64_t now = asbi_now(r->w);

    r->w->ops->arm(r->w, now + 5);
    r->w->ops->arm(r->w, now + 9); /* replaces it */
    run(r);
    CHECK_INT(r->turns, ==, 1);
    CHECK_INT(r->last_turn_ns, ==, now + 9);
    r->w->ops->arm(r->w, now + 20);
    r->w->ops->arm(r->w, ASBI_NEVER);
    run(r);
    CHECK_INT(r->turns, ==, 1);
    r->w->ops->arm(r->w, 1); /* long past: now */
    run(r);
    CHECK_INT(r->turns, ==, 2);
    CHECK_INT(r->last_turn_ns, ==, now + 9);
    rig_free(r);
}

static void a_wake_turns_once_and_at_once(void)
{
    struct asbi_sim_options o = { 0 };
    struct world_rig *r = rig_new(1, &o);
    uint64_t now = asbi_now(r->w);

    r->w->ops->arm(r->w, now + ASBI_SECOND);
    r->w->ops->wake(r->w);
    r->w->ops->wake(r->w);
    CHECK_INT(r->turns, ==, 0);
    CHECK(asbi_sim_world_step(r->w));
    CHECK_INT(r->turns, ==, 1);
    CHECK_INT(r->last_turn_ns, ==, now);
    run(r);
    CHECK_INT(r->turns, ==, 2);
    rig_free(r);
}

/* ---- ends ------------------------------------------------------------- */

static void a_world_may_end_with_everything_under_way(void)
{
    struct asbi_sim_options o = slow_model(ASBI_SECOND);
    o.capacity = 4;
    o.network.round_trip_ns = ASBI_MS;

    for (int steps = 0; steps < 60; steps++) {
        struct world_rig *r = rig_new(1, &o);

        for (int i = 0; i < 10; i++)
            start(r, i);
        r->w->ops->arm(r->w, ASBI_SECOND * 100);
        r->w->ops->wake(r->w);
        for (int i = 0; i < steps; i++)
            (void)asbi_sim_world_step(r->w);
        cancel(r, &r->probes[steps % 10]);
        rig_free(r);
    }
}

static int short_life(const struct asbi_mem *mem, void *arg)
{
    static struct world_rig r; /* its probes alone are used */
    struct asbi_sim_options o = { .capacity = 1 };
    struct asbi_world *w;
    int rc = asbi_sim_world_new(mem, 1, &o, &w);

    (void)arg;
    if (rc)
        return rc;
    memset(&r, 0, sizeof(r));
    r.chat = (struct asbi_endpoint){ .method = "POST",
                                     .url = "http://sim/v1/chat/completions",
                                     .headers = headers };
    for (int i = 0; !rc && i < 10; i++) {
        r.probes[i].rig = &r;
        r.probes[i].x =
            (struct asbi_exchange){ .endpoint = &r.chat,
                                    .ops = &ops,
                                    .body = BODY,
                                    .body_len = sizeof(BODY) - 1,
                                    .limits = { .max_header_bytes = 4096,
                                                .max_body_bytes = 4096 } };
        rc = w->transport->ops->start(w->transport, &r.probes[i].x);
    }
    CHECK(asbi_sim_world_run(w, NULL, NULL, 100000));
    for (int i = 0; !rc && i < 10; i++) {
        CHECK_INT(r.probes[i].ends, ==, 1);
        if (r.probes[i].end.outcome != ASBI_COMPLETE)
            rc = ASB_ENOMEM;
    }
    w->ops->free(w);
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep(short_life, NULL), >, 0);
}

TEST_MAIN(CASE(an_exchange_takes_the_models_time),
          CASE(unequal_seeds_split_unequally),
          CASE(the_same_seed_gives_the_same_trace),
          CASE(an_exchange_may_be_used_again_in_its_end),
          CASE(time_limits_hold_to_the_nanosecond),
          CASE(a_stalled_answer_is_given_up), CASE(sizes_hold),
          CASE(a_reader_may_refuse), CASE(who_cancels_hears_no_more_but_pays),
          CASE(who_cancels_while_waiting_does_not_pay),
          CASE(a_reader_may_cancel_itself),
          CASE(a_refused_connection_reaches_nobody),
          CASE(a_cut_connection_is_cut_anywhere),
          CASE(the_providers_disconnects_are_seen),
          CASE(no_more_than_the_capacity_is_carried),
          CASE(the_timer_turns_at_its_time),
          CASE(a_wake_turns_once_and_at_once),
          CASE(a_world_may_end_with_everything_under_way),
          CASE(every_failed_allocation_is_survived))

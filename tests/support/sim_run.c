#include "tests/support/sim_run.h"

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/sim/world.h"
#include "tests/support/check.h"

enum { MOST_STEPS = 2000000 };

/* What a callback is for. */
struct told {
    struct sim_run *run;
    size_t index;
};

void sim_run_init(struct sim_run *r, uint64_t seed)
{
    *r = (struct sim_run){ .seed = seed, .items = 200 };
    r->provider.seed = seed;
    r->provider.latency.base_ns = 50 * ASBI_MS;
    r->provider.network.round_trip_ns = ASBI_MS;
}

void sim_run_set(struct sim_run *r, const char *name, const char *value)
{
    size_t i = 0;

    while (r->options[i][0] && strcmp(r->options[i][0], name) != 0)
        i++;
    CHECK_INT(i + 1, <, sizeof(r->options) / sizeof(r->options[0]));
    r->options[i][0] = name;
    r->options[i][1] = value;
}

static int set_options(struct sim_run *r, struct asb_options *o)
{
    struct asb_message why;
    int rc = asb_options_set(o, "base_url", "http://sim.test/v1", ASB_FROM_HOST,
                             &why);

    if (!rc)
        rc = asb_options_set(o, "target_lang", "fr", ASB_FROM_HOST, &why);
    for (size_t i = 0; !rc && r->options[i][0]; i++) {
        rc = asb_options_set(o, r->options[i][0], r->options[i][1],
                             ASB_FROM_HOST, &why);
        if (rc)
            check_fail(__FILE__, __LINE__, "%s", why.text);
    }
    return rc;
}

void sim_run_start(struct sim_run *r)
{
    struct asb_options *options = asb_options_new();
    struct asbi_log log = { r->log, r->log_arg };
    struct asbi_task_material material = { .target_lang = "fr",
                                           .labels = asbi_str_c(r->labels),
                                           .instructions =
                                               asbi_str_c(r->instructions) };

    CHECK(options != NULL);
    CHECK_INT(set_options(r, options), ==, ASB_OK);
    r->answers = calloc(r->items, sizeof(*r->answers));
    r->told = calloc(r->items, sizeof(struct told));
    CHECK(r->answers != NULL && r->told != NULL);
    fault_mem_init(&r->mem, r->fail_at);
    r->engine = asbi_engine_alloc(&r->mem.mem, &log);
    r->rc = r->engine ? ASB_OK : ASB_ENOMEM;
    if (r->engine)
        r->engine->media.place = r->place;
    if (!r->rc)
        r->rc = asbi_sim_world_new(&r->engine->mem, r->seed, &r->provider,
                                   &r->world);
    if (!r->rc && r->equip && (r->rc = r->equip(r)))
        r->engine->world = r->world; /* to be freed with it */
    if (!r->rc)
        r->rc = asbi_engine_init(r->engine, r->world, options,
                                 asbi_str_of("", 0), &material, r->store, NULL);
    else if (r->store)
        r->store->ops->free(r->store);
    asb_options_free(options);
}

static void on_done(struct asb_engine *e, const struct asb_result *result,
                    void *arg)
{
    struct sim_run *r = ((struct told *)arg)->run;
    struct sim_answer *a = &r->answers[((struct told *)arg)->index];

    (void)e;
    a->callbacks++;
    a->ok = result->ok;
    a->retryable = result->retryable;
    a->attempts = result->attempts;
    a->order = r->answered;
    a->at_ns = asbi_now(r->world);
    a->cost = result->cost_nano_usd;
    a->saved = result->saved_nano_usd;
    a->source = result->source;
    (void)snprintf(a->route, sizeof(a->route), "%s",
                   result->route ? result->route : "");
    a->output_len = result->output.len;
    a->output_hash = asbi_hash64(result->output.at, result->output.len, 0);
    (void)snprintf(a->code, sizeof(a->code), "%s",
                   result->error_code ? result->error_code : "");
    r->answered++;
}

bool sim_run_submit(struct sim_run *r)
{
    char room[512], more[512], id[32];
    size_t i = r->submitted;
    struct told *told = &((struct told *)r->told)[i];
    const char *text = room;

    *told = (struct told){ r, i };
    (void)snprintf(id, sizeof(id), "item-%zu", i);
    (void)snprintf(room, sizeof(room), "Sentence number %zu of {name}.", i);
    if (r->text)
        text = r->text(i, room, sizeof(room));
    struct asb_request request = { .size = sizeof(request),
                                   .id = asbi_str_c(id),
                                   .text = asbi_str_c(text),
                                   .deadline_ms = r->deadline_ms };

    if (r->fields)
        request.fields = asbi_str_c(r->fields(i, more, sizeof(more)));
    if (r->priority)
        request.priority = r->priority(i);
    if (r->tenant)
        request.tenant = asbi_str_c(r->tenant(i));
    if (asb_submit(r->engine, &request, on_done, told, NULL) == ASB_OK) {
        r->submitted++;
        return true;
    }
    return false;
}

void sim_run_play(struct sim_run *r)
{
    uint64_t start = asbi_now(r->world);
    bool more = true;

    for (size_t steps = 0; more && steps < MOST_STEPS; steps++) {
        while (r->submitted < r->items && asb_has_room(r->engine) &&
               sim_run_submit(r))
            ;
        if (r->submitted == r->items && !r->engine->draining)
            asb_drain(r->engine);
        /* A stopped engine takes no more. */
        if (r->engine->draining && asbi_engine_idle(r->engine))
            break;
        /* A refused submission is tried again. */
        more = asbi_sim_world_step(r->world) || r->submitted < r->items;
        if (r->on_step && !r->on_step(r, r->on_step_arg))
            break;
    }
    r->finished = r->answered == r->items;
    r->stats.size = sizeof(r->stats);
    asb_engine_stats(r->engine, &r->stats);
    r->served = *asbi_sim_world_stats(r->world);
    r->trace = asbi_sim_world_trace(r->world);
    r->virtual_ns = asbi_now(r->world) - start;
}

void sim_run_end(struct sim_run *r)
{
    CHECK(r->engine == NULL || asb_engine_free(r->engine) == ASB_OK);
    CHECK_INT(r->mem.live, ==, 0);
    free(r->answers);
    free(r->told);
    r->answers = NULL;
}

void sim_run_all(struct sim_run *r)
{
    sim_run_start(r);
    CHECK_INT(r->rc, ==, ASB_OK);
    sim_run_play(r);
    CHECK(r->finished);
    for (size_t i = 0; i < r->items; i++)
        CHECK_INT(r->answers[i].callbacks, ==, 1);
}

void sim_run_starve(void (*prepare)(struct sim_run *r), size_t dense)
{
    bool over = false;

    for (size_t n = 1; !over; n += 1 + n / dense) {
        struct sim_run r;

        prepare(&r);
        r.fail_at = n;
        sim_run_start(&r);
        if (!r.rc) {
            sim_run_play(&r);
            CHECK(r.finished);
        } else {
            CHECK_INT(r.rc, ==, ASB_ENOMEM);
        }
        over = r.mem.seen < n;
        CHECK(!over || !r.rc);
        sim_run_end(&r);
    }
}

size_t sim_run_ok(const struct sim_run *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->items; i++)
        n += r->answers[i].ok;
    return n;
}

size_t sim_run_from(const struct sim_run *r, enum asb_source source)
{
    size_t n = 0;

    for (size_t i = 0; i < r->items; i++)
        n += r->answers[i].ok && r->answers[i].source == source;
    return n;
}

int64_t sim_run_cost(const struct sim_run *r)
{
    int64_t sum = 0;

    for (size_t i = 0; i < r->items; i++)
        sum += r->answers[i].cost;
    return sum;
}

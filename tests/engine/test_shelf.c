/* Artefacts that are shared through the HTTP tier, in virtual time: the place
 * they are shared at is a few objects in memory. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/units.h"
#include "engine/cache_http.h"
#include "engine/sim/world.h"
#include "tests/support/check.h"
#include "tests/support/mem_artefacts.h"
#include "tests/support/sim_run.h"

#define BASE "http://shelf.example/films"

enum { FILMS = 3, FILM_BYTES = 20000, OBJECTS = 16, MOST_QUEUED = 32 };

/* ---- a place that outlives a run --------------------------------------- */

static struct object {
    char url[160];
    char *bytes;
    size_t len;
} objects[OBJECTS];

static int put_status; /* what PUT is answered; 0: it is not */
static unsigned gotten, written;

static struct object *object_of(const char *url)
{
    for (size_t i = 0; i < OBJECTS; i++) {
        if (!objects[i].bytes || strcmp(objects[i].url, url) == 0)
            return &objects[i];
    }
    CHECK_INT(OBJECTS, ==, 0); /* no room */
    return NULL;
}

static void forget_objects(const char *part)
{
    for (size_t i = 0; i < OBJECTS; i++) {
        if (!objects[i].bytes || !strstr(objects[i].url, part))
            continue;
        free(objects[i].bytes);
        memset(&objects[i], 0, sizeof(objects[i]));
    }
}

/* ---- on the way there: in place of the world's transport ---------------- */

static const struct asbi_transport_ops *real;
static struct asbi_transport_ops ops;
static struct asbi_world *world;
static unsigned full; /* so many times it has no room for a call */
static struct asbi_exchange *queue[MOST_QUEUED];

static bool is_ours(const struct asbi_endpoint *e)
{
    return e->url && strncmp(e->url, BASE, strlen(BASE)) == 0;
}

static int start(struct asbi_transport *t, struct asbi_exchange *x)
{
    size_t i = 0;

    if (!is_ours(x->endpoint) && full) {
        full--;
        world->ops->wake(world); /* as the end of another does */
        return ASB_EFULL;
    }
    if (!is_ours(x->endpoint))
        return real->start(t, x);
    while (i < MOST_QUEUED && queue[i])
        i++;
    CHECK(i < MOST_QUEUED);
    queue[i] = x;
    return ASB_OK;
}

static void cancel(struct asbi_transport *t, struct asbi_exchange *x)
{
    if (!is_ours(x->endpoint)) {
        real->cancel(t, x);
        return;
    }
    for (size_t i = 0; i < MOST_QUEUED; i++)
        queue[i] = queue[i] == x ? NULL : queue[i];
}

static void put_object(const struct asbi_exchange *x)
{
    struct object *o = object_of(x->endpoint->url);

    free(o->bytes);
    o->len = x->body_len;
    o->bytes = malloc(o->len);
    CHECK(o->bytes != NULL);
    memcpy(o->bytes, x->body, o->len);
    (void)snprintf(o->url, sizeof(o->url), "%s", x->endpoint->url);
}

static void answer(struct asbi_world *w, struct asbi_exchange *x)
{
    struct asbi_exchange_end end = { .outcome = ASBI_COMPLETE,
                                     .started_ns = asbi_now(w),
                                     .ended_ns = asbi_now(w) };
    const struct object *o = object_of(x->endpoint->url);
    bool writes = strcmp(x->endpoint->method, "PUT") == 0;

    written += writes;
    gotten += !writes;
    if (writes && put_status == 201)
        put_object(x);
    end.status = writes ? put_status : o->bytes ? 200 : 404;
    if (!end.status)
        end.outcome = ASBI_UNANSWERED;
    else
        x->ops->on_status(x, end.status);
    if (end.status == 200 && x->ops->on_body(x, o->bytes, o->len))
        end.outcome = ASBI_REFUSED;
    x->ops->on_end(x, &end);
}

static bool serve(struct sim_run *r, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < MOST_QUEUED; i++) {
        struct asbi_exchange *x = queue[i];

        queue[i] = NULL;
        if (x)
            answer(r->world, x);
    }
    return true;
}

/* ---- runs --------------------------------------------------------------- */

static struct mem_artefacts place;

static const char *scene(size_t i, char *room, size_t size)
{
    (void)snprintf(room, size, "scene %zu", i);
    return room;
}

static const char *request(size_t i, char *room, size_t size)
{
    (void)i;
    (void)snprintf(room, size, "{\"content_type\":\"video\",\"duration\":4}");
    return room;
}

static int equip(struct sim_run *r)
{
    const struct asbi_cache_http_options o = { .base_url = BASE,
                                               .surrogate_key = "",
                                               .token = ASBI_STR("t"),
                                               .budget_ns = ASBI_SECOND };

    memset(queue, 0, sizeof(queue));
    world = r->world;
    real = r->world->transport->ops;
    ops = *real;
    ops.start = start;
    ops.cancel = cancel;
    r->world->transport->ops = &ops;
    return asbi_cache_http_new(r->world, &o,
                               &r->engine->recall.remotes[ASBI_TIER_HTTP]);
}

/* A machine that shares nothing with others but that place. */
static void machine(struct sim_run *r)
{
    sim_run_init(r, 1);
    sim_run_set(r, "task", "video");
    sim_run_set(r, "model", "sim-video");
    sim_run_set(r, "job_pace", "1ms");
    r->items = FILMS;
    r->text = scene;
    r->fields = request;
    r->equip = equip;
    r->on_step = serve;
    r->provider.job_ns = r->provider.job_most_ns = ASBI_SECOND;
    r->provider.artefact_bytes = FILM_BYTES;
    mem_artefacts_fini(&place);
    mem_artefacts_init(&place);
    place.keeps = true;
    r->place = &place.place;
    gotten = written = 0;
    put_status = 201;
}

/* How many films another machine has to have made. */
static uint64_t jobs_of(void (*change)(struct sim_run *r))
{
    struct sim_run r;

    machine(&r);
    if (change)
        change(&r);
    sim_run_all(&r);
    CHECK_INT(sim_run_ok(&r), ==, FILMS);
    CHECK_INT(place.finished, ==, FILMS);
    CHECK_INT(r.stats.calls + sim_run_from(&r, ASB_CACHE), ==, FILMS);
    for (size_t i = 0; i < FILMS; i++)
        CHECK_INT(r.answers[i].cost + r.answers[i].saved, ==,
                  4 * ASBI_USD / 10);
    uint64_t calls = r.stats.calls;
    sim_run_end(&r);
    CHECK_INT(place.live, ==, 0);
    return calls;
}

static void end(void)
{
    forget_objects("");
    mem_artefacts_fini(&place);
    mem_artefacts_init(&place);
}

static void films_are_made_once_for_all_machines(void)
{
    CHECK_INT(jobs_of(NULL), ==, FILMS);
    CHECK_INT(written, ==, 2 * FILMS);
    CHECK_INT(jobs_of(NULL), ==, 0);
    CHECK_INT(written, ==, 0);
    CHECK_INT(gotten, ==, 2 * FILMS);
    end();
}

static void a_film_that_is_gone_is_made_and_shared_anew(void)
{
    (void)jobs_of(NULL);
    forget_objects("sha256-");
    CHECK_INT(jobs_of(NULL), ==, FILMS);
    CHECK_INT(jobs_of(NULL), ==, 0);
    end();
}

static void a_damaged_film_is_not_taken(void)
{
    (void)jobs_of(NULL);
    for (size_t i = 0; i < OBJECTS; i++) {
        if (objects[i].bytes && strstr(objects[i].url, "sha256-"))
            objects[i].bytes[7] ^= 1;
    }
    CHECK_INT(jobs_of(NULL), ==, FILMS);
    CHECK_INT(place.dropped, ==, FILMS);
    end();
}

static void refuse(struct sim_run *r)
{
    (void)r;
    put_status = 403;
}

static void stay_silent(struct sim_run *r)
{
    (void)r;
    put_status = 0;
}

static void a_place_that_takes_none_is_offered_no_more(void)
{
    CHECK_INT(jobs_of(refuse), ==, FILMS);
    CHECK_INT(written, ==, 1);
    CHECK_INT(jobs_of(stay_silent), ==, FILMS);
    CHECK_INT(written, ==, 3);
    CHECK_INT(jobs_of(NULL), ==, FILMS);
    end();
}

static unsigned warnings;

static void count_warnings(enum asb_log_level level, const char *line,
                           void *arg)
{
    (void)arg;
    warnings += level == ASB_LOG_WARN && strstr(line, "status 413") &&
                strstr(line, "client_max_body_size");
}

static void find_too_large(struct sim_run *r)
{
    put_status = 413;
    r->log = count_warnings;
}

static void what_is_too_large_is_offered_and_told_of_once(void)
{
    warnings = 0;
    CHECK_INT(jobs_of(find_too_large), ==, FILMS);
    CHECK_INT(written, ==, 1);
    CHECK_INT(warnings, ==, 1);
    end();
}

static void have_no_room(struct sim_run *r)
{
    (void)r;
    full = 5;
}

static void who_finds_no_room_to_be_sent_waits_for_it(void)
{
    CHECK_INT(jobs_of(have_no_room), ==, FILMS);
    CHECK_INT(full, ==, 0);
    end();
}

static void every_failed_allocation_is_survived(void)
{
    sim_run_starve(machine, 60); /* with what was shared before, and without */
    sim_run_starve(machine, SIZE_MAX);
    end();
}

TEST_MAIN(CASE(films_are_made_once_for_all_machines),
          CASE(a_film_that_is_gone_is_made_and_shared_anew),
          CASE(a_damaged_film_is_not_taken),
          CASE(a_place_that_takes_none_is_offered_no_more),
          CASE(what_is_too_large_is_offered_and_told_of_once),
          CASE(who_finds_no_room_to_be_sent_waits_for_it),
          CASE(every_failed_allocation_is_survived))

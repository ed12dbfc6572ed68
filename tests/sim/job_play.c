#include "tests/sim/job_play.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/call.h"
#include "engine/engine.h"
#include "engine/job_journal.h"
#include "engine/sim/world.h"
#include "tests/sim/audit.h"
#include "tests/sim/disk.h"
#include "tests/sim/ends.h"
#include "tests/sim/meter.h"
#include "tests/sim/rows.h"
#include "tests/support/mem_artefacts.h"

enum {
    MOST_STEPS = 300000,
    MOST_STEPS_OF_DAYS = 5000000, /* a job ticks while a batch takes its day */
    MOST_IDLE_STEPS = 20000,
    MOST_LIVES = 16
};

struct job_play {
    struct scenario scenario;
    struct disk disk;
    struct asbi_rng host;
    char folder[64], input[80], output[80];
    unsigned life;
    struct meter world_mem;
    struct asbi_world *world; /* outlives lives; NULL: it has not begun */
    struct asbi_world_ops world_ops; /* whose free() does nothing */
    const struct asbi_world_ops *real_ops;
    struct away away;
    int64_t billed; /* by the provider, in all lives */
    uint64_t trace, steps, virtual_ns, calls, deaths;
    struct asbi_buf before; /* the output when it was finished first */
    bool finished;

    /* -- of this life */
    struct meter mem;
    struct asb_engine *engine;
    struct mem_artefacts place;
    struct witness witness;
    struct asb_job *job;
    bool done, interrupted, died, locked;
    enum asb_exit status;
    char reason[300];
};

static void note(struct job_play *p, const void *at, size_t len)
{
    p->trace = asbi_hash64(at, len, p->trace);
}

/* ---- what the engine sends -------------------------------------------- */

static void on_start(void *arg, struct asbi_exchange *x)
{
    struct job_play *p = arg;
    const struct asbi_call *call = ASBI_OF(x, struct asbi_call, exchange);

    if (!disk_has_intent(&p->disk, call->number))
        witness_say(&p->witness,
                    "call %" PRIu64 " goes out before it is "
                    "durable that it will",
                    call->number);
    for (size_t i = 0; i < call->count; i++) {
        const struct asbi_item *item = call->entries[i].item;

        if (item && disk_has_answer(&p->disk, item->row))
            witness_say(&p->witness, "row %" PRIu64 " is asked for again",
                        item->row);
        if (item && item->row >= p->scenario.items)
            witness_say(&p->witness, "an item is of no row");
    }
    if (p->finished && p->status == ASB_EXIT_OK)
        witness_say(&p->witness, "a job that is done asks again");
    note(p, call->exchange.body, call->exchange.body_len);
}

static void on_job_done(struct asb_job *job, enum asb_exit status,
                        const char *reason, void *arg)
{
    struct job_play *p = arg;

    (void)job;
    if (p->done)
        witness_say(&p->witness, "a job is done twice");
    p->done = true;
    p->status = status;
    (void)snprintf(p->reason, sizeof(p->reason), "%s", reason);
    if (!reason[0])
        witness_say(&p->witness, "a job ends without a reason");
}

/* ---- files ------------------------------------------------------------ */

static bool make_files(struct job_play *p)
{
    struct asbi_buf rows;

    (void)snprintf(p->folder, sizeof(p->folder), "/tmp/asb-campaign-XXXXXX");
    if (!mkdtemp(p->folder))
        return false;
    (void)snprintf(p->input, sizeof(p->input), "%s/in.jsonl", p->folder);
    (void)snprintf(p->output, sizeof(p->output), "%s/out.jsonl", p->folder);
    asbi_buf_init(&rows, &asbi_mem_system, 1 << 24);
    rows_write(&p->scenario, &rows);
    FILE *f = fopen(p->input, "wb");
    bool ok = f && !asbi_buf_failed(&rows) &&
              fwrite(rows.data, 1, rows.len, f) == rows.len;
    ok = f && fclose(f) == 0 && ok;
    asbi_buf_fini(&rows);
    return ok;
}

static void remove_files(struct job_play *p)
{
    (void)unlink(p->input);
    (void)unlink(p->output);
    (void)rmdir(p->folder);
}

static void read_output(struct job_play *p, struct asbi_buf *out)
{
    char piece[65536];
    FILE *f = fopen(p->output, "rb");
    size_t n;

    asbi_buf_clear(out);
    while (f && (n = fread(piece, 1, sizeof(piece), f)) > 0)
        asbi_buf_add(out, piece, n);
    if (f)
        (void)fclose(f);
}

/* ---- a life ----------------------------------------------------------- */

static bool set_options(const struct job_play *p, struct asb_options *o)
{
    return scenario_set_options(&p->scenario, o) == ASB_OK &&
           !asb_options_set(o, "input", p->input, ASB_FROM_HOST, NULL) &&
           !asb_options_set(o, "output", p->output, ASB_FROM_HOST, NULL);
}

static void keep_world(struct asbi_world *w)
{
    (void)w;
}

/* The provider goes on with its work while nobody is there. */
static bool make_world(struct job_play *p)
{
    if (p->world)
        return true;
    meter_init(&p->world_mem, 0);
    away_listen(&p->away, &p->witness, &p->scenario);
    if (asbi_sim_world_new(&p->world_mem.mem, p->scenario.seed,
                           &p->scenario.provider, &p->world))
        return false;
    p->real_ops = p->world->ops;
    p->world_ops = *p->real_ops;
    p->world_ops.free = keep_world;
    p->world->ops = &p->world_ops;
    return true;
}

static void end_world(struct job_play *p)
{
    if (!p->world)
        return;
    p->virtual_ns = asbi_now(p->world);
    p->real_ops->free(p->world);
    if (p->world_mem.blocks)
        witness_say(&p->witness, "the world leaves %zu blocks of memory",
                    p->world_mem.blocks);
}

/* By the life alone: what a refused key leaves is for a later one. */
static bool is_locked(const struct job_play *p)
{
    struct asbi_rng r;

    asbi_rng_seed(&r, p->scenario.seed + UINT64_C(7919) * p->life);
    return p->life < p->scenario.lives &&
           asbi_rng_unit(&r) < p->scenario.locked;
}

static bool make_engine(struct job_play *p, const struct asb_options *options)
{
    struct asbi_task_material material = { .target_lang = "fr" };
    const struct asbi_log silent = { NULL, NULL };

    p->engine = asbi_engine_alloc(&p->mem.mem, &silent);
    if (!p->engine || !make_world(p) ||
        !witness_init(&p->witness, p->world, &p->scenario))
        return false;
    p->world->seed = p->scenario.seed + UINT64_C(1000003) * p->life;
    p->witness.on_start = on_start;
    p->witness.is_errand =
        p->scenario.way == SCENARIO_CALLS ? NULL : away_is_errand;
    p->witness.arg = p;
    if (p->scenario.way == SCENARIO_VIDEOS && p->scenario.seed % 2) {
        mem_artefacts_init(&p->place);
        p->engine->media.place = &p->place.place;
    }
    p->locked = is_locked(p);
    asbi_str key =
        p->scenario.locked > 0 && !p->locked ? ASBI_STR("key") : ASBI_STR("");
    return asbi_engine_init(p->engine, p->world, options, key, &material, NULL,
                            NULL) == ASB_OK;
}

static void begin_life(struct job_play *p)
{
    struct asb_options *options = asb_options_new();
    struct asb_message why = { .text = "" };

    p->done = p->interrupted = p->died = false;
    meter_init(&p->mem, p->scenario.seed);
    ends_begin(p->scenario.seed + p->life);
    bool ok = options && set_options(p, options) && make_engine(p, options);
    asb_options_free(options);
    if (!ok) {
        witness_say(&p->witness, "the engine cannot be made");
        return;
    }
    if (asb_job_new(p->engine, on_job_done, p, &p->job, &why) == ASB_OK)
        return;
    p->job = NULL;
    p->died = true; /* not even begun: as good as dead */
    if (!p->disk.dead && p->scenario.disk_fails <= 0)
        witness_say(&p->witness, "the job cannot be begun: %s", why.text);
}

/* The provider sees to its calls whether or not anybody is there to hear. */
static void settle(struct job_play *p)
{
    size_t steps = 0;

    while (asbi_sim_world_step(p->world) && ++steps < MOST_IDLE_STEPS)
        ;
    if (steps == MOST_IDLE_STEPS)
        witness_say(&p->witness, "timers go on for ever");
}

static void end_life(struct job_play *p)
{
    struct asb_stats stats = { .size = sizeof(stats) };

    asb_engine_stats(p->engine, &stats);
    p->calls += p->witness.started;
    if (p->died)
        ends_die();
    asb_job_free(p->job);
    p->job = NULL;
    asbi_engine_destroy(p->engine);
    p->world->on_turn = NULL;
    settle(p);
    p->billed = asbi_sim_world_stats(p->world)->billed_nano_usd;
    uint64_t trace = asbi_sim_world_trace(p->world);
    note(p, &trace, sizeof(trace));
    p->world->transport = p->witness.inner;
    if (p->mem.blocks)
        witness_say(&p->witness, "%zu blocks of memory are left",
                    p->mem.blocks);
    if (p->disk.odd[0])
        witness_say(&p->witness, "%s", p->disk.odd);
    witness_fini(&p->witness);
}

/* ---- what happens to it ----------------------------------------------- */

static bool chance(struct job_play *p, double rate)
{
    return rate > 0 && asbi_rng_unit(&p->host) < rate;
}

static void jump(struct job_play *p)
{
    uint64_t ns = asbi_rng_below(&p->host, 600) * ASBI_SECOND;
    int64_t wall_ms = (int64_t)asbi_rng_below(&p->host, 7200000) - 3600000;

    asbi_sim_world_jump(p->world, ns, wall_ms);
}

static void hurt(struct job_play *p)
{
    const struct scenario *s = &p->scenario;
    bool may_end = p->life < s->lives && !p->locked; /* ends soon anyway */

    if (p->disk.dead || (may_end && chance(p, s->die)))
        p->died = true;
    if (may_end && chance(p, s->interrupt) && !p->interrupted) {
        p->interrupted = true;
        asb_job_interrupt(p->job);
    }
    if (may_end && chance(p, s->write_fails))
        ends_fail(asbi_rng_below(&p->host, 2) ? ENOSPC : EPIPE);
    if (chance(p, s->flush))
        asb_flush(p->engine);
    if (chance(p, s->jump))
        jump(p);
}

/* Both ends are a little faster than the network, and sometimes not. */
static void live(struct job_play *p)
{
    uint64_t most =
        p->scenario.way == SCENARIO_BATCHES ? MOST_STEPS_OF_DAYS : MOST_STEPS;
    bool more = true;

    while (!p->done && !p->died && more && !p->witness.broken[0]) {
        unsigned turns = (unsigned)asbi_rng_below(&p->host, 4);
        bool moved = false;

        while (turns-- && !p->done)
            moved = ends_step() || moved;
        if (p->done)
            break;
        hurt(p);
        if (p->died)
            break;
        audit_engine(&p->witness, p->engine);
        more = asbi_sim_world_step(p->world) || moved || ends_step();
        if (++p->steps > most)
            witness_say(&p->witness, "no end after %" PRIu64 " events", most);
    }
    if (!more)
        witness_say(&p->witness, "nothing more happens");
}

/* ---- between two lives ------------------------------------------------ */

static bool is_whole(const struct job_play *p)
{
    return !p->died &&
           (p->status == ASB_EXIT_OK || p->status == ASB_EXIT_SOME_FAILED);
}

static void check_end(struct job_play *p)
{
    struct asbi_buf output;

    asbi_buf_init(&output, &asbi_mem_system, 1 << 26);
    read_output(p, &output);
    (void)rows_check(&p->away, &p->scenario, asbi_buf_view(&output),
                     is_whole(p));
    if (p->finished && p->before.len &&
        !asbi_str_eq(asbi_buf_view(&p->before), asbi_buf_view(&output)))
        witness_say(&p->witness, "run again, a job that was done writes "
                                 "something else");
    if (p->scenario.budget && p->billed > p->scenario.budget)
        witness_say(&p->witness, "billed %" PRId64 " with a budget of %" PRId64,
                    p->billed, p->scenario.budget);
    note(p, output.data ? output.data : "", output.len);
    if (is_whole(p) && !p->finished) {
        p->finished = true;
        if (p->status == ASB_EXIT_OK)
            asbi_buf_str(&p->before, asbi_buf_view(&output));
    }
    asbi_buf_fini(&output);
}

/* The last life has nothing to fear but the provider. */
static void heal(struct job_play *p)
{
    if (p->life < p->scenario.lives)
        return;
    p->disk.fails = p->disk.dies = p->scenario.disk_fails = 0;
}

/* Whether the same command is to be run again. */
static bool goes_on(struct job_play *p)
{
    if (p->witness.broken[0] || p->life >= MOST_LIVES)
        return false;
    if (p->died || p->status == ASB_EXIT_INTERRUPTED) {
        if (p->life > p->scenario.lives)
            witness_say(&p->witness, "nobody interrupts, but: %s", p->reason);
        return p->life <= p->scenario.lives;
    }
    if (p->locked && p->status == ASB_EXIT_PROVIDER)
        return true;
    if (!p->scenario.again)
        return false;
    p->scenario.again = false;
    return true;
}

static void live_all(struct job_play *p)
{
    do {
        heal(p);
        disk_revive(&p->disk);
        begin_life(p);
        if (p->job)
            live(p);
        p->deaths += p->died;
        if (p->engine)
            end_life(p);
        if (!p->died && !p->witness.broken[0] &&
            p->status != ASB_EXIT_INTERRUPTED)
            check_end(p);
        p->life++;
    } while (goes_on(p));
}

static void report(struct job_play *p, struct outcome *out)
{
    out->trace = p->trace;
    out->virtual_ns = p->virtual_ns;
    out->steps = p->steps;
    out->items = p->scenario.items;
    out->calls = p->calls;
    out->deaths = p->deaths;
    for (size_t i = 0; i < p->scenario.items; i++)
        out->items_ok += disk_has_answer(&p->disk, i);
    out->most_bytes = p->mem.most_bytes;
    memcpy(out->broken, p->witness.broken, sizeof(out->broken));
}

void play_job(const struct scenario *s, struct outcome *out)
{
    struct job_play *p = calloc(1, sizeof(*p));

    *out = (struct outcome){ .broken = "no memory or no folder for the test" };
    if (!p)
        return;
    p->scenario = *s;
    asbi_rng_seed(&p->host, s->seed + 7);
    asbi_buf_init(&p->before, &asbi_mem_system, 1 << 26);
    if (disk_init(&p->disk, s->seed + 3) && make_files(p)) {
        p->disk.fails = s->disk_fails;
        p->disk.dies = s->lives ? s->die_inside : 0;
        live_all(p);
        end_world(p);
        report(p, out);
    }
    remove_files(p);
    disk_fini(&p->disk);
    asbi_buf_fini(&p->before);
    free(p);
}

#include "tests/sim/ends.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/buf.h"
#include "engine/real/fd.h"
#include "engine/real/loop.h"

struct asbi_source {
    const struct asbi_source_ops *ops;
    void *arg;
    int fd;
    char slice[4096];
    size_t from, len;
    bool runs, resumed, over;
};

struct asbi_sink {
    const struct asbi_sink_ops *ops;
    void *arg;
    int fd;
    size_t high_water, done;
    struct asbi_buf waiting;
    uint64_t written;
    bool was_full, finishing, finished, failed;
};

static struct asbi_rng rng;
static struct asbi_source *source;
static struct asbi_sink *sink;
static int write_error;
static bool dead;

void ends_begin(uint64_t seed)
{
    asbi_rng_seed(&rng, seed);
    write_error = 0;
    dead = false;
}

void ends_fail(int error)
{
    write_error = error;
}

void ends_die(void)
{
    dead = true;
}

/* ---- the source ------------------------------------------------------- */

const struct asbi_parts *__wrap_asbi_real_world_parts(struct asbi_world *w);
int __wrap_asbi_source_new(const struct asbi_parts *parts, int fd,
                           const struct asbi_source_ops *ops, void *arg,
                           struct asbi_source **out);
void __wrap_asbi_source_pause(struct asbi_source *s);
void __wrap_asbi_source_resume(struct asbi_source *s);
void __wrap_asbi_source_free(struct asbi_source *s);

const struct asbi_parts *__wrap_asbi_real_world_parts(struct asbi_world *w)
{
    (void)w;
    return NULL;
}

int __wrap_asbi_source_new(const struct asbi_parts *parts, int fd,
                           const struct asbi_source_ops *ops, void *arg,
                           struct asbi_source **out)
{
    (void)parts;
    *out = source = calloc(1, sizeof(*source));
    if (!source)
        return ASB_ENOMEM;
    source->ops = ops;
    source->arg = arg;
    source->fd = fd;
    return ASB_OK;
}

void __wrap_asbi_source_pause(struct asbi_source *s)
{
    s->runs = false;
}

void __wrap_asbi_source_resume(struct asbi_source *s)
{
    s->runs = s->resumed = true;
}

void __wrap_asbi_source_free(struct asbi_source *s)
{
    free(s);
    source = NULL;
}

/* False at the end. */
static bool refill(struct asbi_source *s)
{
    if (s->from < s->len)
        return true;
    ssize_t n =
        read(s->fd, s->slice, 1 + asbi_rng_below(&rng, sizeof(s->slice) - 1));
    s->from = 0;
    s->len = n > 0 ? (size_t)n : 0;
    return n > 0;
}

static bool source_step(void)
{
    struct asbi_source *s = source;

    if (!s || !s->runs || s->over)
        return false;
    if (!refill(s)) {
        s->over = true;
        s->ops->on_end(s->arg, 0);
        return true;
    }
    s->resumed = false;
    size_t len = s->len - s->from;
    size_t used = s->ops->on_bytes(s->arg, s->slice + s->from, len);
    s->from += used;
    if (used < len && !s->resumed)
        s->runs = false;
    return true;
}

/* ---- the sink --------------------------------------------------------- */

int __wrap_asbi_sink_new(const struct asbi_parts *parts, int fd,
                         size_t high_water, const struct asbi_sink_ops *ops,
                         void *arg, struct asbi_sink **out);
int __wrap_asbi_sink_write(struct asbi_sink *s, asbi_str bytes);
bool __wrap_asbi_sink_is_full(const struct asbi_sink *s);
uint64_t __wrap_asbi_sink_written(const struct asbi_sink *s);
void __wrap_asbi_sink_finish(struct asbi_sink *s);
void __wrap_asbi_sink_free(struct asbi_sink *s);

int __wrap_asbi_sink_new(const struct asbi_parts *parts, int fd,
                         size_t high_water, const struct asbi_sink_ops *ops,
                         void *arg, struct asbi_sink **out)
{
    (void)parts;
    (void)high_water;
    *out = sink = calloc(1, sizeof(*sink));
    if (!sink)
        return ASB_ENOMEM;
    sink->ops = ops;
    sink->arg = arg;
    sink->fd = fd;
    /* Small enough to be reached. */
    sink->high_water = 100 + asbi_rng_below(&rng, 20000);
    asbi_buf_init(&sink->waiting, &asbi_mem_system, 1 << 28);
    return ASB_OK;
}

int __wrap_asbi_sink_write(struct asbi_sink *s, asbi_str bytes)
{
    if (!s->failed)
        asbi_buf_str(&s->waiting, bytes);
    s->was_full = s->was_full || __wrap_asbi_sink_is_full(s);
    return ASB_OK;
}

bool __wrap_asbi_sink_is_full(const struct asbi_sink *s)
{
    return s->waiting.len - s->done >= s->high_water;
}

uint64_t __wrap_asbi_sink_written(const struct asbi_sink *s)
{
    return s->written;
}

void __wrap_asbi_sink_finish(struct asbi_sink *s)
{
    s->finishing = true;
}

void __wrap_asbi_sink_free(struct asbi_sink *s)
{
    if (s)
        asbi_buf_fini(&s->waiting);
    free(s);
    sink = NULL;
}

static void fail(struct asbi_sink *s)
{
    s->failed = true;
    s->done = s->waiting.len;
    s->ops->on_error(s->arg, write_error);
}

static void write_some(struct asbi_sink *s)
{
    size_t left = s->waiting.len - s->done;
    size_t len = 1 + asbi_rng_below(&rng, left);

    if (dead)
        return;
    if (asbi_rng_below(&rng, 4) == 0)
        len = left;
    ssize_t n = write(s->fd, s->waiting.data + s->done, len);
    s->done += n > 0 ? (size_t)n : 0;
    s->written += n > 0 ? (size_t)n : 0;
    if (s->was_full && s->waiting.len - s->done <= s->high_water / 4) {
        s->was_full = false;
        s->ops->on_room(s->arg);
    }
}

static bool sink_step(void)
{
    struct asbi_sink *s = sink;

    if (!s || s->finished)
        return false;
    if (s->done < s->waiting.len) {
        if (write_error && !dead)
            fail(s);
        else
            write_some(s);
        return true;
    }
    if (!s->finishing)
        return false;
    s->finished = true;
    s->ops->on_finished(s->arg);
    return true;
}

bool ends_step(void)
{
    if (asbi_rng_below(&rng, 2))
        return source_step() || sink_step();
    return sink_step() || source_step();
}

#include "engine/real/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/real/parts.h"

/* Longer waits are cut into pieces of this, far inside what libevent takes. */
#define LONGEST_WAIT (UINT64_C(24) * 3600 * ASBI_SECOND)

/* A microsecond of the clock takes a few dozen looks at it. */
enum { TICK_LOOKS = 10000 };

struct real_world {
    struct asbi_world world;
    struct asbi_parts parts;
    struct asbi_clock clock;
    bool owns_base;
    bool ready; /* the events below are assigned */
    struct event timer, wake;
    uint64_t due_ns;       /* what the timer is armed for, or ASBI_NEVER */
    uint64_t wall_now_ms;  /* the latest reading of it ... */
    uint64_t wall_reading; /* ... belongs to this one of the clock */
    uint64_t (*wall_ms)(void *arg); /* the host's; NULL: the machine's */
    void *wall_arg;
};

static struct real_world *real_of(struct asbi_world *w)
{
    return (struct real_world *)(void *)w;
}

static uint64_t real_now(struct asbi_world *w)
{
    return asbi_clock_now(&real_of(w)->clock);
}

static uint64_t read_wall_ms(const struct real_world *r)
{
    struct timespec ts;

    if (r->wall_ms)
        return r->wall_ms(r->wall_arg);
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Within a callback it stands still with the other clock. */
static uint64_t real_wall_ms(struct asbi_world *w)
{
    struct real_world *r = real_of(w);

    if (r->clock.depth == 0 || r->clock.reading != r->wall_reading) {
        r->wall_now_ms = read_wall_ms(r);
        r->wall_reading = r->clock.reading;
    }
    return r->wall_now_ms;
}

static void timer_set(struct real_world *r, uint64_t now)
{
    uint64_t wait = r->due_ns > now ? r->due_ns - now : 0;
    struct timeval tv = asbi_timeval(wait < LONGEST_WAIT ? wait : LONGEST_WAIT);

    (void)event_add(&r->timer, &tv);
}

static void real_arm(struct asbi_world *w, uint64_t at_ns)
{
    struct real_world *r = real_of(w);

    if (at_ns == r->due_ns)
        return;
    r->due_ns = at_ns;
    if (at_ns == ASBI_NEVER)
        (void)event_del(&r->timer);
    else
        timer_set(r, asbi_clock_now(&r->clock));
}

static void real_wake(struct asbi_world *w)
{
    event_active(&real_of(w)->wake, EV_TIMEOUT, 1);
}

static void turn(struct real_world *r)
{
    if (r->world.on_turn)
        r->world.on_turn(r->world.arg);
}

/* libevent's coarse clock may be some milliseconds early. */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct real_world *r = arg;

    (void)fd;
    (void)what;
    asbi_clock_enter(&r->clock);
    if (r->clock.now_ns < r->due_ns) {
        timer_set(r, r->clock.now_ns);
    } else {
        r->due_ns = ASBI_NEVER;
        turn(r);
    }
    asbi_clock_leave(&r->clock);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct real_world *r = arg;

    (void)fd;
    (void)what;
    asbi_clock_enter(&r->clock);
    turn(r);
    asbi_clock_leave(&r->clock);
}

/* What evdns still owes for names given up by the transport is called back in
 * the next turn; a base of our own has no other turn to come. */
static void base_free(struct real_world *r)
{
    if (!r->owns_base || !r->parts.base)
        return;
    (void)event_base_loop(r->parts.base, EVLOOP_NONBLOCK);
    event_base_free(r->parts.base);
}

/* A base of our own may be looped by somebody further down the stack. */
static int real_afterwards(struct asbi_world *w, void (*what)(void *arg),
                           void *arg)
{
    struct real_world *r = real_of(w);

    if (r->owns_base && asbi_real_world_is_looped(w))
        return ASB_EBUSY;
    if (r->clock.depth == 0)
        return ASB_ENOENT;
    r->clock.afterwards = what;
    r->clock.afterwards_arg = arg;
    return ASB_OK;
}

static void real_free(struct asbi_world *w)
{
    if (!w)
        return;
    struct real_world *r = real_of(w);
    if (w->transport)
        w->transport->ops->free(w->transport);
    if (r->ready) {
        (void)event_del(&r->timer);
        (void)event_del(&r->wake);
    }
    base_free(r);
    asbi_free(w->mem, r);
}

static const struct asbi_world_ops real_ops = {
    .now = real_now,
    .wall_ms = real_wall_ms,
    .arm = real_arm,
    .wake = real_wake,
    .afterwards = real_afterwards,
    .free = real_free,
};

static struct event_base *base_new(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config && !event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK))
        base = event_base_new_with_config(config);
    if (config)
        event_config_free(config);
    return base;
}

static int seed_get(const uint64_t *given, uint64_t *seed,
                    struct asb_message *why)
{
    if (given) {
        *seed = *given;
        return ASB_OK;
    }
    if (getrandom(seed, sizeof(*seed), 0) != (ssize_t)sizeof(*seed))
        return asbi_fail(why, ASB_EIO, "the kernel gives no random numbers: %s",
                         strerror(errno));
    return ASB_OK;
}

static int real_init(struct real_world *r, struct event_base *base,
                     const struct asbi_real_options *options,
                     struct asb_message *why)
{
    int rc = seed_get(options->seed, &r->world.seed, why);

    if (rc)
        return rc;
    r->clock.read = options->now_ns;
    r->clock.read_arg = r->wall_arg = options->time_arg;
    r->wall_ms = options->wall_ms;
    r->owns_base = !base;
    r->parts.base = base ? base : base_new();
    if (!r->parts.base || evtimer_assign(&r->timer, r->parts.base, on_timer, r))
        return ASB_ENOMEM;
    if (event_assign(&r->wake, r->parts.base, -1, 0, on_wake, r))
        return ASB_ENOMEM;
    r->ready = true;
    if (options->no_http)
        return ASB_OK;
    return asbi_http_new(&r->parts, &options->http, &r->world.transport, why);
}

int asbi_real_world_new(const struct asbi_mem *mem, struct event_base *base,
                        const struct asbi_real_options *options,
                        const struct asbi_log *log, struct asbi_world **out,
                        struct asb_message *why)
{
    struct real_world *r = asbi_calloc(mem, 1, sizeof(*r));
    int rc;

    *out = NULL;
    if (!r)
        return ASB_ENOMEM;
    r->world = (struct asbi_world){ .ops = &real_ops, .mem = mem };
    r->parts =
        (struct asbi_parts){ .mem = mem, .clock = &r->clock, .log = log };
    r->due_ns = ASBI_NEVER;
    rc = real_init(r, base, options, why);
    if (rc) {
        real_free(&r->world);
        return rc;
    }
    *out = &r->world;
    return ASB_OK;
}

int asbi_real_world_turn(struct asbi_world *world)
{
    int rc = event_base_loop(asbi_real_world_base(world), EVLOOP_ONCE);

    return rc < 0 ? ASB_ELOOP : ASB_OK;
}

struct event_base *asbi_real_world_base(struct asbi_world *world)
{
    return real_of(world)->parts.base;
}

const struct asbi_parts *asbi_real_world_parts(struct asbi_world *world)
{
    return &real_of(world)->parts;
}

static bool is_same(const struct timeval *a, const struct timeval *b)
{
    return a->tv_sec == b->tv_sec && a->tv_usec == b->tv_usec;
}

/* libevent does not tell (event_base_get_running_event() of 2.1.12 crashes when
 * there is none), but its clock stands still within callbacks. */
static bool stands_still(struct event_base *base)
{
    struct timeval first, now, again;

    if (event_base_gettimeofday_cached(base, &first))
        return false;
    now = first;
    for (int i = 0; i < TICK_LOOKS && is_same(&now, &first); i++)
        (void)evutil_gettimeofday(&now, NULL);
    return !is_same(&now, &first) &&
           event_base_gettimeofday_cached(base, &again) == 0 &&
           is_same(&again, &first);
}

bool asbi_real_world_is_looped(struct asbi_world *world)
{
    const struct real_world *r = real_of(world);

    return r->clock.depth > 0 || stands_still(r->parts.base);
}

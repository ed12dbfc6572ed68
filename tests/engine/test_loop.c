/*
 * test_loop.c -- the real world's timer, wake-up, clock and seed.
 */
#include <event2/event.h>

#include "tests/support/caller.h"
#include "tests/support/check.h"

static struct surroundings s;
static unsigned turns;
static uint64_t seen_ns;
static void (*inside)(void);

static void on_turn(void *arg)
{
    CHECK(arg == &turns);
    turns++;
    seen_ns = asbi_now(s.world);
    if (inside)
        inside();
}

static void begin_with(struct asbi_real_options options)
{
    options.no_http = true;
    turns = 0;
    inside = NULL;
    surroundings_init(&s, NULL, &options);
    s.world->on_turn = on_turn;
    s.world->arg = &turns;
}

static void begin(void)
{
    begin_with((struct asbi_real_options){ .no_http = true });
}

static void the_timer_is_never_early(void)
{
    begin();
    for (unsigned i = 1; i <= 20; i++) {
        uint64_t at = asbi_now(s.world) + i * ASBI_MS / 4;

        s.world->ops->arm(s.world, at);
        run_until(&s, &turns, i);
        CHECK(seen_ns >= at);
    }
    surroundings_fini(&s);
}

struct found {
    struct event *events[8];
    unsigned count;
};

static int find(const struct event_base *base, const struct event *event,
                void *arg)
{
    struct found *f = arg;

    (void)base;
    CHECK(f->count < 8);
    /* The list is const for the walk; the event itself is ours. */
    f->events[f->count++] = (struct event *)(uintptr_t)event;
    return 0;
}

/* libevent's clock is coarse and may ring some milliseconds before the time. */
static void a_timer_that_rings_early_waits_on(void)
{
    struct found found = { .count = 0 };

    begin();
    uint64_t at = asbi_now(s.world) + 20 * ASBI_MS;
    s.world->ops->arm(s.world, at);
    (void)event_base_foreach_event(s.base, find, &found);
    CHECK(found.count > 0);
    for (unsigned i = 0; i < found.count; i++)
        event_active(found.events[i], EV_TIMEOUT, 1);
    (void)event_base_loop(s.base, EVLOOP_NONBLOCK);
    CHECK_INT(turns, ==, 0);
    run_until(&s, &turns, 1);
    CHECK(seen_ns >= at);
    surroundings_fini(&s);
}

static void a_past_time_comes_in_the_next_turn(void)
{
    begin();
    s.world->ops->arm(s.world, 1);
    CHECK_INT(turns, ==, 0);
    run_until(&s, &turns, 1);
    surroundings_fini(&s);
}

static void the_timer_is_replaced_and_disarmed(void)
{
    begin();
    s.world->ops->arm(s.world, asbi_now(s.world) + 2 * ASBI_MS);
    s.world->ops->arm(s.world, ASBI_NEVER);
    run_for(&s, 10);
    CHECK_INT(turns, ==, 0);
    s.world->ops->arm(s.world, asbi_now(s.world) + 3600 * ASBI_SECOND);
    s.world->ops->arm(s.world, asbi_now(s.world) + ASBI_MS);
    run_until(&s, &turns, 1);
    run_for(&s, 5);
    CHECK_INT(turns, ==, 1);
    surroundings_fini(&s);
}

static void far_times_do_not_overflow(void)
{
    begin();
    s.world->ops->arm(s.world, ASBI_NEVER - 1);
    run_for(&s, 5);
    CHECK_INT(turns, ==, 0);
    surroundings_fini(&s);
}

static void waking_many_times_is_one_turn(void)
{
    begin();
    for (int i = 0; i < 5; i++)
        s.world->ops->wake(s.world);
    CHECK_INT(turns, ==, 0);
    run_until(&s, &turns, 1);
    run_for(&s, 2);
    CHECK_INT(turns, ==, 1);
    surroundings_fini(&s);
}

static void wake_and_arm(void)
{
    if (turns == 1)
        s.world->ops->wake(s.world);
    if (turns == 2)
        s.world->ops->arm(s.world, asbi_now(s.world));
}

static void a_turn_may_ask_for_the_next(void)
{
    begin();
    inside = wake_and_arm;
    s.world->ops->wake(s.world);
    run_until(&s, &turns, 3);
    surroundings_fini(&s);
}

static void look_twice(void)
{
    uint64_t first = asbi_now(s.world);

    while (asbi_clock_read() == first)
        ;
    CHECK(asbi_now(s.world) == first);
}

static void time_stands_still_within_a_turn(void)
{
    begin();
    inside = look_twice;
    s.world->ops->wake(s.world);
    run_until(&s, &turns, 1);
    uint64_t first = asbi_now(s.world);
    while (asbi_now(s.world) == first)
        ; /* and goes on outside */
    CHECK(s.world->ops->wall_ms(s.world) > UINT64_C(1600000000000));
    surroundings_fini(&s);
}

/* A wall that is a minute on at each look. */
static uint64_t wall_that_runs(void *arg)
{
    uint64_t *looks = arg;

    return ++*looks * 60000;
}

static uint64_t wall_of_turn[2];

static void look_at_the_wall(void)
{
    uint64_t first = s.world->ops->wall_ms(s.world);

    CHECK_INT(s.world->ops->wall_ms(s.world), ==, first);
    wall_of_turn[turns - 1] = first;
    if (turns < 2)
        s.world->ops->wake(s.world);
}

static void the_wall_is_looked_at_once_in_a_turn(void)
{
    uint64_t looks = 0;

    begin_with((struct asbi_real_options){ .wall_ms = wall_that_runs,
                                           .time_arg = &looks });
    inside = look_at_the_wall;
    s.world->ops->wake(s.world);
    run_until(&s, &turns, 2);
    CHECK_INT(wall_of_turn[0], ==, 60000);
    CHECK_INT(wall_of_turn[1], ==, 120000);
    CHECK_INT(s.world->ops->wall_ms(s.world), ==, 180000);
    CHECK_INT(s.world->ops->wall_ms(s.world), ==, 240000);
    surroundings_fini(&s);
}

static void an_idle_world_lets_the_loop_end(void)
{
    begin();
    CHECK_INT(event_base_dispatch(s.base), ==, 1);
    s.world->ops->arm(s.world, asbi_now(s.world) + ASBI_MS);
    CHECK_INT(event_base_dispatch(s.base), ==, 1);
    CHECK_INT(turns, ==, 1);
    surroundings_fini(&s);
}

static uint64_t seed_of(const uint64_t *given)
{
    struct asbi_real_options options = { .no_http = true, .seed = given };
    struct asbi_world *world;

    CHECK_INT(asbi_real_world_new(&asbi_mem_system, NULL, &options, NULL,
                                  &world, NULL),
              ==, ASB_OK);
    CHECK(asbi_real_world_base(world));
    uint64_t seed = world->seed;
    world->ops->free(world);
    return seed;
}

static void the_seed_is_given_or_random(void)
{
    uint64_t given = 77;

    CHECK_INT(seed_of(&given), ==, 77);
    CHECK(seed_of(NULL) != seed_of(NULL));
}

TEST_MAIN(CASE(the_timer_is_never_early),
          CASE(a_timer_that_rings_early_waits_on),
          CASE(a_past_time_comes_in_the_next_turn),
          CASE(the_timer_is_replaced_and_disarmed),
          CASE(far_times_do_not_overflow), CASE(waking_many_times_is_one_turn),
          CASE(a_turn_may_ask_for_the_next),
          CASE(time_stands_still_within_a_turn),
          CASE(the_wall_is_looked_at_once_in_a_turn),
          CASE(an_idle_world_lets_the_loop_end),
          CASE(the_seed_is_given_or_random))

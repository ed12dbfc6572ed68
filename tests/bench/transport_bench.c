/*
 * transport_bench.c -- our transport under the smallest possible owner, to be
 * held against bare_loop.
 *
 *   transport_bench URL COUNT IN_FLIGHT BODY_FILE
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "engine/base/units.h"
#include "engine/real/loop.h"
#include "tests/bench/bench.h"

static struct bench bench;
static struct asbi_world *world;

static void on_status(struct asbi_exchange *x, int status)
{
    (void)x;
    bench.failed += status != 200;
}

static void start(struct asbi_exchange *x)
{
    bench.started++;
    if (world->transport->ops->start(world->transport, x)) {
        (void)fprintf(stderr, "no room for %zu in flight\n", bench.in_flight);
        exit(2);
    }
}

static void on_end(struct asbi_exchange *x, const struct asbi_exchange_end *end)
{
    if (end->outcome != ASBI_COMPLETE) {
        if (bench.failed++ == 0)
            (void)fprintf(stderr, "outcome %d: %s\n", (int)end->outcome,
                          end->text);
    }
    bench.ended++;
    if (bench.started < bench.count)
        start(x);
}

int main(int argc, char **argv)
{
    static const struct asbi_exchange_ops ops = { .on_status = on_status,
                                                  .on_end = on_end };
    static const char *const headers[] = { "Content-Type: application/json",
                                           NULL };
    struct asbi_real_options options = { .http = { .proxy = "none" } };
    struct asb_message why = { "" };

    bench_arguments(&bench, argc, argv);
    struct asbi_endpoint endpoint = { .method = "POST",
                                      .url = bench.url,
                                      .headers = headers };
    struct asbi_exchange *calls = calloc(bench.in_flight, sizeof(*calls));
    if (!calls || asbi_real_world_new(&asbi_mem_system, NULL, &options, NULL,
                                      &world, &why)) {
        (void)fprintf(stderr, "%s\n", why.text);
        return 2;
    }
    bench_begin(&bench);
    for (size_t i = 0; i < bench.in_flight && i < bench.count; i++) {
        calls[i] = (struct asbi_exchange){
            .endpoint = &endpoint,
            .ops = &ops,
            .body = bench.body,
            .body_len = bench.body_len,
            .limits = { .connect_ns = 10 * ASBI_SECOND,
                        .first_byte_ns = 60 * ASBI_SECOND,
                        .stall_ns = 30 * ASBI_SECOND,
                        .total_ns = 120 * ASBI_SECOND,
                        .max_header_bytes = 65536,
                        .max_body_bytes = 1 << 24 },
        };
        start(&calls[i]);
    }
    (void)event_base_dispatch(asbi_real_world_base(world));
    int status = bench_report(&bench, "transport");
    world->transport->ops->forget(world->transport, &endpoint);
    world->ops->free(world);
    free(calls);
    return status;
}

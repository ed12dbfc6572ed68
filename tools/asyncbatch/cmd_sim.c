/*
 * cmd_sim.c -- `asyncbatch sim`: the provider simulator as a server of its own.
 */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>

#include "tools/asyncbatch/command.h"
#include "tools/asyncbatch/gather.h"
#include "tools/asyncbatch/say.h"
#include "tools/asyncbatch/signals.h"

static const char *listen_at = "127.0.0.1:0";

static const struct args_own own[] = {
    { { "listen", NULL, "HOST:PORT", "", "127.0.0.1:0",
        "Where to listen; port 0 picks a free one." },
      &listen_at },
    COMMAND_HELP,
    COMMAND_OPTIONS_END,
};

const struct command_help cmd_sim_help = {
    .usage = "sim [--listen HOST:PORT] [options]",
    .text = "Serves a made-up provider on HTTP, with the shapes, headers, "
            "limits and errors of a real one, until SIGINT or SIGTERM.  The "
            "first line on standard output says where it listens.\n"
            "GET /stats tells what it has served and billed.",
    .args = { .own = own, .prefix = "sim_" },
    .after = "Example: answers after 200 ms, 8 at once, 1 in 20 refused:\n"
             "  asyncbatch sim --listen 127.0.0.1:8080 --capacity 8 "
             "--error-rate 0.05",
};

static void on_signal(void *arg, unsigned count)
{
    (void)count;
    (void)event_base_loopbreak(arg);
}

static int serve(struct event_base *base, const struct asb_simulator *simulator)
{
    (void)printf("listening on %s\n", asb_simulator_url(simulator));
    if (say_if_output_failed())
        return ASB_EXIT_USAGE;
    return event_base_dispatch(base) < 0 ? ASB_EXIT_PROVIDER : ASB_EXIT_OK;
}

static int simulate(struct asb_options *options, const char *const *words)
{
    struct asb_simulator *simulator = NULL;
    struct signals signals = { { NULL }, NULL, NULL, 0 };
    struct asb_message why = { "" };
    int rc = ASB_ENOMEM;
    struct event_base *base = event_base_new();

    (void)words;
    (void)signal(SIGPIPE, SIG_IGN);
    if (base && !signals_init(&signals, base, on_signal, base))
        rc = asb_simulator_new(base, options, listen_at, &simulator, &why);
    int status = rc ? say_refused(rc, &why) : serve(base, simulator);
    asb_simulator_free(simulator);
    signals_fini(&signals);
    if (base)
        event_base_free(base);
    return status;
}

int cmd_sim(int argc, char **argv)
{
    static const struct command_frame frame = {
        .name = "sim",
        .help = &cmd_sim_help,
        .gather = gather_without_file,
        .run = simulate,
    };

    return command_main(&frame, argc, argv);
}

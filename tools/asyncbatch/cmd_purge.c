/*
 * cmd_purge.c -- `asyncbatch cache purge --surrogate-key NAME`: a CDN is told
 * to let go of all answers with a mark.
 */
#include <event2/event.h>
#include <stdio.h>

#include "tools/asyncbatch/command.h"
#include "tools/asyncbatch/gather.h"
#include "tools/asyncbatch/say.h"

static const struct args_own own[] = {
    COMMAND_HELP,
    COMMAND_OPTIONS_END,
};

const struct command_help cmd_purge_help = {
    .usage = "cache purge --surrogate-key NAME --cache-url URL",
    .text = "Asks the server of --cache-url to let go of all answers with this "
            "mark: PURGE of that address with the header Surrogate-Key.  All "
            "answers have the mark `asyncbatch`, those of a run with "
            "--surrogate-key that one, too.",
    .args = { .own = own },
    .after = "Exit status: 0 done, 2 usage or configuration error, 4 the "
             "server refuses or is not reached.",
};

struct purge {
    struct event_base *base;
    int status;
};

static void on_done(void *arg, int status)
{
    struct purge *p = arg;

    p->status = status;
    (void)event_base_loopbreak(p->base);
}

static int say_how(const struct purge *p, const char *mark)
{
    if (p->status >= 200 && p->status < 300) {
        (void)printf("{\"purged\":\"%s\"}\n", mark);
        return say_if_output_failed() ? ASB_EXIT_USAGE : ASB_EXIT_OK;
    }
    if (p->status)
        say("cache purge: the server answers with status %d; see that it takes "
            "PURGE with a Surrogate-Key from here",
            p->status);
    else
        say("cache purge: the server of --cache-url is not reached; try again "
            "when it is");
    return ASB_EXIT_PROVIDER;
}

static int purge(struct asb_options *options, const char *const *words)
{
    struct purge p = { .base = event_base_new() };
    struct asb_hooks hooks = { .size = sizeof(hooks), .base = p.base };
    const char *mark = asb_options_get(options, "surrogate_key", NULL);
    struct asb_message why = { "" };
    struct asb_engine *engine = NULL;
    int status = ASB_EXIT_USAGE;

    (void)words;
    int rc = p.base ? gather_for_caches(options, &why) : ASB_ENOMEM;
    if (!rc)
        rc = asb_engine_new(options, &hooks, &engine, &why);
    if (!rc)
        rc = asb_engine_purge(engine, mark, on_done, &p);
    if (!rc) {
        (void)event_base_dispatch(p.base);
        status = say_how(&p, mark);
    } else if (rc == ASB_EINVAL) {
        say("cache purge: the address is missing; give --cache-url URL");
    } else {
        status = say_refused(rc, &why);
    }
    (void)asb_engine_free(engine);
    if (p.base)
        event_base_free(p.base);
    return status;
}

int cmd_purge(int argc, char **argv)
{
    static const struct command_frame frame = {
        .name = "cache purge",
        .help = &cmd_purge_help,
        .gather = gather,
        .run = purge,
    };

    return command_main(&frame, argc, argv);
}

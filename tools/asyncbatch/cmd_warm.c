/*
 * cmd_warm.c -- `asyncbatch cache warm`: the answers of a former run, beside
 * what was asked, into a cache file.  Sends nothing.
 */
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>

#include "tools/asyncbatch/command.h"
#include "tools/asyncbatch/gather.h"
#include "tools/asyncbatch/say.h"

static const struct args_own own[] = {
    COMMAND_HELP,
    COMMAND_OPTIONS_END,
};

const struct command_help cmd_warm_help = {
    .usage = "cache warm --cache FILE -i FORMER_OUTPUT [options of run]",
    .text = "Keeps the answers of a former run in a cache file, so that the "
            "same items with the same options need no call: a table with "
            "target_text, or lines of JSON with their text and target_text or "
            "output.  Rows without one, and answers that the task would not "
            "accept, are left out.  Nothing is sent.",
    .args = { .own = own },
    .after = "Exit status: 0 done, 2 usage or configuration error.",
};

struct warm {
    struct event_base *base;
    enum asb_exit status;
    char reason[1024];
};

static void on_done(struct asb_job *job, enum asb_exit status,
                    const char *reason, void *arg)
{
    struct warm *w = arg;

    (void)job;
    w->status = status;
    (void)snprintf(w->reason, sizeof(w->reason), "%s", reason);
    (void)event_base_loopbreak(w->base);
}

static int fix_options(struct asb_options *options, struct asb_message *why)
{
    static const char *const fixed[][2] = { { "output", "/dev/null" },
                                            { "no_journal", "true" },
                                            { "reuse", "exact" } };
    int rc = gather_for_caches(options, why);

    for (size_t i = 0; !rc && i < 3; i++)
        rc = asb_options_set(options, fixed[i][0], fixed[i][1], ASB_FROM_HOST,
                             why);
    return rc;
}

static int run(struct warm *w, struct asb_engine *engine,
               struct asb_message *why)
{
    struct asb_job_stats s = { .size = sizeof(s) };
    struct asb_job *job = NULL;

    asb_engine_warm(engine);
    int rc = asb_job_new(engine, on_done, w, &job, why);
    if (rc)
        return rc;
    (void)event_base_dispatch(w->base);
    asb_job_get_stats(job, &s);
    asb_job_free(job);
    if (w->status != ASB_EXIT_OK) {
        say("%s", w->reason);
        return ASB_OK;
    }
    (void)printf("{\"rows\":%" PRIu64 ",\"kept\":%" PRIu64 "}\n", s.rows_read,
                 s.rows_warmed);
    if (say_if_output_failed())
        w->status = ASB_EXIT_USAGE;
    return ASB_OK;
}

static int warm(struct asb_options *options, const char *const *words)
{
    struct warm w = { .status = ASB_EXIT_USAGE };
    struct asb_hooks hooks = { .size = sizeof(hooks) };
    struct asb_message why = { "" };
    struct asb_engine *engine = NULL;
    const char *cache = asb_options_get(options, "cache", NULL);

    (void)words;
    if (!cache || !cache[0]) {
        say("cache warm: the file is missing; give --cache FILE");
        return ASB_EXIT_USAGE;
    }
    hooks.base = w.base = event_base_new();
    int rc = w.base ? fix_options(options, &why) : ASB_ENOMEM;
    if (!rc)
        rc = asb_engine_new(options, &hooks, &engine, &why);
    if (!rc)
        rc = run(&w, engine, &why);
    (void)asb_engine_free(engine);
    if (w.base)
        event_base_free(w.base);
    return rc ? say_refused(rc, &why) : (int)w.status;
}

int cmd_warm(int argc, char **argv)
{
    static const struct command_frame frame = {
        .name = "cache warm",
        .help = &cmd_warm_help,
        .gather = gather,
        .run = warm,
    };

    return command_main(&frame, argc, argv);
}

/*
 * cmd_run.c -- `asyncbatch run`: a job on the library, with a person in front.
 *
 * Wires options, signals, progress and, for provider `sim` without an address,
 * a simulator on the same loop.  What a job does is the library's business.
 */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tools/asyncbatch/command.h"
#include "tools/asyncbatch/gather.h"
#include "tools/asyncbatch/progress.h"
#include "tools/asyncbatch/reload.h"
#include "tools/asyncbatch/say.h"
#include "tools/asyncbatch/signals.h"

static const struct args_own own[] = {
    COMMAND_HELP,
    COMMAND_OPTIONS_END,
};

const struct command_help cmd_run_help = {
    .usage = "run [options]",
    .text = "Reads items, sends them in as few calls as is safe, and writes "
            "one answer for each, in input order.\n"
            "Every option is also a key of the configuration file, with "
            "underscores for dashes, and a variable: ASYNCBATCH_BATCH_SIZE for "
            "--batch-size.  The command line beats the environment, that beats "
            "the file.",
    .args = { .own = own },
    .after = "Exit status: 0 every item answered, 1 some items failed, 2 "
             "usage or configuration error, 3 stopped by the budget, 4 "
             "provider unusable, 130 interrupted.  After 3, 4, 130 or a crash "
             "the same command goes on, thanks to a journal beside the "
             "output.  Output - has no journal unless --journal names one.\n"
             "SIGHUP, where standard error is no terminal, has it read "
             "priority_weights, class_shares and class_targets from the "
             "configuration file again.",
};

struct run {
    struct asb_options *options;
    struct event_base *base;
    struct asb_simulator *simulator; /* NULL with a real provider */
    struct asb_engine *engine;
    struct asb_job *job;
    struct progress *progress;
    struct signals signals;
    struct reload reload;
    enum asb_log_level log_level;
    enum asb_exit status;
    char reason[1024]; /* "" until the job is over */
};

static const char *option(const struct run *r, const char *name)
{
    const char *value = asb_options_get(r->options, name, NULL);

    return value ? value : "";
}

/* libevent's own notes would go to standard error, over the progress line;
 * what matters of them comes back as an error of the call concerned. */
static void drop_event_log(int severity, const char *text)
{
    (void)severity;
    (void)text;
}

/* Each call in flight is a socket: allow as many as the system does. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- callbacks from the loop ------------------------------------------ */

/* Calls are under way whose answers keep the end waiting. */
static bool has_to_wait(const struct run *r)
{
    struct asb_stats s = { .size = sizeof(s) };

    asb_engine_stats(r->engine, &s);
    return s.in_flight > 1;
}

/* An error is why nothing more is sent.  That is the last line, too: no need to
 * say it twice where that follows at once. */
static void on_log(enum asb_log_level level, const char *line, void *arg)
{
    const struct run *r = arg;

    if (level == ASB_LOG_ERROR && r->job && !has_to_wait(r))
        return;
    if (level <= r->log_level)
        progress_log(r->progress, line);
}

static void on_done(struct asb_job *job, enum asb_exit status,
                    const char *reason, void *arg)
{
    struct run *r = arg;

    (void)job;
    r->status = status;
    (void)snprintf(r->reason, sizeof(r->reason), "%s", reason);
    (void)event_base_loopbreak(r->base);
}

static bool keeps_journal(const struct run *r)
{
    return strcmp(option(r, "no_journal"), "true") != 0 &&
           (option(r, "journal")[0] || strcmp(option(r, "output"), "-") != 0);
}

static void on_signal(void *arg, unsigned count)
{
    struct run *r = arg;

    if (count == 1) {
        progress_note(r->progress, "finishing");
        progress_log(r->progress, "interrupted: sending nothing new, finishing "
                                  "what is paid for; again to exit now");
        asb_job_interrupt(r->job);
        return;
    }
    progress_free(r->progress);
    say("interrupted twice: answers that were on their way are lost; %s",
        keeps_journal(r) ? "run the same command again for the items that have "
                           "none"
                         : "run the command again, with --journal FILE so that "
                           "it need not ask for all another time");
    _exit(ASB_EXIT_INTERRUPTED);
}

static void on_reload(void *arg, const char *line)
{
    const struct run *r = arg;

    progress_log(r->progress, line);
}

/* ---- start and end ---------------------------------------------------- */

/* Free, offline and no set-up: the provider lives on our own loop. */
static int start_simulator(struct run *r, struct asb_message *why)
{
    char url[256];

    if (strcmp(option(r, "provider"), "sim") != 0 || option(r, "base_url")[0])
        return ASB_OK;
    int rc = asb_simulator_new(r->base, r->options, "127.0.0.1:0",
                               &r->simulator, why);
    if (rc)
        return rc;
    (void)snprintf(url, sizeof(url), "%s/v1", asb_simulator_url(r->simulator));
    return asb_options_set(r->options, "base_url", url, ASB_FROM_HOST, why);
}

static enum asb_log_level log_level(const char *name)
{
    static const char *const names[] = {
        [ASB_LOG_ERROR] = "error",
        [ASB_LOG_WARN] = "warn",
        [ASB_LOG_INFO] = "info",
        [ASB_LOG_DEBUG] = "debug",
    };

    for (int i = ASB_LOG_ERROR; i <= ASB_LOG_DEBUG; i++) {
        if (strcmp(names[i], name) == 0)
            return (enum asb_log_level)i;
    }
    return ASB_LOG_WARN;
}

static int start(struct run *r, struct asb_message *why)
{
    struct asb_hooks hooks = { .size = sizeof(hooks),
                               .log = on_log,
                               .log_arg = r };
    bool data_on_terminal =
        strcmp(option(r, "output"), "-") == 0 && isatty(STDOUT_FILENO);

    r->log_level = log_level(option(r, "log_level"));
    r->base = event_base_new();
    if (!r->base)
        return ASB_ENOMEM;
    hooks.base = r->base;
    int rc = start_simulator(r, why);
    if (rc)
        return rc;
    rc = asb_engine_new(r->options, &hooks, &r->engine, why);
    if (rc)
        return rc;
    rc = asb_job_new(r->engine, on_done, r, &r->job, why);
    if (rc)
        return rc;
    r->reload = (struct reload){
        .file = isatty(STDERR_FILENO) ? NULL : gather_file(r->options),
        .options = r->options,
        .engine = r->engine,
        .tell = on_reload,
        .arg = r,
    };
    if (signals_init(&r->signals, r->base, on_signal, r) ||
        reload_init(&r->reload, r->base))
        return ASB_ENOMEM;
    r->progress =
        progress_new(r->base, r->job, option(r, "progress"), data_on_terminal);
    return r->progress ? ASB_OK : ASB_ENOMEM;
}

/* Made-up texts look like answers: nobody shall take them for real ones. */
static void tell_of_simulator(const struct run *r)
{
    enum asb_origin origin = ASB_FROM_HOST;

    (void)asb_options_get(r->options, "provider", &origin);
    if (r->simulator && origin == ASB_FROM_DEFAULT &&
        r->log_level >= ASB_LOG_WARN)
        progress_tell(r->progress,
                      "no provider is named: the simulator makes answers up, "
                      "and what they cost; name one with --provider");
}

static void stop(struct run *r)
{
    progress_free(r->progress);
    r->progress = NULL; /* what follows may still log */
    signals_fini(&r->signals);
    reload_fini(&r->reload);
    asb_job_free(r->job);
    (void)asb_engine_free(r->engine);
    asb_simulator_free(r->simulator);
    if (r->base)
        event_base_free(r->base);
}

static int run_job(struct run *r)
{
    struct asb_message why = { "" };
    int rc = start(r, &why);

    if (rc) {
        stop(r);
        int status = say_refused(rc, &why);
        return rc == ASB_ENOKEY ? ASB_EXIT_PROVIDER : status;
    }
    tell_of_simulator(r);
    if (strcmp(option(r, "input"), "-") == 0 && isatty(STDIN_FILENO))
        say("reading items from the terminal; Ctrl-D ends them");
    r->status = ASB_EXIT_PROVIDER;
    (void)event_base_dispatch(r->base);
    progress_finish(r->progress);
    stop(r);
    say("%s", r->reason[0] ? r->reason : asb_strerror(ASB_ELOOP));
    return (int)r->status;
}

static int run(struct asb_options *options, const char *const *words)
{
    struct run r = { .options = options };

    (void)words;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* `ulimit -f`: as a full disk */
    raise_file_limit();
    event_set_log_callback(drop_event_log);
    return run_job(&r);
}

int cmd_run(int argc, char **argv)
{
    static const struct command_frame frame = {
        .name = "run",
        .help = &cmd_run_help,
        .gather = gather,
        .run = run,
    };

    return command_main(&frame, argc, argv);
}

/*
 * cmd_plan.c -- `asyncbatch plan`: what a run would cost and how long it would
 * take, on standard output.  Takes what run takes; sends nothing.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/asyncbatch/command.h"
#include "tools/asyncbatch/gather.h"
#include "tools/asyncbatch/say.h"

static const char *format_name = "table";

static const struct args_own own[] = {
    COMMAND_HELP,
    { { "plan_format", NULL, "table|json", "", "table",
        "How the plan is written." },
      &format_name },
    COMMAND_OPTIONS_END,
};

const struct command_help cmd_plan_help = {
    .usage = "plan [options]",
    .text = "Says what the same options would do with run: how many calls, "
            "how many tokens, what it costs, how long it takes, and why.\n"
            "The whole input goes through the real scheduler in virtual time, "
            "against a model of the provider; nothing is sent, no key is "
            "needed and no file is written.",
    .args = { .own = own },
    .after = "Exit status: 0 planned, 2 usage, configuration or input error.",
};

static void on_log(enum asb_log_level level, const char *line, void *arg)
{
    (void)arg;
    if (level <= ASB_LOG_WARN)
        say("%s", line);
}

static int read_format(enum asb_plan_format *out, struct asb_message *why)
{
    *out = strcmp(format_name, "json") == 0 ? ASB_PLAN_JSON : ASB_PLAN_TABLE;
    if (*out == ASB_PLAN_JSON || strcmp(format_name, "table") == 0)
        return ASB_OK;
    (void)snprintf(
        why->text, sizeof(why->text),
        "--plan-format: \"%.100s\" is not allowed; use table or json",
        format_name);
    return ASB_ECONFIG;
}

static int plan(struct asb_options *options, const char *const *words)
{
    struct asb_hooks hooks = { .size = sizeof(hooks), .log = on_log };
    struct asb_message why = { "" };
    enum asb_plan_format format;
    struct asb_plan *made = NULL;
    const char *input = asb_options_get(options, "input", NULL);

    (void)words;
    int rc = read_format(&format, &why);
    if (!rc && input && strcmp(input, "-") == 0 && isatty(STDIN_FILENO))
        say("reading items from the terminal; Ctrl-D ends them");
    if (!rc)
        rc = asb_plan_new(options, &hooks, &made, &why);
    if (rc)
        return say_refused(rc, &why);
    struct asb_bytes text = asb_plan_text(made, format);
    (void)fwrite(text.at, 1, text.len, stdout);
    asb_plan_free(made);
    return say_if_output_failed() ? ASB_EXIT_USAGE : ASB_EXIT_OK;
}

int cmd_plan(int argc, char **argv)
{
    static const struct command_frame frame = {
        .name = "plan",
        .help = &cmd_plan_help,
        .gather = gather,
        .run = plan,
    };

    return command_main(&frame, argc, argv);
}

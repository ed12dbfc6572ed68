/*
 * main.c -- the asyncbatch command: finds the command that is named.
 *
 * A user of the library like any other: of this project it sees the public
 * header only.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "tools/asyncbatch/command.h"
#include "tools/asyncbatch/help.h"
#include "tools/asyncbatch/say.h"

static const struct {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
    const struct command_help *help;
} commands[] = {
    { "run", "send every item of the input, write every answer", cmd_run,
      &cmd_run_help },
    { "plan", "say what run would cost and how long it would take", cmd_plan,
      &cmd_plan_help },
    { "sim", "a provider simulator on HTTP, for tests and demonstrations",
      cmd_sim, &cmd_sim_help },
    { "config", "check a configuration file; show the effective values",
      cmd_config, &cmd_config_help },
    { "cache", "what a cache file holds; purge it", cmd_cache,
      &cmd_cache_help },
    { "models", "list the models that are known, with their prices", cmd_models,
      &cmd_models_help },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

/* COMMANDS when there is none of that name. */
static size_t find_command(const char *name)
{
    size_t i = 0;

    while (i < COMMANDS && strcmp(commands[i].name, name) != 0)
        i++;
    return i;
}

static int print_overview(void)
{
    (void)puts("Usage: asyncbatch COMMAND [options]\n\n"
               "Groups many small requests into few paid API calls, sends "
               "them under every limit\nthat applies, and gives each answer "
               "back once, in order.\n\nCommands:");
    for (size_t i = 0; i < COMMANDS; i++)
        (void)printf("  %-10s%s\n", commands[i].name, commands[i].summary);
    (void)puts("\n`asyncbatch COMMAND --help` lists the options of a command.\n"
               "`asyncbatch --version` prints the version.\n\n"
               "To see it work, without an account and for nothing:\n"
               "  echo '{\"id\":\"1\",\"text\":\"Hello\"}' | "
               "asyncbatch run --target-lang fr");
    return say_if_output_failed() ? ASB_EXIT_USAGE : ASB_EXIT_OK;
}

static int print_version(void)
{
    (void)printf("asyncbatch %s\n", asb_version());
    return say_if_output_failed() ? ASB_EXIT_USAGE : ASB_EXIT_OK;
}

static int unknown(const char *what, const char *name)
{
    say("%.200s: there is no such %s; asyncbatch --help lists what there is",
        name, what);
    return ASB_EXIT_USAGE;
}

static int help(int argc, char **argv)
{
    if (argc == 0)
        return print_overview();
    size_t found = find_command(argv[0]);
    if (found == COMMANDS)
        return unknown("command", argv[0]);
    return help_print(commands[found].help);
}

int main(int argc, char **argv)
{
    /* Which bytes the terminal takes; numbers keep their dot. */
    (void)setlocale(LC_CTYPE, "");
    if (argc < 2) {
        say("a command is missing: run, plan, sim, config, cache or models; "
            "asyncbatch --help says more");
        return ASB_EXIT_USAGE;
    }
    const char *name = argv[1];
    size_t found = find_command(name);

    if (found < COMMANDS)
        return commands[found].run(argc - 2, argv + 2);
    if (strcmp(name, "help") == 0)
        return help(argc - 2, argv + 2);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(0, NULL);
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        return print_version();
    return unknown(name[0] == '-' ? "option" : "command", name);
}

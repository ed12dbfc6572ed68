/*
 * command.h -- the commands that main.c dispatches to.
 *
 * Each is given what stands after its name and returns the exit status.
 */
#ifndef ASB_TOOLS_COMMAND_H
#define ASB_TOOLS_COMMAND_H

#include "tools/asyncbatch/args.h"

/* What --help needs of a command. */
struct command_help {
    const char *usage; /* after "asyncbatch " */
    const char *text;  /* what it does, in whole sentences */
    struct args args;  /* which options it takes */
    const char *after; /* below the options: exit statuses, examples */
};

int cmd_run(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_sim(int argc, char **argv);
int cmd_config(int argc, char **argv);
int cmd_cache(int argc, char **argv);
int cmd_warm(int argc, char **argv);
int cmd_models(int argc, char **argv);

/* For `asyncbatch help COMMAND`. */
extern const struct command_help cmd_run_help, cmd_plan_help, cmd_sim_help,
    cmd_config_help, cmd_cache_help, cmd_models_help;

struct command {
    const char *name;
    const char *summary; /* half a sentence, in the overview */
    int (*run)(int argc, char **argv);
    const struct command_help *help;
};

/* commands.c; ends with a NULL name. */
extern const struct command commands[];

#endif

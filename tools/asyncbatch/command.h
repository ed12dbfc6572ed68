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

/* The row of --help in a command's own options, and what ends them. */
extern const char *command_wants_help;
#define COMMAND_HELP                                                          \
    {                                                                         \
        { "help", "h", NULL, "", "", "Show this text." }, &command_wants_help \
    }
#define COMMAND_OPTIONS_END                          \
    {                                                \
        { NULL, NULL, NULL, NULL, NULL, NULL }, NULL \
    }

enum { COMMAND_WORDS_MAX = 2 };

/* How a command begins and ends. */
struct command_frame {
    const char *name; /* as it is called: asyncbatch NAME --help */
    const struct command_help *help;
    unsigned words_max; /* how many arguments may belong to no option */
    /* Reads what there is beside the command line: one of gather.h, or NULL. */
    int (*gather)(struct asb_options *options, struct asb_message *why);
    /* Does the work; `words` end with a NULL.  The exit status. */
    int (*run)(struct asb_options *options, const char *const *words);
};

/* Reads the options, then runs the command, or prints its help when that was
 * asked for.  The exit status. */
int command_main(const struct command_frame *frame, int argc, char **argv);

int cmd_run(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_sim(int argc, char **argv);
int cmd_config(int argc, char **argv);
int cmd_cache(int argc, char **argv);
int cmd_warm(int argc, char **argv);
int cmd_purge(int argc, char **argv);
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

/*
 * commands.c -- the commands there are.  What lists them, the help, the manual
 * and completions, reads it here.
 */
#include "tools/asyncbatch/command.h"

const struct command commands[] = {
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
    { NULL, NULL, NULL, NULL },
};

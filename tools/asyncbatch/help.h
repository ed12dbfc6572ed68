/*
 * help.h -- --help, written from the option table.
 *
 * Nothing here names an option of the engine: a row added to the table is in
 * the help at once.
 */
#ifndef ASB_TOOLS_HELP_H
#define ASB_TOOLS_HELP_H

#include "tools/asyncbatch/command.h"

/* Writes the help of a command to standard output, as wide as the terminal (80
 * columns elsewhere).  Returns the exit status. */
int help_print(const struct command_help *help);

#endif

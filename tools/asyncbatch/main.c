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

/* NULL when there is none of that name. */
static const struct command *find_command(const char *name)
{
    for (const struct command *c = commands; c->name; c++) {
        if (strcmp(c->name, name) == 0)
            return c;
    }
    return NULL;
}

static int print_overview(void)
{
    (void)puts("Usage: asyncbatch COMMAND [options]\n\n"
               "Groups many small requests into few paid API calls, sends "
               "them under every limit\nthat applies, and gives each answer "
               "back once, in order.\n\nCommands:");
    for (const struct command *c = commands; c->name; c++)
        (void)printf("  %-10s%s\n", c->name, c->summary);
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

static int no_command(void)
{
    char names[256] = "";
    size_t len = 0;

    for (const struct command *c = commands; c->name && len < sizeof(names);
         c++)
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
                                c == commands ? ""
                                : c[1].name   ? ", "
                                              : " or ",
                                c->name);
    say("a command is missing: %s; asyncbatch --help says more", names);
    return ASB_EXIT_USAGE;
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
    const struct command *found = find_command(argv[0]);
    if (!found)
        return unknown("command", argv[0]);
    return help_print(found->help);
}

int main(int argc, char **argv)
{
    /* Which bytes the terminal takes; numbers keep their dot. */
    (void)setlocale(LC_CTYPE, "");
    if (argc < 2)
        return no_command();
    const char *name = argv[1];
    const struct command *found = find_command(name);

    if (found)
        return found->run(argc - 2, argv + 2);
    if (strcmp(name, "help") == 0)
        return help(argc - 2, argv + 2);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(0, NULL);
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        return print_version();
    return unknown(name[0] == '-' ? "option" : "command", name);
}

/*
 * tables.c -- prints, as one JSON object, what the command knows of itself: its
 * commands and their options.  generate.py makes the manual and the completions
 * of it.
 *
 * Linked with the files of the command, but for its main().
 */
#include <stdio.h>

#include "tools/asyncbatch/command.h"

static void put_text(const char *key, const char *text)
{
    (void)printf("\"%s\":", key);
    if (!text) {
        (void)printf("null");
        return;
    }
    (void)putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            (void)printf("\\%c", *text);
        else if (*text == '\n')
            (void)printf("\\n");
        else
            (void)putchar(*text);
    }
    (void)putchar('"');
}

static void put_option(const struct asb_option_info *info, bool first)
{
    (void)printf("%s\n    {", first ? "" : ",");
    put_text("name", info->name);
    (void)putchar(',');
    put_text("short", info->short_name);
    (void)putchar(',');
    put_text("argument", info->argument);
    (void)putchar(',');
    put_text("group", info->group);
    (void)putchar(',');
    put_text("fallback", info->fallback);
    (void)putchar(',');
    put_text("help", info->help);
    (void)putchar('}');
}

static void put_command(const struct command *c, bool first)
{
    const struct args *args = &c->help->args;
    const struct asb_option_info *info;

    (void)printf("%s\n  {", first ? "" : ",");
    put_text("name", c->name);
    (void)putchar(',');
    put_text("summary", c->summary);
    (void)putchar(',');
    put_text("usage", c->help->usage);
    (void)putchar(',');
    put_text("text", c->help->text);
    (void)putchar(',');
    put_text("after", c->help->after);
    (void)putchar(',');
    put_text("prefix", args->prefix);
    (void)printf(",\"own\":[");
    for (const struct args_own *own = args->own; own->info.name; own++)
        put_option(&own->info, own == args->own);
    (void)printf("],\"takes\":[");
    bool none = true;
    for (size_t i = 0; (info = asb_option_at(i)); i++) {
        if (!args_take(args, info))
            continue;
        (void)printf("%s\"%s\"", none ? "" : ",", info->name);
        none = false;
    }
    (void)printf("]}");
}

int main(void)
{
    const struct asb_option_info *info;

    (void)putchar('{');
    put_text("version", asb_version());
    (void)printf(",\"commands\":[");
    for (const struct command *c = commands; c->name; c++)
        put_command(c, c == commands);
    (void)printf("],\n\"options\":[");
    for (size_t i = 0; (info = asb_option_at(i)); i++)
        put_option(info, i == 0);
    (void)printf("]}\n");
    return fflush(stdout) || ferror(stdout);
}

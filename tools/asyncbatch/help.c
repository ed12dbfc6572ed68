#include "tools/asyncbatch/help.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/asyncbatch/say.h"

enum {
    TEXT_COLUMN = 30, /* of what an option means ... */
    NARROW_COLUMN = 10,
    NARROW = 60, /* ... on terminals that are narrower */
    WIDEST = 100,
    NARROWEST = 30,
};

/* Columns to write in. */
static unsigned columns(void)
{
    struct winsize size;

    if (!isatty(STDOUT_FILENO) ||
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    if (size.ws_col > WIDEST)
        return WIDEST;
    return size.ws_col < NARROWEST ? NARROWEST : size.ws_col;
}

static void pad_to(unsigned at, unsigned column)
{
    (void)printf("%*s", column > at ? (int)(column - at) : 0, "");
}

/* Writes `text` wrapped into columns `indent`..`width`, the first line being at
 * column `at` already. */
static void wrap(const char *text, unsigned at, unsigned indent, unsigned width)
{
    bool first = true;

    pad_to(at, indent);
    at = at > indent ? at : indent;
    while (*text) {
        size_t len = strcspn(text, " ");

        if (!first && at + 1 + len > width) {
            (void)putchar('\n');
            pad_to(0, indent);
            at = indent;
            first = true;
        }
        (void)printf("%s%.*s", first ? "" : " ", (int)len, text);
        at += (unsigned)len + !first;
        first = false;
        text += len;
        text += strspn(text, " ");
    }
    (void)putchar('\n');
}

/* "  -i, --input PATH"; returns the columns used. */
static unsigned print_name(const struct asb_option_info *info,
                           const char *prefix)
{
    char name[64], shown[128];
    size_t skip = prefix && strncmp(info->name, prefix, strlen(prefix)) == 0
                      ? strlen(prefix)
                      : 0;

    (void)snprintf(name, sizeof(name), "%s", info->name + skip);
    for (char *c = name; (c = strchr(c, '_'));)
        *c = '-';
    bool is_on = !info->argument && strcmp(info->fallback, "true") == 0;
    int len = snprintf(
        shown, sizeof(shown), "  %s%s%s--%s%s%s%s",
        info->short_name ? "-" : "  ", info->short_name ? info->short_name : "",
        info->short_name ? ", " : "  ", is_on ? "[no-]" : "", name,
        info->argument ? " " : "", info->argument ? info->argument : "");
    (void)fputs(shown, stdout);
    return len > 0 ? (unsigned)len : 0;
}

static void print_option(const struct asb_option_info *info, const char *prefix,
                         unsigned width)
{
    char text[1024];
    bool has_default =
        info->fallback[0] && strcmp(info->fallback, "false") != 0;
    unsigned column = width < NARROW ? NARROW_COLUMN : TEXT_COLUMN;
    unsigned at = print_name(info, prefix);

    if (at + 1 > column) {
        (void)putchar('\n');
        at = 0;
    }
    (void)snprintf(text, sizeof(text), "%s%s%s%s", info->help,
                   has_default ? " [" : "", has_default ? info->fallback : "",
                   has_default ? "]" : "");
    wrap(text, at, column, width);
}

static void print_group(const struct command_help *help, const char *group,
                        unsigned width)
{
    const struct asb_option_info *info;

    (void)printf("\n%s:\n", group);
    for (size_t i = 0; (info = asb_option_at(i)); i++) {
        if (strcmp(info->group, group) == 0 && args_take(&help->args, info))
            print_option(info, help->args.prefix, width);
    }
}

/* Whether row `index` is the first of its group that the command takes. */
static bool opens_group(const struct args *args, size_t index)
{
    const struct asb_option_info *own = asb_option_at(index);

    for (size_t i = 0; i < index; i++) {
        const struct asb_option_info *info = asb_option_at(i);

        if (strcmp(info->group, own->group) == 0 && args_take(args, info))
            return false;
    }
    return args_take(args, own);
}

/* Paragraphs are lines of `text`; an indented one stays as it is. */
static void print_text(const char *text, unsigned width)
{
    char line[1024];

    while (*text) {
        size_t len = strcspn(text, "\n");

        (void)snprintf(line, sizeof(line), "%.*s", (int)len, text);
        if (line[0] == ' ' || !line[0])
            (void)puts(line);
        else
            wrap(line, 0, 0, width);
        text += len + (text[len] == '\n');
    }
}

int help_print(const struct command_help *help)
{
    const struct asb_option_info *info;
    unsigned width = columns();

    (void)printf("Usage: asyncbatch %s\n\n", help->usage);
    print_text(help->text, width);
    if (help->args.own[0].info.name)
        (void)puts("\nOptions:");
    for (const struct args_own *own = help->args.own; own->info.name; own++)
        print_option(&own->info, NULL, width);
    for (size_t i = 0; (info = asb_option_at(i)); i++) {
        if (opens_group(&help->args, i))
            print_group(help, info->group, width);
    }
    if (help->after) {
        (void)putchar('\n');
        print_text(help->after, width);
    }
    return say_if_output_failed() ? ASB_EXIT_USAGE : ASB_EXIT_OK;
}

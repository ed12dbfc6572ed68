/*
 * cmd_config.c -- `asyncbatch config check` and `asyncbatch config show`.
 */
#include <stdio.h>
#include <string.h>

#include "tools/asyncbatch/command.h"
#include "tools/asyncbatch/gather.h"
#include "tools/asyncbatch/say.h"

static const struct args_own own[] = {
    COMMAND_HELP,
    COMMAND_OPTIONS_END,
};

const struct command_help cmd_config_help = {
    .usage = "config check [FILE]\n       asyncbatch config show [options]",
    .text = "`check` validates a file, without a name the one that run would "
            "read, and names line and column of what is wrong with it.\n"
            "`show` prints every option with its effective value and where it "
            "comes from: default, file, environment or command line.  What it "
            "prints is a configuration file itself.",
    .args = { .own = own },
    .after = "Exit status: 0 the file is right, 2 it is not.",
};

static int check(const char *path)
{
    struct asb_message why = { "" };
    struct asb_options *options = asb_options_new();
    int rc = options ? asb_options_load(options, path, &why) : ASB_ENOMEM;

    if (!rc)
        rc = asb_options_check(options, &why);
    asb_options_free(options);
    if (rc)
        return say_refused(rc, &why);
    (void)printf("%s: ok\n", path);
    return say_if_output_failed() ? ASB_EXIT_USAGE : ASB_EXIT_OK;
}

/* Whether YAML reads the text as one plain scalar. */
static bool is_plain(const char *text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789_./+-";

    return text[0] && text[0] != '-' && text[strspn(text, safe)] == '\0';
}

static void print_quoted(const char *text)
{
    (void)putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            (void)printf("\\%c", *text);
        else if ((unsigned char)*text < 0x20 || *text == 0x7f)
            (void)printf("\\x%02x", (unsigned)(unsigned char)*text);
        else
            (void)putchar(*text);
    }
    (void)putchar('"');
}

static void print_value(const struct asb_options *options, const char *name)
{
    static const char *const origins[] = {
        [ASB_FROM_DEFAULT] = "default",
        [ASB_FROM_FILE] = "file",
        [ASB_FROM_ENVIRONMENT] = "environment",
        [ASB_FROM_COMMAND_LINE] = "command line",
        [ASB_FROM_HOST] = "host",
    };
    enum asb_origin origin = ASB_FROM_DEFAULT;
    const char *value = asb_options_get(options, name, &origin);

    (void)printf("%s: ", name);
    if (value && is_plain(value))
        (void)fputs(value, stdout);
    else
        print_quoted(value ? value : "");
    (void)printf("  # %s\n", origins[origin]);
}

static int show(const struct asb_options *options)
{
    const struct asb_option_info *info;
    const char *group = "";

    for (size_t i = 0; (info = asb_option_at(i)); i++) {
        if (strcmp(info->name, "config") == 0)
            continue; /* names the file, so it cannot stand in it */
        if (strcmp(group, info->group) != 0)
            (void)printf("%s# %s\n", group[0] ? "\n" : "", info->group);
        group = info->group;
        print_value(options, info->name);
    }
    return say_if_output_failed() ? ASB_EXIT_USAGE : ASB_EXIT_OK;
}

static int dispatch(struct asb_options *options, const char *const *words)
{
    struct asb_message why = { "" };

    if (words[0] && strcmp(words[0], "check") == 0) {
        const char *path = words[1] ? words[1] : gather_file(options);

        if (path)
            return check(path);
        say("config check: there is no asyncbatch.yaml and no "
            "config/pipeline.yaml here; give the file to check");
        return ASB_EXIT_USAGE;
    }
    if (!words[0] || strcmp(words[0], "show") != 0 || words[1]) {
        say("config: say `config check [FILE]` or `config show`");
        return ASB_EXIT_USAGE;
    }
    int rc = gather(options, &why);
    return rc ? gather_refused("config", rc, &why) : show(options);
}

int cmd_config(int argc, char **argv)
{
    static const struct command_frame frame = {
        .name = "config",
        .help = &cmd_config_help,
        .words_max = 2,
        .run = dispatch,
    };

    return command_main(&frame, argc, argv);
}

/*
 * cmd_cache.c -- `asyncbatch cache`: what is in a cache file, as JSON.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/asyncbatch/command.h"
#include "tools/asyncbatch/say.h"

static const char *wants_all, *file;

static const struct args_own own[] = {
    COMMAND_HELP,
    { { "cache", NULL, "FILE", "", "", "The cache file." }, &file },
    { { "all", NULL, NULL, "", "", "Purge what has not expired, too." },
      &wants_all },
    COMMAND_OPTIONS_END,
};

const struct command_help cmd_cache_help = {
    .usage = "cache stats|export --cache FILE\n"
             "       asyncbatch cache get KEY --cache FILE\n"
             "       asyncbatch cache purge [--all] --cache FILE\n"
             "       asyncbatch cache purge --surrogate-key NAME --cache-url "
             "URL\n"
             "       asyncbatch cache warm --cache FILE -i FORMER_OUTPUT "
             "[options of run]",
    .text = "`stats` counts the answers of a cache file.\n"
            "`export` writes every whole answer as a line of JSON, `get` those "
            "whose key begins with KEY.\n"
            "`purge` deletes what has expired and gives the room back; with "
            "--surrogate-key it tells a CDN to let go of what has that mark.\n"
            "`warm` keeps the answers of a former run: see `asyncbatch "
            "cache warm --help`.",
    .args = { .own = own, .prefix = " " }, /* none of the engine's */
    .after = "Exit status: 0 done, 1 no such key, 2 no such cache.",
};

/* ---- JSON ------------------------------------------------------------- */

static void put_char(unsigned char c)
{
    if (c == '"' || c == '\\')
        (void)printf("\\%c", c);
    else if (c == '\n')
        (void)fputs("\\n", stdout);
    else if (c < 0x20)
        (void)printf("\\u%04x", c);
    else
        (void)putchar(c);
}

static void put_text(struct asb_bytes text)
{
    (void)putchar('"');
    for (size_t i = 0; i < text.len; i++)
        put_char((unsigned char)text.at[i]);
    (void)putchar('"');
}

/* Line ends within JSON are white space. */
static void put_json(struct asb_bytes json)
{
    for (size_t i = 0; i < json.len; i++)
        (void)putchar(strchr("\r\n", json.at[i]) && json.at[i] ? ' '
                                                               : json.at[i]);
}

static int put_entry(void *arg, const struct asb_cache_entry *e)
{
    uint64_t cost = e->cost_nano_usd > 0 ? (uint64_t)e->cost_nano_usd : 0;

    if (!e->whole)
        return 0;
    ++*(uint64_t *)arg;
    (void)printf("{\"key\":\"%s\",\"output\":", e->key);
    if (e->output_is_json)
        put_json(e->output);
    else
        put_text(e->output);
    (void)printf(",\"usage\":{\"input_tokens\":%" PRIu64
                 ",\"output_tokens\":%" PRIu64 "},\"cost_usd\":%" PRIu64
                 ".%09" PRIu64 ",\"expires_ms\":%" PRIu64 ",\"expired\":%s}\n",
                 e->usage.input_tokens, e->usage.output_tokens,
                 cost / 1000000000, cost % 1000000000, e->expires_ms,
                 e->expired ? "true" : "false");
    return ferror(stdout);
}

/* ---- the verbs -------------------------------------------------------- */

static int stats(struct asb_cache *cache, const char *unused)
{
    struct asb_cache_stats s = { .size = sizeof(s) };
    int rc = asb_cache_get_stats(cache, &s);

    (void)unused;
    if (!rc)
        (void)printf("{\"answers\":%" PRIu64 ",\"expired\":%" PRIu64
                     ",\"file_bytes\":%" PRIu64 "}\n",
                     s.answers, s.expired, s.file_bytes);
    return rc;
}

static int export_all(struct asb_cache *cache, const char *unused)
{
    uint64_t count = 0;

    (void)unused;
    return asb_cache_each(cache, NULL, put_entry, &count);
}

static int get(struct asb_cache *cache, const char *key)
{
    uint64_t count = 0;
    int rc = asb_cache_each(cache, key, put_entry, &count);

    return rc || count ? rc : ASB_ENOENT;
}

static int purge(struct asb_cache *cache, const char *unused)
{
    uint64_t count = 0;
    int rc = asb_cache_purge(cache, wants_all != NULL, &count);

    (void)unused;
    if (!rc)
        (void)printf("{\"deleted\":%" PRIu64 "}\n", count);
    return rc;
}

static const struct {
    const char *name;
    bool takes_key;
    int (*run)(struct asb_cache *cache, const char *key);
} verbs[] = {
    { "stats", false, stats },
    { "get", true, get },
    { "purge", false, purge },
    { "export", false, export_all },
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static int run_verb(size_t verb, const char *key)
{
    struct asb_message why = { "" };
    struct asb_cache *cache = NULL;

    if (!file || !file[0]) {
        say("cache %s: the file is missing; give --cache FILE",
            verbs[verb].name);
        return ASB_EXIT_USAGE;
    }
    int rc = asb_cache_open(file, &cache, &why);
    if (!rc)
        rc = verbs[verb].run(cache, key);
    asb_cache_close(cache);
    if (rc == ASB_ENOENT) {
        say("cache %.200s: no answer has a key that begins so", file);
        return ASB_EXIT_SOME_FAILED;
    }
    if (rc)
        return say_refused(rc, &why);
    return say_if_output_failed() ? ASB_EXIT_USAGE : ASB_EXIT_OK;
}

static int dispatch(struct asb_options *options, const char *const *words)
{
    size_t verb = 0;

    (void)options;
    while (verb < VERBS &&
           (!words[0] || strcmp(verbs[verb].name, words[0]) != 0))
        verb++;
    if (verb == VERBS || verbs[verb].takes_key != (words[1] != NULL)) {
        say("cache: say `cache stats`, `cache get KEY`, `cache purge`, "
            "`cache warm` or `cache export`, and --cache FILE");
        return ASB_EXIT_USAGE;
    }
    return run_verb(verb, words[1]);
}

/* Then it is no file that is purged. */
static bool names_mark(int argc, char **argv)
{
    static const char option[] = "--surrogate-key";

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], option, sizeof(option) - 1) == 0)
            return true;
    }
    return false;
}

int cmd_cache(int argc, char **argv)
{
    static const struct command_frame frame = {
        .name = "cache",
        .help = &cmd_cache_help,
        .words_max = 2,
        .run = dispatch,
    };

    if (argc > 0 && strcmp(argv[0], "warm") == 0)
        return cmd_warm(argc - 1, argv + 1);
    if (argc > 0 && strcmp(argv[0], "purge") == 0 && names_mark(argc, argv))
        return cmd_purge(argc - 1, argv + 1);
    return command_main(&frame, argc, argv);
}

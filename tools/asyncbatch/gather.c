#include "tools/asyncbatch/gather.h"

#include <string.h>
#include <unistd.h>

#include "tools/asyncbatch/say.h"

const char *gather_file(const struct asb_options *options)
{
    static const char *const usual[] = { "asyncbatch.yaml",
                                         "config/pipeline.yaml" };
    const char *named = asb_options_get(options, "config", NULL);

    if (named && named[0])
        return named;
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        if (access(usual[i], F_OK) == 0)
            return usual[i];
    }
    return NULL;
}

int gather_without_file(struct asb_options *options, struct asb_message *why)
{
    int rc = asb_options_load_environment(options, why);

    return rc ? rc : asb_options_check(options, why);
}

int gather_unchecked(struct asb_options *options, struct asb_message *why)
{
    const char *file = gather_file(options);
    int rc = file ? asb_options_load(options, file, why) : ASB_OK;

    /* One that nobody named is read like any: no file is written over it. */
    if (!rc && file && !asb_options_get(options, "config", NULL)[0])
        rc = asb_options_set(options, "config", file, ASB_FROM_DEFAULT, why);
    return rc ? rc : asb_options_load_environment(options, why);
}

int gather(struct asb_options *options, struct asb_message *why)
{
    int rc = gather_unchecked(options, why);

    return rc ? rc : asb_options_check(options, why);
}

int gather_refused(const char *command, int rc, const struct asb_message *why)
{
    size_t len = strlen(why->text);
    bool asks = len && why->text[len - 1] == '?';

    if (rc != ASB_ENOENT)
        return say_refused(rc, why);
    say("%s%s asyncbatch %s --help for the options", why->text,
        asks ? " See" : "; see", command);
    return ASB_EXIT_USAGE;
}

int gather_for_caches(struct asb_options *options, struct asb_message *why)
{
    const char *provider = asb_options_get(options, "provider", NULL);
    const char *base_url = asb_options_get(options, "base_url", NULL);

    if (strcmp(provider, "sim") != 0 || base_url[0])
        return ASB_OK;
    return asb_options_set(options, "base_url", "http://127.0.0.1:9/v1",
                           ASB_FROM_HOST, why);
}

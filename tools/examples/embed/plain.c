/*
 * plain.c -- the smallest host: a few texts, an engine on a loop of its own,
 * answers in order.
 *
 *     cc plain.c $(pkg-config --cflags --libs asyncbatch) -o plain
 *     ./plain http://127.0.0.1:8080/v1 fr 'Good morning' 'Good night'
 *
 * `asyncbatch sim --listen 127.0.0.1:8080` is a provider that costs nothing.
 */
#include <asyncbatch/asyncbatch.h>

#include <stdio.h>
#include <string.h>

static void on_done(struct asb_engine *engine, const struct asb_result *result,
                    void *arg)
{
    const char *text = arg;

    (void)engine;
    if (result->ok)
        (void)printf("%s = %.*s\n", text, (int)result->output.len,
                     result->output.at);
    else
        (void)printf("%s: %.*s\n", text, (int)result->error_message.len,
                     result->error_message.at);
}

static int submit(struct asb_engine *engine, const char *text)
{
    struct asb_request request = { .size = sizeof(request) };

    request.text.at = text;
    request.text.len = strlen(text);
    /* A host with many asks asb_has_room() first, and waits when there is
     * none. */
    return asb_submit(engine, &request, on_done, (void *)text, NULL);
}

static int configure(struct asb_options *options, const char *url,
                     const char *language, struct asb_message *why)
{
    int rc = asb_options_set(options, "base_url", url, ASB_FROM_HOST, why);

    if (!rc)
        rc = asb_options_set(options, "task", "translate", ASB_FROM_HOST, why);
    if (!rc)
        rc = asb_options_set(options, "target_lang", language, ASB_FROM_HOST,
                             why);
    return rc;
}

static int usage(void)
{
    (void)fprintf(stderr, "usage: plain URL LANGUAGE TEXT...\n");
    return 2;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return usage();
    struct asb_options *options = asb_options_new();
    struct asb_hooks hooks = { .size = sizeof(hooks), .in_order = true };
    struct asb_engine *engine = NULL;
    struct asb_message why = { "" };
    int rc = ASB_ENOMEM;

    if (options)
        rc = configure(options, argv[1], argv[2], &why);
    if (!rc)
        rc = asb_engine_new(options, &hooks, &engine, &why);
    for (int i = 3; i < argc && !rc; i++)
        rc = submit(engine, argv[i]);
    if (!rc) {
        asb_flush(engine); /* no more will come: wait for nobody */
        rc = asb_run(engine);
    }
    if (rc)
        (void)fprintf(stderr, "plain: %s %s\n", asb_strerror(rc), why.text);
    (void)asb_engine_free(engine);
    asb_options_free(options);
    return rc ? 1 : 0;
}

/* A program of somebody else: one item through the installed library, on a
 * loop of its own, answered by the simulator.  Valid C and C++. */
#include <asyncbatch/asyncbatch.h>

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

static void on_done(struct asb_engine *engine, const struct asb_result *result,
                    void *arg)
{
    (void)engine;
    (void)printf("%.*s: %s\n", (int)result->id.len, result->id.at,
                 result->ok ? "ok" : result->error_code);
    *(int *)arg = result->ok && result->output.len > 0;
}

/* Answers one item; 1 when it came back well. */
static int ask(struct event_base *base, struct asb_options *options,
               struct asb_message *why)
{
    struct asb_engine *engine = NULL;
    struct asb_hooks hooks;
    struct asb_request request;
    int answered = 0;

    memset(&hooks, 0, sizeof(hooks));
    hooks.size = sizeof(hooks);
    hooks.base = base;
    memset(&request, 0, sizeof(request));
    request.size = sizeof(request);
    request.id.at = "greeting";
    request.id.len = 8;
    request.text.at = "Hello";
    request.text.len = 5;
    request.payload = ASB_TEXT;
    int rc = asb_engine_new(options, &hooks, &engine, why);
    if (!rc)
        rc = asb_submit(engine, &request, on_done, &answered, NULL);
    if (!rc) {
        asb_drain(engine);
        rc = asb_run(engine);
    }
    asb_engine_free(engine);
    if (rc)
        (void)fprintf(stderr, "%s %s\n", asb_strerror(rc), why->text);
    return !rc && answered;
}

static int with_simulator(struct event_base *base, struct asb_options *options)
{
    struct asb_simulator *simulator = NULL;
    struct asb_message why = { "" };
    char url[256];
    int ok = 0;

    if (asb_simulator_new(base, options, "127.0.0.1:0", &simulator, &why)) {
        (void)fprintf(stderr, "%s\n", why.text);
        return 0;
    }
    (void)snprintf(url, sizeof(url), "%s/v1", asb_simulator_url(simulator));
    if (!asb_options_set(options, "base_url", url, ASB_FROM_HOST, &why) &&
        !asb_options_set(options, "sim_latency", "base=1ms", ASB_FROM_HOST,
                         &why))
        ok = ask(base, options, &why);
    asb_simulator_free(simulator);
    return ok;
}

int main(void)
{
    struct event_base *base = event_base_new();
    struct asb_options *options = asb_options_new();
    int ok = base && options &&
             strcmp(asb_version(), ASB_VERSION_STRING) == 0 &&
             with_simulator(base, options);

    asb_options_free(options);
    if (base)
        event_base_free(base);
    return ok ? 0 : 1;
}

#include "tests/support/host.h"

#include <event2/event.h>
#include <unistd.h>

#include "engine/base/str.h"
#include "tests/support/caller.h"
#include "tests/support/check.h"

void host_init(struct host *h)
{
    *h = (struct host){ .hooks = { .size = sizeof(h->hooks) } };
    fault_mem_init(&h->fm, 0);
}

static void set(struct asb_options *o, const char *name, const char *value)
{
    struct asb_message why;

    if (asb_options_set(o, name, value, ASB_FROM_HOST, &why))
        check_fail(__FILE__, __LINE__, "%s", why.text);
}

static struct asb_options *make_options(const struct host *h)
{
    struct asb_options *o = asb_options_new();

    CHECK(o);
    set(o, "target_lang", "fr");
    set(o, "sim_latency", "base=1ms,per_output_token=0ms,sigma=0");
    set(o, "batch_wait", "1ms");
    set(o, "base_url", "http://127.0.0.1:9/v1"); /* nobody is there */
    for (size_t i = 0; h->options[i][0]; i++)
        set(o, h->options[i][0], h->options[i][1]);
    return o;
}

static void start_simulator(struct host *h, struct asb_options *o)
{
    struct asb_message why;

    h->base = event_base_new();
    CHECK(h->base);
    CHECK_INT(asb_simulator_new(h->base, o, "127.0.0.1:0", &h->simulator, &why),
              ==, ASB_OK);
}

static void find_base(struct host *h, struct asb_options *o)
{
    char url[256];

    if (h->own_base)
        return;
    if (h->beside)
        h->base = h->beside->base;
    else
        start_simulator(h, o);
    (void)snprintf(url, sizeof(url), "%s/v1",
                   asb_simulator_url((h->beside ? h->beside : h)->simulator));
    set(o, "base_url", url);
}

void host_start(struct host *h)
{
    struct asb_options *o = make_options(h);
    struct asb_message why;

    h->open_before = open_descriptors();
    find_base(h, o);
    h->hooks.base = h->base;
    h->hooks.resize = h->fm.mem.resize;
    h->hooks.resize_arg = h->fm.mem.arg;
    if (asb_engine_new(o, &h->hooks, &h->engine, &why))
        check_fail(__FILE__, __LINE__, "%s", why.text);
    asb_options_free(o); /* the engine has its own */
}

void host_end(struct host *h)
{
    CHECK_INT(asb_engine_free(h->engine), ==, ASB_OK);
    asb_simulator_free(h->simulator);
    if (h->base && !h->beside)
        event_base_free(h->base);
    CHECK_INT(h->fm.live, ==, 0);
    if (h->open_before)
        CHECK_INT(open_descriptors(), ==, h->open_before);
}

static void on_done(struct asb_engine *e, const struct asb_result *result,
                    void *arg)
{
    struct host *h = arg;
    size_t len = strlen(h->told);

    CHECK(e == h->engine);
    CHECK(result->size == sizeof(*result));
    h->done++;
    h->ok += result->ok;
    h->failed += !result->ok;
    (void)snprintf(h->told + len, sizeof(h->told) - len, "%.*s%s ",
                   (int)result->id.len, result->id.at, result->ok ? "" : "!");
    if (h->on_result)
        h->on_result(h, result);
}

int host_ask(struct host *h, const struct asb_request *request,
             uint64_t *number)
{
    unsigned before = h->done;
    int rc = asb_submit(h->engine, request, on_done, h, number);

    CHECK_INT(h->done, ==, before); /* never from inside */
    return rc;
}

uint64_t host_submit(struct host *h, const char *id, const char *text)
{
    struct asb_request request = { .size = sizeof(request),
                                   .id = asbi_str_c(id),
                                   .text = asbi_str_c(text) };
    uint64_t number = 0;

    CHECK_INT(host_ask(h, &request, &number), ==, ASB_OK);
    CHECK(number != 0);
    return number;
}

void host_wait(struct host *h, unsigned done)
{
    while (h->done < done)
        CHECK_INT(event_base_loop(h->base, EVLOOP_ONCE), ==, 0);
}

void host_idle(struct host *h)
{
    for (int i = 0; i < 50; i++)
        (void)event_base_loop(h->base, EVLOOP_NONBLOCK);
}

void host_release(void *arg)
{
    struct host *h = arg;

    h->released++;
}

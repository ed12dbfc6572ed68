#include "tools/asyncbatch/reload.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>

static void tell(const struct reload *r, const char *name, const char *what)
{
    char line[1200];

    (void)snprintf(line, sizeof(line), "%s read again: %.100s %.1000s", r->file,
                   name, what);
    r->tell(r->arg, line);
}

/* What the user said more strongly than a file does is left as it is. */
static void take_over(const struct reload *r, const struct asb_options *fresh,
                      const char *name)
{
    enum asb_origin origin = ASB_FROM_DEFAULT;
    struct asb_message why = { "" };
    const char *value = asb_options_get(fresh, name, NULL);

    if (!asb_options_get(r->options, name, &origin) || !value ||
        origin > ASB_FROM_FILE)
        return;
    int rc = asb_engine_set(r->engine, name, value, &why);
    if (rc)
        tell(r, name,
             why.text[0] ? why.text : "is as before; there is no memory");
    else
        tell(r, name, value);
}

static void on_event(evutil_socket_t number, short what, void *arg)
{
    static const char *const names[] = { "priority_weights", "class_shares",
                                         "class_targets" };
    const struct reload *r = arg;
    struct asb_options *fresh = asb_options_new();
    struct asb_message why = { "" };

    (void)number;
    (void)what;
    int rc = fresh ? asb_options_load(fresh, r->file, &why) : ASB_ENOMEM;
    if (rc)
        tell(r,
             "nothing is changed:", why.text[0] ? why.text : asb_strerror(rc));
    for (size_t i = 0; !rc && i < sizeof(names) / sizeof(names[0]); i++)
        take_over(r, fresh, names[i]);
    asb_options_free(fresh);
}

int reload_init(struct reload *r, struct event_base *base)
{
    if (!r->file)
        return 0;
    r->event = evsignal_new(base, SIGHUP, on_event, r);
    return r->event && event_add(r->event, NULL) == 0 ? 0 : -1;
}

void reload_fini(struct reload *r)
{
    if (r->event)
        event_free(r->event);
    r->event = NULL;
}

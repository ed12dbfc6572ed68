#include "tools/asyncbatch/signals.h"

#include <event2/event.h>
#include <signal.h>
#include <stddef.h>

static void on_event(evutil_socket_t number, short what, void *arg)
{
    struct signals *s = arg;

    (void)number;
    (void)what;
    s->on_signal(s->arg, ++s->count);
}

int signals_init(struct signals *s, struct event_base *base,
                 void (*on_signal)(void *arg, unsigned count), void *arg)
{
    static const int numbers[2] = { SIGINT, SIGTERM };

    *s = (struct signals){ .on_signal = on_signal, .arg = arg };
    for (int i = 0; i < 2; i++) {
        s->events[i] = evsignal_new(base, numbers[i], on_event, s);
        if (!s->events[i] || event_add(s->events[i], NULL) != 0) {
            signals_fini(s);
            return -1;
        }
    }
    return 0;
}

void signals_fini(struct signals *s)
{
    for (int i = 0; i < 2; i++) {
        if (s->events[i])
            event_free(s->events[i]);
        s->events[i] = NULL;
    }
}

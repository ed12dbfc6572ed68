/*
 * signals.h -- SIGINT and SIGTERM as callbacks from the loop.
 */
#ifndef ASB_TOOLS_SIGNALS_H
#define ASB_TOOLS_SIGNALS_H

struct event;
struct event_base;

struct signals {
    struct event *events[2];
    void (*on_signal)(void *arg, unsigned count);
    void *arg;
    unsigned count; /* how many have come */
};

/* Has on_signal() called with 1, 2, ... for each signal that comes.  `s` stays
 * where it is until signals_fini().  Nonzero when out of memory. */
int signals_init(struct signals *s, struct event_base *base,
                 void (*on_signal)(void *arg, unsigned count), void *arg);

/* Accepts a zeroed one. */
void signals_fini(struct signals *s);

#endif

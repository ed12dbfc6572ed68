/*
 * caller.h -- the owner of exchanges in tests: a real world, calls that
 * remember what they were told, and a loop that runs until something holds.
 */
#ifndef ASBI_TESTS_CALLER_H
#define ASBI_TESTS_CALLER_H

#include <stdbool.h>

#include "engine/base/buf.h"
#include "engine/base/units.h"
#include "engine/real/loop.h"
#include "engine/transport.h"

struct event_base;

/* A loop, and a world on it that does not own it. */
struct surroundings {
    const struct asbi_mem *mem;
    struct event_base *base;
    struct asbi_world *world; /* NULL when making it failed */
    struct asb_message why;
    unsigned open_before; /* descriptors */
};

/* Zeroed options with no proxy are the usual ones.  `mem` NULL: the system's.
 */
void surroundings_init(struct surroundings *s, const struct asbi_mem *mem,
                       const struct asbi_real_options *options);
/* Frees all; fails the test when a descriptor or a thread is left. */
void surroundings_fini(struct surroundings *s);

struct call {
    struct asbi_exchange exchange; /* first */
    struct surroundings *in;
    int status;
    struct asbi_buf headers; /* "name=value;" each */
    struct asbi_buf body;
    size_t body_bytes; /* also when not kept */
    bool drop_body;    /* only count */
    int refuse_from;   /* refuse the body when so many bytes came; 0: no */
    unsigned ended;    /* times on_end came */
    struct asbi_exchange_end end;
    char text[256]; /* copy of end.text */
    /* Called after it all, from on_end; may be NULL. */
    void (*then)(struct call *c);
    /* Called from on_header and on_body; may be NULL. */
    void (*meanwhile)(struct call *c);
    void *data;
};

/* Generous limits, no body. */
void call_init(struct call *c, struct surroundings *s,
               struct asbi_endpoint *endpoint);
void call_fini(struct call *c);
/* ASB_OK or what the transport said. */
int call_start(struct call *c, const char *body);
/* Starts it and runs the loop until it has ended. */
void call_do(struct call *c, const char *body);
/* The same where memory may run short: ASB_OK when it was answered whole,
 * ASB_ENOMEM when there is no world or the call was not sent; nothing else may
 * have become of it. */
int call_survive(struct call *c, const char *body);
/* The same of one that call_start() said `rc` of. */
int call_survived(struct call *c, int rc);
void call_cancel(struct call *c);

/* Runs the loop until `*flag`; fails the test when that takes half a minute. */
void run_until(struct surroundings *s, const unsigned *count, unsigned want);
/* As run_until(), for whatever can be asked; asks every few milliseconds. */
void run_until_holds(struct surroundings *s, bool (*holds)(void));
/* Runs for a while of real time; for what must *not* happen. */
void run_for(struct surroundings *s, unsigned ms);

/* Descriptors open in this process, and its tasks. */
unsigned open_descriptors(void);
unsigned tasks(void);

void endpoint_forget(struct surroundings *s, struct asbi_endpoint *e);

#endif

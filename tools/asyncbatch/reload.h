/*
 * reload.h -- SIGHUP has a job that runs read its configuration file again, for
 * what may change meanwhile: whom it serves first.
 *
 * Only where nobody sits at a terminal, as there it means that the terminal is
 * gone.  What the command line or the environment said stays.
 */
#ifndef ASB_TOOLS_RELOAD_H
#define ASB_TOOLS_RELOAD_H

#include <asyncbatch/asyncbatch.h>

struct event;

struct reload {
    struct event *event; /* NULL: there is no file */
    const char *file;
    const struct asb_options *options; /* as the job began with them */
    struct asb_engine *engine;
    void (*tell)(void *arg, const char *line);
    void *arg;
};

/* Zeroed but for `file`, `options`, `engine`, `tell` and `arg`, which all must
 * outlive it.  `file` may be NULL.  Nonzero when out of memory. */
int reload_init(struct reload *r, struct event_base *base);

/* Accepts a zeroed one. */
void reload_fini(struct reload *r);

#endif

/*
 * call.h -- one call to the simulated provider and the answer it will get.
 *
 * Made by the provider; its driver (a server, a virtual world) plays it back
 * when the time has come.  Here are also the helpers that fill an answer in.
 */
#ifndef ASBI_SIM_CALL_H
#define ASBI_SIM_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/list.h"
#include "engine/base/mem.h"
#include "engine/sim/faults.h"
#include "engine/sim/stats.h"

struct asbi_json;

enum { ASBI_SIM_MAX_HEADERS = 16 };

struct asbi_sim_header {
    const char *name; /* static storage */
    char value[80];
};

/* A part of the body that becomes visible at once. */
struct asbi_sim_piece {
    uint64_t after_ns; /* from the start of service; never falls */
    size_t end;        /* bytes of the body up to here */
};

struct asbi_sim_call {
    /* -- for the driver to read.  Status line and headers go out with the
     * first piece; there is at least one. */
    int status;
    struct asbi_sim_header headers[ASBI_SIM_MAX_HEADERS];
    size_t header_count;
    struct asbi_buf body;
    struct asbi_sim_piece *pieces;
    size_t piece_count;
    bool stream;   /* server-sent events: no length is known beforehand */
    size_t cut_at; /* the connection closes after so many bytes of the body, at
                      least one, fewer than all; SIZE_MAX: it does not */
    bool silent;   /* it closes before the status line */
    bool started;  /* false: waits until a finish() names it */
    uint64_t started_ns;

    /* -- the driver's */
    void *owner;

    /* -- the provider's */
    const struct asbi_mem *mem;
    struct asbi_sim_piece whole; /* where `pieces` points without a stream */
    struct asbi_link link;       /* among those that wait */
    bool counted;                /* in the statistics of calls */
    bool takes_place;            /* counts against the capacity */
    struct asbi_sim_usage usage;
    struct asbi_sim_model model;
    unsigned percent;      /* of the price; 0: not billed */
    int64_t flat_nano_usd; /* billed beside the tokens */
    uint64_t items, dropped;
};

/* Why a request is refused, in the terms of OpenAI's error body. */
struct asbi_sim_problem {
    int status;
    const char *type;  /* "invalid_request_error" */
    const char *code;  /* NULL for null */
    const char *param; /* NULL for null */
    char message[400]; /* no text of an item in it */
};

/* Always returns ASB_EINVAL, so that a refusal is one statement. */
int asbi_sim_refuse(struct asbi_sim_problem *p, int status, const char *code,
                    const char *param, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Reads the member "model" of a request; refuses one that is not there, too
 * long, or called "missing-...". */
int asbi_sim_read_model(struct asbi_json *json, char *model, size_t size,
                        struct asbi_sim_problem *why);

/* NULL when out of memory.  One piece, at once, no body yet. */
struct asbi_sim_call *asbi_sim_call_new(const struct asbi_mem *mem);
void asbi_sim_call_free(struct asbi_sim_call *call);

/* When a piece is due on the driver's clock.  The call has started. */
uint64_t asbi_sim_call_due(const struct asbi_sim_call *call, size_t piece);

/* Cuts a value that is too long; headers beyond the last place are left out. */
void asbi_sim_call_header(struct asbi_sim_call *call, const char *name,
                          const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* {"error":{...}} */
void asbi_sim_put_problem(const struct asbi_sim_problem *problem,
                          struct asbi_buf *out);

/* Drops what is in the body and puts the error there instead. */
void asbi_sim_call_problem(struct asbi_sim_call *call,
                           const struct asbi_sim_problem *problem);

/* An injected failure: 500 and 503 with an error body, 502 with a page of
 * HTML as a proxy in between sends it. */
void asbi_sim_call_failure(struct asbi_sim_call *call, int status);

/* Lets the pieces end where the body ends and applies a disconnect.  To be
 * called once the body is whole.  False when out of memory. */
bool asbi_sim_call_seal(struct asbi_sim_call *call,
                        const struct asbi_sim_delay *delay,
                        const struct asbi_sim_fault *fault);

#endif

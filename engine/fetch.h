/*
 * fetch.h -- one artefact from an address into a file: gone on with where it
 * stopped, checked by size and digest, named when it is whole.
 *
 * The key, and a signature made with it, go along only where the address is the
 * lane's own; a redirect gets none.  A part that is there already is gone on
 * with by a range; a server that answers with the whole instead is heard from
 * the start.  What breaks off is tried again, with waits; what comes damaged is
 * fetched anew.
 */
#ifndef ASBI_FETCH_H
#define ASBI_FETCH_H

#include "engine/artefacts.h"
#include "engine/base/heap.h"
#include "engine/errand.h"

struct asbi_fetch;

enum asbi_fetch_outcome {
    ASBI_FETCHED,
    ASBI_FETCH_GONE,    /* 404, 410, 403: the address is of no use any more */
    ASBI_FETCH_FAILED,  /* tried often enough */
    ASBI_FETCH_DAMAGED, /* size or digest are not what was announced */
    ASBI_FETCH_UNSAVED, /* the file could not be written */
    ASBI_FETCH_TOO_LARGE,
};

/* What the server told, and was found true. */
enum asbi_fetch_check {
    ASBI_CHECK_NOTHING,
    ASBI_CHECK_SIZE,
    ASBI_CHECK_SHA256, /* and the size, when told */
};

/* All texts live until the fetch is freed. */
struct asbi_fetched {
    enum asbi_fetch_outcome outcome;
    const char *why; /* for people, when it failed */
    const char *path;
    uint64_t bytes;
    char sha256[2 * ASBI_DIGEST_BYTES + 1]; /* in hexadecimal digits */
    enum asbi_fetch_check check;
    const char *type; /* "video/mp4"; "" when not told */
};

/* All of one origin, few of them on their way at once. */
struct asbi_fetches {
    struct asb_engine *engine;
    struct asbi_artefacts *place; /* borrowed */
    /* One more header line with the key, or NULL for none; may be NULL. */
    const char *(*sign)(void *arg);
    void *arg;
    bool foreign;         /* no address is the lane's: its key never goes
                             along, what sign() gives always, until a redirect */
    unsigned most_tries;  /* in a row, with nothing that came */
    uint64_t patience_ns; /* as an errand's */
    struct asbi_heap waiting;
    unsigned active;
};

void asbi_fetches_init(struct asbi_fetches *all, struct asb_engine *e,
                       struct asbi_artefacts *place);
/* Once all are freed. */
void asbi_fetches_fini(struct asbi_fetches *all);

/* Begins or tries again what is due; in each turn. */
void asbi_fetches_turn(struct asbi_fetches *all, uint64_t now);

/* When that has something to do; ASBI_NEVER for not before one ends. */
uint64_t asbi_fetches_due(const struct asbi_fetches *all);

/**
 * Will begin in one of the next turns.  `name` is a plain file name without
 * ending; the ending follows from what comes.  `origin` tells artefacts apart
 * that get the same name, one after the other: only a part of the same is gone
 * on with.  `done` is called once; the fetch is the owner's to free, also in
 * there.  NULL when out of memory.
 */
struct asbi_fetch *asbi_fetch_new(
    struct asbi_fetches *all, asbi_str address, asbi_str name, asbi_str origin,
    void (*done)(void *arg, const struct asbi_fetched *fetched), void *arg);

/* What is to come is known: its digest in hexadecimal digits, and its type,
 * whatever the server says of these.  Its part goes when the fetch fails.  Both
 * are borrowed. */
void asbi_fetch_expect(struct asbi_fetch *fetch, const char *sha256,
                       const char *type);

/* Leaves the part for later.  Accepts NULL. */
void asbi_fetch_free(struct asbi_fetch *fetch);

#endif

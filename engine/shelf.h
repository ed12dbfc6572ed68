/*
 * shelf.h -- artefacts shared through the HTTP tier of the cache: each is kept
 * there under the SHA-256 of its bytes, and answers refer to it.
 *
 * What a job made and this run fetched is written below the tier's address as
 * sha256-HEX.mp4.  When all of an answer's artefacts are there, the answer is
 * kept in all tiers, without the paths of this machine.  An item for which such
 * an answer is found fetches the artefacts into its own folder, under its own
 * name, and is answered when each has the digest that the answer tells; else
 * it is asked for as if nothing had been found.
 *
 * shelf.c is the way there, shelf_take.c the way back, shelf_answer.c what
 * answers say of their artefacts.  One artefact is written at a time, and held
 * in memory for that: larger ones than ASBI_SHELF_MOST are not shared, nor
 * those of a size that the server refused; either is said once.  Refuses to try
 * long: a server that does not take them has no more offered.
 */
#ifndef ASBI_SHELF_H
#define ASBI_SHELF_H

#include "cache/key.h"
#include "engine/fetch.h"
#include "engine/recall.h"

enum {
    ASBI_SHELF_MOST = 64 << 20, /* bytes of an artefact */
    ASBI_SHELF_ASSETS = 8,
    ASBI_SHELF_TYPE = 64,
};

struct asbi_item;

struct asbi_shelf {
    struct asb_engine *engine;   /* NULL: nothing is shared */
    struct asbi_remote *tier;    /* borrowed */
    struct asbi_json *json;      /* reads answers */
    struct asbi_remote looks;    /* where items are that wait for artefacts */
    struct asbi_list taken;      /* these, ... */
    struct asbi_fetches fetches; /* ... and what is fetched for them */

    struct asbi_list offers; /* answers whose artefacts are to be written */
    size_t offer_bytes;
    struct asbi_errand errand; /* writes one of the first */
    struct asbi_buf bytes;     /* of it */
    const char *lines[4];      /* its headers */
    char life[48];
    unsigned failures;  /* in a row */
    uint64_t too_large; /* bytes of one that was refused for its size: none of
                           as many is offered; 0: no such */
    bool told_most;     /* that some are over ASBI_SHELF_MOST */
};

/* ---- shelf.c ------------------------------------------------------------ */

/* With a folder for artefacts and an HTTP tier: ASB_OK or ASB_ENOMEM. */
int asbi_shelf_init(struct asbi_shelf *s, struct asb_engine *e);
void asbi_shelf_fini(struct asbi_shelf *s);

/* An item of that key has been answered by a job of this run: `output`, which
 * is kept once its artefacts are. */
void asbi_shelf_offer(struct asbi_shelf *s, const struct asbi_cache_key *key,
                      asbi_str output, int64_t cost_nano_usd);

/* Writes and fetches what is due; in each turn. */
void asbi_shelf_turn(struct asbi_shelf *s, uint64_t now);
uint64_t asbi_shelf_due(const struct asbi_shelf *s);

/* Artefacts are still on their way there; bounded. */
bool asbi_shelf_busy(const struct asbi_shelf *s);

/* ---- shelf_take.c ------------------------------------------------------- */

void asbi_shelf_take_init(struct asbi_shelf *s);
void asbi_shelf_take_fini(struct asbi_shelf *s);

/* A record of an item in no place, which leads its flight, was found in a tier.
 * True when its artefacts are now fetched: the item is then among those that
 * are looked up, until asbi_recall_give() or asbi_recall_lack(). */
bool asbi_shelf_take(struct asbi_shelf *s, struct asbi_item *item,
                     asbi_str record, uint64_t expires_ms, enum asbi_tier tier);

/* ---- shelf_answer.c ----------------------------------------------------- */

/* What an answer says of an artefact. */
struct asbi_shelf_asset {
    char sha256[2 * ASBI_DIGEST_BYTES + 1];
    char type[ASBI_SHELF_TYPE];
    uint64_t bytes;
    char *path; /* owned; NULL: none */
};

struct asbi_shelf_assets {
    struct asbi_shelf_asset all[ASBI_SHELF_ASSETS];
    size_t count;
};

/* False when it tells of no artefacts, of too many, or of one without a digest,
 * or when memory is short.  Freed by asbi_shelf_assets_free(), also then. */
bool asbi_shelf_read(struct asbi_json *json, const struct asbi_mem *mem,
                     asbi_str output, struct asbi_shelf_assets *assets);
void asbi_shelf_assets_free(const struct asbi_mem *mem,
                            struct asbi_shelf_assets *assets);

/* Appends the answer that asbi_shelf_read() has just read, with the paths in
 * `assets` in place of its own; NULL: without any. */
void asbi_shelf_write(struct asbi_json *json,
                      const struct asbi_shelf_assets *assets,
                      struct asbi_buf *out);

/* Appends where an artefact is. */
void asbi_shelf_put_url(const struct asbi_shelf *s,
                        const struct asbi_shelf_asset *asset,
                        struct asbi_buf *out);

#endif

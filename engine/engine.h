/*
 * engine.h -- the engine's own state, seen by the files that make it up.
 *
 * One turn, in this order: owed callbacks, items whose wait is over, batches
 * that may go, one timer for what comes next.  Everything else only puts
 * things into lists and asks for a turn.
 */
#ifndef ASBI_ENGINE_H
#define ASBI_ENGINE_H

#include <asyncbatch/asyncbatch.h>

#include "adapters/task.h"
#include "config/config.h"
#include "engine/alerts.h"
#include "engine/base/heap.h"
#include "engine/base/list.h"
#include "engine/base/log.h"
#include "engine/base/map.h"
#include "engine/base/pool.h"
#include "engine/base/rng.h"
#include "engine/base/slots.h"
#include "engine/item.h"
#include "engine/journal.h"
#include "engine/known_jobs.h"
#include "engine/lane.h"
#include "engine/native.h"
#include "engine/media.h"
#include "engine/recall.h"
#include "engine/pick.h"
#include "engine/routes.h"
#include "engine/world.h"
#include "scheduler/eta.h"
#include "scheduler/former.h"
#include "scheduler/room.h"

/* Whose items they are; "" for those that name nobody. */
struct asbi_tenant {
    asbi_str key; /* owned; in engine->tenants */
    size_t kinds; /* the entry goes with the last */
    struct asbi_account account;
};

/* Items that may share a call: one class of one tenant, packed or not. */
struct asbi_kind_entry {
    struct asbi_kind kind;
    struct asbi_tenant *tenant;
    char *key; /* in engine->kinds */
    size_t key_len;
    bool shares;         /* items may share a call; else each goes alone */
    bool again;          /* items that were sent before */
    uint64_t most_items; /* in one call, whatever the lane allows; 0: no cap */
    size_t items;        /* unfinished; the entry goes with the last */
};

struct asbi_call;

/* Whoever looks on, such as a plan: told of each call when it is sent, while
 * its batch still knows what bounded it. */
struct asbi_watch {
    void (*on_send)(void *arg, const struct asbi_call *call);
    void *arg;
};

struct asb_engine {
    /* -- immutable after creation */
    struct asbi_mem mem;
    struct asbi_mem host_mem; /* what `mem` takes from */
    struct asbi_pool pool;
    struct asbi_log log;
    struct asb_options *options; /* own copy */
    const struct asbi_config *config;
    struct asbi_world *world; /* owned */
    struct asbi_task *task;
    struct asbi_purse purse; /* what its lanes spend from */
    struct asbi_routes routes;
    struct asbi_lane *lane; /* the first of these: batches fit its measures */
    bool task_packs;        /* items with a text may share a call ... */
    enum asbi_call_way way; /* ... and go into it so */
    bool in_order;          /* callbacks come in the order of submission */

    /* -- items by state */
    struct asbi_slots numbers;
    struct asbi_former former; /* QUEUED */
    struct asbi_map kinds, tenants;
    struct asbi_pick pick;
    struct asbi_alerts alerts;
    struct asbi_list calls;   /* SENT */
    struct asbi_heap backoff; /* BACKOFF */
    struct asbi_list done;    /* DONE */
    struct asbi_list in_turn; /* all, as submitted, when delivered in order */
    size_t held_items, held_bytes;
    struct asbi_room room;        /* for held_bytes, and what a job holds */
    struct asbi_recall recall;    /* ASKED, FOLLOWING; answers that are known */
    struct asbi_media media;      /* AWAY */
    struct asbi_known_jobs known; /* of an earlier run */
    size_t held_of[ASBI_CLASSES];
    bool seen_urgent_or_normal; /* there is more than background work */
    bool chooses;               /* items differ in class, deadline or tenant */

    struct asbi_journal *journal; /* the job's; NULL: none is kept */
    struct asbi_list held;        /* calls whose intent is not yet durable */
    struct asbi_list parting;     /* calls with answers that are not */
    uint64_t parts_at_ns;         /* when these are told to the journal */
    struct asbi_native native;    /* SENT, too: in bulk */

    struct asbi_list spare_calls;
    struct asbi_rng rng;
    struct asbi_json *json; /* for bodies at submission */
    struct asbi_buf scratch;
    struct asbi_eta eta;
    double work_accepted, work_done; /* in estimated tokens */

    /* -- flags */
    bool in_callback;
    bool running;  /* asb_run() is on the stack */
    bool freed;    /* by the host; nobody is called back any more */
    bool draining; /* no more items */
    bool stopped;  /* nothing new is sent */
    bool warms;    /* rows that are answered fill the caches; no others */
    bool patient;  /* items come from a file: full batches beat early ones */
    enum asbi_gate closed_gate; /* at the last turn */
    uint64_t gate_ready_ns;

    struct asb_stats stats; /* counters; the rest is filled in when asked */

    /* -- the job on top of it, if any */
    void (*on_progress)(void *owner); /* at the end of a turn with callbacks */
    void (*on_alarm)(void *owner);    /* at alarm_ns; sets the next one */
    uint64_t alarm_ns;                /* ASBI_NEVER: none */
    /* Whether it may give more items, if not now then without any being
     * answered; NULL: as far as asb_has_room() goes. */
    bool (*has_room)(const void *owner);
    /* Whether it holds some back for want of bytes to hold them in. */
    bool (*is_short)(const void *owner);
    void *owner;
    bool had_job;            /* what it left under way knows its rows */
    struct asbi_watch watch; /* on_send NULL: nobody */
};

/* An engine that can do nothing yet: a place for what its world borrows.  NULL
 * when out of memory. */
struct asb_engine *asbi_engine_alloc(const struct asbi_mem *mem,
                                     const struct asbi_log *log);

/* Wires it up, with e->media.place, if any, in a world made with &e->mem and
 * &e->log, which the engine owns from here on, also on failure, as it does the
 * store of answers (NULL: none).
 */
int asbi_engine_init(struct asb_engine *e, struct asbi_world *world,
                     const struct asb_options *options, asbi_str key,
                     const struct asbi_task_material *material,
                     struct asbi_store *store, struct asb_message *why);

/* Accepts NULL and half-built ones. */
void asbi_engine_destroy(struct asb_engine *e);

/* The task's name.  Without one: files of texts for a language are translated,
 * all else goes as it is. */
const char *asbi_engine_task(const struct asbi_config *c);

/* Nothing queued, on the wire or owed. */
bool asbi_engine_idle(const struct asb_engine *e);

/* stats.c: of twenty calls like those so far one takes longer; 0: none yet. */
double asbi_engine_call_seconds(const struct asb_engine *e);

/* Puts a new or returning item into the former.  Out of memory ends it. */
void asbi_engine_enqueue(struct asb_engine *e, struct asbi_item *item);

/* deliver.c: whose callback is next; NULL when none is owed yet. */
struct asbi_item *asbi_engine_owed(const struct asb_engine *e);

/* deliver.c: calls back for what is finished now; what callbacks finish waits a
 * turn.  True when there was something. */
bool asbi_engine_deliver(struct asb_engine *e);

/* Ends an item that is in no list: its callback is now owed. */
void asbi_engine_finish(struct asb_engine *e, struct asbi_item *item);

/* The same, with a failure, as asbi_item_fail() has it. */
void asbi_engine_fail(struct asb_engine *e, struct asbi_item *item,
                      const char *code, asbi_str message, bool retryable);

/* Fails everything that waits, with this code and message. */
void asbi_engine_fail_waiting(struct asb_engine *e, const char *code,
                              const char *message);

/* Who says what a request that is not asked is answered. */
enum asbi_known_from {
    ASBI_FROM_JOURNAL, /* it was judged: for items of this run that ask alike */
    ASBI_FROM_TABLE,   /* judged here: kept wherever a call's answer would be */
};

/* submit.c: a request that is not to be asked, as its answer is known: others
 * that ask the same can share that.  False when it is not kept. */
bool asbi_submit_known(struct asb_engine *e, const struct asb_request *request,
                       const struct asb_result *result,
                       enum asbi_known_from from);

#endif

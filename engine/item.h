/*
 * item.h -- one request on its way through, and its states.
 *
 * An item is one block of memory: the struct and copies of all it was
 * submitted with.  What it earns later (an answer, a complaint) hangs off it.
 */
#ifndef ASBI_ITEM_H
#define ASBI_ITEM_H

#include <asyncbatch/asyncbatch.h>

#include "cache/flight.h"
#include "engine/base/heap.h"
#include "engine/base/list.h"
#include "engine/base/mem.h"
#include "engine/base/prefetch.h"
#include "engine/base/shared.h"
#include "engine/base/str.h"
#include "engine/journal.h"
#include "engine/remote.h"
#include "scheduler/former.h"
#include "scheduler/price.h"

struct asbi_call;
struct asbi_kind_entry;
struct asbi_kin;
struct asbi_media_job;

/* To be in a state is to be in its place: see `place` below. */
enum asbi_item_state {
    ASBI_ITEM_NEW,       /* nowhere yet */
    ASBI_ITEM_ASKED,     /* in the list of those that are looked up */
    ASBI_ITEM_FOLLOWING, /* in the list of those that share an answer to come */
    ASBI_ITEM_QUEUED,    /* in a batch of the former */
    ASBI_ITEM_SENT,      /* in a batch on the wire */
    ASBI_ITEM_AWAY,      /* its job runs at the provider: engine/media.h */
    ASBI_ITEM_BACKOFF,   /* in the heap of those that wait for a time */
    ASBI_ITEM_DONE,      /* in the list of those whose callback is owed */
    ASBI_ITEM_NSTATES,
};

/* What an item has more that asks for a job at the provider. */
struct asbi_item_media {
    struct asbi_media_job *job; /* while AWAY */
    unsigned jobs;              /* that were begun for it */
    int64_t cost;               /* of one, nano-dollars */
    uint64_t nonce;             /* names its submissions; 0: none yet */
    uint64_t open_call;         /* in the journal: its outcome is unknown ... */
    int64_t held;               /* ... and so much of the budget kept for it */
};

struct asbi_item {
    /* -- set at submission, then never changed */
    uint64_t number;
    asb_done_cb done; /* NULL: it is nobody's */
    void *arg;        /* the host's; never dereferenced */
    asbi_str text;    /* inside this block, as are the next ones */
    uint32_t max_length;
    enum asb_payload payload;
    asbi_str id, body, url, tenant;
    enum asb_class priority;
    bool packed; /* may share a prompt with others of its kind */
    uint64_t submitted_ns, deadline_ns; /* ASBI_NEVER: none */
    size_t bytes;                       /* it is reckoned to hold on its way */
    double input_estimate;              /* tokens, before calibration */
    struct asbi_prices prices;
    uint64_t output_limit;      /* tokens its call may give; 0: the model's */
    void (*release)(void *arg); /* text and body are the host's until then */
    void *release_arg;
    uint64_t content_key; /* of a content request: who may share; 0: none */
    uint64_t media_ms;    /* of what a content request asks for */
    uint64_t row;         /* of the job, or ASBI_NO_ROW */
    uint64_t row_key;     /* hash of what the row asks */

    /* -- changed only by asbi_item_enter() */
    enum asbi_item_state state;
    struct asbi_link link; /* ASKED, FOLLOWING, DONE */
    struct asbi_link turn; /* all items, when they are delivered in order */

    /* -- the scheduler's */
    struct asbi_parcel parcel;     /* QUEUED, SENT */
    struct asbi_heap_node due;     /* BACKOFF: key is the time */
    struct asbi_kind_entry *kind;  /* while QUEUED or SENT */
    struct asbi_call *call;        /* while SENT */
    struct asbi_item_media *media; /* owned; NULL unless it asks for a job */
    unsigned attempts;             /* calls that counted against it */
    unsigned unknowns;             /* calls whose outcome stayed unknown */
    unsigned native_tries;         /* batches at the provider it was in */
    bool other_model;        /* its body names one that is not the lane's */
    bool alone;              /* must not share its next call */
    char *complaint;         /* why the last answer would not do; owned */
    double complaint_tokens; /* that it adds to the prompt, estimated */
    struct asbi_seat seat;   /* with others of the same request */
    struct asbi_look look;   /* ASKED: in a remote */
    uint64_t near_number;    /* among the texts others may be near to */
    struct asbi_kin *kin;    /* one near to it; owned; NULL: none */

    /* -- the outcome so far */
    bool ok, output_is_json, retryable;
    char *output; /* owned */
    size_t output_len;
    char *raw_body; /* owned; single calls */
    size_t raw_body_len;
    struct asbi_shared *request_id; /* with others of its call */
    int http_status;
    const char *error_code; /* static */
    char *error_message;    /* owned */
    struct asb_usage usage;
    int64_t cost;
    enum asb_source source;
    int64_t saved; /* nano-dollars, when it is not from a call */
    /* Whose the outcome above is, when it is another's: it lives as long. */
    struct asbi_item *lender;
    unsigned lent;    /* how many still need something of this one */
    bool given_up;    /* freed, but for what is lent */
    bool cut_short;   /* the answer stopped at a limit: not to be kept */
    bool of_this_run; /* it tells of what is here now: not to be kept for
                         other runs */
    uint8_t lane;     /* of the last call, from 1; 0: none */
};

/* Nano-dollars beside the tokens. */
static inline int64_t asbi_item_flat_cost(const struct asbi_item *item)
{
    return item->media ? item->media->cost : 0;
}

#define ASBI_ITEM_OF_PARCEL(p) ASBI_OF(p, struct asbi_item, parcel)

static inline struct asbi_item *asbi_item_of_link(struct asbi_link *parcel_link)
{
    struct asbi_parcel *p = ASBI_OF(parcel_link, struct asbi_parcel, link);

    return ASBI_OF(p, struct asbi_item, parcel);
}

/* Copies the request, but for what the host lends.  `text` is the request's
 * own, or what stands for it and is copied.  NULL when out of memory. */
struct asbi_item *asbi_item_new(const struct asbi_mem *mem,
                                const struct asb_request *request,
                                asbi_str text);

/* The item must be in no list.  What others still need of it stays until they
 * give it back. */
void asbi_item_free(const struct asbi_mem *mem, struct asbi_item *item);

/* The only writer of item->state; asserts that the move is a legal one.  The
 * caller has taken it from its old place and puts it into the new one. */
void asbi_item_enter(struct asbi_item *item, enum asbi_item_state to);

/* Sets the failure.  `message` is copied; a failed copy leaves it empty. */
void asbi_item_fail(const struct asbi_mem *mem, struct asbi_item *item,
                    const char *code, asbi_str message, bool retryable);

/* Takes over an allocated answer. */
void asbi_item_answer(const struct asbi_mem *mem, struct asbi_item *item,
                      char *output, size_t len, bool is_json);

/* Gives an item the outcome of another, whose memory it borrows.  Costs and
 * attempts stay the other's. */
void asbi_item_share(const struct asbi_mem *mem, struct asbi_item *item,
                     struct asbi_item *from);

/* Something of the item is needed until asbi_item_give_back(), whatever becomes
 * of it. */
void asbi_item_lend(struct asbi_item *item);
void asbi_item_give_back(const struct asbi_mem *mem, struct asbi_item *item);

/* Replaces the complaint told to the model at the next attempt. */
void asbi_item_complain(const struct asbi_mem *mem, struct asbi_item *item,
                        const char *message);

/* The public view; points into the item. */
void asbi_item_result(const struct asbi_item *item, struct asb_result *out);

/* An item that has been left alone for a while will be settled or delivered in
 * a moment: see prefetch.h. */
static inline void asbi_item_expect(const struct asbi_item *item)
{
    asbi_prefetch(&item->number);
    asbi_prefetch(&item->state);
    asbi_prefetch(&item->parcel.link);
    asbi_prefetch(&item->call);
    asbi_prefetch(&item->seat);
    asbi_prefetch(&item->output);
    asbi_prefetch(&item->usage);
}

/* The same of what its callback will look at; after asbi_item_expect(). */
static inline void asbi_item_expect_result(const struct asbi_item *item)
{
    asbi_prefetch(item->output);
    asbi_prefetch(item->arg);
}

#endif

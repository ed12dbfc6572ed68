/*
 * call.h -- one exchange that costs money, from a closed batch to the judgement
 * on each of its items.
 */
#ifndef ASBI_CALL_H
#define ASBI_CALL_H

#include "adapters/dialect.h"
#include "engine/engine.h"
#include "engine/transport.h"

enum { ASBI_WIRE_ID_MAX = 8 };

/* Where an item of a packed call stands. */
enum asbi_entry_state {
    ASBI_ENTRY_MISSING,
    ASBI_ENTRY_ANSWERED,
    ASBI_ENTRY_INVALID,  /* the task refused the answer: item->complaint */
    ASBI_ENTRY_CONFLICT, /* two different answers for one id are none */
};

struct asbi_call_entry {
    struct asbi_item *item; /* NULL once it was cancelled */
    char wire_id[ASBI_WIRE_ID_MAX];
    size_t wire_id_len;
    enum asbi_entry_state state;
    bool told;            /* something was answered, kept or not */
    uint64_t answer_hash; /* of that, as it came */
    char *answer;         /* owned */
    size_t answer_len;
    bool is_json;
    bool parted;      /* told to the journal */
    const char *code; /* with INVALID; static */
    bool retryable;
    double weight_in, weight_out; /* for the item's share of the bill */
};

struct asbi_call {
    struct asbi_exchange exchange;
    struct asb_engine *engine;
    struct asbi_lane *lane;
    struct asbi_link link;    /* in engine->calls or spare_calls */
    struct asbi_link hold;    /* in engine->held: not on the wire yet */
    struct asbi_link parting; /* in engine->parting: has news for the journal */
    uint64_t number;          /* in the journal */
    struct asbi_batch *batch;
    bool packed; /* answers come under wire ids, one for each item */
    enum asbi_call_way way;
    bool native;   /* a line of a batch at the provider: native_batch.h */
    uint64_t seed; /* of the wire ids of a native one */
    struct asbi_native_batch *home; /* that an earlier run put it into; NULL */

    struct asbi_call_entry *entries;
    size_t count, cap;
    size_t expected;    /* where the next answer likely belongs */
    unsigned answers;   /* for ids that were asked, good or not */
    unsigned strangers; /* answers for others */

    struct asbi_decoder *decoder;
    struct asbi_buf body;         /* what is sent */
    struct asbi_buf text;         /* single: the answer's text; job: the path */
    struct asbi_buf reply;        /* single: the answer as it came */
    struct asbi_call_style asked; /* for nothing, unless for a prompt */
    struct asbi_demand demand;
    double raw_input; /* estimated tokens before calibration */
    uint64_t started_ns;
    unsigned beside;  /* calls in flight on the lane then, itself included */
    uint64_t wall_ms; /* at the first header of the answer; 0 before it */
    uint64_t body_ns; /* the first bytes after the headers came; 0 before */
    struct asbi_item *body_of; /* whose body is on the wire, or for whom a job
                                  is begun, although it is not in the call any
                                  more; NULL: nobody */
    char once[128];       /* header that names the submission of a job, or "" */
    const char *extra[3]; /* headers of this call alone */
};

/* Takes the batch and sends it by the demand's lane.  ASB_OK; on ASB_ENOMEM the
 * batch is the caller's as before. */
int asbi_call_start(struct asb_engine *e, struct asbi_batch *batch,
                    const struct asbi_demand *demand);

/* The same in two parts: the call is encoded, and the batch the caller's until
 * it is committed.  A native one has no decoder of its own and is freed when it
 * has been judged.  Also ASB_EINVAL, for a url that is none. */
int asbi_call_make(struct asb_engine *e, struct asbi_batch *batch,
                   const struct asbi_demand *demand, bool native,
                   struct asbi_call **out);
void asbi_call_commit(struct asbi_call *call, struct asbi_batch *batch);

/* A native call of an earlier run, with `count` places and their wire ids but
 * without items; asbi_call_join() puts them there.  NULL when out of memory. */
struct asbi_call *asbi_call_again(struct asb_engine *e, size_t count,
                                  uint64_t seed, int64_t worst);

/* An item that waits to be sent has a place in it.  False when there is no
 * memory: it goes on waiting. */
bool asbi_call_join(struct asbi_call *call, size_t place,
                    struct asbi_item *item);

/* A native call has its answer, or ends without. */
void asbi_call_answer(struct asbi_call *call, struct asbi_decoder *decoder,
                      int status, asbi_str body);
void asbi_call_end(struct asbi_call *call, struct asbi_decoder *decoder,
                   enum asbi_outcome outcome, const char *text);

/* What the gates of a lane need to know of a batch before it is taken. */
void asbi_call_weigh(struct asb_engine *e, struct asbi_lane *lane,
                     const struct asbi_batch *batch,
                     struct asbi_demand *demand);

/* An item on the wire was cancelled: its answer will be dropped. */
void asbi_call_forget(struct asbi_call *call, struct asbi_item *item);

/* `heir` asks the same and takes the item's place; the item is in none then.
 * The kind and the state go over. */
void asbi_call_replace(struct asbi_call *call, struct asbi_item *item,
                       struct asbi_item *heir);

/* Stops it without judging; its items are left in the batch. */
void asbi_call_abort(struct asbi_call *call);
void asbi_call_free(struct asbi_call *call);

/* Back among the spares, for the next batch. */
void asbi_call_recycle(struct asbi_call *call);

/* call_encode.c: gives each item of the batch its entry, writes the body and
 * fills in the exchange, but for what comes back.  ASB_OK, ASB_ENOMEM, or
 * ASB_EINVAL for a url that is none. */
int asbi_call_encode(struct asbi_call *call, struct asbi_batch *batch);

/* Entries without items, named as call->seed had them. */
int asbi_call_name_places(struct asbi_call *call, size_t count);

/* judge.c: what becomes of each item once the exchange has ended.  Empties the
 * batch and recycles the call. */
void asbi_call_judge(struct asbi_call *call,
                     const struct asbi_exchange_end *end,
                     const struct asbi_reply *reply);

#endif

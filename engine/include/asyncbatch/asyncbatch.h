/*
 * asyncbatch -- many small requests through a paid API, on one event loop.
 *
 * The engine groups items into calls, keeps as many in flight as the provider
 * allows, and hands every answer back exactly once, in order if wished.
 *
 * Driving it
 *   An engine lives on a libevent `struct event_base`: the host's, given in
 *   struct asb_hooks, or one of its own, driven by asb_run().  It starts no
 *   thread.  All calls for one engine are made from the thread of its loop.
 *   Several engines, on one base or on several, do not know of each other.
 *
 *   A loop that is not libevent's drives the base from outside: see
 *   asb_engine_base().
 *
 * Callbacks
 *   An item's and a job's run only from the top of the loop, never from inside
 *   a call of the host.  What a callback submits waits for the next turn.
 *   Inside them every function may be called for every engine, except asb_run()
 *   which returns ASB_EBUSY where the base is looped already; asb_engine_free()
 *   takes effect when the callback has returned.  Hooks (memory, log, time,
 *   release) may be called from anywhere, and may call nothing here.
 *
 * Ownership
 *   What a call is given it copies, unless it says otherwise; what a callback
 *   is given lives until it returns.  What an asb_*_new() made is the host's,
 *   to be freed by its asb_*_free(): a job before its engine, an engine before
 *   its base, options whenever they are not needed any more.
 *
 * What it does to the process
 *   curl_global_init() when an engine is made, curl_global_cleanup() when it
 *   goes.  Nothing to signals, locale, umask, the working directory or stdio;
 *   no thread.  A host that writes to pipes ignores SIGPIPE itself.
 *
 * Compatibility
 *   Settings are made by name, so a new one never changes the ABI.  Structs
 *   that cross the border start with their own size, set by whoever fills
 *   them.  Money is an integer of nano-dollars; times are what their names
 *   say.
 */
#ifndef ASYNCBATCH_H
#define ASYNCBATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <asyncbatch/version.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(ASB_STATIC)
#define ASB_API
#else
#define ASB_API __attribute__((visibility("default")))
#endif
#define ASB_CHECKED __attribute__((warn_unused_result))

struct event_base;
struct asb_engine;
struct asb_options;
struct asb_job;
struct asb_simulator;

/* ---- bytes and errors ------------------------------------------------- */

/* A borrowed run of bytes; not NUL-terminated. */
struct asb_bytes {
    const char *at;
    size_t len;
};

/* What a call of this library can return: the number is the contract, the
 * text is not.  At or below ASB_EFATAL the engine may only be freed. */
#define ASB_ERRORS(X)                                                   \
    X(EINVAL, -1, "invalid argument")                                   \
    X(EBUSY, -2, "not allowed from inside a callback")                  \
    X(EFULL, -3, "no room; submit again after a completion")            \
    X(ENOENT, -4, "no such item or option")                             \
    X(ECLOSED, -5, "engine is draining")                                \
    X(ENOMEM, -6, "out of memory; nothing has changed")                 \
    X(ECONFIG, -7, "the configuration is wrong; see the message")       \
    X(EIO, -8, "reading or writing failed; see the message")            \
    X(EPARSE, -9, "malformed data")                                     \
    X(ETOOBIG, -10, "larger than a configured limit")                   \
    X(ENOKEY, -11, "the provider's key is missing; see the message")    \
    X(EFATAL, -100, "this or below: only asb_engine_free() is allowed") \
    X(ELOOP, -101, "the event loop failed")

enum asb_error {
    ASB_OK = 0,
#define X(name, number, text) ASB_##name = (number),
    ASB_ERRORS(X)
#undef X
};

/* Static text for any number; never NULL. */
ASB_API const char *asb_strerror(int error);

/* "1.2.3" of the library that is running, not of the header. */
ASB_API const char *asb_version(void);

/* Place, cause and remedy of a refusal, as one or more lines of text. */
struct asb_message {
    char text[1024]; /* always NUL-terminated; "" when there is none */
};

/* ---- options ---------------------------------------------------------- */

/* Where a value came from; a later origin in this list beats an earlier. */
enum asb_origin {
    ASB_FROM_DEFAULT,
    ASB_FROM_FILE,
    ASB_FROM_ENVIRONMENT,
    ASB_FROM_COMMAND_LINE,
    ASB_FROM_HOST,
};

/* One row of the option table: what --help, the manual and completions read. */
struct asb_option_info {
    const char *name; /* "batch_size": the key; dashes on a command line */
    const char *short_name; /* "i", or NULL */
    const char *argument;   /* "N", "PATH"; NULL for a switch */
    const char *group;      /* heading in --help */
    const char *fallback;   /* the default as text; "" for none */
    const char *help;       /* one sentence */
};

/* All defaults.  NULL when out of memory.  Free with asb_options_free(). */
ASB_API ASB_CHECKED struct asb_options *asb_options_new(void);
ASB_API void asb_options_free(struct asb_options *options);

/* Row `index` of the table, or NULL past its end.  Static storage. */
ASB_API const struct asb_option_info *asb_option_at(size_t index);

/* The row of a name, with dashes or underscores, or NULL. */
ASB_API const struct asb_option_info *asb_option_find(const char *name);

/**
 * Sets one option from text, checked against its row.  Copies `value`.  A value
 * of a weaker origin than the one in place is checked and then ignored.
 * @return ASB_OK, ASB_ENOENT (with the nearest name in `why`), ASB_ECONFIG or
 *         ASB_ENOMEM
 */
ASB_API ASB_CHECKED int asb_options_set(struct asb_options *options,
                                        const char *name, const char *value,
                                        enum asb_origin origin,
                                        struct asb_message *why);

/* Reads a YAML file; `why` names line and column.  ASB_OK, ASB_EIO,
 * ASB_ECONFIG or ASB_ENOMEM; what was read before the fault stays set. */
ASB_API ASB_CHECKED int asb_options_load(struct asb_options *options,
                                         const char *path,
                                         struct asb_message *why);

/* The variables that the option table names (SMART_BATCHER_MAX_SIZE, ...). */
ASB_API ASB_CHECKED int
asb_options_load_environment(struct asb_options *options,
                             struct asb_message *why);

/* Checks options by themselves and against each other.  Warnings that do not
 * stop a run are given to the log hook at engine creation. */
ASB_API ASB_CHECKED int asb_options_check(const struct asb_options *options,
                                          struct asb_message *why);

/* The value as text (secrets are shown as references) and its origin; lives
 * until the option is set again.  NULL for an unknown name. */
ASB_API const char *asb_options_get(const struct asb_options *options,
                                    const char *name, enum asb_origin *origin);

/* What the catalogue knows of a model: what is built in, and the file and the
 * configuration over it.  Prices are nano-dollars per million tokens. */
struct asb_model_info {
    size_t size; /* set by the caller; fields beyond are left */
    const char *name, *provider;
    uint64_t context_tokens, max_output_tokens;
    bool priced; /* false: the prices are not known */
    int64_t input_price, cached_price, cache_write_price, output_price;
    uint64_t dimensions;        /* of an embedding; 0 for other models */
    const char *source, *dated; /* of the prices; "" when not said */
    /* Of a job that makes a video or an image, nano-dollars; 0 for others. */
    int64_t second_price, piece_price;
    /* Of the prices, when calls go in bulk (option native_batch); 0: its
     * provider takes none. */
    uint64_t batch_percent;
    uint64_t requests_per_minute, tokens_per_minute; /* 0: not said */
};

/* Model `index` of the catalogue; its strings live until an option is set.
 * ASB_OK, ASB_ENOENT past the last, or ASB_EINVAL. */
ASB_API ASB_CHECKED int asb_model_at(const struct asb_options *options,
                                     size_t index, struct asb_model_info *out);

/* ---- the engine ------------------------------------------------------- */

enum asb_log_level { ASB_LOG_ERROR, ASB_LOG_WARN, ASB_LOG_INFO, ASB_LOG_DEBUG };

/* What the host lends.  Zero it, set `size`, fill in what is wanted. */
struct asb_hooks {
    size_t size;             /* sizeof(struct asb_hooks) */
    struct event_base *base; /* NULL: the engine makes its own */

    /* realloc-like; size 0 frees.  NULL: the C library's. */
    void *(*resize)(void *block, size_t size, void *arg);
    void *resize_arg;

    /* Never given keys or texts of items.  NULL: silent. */
    void (*log)(enum asb_log_level level, const char *line, void *arg);
    void *log_arg;

    /* Clocks: nanoseconds that never go back, and milliseconds since 1970.
     * What is due is decided by them; how long to sleep remains libevent's
     * affair.  NULL: the machine's. */
    uint64_t (*now_ns)(void *arg);
    uint64_t (*wall_ms)(void *arg);
    void *time_arg;

    /* Call back for items in the order they were submitted in; without it as
     * their answers come.  An answer that is early takes room until then. */
    bool in_order;
};

/**
 * Creates an engine from a copy of the options.
 * @param why  may be NULL; says what is wrong on ASB_ECONFIG or ASB_EIO
 * @return ASB_OK and *out, or ASB_EINVAL, ASB_ECONFIG, ASB_ENOKEY, ASB_EIO,
 *         ASB_ENOMEM
 */
ASB_API ASB_CHECKED int asb_engine_new(const struct asb_options *options,
                                       const struct asb_hooks *hooks,
                                       struct asb_engine **out,
                                       struct asb_message *why);

/**
 * Cancels what is in flight, forgets what waits, calls nobody back any more;
 * writes what was learned to the file of option "state", if there is one.
 * Accepts NULL.  From inside a callback, or while asb_run() is on the stack,
 * the engine is dead at once for the host, and gone when the callback, or
 * asb_run(), returns.
 * @return ASB_OK, or ASB_EBUSY, and nothing has happened: inside any callback
 *         on a base that the engine owns, but not below asb_run()
 */
ASB_API int asb_engine_free(struct asb_engine *engine);

/* The loop the engine lives on.  Other loops drive it so, each time around:
 * ask event_base_foreach_event() for the descriptors and times that it waits
 * for, wait for these too, and call event_base_loop(EVLOOP_NONBLOCK).
 * tools/examples/embed/foreign_loop.c does. */
ASB_API struct event_base *asb_engine_base(struct asb_engine *engine);

/* Drives the loop until the engine is idle: nothing queued, in flight or owed.
 * For engines with a base of their own, or hosts with nothing else to do.
 * ASB_OK, also when a callback has freed the engine; ASB_EBUSY from inside any
 * callback on its base; ASB_ELOOP. */
ASB_API ASB_CHECKED int asb_run(struct asb_engine *engine);

/* ---- items ------------------------------------------------------------ */

enum asb_class { ASB_NORMAL, ASB_URGENT, ASB_BACKGROUND };

enum asb_payload {
    ASB_TEXT,     /* `text` is packed into the task's prompt */
    ASB_PROMPT,   /* `text` is a whole prompt, sent as one user message */
    ASB_MESSAGES, /* `body` is a JSON array of chat messages */
    ASB_BODY,     /* `body` is the provider's request, sent as it is */
};

/* One request.  Everything it points to is copied by asb_submit(), but for
 * `text` and `body` when there is a `release`. */
struct asb_request {
    size_t size; /* sizeof(struct asb_request) */
    struct asb_bytes id;
    enum asb_payload payload;
    struct asb_bytes text;
    struct asb_bytes body;
    struct asb_bytes url;    /* path for ASB_BODY, e.g. /v1/chat/completions */
    struct asb_bytes fields; /* JSON object for the template of task prompt */
    struct asb_bytes tenant;
    uint32_t max_length; /* most code points of the answer; 0: no limit */
    enum asb_class priority;
    uint64_t deadline_ms; /* from submission; 0: none */

    /* What a body says of itself, for a host that has read it anyway: its
     * model, and the most tokens of answer it asks for (times n).  With an
     * empty model the engine looks into the body. */
    struct asb_bytes body_model;
    uint64_t body_max_tokens; /* 0: the model's limit */

    /* Not NULL: `text` and `body` are lent, and must stay as they are until
     * this is called: once for each accepted request, after its `done` (or at
     * asb_engine_free()), when nothing on the wire needs them any more. */
    void (*release)(void *arg);
    void *release_arg;
};

struct asb_usage {
    uint64_t input_tokens;
    uint64_t cached_tokens; /* of input_tokens, served by the prompt cache */
    uint64_t output_tokens;
};

enum asb_source {
    ASB_API_CALL,  /* a call that this item was in */
    ASB_CACHE,     /* known from an earlier run */
    ASB_DUPLICATE, /* the same request was asked in this run */
    ASB_NEAR,
};

/* The outcome of one item.  Lives until the callback returns. */
struct asb_result {
    size_t size;
    uint64_t item; /* as given by asb_submit() */
    struct asb_bytes id;
    bool ok;

    struct asb_bytes output; /* text, or JSON when output_is_json */
    bool output_is_json;
    struct asb_bytes body; /* the provider's whole answer; single calls only */
    struct asb_bytes
        request_id;  /* the provider's name for the call, or empty */
    int http_status; /* of the last call, 0 when none was answered */

    const char *error_code;         /* "placeholder_mismatch"; NULL when ok */
    struct asb_bytes error_message; /* one sentence, no text of the item */
    bool retryable;                 /* the same request may succeed later */

    enum asb_source source;
    unsigned attempts;
    struct asb_usage usage; /* this item's share of its calls */
    int64_t cost_nano_usd;
    int64_t saved_nano_usd; /* what it would have cost, when it is not from a
                               call of its own; then usage and cost are 0 */
    /* Which lane answered, or refused at last, where there are several (options
     * routes and fallback): "openai/gpt-4.1-mini".  Else NULL. */
    const char *route;
};

/* Called exactly once for each accepted item. */
typedef void (*asb_done_cb)(struct asb_engine *engine,
                            const struct asb_result *result, void *arg);

/**
 * Hands one request to the engine.
 *
 * Copies `request`, or borrows its bytes: see there.  On ASB_OK the engine owes
 * exactly one call of `done`, and of `release`; on any error none.  Neither is
 * called from inside this function.  May be called from a callback.
 *
 * @param arg   passed to `done` untouched; must live until then
 * @param item  may be NULL; never 0 and never reused by this engine
 * @return ASB_OK, ASB_EINVAL, ASB_ETOOBIG, ASB_EFULL, ASB_ECLOSED, ASB_ENOMEM
 */
ASB_API ASB_CHECKED int asb_submit(struct asb_engine *engine,
                                   const struct asb_request *request,
                                   asb_done_cb done, void *arg, uint64_t *item);

/* Ends an item as failed with code "cancelled"; its `done` comes from the loop.
 * One already on the wire is let go on and its answer dropped: it is paid for.
 * May be called from a callback.  ASB_OK, or ASB_ENOENT when it is answered
 * already, its `done` perhaps still to come. */
ASB_API int asb_cancel(struct asb_engine *engine, uint64_t item);

/* Closes every open batch now instead of waiting for more items.  This and the
 * two below may be called from a callback; they cause no callback themselves.
 */
ASB_API void asb_flush(struct asb_engine *engine);

/* Takes no more items and flushes; what was accepted is still answered. */
ASB_API void asb_drain(struct asb_engine *engine);

/* Sends nothing new: what is in flight is finished and delivered, what waits
 * is ended as failed with code "stopped".  Implies asb_drain(). */
ASB_API void asb_stop(struct asb_engine *engine);

/* Changes an option while it runs: "priority_weights", "class_shares" or
 * "class_targets"; the next choice of what is sent goes by it.  From anywhere.
 * ASB_OK, or nothing has changed: ASB_ENOENT (not this one), ASB_ECONFIG,
 * ASB_EINVAL or ASB_ENOMEM. */
ASB_API ASB_CHECKED int asb_engine_set(struct asb_engine *engine,
                                       const char *name, const char *value,
                                       struct asb_message *why);

/* Room for at least one more item of ordinary size. */
ASB_API bool asb_has_room(const struct asb_engine *engine);

/* Why the engine as a whole can send nothing more. */
enum asb_halt {
    ASB_RUNNING,
    ASB_HALT_BUDGET,   /* the job's budget or the provider's spending limit */
    ASB_HALT_PROVIDER, /* credentials, unknown model, unreachable */
};

/* Where answers are kept, in the order in which they are asked for there. */
enum asb_tier_name {
    ASB_TIER_MEMORY, /* also of what this run has asked itself */
    ASB_TIER_FILE,
    ASB_TIER_REDIS,
    ASB_TIER_HTTP,
    ASB_TIERS,
};

/* Counters since creation.  Zero it, set `size`; fields beyond are left.  May
 * be asked for at any time, also in a callback. */
struct asb_stats {
    size_t size;
    uint64_t items_total, items_ok, items_failed;
    uint64_t items_cached, items_duplicate, items_near;
    uint64_t items_retried; /* sent more than once */
    uint64_t calls, calls_failed, calls_429;
    uint64_t batches, batch_items; /* calls that were answered, items in them */
    uint64_t input_tokens, cached_tokens, output_tokens;
    int64_t cost_nano_usd, saved_nano_usd, maybe_paid_twice_nano_usd;
    int64_t reserved_nano_usd; /* worst case of what is in flight */
    uint64_t latency_ms_sum;   /* over `calls` that ended */
    unsigned in_flight, in_flight_max, concurrency_limit;
    bool rate_limited;   /* a gate is closed now by a rate limit */
    uint64_t blocked_ms; /* until the provider may be asked again */
    double eta_seconds;  /* of the items accepted so far; < 0: unknown */
    enum asb_halt halt;
    char halt_reason[256]; /* one sentence; "" while running */
    /* Items answered, or failed, after their deadline or the target of their
     * class (option class_targets). */
    uint64_t sla_misses;
    unsigned budget_alert_percent; /* the last level passed; 0: none */
    /* Known answers that were asked for anew in the background, beside
     * items_total: option cache_stale. */
    uint64_t items_refreshed;
    /* Where known answers were looked for: counts since the engine was made. */
    struct asb_tier {
        uint64_t asked, found;
        int64_t saved_nano_usd;
    } tiers[ASB_TIERS];
};

ASB_API void asb_engine_stats(const struct asb_engine *engine,
                              struct asb_stats *stats);

/* What one lane of an engine did. */
struct asb_route {
    size_t size;
    const char *name; /* as in asb_result; lives as long as the engine */
    const char *provider, *model;
    unsigned weight; /* 0: a fallback */
    uint64_t calls;  /* that ended */
    uint64_t items;  /* answered by it */
    int64_t cost_nano_usd;
    unsigned in_flight, concurrency_limit;
    enum asb_halt halt;      /* it is lost ... */
    const char *halt_reason; /* ... since; "" while it is not */
};

/* Lane `index` of an engine, the first one being 0; false past the last. */
ASB_API bool asb_engine_route(const struct asb_engine *engine, size_t index,
                              struct asb_route *route);

/* ---- a job: a stream in, a stream out --------------------------------- */

/* How a job ended; also the command's exit status. */
enum asb_exit {
    ASB_EXIT_OK = 0,
    ASB_EXIT_SOME_FAILED = 1,
    ASB_EXIT_USAGE = 2,
    ASB_EXIT_BUDGET = 3,
    ASB_EXIT_PROVIDER = 4,
    ASB_EXIT_INTERRUPTED = 130,
};

/* Told to the host when the job is over, once, from the top of the loop.  The
 * job may be freed inside, and so may its engine after it. */
typedef void (*asb_job_done_cb)(struct asb_job *job, enum asb_exit status,
                                const char *reason, void *arg);

/* Progress of a job, for a display. */
struct asb_job_stats {
    size_t size;
    struct asb_stats engine;
    uint64_t rows_read, rows_written;
    bool input_ended; /* rows_read is the total */
    double elapsed_seconds;
    double rows_per_second; /* recent */
    double tokens_per_second;
    double eta_seconds;      /* < 0: unknown */
    double total_rows_guess; /* from bytes read of a file; < 0: unknown */
    uint64_t rows_failed;    /* of those that are answered, written or not */
    uint64_t rows_warmed;    /* kept by asb_engine_warm() */
    /* Where eta_seconds likely lies, by how steady the rate was; high < 0: it
     * stood still at times, or nothing is known. */
    double eta_low_seconds, eta_high_seconds;
};

/**
 * Reads items from options "input", writes answers to "output", both bounded:
 * a slow output stops the input.  The engine's options decide formats, order,
 * metrics and summary.  One job for each engine, whose input's end drains it.
 *
 * With a journal (option "journal"; the default for an output that is a file)
 * it goes on where an earlier job with the same journal ended, and syncs to
 * the disk from the loop, a few hundred times a second at most.  Rows that a
 * stop left unanswered are then not written; the next job asks for them.  It
 * is over at once when there is nothing left to do.  ASB_ECONFIG when the
 * journal is of another job and holds answers or costs of it, or when a file to
 * be written is one that is read or written for something else; ASB_EIO when
 * another process uses the journal.  Folders of metrics and summary are made.
 * @return ASB_OK, ASB_EINVAL, ASB_ECLOSED (draining, or there was a job),
 *         ASB_ECONFIG, ASB_EIO or ASB_ENOMEM
 */
ASB_API ASB_CHECKED int asb_job_new(struct asb_engine *engine,
                                    asb_job_done_cb done, void *arg,
                                    struct asb_job **out,
                                    struct asb_message *why);

/* Accepts NULL.  Before its end: what was not sent is not sent any more, and
 * answers under way are dropped.  The host's own items go on. */
ASB_API void asb_job_free(struct asb_job *job);

/* Has the job fill the caches: of its rows, those that bring their answer
 * (a table with target_text) are kept as if a call had given it, if the task
 * accepts it; nothing is sent and no row is written.  Before asb_job_new(). */
ASB_API void asb_engine_warm(struct asb_engine *engine);

/* Sends nothing new, finishes what is paid for, then ends with
 * ASB_EXIT_INTERRUPTED.  For the first SIGINT. */
ASB_API void asb_job_interrupt(struct asb_job *job);

ASB_API void asb_job_get_stats(const struct asb_job *job,
                               struct asb_job_stats *stats);

/* ---- a plan: what a job would cost, before it is run ------------------- */

/* What would happen; fields as in struct asb_stats. */
struct asb_forecast {
    size_t size;
    uint64_t rows, rows_bad, rows_answered; /* answered: in the input already */
    uint64_t items_ok, items_failed, calls;
    uint64_t input_tokens, cached_tokens, output_tokens;
    int64_t cost_nano_usd;       /* expected */
    int64_t cost_worst_nano_usd; /* nothing cached, all output room used */
    double seconds;
    unsigned concurrency_max;
    enum asb_halt halt;               /* why the job would end early */
    bool price_unknown;               /* the costs are 0 for want of a price */
    double seconds_low, seconds_high; /* by luck; one run in five is outside */
};

enum asb_plan_format { ASB_PLAN_TABLE, ASB_PLAN_JSON };

struct asb_plan;

/**
 * Reads the whole input and lets the engine work through it in virtual time,
 * against a model of the provider: its prices and limits from the catalogue
 * and the options; speed and failures from the file of option "state", without
 * one from the catalogue and none; for provider "sim" what sim_* say.  Sends
 * nothing, costs nothing, needs no key, writes no file.  Blocks while it reads
 * and reckons; memory is bounded as in a job. Of the hooks it uses memory and
 * log.
 * @return ASB_OK and *out, or ASB_EINVAL, ASB_ECONFIG, ASB_EIO, ASB_ELOOP or
 *         ASB_ENOMEM, with the reason in `why`
 */
ASB_API ASB_CHECKED int asb_plan_new(const struct asb_options *options,
                                     const struct asb_hooks *hooks,
                                     struct asb_plan **out,
                                     struct asb_message *why);
ASB_API void asb_plan_free(struct asb_plan *plan);

/* Zero it, set `size`; fields beyond are left. */
ASB_API void asb_plan_get(const struct asb_plan *plan,
                          struct asb_forecast *forecast);

/* The whole report: a table for people or one JSON object, with a newline at
 * the end and a NUL after it.  Lives as long as the plan. */
ASB_API struct asb_bytes asb_plan_text(const struct asb_plan *plan,
                                       enum asb_plan_format format);

/* ---- the simulator ---------------------------------------------------- */

/**
 * A provider on HTTP, on `base`, for tests and demonstrations: the options
 * named sim_* (latency, limits, faults, seed) shape it.
 * @param listen  "127.0.0.1:0"; port 0 picks a free one
 * @return ASB_OK, ASB_ECONFIG, ASB_EIO or ASB_ENOMEM
 */
ASB_API ASB_CHECKED int asb_simulator_new(struct event_base *base,
                                          const struct asb_options *options,
                                          const char *listen,
                                          struct asb_simulator **out,
                                          struct asb_message *why);
ASB_API void asb_simulator_free(struct asb_simulator *simulator);

/* "http://127.0.0.1:43211"; lives as long as the simulator. */
ASB_API const char *asb_simulator_url(const struct asb_simulator *simulator);

#ifdef __cplusplus
}
#endif

#include <asyncbatch/cache.h>
#endif

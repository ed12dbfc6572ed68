/*
 * config.h -- the effective values of one engine, filled in from the option
 * table (options.c).
 *
 * Plain data.  Strings are owned by the struct asb_options they came from.
 */
#ifndef ASBI_CONFIG_CONFIG_H
#define ASBI_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <asyncbatch/asyncbatch.h>

#include "engine/base/mem.h"

struct asbi_config {
    /* files */
    const char *config;    /* the file given by name; "" for the usual places */
    const char *catalogue; /* models and providers of the user; "" for none */
    const char *input, *output;               /* "-" for standard streams */
    const char *input_format, *output_format; /* "" for by suffix */
    const char *id_column, *text_column;      /* "" for the usual names */
    const char *metrics, *summary;            /* "" for none */
    const char *forecast;                     /* path; "" for none */
    uint64_t metrics_interval_ns;
    const char *journal; /* "" for beside the output */
    bool no_journal;
    const char *in_doubt;  /* "retry", "fail", "ask": calls cut off */
    const char *on_change; /* "refuse", "restart", "reuse" */
    bool strict;
    bool fail_fast;
    bool order_by_completion;

    /* provider */
    const char *provider; /* "sim", "openai", ... */
    const char *base_url; /* "" for the provider's own */
    const char *model;
    const char *api_key; /* reference: "env:NAME", "file:PATH", "" for usual */
    const char *ca_file; /* "" for the system's */
    const char *proxy;   /* "" for the environment's; "none" for no proxy */
    bool http2;
    const char *stream;          /* "auto", "on", "off" */
    const char *structured;      /* "auto", "schema", "json", "off" */
    double temperature;          /* < 0: the provider's default */
    const char *tokenizer;       /* path; "" for none */
    const char *tokenizer_split; /* "auto", "cl100k", "o200k" */
    uint64_t dimensions;         /* of an embedding; 0: the model's own */
    const char *routes;          /* see routes.h; "" for one lane */
    const char *fallback;        /* "" for none */

    /* task */
    const char *task; /* "" for by input */
    const char *source_lang, *target_lang;
    const char *instructions, *style, *glossary; /* paths, "" for none */
    const char *labels;

    /* batches */
    bool dynamic_sizing;
    uint64_t batch_size;      /* fixed items per call; 0 if and only if
                                 dynamic_sizing */
    uint64_t batch_items_max; /* cap on dynamic sizes */
    int64_t batch_cost_max;   /* nano-dollars; 0: none */
    uint64_t batch_target_ns; /* target time of a call */
    uint64_t batch_wait_ns;   /* longest wait for more items; 0: by class */
    uint64_t token_buffer;    /* tokens kept free of the context */
    bool grouping;
    double similarity_threshold;
    uint64_t max_length_variance;

    const char *native_batch; /* "auto", "on", "off" */

    /* reuse of answers */
    const char *reuse; /* "off", "exact", "hint", "skeleton", "verified" */
    double near_threshold;
    uint64_t near_memory_bytes;
    const char *redis; /* URL; "" for none */
    const char *redis_password;
    uint64_t redis_budget_ns;
    const char *cache_url; /* "" for none */
    const char *cache_url_token;
    const char *surrogate_key; /* "" for none */
    uint64_t cache_url_budget_ns;
    const char *cache; /* path; "" for none */
    const char *state; /* path; "" for none */
    bool no_cache;     /* beats a `cache` that is not of a stronger origin */
    uint64_t cache_max_bytes;
    uint64_t cache_ttl_ns, cache_stale_ns;
    uint64_t cache_memory_bytes;
    uint64_t cache_memory_items; /* 0: no limit but bytes */
    const char *cache_policy;    /* "tinylfu", "lru" */

    /* limits of the job */
    uint64_t workers; /* most calls in flight; 0: adaptive */
    uint64_t requests_per_minute, tokens_per_minute; /* 0: learned */
    int64_t budget;            /* nano-dollars; INT64_MAX: none */
    double budget_soft;        /* share from which background work waits */
    uint64_t budget_period_ns; /* 0: as fast as it goes */
    const char *budget_alerts, *budget_webhook; /* "" for none */
    uint64_t deadline_ns;                       /* 0: none */
    enum asb_class priority;
    const char *priority_weights, *class_shares, *class_targets;
    uint64_t max_attempts;
    bool retry_unknown; /* ask again when the outcome of a call is unknown */
    uint64_t max_item_bytes;
    uint64_t max_memory_bytes; /* items and answers held at once */

    /* jobs at the provider */
    const char *artefacts; /* folder; "" for addresses */
    uint64_t artefact_max_bytes;
    uint64_t jobs_max, job_attempts;
    uint64_t job_pace_ns, job_timeout_ns;

    /* time limits of a call */
    uint64_t connect_timeout_ns, first_byte_timeout_ns, stall_timeout_ns,
        call_timeout_ns;
    uint64_t max_answer_bytes, max_header_bytes;

    /* display */
    const char *progress;
    const char *log_level;

    /* the simulator */
    const char *sim_latency; /* "base=200ms,per_output_token=1ms,sigma=0.3" */
    uint64_t sim_rpm, sim_tpm, sim_capacity; /* 0: no limit */
    const char *sim_job_time, *sim_state;    /* "20s..3m"; path or "" */
    double sim_job_failure_rate, sim_job_refusal_rate;
    uint64_t sim_artefact_bytes;
    double sim_error_rate, sim_drop_item_rate, sim_truncate_rate,
        sim_garbage_rate, sim_disconnect_rate;
    uint64_t sim_batch_window_ns;
    double sim_batch_expire_rate;
    uint64_t sim_batch_stuck, sim_batch_tokens; /* 0: none */
    uint64_t sim_seed;

    uint64_t seed; /* 0: from the system */
};

/* What a lane says its model costs, nano-dollars per 10^6 tokens. */
struct asbi_own_prices {
    bool given;                    /* else the catalogue's hold */
    int64_t input, cached, output; /* cached < 0: as input */
};

struct asb_options {
    const struct asbi_mem *mem;
    struct asbi_config values;
    struct asbi_option_state *states; /* one per row of the table */
    struct asbi_catalogue *catalogue;
    struct asbi_own_prices prices; /* of the model they name */
};

/* What is known of a model: from the built-in file, then the user's. */
struct asbi_model {
    const char *name;
    const char *provider;
    uint64_t context_tokens, max_output_tokens;
    int64_t input_price, cached_price, output_price; /* nano-dollars per 10^6 */
    int64_t cache_write_price; /* of input that is put into the prompt cache */
    bool priced;         /* false: the price is not known and the three are 0 */
    bool hosted;         /* open weights: the price is its provider's alone */
    uint64_t dimensions; /* of an embedding; 0: unknown, or it gives none */
    double latency_ms_per_token;                     /* 0: unknown */
    uint64_t requests_per_minute, tokens_per_minute; /* 0: unknown */
    const char *tokenizer;                           /* "o200k", "cl100k" */
    double token_factor; /* on the estimate, before calibration */
    const char *images;  /* how they are counted; NULL: as in the dialect */
    /* Of a media job: nano-dollars and credits for each and for each second;
     * "1024x1024=0.5,...": what sizes cost more or less. */
    int64_t item_price, second_price;
    double item_credits, second_credits, default_seconds;
    const char *size_factors;
    const char *source, *dated;
    bool assumed; /* not in the catalogue: defaults */
};

/* What is known of a provider. */
struct asbi_provider {
    const char *name;
    const char *dialect;
    const char *base_url;
    const char *key_variable; /* OPENAI_API_KEY; "" for none */
    bool key_optional; /* works without a key when the variable is unset */
    bool free;         /* runs on the user's own machines: price 0 */
    bool structured;   /* knows JSON schema */
    bool max_completion_tokens;
    bool counts_max_tokens; /* reserves max_tokens against the token limit */
    bool limits_apart;     /* input and output have token limits of their own */
    bool requests_per_day; /* its headers count requests of a day, which say
                              nothing of the pace */
    uint64_t array_items, array_tokens; /* most in a call; 0: the dialect's */
    bool batches; /* takes requests in bulk, in its dialect's way ... */
    uint64_t batch_percent; /* ... for so much of the price */
    uint64_t batch_tokens;  /* of input that may wait there; 0: not known */

    /* Dialect "json": see adapters/json_api.h.  NULL for what is not said. */
    const char *path, *encoding, *body, *texts, *answers, *error, *message,
        *usage, *key_header;
    bool one_text;
    bool bills_characters;          /* else tokens */
    int64_t price;                  /* nano-dollars per 10^6 of them */
    int64_t credit;                 /* nano-dollars of one, for media jobs */
    const char *idempotency_header; /* names a submission; or NULL */
};

/* The entry of a model, or assumed defaults in *out (ok to use, warn).  A
 * maker before a slash ("openai/gpt-4.1") and a date after the name
 * ("gpt-4.1-2025-04-14") are looked through.  Strings in *out live as long as
 * the options and `name` do. */
void asbi_catalogue_model(const struct asb_options *options, const char *name,
                          struct asbi_model *out);

/* ASB_OK or ASB_ENOENT, with the known names in `why`. */
int asbi_catalogue_provider(const struct asb_options *options, const char *name,
                            struct asbi_provider *out, struct asb_message *why);

/* A deep copy for an engine.  NULL when out of memory. */
struct asb_options *asbi_options_copy(const struct asb_options *options,
                                      const struct asbi_mem *mem);

#endif

/*
 * options.h -- what shapes the simulated provider: plain data.
 */
#ifndef ASBI_SIM_OPTIONS_H
#define ASBI_SIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "engine/sim/latency.h"
#include "scheduler/image.h"

/* What the provider knows of a model.  Prices are nano-dollars per million
 * tokens; a size of 0 is no limit. */
struct asbi_sim_model {
    int64_t input_price, cached_price, output_price;
    uint64_t context_tokens, max_output_tokens;
};

/* Faults between the client and the provider; used by the world only. */
struct asbi_sim_network {
    uint64_t round_trip_ns;
    double refuse_rate; /* no connection */
    double cut_rate;    /* the connection breaks somewhere on the way */
    double slow_rate;   /* the answer trickles */
};

/* Counts as a given client does instead of by the simulator's own rule: to
 * forecast a provider whose tokenizer is not at hand. */
struct asbi_sim_counting {
    uint64_t (*tokens)(void *arg, asbi_str text); /* NULL: the own rule */
    void *arg;
    /* Tokens answered for each token of an item's text; 0: the answer itself
     * is counted. */
    double answer_ratio;
    double answer_frame; /* around each answer of a packed call */
    /* With `tokens`: around each item of a packed prompt. */
    double item_frame;
    enum asbi_image_rule images;
};

struct asbi_sim_options {
    struct asbi_sim_latency latency;
    uint64_t rpm, tpm;    /* 0: no limit */
    uint64_t halve_at_ns; /* both limits are half from then on; 0: never */
    uint64_t capacity;    /* calls served at once, more wait; 0: no limit */
    double error_rate, drop_item_rate, truncate_rate, garbage_rate,
        disconnect_rate; /* probabilities, in [0, 1] */
    uint64_t seed;
    bool require_key;         /* 401 without an Authorization header */
    uint64_t job_ns;          /* how long a batch or a video takes; 0: 2 s */
    uint64_t window_ns;       /* what a batch may take; 0: a day */
    double batch_expire_rate; /* of lines that are left until it is over */
    uint64_t batch_stuck;     /* this batch, 1-based, gets nowhere; 0: none */
    uint64_t batch_tokens;    /* that may wait in batches; 0: no limit */
    uint64_t job_most_ns;     /* a video between the two; 0: as job_ns */
    double job_failure_rate, job_refusal_rate; /* of videos, by prompt */
    uint64_t artefact_bytes;                   /* of a video; 0: 4096 */
    bool any_video; /* of whatever size and length; else as OpenAI's */
    /* Told a line of JSON for each video that comes or goes, before the
     * request is answered; NULL: nobody keeps them. */
    void (*keep)(void *arg, asbi_str line);
    void *keep_arg;
    /* Corrects the facts of a model by its name; NULL: the same modest prices
     * for all. */
    void (*model)(void *arg, const char *name, struct asbi_sim_model *out);
    void *model_arg;
    /* A chat request with this text in it is refused for its content; NULL:
     * none is.  Borrowed. */
    const char *refuses;
    struct asbi_sim_network network;
    struct asbi_sim_counting counting;
};

/**
 * Fills in the sim_* options, the rest with 0.
 * @return ASB_OK, or ASB_ECONFIG with the option and the remedy in `why`
 */
int asbi_sim_options_from_config(const struct asbi_config *config,
                                 struct asbi_sim_options *out,
                                 struct asb_message *why);

/* For asbi_sim_options.model: what the catalogue of the options (model_arg, a
 * struct asb_options) knows. */
void asbi_sim_model_of_catalogue(void *options, const char *name,
                                 struct asbi_sim_model *out);

/* The standard facts, corrected by options->model. */
void asbi_sim_model_facts(const struct asbi_sim_options *options,
                          const char *name, struct asbi_sim_model *out);

#endif

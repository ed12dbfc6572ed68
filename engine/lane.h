/*
 * lane.h -- one provider, account and model: its limits, what was learned of
 * it, and the gates a call must pass.
 *
 * Three gates, each learning from one signal: money from usage, rate from
 * headers and 429, concurrency from 429 and latency.  All must admit.
 */
#ifndef ASBI_LANE_H
#define ASBI_LANE_H

#include "adapters/dialect.h"
#include "adapters/json_api.h"
#include "config/config.h"
#include "engine/base/log.h"
#include "engine/base/map.h"
#include "engine/purse.h"
#include "engine/transport.h"
#include "scheduler/bucket.h"
#include "scheduler/former.h"
#include "scheduler/latency.h"
#include "scheduler/law.h"
#include "scheduler/limiter.h"
#include "scheduler/price.h"
#include "scheduler/retry.h"
#include "scheduler/sizing.h"
#include "scheduler/tally.h"
#include "scheduler/tokenizer.h"

enum {
    /* Tokens of a packed answer around each item:
     * {"id":"123456","output":""}, */
    ASBI_ITEM_SLACK = 14,
    /* ... and of a packed prompt, as the public vocabularies count it:
     * {"id":"123456","text":""}, */
    ASBI_ITEM_FRAME = 8,
};

/* Output for each token of an item's text, before any answer was seen: what
 * translations take. */
#define ASBI_OUTPUT_RATIO_START 1.3

/* What a call would take from each gate of its lane. */
struct asbi_demand {
    struct asbi_lane *lane;
    uint64_t input_tokens;      /* calibrated, without headroom */
    uint64_t output_tokens;     /* expected */
    uint64_t max_output_tokens; /* what the call may give at most */
    double rate_tokens;         /* against the token limit */
    double rate_output; /* where output has a limit of its own, else 0 */
    int64_t worst_cost;
    bool urgent; /* does not wait for the pace of the budget */
};

/* Why a lane sends nothing now. */
enum asbi_gate {
    ASBI_GATE_OPEN,
    ASBI_GATE_BLOCKED,     /* the provider said wait, or cannot be reached */
    ASBI_GATE_BREAKER,     /* too many failures */
    ASBI_GATE_CONCURRENCY, /* opens when a call ends */
    ASBI_GATE_RATE,
    ASBI_GATE_PACE,   /* the budget is to last for its period */
    ASBI_GATE_BUDGET, /* opens, if at all, when a call ends */
};

/* What a server may lack.  State files keep the numbers. */
enum asbi_lack {
    ASBI_LACKS_SCHEMA = 1,
    ASBI_LACKS_JSON_MODE = 2,
    ASBI_LACKS_STREAM = 4,
    ASBI_LACKS_TEMPERATURE = 8,
    ASBI_LACKS_MAX_TOKENS = 16,
    ASBI_LACKS_MAX_COMPLETION_TOKENS = 32,
    ASBI_LACKS_SYSTEM = 64,
};

struct asbi_lane {
    /* -- immutable after asbi_lane_new() */
    const struct asbi_mem *mem;
    const struct asbi_log *log;
    const struct asbi_config *config;
    char name[128];   /* "openai/gpt-4.1-mini", for people */
    size_t place;     /* among the engine's */
    unsigned weight;  /* its share of the job; 0: it only takes over */
    bool has_company; /* other lanes can go on without it */
    const struct asbi_dialect *dialect;
    struct asbi_json_api *api; /* owned; of dialect "json", else NULL */
    struct asbi_provider provider;
    struct asbi_model model;
    struct asbi_prices prices;
    struct asbi_counter counter; /* of tokens */
    char *base_url;              /* without a slash at the end, ... */
    const char *base_query; /* ... and what stood behind: "?api-version=..." */
    struct asbi_buf header_lines;
    const char **headers;      /* into header_lines; NULL-terminated */
    struct asbi_map endpoints; /* path -> struct lane_endpoint */
    uint64_t system_tokens;    /* of the constant prompt, uncalibrated */
    double item_frame;         /* tokens around each item of a packed prompt */
    struct asbi_decoder *decoder; /* of which those of the calls are twins */

    /* -- the gates */
    struct asbi_limiter limiter;
    struct asbi_bucket requests, tokens;
    struct asbi_bucket outputs; /* where output has a limit of its own */
    struct asbi_breaker breaker;
    struct asbi_purse *purse; /* the engine's: shared by all its lanes */
    uint64_t blocked_until_ns;
    unsigned throttles;    /* 429s since the last good answer */
    unsigned unreachables; /* episodes since the last good answer */
    unsigned not_founds;   /* of the users' own bodies, before any answer */
    bool ever_answered;
    uint64_t moved_ns; /* when a call last went or ended */

    /* -- learned */
    struct asbi_latency latency;
    struct asbi_law law; /* the same of all calls alike */
    struct asbi_sizing sizing;
    struct asbi_calibration input_calibration;
    struct asbi_ratio output_ratio;
    struct asbi_tally failed, cut; /* calls: by a 5xx; without a whole answer */
    struct asbi_tally bad;         /* items, of those that shared a call */
    struct asbi_call_style style;
    unsigned lacks;              /* enum asbi_lack */
    double outstanding_tokens;   /* reserved by calls on the wire */
    double outstanding_output;   /* the same, of the limit on output */
    double answer_bytes;         /* of an embedding */
    enum asbi_call_way way;      /* how items share a call */
    struct asbi_batch_caps caps; /* for kinds that share; kept fresh */

    /* -- what came of it */
    uint64_t calls, items; /* that ended; that were answered */
    int64_t cost;

    /* -- the end */
    enum asb_halt halt;
    char halt_reason[256];
};

/* `key` and `system` (the task's constant prompt) are borrowed for the call;
 * `system` only to be weighed.  `options` and `purse` must outlive it. */
int asbi_lane_new(const struct asbi_mem *mem, const struct asb_options *options,
                  asbi_str key, asbi_str system, struct asbi_purse *purse,
                  const struct asbi_log *log, unsigned capacity,
                  struct asbi_lane **out, struct asb_message *why);
void asbi_lane_free(struct asbi_lane *lane, struct asbi_transport *transport);

/* Another dialect than its provider's, before the first call: what simulates
 * the provider speaks that.  ASB_OK or ASB_ENOMEM. */
int asbi_lane_speak(struct asbi_lane *lane, const struct asbi_dialect *dialect);

/* Before anything is counted: by this vocabulary, which must outlive it.
 * `system` as for asbi_lane_new(). */
void asbi_lane_count_exactly(struct asbi_lane *lane, struct asbi_tokenizer *t,
                             asbi_str system);

/* To another address than its provider's, before the first call.  ASB_OK or
 * ASB_ENOMEM. */
int asbi_lane_move(struct asbi_lane *lane, const char *base_url);

/* How items that may share a call go into it; once, before any does. */
void asbi_lane_set_way(struct asbi_lane *lane, enum asbi_call_way way);

/* Answers will be vectors, of as many numbers as the options or the catalogue
 * say: reckons with their size until one is seen. */
void asbi_lane_expect_vectors(struct asbi_lane *lane);

/* What a model costs here: nothing on the user's own machines. */
struct asbi_prices asbi_lane_prices(const struct asbi_lane *lane,
                                    const struct asbi_model *model);

/* The endpoint of a path below the base URL, e.g. the dialect's chat path or
 * that of an OpenAI batch line.  NULL for a path that is none, when there are
 * too many of them, or out of memory. */
struct asbi_endpoint *asbi_lane_endpoint(struct asbi_lane *lane, asbi_str path);

/* Frees all of them, once no call uses one. */
void asbi_lane_endpoints_free(struct asbi_lane *lane,
                              struct asbi_transport *transport);

/* Appends the URL of a path below the base URL, with both their queries.  False
 * for a path that is none. */
bool asbi_lane_put_url(const struct asbi_lane *lane, asbi_str path,
                       struct asbi_buf *url);

/* What to do about a key that is refused: "set OPENAI_API_KEY".  Returns `out`,
 * of `size` bytes. */
const char *asbi_lane_key_remedy(const struct asbi_lane *lane, char *out,
                                 size_t size);

/* Seconds that so many direct calls would take, alone on the lane. */
double asbi_lane_seconds(const struct asbi_lane *lane, uint64_t calls,
                         uint64_t input_tokens, uint64_t output_tokens);

/* Where calls of the lane's own go. */
struct asbi_endpoint *asbi_lane_call_endpoint(struct asbi_lane *lane,
                                              enum asbi_call_way way);

/* Fills in a demand for calls of these estimates.  `max_output` 0: as many as
 * the estimate needs (packed), or the model's limit. */
void asbi_lane_weigh(struct asbi_lane *lane, double raw_input,
                     uint64_t expected_output, uint64_t max_output,
                     const struct asbi_prices *prices, struct asbi_demand *out);

/* What counts against the limit on tokens, where it is one for both: OpenAI and
 * those like it count the larger of the prompt and the max_tokens of the
 * request, at admission; others what is used. */
double asbi_lane_rate_tokens(const struct asbi_lane *lane,
                             const struct asbi_demand *d, uint64_t max_tokens);

/* Expected output tokens of a packed item. */
uint64_t asbi_lane_expect_output(const struct asbi_lane *lane,
                                 double raw_input);

/* Whether a call may go now; else which gate is closed and in *ready_ns when
 * to ask again (ASBI_NEVER: after a call has ended). */
enum asbi_gate asbi_lane_gate(struct asbi_lane *lane,
                              const struct asbi_demand *demand, uint64_t now,
                              uint64_t *ready_ns);

/* Takes from all gates.  Only right after asbi_lane_gate() said open. */
void asbi_lane_take(struct asbi_lane *lane, const struct asbi_demand *demand,
                    uint64_t now);

/* How a call ended, for the gates. */
struct asbi_settlement {
    enum asbi_limiter_outcome outcome;
    bool breaker_ok;      /* false: a 5xx, time-out or reset */
    bool breaker_silent;  /* says nothing about the provider's health */
    bool unknown;         /* it may have been done, and gave no whole answer */
    double seconds;       /* latency; <= 0: not to be learned from */
    uint64_t cooldown_ns; /* with THROTTLED */
    int64_t spent;        /* nano-dollars to count against the budget */
    double rate_tokens;   /* used of the demand's */
    double rate_output;
};

void asbi_lane_settle(struct asbi_lane *lane, const struct asbi_demand *demand,
                      const struct asbi_settlement *s, uint64_t now);

/* Rate headers of an answer. */
void asbi_lane_hint(struct asbi_lane *lane, const struct asbi_rate_hint *hint,
                    uint64_t now);

/* Nothing is sent before `until_ns`. */
void asbi_lane_block(struct asbi_lane *lane, uint64_t until_ns);

/* For good; the first reason stays. */
void asbi_lane_halt(struct asbi_lane *lane, enum asb_halt halt,
                    const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* lane_style.c: how the lane asks by its options and what its server lacks. */
void asbi_lane_style_init(struct asbi_lane *lane);

/* The server lacks a feature that a call asked `asked` used: later ones do
 * without.  False when it did not use it: asking again would not help. */
bool asbi_lane_drop_feature(struct asbi_lane *lane,
                            const struct asbi_call_style *asked,
                            const char *feature);

/* An earlier run was told so (a set of enum asbi_lack); what the options ask
 * for by name is tried all the same. */
void asbi_lane_recall_lacks(struct asbi_lane *lane, unsigned lacks);

/* What an answered call teaches about size, time and tokens. */
struct asbi_lesson {
    enum asbi_call_way way;
    bool truncated;                /* at the model's own limit */
    const struct asb_usage *usage; /* NULL: none was told */
    double seconds;                /* <= 0: not to be learned from */
    double first_seconds;          /* to the first byte of a stream; 0: none */
    unsigned beside;               /* calls in flight when it began */
    double raw_input;              /* estimate of the whole prompt */
    uint64_t items, bad;           /* bad: missing, invalid or cut off */
    /* Those that the output was spent on, and their estimated input. */
    uint64_t answered;
    double raw_items;
    size_t longest_answer; /* bytes */
};

/* What the answer to as long a list as the provider takes may have. */
uint64_t asbi_lane_list_bytes(const struct asbi_lane *lane);

/* The answer to a list of that many items was too large: a quarter of them. */
void asbi_lane_shrink_arrays(struct asbi_lane *lane, size_t count);

void asbi_lane_learn(struct asbi_lane *lane, const struct asbi_lesson *lesson);

/* What an item that may share a call, or one that may not, is of a call of the
 * usual size. */
double asbi_lane_part_of_call(const struct asbi_lane *lane, bool shares);

/* Brings the caps up to date with what was learned. */
void asbi_lane_refresh(struct asbi_lane *lane);

#endif

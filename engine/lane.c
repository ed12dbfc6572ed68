#include "engine/lane.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "adapters/media.h"
#include "engine/base/error.h"
#include "engine/base/units.h"

enum {
    MAX_HEADER_BYTES = 16384,
    /* Tokens a model may add around an answer of the expected size. */
    OUTPUT_SLACK = 64,
    /* Calls after which the ratio of output to input is trusted. */
    RATIO_CALLS = 3,
};

/* How far an answer may exceed its estimate.  A limit that is too low costs a
 * second call, one that is too high only reserves more for a moment: scripts
 * differ threefold in tokens for the same text, and until some answers were
 * seen nobody knows which way. */
static const double output_headroom = 1.3, output_headroom_unlearned = 3;

struct asbi_prices asbi_lane_prices(const struct asbi_lane *lane,
                                    const struct asbi_model *model)
{
    if (lane->provider.free)
        return (struct asbi_prices){ 0, 0, 0, 0 };
    return (struct asbi_prices){ model->input_price, model->cached_price,
                                 model->output_price,
                                 model->cache_write_price };
}

/* Splits the NUL-terminated lines of `header_lines` into a table. */
static int index_headers(struct asbi_lane *lane)
{
    size_t n = 0, i = 0;
    const struct asbi_buf *b = &lane->header_lines;

    if (asbi_buf_failed(b))
        return ASB_ENOMEM;
    for (size_t at = 0; at < b->len; at++)
        n += b->data[at] == '\0';
    lane->headers = asbi_calloc(lane->mem, n + 1, sizeof(*lane->headers));
    if (!lane->headers)
        return ASB_ENOMEM;
    for (size_t at = 0; at < b->len; at += strlen(b->data + at) + 1)
        lane->headers[i++] = b->data + at;
    return ASB_OK;
}

static int copy_base_url(struct asbi_lane *lane, struct asb_message *why)
{
    const char *url = lane->config->base_url[0] ? lane->config->base_url
                                                : lane->provider.base_url;
    size_t len = strcspn(url, "?");

    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return asbi_fail(why, ASB_ECONFIG,
                         "base_url: \"%s\" is no http:// or https:// address; "
                         "give one with --base-url",
                         url);
    lane->base_query = url + len;
    while (len && url[len - 1] == '/')
        len--;
    lane->base_url = asbi_strndup(lane->mem, url, len);
    return lane->base_url ? ASB_OK : ASB_ENOMEM;
}

/* What the configuration says of an API without a dialect of its own. */
static int init_api(struct asbi_lane *lane, struct asb_message *why)
{
    const struct asbi_provider *p = &lane->provider;
    struct asbi_json_api_spec spec = {
        .path = p->path,
        .encoding = p->encoding,
        .body = p->body,
        .texts = p->texts,
        .one_text = p->one_text,
        .answers = p->answers,
        .error = p->error,
        .message = p->message,
        .usage = p->usage,
        .key_header = p->key_header,
        .source_lang = lane->config->source_lang,
        .target_lang = lane->config->target_lang,
        .model = lane->config->model,
    };

    if (strcmp(p->dialect, "json") != 0)
        return ASB_OK;
    int rc = asbi_json_api_new(lane->mem, &spec, &lane->api, why);
    lane->style.api = lane->api;
    return rc;
}

static void init_gates(struct asbi_lane *lane, unsigned capacity)
{
    const struct asbi_config *c = lane->config;
    uint64_t rpm = c->requests_per_minute, tpm = c->tokens_per_minute;
    unsigned workers = c->workers < capacity ? (unsigned)c->workers : capacity;

    asbi_limiter_init(&lane->limiter, workers, capacity < 400 ? capacity : 400,
                      &lane->latency);
    asbi_bucket_init(&lane->requests,
                     rpm ? rpm : lane->model.requests_per_minute);
    asbi_bucket_init(&lane->tokens, tpm ? tpm : lane->model.tokens_per_minute);
    asbi_bucket_init(&lane->outputs, 0);
    asbi_breaker_init(&lane->breaker);
}

static void init_learning(struct asbi_lane *lane)
{
    double factor = lane->model.token_factor;

    if (!asbi_vocabulary_find(lane->model.tokenizer, &lane->counter.vocabulary))
        lane->counter.vocabulary = ASBI_O200K;
    lane->counter.images =
        asbi_image_rule_of(lane->model.images, lane->provider.dialect);
    asbi_latency_init(&lane->latency, lane->model.latency_ms_per_token);
    asbi_sizing_init(&lane->sizing);
    asbi_calibration_init(&lane->input_calibration, factor > 0 ? factor : 1);
    asbi_ratio_init(&lane->output_ratio, ASBI_OUTPUT_RATIO_START);
}

/* What all calls have in common. */
static int init_wire(struct asbi_lane *lane, asbi_str key)
{
    lane->dialect->headers(key, &lane->style, &lane->header_lines);
    int rc = index_headers(lane);
    if (rc)
        return rc;
    lane->decoder = lane->dialect->decoder_new(lane->mem, &lane->style);
    return lane->decoder ? ASB_OK : ASB_ENOMEM;
}

int asbi_lane_speak(struct asbi_lane *lane, const struct asbi_dialect *dialect)
{
    struct asbi_decoder *decoder =
        dialect->decoder_new(lane->mem, &lane->style);

    if (!decoder)
        return ASB_ENOMEM;
    lane->dialect->decoder_free(lane->decoder);
    lane->decoder = decoder;
    lane->dialect = dialect;
    return ASB_OK;
}

/* Around the constant prompt: roles and the form of the answer. */
enum { SYSTEM_FRAME = 16 };

static void weigh_system(struct asbi_lane *lane, asbi_str system)
{
    lane->system_tokens =
        (uint64_t)asbi_count_tokens(&lane->counter, system) + SYSTEM_FRAME;
    asbi_lane_refresh(lane);
}

void asbi_lane_count_exactly(struct asbi_lane *lane, struct asbi_tokenizer *t,
                             asbi_str system)
{
    lane->counter.exact = t;
    asbi_calibration_init(&lane->input_calibration, 1);
    lane->input_calibration.exact = true;
    weigh_system(lane, system);
}

int asbi_lane_move(struct asbi_lane *lane, const char *base_url)
{
    char *copy = asbi_strndup(lane->mem, base_url, strlen(base_url));

    if (!copy)
        return ASB_ENOMEM;
    asbi_free(lane->mem, lane->base_url);
    lane->base_url = copy;
    lane->base_query = "";
    return ASB_OK;
}

int asbi_lane_new(const struct asbi_mem *mem, const struct asb_options *options,
                  asbi_str key, asbi_str system, struct asbi_purse *purse,
                  const struct asbi_log *log, unsigned capacity,
                  struct asbi_lane **out, struct asb_message *why)
{
    struct asbi_lane *lane = asbi_calloc(mem, 1, sizeof(*lane));
    const struct asbi_config *c = &options->values;

    *out = NULL;
    if (!lane)
        return ASB_ENOMEM;
    lane->mem = mem;
    lane->log = log;
    lane->purse = purse;
    lane->config = c;
    asbi_map_init(&lane->endpoints, mem, 0);
    asbi_buf_init(&lane->header_lines, mem, MAX_HEADER_BYTES);
    int rc =
        asbi_catalogue_provider(options, c->provider, &lane->provider, why);
    if (rc)
        goto out;
    lane->dialect = asbi_dialect_find(lane->provider.dialect);
    if (!lane->dialect) {
        rc = asbi_fail(why, ASB_ECONFIG, "provider %s: unknown dialect \"%s\"",
                       c->provider, lane->provider.dialect);
        goto out;
    }
    asbi_catalogue_model(options, c->model, &lane->model);
    lane->prices = asbi_lane_prices(lane, &lane->model);
    rc = copy_base_url(lane, why);
    if (rc)
        goto out;
    asbi_lane_style_init(lane);
    rc = init_api(lane, why);
    if (rc)
        goto out;
    rc = init_wire(lane, key);
    if (rc)
        goto out;
    init_gates(lane, capacity);
    init_learning(lane);
    weigh_system(lane, system);
    *out = lane;
    lane = NULL;
out:
    asbi_lane_free(lane, NULL);
    return rc;
}

void asbi_lane_free(struct asbi_lane *lane, struct asbi_transport *transport)
{
    if (!lane)
        return;
    asbi_lane_endpoints_free(lane, transport);
    /* Headers hold the key: leave no copy in freed memory. */
    if (lane->header_lines.data)
        explicit_bzero(lane->header_lines.data, lane->header_lines.cap);
    asbi_buf_fini(&lane->header_lines);
    if (lane->decoder)
        lane->dialect->decoder_free(lane->decoder);
    asbi_json_api_free(lane->api);
    asbi_free(lane->mem, lane->headers);
    asbi_free(lane->mem, lane->base_url);
    asbi_free(lane->mem, lane);
}

uint64_t asbi_lane_expect_output(const struct asbi_lane *lane, double raw_input)
{
    return (uint64_t)(lane->output_ratio.value * raw_input) + ASBI_ITEM_SLACK;
}

double asbi_lane_rate_tokens(const struct asbi_lane *lane,
                             const struct asbi_demand *d, uint64_t max_tokens)
{
    if (!lane->provider.counts_max_tokens)
        return (double)d->input_tokens + (double)d->output_tokens;
    return (double)(d->input_tokens > max_tokens ? d->input_tokens
                                                 : max_tokens);
}

void asbi_lane_weigh(struct asbi_lane *lane, double raw_input,
                     uint64_t expected_output, uint64_t max_output,
                     const struct asbi_prices *prices, struct asbi_demand *out)
{
    double headroom = asbi_calibration_headroom(&lane->input_calibration);
    bool apart = lane->provider.limits_apart;

    out->lane = lane;
    out->input_tokens = asbi_calibrated(&lane->input_calibration, raw_input);
    out->output_tokens = expected_output;
    out->max_output_tokens = max_output;
    if (max_output == 0) {
        double room = lane->output_ratio.calls < RATIO_CALLS
                          ? output_headroom_unlearned
                          : output_headroom;

        out->max_output_tokens =
            (uint64_t)((double)expected_output * room) + OUTPUT_SLACK;
    }
    if (lane->model.max_output_tokens &&
        out->max_output_tokens > lane->model.max_output_tokens)
        out->max_output_tokens = lane->model.max_output_tokens;
    if (lane->way == ASBI_ARRAY)
        out->output_tokens = out->max_output_tokens = 0;
    out->rate_tokens =
        apart ? (double)out->input_tokens
              : asbi_lane_rate_tokens(lane, out, out->max_output_tokens);
    out->rate_output = apart ? (double)out->output_tokens : 0;
    uint64_t most = (uint64_t)((double)out->input_tokens * headroom) + 1;
    out->worst_cost = asbi_price_worst(prices, most, out->max_output_tokens);
}

static enum asbi_gate rate_gate(struct asbi_lane *lane,
                                const struct asbi_demand *demand, uint64_t now,
                                uint64_t *ready_ns)
{
    uint64_t requests = asbi_bucket_ready_at(&lane->requests, 1, now);
    uint64_t tokens =
        asbi_bucket_ready_at(&lane->tokens, demand->rate_tokens, now);

    uint64_t outputs =
        asbi_bucket_ready_at(&lane->outputs, demand->rate_output, now);

    *ready_ns = requests > tokens ? requests : tokens;
    if (outputs > *ready_ns)
        *ready_ns = outputs;
    return *ready_ns <= now ? ASBI_GATE_OPEN : ASBI_GATE_RATE;
}

enum asbi_gate asbi_lane_gate(struct asbi_lane *lane,
                              const struct asbi_demand *demand, uint64_t now,
                              uint64_t *ready_ns)
{
    *ready_ns = ASBI_NEVER;
    if (!asbi_limiter_has_room(&lane->limiter))
        return ASBI_GATE_CONCURRENCY;
    *ready_ns = lane->blocked_until_ns;
    if (*ready_ns > now)
        return ASBI_GATE_BLOCKED;
    *ready_ns = asbi_breaker_ready_at(&lane->breaker, now);
    if (*ready_ns > now)
        return ASBI_GATE_BREAKER;
    enum asbi_gate gate = rate_gate(lane, demand, now, ready_ns);
    if (gate != ASBI_GATE_OPEN)
        return gate;
    *ready_ns = asbi_bucket_ready_at(&lane->purse->money,
                                     (double)demand->worst_cost, now);
    if (*ready_ns > now && !demand->urgent)
        return ASBI_GATE_PACE;
    *ready_ns = ASBI_NEVER;
    if (demand->worst_cost > asbi_budget_left(&lane->purse->budget))
        return ASBI_GATE_BUDGET;
    return ASBI_GATE_OPEN;
}

void asbi_lane_take(struct asbi_lane *lane, const struct asbi_demand *demand,
                    uint64_t now)
{
    lane->moved_ns = now;
    asbi_limiter_started(&lane->limiter);
    asbi_breaker_started(&lane->breaker);
    asbi_bucket_take(&lane->requests, 1, now);
    asbi_bucket_take(&lane->tokens, demand->rate_tokens, now);
    asbi_bucket_take(&lane->outputs, demand->rate_output, now);
    (void)asbi_budget_reserve(&lane->purse->budget, demand->worst_cost);
    asbi_bucket_take(&lane->purse->money, (double)demand->worst_cost, now);
    lane->outstanding_tokens += demand->rate_tokens;
    lane->outstanding_output += demand->rate_output;
}

void asbi_lane_settle(struct asbi_lane *lane, const struct asbi_demand *demand,
                      const struct asbi_settlement *s, uint64_t now)
{
    const struct asbi_took took = { .seconds = s->seconds,
                                    .input_tokens =
                                        (double)demand->input_tokens,
                                    .output_tokens =
                                        (double)demand->output_tokens };

    if (!s->breaker_silent) {
        asbi_tally_add(&lane->failed, 1, !s->breaker_ok && !s->unknown);
        asbi_tally_add(&lane->cut, 1, s->unknown);
    }
    lane->moved_ns = now;
    lane->outstanding_tokens -= demand->rate_tokens;
    lane->outstanding_output -= demand->rate_output;
    asbi_limiter_ended(&lane->limiter, s->outcome, &took, s->cooldown_ns, now);
    asbi_breaker_ended(&lane->breaker, s->breaker_ok || s->breaker_silent, now);
    asbi_bucket_settle(&lane->tokens, demand->rate_tokens, s->rate_tokens);
    asbi_bucket_settle(&lane->outputs, demand->rate_output, s->rate_output);
    asbi_budget_settle(&lane->purse->budget, demand->worst_cost, s->spent);
    asbi_bucket_settle(&lane->purse->money, (double)demand->worst_cost,
                       (double)s->spent);
}

static void hint_bucket(struct asbi_bucket *b, bool configured, uint64_t limit,
                        uint64_t remaining, double outstanding, uint64_t now)
{
    if (limit != UINT64_MAX && !configured && (double)limit != b->published)
        asbi_bucket_limit(b, limit);
    if (remaining != UINT64_MAX)
        asbi_bucket_remaining(b, (double)remaining, outstanding, now);
}

void asbi_lane_hint(struct asbi_lane *lane, const struct asbi_rate_hint *hint,
                    uint64_t now)
{
    if (!lane->provider.requests_per_day)
        hint_bucket(&lane->requests, lane->config->requests_per_minute != 0,
                    hint->limit_requests, hint->remaining_requests,
                    lane->limiter.in_flight, now);
    bool apart = lane->provider.limits_apart && hint->limit_input != UINT64_MAX;
    hint_bucket(&lane->tokens, lane->config->tokens_per_minute != 0,
                apart ? hint->limit_input : hint->limit_tokens,
                apart ? hint->remaining_input : hint->remaining_tokens,
                lane->outstanding_tokens, now);
    if (apart)
        hint_bucket(&lane->outputs, false, hint->limit_output,
                    hint->remaining_output, lane->outstanding_output, now);
}

void asbi_lane_block(struct asbi_lane *lane, uint64_t until_ns)
{
    if (until_ns > lane->blocked_until_ns)
        lane->blocked_until_ns = until_ns;
}

void asbi_lane_halt(struct asbi_lane *lane, enum asb_halt halt,
                    const char *format, ...)
{
    va_list args;

    if (lane->halt)
        return;
    lane->halt = halt;
    va_start(args, format);
    (void)vsnprintf(lane->halt_reason, sizeof(lane->halt_reason), format, args);
    va_end(args);
    if (lane->has_company)
        asbi_log(lane->log, ASB_LOG_WARN, "lane %s is lost: %s", lane->name,
                 lane->halt_reason);
    else
        asbi_log(lane->log, ASB_LOG_ERROR, "%s", lane->halt_reason);
}

#include "engine/sim/embed.h"

#include <math.h>

#include "engine/base/hash.h"
#include "engine/base/rng.h"
#include "engine/sim/tokens.h"

enum {
    DIMENSIONS = 8,
    MAX_DIMENSIONS = 3072,
    MAX_INPUT_TOKENS = 8192,
    MAX_TOKENS = 300000,
};

int asbi_sim_embed_init(struct asbi_sim_embed *e, const struct asbi_mem *mem,
                        size_t max_bytes)
{
    *e = (struct asbi_sim_embed){ 0 };
    e->json = asbi_json_new(mem, max_bytes);
    return e->json ? ASB_OK : ASB_ENOMEM;
}

void asbi_sim_embed_fini(struct asbi_sim_embed *e)
{
    asbi_json_free(e->json);
}

static const struct asbi_json_node *get(const struct asbi_sim_embed *e,
                                        const char *key)
{
    return asbi_json_get(e->json, asbi_json_root(e->json), asbi_str_c(key));
}

static int read_form(struct asbi_sim_embed *e, struct asbi_sim_problem *why)
{
    const struct asbi_json_node *dimensions = get(e, "dimensions");
    asbi_str encoding = asbi_json_text(e->json, get(e, "encoding_format"));

    e->dimensions = DIMENSIONS;
    if (dimensions && dimensions->type != ASBI_JSON_NULL &&
        (!asbi_json_u64(dimensions, &e->dimensions) || e->dimensions < 1 ||
         e->dimensions > MAX_DIMENSIONS))
        return asbi_sim_refuse(why, 400, "invalid_value", "dimensions",
                               "Invalid value for 'dimensions'.");
    e->base64 = asbi_str_eq(encoding, ASBI_STR("base64"));
    if (encoding.at && !e->base64 && !asbi_str_eq(encoding, ASBI_STR("float")))
        return asbi_sim_refuse(why, 400, "invalid_value", "encoding_format",
                               "Invalid value for 'encoding_format'.");
    return ASB_OK;
}

/* Tokens of one input: of a text, or of an array of token numbers.  0 for what
 * is neither, or empty. */
static uint64_t input_tokens(struct asbi_sim_embed *e,
                             const struct asbi_json_node *input)
{
    if (input->type == ASBI_JSON_STRING)
        return asbi_sim_tokens(asbi_json_text(e->json, input));
    return input->type == ASBI_JSON_ARRAY ? input->count : 0;
}

static int check_input(struct asbi_sim_embed *e,
                       const struct asbi_json_node *input,
                       struct asbi_sim_problem *why)
{
    asbi_str text = asbi_json_text(e->json, input);
    uint64_t tokens = input_tokens(e, input);

    if (tokens == 0 && text.len == 0)
        return asbi_sim_refuse(why, 400, NULL, "input",
                               "'$.input' is invalid: an input must be a text "
                               "or an array of tokens, and not be empty.");
    if (tokens > MAX_INPUT_TOKENS)
        return asbi_sim_refuse(why, 400, "context_length_exceeded", "input",
                               "This model's maximum context length is %d "
                               "tokens, however you requested %ju tokens.",
                               MAX_INPUT_TOKENS, (uintmax_t)tokens);
    e->tokens += tokens;
    return ASB_OK;
}

static int check_list(struct asbi_sim_embed *e,
                      const struct asbi_json_node *list,
                      struct asbi_sim_problem *why)
{
    const struct asbi_json_node *one = asbi_json_child(e->json, list);

    if (list->count == 0 || list->count > ASBI_SIM_MAX_INPUTS)
        return asbi_sim_refuse(why, 400, "invalid_value", "input",
                               "Invalid 'input': expected 1 to %d inputs.",
                               ASBI_SIM_MAX_INPUTS);
    for (; one; one = asbi_json_after(e->json, list, one)) {
        int rc = check_input(e, one, why);
        if (rc)
            return rc;
        e->inputs[e->count++] = one;
    }
    return ASB_OK;
}

/* A flat array of numbers is one input. */
static bool is_list(const struct asbi_json *json,
                    const struct asbi_json_node *input)
{
    const struct asbi_json_node *first = asbi_json_child(json, input);

    return input->type == ASBI_JSON_ARRAY &&
           (!first || first->type != ASBI_JSON_NUMBER);
}

static int read_input(struct asbi_sim_embed *e, struct asbi_sim_problem *why)
{
    const struct asbi_json_node *input = get(e, "input");

    e->tokens = e->count = 0;
    if (!input)
        return asbi_sim_refuse(why, 400, "missing_required_parameter", "input",
                               "Missing required parameter: 'input'.");
    if (!is_list(e->json, input))
        e->inputs[e->count++] = input;
    int rc = e->count ? check_input(e, input, why) : check_list(e, input, why);
    if (!rc && e->tokens > MAX_TOKENS)
        return asbi_sim_refuse(why, 400, "max_tokens_per_request", "input",
                               "Invalid 'input': maximum request size is %d "
                               "tokens per request.",
                               MAX_TOKENS);
    return rc;
}

int asbi_sim_embed_read(struct asbi_sim_embed *e, asbi_str body,
                        struct asbi_sim_problem *why)
{
    int rc = asbi_json_parse(e->json, body.at, body.len);

    if (rc == ASB_ENOMEM)
        return rc;
    if (rc || asbi_json_root(e->json)->type != ASBI_JSON_OBJECT)
        return asbi_sim_refuse(why, 400, NULL, NULL,
                               "We could not parse the JSON body of your "
                               "request.");
    rc = asbi_sim_read_model(e->json, e->model, sizeof(e->model), why);
    if (!rc)
        rc = read_form(e, why);
    e->order_seed = asbi_hash64(body.at, body.len, 0);
    return rc ? rc : read_input(e, why);
}

/* ---- the answer ------------------------------------------------------- */

/* Pure base64 over a run of bytes given in steps of any size. */
struct base64 {
    struct asbi_buf *out;
    uint32_t bits;
    unsigned count; /* bytes in `bits` */
};

static void base64_put(struct base64 *b, unsigned char byte)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    b->bits = b->bits << 8 | byte;
    if (++b->count < 3)
        return;
    for (int shift = 18; shift >= 0; shift -= 6)
        asbi_buf_char(b->out, digits[b->bits >> shift & 63]);
    b->bits = b->count = 0;
}

static void base64_end(struct base64 *b)
{
    unsigned missing = b->count ? 3 - b->count : 0;

    for (unsigned i = 0; i < missing; i++)
        base64_put(b, 0);
    for (unsigned i = 1; i <= missing; i++)
        b->out->data[b->out->len - i] = '=';
}

static void put_number(double x, struct asbi_buf *out, bool first)
{
    if (!first)
        asbi_buf_char(out, ',');
    asbi_json_put_double(out, (double)(float)x);
}

static void put_float(struct base64 *b, double x)
{
    union {
        float f;
        uint32_t bits;
    } u = { .f = (float)x };

    for (unsigned i = 0; i < 4; i++)
        base64_put(b, (unsigned char)(u.bits >> 8 * i));
}

/* The same numbers twice: once for the length, once for the output. */
static double length_of(uint64_t seed, uint64_t dimensions)
{
    struct asbi_rng rng;
    double sum = 0;

    asbi_rng_seed(&rng, seed);
    for (uint64_t i = 0; i < dimensions; i++) {
        double x = asbi_rng_normal(&rng);
        sum += x * x;
    }
    return sum > 0 ? sqrt(sum) : 1;
}

static void put_vector(const struct asbi_sim_embed *e, asbi_str text,
                       struct asbi_buf *out)
{
    uint64_t seed = asbi_hash64(text.at, text.len, 0);
    double length = length_of(seed, e->dimensions);
    struct base64 coded = { .out = out };
    struct asbi_rng rng;

    asbi_rng_seed(&rng, seed);
    asbi_buf_char(out, e->base64 ? '"' : '[');
    for (uint64_t i = 0; i < e->dimensions && !out->failed; i++) {
        double x = asbi_rng_normal(&rng) / length;
        if (e->base64)
            put_float(&coded, x);
        else
            put_number(x, out, i == 0);
    }
    if (e->base64 && !out->failed)
        base64_end(&coded);
    asbi_buf_char(out, e->base64 ? '"' : ']');
}

static void put_one(const struct asbi_sim_embed *e, uint64_t index,
                    struct asbi_buf *out)
{
    const struct asbi_json_node *input = e->inputs[index];
    asbi_str text = asbi_json_text(e->json, input);

    asbi_buf_c(out, "{\"object\":\"embedding\",\"index\":");
    asbi_buf_u64(out, index);
    asbi_buf_c(out, ",\"embedding\":");
    put_vector(e, text.at ? text : input->raw, out);
    asbi_buf_char(out, '}');
}

/* Fisher and Yates' shuffle. */
static void shuffle(const struct asbi_sim_embed *e, uint16_t *order)
{
    struct asbi_rng rng;

    asbi_rng_seed(&rng, e->order_seed);
    for (uint64_t i = 0; i < e->count; i++) {
        uint64_t other = asbi_rng_below(&rng, i + 1);

        order[i] = order[other];
        order[other] = (uint16_t)i;
    }
}

void asbi_sim_put_embeddings(const struct asbi_sim_embed *e,
                             struct asbi_buf *out)
{
    uint16_t order[ASBI_SIM_MAX_INPUTS];

    shuffle(e, order);
    asbi_buf_c(out, "{\"object\":\"list\",\"data\":[");
    for (uint64_t i = 0; i < e->count; i++) {
        if (i)
            asbi_buf_char(out, ',');
        put_one(e, order[i], out);
    }
    asbi_buf_c(out, "],\"model\":");
    asbi_json_put_string(out, asbi_str_c(e->model));
    asbi_buf_fmt(out,
                 ",\"usage\":{\"prompt_tokens\":%ju,\"total_tokens\":%ju}}",
                 (uintmax_t)e->tokens, (uintmax_t)e->tokens);
}

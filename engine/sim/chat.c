#include "engine/sim/chat.h"

#include "engine/base/hash.h"
#include "engine/base/utf8.h"
#include "engine/sim/pseudo.h"
#include "engine/sim/tokens.h"
#include "scheduler/body_tokens.h"

enum {
    MAX_CHOICES = 128,
    MAX_CANDIDATES = 16,    /* places where the items may begin */
    TOKENS_PER_MESSAGE = 4, /* role and separators */
    TOKENS_OF_REPLY = 3,    /* what primes the answer */
    KEEP_BYTES = 1 << 20,   /* of scratch memory between two calls */
};

int asbi_sim_chat_init(struct asbi_sim_chat *c, const struct asbi_mem *mem,
                       size_t max_bytes)
{
    *c = (struct asbi_sim_chat){ .mem = mem };
    asbi_buf_init(&c->parts, mem, max_bytes);
    asbi_buf_init(&c->text, mem, max_bytes * 6);
    asbi_buf_init(&c->content, mem, max_bytes * 6);
    c->json = asbi_json_new(mem, max_bytes);
    c->payload = asbi_json_new(mem, max_bytes);
    return c->json && c->payload ? ASB_OK : ASB_ENOMEM;
}

void asbi_sim_chat_fini(struct asbi_sim_chat *c)
{
    asbi_json_free(c->json);
    asbi_json_free(c->payload);
    asbi_buf_fini(&c->parts);
    asbi_buf_fini(&c->text);
    asbi_buf_fini(&c->content);
}

static const struct asbi_json_node *get(const struct asbi_sim_chat *c,
                                        const char *key)
{
    return asbi_json_get(c->json, asbi_json_root(c->json), asbi_str_c(key));
}

static bool is_type(const struct asbi_json_node *node, enum asbi_json_type type)
{
    return node && node->type == type;
}

/* Absent and null are as good as not said. */
static bool is_said(const struct asbi_json_node *node)
{
    return node && node->type != ASBI_JSON_NULL;
}

/* A count of at least 1 and at most `most`; absent leaves *out alone. */
static int read_count(struct asbi_sim_chat *c, const char *key, uint64_t most,
                      uint64_t *out, struct asbi_sim_problem *why)
{
    const struct asbi_json_node *node = get(c, key);
    uint64_t n;

    if (!is_said(node))
        return ASB_OK;
    if (!asbi_json_u64(node, &n) || n < 1 || n > most)
        return asbi_sim_refuse(why, 400, "invalid_value", key,
                               "Invalid '%s': expected a positive integer.",
                               key);
    *out = n;
    return ASB_OK;
}

static int read_numbers(struct asbi_sim_chat *c, struct asbi_sim_problem *why)
{
    c->choices = 1;
    c->max_tokens = UINT64_MAX;
    int rc = read_count(c, "n", MAX_CHOICES, &c->choices, why);
    if (!rc)
        rc = read_count(c, "max_tokens", UINT32_MAX, &c->max_tokens, why);
    if (!rc)
        rc = read_count(c, "max_completion_tokens", UINT32_MAX, &c->max_tokens,
                        why);
    return rc;
}

/* The text of a message, whether a string or parts, the latter joined in
 * `joined`. */
static asbi_str text_of(struct asbi_sim_chat *c,
                        const struct asbi_json_node *message,
                        struct asbi_buf *joined)
{
    const struct asbi_json_node *content =
        asbi_json_get(c->json, message, ASBI_STR("content"));

    if (!is_type(content, ASBI_JSON_ARRAY))
        return asbi_json_text(c->json, content);
    asbi_buf_clear(joined);
    const struct asbi_json_node *part = asbi_json_child(c->json, content);
    for (; part; part = asbi_json_after(c->json, content, part))
        asbi_buf_str(joined,
                     asbi_json_text(c->json, asbi_json_get(c->json, part,
                                                           ASBI_STR("text"))));
    return asbi_buf_view(joined);
}

static bool has_role(struct asbi_sim_chat *c,
                     const struct asbi_json_node *message, const char *role)
{
    const struct asbi_json_node *node =
        asbi_json_get(c->json, message, ASBI_STR("role"));

    return asbi_str_eq(asbi_json_text(c->json, node), asbi_str_c(role));
}

/* The last user message, else the last of all; NULL when there is none. */
static const struct asbi_json_node *
last_message(struct asbi_sim_chat *c, const struct asbi_json_node *messages)
{
    const struct asbi_json_node *last = NULL, *user = NULL;
    const struct asbi_json_node *m = asbi_json_child(c->json, messages);

    for (; m; m = asbi_json_after(c->json, messages, m)) {
        last = m;
        if (has_role(c, m, "user"))
            user = m;
    }
    return user ? user : last;
}

/* Whether `text` is {"items":[{...}, ...]}. */
static bool parse_items(struct asbi_sim_chat *c, asbi_str text)
{
    c->items = NULL;
    if (asbi_json_parse(c->payload, text.at, text.len) != ASB_OK)
        return false;
    const struct asbi_json_node *items = asbi_json_get(
        c->payload, asbi_json_root(c->payload), ASBI_STR("items"));
    if (!is_type(items, ASBI_JSON_ARRAY) || items->count == 0)
        return false;
    const struct asbi_json_node *item = asbi_json_child(c->payload, items);
    for (; item; item = asbi_json_after(c->payload, items, item)) {
        if (!asbi_json_get(c->payload, item, ASBI_STR("id")) ||
            !asbi_json_get(c->payload, item, ASBI_STR("text")))
            return false;
    }
    c->items = items;
    return true;
}

/* {"items" with white space anywhere between. */
static bool may_begin_items(asbi_str s)
{
    asbi_str rest = asbi_str_trim(asbi_str_of(s.at + 1, s.len - 1));

    return s.at[0] == '{' && asbi_str_starts(rest, ASBI_STR("\"items\""));
}

/* Finds the items at the end of the last message.  Inside JSON strings quotes
 * are escaped, so the first place that parses up to the end is the right one.
 * Returns the bytes before it. */
static size_t find_items(struct asbi_sim_chat *c, asbi_str text)
{
    asbi_str s = asbi_str_trim(text);
    unsigned tries = 0;

    c->items = NULL;
    if (s.len == 0 || s.at[s.len - 1] != '}')
        return text.len;
    const char *at = s.at, *end = asbi_str_end(s);
    while (tries < MAX_CANDIDATES &&
           (at = memchr(at, '{', (size_t)(end - at)))) {
        asbi_str rest = asbi_str_of(at, (size_t)(end - at));
        if (may_begin_items(rest)) {
            tries++;
            if (parse_items(c, rest))
                return (size_t)(at - text.at);
        }
        at++;
    }
    return text.len;
}

static uint64_t tokens_of(const struct asbi_sim_chat *c, asbi_str text)
{
    return c->counting.tokens ? c->counting.tokens(c->counting.arg, text)
                              : asbi_sim_tokens(text);
}

/* Of the texts alone. */
static uint64_t tokens_of_items(const struct asbi_sim_chat *c)
{
    const struct asbi_json_node *item = asbi_json_child(c->payload, c->items);
    uint64_t tokens = 0;

    for (; item; item = asbi_json_after(c->payload, c->items, item))
        tokens += tokens_of(
            c, asbi_json_text(c->payload, asbi_json_get(c->payload, item,
                                                        ASBI_STR("text"))));
    return tokens;
}

/* A client's estimate is one of texts: what stands around them, it has to say
 * itself. */
static void count_items_as_told(struct asbi_sim_chat *c, asbi_str items)
{
    uint64_t as_text = tokens_of(c, items);

    c->prompt_tokens -= as_text < c->prompt_tokens ? as_text : c->prompt_tokens;
    c->prompt_tokens +=
        tokens_of_items(c) +
        (uint64_t)((double)c->items->count * c->counting.item_frame);
}

/* Tokens of all messages, and a hash over those before `last`. */
static void count_prompt(struct asbi_sim_chat *c,
                         const struct asbi_json_node *messages,
                         const struct asbi_json_node *last)
{
    const struct asbi_json_node *m = asbi_json_child(c->json, messages);
    bool before = true;

    c->prompt_tokens = TOKENS_OF_REPLY;
    c->prefix_tokens = 0;
    c->prefix_hash = asbi_hash64(c->model, strlen(c->model), 0);
    for (; m; m = asbi_json_after(c->json, messages, m)) {
        asbi_str text = text_of(c, m, &c->text);
        uint64_t tokens =
            TOKENS_PER_MESSAGE + tokens_of(c, text) +
            (uint64_t)asbi_media_tokens(c->counting.images, c->json, m);

        before = before && m != last;
        c->prompt_tokens += tokens;
        if (before) {
            c->prefix_tokens += tokens;
            c->prefix_hash = asbi_hash64(m->raw.at, m->raw.len, c->prefix_hash);
        }
    }
}

static int read_messages(struct asbi_sim_chat *c, struct asbi_sim_problem *why)
{
    const struct asbi_json_node *messages = get(c, "messages");

    if (!is_said(messages))
        return asbi_sim_refuse(why, 400, "missing_required_parameter",
                               "messages",
                               "Missing required parameter: 'messages'.");
    const struct asbi_json_node *last = last_message(c, messages);
    if (!is_type(messages, ASBI_JSON_ARRAY) || !last)
        return asbi_sim_refuse(why, 400, "invalid_type", "messages",
                               "Invalid 'messages': expected an array with at "
                               "least one message.");
    count_prompt(c, messages, last);
    c->system = asbi_json_text(
        c->json, asbi_json_get(c->json, asbi_json_child(c->json, messages),
                               ASBI_STR("content")));
    c->last = text_of(c, last, &c->parts);
    size_t constant = find_items(c, c->last);
    if (c->items) {
        asbi_str prefix = asbi_str_of(c->last.at, constant);
        c->prefix_tokens += tokens_of(c, prefix);
        c->prefix_hash = asbi_hash64(prefix.at, prefix.len, c->prefix_hash);
    }
    if (c->items && c->counting.tokens)
        count_items_as_told(
            c, asbi_str_of(c->last.at + constant, c->last.len - constant));
    return c->parts.failed || c->text.failed ? ASB_ENOMEM : ASB_OK;
}

static bool holds(asbi_str text, asbi_str what)
{
    for (size_t i = 0; what.len <= text.len && i <= text.len - what.len; i++) {
        if (memcmp(text.at + i, what.at, what.len) == 0)
            return true;
    }
    return false;
}

static int filter(struct asbi_sim_chat *c, struct asbi_sim_problem *why)
{
    if (!c->refuses || !holds(c->last, asbi_str_c(c->refuses)))
        return ASB_OK;
    return asbi_sim_refuse(why, 400, "content_policy_violation", "messages",
                           "Your request was rejected as a result of our "
                           "safety system.");
}

static void read_flags(struct asbi_sim_chat *c)
{
    const struct asbi_json_node *options = get(c, "stream_options");

    c->stream = is_type(get(c, "stream"), ASBI_JSON_TRUE);
    c->include_usage =
        is_type(asbi_json_get(c->json, options, ASBI_STR("include_usage")),
                ASBI_JSON_TRUE);
    asbi_sim_labels_find(&c->labels, c->json, get(c, "response_format"),
                         c->system);
}

static int parse_body(struct asbi_sim_chat *c, asbi_str body,
                      struct asbi_sim_problem *why)
{
    int rc = asbi_json_parse(c->json, body.at, body.len);

    if (rc == ASB_ENOMEM)
        return rc;
    if (rc || asbi_json_root(c->json)->type != ASBI_JSON_OBJECT)
        return asbi_sim_refuse(why, 400, NULL, NULL,
                               "We could not parse the JSON body of your "
                               "request. (HINT: This likely means you aren't "
                               "using your HTTP library correctly. The OpenAI "
                               "API expects a JSON payload, but what was sent "
                               "was not valid JSON.)");
    return ASB_OK;
}

int asbi_sim_chat_read(struct asbi_sim_chat *c, asbi_str body,
                       struct asbi_sim_problem *why)
{
    asbi_buf_shrink(&c->parts, KEEP_BYTES);
    asbi_buf_shrink(&c->text, KEEP_BYTES);
    int rc = parse_body(c, body, why);
    if (!rc)
        rc = asbi_sim_read_model(c->json, c->model, sizeof(c->model), why);
    if (!rc)
        rc = read_numbers(c, why);
    if (!rc)
        rc = read_messages(c, why);
    if (!rc)
        rc = filter(c, why);
    if (!rc)
        read_flags(c);
    return rc;
}

/* Cuts the content after `len` bytes, but never inside a code point. */
static void cut(struct asbi_sim_chat *c, size_t len)
{
    if (len >= c->content.len)
        return;
    while (len > 0 && ((unsigned char)c->content.data[len] & 0xc0) == 0x80)
        len--;
    c->content.len = len;
    c->finish = "length";
}

/* What an answer of the expected length is billed at; its bytes are only there
 * to be checked. */
static uint64_t expected_tokens(struct asbi_sim_chat *c)
{
    uint64_t text = c->items ? tokens_of_items(c) : tokens_of(c, c->last);
    double around =
        c->items ? (double)c->items->count * c->counting.answer_frame : 0;
    double all = (double)text * c->counting.answer_ratio + around;
    return (uint64_t)(all * (1 - (double)c->dropped / (double)c->item_count));
}

static void count_answer(struct asbi_sim_chat *c, uint64_t most_tokens)
{
    asbi_str content;

    if (c->counting.answer_ratio > 0) {
        c->output_tokens = expected_tokens(c);
    } else {
        if (!c->counting.tokens)
            cut(c, asbi_sim_tokens_prefix(asbi_buf_view(&c->content),
                                          most_tokens));
        content = asbi_buf_view(&c->content);
        c->output_tokens = tokens_of(c, content);
    }
    c->output_tokens *= c->choices;
}

int asbi_sim_chat_answer(struct asbi_sim_chat *c,
                         const struct asbi_sim_fault *fault,
                         struct asbi_rng *rng, uint64_t most_tokens)
{
    asbi_buf_shrink(&c->content, KEEP_BYTES);
    c->finish = "stop";
    c->item_count = c->items ? c->items->count : 1;
    c->dropped = 0;
    if (c->items || fault->garbage == ASBI_SIM_PROSE)
        asbi_sim_content_packed(c, fault, rng);
    else
        asbi_sim_pseudo(c->last, 0, &c->content);
    if (c->content.failed || c->text.failed)
        return ASB_ENOMEM;
    if (fault->truncate)
        cut(c, (size_t)(fault->where * (double)c->content.len));
    count_answer(c, most_tokens);
    return ASB_OK;
}

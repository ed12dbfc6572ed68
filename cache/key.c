#include "cache/key.h"

#include <string.h>

#include "cache/body.h"
#include "engine/base/hash.h"
#include "engine/base/le.h"

/* Raised when what an answer means, or how it is checked, changes. */
enum { VERSION = 1 };

/* Names each field, so that none can be taken for another. */
enum tag {
    TAG_VERSION = 1,
    TAG_DIALECT,
    TAG_MODEL,
    TAG_TASK,
    TAG_PROMPT,
    TAG_CHOICE,
    TAG_TEMPERATURE,
    TAG_SCOPE,
    TAG_TENANT,
    TAG_PAYLOAD,
    TAG_PACKED,
    TAG_MAX_LENGTH,
    TAG_TEXT,
    TAG_URL,
    TAG_BODY,
    TAG_MALFORMED_BODY,
};

static void put_count(struct asbi_buf *out, enum tag tag, uint64_t n)
{
    char bytes[9] = { (char)tag };

    asbi_le64_put(bytes + 1, n);
    asbi_buf_add(out, bytes, sizeof(bytes));
}

/* With its length before it: no text can reach into the next field. */
static void put_field(struct asbi_buf *out, enum tag tag, asbi_str value)
{
    put_count(out, tag, value.len);
    asbi_buf_str(out, value);
}

static void put_temperature(struct asbi_buf *out, double temperature)
{
    uint64_t bits = 0;

    if (temperature < 0)
        bits = UINT64_MAX; /* not sent */
    else if (temperature > 0)
        memcpy(&bits, &temperature, sizeof(bits));
    put_count(out, TAG_TEMPERATURE, bits);
}

void asbi_cache_put_scope(struct asbi_buf *out,
                          const struct asbi_cache_scope *scope)
{
    put_count(out, TAG_VERSION, VERSION);
    put_field(out, TAG_DIALECT, scope->dialect);
    put_field(out, TAG_MODEL, scope->model);
    put_field(out, TAG_TASK, scope->task);
    put_field(out, TAG_PROMPT, scope->prompt);
    for (size_t i = 0; i < scope->choice_count; i++)
        put_field(out, TAG_CHOICE, scope->choices[i]);
    put_temperature(out, scope->temperature);
}

/* The last field: it needs no length, and has none before it is written. */
static bool put_body(struct asbi_buf *out, const struct asbi_cache_item *item,
                     struct asbi_json *json)
{
    bool is_body = item->payload == ASB_BODY;

    if (asbi_json_parse(json, item->body.at, item->body.len)) {
        put_field(out, TAG_MALFORMED_BODY, item->body);
        return false;
    }
    bool settles = !is_body || asbi_cache_body_settles(json, item->url);
    asbi_buf_char(out, TAG_BODY);
    asbi_cache_put_json(out, json, is_body);
    return settles;
}

bool asbi_cache_put_item(struct asbi_buf *out,
                         const struct asbi_cache_key *scope,
                         const struct asbi_cache_item *item,
                         struct asbi_json *json)
{
    put_field(out, TAG_SCOPE, asbi_cache_key_str(scope));
    put_field(out, TAG_TENANT, item->tenant);
    put_count(out, TAG_PAYLOAD, (uint64_t)item->payload);
    put_count(out, TAG_PACKED, item->packed);
    put_count(out, TAG_MAX_LENGTH, item->max_length);
    put_field(out, TAG_TEXT, item->text);
    put_field(out, TAG_URL, item->url);
    if (item->payload != ASB_MESSAGES && item->payload != ASB_BODY)
        return true;
    return put_body(out, item, json);
}

bool asbi_cache_key_of(const struct asbi_cache_hasher *hasher, asbi_str bytes,
                       struct asbi_cache_key *out)
{
    if (hasher->digest)
        return asbi_digest_of(hasher->digest, bytes.at, bytes.len, out->bytes);
    asbi_hash128(bytes.at, bytes.len, hasher->seed, out->bytes);
    asbi_hash128(bytes.at, bytes.len, ~hasher->seed, out->bytes + 16);
    return true;
}

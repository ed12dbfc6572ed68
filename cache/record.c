#include "cache/record.h"

#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/le.h"

/*
 * check[16] version[1] flags[1] status[2] input[8] cached[8] output[8] cost[8]
 * output_len[8] output... body..., numbers with the low byte first.
 */
enum {
    CHECK_BYTES = 16,
    VERSION = 1,
    HEAD_BYTES = CHECK_BYTES + 4 + 5 * 8,
    FLAG_JSON = 1,
    FLAG_REFUSED = 2,
};

static void put(char **at, uint64_t n, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        *(*at)++ = (char)(n >> (8 * i));
}

static uint64_t take(const char **at, unsigned bytes)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < bytes; i++)
        n |= (uint64_t)(unsigned char)*(*at)++ << (8 * i);
    return n;
}

static void check_of(asbi_str record, const struct asbi_cache_key *key,
                     unsigned char check[CHECK_BYTES])
{
    asbi_hash128(record.at + CHECK_BYTES, record.len - CHECK_BYTES,
                 asbi_hash64(key->bytes, sizeof(key->bytes), 0), check);
}

void asbi_cache_record_write(struct asbi_buf *out,
                             const struct asbi_cache_key *key,
                             const struct asbi_cache_answer *answer)
{
    size_t start = out->len;
    char *at = asbi_buf_reserve(out, HEAD_BYTES);

    if (!at)
        return;
    memset(at, 0, CHECK_BYTES);
    at += CHECK_BYTES;
    put(&at, VERSION, 1);
    put(&at,
        (answer->output_is_json ? FLAG_JSON : 0U) |
            (answer->refused ? FLAG_REFUSED : 0U),
        1);
    put(&at, (uint64_t)(unsigned)answer->http_status, 2);
    asbi_le64_put(at, answer->usage.input_tokens);
    asbi_le64_put(at + 8, answer->usage.cached_tokens);
    asbi_le64_put(at + 16, answer->usage.output_tokens);
    asbi_le64_put(at + 24, (uint64_t)answer->cost_nano_usd);
    asbi_le64_put(at + 32, answer->output.len);
    out->len += HEAD_BYTES;
    asbi_buf_str(out, answer->output);
    asbi_buf_str(out, answer->body);
    if (asbi_buf_failed(out))
        return;
    char *record = out->data + start;
    check_of(asbi_str_of(record, out->len - start), key,
             (unsigned char *)record);
}

bool asbi_cache_record_read(asbi_str record, const struct asbi_cache_key *key,
                            struct asbi_cache_answer *answer)
{
    unsigned char check[CHECK_BYTES];

    if (record.len < HEAD_BYTES)
        return false;
    check_of(record, key, check);
    if (memcmp(check, record.at, CHECK_BYTES) != 0)
        return false;
    const char *at = record.at + CHECK_BYTES;
    if (take(&at, 1) != VERSION)
        return false;
    *answer = (struct asbi_cache_answer){ .output_is_json = false };
    uint64_t flags = take(&at, 1);
    answer->output_is_json = (flags & FLAG_JSON) != 0;
    answer->refused = (flags & FLAG_REFUSED) != 0;
    answer->http_status = (int)take(&at, 2);
    answer->usage.input_tokens = asbi_le64_get(at);
    answer->usage.cached_tokens = asbi_le64_get(at + 8);
    answer->usage.output_tokens = asbi_le64_get(at + 16);
    answer->cost_nano_usd = (int64_t)asbi_le64_get(at + 24);
    uint64_t len = asbi_le64_get(at + 32);
    at += 5 * 8;
    size_t left = record.len - HEAD_BYTES;
    if (len > left)
        return false;
    answer->output = asbi_str_of(at, (size_t)len);
    answer->body = asbi_str_of(at + len, left - (size_t)len);
    return true;
}

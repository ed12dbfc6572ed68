/*
 * cache_http_kept.c -- values of the HTTP tier, and objects that are kept with
 * their ETag, so that the server can say that they still hold.
 */
#include <string.h>

#include "engine/cache_http_private.h"

enum { KEPT_HEAD = 8 + 8 + 1 };

static void put_u64(char *to, uint64_t n)
{
    for (unsigned i = 0; i < 8; i++)
        to[i] = (char)(n >> (8 * i));
}

static uint64_t get_u64(const char *from)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < 8; i++)
        n |= (uint64_t)(unsigned char)from[i] << (8 * i);
    return n;
}

void asbi_cache_value_write(char *to, uint64_t expires_ms, asbi_str record)
{
    put_u64(to, expires_ms);
    if (record.len)
        memcpy(to + VALUE_HEAD, record.at, record.len);
}

bool asbi_cache_value_read(asbi_str *value, uint64_t *expires_ms)
{
    if (value->len <= VALUE_HEAD)
        return false;
    *expires_ms = get_u64(value->at);
    *value = asbi_str_of(value->at + VALUE_HEAD, value->len - VALUE_HEAD);
    return true;
}

/* fresh until[8] serves until[8] length of the ETag[1] ETag value */
bool asbi_kept_find(struct asbi_memory *memory,
                    const struct asbi_cache_key *key, uint64_t now_ms,
                    struct asbi_kept *kept)
{
    struct asbi_memory_note note;
    asbi_str bytes;

    if (!asbi_memory_get(memory, key, now_ms, &bytes, &note) ||
        bytes.len < KEPT_HEAD)
        return false;
    size_t etag = (unsigned char)bytes.at[16];
    kept->fresh_until_ms = get_u64(bytes.at);
    kept->serves_until_ms = get_u64(bytes.at + 8);
    kept->etag = asbi_str_of(bytes.at + KEPT_HEAD, etag);
    kept->value =
        asbi_str_of(bytes.at + KEPT_HEAD + etag, bytes.len - KEPT_HEAD - etag);
    return true;
}

void asbi_kept_put(struct asbi_memory *memory, const struct asbi_cache_key *key,
                   const struct asbi_kept *kept, struct asbi_buf *scratch,
                   uint64_t now_ms)
{
    const struct asbi_memory_note note = { .worth = 1,
                                           .expires_ms = UINT64_MAX };
    char head[KEPT_HEAD];

    put_u64(head, kept->fresh_until_ms);
    put_u64(head + 8, kept->serves_until_ms);
    head[16] = (char)kept->etag.len; /* below ETAG_MAX */
    asbi_buf_clear(scratch);
    asbi_buf_add(scratch, head, sizeof(head));
    asbi_buf_str(scratch, kept->etag);
    asbi_buf_str(scratch, kept->value);
    if (!asbi_buf_failed(scratch))
        asbi_memory_put(memory, key, asbi_buf_view(scratch), &note, now_ms);
}

void asbi_http_writes_drop(struct cache_http *c)
{
    struct asbi_link *link;

    while ((link = asbi_list_pop(&c->writes)))
        asbi_free(c->mem, ASBI_OF(link, struct write, link));
    c->write_bytes = 0;
}

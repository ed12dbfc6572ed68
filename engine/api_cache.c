/*
 * api_cache.c -- caches for people: a file counted, listed, emptied; a CDN told
 * to let go.
 */
#include <string.h>

#include "cache/record.h"
#include "engine/base/error.h"
#include "engine/cache_http.h"
#include "engine/engine.h"
#include "engine/real/cache_sqlite.h"

int asb_cache_open(const char *path, struct asb_cache **out,
                   struct asb_message *why)
{
    struct asbi_cache_file_options o = { .path = path,
                                         .must_exist = true,
                                         .now_ms = 1 /* lets go of nothing */ };
    struct asbi_cache_file *file;

    if (why)
        why->text[0] = '\0';
    if (!path || !path[0] || !out)
        return asbi_fail(why, ASB_EINVAL, "cache: the file is missing");
    int rc = asbi_cache_file_open(&asbi_mem_system, &o, &file, why);
    *out = rc ? NULL : (struct asb_cache *)(void *)file;
    return rc;
}

static struct asbi_cache_file *file_of(struct asb_cache *cache)
{
    return (struct asbi_cache_file *)(void *)cache;
}

void asb_cache_close(struct asb_cache *cache)
{
    if (!cache)
        return;
    struct asbi_store *store = asbi_cache_file_store(file_of(cache));
    store->ops->free(store);
}

int asb_cache_get_stats(struct asb_cache *cache, struct asb_cache_stats *stats)
{
    struct asbi_cache_file_stats found;
    struct asb_cache_stats all = { .size = stats->size };

    int rc = asbi_cache_file_stats(file_of(cache), &found);
    if (rc)
        return rc;
    if (all.size > sizeof(all))
        all.size = sizeof(all);
    all.answers = found.answers;
    all.expired = found.expired;
    all.file_bytes = found.file_bytes;
    memcpy(stats, &all, all.size);
    return ASB_OK;
}

struct walk {
    const char *prefix;
    int (*each)(void *arg, const struct asb_cache_entry *entry);
    void *arg;
    uint64_t now_ms;
};

static void put_hex(const struct asbi_cache_key *key, char to[65])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < sizeof(key->bytes); i++) {
        to[2 * i] = digits[key->bytes[i] >> 4];
        to[2 * i + 1] = digits[key->bytes[i] & 15];
    }
    to[2 * sizeof(key->bytes)] = '\0';
}

static int on_entry(void *arg, const struct asbi_store_entry *from)
{
    const struct walk *w = arg;
    struct asbi_cache_answer answer = { .output = { "", 0 } };
    struct asb_cache_entry entry = {
        .size = sizeof(entry),
        .expires_ms = from->expires_ms,
        .expired = from->expires_ms <= w->now_ms,
    };

    put_hex(&from->key, entry.key);
    if (strncmp(entry.key, w->prefix, strlen(w->prefix)) != 0)
        return 0;
    entry.whole = asbi_cache_record_read(from->record, &from->key, &answer);
    entry.output = answer.output;
    entry.output_is_json = answer.output_is_json;
    entry.usage = answer.usage;
    entry.cost_nano_usd = answer.cost_nano_usd;
    return w->each(w->arg, &entry);
}

int asb_cache_each(struct asb_cache *cache, const char *prefix,
                   int (*each)(void *arg, const struct asb_cache_entry *entry),
                   void *arg)
{
    struct walk w = { prefix ? prefix : "", each, arg, asbi_cache_file_now() };

    return asbi_cache_file_each(file_of(cache), on_entry, &w);
}

int asb_cache_purge(struct asb_cache *cache, bool all, uint64_t *deleted)
{
    uint64_t count = 0;
    int rc = asbi_cache_file_purge(file_of(cache), all, &count);

    if (deleted)
        *deleted = count;
    return rc;
}

int asb_engine_purge(struct asb_engine *engine, const char *mark,
                     void (*done)(void *arg, int status), void *arg)
{
    struct asbi_remote *http =
        engine ? engine->recall.remotes[ASBI_TIER_HTTP] : NULL;

    return http && mark && done ? asbi_cache_http_purge(http, mark, done, arg)
                                : ASB_EINVAL;
}

/*
 * cache.h -- the part of <asyncbatch/asyncbatch.h> about a cache file: counted,
 * listed, emptied.  Included by that, and includes it.
 */
#ifndef ASYNCBATCH_CACHE_H
#define ASYNCBATCH_CACHE_H

#include <asyncbatch/asyncbatch.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the cache file --------------------------------------------------- */

struct asb_cache;

/* One answer in a cache file.  Lives until the callback returns. */
struct asb_cache_entry {
    size_t size;
    char key[65]; /* in hexadecimal digits, NUL-terminated */
    bool whole; /* false: damaged; the rest says nothing, and it is not used */
    bool expired;
    uint64_t expires_ms; /* since 1970 */
    struct asb_bytes output;
    bool output_is_json;
    struct asb_usage usage; /* what it took to get it */
    int64_t cost_nano_usd;
};

/* Zero it, set `size`. */
struct asb_cache_stats {
    size_t size;
    uint64_t answers; /* with those that have expired */
    uint64_t expired, file_bytes;
};

/**
 * Opens the file that option "cache" names for engines, which may use it at the
 * same time.  It must exist.
 * @return ASB_OK, ASB_EINVAL, ASB_ECONFIG when it is no cache, ASB_EIO or
 *         ASB_ENOMEM
 */
ASB_API ASB_CHECKED int asb_cache_open(const char *path, struct asb_cache **out,
                                       struct asb_message *why);
ASB_API void asb_cache_close(struct asb_cache *cache);

/* ASB_OK or ASB_EIO. */
ASB_API ASB_CHECKED int asb_cache_get_stats(struct asb_cache *cache,
                                            struct asb_cache_stats *stats);

/**
 * Calls back for each answer, in order of keys.  No function for this cache may
 * be called from inside.
 * @param prefix  only keys that begin so; NULL or "" for all
 * @param each    nonzero stops
 * @return ASB_OK or ASB_EIO
 */
ASB_API ASB_CHECKED int
asb_cache_each(struct asb_cache *cache, const char *prefix,
               int (*each)(void *arg, const struct asb_cache_entry *entry),
               void *arg);

/* Deletes what has expired, or all.  ASB_OK or ASB_EIO. */
ASB_API ASB_CHECKED int asb_cache_purge(struct asb_cache *cache, bool all,
                                        uint64_t *deleted);

/**
 * Asks the server of option "cache_url" to let go of all answers with a mark:
 * `PURGE` of that address with the header `Surrogate-Key: MARK`.  What engines
 * write has the mark "asyncbatch" and that of option "surrogate_key".  `done`
 * is called once, from the loop, unless the engine is freed before: with the
 * status of HTTP, or 0 when the server was not reached.
 * @return ASB_OK, ASB_EINVAL (no such option, no such mark), ASB_EBUSY (one is
 *         under way) or ASB_ENOMEM
 */
ASB_API ASB_CHECKED int asb_engine_purge(struct asb_engine *engine,
                                         const char *mark,
                                         void (*done)(void *arg, int status),
                                         void *arg);

#ifdef __cplusplus
}
#endif

#endif

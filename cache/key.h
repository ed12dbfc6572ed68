/*
 * key.h -- what makes two requests the same: everything that can change the
 * answer, in one canonical run of bytes, and the key that is its hash.
 *
 * In the key: a version of ours, the dialect and the model, the task with its
 * whole constant prompt (languages, glossary, style, labels), the temperature,
 * the tenant, how the item is sent, its text, its body, its url and its most
 * length.
 *
 * Not in the key: where the provider is reached, since the same model answers
 * there; how the form of the answer is asked for, since it is checked; and of
 * a body the members that name whose or what kind of service it is:
 * user, metadata, store, safety_identifier, prompt_cache_key,
 * prompt_cache_retention and service_tier.  A false `stream` is as good as
 * none; a true one changes the provider's bytes and stays.
 *
 * Pure: bytes in, bytes out.
 */
#ifndef ASBI_CACHE_KEY_H
#define ASBI_CACHE_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include <asyncbatch/asyncbatch.h>

#include "engine/base/buf.h"
#include "engine/base/digest.h"
#include "engine/base/json.h"
#include "engine/base/str.h"

enum { ASBI_CACHE_KEY_BYTES = ASBI_DIGEST_BYTES };

struct asbi_cache_key {
    unsigned char bytes[ASBI_CACHE_KEY_BYTES];
};

/* What is the same for all items of an engine.  Borrowed. */
struct asbi_cache_scope {
    asbi_str dialect, model, task;
    asbi_str prompt; /* the task's constant prompt */
    const asbi_str *choices;
    size_t choice_count;
    double temperature; /* < 0: not sent */
};

/* What differs from item to item.  Borrowed. */
struct asbi_cache_item {
    asbi_str tenant, text, body, url;
    enum asb_payload payload;
    bool packed;
    uint32_t max_length;
};

/* How keys are hashed. */
struct asbi_cache_hasher {
    /* SHA-256, for entries that outlive the process; NULL: XXH3-128 twice. */
    struct asbi_digest *digest;
    uint64_t seed; /* of XXH3; secret, so that nobody can aim at a key */
};

/* The canonical bytes; appended. */
void asbi_cache_put_scope(struct asbi_buf *out,
                          const struct asbi_cache_scope *scope);

/**
 * The canonical bytes of an item below the key of its scope.
 * @param json  reads the body; its last document is lost
 * @return whether its answer is settled by the request, so that another's
 *         answer to the same request is as good: see asbi_cache_body_settles()
 */
bool asbi_cache_put_item(struct asbi_buf *out,
                         const struct asbi_cache_key *scope,
                         const struct asbi_cache_item *item,
                         struct asbi_json *json);

/* False when hashing fails. */
bool asbi_cache_key_of(const struct asbi_cache_hasher *hasher, asbi_str bytes,
                       struct asbi_cache_key *out);

static inline asbi_str asbi_cache_key_str(const struct asbi_cache_key *key)
{
    return asbi_str_of((const char *)key->bytes, sizeof(key->bytes));
}

#endif

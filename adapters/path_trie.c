#include "adapters/path_trie.h"

#include <assert.h>
#include <string.h>

static uint32_t index_of(asbi_str name)
{
    uint32_t n = 0;

    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] < '0' || name.at[i] > '9' || n > UINT32_MAX / 10 - 10)
            return UINT32_MAX;
        n = n * 10 + (uint32_t)(name.at[i] - '0');
    }
    return n;
}

/* Where names of that look below `parent` are found; of a name that is not
 * empty. */
static uint8_t bucket_of(uint8_t parent, asbi_str name)
{
    return (uint8_t)(parent * 31U + name.len * 7U + (uint8_t)name.at[0]);
}

/* The child of exactly that name, or 0. */
static uint8_t child_named(const struct asbi_path_trie *t, uint8_t parent,
                           asbi_str s)
{
    if (s.len == 0)
        return 0;
    for (uint8_t id = t->buckets[bucket_of(parent, s)]; id;
         id = t->nodes[id].same) {
        const struct asbi_path_node *n = &t->nodes[id];

        if (n->parent == parent && n->name_len == s.len &&
            memcmp(n->name, s.at, s.len) == 0)
            return id;
    }
    return 0;
}

static uint8_t add_child(struct asbi_path_trie *t, uint8_t parent, asbi_str s)
{
    assert(t->count < ASBI_PATH_NODES && s.len && s.len <= ASBI_PATH_NAME_MAX);
    uint8_t id = (uint8_t)t->count++;
    uint8_t *link = &t->nodes[parent].first;

    /* At the end, so that a reader finds names in the order of the table. */
    while (*link)
        link = &t->nodes[*link].next;
    *link = id;
    t->nodes[id] = (struct asbi_path_node){
        .name = s.at,
        .name_len = (uint8_t)s.len,
        .parent = parent,
        .same = t->buckets[bucket_of(parent, s)],
        .index = index_of(s),
    };
    t->buckets[bucket_of(parent, s)] = id;
    if (asbi_str_eq(s, ASBI_STR("*")))
        t->nodes[parent].any = id;
    return id;
}

static uint8_t walk(struct asbi_path_trie *t, const char *path)
{
    uint8_t node = ASBI_PATH_ROOT;

    for (;;) {
        asbi_str s = { path, strcspn(path, ".") };
        uint8_t child = child_named(t, node, s);

        node = child ? child : add_child(t, node, s);
        if (path[s.len] == '\0')
            return node;
        path += s.len + 1;
    }
}

void asbi_path_trie_init(struct asbi_path_trie *t,
                         const struct asbi_path *paths, size_t count)
{
    assert(count < ASBI_PATH_NOWHERE);
    memset(t, 0, sizeof(*t));
    t->count = 1;
    for (size_t i = 0; i < count; i++) {
        struct asbi_path_node *n = &t->nodes[walk(t, paths[i].path)];

        n->chosen = true;
        n->path = (uint8_t)i;
        n->mode = (uint8_t)paths[i].mode;
    }
}

uint8_t asbi_path_trie_name(const struct asbi_path_trie *t, uint8_t node,
                            asbi_str name)
{
    uint8_t id = child_named(t, node, name);
    uint8_t any = t->nodes[node].any;

    /* A member may be called "*", which is no name of the table. */
    if (id && id != any)
        return id;
    return any ? any : ASBI_PATH_NOWHERE;
}

uint8_t asbi_path_trie_index(const struct asbi_path_trie *t, uint8_t node,
                             uint32_t index)
{
    uint8_t any = t->nodes[node].any;

    for (uint8_t id = t->nodes[node].first; id; id = t->nodes[id].next) {
        if (id != any && t->nodes[id].index == index && index != UINT32_MAX)
            return id;
    }
    return any ? any : ASBI_PATH_NOWHERE;
}

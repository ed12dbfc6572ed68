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
        .any = asbi_str_eq(s, ASBI_STR("*")),
        .index = index_of(s),
    };
    return id;
}

static uint8_t child_named(const struct asbi_path_trie *t, uint8_t parent,
                           asbi_str s)
{
    for (uint8_t id = t->nodes[parent].first; id; id = t->nodes[id].next) {
        if (t->nodes[id].name_len == s.len &&
            memcmp(t->nodes[id].name, s.at, s.len) == 0)
            return id;
    }
    return 0;
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
    uint8_t other = ASBI_PATH_NOWHERE;

    for (uint8_t id = t->nodes[node].first; id; id = t->nodes[id].next) {
        const struct asbi_path_node *n = &t->nodes[id];

        if (n->any)
            other = id;
        else if (n->name_len == name.len &&
                 memcmp(n->name, name.at, name.len) == 0)
            return id;
    }
    return other;
}

uint8_t asbi_path_trie_index(const struct asbi_path_trie *t, uint8_t node,
                             uint32_t index)
{
    uint8_t other = ASBI_PATH_NOWHERE;

    for (uint8_t id = t->nodes[node].first; id; id = t->nodes[id].next) {
        if (t->nodes[id].any)
            other = id;
        else if (t->nodes[id].index == index && index != UINT32_MAX)
            return id;
    }
    return other;
}

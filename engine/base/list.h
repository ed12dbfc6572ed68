/*
 * list.h -- intrusive circular list.
 *
 * A link knows its list, so a remove cannot name the wrong one and `count` is
 * always right.  To be in a state is to be in its list.
 */
#ifndef ASBI_BASE_LIST_H
#define ASBI_BASE_LIST_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

/* The object of `type` that holds `link` as its `member`. */
#define ASBI_OF(link, type, member) \
    ((type *)(void *)((char *)(link)-offsetof(type, member)))

struct asbi_link {
    struct asbi_link *next, *prev;
    struct asbi_list *list; /* NULL while unlinked */
};

struct asbi_list {
    struct asbi_link head;
    size_t count;
};

/* Visits each link; the body must not remove any. */
#define ASBI_LIST_EACH(it, l) \
    for (struct asbi_link *it = (l)->head.next; it != &(l)->head; it = it->next)

static inline void asbi_list_init(struct asbi_list *l)
{
    l->head.next = l->head.prev = &l->head;
    l->head.list = l;
    l->count = 0;
}

static inline bool asbi_list_empty(const struct asbi_list *l)
{
    return l->count == 0;
}

static inline void asbi_link_between(struct asbi_link *link,
                                     struct asbi_link *prev,
                                     struct asbi_link *next)
{
    assert(!link->list);
    link->list = prev->list;
    link->prev = prev;
    link->next = next;
    prev->next = next->prev = link;
    link->list->count++;
}

static inline void asbi_list_append(struct asbi_list *l, struct asbi_link *link)
{
    asbi_link_between(link, l->head.prev, &l->head);
}

static inline void asbi_list_prepend(struct asbi_list *l,
                                     struct asbi_link *link)
{
    asbi_link_between(link, &l->head, l->head.next);
}

/* Does nothing to a link that is in no list. */
static inline void asbi_list_remove(struct asbi_link *link)
{
    if (!link->list)
        return;
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->list->count--;
    link->next = link->prev = NULL;
    link->list = NULL;
}

/* NULL when empty. */
static inline struct asbi_link *asbi_list_first(const struct asbi_list *l)
{
    return l->count ? l->head.next : NULL;
}

/* NULL when empty. */
static inline struct asbi_link *asbi_list_last(const struct asbi_list *l)
{
    return l->count ? l->head.prev : NULL;
}

/* Removes and returns the first, or NULL. */
static inline struct asbi_link *asbi_list_pop(struct asbi_list *l)
{
    struct asbi_link *link = asbi_list_first(l);

    if (link)
        asbi_list_remove(link);
    return link;
}

#endif

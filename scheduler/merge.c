#include "scheduler/merge.h"

#include <assert.h>

/* A run of bytes, at the place of its first; the neighbours' places.  `rank` is
 * that of the token it would be with the next one. */
struct asbi_merge_run {
    uint32_t next, prev;
    uint32_t rank;
};

/* Each byte starts as a run, and each join looks at two pairs anew. */
enum { HEAP_MOST = 3 * ASBI_MERGE_MOST };

static const uint32_t nobody = UINT32_MAX;

int asbi_merge_init(struct asbi_merge *m, const struct asbi_mem *mem)
{
    *m = (struct asbi_merge){ .mem = *mem };
    m->runs = asbi_calloc(mem, ASBI_MERGE_MOST, sizeof(*m->runs));
    m->heap = asbi_calloc(mem, HEAP_MOST, sizeof(*m->heap));
    return m->runs && m->heap ? ASB_OK : ASB_ENOMEM;
}

void asbi_merge_fini(struct asbi_merge *m)
{
    asbi_free(&m->mem, m->runs);
    asbi_free(&m->mem, m->heap);
}

/* ---- the heap ------------------------------------------------------------ */

static void push(struct asbi_merge *m, uint64_t key)
{
    size_t at = m->heap_count++;

    assert(at < HEAP_MOST);
    for (; at > 0 && key < m->heap[(at - 1) / 2]; at = (at - 1) / 2)
        m->heap[at] = m->heap[(at - 1) / 2];
    m->heap[at] = key;
}

static uint64_t pop(struct asbi_merge *m)
{
    uint64_t *heap = m->heap, least = heap[0], key = heap[--m->heap_count];
    size_t at = 0, child;

    while ((child = 2 * at + 1) < m->heap_count) {
        child += child + 1 < m->heap_count && heap[child + 1] < heap[child];
        if (key <= heap[child])
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = key;
    return least;
}

/* ---- joining ------------------------------------------------------------- */

/* Looks at the pair of the run at `at` and its next. */
static void look(struct asbi_merge *m, const struct asbi_ranks *ranks,
                 asbi_str piece, uint32_t at)
{
    struct asbi_merge_run *run = &m->runs[at];

    run->rank = ASBI_NO_RANK;
    if (run->next >= piece.len)
        return;
    uint32_t end = m->runs[run->next].next;
    run->rank = asbi_ranks_find(ranks, piece.at + at, end - at);
    if (run->rank != ASBI_NO_RANK)
        push(m, (uint64_t)run->rank << 32 | at);
}

static void join(struct asbi_merge *m, const struct asbi_ranks *ranks,
                 asbi_str piece, uint32_t at)
{
    uint32_t gone = m->runs[at].next, next = m->runs[gone].next;

    m->runs[gone].rank = ASBI_NO_RANK;
    m->runs[at].next = next;
    if (next < piece.len)
        m->runs[next].prev = at;
    look(m, ranks, piece, at);
    if (m->runs[at].prev != nobody)
        look(m, ranks, piece, m->runs[at].prev);
}

size_t asbi_merge_count(struct asbi_merge *m, const struct asbi_ranks *ranks,
                        asbi_str piece)
{
    size_t tokens = piece.len;

    assert(piece.len > 0 && piece.len <= ASBI_MERGE_MOST);
    if (piece.len == 1 ||
        asbi_ranks_find(ranks, piece.at, piece.len) != ASBI_NO_RANK)
        return 1;
    m->heap_count = 0;
    for (uint32_t i = 0; i < piece.len; i++)
        m->runs[i] =
            (struct asbi_merge_run){ i + 1, i ? i - 1 : nobody, ASBI_NO_RANK };
    for (uint32_t i = 0; i < piece.len; i++)
        look(m, ranks, piece, i);
    while (m->heap_count) {
        uint64_t least = pop(m);
        uint32_t at = (uint32_t)least;

        if (m->runs[at].rank != least >> 32)
            continue; /* joined meanwhile, with another */
        join(m, ranks, piece, at);
        tokens--;
    }
    return tokens;
}

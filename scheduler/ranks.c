#include "scheduler/ranks.h"

#include <string.h>

#include "engine/base/base64.h"
#include "engine/base/error.h"
#include "engine/base/hash.h"

struct asbi_rank {
    uint32_t at, len; /* in `bytes` */
    uint32_t rank;
};

static size_t slot_of(const struct asbi_ranks *r, const char *at, size_t len)
{
    size_t i = asbi_hash64(at, len, 0) & r->mask;

    while (r->slots[i]) {
        const struct asbi_rank *t = &r->tokens[r->slots[i] - 1];

        if (t->len == len && memcmp(r->bytes + t->at, at, len) == 0)
            break;
        i = (i + 1) & r->mask;
    }
    return i;
}

uint32_t asbi_ranks_find(const struct asbi_ranks *r, const char *at, size_t len)
{
    if (len > r->longest)
        return ASBI_NO_RANK;
    uint32_t found = r->slots[slot_of(r, at, len)];

    return found ? r->tokens[found - 1].rank : ASBI_NO_RANK;
}

/* ---- reading ------------------------------------------------------------ */

static size_t count_lines(asbi_str file)
{
    const char *at = file.at, *end = asbi_str_end(file);
    size_t lines = file.len && end[-1] != '\n';

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) {
        lines++;
        at++;
    }
    return lines;
}

static int make_room(struct asbi_ranks *r, asbi_str file,
                     struct asb_message *why)
{
    size_t lines = count_lines(file), slots = 1024;

    if (lines > ASBI_RANKS_MOST || file.len > UINT32_MAX)
        return asbi_fail(why, ASB_ECONFIG,
                         "tokenizer: more than %d lines; that is no vocabulary",
                         ASBI_RANKS_MOST);
    while (slots < 2 * lines)
        slots *= 2;
    r->mask = slots - 1;
    r->tokens = asbi_calloc(&r->mem, lines + 1, sizeof(*r->tokens));
    r->bytes = asbi_alloc(&r->mem, file.len + 1);
    r->slots = asbi_calloc(&r->mem, slots, sizeof(*r->slots));
    return r->tokens && r->bytes && r->slots ? ASB_OK : ASB_ENOMEM;
}

/* "IQ== 0" */
static bool read_rank(asbi_str digits, uint32_t *out)
{
    uint64_t n = 0;

    for (size_t i = 0; i < digits.len; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9' || n > UINT32_MAX / 16)
            return false;
        n = 10 * n + (uint64_t)(digits.at[i] - '0');
    }
    *out = (uint32_t)n;
    return digits.len > 0 && n < ASBI_NO_RANK;
}

/* What is wrong with it, or NULL. */
static const char *add_line(struct asbi_ranks *r, asbi_str line, uint32_t at)
{
    const char *space = line.len ? memchr(line.at, ' ', line.len) : NULL;
    struct asbi_rank *t = &r->tokens[r->count];
    size_t len = 0;

    if (!space)
        return "a token as base64, a space and its rank are expected";
    asbi_str token = asbi_str_of(line.at, (size_t)(space - line.at));
    asbi_str rank = asbi_str_of(space + 1, line.len - token.len - 1);
    t->at = at;
    if (!asbi_base64_decode(token, r->bytes + at, token.len, &len) || len == 0)
        return "this is no base64";
    if (len > ASBI_RANKS_TOKEN_MOST)
        return "a token of more than a kilobyte is none";
    if (!read_rank(rank, &t->rank))
        return "this rank is none";
    t->len = (uint32_t)len;
    size_t slot = slot_of(r, r->bytes + at, len);
    if (r->slots[slot])
        return "this token was there before";
    r->slots[slot] = (uint32_t)++r->count;
    r->longest = len > r->longest ? len : r->longest;
    return NULL;
}

static asbi_str cut_line(asbi_str *rest)
{
    const char *end = memchr(rest->at, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->at) : rest->len;
    asbi_str line = asbi_str_of(rest->at, len);

    *rest = asbi_str_of(rest->at + len + (end != NULL),
                        rest->len - len - (end != NULL));
    if (line.len && line.at[line.len - 1] == '\r')
        line.len--;
    return line;
}

static int read_lines(struct asbi_ranks *r, asbi_str rest,
                      struct asb_message *why)
{
    uint32_t at = 0;

    for (size_t number = 1; rest.len; number++) {
        asbi_str line = cut_line(&rest);
        const char *wrong = line.len ? add_line(r, line, at) : NULL;

        if (wrong)
            return asbi_fail(why, ASB_ECONFIG, "tokenizer: line %zu: %s",
                             number, wrong);
        if (line.len)
            at += r->tokens[r->count - 1].len;
    }
    if (r->count == 0)
        return asbi_fail(why, ASB_ECONFIG, "tokenizer: the file is empty");
    return ASB_OK;
}

int asbi_ranks_read(struct asbi_ranks *r, const struct asbi_mem *mem,
                    asbi_str file, struct asb_message *why)
{
    *r = (struct asbi_ranks){ .mem = *mem };
    int rc = make_room(r, file, why);

    return rc ? rc : read_lines(r, file, why);
}

void asbi_ranks_fini(struct asbi_ranks *r)
{
    asbi_free(&r->mem, r->tokens);
    asbi_free(&r->mem, r->bytes);
    asbi_free(&r->mem, r->slots);
}

#include "scheduler/learned.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/hash.h"

#define MARK "{\"asyncbatch_learned\":"
#define HEAD MARK "1,\"check\":\""
enum { HEAD_LEN = sizeof(HEAD) - 1, DIGITS = 16 };
static const char head_end[] = "\"}\n";
enum { HEAD_BYTES = HEAD_LEN + DIGITS + sizeof(head_end) - 1 };

/* What an earlier run knew of a server's speed counts for less by now. */
static const double trust = 0.25;

/* ---- the text as a whole ------------------------------------------------ */

static void put_head(struct asbi_buf *out, asbi_str rest)
{
    asbi_buf_c(out, HEAD);
    asbi_buf_fmt(out, "%016llx",
                 (unsigned long long)asbi_hash64(rest.at, rest.len, 0));
    asbi_buf_c(out, head_end);
}

bool asbi_learned_is_ours(asbi_str text)
{
    return text.len == 0 || asbi_str_starts(text, ASBI_STR(MARK));
}

bool asbi_learned_is_sound(asbi_str text)
{
    char want[HEAD_BYTES + 1];

    if (text.len < HEAD_BYTES || text.len > ASBI_LEARNED_MAX_BYTES)
        return false;
    asbi_str rest = { text.at + HEAD_BYTES, text.len - HEAD_BYTES };
    (void)snprintf(want, sizeof(want), "%s%016llx%s", HEAD,
                   (unsigned long long)asbi_hash64(rest.at, rest.len, 0),
                   head_end);
    return memcmp(text.at, want, HEAD_BYTES) == 0;
}

/* The next line, without its end; false at the end of the text. */
static bool next_line(asbi_str *rest, asbi_str *line)
{
    const char *end = rest->len ? memchr(rest->at, '\n', rest->len) : NULL;

    if (!end)
        return false;
    *line = asbi_str_of(rest->at, (size_t)(end - rest->at));
    *rest = asbi_str_of(end + 1, rest->len - line->len - 1);
    return true;
}

static asbi_str records(asbi_str text)
{
    if (!asbi_learned_is_sound(text))
        return (asbi_str){ NULL, 0 };
    return asbi_str_of(text.at + HEAD_BYTES, text.len - HEAD_BYTES);
}

/* {"lane":"name" up to the comma: lines of one name begin alike. */
static asbi_str title(asbi_str line)
{
    for (size_t i = 0; i + 1 < line.len; i++) {
        if (line.at[i] == '"' && line.at[i + 1] == ',')
            return asbi_str_of(line.at, i + 2);
    }
    return line;
}

static bool holds_title(asbi_str lines, asbi_str wanted)
{
    asbi_str line;

    while (next_line(&lines, &line)) {
        if (asbi_str_eq(title(line), wanted))
            return true;
    }
    return false;
}

static void put_line(struct asbi_buf *out, asbi_str line)
{
    asbi_buf_str(out, line);
    asbi_buf_char(out, '\n');
}

void asbi_learned_merge(struct asbi_buf *out, asbi_str lines, asbi_str text)
{
    asbi_str old = records(text), line;
    struct asbi_buf all;
    size_t count = 0;

    asbi_buf_init(&all, out->mem, ASBI_LEARNED_MAX_BYTES - HEAD_BYTES);
    for (asbi_str rest = lines; next_line(&rest, &line); count++)
        put_line(&all, line);
    while (count < ASBI_LEARNED_MAX_RECORDS && next_line(&old, &line)) {
        if (holds_title(lines, title(line)))
            continue;
        if (all.len + line.len + 1 > all.max)
            break;
        put_line(&all, line);
        count++;
    }
    put_head(out, asbi_buf_view(&all));
    asbi_buf_str(out, asbi_buf_view(&all));
    out->failed = out->failed || asbi_buf_failed(&all);
    asbi_buf_fini(&all);
}

/* ---- numbers, bounded --------------------------------------------------- */

static bool in_range(double x, double least, double most)
{
    return x >= least && x <= most;
}

/* Exactly `n` numbers of an array member, each within the bounds. */
static bool get_numbers(const struct asbi_json *json,
                        const struct asbi_json_node *object, asbi_str key,
                        double *out, size_t n, double least, double most)
{
    const struct asbi_json_node *list = asbi_json_get(json, object, key);
    const struct asbi_json_node *it;
    size_t i = 0;

    if (!list || list->type != ASBI_JSON_ARRAY || list->count != n)
        return false;
    for (it = asbi_json_child(json, list); it;
         it = asbi_json_after(json, list, it), i++) {
        if (!asbi_json_double(it, &out[i]) || !in_range(out[i], least, most))
            return false;
    }
    return true;
}

static void put_numbers(struct asbi_buf *out, const char *key, const double *x,
                        size_t n)
{
    asbi_json_put_key(out, key);
    for (size_t i = 0; i < n; i++) {
        asbi_buf_char(out, i ? ',' : '[');
        asbi_json_put_double(out, x[i]);
    }
    asbi_buf_char(out, ']');
}

static void put_tally(struct asbi_buf *out, const char *key,
                      const struct asbi_tally *t)
{
    const double x[] = { t->all, t->bad };

    put_numbers(out, key, x, 2);
}

/* Untouched when there is none: an earlier version did not count. */
static void get_tally(const struct asbi_json *json,
                      const struct asbi_json_node *object, asbi_str key,
                      struct asbi_tally *out)
{
    double x[2] = { 0 };

    if (get_numbers(json, object, key, x, 2, 0, 1e6))
        asbi_tally_add(out, x[0], x[1]);
}

/* ---- records ------------------------------------------------------------ */

static void put_title(struct asbi_buf *out, const char *what, asbi_str name)
{
    asbi_buf_char(out, '{');
    asbi_json_put_key(out, what);
    asbi_json_put_string(out, name);
}

/* The record of that name, read; NULL for none. */
static const struct asbi_json_node *find(asbi_str text, const char *what,
                                         asbi_str name, struct asbi_json *json)
{
    asbi_str rest = records(text), line;
    const struct asbi_json_node *root;

    while (next_line(&rest, &line)) {
        if (asbi_json_parse(json, line.at, line.len) != ASB_OK)
            return NULL;
        root = asbi_json_root(json);
        if (asbi_str_eq(asbi_json_text(
                            json, asbi_json_get(json, root, asbi_str_c(what))),
                        name))
            return root;
    }
    return NULL;
}

void asbi_learned_put_lane(struct asbi_buf *out, asbi_str name,
                           const struct asbi_learned_lane *lane)
{
    const struct asbi_latency *l = &lane->latency;
    const double flight[] = { lane->in_flight, lane->slow_start };
    const double evidence[] = { l->xx[0][0], l->xx[1][1], l->xx[2][2] };
    const double spread[] = { l->sigma, l->q95, (double)l->samples };
    const double usual[] = { l->usual[0], l->usual[1], l->usual[2],
                             l->usual_seconds };
    const double limits[] = { lane->requests, lane->tokens };
    const double lacks = lane->lacks;

    put_title(out, "lane", name);
    put_numbers(out, "in_flight", flight, 2);
    put_numbers(out, "seconds", l->theta, 3);
    put_numbers(out, "evidence", evidence, 3);
    put_numbers(out, "usual", usual, 4);
    put_numbers(out, "spread", spread, 3);
    put_numbers(out, "law", lane->law.sum, ASBI_LAW_SUMS);
    put_tally(out, "failed", &lane->failed);
    put_tally(out, "cut", &lane->cut);
    put_numbers(out, "limits", limits, 2);
    put_numbers(out, "lacks", &lacks, 1);
    asbi_buf_c(out, "}\n");
}

bool asbi_learned_find_lane(asbi_str text, asbi_str name,
                            struct asbi_json *json,
                            struct asbi_learned_lane *out)
{
    const struct asbi_json_node *o = find(text, "lane", name, json);
    struct asbi_learned_lane r = { .slow_start = false };
    double flight[2] = { 0 }, evidence[3] = { 0 }, spread[3] = { 0 };
    double usual[4] = { 0 }, limits[2] = { 0 };
    double lacks = 0;
    struct asbi_law law = { .sum = { 0 } };

    asbi_latency_init(&r.latency, 0);
    struct asbi_latency *l = &r.latency;
    if (!o || !get_numbers(json, o, ASBI_STR("in_flight"), flight, 2, 0, 1e6) ||
        !get_numbers(json, o, ASBI_STR("seconds"), l->theta, 3, 0, 1e6) ||
        !get_numbers(json, o, ASBI_STR("evidence"), evidence, 3, 0, 1e15) ||
        !get_numbers(json, o, ASBI_STR("usual"), usual, 4, 0, 1e6) ||
        !get_numbers(json, o, ASBI_STR("spread"), spread, 3, 0, 0x1p53))
        return false;
    r.in_flight = flight[0];
    r.slow_start = flight[1] > 0;
    for (size_t i = 0; i < 3; i++) {
        asbi_latency_believe(l, (int)i, trust * evidence[i]);
        l->usual[i] = usual[i];
    }
    l->usual_seconds = usual[3];
    l->sigma = fmin(fmax(spread[0], 0.05), 4);
    l->q95 = fmin(fmax(spread[1], 0.5), 20);
    l->samples = (uint64_t)spread[2];
    if (get_numbers(json, o, ASBI_STR("law"), law.sum, ASBI_LAW_SUMS, 0, 1e15))
        r.law = law;
    if (get_numbers(json, o, ASBI_STR("lacks"), &lacks, 1, 0, 255))
        r.lacks = (unsigned)lacks;
    get_tally(json, o, ASBI_STR("failed"), &r.failed);
    get_tally(json, o, ASBI_STR("cut"), &r.cut);
    if (get_numbers(json, o, ASBI_STR("limits"), limits, 2, 0, 1e12)) {
        r.requests = limits[0];
        r.tokens = limits[1];
    }
    *out = r;
    return true;
}

void asbi_learned_put_kind(struct asbi_buf *out, asbi_str name,
                           const struct asbi_learned_kind *kind)
{
    const double input[] = { kind->input.factor, (double)kind->input.calls };
    const double output[] = { kind->output.value, (double)kind->output.calls };
    const double size[] = { kind->sizing.count_cap, kind->sizing.output_share };

    put_title(out, "kind", name);
    put_numbers(out, "input", input, 2);
    put_numbers(out, "output", output, 2);
    put_numbers(out, "size", size, 2);
    put_tally(out, "bad", &kind->bad);
    asbi_buf_c(out, "}\n");
}

bool asbi_learned_find_kind(asbi_str text, asbi_str name,
                            struct asbi_json *json,
                            struct asbi_learned_kind *out)
{
    const struct asbi_json_node *o = find(text, "kind", name, json);
    struct asbi_learned_kind r;
    double input[2] = { 0 }, output[2] = { 0 }, size[2] = { 0 };

    if (!o || !get_numbers(json, o, ASBI_STR("input"), input, 2, 0, 0x1p53) ||
        !get_numbers(json, o, ASBI_STR("output"), output, 2, 0, 0x1p53) ||
        !get_numbers(json, o, ASBI_STR("size"), size, 2, 0.05, 1e6))
        return false;
    asbi_calibration_init(&r.input, input[0]);
    r.input.calls = (uint64_t)input[1];
    asbi_ratio_init(&r.output, output[0]);
    r.output.calls = (uint64_t)output[1];
    asbi_sizing_init(&r.sizing);
    r.sizing.count_cap = fmax(size[0], 1);
    r.sizing.output_share = fmin(size[1], 1);
    r.bad = (struct asbi_tally){ 0, 0 };
    get_tally(json, o, ASBI_STR("bad"), &r.bad);
    *out = r;
    return true;
}

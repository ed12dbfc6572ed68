#include "tests/sim/rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/sim/pseudo.h"

enum kind { SOUND, MALFORMED, REPEATED };

static enum kind kind_of(const struct scenario *s, size_t row)
{
    uint64_t n = (s->seed ^ row) * UINT64_C(0x9e3779b97f4a7c15) >> 40;

    if (n % 23 == 1)
        return MALFORMED;
    if (row && n % 29 == 2 && kind_of(s, row - 1) == SOUND)
        return REPEATED;
    return SOUND;
}

static void put_row(const struct scenario *s, size_t row, struct asbi_buf *out)
{
    static const char *const classes[] = { "normal", "urgent", "background" };
    struct scenario_item item;

    scenario_item(s, row, &item);
    asbi_buf_c(out, "{\"id\":\"");
    asbi_buf_fmt(out, "item-%zu\"",
                 kind_of(s, row) == REPEATED ? row - 1 : row);
    asbi_json_put_key(out, "text");
    asbi_json_put_string(out, item.request.text);
    asbi_json_put_key(out, "priority");
    asbi_json_put_string(out, asbi_str_c(classes[item.request.priority]));
    if (item.request.max_length) {
        asbi_json_put_key(out, "max_length");
        asbi_buf_u64(out, item.request.max_length);
    }
    if (s->way == SCENARIO_VIDEOS) {
        asbi_json_put_key(out, "duration");
        asbi_buf_u64(out, away_seconds(row));
    }
    asbi_buf_c(out, "}\n");
}

void rows_write(const struct scenario *s, struct asbi_buf *out)
{
    for (size_t row = 0; row < s->items; row++) {
        if (kind_of(s, row) == MALFORMED)
            asbi_buf_c(out, "{\"id\":\"oh\",\"text\":\n");
        else
            put_row(s, row, out);
    }
}

/* ---- the output ------------------------------------------------------- */

struct reading {
    struct away *away;
    struct witness *w;
    const struct scenario *s;
    struct asbi_json *json;
    struct asbi_buf expected;
    bool *there;
    size_t rows, ok;
};

static asbi_str text_of(struct reading *r, const char *name)
{
    return asbi_json_text(
        r->json,
        asbi_json_get(r->json, asbi_json_root(r->json), asbi_str_c(name)));
}

static void check_video(struct reading *r, size_t row)
{
    const struct asbi_json_node *output =
        asbi_json_get(r->json, asbi_json_root(r->json), ASBI_STR("output"));

    away_check(r->away, row,
               asbi_json_text(r->json,
                              asbi_json_get(r->json, output, ASBI_STR("job"))));
}

static void check_text(struct reading *r, size_t row)
{
    struct scenario_item item;
    asbi_str output = text_of(r, "output");

    scenario_item(r->s, row, &item);
    asbi_buf_clear(&r->expected);
    asbi_sim_pseudo(item.request.text, item.request.max_length, &r->expected);
    if (!asbi_str_eq(asbi_str_trim(asbi_buf_view(&r->expected)),
                     asbi_str_trim(output)))
        witness_say(r->w, "row %zu has another answer: %.*s", row,
                    (int)(output.len < 100 ? output.len : 100), output.at);
}

static void check_answer(struct reading *r, size_t row)
{
    if (r->s->way == SCENARIO_VIDEOS)
        check_video(r, row);
    else
        check_text(r, row);
    if (kind_of(r->s, row) != SOUND)
        witness_say(r->w, "row %zu is bad, but it has an answer", row);
    r->ok++;
}

static void check_line(struct reading *r, asbi_str line)
{
    uint64_t row = UINT64_MAX;

    if (asbi_json_parse(r->json, line.at, line.len)) {
        witness_say(r->w, "line %zu of the output is no JSON: %.*s", r->rows,
                    (int)(line.len < 100 ? line.len : 100), line.at);
        return;
    }
    (void)asbi_json_u64(
        asbi_json_get(r->json, asbi_json_root(r->json), ASBI_STR("seq")), &row);
    if (row >= r->s->items) {
        witness_say(r->w, "line %zu of the output is of no row", r->rows);
        return;
    }
    if (r->there[row])
        witness_say(r->w, "row %" PRIu64 " is there twice", row);
    if (!r->s->by_completion && row != r->rows)
        witness_say(r->w, "row %" PRIu64 " stands at place %zu", row, r->rows);
    r->there[row] = true;
    r->rows++;
    if (asbi_str_eq(text_of(r, "status"), ASBI_STR("ok")))
        check_answer(r, (size_t)row);
}

static void check_lines(struct reading *r, asbi_str output)
{
    while (output.len) {
        const char *lf = memchr(output.at, '\n', output.len);

        if (!lf) {
            witness_say(r->w, "the output ends inside a line");
            return;
        }
        size_t len = (size_t)(lf - output.at);
        check_line(r, asbi_str_of(output.at, len));
        output = asbi_str_of(lf + 1, output.len - len - 1);
    }
}

size_t rows_check(struct away *away, const struct scenario *s, asbi_str output,
                  bool whole)
{
    struct witness *w = away->witness;
    struct reading r = { .away = away, .w = w, .s = s };

    r.json = asbi_json_new(&asbi_mem_system, 1 << 20);
    r.there = calloc(s->items, sizeof(*r.there));
    asbi_buf_init(&r.expected, &asbi_mem_system, 1 << 20);
    if (r.json && r.there)
        check_lines(&r, output);
    if (whole && r.rows != s->items)
        witness_say(w, "%zu of %zu rows are in the output", r.rows, s->items);
    asbi_buf_fini(&r.expected);
    asbi_json_free(r.json);
    free(r.there);
    return r.ok;
}

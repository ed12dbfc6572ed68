#include "engine/forecast.h"

#include <math.h>

#include "engine/api_options.h"
#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/base/json_members.h"
#include "engine/base/units.h"

enum { PLAN_BYTES = 1 << 20 };

/* ---- reading ------------------------------------------------------------ */

static bool get(const struct asbi_json *json, const char *name, double *out)
{
    const struct asbi_json_node *node =
        asbi_json_get(json, asbi_json_root(json), asbi_str_c(name));

    return node && asbi_json_double(node, out) && *out >= 0 && *out < 1e15;
}

static bool is_true(const struct asbi_json *json, const char *name)
{
    const struct asbi_json_node *node =
        asbi_json_get(json, asbi_json_root(json), asbi_str_c(name));

    return node && node->type == ASBI_JSON_TRUE;
}

static bool read_plan(struct asbi_foretold *f, struct asbi_json *json,
                      asbi_str text)
{
    if (asbi_json_parse(json, text.at, text.len) != ASB_OK)
        return false;
    f->priced = is_true(json, "price_known");
    f->known = get(json, "calls", &f->calls) &&
               get(json, "cost_usd", &f->cost_usd) &&
               get(json, "elapsed_seconds", &f->seconds) &&
               get(json, "elapsed_seconds_low", &f->seconds_low) &&
               get(json, "elapsed_seconds_high", &f->seconds_high);
    return f->known;
}

int asbi_foretold_read(struct asbi_foretold *f, const char *path,
                       const struct asbi_mem *mem, struct asb_message *why)
{
    struct asbi_json *json;
    struct asbi_buf text;

    *f = (struct asbi_foretold){ .known = false };
    if (!path[0])
        return ASB_OK;
    asbi_buf_init(&text, mem, PLAN_BYTES);
    json = asbi_json_new(mem, PLAN_BYTES + 64);
    int rc = json ? asbi_read_file(path, "forecast", &text, why) : ASB_ENOMEM;
    if (!rc && !read_plan(f, json, asbi_buf_view(&text)))
        rc = asbi_fail(why, ASB_ECONFIG,
                       "forecast: \"%.300s\" is no plan; write one with "
                       "asyncbatch plan --plan-format json",
                       path);
    asbi_json_free(json);
    asbi_buf_fini(&text);
    return rc;
}

/* ---- telling ------------------------------------------------------------ */

/* 0.05: five in a hundred more than was told. */
static double off(double told, double was)
{
    return told > 0 ? was / told - 1 : 0;
}

void asbi_foretold_put(const struct asbi_foretold *f,
                       const struct asbi_fact *fact, struct asbi_buf *out)
{
    if (!f->known)
        return;
    asbi_json_put_key(out, "forecast");
    asbi_buf_char(out, '{');
    asbi_member_rounded(out, "calls", f->calls);
    if (f->priced)
        asbi_member_usd(out, "cost_usd", llround(f->cost_usd * 1e9));
    asbi_member_rounded(out, "elapsed_seconds", f->seconds);
    asbi_member_rounded(out, "elapsed_seconds_low", f->seconds_low);
    asbi_member_rounded(out, "elapsed_seconds_high", f->seconds_high);
    if (fact->whole) {
        asbi_member_rounded(out, "calls_off",
                            off(f->calls, (double)fact->calls));
        if (f->priced)
            asbi_member_rounded(out, "cost_off",
                                off(f->cost_usd, (double)fact->cost / 1e9));
        asbi_member_rounded(out, "elapsed_off", off(f->seconds, fact->seconds));
    }
    asbi_buf_char(out, '}');
}

static void say_seconds(struct asbi_buf *b, double seconds)
{
    asbi_format_duration(b, (uint64_t)(fmin(seconds, 1e9) * 10 + 0.5) *
                                (ASBI_SECOND / 10));
}

static void say_off(struct asbi_buf *out, double told, double was)
{
    asbi_buf_fmt(out, " (%+ld %%)", lround(fmin(100 * off(told, was), 1e9)));
}

void asbi_foretold_say(const struct asbi_foretold *f,
                       const struct asbi_fact *fact, struct asbi_buf *out)
{
    double usd = (double)fact->cost / 1e9;

    if (!f->known || !fact->whole)
        return;
    asbi_buf_fmt(out, "; the plan said %.0f calls, it took %ju", f->calls,
                 (uintmax_t)fact->calls);
    say_off(out, f->calls, (double)fact->calls);
    if (f->priced) {
        asbi_buf_c(out, ", ");
        asbi_format_usd(out, llround(fmin(f->cost_usd, 1e9) * 1e9));
        asbi_buf_c(out, " and cost ");
        asbi_format_usd(out, fact->cost);
        say_off(out, f->cost_usd, usd);
    }
    asbi_buf_c(out, ", ");
    say_seconds(out, f->seconds);
    asbi_buf_c(out, " and lasted ");
    say_seconds(out, fact->seconds);
    say_off(out, f->seconds, fact->seconds);
}

#include "adapters/rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "adapters/http_date.h"
#include "engine/base/units.h"

void asbi_rows_init(struct asbi_rows *r, const char *place, asbi_row_cb on_row,
                    void *arg)
{
    *r = (struct asbi_rows){ .place = place, .on_row = on_row, .arg = arg };
}

void asbi_rows_begin(struct asbi_rows *r, uint64_t line)
{
    r->row = (struct asbi_row){ .place = r->place, .line = line };
    r->row.request.size = sizeof(r->row.request);
}

void asbi_rows_fail(struct asbi_rows *r, const char *code, const char *format,
                    ...)
{
    va_list args;

    if (r->row.error_code)
        return;
    int len = snprintf(r->message, sizeof(r->message), "%s %" PRIu64 ": ",
                       r->place, r->row.line);
    va_start(args, format);
    (void)vsnprintf(r->message + len, sizeof(r->message) - (size_t)len, format,
                    args);
    va_end(args);
    r->row.error_code = code;
    r->row.error_message = r->message;
}

int asbi_rows_emit(struct asbi_rows *r)
{
    asbi_str *id = &r->row.request.id;

    if (r->row.op == ASBI_OP_ITEM) {
        r->count++;
        if (id->len == 0) {
            int len =
                snprintf(r->number, sizeof(r->number), "%" PRIu64, r->count);
            *id = asbi_str_of(r->number, (size_t)len);
        }
    }
    return r->on_row(r->arg, &r->row);
}

void asbi_rows_set_priority(struct asbi_rows *r, asbi_str text)
{
    static const struct {
        const char *word;
        double number;
        enum asb_class class;
    } classes[] = {
        { "urgent", 1, ASB_URGENT },
        { "normal", 2, ASB_NORMAL },
        { "background", 3, ASB_BACKGROUND },
        /* As tickets and tasks have it. */
        { "high", 1, ASB_URGENT },
        { "medium", 2, ASB_NORMAL },
        { "low", 3, ASB_BACKGROUND },
    };
    asbi_str s = asbi_str_trim(text);
    double number;

    if (s.len == 0)
        return;
    bool is_number = asbi_parse_double(s, &number); /* 1.0, as of lengths */
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (is_number ? number == classes[i].number
                      : asbi_str_eq_nocase(s, asbi_str_c(classes[i].word))) {
            r->row.request.priority = classes[i].class;
            r->row.names_class = true;
            return;
        }
    }
    asbi_rows_fail(r, "invalid_field",
                   "priority is unknown; write urgent, normal or background, "
                   "high, medium or low, or 1, 2 or 3; or give it another "
                   "name");
}

void asbi_rows_set_deadline(struct asbi_rows *r, asbi_str text)
{
    asbi_str s = asbi_str_trim(text);
    uint64_t ns;
    double seconds;

    if (s.len == 0 || asbi_iso8601_date(s, &r->row.due_wall_ms))
        return;
    if (!asbi_parse_duration(s, ASBI_SECOND, &ns)) {
        /* A number in its JSON form, such as 1e3. */
        if (!asbi_parse_double(s, &seconds) || !(seconds >= 0) ||
            seconds > 9e9) {
            asbi_rows_fail(r, "invalid_field",
                           "deadline is neither a duration from now nor a "
                           "time; write seconds, 2h30m, or "
                           "2027-01-31T18:00:00Z");
            return;
        }
        ns = (uint64_t)(seconds * 1e9);
    }
    r->row.request.deadline_ms = ns / ASBI_MS + (ns % ASBI_MS != 0);
}

void asbi_rows_set_max_length(struct asbi_rows *r, asbi_str text)
{
    asbi_str s = asbi_str_trim(text);
    double length;

    if (s.len == 0)
        return;
    /* Spreadsheets and data frames write 30 as 30.0, too. */
    if (!asbi_parse_double(s, &length) || length < 0 ||
        length > (double)UINT32_MAX || length != floor(length)) {
        asbi_rows_fail(r, "invalid_field",
                       "the maximum length is no whole number; write how many "
                       "characters the answer may have, or leave it empty");
        return;
    }
    r->row.request.max_length = (uint32_t)length;
}

bool asbi_rows_lacks_text(struct asbi_rows *r, asbi_str text)
{
    if (asbi_str_trim(text).len)
        return false;
    asbi_rows_fail(r, "no_text",
                   "there is no text; fill it in, or remove the row");
    return true;
}

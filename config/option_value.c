/* Text to value and back, type by type; says what is allowed when it refuses.
 * Never repeats the text of a secret. */
#include "config/options.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "config/routes.h"
#include "config/secret.h"
#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/base/units.h"

enum { ALLOWED_MAX = 200, SHOWN_MAX = 40 };

/* The text for a message: short, and nothing that moves a cursor. */
static void show(const char *text, char out[SHOWN_MAX + 4])
{
    size_t n = 0;

    while (n < SHOWN_MAX && text[n]) {
        unsigned char c = (unsigned char)text[n];

        out[n] = c < 0x20 || c == 0x7f ? '?' : text[n];
        n++;
    }
    if (text[n]) {
        while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
        memcpy(out + n, "...", 3);
        n += 3;
    }
    out[n] = '\0';
}

static void say_duration(char out[32], uint64_t ns)
{
    if (ns % (86400 * ASBI_SECOND) == 0)
        (void)snprintf(out, 32, "%" PRIu64 "d", ns / (86400 * ASBI_SECOND));
    else if (ns % ASBI_SECOND == 0)
        (void)snprintf(out, 32, "%" PRIu64 "s", ns / ASBI_SECOND);
    else
        (void)snprintf(out, 32, "%" PRIu64 "ms", ns / ASBI_MS);
}

static void say_size(char out[32], uint64_t bytes)
{
    static const char *const units[] = { "", "KiB", "MiB", "GiB" };
    size_t unit = 0;

    while (unit < 3 && bytes && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    (void)snprintf(out, 32, "%" PRIu64 "%s", bytes, units[unit]);
}

/* "auto, bar or none" of "auto|bar|none". */
static void say_choices(char out[ALLOWED_MAX], const char *choices)
{
    size_t n = 0;

    for (const char *c = choices; *c && n + 8 < ALLOWED_MAX; c++) {
        if (*c != '|') {
            out[n++] = *c;
            continue;
        }
        const char *link = strchr(c + 1, '|') ? ", " : " or ";
        memcpy(out + n, link, strlen(link));
        n += strlen(link);
    }
    out[n] = '\0';
}

static void say_range(const struct asbi_option *row, char out[ALLOWED_MAX])
{
    char least[32], most[32];

    switch (row->type) {
    case ASBI_OPTION_DURATION:
        say_duration(least, row->min);
        say_duration(most, row->max);
        (void)snprintf(out, ALLOWED_MAX,
                       "a duration such as 500ms, 30s or 2h, from %s to %s",
                       least, most);
        break;
    case ASBI_OPTION_SIZE:
        say_size(least, row->min);
        say_size(most, row->max);
        (void)snprintf(out, ALLOWED_MAX,
                       "a size such as 64KiB or 2MB, from %s to %s", least,
                       most);
        break;
    case ASBI_OPTION_MONEY:
        (void)snprintf(out, ALLOWED_MAX,
                       "US dollars such as 12.50, above 0, at most %" PRIu64,
                       row->max / (uint64_t)ASBI_USD);
        break;
    case ASBI_OPTION_REAL:
        (void)snprintf(out, ALLOWED_MAX, "a number from %g to %g",
                       row->real_min, row->real_max);
        break;
    default:
        (void)snprintf(out, ALLOWED_MAX,
                       "a whole number from %" PRIu64 " to %" PRIu64, row->min,
                       row->max);
    }
}

static void say_allowed(const struct asbi_option *row, char out[ALLOWED_MAX])
{
    switch (row->type) {
    case ASBI_OPTION_CHOICE:
    case ASBI_OPTION_INDEX:
    case ASBI_OPTION_EITHER:
        say_choices(out, row->info.argument);
        return;
    case ASBI_OPTION_SWITCH:
        (void)snprintf(out, ALLOWED_MAX, "true or false");
        return;
    default:
        say_range(row, out);
    }
    if (row->word) {
        size_t n = strlen(out);
        (void)snprintf(out + n, ALLOWED_MAX - n, ", or %s", row->word);
    }
}

static int refuse(const struct asbi_option *row, const char *text,
                  const char *place, struct asb_message *why)
{
    char shown[SHOWN_MAX + 4], allowed[ALLOWED_MAX];

    show(text, shown);
    say_allowed(row, allowed);
    return asbi_fail(why, ASB_ECONFIG, "%s: \"%s\" is not allowed; use %s",
                     place, shown, allowed);
}

/* Line breaks in a URL or a model's name would end up in a request. */
static int parse_text(const struct asbi_option *row, asbi_str text,
                      const char *place, struct asb_message *why)
{
    if (text.len > ASBI_OPTION_TEXT_MAX)
        return asbi_fail(why, ASB_ECONFIG,
                         "%s: has %zu bytes; at most %d are allowed", place,
                         text.len, ASBI_OPTION_TEXT_MAX);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if (c < 0x20 || c == 0x7f)
            return asbi_fail(why, ASB_ECONFIG,
                             "%s: has a control character (byte %zu); remove "
                             "it",
                             place, i + 1);
    }
    if (row->type == ASBI_OPTION_TEXT && !asbi_utf8_valid(text.at, text.len))
        return asbi_fail(why, ASB_ECONFIG, "%s: is not valid UTF-8", place);
    if (text.len == 0 && row->info.fallback[0])
        return asbi_fail(why, ASB_ECONFIG,
                         "%s: is empty; leave it out for the default, %s",
                         place, row->info.fallback);
    return ASB_OK;
}

static int parse_routes(const struct asbi_option *row, asbi_str text,
                        const char *place, struct asb_message *why)
{
    int rc = parse_text(row, text, place, why);

    return rc ? rc
              : asbi_routes_check(text, row->type == ASBI_OPTION_SPARES, place,
                                  why);
}

int asbi_choice_index(const char *choices, asbi_str text)
{
    int index = 0;

    for (const char *at = choices;; index++) {
        size_t len = strcspn(at, "|");

        if (asbi_str_eq(asbi_str_of(at, len), text))
            return index;
        if (!at[len])
            return -1;
        at += len + 1;
    }
}

static bool parse_choice(const struct asbi_option *row, asbi_str text,
                         union asbi_value *out)
{
    int index = asbi_choice_index(row->info.argument, text);

    if (row->type == ASBI_OPTION_CHOICE) {
        out->text = text.at;
        return index >= 0 || (text.len == 0 && !row->info.fallback[0]);
    }
    if (index < 0)
        return false;
    if (row->type == ASBI_OPTION_EITHER)
        out->yes = index == 1;
    else
        out->index = (unsigned)index;
    return true;
}

static bool parse_switch(asbi_str text, bool *yes)
{
    static const char *const words[][2] = {
        { "false", "true" }, { "no", "yes" }, { "off", "on" }, { "0", "1" }
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        for (int j = 0; j < 2; j++) {
            if (asbi_str_eq_nocase(text, asbi_str_c(words[i][j]))) {
                *yes = j == 1;
                return true;
            }
        }
    }
    return false;
}

static bool parse_whole(const struct asbi_option *row, asbi_str text,
                        union asbi_value *out)
{
    uint64_t n = 0;
    bool ok;

    if (row->type == ASBI_OPTION_DURATION)
        ok = asbi_parse_duration(text, ASBI_SECOND, &n);
    else if (row->type == ASBI_OPTION_SIZE)
        ok = asbi_parse_size(text, &n);
    else
        ok = asbi_parse_u64(text, &n);
    out->count = n;
    return ok && n >= row->min && n <= row->max;
}

static bool parse_money(const struct asbi_option *row, asbi_str text,
                        union asbi_value *out)
{
    int64_t nano;

    if (!asbi_parse_usd(text, &nano))
        return false;
    out->money = nano;
    return nano >= 0 && (uint64_t)nano >= row->min &&
           (uint64_t)nano <= row->max;
}

static bool parse_word(const struct asbi_option *row, asbi_str text,
                       union asbi_value *out)
{
    if (!row->word || !asbi_str_eq(text, asbi_str_c(row->word)))
        return false;
    if (row->type == ASBI_OPTION_REAL)
        out->real = (double)row->word_value;
    else if (row->type == ASBI_OPTION_MONEY)
        out->money = row->word_value;
    else
        out->count = (uint64_t)row->word_value;
    return true;
}

static bool parse_number(const struct asbi_option *row, asbi_str text,
                         union asbi_value *out)
{
    if (parse_word(row, text, out))
        return true;
    if (row->type == ASBI_OPTION_MONEY)
        return parse_money(row, text, out);
    if (row->type != ASBI_OPTION_REAL)
        return parse_whole(row, text, out);
    return asbi_parse_double(text, &out->real) && out->real >= row->real_min &&
           out->real <= row->real_max;
}

int asbi_option_parse(const struct asbi_option *row, const char *text,
                      const char *place, union asbi_value *out,
                      struct asb_message *why)
{
    asbi_str s = asbi_str_c(text);
    bool ok;

    switch (row->type) {
    case ASBI_OPTION_TEXT:
    case ASBI_OPTION_PATH:
        out->text = text;
        return parse_text(row, s, place, why);
    case ASBI_OPTION_SECRET:
        out->text = text;
        return asbi_secret_check(s, place, why);
    case ASBI_OPTION_ROUTES:
    case ASBI_OPTION_SPARES:
        out->text = text;
        return parse_routes(row, s, place, why);
    case ASBI_OPTION_CHOICE:
    case ASBI_OPTION_INDEX:
    case ASBI_OPTION_EITHER:
        ok = parse_choice(row, s, out);
        break;
    case ASBI_OPTION_SWITCH:
        ok = parse_switch(s, &out->yes);
        break;
    default:
        ok = parse_number(row, s, out);
    }
    return ok ? ASB_OK : refuse(row, text, place, why);
}

void asbi_option_store(const struct asbi_option *row, union asbi_value value,
                       struct asbi_config *config)
{
    void *to = (char *)config + row->at;

    switch (row->type) {
    case ASBI_OPTION_TEXT:
    case ASBI_OPTION_PATH:
    case ASBI_OPTION_SECRET:
    case ASBI_OPTION_ROUTES:
    case ASBI_OPTION_SPARES:
    case ASBI_OPTION_CHOICE:
        *(const char **)to = value.text;
        break;
    case ASBI_OPTION_INDEX:
        *(enum asb_class *)to = (enum asb_class)value.index;
        break;
    case ASBI_OPTION_EITHER:
    case ASBI_OPTION_SWITCH:
        *(bool *)to = value.yes;
        break;
    case ASBI_OPTION_COUNT:
    case ASBI_OPTION_DURATION:
    case ASBI_OPTION_SIZE:
        *(uint64_t *)to = value.count;
        break;
    case ASBI_OPTION_MONEY:
        *(int64_t *)to = value.money;
        break;
    case ASBI_OPTION_REAL:
        *(double *)to = value.real;
        break;
    }
}

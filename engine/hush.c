#include "engine/hush.h"

#include <string.h>

#include "adapters/redact.h"
#include "engine/item.h"
#include "engine/lane.h"

enum {
    KEY_RUN = 8,   /* bytes of a key that tell something of it */
    TEXT_RUN = 16, /* more than words that happen to be the same */
};

/* "Authorization: Bearer KEY", "x-api-key: KEY" */
static bool carries_key(const char *line)
{
    static const char *const names[] = { "auth", "key", "token", "secret" };
    size_t len = strcspn(line, ":");

    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        size_t size = strlen(names[n]);

        for (size_t i = 0; i + size <= len; i++) {
            if (strncasecmp(line + i, names[n], size) == 0)
                return true;
        }
    }
    return false;
}

void asbi_hush_key(const struct asbi_lane *lane, char *at, size_t len)
{
    asbi_redact(at, len);
    for (size_t i = 0; lane->headers && lane->headers[i]; i++) {
        const char *last = strrchr(lane->headers[i], ' ');

        if (last && carries_key(lane->headers[i]))
            asbi_redact_quotes(at, len, asbi_str_c(last + 1), KEY_RUN);
    }
}

void asbi_hush_item(const struct asbi_lane *lane, const struct asbi_item *item,
                    char *at, size_t len)
{
    asbi_hush_key(lane, at, len);
    if (item)
        asbi_redact_quotes(at, len, item->text, TEXT_RUN);
}

/* Each text is looked for in the message as it came: what two of them share
 * must not hide the rest of one. */
static void hide_text(asbi_str text, const char *came, char *at, size_t len)
{
    char copy[ASBI_REDACT_MOST];

    memcpy(copy, came, len);
    asbi_redact_quotes(copy, len, text, TEXT_RUN);
    for (size_t i = 0; i < len; i++) {
        if (copy[i] != came[i])
            at[i] = copy[i];
    }
}

void asbi_hush_call(const struct asbi_call *call, char *at, size_t len)
{
    char came[ASBI_REDACT_MOST];

    asbi_hush_key(call->lane, at, len);
    if (len > sizeof(came))
        len = sizeof(came);
    memcpy(came, at, len);
    for (size_t i = 0; i < call->count; i++) {
        if (call->entries[i].item)
            hide_text(call->entries[i].item->text, came, at, len);
    }
}

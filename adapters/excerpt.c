#include "adapters/excerpt.h"

#include <string.h>

enum state { TEXT, TAG_NAME, TAG, HIDDEN, HIDDEN_TAG_NAME, HIDDEN_TAG };

void asbi_excerpt_begin(struct asbi_excerpt *e)
{
    e->state = TEXT;
    e->space = false;
    e->tag_len = 0;
    e->len = 0;
}

static void put(struct asbi_excerpt *e, char c)
{
    if ((unsigned char)c <= ' ' || c == 0x7f) {
        e->space = e->len > 0;
        return;
    }
    if (e->space && e->len < sizeof(e->text))
        e->text[e->len++] = ' ';
    e->space = false;
    if (e->len < sizeof(e->text))
        e->text[e->len++] = c;
}

static bool tag_is(const struct asbi_excerpt *e, asbi_str name)
{
    return asbi_str_eq_nocase(asbi_str_of(e->tag, e->tag_len), name);
}

/* True while the name of a tag goes on with `c`. */
static bool take_tag_name(struct asbi_excerpt *e, char c)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/';

    if (letter && e->tag_len < sizeof(e->tag))
        e->tag[e->tag_len++] = c;
    return letter;
}

static void end_of_tag_name(struct asbi_excerpt *e)
{
    bool hides = tag_is(e, ASBI_STR("script")) || tag_is(e, ASBI_STR("style"));
    bool shows =
        tag_is(e, ASBI_STR("/script")) || tag_is(e, ASBI_STR("/style"));

    if (e->state == TAG_NAME)
        e->state = hides ? HIDDEN_TAG : TAG;
    else
        e->state = shows ? TAG : HIDDEN_TAG;
}

static void take(struct asbi_excerpt *e, char c)
{
    if (e->state == TAG_NAME || e->state == HIDDEN_TAG_NAME) {
        if (take_tag_name(e, c))
            return;
        end_of_tag_name(e);
    }
    if (c == '>' && e->state == TAG) {
        e->state = TEXT;
        e->space = e->len > 0;
    } else if (c == '>' && e->state == HIDDEN_TAG) {
        e->state = HIDDEN;
    } else if (c == '<' && (e->state == TEXT || e->state == HIDDEN)) {
        e->state = e->state == TEXT ? TAG_NAME : HIDDEN_TAG_NAME;
        e->tag_len = 0;
    } else if (e->state == TEXT) {
        put(e, c);
    }
}

void asbi_excerpt_feed(struct asbi_excerpt *e, asbi_str piece)
{
    for (size_t i = 0; i < piece.len && e->len < sizeof(e->text); i++)
        take(e, piece.at[i]);
}

asbi_str asbi_excerpt_text(const struct asbi_excerpt *e)
{
    size_t len = e->len;

    if (len == sizeof(e->text)) {
        while (len && ((unsigned char)e->text[len - 1] & 0xc0) == 0x80)
            len--;
        len -= len > 0;
    }
    return asbi_str_of(e->text, len);
}

/*
 * placeholder_tag.c -- markup: <b>, [b], &nbsp;.
 *
 * Known names are markup whatever they hold; unknown ones when they look like
 * it.  <Back>, <Press Start> and [OK] are words in brackets.
 */
#include "adapters/placeholder_scan.h"

enum {
    TAG_MAX = 512, /* bytes of a tag with its attributes */
    NAME_MAX_BYTES = 32,
    ENTITY_MAX = 32,
};

/* HTML, Android, Unity and TextMesh Pro, in order. */
static const char *const tag_names[] = {
    "a",        "align",       "allcaps",     "alpha",     "annotation",
    "b",        "bdi",         "bdo",         "big",       "blockquote",
    "br",       "center",      "cite",        "code",      "color",
    "cspace",   "del",         "div",         "em",        "font",
    "gradient", "h1",          "h2",          "h3",        "h4",
    "h5",       "h6",          "hr",          "i",         "image",
    "img",      "indent",      "ins",         "kbd",       "label",
    "li",       "line-height", "line-indent", "link",      "lowercase",
    "margin",   "mark",        "material",    "mspace",    "nobr",
    "noparse",  "ol",          "p",           "page",      "pos",
    "pre",      "q",           "quad",        "rotate",    "rt",
    "ruby",     "s",           "size",        "small",     "smallcaps",
    "space",    "span",        "sprite",      "strike",    "strikethrough",
    "strong",   "style",       "sub",         "sup",       "table",
    "tbody",    "td",          "th",          "thead",     "tr",
    "tt",       "u",           "ul",          "underline", "uppercase",
    "url",      "video",       "voffset",     "width",     "xliff",
};

static const char *const bbcode_names[] = {
    "b",       "center", "code", "color", "font",  "i",   "img",
    "left",    "li",     "list", "quote", "right", "s",   "size",
    "spoiler", "table",  "td",   "tr",    "u",     "url", "youtube",
};

static bool among(asbi_str name, const char *const *names, size_t count)
{
    size_t low = 0;

    while (low < count) {
        size_t middle = (low + count) / 2;
        asbi_str other = asbi_str_c(names[middle]);
        size_t both = name.len < other.len ? name.len : other.len;
        int order = strncasecmp(name.at, other.at, both);

        if (order == 0 && name.len == other.len)
            return true;
        if (order > 0 || (order == 0 && name.len > other.len))
            low = middle + 1;
        else
            count = middle;
    }
    return false;
}

#define AMONG(name, names) among(name, names, sizeof(names) / sizeof(*(names)))

static bool is_tag_name_byte(char c)
{
    return asbi_is_word(c) || c == '-';
}

static asbi_str name_at(const struct asbi_marks *marks, size_t from)
{
    asbi_str name = { marks->at + from, 0 };

    while (name.len < NAME_MAX_BYTES &&
           is_tag_name_byte(asbi_peek(marks, from + name.len)))
        name.len++;
    return name;
}

/* Length up to and with `close`, on one line, without another `open`; 0 when
 * there is none. */
static size_t closed_by(const struct asbi_marks *marks, char open, char close)
{
    for (size_t i = 1; i < TAG_MAX && asbi_peek(marks, i); i++) {
        char c = marks->at[i];

        if (c == close)
            return i + 1;
        if (c == open || c == '\n')
            break;
    }
    return 0;
}

/* "Back": one capital and small letters, so a word rather than a name. */
static bool is_title_word(asbi_str name)
{
    if (name.len < 2 || name.at[0] < 'A' || name.at[0] > 'Z')
        return false;
    for (size_t i = 1; i < name.len; i++) {
        if (name.at[i] < 'a' || name.at[i] > 'z')
            return false;
    }
    return true;
}

/* A tag of unknown name.  `behind` is the byte after the name, `text` the
 * whole. */
static bool looks_like_tag(asbi_str name, char behind, asbi_str text,
                           struct asbi_mark *mark)
{
    if (behind == '=' || behind == '/' || behind == ':')
        return true;
    if (asbi_is_space(behind))
        return memchr(text.at, '=', text.len) != NULL;
    mark->may_vanish = is_title_word(name);
    mark->may_appear = text.at[1] != '/';
    return behind == '>';
}

bool asbi_scan_angle(struct asbi_marks *marks, struct asbi_mark *mark)
{
    size_t start = asbi_peek(marks, 1) == '/' ? 2 : 1;
    asbi_str name = name_at(marks, start);
    char first = asbi_peek(marks, start);

    if (!asbi_is_letter(first) && first != '#')
        return false;
    size_t len = closed_by(marks, '<', '>');
    if (!len)
        return false;
    asbi_str text = asbi_str_of(marks->at, len);
    char behind = asbi_peek(marks, start + name.len);
    bool known =
        first == '#' || (AMONG(name, tag_names) &&
                         (strchr(">/=:", behind) || asbi_is_space(behind)));
    if (!known && !looks_like_tag(name, behind, text, mark))
        return false;
    mark->loose = true;
    return asbi_found(marks, mark, len);
}

/* [[link_name]]: two brackets around one word. */
static bool scan_double(struct asbi_marks *marks, struct asbi_mark *mark)
{
    asbi_str name = name_at(marks, 2);

    if (asbi_peek(marks, 1) != '[' || !name.len ||
        asbi_peek(marks, name.len + 2) != ']' ||
        asbi_peek(marks, name.len + 3) != ']')
        return false;
    return asbi_found(marks, mark, name.len + 4);
}

bool asbi_scan_square(struct asbi_marks *marks, struct asbi_mark *mark)
{
    size_t start = asbi_peek(marks, 1) == '/' ? 2 : 1;
    asbi_str name = name_at(marks, start);
    char behind = asbi_peek(marks, start + name.len);

    if (scan_double(marks, mark))
        return true;
    if (!name.len)
        return false;
    bool bbcode = AMONG(name, bbcode_names) &&
                  (behind == ']' || (behind == '=' && start == 1));
    /* [player_name]: no prose has an underscore. */
    bool variable =
        behind == ']' && start == 1 && memchr(name.at, '_', name.len) != NULL;
    size_t len = bbcode || variable ? closed_by(marks, '[', ']') : 0;
    return len && asbi_found(marks, mark, len);
}

bool asbi_scan_ampersand(struct asbi_marks *marks, struct asbi_mark *mark)
{
    size_t len = 1 + (asbi_peek(marks, 1) == '#');
    size_t first = len;

    while (len < ENTITY_MAX && (asbi_is_letter(asbi_peek(marks, len)) ||
                                asbi_is_digit(asbi_peek(marks, len))))
        len++;
    if (len == first || asbi_peek(marks, len) != ';')
        return false;
    asbi_str text = asbi_str_of(marks->at, len + 1);
    /* A translation spaces and quotes in its own way; only what keeps markup
     * from being markup has to stay. */
    mark->may_vanish = mark->may_appear =
        !asbi_str_eq(text, ASBI_STR("&lt;")) &&
        !asbi_str_eq(text, ASBI_STR("&gt;"));
    return asbi_found(marks, mark, len + 1);
}

#include "adapters/packed_answer.h"

#include <string.h>

enum state {
    START,   /* white space and perhaps <think> */
    THINK,   /* inside of it */
    PROSE,   /* until a bracket opens */
    FRAME,   /* in an object that may have "items" */
    BARE,    /* after a [ that no object is around */
    BETWEEN, /* in the array, not in an element */
    ELEMENT,
    BROKEN, /* in an element that is malformed */
    OVER,   /* the array was read */
};

/* The array may be this deep in other objects. */
enum { ITEMS, WRAPPED, WRAPPED_TWICE };
static const struct asbi_path frame_paths[] = {
    [ITEMS] = { "items", ASBI_PICK_STREAM },
    [WRAPPED] = { "*.items", ASBI_PICK_STREAM },
    [WRAPPED_TWICE] = { "*.*.items", ASBI_PICK_STREAM },
};

/* From SPARE on: taken for "output" when that is missing and nothing else can
 * be meant. */
enum { ID, OUTPUT, SPARE, OTHER = 7, NONE };
static const struct asbi_path item_paths[] = {
    [ID] = { "id", ASBI_PICK_VALUE },
    [OUTPUT] = { "output", ASBI_PICK_STREAM },
    [SPARE] = { "target_ru", ASBI_PICK_STREAM },
    { "target", ASBI_PICK_STREAM },
    { "translation", ASBI_PICK_STREAM },
    { "text", ASBI_PICK_STREAM },
    { "label", ASBI_PICK_STREAM },
    [OTHER] = { "*", ASBI_PICK_VALUE },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* ---- an element ------------------------------------------------------- */

static void on_item_value(void *arg, unsigned path, enum asbi_json_type type,
                          asbi_str value)
{
    struct asbi_packed_answer *a = arg;

    if (path != ID) {
        a->strings += type == ASBI_JSON_STRING;
        return;
    }
    a->has_id = type == ASBI_JSON_STRING || type == ASBI_JSON_NUMBER;
    a->id_len = a->has_id ? value.len : 0;
    if (a->id_len)
        memcpy(a->id, value.at, a->id_len);
}

static void on_item_begin(void *arg, unsigned path, enum asbi_json_type type)
{
    struct asbi_packed_answer *a = arg;

    a->taking = NONE;
    if (path == OUTPUT) {
        a->has_output = true;
        a->is_json = type != ASBI_JSON_STRING;
    } else {
        a->strings += type == ASBI_JSON_STRING;
        if (a->has_output || type != ASBI_JSON_STRING)
            return;
        a->has_spare = true;
    }
    a->taking = (uint8_t)path;
    asbi_buf_clear(&a->output);
}

static void on_item_piece(void *arg, unsigned path, asbi_str piece)
{
    struct asbi_packed_answer *a = arg;

    if (a->taking == path)
        asbi_buf_str(&a->output, piece);
}

static void on_item_end(void *arg, unsigned path)
{
    struct asbi_packed_answer *a = arg;

    (void)path;
    a->taking = NONE;
}

static void element_begin(struct asbi_packed_answer *a)
{
    a->state = ELEMENT;
    a->element_len = 0;
    a->has_id = a->has_output = a->has_spare = a->is_json = false;
    a->strings = 0;
    a->taking = NONE;
    asbi_buf_clear(&a->output);
    asbi_pick_begin(&a->pick, &a->paths->item, &a->item_sink);
}

static void element_end(struct asbi_packed_answer *a)
{
    bool spare = !a->has_output && a->has_spare && a->strings == 1;
    asbi_str output = asbi_buf_view(&a->output);

    a->state = BETWEEN;
    if (!a->has_id || (!a->has_output && !spare))
        return;
    if (a->element_len > a->max_element || asbi_buf_failed(&a->output)) {
        a->on_item(a->arg, asbi_str_of(a->id, a->id_len), asbi_str_of(NULL, 0),
                   false);
        return;
    }
    if (!output.at)
        output = ASBI_STR("");
    a->items++;
    a->found = true;
    a->on_item(a->arg, asbi_str_of(a->id, a->id_len), output, a->is_json);
}

/* A newline cannot stand in a string.  When that was the fault, the string
 * goes on behind it; after any other, quotes may be out of step and a newline
 * puts them right. */
static void element_broken(struct asbi_packed_answer *a, const char *at)
{
    a->state = BROKEN;
    a->junk = true;
    a->depth = asbi_pick_depth(&a->pick);
    a->in_string = asbi_pick_in_string(&a->pick);
    a->newlines = a->in_string && (*at == '\n' || *at == '\r');
    a->escaped = false;
}

static size_t take_element(struct asbi_packed_answer *a, asbi_str s)
{
    size_t used;
    int rc = asbi_pick_feed(&a->pick, s.at, s.len, &used);

    a->element_len += used;
    if (rc)
        element_broken(a, s.at + used);
    else if (asbi_pick_done(&a->pick))
        element_end(a);
    return used;
}

/* ---- the array -------------------------------------------------------- */

static void array_begin(struct asbi_packed_answer *a, bool named)
{
    a->state = BETWEEN;
    a->named = named;
    a->junk = false;
    a->items = 0;
}

/* An array that told nothing is no answer, unless it is whole and empty. */
static void array_end(struct asbi_packed_answer *a)
{
    a->found = a->found || (a->named && !a->junk);
    a->state = a->found ? OVER : PROSE;
}

static size_t take_between(struct asbi_packed_answer *a, asbi_str s)
{
    switch (*s.at) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
    case ',':
        return 1;
    case ']':
        array_end(a);
        return 1;
    case '{':
        element_begin(a);
        return 0;
    default:
        a->state = BROKEN;
        a->junk = true;
        a->depth = 0;
        a->in_string = a->escaped = a->newlines = false;
        return 0;
    }
}

static void skip_in_string(struct asbi_packed_answer *a, char c)
{
    if (a->escaped)
        a->escaped = false;
    else if (c == '\\')
        a->escaped = true;
    else if (c == '"' || (c == '\n' && !a->newlines))
        a->in_string = false;
}

static void skip_close(struct asbi_packed_answer *a)
{
    if (a->depth == 0)
        array_end(a); /* of the array, or of the object around it */
    else if (--a->depth == 0)
        a->state = BETWEEN;
}

/* One byte of what is no JSON: minds brackets and quotes, no more. */
static size_t take_broken(struct asbi_packed_answer *a, asbi_str s)
{
    char c = *s.at;

    if (a->in_string)
        skip_in_string(a, c);
    else if (c == '"')
        a->in_string = true;
    else if (c == '{' || c == '[')
        a->depth++;
    else if (c == '}' || c == ']')
        skip_close(a);
    else if (c == ',' && a->depth == 0)
        a->state = BETWEEN;
    return 1;
}

/* ---- around the array ------------------------------------------------- */

static void on_frame_value(void *arg, unsigned path, enum asbi_json_type type,
                           asbi_str value)
{
    (void)arg;
    (void)path;
    (void)type;
    (void)value;
}

static void on_frame_begin(void *arg, unsigned path, enum asbi_json_type type)
{
    struct asbi_packed_answer *a = arg;

    (void)path;
    if (type != ASBI_JSON_ARRAY)
        return;
    array_begin(a, true);
    asbi_pick_pause(&a->pick);
}

static void on_frame_piece(void *arg, unsigned path, asbi_str piece)
{
    (void)arg;
    (void)path;
    (void)piece;
}

static void on_frame_end(void *arg, unsigned path)
{
    (void)arg;
    (void)path;
}

/* What is no JSON after all was prose; its reading goes on where it failed. */
static size_t take_frame(struct asbi_packed_answer *a, asbi_str s)
{
    size_t used;
    int rc = asbi_pick_feed(&a->pick, s.at, s.len, &used);

    if (a->state == FRAME && (rc || asbi_pick_done(&a->pick)))
        a->state = PROSE;
    return used;
}

static size_t take_prose(struct asbi_packed_answer *a, asbi_str s)
{
    size_t n = 0;

    while (n < s.len && s.at[n] != '{' && s.at[n] != '[')
        n++;
    if (n == s.len)
        return n;
    if (s.at[n] == '[') {
        a->state = BARE;
        return n + 1;
    }
    a->state = FRAME;
    asbi_pick_begin(&a->pick, &a->paths->frame, &a->frame_sink);
    return n;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t take_bare(struct asbi_packed_answer *a, asbi_str s)
{
    if (is_space(*s.at))
        return 1;
    if (*s.at == '{')
        array_begin(a, false);
    else
        a->state = PROSE;
    return 0;
}

static size_t take_start(struct asbi_packed_answer *a, asbi_str s)
{
    static const char tag[] = "<think>";

    if (a->matched == 0 && is_space(*s.at))
        return 1;
    if (*s.at != tag[a->matched]) {
        a->state = PROSE;
        return 0;
    }
    if (tag[++a->matched] == '\0') {
        a->state = THINK;
        a->matched = 0;
    }
    return 1;
}

static size_t take_think(struct asbi_packed_answer *a, asbi_str s)
{
    static const char tag[] = "</think>";

    if (*s.at == tag[a->matched])
        a->matched++;
    else
        a->matched = *s.at == '<';
    if (tag[a->matched] == '\0')
        a->state = PROSE;
    return 1;
}

/* ---- the text --------------------------------------------------------- */

void asbi_packed_paths_init(struct asbi_packed_paths *paths)
{
    asbi_path_trie_init(&paths->frame, frame_paths, COUNT(frame_paths));
    asbi_path_trie_init(&paths->item, item_paths, COUNT(item_paths));
}

void asbi_packed_init(struct asbi_packed_answer *a, const struct asbi_mem *mem,
                      const struct asbi_packed_paths *paths, size_t max_element,
                      asbi_packed_cb on_item, void *arg)
{
    memset(a, 0, sizeof(*a));
    a->on_item = on_item;
    a->arg = arg;
    a->max_element = max_element;
    a->paths = paths;
    a->frame_sink = (struct asbi_pick_sink){ on_frame_value, on_frame_begin,
                                             on_frame_piece, on_frame_end, a };
    a->item_sink = (struct asbi_pick_sink){ on_item_value, on_item_begin,
                                            on_item_piece, on_item_end, a };
    asbi_buf_init(&a->output, mem, max_element);
    asbi_packed_begin(a);
}

void asbi_packed_fini(struct asbi_packed_answer *a)
{
    asbi_buf_fini(&a->output);
}

void asbi_packed_begin(struct asbi_packed_answer *a)
{
    enum { KEPT = 64 * 1024 };

    a->state = START;
    a->matched = 0;
    a->items = 0;
    a->found = false;
    asbi_buf_shrink(&a->output, KEPT);
}

void asbi_packed_feed(struct asbi_packed_answer *a, asbi_str s)
{
    static size_t (*const take[])(struct asbi_packed_answer *, asbi_str) = {
        [START] = take_start,     [THINK] = take_think,
        [PROSE] = take_prose,     [FRAME] = take_frame,
        [BARE] = take_bare,       [BETWEEN] = take_between,
        [ELEMENT] = take_element, [BROKEN] = take_broken,
    };

    while (s.len && a->state != OVER) {
        size_t used = take[a->state](a, s);

        s.at += used;
        s.len -= used;
    }
}

bool asbi_packed_found(const struct asbi_packed_answer *a)
{
    return a->found;
}

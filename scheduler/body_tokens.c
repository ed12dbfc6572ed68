#include "scheduler/body_tokens.h"

#include <math.h>
#include <string.h>

/* Of sound, a document: a second of 16 kB has about 32 tokens, a page of 100 kB
 * some 250 to 1,500. */
static const double bytes_per_token = 500;

/* By letters that are rare, with what follows them: "image", "mimeType",
 * "media_type", ";base64", "input_audio", "file_data". */
static bool is_sign(asbi_str from)
{
    static const asbi_str signs[] = {
        { "mage", 4 },    { "mime", 4 },   { "media_type", 10 },
        { ";base64", 7 }, { "_audio", 6 }, { "_data", 5 },
    };

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (asbi_str_starts(from, signs[i]))
            return true;
    }
    return false;
}

static bool holds_sign(asbi_str body, char rare)
{
    const char *at = body.at, *end = asbi_str_end(body);

    while (at < end && (at = memchr(at, rare, (size_t)(end - at)))) {
        if (is_sign(asbi_str_of(at, (size_t)(end - at))))
            return true;
        at++;
    }
    return false;
}

bool asbi_body_may_hold_media(asbi_str body)
{
    return holds_sign(body, 'm') || holds_sign(body, ';') ||
           holds_sign(body, '_');
}

/* ---- one string --------------------------------------------------------- */

struct walk {
    const struct asbi_counter *counter; /* of text; NULL: none is counted */
    enum asbi_image_rule images;
    struct asbi_json *json;
    const char *counted_to; /* within the document */
    double tokens;
};

static asbi_str member(struct walk *w, const struct asbi_json_node *object,
                       asbi_str name)
{
    return asbi_json_text(w->json, asbi_json_get(w->json, object, name));
}

static bool is_rough(struct walk *w, const struct asbi_json_node *object,
                     const struct asbi_json_node *around)
{
    return asbi_str_eq(member(w, object, ASBI_STR("detail")),
                       ASBI_STR("low")) ||
           asbi_str_eq(member(w, around, ASBI_STR("detail")), ASBI_STR("low"));
}

static void count_text(struct walk *w, const char *to)
{
    asbi_str text = asbi_str_of(w->counted_to, (size_t)(to - w->counted_to));

    if (w->counter)
        w->tokens += asbi_count_tokens(w->counter, text);
    w->counted_to = to;
}

/* What stands before it is text; the string is not. */
static void count_media(struct walk *w, const struct asbi_json_node *string,
                        double tokens)
{
    count_text(w, string->raw.at);
    w->tokens += tokens;
    w->counted_to = asbi_str_end(string->raw);
}

static double media_tokens(struct walk *w, asbi_str mime, asbi_str base64,
                           bool rough)
{
    struct asbi_image image = { .rough = rough };

    if (!asbi_str_starts(mime, ASBI_STR("image/")))
        return ceil((double)base64.len * 3 / 4 / bytes_per_token);
    (void)asbi_image_size(base64, &image);
    return asbi_image_tokens(w->images, &image);
}

/* "data:image/png;base64,iVBOR..." */
static bool take_data_url(struct walk *w, const struct asbi_json_node *string,
                          asbi_str text, bool rough)
{
    static const asbi_str head = { "data:", 5 };
    const char *comma = text.len ? memchr(text.at, ',', text.len) : NULL;

    if (!comma || !asbi_str_starts(text, head))
        return false;
    asbi_str mime =
        asbi_str_of(text.at + head.len, (size_t)(comma - text.at) - head.len);
    asbi_str base64 =
        asbi_str_of(comma + 1, (size_t)(asbi_str_end(text) - comma) - 1);
    count_media(w, string, media_tokens(w, mime, base64, rough));
    return true;
}

/* The kind of what stands in "data" beside it; empty when it is nothing. */
static asbi_str mime_of(struct walk *w, const struct asbi_json_node *object)
{
    static const asbi_str names[] = {
        { "media_type", 10 }, /* Anthropic */
        { "mimeType", 8 },    /* Gemini, either way */
        { "mime_type", 9 },
        { "format", 6 }, /* OpenAI, of sound */
    };
    asbi_str mime = { NULL, 0 };

    for (size_t i = 0; i < 4 && mime.len == 0; i++)
        mime = member(w, object, names[i]);
    return mime;
}

static void look_at(struct walk *w, const struct asbi_json_node *string,
                    const struct asbi_json_node *object,
                    const struct asbi_json_node *around)
{
    struct asbi_image unknown = { .rough = is_rough(w, object, around) };
    asbi_str text = asbi_json_text(w->json, string), mime;

    if (take_data_url(w, string, text, unknown.rough))
        return;
    if (asbi_str_eq(string->key, ASBI_STR("data")) &&
        (mime = mime_of(w, object)).len)
        count_media(w, string, media_tokens(w, mime, text, unknown.rough));
    else if (asbi_str_eq(string->key, ASBI_STR("image_url")) ||
             (asbi_str_eq(string->key, ASBI_STR("url")) &&
              (asbi_str_eq(object->key, ASBI_STR("image_url")) ||
               asbi_str_eq(member(w, around, ASBI_STR("type")),
                           ASBI_STR("image")))))
        count_media(w, string, asbi_image_tokens(w->images, &unknown));
}

/* ---- all of them -------------------------------------------------------- */

/* As deep as the parser lets a document be. */
static void walk(struct walk *w, const struct asbi_json_node *node,
                 const struct asbi_json_node *around)
{
    const struct asbi_json_node *it = asbi_json_child(w->json, node);

    for (; it; it = asbi_json_after(w->json, node, it)) {
        if (it->type == ASBI_JSON_OBJECT || it->type == ASBI_JSON_ARRAY)
            walk(w, it, node);
        else if (it->type == ASBI_JSON_STRING && node->type == ASBI_JSON_OBJECT)
            look_at(w, it, node, around);
    }
}

double asbi_body_tokens(const struct asbi_counter *c, struct asbi_json *json)
{
    const struct asbi_json_node *root = asbi_json_root(json);
    struct walk w = { .counter = c,
                      .images = c->images,
                      .json = json,
                      .counted_to = root->raw.at };

    walk(&w, root, NULL);
    count_text(&w, asbi_str_end(root->raw));
    return w.tokens;
}

double asbi_media_tokens(enum asbi_image_rule images, struct asbi_json *json,
                         const struct asbi_json_node *node)
{
    struct walk w = { .images = images,
                      .json = json,
                      .counted_to = node->raw.at };

    walk(&w, node, NULL);
    return w.tokens;
}

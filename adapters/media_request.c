#include "adapters/media_request.h"

#include <math.h>

#include "engine/base/error.h"
#include "engine/base/units.h"

static const double longest_seconds = 3600;
enum { LARGEST_SIDE = 16384 };

/* ---- from a row ------------------------------------------------------- */

struct row {
    struct asbi_json *json;
    const struct asbi_json_node *root;
    struct asb_message *why;
};

static const struct asbi_json_node *member(const struct row *row,
                                           const char *key)
{
    const struct asbi_json_node *n =
        asbi_json_get(row->json, row->root, asbi_str_c(key));

    return n && n->type != ASBI_JSON_NULL ? n : NULL;
}

/* Text, or a number as it is written; empty when absent. */
static asbi_str scalar(const struct row *row, const char *key)
{
    const struct asbi_json_node *n = member(row, key);

    if (n && n->type == ASBI_JSON_NUMBER)
        return n->raw;
    return asbi_str_trim(asbi_json_text(row->json, n));
}

static bool refuse(const struct row *row, const char *text)
{
    (void)asbi_fail(row->why, ASB_EINVAL, "%s", text);
    return false;
}

static bool read_type(const struct row *row, enum asbi_media_type usual,
                      struct asbi_media_request *out)
{
    asbi_str type = scalar(row, "content_type");

    out->type = usual;
    if (type.len == 0)
        return true;
    if (asbi_str_eq_nocase(type, ASBI_STR("video")))
        out->type = ASBI_MEDIA_VIDEO;
    else if (asbi_str_eq_nocase(type, ASBI_STR("image")))
        out->type = ASBI_MEDIA_IMAGE;
    else
        return refuse(row, "\"content_type\" must be video or image");
    return true;
}

/* "1080p" and the like stand for what is wide at that height. */
static bool read_named_size(asbi_str text, struct asbi_media_request *out)
{
    static const struct {
        const char *name;
        uint64_t width, height;
    } sizes[] = {
        { "480p", 854, 480 },    { "540p", 960, 540 },  { "720p", 1280, 720 },
        { "1080p", 1920, 1080 }, { "4k", 3840, 2160 },  { "2160p", 3840, 2160 },
        { "1440p", 2560, 1440 }, { "uhd", 3840, 2160 },
    };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (asbi_str_eq_nocase(text, asbi_str_c(sizes[i].name))) {
            out->width = sizes[i].width;
            out->height = sizes[i].height;
            return true;
        }
    }
    return false;
}

static bool read_size(const struct row *row, struct asbi_media_request *out)
{
    asbi_str text = scalar(row, "resolution");
    size_t at = 0;

    if (text.len == 0 || read_named_size(text, out))
        return true;
    while (at < text.len && text.at[at] != 'x' && text.at[at] != 'X')
        at++;
    if (at < text.len &&
        asbi_parse_u64(asbi_str_of(text.at, at), &out->width) &&
        asbi_parse_u64(asbi_str_of(text.at + at + 1, text.len - at - 1),
                       &out->height) &&
        out->width && out->height && out->width <= LARGEST_SIDE &&
        out->height <= LARGEST_SIDE)
        return true;
    return refuse(row, "\"resolution\" must look like 1280x720 or 720p");
}

static bool read_duration(const struct row *row, struct asbi_media_request *out)
{
    asbi_str text = scalar(row, "duration");

    if (text.len == 0)
        text = scalar(row, "seconds");
    if (text.len == 0)
        return true;
    if (text.at[text.len - 1] == 's')
        text.len--;
    if (asbi_parse_double(text, &out->seconds) && out->seconds > 0 &&
        out->seconds <= longest_seconds)
        return true;
    return refuse(row, "\"duration\" must be a number of seconds up to 3600");
}

static bool read_references(const struct row *row,
                            struct asbi_media_request *out)
{
    const struct asbi_json_node *list = member(row, "reference_images");

    if (!list)
        return true;
    asbi_str one = asbi_json_text(row->json, list); /* of a column */
    if (one.at) {
        out->references[0] = one;
        out->reference_count = one.len > 0;
        return true;
    }
    if (list->type != ASBI_JSON_ARRAY || list->count > ASBI_MEDIA_REFERENCES)
        return refuse(row, "\"reference_images\" must be a list of at most 8 "
                           "addresses");
    for (const struct asbi_json_node *n = asbi_json_child(row->json, list); n;
         n = asbi_json_after(row->json, list, n)) {
        asbi_str url = asbi_json_text(row->json, n);

        if (url.len == 0)
            return refuse(row, "\"reference_images\" must hold addresses");
        out->references[out->reference_count++] = url;
    }
    return true;
}

static bool read_style(const struct row *row, struct asbi_media_request *out)
{
    const struct asbi_json_node *style = member(row, "style_params");

    if (style && style->type != ASBI_JSON_OBJECT && style->raw.len > 2)
        return refuse(row, "\"style_params\" must be an object: the provider's "
                           "own parameters");
    bool some = style && style->type == ASBI_JSON_OBJECT && style->count;
    out->style = some ? style : NULL;
    return true;
}

bool asbi_media_request_of_row(struct asbi_json *json, asbi_str text,
                               enum asbi_media_type usual,
                               struct asbi_media_request *out,
                               struct asb_message *why)
{
    struct row row = { json, asbi_json_root(json), why };

    *out = (struct asbi_media_request){ .prompt = text, .json = json };
    out->engine = scalar(&row, "engine");
    if (asbi_str_eq(out->engine, ASBI_STR("default")))
        out->engine.len = 0;
    if (text.len == 0)
        return refuse(&row, "a content request needs a \"prompt\"");
    return read_type(&row, usual, out) && read_size(&row, out) &&
           read_duration(&row, out) && read_references(&row, out) &&
           read_style(&row, out);
}

/* ---- the canonical text ----------------------------------------------- */

static const char *const type_names[] = { "video", "image" };

void asbi_media_request_put(const struct asbi_media_request *r,
                            struct asbi_buf *out)
{
    asbi_buf_fmt(out,
                 "{\"content_type\":\"%s\",\"prompt\":", type_names[r->type]);
    asbi_json_put_string(out, r->prompt);
    if (r->engine.len) {
        asbi_json_put_key(out, "engine");
        asbi_json_put_string(out, r->engine);
    }
    if (r->width)
        asbi_buf_fmt(out, ",\"resolution\":\"%llux%llu\"",
                     (unsigned long long)r->width,
                     (unsigned long long)r->height);
    if (r->seconds > 0) {
        asbi_json_put_key(out, "duration");
        asbi_json_put_double(out, r->seconds);
    }
    for (size_t i = 0; i < r->reference_count; i++) {
        asbi_buf_c(out, i ? "," : ",\"reference_images\":[");
        asbi_json_put_string(out, r->references[i]);
    }
    if (r->reference_count)
        asbi_buf_char(out, ']');
    if (r->style) {
        asbi_json_put_key(out, "style_params");
        asbi_buf_str(out, r->style->raw);
    }
    asbi_buf_char(out, '}');
}

bool asbi_media_request_read(struct asbi_json *json, asbi_str text,
                             struct asbi_media_request *out)
{
    if (asbi_json_parse(json, text.at, text.len))
        return false;
    asbi_str prompt = asbi_json_text(
        json, asbi_json_get(json, asbi_json_root(json), ASBI_STR("prompt")));
    return asbi_media_request_of_row(json, prompt, ASBI_MEDIA_VIDEO, out, NULL);
}

/* ---- groups ----------------------------------------------------------- */

static asbi_str style_of(const struct asbi_media_request *r)
{
    return r->style ? r->style->raw : ASBI_STR("");
}

bool asbi_media_request_alike(const struct asbi_media_request *a,
                              const struct asbi_media_request *b)
{
    double longer = fmax(a->seconds, b->seconds);
    double shorter = fmin(a->seconds, b->seconds);

    return a->type == b->type && asbi_str_eq(a->engine, b->engine) &&
           a->width == b->width && a->height == b->height &&
           longer <= shorter * 1.2 && asbi_str_eq(style_of(a), style_of(b));
}

/* ---- for shapes ------------------------------------------------------- */

static bool is_styled(const struct asbi_media_request *r, const char *key)
{
    return r->style && asbi_json_get(r->json, r->style, asbi_str_c(key));
}

void asbi_media_put_text(const struct asbi_media_request *r, const char *key,
                         asbi_str value, struct asbi_buf *out)
{
    if (value.len == 0 || is_styled(r, key))
        return;
    asbi_json_put_key(out, key);
    asbi_json_put_string(out, value);
}

void asbi_media_put_seconds(const struct asbi_media_request *r, const char *key,
                            struct asbi_buf *out)
{
    if (r->seconds <= 0 || is_styled(r, key))
        return;
    asbi_json_put_key(out, key);
    asbi_json_put_double(out, r->seconds);
}

void asbi_media_put_seconds_text(const struct asbi_media_request *r,
                                 const char *key, const char *unit,
                                 struct asbi_buf *out)
{
    if (r->seconds <= 0 || is_styled(r, key))
        return;
    asbi_json_put_key(out, key);
    asbi_buf_char(out, '"');
    asbi_json_put_double(out, r->seconds);
    asbi_buf_fmt(out, "%s\"", unit);
}

void asbi_media_put_size(const struct asbi_media_request *r, const char *key,
                         char between, struct asbi_buf *out)
{
    if (r->width == 0 || is_styled(r, key))
        return;
    asbi_json_put_key(out, key);
    asbi_buf_fmt(out, "\"%llu%c%llu\"", (unsigned long long)r->width, between,
                 (unsigned long long)r->height);
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

struct ratio {
    uint64_t wide, high;
};

/* Sides are whole and mostly even, so that few sizes have the ratio they are
 * made for: 854x480, which is within one in a hundred of 16:9, stands for it.
 */
static struct ratio ratio_of(uint64_t width, uint64_t height)
{
    static const struct ratio usual[] = { { 16, 9 }, { 9, 16 }, { 4, 3 },
                                          { 3, 4 },  { 3, 2 },  { 2, 3 },
                                          { 21, 9 }, { 9, 21 }, { 1, 1 } };
    uint64_t n = common_divisor(width, height);

    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        uint64_t a = width * usual[i].high, b = height * usual[i].wide;
        uint64_t off = a > b ? a - b : b - a;

        if (100 * off < b)
            return usual[i];
    }
    return (struct ratio){ width / n, height / n };
}

void asbi_media_put_ratio(const struct asbi_media_request *r, const char *key,
                          struct asbi_buf *out)
{
    if (r->width == 0 || is_styled(r, key))
        return;
    struct ratio ratio = ratio_of(r->width, r->height);
    asbi_json_put_key(out, key);
    asbi_buf_fmt(out, "\"%llu:%llu\"", (unsigned long long)ratio.wide,
                 (unsigned long long)ratio.high);
}

void asbi_media_put_lines(const struct asbi_media_request *r, const char *key,
                          struct asbi_buf *out)
{
    uint64_t lines = r->width < r->height ? r->width : r->height;

    if (lines == 0 || is_styled(r, key))
        return;
    asbi_json_put_key(out, key);
    if (lines >= 2160)
        asbi_buf_c(out, "\"4k\"");
    else
        asbi_buf_fmt(out, "\"%llup\"", (unsigned long long)lines);
}

void asbi_media_put_style(const struct asbi_media_request *r,
                          struct asbi_buf *out)
{
    if (!r->style)
        return;
    for (const struct asbi_json_node *n = asbi_json_child(r->json, r->style); n;
         n = asbi_json_after(r->json, r->style, n)) {
        if (out->len && out->data[out->len - 1] != '{')
            asbi_buf_char(out, ',');
        asbi_json_put_string(out, asbi_json_key(r->json, n));
        asbi_buf_char(out, ':');
        asbi_buf_str(out, n->raw);
    }
}

void asbi_media_put_references(const struct asbi_media_request *r,
                               const char *key, const char *member,
                               struct asbi_buf *body)
{
    if (r->reference_count == 0)
        return;
    asbi_json_put_key(body, key);
    for (size_t i = 0; i < r->reference_count; i++) {
        asbi_buf_fmt(body, "%s{\"%s\":", i ? "," : "[", member);
        asbi_json_put_string(body, r->references[i]);
        asbi_buf_char(body, '}');
    }
    asbi_buf_char(body, ']');
}

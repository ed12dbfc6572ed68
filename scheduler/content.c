#include "scheduler/content.h"

#include "engine/base/hash.h"

const struct asbi_grouping asbi_content_grouping = { .on = true,
                                                     .threshold = 0.7,
                                                     .share = 0.2 };

static const double usual_seconds = 30, longest_seconds = 86400;

/* The text of a member, or what stands for it when there is none. */
static asbi_str word(struct asbi_json *json,
                     const struct asbi_json_node *object, asbi_str key,
                     asbi_str otherwise)
{
    asbi_str text = asbi_json_text(json, asbi_json_get(json, object, key));

    return text.len ? text : otherwise;
}

/* 0 is kept for what has none. */
static uint32_t hash_of(asbi_str text)
{
    return (uint32_t)asbi_hash64(text.at, text.len, 0) | 1;
}

static double seconds_of(const struct asbi_json *json,
                         const struct asbi_json_node *object, asbi_str type)
{
    double seconds = asbi_str_eq(type, ASBI_STR("image")) ? 0 : usual_seconds;

    (void)asbi_json_double(asbi_json_get(json, object, ASBI_STR("duration")),
                           &seconds);
    if (!(seconds >= 0))
        return 0;
    return seconds < longest_seconds ? seconds : longest_seconds;
}

/* Each parameter with its value as it is written is one element. */
static void read_style(const struct asbi_json *json,
                       const struct asbi_json_node *object,
                       struct asbi_likeness *l)
{
    const struct asbi_json_node *style =
        asbi_json_get(json, object, ASBI_STR("style_params"));

    if (!style || style->type != ASBI_JSON_OBJECT)
        return;
    for (const struct asbi_json_node *n = asbi_json_child(json, style); n;
         n = asbi_json_after(json, style, n)) {
        uint64_t key = asbi_hash64(n->key.at, n->key.len, 1);

        asbi_likeness_mark(l, asbi_hash64(n->raw.at, n->raw.len, key));
    }
}

bool asbi_content_read(struct asbi_json *json,
                       const struct asbi_json_node *object,
                       struct asbi_content *out)
{
    asbi_str type =
        word(json, object, ASBI_STR("content_type"), (asbi_str){ NULL, 0 });

    if (type.len == 0)
        return false;
    asbi_likeness_init(&out->likeness);
    struct asbi_likeness *l = &out->likeness;
    l->type = hash_of(type);
    out->seconds = seconds_of(json, object, type);
    l->extent = (float)out->seconds;
    l->engine =
        hash_of(word(json, object, ASBI_STR("engine"), ASBI_STR("default")));
    l->resolution = hash_of(
        word(json, object, ASBI_STR("resolution"), ASBI_STR("1920x1080")));
    read_style(json, object, l);
    const uint32_t same[] = { l->type, l->engine, l->resolution };
    out->key = asbi_hash64(same, sizeof(same), 0) | 1;
    return true;
}

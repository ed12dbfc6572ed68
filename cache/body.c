#include "cache/body.h"

#include <string.h>

/* Say whose or what kind of service, not what is asked. */
static const char *const without_a_say[] = {
    "user",
    "metadata",
    "store",
    "safety_identifier",
    "service_tier",
    "prompt_cache_key",
    "prompt_cache_retention",
};

/* The answer depends on more than the request. */
static const char *const unsettling[] = {
    "previous_response_id",
    "conversation",
    "background",
    "web_search_options",
    "search_parameters", /* xAI */
    "enable_search",     /* Qwen */
    "plugins",           /* OpenRouter */
};

static const char *const settled_paths[] = {
    "/chat/completions", "/completions", "/embeddings",
    "/moderations",      "/responses",   "/messages",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool names(const char *const *list, size_t count, asbi_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (asbi_str_eq(asbi_str_c(list[i]), name))
            return true;
    }
    return false;
}

static bool is_left_out(struct asbi_json *json,
                        const struct asbi_json_node *member)
{
    asbi_str name = asbi_json_key(json, member);

    if (names(without_a_say, COUNT(without_a_say), name))
        return true;
    return asbi_str_eq(name, ASBI_STR("stream")) &&
           member->type == ASBI_JSON_FALSE;
}

/* ---- members in order of their names ---------------------------------- */

struct member {
    const struct asbi_json_node *node;
    asbi_str name;
};

/* By name; equal names stay in the order of the document. */
static bool is_before(const struct member *a, const struct member *b)
{
    size_t len = a->name.len < b->name.len ? a->name.len : b->name.len;
    int order = len ? memcmp(a->name.at, b->name.at, len) : 0;

    if (order)
        return order < 0;
    if (a->name.len != b->name.len)
        return a->name.len < b->name.len;
    return a->node < b->node;
}

static void sift_down(struct member *m, size_t root, size_t count)
{
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && is_before(&m[child], &m[child + 1]))
            child++;
        if (!is_before(&m[root], &m[child]))
            return;
        struct member held = m[root];
        m[root] = m[child];
        m[child] = held;
    }
}

/* Heapsort: no memory of its own, and no input that makes it slow. */
static void sort(struct member *m, size_t count)
{
    for (size_t i = count / 2; i > 0; i--)
        sift_down(m, i - 1, count);
    for (size_t left = count; left > 1; left--) {
        struct member last = m[left - 1];

        m[left - 1] = m[0];
        m[0] = last;
        sift_down(m, 0, left - 1);
    }
}

/* ---- writing ---------------------------------------------------------- */

static void put_value(struct asbi_buf *out, struct asbi_json *json,
                      const struct asbi_json_node *node, bool is_body);

static void put_array(struct asbi_buf *out, struct asbi_json *json,
                      const struct asbi_json_node *array)
{
    const struct asbi_json_node *child = asbi_json_child(json, array);

    asbi_buf_char(out, '[');
    for (; child; child = asbi_json_after(json, array, child)) {
        put_value(out, json, child, false);
        asbi_buf_char(out, ',');
    }
    asbi_buf_char(out, ']');
}

static size_t gather(struct asbi_json *json,
                     const struct asbi_json_node *object, bool is_body,
                     struct member *to)
{
    const struct asbi_json_node *child = asbi_json_child(json, object);
    size_t n = 0;

    for (; child; child = asbi_json_after(json, object, child)) {
        if (!is_body || !is_left_out(json, child))
            to[n++] = (struct member){ child, asbi_json_key(json, child) };
    }
    return n;
}

static void put_object(struct asbi_buf *out, struct asbi_json *json,
                       const struct asbi_json_node *object, bool is_body)
{
    struct member *members = asbi_calloc(
        out->mem, object->count ? object->count : 1, sizeof(*members));

    if (!members) {
        out->failed = true;
        return;
    }
    size_t n = gather(json, object, is_body, members);
    sort(members, n);
    asbi_buf_char(out, '{');
    for (size_t i = 0; i < n; i++) {
        out->failed = out->failed || !members[i].name.at;
        asbi_json_put_string(out, members[i].name);
        asbi_buf_char(out, ':');
        put_value(out, json, members[i].node, false);
        asbi_buf_char(out, ',');
    }
    asbi_buf_char(out, '}');
    asbi_free(out->mem, members);
}

/* As deep as the reader lets a document be: ASBI_JSON_MAX_DEPTH. */
static void put_value(struct asbi_buf *out, struct asbi_json *json,
                      const struct asbi_json_node *node, bool is_body)
{
    if (node->type == ASBI_JSON_OBJECT) {
        put_object(out, json, node, is_body);
    } else if (node->type == ASBI_JSON_ARRAY) {
        put_array(out, json, node);
    } else if (node->type == ASBI_JSON_STRING) {
        asbi_str text = asbi_json_text(json, node);

        out->failed = out->failed || !text.at;
        asbi_json_put_string(out, text);
    } else {
        asbi_buf_str(out, node->raw);
    }
}

void asbi_cache_put_json(struct asbi_buf *out, struct asbi_json *json,
                         bool is_body)
{
    put_value(out, json, asbi_json_root(json), is_body);
}

/* ---- what settles an answer ------------------------------------------- */

static bool is_settled_path(asbi_str url)
{
    for (size_t i = 0; i < COUNT(settled_paths); i++) {
        asbi_str path = asbi_str_c(settled_paths[i]);

        if (url.len >= path.len &&
            memcmp(url.at + url.len - path.len, path.at, path.len) == 0)
            return true;
    }
    return url.len == 0;
}

static bool is_set(const struct asbi_json_node *node)
{
    return node && node->type != ASBI_JSON_NULL &&
           node->type != ASBI_JSON_FALSE;
}

/* A tool that the asker works, of which the model only says how.  All others
 * are the provider's: they search, and run what they find. */
static bool is_askers_tool(struct asbi_json *json,
                           const struct asbi_json_node *tool)
{
    const struct asbi_json_node *type =
        asbi_json_get(json, tool, ASBI_STR("type"));
    asbi_str name = asbi_json_text(json, type);

    if (type)
        return asbi_str_eq(name, ASBI_STR("function")) ||
               asbi_str_eq(name, ASBI_STR("custom"));
    return asbi_json_get(json, tool, ASBI_STR("input_schema")) ||
           asbi_json_get(json, tool, ASBI_STR("functionDeclarations")) ||
           asbi_json_get(json, tool, ASBI_STR("function_declarations"));
}

static bool has_only_askers_tools(struct asbi_json *json,
                                  const struct asbi_json_node *tools)
{
    const struct asbi_json_node *tool = asbi_json_child(json, tools);

    while (tool && is_askers_tool(json, tool))
        tool = asbi_json_after(json, tools, tool);
    return !tool;
}

/* `most`: of what is a number; absent is as good. */
static bool is_at_most(struct asbi_json *json,
                       const struct asbi_json_node *object, asbi_str key,
                       double most)
{
    const struct asbi_json_node *node = asbi_json_get(json, object, key);
    double number = 0;

    return !is_set(node) || (asbi_json_double(node, &number) && number <= most);
}

bool asbi_cache_body_settles(struct asbi_json *json, asbi_str url)
{
    const struct asbi_json_node *root = asbi_json_root(json), *gemini;

    if (root->type != ASBI_JSON_OBJECT || !is_settled_path(url))
        return false;
    for (size_t i = 0; i < COUNT(unsettling); i++) {
        if (is_set(asbi_json_get(json, root, asbi_str_c(unsettling[i]))))
            return false;
    }
    gemini = asbi_json_get(json, root, ASBI_STR("generationConfig"));
    return has_only_askers_tools(
               json, asbi_json_get(json, root, ASBI_STR("tools"))) &&
           is_at_most(json, root, ASBI_STR("temperature"), 0) &&
           is_at_most(json, root, ASBI_STR("n"), 1) &&
           is_at_most(json, gemini, ASBI_STR("temperature"), 0) &&
           is_at_most(json, gemini, ASBI_STR("candidateCount"), 1);
}

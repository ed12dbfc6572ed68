#include "adapters/json_api.h"

#include "adapters/encode.h"
#include "engine/base/error.h"
#include "engine/base/json.h"

enum { TEMPLATE_MAX = 64 * 1024 };

/* ---- the template ----------------------------------------------------- */

struct body_template {
    struct asbi_json_api *api;
    const struct asbi_json_api_spec *spec;
    struct asbi_json *json;
    bool placed; /* the place of the texts was seen */
};

static struct asbi_buf *part(struct body_template *t)
{
    return t->placed ? &t->api->tail : &t->api->head;
}

static const char *variable(const struct body_template *t, asbi_str name)
{
    if (asbi_str_eq(name, ASBI_STR("source_lang")))
        return t->spec->source_lang;
    if (asbi_str_eq(name, ASBI_STR("target_lang")))
        return t->spec->target_lang;
    if (asbi_str_eq(name, ASBI_STR("model")))
        return t->spec->model;
    return NULL;
}

/* With its variables filled in. */
static void fill_in(const struct body_template *t, asbi_str text,
                    struct asbi_buf *out)
{
    while (text.len) {
        const char *end =
            text.at[0] == '{' ? memchr(text.at, '}', text.len) : NULL;
        asbi_str name = { text.at + 1, end ? (size_t)(end - text.at - 1) : 0 };
        const char *value = end ? variable(t, name) : NULL;
        size_t used = value ? name.len + 2 : 1;

        if (value)
            asbi_buf_c(out, value);
        else
            asbi_buf_char(out, text.at[0]);
        text = asbi_str_of(text.at + used, text.len - used);
    }
}

static void put_text(struct body_template *t, const struct asbi_json_node *node,
                     struct asbi_buf *out)
{
    struct asbi_buf text;

    asbi_buf_init(&text, t->api->mem, TEMPLATE_MAX);
    fill_in(t, asbi_json_text(t->json, node), &text);
    asbi_json_put_string(out, asbi_buf_view(&text));
    if (asbi_buf_failed(&text))
        out->failed = true;
    asbi_buf_fini(&text);
}

static void put_node(struct body_template *t, const struct asbi_json_node *node,
                     const char *texts);

/* What is left of a pointer below a member of that name, or NULL. */
static const char *below(const char *pointer, asbi_str name)
{
    if (!pointer || pointer[0] != '/' ||
        strncmp(pointer + 1, name.at, name.len) != 0)
        return NULL;
    pointer += 1 + name.len;
    return pointer[0] == '\0' || pointer[0] == '/' ? pointer : NULL;
}

static void put_members(struct body_template *t,
                        const struct asbi_json_node *node, const char *texts)
{
    const struct asbi_json_node *n = asbi_json_child(t->json, node);
    bool object = node->type == ASBI_JSON_OBJECT, first = true;

    asbi_buf_char(part(t), object ? '{' : '[');
    for (; n; n = asbi_json_after(t->json, node, n)) {
        if (!first)
            asbi_buf_char(part(t), ',');
        first = false;
        if (object) {
            asbi_json_put_string(part(t), asbi_json_key(t->json, n));
            asbi_buf_char(part(t), ':');
        }
        put_node(t, n, object ? below(texts, asbi_json_key(t->json, n)) : NULL);
    }
    asbi_buf_char(part(t), object ? '}' : ']');
}

/* `texts`: the rest of the pointer to them, NULL when they are elsewhere. */
static void put_node(struct body_template *t, const struct asbi_json_node *node,
                     const char *texts)
{
    if (texts && texts[0] == '\0')
        t->placed = true;
    else if (node->type == ASBI_JSON_OBJECT || node->type == ASBI_JSON_ARRAY)
        put_members(t, node, texts);
    else if (node->type == ASBI_JSON_STRING)
        put_text(t, node, part(t));
    else
        asbi_buf_str(part(t), node->raw);
}

/* ---- forms ------------------------------------------------------------ */

/* Fields but that of the texts, each with an & behind it. */
static void put_fields(struct body_template *t,
                       const struct asbi_json_node *root)
{
    const struct asbi_json_node *n = asbi_json_child(t->json, root);

    for (; n; n = asbi_json_after(t->json, root, n)) {
        asbi_str name = asbi_json_key(t->json, n);
        const char *rest = below(t->spec->texts, name);
        struct asbi_buf value;

        if (rest && rest[0] == '\0') {
            t->placed = true;
            asbi_put_percent(name, &t->api->name);
            continue;
        }
        asbi_buf_init(&value, t->api->mem, TEMPLATE_MAX);
        if (n->type == ASBI_JSON_STRING)
            fill_in(t, asbi_json_text(t->json, n), &value);
        else
            asbi_buf_str(&value, n->raw);
        asbi_put_percent(name, &t->api->head);
        asbi_buf_char(&t->api->head, '=');
        asbi_put_percent(asbi_buf_view(&value), &t->api->head);
        asbi_buf_char(&t->api->head, '&');
        if (asbi_buf_failed(&value))
            t->api->head.failed = true;
        asbi_buf_fini(&value);
    }
}

static int read_template(struct body_template *t, struct asb_message *why)
{
    const char *body = t->spec->body ? t->spec->body : "";

    t->json = asbi_json_new(t->api->mem, TEMPLATE_MAX);
    if (!t->json)
        return ASB_ENOMEM;
    int rc = asbi_json_parse(t->json, body, strlen(body));
    const struct asbi_json_node *root = rc ? NULL : asbi_json_root(t->json);
    if (rc == ASB_ENOMEM)
        return rc;
    if (rc || root->type != ASBI_JSON_OBJECT)
        return asbi_fail(why, ASB_ECONFIG,
                         "body: must be one JSON object, such as "
                         "{\"q\": [], \"target\": \"{target_lang}\"}");
    if (t->api->form)
        put_fields(t, root);
    else
        put_members(t, root, t->spec->texts);
    if (!t->placed)
        return asbi_fail(why, ASB_ECONFIG,
                         "texts: the body has nothing at \"%.64s\"",
                         t->spec->texts ? t->spec->texts : "");
    return ASB_OK;
}

/* ---- pointers --------------------------------------------------------- */

/* "/a/0/ *" becomes "a.0.*", the form of path tables. */
static int read_pointer(struct asbi_json_api *api, const char *option,
                        const char *pointer, enum asbi_path_mode mode,
                        enum asbi_reply_field field, struct asb_message *why)
{
    enum { MOST_SEGMENTS = 12 };
    size_t n = api->replies.count, segments = 0, at = 0;
    size_t len = pointer ? strlen(pointer) : 0;

    if (len == 0)
        return ASB_OK;
    for (size_t i = 1; i <= len; i++) {
        if (i < len && pointer[i] != '/')
            continue;
        segments++;
        if (i - at - 1 == 0 || i - at - 1 > ASBI_PATH_NAME_MAX)
            segments = MOST_SEGMENTS + 1;
        at = i;
    }
    if (pointer[0] != '/' || segments == 0 || segments > MOST_SEGMENTS ||
        strpbrk(pointer, ".~"))
        return asbi_fail(why, ASB_ECONFIG,
                         "%s: takes a JSON pointer such as /data/*/text, of at "
                         "most %d names without dots",
                         option, MOST_SEGMENTS);
    char *path = asbi_strndup(api->mem, pointer + 1, len - 1);
    if (!path)
        return ASB_ENOMEM;
    for (size_t i = 0; path[i]; i++)
        path[i] = path[i] == '/' ? '.' : path[i];
    api->pointers[n] = path;
    api->paths[n] = (struct asbi_path){ path, mode };
    api->fields[n] = (uint8_t)field;
    api->replies.count++;
    return ASB_OK;
}

/* Elements are what the last "*" stands for; an answer that has none behind it
 * is an element itself. */
static int read_answers(struct asbi_json_api *api, const char *pointer,
                        struct asb_message *why)
{
    const char *star = pointer ? strrchr(pointer, '*') : NULL;

    if (!pointer || !pointer[0])
        return asbi_fail(why, ASB_ECONFIG,
                         "answers: a JSON pointer to them is missing");
    if (!star || star[1] == '\0')
        return read_pointer(api, "answers", pointer, ASBI_PICK_STREAM,
                            ASBI_REPLY_ANSWER, why);
    char *element =
        asbi_strndup(api->mem, pointer, (size_t)(star - pointer) + 1);
    if (!element)
        return ASB_ENOMEM;
    int rc = read_pointer(api, "answers", element, ASBI_PICK_VALUE,
                          ASBI_REPLY_ELEMENT, why);
    asbi_free(api->mem, element);
    return rc ? rc
              : read_pointer(api, "answers", pointer, ASBI_PICK_STREAM,
                             ASBI_REPLY_ELEMENT_ANSWER, why);
}

static int read_pointers(struct asbi_json_api *api,
                         const struct asbi_json_api_spec *spec,
                         struct asb_message *why)
{
    bool adds = spec->usage && strchr(spec->usage, '*');
    int rc = read_answers(api, spec->answers, why);

    if (!rc)
        rc = read_pointer(api, "error", spec->error, ASBI_PICK_VALUE,
                          ASBI_REPLY_ERROR, why);
    if (!rc)
        rc = read_pointer(api, "message", spec->message, ASBI_PICK_VALUE,
                          ASBI_REPLY_MESSAGE, why);
    if (!rc)
        rc = read_pointer(api, "usage", spec->usage, ASBI_PICK_VALUE,
                          adds ? ASBI_REPLY_INPUT_PART : ASBI_REPLY_INPUT, why);
    return rc;
}

/* ---- birth and death -------------------------------------------------- */

static int read_spec(struct asbi_json_api *api,
                     const struct asbi_json_api_spec *spec,
                     struct asb_message *why)
{
    struct body_template t = { .api = api, .spec = spec };

    asbi_buf_c(&api->path, spec->path ? spec->path : "/");
    asbi_buf_c(&api->key_header,
               spec->key_header ? spec->key_header : "Authorization: Bearer");
    asbi_buf_char(&api->key_header, ' ');
    asbi_buf_char(&api->key_header, '\0');
    int rc = read_template(&t, why);
    asbi_json_free(t.json);
    if (!rc)
        rc = read_pointers(api, spec, why);
    if (!rc && (asbi_buf_failed(&api->path) || asbi_buf_failed(&api->head) ||
                asbi_buf_failed(&api->tail) || asbi_buf_failed(&api->name) ||
                asbi_buf_failed(&api->key_header)))
        rc = ASB_ENOMEM;
    return rc;
}

int asbi_json_api_new(const struct asbi_mem *mem,
                      const struct asbi_json_api_spec *spec,
                      struct asbi_json_api **out, struct asb_message *why)
{
    struct asbi_json_api *api = asbi_calloc(mem, 1, sizeof(*api));

    *out = NULL;
    if (!api)
        return ASB_ENOMEM;
    api->mem = mem;
    api->form = spec->encoding && strcmp(spec->encoding, "form") == 0;
    api->one_text = spec->one_text;
    asbi_buf_init(&api->path, mem, 1024);
    asbi_buf_init(&api->key_header, mem, 1024);
    asbi_buf_init(&api->head, mem, TEMPLATE_MAX);
    asbi_buf_init(&api->tail, mem, TEMPLATE_MAX);
    asbi_buf_init(&api->name, mem, TEMPLATE_MAX);
    api->replies.paths = api->paths;
    api->replies.fields = api->fields;
    int rc = read_spec(api, spec, why);
    if (rc) {
        asbi_json_api_free(api);
        return rc;
    }
    *out = api;
    return ASB_OK;
}

void asbi_json_api_free(struct asbi_json_api *api)
{
    if (!api)
        return;
    asbi_buf_fini(&api->path);
    asbi_buf_fini(&api->key_header);
    asbi_buf_fini(&api->head);
    asbi_buf_fini(&api->tail);
    asbi_buf_fini(&api->name);
    for (size_t i = 0; i < ASBI_JSON_API_PATHS; i++)
        asbi_free(api->mem, api->pointers[i]);
    asbi_free(api->mem, api);
}

void asbi_json_api_put_scope(const struct asbi_json_api *api,
                             struct asbi_buf *out)
{
    asbi_buf_str(out, asbi_buf_view(&api->path));
    asbi_buf_str(out, asbi_buf_view(&api->head));
    asbi_buf_str(out, asbi_buf_view(&api->tail));
    for (size_t i = 0; i < api->replies.count; i++) {
        if (api->fields[i] != ASBI_REPLY_ANSWER &&
            api->fields[i] != ASBI_REPLY_ELEMENT_ANSWER)
            continue;
        asbi_buf_char(out, '\n');
        asbi_buf_c(out, api->pointers[i]);
    }
}

/* ---- the dialect ------------------------------------------------------ */

static void put_path(enum asbi_call_way way,
                     const struct asbi_call_style *style, struct asbi_buf *path)
{
    (void)way;
    asbi_buf_str(path, asbi_buf_view(&style->api->path));
}

static void put_headers(asbi_str key, const struct asbi_call_style *style,
                        struct asbi_buf *lines)
{
    asbi_put_typed_headers(style->api->form
                               ? "application/x-www-form-urlencoded"
                               : "application/json",
                           style->api->key_header.data, key, lines);
}

static void encode_form(const struct asbi_array_request *request,
                        const struct asbi_json_api *api, struct asbi_buf *body)
{
    asbi_buf_str(body, asbi_buf_view(&api->head));
    for (size_t i = 0; i < request->count; i++) {
        if (i)
            asbi_buf_char(body, '&');
        asbi_buf_str(body, asbi_buf_view(&api->name));
        asbi_buf_char(body, '=');
        asbi_put_percent(request->texts[i], body);
    }
}

static void encode_array(const struct asbi_array_request *request,
                         const struct asbi_call_style *style,
                         struct asbi_buf *body)
{
    const struct asbi_json_api *api = style->api;

    if (api->form) {
        encode_form(request, api, body);
        return;
    }
    asbi_buf_str(body, asbi_buf_view(&api->head));
    if (api->one_text)
        asbi_json_put_string(body, request->texts[0]);
    else
        asbi_put_texts(request, body);
    asbi_buf_str(body, asbi_buf_view(&api->tail));
}

/* Only what is sent as it is goes this way. */
static void encode_single(const struct asbi_single_request *request,
                          const struct asbi_call_style *style,
                          struct asbi_buf *body)
{
    (void)style;
    asbi_buf_str(body, request->body.len ? request->body : request->messages);
}

static struct asbi_decoder *decoder_new(const struct asbi_mem *mem,
                                        const struct asbi_call_style *style)
{
    return asbi_decoder_new(mem, &style->api->replies);
}

const struct asbi_dialect asbi_dialect_json = {
    .name = "json",
    .path = put_path,
    .headers = put_headers,
    .encode_single = encode_single,
    .encode_array = encode_array,
    .decoder_new = decoder_new,
    ASBI_DECODER_FUNCTIONS,
};

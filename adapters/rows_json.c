/*
 * rows_json.c -- the rules for requests written as a JSON object.
 */
#include "adapters/rows.h"

#include "engine/base/chat_body.h"

/* Every key that means something; all others are fields. */
#define KEYS(X)                               \
    X(ID, "id")                               \
    X(CUSTOM, "custom_id")                    \
    X(METHOD, "method")                       \
    X(URL, "url")                             \
    X(TEXT, "text")                           \
    X(PROMPT, "prompt")                       \
    X(MESSAGES, "messages")                   \
    X(BODY, "body")                           \
    X(MAX_LENGTH, "max_length")               \
    X(MAX_LENGTH_TARGET, "max_length_target") \
    X(MAX_LEN_TARGET, "max_len_target")       \
    X(PRIORITY, "priority")                   \
    X(DEADLINE, "deadline")                   \
    X(TENANT, "tenant")                       \
    X(CONTENT_TYPE, "content_type")           \
    X(TARGET_TEXT, "target_text")             \
    X(OUTPUT, "output")                       \
    X(OP, "op")

enum key {
#define X(name, text) KEY_##name,
    KEYS(X)
#undef X
        KEY_COUNT
};

static const asbi_str names[KEY_COUNT] = {
#define X(name, text) [KEY_##name] = { (text), sizeof(text) - 1 },
    KEYS(X)
#undef X
};

/* The members that mean something; of a repeated one the last. */
struct members {
    struct asbi_rows *rows;
    struct asbi_json *json;
    const struct asbi_json_node *root;
    const struct asbi_json_node *at[KEY_COUNT]; /* NULL: absent or null */
};

/* ASB_OK or ASB_ENOMEM. */
static int collect(struct members *m)
{
    for (const struct asbi_json_node *n = asbi_json_child(m->json, m->root); n;
         n = asbi_json_after(m->json, m->root, n)) {
        asbi_str key = asbi_json_key(m->json, n);

        if (!key.at)
            return ASB_ENOMEM;
        for (size_t i = 0; i < KEY_COUNT; i++) {
            if (key.len == names[i].len && asbi_str_eq(key, names[i]))
                m->at[i] = n->type == ASBI_JSON_NULL ? NULL : n;
        }
    }
    return ASB_OK;
}

static bool is(const struct members *m, enum key key, enum asbi_json_type type)
{
    return m->at[key] && m->at[key]->type == type;
}

/* A string, or a number as it was written; empty and a bad row for what is
 * neither. */
static asbi_str scalar(struct members *m, enum key key)
{
    const struct asbi_json_node *n = m->at[key];

    if (!n)
        return (asbi_str){ NULL, 0 };
    if (n->type == ASBI_JSON_NUMBER)
        return n->raw;
    if (n->type == ASBI_JSON_STRING)
        return asbi_json_text(m->json, n);
    asbi_rows_fail(m->rows, "invalid_field",
                   "\"%s\" must be a string or a number", names[key].at);
    return (asbi_str){ NULL, 0 };
}

static asbi_str string(struct members *m, enum key key)
{
    if (!m->at[key] || m->at[key]->type == ASBI_JSON_STRING)
        return asbi_json_text(m->json, m->at[key]);
    asbi_rows_fail(m->rows, "invalid_field", "\"%s\" must be a string",
                   names[key].at);
    return (asbi_str){ NULL, 0 };
}

static bool is_integer(asbi_str number)
{
    for (size_t i = number.at[0] == '-'; i < number.len; i++) {
        if (number.at[i] < '0' || number.at[i] > '9')
            return false;
    }
    return true;
}

static void set_id(struct members *m, enum key key)
{
    struct asbi_row *row = &m->rows->row;
    asbi_str id = scalar(m, key);

    if (is(m, key, ASBI_JSON_NUMBER)) {
        if (!is_integer(id)) {
            asbi_rows_fail(m->rows, "invalid_field",
                           "\"%s\" must be a string or a whole number",
                           names[key].at);
            return;
        }
        row->id_is_number = true;
    }
    row->request.id = id;
}

/* What is the same for every kind of request. */
static void set_common(struct members *m)
{
    struct asbi_rows *r = m->rows;
    static const enum key lengths[] = { KEY_MAX_LEN_TARGET,
                                        KEY_MAX_LENGTH_TARGET, KEY_MAX_LENGTH };

    for (size_t i = 0; i < 3; i++)
        asbi_rows_set_max_length(r, scalar(m, lengths[i]));
    asbi_rows_set_priority(r, scalar(m, KEY_PRIORITY));
    asbi_rows_set_deadline(r, scalar(m, KEY_DEADLINE));
    r->row.request.tenant = scalar(m, KEY_TENANT);
}

/* At most one of text, prompt, messages and body; true when so. */
static bool one_payload(struct members *m)
{
    static const enum key payloads[] = { KEY_TEXT, KEY_PROMPT, KEY_MESSAGES,
                                         KEY_BODY };
    const char *first = NULL;

    for (size_t i = 0; i < 4; i++) {
        if (!m->at[payloads[i]])
            continue;
        if (first) {
            asbi_rows_fail(m->rows, "ambiguous",
                           "both \"%s\" and \"%s\" are given; keep one", first,
                           names[payloads[i]].at);
            return false;
        }
        first = names[payloads[i]].at;
    }
    return true;
}

static void set_body(struct members *m)
{
    struct asb_request *q = &m->rows->row.request;
    struct asbi_chat_body facts;

    q->payload = ASB_BODY;
    q->url = string(m, KEY_URL);
    if (!is(m, KEY_BODY, ASBI_JSON_OBJECT)) {
        asbi_rows_fail(m->rows, "malformed",
                       "\"body\" must be an object: the provider's request");
        return;
    }
    q->body = m->at[KEY_BODY]->raw;
    asbi_chat_body_read(m->json, m->at[KEY_BODY], &facts);
    q->body_model = facts.model;
    q->body_max_tokens = facts.max_tokens;
}

static void set_messages(struct members *m)
{
    struct asb_request *q = &m->rows->row.request;

    q->payload = ASB_MESSAGES;
    if (!is(m, KEY_MESSAGES, ASBI_JSON_ARRAY)) {
        asbi_rows_fail(m->rows, "malformed",
                       "\"messages\" must be an array of chat messages");
        return;
    }
    q->body = m->at[KEY_MESSAGES]->raw;
    if (m->at[KEY_MESSAGES]->count == 0)
        asbi_rows_fail(m->rows, "no_text",
                       "\"messages\" is empty; give at least one");
}

/* A line of an OpenAI batch file. */
static void set_batch_line(struct members *m)
{
    asbi_str method = string(m, KEY_METHOD);

    m->rows->row.batch_line = true;
    if (!m->at[KEY_BODY]) {
        asbi_rows_fail(m->rows, "no_text",
                       "a batch line needs \"body\", the provider's request");
        return;
    }
    set_body(m);
    if (m->at[KEY_METHOD] && !asbi_str_eq(method, ASBI_STR("POST")))
        asbi_rows_fail(m->rows, "invalid_field", "\"method\" must be POST");
}

/* For a template any key is a field, so only what has the right type is a
 * payload, and nothing need be one. */
static void set_templated(struct members *m)
{
    struct asb_request *q = &m->rows->row.request;

    if (is(m, KEY_TEXT, ASBI_JSON_STRING))
        q->text = asbi_json_text(m->json, m->at[KEY_TEXT]);
    else if (is(m, KEY_PROMPT, ASBI_JSON_STRING))
        q->text = asbi_json_text(m->json, m->at[KEY_PROMPT]);
    else if (is(m, KEY_MESSAGES, ASBI_JSON_ARRAY))
        set_messages(m);
    else if (is(m, KEY_BODY, ASBI_JSON_OBJECT))
        set_body(m);
}

static void set_payload(struct members *m)
{
    struct asb_request *q = &m->rows->row.request;

    if (!one_payload(m))
        return;
    if (m->at[KEY_MESSAGES]) {
        set_messages(m);
    } else if (m->at[KEY_BODY]) {
        set_body(m);
    } else {
        enum key key = m->at[KEY_PROMPT] ? KEY_PROMPT : KEY_TEXT;

        q->payload = key == KEY_PROMPT ? ASB_PROMPT : ASB_TEXT;
        q->text = string(m, key);
        (void)asbi_rows_lacks_text(m->rows, q->text);
    }
}

/* Of a former run; anything else than a string is none. */
static void set_answer(struct members *m)
{
    struct asbi_row *row = &m->rows->row;
    enum key key = m->at[KEY_TARGET_TEXT] ? KEY_TARGET_TEXT : KEY_OUTPUT;

    if (!m->rows->takes_answers || row->error_code ||
        !is(m, key, ASBI_JSON_STRING))
        return;
    row->answer = asbi_json_text(m->json, m->at[key]);
    row->answered = row->answer.len > 0;
}

/* Members of one op only are looked for when it comes. */
static asbi_str text_of(struct members *m, asbi_str key)
{
    return asbi_json_text(m->json, asbi_json_get(m->json, m->root, key));
}

static void set_option(struct members *m)
{
    struct asbi_row *row = &m->rows->row;

    row->option = text_of(m, ASBI_STR("option"));
    row->value = text_of(m, ASBI_STR("value"));
    if (row->option.len == 0 || !row->value.at)
        asbi_rows_fail(m->rows, "invalid_field",
                       "set needs the name of an \"option\" and its \"value\"");
}

/* {"op": ...}; an object that is a request, too, is a request. */
static bool set_control(struct members *m)
{
    static const struct {
        const char *word;
        enum asbi_op op;
    } ops[] = {
        { "flush", ASBI_OP_FLUSH },
        { "cancel", ASBI_OP_CANCEL },
        { "stats", ASBI_OP_STATS },
        { "set", ASBI_OP_SET },
    };
    struct asbi_row *row = &m->rows->row;

    if (!m->at[KEY_OP] || m->at[KEY_TEXT] || m->at[KEY_PROMPT] ||
        m->at[KEY_MESSAGES] || m->at[KEY_BODY] || m->at[KEY_CUSTOM])
        return false;
    asbi_str word = string(m, KEY_OP);
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (asbi_str_eq(word, asbi_str_c(ops[i].word)))
            row->op = ops[i].op;
    }
    set_id(m, KEY_ID);
    if (row->op == ASBI_OP_ITEM)
        asbi_rows_fail(m->rows, "invalid_field",
                       "\"op\" is unknown; write flush, cancel, stats or set");
    if (row->op == ASBI_OP_CANCEL && row->request.id.len == 0)
        asbi_rows_fail(m->rows, "invalid_field",
                       "cancel needs the \"id\" of an item");
    if (row->op == ASBI_OP_SET)
        set_option(m);
    if (row->error_code)
        row->op = ASBI_OP_ITEM; /* answered as a failed item */
    return true;
}

/* Strings with escapes need memory; without it they look like no string. */
static bool out_of_memory(struct members *m)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (is(m, (enum key)i, ASBI_JSON_STRING) &&
            !asbi_json_text(m->json, m->at[i]).at)
            return true;
    }
    return false;
}

int asbi_rows_from_json(struct asbi_rows *r, struct asbi_json *json,
                        bool wants_fields, bool controls)
{
    struct members m = { .rows = r, .json = json };

    m.root = asbi_json_root(json);
    if (m.root->type != ASBI_JSON_OBJECT) {
        asbi_rows_fail(r, "malformed",
                       "not an object; write {\"id\": ..., \"text\": ...}");
        return ASB_OK;
    }
    if (collect(&m) || out_of_memory(&m))
        return ASB_ENOMEM;
    if (controls && set_control(&m))
        return ASB_OK;
    set_id(&m, m.at[KEY_CUSTOM] ? KEY_CUSTOM : KEY_ID);
    set_common(&m);
    if (m.at[KEY_CUSTOM])
        set_batch_line(&m);
    else if (wants_fields)
        set_templated(&m);
    else
        set_payload(&m);
    if (wants_fields || m.at[KEY_CONTENT_TYPE])
        r->row.request.fields = m.root->raw;
    set_answer(&m);
    return ASB_OK;
}

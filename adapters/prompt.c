/*
 * prompt.c -- task "prompt": the user's own words for each item.
 *
 * Instructions that name a field, {{name}}, are a template: each item is the
 * template with its fields filled in, {{text}} being the item's text.  Without
 * any field they are what is to be done with each text, said once for all.
 */
#include "adapters/task_kind.h"
#include "engine/base/error.h"
#include "engine/base/json.h"

enum {
    FIELDS_MAX = 16 << 20, /* bytes of one item's fields */
    MOST_PARTS = 256,
    FIELD_NAME_MAX = 64,
};

/* A run of the template's own text, then a field (empty after the last). */
struct part {
    asbi_str text;
    asbi_str field;
};

struct prompt {
    char *template;
    struct part parts[MOST_PARTS];
    size_t count; /* 0: no template, the text stands for itself */
    struct asbi_json *json;
};

static bool is_field_name(asbi_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || strchr("_-.", c) ||
                  (unsigned char)c >= 0x80;

        if (!ok || !c)
            return false;
    }
    return name.len > 0 && name.len <= FIELD_NAME_MAX;
}

/* The first {{name}} of `s`: *before is what stands in front of it; `s` moves
 * behind it.  False when there is none. */
static bool take_field(asbi_str *s, struct part *part)
{
    for (size_t i = 0; i + 4 < s->len; i++) {
        if (s->at[i] != '{' || s->at[i + 1] != '{')
            continue;
        size_t end = i + 2;
        while (end + 1 < s->len && end - i < FIELD_NAME_MAX + 16 &&
               s->at[end] != '}' && s->at[end] != '{')
            end++;
        asbi_str name = asbi_str_of(s->at + i + 2, end - i - 2);
        name = asbi_str_trim(name);
        if (end + 1 >= s->len || s->at[end] != '}' || s->at[end + 1] != '}' ||
            !is_field_name(name))
            continue;
        *part = (struct part){ asbi_str_of(s->at, i), name };
        *s = asbi_str_of(s->at + end + 2, s->len - end - 2);
        return true;
    }
    return false;
}

static int compile(struct prompt *p, asbi_str rest, struct asb_message *why)
{
    while (p->count < MOST_PARTS - 1 && take_field(&rest, &p->parts[p->count]))
        p->count++;
    struct part more;
    asbi_str tail = rest;
    if (take_field(&tail, &more))
        return asbi_fail(why, ASB_ECONFIG, "the template names over %d fields",
                         MOST_PARTS - 1);
    if (p->count)
        p->parts[p->count++] = (struct part){ .text = rest };
    return ASB_OK;
}

static void put_system(struct asbi_buf *out, bool template,
                       const struct asbi_task_material *material)
{
    if (template)
        asbi_buf_c(out, "Each item's text is a request of its own. Answer "
                        "each one separately.\n\n");
    else
        asbi_buf_c(out, "Do the task below with each item's text, "
                        "separately.\n\n");
    asbi_put_packing_rules(out, "the complete answer to that item and nothing "
                                "else. An answer that is itself JSON is "
                                "written as a string, too.");
    if (!template)
        asbi_put_section(out, "Task", material->instructions);
    asbi_put_section(out, "Style guide", material->style);
}

static int setup(struct asbi_task *task,
                 const struct asbi_task_material *material,
                 struct asb_message *why)
{
    asbi_str instructions = asbi_str_trim(material->instructions);
    struct prompt *p = asbi_calloc(task->mem, 1, sizeof(*p));

    if (!p)
        return ASB_ENOMEM;
    task->state = p;
    p->template = asbi_strndup(task->mem, instructions.at, instructions.len);
    p->json = asbi_json_new(task->mem, FIELDS_MAX);
    if (!p->template || !p->json)
        return ASB_ENOMEM;
    int rc = compile(p, asbi_str_of(p->template, instructions.len), why);
    if (!rc)
        put_system(&task->system, p->count > 0 || !instructions.len, material);
    return rc;
}

static void teardown(struct asbi_task *task)
{
    struct prompt *p = task->state;

    if (!p)
        return;
    asbi_json_free(p->json);
    asbi_free(task->mem, p->template);
    asbi_free(task->mem, p);
}

static bool wants_fields(const struct asbi_task *task)
{
    const struct prompt *p = task->state;

    return p->count > 0;
}

/* A string as its text, other values as JSON; false when absent or null. */
static bool put_field(struct prompt *p, const struct asbi_json_node *fields,
                      asbi_str name, asbi_str text, struct asbi_buf *out)
{
    const struct asbi_json_node *node = asbi_json_get(p->json, fields, name);

    if (!node && asbi_str_eq(name, ASBI_STR("text")) && text.at) {
        asbi_buf_str(out, text);
        return true;
    }
    if (!node || node->type == ASBI_JSON_NULL)
        return false;
    if (node->type != ASBI_JSON_STRING) {
        asbi_buf_str(out, node->raw);
        return true;
    }
    asbi_str value = asbi_json_text(p->json, node);
    if (value.at)
        asbi_buf_str(out, value);
    else
        out->failed = true; /* no memory to unescape it in */
    return true;
}

/* No answer can mend what the item lacks. */
static bool refuse(struct asbi_faults *faults, const char *code,
                   const char *what, asbi_str name)
{
    struct asbi_note *note = asbi_fault(faults, code);

    asbi_note_str(note, asbi_str_c(what));
    asbi_note_str(note, name);
    faults->verdict->retryable = false;
    return false;
}

static bool fill_in(struct prompt *p, const struct asbi_json_node *fields,
                    asbi_str text, struct asbi_buf *out,
                    struct asbi_faults *faults)
{
    size_t before = out->len;

    for (size_t i = 0; i < p->count; i++) {
        const struct part *part = &p->parts[i];

        asbi_buf_str(out, part->text);
        if (!part->field.len || put_field(p, fields, part->field, text, out))
            continue;
        out->len = before;
        return refuse(faults, "missing_field",
                      "the item lacks a field of the template: ", part->field);
    }
    return true;
}

static bool render(struct asbi_task *task, asbi_str text, asbi_str fields,
                   struct asbi_buf *out, struct asbi_faults *faults)
{
    struct prompt *p = task->state;

    if (p->count == 0) {
        asbi_buf_str(out, text);
        return true;
    }
    if (!fields.len)
        return fill_in(p, NULL, text, out, faults);
    int rc = asbi_json_parse(p->json, fields.at, fields.len);
    if (rc == ASB_ENOMEM) {
        out->failed = true;
        return true;
    }
    if (rc || asbi_json_root(p->json)->type != ASBI_JSON_OBJECT)
        return refuse(faults, "malformed_fields",
                      "the item's fields are not one JSON object",
                      ASBI_STR(""));
    return fill_in(p, asbi_json_root(p->json), text, out, faults);
}

static void check(struct asbi_task *task, const struct asbi_answer *answer,
                  asbi_str *accepted, struct asbi_faults *faults)
{
    (void)task;
    if (asbi_str_trim(answer->output).len == 0)
        asbi_note_str(asbi_fault(faults, "empty_output"),
                      ASBI_STR("the output is empty"));
    asbi_check_length(*accepted, answer->max_length, faults);
}

const struct asbi_task_kind asbi_task_prompt = {
    .name = "prompt",
    .packs = true,
    .keeps_json = true,
    .setup = setup,
    .teardown = teardown,
    .wants_fields = wants_fields,
    .render = render,
    .check = check,
};

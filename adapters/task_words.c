#include "adapters/task_kind.h"

#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/base/utf8.h"

enum { MATERIAL_MAX = 1 << 20 };

struct asbi_note *asbi_fault(struct asbi_faults *faults, const char *code)
{
    if (faults->verdict->code)
        asbi_note_str(&faults->note, ASBI_STR("; "));
    else
        faults->verdict->code = code;
    faults->verdict->retryable = true;
    return &faults->note;
}

void asbi_put_packing_rules(struct asbi_buf *out, const char *output)
{
    asbi_buf_c(
        out,
        "The last message ends with one JSON object:\n"
        "{\"items\":[{\"id\":\"...\",\"text\":\"...\"}]}\n"
        "Answer with one JSON object and nothing before or after it:\n"
        "{\"items\":[{\"id\":\"...\",\"output\":\"...\"}]}\n"
        "\n"
        "Rules:\n"
        "- Give back every id exactly once and unchanged, with its own "
        "answer. Never merge, split, skip, add or reorder content between "
        "items.\n"
        "- Treat each item as if it stood alone. Nothing in one item's text "
        "may change the answer to another.\n"
        "- An item may have a \"note\": what was wrong with an earlier answer "
        "to it. Put that right.\n"
        "- \"output\" is a string: ");
    asbi_buf_c(out, output);
    asbi_buf_c(out, "\n");
}

void asbi_put_section(struct asbi_buf *out, const char *title, asbi_str text)
{
    text = asbi_str_trim(text);
    if (!text.len)
        return;
    asbi_buf_fmt(out, "\n%s:\n\"\"\"\n", title);
    asbi_buf_str(out, text);
    asbi_buf_c(out, "\n\"\"\"\n");
}

static int check_part(const char *name, asbi_str text, size_t *left,
                      struct asb_message *why)
{
    if (text.len && !asbi_utf8_valid(text.at, text.len))
        return asbi_fail(why, ASB_ECONFIG,
                         "%s is not valid UTF-8; save it as "
                         "UTF-8",
                         name);
    if (text.len > *left)
        return asbi_fail(why, ASB_ECONFIG,
                         "instructions, style guide and glossary are over %d "
                         "bytes together, and every call would carry them; "
                         "shorten them",
                         MATERIAL_MAX);
    *left -= text.len;
    return ASB_OK;
}

int asbi_check_material(const struct asbi_task_material *material,
                        struct asb_message *why)
{
    size_t left = MATERIAL_MAX;
    int rc = check_part("the instructions", material->instructions, &left, why);

    if (!rc)
        rc = check_part("the style guide", material->style, &left, why);
    if (!rc)
        rc = check_part("the label list", material->labels, &left, why);
    for (size_t i = 0; !rc && i < material->term_count; i++) {
        const struct asbi_term *term = &material->terms[i];

        rc = check_part("the glossary", term->source, &left, why);
        if (!rc)
            rc = check_part("the glossary", term->target, &left, why);
        if (!rc)
            rc = check_part("the glossary", term->notes, &left, why);
    }
    return rc;
}

static bool is_number(asbi_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!s.at[i] || !strchr("0123456789+-.eE", s.at[i]))
            return false;
    }
    return s.len > 0;
}

bool asbi_answer_text(const struct asbi_answer *answer, size_t most,
                      asbi_str *text, struct asbi_faults *faults)
{
    *text = answer->output;
    if (!answer->is_json)
        return true;
    asbi_str raw = asbi_str_trim(answer->output);
    if (is_number(raw) &&
        (most == 0 || asbi_utf8_length(answer->text) <= most)) {
        *text = raw;
        return true;
    }
    asbi_note_str(asbi_fault(faults, "not_text"),
                  ASBI_STR("the output must be a JSON string"));
    return false;
}

void asbi_check_length(asbi_str text, uint32_t max_length,
                       struct asbi_faults *faults)
{
    /* No text has more characters than bytes. */
    if (!max_length || text.len <= max_length)
        return;
    size_t length = asbi_utf8_length(text);
    if (length > max_length)
        asbi_note_fmt(asbi_fault(faults, "too_long"),
                      "%zu characters, at most %lu allowed", length,
                      (unsigned long)max_length);
}

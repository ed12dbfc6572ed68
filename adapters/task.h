/*
 * task.h -- what is asked of a model for each item, and whether an answer will
 * do.
 *
 * A task is made once for a job: its constant prompt is computed then and
 * stays the same, byte for byte.  Checking an answer is pure.
 */
#ifndef ASBI_ADAPTERS_TASK_H
#define ASBI_ADAPTERS_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/dialect.h"
#include "engine/base/buf.h"
#include "engine/base/mem.h"
#include "engine/base/str.h"

/* One binding term of a glossary. */
struct asbi_term {
    asbi_str source, target;
    asbi_str notes; /* may be empty */
};

/* Prompt material, as read from the user's files.  Borrowed for task_new(). */
struct asbi_task_material {
    const char *source_lang; /* "zh-CN"; NULL: let the model see */
    const char *target_lang; /* "ru" */
    asbi_str instructions;   /* extra rules; for classify and prompt the task */
    asbi_str style;          /* style guide, Markdown */
    const struct asbi_term *terms; /* the glossary, in its order */
    size_t term_count;
    asbi_str labels; /* classify: comma separated */
    bool examples;   /* items may come with one: see asbi_prompt_item */
};

struct asbi_task;

/* Why an answer will not do. */
struct asbi_verdict_on_item {
    const char *code; /* "placeholder_mismatch"; NULL when it will do */
    /* For people, and told to the model at the next attempt: what is wrong,
     * naming placeholders and lengths, no more. */
    char message[256];
    bool retryable; /* false: asking again cannot help */
};

/**
 * @param name  "translate", "classify", "prompt", "raw", "embed", "moderate",
 *               "video", "image"
 * @param why   on ASB_ECONFIG says which material is missing or wrong
 */
int asbi_task_new(const struct asbi_mem *mem, const char *name,
                  const struct asbi_task_material *material,
                  struct asbi_task **out, struct asb_message *why);
void asbi_task_free(struct asbi_task *task);

/* Whether items of payload ASB_TEXT are packed into shared prompts; else each
 * is a call of its own. */
bool asbi_task_packs(const struct asbi_task *task);

/* Whether items go as a list to an API that takes one, and to which. */
bool asbi_task_array(const struct asbi_task *task, enum asbi_array_kind *kind);

/* Whether items are content requests, each a job of its own; what stands for
 * one is its canonical text (adapters/media_request.h). */
bool asbi_task_is_media(const struct asbi_task *task);

/* Whether an accepted answer that came as JSON (an object, a number) is passed
 * on as such; else it is text, whatever it looked like. */
bool asbi_task_keeps_json(const struct asbi_task *task);

/* Whether an item is made of its fields, which need be no text: the task is a
 * template. */
bool asbi_task_wants_fields(const struct asbi_task *task);

/* The constant prompt; empty for raw, embed and moderate. */
asbi_str asbi_task_system(const struct asbi_task *task);

/* The part of it that decides what an answer is: without what is said of
 * examples. */
asbi_str asbi_task_core(const struct asbi_task *task);

/* classify: the labels; NULL and 0 otherwise. */
const asbi_str *asbi_task_choices(const struct asbi_task *task, size_t *count);

/* What stands for the item in the prompt: its text, or for task prompt the
 * template filled in from `fields` (a JSON object).  Appends to `out`; false
 * with the reason in `verdict` when a field is missing. */
bool asbi_task_render(struct asbi_task *task, asbi_str text, asbi_str fields,
                      struct asbi_buf *out,
                      struct asbi_verdict_on_item *verdict);

/* Judges an answer to `text`, the item as the user gave it.  On success
 * *accepted is what to deliver: a part of `output`, or for classify the label
 * as it is spelt in the list, which lives as long as the task. */
void asbi_task_check(struct asbi_task *task, asbi_str text, uint32_t max_length,
                     asbi_str output, bool is_json, asbi_str *accepted,
                     struct asbi_verdict_on_item *verdict);

#endif

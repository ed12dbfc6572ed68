/*
 * task_kind.h -- what the tasks behind task.h have in common: the table each
 * fills in, the words all packed prompts share, the checks any answer passes.
 */
#ifndef ASBI_ADAPTERS_TASK_KIND_H
#define ASBI_ADAPTERS_TASK_KIND_H

#include "adapters/media_request.h"
#include "adapters/note.h"
#include "adapters/task.h"

/* Collects what is wrong with one answer; the first fault gives the code. */
struct asbi_faults {
    struct asbi_verdict_on_item *verdict;
    struct asbi_note note; /* in verdict->message */
};

/* One answer under judgement. */
struct asbi_answer {
    asbi_str text; /* the item's */
    uint32_t max_length;
    asbi_str output;
    bool is_json;
};

struct asbi_task_kind {
    const char *name;
    bool packs;
    bool keeps_json; /* see asbi_task_keeps_json() */
    bool is_array;   /* see asbi_task_array() */
    enum asbi_array_kind array;
    bool is_media; /* see asbi_task_is_media() */
    enum asbi_media_type media;
    /* Fills in task->system and task->state; NULL when there is nothing to.
     * What it leaves behind on an error is freed by teardown. */
    int (*setup)(struct asbi_task *task,
                 const struct asbi_task_material *material,
                 struct asb_message *why);
    /* Frees task->state, which may be half made or NULL; may be NULL. */
    void (*teardown)(struct asbi_task *task);
    /* As asbi_task_wants_fields(); NULL when it never does. */
    bool (*wants_fields)(const struct asbi_task *task);
    /* As asbi_task_render(); NULL when the text stands for itself. */
    bool (*render)(struct asbi_task *task, asbi_str text, asbi_str fields,
                   struct asbi_buf *out, struct asbi_faults *faults);
    /* Adds faults or sets *accepted, which is the output to begin with; NULL
     * when every answer will do as it is. */
    void (*check)(struct asbi_task *task, const struct asbi_answer *answer,
                  asbi_str *accepted, struct asbi_faults *faults);
};

struct asbi_task {
    const struct asbi_mem *mem;
    const struct asbi_task_kind *kind;
    struct asbi_buf system;
    size_t core_len; /* of system: see asbi_task_core() */
    void *state;     /* the kind's own */
    const asbi_str *choices;
    size_t choice_count;
};

extern const struct asbi_task_kind asbi_task_translate;
extern const struct asbi_task_kind asbi_task_classify;
extern const struct asbi_task_kind asbi_task_prompt;
extern const struct asbi_task_kind asbi_task_raw;
extern const struct asbi_task_kind asbi_task_embed;
extern const struct asbi_task_kind asbi_task_moderate;
extern const struct asbi_task_kind asbi_task_video;
extern const struct asbi_task_kind asbi_task_image;

/* Where to write about the next fault, after those before it. */
struct asbi_note *asbi_fault(struct asbi_faults *faults, const char *code);

/* ---- prompts: task_words.c --------------------------------------------- */

/* What all packed prompts say about their items and the answer's form; `output`
 * tells what the model is to put there. */
void asbi_put_packing_rules(struct asbi_buf *out, const char *output);

/* A titled part, fenced so that it is seen where it ends; nothing when the
 * text is only white space. */
void asbi_put_section(struct asbi_buf *out, const char *title, asbi_str text);

/* Refuses material that is not UTF-8 or, all together, too large for a prompt.
 * ASB_OK or ASB_ECONFIG. */
int asbi_check_material(const struct asbi_task_material *material,
                        struct asb_message *why);

/* ---- checks: task_words.c ----------------------------------------------- */

/* The answer as text: itself, or a JSON number as it is written, when the
 * item's text has at most `most` code points (0: whatever it has): a bare
 * number cannot stand for a sentence.  False, and a fault "not_text", for
 * other JSON. */
bool asbi_answer_text(const struct asbi_answer *answer, size_t most,
                      asbi_str *text, struct asbi_faults *faults);

/* Fault "too_long" when over `max_length` code points. */
void asbi_check_length(asbi_str text, uint32_t max_length,
                       struct asbi_faults *faults);

#endif

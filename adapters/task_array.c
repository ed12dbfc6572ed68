/*
 * task_array.c -- tasks "embed" and "moderate": the API itself takes a list of
 * texts, and there is no prompt.
 */
#include "adapters/task_kind.h"

static void check_json(const struct asbi_answer *answer, char first,
                       const char *wanted, struct asbi_faults *faults)
{
    asbi_str s = asbi_str_trim(answer->output);

    if (!answer->is_json || s.len < 2 || s.at[0] != first)
        asbi_note_fmt(asbi_fault(faults, "answer_malformed"),
                      "the answer is no %s", wanted);
}

static void check_embedding(struct asbi_task *task,
                            const struct asbi_answer *answer,
                            asbi_str *accepted, struct asbi_faults *faults)
{
    (void)task;
    (void)accepted;
    check_json(answer, '[', "list of numbers", faults);
}

static void check_moderation(struct asbi_task *task,
                             const struct asbi_answer *answer,
                             asbi_str *accepted, struct asbi_faults *faults)
{
    (void)task;
    (void)accepted;
    check_json(answer, '{', "JSON object", faults);
}

const struct asbi_task_kind asbi_task_embed = {
    .name = "embed",
    .keeps_json = true,
    .is_array = true,
    .array = ASBI_EMBED,
    .check = check_embedding,
};

const struct asbi_task_kind asbi_task_moderate = {
    .name = "moderate",
    .keeps_json = true,
    .is_array = true,
    .array = ASBI_MODERATE,
    .check = check_moderation,
};

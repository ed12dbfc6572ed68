/*
 * raw.c -- task "raw": the item is the request, the answer is the answer.
 */
#include "adapters/task_kind.h"

static int setup(struct asbi_task *task,
                 const struct asbi_task_material *material,
                 struct asb_message *why)
{
    (void)task;
    (void)material;
    (void)why;
    return ASB_OK;
}

static void check(struct asbi_task *task, const struct asbi_answer *answer,
                  asbi_str *accepted, struct asbi_faults *faults)
{
    (void)task;
    (void)answer;
    (void)accepted;
    (void)faults;
}

const struct asbi_task_kind asbi_task_raw = {
    .name = "raw",
    .setup = setup,
    .check = check,
};

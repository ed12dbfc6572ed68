/*
 * raw.c -- task "raw": the item is the request, the answer is the answer.
 */
#include "adapters/task_kind.h"

const struct asbi_task_kind asbi_task_raw = {
    .name = "raw",
};

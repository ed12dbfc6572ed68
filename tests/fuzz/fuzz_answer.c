/*
 * fuzz_answer.c -- any text as the answer to any other: never a fault in what
 * judges it, and a refusal has a name and a reason.
 *
 * The first byte chooses the task, the second the most length; the rest is
 * split at its first NUL into source and answer.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/task.h"
#include "engine/base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct asbi_task *tasks[3];

static struct asbi_task *task_of(unsigned which)
{
    static const char *const names[] = { "translate", "classify", "prompt" };
    const struct asbi_task_material material = {
        .source_lang = "zh",
        .target_lang = "ru",
        .instructions = ASBI_STR("Say {text} with {name}."),
        .labels = ASBI_STR("good,bad,42"),
    };
    struct asb_message why;

    if (!tasks[which] && asbi_task_new(&asbi_mem_system, names[which],
                                       &material, &tasks[which], &why))
        abort();
    return tasks[which];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct asbi_verdict_on_item verdict = { .code = NULL };

    if (size < 2)
        return 0;
    const char *at = (const char *)data + 2;
    size_t len = size - 2;
    const char *nul = len ? memchr(at, '\0', len) : NULL;
    asbi_str source = asbi_str_of(at, nul ? (size_t)(nul - at) : len);
    asbi_str answer = nul ? asbi_str_of(nul + 1, len - source.len - 1) : source;
    asbi_str accepted = answer;

    if (!asbi_utf8_valid(at, len)) /* is never asked */
        return 0;
    asbi_task_check(task_of(data[0] % 3), source, data[1], answer,
                    data[0] & 128, &accepted, &verdict);
    if (verdict.code && !verdict.message[0])
        abort();
    if (!verdict.code && data[1] && data[0] % 3 == 0 &&
        accepted.len > 4U * data[1])
        abort(); /* longer than so many characters can be */
    return 0;
}

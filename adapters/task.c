#include "adapters/task.h"

#include "adapters/task_kind.h"
#include "engine/base/error.h"

/* Escapes included, more than checked material can become. */
enum { SYSTEM_MAX = 16 << 20 };

/* Adding a task is one file and one line here. */
static const struct asbi_task_kind *const kinds[] = {
    &asbi_task_translate, &asbi_task_classify, &asbi_task_prompt,
    &asbi_task_raw,       &asbi_task_embed,    &asbi_task_moderate,
    &asbi_task_video,     &asbi_task_image,
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static const char about_examples[] =
    "\nAn item may have an \"example\": a text like its own, with the answer "
    "to "
    "that one. Follow it in style and terms; what is answered is the item's "
    "own text, to the last word and number.\n";

static const struct asbi_task_kind *find(const char *name)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (name && strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    }
    return NULL;
}

static int refuse_name(const char *name, struct asb_message *why)
{
    char text[128];
    struct asbi_note known;

    asbi_note_init(&known, text, sizeof(text));
    for (size_t i = 0; i < KINDS; i++)
        asbi_note_fmt(&known, "%s%s", i ? ", " : "", kinds[i]->name);
    return asbi_fail(why, ASB_ECONFIG, "no task is named \"%.64s\"; known: %s",
                     name ? name : "", text);
}

int asbi_task_new(const struct asbi_mem *mem, const char *name,
                  const struct asbi_task_material *material,
                  struct asbi_task **out, struct asb_message *why)
{
    const struct asbi_task_kind *kind = find(name);

    *out = NULL;
    if (!kind)
        return refuse_name(name, why);
    int rc = asbi_check_material(material, why);
    if (rc)
        return rc;
    struct asbi_task *task = asbi_calloc(mem, 1, sizeof(*task));
    if (!task)
        return ASB_ENOMEM;
    task->mem = mem;
    task->kind = kind;
    asbi_buf_init(&task->system, mem, SYSTEM_MAX);
    rc = kind->setup ? kind->setup(task, material, why) : ASB_OK;
    task->core_len = task->system.len;
    if (!rc && material->examples && kind->packs)
        asbi_buf_c(&task->system, about_examples);
    if (!rc && asbi_buf_failed(&task->system))
        rc = ASB_ENOMEM;
    if (rc) {
        asbi_task_free(task);
        return rc;
    }
    *out = task;
    return ASB_OK;
}

void asbi_task_free(struct asbi_task *task)
{
    if (!task)
        return;
    if (task->kind->teardown)
        task->kind->teardown(task);
    asbi_buf_fini(&task->system);
    asbi_free(task->mem, task);
}

bool asbi_task_packs(const struct asbi_task *task)
{
    return task->kind->packs;
}

bool asbi_task_array(const struct asbi_task *task, enum asbi_array_kind *kind)
{
    *kind = task->kind->array;
    return task->kind->is_array;
}

bool asbi_task_is_media(const struct asbi_task *task)
{
    return task->kind->is_media;
}

bool asbi_task_keeps_json(const struct asbi_task *task)
{
    return task->kind->keeps_json;
}

bool asbi_task_wants_fields(const struct asbi_task *task)
{
    return task->kind->wants_fields && task->kind->wants_fields(task);
}

asbi_str asbi_task_system(const struct asbi_task *task)
{
    return asbi_buf_view(&task->system);
}

asbi_str asbi_task_core(const struct asbi_task *task)
{
    return asbi_str_of(task->system.data, task->core_len);
}

const asbi_str *asbi_task_choices(const struct asbi_task *task, size_t *count)
{
    *count = task->choice_count;
    return task->choices;
}

static struct asbi_faults faults_into(struct asbi_verdict_on_item *verdict)
{
    struct asbi_faults faults = { .verdict = verdict };

    verdict->code = NULL;
    verdict->retryable = false;
    asbi_note_init(&faults.note, verdict->message, sizeof(verdict->message));
    return faults;
}

/* Without NULL, so that the tasks may count with pointers. */
static asbi_str not_null(asbi_str s)
{
    return s.at ? s : ASBI_STR("");
}

bool asbi_task_render(struct asbi_task *task, asbi_str text, asbi_str fields,
                      struct asbi_buf *out,
                      struct asbi_verdict_on_item *verdict)
{
    struct asbi_faults faults = faults_into(verdict);

    if (task->kind->render)
        return task->kind->render(task, text, fields, out, &faults);
    asbi_buf_str(out, text);
    return true;
}

void asbi_task_check(struct asbi_task *task, asbi_str text, uint32_t max_length,
                     asbi_str output, bool is_json, asbi_str *accepted,
                     struct asbi_verdict_on_item *verdict)
{
    struct asbi_faults faults = faults_into(verdict);
    struct asbi_answer answer = { not_null(text), max_length, not_null(output),
                                  is_json };

    *accepted = answer.output;
    if (task->kind->check)
        task->kind->check(task, &answer, accepted, &faults);
}

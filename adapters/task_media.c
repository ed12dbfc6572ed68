/*
 * task_media.c -- tasks "video" and "image": the item is a content request,
 * its text becomes the canonical one, and the answer tells of its artefacts.
 */
#include "adapters/media_request.h"
#include "adapters/task_kind.h"

enum { FIELDS_MAX = 64 << 20 };

static int setup(struct asbi_task *task,
                 const struct asbi_task_material *material,
                 struct asb_message *why)
{
    (void)material;
    (void)why;
    task->state = asbi_json_new(task->mem, FIELDS_MAX);
    return task->state ? ASB_OK : ASB_ENOMEM;
}

static void teardown(struct asbi_task *task)
{
    asbi_json_free(task->state);
}

static bool wants_fields(const struct asbi_task *task)
{
    (void)task;
    return true;
}

static bool refuse(struct asbi_faults *faults, const char *text)
{
    asbi_note_str(asbi_fault(faults, "invalid_field"), asbi_str_c(text));
    faults->verdict->retryable = false;
    return false;
}

static bool render(struct asbi_task *task, asbi_str text, asbi_str fields,
                   struct asbi_buf *out, struct asbi_faults *faults)
{
    struct asbi_json *json = task->state;
    asbi_str object = fields.len ? fields : ASBI_STR("{}");
    struct asbi_media_request request;
    struct asb_message why;

    int rc = asbi_json_parse(json, object.at, object.len);
    if (rc == ASB_ENOMEM) {
        out->failed = true;
        return true;
    }
    if (rc || asbi_json_root(json)->type != ASBI_JSON_OBJECT)
        return refuse(faults, "the item's fields are not one JSON object");
    if (asbi_str_trim(text).len == 0)
        text = asbi_json_text(json, asbi_json_get(json, asbi_json_root(json),
                                                  ASBI_STR("prompt")));
    if (!asbi_media_request_of_row(json, asbi_str_trim(text), task->kind->media,
                                   &request, &why))
        return refuse(faults, why.text);
    asbi_media_request_put(&request, out);
    return true;
}

/* No check: what the engine tells of artefacts is no model's doing. */
#define MEDIA                                             \
    .is_media = true, .keeps_json = true, .setup = setup, \
    .teardown = teardown, .wants_fields = wants_fields, .render = render

const struct asbi_task_kind asbi_task_video = {
    .name = "video",
    .media = ASBI_MEDIA_VIDEO,
    MEDIA,
};

const struct asbi_task_kind asbi_task_image = {
    .name = "image",
    .media = ASBI_MEDIA_IMAGE,
    MEDIA,
};

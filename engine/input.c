#include "engine/input.h"

#include "engine/base/units.h"

enum asbi_format asbi_input_format(const char *name, const char *path)
{
    enum asbi_format format;

    if (name[0] && asbi_format_find(name, &format))
        return format;
    return asbi_format_of_path(path, ASBI_JSONL);
}

void asbi_input_reader_options(const struct asbi_config *c,
                               const struct asbi_task *task,
                               struct asbi_reader_options *out)
{
    *out = (struct asbi_reader_options){
        .format = asbi_input_format(c->input_format, c->input),
        .id_column = c->id_column[0] ? c->id_column : NULL,
        .text_column = c->text_column[0] ? c->text_column : NULL,
        .max_item_bytes = c->max_item_bytes,
        .wants_fields = asbi_task_wants_fields(task),
    };
}

void asbi_input_complete(const struct asbi_config *config,
                         struct asb_request *request)
{
    if (request->priority == ASB_NORMAL)
        request->priority = config->priority;
    if (!request->deadline_ms && config->deadline_ns)
        request->deadline_ms = config->deadline_ns / ASBI_MS;
}

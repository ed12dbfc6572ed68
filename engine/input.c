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

bool asbi_input_is_late(const struct asbi_row *row, uint64_t wall_ms)
{
    return row->due_wall_ms && row->due_wall_ms <= wall_ms;
}

struct asb_request asbi_input_request(const struct asbi_config *config,
                                      const struct asbi_row *row,
                                      uint64_t wall_ms)
{
    struct asb_request request = row->request;

    if (!row->names_class)
        request.priority = config->priority;
    if (row->due_wall_ms > wall_ms)
        request.deadline_ms = row->due_wall_ms - wall_ms;
    if (!request.deadline_ms && config->deadline_ns)
        request.deadline_ms = config->deadline_ns / ASBI_MS;
    return request;
}

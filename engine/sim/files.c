/*
 * files.c -- POST, GET and DELETE /v1/files.
 */
#include "engine/base/json.h"
#include "engine/sim/jobs.h"
#include "engine/sim/multipart.h"

static const struct asbi_sim_file *file_of(const struct asbi_sim_job *job)
{
    return (const struct asbi_sim_file *)(const void *)job;
}

/* As much of `text` as fits, in whole code points, with a NUL. */
static void copy(char *to, size_t size, asbi_str text)
{
    size_t len = text.len < size ? text.len : size - 1;

    while (len < text.len && len > 0 &&
           ((unsigned char)text.at[len] & 0xc0) == 0x80)
        len--;
    memcpy(to, text.at, len);
    to[len] = '\0';
}

int asbi_sim_file_add(struct asbi_sim_turn *turn, asbi_str name,
                      asbi_str purpose, asbi_str data,
                      struct asbi_sim_file **out)
{
    struct asbi_sim_provider *p = turn->p;
    struct asbi_sim_job *job;

    if (p->file_bytes + data.len > (size_t)ASBI_SIM_MAX_FILES_MIB << 20)
        return asbi_sim_refuse(&turn->problem, 413, "storage_full", NULL,
                               "The simulator keeps files of %d MiB together. "
                               "Delete some or start it anew.",
                               ASBI_SIM_MAX_FILES_MIB);
    int rc = asbi_sim_job_new(turn, &p->files, sizeof(struct asbi_sim_file),
                              "file-", &job);
    if (rc)
        return rc;
    struct asbi_sim_file *file = (struct asbi_sim_file *)(void *)job;
    file->data = asbi_strndup(p->mem, data.at, data.len);
    if (!file->data) {
        asbi_free(p->mem, file);
        return ASB_ENOMEM;
    }
    file->len = data.len;
    p->file_bytes += data.len;
    copy(file->name, sizeof(file->name), name);
    copy(file->purpose, sizeof(file->purpose), purpose);
    asbi_list_append(&p->files, &job->link);
    *out = file;
    return ASB_OK;
}

void asbi_sim_file_free(struct asbi_sim_provider *p, struct asbi_sim_file *file)
{
    asbi_list_remove(&file->job.link);
    p->file_bytes -= file->len;
    asbi_free(p->mem, file->data);
    asbi_free(p->mem, file);
}

static void put_file(const struct asbi_sim_job *job, struct asbi_buf *out)
{
    const struct asbi_sim_file *file = file_of(job);

    asbi_buf_fmt(out, "{\"id\":\"%s\",\"object\":\"file\",\"bytes\":%zu,",
                 job->id, file->len);
    asbi_buf_fmt(out,
                 "\"created_at\":%ju,\"filename\":", (uintmax_t)job->created_s);
    asbi_json_put_string(out, asbi_str_c(file->name));
    asbi_buf_c(out, ",\"purpose\":");
    asbi_json_put_string(out, asbi_str_c(file->purpose));
    asbi_buf_c(out, ",\"status\":\"processed\"}");
}

int asbi_sim_post_file(struct asbi_sim_turn *turn)
{
    const struct asbi_sim_request *request = turn->request;
    asbi_str purpose = ASBI_STR(""), name = ASBI_STR(""), data = { NULL, 0 };
    struct asbi_sim_multipart m;
    struct asbi_sim_part part;
    struct asbi_sim_file *file;

    if (!asbi_sim_multipart_begin(&m, request->content_type, request->body))
        return asbi_sim_refuse(&turn->problem, 400, NULL, NULL,
                               "Expected a body of multipart/form-data.");
    while (asbi_sim_multipart_next(&m, &part)) {
        if (asbi_str_eq(part.name, ASBI_STR("purpose")))
            purpose = part.content;
        if (!asbi_str_eq(part.name, ASBI_STR("file")))
            continue;
        data = part.content;
        name = part.filename;
    }
    if (purpose.len == 0 || !data.at)
        return asbi_sim_refuse(
            &turn->problem, 400, "missing_required_parameter",
            data.at ? "purpose" : "file", "Missing required parameter: '%s'.",
            data.at ? "purpose" : "file");
    int rc = asbi_sim_file_add(turn, name, purpose, data, &file);
    if (rc)
        return rc;
    asbi_sim_call_header(turn->call, "Content-Type", "application/json");
    put_file(&file->job, &turn->call->body);
    return ASB_OK;
}

int asbi_sim_list_files(struct asbi_sim_turn *turn)
{
    asbi_sim_put_list(turn, &turn->p->files, put_file);
    return ASB_OK;
}

int asbi_sim_get_file(struct asbi_sim_turn *turn)
{
    const struct asbi_sim_job *job =
        asbi_sim_job_of_path(turn, &turn->p->files, "File");
    asbi_str verb;

    if (!job)
        return ASB_EINVAL;
    (void)asbi_sim_job_id(turn, &verb);
    if (asbi_str_eq(verb, ASBI_STR("content"))) {
        asbi_sim_call_header(turn->call, "Content-Type",
                             "application/octet-stream");
        asbi_buf_add(&turn->call->body, file_of(job)->data, file_of(job)->len);
    } else {
        asbi_sim_call_header(turn->call, "Content-Type", "application/json");
        put_file(job, &turn->call->body);
    }
    return ASB_OK;
}

int asbi_sim_delete_file(struct asbi_sim_turn *turn)
{
    struct asbi_sim_job *job =
        asbi_sim_job_of_path(turn, &turn->p->files, "File");

    if (!job)
        return ASB_EINVAL;
    asbi_sim_put_deleted(turn, job, "file");
    asbi_sim_file_free(turn->p, (struct asbi_sim_file *)(void *)job);
    return ASB_OK;
}

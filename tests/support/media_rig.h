/*
 * media_rig.h -- for tests of shapes: a request as a row, what is written of
 * it; an answer as a literal, what is read in it.
 */
#ifndef ASBI_TESTS_MEDIA_RIG_H
#define ASBI_TESTS_MEDIA_RIG_H

#include "adapters/media.h"
#include "tests/support/check.h"

struct media_rig {
    const struct asbi_media_shape *shape;
    struct asbi_json *json;
    struct asbi_buf path, body, address, headers;
    struct asbi_media_status status;
};

static inline struct media_rig media_rig_new(const char *shape)
{
    struct media_rig r = { .shape = asbi_media_shape_find(shape) };

    CHECK(r.shape != NULL);
    r.json = asbi_json_new(&asbi_mem_system, 1 << 20);
    CHECK(r.json != NULL);
    asbi_buf_init(&r.path, &asbi_mem_system, 1 << 16);
    asbi_buf_init(&r.body, &asbi_mem_system, 1 << 16);
    asbi_buf_init(&r.address, &asbi_mem_system, 1 << 16);
    asbi_buf_init(&r.headers, &asbi_mem_system, 1 << 16);
    return r;
}

static inline void media_rig_free(struct media_rig *r)
{
    asbi_json_free(r->json);
    asbi_buf_fini(&r->path);
    asbi_buf_fini(&r->body);
    asbi_buf_fini(&r->address);
    asbi_buf_fini(&r->headers);
}

/* What is sent for a row. */
static inline void media_submit(struct media_rig *r, const char *row,
                                const char *path, const char *body)
{
    struct asbi_media_request request;

    asbi_buf_clear(&r->path);
    asbi_buf_clear(&r->body);
    CHECK(asbi_media_request_read(r->json, asbi_str_c(row), &request));
    r->shape->submit(&request, &r->path, &r->body);
    CHECK(!asbi_buf_failed(&r->path) && !asbi_buf_failed(&r->body));
    CHECK_STR(asbi_buf_view(&r->path), path);
    CHECK_STR(asbi_buf_view(&r->body), body);
    CHECK_INT(asbi_json_parse(r->json, r->body.data, r->body.len), ==, ASB_OK);
}

static inline const struct asbi_media_status *
media_answer_of(struct media_rig *r, enum asbi_media_type type,
                const char *answer)
{
    CHECK_INT(asbi_json_parse(r->json, answer, strlen(answer)), ==, ASB_OK);
    asbi_media_read(r->shape, type, r->json, asbi_json_root(r->json),
                    &r->status);
    return &r->status;
}

static inline const struct asbi_media_status *media_answer(struct media_rig *r,
                                                           const char *answer)
{
    return media_answer_of(r, ASBI_MEDIA_VIDEO, answer);
}

/* Where the job is that the last answer told of, submitted to `path`. */
static inline void media_address(struct media_rig *r, const char *path,
                                 const char *address)
{
    asbi_buf_clear(&r->address);
    CHECK(asbi_media_put_address(r->shape, &r->status, asbi_str_c(path),
                                 &r->address));
    CHECK_STR(asbi_buf_view(&r->address), address);
}

static inline bool media_has_header(struct media_rig *r, const char *key,
                                    const char *line)
{
    bool found = false;

    asbi_buf_clear(&r->headers);
    r->shape->headers(asbi_str_c(key), &r->headers);
    for (size_t at = 0; at < r->headers.len;
         at += strlen(r->headers.data + at) + 1)
        found = found || strcmp(r->headers.data + at, line) == 0;
    return found;
}

#endif

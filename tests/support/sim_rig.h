/*
 * sim_rig.h -- for tests of the simulated provider: requests as literals, and a
 * look into the answers.
 */
#ifndef ASBI_TESTS_SIM_RIG_H
#define ASBI_TESTS_SIM_RIG_H

#include "engine/base/json.h"
#include "engine/base/units.h"
#include "engine/sim/provider.h"
#include "tests/support/check.h"

#define CHAT "/v1/chat/completions"
#define USER(text)                                                             \
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":" text "}]" \
    "}"
#define PACKED(items) USER("\"Do: {\\\"items\\\":[" items "]}\"")
#define ITEM(id, text) \
    "{\\\"id\\\":\\\"" id "\\\",\\\"text\\\":\\\"" text "\\\"}"
#define THREE ITEM("a", "one") "," ITEM("b", "two") "," ITEM("c", "three")

/* A provider and the last call it took. */
struct rig {
    struct asbi_sim_provider *p;
    struct asbi_sim_call *call;
    struct asbi_json *json, *inner;
    const char *content_type; /* of requests; NULL for none */
    uint64_t now_ns;          /* of take() */
};

static inline struct rig rig_new(const struct asbi_sim_options *options)
{
    struct rig r = { 0 };

    CHECK_INT(asbi_sim_provider_new(&asbi_mem_system, options, &r.p), ==, 0);
    r.json = asbi_json_new(&asbi_mem_system, 1 << 24);
    r.inner = asbi_json_new(&asbi_mem_system, 1 << 24);
    CHECK(r.json && r.inner);
    return r;
}

static inline void drop_call(struct rig *r)
{
    if (r->call && r->call->started)
        (void)asbi_sim_provider_finish(r->p, r->call, 0);
    asbi_sim_call_free(r->call);
    r->call = NULL;
}

static inline void rig_free(struct rig *r)
{
    drop_call(r);
    asbi_sim_provider_free(r->p);
    asbi_json_free(r->json);
    asbi_json_free(r->inner);
}

static inline struct asbi_sim_call *take_at(struct rig *r, const char *method,
                                            const char *path, asbi_str body,
                                            uint64_t now_ns)
{
    struct asbi_sim_request request = { .method = asbi_str_c(method),
                                        .path = asbi_str_c(path),
                                        .body = body,
                                        .content_type =
                                            asbi_str_c(r->content_type),
                                        .wall_s = 1700000000 };

    CHECK_INT(asbi_sim_provider_take(r->p, &request, now_ns, &r->call), ==, 0);
    return r->call;
}

static inline struct asbi_sim_call *take(struct rig *r, const char *path,
                                         const char *body)
{
    drop_call(r);
    return take_at(r, *body ? "POST" : "GET", path, asbi_str_c(body),
                   r->now_ns);
}

static inline const char *header_of(const struct asbi_sim_call *call,
                                    const char *name)
{
    for (size_t i = 0; i < call->header_count; i++) {
        if (strcmp(call->headers[i].name, name) == 0)
            return call->headers[i].value;
    }
    return NULL;
}

/* A member of a member ... of the body: "error.code", "choices.0.message". */
static inline const struct asbi_json_node *find(struct asbi_json *json,
                                                const char *path)
{
    const struct asbi_json_node *node = asbi_json_root(json);

    while (node && *path) {
        size_t len = strcspn(path, ".");
        const struct asbi_json_node *next =
            asbi_json_get(json, node, asbi_str_of(path, len));
        if (node->type == ASBI_JSON_ARRAY) {
            next = asbi_json_child(json, node);
            for (char n = path[0]; next && n > '0'; n--)
                next = asbi_json_after(json, node, next);
        }
        node = next;
        path += len + (path[len] == '.');
    }
    return node;
}

static inline asbi_str text_at(struct rig *r, const char *path)
{
    CHECK_INT(asbi_json_parse(r->json, r->call->body.data, r->call->body.len),
              ==, ASB_OK);
    return asbi_json_text(r->json, find(r->json, path));
}

static inline uint64_t number_at(struct rig *r, const char *path)
{
    uint64_t n = UINT64_MAX;

    CHECK_INT(asbi_json_parse(r->json, r->call->body.data, r->call->body.len),
              ==, ASB_OK);
    CHECK(asbi_json_u64(find(r->json, path), &n));
    return n;
}

static inline asbi_str content(struct rig *r)
{
    return text_at(r, "choices.0.message.content");
}

#endif

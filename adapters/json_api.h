/*
 * json_api.h -- dialect "json": any API that takes and gives JSON, described
 * by configuration alone.  Translation services mostly are such APIs.
 *
 * The body is a template with one place for the texts; where answers, errors
 * and usage stand in the reply are JSON pointers (RFC 6901), in which "*" is
 * any element.  Answers are told by their place in the reply.
 */
#ifndef ASBI_ADAPTERS_JSON_API_H
#define ASBI_ADAPTERS_JSON_API_H

#include "adapters/decoder.h"

/* As written in the catalogue; NULL or empty for what is not said. */
struct asbi_json_api_spec {
    const char *path;       /* "/translate", below the base URL */
    const char *encoding;   /* "json", or "form": name=value&... */
    const char *body;       /* one JSON object */
    const char *texts;      /* where in it the texts go: "/q" */
    bool one_text;          /* a text stands there, not a list */
    const char *answers;    /* where in the reply the answers are: "/data" */
    const char *error;      /* a text, or an object */
    const char *message;    /* what is wrong, in words */
    const char *usage;      /* billed units; those of "*" are added up */
    const char *key_header; /* "Authorization: DeepL-Auth-Key" */
    /* For {source_lang}, {target_lang} and {model} in the template. */
    const char *source_lang, *target_lang, *model;
};

enum { ASBI_JSON_API_PATHS = 8 };

struct asbi_json_api {
    const struct asbi_mem *mem;
    bool form, one_text;
    struct asbi_buf path, key_header;
    struct asbi_buf head, tail; /* the body before and behind the texts */
    struct asbi_buf name;       /* with a form: of the field of a text */
    char *pointers[ASBI_JSON_API_PATHS];
    struct asbi_path paths[ASBI_JSON_API_PATHS];
    uint8_t fields[ASBI_JSON_API_PATHS];
    struct asbi_reply_table replies;
};

/* ASB_OK and *out, ASB_ECONFIG with the reason, or ASB_ENOMEM. */
int asbi_json_api_new(const struct asbi_mem *mem,
                      const struct asbi_json_api_spec *spec,
                      struct asbi_json_api **out, struct asb_message *why);
void asbi_json_api_free(struct asbi_json_api *api);

/* Appends what decides on the answer to a text: what else is asked for with it,
 * and which part of the reply is the answer. */
void asbi_json_api_put_scope(const struct asbi_json_api *api,
                             struct asbi_buf *out);

/* Private to adapters/; others find it by its name. */
extern const struct asbi_dialect asbi_dialect_json;

#endif

/*
 * media_request.h -- what is wanted of a media job: read from a user's row,
 * kept as one canonical JSON text, written into a provider's body.
 *
 * Two rows that want the same have the same text, so that nothing is made and
 * paid for twice.
 */
#ifndef ASBI_ADAPTERS_MEDIA_REQUEST_H
#define ASBI_ADAPTERS_MEDIA_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/json.h"

enum { ASBI_MEDIA_REFERENCES = 8 };

enum asbi_media_type { ASBI_MEDIA_VIDEO, ASBI_MEDIA_IMAGE };

/* Texts live as long as the parser's document. */
struct asbi_media_request {
    enum asbi_media_type type;
    asbi_str prompt;
    asbi_str engine;        /* the model; empty: the job's */
    uint64_t width, height; /* pixels; 0: as the provider likes */
    double seconds;         /* 0: as the provider likes */
    asbi_str references[ASBI_MEDIA_REFERENCES]; /* URLs, also data: */
    size_t reference_count;

    /* The provider's own parameters (style_params), which stand before ours of
     * the same name. */
    struct asbi_json *json;
    const struct asbi_json_node *style; /* an object, or NULL */
};

/* Reads the fields of a row, parsed in `json`: content_type, engine,
 * resolution, duration, reference_images, style_params; `text` is its prompt.
 * False with a sentence in `why` for a value that will not do. */
bool asbi_media_request_of_row(struct asbi_json *json, asbi_str text,
                               enum asbi_media_type usual,
                               struct asbi_media_request *out,
                               struct asb_message *why);

/* Appends the canonical text. */
void asbi_media_request_put(const struct asbi_media_request *request,
                            struct asbi_buf *out);

/* Reads it back.  False only when out of memory. */
bool asbi_media_request_read(struct asbi_json *json, asbi_str text,
                             struct asbi_media_request *out);

/* Whether two requests are of one group: same type, engine, resolution and
 * style, durations within a fifth of each other. */
bool asbi_media_request_alike(const struct asbi_media_request *a,
                              const struct asbi_media_request *b);

/* ---- for shapes: members of the object that is being written ----------- */

/* Each does nothing when the style names that member itself. */
void asbi_media_put_text(const struct asbi_media_request *r, const char *key,
                         asbi_str value, struct asbi_buf *out);
/* Not when 0; whole numbers are written so. */
void asbi_media_put_seconds(const struct asbi_media_request *r, const char *key,
                            struct asbi_buf *out);
/* As text: "8", "8s". */
void asbi_media_put_seconds_text(const struct asbi_media_request *r,
                                 const char *key, const char *unit,
                                 struct asbi_buf *out);
/* "1280x720", "1280:720"; not when the size is open. */
void asbi_media_put_size(const struct asbi_media_request *r, const char *key,
                         char between, struct asbi_buf *out);
/* "16:9" */
void asbi_media_put_ratio(const struct asbi_media_request *r, const char *key,
                          struct asbi_buf *out);
/* "720p", by the shorter side; "4k" */
void asbi_media_put_lines(const struct asbi_media_request *r, const char *key,
                          struct asbi_buf *out);
/* All members of the style. */
void asbi_media_put_style(const struct asbi_media_request *r,
                          struct asbi_buf *out);

/* ,"KEY":[{"MEMBER":URL}, ...], where there are references */
void asbi_media_put_references(const struct asbi_media_request *r,
                               const char *key, const char *member,
                               struct asbi_buf *body);

#endif

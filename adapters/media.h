/*
 * media.h -- video and image jobs: one abstract job, and how each provider
 * writes it down.
 *
 * A job is submitted, asked after until it has ended, and its artefacts are
 * fetched.  A shape is a table of where things stand in a provider's JSON and
 * one function that writes a submission; adding a provider is one small file
 * and one line in media_shapes.c.  Nothing here does I/O or keeps a clock.
 *
 * What a provider does in the exchange of a submission, without a job, is no
 * media job: such image APIs are asked like any other API.
 */
#ifndef ASBI_ADAPTERS_MEDIA_H
#define ASBI_ADAPTERS_MEDIA_H

#include "adapters/dialect.h"
#include "adapters/media_request.h"
#include "adapters/remote.h"

enum { ASBI_MEDIA_ASSETS = 8, ASBI_MEDIA_URL_MAX = 4096 };

enum asbi_media_state {
    ASBI_MEDIA_UNKNOWN, /* a word that nobody told us of: as if running */
    ASBI_MEDIA_QUEUED,
    ASBI_MEDIA_THROTTLED, /* queued, as too many of ours are running */
    ASBI_MEDIA_RUNNING,
    ASBI_MEDIA_DONE,
    ASBI_MEDIA_FAILED,
    ASBI_MEDIA_FILTERED, /* refused by moderation, before or after */
    ASBI_MEDIA_CANCELED,
    ASBI_MEDIA_EXPIRED,
};

static inline bool asbi_media_is_over(enum asbi_media_state state)
{
    return state >= ASBI_MEDIA_DONE;
}

/* What a provider says of a job.  Texts live until the parser's next
 * document. */
struct asbi_media_status {
    enum asbi_media_state state;
    asbi_str id;        /* as the provider names it; empty when not told */
    asbi_str place;     /* URL of the job, when the provider tells it */
    asbi_str code;      /* of a failure */
    asbi_str message;   /* the provider's own words */
    uint64_t expires_s; /* since 1970: artefacts are gone then; 0: not told */
    asbi_str assets[ASBI_MEDIA_ASSETS]; /* absolute http(s) URLs */
    size_t asset_count;
};

struct asbi_media_word {
    const char *word; /* NULL ends a table */
    enum asbi_media_state state;
};

/* Paths are names of members with dots between: "data.task_id". */
struct asbi_media_shape {
    const char *name; /* as the provider's dialect: "runway" */
    bool videos, images;
    size_t references; /* most reference images of a request */

    /* The lane's constant headers: as in struct asbi_dialect. */
    void (*headers)(asbi_str key, struct asbi_buf *lines);
    /* Appends one more header line that holds for half an hour from `wall_s`
     * on; NULL where the constant ones will do. */
    void (*sign)(asbi_str key, uint64_t wall_s, struct asbi_buf *line);

    /* Appends where a submission goes, below the base URL, and its body.  The
     * request's engine is never empty. */
    void (*submit)(const struct asbi_media_request *request,
                   struct asbi_buf *path, struct asbi_buf *body);

    /* -- what the JSON of a job says; NULL for what it does not */
    const char *id, *place, *state, *code, *message, *expires;
    const char *video, *image; /* the URLs are below */
    const struct asbi_media_word *words;
    /* What no table can say; may change anything. */
    void (*look)(struct asbi_json *json, const struct asbi_json_node *root,
                 struct asbi_media_status *status);

    /* -- where a job is: below the base URL, "{id}" and "{path}" (of its
     * submission) filled in; not used when its JSON tells `place` */
    const char *address;
    const char *poll;    /* behind it, where its state is: "", "/status" */
    const char *content; /* behind it, where its artefact is; else NULL */
    uint64_t lifetime_s; /* of artefacts, when the job does not tell; or 0 */
    bool result_apart;   /* once done, its address itself tells the result */
    const char *cancel_method, *cancel; /* behind it; NULL: there is no way */

    /* -- all jobs at once, newest first; NULL: no such thing */
    const char *list;       /* "/videos?limit=100" */
    const char *list_after; /* goes on behind an id: "&after="; or NULL */
    const char *list_items, *list_more;
    size_t list_size; /* most of a page */
};

/* The shape that providers of a dialect use; NULL for none. */
const struct asbi_media_shape *asbi_media_shape_find(const char *dialect);

/* Shape `index` of all, NULL past the last. */
const struct asbi_media_shape *asbi_media_shape_at(size_t index);

/* The dialect of providers that know nothing but media jobs: submissions are
 * written by the shape, and only refusals need to be understood. */
extern const struct asbi_dialect asbi_dialect_media;

/* What a provider says of one job: a whole answer, or an element of a list.
 * Anything may stand there; what is not understood is left out. */
void asbi_media_read(const struct asbi_media_shape *shape,
                     enum asbi_media_type type, struct asbi_json *json,
                     const struct asbi_json_node *root,
                     struct asbi_media_status *out);

/* Appends the job's address: its place as told, or by the shape's template.
 * False when the id will not do for one. */
bool asbi_media_put_address(const struct asbi_media_shape *shape,
                            const struct asbi_media_status *status,
                            asbi_str submit_path, struct asbi_buf *out);

/* A member by its path; NULL for none. */
const struct asbi_json_node *asbi_media_at(const struct asbi_json *json,
                                           const struct asbi_json_node *root,
                                           const char *path);

/* Appends to status->assets what below `node` looks like the URL of a
 * result. */
void asbi_media_collect(struct asbi_json *json,
                        const struct asbi_json_node *node,
                        struct asbi_media_status *status);

/* Whether a code or the words of a failure tell of moderation. */
bool asbi_media_is_moderation(asbi_str code, asbi_str message);

/* An absolute http:// or https:// URL without blanks or control bytes, of
 * bounded length. */
bool asbi_media_is_url(asbi_str text);

#endif

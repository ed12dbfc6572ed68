/*
 * jobs.h -- what outlives a request: files, batches, videos.
 *
 * Nothing here has a timer.  A batch or a video is what the time of asking
 * makes it: work that is due by then is done when somebody asks.
 */
#ifndef ASBI_SIM_JOBS_H
#define ASBI_SIM_JOBS_H

#include "engine/sim/state.h"

enum {
    ASBI_SIM_MAX_JOBS = 1000,         /* of each kind */
    ASBI_SIM_MAX_BATCH_LINES = 50000, /* as at OpenAI */
    ASBI_SIM_MAX_FILES_MIB = 512,     /* all together */
};

/* First member of each kind; owned by its list. */
struct asbi_sim_job {
    struct asbi_link link;
    char id[40];
    uint64_t created_s;  /* since 1970 */
    uint64_t created_ns; /* the driver's clock */
};

struct asbi_sim_file {
    struct asbi_sim_job job;
    char name[128], purpose[32];
    char *data;
    size_t len;
};

/* ASB_OK with a job of `size` bytes, zeroed, with an id; ASB_EINVAL when there
 * are too many (429 in turn->problem), or ASB_ENOMEM.  In no list yet. */
int asbi_sim_job_new(struct asbi_sim_turn *turn, const struct asbi_list *list,
                     size_t size, const char *prefix,
                     struct asbi_sim_job **out);

/* NULL when there is none of that id. */
struct asbi_sim_job *asbi_sim_job_find(const struct asbi_list *list,
                                       asbi_str id);

/* Splits "ID/verb"; the verb is empty without a slash. */
asbi_str asbi_sim_job_id(const struct asbi_sim_turn *turn, asbi_str *verb);

/* The one that the path names; NULL with a 404 in turn->problem. */
struct asbi_sim_job *asbi_sim_job_of_path(struct asbi_sim_turn *turn,
                                          const struct asbi_list *list,
                                          const char *what);

/* How long a batch or video takes. */
uint64_t asbi_sim_job_span(const struct asbi_sim_provider *p);

/* {"object":"list","data":[...]}, newest first, at most the query's "limit"
 * and behind its "after", each job written by `put`. */
void asbi_sim_put_list(struct asbi_sim_turn *turn, const struct asbi_list *list,
                       void (*put)(const struct asbi_sim_job *job,
                                   struct asbi_buf *out));

/* {"id":"...","object":"...","deleted":true} */
void asbi_sim_put_deleted(struct asbi_sim_turn *turn,
                          const struct asbi_sim_job *job, const char *object);

/* Keeps a copy of `data` under a new id.  Results as asbi_sim_job_new(). */
int asbi_sim_file_add(struct asbi_sim_turn *turn, asbi_str name,
                      asbi_str purpose, asbi_str data,
                      struct asbi_sim_file **out);
void asbi_sim_file_free(struct asbi_sim_provider *p,
                        struct asbi_sim_file *file);

/* Takes it out of its list, too. */
void asbi_sim_batch_free(struct asbi_sim_provider *p,
                         struct asbi_sim_job *batch);

#endif

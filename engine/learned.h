/*
 * learned.h -- what was learned of a provider outlives the run: into the lane
 * when an engine begins, out of it when it ends.
 *
 * A file that cannot be read or is damaged is left out with a warning: it is
 * never worth a run.  Names in it are those of provider, model, task and
 * languages, and a hash of the address; no key, no text.
 */
#ifndef ASBI_LEARNED_H
#define ASBI_LEARNED_H

#include "engine/engine.h"
#include "scheduler/learned.h"

/* What is known of the provider and the task that options name. */
struct asbi_recalled {
    bool has_lane, has_kind;
    struct asbi_learned_lane lane;
    struct asbi_learned_kind kind;
};

/* From a text; nothing when that is not sound. */
void asbi_learned_recall(const struct asb_options *options,
                         const struct asbi_mem *mem, asbi_str text,
                         struct asbi_recalled *out);

/* Starts a lane that has sent nothing yet from it. */
void asbi_learned_start(struct asbi_lane *lane, const struct asbi_recalled *r);

/* The same, with what the file of option `state` says, of all lanes of an
 * engine but the first. */
void asbi_learned_start_others(struct asb_engine *e);

/* Appends the whole text to keep: what this engine learned, then what `text`
 * knows of others. */
void asbi_learned_collect(const struct asb_engine *e, asbi_str text,
                          struct asbi_buf *out);

/* The same from and to the file that option "state" names, if it names one.
 * The file is replaced as a whole, and by one process at a time. */
void asbi_learned_load(const struct asb_options *options,
                       const struct asbi_mem *mem, const struct asbi_log *log,
                       struct asbi_recalled *out);
void asbi_learned_save(struct asb_engine *e);

#endif

/*
 * material.h -- the files a job is made with: instructions, style, glossary,
 * vocabulary, and the keys of its lanes.  Read once, before anything is sent.
 */
#ifndef ASBI_MATERIAL_H
#define ASBI_MATERIAL_H

#include "adapters/task.h"
#include "config/config.h"
#include "config/glossary.h"
#include "config/routes.h"
#include "engine/base/buf.h"
#include "scheduler/tokenizer.h"

struct asbi_material {
    struct asbi_task_material task; /* points into the rest */
    struct asbi_buf instructions, style, glossary_text;
    struct asbi_buf keys[ASBI_ROUTE_MOST]; /* of each lane ... */
    asbi_str clean_keys[ASBI_ROUTE_MOST];  /* ... and within these */
    struct asbi_glossary glossary;
    struct asbi_term *terms;          /* owned */
    struct asbi_tokenizer *tokenizer; /* a reference; NULL: none is given */
    const struct asbi_mem *mem;
};

/* ASB_OK, ASB_EIO, ASB_ECONFIG, ASB_ENOKEY or ASB_ENOMEM; to be given to
 * asbi_material_fini() in every case. */
int asbi_material_load(struct asbi_material *m,
                       const struct asb_options *options,
                       const struct asbi_mem *mem, struct asb_message *why);

/* The same, without a look at the keys: for what sends nothing. */
int asbi_material_load_texts(struct asbi_material *m,
                             const struct asb_options *options,
                             const struct asbi_mem *mem,
                             struct asb_message *why);

/* Wipes the keys. */
void asbi_material_fini(struct asbi_material *m);

/* Those of all lanes, in their order. */
static inline const asbi_str *asbi_material_keys(const struct asbi_material *m)
{
    return m->clean_keys;
}

/* Empty when the provider takes none. */
static inline asbi_str asbi_material_key(const struct asbi_material *m)
{
    return m->clean_keys[0];
}

#endif

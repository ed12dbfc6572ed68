/*
 * material.h -- the files a job is made with: instructions, style, glossary,
 * and the key.  Read once, before anything is sent.
 */
#ifndef ASBI_MATERIAL_H
#define ASBI_MATERIAL_H

#include "adapters/task.h"
#include "config/config.h"
#include "config/glossary.h"
#include "engine/base/buf.h"

struct asbi_material {
    struct asbi_task_material task; /* points into the rest */
    struct asbi_buf instructions, style, glossary_text, key;
    asbi_str clean_key; /* within `key` */
    struct asbi_glossary glossary;
    struct asbi_term *terms; /* owned */
    const struct asbi_mem *mem;
};

/* ASB_OK, ASB_EIO, ASB_ECONFIG, ASB_ENOKEY or ASB_ENOMEM; to be given to
 * asbi_material_fini() in every case. */
int asbi_material_load(struct asbi_material *m,
                       const struct asb_options *options,
                       const struct asbi_mem *mem, struct asb_message *why);

/* The same, without a look at the key: for what sends nothing. */
int asbi_material_load_texts(struct asbi_material *m,
                             const struct asb_options *options,
                             const struct asbi_mem *mem,
                             struct asb_message *why);

/* Wipes the key. */
void asbi_material_fini(struct asbi_material *m);

/* Empty when the provider takes none. */
static inline asbi_str asbi_material_key(const struct asbi_material *m)
{
    return m->clean_key;
}

#endif

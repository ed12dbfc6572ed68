/*
 * glossary.h -- binding terms of a translation, from YAML or from a table.
 *
 * YAML: `entries:`, a list of {term_zh: ..., term_ru: ..., status: ...,
 * notes: ...} or {source: ..., target: ...}; further keys are the user's own
 * business.  Entries with a status other than "approved" do not count.
 * CSV and TSV: source, target and perhaps notes, or the columns that a first
 * row names (source, target, term_zh, term_ru, status, notes).
 *
 * Opens no file and puts nothing into a prompt.
 */
#ifndef ASBI_CONFIG_GLOSSARY_H
#define ASBI_CONFIG_GLOSSARY_H

#include <stddef.h>

#include <asyncbatch/asyncbatch.h>

#include "config/yaml.h"
#include "engine/base/buf.h"
#include "engine/base/map.h"
#include "engine/base/mem.h"
#include "engine/base/str.h"

/* Texts live until asbi_glossary_fini(). */
struct asbi_glossary_term {
    asbi_str source, target;
    asbi_str notes; /* may be empty */
    unsigned line;
};

struct asbi_glossary {
    const struct asbi_mem *mem;
    const char *shown;
    struct asbi_glossary_term *terms; /* in the order of the file */
    size_t count, cap;

    /* -- what the texts live in, and where a source stands already */
    struct asbi_yaml yaml;
    struct asbi_buf cells;
    struct asbi_map lines; /* source -> its index in `terms`, plus one */
};

/* Most bytes and most terms of one glossary. */
enum {
    ASBI_GLOSSARY_MAX_BYTES = 4 << 20,
    ASBI_GLOSSARY_MAX_TERMS = 40000,
};

/**
 * Reads a glossary; what it is goes by the suffix of `shown` (.csv, .tsv, else
 * YAML).  *g is to be given to asbi_glossary_fini() in any case.
 *
 * A language such as "zh-CN" is looked for as term_zh_cn, then as term_zh.
 * Without a source language the one other term_ key is taken.
 *
 * A source given twice with the same target counts once; with another target
 * it is an error that names both lines.
 *
 * @param source_lang, target_lang  "" when not known
 * @return ASB_OK, ASB_ECONFIG with "file:line:column: cause", or ASB_ENOMEM
 */
int asbi_glossary_parse(struct asbi_glossary *g, const struct asbi_mem *mem,
                        const char *text, size_t len, const char *shown,
                        const char *source_lang, const char *target_lang,
                        struct asb_message *why);
void asbi_glossary_fini(struct asbi_glossary *g);

#endif

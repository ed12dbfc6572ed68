/*
 * lang.h -- languages by BCP 47 tag: what to call them in a prompt and which
 * scripts they are written in.
 *
 * No locale data beyond that.  A tag that is not in the table is used as it
 * was written, and nothing is known of its scripts.
 */
#ifndef ASBI_ADAPTERS_LANG_H
#define ASBI_ADAPTERS_LANG_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buf.h"

/* Longest tag or name that is accepted, in bytes. */
enum { ASBI_LANG_MAX = 64 };

/* Whether a tag or name is fit for a prompt: not empty, not over
 * ASBI_LANG_MAX, well-formed UTF-8 without control characters. */
bool asbi_lang_acceptable(const char *tag);

/* Appends "Russian (ru)", "Simplified Chinese (zh-CN)", or the tag alone when
 * unknown.  The table's own English names are understood as tags, too. */
void asbi_lang_put_name(struct asbi_buf *out, const char *tag);

/* Set of enum asbi_script; a script subtag ("sr-Latn") wins over the language;
 * 0 when nothing is known. */
uint32_t asbi_lang_scripts(const char *tag);

#endif

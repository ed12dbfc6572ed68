/*
 * Members of a JSON object that is being written, key and value at once: what
 * reports consist of.  The comma before the key is put as json.h's put_key
 * does.  Refuses to know what is reported.
 */
#ifndef ASBI_JSON_MEMBERS_H
#define ASBI_JSON_MEMBERS_H

#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/str.h"

void asbi_member_u64(struct asbi_buf *out, const char *key, uint64_t n);
void asbi_member_text(struct asbi_buf *out, const char *key, asbi_str text);
void asbi_member_usd(struct asbi_buf *out, const char *key, int64_t nano_usd);

/* With three digits after the point: plenty for people and plots. */
void asbi_member_rounded(struct asbi_buf *out, const char *key, double x);

/* A part of a whole, as rounded; 0 of nothing. */
void asbi_member_ratio(struct asbi_buf *out, const char *key, double part,
                       double whole);

/* As rounded; null when it is negative, which stands for "not known". */
void asbi_member_known(struct asbi_buf *out, const char *key, double x);

#endif

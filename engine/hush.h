/*
 * hush.h -- what a provider says, made fit to be shown: some quote the key they
 * refuse, or the text they were sent.
 *
 * Overwrites both with asterisks, in place: what looks like a key or stands in
 * a header that carries one, and whole runs of an item's text.  Words of a few
 * letters that a text and a message share stay; so does what stands in a body
 * that is sent as it is.
 */
#ifndef ASBI_HUSH_H
#define ASBI_HUSH_H

#include "engine/call.h"

/* The lane's key. */
void asbi_hush_key(const struct asbi_lane *lane, char *at, size_t len);

/* And that item's text; NULL: none. */
void asbi_hush_item(const struct asbi_lane *lane, const struct asbi_item *item,
                    char *at, size_t len);

/* And the texts of all its items. */
void asbi_hush_call(const struct asbi_call *call, char *at, size_t len);

#endif

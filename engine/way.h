/*
 * way.h -- how the items of an engine go into its calls: what its task wants
 * and its provider's dialect can.
 */
#ifndef ASBI_WAY_H
#define ASBI_WAY_H

#include "engine/call.h"

/* Sets e->way and what of the engine and its lane hangs on it.  ASB_OK, or
 * ASB_ECONFIG when the provider cannot do the task. */
int asbi_way_choose(struct asb_engine *e, struct asb_message *why);

/* Sets the way of a further lane, which takes the same items.  ASB_OK or
 * ASB_ECONFIG. */
int asbi_way_join(struct asb_engine *e, struct asbi_lane *lane,
                  struct asb_message *why);

/* Whether an item with this payload may share a batch, and so a call. */
bool asbi_way_shares(const struct asb_engine *e, enum asb_payload payload);

/* Appends what, beside dialect, model and prompt, makes the answers of array
 * calls what they are. */
void asbi_way_put_scope(const struct asb_engine *e, struct asbi_buf *out);

/* The body of an array call.  ASB_OK or ASB_ENOMEM. */
int asbi_way_encode_array(struct asbi_call *call);

/* After the end of an array call: answers that were told by place mean nothing
 * when there are not as many of them as items. */
void asbi_way_check_places(struct asbi_call *call,
                           const struct asbi_reply *reply);

#endif

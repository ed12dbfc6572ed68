/*
 * body_tokens.h -- tokens of a request that is sent as it is, with pictures and
 * other media in it: these are not text, however many letters they take.
 *
 * Known are the forms of OpenAI's chat and Responses, of Anthropic and Gemini.
 * Sound, films and documents have no size that can be seen from here: they
 * count by their bytes, and an address of one counts as its text.
 */
#ifndef ASBI_SCHEDULER_BODY_TOKENS_H
#define ASBI_SCHEDULER_BODY_TOKENS_H

#include "engine/base/json.h"
#include "scheduler/tokenizer.h"

/* Whether a look is worth its time. */
bool asbi_body_may_hold_media(asbi_str body);

/* Of the document read last, media by the counter's rule. */
double asbi_body_tokens(const struct asbi_counter *c, struct asbi_json *json);

/* Of the media alone, below a node. */
double asbi_media_tokens(enum asbi_image_rule images, struct asbi_json *json,
                         const struct asbi_json_node *node);

#endif

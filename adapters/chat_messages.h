/*
 * chat_messages.h -- chat messages as OpenAI writes them, read for dialects
 * that keep the system's words apart from the conversation.
 */
#ifndef ASBI_ADAPTERS_CHAT_MESSAGES_H
#define ASBI_ADAPTERS_CHAT_MESSAGES_H

#include <stdbool.h>

#include "engine/base/json.h"

struct asbi_chat_message {
    asbi_str role;  /* unescaped; empty when there is none */
    bool is_system; /* or "developer", which means the same */
    const struct asbi_json_node *content; /* NULL for none */
    asbi_str raw;                         /* the message as written */
};

struct asbi_chat_messages {
    struct asbi_json *json;
    const struct asbi_json_node *at;
    bool has_system;
};

/* False for what is no array of objects, or out of memory; to be closed all the
 * same.  The messages live until then. */
bool asbi_chat_messages_open(struct asbi_chat_messages *m,
                             const struct asbi_mem *mem, asbi_str text);
void asbi_chat_messages_close(struct asbi_chat_messages *m);

/* Begins again with the first. */
void asbi_chat_messages_rewind(struct asbi_chat_messages *m);

/* False past the last. */
bool asbi_chat_messages_next(struct asbi_chat_messages *m,
                             struct asbi_chat_message *out);

/* Appends each text of a content and nothing else of it, as it is written with
 * its quotes, between `before` and `after`; with a comma in front unless
 * *first. */
void asbi_chat_put_texts(const struct asbi_chat_messages *m,
                         const struct asbi_json_node *content,
                         const char *before, const char *after, bool *first,
                         struct asbi_buf *out);

#endif

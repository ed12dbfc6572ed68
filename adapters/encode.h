/*
 * encode.h -- what the requests of all dialects have in common: the text with
 * the items, the form of the answer, the header with the key.
 */
#ifndef ASBI_ADAPTERS_ENCODE_H
#define ASBI_ADAPTERS_ENCODE_H

#include "adapters/dialect.h"

/* A user message as a JSON string, quotes included.  Where a model takes no
 * system message, its text stands `before`, with an empty line in between. */
void asbi_put_user_text(asbi_str before, asbi_str text, struct asbi_buf *body);

/* The same of a packed request: the JSON object of the items. */
void asbi_put_items(asbi_str before, const struct asbi_packed_request *request,
                    struct asbi_buf *body);

/* The JSON schema of the answer to it. */
void asbi_put_answer_schema(const struct asbi_packed_request *request,
                            struct asbi_buf *body);

/* ,"enum":[...] of the choices, unless there are none or more than a provider
 * takes; then the prompt alone names them. */
void asbi_put_choices(const struct asbi_packed_request *request,
                      struct asbi_buf *body);

/* The texts of an array request as a JSON array of strings. */
void asbi_put_texts(const struct asbi_array_request *request,
                    struct asbi_buf *body);

/* A text as a value of a form or a query: all but letters, digits and -_.~ as
 * %XX. */
void asbi_put_percent(asbi_str text, struct asbi_buf *out);

/* "data:image/png;base64,AAAA" is the picture itself: its type and bytes. False
 * for any other address. */
bool asbi_data_url_read(asbi_str url, asbi_str *type, asbi_str *base64);

/* "Content-Type: application/json", and "`name` KEY" if the key can stand in
 * a header: `name` is "Authorization: Bearer " or the like. */
void asbi_put_headers(const char *name, asbi_str key, struct asbi_buf *lines);

/* The same with another type of content. */
void asbi_put_typed_headers(const char *type, const char *name, asbi_str key,
                            struct asbi_buf *lines);

#endif

/*
 * dialects.c -- the list of dialects: adding one is one line here.
 */
#include "adapters/dialect.h"

#include <string.h>

#include "adapters/anthropic.h"
#include "adapters/gemini.h"
#include "adapters/json_api.h"
#include "adapters/media.h"
#include "adapters/openai.h"

static const struct asbi_dialect *const dialects[] = {
    &asbi_dialect_openai, &asbi_dialect_responses,
    &asbi_dialect_azure,  &asbi_dialect_azure_deployments,
    &asbi_dialect_gemini, &asbi_dialect_anthropic,
    &asbi_dialect_json,
};

const struct asbi_dialect *asbi_dialect_find(const char *name)
{
    for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
        if (strcmp(dialects[i]->name, name) == 0)
            return dialects[i];
    }
    return asbi_media_shape_find(name) ? &asbi_dialect_media : NULL;
}

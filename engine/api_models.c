/*
 * api_models.c -- the catalogue as the host sees it.
 */
#include "config/catalogue.h"

#include <string.h>

int asb_model_at(const struct asb_options *options, size_t index,
                 struct asb_model_info *out)
{
    struct asbi_model m;

    if (!options || !out || out->size < sizeof(out->size))
        return ASB_EINVAL;
    const char *name = asbi_catalogue_model_of(options->catalogue, NULL, index);
    if (!name)
        return ASB_ENOENT;
    asbi_catalogue_entry(options->catalogue, name, &m);
    struct asb_model_info full = {
        .size = out->size,
        .name = name,
        .provider = m.provider,
        .context_tokens = m.context_tokens,
        .max_output_tokens = m.max_output_tokens,
        .priced = m.priced,
        .input_price = m.input_price,
        .cached_price = m.cached_price,
        .cache_write_price = m.cache_write_price,
        .output_price = m.output_price,
        .dimensions = m.dimensions,
        .source = m.source,
        .dated = m.dated,
    };
    memcpy(out, &full, out->size < sizeof(full) ? out->size : sizeof(full));
    return ASB_OK;
}

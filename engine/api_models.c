/*
 * api_models.c -- the catalogue as the host sees it.
 */
#include "config/catalogue.h"

#include <string.h>

/* Nano-dollars of what a provider of media jobs counts in. */
static int64_t credit_of(const struct asb_options *options, const char *name)
{
    struct asbi_provider provider;

    return asbi_catalogue_provider(options, name, &provider, NULL)
               ? 0
               : provider.credit;
}

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
    int64_t credit = credit_of(options, m.provider);
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
        .second_price =
            m.second_price + (int64_t)(m.second_credits * (double)credit),
        .piece_price =
            m.item_price + (int64_t)(m.item_credits * (double)credit),
    };
    memcpy(out, &full, out->size < sizeof(full) ? out->size : sizeof(full));
    return ASB_OK;
}

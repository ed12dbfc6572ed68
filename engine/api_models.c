/*
 * api_models.c -- the catalogue as the host sees it.
 */
#include "config/catalogue.h"

#include <string.h>

/* What its provider says; of one that is unknown nothing. */
static struct asbi_provider provider_of(const struct asb_options *options,
                                        const char *name)
{
    struct asbi_provider provider;

    if (asbi_catalogue_provider(options, name, &provider, NULL))
        provider = (struct asbi_provider){ .name = name };
    return provider;
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
    struct asbi_provider provider = provider_of(options, m.provider);
    double credit = (double)provider.credit;
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
        .second_price = m.second_price + (int64_t)(m.second_credits * credit),
        .piece_price = m.item_price + (int64_t)(m.item_credits * credit),
        .batch_percent = provider.batches ? provider.batch_percent : 0,
        .requests_per_minute = m.requests_per_minute,
        .tokens_per_minute = m.tokens_per_minute,
    };
    memcpy(out, &full, out->size < sizeof(full) ? out->size : sizeof(full));
    return ASB_OK;
}

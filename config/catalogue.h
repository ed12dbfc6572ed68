/*
 * catalogue.h -- what is known of providers and models, in three layers: built
 * in, the user's catalogue file, the user's configuration.
 *
 * A later layer changes single fields of an earlier one.  Knows nothing of
 * where the texts come from.  Prices are facts of a day: each entry says of
 * which, and an unknown price is never guessed.
 */
#ifndef ASBI_CONFIG_CATALOGUE_H
#define ASBI_CONFIG_CATALOGUE_H

#include "config/config.h"
#include "config/record.h"
#include "config/yaml.h"
#include "engine/base/mem.h"

enum asbi_catalogue_layer {
    ASBI_CATALOGUE_BUILTIN,
    ASBI_CATALOGUE_FILE,
    ASBI_CATALOGUE_CONFIG,
    ASBI_CATALOGUE_LAYERS
};

struct asbi_catalogue {
    const struct asbi_mem *mem;
    struct asbi_records models[ASBI_CATALOGUE_LAYERS];
    struct asbi_records providers[ASBI_CATALOGUE_LAYERS];
    uint64_t default_context; /* of unknown models */
    double default_latency;   /* ms per token; 0: unknown */
    char *file; /* what layer FILE was wholly read from, or NULL */
};

/* With the built-in layer.  NULL when out of memory. */
struct asbi_catalogue *asbi_catalogue_new(const struct asbi_mem *mem);
void asbi_catalogue_free(struct asbi_catalogue *c);
struct asbi_catalogue *asbi_catalogue_copy(const struct asbi_catalogue *from,
                                           const struct asbi_mem *mem);

/* Replaces the layer FILE by a text with the keys `models` and `providers`.
 * `shown` is the file's name.  ASB_OK, ASB_ECONFIG or ASB_ENOMEM; what was read
 * before the fault stays. */
int asbi_catalogue_load(struct asbi_catalogue *c, const char *text, size_t len,
                        const char *shown, struct asb_message *why);

/* Maps of the batch_processing block: model (or "default") to context window
 * in tokens, and to milliseconds per token; into the layer CONFIG. */
int asbi_catalogue_read_windows(struct asbi_catalogue *c,
                                const struct asbi_yaml *y,
                                const struct asbi_yaml_node *map,
                                struct asb_message *why);
int asbi_catalogue_read_latencies(struct asbi_catalogue *c,
                                  const struct asbi_yaml *y,
                                  const struct asbi_yaml_node *map,
                                  struct asb_message *why);

/* Model `index` of a provider, or of all for NULL, without repeats; NULL past
 * the last. */
const char *asbi_catalogue_model_of(const struct asbi_catalogue *c,
                                    const char *provider, size_t index);

/* What the layers say of that name, without regard to who is asked. */
void asbi_catalogue_entry(const struct asbi_catalogue *c, const char *name,
                          struct asbi_model *out);

/* Compiled in from models.yaml. */
extern const unsigned char asbi_catalogue_builtin[];
extern const size_t asbi_catalogue_builtin_len;

#endif

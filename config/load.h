/*
 * load.h -- a configuration text into options.
 *
 * Top-level keys are the names of options; the `batch_processing:` block,
 * `simulator:`, `models:` and `providers:` nest.  Which key sets which option
 * is said in the option table.  The file was read by somebody else.
 */
#ifndef ASBI_CONFIG_LOAD_H
#define ASBI_CONFIG_LOAD_H

#include <stddef.h>

#include "config/config.h"

/**
 * Sets options from YAML, with origin ASB_FROM_FILE.  The first fault ends it;
 * what was read before stays set.
 *
 * Where several keys of one text name one option, the more telling one wins,
 * wherever it stands: a switch that turns the thing off, then the option's own
 * name, then the inner of two nested keys.
 *
 * @param shown  name of the file for messages: "file:line:column: ..."
 * @return ASB_OK, ASB_ECONFIG or ASB_ENOMEM
 */
int asbi_options_load_text(struct asb_options *options, const char *text,
                           size_t len, const char *shown,
                           struct asb_message *why);

#endif

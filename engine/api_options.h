/*
 * api_options.h -- where options meet files and the environment.
 *
 * config/ is pure; this reads what it is to look at and hands in text.
 */
#ifndef ASBI_ENGINE_API_OPTIONS_H
#define ASBI_ENGINE_API_OPTIONS_H

#include <stddef.h>

#include <asyncbatch/asyncbatch.h>

#include "engine/base/buf.h"

/**
 * Appends a whole file to `out`, which bounds it.
 * @param place  starts the message: "config", "glossary"
 * @return ASB_OK, ASB_EIO, ASB_ETOOBIG or ASB_ENOMEM
 */
int asbi_read_file(const char *path, const char *place, struct asbi_buf *out,
                   struct asb_message *why);

#endif

/*
 * gather.h -- the effective options of a command: defaults, then the file, then
 * the environment, then the command line; the later wins.
 */
#ifndef ASB_TOOLS_GATHER_H
#define ASB_TOOLS_GATHER_H

#include "tools/asyncbatch/args.h"

/**
 * Everything but the command line, which the caller has parsed already: an
 * origin is remembered with each value, so the order of reading is free.  The
 * file is the one that option "config" names, else asyncbatch.yaml or
 * config/pipeline.yaml in the working directory, else none.
 * @return ASB_OK or what the library refused, with the reason in `why`
 */
int gather(struct asb_options *options, struct asb_message *why);

/* The same without a check of the options against each other. */
int gather_unchecked(struct asb_options *options, struct asb_message *why);

/* As gather(), but for the file. */
int gather_without_file(struct asb_options *options, struct asb_message *why);

/* The file that these read; NULL for none. */
const char *gather_file(const struct asb_options *options);

/* For an engine that sends nothing to its provider: the simulator need not be
 * there, and goes by a name all the same. */
int gather_for_caches(struct asb_options *options, struct asb_message *why);

/* Says why on standard error and gives the exit status that goes with it. */
int gather_refused(const char *command, int rc, const struct asb_message *why);

#endif

/*
 * args.h -- a command line read by the option table.
 *
 * Knows the forms (--name value, --name=value, -x value, -xvalue, switches,
 * --no-switch, --) and nothing of what an option means.  A command's own
 * options, such as --config, stand in a small table of the same kind.
 */
#ifndef ASB_TOOLS_ARGS_H
#define ASB_TOOLS_ARGS_H

#include <asyncbatch/asyncbatch.h>

/* An option that is the command's and not the engine's. */
struct args_own {
    struct asb_option_info info;
    const char **value; /* set to the text given; "" for a switch */
};

struct args {
    struct asb_options *options; /* borrowed; engine options are set here */
    const struct args_own *own;  /* borrowed; ends with a NULL name */
    const char *prefix;          /* "sim_": takes only these engine options,
                                    and --rpm means sim_rpm; NULL: all */
    const char **positional;     /* NULL-ended, room for positional_max + 1 */
    unsigned positional_max;
};

/**
 * Reads argv[0..argc); argv[0] is the first argument, not a program name.
 * @return ASB_OK, ASB_ECONFIG, ASB_ENOENT for an unknown option (with the
 *         nearest known one in `why`) or ASB_ENOMEM
 */
int args_parse(const struct args *args, int argc, char **argv,
               struct asb_message *why);

/* Whether the command takes this engine option. */
bool args_take(const struct args *args, const struct asb_option_info *info);

#endif

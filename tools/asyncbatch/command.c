#include "tools/asyncbatch/command.h"

#include "tools/asyncbatch/gather.h"
#include "tools/asyncbatch/help.h"

const char *command_wants_help;

int command_main(const struct command_frame *frame, int argc, char **argv)
{
    const char *words[COMMAND_WORDS_MAX + 1] = { NULL };
    struct asb_message why = { "" };
    struct asb_options *options = asb_options_new();
    struct args args = frame->help->args;
    int status;

    args.options = options;
    args.positional = words;
    args.positional_max = frame->words_max;
    int rc = options ? args_parse(&args, argc, argv, &why) : ASB_ENOMEM;
    if (!rc && !command_wants_help && frame->gather)
        rc = frame->gather(options, &why);
    if (rc)
        status = gather_refused(frame->name, rc, &why);
    else if (command_wants_help)
        status = help_print(frame->help);
    else
        status = frame->run(options, words);
    asb_options_free(options);
    return status;
}

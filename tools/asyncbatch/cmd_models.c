/*
 * cmd_models.c -- `asyncbatch models`: the catalogue as a table.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/asyncbatch/command.h"
#include "tools/asyncbatch/gather.h"
#include "tools/asyncbatch/say.h"

static const struct args_own own[] = {
    COMMAND_HELP,
    COMMAND_OPTIONS_END,
};

const struct command_help cmd_models_help = {
    .usage = "models [PROVIDER]",
    .text = "Lists the models of the catalogue: the built-in ones, with those "
            "of the configuration over them.  Prices are US dollars per "
            "million tokens of input, of input served by the prompt cache, "
            "and of output, or those of a second of video (0.10/s) or of "
            "a piece; \"batch\" is what of them is to be paid when calls go in "
            "bulk (--native-batch).  \"calls/min\" and \"tokens/min\" are what "
            "a catalogue of yours says of your rate tier; else the provider "
            "tells them with its first answer.  A dash says that something is "
            "not known, or not to be had.  The last columns say on which day "
            "and where a price was found: the bill decides.",
    .args = { .own = own },
    .after = "Exit status: 0, or 2 for a provider without any model.",
};

/* "0.40", with as many digits as it needs. */
static const char *price(bool known, int64_t nano, char room[24])
{
    if (!known)
        return "-";
    (void)snprintf(room, 24, "%" PRId64 ".%09" PRId64, nano / 1000000000,
                   nano % 1000000000);
    size_t len = strlen(room);
    while (room[len - 1] == '0' && room[len - 3] != '.')
        room[--len] = '\0';
    return room;
}

/* "0.10/s" of video, "0.04/piece". */
static const char *media_price(const struct asb_model_info *m, char room[32])
{
    char number[24];
    bool second = m->second_price > 0;

    (void)snprintf(
        room, 32, "%s/%s",
        price(true, second ? m->second_price : m->piece_price, number),
        second ? "s" : "piece");
    return room;
}

/* "1047576", or a dash for 0. */
static const char *count(uint64_t n, char room[24])
{
    if (!n)
        return "-";
    (void)snprintf(room, 24, "%" PRIu64, n);
    return room;
}

static void print_head(void)
{
    (void)printf("%-29s %-10s %9s %7s %7s %7s %7s %6s %9s %10s  %-10s  %s\n",
                 "model", "provider", "context", "answer", "input", "cached",
                 "output", "batch", "calls/min", "tokens/min", "dated",
                 "source");
}

static void print_prices(const struct asb_model_info *m)
{
    char input[24], cached[24], output[24], media[32];

    if (m->second_price || m->piece_price)
        (void)printf(" %7s %7s %7s", "-", "-", media_price(m, media));
    else
        (void)printf(" %7s %7s %7s", price(m->priced, m->input_price, input),
                     price(m->priced, m->cached_price, cached),
                     price(m->priced, m->output_price, output));
}

static void print_row(const struct asb_model_info *m)
{
    bool media = m->second_price || m->piece_price;
    char context[24], answer[24], calls[24], tokens[24], batch[24];

    (void)snprintf(batch, sizeof(batch), "%" PRIu64 "%%", m->batch_percent);
    (void)printf("%-29s %-10s %9s %7s", m->name, m->provider,
                 count(media ? 0 : m->context_tokens, context),
                 count(media ? 0 : m->max_output_tokens, answer));
    print_prices(m);
    (void)printf(" %6s %9s %10s  %-10s  %s\n",
                 media || !m->batch_percent ? "-" : batch,
                 count(m->requests_per_minute, calls),
                 count(m->tokens_per_minute, tokens),
                 m->dated[0] ? m->dated : "-", m->source);
}

static int print_models(struct asb_options *options, const char *const *words)
{
    const char *provider = words[0];
    struct asb_model_info m = { .size = sizeof(m) };
    size_t shown = 0;

    for (size_t i = 0; !asb_model_at(options, i, &m); i++) {
        if (provider && strcmp(provider, m.provider) != 0)
            continue;
        if (shown++ == 0)
            print_head();
        print_row(&m);
    }
    if (!shown) {
        say("models: none is listed for provider %.64s; see `asyncbatch "
            "models` for all of them",
            provider ? provider : "");
        return ASB_EXIT_USAGE;
    }
    return say_if_output_failed() ? ASB_EXIT_USAGE : ASB_EXIT_OK;
}

int cmd_models(int argc, char **argv)
{
    static const struct command_frame frame = {
        .name = "models",
        .help = &cmd_models_help,
        .words_max = 1,
        .gather = gather_unchecked,
        .run = print_models,
    };

    return command_main(&frame, argc, argv);
}

/*
 * fuzz_config.c -- any bytes as a configuration, a catalogue, a glossary or the
 * value of an option: never a fault, and a refusal says why.
 *
 * The first byte chooses which; of an option the second.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/catalogue.h"
#include "config/glossary.h"
#include "config/load.h"
#include "config/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(int rc, const struct asb_message *why)
{
    if (rc && rc != ASB_ENOMEM && !why->text[0])
        abort();
    if (!memchr(why->text, '\0', sizeof(why->text)))
        abort();
}

static void read_options(const char *text, size_t len)
{
    struct asb_options *o = asb_options_new();
    struct asb_message why = { .text = "" };

    if (!o)
        return;
    int rc = asbi_options_load_text(o, text, len, "f", &why);
    check_refusal(rc, &why);
    why.text[0] = '\0';
    if (!rc)
        check_refusal(asb_options_check(o, &why), &why);
    asb_options_free(o);
}

static void read_catalogue(const char *text, size_t len)
{
    struct asbi_catalogue *c = asbi_catalogue_new(&asbi_mem_system);
    struct asb_message why = { .text = "" };

    if (!c)
        return;
    check_refusal(asbi_catalogue_load(c, text, len, "f", &why), &why);
    asbi_catalogue_free(c);
}

static void read_glossary(const char *text, size_t len, const char *name)
{
    struct asbi_glossary g;
    struct asb_message why = { .text = "" };

    check_refusal(asbi_glossary_parse(&g, &asbi_mem_system, text, len, name,
                                      "zh", "ru", &why),
                  &why);
    asbi_glossary_fini(&g);
}

/* What was taken can be shown and is taken again. */
static void set_option(uint8_t which, const char *text, size_t len)
{
    const struct asb_option_info *info = asb_option_at(which);
    struct asb_options *o = asb_options_new();
    struct asb_message why = { .text = "" };
    char value[256];

    if (info && o && len < sizeof(value)) {
        memcpy(value, text, len);
        value[len] = '\0';
        int rc = asb_options_set(o, info->name, value, ASB_FROM_HOST, &why);
        check_refusal(rc, &why);
        if (!rc && !asb_options_get(o, info->name, NULL))
            abort();
    }
    asb_options_free(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *text = (const char *)data + 2;
    size_t len = size - 2;

    switch (data[0] % 6) {
    case 0:
        read_options(text, len);
        break;
    case 1:
        read_catalogue(text, len);
        break;
    case 2:
        read_glossary(text, len, "g.yaml");
        break;
    case 3:
        read_glossary(text, len, "g.csv");
        break;
    case 4:
        read_glossary(text, len, "g.tsv");
        break;
    default:
        set_option(data[1], text, len);
        break;
    }
    return 0;
}

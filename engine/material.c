#include "engine/material.h"

#include <stdlib.h>
#include <string.h>

#include "config/secret.h"
#include "engine/api_options.h"
#include "engine/base/error.h"
#include "engine/base/json.h"

enum {
    MAX_TEXT_BYTES = 1 << 20,       /* of instructions, of a style guide */
    MAX_VOCABULARY_BYTES = 1 << 26, /* the largest there are have 4 MiB */
};

static void init(struct asbi_material *m, const struct asbi_mem *mem)
{
    *m = (struct asbi_material){ .mem = mem };
    asbi_buf_init(&m->instructions, mem, MAX_TEXT_BYTES);
    asbi_buf_init(&m->style, mem, MAX_TEXT_BYTES);
    asbi_buf_init(&m->glossary_text, mem, ASBI_GLOSSARY_MAX_BYTES);
    for (size_t i = 0; i < ASBI_ROUTE_MOST; i++)
        asbi_buf_init(&m->keys[i], mem, ASBI_SECRET_MAX + 64);
    m->glossary.mem = mem;
}

static int read_text(const char *path, const char *option, struct asbi_buf *out,
                     asbi_str *text, struct asb_message *why)
{
    if (!path[0])
        return ASB_OK;
    int rc = asbi_read_file(path, option, out, why);
    *text = asbi_buf_view(out);
    if (!rc && !asbi_utf8_valid(text->at, text->len))
        rc = asbi_fail(why, ASB_ECONFIG,
                       "%s: \"%.300s\" is not UTF-8; save it as UTF-8", option,
                       path);
    return rc;
}

static int read_glossary(struct asbi_material *m, const struct asbi_config *c,
                         struct asb_message *why)
{
    asbi_str text = { NULL, 0 };

    int rc = read_text(c->glossary, "glossary", &m->glossary_text, &text, why);
    if (rc || !c->glossary[0])
        return rc;
    rc = asbi_glossary_parse(&m->glossary, m->mem, text.at, text.len,
                             c->glossary, c->source_lang, c->target_lang, why);
    if (rc || m->glossary.count == 0)
        return rc;
    m->terms = asbi_calloc(m->mem, m->glossary.count, sizeof(*m->terms));
    if (!m->terms)
        return ASB_ENOMEM;
    for (size_t i = 0; i < m->glossary.count; i++) {
        const struct asbi_glossary_term *t = &m->glossary.terms[i];

        m->terms[i] = (struct asbi_term){ t->source, t->target, t->notes };
    }
    m->task.terms = m->terms;
    m->task.term_count = m->glossary.count;
    return ASB_OK;
}

static int read_vocabulary(struct asbi_material *m, const struct asbi_config *c,
                           struct asb_message *why)
{
    struct asbi_buf file;

    if (!c->tokenizer[0])
        return ASB_OK;
    asbi_buf_init(&file, m->mem, MAX_VOCABULARY_BYTES);
    int rc = asbi_read_file(c->tokenizer, "tokenizer", &file, why);
    if (!rc)
        rc = asbi_tokenizer_new(m->mem, asbi_buf_view(&file),
                                c->tokenizer_split, &m->tokenizer, why);
    asbi_buf_fini(&file);
    return rc;
}

static int no_key(const struct asbi_secret_source *s,
                  const struct asbi_config *c,
                  const struct asbi_provider *provider, struct asb_message *why)
{
    if (!s->by_reference && (provider->key_optional || c->base_url[0]))
        return ASB_OK; /* servers of one's own mostly take none */
    return asbi_fail(why, ASB_ENOKEY,
                     "provider %s needs a key: set the variable %s, or say "
                     "where it is with --api-key env:NAME or file:PATH",
                     c->provider, s->name);
}

/* *key is within `raw`, or empty when there is none. */
static int read_key(const struct asb_options *options, struct asbi_buf *raw,
                    asbi_str *key, struct asb_message *why)
{
    const struct asbi_config *c = &options->values;
    struct asbi_provider provider;
    struct asbi_secret_source s;

    int rc = asbi_catalogue_provider(options, c->provider, &provider, why);
    if (rc)
        return rc;
    asbi_secret_source(c->api_key, provider.key_variable, &s);
    if (s.kind == ASBI_SECRET_NONE)
        return ASB_OK;
    if (s.kind == ASBI_SECRET_FILE) {
        rc = asbi_read_file(s.name, "api_key", raw, why);
        if (rc)
            return rc;
    } else {
        const char *value = getenv(s.name);

        if (!value || !value[0])
            return no_key(&s, c, &provider, why);
        asbi_buf_c(raw, value);
    }
    if (asbi_buf_failed(raw))
        return asbi_fail(why, ASB_ECONFIG,
                         "api_key: what %s holds is too long "
                         "for a key",
                         s.name);
    return asbi_secret_clean(asbi_buf_view(raw), s.name, key, why);
}

static int read_keys(struct asbi_material *m, const struct asb_options *options,
                     struct asb_message *why)
{
    size_t lanes = asbi_route_count(options);
    int rc = ASB_OK;

    if (lanes == 1 && !options->values.routes[0])
        return read_key(options, &m->keys[0], &m->clean_keys[0], why);
    for (size_t i = 0; !rc && i < lanes && i < ASBI_ROUTE_MOST; i++) {
        struct asbi_route route;

        rc = asbi_route_read(options, i, m->mem, &route, why);
        if (!rc)
            rc = read_key(route.options, &m->keys[i], &m->clean_keys[i], why);
        asbi_route_fini(&route);
    }
    return rc;
}

static const char *or_null(const char *text)
{
    return text[0] ? text : NULL;
}

int asbi_material_load_texts(struct asbi_material *m,
                             const struct asb_options *options,
                             const struct asbi_mem *mem,
                             struct asb_message *why)
{
    const struct asbi_config *c = &options->values;

    init(m, mem);
    m->task.source_lang = or_null(c->source_lang);
    m->task.target_lang = or_null(c->target_lang);
    m->task.labels = asbi_str_c(c->labels);
    int rc = read_text(c->instructions, "instructions", &m->instructions,
                       &m->task.instructions, why);
    if (!rc)
        rc = read_text(c->style, "style", &m->style, &m->task.style, why);
    if (!rc)
        rc = read_glossary(m, c, why);
    if (!rc)
        rc = read_vocabulary(m, c, why);
    return rc;
}

int asbi_material_load(struct asbi_material *m,
                       const struct asb_options *options,
                       const struct asbi_mem *mem, struct asb_message *why)
{
    int rc = asbi_material_load_texts(m, options, mem, why);

    return rc ? rc : read_keys(m, options, why);
}

void asbi_material_fini(struct asbi_material *m)
{
    for (size_t i = 0; i < ASBI_ROUTE_MOST; i++) {
        if (m->keys[i].data)
            explicit_bzero(m->keys[i].data, m->keys[i].cap);
        asbi_buf_fini(&m->keys[i]);
    }
    asbi_buf_fini(&m->instructions);
    asbi_buf_fini(&m->style);
    asbi_buf_fini(&m->glossary_text);
    asbi_glossary_fini(&m->glossary);
    asbi_free(m->mem, m->terms);
    asbi_tokenizer_unref(m->tokenizer);
}

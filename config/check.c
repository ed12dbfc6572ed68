/* Options against each other: what cannot work is refused before anything is
 * sent, what is merely odd is a warning.  Opens nothing. */
#include "config/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/catalogue.h"
#include "config/routes.h"
#include "engine/base/error.h"

struct checking {
    const struct asb_options *options;
    const struct asbi_config *c;
    struct asbi_provider provider;
    struct asbi_model model;
    struct asb_message *why;
};

/* "user:password@" before the host. */
static bool has_user(const char *url)
{
    const char *host = strstr(url, "://");

    host = host ? host + 3 : url;
    const char *at = strchr(host, '@');
    return at && at < host + strcspn(host, "/?#");
}

static bool is_web_address(const char *url)
{
    size_t scheme = strncmp(url, "https://", 8) == 0  ? 8
                    : strncmp(url, "http://", 7) == 0 ? 7
                                                      : 0;

    return scheme && url[scheme] && !strchr(url, ' ');
}

static int check_provider(struct checking *k)
{
    const char *url = k->c->base_url;

    int rc = asbi_catalogue_provider(k->options, k->c->provider, &k->provider,
                                     k->why);
    if (rc)
        return ASB_ECONFIG;
    if (!url[0]) {
        if (k->provider.base_url[0] || strcmp(k->c->provider, "sim") == 0)
            return ASB_OK;
        return asbi_fail(k->why, ASB_ECONFIG,
                         "base_url: provider %.64s has none of its own; give "
                         "the address where its API begins",
                         k->c->provider);
    }
    if (!is_web_address(url))
        return asbi_fail(k->why, ASB_ECONFIG,
                         "base_url: begins with http:// or https:// and a "
                         "host, such as https://api.example.com/v1");
    if (has_user(url))
        return asbi_fail(k->why, ASB_ECONFIG,
                         "base_url: must not hold a user or a password; give "
                         "the key by api_key: env:NAME");
    return ASB_OK;
}

/* Options are shown, logged and kept in files; the environment is not. */
static int check_proxy(struct checking *k)
{
    if (!has_user(k->c->proxy))
        return ASB_OK;
    return asbi_fail(k->why, ASB_ECONFIG,
                     "proxy: must not hold a user or a password; leave it out "
                     "and set the variable https_proxy or http_proxy");
}

static int check_webhook(struct checking *k)
{
    const char *url = k->c->budget_webhook;

    if (url[0] && !is_web_address(url))
        return asbi_fail(k->why, ASB_ECONFIG,
                         "budget_webhook: write an http:// or https:// "
                         "address");
    if (!has_user(url))
        return ASB_OK;
    return asbi_fail(k->why, ASB_ECONFIG,
                     "budget_webhook: must not hold a user or a password; "
                     "take an address whose path only the two of you know, "
                     "from the variable ASYNCBATCH_BUDGET_WEBHOOK or a file");
}

static int check_model(struct checking *k)
{
    char names[256] = "";
    size_t len = 0;
    const char *name;

    /* A service that is no model needs none. */
    if (k->c->model[0] || strcmp(k->provider.dialect, "json") == 0) {
        asbi_catalogue_model(k->options, k->c->model, &k->model);
        return ASB_OK;
    }
    for (size_t i = 0; (name = asbi_catalogue_model_of(k->options->catalogue,
                                                       k->c->provider, i));
         i++) {
        if (len + strlen(name) + 3 < sizeof(names))
            len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
                                    len ? ", " : "", name);
    }
    return asbi_fail(k->why, ASB_ECONFIG,
                     "model: provider %.64s needs one; give --model NAME or "
                     "the key model%s%s",
                     k->c->provider, len ? "; known are: " : "", names);
}

static int check_money(struct checking *k)
{
    const char *limit = k->c->budget != INT64_MAX ? "budget"
                        : k->c->batch_cost_max    ? "batch_cost_max"
                                                  : NULL;

    if (!limit || k->model.priced)
        return ASB_OK;
    return asbi_fail(k->why, ASB_ECONFIG,
                     "%s: cannot be kept, since the price of model %.128s is "
                     "not known; give it in the configuration, in US dollars "
                     "per million tokens: models: {\"%.128s\": {input: 0.40, "
                     "output: 1.60}}",
                     limit, k->c->model, k->c->model);
}

static int check_task(struct checking *k)
{
    const struct asbi_config *c = k->c;

    if (strcmp(c->task, "translate") == 0 && !c->target_lang[0] &&
        strcmp(c->provider, "sim") != 0)
        return asbi_fail(k->why, ASB_ECONFIG,
                         "target_lang: task translate needs it; give "
                         "--target-lang LANG");
    if (strcmp(c->task, "classify") == 0 && !c->labels[0])
        return asbi_fail(k->why, ASB_ECONFIG,
                         "labels: task classify needs them; give --labels "
                         "A,B,C");
    return ASB_OK;
}

static enum asb_origin origin_of(const struct checking *k, const char *name)
{
    return asbi_option_state(k->options, asbi_option_row(asbi_str_c(name)))
        ->origin;
}

/* A fixed size may go over the cap on dynamic ones, unless who set the cap
 * outranks who set the size. */
static int check_sizes(struct checking *k)
{
    const struct asbi_config *c = k->c;
    enum asb_origin cap = origin_of(k, "batch_items_max");

    if (c->batch_size > c->batch_items_max && cap != ASB_FROM_DEFAULT &&
        cap >= origin_of(k, "batch_size"))
        return asbi_fail(k->why, ASB_ECONFIG,
                         "batch_size: %" PRIu64
                         " is over batch_items_max, %" PRIu64
                         "; lower the one or raise the other",
                         c->batch_size, c->batch_items_max);
    if (c->max_item_bytes > c->max_memory_bytes)
        return asbi_fail(k->why, ASB_ECONFIG,
                         "max_item_bytes: %" PRIu64
                         " is over max_memory, %" PRIu64
                         "; lower the one or raise the other",
                         c->max_item_bytes, c->max_memory_bytes);
    if (c->token_buffer >= k->model.context_tokens)
        return asbi_fail(k->why, ASB_ECONFIG,
                         "token_buffer: %" PRIu64
                         " leaves nothing of the context of model %.128s, "
                         "%" PRIu64 " tokens",
                         c->token_buffer, c->model, k->model.context_tokens);
    return ASB_OK;
}

static bool same_file(const char *a, const char *b)
{
    return a[0] && strcmp(a, b) == 0 && strcmp(a, "-") != 0;
}

/* Standard output carries answers only, and no file is written while it is
 * read or written for something else. */
static int check_files(struct checking *k)
{
    const struct asbi_config *c = k->c;
    const struct {
        const char *name, *path;
    } files[] = {
        /* written */
        { "output", c->output },
        { "metrics", c->metrics },
        { "summary", c->summary },
        { "cache", c->cache },
        { "journal", c->journal },
        /* read */
        { "input", c->input },
        { "instructions", c->instructions },
        { "style", c->style },
        { "glossary", c->glossary },
        { "catalogue", c->catalogue },
        { "config", c->config },
    };
    enum { WRITTEN = 5, ALL = sizeof(files) / sizeof(files[0]) };

    for (size_t i = 1; i < WRITTEN; i++) {
        if (strcmp(files[i].path, "-") == 0)
            return asbi_fail(k->why, ASB_ECONFIG,
                             "%s: takes a file; standard output is for "
                             "answers only",
                             files[i].name);
    }
    for (size_t i = 0; i < WRITTEN; i++) {
        for (size_t j = i + 1; j < ALL; j++) {
            if (same_file(files[i].path, files[j].path))
                return asbi_fail(k->why, ASB_ECONFIG,
                                 "%s: is the same file as %s, \"%.200s\"; give "
                                 "another",
                                 files[i].name, files[j].name, files[i].path);
        }
    }
    return ASB_OK;
}

static int check_one(const struct asb_options *options, struct asb_message *why)
{
    static int (*const checks[])(struct checking * k) = {
        check_provider, check_proxy, check_webhook, check_model,
        check_money,    check_task,  check_sizes,   check_files,
    };
    struct checking k = { .options = options, .why = why };
    int rc = ASB_OK;

    k.c = &options->values;
    for (size_t i = 0; !rc && i < sizeof(checks) / sizeof(checks[0]); i++)
        rc = checks[i](&k);
    return rc;
}

/* Each lane as if the job had only that one. */
static int check_lane(const struct asb_options *options, size_t index,
                      struct asb_message *why)
{
    struct asbi_route route;
    struct asb_message told = { .text = "" };

    int rc = asbi_route_read(options, index, options->mem, &route, why);
    if (!rc)
        rc = check_one(route.options, &told);
    if (told.text[0])
        (void)asbi_fail(why, rc, "lane %s: %.700s", route.name, told.text);
    asbi_route_fini(&route);
    return rc;
}

int asbi_options_check(const struct asb_options *options,
                       struct asb_message *why)
{
    int rc = ASB_OK;

    if (why)
        why->text[0] = '\0';
    if (!options)
        return asbi_fail(why, ASB_EINVAL, "no options given");
    size_t lanes = asbi_route_count(options);
    if (lanes == 1 && !options->values.routes[0])
        return check_one(options, why);
    if (lanes > ASBI_ROUTE_MOST)
        return asbi_fail(why, ASB_ECONFIG,
                         "routes and fallback: at most %d lanes in all",
                         ASBI_ROUTE_MOST);
    for (size_t i = 0; !rc && i < lanes; i++)
        rc = check_lane(options, i, why);
    return rc;
}

/* ---- warnings --------------------------------------------------------- */

/* A simulator of one's own may have any model; whoever else stands at an
 * address has prices of his own. */
static bool warn_assumed(struct checking *k)
{
    bool is_sim = strcmp(k->c->provider, "sim") == 0;

    if (!k->model.assumed ||
        (is_sim &&
         (!k->c->base_url[0] || origin_of(k, "base_url") == ASB_FROM_HOST)))
        return false;
    (void)asbi_fail(k->why, 0,
                    "model %.128s is not in the catalogue; assumed are a "
                    "context of %" PRIu64 " tokens, answers of at most %" PRIu64
                    "%s the tokenizer %.32s%s; say better under models: in "
                    "the configuration",
                    k->c->model, k->model.context_tokens,
                    k->model.max_output_tokens, is_sim ? "," : " and",
                    k->model.tokenizer,
                    is_sim ? " and the prices of the simulator, as no other "
                             "provider is named by --provider"
                           : "");
    return true;
}

static bool warn_price(struct checking *k)
{
    if (k->model.priced)
        return false;
    (void)asbi_fail(k->why, 0,
                    "the price of model %.128s is not known; costs are shown "
                    "as 0 although the provider may bill",
                    k->c->model);
    return true;
}

/* The same machine, by the host of a URL: "localhost", "127.0.0.1:80/v1". */
static bool is_here(const char *host)
{
    asbi_str name = asbi_str_of(host, host[0] == '[' ? strcspn(host, "]") + 1
                                                     : strcspn(host, ":/?#"));

    return asbi_str_eq_nocase(name, ASBI_STR("localhost")) ||
           asbi_str_eq(name, ASBI_STR("[::1]")) ||
           (asbi_str_starts(name, ASBI_STR("127.")) &&
            strspn(host, "0123456789.") == name.len);
}

static bool warn_clear_text(struct checking *k)
{
    const char *url = k->c->base_url[0] ? k->c->base_url : k->provider.base_url;

    if (strncmp(url, "http://", 7) != 0)
        return false;
    if (is_here(url + 7))
        return false;
    (void)asbi_fail(k->why, 0,
                    "base_url is not encrypted: key and texts can be read on "
                    "the way; use https:// if the server has it");
    return true;
}

bool asbi_options_warning(const struct asb_options *options, size_t index,
                          struct asb_message *out)
{
    static bool (*const warnings[])(
        struct checking * k) = { warn_assumed, warn_price, warn_clear_text };
    struct checking k = { .options = options, .c = &options->values };

    if (asbi_options_check(options, out) || check_provider(&k) ||
        check_model(&k))
        return false;
    k.why = out;
    for (size_t i = 0; i < sizeof(warnings) / sizeof(warnings[0]); i++) {
        out->text[0] = '\0';
        if (warnings[i](&k) && index-- == 0)
            return true;
    }
    out->text[0] = '\0';
    return false;
}

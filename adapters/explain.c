#include "adapters/explain.h"

#include <string.h>

#include "adapters/redact.h"

static bool is_success(int status)
{
    return status >= 200 && status <= 299;
}

/* A word, as codes are: a gateway's bare number says less than we can. */
static bool is_code(asbi_str s)
{
    bool letters = false;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];

        letters = letters || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\')
            return false;
    }
    return letters && s.len < sizeof(((struct asbi_explanation *)0)->code);
}

static const char *code_for(struct asbi_explanation *e,
                            const struct asbi_facts *f,
                            enum asbi_verdict verdict)
{
    asbi_str code = is_code(f->code) ? f->code : f->type;

    if ((is_success(f->status) && !f->error) || !is_code(code))
        return asbi_verdict_code(verdict);
    memcpy(e->code, code.at, code.len);
    e->code[code.len] = '\0';
    asbi_redact(e->code, code.len);
    return e->code;
}

static void say(struct asbi_explanation *e, asbi_str s)
{
    size_t room = sizeof(e->message) - e->len;
    size_t n = s.len < room ? s.len : room;

    if (n)
        memcpy(e->message + e->len, s.at, n);
    e->len += n;
}

/* Where it leads to, without what a query might tell. */
static void say_redirect(struct asbi_explanation *e, asbi_str location)
{
    size_t n = 0;

    while (n < location.len && location.at[n] != '?' && location.at[n] != '#')
        n++;
    say(e, ASBI_STR("the server redirects; set the base URL to the address "
                    "that answers"));
    if (n == 0)
        return;
    say(e, ASBI_STR(": "));
    say(e, asbi_str_of(location.at, n));
}

static void say_all(struct asbi_explanation *e, const struct asbi_facts *f,
                    asbi_str location, asbi_str page, bool no_json)
{
    e->len = 0;
    if (f->status >= 300 && f->status <= 399) {
        say_redirect(e, location);
    } else if (f->message.len) {
        say(e, f->message);
    } else if (page.len) {
        if (no_json && is_success(f->status))
            say(e, ASBI_STR("the server did not answer with JSON: "));
        say(e, page);
    }
    asbi_redact(e->message, e->len);
}

void asbi_explain(struct asbi_explanation *e, const struct asbi_facts *f,
                  asbi_str location, asbi_str page, bool no_json,
                  struct asbi_reply *reply)
{
    reply->code = code_for(e, f, reply->verdict);
    reply->message = ASBI_STR("");
    if (reply->verdict == ASBI_ACCEPTED)
        return;
    say_all(e, f, location, page, no_json);
    reply->message = e->len ? asbi_str_of(e->message, e->len)
                            : asbi_str_c(asbi_verdict_text(reply->verdict));
}

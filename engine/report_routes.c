#include "engine/report_routes.h"

#include "engine/base/json.h"
#include "engine/engine.h"

static void put_count(struct asbi_buf *b, const char *key, uint64_t n)
{
    asbi_json_put_key(b, key);
    asbi_buf_u64(b, n);
}

static void put_text(struct asbi_buf *b, const char *key, const char *text)
{
    asbi_json_put_key(b, key);
    asbi_json_put_string(b, asbi_str_c(text));
}

static void put_route(struct asbi_buf *b, const struct asb_route *r)
{
    asbi_buf_char(b, '{');
    put_text(b, "route", r->name);
    put_text(b, "provider", r->provider);
    put_text(b, "model", r->model);
    put_count(b, "weight", r->weight);
    put_count(b, "calls", r->calls);
    put_count(b, "items", r->items);
    asbi_json_put_key(b, "cost_usd");
    asbi_json_put_usd(b, r->cost_nano_usd);
    if (r->halt)
        put_text(b, "lost", r->halt_reason);
    asbi_buf_char(b, '}');
}

void asbi_report_put_routes(struct asbi_buf *b, const struct asb_engine *e)
{
    struct asb_route r = { .size = sizeof(r) };

    if (e->routes.count < 2)
        return;
    asbi_json_put_key(b, "routes");
    asbi_buf_char(b, '[');
    for (size_t i = 0; asb_engine_route(e, i, &r); i++) {
        if (i)
            asbi_buf_char(b, ',');
        put_route(b, &r);
    }
    asbi_buf_char(b, ']');
}

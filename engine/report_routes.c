#include "engine/report_routes.h"

#include "engine/base/json.h"
#include "engine/base/json_members.h"
#include "engine/engine.h"

static void put_route(struct asbi_buf *b, const struct asb_route *r)
{
    asbi_buf_char(b, '{');
    asbi_member_text(b, "route", asbi_str_c(r->name));
    asbi_member_text(b, "provider", asbi_str_c(r->provider));
    asbi_member_text(b, "model", asbi_str_c(r->model));
    asbi_member_u64(b, "weight", r->weight);
    asbi_member_u64(b, "calls", r->calls);
    asbi_member_u64(b, "items", r->items);
    asbi_member_usd(b, "cost_usd", r->cost_nano_usd);
    if (r->halt)
        asbi_member_text(b, "lost", asbi_str_c(r->halt_reason));
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

#include "engine/sim/stats.h"

#include <stdio.h>

#include "engine/base/json.h"
#include "engine/base/units.h"

void asbi_sim_stats_bill(struct asbi_sim_stats *s,
                         const struct asbi_sim_usage *usage,
                         const struct asbi_sim_model *model, unsigned percent)
{
    int64_t full =
        asbi_price_of(usage->input - usage->cached, model->input_price) +
        asbi_price_of(usage->cached, model->cached_price) +
        asbi_price_of(usage->output, model->output_price);

    s->billed_input += usage->input;
    s->cached_input += usage->cached;
    s->billed_output += usage->output;
    s->billed_nano_usd += full * (int64_t)percent / 100;
}

static void put_status(const struct asbi_sim_stats *s, struct asbi_buf *out)
{
    asbi_json_put_key(out, "status");
    asbi_buf_char(out, '{');
    for (unsigned i = 0; i < ASBI_SIM_STATUS_LIMIT; i++) {
        char key[8];

        if (s->status[i] == 0)
            continue;
        (void)snprintf(key, sizeof(key), "%u", i);
        asbi_json_put_key(out, key);
        asbi_buf_u64(out, s->status[i]);
    }
    asbi_buf_char(out, '}');
}

void asbi_sim_stats_put(const struct asbi_sim_stats *s, struct asbi_buf *out)
{
    const struct {
        const char *key;
        uint64_t value;
    } counts[] = {
        { "calls", s->calls },
        { "items", s->items },
        { "dropped_items", s->dropped },
        { "batch_lines", s->batch_lines },
        { "disconnects", s->disconnects },
        { "billed_input_tokens", s->billed_input },
        { "billed_cached_tokens", s->cached_input },
        { "billed_output_tokens", s->billed_output },
        { "in_flight", s->in_flight },
        { "max_in_flight", s->max_in_flight },
        { "waiting", s->waiting },
        { "max_waiting", s->max_waiting },
    };

    asbi_buf_char(out, '{');
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        asbi_json_put_key(out, counts[i].key);
        asbi_buf_u64(out, counts[i].value);
    }
    asbi_json_put_key(out, "max_latency_ms");
    asbi_json_put_double(out, (double)s->longest_ns / 1e6);
    asbi_json_put_key(out, "billed_usd");
    asbi_json_put_usd(out, s->billed_nano_usd);
    put_status(s, out);
    asbi_buf_c(out, "}\n");
}

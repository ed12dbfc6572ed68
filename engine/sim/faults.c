#include "engine/sim/faults.h"

bool asbi_sim_chance(struct asbi_rng *rng, double rate)
{
    return asbi_rng_unit(rng) < rate;
}

struct asbi_sim_fault asbi_sim_fault_draw(const struct asbi_sim_options *o,
                                          struct asbi_rng *rng)
{
    static const int errors[] = { 500, 502, 503 };
    bool error = asbi_sim_chance(rng, o->error_rate);
    int status = errors[asbi_rng_below(rng, 3)];
    bool garbage = asbi_sim_chance(rng, o->garbage_rate);
    uint64_t kind = 1 + asbi_rng_below(rng, ASBI_SIM_GARBAGE_KINDS - 1);
    bool truncate = asbi_sim_chance(rng, o->truncate_rate);
    bool disconnect = asbi_sim_chance(rng, o->disconnect_rate);
    bool silent = asbi_sim_chance(rng, 0.25);
    struct asbi_sim_fault f = {
        .error_status = error ? status : 0,
        .disconnect = disconnect && !error,
        .silent = silent,
        .where = asbi_rng_unit(rng),
        .truncate = truncate && !garbage,
        .garbage = garbage ? (enum asbi_sim_garbage)kind : ASBI_SIM_SOUND,
        .drop_item_rate = o->drop_item_rate,
    };

    return f;
}

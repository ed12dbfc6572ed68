/*
 * server.h -- the provider model on real sockets: the door to libevent's HTTP
 * server.
 *
 * The public functions asb_simulator_* are here.  Headers and bodies are
 * bounded, names are never looked up, the listening socket is closed on exec.
 * A write to a client that has gone may raise SIGPIPE, as any write of the
 * host; who serves strangers ignores that signal.
 */
#ifndef ASBI_SIM_SERVER_H
#define ASBI_SIM_SERVER_H

#include <asyncbatch/asyncbatch.h>

#include "engine/base/mem.h"
#include "engine/sim/options.h"
#include "engine/sim/stats.h"

/* As asb_simulator_new(), with the options of the model itself; what
 * options->model_arg points to outlives the simulator. */
int asbi_simulator_new(struct event_base *base, const struct asbi_mem *mem,
                       const struct asbi_sim_options *options,
                       const char *listen, struct asb_simulator **out,
                       struct asb_message *why);

const struct asbi_sim_stats *
asbi_simulator_stats(const struct asb_simulator *simulator);

#endif

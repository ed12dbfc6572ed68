/*
 * state_file.h -- the simulator's videos in a file, a line of JSON each, so
 * that they are there again when it is stopped, even by a kill, and started
 * anew.  Lines are appended before the request is answered; nothing is synced:
 * it outlives the process, not the machine.
 */
#ifndef ASBI_SIM_STATE_FILE_H
#define ASBI_SIM_STATE_FILE_H

#include "engine/base/mem.h"
#include "engine/sim/provider.h"

struct asbi_sim_state_file;

/* Makes it when it is not there.  ASB_OK, ASB_EIO with the reason, or
 * ASB_ENOMEM. */
int asbi_sim_state_open(const struct asbi_mem *mem, const char *path,
                        struct asbi_sim_state_file **out,
                        struct asb_message *why);
void asbi_sim_state_close(struct asbi_sim_state_file *f);

/* For asbi_sim_options.keep; `arg` is the file. */
void asbi_sim_state_keep(void *arg, asbi_str line);

/* Gives all lines to the provider.  Results as open. */
int asbi_sim_state_restore(struct asbi_sim_state_file *f,
                           struct asbi_sim_provider *p, uint64_t now_ns,
                           uint64_t wall_s, struct asb_message *why);

#endif

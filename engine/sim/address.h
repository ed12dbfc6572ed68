/*
 * address.h -- "127.0.0.1:0" as a socket address.  Numeric addresses and
 * "localhost" only: no name is looked up.
 */
#ifndef ASBI_SIM_ADDRESS_H
#define ASBI_SIM_ADDRESS_H

#include <sys/socket.h>

#include <asyncbatch/asyncbatch.h>

struct asbi_sim_address {
    struct sockaddr_storage at;
    socklen_t len;
};

/**
 * Reads "127.0.0.1:8080", "[::1]:0", "localhost:0" or ":8080", which is on
 * 127.0.0.1 too: a simulator is for this machine unless told otherwise.
 * @return ASB_OK, or ASB_ECONFIG with the form expected in `why`
 */
int asbi_sim_address_parse(const char *text, struct asbi_sim_address *out,
                           struct asb_message *why);

/* "http://127.0.0.1:43211". */
void asbi_sim_address_url(const struct asbi_sim_address *address, char *out,
                          size_t size);

#endif

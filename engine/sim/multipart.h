/*
 * multipart.h -- the parts of a multipart/form-data body, as files are
 * uploaded.  Views into the body; nothing is copied.
 */
#ifndef ASBI_SIM_MULTIPART_H
#define ASBI_SIM_MULTIPART_H

#include "engine/base/str.h"

struct asbi_sim_part {
    asbi_str name, filename; /* filename: empty when none was given */
    asbi_str content;
};

/* Position in a body. */
struct asbi_sim_multipart {
    asbi_str rest;
    asbi_str boundary;
};

/* False when the type is no multipart/form-data with a boundary, or the body
 * does not begin with it. */
bool asbi_sim_multipart_begin(struct asbi_sim_multipart *m,
                              asbi_str content_type, asbi_str body);

/* The next part; false at the end and at what is malformed. */
bool asbi_sim_multipart_next(struct asbi_sim_multipart *m,
                             struct asbi_sim_part *part);

#endif

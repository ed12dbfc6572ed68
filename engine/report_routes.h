/*
 * report_routes.h -- what each lane of an engine did, for summaries and plans.
 */
#ifndef ASBI_REPORT_ROUTES_H
#define ASBI_REPORT_ROUTES_H

#include "engine/base/buf.h"

struct asb_engine;

/* Appends a member "routes" to a JSON object; nothing where there is one lane.
 */
void asbi_report_put_routes(struct asbi_buf *b, const struct asb_engine *e);

#endif

/*
 * proxy.h -- which proxy the usual environment variables choose for a URL.
 *
 * As curl does: http_proxy (lower case only, because a CGI server's clients
 * can set HTTP_PROXY), https_proxy, all_proxy, no_proxy and their upper case.
 * Pure: the environment is an argument.
 */
#ifndef ASBI_REAL_PROXY_H
#define ASBI_REAL_PROXY_H

#include <stdbool.h>

#include "engine/base/str.h"

/* As getenv(). */
typedef const char *asbi_env_fn(const char *name);

/* The URL of the proxy for a host, or NULL for none. */
const char *asbi_proxy_choose(bool tls, asbi_str host, asbi_env_fn *env);

/* Whether a no_proxy list ("*", or names, domains, addresses and networks with
 * commas or blanks between) names the host.  IPv6 comes without brackets. */
bool asbi_proxy_excluded(asbi_str list, asbi_str host);

#endif

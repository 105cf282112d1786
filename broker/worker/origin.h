/* origin: from which page a request comes, and whether that page may ask. */
#ifndef SSEMUX_WORKER_ORIGIN_H
#define SSEMUX_WORKER_ORIGIN_H

#include <stdbool.h>

struct config;
struct http_request;

/* Is the request's Origin our own: the host that it asks for? False without
 * an Origin. */
bool origin_allowed(
    const struct config *config, const struct http_request *request);

#endif

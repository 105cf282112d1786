/* publish_origin: from which pages something may be published. */
#ifndef SSEMUX_WORKER_PUBLISH_ORIGIN_H
#define SSEMUX_WORKER_PUBLISH_ORIGIN_H

#include <stdbool.h>

struct connection;
struct http_request;

/* A request of a foreign page is answered with 403; false then. One without an
 * Origin is no page's. */
bool publish_origin_good(
    struct connection *connection, const struct http_request *request);

#endif

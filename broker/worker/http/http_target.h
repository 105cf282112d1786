/*
 * http_target: what a request is for: its path, its query, and the host that
 * it names. Pure.
 */
#ifndef SSEMUX_WORKER_HTTP_HTTP_TARGET_H
#define SSEMUX_WORKER_HTTP_HTTP_TARGET_H

#include <stdbool.h>

#include "protocol/slice.h"

struct http_request;

/*
 * Reads the target of a request whose method is known (RFC 9112, 3.2): a path;
 * http://host/path or https://, whose host is then the request's; and * for
 * OPTIONS. Sets path and query, and host where the target has one. NULL; or
 * one sentence, why it is not good.
 */
const char *http_target_read(struct http_request *request, struct slice target);

/* Is it a host with or without a port, or empty (RFC 9110, 7.2)? */
bool http_target_is_host(struct slice text);

#endif

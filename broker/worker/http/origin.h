/*
 * origin: which pages of which sites may talk to the broker (CORS, and who may
 * change something). Pure.
 */
#ifndef SSEMUX_WORKER_HTTP_ORIGIN_H
#define SSEMUX_WORKER_HTTP_ORIGIN_H

#include <stdbool.h>

struct config;
struct http_request;

/*
 * What Access-Control-Allow-Origin says to this request: the request's Origin,
 * when http.cors_origins has just that; "*", when it has that. NULL: nothing.
 * Valid as long as the configuration.
 */
const char *origin_granted(
    const struct config *config, const struct http_request *request);

/*
 * May what the browser adds by itself, such as a cookie, count? True when the
 * request has no Origin, or the one of its own Host, or one that
 * http.cors_origins names ("*" names none).
 */
bool origin_allowed(
    const struct config *config, const struct http_request *request);

/*
 * Is the request's Host one of http.hosts, "localhost", or an address? A page
 * whose name its owner made to point here (DNS rebinding) has its own name
 * there. True when http.hosts is empty, or there is no Host.
 */
bool origin_host_known(
    const struct config *config, const struct http_request *request);

/* May the request change something? As above, but "*" lets all. */
bool origin_may_change(
    const struct config *config, const struct http_request *request);

#endif

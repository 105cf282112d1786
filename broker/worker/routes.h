/* routes: which path is answered by what. */
#ifndef SSEMUX_WORKER_ROUTES_H
#define SSEMUX_WORKER_ROUTES_H

struct connection;
struct http_request;

/* Appends the answer to the connection's output; for a stream, gives the
 * connection its subscriber. Sends nothing. */
void routes_answer(
    struct connection *connection, const struct http_request *request);

#endif

/* requests: from the bytes that came in on a connection to answers. */
#ifndef SSEMUX_WORKER_REQUESTS_H
#define SSEMUX_WORKER_REQUESTS_H

#include <stdbool.h>

#include "broker/worker/http/problem.h"

struct connection;
struct worker;

/* Answers what has come in, until an answer has to wait or becomes a stream.
 * The connection may be destroyed. */
void requests_take(struct connection *connection);

/* Answers something that is no good request. False: the connection was
 * destroyed. */
bool requests_refuse(
    struct connection *connection, enum problem problem, const char *why);

/* Has a part of a request come in? */
bool requests_begun(const struct connection *connection);

/* Forgets a request that was coming in; the connection ends. */
void requests_drop(struct connection *connection);

/* Counts anew what the connection holds of requests that are coming in. */
void requests_weigh(struct connection *connection);

/* Do all connections together hold more of that than http.max_bodies? */
bool requests_full(const struct worker *worker);

#endif

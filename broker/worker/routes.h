/* routes: which path is answered by what. */
#ifndef SSEMUX_WORKER_ROUTES_H
#define SSEMUX_WORKER_ROUTES_H

#include <stdbool.h>

struct connection;
struct http_request;
struct worker;

/*
 * What answers a path: by reply_*(), by giving the connection a subscriber, or
 * by connection_wait(). NULL: the path has no such method. HEAD goes where GET
 * goes, and OPTIONS is answered for every path.
 */
struct route {
	void (*get)(
	    struct connection *connection, const struct http_request *request);
	void (*post)(
	    struct connection *connection, const struct http_request *request);
	bool always; /* answered however many connections there are */
};

/* Does anything want the body of this request? */
bool routes_take_body(
    const struct worker *worker, const struct http_request *request);

/* Appends the answer to the connection's output; for a stream, gives the
 * connection its subscriber. Sends nothing. */
void routes_answer(
    struct connection *connection, const struct http_request *request);

#endif

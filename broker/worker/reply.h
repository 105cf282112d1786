/*
 * reply: answers that are not streams, appended to a connection's output; and
 * the head of those that are.
 */
#ifndef SSEMUX_WORKER_REPLY_H
#define SSEMUX_WORKER_REPLY_H

#include "protocol/slice.h"

struct connection;
struct http_request;

/* Status, media type and body. The request, when not NULL, tells whether only
 * the head is wanted. */
void reply_body(struct connection *connection,
    const struct http_request *request, int status, const char *type,
    struct slice body);

/*
 * application/problem+json (RFC 9457) with a stable code and a sentence in
 * plain ASCII.
 */
void reply_problem(struct connection *connection, int status, const char *code,
    const char *detail);

/* 405, with the methods that the path has. */
void reply_method(struct connection *connection);

/*
 * What is temporary. A request that accepts text/event-stream gets a stream
 * with one "bye", because a native EventSource never comes back after any
 * status but 200; any other gets 503 with Retry-After.
 */
void reply_later(struct connection *connection,
    const struct http_request *request, const char *reason);

/* The head of a stream. */
void reply_stream_head(struct connection *connection);

#endif

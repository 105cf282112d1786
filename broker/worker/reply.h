/*
 * reply: answers that are not streams, appended to a connection's output; and
 * the head of those that are. Of an answer to HEAD only the head is sent.
 */
#ifndef SSEMUX_WORKER_REPLY_H
#define SSEMUX_WORKER_REPLY_H

#include "broker/shared/coding.h"
#include "broker/worker/http/http.h"
#include "broker/worker/http/problem.h"
#include "protocol/slice.h"

struct buf;
struct connection;
struct http_request;

/* Status, media type and body. */
void reply_body(struct connection *connection, int status, const char *type,
    struct slice body);

/* The same; the buffer is finished. That it has failed ends the connection. */
void reply_buf(struct connection *connection, int status, const char *type,
    struct buf *body);

/*
 * application/problem+json (RFC 9457) with the stable code of the problem.
 * detail is a sentence in plain ASCII; NULL: the one of the row.
 */
void reply_problem(
    struct connection *connection, enum problem problem, const char *detail);

/* The same with header lines of its own, each with its CR LF. */
void reply_problem_with(struct connection *connection, enum problem problem,
    const char *detail, const char *headers);

/* The answer to OPTIONS, with the methods that the path has; to a preflight
 * (CORS), what it asks, or that it may not. */
void reply_options(struct connection *connection,
    const struct http_request *request, const char *allowed);

/* 405, with the methods that the path has, as "GET, HEAD". */
void reply_method(struct connection *connection, const char *allowed);

/*
 * What is temporary, a problem of 429 or 503. A request that accepts
 * text/event-stream, and no JSON rather, gets a stream with one "bye", whose
 * reason is the code, because a native EventSource never comes back after any
 * status but 200; any other gets the problem, with Retry-After. The connection
 * ends.
 */
void reply_later(struct connection *connection,
    const struct http_request *request, enum problem problem);

/* The same, but with the problem whatever the request accepts. */
void reply_for_now(struct connection *connection, enum problem problem);

/* A problem with Retry-After, whatever the request accepts; the
 * connection may go on. */
void reply_retry(struct connection *connection, enum problem problem);

/* The head of a stream. */
void reply_stream_head(struct connection *connection, enum coding coding);

#endif

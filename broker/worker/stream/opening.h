/*
 * opening: what a request for a stream comes to, from whom and from its query
 * to channels, filter and start: the same for a stream and for a page of it.
 *
 *	opening_begin()		who asks
 *	opening_read_query()	the parameters
 *	opening_choose()	channels and types
 *	opening_find_start()	where in the log it starts
 *	opening_finish()	always, once it was begun
 *
 * What returns false has answered the request.
 */
#ifndef SSEMUX_WORKER_STREAM_OPENING_H
#define SSEMUX_WORKER_STREAM_OPENING_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/worker/access/authority.h"
#include "broker/worker/access/grants.h"
#include "broker/worker/cursor/stream_start.h"
#include "broker/worker/http/problem.h"
#include "broker/worker/http/stream_query.h"

struct config_stream;
struct connection;
struct filter;
struct http_request;
struct worker;

/* A list of patterns that are valid, none twice. */
struct chosen {
	struct slice *patterns;
	size_t count;
};

/* What could be made of a request so far. */
struct opening {
	struct connection *connection;
	struct worker *worker;
	const struct config_stream *block;
	struct authority authority;
	const struct authority *asker; /* NULL: nobody */
	struct stream_query query;
	struct grants grants;
	struct chosen channels; /* at least one */
	struct chosen refused;
	struct filter *filter; /* NULL: every event; whoever takes it over puts
				* NULL here */
	struct stream_start start;
};

/* Answers the request with this problem. */
void opening_refuse(
    struct opening *opening, enum problem problem, const char *detail);

/* Finds who asks, as far as the stream at the request's path, which is there,
 * wants to know. opening_finish() is to be called, either way. */
bool opening_begin(struct opening *opening, struct connection *connection,
    const struct http_request *request);

bool opening_read_query(
    struct opening *opening, const struct http_request *request);

/* Settles which channels and which events of them are asked for and granted. */
bool opening_choose(struct opening *opening);

/* Finds where it starts; a header beats the query. It hands out events to
 * other streams, which may end by it. */
void opening_find_start(
    struct opening *opening, const struct http_request *request);

void opening_finish(struct opening *opening);

#endif

/* requests: heads of requests, one after the other. See requests.h. */
#include "broker/worker/requests.h"

#include "broker/worker/connection.h"
#include "broker/worker/http.h"
#include "broker/worker/reply.h"
#include "broker/worker/routes.h"
#include "broker/worker/worker_state.h"

static void
begin_stream(struct connection *connection)
{
	connection->state = CONNECTION_STREAMING;
	buf_finish(&connection->in);
	connection_was_written(connection);
	connection_set_deadline(
	    connection, connection->worker->config->http_heartbeat);
}

/* Answers a whole request. False: the connection was destroyed. */
static bool
take_request(struct connection *connection, const struct http_request *request,
    size_t size)
{
	connection->http_minor = request->minor;
	connection->head_only = slice_is(request->method, "HEAD");
	/* A body that nobody asked for is not read. */
	connection->keep_alive =
	    request->keep_alive && !connection->worker->draining &&
	    !request->chunked_body && request->body_bytes == 0;
	routes_answer(connection, request);
	if (connection->subscriber != NULL) {
		begin_stream(connection);
		return true;
	}
	buf_consume(&connection->in, size);
	return connection_answered(connection);
}

bool
requests_refuse(
    struct connection *connection, enum problem problem, const char *why)
{
	connection->http_minor = 1;
	connection->keep_alive = false;
	connection->head_only = false;
	reply_problem(connection, problem, why);
	return connection_answered(connection);
}

/* What http_read_head() refuses with this status. */
static enum problem
problem_of_status(int status)
{
	switch (status) {
	case 414:
		return PROBLEM_TARGET_LONG;
	case 431:
		return PROBLEM_HEADERS_LARGE;
	case 501:
		return PROBLEM_CODING_UNKNOWN;
	case 505:
		return PROBLEM_VERSION_UNKNOWN;
	default:
		return PROBLEM_BAD_REQUEST;
	}
}

/* Answers the next request that has come in whole. False: there is none, or
 * the connection was destroyed. */
static bool
take_next_request(struct connection *connection)
{
	const struct config *config = connection->worker->config;
	const struct http_limits limits = {
	    .head_bytes = config->http_max_head,
	    .headers = config->http_max_headers,
	};
	struct http_request request;
	size_t size;
	int status;
	const char *why;

	switch (http_read_head(buf_bytes(&connection->in),
	    buf_length(&connection->in), &limits, &request, &size, &status,
	    &why)) {
	case HTTP_HEAD_WHOLE:
		return take_request(connection, &request, size);
	case HTTP_HEAD_BAD:
		return requests_refuse(
		    connection, problem_of_status(status), why);
	case HTTP_HEAD_PART:
		break;
	}
	return false;
}

void
requests_take(struct connection *connection)
{
	while (connection->state == CONNECTION_READING) {
		if (buf_length(&connection->in) == 0) {
			buf_finish(&connection->in);
			return;
		}
		if (!take_next_request(connection))
			return;
	}
}

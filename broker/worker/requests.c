/*
 * requests: heads and bodies of requests, one after the other. See requests.h.
 *
 * A request without a body is answered from what came in. Of one with a body
 * the head is put aside, the body behind it as it comes; when that is whole the
 * head is read again, so that nothing points into bytes that move.
 */
#include "broker/worker/requests.h"

#include <stdlib.h>

#include "broker/worker/access/limits.h"
#include "broker/worker/connection.h"
#include "broker/worker/http/http.h"
#include "broker/worker/http/http_body.h"
#include "broker/worker/http/origin.h"
#include "broker/worker/http/proxies.h"
#include "broker/worker/http/proxy_header.h"
#include "broker/worker/reply.h"
#include "broker/worker/routes.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

/* The head, and each such part of a body, has http.head_timeout to come. */
enum { BODY_PART_BYTES = 65536 };

struct arrival {
	struct http_body body;
	struct buf bytes; /* the head, and the body so far */
};

/* Why a head is no good. */
struct bad_head {
	enum problem problem;
	const char *why;
};

void
requests_weigh(struct connection *connection)
{
	struct worker *worker = connection->worker;
	size_t held = connection->in.size;

	if (connection->arrival != NULL)
		held += connection->arrival->bytes.size;
	if (held == connection->held)
		return;
	worker->bodies_bytes += held - connection->held;
	connection->held = held;
	board_set(worker->board, METRIC_BODIES_BYTES, worker->bodies_bytes);
}

bool
requests_full(const struct worker *worker)
{
	return worker->bodies_bytes > worker->config->http_max_bodies;
}

static void
begin_stream(struct connection *connection)
{
	connection->state = CONNECTION_STREAMING;
	buf_finish(&connection->in);
	requests_weigh(connection);
	subscriber_was_written(connection->subscriber);
	connection_set_deadline(
	    connection, connection->subscriber->block->heartbeat_interval);
}

void
requests_drop(struct connection *connection)
{
	struct arrival *arrival = connection->arrival;

	if (arrival != NULL)
		buf_finish(&arrival->bytes);
	free(arrival);
	connection->arrival = NULL;
	requests_weigh(connection);
}

bool
requests_begun(const struct connection *connection)
{
	return buf_length(&connection->in) > 0 || connection->arrival != NULL;
}

static bool
has_body(const struct http_request *request)
{
	return request->chunked_body || request->body_bytes > 0;
}

/* What answers need to know of the request, also when it is refused. */
static void
know_request(struct connection *connection, const struct http_request *request)
{
	connection->http_minor = request->minor;
	connection->head_only = slice_is(request->method, "HEAD");
	connection->allow_origin =
	    origin_granted(connection->worker->config, request);
}

/* Whose request it is, when a proxy brings it. */
static void
know_client(struct connection *connection, const struct http_request *request)
{
	if (!connection->via_proxy)
		return;
	limits_leave_address(connection);
	connection->peer = proxies_client(
	    &connection->worker->proxies, request, connection->hop);
	if (!limits_enter_address(connection))
		connection->refusal = PROBLEM_LIMIT_ADDRESS;
}

/* Answers a whole request, of which size bytes are still held. False: the
 * connection was destroyed. */
static bool
take_request(struct connection *connection, const struct http_request *request,
    size_t size)
{
	bool unread = has_body(request) && connection->arrival == NULL;

	know_request(connection, request);
	know_client(connection, request);
	/* A body that nobody asked for is not read. */
	connection->keep_alive = request->keep_alive && !unread &&
				 !connection->input_ended &&
				 connection->refusal == PROBLEM_COUNT &&
				 !connection->worker->draining;
	routes_answer(connection, request);
	requests_drop(connection);
	if (connection->subscriber != NULL) {
		begin_stream(connection);
		return true;
	}
	buf_consume(&connection->in, size);
	if (connection->state == CONNECTION_WAITING)
		return true;
	return connection_answered(connection);
}

bool
requests_refuse(
    struct connection *connection, enum problem problem, const char *why)
{
	static const struct http_request unknown = {.minor = 1};

	/* Of a request whose body comes in the head is known. */
	if (connection->arrival == NULL)
		know_request(connection, &unknown);
	requests_drop(connection);
	connection->keep_alive = false;
	reply_problem(connection, problem, why);
	return connection_answered(connection);
}

/* There is no room for more bodies. */
static bool
refuse_for_now(struct connection *connection)
{
	requests_drop(connection);
	connection->keep_alive = false;
	reply_for_now(connection, PROBLEM_OVERLOAD);
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

static enum http_head
read_head(const struct connection *connection, const struct buf *bytes,
    struct http_request *request, size_t *size, struct bad_head *bad)
{
	const struct config *config = connection->worker->config;
	const struct http_limits limits = {
	    .head_bytes = config->http_max_head,
	    .headers = config->http_max_headers,
	};
	int status;
	enum http_head head = http_read_head(buf_bytes(bytes),
	    buf_length(bytes), &limits, request, size, &status, &bad->why);

	if (head == HTTP_HEAD_BAD)
		bad->problem = problem_of_status(status);
	return head;
}

/* The request whose body is whole now. */
static bool
take_arrived(struct connection *connection)
{
	struct arrival *arrival = connection->arrival;
	struct http_request request;
	struct bad_head bad;
	size_t size;

	if (buf_failed(&arrival->bytes)) {
		connection_destroy(connection);
		return false;
	}
	/* What was whole once is read the same again. */
	if (read_head(connection, &arrival->bytes, &request, &size, &bad) !=
	    HTTP_HEAD_WHOLE)
		return requests_refuse(connection, bad.problem, bad.why);
	request.body = slice_of(buf_bytes(&arrival->bytes) + size,
	    buf_length(&arrival->bytes) - size);
	return take_request(connection, &request, 0);
}

/* The body has grown: what comes slowly has more time, but for so much. */
static bool
count_body(struct connection *connection, size_t before)
{
	struct worker *worker = connection->worker;
	size_t held = connection->arrival->body.held;

	requests_weigh(connection);
	if (requests_full(worker))
		return false;
	if (held / BODY_PART_BYTES > before / BODY_PART_BYTES)
		connection_await_request(connection);
	return true;
}

/* Reads on in a body. False: it needs more, or the connection was destroyed. */
static bool
take_body(struct connection *connection)
{
	struct arrival *arrival = connection->arrival;
	size_t before = arrival->body.held;
	enum http_body_result result;
	size_t taken;

	result = http_body_read(&arrival->body,
	    slice_of(buf_bytes(&connection->in), buf_length(&connection->in)),
	    &arrival->bytes, &taken);
	buf_consume(&connection->in, taken);
	if (buf_length(&connection->in) == 0)
		buf_finish(&connection->in);
	if (!count_body(connection, before))
		return refuse_for_now(connection);
	switch (result) {
	case HTTP_BODY_PART:
		return false;
	case HTTP_BODY_WHOLE:
		return take_arrived(connection);
	case HTTP_BODY_LARGE:
		return requests_refuse(
		    connection, PROBLEM_BODY_TOO_LARGE, NULL);
	case HTTP_BODY_BAD:
		break;
	}
	return requests_refuse(
	    connection, PROBLEM_BAD_REQUEST, arrival->body.why);
}

/* Tells a client that waits for it to send the body. Should the socket be full,
 * the answer takes it along. False: the connection was destroyed. */
static bool
say_continue(struct connection *connection)
{
	buf_append_text(&connection->out, "HTTP/1.1 100 Continue\r\n\r\n");
	return connection_send(connection) != CONNECTION_SENT_GONE;
}

/* What a client wants to know before it sends the body. False: the connection
 * was destroyed, or the request refused. */
static bool
meet_expectation(
    struct connection *connection, const struct http_request *request)
{
	switch (http_expect(request)) {
	case HTTP_EXPECT_NOTHING:
		return true;
	case HTTP_EXPECT_CONTINUE:
		return buf_length(&connection->in) > 0 ||
		       say_continue(connection);
	case HTTP_EXPECT_OTHER:
		break;
	}
	requests_refuse(connection, PROBLEM_EXPECTATION_UNKNOWN, NULL);
	return false;
}

/* A head with a body behind it: keeps the head until the body is whole. */
static bool
begin_body(struct connection *connection, const struct http_request *request,
    size_t size)
{
	struct arrival *arrival = calloc(1, sizeof(*arrival));

	if (arrival == NULL) {
		connection_destroy(connection);
		return false;
	}
	know_request(connection, request);
	connection->arrival = arrival;
	buf_init(&arrival->bytes, 0);
	buf_append(&arrival->bytes, buf_bytes(&connection->in), size);
	if (http_body_begin(&arrival->body, request,
		connection->worker->config->http_max_body) == HTTP_BODY_LARGE)
		return requests_refuse(
		    connection, PROBLEM_BODY_TOO_LARGE, NULL);
	buf_consume(&connection->in, size);
	return meet_expectation(connection, request);
}

/* Answers the next request that has come in whole. False: there is none, or
 * the connection was destroyed. */
static bool
take_next_request(struct connection *connection)
{
	struct http_request request;
	struct bad_head bad;
	size_t size;

	switch (read_head(connection, &connection->in, &request, &size, &bad)) {
	case HTTP_HEAD_WHOLE:
		if (has_body(&request) &&
		    routes_take_body(connection->worker, &request))
			return begin_body(connection, &request, size);
		return take_request(connection, &request, size);
	case HTTP_HEAD_BAD:
		return requests_refuse(connection, bad.problem, bad.why);
	case HTTP_HEAD_PART:
		break;
	}
	return requests_full(connection->worker) && refuse_for_now(connection);
}

/* What a proxy says before the client's first byte. False: it is not whole, or
 * the connection was destroyed. */
static bool
take_proxy_header(struct connection *connection)
{
	struct address client = connection->hop;
	size_t size;

	switch (proxy_header_read(buf_bytes(&connection->in),
	    buf_length(&connection->in), &client, &size)) {
	case PROXY_HEADER_CLIENT:
	case PROXY_HEADER_LOCAL:
		connection->proxy_due = false;
		buf_consume(&connection->in, size);
		return connection_came_from(connection, &client);
	case PROXY_HEADER_PART:
		return false;
	case PROXY_HEADER_BAD:
		break;
	}
	return requests_refuse(
	    connection, PROBLEM_BAD_REQUEST, "the PROXY header is malformed");
}

/* The next thing that comes on a connection. */
static bool
take_next(struct connection *connection)
{
	if (connection->proxy_due)
		return take_proxy_header(connection);
	if (connection->arrival != NULL)
		return take_body(connection);
	return take_next_request(connection);
}

void
requests_take(struct connection *connection)
{
	while (connection->state == CONNECTION_READING) {
		if (buf_length(&connection->in) == 0) {
			buf_finish(&connection->in);
			break;
		}
		if (!take_next(connection))
			return;
	}
	requests_weigh(connection);
}

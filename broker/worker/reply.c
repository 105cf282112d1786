/* reply: HTTP answers. See reply.h. */
#include "broker/worker/reply.h"

#include <stdio.h>
#include <string.h>

#include "broker/worker/connection.h"
#include "broker/worker/control.h"
#include "broker/worker/worker_state.h"
#include "protocol/json.h"

static const char *
reason_phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} phrases[] = {
	    {200, "OK"},
	    {202, "Accepted"},
	    {204, "No Content"},
	    {400, "Bad Request"},
	    {401, "Unauthorized"},
	    {403, "Forbidden"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {408, "Request Timeout"},
	    {409, "Conflict"},
	    {413, "Content Too Large"},
	    {414, "URI Too Long"},
	    {415, "Unsupported Media Type"},
	    {417, "Expectation Failed"},
	    {421, "Misdirected Request"},
	    {422, "Unprocessable Content"},
	    {429, "Too Many Requests"},
	    {431, "Request Header Fields Too Large"},
	    {500, "Internal Server Error"},
	    {501, "Not Implemented"},
	    {503, "Service Unavailable"},
	    {505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		if (phrases[i].status == status)
			return phrases[i].phrase;
	}
	return "";
}

/* What a page of another site may see. */
static void
append_cors(struct connection *connection)
{
	const char *origin = connection->allow_origin;

	if (origin == NULL)
		return;
	buf_printf(&connection->out,
	    "Access-Control-Allow-Origin: %s\r\n"
	    "Access-Control-Expose-Headers: Retry-After\r\n",
	    origin);
	/* Cookies and the like go only to sites that are named. */
	if (strcmp(origin, "*") != 0)
		buf_append_text(&connection->out,
		    "Access-Control-Allow-Credentials: true\r\n");
}

/* What every answer that is no stream has. */
static void
append_status(struct connection *connection, int status)
{
	if (status >= 400)
		worker_count(connection->worker, METRIC_REQUESTS_BAD, 1);
	buf_printf(&connection->out,
	    "HTTP/1.1 %d %s\r\n"
	    "Cache-Control: no-store\r\n"
	    "Vary: Accept, Origin\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "Connection: %s\r\n",
	    status, reason_phrase(status),
	    connection->keep_alive ? "keep-alive" : "close");
	append_cors(connection);
}

static void
append_head(
    struct connection *connection, int status, const char *type, size_t length)
{
	append_status(connection, status);
	buf_printf(&connection->out,
	    "Content-Type: %s\r\n"
	    "Content-Length: %zu\r\n",
	    type, length);
}

/* The end of the head, and the body where one is wanted. */
static void
append_body(struct connection *connection, struct slice body)
{
	buf_append_text(&connection->out, "\r\n");
	if (!connection->head_only)
		buf_append(&connection->out, body.bytes, body.len);
}

void
reply_body(struct connection *connection, int status, const char *type,
    struct slice body)
{
	append_head(connection, status, type, body.len);
	append_body(connection, body);
}

void
reply_buf(struct connection *connection, int status, const char *type,
    struct buf *body)
{
	connection->out.failed |= buf_failed(body);
	reply_body(connection, status, type,
	    slice_of(buf_bytes(body), buf_length(body)));
	buf_finish(body);
}

void
reply_problem_with(struct connection *connection, enum problem problem,
    const char *detail, const char *headers)
{
	int status = problem_status(problem);
	struct buf body;

	if (detail == NULL)
		detail = problem_sentence(problem);
	buf_init(&body, 0);
	buf_printf(&body, "{\"status\":%d,\"title\":\"%s\",\"code\":\"%s\",",
	    status, reason_phrase(status), problem_code(problem));
	buf_append_text(&body, "\"detail\":");
	json_append_string(&body, detail, strlen(detail));
	buf_append_text(&body, "}\n");
	append_head(
	    connection, status, "application/problem+json", buf_length(&body));
	buf_append_text(&connection->out, headers);
	append_body(connection, slice_of(buf_bytes(&body), buf_length(&body)));
	connection->out.failed |= buf_failed(&body);
	buf_finish(&body);
}

void
reply_problem(
    struct connection *connection, enum problem problem, const char *detail)
{
	reply_problem_with(connection, problem, detail, "");
}

static bool
is_preflight(const struct http_request *request)
{
	return http_header(request, "Origin", NULL).len > 0 &&
	       http_header(request, "Access-Control-Request-Method", NULL).len >
		   0;
}

void
reply_options(struct connection *connection, const struct http_request *request,
    const char *allowed)
{
	bool preflight = is_preflight(request);

	if (preflight && connection->allow_origin == NULL) {
		worker_count(connection->worker, METRIC_REFUSED_ORIGIN, 1);
		reply_problem(connection, PROBLEM_ORIGIN_NOT_ALLOWED, NULL);
		return;
	}
	append_status(connection, 204);
	buf_printf(&connection->out, "Allow: %s\r\n", allowed);
	if (preflight)
		buf_printf(&connection->out,
		    "Access-Control-Allow-Methods: %s\r\n"
		    "Access-Control-Allow-Headers: Authorization, "
		    "Cache-Control, Content-Type, Idempotency-Key, "
		    "Last-Event-ID, X-Requested-With\r\n"
		    "Access-Control-Max-Age: 600\r\n",
		    allowed);
	buf_append_text(&connection->out, "\r\n");
}

void
reply_method(struct connection *connection, const char *allowed)
{
	char header[64];

	snprintf(header, sizeof(header), "Allow: %s\r\n", allowed);
	reply_problem_with(connection, PROBLEM_METHOD, NULL, header);
}

void
reply_retry(struct connection *connection, enum problem problem)
{
	char header[48];

	snprintf(header, sizeof(header), "Retry-After: %u\r\n",
	    worker_retry_ms(connection->worker) / 1000 + 1);
	reply_problem_with(connection, problem, NULL, header);
}

/* Counts a refusal that is not for ever. */
static void
count_refusal(struct worker *worker, enum problem problem)
{
	worker_count(worker, METRIC_CONNECTIONS_REFUSED, 1);
	if (problem == PROBLEM_OVERLOAD)
		worker_count(worker, METRIC_REFUSED_OVERLOAD, 1);
	else if (problem == PROBLEM_LIMIT_ADDRESS)
		worker_count(worker, METRIC_REFUSED_ADDRESS, 1);
	else if (problem == PROBLEM_BUSY)
		worker_count(worker, METRIC_REFUSED_BUSY, 1);
	else if (problem == PROBLEM_LIMIT_USER)
		worker_count(worker, METRIC_REFUSED_USER, 1);
}

void
reply_for_now(struct connection *connection, enum problem problem)
{
	count_refusal(connection->worker, problem);
	connection->keep_alive = false;
	reply_retry(connection, problem);
}

void
reply_later(struct connection *connection, const struct http_request *request,
    enum problem problem)
{
	struct worker *worker = connection->worker;

	if (!http_accepts(request, "text/event-stream") ||
	    http_prefers_json(request)) {
		reply_for_now(connection, problem);
		return;
	}
	count_refusal(worker, problem);
	connection->keep_alive = false;
	reply_stream_head(connection, CODING_NONE);
	if (!connection->head_only)
		control_bye(worker, connection, problem_code(problem));
}

void
reply_stream_head(struct connection *connection, enum coding coding)
{
	bool varies = connection->worker->config->http_compression != 0;

	/* Not formatted: that would be a fifth of what a stream costs here. */
	buf_append_text(&connection->out,
	    "HTTP/1.1 200 OK\r\n"
	    "Content-Type: text/event-stream\r\n"
	    "Cache-Control: no-cache, no-transform\r\n"
	    "X-Accel-Buffering: no\r\n");
	buf_append_text(&connection->out,
	    varies ? "Vary: Accept, Accept-Encoding, Origin\r\n"
		   : "Vary: Accept, Origin\r\n");
	buf_append_text(&connection->out, "X-Content-Type-Options: nosniff\r\n"
					  "Connection: close\r\n");
	append_cors(connection);
	if (coding != CODING_NONE) {
		buf_append_text(&connection->out, "Content-Encoding: ");
		buf_append_text(&connection->out, coding_name(coding));
		buf_append_text(&connection->out, "\r\n");
	}
	if (connection->http_minor > 0)
		buf_append_text(
		    &connection->out, "Transfer-Encoding: chunked\r\n");
	buf_append_text(&connection->out, "\r\n");
}

/* reply: HTTP answers. See reply.h. */
#include "broker/worker/reply.h"

#include "broker/worker/connection.h"
#include "broker/worker/control.h"
#include "broker/worker/http.h"
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
	    {400, "Bad Request"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {408, "Request Timeout"},
	    {414, "URI Too Long"},
	    {431, "Request Header Fields Too Large"},
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

static void
append_head(
    struct connection *connection, int status, const char *type, size_t length)
{
	if (status >= 400)
		worker_count(connection->worker, METRIC_REQUESTS_BAD, 1);
	buf_printf(&connection->out,
	    "HTTP/1.1 %d %s\r\n"
	    "Content-Type: %s\r\n"
	    "Content-Length: %zu\r\n"
	    "Cache-Control: no-store\r\n"
	    "Vary: Accept, Origin\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "Connection: %s\r\n",
	    status, reason_phrase(status), type, length,
	    connection->keep_alive ? "keep-alive" : "close");
}

void
reply_body(struct connection *connection, const struct http_request *request,
    int status, const char *type, struct slice body)
{
	append_head(connection, status, type, body.len);
	buf_append_text(&connection->out, "\r\n");
	if (request == NULL || !slice_is(request->method, "HEAD"))
		buf_append(&connection->out, body.bytes, body.len);
}

/* A problem, with header lines of its own ("" for none). */
static void
append_problem(struct connection *connection, int status, const char *code,
    const char *detail, const char *headers)
{
	struct buf body;

	buf_init(&body, 0);
	buf_printf(&body, "{\"status\":%d,\"title\":\"%s\",\"code\":\"%s\",",
	    status, reason_phrase(status), code);
	buf_append_text(&body, "\"detail\":");
	json_append_string(&body, detail, strlen(detail));
	buf_append_text(&body, "}\n");
	append_head(
	    connection, status, "application/problem+json", buf_length(&body));
	buf_append_text(&connection->out, headers);
	buf_append_text(&connection->out, "\r\n");
	buf_append(&connection->out, buf_bytes(&body), buf_length(&body));
	connection->out.failed |= buf_failed(&body);
	buf_finish(&body);
}

void
reply_problem(struct connection *connection, int status, const char *code,
    const char *detail)
{
	append_problem(connection, status, code, detail, "");
}

void
reply_method(struct connection *connection)
{
	append_problem(connection, 405, "method",
	    "this path has GET and HEAD only", "Allow: GET, HEAD\r\n");
}

void
reply_later(struct connection *connection, const struct http_request *request,
    const char *reason)
{
	struct worker *worker = connection->worker;
	char header[48];

	worker_count(worker, METRIC_CONNECTIONS_REFUSED, 1);
	connection->keep_alive = false;
	if (http_accepts(request, "text/event-stream")) {
		reply_stream_head(connection);
		control_bye(worker, connection, reason);
		return;
	}
	snprintf(header, sizeof(header), "Retry-After: %u\r\n",
	    worker_retry_ms(worker) / 1000 + 1);
	append_problem(connection, 503, reason, "try again later", header);
}

void
reply_stream_head(struct connection *connection)
{
	buf_append_text(&connection->out,
	    "HTTP/1.1 200 OK\r\n"
	    "Content-Type: text/event-stream\r\n"
	    "Cache-Control: no-cache, no-transform\r\n"
	    "X-Accel-Buffering: no\r\n"
	    "Vary: Accept, Origin\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "Connection: close\r\n");
	if (connection->http_minor > 0)
		buf_append_text(
		    &connection->out, "Transfer-Encoding: chunked\r\n");
	buf_append_text(&connection->out, "\r\n");
}

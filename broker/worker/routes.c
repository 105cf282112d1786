/* routes: paths and their answers. See routes.h. */
#include "broker/worker/routes.h"

#include <inttypes.h>
#include <time.h>

#include "broker/shared/report.h"
#include "broker/worker/connection.h"
#include "broker/worker/http.h"
#include "broker/worker/page.h"
#include "broker/worker/reply.h"
#include "broker/worker/stream.h"
#include "broker/worker/worker_state.h"

#define JSON_TYPE "application/json"
#define TEXT_TYPE "text/plain; charset=utf-8"

/* Alive: this worker answers. */
static void
answer_health(struct connection *connection, const struct http_request *request)
{
	(void)request;
	reply_body(connection, 200, TEXT_TYPE, slice_of_text("ok\n"));
}

/* Ready: events can be accepted and served. */
static void
answer_readiness(
    struct connection *connection, const struct http_request *request)
{
	struct worker *worker = connection->worker;

	(void)request;
	if (board_alive(worker->board, BOARD_HUB) && !worker->draining)
		reply_body(
		    connection, 200, TEXT_TYPE, slice_of_text("ready\n"));
	else
		reply_problem(connection, PROBLEM_NOT_READY,
		    "the hub is not running, or the broker is draining");
}

static void
append_timestamp(struct buf *buf, uint64_t now_ms)
{
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm utc;
	char text[32];

	if (gmtime_r(&seconds, &utc) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc) == 0)
		return;
	buf_printf(
	    buf, "\"timestamp\":\"%s.%03uZ\"", text, (unsigned)(now_ms % 1000));
}

static void
answer_stats(struct connection *connection, const struct http_request *request)
{
	struct worker *worker = connection->worker;
	struct buf body;

	(void)request;
	buf_init(&body, 0);
	buf_printf(&body, "{\"totalConnections\":%" PRIu64 ",",
	    board_sum(worker->board, METRIC_STREAMS));
	append_timestamp(&body, worker_now_ms(worker));
	buf_append_char(&body, ',');
	report_append_cursor(&body, "cursor", worker->window.head);
	buf_append_char(&body, ',');
	report_append_board(&body, worker->board);
	buf_append_text(&body, "}\n");
	reply_buf(connection, 200, JSON_TYPE, &body);
}

/* Prometheus text exposition format, version 0.0.4. */
static void
answer_metrics(
    struct connection *connection, const struct http_request *request)
{
	const struct board *board = connection->worker->board;
	struct buf body;

	(void)request;
	buf_init(&body, 0);
	for (int i = 0; i < METRIC_COUNT; i++) {
		enum metric metric = (enum metric)i;
		const char *name = metric_name(metric);

		buf_printf(&body,
		    "# HELP ssemux_%s %s\n# TYPE ssemux_%s %s\n"
		    "ssemux_%s %" PRIu64 "\n",
		    name, metric_sentence(metric), name, metric_kind(metric),
		    name, board_sum(board, metric));
	}
	reply_buf(connection, 200, "text/plain; version=0.0.4", &body);
}

static void
answer_page(struct connection *connection, const struct http_request *request)
{
	(void)request;
	if (connection->worker->config->http_dashboard)
		reply_body(
		    connection, 200, "text/html; charset=utf-8", page_html());
	else
		reply_problem(connection, PROBLEM_NOT_FOUND,
		    "the dashboard is off (http.dashboard)");
}

void
routes_answer(struct connection *connection, const struct http_request *request)
{
	static const struct {
		const char *path;
		void (*answer)(struct connection *connection,
		    const struct http_request *request);
	} routes[] = {
	    {"/stream", stream_open},
	    {"/healthz", answer_health},
	    {"/readyz", answer_readiness},
	    {"/stats", answer_stats},
	    {"/metrics", answer_metrics},
	    {"/", answer_page},
	};

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!slice_is(request->path, routes[i].path))
			continue;
		if (slice_is(request->method, "GET") ||
		    slice_is(request->method, "HEAD"))
			routes[i].answer(connection, request);
		else
			reply_method(connection, "GET, HEAD");
		return;
	}
	reply_problem(connection, PROBLEM_NOT_FOUND, NULL);
}

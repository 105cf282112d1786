/* routes: paths and their answers. See routes.h. */
#include "broker/worker/routes.h"

#include <inttypes.h>

#include "broker/shared/report.h"
#include "broker/worker/access/authority.h"
#include "broker/worker/answers/page.h"
#include "broker/worker/answers/poke.h"
#include "broker/worker/answers/publish.h"
#include "broker/worker/answers/stats.h"
#include "broker/worker/connection.h"
#include "broker/worker/http/http.h"
#include "broker/worker/http/origin.h"
#include "broker/worker/reply.h"
#include "broker/worker/stream/change.h"
#include "broker/worker/stream/pull.h"
#include "broker/worker/stream/stream.h"
#include "broker/worker/stream/streams.h"
#include "broker/worker/worker_state.h"

#define JSON_TYPE "application/json"
#define ALL_METHODS "GET, HEAD, POST, OPTIONS"
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
answer_stats(struct connection *connection, const struct http_request *request)
{
	stats_answer(connection, request,
	    streams_find_stats(connection->worker, request->path));
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

/* A stream, or a page of it. */
static void
answer_stream(struct connection *connection, const struct http_request *request)
{
	if (http_prefers_json(request))
		pull_await(connection, request);
	else
		stream_open(connection, request);
}

/* False: there is no such path. */
static bool
find_route(const struct worker *worker, struct slice path, struct route *route)
{
	static const struct {
		const char *path;
		struct route route;
	} routes[] = {
	    {"/publish", {NULL, publish_post, false}},
	    {"/poke", {NULL, poke_post, false}},
	    {"/healthz", {answer_health, NULL, true}},
	    {"/readyz", {answer_readiness, NULL, true}},
	    {"/stats", {answer_stats, NULL, false}},
	    {"/metrics", {answer_metrics, NULL, true}},
	    {"/", {answer_page, NULL, false}},
	};

	struct slice id;

	if (streams_find(worker, path) != NULL) {
		*route = (struct route){answer_stream, NULL, false};
		return true;
	}
	if (streams_find_stats(worker, path) != NULL) {
		*route = (struct route){answer_stats, NULL, false};
		return true;
	}
	if (streams_find_poke(worker, path) != NULL) {
		*route = (struct route){NULL, poke_post, false};
		return true;
	}
	if (streams_find_open(worker, path, &id) != NULL &&
	    roster_worker(id) != SIZE_MAX) {
		*route = (struct route){NULL, change_answer, false};
		return true;
	}
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (slice_is(path, routes[i].path)) {
			*route = routes[i].route;
			return true;
		}
	}
	return false;
}

bool
routes_take_body(
    const struct worker *worker, const struct http_request *request)
{
	struct route route;

	return slice_is(request->method, "POST") &&
	       find_route(worker, request->path, &route) && route.post != NULL;
}

static const char *
methods_of(const struct route *route)
{
	if (route->get == NULL)
		return "POST, OPTIONS";
	return route->post == NULL ? "GET, HEAD, OPTIONS" : ALL_METHODS;
}

/* A page of any site can make a browser send one. */
static void
answer_post(struct connection *connection, const struct http_request *request,
    const struct route *route)
{
	struct worker *worker = connection->worker;

	if (origin_may_change(worker->config, request)) {
		route->post(connection, request);
		return;
	}
	worker_count(worker, METRIC_REFUSED_ORIGIN, 1);
	reply_problem(connection, PROBLEM_ORIGIN_NOT_ALLOWED, NULL);
}

void
routes_answer(struct connection *connection, const struct http_request *request)
{
	struct slice method = request->method;
	struct route route;

	if (!origin_host_known(connection->worker->config, request))
		reply_problem(connection, PROBLEM_HOST_UNKNOWN, NULL);
	else if (slice_is(request->path, "*")) /* of OPTIONS: the server's */
		reply_options(connection, request, ALL_METHODS);
	else if (!find_route(connection->worker, request->path, &route))
		reply_problem(connection, PROBLEM_NOT_FOUND, NULL);
	else if (connection->refusal != PROBLEM_COUNT && !route.always)
		reply_later(connection, request, connection->refusal);
	else if (slice_is(method, "OPTIONS"))
		reply_options(connection, request, methods_of(&route));
	else if (slice_is(method, "POST") && route.post != NULL)
		answer_post(connection, request, &route);
	else if ((slice_is(method, "GET") || slice_is(method, "HEAD")) &&
		 route.get != NULL)
		route.get(connection, request);
	else
		reply_method(connection, methods_of(&route));
}

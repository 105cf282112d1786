/* pull: requests for pages, and their turns. See pull.h. */
#include "broker/worker/stream/pull.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "broker/worker/connection.h"
#include "broker/worker/http/http.h"
#include "broker/worker/reply.h"
#include "broker/worker/stream/opening.h"
#include "broker/worker/stream/pull_page.h"
#include "broker/worker/worker_state.h"
#include "protocol/buf.h"

enum {
	/* How long pages may keep a worker from its other work, in
	 * microseconds. */
	PULL_US = 2000,
	PULL_WAIT_MS = 30000, /* for one's turn */
};

/* A request that waits: its head is read anew when its turn has come. */
struct pull {
	struct pull *previous;
	struct pull *next;
	struct connection *connection;
	size_t len;
	char head[];
};

static void
list_remove(struct pulls *pulls, struct pull *pull)
{
	if (pull->previous != NULL)
		pull->previous->next = pull->next;
	else
		pulls->first = pull->next;
	if (pull->next != NULL)
		pull->next->previous = pull->previous;
	else
		pulls->last = pull->previous;
}

static void
list_append(struct pulls *pulls, struct pull *pull)
{
	pull->previous = pulls->last;
	pull->next = NULL;
	if (pulls->last != NULL)
		pulls->last->next = pull;
	else
		pulls->first = pull;
	pulls->last = pull;
}

static void
on_dropped(void *errand)
{
	struct pull *pull = errand;

	list_remove(&pull->connection->worker->pulls, pull);
	free(pull);
}

void
pull_await(struct connection *connection, const struct http_request *request)
{
	struct pull *pull = malloc(sizeof(*pull) + request->head.len);

	if (pull == NULL) {
		reply_problem(connection, PROBLEM_NO_MEMORY, NULL);
		return;
	}
	pull->connection = connection;
	pull->len = request->head.len;
	memcpy(pull->head, request->head.bytes, request->head.len);
	list_append(&connection->worker->pulls, pull);
	connection_wait(connection, PULL_WAIT_MS, pull, on_dropped);
}

/* --- bytes that are going out --- */

static void
note_bytes(struct worker *worker, size_t more)
{
	worker->pulls.bytes += more;
	board_set(worker->board, METRIC_PAGES_BYTES, worker->pulls.bytes);
}

void
pull_sent(struct connection *connection)
{
	if (connection->pulled == 0)
		return;
	note_bytes(connection->worker, -connection->pulled);
	connection->pulled = 0;
}

/* --- the answer --- */

static void
answer(struct connection *connection, const struct http_request *request)
{
	struct worker *worker = connection->worker;
	struct opening opening;

	if (worker->pulls.bytes >= worker->config->http_max_pages) {
		reply_for_now(connection, PROBLEM_OVERLOAD);
		return;
	}
	if (opening_begin(&opening, connection, request) &&
	    pull_page_answer(&opening, request)) {
		worker_count(worker, METRIC_PAGES, 1);
		connection->pulled = buf_length(&connection->out);
		note_bytes(worker, connection->pulled);
	}
	opening_finish(&opening);
}

static void
take_turn(struct worker *worker, struct pull *pull)
{
	const struct http_limits limits = {
	    .head_bytes = worker->config->http_max_head,
	    .headers = worker->config->http_max_headers,
	};
	struct connection *connection = pull->connection;
	struct http_request request;
	enum http_head head;
	const char *why;
	size_t size;
	int status;

	list_remove(&worker->pulls, pull);
	head = http_read_head(
	    pull->head, pull->len, &limits, &request, &size, &status, &why);
	assert(head == HTTP_HEAD_WHOLE); /* as it was the first time */
	answer(connection, &request);
	connection_deliver(connection);
	free(pull);
}

bool
pull_turn(struct worker *worker)
{
	uint64_t end_us;

	if (worker->pulls.first == NULL)
		return false;
	end_us = worker_steady_us() + PULL_US;
	do
		take_turn(worker, worker->pulls.first);
	while (worker->pulls.first != NULL && worker_steady_us() < end_us);
	return worker->pulls.first != NULL;
}

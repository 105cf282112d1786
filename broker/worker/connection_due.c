/* connection_due: what a connection does when its time is up, and when the
 * worker's is. See connection.h. */
#include "broker/worker/connection.h"
#include "broker/worker/control.h"
#include "broker/worker/cursor/cursor.h"
#include "broker/worker/reply.h"
#include "broker/worker/requests.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

enum { TICK_MS = 1000 }; /* of the clock that deadlines go by */

void
connection_set_deadline(struct connection *connection, uint64_t ms)
{
	wheel_set(&connection->worker->wheel, &connection->due,
	    (uint32_t)((ms + 999) / 1000));
}

void
connection_await_request(struct connection *connection)
{
	/* A tick more: one may come at once. */
	connection_set_deadline(connection,
	    connection->worker->config->http_head_timeout + TICK_MS);
}

static void
heartbeat(struct connection *connection)
{
	struct worker *worker = connection->worker;
	const struct subscriber *subscriber = connection->subscriber;
	const struct config_stream *block = subscriber->block;
	uint64_t period_s = (block->heartbeat_interval + 999) / 1000;
	uint64_t silent_s = worker_steady_s() - subscriber->last_write_s;

	/* A comment is for silence alone; on an event clients may count. */
	if (block->heartbeat.kind == NOTICE_COMMENT && silent_s < period_s) {
		connection_set_deadline(
		    connection, (period_s - silent_s) * 1000);
		return;
	}
	connection_set_deadline(connection, period_s * 1000);
	cursor_heartbeat(worker, connection->subscriber);
}

/* A request did not come in time. Between two requests that is nothing bad. */
static void
on_request_late(struct connection *connection)
{
	bool begun = requests_begun(connection);

	if (begun || !connection->served)
		worker_count(connection->worker, METRIC_DEADLINES, 1);
	if (begun)
		requests_refuse(connection, PROBLEM_REQUEST_LATE, NULL);
	else
		connection_destroy(connection);
}

/* What the answer waits for did not come. */
static void
on_answer_late(struct connection *connection)
{
	worker_count(connection->worker, METRIC_DEADLINES, 1);
	connection_drop_errand(connection);
	reply_retry(connection, PROBLEM_LATER);
	if (connection_answered(connection))
		requests_take(connection);
}

void
connection_due(struct wheel_node *node, void *context)
{
	struct connection *connection = (struct connection *)(void *)node;

	(void)context;
	switch (connection->state) {
	case CONNECTION_STREAMING:
		heartbeat(connection);
		break;
	case CONNECTION_READING:
		on_request_late(connection);
		break;
	case CONNECTION_WAITING:
		on_answer_late(connection);
		break;
	case CONNECTION_ANSWERING:
		worker_count(connection->worker, METRIC_DEADLINES, 1);
		connection_destroy(connection);
		break;
	case CONNECTION_LINGERING:
		connection_destroy(connection);
		break;
	}
}

void
connection_drain(struct connection *connection)
{
	struct subscriber *subscriber = connection->subscriber;

	if (subscriber != NULL) {
		if (!cursor_release(connection->worker, subscriber))
			return;
		/* Nothing can be said in the midst of an event. */
		if (subscriber->partial == 0 && !subscriber->ended)
			control_bye(connection->worker, connection, "drain");
		connection_end_stream(connection);
	} else if (connection->state == CONNECTION_READING) {
		if (!requests_begun(connection))
			connection_destroy(connection);
		else /* the rest of its request, but not for long */
			connection_set_deadline(connection, 1000);
	}
}

/* connection: HTTP on one socket. See connection.h. */
#include "broker/worker/connection.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/worker/control.h"
#include "broker/worker/cursor.h"
#include "broker/worker/requests.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

enum {
	READ_BYTES = 2048,
	LINGER_S = 2, /* for the peer to read the answer and close */
};

static void on_io(struct ev_loop *loop, ev_io *io, int events);

static void
watch(struct connection *connection, int events)
{
	struct ev_loop *loop = connection->worker->loop;

	if (ev_is_active(&connection->io) && connection->io.events == events)
		return;
	ev_io_stop(loop, &connection->io);
	ev_io_set(&connection->io, connection->io.fd, events);
	ev_io_start(loop, &connection->io);
}

void
connection_set_deadline(struct connection *connection, uint64_t ms)
{
	wheel_set(&connection->worker->wheel, &connection->due,
	    (uint32_t)((ms + 999) / 1000));
}

struct connection *
connection_create(struct worker *worker, int fd)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL) {
		close(fd);
		return NULL;
	}
	connection->worker = worker;
	connection->state = CONNECTION_READING;
	buf_init(&connection->in, 0);
	buf_init(&connection->out, 0);
	ev_io_init(&connection->io, on_io, fd, EV_READ);
	connection->io.data = connection;
	ev_io_start(worker->loop, &connection->io);
	wheel_node_init(&connection->due);
	connection_set_deadline(connection, worker->config->http_head_timeout);
	connection->next = worker->connections;
	if (connection->next != NULL)
		connection->next->previous = connection;
	worker->connections = connection;
	worker->connection_count++;
	board_set(worker->board, METRIC_CONNECTIONS, worker->connection_count);
	return connection;
}

void
connection_destroy(struct connection *connection)
{
	struct worker *worker = connection->worker;

	subscriber_destroy(worker, connection->subscriber);
	wheel_remove(&connection->due);
	ev_io_stop(worker->loop, &connection->io);
	close(connection->io.fd);
	if (connection->previous != NULL)
		connection->previous->next = connection->next;
	else
		worker->connections = connection->next;
	if (connection->next != NULL)
		connection->next->previous = connection->previous;
	worker->connection_count--;
	board_set(worker->board, METRIC_CONNECTIONS, worker->connection_count);
	buf_finish(&connection->in);
	buf_finish(&connection->out);
	free(connection);
}

enum connection_sent
connection_send(struct connection *connection)
{
	struct buf *out = &connection->out;

	if (buf_failed(out)) {
		connection_destroy(connection);
		return CONNECTION_SENT_GONE;
	}
	while (buf_length(out) > 0) {
		ssize_t sent = send(connection->io.fd, buf_bytes(out),
		    buf_length(out), MSG_NOSIGNAL);

		if (sent == -1 && errno == EINTR)
			continue;
		if (sent == -1 && (errno == EAGAIN || errno == ENOBUFS))
			return CONNECTION_SENT_PART;
		if (sent == -1) {
			connection_destroy(connection);
			return CONNECTION_SENT_GONE;
		}
		buf_consume(out, (size_t)sent);
		connection_was_written(connection);
	}
	buf_finish(out);
	return CONNECTION_SENT_ALL;
}

void
connection_await_writable(struct connection *connection)
{
	watch(connection, EV_READ | EV_WRITE);
}

void
connection_was_written(struct connection *connection)
{
	connection->last_write_s = (uint32_t)worker_steady_s();
}

/* The answer is sent and it was the last: closes without cutting it short, as
 * a close with unread input would. */
static bool
linger(struct connection *connection)
{
	connection->state = CONNECTION_LINGERING;
	if (shutdown(connection->io.fd, SHUT_WR) == -1) {
		connection_destroy(connection);
		return false;
	}
	buf_finish(&connection->in);
	watch(connection, EV_READ);
	connection_set_deadline(connection, LINGER_S * 1000);
	return true;
}

static bool
after_answer(struct connection *connection)
{
	if (!connection->keep_alive || connection->worker->draining)
		return linger(connection);
	connection->state = CONNECTION_READING;
	connection->served = true;
	watch(connection, EV_READ);
	connection_set_deadline(
	    connection, connection->worker->config->http_idle_timeout);
	return true;
}

bool
connection_answered(struct connection *connection)
{
	connection->state = CONNECTION_ANSWERING;
	switch (connection_send(connection)) {
	case CONNECTION_SENT_ALL:
		return after_answer(connection);
	case CONNECTION_SENT_PART:
		watch(connection, EV_WRITE);
		connection_set_deadline(
		    connection, connection->worker->config->http_idle_timeout);
		return true;
	case CONNECTION_SENT_GONE:
		break;
	}
	return false;
}

void
connection_end_stream(struct connection *connection)
{
	if (connection_send(connection) != CONNECTION_SENT_GONE)
		connection_destroy(connection);
}

void
connection_complete_stream(struct connection *connection)
{
	struct worker *worker = connection->worker;

	subscriber_destroy(worker, connection->subscriber);
	connection->subscriber = NULL;
	if (connection->http_minor > 0)
		buf_append_text(&connection->out, "0\r\n\r\n");
	connection->keep_alive = false;
	connection_answered(connection);
}

static void
read_request(struct connection *connection)
{
	const struct config *config = connection->worker->config;
	bool first = buf_length(&connection->in) == 0;
	char *room = buf_reserve(&connection->in, READ_BYTES);
	ssize_t got;

	if (room == NULL) {
		connection_destroy(connection);
		return;
	}
	got = recv(connection->io.fd, room, READ_BYTES, 0);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		connection_destroy(connection);
		return;
	}
	buf_commit(&connection->in, (size_t)got);
	if (first)
		connection_set_deadline(connection, config->http_head_timeout);
	/* Only the end of a line can make more of it, or being too long: a
	 * client that sends byte by byte is not read anew each time. */
	if (first || memchr(room, '\n', (size_t)got) != NULL ||
	    buf_length(&connection->in) >= config->http_max_head)
		requests_take(connection);
}

/* Input that nobody wants; and the end of the connection. */
static void
discard_input(struct connection *connection)
{
	char bytes[READ_BYTES];
	ssize_t got = recv(connection->io.fd, bytes, sizeof(bytes), 0);

	if (got == 0 || (got == -1 && errno != EAGAIN && errno != EINTR))
		connection_destroy(connection);
}

static void
on_input(struct connection *connection)
{
	switch (connection->state) {
	case CONNECTION_READING:
		read_request(connection);
		break;
	case CONNECTION_STREAMING:
	case CONNECTION_LINGERING:
		discard_input(connection);
		break;
	case CONNECTION_ANSWERING: /* not watched */
		break;
	}
}

static void
on_io(struct ev_loop *loop, ev_io *io, int events)
{
	struct connection *connection = io->data;

	(void)loop;
	if ((events & EV_WRITE) == 0) {
		on_input(connection);
		return;
	}
	if (connection->state == CONNECTION_STREAMING) {
		watch(connection, EV_READ);
		cursor_resume(connection->worker, connection->subscriber);
	} else if (connection->state == CONNECTION_ANSWERING &&
		   connection_answered(connection)) {
		requests_take(connection);
	}
}

static void
heartbeat(struct connection *connection)
{
	struct worker *worker = connection->worker;
	uint64_t period_s = (worker->config->http_heartbeat + 999) / 1000;
	uint64_t silent_s = worker_steady_s() - connection->last_write_s;

	if (silent_s < period_s) {
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
	bool begun = buf_length(&connection->in) > 0;

	if (begun || !connection->served)
		worker_count(connection->worker, METRIC_DEADLINES, 1);
	if (begun)
		requests_refuse(connection, PROBLEM_REQUEST_LATE, NULL);
	else
		connection_destroy(connection);
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
		/* Nothing can be said in the midst of an event. */
		if (subscriber->partial == 0 && !subscriber->ended)
			control_bye(connection->worker, connection, "drain");
		connection_end_stream(connection);
	} else if (connection->state == CONNECTION_READING) {
		if (buf_length(&connection->in) == 0)
			connection_destroy(connection);
		else /* the rest of its request, but not for long */
			connection_set_deadline(connection, 1000);
	}
}

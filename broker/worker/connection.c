/* connection: HTTP on one socket. See connection.h. */
#include "broker/worker/connection.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/worker/access/limits.h"
#include "broker/worker/cursor/cursor.h"
#include "broker/worker/cursor/packed.h"
#include "broker/worker/http/proxies.h"
#include "broker/worker/requests.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

enum {
	READ_BYTES = 2048,
	READ_BODY_BYTES = 16384,
	LINGER_S = 2, /* for the peer to read the answer and close */
};

static void on_io(struct ev_loop *loop, ev_io *io, int events);

static void
watch(struct connection *connection, int events)
{
	struct ev_loop *loop = connection->worker->loop;

	/* The end of the input would be seen for ever. */
	if (connection->input_ended)
		events &= ~EV_READ;
	if (ev_is_active(&connection->io) && connection->io.events == events)
		return;
	ev_io_stop(loop, &connection->io);
	ev_io_set(&connection->io, connection->io.fd, events);
	if (events != 0)
		ev_io_start(loop, &connection->io);
}

struct connection *
connection_create(struct worker *worker, int fd, const struct address *hop)
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
	connection_await_request(connection);
	connection->next = worker->connections;
	if (connection->next != NULL)
		connection->next->previous = connection;
	worker->connections = connection;
	worker->connection_count++;
	board_set(worker->board, METRIC_CONNECTIONS, worker->connection_count);
	connection->refusal = PROBLEM_COUNT;
	limits_note_total(connection);
	connection->proxy_due = worker->config->http_proxy_protocol &&
				proxies_trust(&worker->proxies, hop);
	return connection_came_from(connection, hop) ? connection : NULL;
}

bool
connection_came_from(struct connection *connection, const struct address *hop)
{
	connection->hop = *hop;
	connection->peer = *hop;
	connection->via_proxy =
	    proxies_trust(&connection->worker->proxies, hop);
	/* Requests of clients that a proxy brings count one by one. */
	if (connection->via_proxy || limits_enter_address(connection))
		return true;
	connection_destroy(connection);
	return false;
}

void
connection_drop_errand(struct connection *connection)
{
	void *errand = connection->errand;

	connection->errand = NULL;
	if (errand != NULL)
		connection->errand_dropped(errand);
}

void
connection_destroy(struct connection *connection)
{
	struct worker *worker = connection->worker;

	subscriber_destroy(worker, connection->subscriber);
	connection_drop_errand(connection);
	buf_finish(&connection->in);
	requests_drop(connection);
	pull_sent(connection);
	limits_leave_address(connection);
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
	buf_finish(&connection->out);
	free(connection);
}

static enum connection_sent
send_out(struct connection *connection, int flags)
{
	struct buf *out = &connection->out;

	if (buf_failed(out)) {
		connection_destroy(connection);
		return CONNECTION_SENT_GONE;
	}
	while (buf_length(out) > 0) {
		ssize_t sent = send(connection->io.fd, buf_bytes(out),
		    buf_length(out), MSG_NOSIGNAL | flags);

		if (sent == -1 && errno == EINTR)
			continue;
		if (sent == -1 && (errno == EAGAIN || errno == ENOBUFS))
			return CONNECTION_SENT_PART;
		if (sent == -1) {
			connection_destroy(connection);
			return CONNECTION_SENT_GONE;
		}
		buf_consume(out, (size_t)sent);
		if (connection->subscriber != NULL)
			subscriber_was_written(connection->subscriber);
	}
	if (connection->subscriber != NULL)
		subscriber_note_sent(connection->subscriber);
	buf_finish(out);
	return CONNECTION_SENT_ALL;
}

enum connection_sent
connection_send(struct connection *connection)
{
	return send_out(connection, 0);
}

enum connection_sent
connection_send_ahead(struct connection *connection)
{
	return send_out(connection, MSG_MORE);
}

void
connection_await_writable(struct connection *connection)
{
	watch(connection, EV_READ | EV_WRITE);
}

/* The answer is sent and it was the last: closes without cutting it short, as
 * a close with unread input would. */
static bool
linger(struct connection *connection)
{
	if (connection->input_ended) {
		connection_destroy(connection);
		return false;
	}
	connection->state = CONNECTION_LINGERING;
	if (shutdown(connection->io.fd, SHUT_WR) == -1) {
		connection_destroy(connection);
		return false;
	}
	buf_finish(&connection->in);
	requests_weigh(connection);
	watch(connection, EV_READ);
	connection_set_deadline(connection, LINGER_S * 1000);
	return true;
}

static bool
after_answer(struct connection *connection)
{
	pull_sent(connection);
	if (!connection->keep_alive || connection->worker->draining)
		return linger(connection);
	connection->state = CONNECTION_READING;
	connection->served = true;
	if (connection->via_proxy)
		limits_leave_address(connection);
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
connection_wait(struct connection *connection, uint64_t ms, void *errand,
    void (*dropped)(void *errand))
{
	assert(connection->errand == NULL && errand != NULL);
	connection->state = CONNECTION_WAITING;
	connection->errand = errand;
	connection->errand_dropped = dropped;
	connection_set_deadline(connection, ms);
}

void
connection_deliver(struct connection *connection)
{
	assert(connection->state == CONNECTION_WAITING);
	connection->errand = NULL;
	if (connection_answered(connection))
		requests_take(connection);
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

	if (connection->subscriber->compressed)
		packed_end(connection->subscriber);
	subscriber_destroy(worker, connection->subscriber);
	connection->subscriber = NULL;
	if (connection->http_minor > 0)
		buf_append_text(&connection->out, "0\r\n\r\n");
	connection->keep_alive = false;
	connection_answered(connection);
}

/* The peer says no more. */
static void
end_input(struct connection *connection)
{
	connection->input_ended = true;
	connection->keep_alive = false;
	watch(connection, connection->io.events);
}

/* Reads once. False: nothing came, or the connection was destroyed. */
static bool
read_input(struct connection *connection)
{
	size_t size =
	    connection->arrival != NULL ? READ_BODY_BYTES : READ_BYTES;
	char *room = buf_reserve(&connection->in, size);
	ssize_t got;

	if (room == NULL) {
		connection_destroy(connection);
		return false;
	}
	got = recv(connection->io.fd, room, size, 0);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got == 0 && connection->state == CONNECTION_WAITING) {
		end_input(connection);
		return false;
	}
	if (got <= 0) {
		connection_destroy(connection);
		return false;
	}
	buf_commit(&connection->in, (size_t)got);
	requests_weigh(connection);
	return true;
}

static void
read_request(struct connection *connection)
{
	const struct config *config = connection->worker->config;
	size_t before = buf_length(&connection->in);
	bool first = before == 0 && connection->arrival == NULL;
	size_t got;

	if (!read_input(connection))
		return;
	got = buf_length(&connection->in) - before;
	if (first)
		connection_await_request(connection);
	/* Of a head, only the end of a line can make more, or being too long:
	 * a client that sends byte by byte is not read anew each time. */
	if (first || connection->proxy_due || connection->arrival != NULL ||
	    requests_full(connection->worker) ||
	    memchr(buf_bytes(&connection->in) + before, '\n', got) != NULL ||
	    before + got >= config->http_max_head)
		requests_take(connection);
}

/* What comes before the answer is kept, within bounds; an answer is sent to
 * who has said all, as it may be waiting for it. */
static void
read_ahead(struct connection *connection)
{
	const struct worker *worker = connection->worker;

	if (buf_length(&connection->in) < worker->config->http_max_head &&
	    !requests_full(worker))
		read_input(connection);
	else
		watch(connection, 0);
}

/* Input that nobody wants; and the end of the connection. */
static void
discard_input(struct connection *connection)
{
	struct subscriber *subscriber = connection->subscriber;
	char bytes[READ_BYTES];
	ssize_t got = recv(connection->io.fd, bytes, sizeof(bytes), 0);

	if (got == 0 && subscriber != NULL && subscriber->ends)
		end_input(connection);
	else if (got == 0 || (got == -1 && errno != EAGAIN && errno != EINTR))
		connection_destroy(connection);
}

static void
on_input(struct connection *connection)
{
	switch (connection->state) {
	case CONNECTION_READING:
		read_request(connection);
		break;
	case CONNECTION_WAITING:
		read_ahead(connection);
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

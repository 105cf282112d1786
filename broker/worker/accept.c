/* accept: taking connections. See accept.h. */
#include "broker/worker/accept.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "broker/shared/log.h"
#include "broker/worker/access/limits.h"
#include "broker/worker/connection.h"
#include "broker/worker/worker_state.h"

enum {
	ACCEPTS_PER_TURN = 64,
	WARN_S = 60,
	SLACK_MIN = 8,
	SLACK_FRACTION = 32, /* of the fewest */
	/* After so many pauses in which no other worker took any, some are
	 * taken anyway: the one with the fewest may be stuck. */
	PAUSES_MAX = 10,
	ACCEPTS_ANYWAY = 16,
};

static const double PAUSE_SECONDS = 0.01;

static uint64_t
fewest_connections(const struct worker *worker)
{
	uint64_t fewest = UINT64_MAX;

	for (size_t i = BOARD_FIRST_WORKER; i < worker->board->page_count;
	     i++) {
		uint64_t count =
		    board_get(worker->board, i, METRIC_CONNECTIONS);

		if (board_alive(worker->board, i) && count < fewest)
			fewest = count;
	}
	return fewest;
}

static bool
over_share(const struct worker *worker)
{
	uint64_t fewest = fewest_connections(worker);
	uint64_t slack = fewest / SLACK_FRACTION;

	if (slack < SLACK_MIN)
		slack = SLACK_MIN;
	return worker->connection_count > fewest &&
	       worker->connection_count - fewest > slack;
}

static void
listen_again(struct worker *worker)
{
	for (size_t i = 0; i < worker->heritage->http_count; i++)
		ev_io_start(worker->loop, &worker->listeners[i]);
	ev_timer_stop(worker->loop, &worker->accept_again);
}

static void
pause_listening(struct worker *worker)
{
	for (size_t i = 0; i < worker->heritage->http_count; i++)
		ev_io_stop(worker->loop, &worker->listeners[i]);
	ev_timer_again(worker->loop, &worker->accept_again);
}

static uint64_t
accepted_by_others(const struct worker *worker)
{
	return board_sum(worker->board, METRIC_CONNECTIONS_ACCEPTED) -
	       board_get(worker->board,
		   BOARD_FIRST_WORKER + worker->heritage->worker,
		   METRIC_CONNECTIONS_ACCEPTED);
}

static void
on_accept_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct worker *worker = timer->data;
	uint64_t accepted = accepted_by_others(worker);

	(void)loop;
	(void)events;
	if (accepted != worker->accepted_by_others)
		worker->accept_pauses = 0;
	worker->accepted_by_others = accepted;
	if (limits_full(worker))
		return;
	if (over_share(worker) && ++worker->accept_pauses < PAUSES_MAX)
		return;
	listen_again(worker);
}

/* Says that it fails, but not all the time. */
static void
warn(struct worker *worker)
{
	uint64_t now_s = worker_steady_s();

	worker_count(worker, METRIC_ACCEPT_FAILURES, 1);
	if (worker->accept_warned_s != 0 &&
	    now_s - worker->accept_warned_s < WARN_S)
		return;
	log_warn("accept: %m (this is not said again for a while)");
	worker->accept_warned_s = now_s;
}

/* One connection. False: there is none, or none can be had now. */
static bool
accept_one(struct worker *worker, int listener)
{
	struct sockaddr_storage socket = {.ss_family = AF_UNSPEC};
	socklen_t size = sizeof(socket);
	int fd = accept4(listener, (struct sockaddr *)&socket, &size,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct address hop;

	if (fd == -1) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
			warn(worker);
			pause_listening(worker);
		}
		return errno == ECONNABORTED || errno == EINTR;
	}
	worker_count(worker, METRIC_CONNECTIONS_ACCEPTED, 1);
	address_of_socket(&hop, &socket);
	errno = 0;
	if (connection_create(worker, fd, &hop) == NULL && errno == ENOMEM)
		warn(worker);
	return true;
}

static void
on_connection(struct ev_loop *loop, ev_io *io, int events)
{
	struct worker *worker = io->data;
	bool patient = worker->accept_pauses < PAUSES_MAX;
	int most = patient ? ACCEPTS_PER_TURN : ACCEPTS_ANYWAY;

	(void)loop;
	(void)events;
	for (int i = 0; i < most; i++) {
		if (limits_full(worker) || (patient && over_share(worker))) {
			pause_listening(worker);
			return;
		}
		if (!accept_one(worker, io->fd))
			break;
	}
	worker->accept_pauses = 0;
}

int
accept_start(struct worker *worker)
{
	size_t count = worker->heritage->http_count;

	worker->listeners = calloc(count, sizeof(worker->listeners[0]));
	if (worker->listeners == NULL)
		return -1;
	ev_timer_init(&worker->accept_again, on_accept_again, PAUSE_SECONDS,
	    PAUSE_SECONDS);
	worker->accept_again.data = worker;
	for (size_t i = 0; i < count; i++) {
		ev_io_init(&worker->listeners[i], on_connection,
		    worker->heritage->http_fds[i], EV_READ);
		worker->listeners[i].data = worker;
	}
	listen_again(worker);
	return 0;
}

void
accept_stop(struct worker *worker)
{
	for (size_t i = 0; i < worker->heritage->http_count; i++)
		ev_io_stop(worker->loop, &worker->listeners[i]);
	ev_timer_stop(worker->loop, &worker->accept_again);
}

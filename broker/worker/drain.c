/* drain: letting go. See drain.h. */
#include "broker/worker/drain.h"

#include "broker/worker/accept.h"
#include "broker/worker/access/revoked_apply.h"
#include "broker/worker/connection.h"
#include "broker/worker/cursor/follow.h"
#include "broker/worker/worker_state.h"

static const double TICK_SECONDS = 0.01;

uint64_t
drain_may_stay(uint64_t streams, uint64_t elapsed_us, uint64_t spread_us)
{
	if (elapsed_us >= spread_us)
		return 0;
	/* Rounded up: the last one has all the time. */
	return (streams * (spread_us - elapsed_us) + spread_us - 1) / spread_us;
}

static uint64_t
count_streams(const struct worker *worker)
{
	return board_get(worker->board,
	    BOARD_FIRST_WORKER + worker->heritage->worker, METRIC_STREAMS);
}

/* What was acknowledged before is handed out before the end. */
static void
hand_out(struct worker *worker)
{
	revoked_apply(worker);
	while (follow_ring(worker))
		;
}

/* Lets go of streams until so many are left. */
static void
let_go_streams(struct worker *worker, uint64_t may_stay)
{
	uint64_t left = count_streams(worker);
	struct connection *next;

	for (struct connection *connection = worker->connections;
	     connection != NULL && left > may_stay; connection = next) {
		next = connection->next;
		if (connection->subscriber == NULL)
			continue;
		connection_drain(connection);
		left--;
	}
}

/* Lets go of what is no stream: of what is idle now, of the rest soon. */
static void
let_go_others(struct worker *worker)
{
	struct connection *next;

	for (struct connection *connection = worker->connections;
	     connection != NULL; connection = next) {
		next = connection->next;
		if (connection->subscriber == NULL)
			connection_drain(connection);
	}
}

static void
let_go_of_all(struct worker *worker)
{
	ev_timer_stop(worker->loop, &worker->let_go);
	accept_stop(worker);
	hand_out(worker);
	let_go_streams(worker, 0);
	let_go_others(worker);
}

static void
on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct worker *worker = timer->data;
	uint64_t may_stay = drain_may_stay(worker->drain_streams,
	    worker_steady_us() - worker->drain_began_us,
	    worker->config->broker_drain_spread * 1000);

	(void)loop;
	(void)events;
	if (may_stay == 0) {
		let_go_of_all(worker);
	} else if (count_streams(worker) > may_stay) {
		hand_out(worker);
		let_go_streams(worker, may_stay);
	}
}

void
drain_begin(struct worker *worker)
{
	bool again = worker->draining;

	worker->draining = true;
	worker->drain_began_us = worker_steady_us();
	worker->drain_streams = count_streams(worker);
	if (again || worker->config->broker_drain_spread == 0 ||
	    worker->drain_streams == 0) {
		let_go_of_all(worker);
		return;
	}
	let_go_others(worker);
	ev_timer_init(&worker->let_go, on_tick, TICK_SECONDS, TICK_SECONDS);
	worker->let_go.data = worker;
	ev_timer_start(worker->loop, &worker->let_go);
}

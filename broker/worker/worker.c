/* worker: the loop of a process that serves HTTP. See worker.h. */
#include "broker/worker/worker.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "broker/shared/bell.h"
#include "broker/shared/digest.h"
#include "broker/shared/log.h"
#include "broker/shared/store.h"
#include "broker/worker/accept.h"
#include "broker/worker/access/authority.h"
#include "broker/worker/access/revoked_apply.h"
#include "broker/worker/connection.h"
#include "broker/worker/courier/courier.h"
#include "broker/worker/cursor/channels.h"
#include "broker/worker/cursor/cursor.h"
#include "broker/worker/cursor/follow.h"
#include "broker/worker/cursor/packing.h"
#include "broker/worker/cursor/store_read.h"
#include "broker/worker/cursor/survivors.h"
#include "broker/worker/cursor/volley.h"
#include "broker/worker/drain.h"
#include "broker/worker/worker_state.h"

enum { DELIVERIES_MIN = 262144 };

/* --- the loop --- */

static void
on_turn_end(struct ev_loop *loop, ev_prepare *watcher, int events)
{
	struct worker *worker = watcher->data;
	bool more;
	size_t size;

	(void)events;
	/* Nobody is handed an event of what was withdrawn before it. */
	revoked_apply(worker);
	more = follow_ring(worker);
	more |= cursor_catch_up(worker);
	more |= pull_turn(worker);
	holds_arm(worker);
	courier_flush(worker);
	board_set(worker->board, METRIC_WINDOW_EVENTS,
	    worker->window.end - worker->window.first);
	board_set(worker->board, METRIC_WINDOW_BYTES,
	    worker->window.records.head - worker->window.records.tail);
	if (!more) {
		bell_sleep(worker->board);
		more = ring_next_size(&worker->ring, &worker->reader, &size) !=
			   RING_EMPTY ||
		       revoked_apply_due(worker);
	}
	if (more)
		ev_idle_start(loop, &worker->unfinished);
	else
		ev_idle_stop(loop, &worker->unfinished);
	if (worker->draining && worker->connection_count == 0)
		ev_break(loop, EVBREAK_ALL);
}

static void
on_turn_begin(struct ev_loop *loop, ev_check *watcher, int events)
{
	struct worker *worker = watcher->data;

	(void)loop;
	(void)events;
	bell_wake(worker->board);
}

/* Its being active is what keeps the loop from sleeping. */
static void
on_unfinished(struct ev_loop *loop, ev_idle *watcher, int events)
{
	(void)loop;
	(void)watcher;
	(void)events;
}

static void
on_bell(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop;
	(void)events;
	bell_silence(watcher->fd);
}

/* Has it stood still? Then what has come meanwhile, in time, is looked at
 * before anybody's time is up. Not twice in a row. */
static bool
stood_still(struct worker *worker)
{
	uint64_t now_s = worker_steady_s();

	worker->stood_still =
	    !worker->stood_still && now_s > worker->clock_s + 1;
	worker->clock_s = now_s;
	return worker->stood_still;
}

static void
on_clock(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct worker *worker = watcher->data;

	(void)loop;
	(void)events;
	if (stood_still(worker))
		return;
	wheel_turn(&worker->wheel, worker_steady_s(), connection_due, worker);
	authority_tick(worker);
	revoked_apply_tick(worker);
}

static void
on_terminate(struct ev_loop *loop, ev_signal *watcher, int events)
{
	(void)loop;
	(void)events;
	drain_begin(watcher->data);
}

/* --- start and end --- */

static int
start_memory(struct worker *worker)
{
	const struct config *config = worker->config;
	size_t deliveries;

	worker->connection_max = worker->heritage->worker_connections;
	deliveries = 2 * worker->connection_max;
	if (deliveries < DELIVERIES_MIN)
		deliveries = DELIVERIES_MIN;
	worker->channels = channels_create();
	worker->patterns =
	    calloc(config->http_max_channels, sizeof(worker->patterns[0]));
	buf_init(&worker->catch_up, 0);
	if (worker->channels == NULL || worker->patterns == NULL ||
	    proxies_init(&worker->proxies, config) == -1 ||
	    deliveries_init(&worker->deliveries, deliveries) == -1 ||
	    window_init(&worker->window, config->broker_window,
		config->broker_window_events, config->shapes,
		config->shape_count) == -1)
		return -1;
	if (config->http_compression == 0)
		return 0;
	worker->packing = packing_create(worker);
	return worker->packing != NULL ? 0 : -1;
}

/* Before the worker is confined: then none can be made. */
static void
start_volleys(struct worker *worker)
{
	if (!worker->config->broker_io_uring)
		return;
	worker->volley = volley_create();
	if (worker->volley == NULL)
		log_debug("io_uring: %m; writes go out one by one");
}

/* Reads what the ring holds, so that recent history is in memory. */
static void
start_log(struct worker *worker)
{
	char path[STORE_PATH_SIZE];

	if (store_path(path, worker->config->broker_state_dir) == -1)
		log_fatal(EX_CONFIG, "broker.state_dir is too long");
	worker->store = store_reader_open(path);
	if (worker->store == NULL ||
	    store_read_birth(worker->store, &worker->birth) == -1)
		log_fatal(EX_IOERR, "the store cannot be read");
	if (ring_map_reader(&worker->ring, worker->heritage->ring_fd) == -1)
		log_fatal(EX_OSERR, "map the ring: %m");
	ring_attach(&worker->ring, &worker->reader);
	window_reset(&worker->window, worker->reader.cursor);
	if (revoked_apply_start(worker) == -1)
		log_fatal(EX_IOERR, "the store cannot be read");
	while (follow_ring(worker))
		;
}

static void
start_watchers(struct worker *worker)
{
	struct ev_loop *loop = worker->loop;
	struct heritage *heritage = worker->heritage;

	ev_io_init(&worker->bell, on_bell,
	    heritage->worker_bells[heritage->worker], EV_READ);
	ev_prepare_init(&worker->turn_end, on_turn_end);
	ev_check_init(&worker->turn_begin, on_turn_begin);
	ev_idle_init(&worker->unfinished, on_unfinished);
	ev_timer_init(&worker->clock, on_clock, 1., 1.);
	/* Behind what has come in the same turn. */
	ev_set_priority(&worker->clock, EV_MINPRI);
	worker->clock_s = worker_steady_s();
	ev_signal_init(&worker->terminate, on_terminate, SIGTERM);
	worker->turn_end.data = worker->turn_begin.data = worker;
	worker->clock.data = worker->terminate.data = worker;
	ev_io_start(loop, &worker->bell);
	ev_prepare_start(loop, &worker->turn_end);
	ev_check_start(loop, &worker->turn_begin);
	ev_timer_start(loop, &worker->clock);
	ev_signal_start(loop, &worker->terminate);
	if (accept_start(worker) == -1)
		log_fatal(EX_OSERR, "no memory");
}

static void
finish(struct worker *worker)
{
	while (worker->connections != NULL)
		connection_destroy(worker->connections);
	holds_stop(worker);
	authority_stop(worker);
	courier_finish(worker);
	handed_finish(worker);
	ended_finish(&worker->ended);
	digest_finish();
	channels_destroy(worker->channels);
	proxies_finish(&worker->proxies);
	roster_finish(&worker->roster);
	deliveries_finish(&worker->deliveries);
	runs_finish(&worker->runs);
	packing_destroy(worker->packing);
	volley_destroy(worker->volley);
	window_finish(&worker->window);
	survivors_destroy(worker->survivors);
	conflated_finish(&worker->conflated);
	buf_finish(&worker->catch_up);
	revoked_apply_finish(worker);
	store_reader_close(worker->store);
	ring_unmap(&worker->ring);
	free(worker->patterns);
	free(worker->listeners);
	ev_loop_destroy(worker->loop);
	free(worker);
}

int
worker_run(struct heritage *heritage)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (worker == NULL)
		log_fatal(EX_OSERR, "no memory");
	worker->heritage = heritage;
	worker->config = heritage->config;
	worker->board = &heritage->board;
	ring_unmap(&heritage->ring); /* it was mapped for writing */
	worker->loop = ev_loop_new(EVBACKEND_EPOLL);
	worker->began_ms = worker_now_ms(worker);
	if (worker->loop == NULL || start_memory(worker) == -1)
		log_fatal(EX_OSERR, "no memory, or no epoll");
	if (getrandom(&worker->random, sizeof(worker->random), 0) !=
	    sizeof(worker->random))
		log_fatal(EX_OSERR, "getrandom: %m");
	worker->random |= 1; /* xorshift never leaves 0 */
	wheel_init(&worker->wheel, worker_steady_s());
	holds_init(worker);
	admission_init(&worker->admission, worker->config->http_admit_rate,
	    worker->config->http_admit_burst);
	start_volleys(worker);
	start_log(worker);
	start_watchers(worker);
	if (authority_start(worker) == -1)
		log_fatal(EX_CONFIG, "tokens cannot be verified");
	if (courier_start(worker) == -1 || digest_start() == -1)
		log_fatal(EX_OSERR, "no memory");
	if (heritage->confine(heritage) == -1)
		log_fatal(EX_OSERR, "not confined");
	heritage_say_ready(heritage);
	ev_run(worker->loop, 0);
	finish(worker);
	return EX_OK;
}

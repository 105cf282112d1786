/* hub: the loop of the process that accepts events. See hub.h. */
#include "broker/hub/hub.h"

#include <errno.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "broker/hub/commit.h"
#include "broker/hub/hub_state.h"
#include "broker/hub/peers.h"
#include "broker/hub/publisher.h"
#include "broker/hub/reconcile.h"
#include "broker/hub/store_revocations.h"
#include "broker/hub/store_write.h"
#include "broker/shared/bell.h"
#include "broker/shared/log.h"
#include "broker/shared/store.h"

enum {
	ACCEPTS_PER_TURN = 64,
	TRIM_ROWS_MIN = 512, /* per step */
	FORGET_ROWS = 64,    /* publishers looked at per second; and two for
			      * each that is new */
	WARN_MS = 60000,     /* between two lines that say the same */
};

static void
show_totals(struct hub *hub)
{
	const struct store_totals *totals = store_writer_totals(hub->store);
	struct board *board = &hub->heritage->board;

	board_set(board, METRIC_STORE_EVENTS, totals->events);
	board_set(board, METRIC_STORE_BYTES, totals->bytes);
	board_set(board, METRIC_STORE_FULL, store_is_full(hub->store));
	board_set(board, METRIC_PUBLISHERS, hub->publisher_count);
	board_set(board, METRIC_REVOCATIONS, store_revocations(hub->store));
}

/* --- the loop --- */

/* Lets go of up to twice what came in since the last time: history stays within
 * its bounds however fast events come in, and each step is short. */
static void
trim(struct hub *hub)
{
	const struct store_limits limits = {
	    .max_age_ms = hub->config->history_max_age,
	    .max_events = hub->config->history_max_events,
	    .max_bytes = hub->config->history_max_bytes,
	    .max_channels = hub->config->history_max_channels,
	};
	size_t due = TRIM_ROWS_MIN + 2 * hub->untrimmed;
	size_t rows;
	bool more;
	int let_go;

	do {
		rows = due < STORE_TRIM_ROWS_MAX ? due : STORE_TRIM_ROWS_MAX;
		let_go = store_trim(
		    hub->store, &limits, hub_now_ms(), (int)rows, &more);
		if (let_go == -1)
			hub_count(hub, METRIC_STORE_FAILURES, 1);
		else
			hub_count(hub, METRIC_EVENTS_TRIMMED, (uint64_t)let_go);
		due -= rows;
	} while (more && due > 0);
	hub->untrimmed = 0;
	if (more)
		ev_idle_start(hub->loop, &hub->more_to_trim);
	else
		ev_idle_stop(hub->loop, &hub->more_to_trim);
}

static void
move_log(struct hub *hub)
{
	if (store_checkpoint(hub->store) == -1)
		hub_count(hub, METRIC_STORE_FAILURES, 1);
}

static void
sweep(struct hub *hub)
{
	struct publisher *next;

	for (struct publisher *publisher = hub->publishers; publisher != NULL;
	     publisher = next) {
		next = publisher_next(publisher);
		if (publisher_done(publisher))
			publisher_destroy(publisher);
	}
	hub->sweep = false;
	if (hub->draining && hub->publisher_count == 0)
		ev_break(hub->loop, EVBREAK_ALL);
}

/* Does a connection use this publisher's id? */
static bool
is_connected(int64_t id, void *context)
{
	struct hub *hub = context;

	for (struct publisher *publisher = hub->publishers; publisher != NULL;
	     publisher = publisher_next(publisher)) {
		if (publisher_uses(publisher, id))
			return true;
	}
	return false;
}

/* Forgets publishers that are old, of so many. */
static void
forget(struct hub *hub, size_t rows)
{
	uint64_t now_ms = hub_now_ms();
	uint64_t age_ms = hub->config->history_max_age;
	uint64_t before_ms = now_ms > age_ms ? now_ms - age_ms : 0;

	hub->new_guests = 0;
	if (store_forget_old_publishers(
		hub->store, before_ms, (int)rows, is_connected, hub) == -1)
		hub_count(hub, METRIC_STORE_FAILURES, 1);
}

static void
on_turn_end(struct ev_loop *loop, ev_prepare *watcher, int events)
{
	struct hub *hub = watcher->data;

	(void)loop;
	(void)events;
	hub_commit(hub);
	if (hub->sweep)
		sweep(hub);
	if (hub->receipts.count > 0 && !ev_is_active(&hub->receipt_deadline))
		ev_timer_again(hub->loop, &hub->receipt_deadline);
	if (hub->untrimmed > 0) {
		trim(hub);
		if (hub->new_guests >= FORGET_ROWS)
			forget(hub, 2 * hub->new_guests);
		move_log(hub);
	}
	show_totals(hub);
}

static void
on_more_to_trim(struct ev_loop *loop, ev_idle *watcher, int events)
{
	struct hub *hub = watcher->data;

	(void)loop;
	(void)events;
	trim(hub);
	move_log(hub);
}

/* There may be places again: takes what waited for one. */
static void
go_on(struct hub *hub)
{
	if (!hub->waiting)
		return;
	hub->waiting = false;
	for (struct publisher *publisher = hub->publishers; publisher != NULL;
	     publisher = publisher_next(publisher))
		publisher_go_on(publisher);
}

static void
answer_receipts(struct hub *hub)
{
	if (receipts_answer(
		&hub->receipts, &hub->heritage->board, hub_steady_ms()))
		ev_timer_again(hub->loop, &hub->receipt_deadline);
	else
		ev_timer_stop(hub->loop, &hub->receipt_deadline);
	go_on(hub);
}

static void
on_receipt_deadline(struct ev_loop *loop, ev_timer *watcher, int events)
{
	(void)loop;
	(void)events;
	answer_receipts(watcher->data);
}

static void
on_bell(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop;
	(void)events;
	bell_silence(watcher->fd);
	commands_answer(watcher->data);
	answer_receipts(watcher->data);
}

static void
on_clock(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct hub *hub = watcher->data;

	(void)events;
	if (!hub->draining)
		ev_io_start(loop, &hub->listener);
	for (struct publisher *publisher = hub->publishers; publisher != NULL;
	     publisher = publisher_next(publisher))
		publisher_tick(publisher, hub_steady_ms());
	commands_tick(hub);
	traces_tick(hub);
	go_on(hub);
	store_reserve_tend(hub->store);
	trim(hub);
	forget(hub, FORGET_ROWS);
	move_log(hub);
}

/* No connection can be had now; it is tried again with the next clock. */
static void
pause_listening(struct hub *hub, int error)
{
	if (error == EAGAIN || error == ECONNABORTED || error == EINTR)
		return;
	ev_io_stop(hub->loop, &hub->listener);
	hub_count(hub, METRIC_ACCEPT_FAILURES, 1);
	if (hub->accept_warned_ms != 0 &&
	    hub_steady_ms() - hub->accept_warned_ms < WARN_MS)
		return;
	errno = error;
	log_warn("accept a publisher: %m (this is not said again for a while)");
	hub->accept_warned_ms = hub_steady_ms();
}

static void
on_connection(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct hub *hub = watcher->data;

	(void)loop;
	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd = accept4(
		    watcher->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct publisher *publisher;

		if (fd == -1) {
			pause_listening(hub, errno);
			return;
		}
		publisher = publisher_create(hub, fd);
		if (publisher == NULL)
			log_warn("accept a publisher: no memory");
		else if (hub->publisher_count >
			 hub->config->publish_max_publishers)
			publisher_end(
			    publisher, (struct fault){REFUSAL_BUSY, NULL});
	}
}

static void
on_terminate(struct ev_loop *loop, ev_signal *watcher, int events)
{
	struct hub *hub = watcher->data;

	(void)loop;
	(void)events;
	hub_commit(hub);
	hub->draining = true;
	ev_io_stop(hub->loop, &hub->listener);
	for (struct publisher *publisher = hub->publishers; publisher != NULL;
	     publisher = publisher_next(publisher)) {
		/* A worker waits for the next hub. */
		if (!publisher_is_link(publisher))
			publisher_end(
			    publisher, (struct fault){REFUSAL_SHUTDOWN, NULL});
	}
	hub->sweep = true;
}

/* --- start and end --- */

/* As the store is to be written to the disk, in SQLite's words. */
static const char *
synchronous(const struct hub *hub)
{
	return hub->config->history_durability == CONFIG_DURABILITY_FSYNC
		   ? "FULL"
		   : "NORMAL";
}

static int
open_store(struct hub *hub)
{
	char path[STORE_PATH_SIZE];

	if (store_path(path, hub->config->broker_state_dir) == -1) {
		log_warn("broker.state_dir is too long");
		return -1;
	}
	hub->store = store_writer_open(path, synchronous(hub));
	if (hub->store == NULL || store_reserve_open(hub->store, path,
				      hub->config->history_reserve) == -1)
		return -1;
	return store_keep_by(hub->store, hub->config);
}

static void
start_mover(struct hub *hub)
{
	char path[STORE_PATH_SIZE];

	if (store_path(path, hub->config->broker_state_dir) == 0)
		store_start_mover(hub->store, path, synchronous(hub));
}

static void
start_watchers(struct hub *hub)
{
	struct ev_loop *loop = hub->loop;

	ev_io_init(
	    &hub->listener, on_connection, hub->heritage->publish_fd, EV_READ);
	ev_io_init(&hub->bell, on_bell, hub->heritage->hub_bell, EV_READ);
	ev_prepare_init(&hub->turn_end, on_turn_end);
	ev_timer_init(&hub->clock, on_clock, 1., 1.);
	ev_timer_init(&hub->receipt_deadline, on_receipt_deadline, 0.,
	    RECEIPT_MS / 1000.);
	ev_idle_init(&hub->more_to_trim, on_more_to_trim);
	ev_signal_init(&hub->terminate, on_terminate, SIGTERM);
	hub->listener.data = hub->bell.data = hub->turn_end.data = hub;
	hub->clock.data = hub->receipt_deadline.data = hub;
	hub->more_to_trim.data = hub->terminate.data = hub;
	ev_io_start(loop, &hub->listener);
	ev_io_start(loop, &hub->bell);
	ev_prepare_start(loop, &hub->turn_end);
	ev_timer_start(loop, &hub->clock);
	ev_signal_start(loop, &hub->terminate);
}

int
hub_run(struct heritage *heritage)
{
	struct hub hub = {.heritage = heritage, .config = heritage->config};
	uint32_t receipt;

	hub.loop = ev_loop_new(EVBACKEND_EPOLL);
	hub.reader = message_reader_create();
	if (hub.loop == NULL || hub.reader == NULL ||
	    batch_init(&hub.batch, hub.config->publish_batch_events) == -1)
		log_fatal(EX_OSERR, "no memory, or no epoll");
	if (getrandom(&receipt, sizeof(receipt), 0) != sizeof(receipt))
		log_fatal(EX_OSERR, "getrandom: %m");
	receipts_init(&hub.receipts, receipt);
	board_close_receipts(&heritage->board);
	if (open_store(&hub) == -1 || reconcile_ring(&hub) == -1 ||
	    commands_start(&hub) == -1)
		log_fatal(EX_IOERR, "the store cannot be used");
	/* Also when the clock has stepped back since. */
	if (hub.last_cursor < store_writer_totals(hub.store)->birth)
		hub.last_cursor = store_writer_totals(hub.store)->birth;
	start_watchers(&hub);
	if (peers_start(&hub) == -1)
		log_fatal(EX_OSERR, "no memory");
	if (heritage->confine(heritage) == -1)
		log_fatal(EX_OSERR, "not confined");
	/* As confined as everything else. */
	start_mover(&hub);
	heritage_say_ready(heritage);
	ev_run(hub.loop, 0);

	while (hub.publishers != NULL)
		publisher_destroy(hub.publishers);
	peers_finish(&hub);
	traces_finish(&hub.traces);
	store_writer_close(hub.store);
	batch_finish(&hub.batch);
	message_reader_destroy(hub.reader);
	ev_loop_destroy(hub.loop);
	return EX_OK;
}

/*
 * follow: from the ring into the window. See follow.h.
 *
 * A worker that was lapped reads what it missed from the store; then the ring
 * goes on where that ends.
 */
#include "broker/worker/cursor/follow.h"

#include <assert.h>
#include <sysexits.h>

#include "broker/shared/log.h"
#include "broker/worker/cursor/channels.h"
#include "broker/worker/cursor/cursor.h"
#include "broker/worker/cursor/store_read.h"
#include "broker/worker/worker_state.h"

enum {
	TURN_EVENTS = 1024,
	GAP_ROWS = 512, /* read from the store in one go, when lapped */
};

/* What a turn has taken so far; it must stay small against the window. */
struct turn {
	int events;
	size_t bytes;
	uint64_t record_at; /* where in the ring this record began */
};

static bool
turn_is_over(const struct worker *worker, const struct turn *turn)
{
	/* With full lists they are written; and then others have their turn,
	 * however many subscribers a busy channel has. */
	return turn->events >= TURN_EVENTS ||
	       deliveries_full(&worker->deliveries, worker->connection_count) ||
	       (size_t)turn->events >= worker->window.size / 2 ||
	       turn->bytes >= worker->window.records.size / 4;
}

static void
take_record(
    struct worker *worker, struct turn *turn, const struct record *record)
{
	struct event event;
	uint32_t hash;

	turn->events++;
	turn->bytes += record->size;
	if (record->cursor <= worker->window.head)
		return;
	event = record_event(record);
	hash = channels_hash(event.channel);
	if (record->receipt != 0)
		handed_note(worker, record->receipt, &event, turn->record_at);
	cursor_deliver(worker, window_commit(&worker->window, hash), hash);
}

/* An event of which too much is unknown to keep it in the window: everybody
 * reads it from the store. */
static void
pass_over(struct worker *worker, uint64_t cursor)
{
	uint64_t head = worker->window.head;

	cursor_flush(worker);
	window_reset(&worker->window, cursor);
	deliveries_begin(&worker->deliveries, worker->window.end);
	cursor_fall_back(worker, head);
}

static bool
take_from_store(const struct event *event, void *context)
{
	struct {
		struct worker *worker;
		struct turn *turn;
	} *taking = context;
	struct window *window = &taking->worker->window;
	void *room = window_reserve(window, record_size(event));
	struct record *record;

	if (room == NULL) {
		pass_over(taking->worker, event->cursor);
	} else {
		/* The ring would have said whether somebody counts it. */
		record = record_write(room, event);
		record->receipt =
		    board_receipt_of(taking->worker->board, event->cursor);
		taking->turn->record_at = 0;
		take_record(taking->worker, taking->turn, record);
	}
	return !turn_is_over(taking->worker, taking->turn);
}

/*
 * The ring has gone on without this worker: what lies between the window's
 * head and the ring's oldest record comes from the store, a step per turn.
 * When even the store has let go of some of it, all subscribers find out by
 * themselves what they lost.
 */
static void
read_gap(struct worker *worker, struct turn *turn)
{
	static const struct slice everything = {"*", 1};
	struct {
		struct worker *worker;
		struct turn *turn;
	} taking = {worker, turn};
	uint64_t until = worker->reader.cursor;
	struct store_request request = {
	    .patterns = &everything,
	    .pattern_count = 1,
	    .after = worker->window.head,
	    .until = until,
	    .rows = GAP_ROWS,
	};
	uint64_t horizon, losses, reached;

	worker_count(worker, METRIC_STORE_READS, 1);
	if (store_read_begin(worker->store) == -1 ||
	    store_read_horizon(worker->store, &horizon, &losses) == -1)
		log_fatal(EX_IOERR, "the store cannot be read");
	if (horizon > worker->window.head)
		pass_over(worker, until);
	else if (store_read_events(worker->store, &request, take_from_store,
		     &taking, &reached) == -1)
		log_fatal(EX_IOERR, "the store cannot be read");
	else if (reached == until && worker->window.head < until)
		worker->window.head = until;
	store_read_end(worker->store);
}

/* One record of the ring. False: there is none now. */
static bool
take_from_ring(struct worker *worker, struct turn *turn)
{
	size_t size;
	void *room;

	turn->record_at = worker->reader.at;
	switch (ring_next_size(&worker->ring, &worker->reader, &size)) {
	case RING_EMPTY:
		return false;
	case RING_LAPPED:
		goto lapped;
	case RING_RECORD:
		break;
	}
	room = window_reserve(&worker->window, size);
	if (room == NULL) {
		if (ring_skip_next(&worker->ring, &worker->reader, size) ==
		    RING_LAPPED)
			goto lapped;
		pass_over(worker, worker->reader.cursor);
		return true;
	}
	if (ring_copy_next(&worker->ring, &worker->reader, room, size) ==
	    RING_LAPPED)
		goto lapped;
	assert(record_plausible(room, size)); /* or the hub is not ours */
	take_record(worker, turn, room);
	return true;
lapped:
	worker_count(worker, METRIC_LAPPED, 1);
	ring_attach(&worker->ring, &worker->reader);
	return true;
}

void
follow_report(struct worker *worker)
{
	/* Not while a part of the way is missing. */
	if (worker->reader.cursor <= worker->window.head)
		handed_report(worker, worker->reader.at);
}

bool
follow_ring(struct worker *worker)
{
	struct turn turn = {.events = 0};
	bool more = true;

	while (more && !turn_is_over(worker, &turn)) {
		if (worker->reader.cursor > worker->window.head)
			read_gap(worker, &turn);
		else
			more = take_from_ring(worker, &turn);
	}
	cursor_flush(worker);
	follow_report(worker);
	return more;
}

/*
 * catch_up: getting on in the log, from behind: a slow, a returning and a new
 * subscriber alike. See cursor.h.
 *
 * A step is bounded in rows and bytes and ends with one write; steps of all
 * who are behind take turns, for a short while per turn of the loop.
 */
#include "broker/worker/connection.h"
#include "broker/worker/control.h"
#include "broker/worker/cursor.h"
#include "broker/worker/follow.h"
#include "broker/worker/place.h"
#include "broker/worker/progress.h"
#include "broker/worker/rewind.h"
#include "broker/worker/store_read.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

enum {
	WINDOW_ENTRIES_PER_STEP = 2048,
	STORE_ROWS_PER_STEP = 512,
	STORE_BYTES_PER_STEP = 262144,
	RESYNC_CHANNELS = 200, /* in one "resync" */
	/* How long those who catch up may keep a worker from its other work,
	 * in microseconds. */
	CATCH_UP_US = 2000,
};

/* A half-written event that is gone cannot be finished: the stream is of no
 * use any more. The client comes back with the cursor before it. */
static enum step
give_up(struct worker *worker, struct subscriber *subscriber)
{
	worker_count(worker, METRIC_STREAMS_LOST, 1);
	connection_destroy(subscriber->connection);
	return STEP_GONE;
}

/* Is the write about to go on with something else than the half-written
 * event? */
static bool
lost_partial(const struct worker *worker, const struct subscriber *subscriber,
    uint64_t reached)
{
	const struct outgoing *outgoing = &worker->outgoing;

	if (subscriber->partial == 0)
		return false;
	if (outgoing->frame_count > 0)
		return outgoing->frames[0].cursor != subscriber->partial;
	return reached >= subscriber->partial;
}

/* Writes what a step collected; everything up to `reached` is handled. */
static enum step
finish_step(
    struct worker *worker, struct subscriber *subscriber, uint64_t reached)
{
	enum step step = STEP_AGAIN;

	if (lost_partial(worker, subscriber, reached))
		return give_up(worker, subscriber);
	if (worker->outgoing.frame_count > 0)
		step = progress_write(worker, subscriber);
	if (step == STEP_AGAIN)
		subscriber->cursor = reached;
	return step;
}

/* Where a step begins: at the cursor; or, when what is half written is to be
 * finished by itself, just before that. */
static uint64_t
step_from(const struct subscriber *subscriber)
{
	return subscriber->alone ? subscriber->partial - 1 : subscriber->cursor;
}

static enum step
step_in_window(struct worker *worker, struct subscriber *subscriber)
{
	const struct window *window = &worker->window;
	uint64_t number = window_find(window, step_from(subscriber));
	uint64_t reached = subscriber->cursor;
	uint64_t pin = UINT64_MAX;
	enum added added = ADDED;
	int most = subscriber->alone ? 1 : WINDOW_ENTRIES_PER_STEP;

	outgoing_begin(&worker->outgoing);
	for (int i = 0; i < most && added == ADDED && number < window->end;
	     i++, number++) {
		const struct window_entry *entry = window_entry(window, number);
		struct event event = window_event(window, entry);

		if (subscriber_wants(subscriber, &event))
			added = progress_add_entry(
			    worker, subscriber, number, &pin);
		if (added == NOT_ADDED)
			break;
		reached = entry->cursor;
	}
	return finish_step(worker, subscriber, reached);
}

/* The frames of a step from the store, in worker->catch_up. */
struct collected {
	struct worker *worker;
	const struct subscriber *subscriber;
	const struct sse_shape *shape;
	struct {
		uint64_t cursor;
		size_t at;
		struct frame frame;
	} frames[OUTGOING_PIECES];
	size_t count;
};

static bool
collect(const struct event *event, void *context)
{
	struct collected *collected = context;
	struct buf *buf = &collected->worker->catch_up;

	if (collected->count == OUTGOING_PIECES ||
	    buf_length(buf) >= STORE_BYTES_PER_STEP)
		return false;
	if (collected->subscriber->picky &&
	    !subscriber_takes(collected->subscriber, event))
		return true;
	collected->frames[collected->count].cursor = event->cursor;
	collected->frames[collected->count].at = buf_length(buf);
	collected->frames[collected->count++].frame =
	    frame_append(buf, event, collected->shape);
	return true;
}

static void
add_collected(struct collected *collected)
{
	const struct subscriber *subscriber = collected->subscriber;
	struct worker *worker = collected->worker;
	uint64_t counted_from = board_oldest_receipt(worker->board);

	outgoing_begin(&worker->outgoing);
	for (size_t i = 0; i < collected->count; i++) {
		struct frame frame = collected->frames[i].frame;
		uint64_t cursor = collected->frames[i].cursor;

		/* The buffer may have moved since. */
		frame.bytes =
		    buf_bytes(&worker->catch_up) + collected->frames[i].at;
		outgoing_add(&worker->outgoing, cursor,
		    frame_part(&frame, subscriber->connection->http_minor),
		    progress_already_sent(subscriber, cursor));
		if (cursor >= counted_from)
			outgoing_want_receipt(&worker->outgoing,
			    board_receipt_of(worker->board, cursor));
	}
}

/* The channels of which a subscriber must be told that history is gone. */
struct lost {
	struct subscriber *subscriber;
	struct buf names;
	int count;
};

static void
tell_lost(struct lost *lost)
{
	if (lost->count > 0)
		control_resync(lost->subscriber, &lost->names, "history");
	buf_clear(&lost->names);
	lost->count = 0;
}

static void
note_lost(struct slice name, void *context)
{
	struct lost *lost = context;

	/* Not even the name of what it may not see. */
	if (subscriber_is_closed(lost->subscriber, name))
		return;
	control_list_add(&lost->names, name);
	if (++lost->count == RESYNC_CHANNELS)
		tell_lost(lost);
}

/* 0; 1 when something was lost and is to be said first; -1. */
static int
find_losses(struct worker *worker, struct subscriber *subscriber,
    const struct store_request *request)
{
	struct lost lost = {.subscriber = subscriber};
	int result;

	/* Not in the midst of an event. */
	if (subscriber->partial != 0)
		return 0;
	buf_init(&lost.names, 0);
	result = store_read_losses(worker->store, request,
	    rewind_losses(subscriber, request->until), note_lost, &lost);
	tell_lost(&lost);
	buf_finish(&lost.names);
	if (result == 0 && buf_length(&subscriber->connection->out) > 0)
		return 1;
	return result;
}

/* The channels of a step, and how far it goes. */
static void
ask_store_for(struct worker *worker, const struct subscriber *subscriber,
    struct store_request *request)
{
	if (subscriber->alone) {
		/* It may have left the channel meanwhile. */
		worker->patterns[0] = slice_of("*", 1);
		request->pattern_count = 1;
		request->until = subscriber->partial;
		return;
	}
	request->pattern_count =
	    rewind_patterns(subscriber, worker->patterns, &request->until);
}

/* The step's reading, from one snapshot. As find_losses(). */
static int
read_store(struct worker *worker, struct subscriber *subscriber,
    struct collected *collected, uint64_t *reached)
{
	struct store_request request = {
	    .patterns = worker->patterns,
	    .after = step_from(subscriber),
	    .until = worker->window.head,
	    .rows = STORE_ROWS_PER_STEP,
	};
	int result;

	ask_store_for(worker, subscriber, &request);
	buf_clear(&worker->catch_up);
	if (store_read_begin(worker->store) == -1)
		return -1;
	result = find_losses(worker, subscriber, &request);
	if (result == 0)
		result = store_read_events(
		    worker->store, &request, collect, collected, reached);
	store_read_end(worker->store);
	return buf_failed(&worker->catch_up) ? -1 : result;
}

static enum step
step_in_store(struct worker *worker, struct subscriber *subscriber)
{
	struct collected collected = {
	    .worker = worker,
	    .subscriber = subscriber,
	    .shape = &worker->config->shapes[subscriber->shape],
	};
	uint64_t reached = subscriber->cursor;

	worker_count(worker, METRIC_STORE_READS, 1);
	switch (read_store(worker, subscriber, &collected, &reached)) {
	case 1: /* a resync is to be sent first */
		return STEP_AGAIN;
	case 0:
		add_collected(&collected);
		return finish_step(worker, subscriber, reached);
	default:
		worker_count(worker, METRIC_STORE_FAILURES, 1);
		if (subscriber->partial == 0)
			control_bye(worker, subscriber->connection, "store");
		connection_end_stream(subscriber->connection);
		return STEP_GONE;
	}
}

/* All is read: says so, once, and then new events come as they appear. */
static enum step
arrive(struct worker *worker, struct subscriber *subscriber)
{
	if (subscriber->owes_live) {
		subscriber->owes_live = false;
		control_live(worker, subscriber);
		return STEP_AGAIN;
	}
	if (subscriber->ends) {
		subscriber->ended = true;
		control_bye(worker, subscriber->connection, "end");
		return STEP_AGAIN;
	}
	place_move(worker, subscriber, SUBSCRIBER_AT_HEAD);
	return STEP_AT_HEAD;
}

static enum step
take_step(struct worker *worker, struct subscriber *subscriber)
{
	subscriber_pay(subscriber);
	subscriber_settle_alone(subscriber);
	rewind_step(subscriber);
	switch (connection_send(subscriber->connection)) {
	case CONNECTION_SENT_GONE:
		return STEP_GONE;
	case CONNECTION_SENT_PART:
		place_block(worker, subscriber);
		return STEP_BLOCKED;
	case CONNECTION_SENT_ALL:
		break;
	}
	if (subscriber->ended) {
		connection_complete_stream(subscriber->connection);
		return STEP_GONE;
	}
	if (step_from(subscriber) >= worker->window.head)
		return arrive(worker, subscriber);
	if (step_from(subscriber) >= worker->window.floor)
		return step_in_window(worker, subscriber);
	return step_in_store(worker, subscriber);
}

bool
cursor_catch_up(struct worker *worker)
{
	uint64_t end_us = worker_steady_us() + CATCH_UP_US;
	struct subscriber *subscriber;

	while ((subscriber = place_next_runnable(worker)) != NULL) {
		take_step(worker, subscriber);
		if (worker_steady_us() > end_us)
			break;
	}
	if (worker->handed.count > 0)
		follow_report(worker);
	return worker->behind_first != NULL;
}

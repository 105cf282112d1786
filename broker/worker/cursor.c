/*
 * cursor: getting on in the log. See cursor.h.
 *
 * A subscriber is in one of three places:
 *
 *	AT_HEAD --socket full--> BLOCKED --socket takes more--> RUNNABLE
 *	   ^                        ^                              |
 *	   |                        +-------------- socket full ---+
 *	   +------------------- all is read -----------------------+
 *
 * Only at the head does a new event of the ring become a write at once. Else
 * it is found again by the cursor, in the window or in the store; the bytes
 * are the same from either.
 */
#include "broker/worker/cursor.h"

#include <sysexits.h>

#include "broker/shared/log.h"
#include "broker/worker/connection.h"
#include "broker/worker/control.h"
#include "broker/worker/store_read.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

enum {
	WINDOW_ENTRIES_PER_STEP = 2048,
	STORE_ROWS_PER_STEP = 512,
	STORE_BYTES_PER_STEP = 262144,
	RESYNC_CHANNELS = 200, /* in one "resync" */
};

/* How long those who catch up may keep a worker from its other work. */
static const double CATCH_UP_SECONDS = 0.002;

/* What became of a subscriber's step. */
enum step {
	STEP_AGAIN,   /* it can go on */
	STEP_BLOCKED, /* its socket is full */
	STEP_AT_HEAD,
	STEP_GONE, /* it was destroyed */
};

/* --- places --- */

static void
list_append(struct worker *worker, struct subscriber *subscriber)
{
	subscriber->previous = worker->behind_last;
	subscriber->next = NULL;
	if (worker->behind_last != NULL)
		worker->behind_last->next = subscriber;
	else
		worker->behind_first = subscriber;
	worker->behind_last = subscriber;
}

static void
list_remove(struct worker *worker, struct subscriber *subscriber)
{
	if (subscriber->previous != NULL)
		subscriber->previous->next = subscriber->next;
	else
		worker->behind_first = subscriber->next;
	if (subscriber->next != NULL)
		subscriber->next->previous = subscriber->previous;
	else
		worker->behind_last = subscriber->previous;
}

static void
move_to(struct worker *worker, struct subscriber *subscriber,
    enum subscriber_place place)
{
	if (subscriber->place == place)
		return;
	if (subscriber->place == SUBSCRIBER_RUNNABLE)
		list_remove(worker, subscriber);
	if (subscriber->place == SUBSCRIBER_AT_HEAD)
		worker_count(worker, METRIC_STREAMS_BEHIND, 1);
	if (place == SUBSCRIBER_AT_HEAD)
		board_subtract(worker->board, METRIC_STREAMS_BEHIND, 1);
	if (place == SUBSCRIBER_RUNNABLE)
		list_append(worker, subscriber);
	subscriber->place = place;
}

static void
block(struct worker *worker, struct subscriber *subscriber)
{
	move_to(worker, subscriber, SUBSCRIBER_BLOCKED);
	connection_await_writable(subscriber->connection);
}

void
cursor_resume(struct worker *worker, struct subscriber *subscriber)
{
	if (subscriber->place == SUBSCRIBER_BLOCKED)
		move_to(worker, subscriber, SUBSCRIBER_RUNNABLE);
}

void
cursor_leave(struct worker *worker, struct subscriber *subscriber)
{
	if (subscriber->place == SUBSCRIBER_RUNNABLE)
		list_remove(worker, subscriber);
	if (subscriber->place != SUBSCRIBER_AT_HEAD)
		board_subtract(worker->board, METRIC_STREAMS_BEHIND, 1);
}

void
cursor_fall_back(struct worker *worker, uint64_t cursor)
{
	for (struct connection *connection = worker->connections;
	     connection != NULL; connection = connection->next) {
		struct subscriber *subscriber = connection->subscriber;

		if (subscriber == NULL ||
		    subscriber->place != SUBSCRIBER_AT_HEAD)
			continue;
		subscriber->cursor = cursor;
		move_to(worker, subscriber, SUBSCRIBER_RUNNABLE);
	}
}

/* --- one write --- */

static void
tally_receipts(
    struct worker *worker, const struct outgoing *outgoing, size_t frames)
{
	if (!outgoing->receipts)
		return;
	for (size_t i = 0; i < frames; i++) {
		if (outgoing->frames[i].receipt != 0)
			board_tally(
			    worker->board, outgoing->frames[i].receipt, 1);
	}
}

/* Writes what was collected, and notes how far the subscriber got. */
static enum step
write_collected(struct worker *worker, struct subscriber *subscriber)
{
	const struct outgoing *outgoing = &worker->outgoing;
	struct outgoing_sent sent;
	enum outgoing_result result =
	    outgoing_write(outgoing, subscriber->connection->io.fd, &sent);

	if (result == OUTGOING_GONE) {
		connection_destroy(subscriber->connection);
		return STEP_GONE;
	}
	worker_count(worker, METRIC_WRITES, 1);
	worker_count(worker, METRIC_DELIVERIES, sent.frames);
	tally_receipts(worker, outgoing, sent.frames);
	connection_was_written(subscriber->connection);
	/* What lies between two of its events is not its own. */
	subscriber->cursor = sent.frames > 0
				 ? outgoing->frames[sent.frames - 1].cursor
				 : outgoing->frames[0].cursor - 1;
	subscriber->partial = sent.partial;
	subscriber->partial_bytes = (uint32_t)sent.partial_bytes;
	if (result == OUTGOING_ALL)
		return STEP_AGAIN;
	block(worker, subscriber);
	return STEP_BLOCKED;
}

/* How much of an event the subscriber has already. */
static size_t
bytes_already_sent(const struct subscriber *subscriber, uint64_t cursor)
{
	return subscriber->partial == cursor ? subscriber->partial_bytes : 0;
}

enum added {
	ADDED,
	ADDED_LAST, /* added; write before the next is added */
	NOT_ADDED,  /* write, then add it again */
};

/* Adds an event of the window to the write. */
static enum added
add_entry(struct worker *worker, struct subscriber *subscriber, uint64_t number,
    uint64_t *pin)
{
	uint64_t cursor = window_entry(&worker->window, number)->cursor;
	int http_minor = subscriber->connection->http_minor;
	struct frame frame;
	enum window_got got;

	if (outgoing_full(&worker->outgoing))
		return NOT_ADDED;
	got = window_frame(
	    &worker->window, number, subscriber->format, pin, &frame);
	if (got == WINDOW_WAIT)
		return NOT_ADDED;
	if (frame.bytes == NULL)
		log_fatal(EX_OSERR, "no memory for one event");
	outgoing_add(&worker->outgoing, cursor, frame_part(&frame, http_minor),
	    bytes_already_sent(subscriber, cursor));
	return got == WINDOW_ALONE ? ADDED_LAST : ADDED;
}

/* --- at the head --- */

struct delivering {
	struct worker *worker;
	uint64_t entry;
	uint64_t cursor;
};

static void
deliver_to(void *owner, void *context)
{
	struct subscriber *subscriber = owner;
	const struct delivering *delivering = context;

	if (subscriber->place != SUBSCRIBER_AT_HEAD ||
	    subscriber->last_matched == delivering->cursor)
		return;
	subscriber->last_matched = delivering->cursor;
	deliveries_add(&delivering->worker->deliveries, subscriber,
	    &subscriber->delivery_first, &subscriber->delivery_last,
	    delivering->entry);
}

void
cursor_deliver(struct worker *worker, uint64_t entry)
{
	const struct window_entry *newest =
	    window_entry(&worker->window, entry);
	struct delivering delivering = {worker, entry, newest->cursor};

	if (deliveries_full(&worker->deliveries, worker->connection_count))
		cursor_flush(worker);
	channels_match(worker->channels,
	    window_event(&worker->window, newest).channel, deliver_to,
	    &delivering);
}

static void
want_receipt(struct worker *worker, uint64_t number)
{
	uint32_t receipt = window_receipt(
	    &worker->window, window_entry(&worker->window, number));

	if (receipt != 0)
		outgoing_want_receipt(&worker->outgoing, receipt);
}

/* Writes a list of deliveries: with one write, unless it is very long. */
static void
write_deliveries(
    struct worker *worker, struct subscriber *subscriber, uint32_t first)
{
	const struct deliveries *deliveries = &worker->deliveries;
	uint32_t index = first;

	while (index != DELIVERY_NONE) {
		uint64_t pin = UINT64_MAX;
		enum added added = ADDED;

		outgoing_begin(&worker->outgoing);
		while (index != DELIVERY_NONE && added == ADDED) {
			uint64_t entry = deliveries_entry(deliveries, index);

			added = add_entry(worker, subscriber, entry, &pin);
			if (added == NOT_ADDED)
				break;
			want_receipt(worker, entry);
			index = deliveries->list[index].next;
		}
		if (write_collected(worker, subscriber) != STEP_AGAIN)
			return;
	}
}

void
cursor_flush(struct worker *worker)
{
	struct deliveries *deliveries = &worker->deliveries;

	for (size_t i = 0; i < deliveries->subscriber_count; i++) {
		struct subscriber *subscriber = deliveries->subscribers[i];
		uint32_t first = subscriber->delivery_first;

		subscriber->delivery_first = DELIVERY_NONE;
		write_deliveries(worker, subscriber, first);
	}
	deliveries_begin(deliveries, worker->window.end);
}

void
cursor_heartbeat(struct worker *worker, struct subscriber *subscriber)
{
	if (subscriber->place != SUBSCRIBER_AT_HEAD)
		return;
	control_heartbeat(subscriber->connection);
	if (connection_send(subscriber->connection) != CONNECTION_SENT_PART)
		return;
	subscriber->cursor = worker->window.head;
	block(worker, subscriber);
}

/* --- behind --- */

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
		step = write_collected(worker, subscriber);
	if (step == STEP_AGAIN)
		subscriber->cursor = reached;
	return step;
}

static enum step
step_in_window(struct worker *worker, struct subscriber *subscriber)
{
	const struct window *window = &worker->window;
	uint64_t number = window_find(window, subscriber->cursor);
	uint64_t reached = subscriber->cursor;
	uint64_t pin = UINT64_MAX;
	enum added added = ADDED;

	outgoing_begin(&worker->outgoing);
	for (int i = 0; i < WINDOW_ENTRIES_PER_STEP && added == ADDED &&
			number < window->end;
	     i++, number++) {
		const struct window_entry *entry = window_entry(window, number);

		if (subscriber_wants(
			subscriber, window_event(window, entry).channel))
			added = add_entry(worker, subscriber, number, &pin);
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
	collected->frames[collected->count].cursor = event->cursor;
	collected->frames[collected->count].at = buf_length(buf);
	collected->frames[collected->count++].frame =
	    frame_append(buf, event, collected->subscriber->format);
	return true;
}

static void
add_collected(struct collected *collected)
{
	const struct subscriber *subscriber = collected->subscriber;
	struct worker *worker = collected->worker;

	outgoing_begin(&worker->outgoing);
	for (size_t i = 0; i < collected->count; i++) {
		struct frame frame = collected->frames[i].frame;
		uint64_t cursor = collected->frames[i].cursor;

		/* The buffer may have moved since. */
		frame.bytes =
		    buf_bytes(&worker->catch_up) + collected->frames[i].at;
		outgoing_add(&worker->outgoing, cursor,
		    frame_part(&frame, subscriber->connection->http_minor),
		    bytes_already_sent(subscriber, cursor));
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
	result = store_read_losses(
	    worker->store, request, &subscriber->losses, note_lost, &lost);
	tell_lost(&lost);
	buf_finish(&lost.names);
	if (result == 0 && buf_length(&subscriber->connection->out) > 0)
		return 1;
	return result;
}

/* The step's reading, from one snapshot. As find_losses(). */
static int
read_store(struct worker *worker, struct subscriber *subscriber,
    struct collected *collected, uint64_t *reached)
{
	struct store_request request = {
	    .patterns = worker->patterns,
	    .pattern_count = subscriber->member_count,
	    .after = subscriber->cursor,
	    .until = worker->window.head,
	    .rows = STORE_ROWS_PER_STEP,
	};
	int result;

	subscriber_patterns(subscriber, worker->patterns);
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
	    .worker = worker, .subscriber = subscriber};
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
	move_to(worker, subscriber, SUBSCRIBER_AT_HEAD);
	return STEP_AT_HEAD;
}

static enum step
take_step(struct worker *worker, struct subscriber *subscriber)
{
	switch (connection_send(subscriber->connection)) {
	case CONNECTION_SENT_GONE:
		return STEP_GONE;
	case CONNECTION_SENT_PART:
		block(worker, subscriber);
		return STEP_BLOCKED;
	case CONNECTION_SENT_ALL:
		break;
	}
	if (subscriber->ended) {
		connection_complete_stream(subscriber->connection);
		return STEP_GONE;
	}
	if (subscriber->cursor >= worker->window.head)
		return arrive(worker, subscriber);
	if (subscriber->cursor >= worker->window.floor)
		return step_in_window(worker, subscriber);
	return step_in_store(worker, subscriber);
}

bool
cursor_catch_up(struct worker *worker)
{
	double end = ev_time() + CATCH_UP_SECONDS;

	while (worker->behind_first != NULL) {
		struct subscriber *subscriber = worker->behind_first;

		/* To the end of the line, before the next step. */
		list_remove(worker, subscriber);
		list_append(worker, subscriber);
		take_step(worker, subscriber);
		if (ev_time() > end)
			break;
	}
	return worker->behind_first != NULL;
}

/* catch_up_store: a step from the store. See catch_up.h. */
#include "broker/worker/cursor/catch_up.h"

#include "broker/worker/connection.h"
#include "broker/worker/control.h"
#include "broker/worker/cursor/packing.h"
#include "broker/worker/cursor/rewind.h"
#include "broker/worker/cursor/store_read.h"
#include "broker/worker/cursor/stride.h"
#include "broker/worker/cursor/survivors.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

enum {
	STORE_ROWS_PER_STEP = 512,
	STORE_BYTES_PER_STEP = 262144,
	STORE_BYTES_PACKED = 65536,   /* when each step compresses them anew */
	STORE_ROWS_PER_STRIDE = 2048, /* of which not all are read whole */
	STORE_LOOK_BYTES = 1048576,   /* with those that are passed over */
	RESYNC_CHANNELS = 200,        /* in one "resync" */
};

/* The frames of a step from the store, in worker->catch_up. */
struct collected {
	struct worker *worker;
	struct subscriber *subscriber;
	const struct sse_shape *shape;
	struct {
		uint64_t cursor;
		size_t at;
		struct frame frame;
		bool secret;
	} frames[OUTGOING_PIECES];
	size_t count;
};

static bool
collect(const struct event *event, void *context)
{
	struct collected *collected = context;
	struct buf *buf = &collected->worker->catch_up;
	bool packed = collected->subscriber->compressed;

	if (collected->count == OUTGOING_PIECES ||
	    buf_length(buf) >=
		(packed ? STORE_BYTES_PACKED : STORE_BYTES_PER_STEP))
		return false;
	if (collected->subscriber->picky &&
	    !subscriber_takes(collected->subscriber, event))
		return true;
	collected->frames[collected->count].cursor = event->cursor;
	collected->frames[collected->count].at = buf_length(buf);
	collected->frames[collected->count].secret =
	    packed && packing_is_secret(collected->worker, event->channel);
	collected->frames[collected->count++].frame =
	    frame_append(buf, event, collected->shape);
	return true;
}

static void
add_packed(struct collected *collected, uint64_t counted_from)
{
	struct worker *worker = collected->worker;
	struct packing_text texts[OUTGOING_PIECES];

	for (size_t i = 0; i < collected->count; i++) {
		struct frame frame = collected->frames[i].frame;
		uint64_t cursor = collected->frames[i].cursor;

		frame.bytes =
		    buf_bytes(&worker->catch_up) + collected->frames[i].at;
		texts[i] = (struct packing_text){
		    .cursor = cursor,
		    .text = frame_part(&frame, 0),
		    .secret = collected->frames[i].secret,
		};
		if (cursor >= counted_from)
			texts[i].receipt =
			    board_receipt_of(worker->board, cursor);
	}
	packing_add_texts(
	    worker, collected->subscriber, texts, collected->count);
}

static void
add_collected(struct collected *collected)
{
	const struct subscriber *subscriber = collected->subscriber;
	struct worker *worker = collected->worker;
	uint64_t counted_from = board_oldest_receipt(worker->board);

	outgoing_begin(&worker->outgoing);
	if (subscriber->compressed) {
		add_packed(collected, counted_from);
		return;
	}
	for (size_t i = 0; i < collected->count; i++) {
		struct frame frame = collected->frames[i].frame;
		uint64_t cursor = collected->frames[i].cursor;

		/* The buffer may have moved since. */
		frame.bytes =
		    buf_bytes(&worker->catch_up) + collected->frames[i].at;
		outgoing_add(&worker->outgoing, cursor,
		    frame_part(&frame, subscriber->http_minor),
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
	bool told;
};

static void
tell_lost(struct lost *lost)
{
	if (lost->count > 0) {
		control_resync(lost->subscriber, &lost->names, "history");
		lost->told = true;
	}
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

/* What it is told to be lost is lost: the store is read up to where it let
 * events go, though the window may still have some of these. 0 or -1. */
static int
note_told(struct worker *worker, struct subscriber *subscriber)
{
	uint64_t losses;

	return store_read_horizon(worker->store, &subscriber->lost_to, &losses);
}

/* Nothing is told in the midst of an event: when there may be something to
 * tell, the step ends with that event, and the next one tells. 0 or -1. */
static int
put_off_losses(struct worker *worker, struct subscriber *subscriber,
    struct store_request *request)
{
	uint64_t horizon, losses;

	if (store_read_horizon(worker->store, &horizon, &losses) == -1)
		return -1;
	if (horizon > request->after && losses != *rewind_losses(subscriber))
		request->until = subscriber->partial;
	return 0;
}

/* 0; 1 when something was lost and is to be said first; -1. */
static int
find_losses(struct worker *worker, struct subscriber *subscriber,
    struct store_request *request)
{
	struct lost lost = {.subscriber = subscriber};
	int result;

	if (subscriber->partial != 0)
		return put_off_losses(worker, subscriber, request);
	buf_init(&lost.names, 0);
	result = store_read_losses(worker->store, request,
	    rewind_losses(subscriber), note_lost, &lost);
	tell_lost(&lost);
	buf_finish(&lost.names);
	if (result == 0 && lost.told)
		return note_told(worker, subscriber) == 0 ? 1 : -1;
	return result;
}

/* The channels of a step, and how far it goes. */
static void
ask_store_for(struct worker *worker, struct subscriber *subscriber,
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

/* Adds an event, of which all but the data is there, to those that a later one
 * may take the place of. */
static bool
add_to_stride(const struct event *event, void *context)
{
	struct collected *collected = context;
	struct survivors *survivors = collected->worker->survivors;
	struct event named = *event;

	if (survivors_full(survivors) ||
	    !survivors_keep(survivors, &named.channel) ||
	    !survivors_keep(survivors, &named.key))
		return false;
	if (!collected->subscriber->picky ||
	    subscriber_takes(collected->subscriber, event))
		stride_add(collected->worker, collected->subscriber, &named, 0);
	return true;
}

/* Looks at a stride of events, and reads whole what is left of them, as far as
 * it fits into one write. 0 or -1. */
static int
read_stride(struct worker *worker, struct store_request *request,
    struct collected *collected, uint64_t *reached)
{
	const struct survivors *survivors = worker->survivors;

	survivors_begin(worker->survivors);
	request->rows = STORE_ROWS_PER_STRIDE;
	request->columns = STORE_NAMES;
	if (store_read_events(worker->store, request, add_to_stride, collected,
		reached) == -1)
		return -1;
	for (size_t i = 0; i < survivors->count; i++) {
		const struct survivor *event = &survivors->events[i];
		int taken = 1;

		if (event->replaced_by == 0)
			taken = store_read_event(
			    worker->store, event->cursor, collect, collected);
		if (taken == -1)
			return -1;
		if (taken == 1)
			continue;
		*reached = event->cursor - 1;
		break;
	}
	return 0;
}

/* The step's reading, from one snapshot. As find_losses(). */
static int
read_store(struct worker *worker, struct subscriber *subscriber,
    struct collected *collected, bool conflated, uint64_t *reached)
{
	struct store_request request = {
	    .patterns = worker->patterns,
	    .after = catch_up_from(subscriber),
	    .until = hold_reach(worker, subscriber),
	    .rows = STORE_ROWS_PER_STEP,
	    .bytes = STORE_LOOK_BYTES,
	};
	int result;

	ask_store_for(worker, subscriber, &request);
	buf_clear(&worker->catch_up);
	if (store_read_begin(worker->store) == -1)
		return -1;
	result = find_losses(worker, subscriber, &request);
	if (result == 0)
		result = conflated
			     ? read_stride(worker, &request, collected, reached)
			     : store_read_events(worker->store, &request,
				   collect, collected, reached);
	store_read_end(worker->store);
	return buf_failed(&worker->catch_up) ? -1 : result;
}

enum step
catch_up_in_store(struct worker *worker, struct subscriber *subscriber)
{
	struct collected collected = {
	    .worker = worker,
	    .subscriber = subscriber,
	    .shape = &worker->config->shapes[subscriber->shape],
	};
	bool conflated = stride_is_due(worker, subscriber);
	uint64_t reached = subscriber->cursor;
	enum step step;

	worker_count(worker, METRIC_STORE_READS, 1);
	switch (
	    read_store(worker, subscriber, &collected, conflated, &reached)) {
	case 1: /* a resync is to be sent first */
		return STEP_AGAIN;
	case 0:
		add_collected(&collected);
		step = progress_finish_step(worker, subscriber, reached);
		return conflated ? stride_settle(worker, subscriber, step)
				 : step;
	default:
		worker_count(worker, METRIC_STORE_FAILURES, 1);
		if (subscriber->partial == 0)
			control_bye(worker, subscriber->connection, "store");
		connection_end_stream(subscriber->connection);
		return STEP_GONE;
	}
}

/*
 * catch_up: getting on in the log, from behind: a slow, a returning and a new
 * subscriber alike. See cursor.h.
 *
 * A step is bounded in rows and bytes and ends with one write; steps of all
 * who are behind take turns, for a short while per turn of the loop.
 */
#include "broker/worker/cursor/catch_up.h"

#include <assert.h>

#include "broker/worker/connection.h"
#include "broker/worker/control.h"
#include "broker/worker/cursor/cursor.h"
#include "broker/worker/cursor/follow.h"
#include "broker/worker/cursor/hold.h"
#include "broker/worker/cursor/packing.h"
#include "broker/worker/cursor/place.h"
#include "broker/worker/cursor/progress.h"
#include "broker/worker/cursor/rewind.h"
#include "broker/worker/cursor/run.h"
#include "broker/worker/cursor/snapshot.h"
#include "broker/worker/cursor/stride.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

enum {
	WINDOW_ENTRIES_PER_STEP = 2048,
	RELEASE_STEPS = 64, /* of one who waited for an interval */
	/* Of events with patterns; half a millisecond or so. */
	COMPARISONS_PER_STEP = 131072,
	LOOK_AT_LEAST = 16,
	/* Behind by so many events it pays to ask what others found. */
	SHARED_AT_LEAST = 16,
	/* How long those who catch up may keep a worker from its other work,
	 * in microseconds. */
	CATCH_UP_US = 2000,
};

int
catch_up_look_at(int most, size_t patterns)
{
	size_t fewer =
	    patterns > 0 ? COMPARISONS_PER_STEP / patterns : SIZE_MAX;

	if (fewer >= (size_t)most)
		return most;
	return fewer > LOOK_AT_LEAST ? (int)fewer : LOOK_AT_LEAST;
}

uint64_t
catch_up_from(const struct subscriber *subscriber)
{
	return subscriber->partial != 0 ? subscriber->partial - 1
					: subscriber->cursor;
}

/* Has the window all that is still to come? Not what was said to be lost; but
 * a half-written event is finished from wherever it is. */
static bool
has_window(const struct worker *worker, const struct subscriber *subscriber)
{
	uint64_t from = catch_up_from(subscriber);

	return from >= worker->window.floor &&
	       (from >= subscriber->lost_to || subscriber->partial != 0);
}

/* Is nothing to be looked at before it reads on in the window, nor when it has
 * come to the head? Then all that it gets goes out together. */
static bool
goes_on_at_once(
    const struct worker *worker, const struct subscriber *subscriber)
{
	return subscriber->partial == 0 && subscriber->rewind == NULL &&
	       subscriber->snapshots == NULL && subscriber->hold_ms == 0 &&
	       subscriber->hold.waiting_ms == 0 && !subscriber->compressed &&
	       !subscriber->ended && !worker->config->channels_conflate &&
	       has_window(worker, subscriber);
}

/* Looks by itself at what lies behind it; returns how far. */
static uint64_t
look(struct worker *worker, const struct subscriber *subscriber,
    uint64_t number, uint64_t until, int most)
{
	struct stretch stretch = {
	    .outgoing = &worker->outgoing,
	    .pin = UINT64_MAX,
	    .next = number,
	    .reached = subscriber->cursor,
	    .begun = subscriber->partial,
	    .begun_bytes = subscriber->partial_bytes,
	};

	outgoing_begin(&worker->outgoing);
	progress_stretch(worker, subscriber, &stretch, until, most);
	return stretch.reached;
}

/* Will something be said when it has arrived? */
static bool
has_last_words(const struct subscriber *subscriber)
{
	return subscriber->ends ||
	       (subscriber->owes_live &&
		   subscriber->block->live.kind != NOTICE_NONE);
}

/* Writes what was collected; what is to be said before goes with it, and so
 * does what is to be said when it has arrived. */
static enum step
write_step(
    struct worker *worker, struct subscriber *subscriber, uint64_t reached)
{
	struct outgoing *outgoing = &worker->outgoing;
	bool arrives = goes_on_at_once(worker, subscriber) &&
		       reached >= worker->window.head;
	enum connection_sent sent = CONNECTION_SENT_ALL;

	if (outgoing->frame_count > 0)
		sent = connection_send_ahead(subscriber->connection);
	else if (!arrives)
		sent = connection_send(subscriber->connection);
	if (sent == CONNECTION_SENT_GONE)
		return STEP_GONE;
	if (sent == CONNECTION_SENT_PART) {
		place_block(worker, subscriber);
		return STEP_BLOCKED;
	}
	outgoing->ahead = arrives && has_last_words(subscriber);
	return progress_finish_step(worker, subscriber, reached);
}

static enum step
step_in_window(struct worker *worker, struct subscriber *subscriber)
{
	const struct window *window = &worker->window;
	uint64_t number = window_find(window, catch_up_from(subscriber));
	uint64_t until = hold_reach(worker, subscriber);
	uint64_t reached;
	int most = subscriber->alone ? 1
				     : catch_up_look_at(WINDOW_ENTRIES_PER_STEP,
					   subscriber->member_count);

	if (subscriber->compressed)
		reached =
		    packing_stretch(worker, subscriber, number, until, most);
	else if (window->end - number < SHARED_AT_LEAST ||
		 !runs_take(worker, subscriber, number, until, most, &reached))
		reached = look(worker, subscriber, number, until, most);
	return write_step(worker, subscriber, reached);
}

/* Is all read? */
static bool
has_arrived(const struct worker *worker, const struct subscriber *subscriber)
{
	if (subscriber->snapshots != NULL && subscriber->partial == 0)
		return false;
	return catch_up_from(subscriber) >= worker->window.head;
}

/* Who has arrived is told so, once, in one write with what it was told before;
 * then the stream may end. */
static void
say_arrival(struct worker *worker, struct subscriber *subscriber)
{
	if (subscriber->owes_live) {
		subscriber->owes_live = false;
		control_live(worker, subscriber);
	}
	if (subscriber->ends && !subscriber->ended) {
		subscriber->ended = true;
		control_bye(worker, subscriber->connection, "end");
	}
}

static enum step take_step(
    struct worker *worker, struct subscriber *subscriber);

/* Reads on, and says so at once when that brings it to the head: what it has
 * just written may wait for that. */
static enum step
go_on(struct worker *worker, struct subscriber *subscriber)
{
	enum step step = step_in_window(worker, subscriber);

	if (step == STEP_AGAIN && has_arrived(worker, subscriber))
		step = take_step(worker, subscriber);
	return step;
}

static enum step
take_step(struct worker *worker, struct subscriber *subscriber)
{
	bool arrived;

	subscriber_pay(subscriber);
	/* Nothing is said in the midst of an event. */
	assert(subscriber->partial == 0 ||
	       buf_length(&subscriber->connection->out) == 0);
	subscriber_settle_half(subscriber);
	rewind_step(subscriber);
	arrived = has_arrived(worker, subscriber);
	if (arrived)
		say_arrival(worker, subscriber);
	else if (goes_on_at_once(worker, subscriber))
		return go_on(worker, subscriber);
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
	if (arrived) {
		/* New events come as they appear. */
		place_move(worker, subscriber, SUBSCRIBER_AT_HEAD);
		return STEP_AT_HEAD;
	}
	if (subscriber->snapshots != NULL && subscriber->partial == 0)
		return snapshot_step(worker, subscriber);
	if (hold_waits(worker, subscriber))
		return STEP_HELD;
	if (has_window(worker, subscriber))
		return stride_is_due(worker, subscriber)
			   ? stride_in_window(worker, subscriber)
			   : go_on(worker, subscriber);
	return catch_up_in_store(worker, subscriber);
}

bool
cursor_release(struct worker *worker, struct subscriber *subscriber)
{
	enum step step = STEP_AGAIN;

	if (subscriber->place != SUBSCRIBER_HELD)
		return true;
	subscriber->hold.waiting_ms = 0;
	place_move(worker, subscriber, SUBSCRIBER_RUNNABLE);
	for (int i = 0; i < RELEASE_STEPS && step == STEP_AGAIN; i++)
		step = take_step(worker, subscriber);
	return step != STEP_GONE;
}

bool
cursor_catch_up(struct worker *worker)
{
	uint64_t end_us = worker_steady_us() + CATCH_UP_US;
	struct subscriber *subscriber;

	holds_turn(worker);
	packing_begin_catch_up(worker);
	while ((subscriber = place_next_runnable(worker)) != NULL) {
		take_step(worker, subscriber);
		if (worker_steady_us() > end_us)
			break;
	}
	if (handed_waits(worker))
		follow_report(worker);
	return worker->behind_first != NULL;
}

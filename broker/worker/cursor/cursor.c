/*
 * cursor: getting on in the log, at its head. See cursor.h; the rest of the
 * way is in catch_up.c.
 *
 * Only at the head does a new event of the ring become a write at once. Else
 * it is found again by the cursor, in the window or in the store; the bytes
 * are the same from either.
 */
#include "broker/worker/cursor/cursor.h"

#include "broker/worker/connection.h"
#include "broker/worker/control.h"
#include "broker/worker/cursor/hold.h"
#include "broker/worker/cursor/packing.h"
#include "broker/worker/cursor/place.h"
#include "broker/worker/cursor/progress.h"
#include "broker/worker/cursor/rewind.h"
#include "broker/worker/cursor/stride.h"
#include "broker/worker/cursor/volley.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

enum { AHEAD = 8 }; /* subscribers whose memory is fetched meanwhile */

void
cursor_resume(struct worker *worker, struct subscriber *subscriber)
{
	if (subscriber->place == SUBSCRIBER_BLOCKED)
		place_move(worker, subscriber, SUBSCRIBER_RUNNABLE);
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
		place_move(worker, subscriber, SUBSCRIBER_RUNNABLE);
	}
}

struct delivering {
	struct worker *worker;
	uint64_t entry;
	struct event event;
	uint32_t hold_ms; /* how long its channel holds it back */
	bool counted;     /* somebody wants to know how many get it */
};

static void
deliver_to(void *owner, void *context)
{
	struct subscriber *subscriber = owner;
	const struct delivering *delivering = context;
	uint32_t hold_ms = subscriber->hold_ms > delivering->hold_ms
			       ? subscriber->hold_ms
			       : delivering->hold_ms;

	if (delivering->counted)
		handed_await(
		    delivering->worker, subscriber, delivering->event.cursor);
	if (hold_ms > 0) {
		hold_event(delivering->worker, subscriber, &delivering->event,
		    hold_ms);
		return;
	}
	if (subscriber->place != SUBSCRIBER_AT_HEAD ||
	    subscriber->last_matched == delivering->event.cursor)
		return;
	subscriber->last_matched = delivering->event.cursor;
	if (subscriber->picky &&
	    !subscriber_takes(subscriber, &delivering->event))
		return;
	deliveries_add(&delivering->worker->deliveries, subscriber,
	    &subscriber->delivery_first, &subscriber->delivery_last,
	    delivering->entry);
}

void
cursor_deliver(struct worker *worker, uint64_t entry, uint32_t hash)
{
	const struct window_entry *newest =
	    window_entry(&worker->window, entry);
	struct delivering delivering = {
	    .worker = worker,
	    .entry = entry,
	    .event = window_event(&worker->window, newest),
	    .counted = window_receipt(&worker->window, newest) != 0,
	};

	delivering.hold_ms =
	    stride_channel_ms(worker, delivering.event.channel);
	if (deliveries_full(&worker->deliveries, worker->connection_count)) {
		cursor_flush(worker);
		/* The entry itself is in the window already. */
		deliveries_begin(&worker->deliveries, entry);
	}
	channels_match(worker->channels, delivering.event.channel, hash,
	    deliver_to, &delivering);
}

/* Writes a list of deliveries: with one write, unless it is very long. */
static void
write_deliveries(
    struct worker *worker, struct subscriber *subscriber, uint32_t first)
{
	const struct deliveries *deliveries = &worker->deliveries;
	uint32_t index = first;

	while (index != DELIVERY_NONE) {
		uint64_t pin = volley_pin(worker);
		enum added added = ADDED;

		outgoing_begin(&worker->outgoing);
		while (index != DELIVERY_NONE && added == ADDED) {
			uint64_t entry = deliveries_entry(deliveries, index);

			added =
			    progress_add_entry(worker, subscriber, entry, &pin);
			if (added == NOT_ADDED)
				break;
			index = deliveries->list[index].next;
		}
		if (volley_blocks(worker, subscriber)) {
			volley_fire(worker);
			continue;
		}
		if (index == DELIVERY_NONE && added == ADDED &&
		    volley_add(worker, subscriber, pin))
			return;
		if (progress_write(worker, subscriber) != STEP_AGAIN)
			return;
	}
}

void
cursor_flush(struct worker *worker)
{
	struct deliveries *deliveries = &worker->deliveries;

	packing_begin_turn(worker);
	for (size_t i = 0; i < deliveries->subscriber_count; i++) {
		struct subscriber *subscriber = deliveries->subscribers[i];
		uint32_t first = subscriber->delivery_first;

		if (i + AHEAD < deliveries->subscriber_count)
			prefetch_object(deliveries->subscribers[i + AHEAD]);
		if (worker->packing != NULL &&
		    i + AHEAD / 2 < deliveries->subscriber_count)
			prefetch_object(
			    deliveries->subscribers[i + AHEAD / 2]->packed);
		subscriber->delivery_first = DELIVERY_NONE;
		write_deliveries(worker, subscriber, first);
	}
	volley_fire(worker);
	deliveries_begin(deliveries, worker->window.end);
}

bool
cursor_say(struct worker *worker, struct subscriber *subscriber)
{
	enum subscriber_place place = subscriber->place;

	if (place != SUBSCRIBER_AT_HEAD && place != SUBSCRIBER_HELD)
		return true;
	switch (connection_send(subscriber->connection)) {
	case CONNECTION_SENT_ALL:
		return true;
	case CONNECTION_SENT_GONE:
		return false;
	case CONNECTION_SENT_PART:
		break;
	}
	if (place == SUBSCRIBER_AT_HEAD)
		subscriber->cursor = worker->window.head;
	place_block(worker, subscriber);
	return true;
}

void
cursor_rewound(struct worker *worker, struct subscriber *subscriber)
{
	if (!rewind_under_way(subscriber) && subscriber->snapshots == NULL)
		return;
	subscriber->owes_live = true;
	if (subscriber->place == SUBSCRIBER_AT_HEAD)
		place_move(worker, subscriber, SUBSCRIBER_RUNNABLE);
}

void
cursor_heartbeat(struct worker *worker, struct subscriber *subscriber)
{
	if (subscriber->place != SUBSCRIBER_AT_HEAD &&
	    subscriber->place != SUBSCRIBER_HELD)
		return;
	control_heartbeat(worker, subscriber);
	cursor_say(worker, subscriber);
}

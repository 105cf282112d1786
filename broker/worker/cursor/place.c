/* place: subscribers in the order of their turns. See place.h. */
#include "broker/worker/cursor/place.h"

#include "broker/worker/connection.h"
#include "broker/worker/worker_state.h"

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

/* Has it less than it could have? Who holds events back has what is due. */
static bool
is_behind(enum subscriber_place place)
{
	return place == SUBSCRIBER_RUNNABLE || place == SUBSCRIBER_BLOCKED;
}

static void
leave(struct worker *worker, struct subscriber *subscriber)
{
	if (subscriber->place == SUBSCRIBER_RUNNABLE)
		list_remove(worker, subscriber);
	if (subscriber->place == SUBSCRIBER_HELD)
		hold_leave(worker, subscriber);
	if (is_behind(subscriber->place))
		board_subtract(worker->board, METRIC_STREAMS_BEHIND, 1);
}

void
place_move(struct worker *worker, struct subscriber *subscriber,
    enum subscriber_place place)
{
	if (subscriber->place == place)
		return;
	leave(worker, subscriber);
	subscriber->place = place;
	if (is_behind(place))
		worker_count(worker, METRIC_STREAMS_BEHIND, 1);
	switch (place) {
	case SUBSCRIBER_AT_HEAD:
		subscriber->hold.waiting_ms = 0;
		break;
	case SUBSCRIBER_HELD:
		hold_enter(worker, subscriber);
		break;
	case SUBSCRIBER_RUNNABLE:
		list_append(worker, subscriber);
		break;
	case SUBSCRIBER_BLOCKED:
		break;
	}
}

void
place_block(struct worker *worker, struct subscriber *subscriber)
{
	place_move(worker, subscriber, SUBSCRIBER_BLOCKED);
	connection_await_writable(subscriber->connection);
}

struct subscriber *
place_next_runnable(struct worker *worker)
{
	struct subscriber *subscriber = worker->behind_first;

	if (subscriber == NULL)
		return NULL;
	list_remove(worker, subscriber);
	list_append(worker, subscriber);
	return subscriber;
}

void
place_leave(struct worker *worker, struct subscriber *subscriber)
{
	leave(worker, subscriber);
}

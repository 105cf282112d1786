/* handed: events that are counted. See handed.h. */
#include "broker/worker/handed.h"

#include "broker/shared/bell.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

static struct handed_event *
event_at(struct handed *handed, size_t index)
{
	return &handed->events[(handed->first + index) % BOARD_TALLIES];
}

static void
drop_first(struct handed *handed)
{
	handed->first = (handed->first + 1) % BOARD_TALLIES;
	handed->count--;
}

void
handed_note(
    struct worker *worker, uint32_t receipt, uint64_t cursor, uint64_t position)
{
	struct handed *handed = &worker->handed;

	/* No more are open at once: the first is not any more. */
	if (handed->count == BOARD_TALLIES)
		drop_first(handed);
	if (position < handed->reported)
		position = handed->reported;
	handed->count++;
	*event_at(handed, handed->count - 1) = (struct handed_event){
	    .cursor = cursor,
	    .position = position,
	    .receipt = receipt,
	};
}

void
handed_await(
    struct worker *worker, struct subscriber *subscriber, uint64_t cursor)
{
	struct handed *handed = &worker->handed;
	struct handed_node *node = &subscriber->handed;

	if (subscriber->place != SUBSCRIBER_RUNNABLE)
		return;
	if (node->cursor == 0) {
		node->previous = NULL;
		node->next = handed->awaited;
		if (node->next != NULL)
			node->next->handed.previous = subscriber;
		handed->awaited = subscriber;
	}
	node->cursor = cursor;
}

void
handed_leave(struct worker *worker, struct subscriber *subscriber)
{
	struct handed_node *node = &subscriber->handed;

	if (node->cursor == 0)
		return;
	if (node->previous != NULL)
		node->previous->handed.next = node->next;
	else
		worker->handed.awaited = node->next;
	if (node->next != NULL)
		node->next->handed.previous = node->previous;
	node->cursor = 0;
}

/* Can it get on, and soon? */
static bool
is_on_its_way(const struct worker *worker, const struct subscriber *subscriber)
{
	return subscriber->place == SUBSCRIBER_RUNNABLE &&
	       subscriber->cursor < subscriber->handed.cursor &&
	       subscriber->cursor >= worker->window.floor;
}

/* How far all have come that are waited for. */
static uint64_t
find_slowest(struct worker *worker)
{
	uint64_t slowest = UINT64_MAX;
	struct subscriber *next;

	for (struct subscriber *subscriber = worker->handed.awaited;
	     subscriber != NULL; subscriber = next) {
		next = subscriber->handed.next;
		if (!is_on_its_way(worker, subscriber))
			handed_leave(worker, subscriber);
		else if (subscriber->cursor < slowest)
			slowest = subscriber->cursor;
	}
	return slowest;
}

void
handed_report(struct worker *worker, uint64_t position)
{
	struct handed *handed = &worker->handed;
	uint64_t slowest = find_slowest(worker);
	bool news = false;

	for (; handed->count > 0; drop_first(handed)) {
		const struct handed_event *first = event_at(handed, 0);

		if (first->cursor > slowest &&
		    board_receipt_open(worker->board, first->receipt))
			break;
		news = true;
	}
	if (handed->count > 0 && event_at(handed, 0)->position < position)
		position = event_at(handed, 0)->position;
	handed->reported = position;
	board_set_read(worker->board, position);
	if (news)
		bell_ring(worker->heritage->hub_bell);
}

/* handed: events that are counted. See handed.h. */
#include "broker/worker/cursor/handed.h"

#include <stdlib.h>
#include <sysexits.h>

#include "broker/shared/bell.h"
#include "broker/shared/log.h"
#include "broker/shared/record.h"
#include "broker/worker/cursor/channels.h"
#include "broker/worker/facts.h"
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
	free(event_at(handed, 0)->record);
	handed->first = (handed->first + 1) % BOARD_TALLIES;
	handed->count--;
	if (handed->settled > 0)
		handed->settled--;
}

/* What is needed of it when it has left the window. */
static struct record *
keep_record(const struct event *event)
{
	struct event kept = *event;
	struct record *record;

	kept.data = slice_of("", 0);
	record = malloc(record_size(&kept));
	if (record == NULL)
		log_fatal(EX_OSERR, "no memory for one event");
	return record_write(record, &kept);
}

void
handed_note(struct worker *worker, uint32_t receipt, const struct event *event,
    uint64_t position)
{
	struct handed *handed = &worker->handed;
	bool detailed = board_receipt_detailed(worker->board, receipt);

	/* No more are open at once: the first is not any more. */
	if (handed->count == BOARD_TALLIES)
		drop_first(handed);
	if (position < handed->reported)
		position = handed->reported;
	handed->count++;
	*event_at(handed, handed->count - 1) = (struct handed_event){
	    .cursor = event->cursor,
	    .position = position,
	    .receipt = receipt,
	    .record = detailed ? keep_record(event) : NULL,
	};
}

void
handed_finish(struct worker *worker)
{
	while (worker->handed.count > 0)
		drop_first(&worker->handed);
}

bool
handed_waits(const struct worker *worker)
{
	return worker->handed.count > worker->handed.settled;
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

/* --- all counts --- */

/* Counts a stream in, or out, where it belongs. */
static void
count_stream(struct worker *worker, const struct handed_event *of,
    const struct subscriber *subscriber, int64_t by)
{
	struct facts_event about = {
	    .event = record_event(of->record),
	    .known = true,
	    .stored = true,
	};
	struct verdict_facts facts;

	facts_find(&facts, worker, subscriber, &about);
	switch (verdict_find(&facts)) {
	case VERDICT_LAGGING:
		board_tally_rest(worker->board, of->receipt, by, 0);
		break;
	case VERDICT_FILTERED:
	case VERDICT_CONFLATED:
		board_tally_rest(worker->board, of->receipt, 0, by);
		break;
	case VERDICT_WRITTEN: /* counted when that was done */
	case VERDICT_NOT_GRANTED:
	case VERDICT_NOT_SUBSCRIBED:
	case VERDICT_BEGAN_AFTER:
	case VERDICT_ENDED_BEFORE:
	case VERDICT_HISTORY_GONE:
	case VERDICT_UNKNOWN:
	case VERDICT_COUNT:
		break;
	}
}

struct settling {
	struct worker *worker;
	const struct handed_event *event;
	uint64_t mark; /* no cursor */
};

static void
count_matched(void *owner, void *context)
{
	struct subscriber *subscriber = owner;
	const struct settling *settling = context;

	/* One that is found by two patterns counts once. */
	if (subscriber->last_matched == settling->mark ||
	    !subscriber->handed.counted)
		return;
	subscriber->last_matched = settling->mark;
	count_stream(settling->worker, settling->event, subscriber, 1);
}

/* It was written to whoever could get it by now. */
static void
settle_next(struct worker *worker)
{
	struct handed *handed = &worker->handed;
	const struct handed_event *event = event_at(handed, handed->settled);
	struct settling settling = {
	    .worker = worker,
	    .event = event,
	    .mark = UINT64_MAX - handed->walks++,
	};

	handed->settled++;
	if (event->record != NULL) {
		struct slice channel = record_event(event->record).channel;

		channels_match(worker->channels, channel,
		    channels_hash(channel), count_matched, &settling);
	}
}

/* Lets go of what is settled and needs no counting any more. */
static void
drop_closed(struct worker *worker)
{
	struct handed *handed = &worker->handed;

	while (handed->settled > 0) {
		const struct handed_event *first = event_at(handed, 0);

		if (first->record != NULL &&
		    board_receipt_open(worker->board, first->receipt))
			return;
		drop_first(handed);
	}
}

static void
count_in_settled(
    struct worker *worker, const struct subscriber *subscriber, int64_t by)
{
	struct handed *handed = &worker->handed;

	drop_closed(worker);
	for (size_t i = 0; i < handed->settled; i++) {
		const struct handed_event *event = event_at(handed, i);

		if (event->record != NULL)
			count_stream(worker, event, subscriber, by);
	}
}

void
handed_enter(struct worker *worker, struct subscriber *subscriber)
{
	if (worker->handed.settled > 0 && !subscriber->handed.counted)
		count_in_settled(worker, subscriber, 1);
	subscriber->handed.counted = true;
}

void
handed_exit(struct worker *worker, struct subscriber *subscriber)
{
	if (worker->handed.settled > 0 && subscriber->handed.counted)
		count_in_settled(worker, subscriber, -1);
	subscriber->handed.counted = false;
}

void
handed_written(struct worker *worker, uint32_t receipt)
{
	struct handed *handed = &worker->handed;

	for (size_t i = 0; i < handed->settled; i++) {
		const struct handed_event *event = event_at(handed, i);

		if (event->receipt == receipt && event->record != NULL) {
			board_tally_late(worker->board, receipt);
			return;
		}
	}
	board_tally(worker->board, receipt, 1);
}

void
handed_passed_over(struct worker *worker, uint64_t cursor)
{
	struct handed *handed = &worker->handed;

	for (size_t i = 0; i < handed->settled; i++) {
		const struct handed_event *event = event_at(handed, i);

		if (event->cursor == cursor && event->record != NULL)
			board_tally_rest(worker->board, event->receipt, -1, 1);
	}
}

/* --- what is said --- */

void
handed_report(struct worker *worker, uint64_t position)
{
	struct handed *handed = &worker->handed;
	uint64_t slowest = find_slowest(worker);
	bool news = false;

	drop_closed(worker);
	while (handed_waits(worker)) {
		const struct handed_event *next =
		    event_at(handed, handed->settled);

		if (next->cursor > slowest &&
		    board_receipt_open(worker->board, next->receipt))
			break;
		settle_next(worker);
		news = true;
	}
	if (handed_waits(worker) &&
	    event_at(handed, handed->settled)->position < position)
		position = event_at(handed, handed->settled)->position;
	handed->reported = position;
	board_set_read(worker->board, position);
	if (news)
		bell_ring(worker->heritage->hub_bell);
}

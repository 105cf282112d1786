/* rewind: channels that begin in the past of a live stream. See rewind.h. */
#include "broker/worker/cursor/rewind.h"

#include <stdlib.h>

#include "broker/worker/cursor/channels.h"
#include "broker/worker/cursor/snapshot.h"
#include "broker/worker/cursor/stream_start.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

/* Up to where the stream has its events, or will when the one that is half
 * written is out. */
static uint64_t
position(const struct worker *worker, const struct subscriber *subscriber)
{
	if (subscriber->partial != 0)
		return subscriber->partial;
	return subscriber->place == SUBSCRIBER_AT_HEAD ? worker->window.head
						       : subscriber->cursor;
}

static struct rewind *
create(struct subscriber *subscriber)
{
	struct rewind *rewind = calloc(1, sizeof(*rewind));

	if (rewind != NULL)
		rewind->to = UINT64_MAX;
	subscriber->rewind = rewind;
	return rewind;
}

/* Memory for the marks of all members. Those that had none began with the
 * stream. 0, or -1. */
static int
make_room(struct subscriber *subscriber)
{
	struct rewind *rewind = subscriber->rewind;
	uint32_t count = subscriber->member_count;
	struct rewind_mark *marks;

	if (rewind == NULL && (rewind = create(subscriber)) == NULL)
		return -1;
	marks = realloc(rewind->marks, count * sizeof(marks[0]));
	if (marks == NULL)
		return -1;
	for (uint32_t i = rewind->size; i < count; i++)
		marks[i] = (struct rewind_mark){subscriber->opened, 0};
	rewind->marks = marks;
	rewind->size = count;
	return 0;
}

/* The stream is to go from `at` to `since`; the members before `first` have
 * what lies between, unless they wait for going back themselves. */
static void
go_back(
    struct subscriber *subscriber, uint32_t first, uint64_t at, uint64_t since)
{
	struct rewind *rewind = subscriber->rewind;

	for (uint32_t i = 0; i < first && rewind->to == UINT64_MAX; i++) {
		if (rewind->marks[i].mark < at)
			rewind->marks[i].mark = at;
	}
	if (since < rewind->to)
		rewind->to = since;
	/* What was told to the others is behind them. */
	if (at >= subscriber->lost_to)
		subscriber->lost_to = 0;
	subscriber_finish_alone(subscriber);
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* From where on losses count for who is new; when others are on their way, the
 * one that counts most: rather told twice than not at all. */
static void
concern(struct subscriber *subscriber, uint32_t first, uint64_t losses)
{
	struct rewind *rewind = subscriber->rewind;

	if (first == 0)
		subscriber->losses = losses;
	if (first > 0 && rewind->under_way)
		losses = least(losses, rewind->unconcerned);
	rewind->unconcerned = losses;
	rewind->told_at = 0;
}

int
rewind_add(struct worker *worker, struct subscriber *subscriber, uint32_t first,
    const struct stream_start *start)
{
	uint64_t at = position(worker, subscriber);
	uint64_t since = start->cursor;
	struct rewind *rewind;

	if (first == subscriber->member_count)
		return 0;
	if (make_room(subscriber) == -1 ||
	    snapshot_begin(worker, subscriber, first, start) == -1)
		return -1;
	rewind = subscriber->rewind;
	for (uint32_t i = first; i < subscriber->member_count; i++)
		rewind->marks[i] = (struct rewind_mark){since, since};
	if (since < at)
		go_back(subscriber, first, at, since);
	concern(subscriber, first, start->losses);
	rewind->under_way |= since != at;
	if (subscriber->place == SUBSCRIBER_AT_HEAD)
		subscriber->cursor = at;
	subscriber_settle(subscriber);
	return 0;
}

void
rewind_drop(struct subscriber *subscriber, uint32_t i)
{
	struct rewind *rewind = subscriber->rewind;

	/* Of one whose adding failed there is no mark; it is among the last. */
	if (rewind != NULL && i < rewind->size)
		rewind->marks[i] = rewind->marks[--rewind->size];
}

void
rewind_step(struct subscriber *subscriber)
{
	struct rewind *rewind = subscriber->rewind;

	if (rewind == NULL || !rewind->under_way || subscriber->partial != 0)
		return;
	if (rewind->to < subscriber->cursor)
		subscriber->cursor = rewind->to;
	rewind->to = UINT64_MAX;
	for (uint32_t i = 0; i < rewind->size; i++) {
		if (rewind->marks[i].mark > subscriber->cursor)
			return;
	}
	rewind->under_way = false;
	/* What the stream was told says nothing about those that are new. */
	subscriber->losses = least(subscriber->losses, rewind->unconcerned);
	subscriber_settle(subscriber);
}

bool
rewind_under_way(const struct subscriber *subscriber)
{
	return subscriber->rewind != NULL && subscriber->rewind->under_way;
}

bool
rewind_wants(const struct subscriber *subscriber, const struct event *event)
{
	const struct rewind *rewind = subscriber->rewind;
	bool wanted = false;

	for (uint32_t i = 0; i < rewind->size; i++) {
		const struct rewind_mark *mark = &rewind->marks[i];

		if (mark->begin >= event->cursor ||
		    !event_pattern_covers(
			channels_pattern(&subscriber->members[i]),
			event->channel))
			continue;
		if (mark->mark >= event->cursor)
			return false;
		wanted = true;
	}
	return wanted;
}

/* Steps up to another mark are for other members: they are told from the
 * beginning. */
static void
heed_mark(struct rewind *rewind, uint64_t mark)
{
	if (rewind->told_at == mark)
		return;
	rewind->told_at = mark;
	rewind->losses = rewind->unconcerned;
}

uint32_t
rewind_patterns(
    struct subscriber *subscriber, struct slice *patterns, uint64_t *until)
{
	bool all = !rewind_under_way(subscriber);
	uint64_t next = UINT64_MAX;
	uint32_t count = 0;

	for (uint32_t i = 0; i < subscriber->member_count; i++) {
		uint64_t mark = all ? 0 : subscriber->rewind->marks[i].mark;

		if (mark <= subscriber->cursor)
			patterns[count++] =
			    channels_pattern(&subscriber->members[i]);
		else if (mark < next)
			next = mark;
	}
	if (!all)
		heed_mark(subscriber->rewind, next);
	*until = least(*until, next);
	return count;
}

uint64_t *
rewind_losses(struct subscriber *subscriber)
{
	return rewind_under_way(subscriber) ? &subscriber->rewind->losses
					    : &subscriber->losses;
}

void
rewind_finish(struct subscriber *subscriber)
{
	if (subscriber->rewind == NULL)
		return;
	free(subscriber->rewind->marks);
	free(subscriber->rewind);
	subscriber->rewind = NULL;
}

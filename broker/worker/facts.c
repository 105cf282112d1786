/* facts: of a stream and one event. See facts.h. */
#include "broker/worker/facts.h"

#include "broker/shared/config.h"
#include "broker/shared/config_channel.h"
#include "broker/shared/filter.h"
#include "broker/worker/access/permit.h"
#include "broker/worker/access/revoked.h"
#include "broker/worker/cursor/conflated.h"
#include "broker/worker/cursor/rewind.h"
#include "broker/worker/cursor/snapshot.h"
#include "broker/worker/cursor/stride.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

uint64_t
facts_position(const struct worker *worker, const struct subscriber *subscriber)
{
	const struct rewind *rewind = subscriber->rewind;
	uint64_t position = subscriber->place == SUBSCRIBER_AT_HEAD
				? worker->window.head
				: subscriber->cursor;

	if (rewind != NULL && rewind->to < position)
		return rewind->to;
	return position;
}

void
facts_note_change(const struct worker *worker, struct subscriber *subscriber)
{
	uint64_t position = facts_position(worker, subscriber);

	if (position < subscriber->partial)
		position = subscriber->partial;
	if (position > subscriber->changed_at)
		subscriber->changed_at = position;
}

/* Which events a subscription has; see rewind.h. */
static struct rewind_mark
mark_of(const struct subscriber *subscriber, size_t member)
{
	const struct rewind *rewind = subscriber->rewind;

	if (rewind != NULL && member < rewind->size)
		return rewind->marks[member];
	return (struct rewind_mark){subscriber->opened, 0};
}

/* What its subscriptions say. */
static void
find_subscribed(struct verdict_facts *facts,
    const struct subscriber *subscriber, const struct facts_event *about,
    uint64_t position)
{
	uint64_t cursor = about->event.cursor;

	for (size_t i = 0; i < subscriber->member_count; i++) {
		struct rewind_mark has = mark_of(subscriber, i);
		bool covers = about->known &&
			      event_pattern_covers(
				  channels_pattern(&subscriber->members[i]),
				  about->event.channel);

		facts->covered |= covers;
		if ((about->known && !covers) || has.begin >= cursor)
			continue;
		facts->begun = true;
		facts->reached |= cursor <= has.mark || cursor <= position;
	}
}

/* Can the stream, from where it is, still read the event? */
static bool
is_kept(const struct worker *worker, const struct subscriber *subscriber,
    const struct facts_event *about)
{
	return about->stored ||
	       (about->in_window &&
		   facts_position(worker, subscriber) >= worker->window.floor);
}

/* Would it have been subscribed, but for a revocation? Perhaps. */
static bool
is_revoked(const struct worker *worker, const struct subscriber *subscriber,
    const struct event *event)
{
	const struct permit *permit = subscriber->permit;

	return permit != NULL &&
	       revoked_channel(worker->revoked, permit_user(permit),
		   permit->issued_ms, event->channel);
}

void
facts_find_conflated(struct verdict_facts *facts, const struct worker *worker,
    const char *id, const struct event *event)
{
	const struct conflated *conflated = &worker->conflated;
	bool keyed = event->key.len > 0 && event->kind != EVENT_RESYNC;

	if (conflated_find(conflated, slice_of_text(id), event->cursor) != 0)
		facts->conflated = true;
	else if (keyed && facts->reached && conflated->count > CONFLATED_NOTES)
		facts->changed = true;
}

/* The stream began after the event. Of a channel that keeps the latest of each
 * key, it got it all the same, as a part of a snapshot: surely, when it still
 * is the latest. */
static void
find_in_snapshot(struct verdict_facts *facts, const struct worker *worker,
    const struct subscriber *subscriber, const struct facts_event *about)
{
	const struct snapshot *coming = subscriber->snapshots;

	if (about->event.cursor > subscriber->snapshot_to ||
	    !config_channel_latest(worker->config, about->event.channel))
		return;
	/* A channel that was added may have had one, or none; and what is not
	 * the latest any more may have been so then. */
	facts->changed |= !about->stored || subscriber->rewind != NULL;
	facts->begun = about->stored;
	facts->reached = coming == NULL || about->event.cursor <= coming->at;
}

void
facts_find(struct verdict_facts *facts, const struct worker *worker,
    const struct subscriber *subscriber, const struct facts_event *about)
{
	const struct event *event = &about->event;

	*facts = (struct verdict_facts){
	    .known = about->known,
	    .kept = is_kept(worker, subscriber, about),
	    .changed = event->cursor <= subscriber->changed_at,
	};
	/* Half of it is out, and the rest follows whatever else is. */
	if (subscriber->partial == event->cursor) {
		facts->known = facts->covered = facts->begun = true;
		facts->kept = true;
		facts->changed = false;
		return;
	}
	find_subscribed(
	    facts, subscriber, about, facts_position(worker, subscriber));
	if (!about->known)
		return;
	if (facts->covered && !facts->begun)
		find_in_snapshot(facts, worker, subscriber, about);
	facts->withdrawn =
	    subscriber_is_closed(subscriber, event->channel) ||
	    (!facts->covered && is_revoked(worker, subscriber, event));
	if (subscriber->hold.conflates ||
	    stride_channel_ms(worker, event->channel) > 0)
		facts_find_conflated(facts, worker, subscriber->id, event);
	facts->filtered =
	    event->kind != EVENT_RESYNC &&
	    !filter_passes(subscriber->filter, event->type, event->key);
}

/* subscriber: a stream and its subscriptions. See subscriber.h. */
#include "broker/worker/subscriber.h"

#include <stdlib.h>

#include "broker/shared/filter.h"
#include "broker/worker/access/authority.h"
#include "broker/worker/access/grants.h"
#include "broker/worker/access/lifetime.h"
#include "broker/worker/access/limits.h"
#include "broker/worker/access/permit.h"
#include "broker/worker/connection.h"
#include "broker/worker/cursor/cursor.h"
#include "broker/worker/cursor/packed.h"
#include "broker/worker/cursor/place.h"
#include "broker/worker/cursor/rewind.h"
#include "broker/worker/cursor/snapshot.h"
#include "broker/worker/stream/ended.h"
#include "broker/worker/worker_state.h"

enum {
	UNTOLD_MAX = 65536, /* then nothing is changed until it is read */
	SNAPSHOTS_MAX = 16, /* that are still to come; the same */
};

static int
subscribe_all(struct worker *worker, struct subscriber *subscriber,
    const struct subscriber_request *request)
{
	subscriber->members =
	    calloc(request->pattern_count, sizeof(subscriber->members[0]));
	if (subscriber->members == NULL)
		return -1;
	for (size_t i = 0; i < request->pattern_count; i++) {
		if (channels_subscribe(worker->channels, request->patterns[i],
			subscriber, &subscriber->members[i]) == -1)
			return -1;
		subscriber->member_count++;
		worker_count(worker, METRIC_SUBSCRIPTIONS, 1);
	}
	return 0;
}

void
subscriber_settle(struct subscriber *subscriber)
{
	const struct permit *permit = subscriber->permit;

	subscriber->picky = subscriber->filter != NULL ||
			    rewind_under_way(subscriber) || subscriber->alone ||
			    (permit != NULL && permit->closed.count > 0);
}

int
subscriber_close(struct subscriber *subscriber, const struct patterns *revoked)
{
	struct patterns *closed = &subscriber->permit->closed;

	for (size_t i = 0; i < revoked->count; i++) {
		if (subscriber_covers(subscriber, revoked->list[i]) &&
		    patterns_add(closed, revoked->list[i]) == -1)
			return -1;
	}
	subscriber_settle(subscriber);
	return 0;
}

static int
make_permit(struct worker *worker, struct subscriber *subscriber,
    const struct subscriber_request *request)
{
	const struct authority *authority = request->authority;

	if (authority == NULL || authority->user.len == 0)
		return 0;
	subscriber->permit = permit_create(authority);
	if (subscriber->permit == NULL)
		return -1;
	lifetime_start(worker, subscriber, authority->expires_ms);
	return subscriber_close(subscriber, &request->grants->revoked);
}

struct subscriber *
subscriber_create(struct worker *worker, struct connection *connection,
    const struct subscriber_request *request)
{
	struct subscriber *subscriber = calloc(1, sizeof(*subscriber));

	if (subscriber == NULL) {
		filter_destroy(request->filter);
		limits_leave_user(worker, request->user_key);
		return NULL;
	}
	subscriber->connection = connection;
	subscriber->fd = connection->io.fd;
	subscriber->http_minor = (uint8_t)connection->http_minor;
	subscriber->cursor = subscriber->opened = request->cursor;
	subscriber->losses = request->losses;
	subscriber->delivery_first = DELIVERY_NONE;
	subscriber->block = request->block;
	subscriber->filter = request->filter;
	subscriber->shape = request->shape;
	subscriber->user_key = request->user_key;
	subscriber->owes_live = true;
	subscriber->ends = request->ends;
	subscriber->hold.conflates = request->conflate_ms > 0;
	subscriber->hold_ms = request->conflate_ms > request->window_ms
				  ? request->conflate_ms
				  : request->window_ms;
	subscriber->place = SUBSCRIBER_BLOCKED;
	subscriber->slot = ROSTER_NO_SLOT;
	worker_count(worker, METRIC_STREAMS, 1);
	worker_count(worker, METRIC_STREAMS_BEHIND, 1);
	subscriber_settle(subscriber);
	if (roster_add(&worker->roster, worker->heritage->worker, subscriber,
		&subscriber->slot, subscriber->id) == -1 ||
	    subscribe_all(worker, subscriber, request) == -1 ||
	    make_permit(worker, subscriber, request) == -1) {
		subscriber_destroy(worker, subscriber);
		return NULL;
	}
	handed_enter(worker, subscriber);
	cursor_resume(worker, subscriber);
	return subscriber;
}

size_t
subscriber_find(const struct subscriber *subscriber, struct slice pattern)
{
	size_t i = 0;

	while (i < subscriber->member_count &&
	       !slice_equal(channels_pattern(&subscriber->members[i]), pattern))
		i++;
	return i;
}

int
subscriber_add(
    struct worker *worker, struct subscriber *subscriber, struct slice pattern)
{
	size_t count = subscriber->member_count;
	struct channels_member *members = calloc(count + 1, sizeof(members[0]));

	if (members == NULL || channels_subscribe(worker->channels, pattern,
				   subscriber, &members[count]) == -1) {
		free(members);
		return -1;
	}
	for (size_t i = 0; i < count; i++)
		channels_move(&members[i], &subscriber->members[i]);
	free(subscriber->members);
	subscriber->members = members;
	subscriber->member_count++;
	worker_count(worker, METRIC_SUBSCRIPTIONS, 1);
	return 0;
}

void
subscriber_drop(struct worker *worker, struct subscriber *subscriber, size_t i)
{
	struct channels_member *members = subscriber->members;

	rewind_drop(subscriber, (uint32_t)i);
	snapshot_drop(subscriber, channels_pattern(&members[i]));
	channels_unsubscribe(worker->channels, &members[i]);
	if (i != --subscriber->member_count)
		channels_move(&members[i], &members[subscriber->member_count]);
	board_subtract(worker->board, METRIC_SUBSCRIPTIONS, 1);
}

void
subscriber_destroy(struct worker *worker, struct subscriber *subscriber)
{
	if (subscriber == NULL)
		return;
	handed_exit(worker, subscriber);
	ended_note(worker, subscriber);
	lifetime_stop(worker, subscriber);
	place_leave(worker, subscriber);
	while (subscriber->member_count > 0)
		subscriber_drop(
		    worker, subscriber, subscriber->member_count - 1);
	handed_leave(worker, subscriber);
	board_subtract(worker->board, METRIC_STREAMS, 1);
	roster_remove(&worker->roster, subscriber->slot);
	limits_leave_user(worker, subscriber->user_key);
	rewind_finish(subscriber);
	snapshot_finish(subscriber);
	permit_destroy(subscriber->permit);
	filter_destroy(subscriber->filter);
	buf_finish(subscriber->owed);
	free(subscriber->owed);
	free(subscriber->packed);
	free(subscriber->members);
	free(subscriber);
}

void
subscriber_was_written(struct subscriber *subscriber)
{
	subscriber->last_write_s = (uint32_t)worker_steady_s();
}

struct slice
subscriber_user(
    const struct subscriber *subscriber, char text[ADDRESS_TEXT_SIZE])
{
	if (subscriber->permit != NULL)
		return permit_user(subscriber->permit);
	address_format(&subscriber->connection->peer, text);
	return slice_of_text(text);
}

bool
subscriber_covers(const struct subscriber *subscriber, struct slice pattern)
{
	for (size_t i = 0; i < subscriber->member_count; i++) {
		struct slice own = channels_pattern(&subscriber->members[i]);

		if (event_pattern_covers_pattern(own, pattern))
			return true;
	}
	return false;
}

bool
subscriber_is_closed(const struct subscriber *subscriber, struct slice pattern)
{
	const struct permit *permit = subscriber->permit;

	return permit != NULL && patterns_cover(&permit->closed, pattern);
}

bool
subscriber_lets_pass(
    const struct subscriber *subscriber, const struct event *event)
{
	if (subscriber_is_closed(subscriber, event->channel))
		return false;
	return subscriber->filter == NULL || event->kind == EVENT_RESYNC ||
	       filter_passes(subscriber->filter, event->type, event->key);
}

bool
subscriber_takes(const struct subscriber *subscriber, const struct event *event)
{
	if (subscriber->alone)
		return event->cursor == subscriber->partial &&
		       !subscriber_is_closed(subscriber, event->channel);
	if (rewind_under_way(subscriber) && !rewind_wants(subscriber, event))
		return false;
	return subscriber_lets_pass(subscriber, event);
}

bool
subscriber_wants(const struct subscriber *subscriber, const struct event *event)
{
	if (subscriber->alone)
		return subscriber_takes(subscriber, event);
	for (size_t i = 0; i < subscriber->member_count; i++) {
		if (event_pattern_covers(
			channels_pattern(&subscriber->members[i]),
			event->channel))
			return !subscriber->picky ||
			       subscriber_takes(subscriber, event);
	}
	return false;
}

void
subscriber_finish_alone(struct subscriber *subscriber)
{
	subscriber->alone = subscriber->partial != 0 && !subscriber->withdrawn;
	subscriber_settle(subscriber);
}

void
subscriber_finish_granted(struct subscriber *subscriber)
{
	subscriber->withdrawn = subscriber->partial != 0;
	subscriber->alone = false;
	subscriber_settle(subscriber);
}

void
subscriber_settle_half(struct subscriber *subscriber)
{
	if (subscriber->partial != 0)
		return;
	subscriber->withdrawn = false;
	if (subscriber->alone)
		subscriber_finish_alone(subscriber);
}

/* --- what it is told --- */

struct buf *
subscriber_outlet(struct subscriber *subscriber)
{
	struct buf *out = &subscriber->connection->out;

	if (subscriber->partial == 0) {
		subscriber_pay(subscriber); /* what came before it */
		return out;
	}
	if (subscriber->owed == NULL) {
		subscriber->owed = malloc(sizeof(*subscriber->owed));
		if (subscriber->owed == NULL) {
			out->failed = true; /* the connection ends */
			return out;
		}
		buf_init(subscriber->owed, 0);
	}
	return subscriber->owed;
}

void
subscriber_note_said(struct subscriber *subscriber, size_t bytes)
{
	subscriber->untold += bytes < UNTOLD_MAX ? (uint32_t)bytes : UNTOLD_MAX;
}

void
subscriber_note_sent(struct subscriber *subscriber)
{
	subscriber->rest = false;
	if (subscriber->owed == NULL)
		subscriber->untold = 0;
}

bool
subscriber_is_deaf(const struct subscriber *subscriber)
{
	return subscriber->untold >= UNTOLD_MAX ||
	       snapshot_count(subscriber) >= SNAPSHOTS_MAX;
}

void
subscriber_pay(struct subscriber *subscriber)
{
	struct buf *out = &subscriber->connection->out;
	struct buf *owed = subscriber->owed;

	if (owed == NULL || subscriber->partial != 0)
		return;
	buf_append(out, buf_bytes(owed), buf_length(owed));
	out->failed |= buf_failed(owed);
	buf_finish(owed);
	free(owed);
	subscriber->owed = NULL;
}

/* subscriber: a stream and its subscriptions. See subscriber.h. */
#include "broker/worker/subscriber.h"

#include <stdlib.h>
#include <sys/random.h>

#include "broker/worker/cursor.h"
#include "broker/worker/place.h"
#include "broker/worker/worker_state.h"

/* 128 random bits as base64url (RFC 4648, section 5): not to be guessed. */
static int
make_id(char id[SUBSCRIBER_ID_TEXT])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t random[SUBSCRIBER_ID_TEXT - 1];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -1;
	for (size_t i = 0; i < sizeof(random); i++)
		id[i] = digits[random[i] & 63];
	id[sizeof(random)] = '\0';
	return 0;
}

static int
subscribe_all(struct worker *worker, struct subscriber *subscriber,
    const struct subscriber_request *request)
{
	for (size_t i = 0; i < request->pattern_count; i++) {
		if (channels_subscribe(worker->channels, request->patterns[i],
			subscriber, &subscriber->members[i]) == -1)
			return -1;
		subscriber->member_count++;
		worker_count(worker, METRIC_SUBSCRIPTIONS, 1);
	}
	return 0;
}

struct subscriber *
subscriber_create(struct worker *worker, struct connection *connection,
    const struct subscriber_request *request)
{
	struct subscriber *subscriber =
	    calloc(1, sizeof(*subscriber) + request->pattern_count *
						sizeof(subscriber->members[0]));

	if (subscriber == NULL)
		return NULL;
	subscriber->connection = connection;
	subscriber->cursor = request->cursor;
	subscriber->losses = request->losses;
	subscriber->delivery_first = DELIVERY_NONE;
	subscriber->block = request->block;
	subscriber->shape = request->shape;
	subscriber->owes_live = true;
	subscriber->ends = request->ends;
	subscriber->place = SUBSCRIBER_BLOCKED;
	worker_count(worker, METRIC_STREAMS, 1);
	worker_count(worker, METRIC_STREAMS_BEHIND, 1);
	if (make_id(subscriber->id) == -1 ||
	    subscribe_all(worker, subscriber, request) == -1) {
		subscriber_destroy(worker, subscriber);
		return NULL;
	}
	cursor_resume(worker, subscriber);
	return subscriber;
}

void
subscriber_destroy(struct worker *worker, struct subscriber *subscriber)
{
	if (subscriber == NULL)
		return;
	place_leave(worker, subscriber);
	for (size_t i = 0; i < subscriber->member_count; i++)
		channels_unsubscribe(worker->channels, &subscriber->members[i]);
	board_subtract(
	    worker->board, METRIC_SUBSCRIPTIONS, subscriber->member_count);
	board_subtract(worker->board, METRIC_STREAMS, 1);
	free(subscriber);
}

void
subscriber_patterns(const struct subscriber *subscriber, struct slice *patterns)
{
	for (size_t i = 0; i < subscriber->member_count; i++)
		patterns[i] = channels_pattern(&subscriber->members[i]);
}

bool
subscriber_wants(const struct subscriber *subscriber, struct slice channel)
{
	for (size_t i = 0; i < subscriber->member_count; i++) {
		if (event_pattern_covers(
			channels_pattern(&subscriber->members[i]), channel))
			return true;
	}
	return false;
}

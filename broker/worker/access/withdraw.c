/* withdraw: access is taken away. See withdraw.h. */
#include "broker/worker/access/withdraw.h"

#include "broker/worker/access/authority.h"
#include "broker/worker/access/grants.h"
#include "broker/worker/access/lifetime.h"
#include "broker/worker/access/permit.h"
#include "broker/worker/connection.h"
#include "broker/worker/control.h"
#include "broker/worker/cursor/cursor.h"
#include "broker/worker/facts.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

void
withdraw_end(
    struct worker *worker, struct subscriber *subscriber, const char *reason)
{
	struct connection *connection = subscriber->connection;

	subscriber->reason = reason;
	if (subscriber->partial == 0 && !subscriber->ended)
		control_bye(worker, connection, reason);
	connection_end_stream(connection);
}

/* Takes away the channels that the pattern covers, and closes what it covers of
 * others. The list gets their names. -1: no memory, or too much is closed. */
static int
take_away(struct worker *worker, struct subscriber *subscriber,
    struct slice pattern, struct buf *list)
{
	const struct patterns revoked = {.list = &pattern, .count = 1};

	/* Not even the rest of a half-written event. */
	subscriber_finish_granted(subscriber);
	for (size_t i = subscriber->member_count; i-- > 0;) {
		struct slice own = channels_pattern(&subscriber->members[i]);

		if (!event_pattern_covers_pattern(pattern, own))
			continue;
		control_list_add(list, own);
		facts_note_change(worker, subscriber);
		subscriber_drop(worker, subscriber, i);
	}
	if (!subscriber_covers(subscriber, pattern))
		return 0;
	control_list_add(list, pattern);
	facts_note_change(worker, subscriber);
	return subscriber_close(subscriber, &revoked);
}

/* Ends a stream that has the rest of a pack or an event before it: not even
 * that is sent, for it may be of what was taken away, or had been left. Or one
 * that cannot be told. */
static void
lose(struct worker *worker, struct subscriber *subscriber,
    const struct buf *list, const char *reason)
{
	if (buf_length(list) > 0)
		worker_count(worker, METRIC_STREAMS_REVOKED, 1);
	worker_count(worker, METRIC_STREAMS_LOST, 1);
	subscriber->reason = reason;
	connection_destroy(subscriber->connection);
}

/* Says what was taken away, if anything was. False: no channel was left, and
 * the stream has ended. */
static bool
tell(struct worker *worker, struct subscriber *subscriber, struct buf *list,
    const char *reason)
{
	if (buf_length(list) == 0)
		return true;
	worker_count(worker, METRIC_STREAMS_REVOKED, 1);
	control_revoked(subscriber, list, reason);
	if (subscriber->member_count > 0)
		return cursor_say(worker, subscriber);
	withdraw_end(worker, subscriber, reason);
	return false;
}

static void
withdraw_from(
    struct worker *worker, struct subscriber *subscriber, struct slice pattern)
{
	const char *reason = slice_is(pattern, "*") ? "kicked" : "revoked";
	struct buf list;
	int taken;

	/* Of one that has caught up all but its "bye" is sent. */
	if (subscriber->ended && !subscriber->rest)
		return;
	buf_init(&list, 0);
	handed_exit(worker, subscriber);
	taken = take_away(worker, subscriber, pattern, &list);
	if (taken == 0)
		handed_enter(worker, subscriber);
	if (subscriber->rest || subscriber_is_deaf(subscriber))
		lose(worker, subscriber, &list, reason);
	else if (taken == -1)
		withdraw_end(worker, subscriber, reason);
	else
		tell(worker, subscriber, &list, reason);
	buf_finish(&list);
}

void
withdraw_revoked(struct worker *worker, struct slice user, struct slice pattern,
    uint64_t at_ms)
{
	struct connection *next;

	for (struct connection *connection = worker->connections;
	     connection != NULL; connection = next) {
		struct subscriber *subscriber = connection->subscriber;

		next = connection->next;
		if (subscriber != NULL &&
		    permit_concerns(subscriber->permit, user, at_ms))
			withdraw_from(worker, subscriber, pattern);
	}
}

/* Drops what the grants do not allow; the list gets their names. */
static void
take_ungranted(struct worker *worker, struct subscriber *subscriber,
    const struct grants *grants, struct buf *list)
{
	for (size_t i = subscriber->member_count; i-- > 0;) {
		struct slice own = channels_pattern(&subscriber->members[i]);

		if (grants_allow(grants, own))
			continue;
		control_list_add(list, own);
		facts_note_change(worker, subscriber);
		subscriber_drop(worker, subscriber, i);
	}
}

bool
withdraw_renew(struct worker *worker, struct subscriber *subscriber,
    const struct authority *authority, const struct grants *grants)
{
	struct permit *permit = subscriber->permit;
	struct buf list;
	bool alive;

	buf_init(&list, 0);
	take_ungranted(worker, subscriber, grants, &list);
	/* What was revoked for the old token need not be for the new one. */
	if (permit->closed.count > 0 || grants->revoked.count > 0)
		facts_note_change(worker, subscriber);
	patterns_finish(&permit->closed);
	permit->issued_ms = authority->issued_ms;
	if (subscriber_close(subscriber, &grants->revoked) == -1) {
		withdraw_end(worker, subscriber, "token");
		alive = false;
	} else {
		lifetime_start(worker, subscriber, authority->expires_ms);
		alive = tell(worker, subscriber, &list, "token");
	}
	buf_finish(&list);
	return alive;
}

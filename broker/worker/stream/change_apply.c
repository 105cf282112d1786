/* change_apply: live streams are changed. See change_apply.h. */
#include "broker/worker/stream/change_apply.h"

#include <jansson.h>

#include "broker/shared/config.h"
#include "broker/shared/report.h"
#include "broker/worker/access/authority.h"
#include "broker/worker/access/grants.h"
#include "broker/worker/access/permit.h"
#include "broker/worker/access/revoked_apply.h"
#include "broker/worker/access/withdraw.h"
#include "broker/worker/control.h"
#include "broker/worker/cursor/cursor.h"
#include "broker/worker/cursor/rewind.h"
#include "broker/worker/cursor/stream_start.h"
#include "broker/worker/facts.h"
#include "broker/worker/stream/change_check.h"
#include "broker/worker/stream/stream_filter.h"
#include "broker/worker/stream/streams.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

void
outcome_refuse(struct outcome *outcome, enum problem problem)
{
	outcome->kind = OUTCOME_PROBLEM;
	outcome->number = (int)problem;
}

/* --- doing --- */

static void
leave(struct changing *changing)
{
	struct subscriber *subscriber = changing->subscriber;
	size_t i, at;
	json_t *item;

	json_array_foreach(changing->unsubscribe, i, item)
	{
		at = subscriber_find(subscriber, change_text(item));
		if (at == subscriber->member_count)
			continue;
		control_list_add(&changing->removed, change_text(item));
		facts_note_change(changing->worker, subscriber);
		subscriber_drop(changing->worker, subscriber, at);
	}
}

/* 0, or -1: no memory. */
static int
join(struct changing *changing)
{
	struct worker *worker = changing->worker;
	struct subscriber *subscriber = changing->subscriber;
	uint32_t first = subscriber->member_count;
	size_t i;
	json_t *item;

	json_array_foreach(changing->subscribe, i, item)
	{
		struct slice pattern = change_text(item);

		if (!grants_allow(&changing->grants, pattern) ||
		    subscriber_find(subscriber, pattern) <
			subscriber->member_count)
			continue;
		if (subscriber_add(worker, subscriber, pattern) == -1)
			return -1;
	}
	if (subscriber->permit != NULL &&
	    subscriber_close(subscriber, &changing->grants.revoked) == -1)
		return -1;
	if (changing->start.bad_cursor)
		control_resync(subscriber, &changing->added, "cursor");
	return rewind_add(worker, subscriber, first, &changing->start);
}

/* Says what was done. False: the stream has ended. */
static bool
tell(struct changing *changing)
{
	struct subscriber *subscriber = changing->subscriber;

	if (buf_length(&changing->added) + buf_length(&changing->refused) +
		buf_length(&changing->removed) ==
	    0)
		return true;
	control_subscribed(subscriber, &changing->added, &changing->refused,
	    &changing->removed);
	if (!cursor_say(changing->worker, subscriber))
		return false;
	cursor_rewound(changing->worker, subscriber);
	return true;
}

/* --- the answer --- */

static void
append_list(struct buf *json, const char *name, const struct buf *list)
{
	buf_printf(json, "\"%s\":[", name);
	buf_append(json, buf_bytes(list), buf_length(list));
	buf_append_text(json, "],");
	json->failed |= buf_failed(list);
}

static void
report(struct outcome *outcome, const struct changing *changing)
{
	const struct subscriber *subscriber = changing->subscriber;
	const struct permit *permit = subscriber->permit;
	struct buf *json = &outcome->body;
	struct buf channels;

	buf_init(&channels, 0);
	for (size_t i = 0; i < subscriber->member_count; i++)
		control_list_add(
		    &channels, channels_pattern(&subscriber->members[i]));
	buf_printf(json, "{\"stream\":\"%s\",", subscriber->id);
	append_list(json, "channels", &channels);
	append_list(json, "subscribed", &changing->added);
	append_list(json, "refused", &changing->refused);
	append_list(json, "unsubscribed", &changing->removed);
	if (permit != NULL && permit->expires_ms != UINT64_MAX)
		report_append_time(json, "expires", permit->expires_ms);
	else
		buf_append_text(json, "\"expires\":null");
	buf_append_text(json, "}\n");
	buf_finish(&channels);
}

/* --- all of it --- */

/* The stream goes by the new token. False: refused. */
static bool
renew(struct changing *changing, const struct authority *authority,
    struct outcome *outcome)
{
	if (withdraw_renew(changing->worker, changing->subscriber, authority,
		&changing->grants))
		return true;
	outcome_refuse(outcome, PROBLEM_CHANNELS_REFUSED);
	return false;
}

static void
do_change(struct changing *changing, const struct authority *authority,
    struct outcome *outcome)
{
	struct worker *worker = changing->worker;
	struct subscriber *subscriber = changing->subscriber;

	if (!change_check(changing, outcome))
		return;
	handed_exit(worker, subscriber);
	subscriber_finish_alone(subscriber);
	if (stream_filter_renew(worker, subscriber, authority->token,
		&changing->types, &changing->keys) == -1) {
		handed_enter(worker, subscriber);
		outcome_refuse(outcome, PROBLEM_NO_MEMORY);
		return;
	}
	if (subscriber->permit != NULL && !renew(changing, authority, outcome))
		return;
	leave(changing);
	if (changing->add_count > 0 && join(changing) == -1) {
		withdraw_end(worker, subscriber, "no-memory");
		outcome_refuse(outcome, PROBLEM_NO_MEMORY);
		return;
	}
	handed_enter(worker, subscriber);
	if (tell(changing))
		report(outcome, changing);
	else
		outcome_refuse(outcome, PROBLEM_STREAM_UNKNOWN);
}

static void
change_as(struct worker *worker, struct subscriber *subscriber,
    const struct authority *authority, const json_t *body,
    const struct stream_start *start, struct outcome *outcome)
{
	struct changing changing = {
	    .worker = worker,
	    .subscriber = subscriber,
	    .body = body,
	    .subscribe = json_object_get(body, "subscribe"),
	    .unsubscribe = json_object_get(body, "unsubscribe"),
	    .start = *start,
	};

	buf_init(&changing.added, 0);
	buf_init(&changing.refused, 0);
	buf_init(&changing.removed, 0);
	if (grants_collect(
		&changing.grants, worker, subscriber->block, authority) == -1)
		outcome_refuse(outcome, PROBLEM_NO_MEMORY);
	else
		do_change(&changing, authority, outcome);
	grants_finish(&changing.grants);
	buf_finish(&changing.added);
	buf_finish(&changing.refused);
	buf_finish(&changing.removed);
}

/* The stream of the id in the path; NULL: none. *start gets where what is added
 * begins: finding that hands out events, and a stream may end by it. */
static struct subscriber *
find_stream(struct worker *worker, struct slice path, const json_t *body,
    struct stream_start *start)
{
	const struct config_stream *block;
	struct subscriber *found;
	struct slice id;

	block = streams_find_open(worker, path, &id);
	if (block == NULL)
		return NULL;
	revoked_apply(worker);
	stream_start_find(
	    start, worker, block, change_text(json_object_get(body, "since")));
	found = roster_find(&worker->roster, id);
	if (found == NULL || found->block != block || found->ended ||
	    !slice_is(id, found->id))
		return NULL;
	return found;
}

/* Finds whose request it is. A stream that takes no tokens is changed by
 * whoever knows its id. False: refused. */
static bool
find_user(struct worker *worker, const struct subscriber *subscriber,
    struct slice token, struct authority *authority, struct outcome *outcome)
{
	enum auth_verdict verdict = AUTH_VERDICT_GOOD;

	*authority = (struct authority){.token = NULL};
	if (subscriber->block->access != CONFIG_ACCESS_PUBLIC &&
	    (token.len > 0 ||
		worker->config->auth_mode == CONFIG_AUTH_MODE_NONE))
		verdict = authority_read(worker, token, authority);
	if (verdict != AUTH_VERDICT_GOOD) {
		outcome->kind = OUTCOME_BAD_TOKEN;
		outcome->number = (int)verdict;
		return false;
	}
	if (slice_equal(permit_user(subscriber->permit), authority->user))
		return true;
	outcome_refuse(outcome, PROBLEM_STREAM_FOREIGN);
	authority_finish(authority);
	return false;
}

void
change_apply(
    struct worker *worker, const struct change *change, struct outcome *outcome)
{
	json_t *body = json_loadb(
	    change->body.bytes, change->body.len, JSON_REJECT_DUPLICATES, NULL);
	struct stream_start start;
	struct subscriber *subscriber =
	    find_stream(worker, change->path, body, &start);
	struct authority authority;

	if (subscriber == NULL) {
		outcome_refuse(outcome, PROBLEM_STREAM_UNKNOWN);
	} else if (find_user(worker, subscriber, change->token, &authority,
		       outcome)) {
		change_as(
		    worker, subscriber, &authority, body, &start, outcome);
		authority_finish(&authority);
	}
	json_decref(body);
}

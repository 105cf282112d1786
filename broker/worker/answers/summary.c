/* summary: streams by user and channel. See summary.h. */
#include "broker/worker/answers/summary.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "broker/worker/access/permit.h"
#include "broker/worker/connection.h"
#include "broker/worker/cursor/channels.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"
#include "protocol/buf.h"
#include "protocol/cursor_id.h"
#include "protocol/json.h"

void
summary_finish(struct summary *summary)
{
	ranking_finish(&summary->users);
	ranking_finish(&summary->channels);
	for (size_t i = 0; i < summary->slow_count; i++)
		free(summary->slowest[i].text);
	summary->slow_count = 0;
}

/* Puts one into its place among the slowest; takes over the text. */
static void
add_slow(struct summary *summary, uint64_t behind_ms, char *text)
{
	struct summary_slow *slowest = summary->slowest;
	size_t at = summary->slow_count;

	while (at > 0 && slowest[at - 1].behind_ms < behind_ms)
		at--;
	if (at == SUMMARY_SLOWEST) {
		free(text);
		return;
	}
	if (summary->slow_count == SUMMARY_SLOWEST)
		free(slowest[--summary->slow_count].text);
	memmove(&slowest[at + 1], &slowest[at],
	    (summary->slow_count - at) * sizeof(slowest[0]));
	slowest[at] = (struct summary_slow){behind_ms, text};
	summary->slow_count++;
}

/* --- what this worker knows --- */

static uint64_t
behind_ms(const struct worker *worker, const struct subscriber *subscriber)
{
	uint64_t head = worker->window.head;

	if (subscriber->place == SUBSCRIBER_AT_HEAD ||
	    subscriber->place == SUBSCRIBER_HELD || subscriber->cursor >= head)
		return 0;
	return cursor_id_ms(head) - cursor_id_ms(subscriber->cursor);
}

static int
collect_slow(struct summary *summary, const struct worker *worker,
    const struct subscriber *subscriber, struct slice user)
{
	uint64_t behind = behind_ms(worker, subscriber);
	struct buf text;

	if (subscriber->place == SUBSCRIBER_AT_HEAD ||
	    subscriber->place == SUBSCRIBER_HELD ||
	    subscriber->cursor >= worker->window.head ||
	    (summary->slow_count == SUMMARY_SLOWEST &&
		summary->slowest[SUMMARY_SLOWEST - 1].behind_ms >= behind))
		return 0;
	buf_init(&text, 0);
	buf_append_text(&text, "{\"user\":");
	json_append_string(&text, user.bytes, user.len);
	buf_printf(&text,
	    ",\"worker\":%zu,\"behindMs\":%" PRIu64 ",\"channels\":%u}",
	    worker->heritage->worker + 1, behind, subscriber->member_count);
	buf_append_char(&text, '\0');
	if (buf_failed(&text)) {
		buf_finish(&text);
		return -1;
	}
	add_slow(summary, behind, text.data);
	return 0;
}

struct collecting {
	struct summary *summary;
	int result;
};

static void
collect_channel(struct slice pattern, size_t count, void *context)
{
	struct collecting *collecting = context;

	if (collecting->result == 0)
		collecting->result =
		    ranking_add(&collecting->summary->channels, pattern, count);
}

int
summary_collect(struct summary *summary, struct worker *worker)
{
	struct collecting collecting = {.summary = summary};

	for (const struct connection *connection = worker->connections;
	     connection != NULL; connection = connection->next) {
		const struct subscriber *subscriber = connection->subscriber;
		char text[ADDRESS_TEXT_SIZE];
		struct slice user;

		if (subscriber == NULL)
			continue;
		user = subscriber_user(subscriber, text);
		if (ranking_add(&summary->users, user, 1) == -1 ||
		    collect_slow(summary, worker, subscriber, user) == -1)
			return -1;
	}
	channels_each(worker->channels, collect_channel, &collecting);
	return collecting.result;
}

/* --- from and to JSON --- */

static int
merge_names(struct ranking *ranking, const json_t *list)
{
	size_t i;
	json_t *row;

	json_array_foreach(list, i, row)
	{
		const char *name;
		size_t len;
		json_int_t count;

		if (json_unpack(row, "[s%I]", &name, &len, &count) != 0 ||
		    count < 0 ||
		    ranking_add(
			ranking, slice_of(name, len), (uint64_t)count) == -1)
			return -1;
	}
	return 0;
}

static int
merge_slowest(struct summary *summary, const json_t *list)
{
	size_t i;
	json_t *row;

	json_array_foreach(list, i, row)
	{
		json_int_t behind;
		char *text;

		if (json_unpack(row, "{sI}", "behindMs", &behind) != 0 ||
		    behind < 0)
			return -1;
		text = json_dumps(row, JSON_COMPACT);
		if (text == NULL)
			return -1;
		add_slow(summary, (uint64_t)behind, text);
	}
	return 0;
}

int
summary_merge(struct summary *summary, struct slice json)
{
	json_t *root = json_loadb(json.bytes, json.len, 0, NULL);
	int result = -1;

	if (root != NULL &&
	    merge_names(&summary->users, json_object_get(root, "users")) == 0 &&
	    merge_names(
		&summary->channels, json_object_get(root, "channels")) == 0 &&
	    merge_slowest(summary, json_object_get(root, "slowest")) == 0)
		result = 0;
	json_decref(root);
	return result;
}

/* A list that is being written. */
struct writing {
	struct buf *json;
	const char *name_key; /* NULL: rows are pairs */
	const char *count_key;
	size_t written;
};

static void
write_name(struct slice name, uint64_t count, void *context)
{
	struct writing *writing = context;
	struct buf *json = writing->json;

	if (writing->written++ > 0)
		buf_append_char(json, ',');
	if (writing->name_key == NULL)
		buf_append_char(json, '[');
	else
		buf_printf(json, "{\"%s\":", writing->name_key);
	json_append_string(json, name.bytes, name.len);
	if (writing->name_key == NULL)
		buf_printf(json, ",%" PRIu64 "]", count);
	else
		buf_printf(
		    json, ",\"%s\":%" PRIu64 "}", writing->count_key, count);
}

static void
write_slowest(const struct summary *summary, struct buf *json)
{
	buf_append_text(json, "\"slowest\":[");
	for (size_t i = 0; i < summary->slow_count; i++) {
		if (i > 0)
			buf_append_char(json, ',');
		buf_append_text(json, summary->slowest[i].text);
	}
	buf_append_char(json, ']');
}

void
summary_write(struct summary *summary, struct buf *json)
{
	struct writing users = {.json = json}, channels = {.json = json};

	buf_append_text(json, "{\"users\":[");
	ranking_top(&summary->users, SUMMARY_NAMES, write_name, &users);
	buf_append_text(json, "],\"channels\":[");
	ranking_top(&summary->channels, SUMMARY_NAMES, write_name, &channels);
	buf_append_text(json, "],");
	write_slowest(summary, json);
	buf_append_char(json, '}');
}

void
summary_show(struct summary *summary, struct buf *json)
{
	struct writing users = {json, "user", "streams", 0};
	struct writing channels = {json, "channel", "subscriptions", 0};

	buf_printf(json, "\"users\":%zu,\"channels\":%zu,\"topUsers\":[",
	    ranking_size(&summary->users), ranking_size(&summary->channels));
	ranking_top(&summary->users, SUMMARY_TOP, write_name, &users);
	buf_append_text(json, "],\"topChannels\":[");
	ranking_top(&summary->channels, SUMMARY_TOP, write_name, &channels);
	buf_append_text(json, "],");
	write_slowest(summary, json);
}

/* stream: opening a stream. See stream.h. */
#include "broker/worker/stream.h"

#include <stdio.h>
#include <stdlib.h>

#include "broker/worker/connection.h"
#include "broker/worker/control.h"
#include "broker/worker/follow.h"
#include "broker/worker/http.h"
#include "broker/worker/reply.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"
#include "protocol/cursor_id.h"

/* What the query said; texts are in `text`, decoded. */
struct asked {
	char *text;
	size_t used;
	struct slice channels;
	struct slice since;
	struct slice last_event_id;
	struct slice format;
	struct slice live;
};

/* What could be made of it. */
struct opening {
	struct connection *connection;
	struct worker *worker;
	struct asked asked;
	struct slice *patterns;
	size_t pattern_count;
	enum sse_format format;
	bool ends;
	bool bad_cursor; /* garbage, or not of this log */
	uint64_t cursor;
};

static void
refuse(struct opening *opening, enum problem problem, const char *detail)
{
	reply_problem(opening->connection, problem, detail);
}

static struct slice *
asked_member(struct asked *asked, struct slice name)
{
	const struct {
		const char *name;
		struct slice *value;
	} members[] = {
	    {"channels", &asked->channels},
	    {"since", &asked->since},
	    {"lastEventId", &asked->last_event_id},
	    {"format", &asked->format},
	    {"live", &asked->live},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (slice_is(name, members[i].name))
			return members[i].value;
	}
	return NULL;
}

/* Decodes the query. False: it was refused. */
static bool
read_query(struct opening *opening, struct slice query)
{
	struct asked *asked = &opening->asked;
	int result;

	for (;;) {
		char *name = asked->text + asked->used;
		char *value = name + query.len;
		size_t name_len, value_len;
		struct slice *member;

		result =
		    http_query_next(&query, name, &name_len, value, &value_len);
		if (result != 1)
			break;
		member = asked_member(asked, slice_of(name, name_len));
		if (member == NULL)
			continue;
		if (member->bytes != NULL) {
			refuse(opening, PROBLEM_QUERY_DUPLICATE,
			    "a parameter of the query is given twice");
			return false;
		}
		memmove(name, value, value_len);
		*member = slice_of(name, value_len);
		asked->used += value_len;
	}
	if (result == -1)
		refuse(opening, PROBLEM_QUERY_INVALID,
		    "the query has a broken percent escape");
	return result == 0;
}

static bool
add_pattern(struct opening *opening, struct slice pattern)
{
	uint64_t max = opening->worker->config->http_max_channels;
	char detail[96];

	if (!event_pattern_valid(pattern)) {
		snprintf(detail, sizeof(detail),
		    "entry %zu of channels is neither a channel, nor a prefix "
		    "that ends in :*, nor *",
		    opening->pattern_count + 1);
		refuse(opening, PROBLEM_CHANNEL_INVALID, detail);
		return false;
	}
	for (size_t i = 0; i < opening->pattern_count; i++) {
		if (slice_equal(opening->patterns[i], pattern))
			return true;
	}
	if (opening->pattern_count == max) {
		refuse(opening, PROBLEM_CHANNELS_TOO_MANY,
		    "more channels than http.max_channels allows");
		return false;
	}
	opening->patterns[opening->pattern_count++] = pattern;
	return true;
}

/* Splits the list of channels. False: it was refused. */
static bool
read_channels(struct opening *opening)
{
	struct slice rest = opening->asked.channels;

	if (rest.len == 0) {
		refuse(opening, PROBLEM_CHANNELS_MISSING,
		    "say which: ?channels=a,b:* (or * for all)");
		return false;
	}
	for (;;) {
		const char *comma = memchr(rest.bytes, ',', rest.len);
		size_t len =
		    comma != NULL ? (size_t)(comma - rest.bytes) : rest.len;

		if (!add_pattern(opening, slice_of(rest.bytes, len)))
			return false;
		if (comma == NULL)
			return true;
		rest = slice_of(comma + 1, rest.len - len - 1);
	}
}

static bool
read_choices(struct opening *opening)
{
	const struct asked *asked = &opening->asked;

	if (asked->format.bytes == NULL || slice_is(asked->format, "tagged")) {
		opening->format = SSE_TAGGED;
	} else if (slice_is(asked->format, "raw")) {
		opening->format = SSE_RAW;
	} else {
		refuse(
		    opening, PROBLEM_FORMAT_INVALID, "format is tagged or raw");
		return false;
	}
	if (asked->live.bytes != NULL && !slice_is(asked->live, "true") &&
	    !slice_is(asked->live, "false")) {
		refuse(opening, PROBLEM_LIVE_INVALID, "live is true or false");
		return false;
	}
	opening->ends = slice_is(asked->live, "false");
	return true;
}

/* Can a place behind the newest event be meant? A time may be: nothing has
 * happened since. A cursor was never given here, nor may the time to come. */
static bool
can_follow_head(struct slice text, uint64_t cursor, uint64_t now_ms)
{
	uint64_t exact;

	return cursor == UINT64_MAX ||
	       (cursor_id_parse(text.bytes, text.len, &exact) == -1 &&
		   cursor_id_ms(cursor) <= now_ms);
}

/*
 * Where the stream starts. What makes no sense is not refused, for an
 * EventSource would never come back: it is told to load everything anew.
 */
static void
read_cursor(struct opening *opening, const struct http_request *request)
{
	struct worker *worker = opening->worker;
	struct slice text = http_header(request, "Last-Event-ID", NULL);
	uint64_t now_ms = worker_now_ms(worker);
	uint64_t cursor = UINT64_MAX;

	if (text.len == 0)
		text = opening->asked.last_event_id;
	if (text.len == 0)
		text = opening->asked.since;
	if (text.len > 0 &&
	    cursor_id_parse_since(text.bytes, text.len, now_ms, &cursor) == -1)
		opening->bad_cursor = true;
	/* Whoever knows a cursor got it after the ring had it. */
	while (follow_ring(worker))
		;
	opening->cursor = worker->window.head;
	if (cursor <= opening->cursor)
		opening->cursor = cursor;
	else if (!can_follow_head(text, cursor, now_ms))
		opening->bad_cursor = true;
}

/* Tells a client whose cursor means nothing that all its channels may have
 * lost events. */
static void
say_bad_cursor(struct subscriber *subscriber)
{
	struct buf list;

	buf_init(&list, 0);
	for (size_t i = 0; i < subscriber->member_count; i++)
		control_list_add(
		    &list, channels_pattern(&subscriber->members[i]));
	control_resync(subscriber, &list, "cursor");
	buf_finish(&list);
}

static void
start(struct opening *opening)
{
	struct connection *connection = opening->connection;
	const struct subscriber_request request = {
	    .patterns = opening->patterns,
	    .pattern_count = opening->pattern_count,
	    .cursor = opening->cursor,
	    .format = opening->format,
	    .ends = opening->ends,
	};

	connection->subscriber =
	    subscriber_create(opening->worker, connection, &request);
	if (connection->subscriber == NULL) {
		reply_problem(connection, PROBLEM_NO_MEMORY, NULL);
		return;
	}
	reply_stream_head(connection);
	control_connected(opening->worker, connection->subscriber);
	if (opening->bad_cursor)
		say_bad_cursor(connection->subscriber);
}

static void
open_asked(struct opening *opening, const struct http_request *request)
{
	if (!read_query(opening, request->query) || !read_choices(opening) ||
	    !read_channels(opening))
		return;
	read_cursor(opening, request);
	start(opening);
}

void
stream_open(struct connection *connection, const struct http_request *request)
{
	struct worker *worker = connection->worker;
	struct opening opening = {.connection = connection, .worker = worker};

	if (worker->draining) {
		reply_later(connection, request, PROBLEM_DRAIN);
		return;
	}
	if (worker->connection_count > worker->connection_max) {
		reply_later(connection, request, PROBLEM_OVERLOAD);
		return;
	}
	if (slice_is(request->method, "HEAD")) {
		connection->keep_alive = false;
		reply_stream_head(connection);
		return;
	}
	/* Values never take more than the query; one pair needs twice that. */
	opening.asked.text = malloc(3 * request->query.len + 1);
	opening.patterns = calloc(
	    worker->config->http_max_channels, sizeof(opening.patterns[0]));
	if (opening.asked.text == NULL || opening.patterns == NULL)
		reply_problem(connection, PROBLEM_NO_MEMORY, NULL);
	else
		open_asked(&opening, request);
	free(opening.asked.text);
	free(opening.patterns);
}

/* stream: opening a stream. See stream.h. */
#include "broker/worker/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/shared/filter.h"
#include "broker/worker/authority.h"
#include "broker/worker/connection.h"
#include "broker/worker/control.h"
#include "broker/worker/grants.h"
#include "broker/worker/http.h"
#include "broker/worker/limits.h"
#include "broker/worker/reply.h"
#include "broker/worker/stream_query.h"
#include "broker/worker/stream_start.h"
#include "broker/worker/stream_types.h"
#include "broker/worker/streams.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

/* A list of patterns that are valid, none twice. */
struct chosen {
	struct slice *patterns;
	size_t count;
};

/* What could be made of a request. */
struct opening {
	struct connection *connection;
	struct worker *worker;
	const struct config_stream *block;
	struct authority authority;
	const struct authority *asker; /* NULL: nobody */
	struct stream_query query;
	struct grants grants;
	struct chosen channels;
	struct chosen refused;
	struct filter *filter;
	unsigned shape;
	bool ends;
	struct stream_start start;
};

static void
refuse(struct opening *opening, enum problem problem, const char *detail)
{
	reply_problem(opening->connection, problem, detail);
}

/* --- channels --- */

/* Adds a pattern, unless it is there. False: there are too many. */
static bool
choose(struct opening *opening, struct chosen *chosen, struct slice pattern)
{
	for (size_t i = 0; i < chosen->count; i++) {
		if (slice_equal(chosen->patterns[i], pattern))
			return true;
	}
	if (chosen->count == opening->worker->config->http_max_channels) {
		refuse(opening, PROBLEM_CHANNELS_TOO_MANY,
		    "more channels than http.max_channels allows");
		return false;
	}
	chosen->patterns[chosen->count++] = pattern;
	return true;
}

/* Adds a pattern to the stream's channels, or to those it was refused. */
static bool
ask_for(struct opening *opening, struct slice pattern)
{
	return choose(opening,
	    grants_allow(&opening->grants, pattern) ? &opening->channels
						    : &opening->refused,
	    pattern);
}

static bool
ask_for_list(struct opening *opening, const struct patterns *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!ask_for(opening, list->list[i]))
			return false;
	}
	return true;
}

static bool
ask_for_query(struct opening *opening)
{
	struct slice list = opening->query.channels, pattern;
	char detail[96];

	for (size_t i = 1; stream_query_next_item(&list, &pattern); i++) {
		if (!event_pattern_valid(pattern)) {
			snprintf(detail, sizeof(detail),
			    "entry %zu of channels is neither a channel, nor a "
			    "prefix that ends in :*, nor *",
			    i);
			refuse(opening, PROBLEM_CHANNEL_INVALID, detail);
			return false;
		}
		if (!ask_for(opening, pattern))
			return false;
	}
	return true;
}

/* Settles what the stream is subscribed to. False: it was refused. */
static bool
read_channels(struct opening *opening)
{
	const struct config_stream *block = opening->block;

	if (grants_collect(&opening->grants, opening->worker, block,
		opening->asker) == -1) {
		refuse(opening, PROBLEM_NO_MEMORY, NULL);
		return false;
	}
	if (!ask_for_list(opening, &opening->grants.fixed))
		return false;
	if (opening->query.channels.len > 0) {
		if (!ask_for_query(opening))
			return false;
	} else if (!ask_for_list(opening, &opening->grants.preset)) {
		return false;
	}
	if (opening->channels.count > 0)
		return true;
	if (opening->refused.count == 0 && block->query_channels[0] != '\0')
		refuse(opening, PROBLEM_CHANNELS_MISSING,
		    "say which: ?channels=a,b:* (or * for all)");
	else
		refuse(opening, PROBLEM_CHANNELS_REFUSED, NULL);
	return false;
}

/* --- types, format and live --- */

static bool
read_types(struct opening *opening)
{
	const struct auth_token *token =
	    opening->asker != NULL ? opening->asker->token : NULL;

	if (stream_types_make(&opening->filter, opening->block, token,
		opening->query.types) == 0)
		return true;
	refuse(opening,
	    errno == EINVAL ? PROBLEM_TYPES_INVALID : PROBLEM_NO_MEMORY, NULL);
	return false;
}

static bool
read_format(struct opening *opening)
{
	static const char *const words[SSE_FORMAT_COUNT] = {
	    [SSE_TAGGED] = "tagged",
	    [SSE_RAW] = "raw",
	    [SSE_ENVELOPE] = "envelope",
	};
	const struct config_stream *block = opening->block;

	opening->shape = block->shapes[block->format];
	if (opening->query.format.bytes == NULL)
		return true;
	for (int i = 0; i < SSE_FORMAT_COUNT; i++) {
		if (!slice_is(opening->query.format, words[i]) ||
		    block->shapes[i] == CONFIG_SHAPE_NONE)
			continue;
		opening->shape = block->shapes[i];
		return true;
	}
	refuse(opening, PROBLEM_FORMAT_INVALID, NULL);
	return false;
}

static bool
read_live(struct opening *opening)
{
	struct slice live = opening->query.live;

	if (live.bytes != NULL && !slice_is(live, "true") &&
	    !slice_is(live, "false")) {
		refuse(opening, PROBLEM_LIVE_INVALID, "live is true or false");
		return false;
	}
	opening->ends = slice_is(live, "false");
	return true;
}

/* --- the stream --- */

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
start(struct opening *opening, uint64_t user_key)
{
	struct connection *connection = opening->connection;
	const struct subscriber_request request = {
	    .user_key = user_key,
	    .patterns = opening->channels.patterns,
	    .pattern_count = opening->channels.count,
	    .cursor = opening->start.cursor,
	    .losses = opening->start.losses,
	    .block = opening->block,
	    .shape = opening->shape,
	    .ends = opening->ends,
	    .filter = opening->filter,
	    .grants = &opening->grants,
	    .authority = opening->asker,
	};

	opening->filter = NULL;
	connection->subscriber =
	    subscriber_create(opening->worker, connection, &request);
	if (connection->subscriber == NULL) {
		refuse(opening, PROBLEM_NO_MEMORY, NULL);
		return;
	}
	reply_stream_head(connection);
	control_greet(opening->worker, connection->subscriber,
	    opening->refused.patterns, opening->refused.count);
	if (opening->start.bad_cursor)
		say_bad_cursor(connection->subscriber);
}

/* Where the client says it stands; a header beats the query. */
static struct slice
asked_cursor(const struct opening *opening, const struct http_request *request)
{
	struct slice text = http_header(request, "Last-Event-ID", NULL);

	if (text.len == 0)
		text = opening->query.last_event_id;
	if (text.len == 0)
		text = opening->query.since;
	return text;
}

static void
open_asked(struct opening *opening, const struct http_request *request)
{
	enum problem problem;
	uint64_t user_key;

	if (stream_query_read(&opening->query, opening->block, request->query,
		&problem) == -1) {
		refuse(opening, problem, NULL);
		return;
	}
	if (!read_format(opening) || !read_live(opening) ||
	    !read_channels(opening) || !read_types(opening))
		return;
	if (!limits_enter_user(opening->worker, opening->authority.user,
		&opening->connection->peer, &user_key)) {
		reply_later(opening->connection, request, PROBLEM_LIMIT_USER);
		return;
	}
	stream_start_find(&opening->start, opening->worker, opening->block,
	    asked_cursor(opening, request));
	start(opening, user_key);
}

/* Room for the channels, and for those that are refused. */
static bool
make_room(struct opening *opening)
{
	size_t max = opening->worker->config->http_max_channels;

	opening->channels.patterns =
	    calloc(2 * max, sizeof(opening->channels.patterns[0]));
	if (opening->channels.patterns == NULL)
		return false;
	opening->refused.patterns = opening->channels.patterns + max;
	return true;
}

/* Finds who asks, as far as the block wants to know. False: answered. */
static bool
find_asker(struct opening *opening, const struct http_request *request)
{
	struct connection *connection = opening->connection;
	struct authority *authority = &opening->authority;

	switch (opening->block->access) {
	case CONFIG_ACCESS_OPTIONAL:
		if (authority_try(connection, request, authority) ==
		    AUTHORITY_FOUND)
			opening->asker = authority;
		break;
	case CONFIG_ACCESS_AUTHENTICATED:
		if (!authority_demand(connection, request, authority))
			return false;
		opening->asker = authority;
		break;
	case CONFIG_ACCESS_PUBLIC:
	case CONFIG_ACCESS_AUTO:
		break;
	}
	return true;
}

static void
open_for(struct opening *opening, const struct http_request *request)
{
	struct connection *connection = opening->connection;

	if (slice_is(request->method, "HEAD")) {
		connection->keep_alive = false;
		reply_stream_head(connection);
	} else if (make_room(opening)) {
		open_asked(opening, request);
	} else {
		refuse(opening, PROBLEM_NO_MEMORY, NULL);
	}
	stream_query_finish(&opening->query);
	filter_destroy(opening->filter);
	grants_finish(&opening->grants);
	free(opening->channels.patterns);
}

void
stream_open(struct connection *connection, const struct http_request *request)
{
	struct worker *worker = connection->worker;
	struct opening opening = {
	    .connection = connection,
	    .worker = worker,
	    .block = streams_find(worker, request->path),
	};

	if (worker->draining) {
		reply_later(connection, request, PROBLEM_DRAIN);
		return;
	}
	if (!find_asker(&opening, request))
		return;
	open_for(&opening, request);
	if (opening.asker != NULL)
		authority_finish(&opening.authority);
}

/* opening: what a request for a stream comes to. See opening.h. */
#include "broker/worker/stream/opening.h"

#include <stdio.h>
#include <stdlib.h>

#include "broker/shared/filter.h"
#include "broker/worker/connection.h"
#include "broker/worker/http/http.h"
#include "broker/worker/reply.h"
#include "broker/worker/stream/stream_filter.h"
#include "broker/worker/stream/streams.h"
#include "broker/worker/worker_state.h"

void
opening_refuse(
    struct opening *opening, enum problem problem, const char *detail)
{
	reply_problem(opening->connection, problem, detail);
}

/* --- who asks --- */

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

bool
opening_begin(struct opening *opening, struct connection *connection,
    const struct http_request *request)
{
	struct worker *worker = connection->worker;

	*opening = (struct opening){
	    .connection = connection,
	    .worker = worker,
	    .block = streams_find(worker, request->path),
	};
	if (worker->draining) {
		reply_later(connection, request, PROBLEM_DRAIN);
		return false;
	}
	return find_asker(opening, request);
}

/* --- what it says --- */

/* Room for the channels, and for those that are refused. */
static bool
make_room(struct opening *opening)
{
	size_t max = opening->worker->config->http_max_channels;

	/* Not cleared: what is not counted is not looked at. */
	opening->channels.patterns =
	    malloc(2 * max * sizeof(opening->channels.patterns[0]));
	if (opening->channels.patterns == NULL)
		return false;
	opening->refused.patterns = opening->channels.patterns + max;
	return true;
}

bool
opening_read_query(struct opening *opening, const struct http_request *request)
{
	enum problem problem = PROBLEM_NO_MEMORY;

	if (make_room(opening) &&
	    stream_query_read(
		&opening->query, opening->block, request->query, &problem) == 0)
		return true;
	opening_refuse(opening, problem, NULL);
	return false;
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
		opening_refuse(opening, PROBLEM_CHANNELS_TOO_MANY,
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
			opening_refuse(
			    opening, PROBLEM_CHANNEL_INVALID, detail);
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
		opening_refuse(opening, PROBLEM_NO_MEMORY, NULL);
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
		opening_refuse(opening, PROBLEM_CHANNELS_MISSING,
		    "say which: ?channels=a,b:* (or * for all)");
	else
		opening_refuse(opening, PROBLEM_CHANNELS_REFUSED, NULL);
	return false;
}

/* Says which entry of a list it is; wish holds those before it. */
static void
refuse_wish(struct opening *opening, enum problem problem, const char *list,
    const struct stream_wish *wish)
{
	char detail[96];

	if (wish->count == FILTER_PATTERNS_MAX)
		snprintf(detail, sizeof(detail), "more than %d entries in %s",
		    FILTER_PATTERNS_MAX, list);
	else
		snprintf(detail, sizeof(detail), "entry %zu of %s is %s",
		    wish->count + 1, list, problem_sentence(problem));
	opening_refuse(opening, problem, detail);
}

static bool
read_filter(struct opening *opening)
{
	const struct auth_token *token =
	    opening->asker != NULL ? opening->asker->token : NULL;
	struct stream_wish types = {.said = false}, keys = {.said = false};

	if (!stream_wish_read(&types, opening->query.types))
		refuse_wish(opening, PROBLEM_TYPES_INVALID, "types", &types);
	else if (!stream_wish_read(&keys, opening->query.keys))
		refuse_wish(opening, PROBLEM_KEYS_INVALID, "keys", &keys);
	else if (stream_filter_make(&opening->filter, opening->block, token,
		     &types, &keys) == -1)
		opening_refuse(opening, PROBLEM_NO_MEMORY, NULL);
	else
		return true;
	return false;
}

bool
opening_choose(struct opening *opening)
{
	return read_channels(opening) && read_filter(opening);
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

void
opening_find_start(struct opening *opening, const struct http_request *request)
{
	stream_start_find(&opening->start, opening->worker, opening->block,
	    asked_cursor(opening, request));
}

void
opening_finish(struct opening *opening)
{
	stream_query_finish(&opening->query);
	filter_destroy(opening->filter);
	grants_finish(&opening->grants);
	free(opening->channels.patterns);
	if (opening->asker != NULL)
		authority_finish(&opening->authority);
}

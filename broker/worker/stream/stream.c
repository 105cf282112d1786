/* stream: opening a stream. See stream.h. */
#include "broker/worker/stream/stream.h"

#include "broker/worker/access/limits.h"
#include "broker/worker/access/revoked_apply.h"
#include "broker/worker/connection.h"
#include "broker/worker/control.h"
#include "broker/worker/cursor/packed.h"
#include "broker/worker/cursor/snapshot.h"
#include "broker/worker/http/http.h"
#include "broker/worker/reply.h"
#include "broker/worker/stream/opening.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

/* What a stream is asked to be, besides what a page is asked, too. */
struct manner {
	unsigned shape;
	bool ends;
	enum coding coding;
	uint32_t window_ms;
	uint32_t conflate_ms;
};

/* --- format, live and window --- */

static bool
read_format(struct opening *opening, struct manner *manner)
{
	static const char *const words[SSE_FORMAT_COUNT] = {
	    [SSE_TAGGED] = "tagged",
	    [SSE_RAW] = "raw",
	    [SSE_ENVELOPE] = "envelope",
	};
	const struct config_stream *block = opening->block;

	manner->shape = block->shapes[block->format];
	if (opening->query.format.bytes == NULL)
		return true;
	for (int i = 0; i < SSE_FORMAT_COUNT; i++) {
		if (!slice_is(opening->query.format, words[i]) ||
		    block->shapes[i] == CONFIG_SHAPE_NONE)
			continue;
		manner->shape = block->shapes[i];
		return true;
	}
	opening_refuse(opening, PROBLEM_FORMAT_INVALID, NULL);
	return false;
}

static bool
read_live(struct opening *opening, struct manner *manner)
{
	struct slice live = opening->query.live;

	if (live.bytes != NULL && !slice_is(live, "true") &&
	    !slice_is(live, "false")) {
		opening_refuse(
		    opening, PROBLEM_LIVE_INVALID, "live is true or false");
		return false;
	}
	manner->ends = slice_is(live, "false");
	return true;
}

static bool
read_window(struct opening *opening, struct manner *manner)
{
	struct slice window = opening->query.window;

	manner->window_ms = (uint32_t)opening->block->window;
	if (window.bytes == NULL ||
	    stream_query_read_time(window, HOLD_MS_MAX, &manner->window_ms))
		return true;
	opening_refuse(opening, PROBLEM_WINDOW_INVALID, NULL);
	return false;
}

static bool
read_conflate(struct opening *opening, struct manner *manner)
{
	struct slice conflate = opening->query.conflate;

	manner->conflate_ms = (uint32_t)opening->block->conflate;
	if (conflate.bytes == NULL ||
	    stream_query_read_time(conflate, HOLD_MS_MAX, &manner->conflate_ms))
		return true;
	opening_refuse(opening, PROBLEM_CONFLATE_INVALID, NULL);
	return false;
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

/* The head, and what else goes before all that is said. 0, or -1: no memory. */
static int
begin(struct opening *opening, const struct manner *manner)
{
	struct connection *connection = opening->connection;

	if (snapshot_begin(opening->worker, connection->subscriber, 0,
		&opening->start) == -1)
		return -1;
	reply_stream_head(connection, manner->coding);
	if (manner->coding != CODING_NONE &&
	    packed_begin(connection->subscriber, manner->coding) == -1) {
		buf_clear(&connection->out);
		return -1;
	}
	return 0;
}

static void
start(struct opening *opening, const struct manner *manner, uint64_t user_key)
{
	struct connection *connection = opening->connection;
	const struct subscriber_request request = {
	    .user_key = user_key,
	    .patterns = opening->channels.patterns,
	    .pattern_count = opening->channels.count,
	    .cursor = opening->start.cursor,
	    .losses = opening->start.losses,
	    .block = opening->block,
	    .shape = manner->shape,
	    .ends = manner->ends,
	    .window_ms = manner->window_ms,
	    .conflate_ms = manner->conflate_ms,
	    .filter = opening->filter,
	    .grants = &opening->grants,
	    .authority = opening->asker,
	};

	opening->filter = NULL;
	connection->subscriber =
	    subscriber_create(opening->worker, connection, &request);
	if (connection->subscriber == NULL) {
		opening_refuse(opening, PROBLEM_NO_MEMORY, NULL);
		return;
	}
	if (begin(opening, manner) == -1) {
		subscriber_destroy(opening->worker, connection->subscriber);
		connection->subscriber = NULL;
		opening_refuse(opening, PROBLEM_NO_MEMORY, NULL);
		return;
	}
	control_greet(opening->worker, connection->subscriber,
	    opening->refused.patterns, opening->refused.count);
	if (opening->start.bad_cursor)
		say_bad_cursor(connection->subscriber);
}

static void
open_asked(struct opening *opening, const struct http_request *request)
{
	struct manner manner = {.coding = http_find_coding(request,
				    opening->worker->config->http_compression)};
	uint64_t user_key;

	if (!opening_read_query(opening, request) ||
	    !read_format(opening, &manner) || !read_live(opening, &manner) ||
	    !read_window(opening, &manner) ||
	    !read_conflate(opening, &manner) || !opening_choose(opening))
		return;
	if (opening->connection->head_only) {
		opening->connection->keep_alive = false;
		reply_stream_head(opening->connection, manner.coding);
		return;
	}
	if (!limits_enter_user(opening->worker, opening->authority.user,
		&opening->connection->peer, &user_key)) {
		reply_later(opening->connection, request, PROBLEM_LIMIT_USER);
		return;
	}
	opening_find_start(opening, request);
	start(opening, &manner, user_key);
}

/* Are there tokens for one more? Else it is refused. */
static bool
may_begin(struct connection *connection, const struct http_request *request)
{
	struct worker *worker = connection->worker;

	if (worker->draining || slice_is(request->method, "HEAD") ||
	    admission_take(&worker->admission, worker_steady_us()))
		return true;
	reply_later(connection, request, PROBLEM_BUSY);
	return false;
}

void
stream_open(struct connection *connection, const struct http_request *request)
{
	struct opening opening;

	/* Before anything that costs: a refusal must be cheap. */
	if (!may_begin(connection, request))
		return;
	/* Finding where it starts hands out events. */
	revoked_apply(connection->worker);
	if (opening_begin(&opening, connection, request))
		open_asked(&opening, request);
	opening_finish(&opening);
}

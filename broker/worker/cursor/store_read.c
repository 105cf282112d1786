/*
 * store_read: history, read in steps. See store_read.h.
 *
 * Two ways to the same rows. Few channels: a merge. Each channel's next cursor
 * is sought in the index; the smallest is the next event; and so on. Many
 * channels, or "*": the log is scanned in order, and what does not belong is
 * passed over. Either looks at a bounded number of rows and bytes per step.
 */
#include "broker/worker/cursor/store_read.h"

#include <assert.h>
#include <stdlib.h>

#include "broker/shared/log.h"
#include "broker/shared/store.h"
#include "broker/worker/cursor/store_reader.h"

static void
bind_text(sqlite3_stmt *statement, int index, struct slice text)
{
	int result = sqlite3_bind_text(
	    statement, index, text.bytes, (int)text.len, SQLITE_TRANSIENT);

	assert(result == SQLITE_OK || result == SQLITE_NOMEM);
}

static struct event
event_at(sqlite3_stmt *statement)
{
	return (struct event){
	    .cursor = store_reader_number(statement, 0),
	    .channel = store_reader_slice(statement, 1),
	    .kind = (enum event_kind)sqlite3_column_int(statement, 2),
	    .type = store_reader_slice(statement, 3),
	    .key = store_reader_slice(statement, 4),
	    .data = store_reader_slice(statement, 5),
	};
}

int
store_read_begin(struct store_reader *reader)
{
	sqlite3_stmt *begin = reader->statements[READ_BEGIN];
	int result = sqlite3_step(begin);

	sqlite3_reset(begin);
	return result == SQLITE_DONE ? 0 : store_reader_failed(reader, "begin");
}

void
store_read_end(struct store_reader *reader)
{
	sqlite3_stmt *end = reader->statements[READ_END];
	int result = sqlite3_step(end);

	sqlite3_reset(end);
	if (result != SQLITE_DONE)
		store_reader_failed(reader, "end");
}

/* --- the merge --- */

/* The cursor of the channel's first event behind `after`; 0: none. 0 or -1. */
static int
seek_next(struct store_reader *reader, struct merged *merged, uint64_t after)
{
	sqlite3_stmt *next = reader->statements[EVENT_NEXT];
	int result;

	store_reader_bind(next, 1, (uint64_t)merged->id);
	store_reader_bind(next, 2, after);
	result = sqlite3_step(next);
	merged->next = result == SQLITE_ROW ? store_reader_number(next, 0) : 0;
	sqlite3_reset(next);
	return result == SQLITE_ROW || result == SQLITE_DONE ? 0 : -1;
}

static bool
already_merged(const struct store_reader *reader, int64_t id)
{
	for (size_t i = 0; i < reader->merged_count; i++) {
		if (reader->merged[i].id == id)
			return true;
	}
	return false;
}

/* Adds the channels that a prepared statement names. 1 they fit, 0 they are
 * too many, -1 failed. */
static int
add_channels(struct store_reader *reader, sqlite3_stmt *statement)
{
	int result;

	while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(statement, 0);

		if (already_merged(reader, id))
			continue;
		if (reader->merged_count == MERGE_CHANNELS_MAX)
			break;
		reader->merged[reader->merged_count++] =
		    (struct merged){.id = id};
	}
	sqlite3_reset(statement);
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		return -1;
	return result == SQLITE_DONE;
}

static int
add_pattern(struct store_reader *reader, struct slice pattern)
{
	sqlite3_stmt *exact = reader->statements[CHANNEL_EXACT];
	sqlite3_stmt *range = reader->statements[CHANNEL_RANGE];
	char end[EVENT_CHANNEL_MAX + 1];

	if (pattern.bytes[pattern.len - 1] != '*') {
		bind_text(exact, 1, pattern);
		return add_channels(reader, exact);
	}
	/* From "a:b:" up to, without, "a:b;", which comes next in ASCII. */
	memcpy(end, pattern.bytes, pattern.len - 1);
	end[pattern.len - 2] = ';';
	bind_text(range, 1, slice_of(pattern.bytes, pattern.len - 1));
	bind_text(range, 2, slice_of(end, pattern.len - 1));
	store_reader_bind(range, 3, MERGE_CHANNELS_MAX + 1);
	return add_channels(reader, range);
}

int
store_reader_find_channels(
    struct store_reader *reader, const struct store_request *request)
{
	reader->merged_count = 0;
	for (size_t i = 0; i < request->pattern_count; i++) {
		int result;

		if (slice_is(request->patterns[i], "*"))
			return 0;
		result = add_pattern(reader, request->patterns[i]);
		if (result != 1)
			return result;
	}
	return 1;
}

/* Is the channel one that keeps the latest of each key, as far as it has
 * events? 1, 0 or -1. */
static int
keeps_latest(struct store_reader *reader, const struct merged *merged)
{
	sqlite3_stmt *any = reader->statements[LATEST_ANY];
	int result;

	store_reader_bind(any, 1, (uint64_t)merged->id);
	result = sqlite3_step(any);
	sqlite3_reset(any);
	return result == SQLITE_ROW ? 1 : result == SQLITE_DONE ? 0 : -1;
}

/* Finds the channels to merge. 1, 0 when the log must be scanned, or -1. */
static int
plan_merge(struct store_reader *reader, const struct store_request *request)
{
	int few = store_reader_find_channels(reader, request);

	if (few != 1)
		return few;
	for (size_t i = 0; i < reader->merged_count; i++) {
		struct merged *merged = &reader->merged[i];
		int wanted = request->latest ? keeps_latest(reader, merged) : 1;

		if (wanted == -1 || (wanted == 1 && seek_next(reader, merged,
							request->after) == -1))
			return -1;
	}
	return 1;
}

/* The channel whose next event is the oldest; NULL when all are read. */
static struct merged *
oldest_next(struct store_reader *reader, uint64_t until)
{
	struct merged *oldest = NULL;

	for (size_t i = 0; i < reader->merged_count; i++) {
		struct merged *merged = &reader->merged[i];

		if (merged->next != 0 && merged->next <= until &&
		    (oldest == NULL || merged->next < oldest->next))
			oldest = merged;
	}
	return oldest;
}

/* Hands over one event. 1 it was taken, 0 it was not, -1 failed. */
static int
take_event(struct store_reader *reader, enum store_columns columns,
    uint64_t cursor, bool (*take)(const struct event *event, void *context),
    void *context)
{
	sqlite3_stmt *get =
	    reader->statements[columns == STORE_WHOLE ? EVENT_GET
						      : EVENT_GET_NAMES];
	int taken = -1;

	store_reader_bind(get, 1, cursor);
	if (sqlite3_step(get) == SQLITE_ROW) {
		struct event event = event_at(get);

		reader->looked += event.data.len;
		taken = take(&event, context);
	}
	sqlite3_reset(get);
	return taken;
}

static int
merge(struct store_reader *reader, const struct store_request *request,
    bool (*take)(const struct event *event, void *context), void *context,
    uint64_t *reached)
{
	for (int row = 0; row < request->rows; row++) {
		struct merged *oldest = oldest_next(reader, request->until);
		int taken;

		if (oldest == NULL) {
			*reached = request->until;
			return 0;
		}
		taken = take_event(
		    reader, request->columns, oldest->next, take, context);
		if (taken != 1)
			return taken;
		*reached = oldest->next;
		if (looked_enough(reader, request))
			return 0;
		if (seek_next(reader, oldest, oldest->next) == -1)
			return -1;
	}
	return 0;
}

/* --- the scan --- */

bool
store_request_covers(const struct store_request *request, struct slice channel)
{
	for (size_t i = 0; i < request->pattern_count; i++) {
		if (event_pattern_covers(request->patterns[i], channel))
			return true;
	}
	return false;
}

static enum store_read_statement
scan_for(const struct store_request *request)
{
	if (request->latest)
		return LATEST_SCAN;
	return request->columns == STORE_WHOLE ? EVENT_SCAN : EVENT_SCAN_NAMES;
}

static int
scan(struct store_reader *reader, const struct store_request *request,
    bool (*take)(const struct event *event, void *context), void *context,
    uint64_t *reached)
{
	sqlite3_stmt *scan = reader->statements[scan_for(request)];
	int result = SQLITE_DONE;
	int rows = 0;

	store_reader_bind(scan, 1, request->after);
	store_reader_bind(scan, 2, request->until);
	store_reader_bind(scan, 3, (uint64_t)request->rows);
	while ((result = sqlite3_step(scan)) == SQLITE_ROW) {
		struct event event = event_at(scan);

		rows++;
		if (store_request_covers(request, event.channel) &&
		    !take(&event, context))
			break;
		*reached = event.cursor;
		reader->looked += event.data.len;
		if (looked_enough(reader, request))
			break;
	}
	sqlite3_reset(scan);
	if (result == SQLITE_DONE && rows < request->rows)
		*reached = request->until;
	return result == SQLITE_ROW || result == SQLITE_DONE ? 0 : -1;
}

int
store_read_event(struct store_reader *reader, uint64_t cursor,
    bool (*take)(const struct event *event, void *context), void *context)
{
	int taken = take_event(reader, STORE_WHOLE, cursor, take, context);

	return taken != -1 ? taken : store_reader_failed(reader, "read event");
}

int
store_read_events(struct store_reader *reader,
    const struct store_request *request,
    bool (*take)(const struct event *event, void *context), void *context,
    uint64_t *reached)
{
	int mergeable = plan_merge(reader, request);
	int result = -1;

	*reached = request->after;
	reader->looked = 0;
	if (mergeable == 1)
		result = merge(reader, request, take, context, reached);
	else if (mergeable == 0)
		result = scan(reader, request, take, context, reached);
	return result == 0 ? 0 : store_reader_failed(reader, "read events");
}

/*
 * store_trim: retention, in small steps. See store_write.h.
 *
 * A step reads the oldest rows, takes as many as are over a limit, notes per
 * channel the newest cursor that goes (its horizon), and deletes them, all in
 * one short transaction, so that publishing never waits for more than a step.
 */
#include <assert.h>
#include <stdlib.h>

#include "broker/hub/store_write.h"
#include "broker/hub/store_writer.h"
#include "protocol/cursor_id.h"

/* Two ways through the log, each from where it was the last time. What they
 * pass over is for others to let go. */
enum pass {
	PASS_AGE,  /* by age: passes over channels with rules of their own */
	PASS_ROOM, /* to make room: over channels with such bounds */
};

enum whose { WHOSE_SHARED, WHOSE_RULED, WHOSE_EXEMPT };

struct gone {
	int64_t channel;
	uint64_t cursor;
};

/* What a step lets go. */
struct trim {
	struct gone gone[STORE_TRIM_ROWS_MAX];
	size_t count;
	size_t looked;
	uint64_t events; /* of channels without rules */
	uint64_t bytes;
	uint64_t newest;
	uint64_t from; /* the step is about what lies behind, */
	uint64_t to;   /* up to there */
	bool holey;    /* some of that stays */
};

static int
by_channel_then_cursor(const void *a, const void *b)
{
	const struct gone *first = a, *second = b;

	if (first->channel != second->channel)
		return first->channel < second->channel ? -1 : 1;
	return first->cursor < second->cursor   ? -1
	       : first->cursor > second->cursor ? 1
						: 0;
}

/* Is there too much of what shares the bounds, without what goes already? */
static bool
needs_room(const struct store_totals *totals, const struct store_limits *limits,
    uint64_t events, uint64_t bytes)
{
	return totals->events - totals->exempt_events - events >
		   limits->max_events ||
	       totals->bytes - totals->exempt_bytes - bytes > limits->max_bytes;
}

static bool
is_old(const struct store_limits *limits, uint64_t now_ms, uint64_t cursor)
{
	uint64_t ms = cursor_id_ms(cursor);

	return ms < now_ms && now_ms - ms > limits->max_age_ms;
}

/* The row at which the scan stands goes. 0 or -1. */
static int
add_row(struct store_writer *writer, struct trim *trim, sqlite3_stmt *row)
{
	uint64_t bytes = store_number(row, 2);
	struct store_channel *channel;

	trim->gone[trim->count++] =
	    (struct gone){sqlite3_column_int64(row, 1), store_number(row, 0)};
	if (sqlite3_column_int(row, 3) == WHOSE_SHARED) {
		trim->events++;
		trim->bytes += bytes;
		trim->newest = store_number(row, 0);
		return 0;
	}
	channel = store_find_channel(writer, store_slice(row, 4));
	if (channel == NULL)
		return -1;
	store_channel_let_go(writer, channel, 1, bytes);
	store_bind(writer->statements[LATEST_DROP], 1, store_number(row, 0));
	return store_do(writer, LATEST_DROP);
}

/* In a transaction: collects the rows that must go. 0 or -1. */
static int
scan_oldest(struct store_writer *writer, const struct store_limits *limits,
    uint64_t now_ms, enum pass pass, int rows, struct trim *trim)
{
	sqlite3_stmt *scan = writer->statements[TRIM_SCAN];
	int result;

	trim->from = trim->to =
	    pass == PASS_AGE ? writer->aged_to : writer->counted_to;
	store_bind(scan, 1, trim->from);
	store_bind(scan, 2, (uint64_t)rows);
	while ((result = sqlite3_step(scan)) == SQLITE_ROW) {
		uint64_t cursor = store_number(scan, 0);
		enum whose whose = (enum whose)sqlite3_column_int(scan, 3);

		if (whose > (pass == PASS_AGE ? WHOSE_SHARED : WHOSE_RULED))
			trim->holey = true;
		else if (pass == PASS_AGE ? !is_old(limits, now_ms, cursor)
					  : !needs_room(&writer->totals, limits,
						trim->events, trim->bytes))
			break;
		else if (add_row(writer, trim, scan) == -1)
			break;
		trim->to = cursor;
		trim->looked++;
	}
	if (sqlite3_reset(scan) != SQLITE_OK)
		return -1;
	return result == SQLITE_ROW || result == SQLITE_DONE ? 0 : -1;
}
int
store_note_loss(struct store_writer *writer, int64_t channel, uint64_t cursor)
{
	sqlite3_stmt *horizon = writer->statements[TRIM_HORIZON];

	if (cursor > writer->totals.max_horizon)
		writer->totals.max_horizon = cursor;
	store_bind(horizon, 1, (uint64_t)channel);
	store_bind(horizon, 2, cursor);
	store_bind(horizon, 3, writer->totals.losses);
	return store_do(writer, TRIM_HORIZON);
}

static int
write_horizons(struct store_writer *writer, struct trim *trim)
{
	qsort(trim->gone, trim->count, sizeof(trim->gone[0]),
	    by_channel_then_cursor);
	for (size_t i = 0; i < trim->count; i++) {
		const struct gone *newest = &trim->gone[i];

		/* Only the last, newest one of each channel counts. */
		if (i + 1 < trim->count && newest[1].channel == newest->channel)
			continue;
		if (store_note_loss(writer, newest->channel, newest->cursor) ==
		    -1)
			return -1;
	}
	return 0;
}

static int
delete_between(struct store_writer *writer, uint64_t from, uint64_t to)
{
	store_bind(writer->statements[TRIM_EVENTS], 1, from);
	store_bind(writer->statements[TRIM_EVENTS], 2, to);
	return store_do(writer, TRIM_EVENTS);
}

static int
delete_events(struct store_writer *writer, struct trim *trim)
{
	writer->totals.events -= trim->events;
	writer->totals.bytes -= trim->bytes;
	if (write_horizons(writer, trim) == -1)
		return -1;
	if (!trim->holey)
		return delete_between(writer, trim->from, trim->to);
	for (size_t i = 0; i < trim->count; i++) {
		uint64_t cursor = trim->gone[i].cursor;

		if (delete_between(writer, cursor - 1, cursor) == -1)
			return -1;
	}
	return 0;
}

/* Looks at the channel whose horizon is next, and forgets it when it has no
 * events any more: those whose losses are oldest go first, for the horizon of
 * what is forgotten holds for all of it. 1, 0 when it still has some, or -1. */
static int
forget_channel(struct store_writer *writer)
{
	sqlite3_stmt *next = writer->statements[CHANNEL_NEXT];
	uint64_t id;
	bool empty;
	int result;

	store_bind(next, 1, writer->channel_looked);
	result = sqlite3_step(next);
	id = store_number(next, 0);
	writer->channel_looked = store_number(next, 1);
	empty = sqlite3_column_int(next, 2) != 0;
	sqlite3_reset(next);
	if (result == SQLITE_DONE || (result == SQLITE_ROW && !empty))
		return 0;
	store_bind(writer->statements[CHANNEL_FORGET], 1, id);
	store_bind(writer->statements[KEPT_FORGET], 1, id);
	if (result != SQLITE_ROW || store_do(writer, CHANNEL_FORGET) == -1 ||
	    store_do(writer, KEPT_FORGET) == -1)
		return -1;
	if (writer->channel_looked > writer->totals.floor)
		writer->totals.floor = writer->channel_looked;
	writer->totals.channels--;
	return 1;
}

/* The rows that are to be written, are. 0 or -1. */
static int
forget_channels(
    struct store_writer *writer, const struct store_limits *limits, int rows)
{
	bool any = false;

	for (int i = 0; i < rows; i++) {
		int result;

		if (writer->totals.channels <= limits->max_channels)
			break;
		result = forget_channel(writer);
		if (result == -1)
			return -1;
		any = any || result == 1;
	}
	if (any)
		store_forget_channels(writer);
	return 0;
}

/* The first pass that has something to do, if one has. Room is made when
 * nothing else is left to go. 0 or -1. */
static int
trim_shared(struct store_writer *writer, const struct store_limits *limits,
    uint64_t now_ms, int rows, struct trim *trim, enum pass *pass)
{
	*pass = PASS_AGE;
	if (scan_oldest(writer, limits, now_ms, *pass, rows, trim) == -1)
		return -1;
	if (trim->looked == 0 && needs_room(&writer->totals, limits, 0, 0) &&
	    !store_is_due(writer, now_ms)) {
		*pass = PASS_ROOM;
		if (scan_oldest(writer, limits, now_ms, *pass, rows, trim) ==
		    -1)
			return -1;
	}
	return trim->count > 0 ? delete_events(writer, trim) : 0;
}

/* Notes how far the log was gone through. */
static void
move_on(struct store_writer *writer, const struct trim *trim, enum pass pass)
{
	if (pass == PASS_AGE)
		writer->aged_to = trim->to;
	else
		writer->counted_to = trim->to;
	if (trim->newest > writer->shared_horizon)
		writer->shared_horizon = trim->newest;
}

/* How many events were let go, or -1. */
static int
trim_step(struct store_writer *writer, const struct store_limits *limits,
    uint64_t now_ms, int rows, struct trim *trim)
{
	enum pass pass;
	int due;

	if (store_do(writer, WRITE_BEGIN) == -1)
		return -1;
	writer->totals = writer->committed;
	writer->totals.losses++;
	due = store_let_go_due(writer, now_ms, rows);
	if (due == -1 ||
	    trim_shared(writer, limits, now_ms, rows, trim, &pass) == -1 ||
	    store_write_channels(writer) == -1)
		return -1;
	if (due == 0 && trim->count == 0)
		writer->totals.losses--;
	if (forget_channels(writer, limits, rows / 16 + 1) == -1 ||
	    store_write_totals(writer) == -1 ||
	    store_do(writer, WRITE_COMMIT) == -1)
		return -1;
	writer->committed = writer->totals;
	move_on(writer, trim, pass);
	return (int)trim->count + due;
}

/* Is the oldest event old that nobody has looked at? What was found the last
 * time holds until then, for what has come since is newer. */
static bool
has_aged(struct store_writer *writer, const struct store_limits *limits,
    uint64_t now_ms)
{
	sqlite3_stmt *scan = writer->statements[TRIM_SCAN];
	int result;

	if (!is_old(limits, now_ms, writer->oldest))
		return false;
	store_bind(scan, 1, writer->aged_to);
	store_bind(scan, 2, 1);
	result = sqlite3_step(scan);
	if (result == SQLITE_ROW)
		writer->oldest = store_number(scan, 0);
	else if (result == SQLITE_DONE)
		writer->oldest = writer->committed.last_cursor;
	sqlite3_reset(scan);
	return result == SQLITE_ROW && is_old(limits, now_ms, writer->oldest);
}

/* Is there anything to do, without a transaction of its own? */
static bool
needs_trim(struct store_writer *writer, const struct store_limits *limits,
    uint64_t now_ms)
{
	return writer->committed.channels > limits->max_channels ||
	       needs_room(&writer->committed, limits, 0, 0) ||
	       store_is_due(writer, now_ms) || has_aged(writer, limits, now_ms);
}

int
store_trim(struct store_writer *writer, const struct store_limits *limits,
    uint64_t now_ms, int rows, bool *more)
{
	struct trim *trim;
	int let_go;

	*more = false;
	if (!needs_trim(writer, limits, now_ms))
		return 0;
	trim = calloc(1, sizeof(*trim));
	if (trim == NULL)
		return store_failed(writer, "trim: no memory");
	if (rows > STORE_TRIM_ROWS_MAX)
		rows = STORE_TRIM_ROWS_MAX;
	let_go = trim_step(writer, limits, now_ms, rows, trim);
	if (let_go == -1) {
		store_failed(writer, "trim");
		store_rollback(writer);
	} else {
		*more = trim->looked == (size_t)rows ||
			(trim->looked > 0 &&
			    needs_room(&writer->committed, limits, 0, 0)) ||
			store_is_due(writer, now_ms);
	}
	free(trim);
	return let_go;
}

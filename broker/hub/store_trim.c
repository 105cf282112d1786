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

enum {
	CHECKPOINT_PAGES = 1024, /* 4 MiB */
};

struct horizon {
	int64_t channel;
	uint64_t cursor;
};

/* What a step lets go. */
struct trim {
	struct horizon horizons[STORE_TRIM_ROWS_MAX];
	size_t count;
	uint64_t bytes;
	uint64_t cursor; /* the newest that goes */
};

static int
by_channel_then_cursor(const void *a, const void *b)
{
	const struct horizon *first = a, *second = b;

	if (first->channel != second->channel)
		return first->channel < second->channel ? -1 : 1;
	return first->cursor < second->cursor   ? -1
	       : first->cursor > second->cursor ? 1
						: 0;
}

static bool
over_limit(const struct store_totals *totals, const struct trim *trim,
    const struct store_limits *limits, uint64_t now_ms, uint64_t cursor)
{
	uint64_t age_ms =
	    cursor_id_ms(cursor) < now_ms ? now_ms - cursor_id_ms(cursor) : 0;

	return age_ms > limits->max_age_ms ||
	       totals->events - trim->count > limits->max_events ||
	       totals->bytes - trim->bytes > limits->max_bytes;
}

/* Collects the rows that must go. 0 or -1. */
static int
scan_oldest(struct store_writer *writer, const struct store_limits *limits,
    uint64_t now_ms, int rows, struct trim *trim)
{
	sqlite3_stmt *scan = writer->statements[TRIM_SCAN];
	int result;

	store_bind(scan, 1, (uint64_t)rows);
	while ((result = sqlite3_step(scan)) == SQLITE_ROW) {
		uint64_t cursor = store_number(scan, 0);

		if (!over_limit(&writer->totals, trim, limits, now_ms, cursor))
			break;
		trim->horizons[trim->count++] =
		    (struct horizon){sqlite3_column_int64(scan, 1), cursor};
		trim->bytes += store_number(scan, 2);
		trim->cursor = cursor;
	}
	sqlite3_reset(scan);
	return result == SQLITE_ROW || result == SQLITE_DONE ? 0 : -1;
}

static int
write_horizons(struct store_writer *writer, struct trim *trim)
{
	sqlite3_stmt *horizon = writer->statements[TRIM_HORIZON];

	qsort(trim->horizons, trim->count, sizeof(trim->horizons[0]),
	    by_channel_then_cursor);
	for (size_t i = 0; i < trim->count; i++) {
		const struct horizon *newest = &trim->horizons[i];

		/* Only the last, newest one of each channel counts. */
		if (i + 1 < trim->count && newest[1].channel == newest->channel)
			continue;
		store_bind(horizon, 1, (uint64_t)newest->channel);
		store_bind(horizon, 2, newest->cursor);
		store_bind(horizon, 3, writer->totals.losses);
		if (store_do(writer, TRIM_HORIZON) == -1)
			return -1;
	}
	return 0;
}

static int
delete_events(struct store_writer *writer, struct trim *trim)
{
	struct store_totals *totals = &writer->totals;

	totals->events -= trim->count;
	totals->bytes -= trim->bytes;
	totals->losses++;
	if (trim->cursor > totals->max_horizon)
		totals->max_horizon = trim->cursor;
	store_bind(writer->statements[TRIM_EVENTS], 1, trim->cursor);
	return write_horizons(writer, trim) == -1 ||
		       store_do(writer, TRIM_EVENTS) == -1
		   ? -1
		   : 0;
}

/* Looks at the next channel, and forgets it when it has no events any more.
 * 1, 0 when it still has some, or -1. */
static int
forget_channel(struct store_writer *writer)
{
	sqlite3_stmt *next = writer->statements[CHANNEL_NEXT];
	uint64_t horizon;
	bool empty;
	int result;

	store_bind(next, 1, (uint64_t)writer->channel_looked);
	result = sqlite3_step(next);
	writer->channel_looked = sqlite3_column_int64(next, 0);
	horizon = store_number(next, 1);
	empty = sqlite3_column_int(next, 2) != 0;
	sqlite3_reset(next);
	if (result == SQLITE_DONE || (result == SQLITE_ROW && !empty))
		return 0;
	store_bind(writer->statements[CHANNEL_FORGET], 1,
	    (uint64_t)writer->channel_looked);
	if (result != SQLITE_ROW || store_do(writer, CHANNEL_FORGET) == -1)
		return -1;
	if (horizon > writer->totals.floor)
		writer->totals.floor = horizon;
	writer->totals.channels--;
	return 1;
}

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

static int
trim_step(struct store_writer *writer, const struct store_limits *limits,
    uint64_t now_ms, int rows, struct trim *trim)
{
	if (store_do(writer, WRITE_BEGIN) == -1)
		return -1;
	writer->totals = writer->committed;
	if (scan_oldest(writer, limits, now_ms, rows, trim) == -1 ||
	    (trim->count > 0 && delete_events(writer, trim) == -1) ||
	    forget_channels(writer, limits, rows / 16 + 1) == -1 ||
	    store_write_totals(writer) == -1 ||
	    store_do(writer, WRITE_COMMIT) == -1)
		return -1;
	writer->committed = writer->totals;
	return 0;
}

/* Is there anything to do, without a transaction of its own? */
static bool
needs_trim(struct store_writer *writer, const struct store_limits *limits,
    uint64_t now_ms)
{
	static const struct trim none = {.count = 0};
	sqlite3_stmt *scan = writer->statements[TRIM_SCAN];
	bool needs = writer->committed.channels > limits->max_channels;

	store_bind(scan, 1, 1);
	if (!needs && sqlite3_step(scan) == SQLITE_ROW)
		needs = over_limit(&writer->committed, &none, limits, now_ms,
		    store_number(scan, 0));
	sqlite3_reset(scan);
	return needs;
}

int
store_trim(struct store_writer *writer, const struct store_limits *limits,
    uint64_t now_ms, int rows)
{
	struct trim *trim;
	int let_go = -1;

	if (!needs_trim(writer, limits, now_ms))
		return 0;
	trim = calloc(1, sizeof(*trim));
	if (trim == NULL)
		return store_failed(writer, "trim: no memory");
	if (rows > STORE_TRIM_ROWS_MAX)
		rows = STORE_TRIM_ROWS_MAX;
	if (trim_step(writer, limits, now_ms, rows, trim) == 0) {
		let_go = (int)trim->count;
	} else {
		store_failed(writer, "trim");
		store_rollback(writer);
	}
	free(trim);
	return let_go;
}

void
store_checkpoint(struct store_writer *writer)
{
	if (writer->wal_pages < CHECKPOINT_PAGES)
		return;
	writer->wal_pages = 0;
	if (sqlite3_wal_checkpoint_v2(writer->db, NULL,
		SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) != SQLITE_OK)
		store_failed(writer, "checkpoint");
}

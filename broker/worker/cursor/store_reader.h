/*
 * store_reader: what store_read.c and the other store_*.c here share. For them
 * only; everybody else includes store_read.h.
 */
#ifndef SSEMUX_WORKER_CURSOR_STORE_READER_H
#define SSEMUX_WORKER_CURSOR_STORE_READER_H

#include <sqlite3.h>

#include "broker/worker/cursor/store_read.h"

enum {
	/* With more channels than this the log is scanned. */
	MERGE_CHANNELS_MAX = 256,
};

enum store_read_statement {
	READ_BEGIN,
	READ_END,
	READ_STATE,
	READ_BIRTH,
	CHANNEL_EXACT,
	CHANNEL_RANGE,
	CHANNEL_LOST,
	CHANNELS_LOST,
	EVENT_NEXT,
	EVENT_GET,
	EVENT_SCAN,
	EVENT_GET_NAMES,
	EVENT_SCAN_NAMES,
	LATEST_ANY,
	LATEST_SCAN,
	REVOCATIONS_NEXT,
	STATEMENTS
};

/* A channel that takes part in a merge. */
struct merged {
	int64_t id;
	uint64_t next; /* cursor of its next event; 0: it has none */
};

struct store_reader {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	struct merged merged[MERGE_CHANNELS_MAX];
	size_t merged_count;
	size_t looked; /* bytes of data, in this step */
};

/* Were so many bytes looked at that the step is over? */
static inline bool
looked_enough(
    const struct store_reader *reader, const struct store_request *request)
{
	return request->bytes > 0 && reader->looked >= request->bytes;
}

/* Logs the last failure of SQLite; always -1. */
int store_reader_failed(struct store_reader *reader, const char *what);

/* Binds a number; one above 2^63, which no cursor is, as the largest. */
void store_reader_bind(sqlite3_stmt *statement, int index, uint64_t number);

/* A column's number, and its text or bytes until the next step. */
uint64_t store_reader_number(sqlite3_stmt *statement, int column);
struct slice store_reader_slice(sqlite3_stmt *statement, int column);

/* Finds the channels of the request, for reader->merged. 1; 0 when they are
 * more than fit there, or all; or -1. */
int store_reader_find_channels(
    struct store_reader *reader, const struct store_request *request);

#endif

/*
 * store_writer: what store_write.c and the other store_*.c of the hub share.
 * For them only; everybody else includes store_write.h.
 */
#ifndef SSEMUX_HUB_STORE_WRITER_H
#define SSEMUX_HUB_STORE_WRITER_H

#include <sqlite3.h>

#include "broker/hub/store_write.h"

enum store_statement {
	WRITE_BEGIN,
	WRITE_COMMIT,
	WRITE_ROLLBACK,
	WRITE_EVENT,
	WRITE_STATE,
	CHANNEL_FIND,
	CHANNEL_MAKE,
	RUN_ADD,
	RUN_TRIM,
	PUBLISHER_FIND,
	PUBLISHER_MAKE,
	PUBLISHER_FORGET,
	PUBLISHER_FORGET_RUNS,
	PUBLISHER_NEWEST,
	PUBLISHER_NEXT,
	CURSOR_FIND,
	EVENT_REPLAY,
	EVENT_SIZES,
	TRIM_SCAN,
	TRIM_HORIZON,
	TRIM_EVENTS,
	CHANNEL_NEXT,
	CHANNEL_FORGET,
	REVOCATION_NEWEST,
	REVOCATION_COUNT,
	REVOCATION_OF_USER,
	REVOCATION_WITHIN,
	REVOCATION_DELETE,
	REVOCATION_ADD,
	REVOCATION_OLD,
	REVOCATION_FORGET,
	STORE_STATEMENTS
};

struct store_channel; /* one of the cached names */

/* Events of one publisher that become one row of the table run. */
struct store_run {
	int64_t publisher;
	uint64_t first_seq;
	uint64_t first_cursor;
	uint64_t count; /* 0: no run is open */
};

/* The texts of the statements. */
extern const char *const store_writer_texts[STORE_STATEMENTS];

struct store_writer {
	sqlite3 *db;
	sqlite3_stmt *statements[STORE_STATEMENTS];
	struct store_totals totals;    /* with the open batch */
	struct store_totals committed; /* without it */
	struct store_run run;
	struct store_channel *channels; /* names to row ids */
	size_t cached;
	int wal_pages;            /* in the write-ahead log */
	int64_t publisher_looked; /* where forgetting goes on */
	int64_t channel_looked;
	uint64_t revocations; /* rows, once they were counted */
};

/* Runs a statement that returns no row. 0, or -1 (not logged). */
int store_do(struct store_writer *writer, enum store_statement which);

/* Logs the last failure of SQLite; always -1. */
int store_failed(struct store_writer *writer, const char *what);

/* Writes the run that is open, if one is. 0, or -1 (not logged). */
int store_close_run(struct store_writer *writer);

/* Writes the totals into the open transaction. 0, or -1 (not logged). */
int store_write_totals(struct store_writer *writer);

/* Binds a number that is below 2^63. */
void store_bind(sqlite3_stmt *statement, int index, uint64_t number);
void store_bind_text(sqlite3_stmt *statement, int index, struct slice text);

/* A column's number, and its text or bytes until the next step. */
uint64_t store_number(sqlite3_stmt *statement, int column);
struct slice store_slice(sqlite3_stmt *statement, int column);

/* The names that are no longer valid were changed: forgets the cache. */
void store_forget_channels(struct store_writer *writer);

#endif

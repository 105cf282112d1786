/*
 * store_checkpoint: from SQLite's write-ahead log into the database file. See
 * store_write.h.
 *
 * The log begins anew with a transaction that finds all of it moved and nobody
 * who reads it. Workers read in short steps, but many of them: there may always
 * be one. So once the log is long, a checkpoint waits until those steps have
 * ended that began before it; what begins then reads the database file alone.
 */
#include "broker/hub/store_writer.h"
#include "broker/shared/store.h"

enum {
	CHECKPOINT_PAGES = 1024, /* 4 MiB */
	FULL_PAGES = 256,        /* when the log cannot grow */
	LONG_PAGES = 8192,       /* 32 MiB: worth waiting for */
	LONG_WAIT_MS = 10,
	LONGEST_WAIT_MS = 200,
};

/* The longer the log has become, the longer a reader is waited for. */
static int
let_log_begin_anew(struct store_writer *writer)
{
	int wait_ms = (writer->wal_pages / LONG_PAGES + 1) * LONG_WAIT_MS;
	int result;

	sqlite3_busy_timeout(
	    writer->db, wait_ms < LONGEST_WAIT_MS ? wait_ms : LONGEST_WAIT_MS);
	result = sqlite3_wal_checkpoint_v2(
	    writer->db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
	sqlite3_busy_timeout(writer->db, STORE_BUSY_MS);
	return result == SQLITE_BUSY ? SQLITE_OK : result;
}

static int
move_pages(struct store_writer *writer)
{
	return sqlite3_wal_checkpoint_v2(
	    writer->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

void
store_empty_log(struct store_writer *writer)
{
	if (let_log_begin_anew(writer) != SQLITE_OK)
		store_failed(writer, "checkpoint");
}

void
store_checkpoint(struct store_writer *writer)
{
	int due = store_is_full(writer) ? FULL_PAGES : CHECKPOINT_PAGES;
	int result;

	if (writer->wal_pages < writer->wal_moved)
		writer->wal_moved = 0; /* the log has begun anew */
	if (writer->wal_pages - writer->wal_moved < due)
		return;
	writer->wal_moved = writer->wal_pages;
	result = writer->wal_pages < LONG_PAGES ? move_pages(writer)
						: let_log_begin_anew(writer);
	if (result != SQLITE_OK)
		store_failed(writer, "checkpoint");
}

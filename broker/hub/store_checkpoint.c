/*
 * store_checkpoint: from SQLite's write-ahead log into the database file. See
 * store_write.h.
 *
 * The log begins anew with a transaction that finds all of it moved and nobody
 * who reads it. Workers read in short steps, but many of them: there may always
 * be one. So once the log is long, a checkpoint waits until those steps have
 * ended that began before it; what begins then reads the database file alone.
 */
#include "broker/hub/store_mover.h"
#include "broker/hub/store_writer.h"
#include "broker/shared/log.h"
#include "broker/shared/store.h"

enum {
	CHECKPOINT_PAGES = 1024, /* 4 MiB */
	FULL_PAGES = 256,        /* when the log cannot grow */
	LONG_PAGES = 8192,       /* 32 MiB: worth waiting for */
	BEHIND_PAGES = 2048,     /* 8 MiB: the mover is waited for */
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

/* Moves pages, or has them moved meanwhile. */
static int
move_pages(struct store_writer *writer)
{
	if (writer->mover != NULL) {
		store_mover_ask(writer->mover);
		return SQLITE_OK;
	}
	return sqlite3_wal_checkpoint_v2(
	    writer->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

/* 0 or -1. */
static int
tell(struct store_writer *writer, int result)
{
	if (result == SQLITE_OK)
		return 0;
	log_warn("store: checkpoint: %s", sqlite3_errstr(result));
	if (result == SQLITE_FULL)
		store_reserve_give_up(&writer->reserve);
	return -1;
}

void
store_empty_log(struct store_writer *writer)
{
	if (writer->mover != NULL)
		store_mover_wait(writer->mover);
	tell(writer, let_log_begin_anew(writer));
}

/* Does what is to be done now. Just when pages have been moved, the log is let
 * begin anew: few are left to be moved while all wait. */
static int
go_on(struct store_writer *writer)
{
	int due = store_is_full(writer) ? FULL_PAGES : CHECKPOINT_PAGES;

	if (writer->wal_pages < writer->wal_moved)
		writer->wal_moved = writer->wal_waited = 0; /* it began anew */
	if (writer->wal_pages >= LONG_PAGES &&
	    writer->wal_moved > writer->wal_waited) {
		writer->wal_moved = writer->wal_waited = writer->wal_pages;
		return let_log_begin_anew(writer);
	}
	if (writer->wal_pages - writer->wal_moved < due)
		return SQLITE_OK;
	writer->wal_moved = writer->wal_pages;
	return move_pages(writer);
}

int
store_checkpoint(struct store_writer *writer)
{
	int result = SQLITE_OK;

	if (writer->mover != NULL) {
		if (writer->wal_pages - writer->wal_moved >= BEHIND_PAGES)
			store_mover_wait(writer->mover);
		if (store_mover_busy(writer->mover))
			return 0;
		result = store_mover_result(writer->mover);
	}
	if (result == SQLITE_OK)
		result = go_on(writer);
	return tell(writer, result);
}

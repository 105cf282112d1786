/*
 * store_writer: what store_write.c and the other store_*.c of the hub share.
 * For them only; everybody else includes store_write.h.
 */
#ifndef SSEMUX_HUB_STORE_WRITER_H
#define SSEMUX_HUB_STORE_WRITER_H

#include <sqlite3.h>
#include <uthash.h>

#include "broker/hub/retention.h"
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
	RUN_EACH,
	RUN_FORGET,
	PUBLISHER_FIND,
	PUBLISHER_MAKE,
	PUBLISHER_FORGET,
	PUBLISHER_FORGET_RUNS,
	PUBLISHER_NEWEST,
	PUBLISHER_NEXT,
	CURSOR_FIND,
	EVENT_REPLAY,
	EVENT_SIZES,
	FREE_PAGES,
	TRIM_SCAN,
	TRIM_HORIZON,
	TRIM_EVENTS,
	CHANNEL_NEXT,
	CHANNEL_FORGET,
	KEPT_DUE,
	KEPT_SCAN,
	KEPT_LET_GO,
	KEPT_WRITE,
	KEPT_FORGET,
	KEPT_TOTALS,
	KEPT_COUNT,
	LATEST_FIND,
	LATEST_SET,
	LATEST_DROP,
	LATEST_MAKE,
	EVENT_DROP,
	EVENT_SUPERSEDE,
	CHANNEL_EACH,
	RULES_READ,
	RULES_WRITE,
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

enum {
	STORE_MARKS = 16,
	/* Each time a publisher has sent so many, its old runs are forgotten:
	 * all of them are looked at, and they may be one for each event. */
	STORE_SWEEP_EVENTS = 4096,
};

/* A channel, as far as it is in the cache. */
struct store_channel {
	int64_t id;
	bool ruled; /* has rules of its own, and a row of the table kept: */
	bool dirty; /* the row is to be written */
	struct store_channel *next_dirty;
	struct retention rules;
	uint64_t events;
	uint64_t bytes;
	uint64_t due_ms; /* RETENTION_NEVER: it has no events */
	UT_hash_handle hh;
	char name[]; /* hh.keylen bytes */
};

/* Events of one publisher that become one row of the table run. */
struct store_run {
	int64_t publisher;
	uint64_t first_seq;
	uint64_t first_cursor;
	uint64_t count; /* 0: no run is open */
	bool sweep;     /* old runs of the publisher are to be forgotten */
};

/* The texts of the statements. */
extern const char *const store_writer_texts[STORE_STATEMENTS];

/* A file that only takes up room. */
struct store_reserve {
	int fd;
	uint64_t bytes; /* 0: none is wanted, and fd is not open */
	bool held;
};

struct store_writer {
	sqlite3 *db;
	sqlite3_stmt *statements[STORE_STATEMENTS];
	struct store_totals totals;    /* with the open batch */
	struct store_totals committed; /* without it */
	uint64_t added;                /* events in the open batch */
	struct store_run run;
	struct store_channel *channels; /* the cache */
	size_t cached;
	struct store_channel *dirty;
	const struct config *config; /* with the rules; NULL: there are none */
	/* How far the log holds nothing that is let go for its age, or to make
	 * room; cursors. */
	uint64_t aged_to;
	uint64_t counted_to;
	/* What lies behind aged_to is not older than this cursor says, and no
	 * channel is due before this time, in ms: until then, nobody looks. */
	uint64_t oldest;
	uint64_t due_ms;
	/* The newest cursor let go by the bounds that channels share, or that
	 * would be, if all channels shared them. */
	uint64_t shared_horizon;
	uint64_t marks[STORE_MARKS]; /* cursors, each so many events after the
				      * one before; a ring */
	uint64_t mark_count;
	uint64_t unmarked; /* events since the last */
	int wal_pages;     /* in the write-ahead log, of which so many */
	int wal_moved;     /* were there at the last checkpoint, and */
	int wal_waited;    /* when readers were last waited for */
	struct store_mover *mover; /* NULL: checkpoints are made here */
	int64_t publisher_looked;  /* where forgetting goes on */
	uint64_t channel_looked;   /* its horizon */
	uint64_t revocations;      /* rows, once they were counted */
	struct store_reserve reserve;
};

/* Runs a statement that returns no row. 0, or -1 (not logged). */
int store_do(struct store_writer *writer, enum store_statement which);

/* Logs the last failure of SQLite; always -1. */
int store_failed(struct store_writer *writer, const char *what);

/* Writes the run that is open, if one is. 0, or -1 (not logged). */
int store_close_run(struct store_writer *writer);

/* In the open transaction, forgets the runs of a publisher that no resend can
 * reach. 0, or -1 (not logged). */
int store_forget_old_runs(struct store_writer *writer, int64_t publisher);

/* Writes the totals into the open transaction. 0, or -1 (not logged). */
int store_write_totals(struct store_writer *writer);

/* Binds a number that is below 2^63. */
void store_bind(sqlite3_stmt *statement, int index, uint64_t number);
void store_bind_text(sqlite3_stmt *statement, int index, struct slice text);

/* A column's number, and its text or bytes until the next step. */
uint64_t store_number(sqlite3_stmt *statement, int column);
struct slice store_slice(sqlite3_stmt *statement, int column);

/* --- room on the disk: store_reserve.c, store_checkpoint.c --- */

/* The disk is full. */
void store_reserve_give_up(struct store_reserve *reserve);
void store_reserve_close(struct store_reserve *reserve);

/* May events be added? */
bool store_has_room(struct store_writer *writer);

/* Moves all of the log into the database file, so that it begins anew; waits
 * for readers for a moment. */
void store_empty_log(struct store_writer *writer);

/* --- channels: store_channels.c --- */

/* The channel of this name, which is made when it is new; valid until the next
 * is looked for. NULL: failed (not logged). */
struct store_channel *store_find_channel(
    struct store_writer *writer, struct slice name);

/* Ruled, it has an event more. 0, or -1 (not logged). */
int store_channel_take(struct store_writer *writer,
    struct store_channel *channel, const struct event *event, uint64_t bytes);

/* Ruled, it has so many events less; the row must be written. */
void store_channel_let_go(struct store_writer *writer,
    struct store_channel *channel, uint64_t events, uint64_t bytes);
void store_channel_soil(
    struct store_writer *writer, struct store_channel *channel);

/* Writes the rows that must be, into the open transaction. 0, or -1 (not
 * logged). */
int store_write_channels(struct store_writer *writer);

/* Forgets the cache, when ids are no longer valid or a transaction failed. */
void store_forget_channels(struct store_writer *writer);

/* --- what trimming shares: store_trim.c --- */

/* Notes in the open transaction that a channel let go of events up to there.
 * 0, or -1 (not logged). */
int store_note_loss(
    struct store_writer *writer, int64_t channel, uint64_t cursor);

/* In the open transaction, lets go of what is due on ruled channels; looks at
 * so many rows. How many went, or -1 (not logged). */
int store_let_go_due(struct store_writer *writer, uint64_t now_ms, int rows);

/* Is any channel due? */
bool store_is_due(struct store_writer *writer, uint64_t now_ms);

#endif

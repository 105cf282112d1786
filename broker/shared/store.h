/*
 * store: the SQLite file that keeps the log; what writer and readers share.
 *
 *	event	   one row per event, by cursor; index by (channel, cursor)
 *	channel	   names; per channel the cursor of the last event let go
 *	publisher  names of publishers whose numbers are remembered
 *	run	   which sequence numbers of a publisher have which cursors
 *	state	   one row: totals, and the newest cursor ever given
 *	revocation what was withdrawn from which user, or given back, by number
 *	kept	   channels with rules of their own, see hub/retention.h
 *	latest	   of such with keep = latest: by channel and key, the one event
 *	rules	   one row: a number that stands for the rules of these
 *
 * A run of n events of one publisher that were committed together has
 * consecutive sequence numbers and consecutive cursors, so it is one row.
 *
 * History is lost per channel: channel.horizon is the cursor of the last event
 * it let go, channel.lost the number of the trimming step that did it. A
 * subscriber at cursor c lost something on a channel whose horizon is above c.
 * state.floor is the horizon of all channels that are not remembered.
 *
 * Revocations are numbered without end: a number is never used again, so that
 * a worker knows by the last one it has read which are new to it. A row's at_ms
 * is its time, and restores is 1 when it takes earlier ones of that user back,
 * those that lie within its pattern; these are deleted with it, so that the
 * rows in order always say what holds.
 *
 * A row of kept says how many events and bytes the channel has, and when it is
 * to be looked at for what is past its rules: due, in Unix milliseconds; 0 is
 * at once, NULL never, for it has no events. It may be earlier than needed, so
 * that it need not be changed with every event. exempt is 1 when its events do
 * not count for the bounds that all channels share. A channel without a row is
 * kept as the section history says. In latest, the empty text is what has no
 * key, and the empty blob a resync. When the rules have changed, the hub makes
 * both tables anew as it starts.
 *
 * birth is one row: the cursor of the time at which the store was made, 0 when
 * that is not known. A cursor below it was given by another store.
 *
 * The tables revocation, kept, latest, rules and birth came later than layout
 * 1, which is the same without them: a store that lacks them gets them when it
 * is opened for writing.
 */
#ifndef SSEMUX_SHARED_STORE_H
#define SSEMUX_SHARED_STORE_H

#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;

/* The longest that the write-ahead log stays when it begins anew. */
#define STORE_LOG_BYTES_KEPT "67108864"

enum {
	STORE_LAYOUT = 1,
	STORE_PATH_SIZE = 4096,
	STORE_BUSY_MS = 5000, /* longest wait for a lock of another's */
	/* Of one user; a pattern takes the place of those within it. */
	STORE_REVOCATIONS_PER_USER = 1000,
};

/* The path of the store in a state folder; -1 when it is too long. */
int store_path(char path[STORE_PATH_SIZE], const char *state_dir);

/*
 * Opens the store for writing and makes it when it is not there (layout 1), or
 * for reading. NULL when that failed: *error is then a text that the caller
 * frees with sqlite3_free(), or NULL when there was no memory. vfs names the
 * way in which SQLite opens the writer's files; NULL is its own.
 */
struct sqlite3 *store_open_writer(
    const char *path, const char *synchronous, const char *vfs, char **error);
struct sqlite3 *store_open_reader(const char *path, char **error);

/* Prepares statement i from text i, for all of them; on failure none is left
 * prepared. 0 or -1. */
int store_prepare(struct sqlite3 *db, struct sqlite3_stmt **statements,
    const char *const *texts, int count);
void store_finalize(struct sqlite3_stmt **statements, int count);

#endif

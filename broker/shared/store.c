/* store: opening the SQLite file, and its tables. See store.h. */
#include "broker/shared/store.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

/*
 * secure_delete is compiled in on Debian and would write every freed page once
 * more. The log is read by whoever may read the file anyway.
 */
static const char writer_setup[] = "PRAGMA secure_delete = OFF;"
				   "PRAGMA temp_store = MEMORY;"
				   "PRAGMA journal_mode = WAL;"
				   "PRAGMA wal_autocheckpoint = 0;"
				   "PRAGMA journal_size_limit"
				   " = " STORE_LOG_BYTES_KEPT ";"
				   "PRAGMA cache_size = -32768;";

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS channel ("
    " id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " horizon INTEGER NOT NULL, lost INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS channel_by_horizon ON channel (horizon);"
    "CREATE TABLE IF NOT EXISTS event ("
    " cursor INTEGER PRIMARY KEY, channel INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, type TEXT, key TEXT, data BLOB NOT NULL);"
    "CREATE INDEX IF NOT EXISTS event_by_channel ON event (channel);"
    "CREATE TABLE IF NOT EXISTS publisher ("
    " id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE IF NOT EXISTS run ("
    " publisher INTEGER NOT NULL, first_seq INTEGER NOT NULL,"
    " count INTEGER NOT NULL, first_cursor INTEGER NOT NULL,"
    " PRIMARY KEY (publisher, first_seq)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS state ("
    " one INTEGER PRIMARY KEY CHECK (one = 1), last_cursor INTEGER NOT NULL,"
    " events INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " channels INTEGER NOT NULL, losses INTEGER NOT NULL,"
    " max_horizon INTEGER NOT NULL, floor INTEGER NOT NULL);"
    "INSERT OR IGNORE INTO state VALUES (1, 0, 0, 0, 0, 0, 0, 0);"
    "PRAGMA user_version = 1;"
    "COMMIT;";

/* What layout 1 had not from its first day. */
static const char later_schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS revocation ("
    " number INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL,"
    " pattern TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " restores INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS revocation_by_user ON revocation (user);"
    "CREATE INDEX IF NOT EXISTS revocation_by_time ON revocation (at_ms);"
    "CREATE TABLE IF NOT EXISTS kept ("
    " channel INTEGER PRIMARY KEY, events INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, exempt INTEGER NOT NULL, due INTEGER);"
    "CREATE INDEX IF NOT EXISTS kept_by_due ON kept (due)"
    " WHERE due IS NOT NULL;"
    "CREATE TABLE IF NOT EXISTS latest ("
    " channel INTEGER NOT NULL, key TEXT NOT NULL, cursor INTEGER NOT NULL,"
    " PRIMARY KEY (channel, key)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS latest_by_cursor ON latest (cursor);"
    "CREATE TABLE IF NOT EXISTS rules ("
    " one INTEGER PRIMARY KEY CHECK (one = 1), fingerprint INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS birth ("
    " one INTEGER PRIMARY KEY CHECK (one = 1), cursor INTEGER NOT NULL);"
    "INSERT OR IGNORE INTO birth SELECT 1, CASE last_cursor WHEN 0 THEN"
    " CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) << 20"
    " ELSE 0 END FROM state;"
    "COMMIT;";

_Static_assert(STORE_LAYOUT == 1, "the schema's user_version");

int
store_path(char path[STORE_PATH_SIZE], const char *state_dir)
{
	int len = snprintf(path, STORE_PATH_SIZE, "%s/ssemux.db", state_dir);

	return len < 0 || len >= STORE_PATH_SIZE ? -1 : 0;
}

/* The library says that a file cannot be opened, and not why. */
static char *
error_text(sqlite3 *db, const char *path)
{
	int error = db != NULL ? sqlite3_system_errno(db) : 0;

	if (db == NULL)
		return sqlite3_mprintf("%s: no memory", path);
	if (sqlite3_errcode(db) == SQLITE_CANTOPEN && error != 0)
		return sqlite3_mprintf(
		    "%s: %s: %s", path, sqlite3_errmsg(db), strerror(error));
	return sqlite3_mprintf("%s: %s", path, sqlite3_errmsg(db));
}

static int
take_layout(void *layout, int columns, char **values, char **names)
{
	(void)names;
	if (columns == 1 && values[0] != NULL)
		sscanf(values[0], "%d", (int *)layout);
	return 0;
}

/* STORE_LAYOUT, or 0 for a new file; -1: *error is set. */
static int
find_layout(sqlite3 *db, const char *path, char **error)
{
	int layout = 0;

	if (sqlite3_exec(db, "PRAGMA user_version", take_layout, &layout,
		NULL) != SQLITE_OK) {
		*error = error_text(db, path);
		return -1;
	}
	if (layout != 0 && layout != STORE_LAYOUT) {
		*error = sqlite3_mprintf(
		    "%s: layout %d, but this program knows layout %d only",
		    path, layout, STORE_LAYOUT);
		return -1;
	}
	return layout;
}

static sqlite3 *
open_file(const char *path, int flags, const char *vfs, char **error)
{
	sqlite3 *db = NULL;

	*error = NULL;
	if (sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, vfs) !=
	    SQLITE_OK) {
		*error = error_text(db, path);
		sqlite3_close(db);
		return NULL;
	}
	sqlite3_busy_timeout(db, STORE_BUSY_MS);
	return db;
}

static int
take_count(void *count, int columns, char **values, char **names)
{
	(void)columns;
	(void)values;
	(void)names;
	++*(int *)count;
	return 0;
}

/* Makes what is missing. What is there is not written to: it opens on a full
 * disk, too. 0 or -1. */
static int
make_tables(sqlite3 *db, int layout)
{
	int later = 0;

	if (layout == 0 &&
	    sqlite3_exec(db, schema, NULL, NULL, NULL) != SQLITE_OK)
		return -1;
	if (sqlite3_exec(db,
		"SELECT 1 FROM sqlite_master"
		" WHERE name IN ('revocation_by_time', 'rules', 'birth')",
		take_count, &later, NULL) != SQLITE_OK)
		return -1;
	return later == 3 || sqlite3_exec(db, later_schema, NULL, NULL, NULL) ==
				 SQLITE_OK
		   ? 0
		   : -1;
}

sqlite3 *
store_open_writer(
    const char *path, const char *synchronous, const char *vfs, char **error)
{
	sqlite3 *db = open_file(
	    path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs, error);
	char pragma[64];
	int layout;

	if (db == NULL)
		return NULL;
	snprintf(
	    pragma, sizeof(pragma), "PRAGMA synchronous = %s", synchronous);
	layout = find_layout(db, path, error);
	if (layout == -1)
		goto fail;
	if (sqlite3_exec(db, writer_setup, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(db, pragma, NULL, NULL, NULL) != SQLITE_OK ||
	    make_tables(db, layout) == -1) {
		*error = error_text(db, path);
		goto fail;
	}
	return db;
fail:
	sqlite3_close(db);
	return NULL;
}

sqlite3 *
store_open_reader(const char *path, char **error)
{
	sqlite3 *db = open_file(path, SQLITE_OPEN_READONLY, NULL, error);

	if (db == NULL)
		return NULL;
	/* Reads once, so that every file is open before the confinement. */
	if (sqlite3_exec(db,
		"PRAGMA temp_store = MEMORY;"
		"SELECT one FROM state",
		NULL, NULL, NULL) != SQLITE_OK) {
		*error = error_text(db, path);
		sqlite3_close(db);
		return NULL;
	}
	return db;
}

int
store_prepare(
    sqlite3 *db, sqlite3_stmt **statements, const char *const *texts, int count)
{
	for (int i = 0; i < count; i++) {
		if (sqlite3_prepare_v3(db, texts[i], -1,
			SQLITE_PREPARE_PERSISTENT, &statements[i],
			NULL) != SQLITE_OK) {
			store_finalize(statements, i);
			return -1;
		}
	}
	return 0;
}

void
store_finalize(sqlite3_stmt **statements, int count)
{
	for (int i = 0; i < count; i++) {
		sqlite3_finalize(statements[i]);
		statements[i] = NULL;
	}
}
